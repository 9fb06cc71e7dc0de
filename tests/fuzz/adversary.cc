#include "fuzz/adversary.h"

#include "base/assert.h"
#include "sip/draft.h"

namespace baton::fuzz {
namespace {

using sip::HeaderId;
using sip::Method;

constexpr std::size_t remembered_max = 24;
constexpr std::size_t actions_of_a_step_max = 4'000;

SocketAddress at(unsigned last, std::uint16_t port = 5060) {
  return {*IpAddress::parse("203.0.113." + std::to_string(last)), port};
}
SocketAddress server() {
  return {*IpAddress::parse("198.51.100.1"), 5060};
}

trunk::Snapshot model() {
  auto model = std::make_shared<trunk::Model>();
  model->domain_suffix = "sip.baton.test";
  trunk::Account account;
  account.id = "acc";
  account.concurrent_max = 40;
  model->accounts.push_back(account);
  trunk::Trunk inbound;
  inbound.id = "in";
  inbound.account_id = "acc";
  inbound.domain = "in.sip.baton.test";
  inbound.primary = trunk::Uri{.user = {}, .host = "203.0.113.20"};
  inbound.fallback = trunk::Uri{.user = {}, .host = "pbx.example", .port = 5080, .transport = Transport::tcp};
  inbound.transfer.allowed_hosts = {"elsewhere.example"};
  model->trunks.push_back(inbound);
  trunk::Trunk outbound;
  outbound.id = "out";
  outbound.account_id = "acc";
  outbound.domain = "out.sip.baton.test";
  outbound.direction = trunk::TrunkDirection::outbound;
  outbound.acl = {{at(20).ip, 32}};
  model->trunks.push_back(outbound);
  trunk::Trunk secret = outbound;
  secret.id = "secret";
  secret.domain = "secret.sip.baton.test";
  secret.acl.clear();
  secret.credentials = {{"user", "password"}};
  model->trunks.push_back(secret);
  model->numbers.push_back({"+14155550100", "acc", "in"});
  trunk::Carrier west;
  west.id = "west";
  west.gateways = {trunk::Uri{.user = {}, .host = "203.0.113.10"}};
  west.sources = {{at(10).ip, 32}};
  west.prefixes = {"+1"};
  west.trusted_to_transfer = true;
  model->carriers.push_back(west);
  trunk::Carrier east;
  east.id = "east";
  east.gateways = {trunk::Uri{.user = {}, .host = "203.0.113.30", .transport = Transport::tcp},
                   trunk::Uri{.user = {}, .host = "gateway.example"}};
  model->carriers.push_back(east);
  model->build_indexes();
  return model;
}

engine::Options options() {
  engine::Options options;
  options.digest_secret = std::string(32, 's');
  options.listeners = {{Transport::udp, server()}, {Transport::tcp, server()}};
  return options;
}

}  // namespace

Adversary::Adversary(Choices& choices)
    : choices_(choices), model_(model()), engine_(options(), model_), now_(Time{} + 1h) {}

Source Adversary::source_of(Who who) const {
  switch (who) {
    case Who::carrier:
      return {Transport::udp, server(), at(10), 0};
    case Who::endpoint:
      return {Transport::udp, server(), at(20), 0};
    case Who::target:
      return {Transport::tcp, server(), at(30), flow_};
    default:
      return {Transport::udp, server(), at(66), 0};
  }
}

void Adversary::step(engine::Input input) {
  engine::Actions actions;
  engine_.step(now_, std::move(input), actions);
  BATON_ASSERT(actions.size() < actions_of_a_step_max);
  for (const auto& action : actions) perform(action);
  const std::string broken = engine_.check_invariants();
  BATON_ASSERT(broken.empty());
}

void Adversary::perform(const engine::Action& action) {
  if (const auto* send = std::get_if<engine::Send>(&action)) {
    auto message = sip::Message::parse(send->bytes);
    // What is sent can be read; but the answer to what could not be read repeats parts of it.
    BATON_ASSERT(message || unreadable_);
    if (!message) return;
    Who who = Who::stranger;
    if (send->to.remote.ip == at(10).ip) who = Who::carrier;
    if (send->to.remote.ip == at(20).ip) who = Who::endpoint;
    if (send->to.remote.ip == at(30).ip) who = Who::target;
    if (seen_.size() == remembered_max) seen_.erase(seen_.begin());
    seen_.push_back({std::move(*message), who, send->to.flow});
    return;
  }
  if (const auto* media = std::get_if<engine::MediaDo>(&action)) {
    if (const auto* open = std::get_if<media::Open>(&media->operation)) opening_.push_back(open->id);
    return;
  }
  if (const auto* look = std::get_if<engine::Resolve>(&action)) lookups_.push_back(look->query);
}

void Adversary::deliver(Who who, std::string bytes) {
  if (said_.size() == remembered_max) said_.erase(said_.begin());
  said_.emplace_back(who, bytes);
  step(engine::MessageIn{source_of(who), std::move(bytes)});
}

std::string Adversary::via_of(Who who) {
  const Source source = source_of(who);
  return "SIP/2.0/" + std::string(source.transport == Transport::udp ? "UDP" : "TCP") + " " +
         source.remote.to_string() + ";rport;branch=z9hG4bK-f" + std::to_string(++serial_);
}

std::string Adversary::description() {
  static constexpr const char* lines[] = {
      "m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n",
      "m=audio 4000 RTP/AVP 8\r\n",
      "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n",
      "m=audio 4000 RTP/AVP 0\r\na=inactive\r\n",
      "m=audio 0 RTP/AVP 0\r\n",
      "m=audio 4000 RTP/AVP 18\r\n",
      "m=video 4000 RTP/AVP 31\r\nm=audio 4002 RTP/AVP 0\r\n",
      "m=audio 4000 RTP/SAVP 0\r\n",
  };
  return "v=0\r\no=- 1 " + std::to_string(++serial_) +
         " IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\n" + choices_.of(lines);
}

std::string Adversary::refer_to() {
  static constexpr const char* targets[] = {
      "<sip:+442079460123@in.sip.baton.test>",
      "<sip:+442079460123@out.sip.baton.test>",
      "<sip:+14155550100@in.sip.baton.test>",
      "<tel:+442079460123>",
      "<sip:+442079460123@elsewhere.example>",
      "<sip:+442079460123@in.sip.baton.test?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>",
      "<sip:+442079460123@in.sip.baton.test;method=BYE>",
      "<sip:127.0.0.1>",
      "nonsense",
  };
  std::string target = choices_.of(targets);
  // An attended one names a dialog there is.
  if (choices_.below(4) == 0 && !seen_.empty()) {
    const sip::Message& other = seen_[choices_.below(seen_.size())].message;
    const std::string from(other.from().tag()), to(other.to().tag());
    const bool swapped = choices_.below(2) == 0;
    const auto replaces = sip::Uri::parse("sip:+442079460123@in.sip.baton.test");
    sip::Uri uri = *replaces;
    uri.headers.push_back({"Replaces", std::string(other.call_id()) + ";to-tag=" + (swapped ? from : to) +
                                           ";from-tag=" + (swapped ? to : from) +
                                           (choices_.below(3) == 0 ? ";early-only" : "")});
    target = "<" + uri.to_string() + ">";
  }
  return target;
}

void Adversary::new_invite() {
  static constexpr Who callers[] = {Who::carrier, Who::carrier, Who::endpoint, Who::endpoint, Who::stranger};
  static constexpr const char* uris[] = {"sip:+14155550100@198.51.100.1",
                                         "sip:+442079460123@out.sip.baton.test",
                                         "sip:+14155550199@out.sip.baton.test",
                                         "sip:+442079460123@secret.sip.baton.test",
                                         "tel:+14155550100",
                                         "sip:nobody@198.51.100.1"};
  static constexpr const char* extras[] = {"",
                                           "Supported: 100rel, timer, replaces\r\n",
                                           "Require: 100rel\r\n",
                                           "Session-Expires: 90;refresher=uac\r\nSupported: timer\r\n",
                                           "Session-Expires: 5\r\nSupported: timer\r\n",
                                           "Privacy: id\r\n",
                                           "Require: unheard-of\r\n"};
  const Who who = choices_.of(callers);
  const std::string id = std::to_string(++serial_);
  std::string invite =
      "INVITE " + std::string(choices_.of(uris)) + " SIP/2.0\r\nVia: " + via_of(who) +
      "\r\nFrom: <sip:+12125550123@203.0.113.10>;tag=f" + id + "\r\nTo: <sip:+14155550100@198.51.100.1>\r\n" +
      "Call-ID: c" + id + "@fuzz\r\nCSeq: 1 INVITE\r\nMax-Forwards: " + std::to_string(choices_.below(72)) +
      "\r\nContact: <sip:peer@" + source_of(who).remote.to_string() + ">\r\n" + choices_.of(extras);
  // INVITE with Replaces: of a dialog there is.
  if (choices_.below(6) == 0 && !seen_.empty()) {
    const sip::Message& other = seen_[choices_.below(seen_.size())].message;
    invite += "Require: replaces\r\nReplaces: " + std::string(other.call_id()) +
              ";to-tag=" + std::string(other.from().tag()) + ";from-tag=" + std::string(other.to().tag()) +
              "\r\n";
  }
  const bool offers = choices_.below(4) != 0;
  const std::string body = offers ? description() : std::string{};
  if (offers) invite += "Content-Type: application/sdp\r\n";
  invite += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  if (invites_.size() == remembered_max) invites_.erase(invites_.begin());
  invites_.emplace_back(who, invite);
  deliver(who, std::move(invite));
}

const Adversary::Seen* Adversary::pick() {
  if (seen_.empty()) return nullptr;
  // The latest are the likeliest to matter.
  const std::size_t back = choices_.below(2) == 0 ? choices_.below(4) : choices_.below(seen_.size());
  return &seen_[seen_.size() - 1 - std::min(back, seen_.size() - 1)];
}

void Adversary::respond() {
  static constexpr int statuses[] = {100, 180, 183, 200, 200, 200, 202, 301, 400, 401, 404, 407,
                                     408, 422, 481, 486, 487, 488, 489, 491, 500, 503, 600, 603};
  const Seen* chosen = pick();
  if (chosen == nullptr || !chosen->message.is_request() || chosen->message.method() == Method::ack) return;
  const Seen request = *chosen;
  const int status = choices_.of(statuses);
  const std::string tag =
      choices_.below(8) == 0 ? "fork" : "t" + std::string(request.message.cseq().method_text);
  sip::Draft response =
      sip::make_response(request.message, status, status == 100 ? std::string{} : "t" + tag);
  response.add(HeaderId::contact, "<sip:peer@" + source_of(request.who).remote.to_string() + ">");
  if (status == 401 || status == 407) {
    response.add(
        status == 401 ? HeaderId::www_authenticate : HeaderId::proxy_authenticate,
        "Digest realm=\"x\", nonce=\"" + std::to_string(serial_) + "\", algorithm=MD5, qop=\"auth\"");
  }
  if (status == 422) response.add("Min-SE", std::to_string(90 + choices_.byte()));
  if (status == 503 && choices_.below(2) == 0) response.add(HeaderId::retry_after, "5");
  if (status / 100 == 3) response.set(HeaderId::contact, "<sip:+442079460199@203.0.113.77>");
  if (request.message.method() == Method::invite) {
    if (status > 100 && status < 200 && choices_.below(2) == 0) {
      response.add("Require", "100rel");
      response.add("RSeq", std::to_string(1 + choices_.below(4)));
    }
    if (status / 100 == 2 && choices_.below(2) == 0) {
      response.add("Session-Expires", "90;refresher=" + std::string(choices_.below(2) == 0 ? "uac" : "uas"));
    }
    const bool has_body = status / 100 == 2 ? choices_.below(8) != 0 : status == 183;
    if (has_body) response.body("application/sdp", description());
  }
  deliver(request.who, response.write());
}

// A request in the dialog of some message the engine sent, as its peer would write it.
void Adversary::in_dialog_request() {
  static constexpr const char* methods[] = {"BYE",  "REFER", "REFER",     "REFER",   "INVITE", "UPDATE",
                                            "INFO", "PRACK", "SUBSCRIBE", "OPTIONS", "NOTIFY", "MESSAGE"};
  const Seen* chosen = pick();
  if (chosen == nullptr) return;
  const Seen seen = *chosen;
  const sip::Message& model = seen.message;
  const bool from_them = model.is_request();  // then the engine is From
  const std::string method = choices_.of(methods);
  std::string ours(from_them ? model.header(HeaderId::to) : model.header(HeaderId::from));
  const std::string theirs(from_them ? model.header(HeaderId::from) : model.header(HeaderId::to));
  if (from_them && model.to().tag().empty()) ours += ";tag=tt" + std::string(model.cseq().method_text);
  std::string request =
      method + " sip:baton@198.51.100.1 SIP/2.0\r\nVia: " + via_of(seen.who) + "\r\nFrom: " + ours +
      "\r\nTo: " + theirs + "\r\nCall-ID: " + std::string(model.call_id()) +
      "\r\nCSeq: " + std::to_string(choices_.below(8) == 0 ? 1 : 2 + serial_) + " " + method +
      "\r\nMax-Forwards: 70\r\nContact: <sip:peer@" + source_of(seen.who).remote.to_string() + ">\r\n";
  std::string body;
  if (method == "REFER") request += "Refer-To: " + refer_to() + "\r\n";
  if (method == "REFER" && choices_.below(4) == 0) request += "Refer-Sub: false\r\n";
  if (method == "REFER" && choices_.below(8) == 0) request += "Require: nosub\r\n";
  if (method == "PRACK") request += "RAck: " + std::to_string(1 + choices_.below(4)) + " 1 INVITE\r\n";
  if (method == "SUBSCRIBE")
    request += "Event: refer\r\nExpires: " + std::to_string(choices_.below(3) * 60) + "\r\n";
  if (method == "NOTIFY") request += "Event: refer\r\nSubscription-State: active\r\n";
  if (method == "UPDATE" && choices_.below(2) == 0) request += "Session-Expires: 90\r\nSupported: timer\r\n";
  if ((method == "INVITE" || method == "UPDATE" || method == "PRACK") && choices_.below(3) != 0) {
    body = description();
    request += "Content-Type: application/sdp\r\n";
  }
  request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  deliver(seen.who, std::move(request));
}

void Adversary::acknowledge() {
  const Seen* chosen = pick();
  if (chosen == nullptr || chosen->message.is_request()) return;
  const Seen seen = *chosen;
  const sip::Message& response = seen.message;
  if (response.method() != Method::invite || response.status() < 200) return;
  const std::string body = choices_.below(3) == 0 ? description() : std::string{};
  // To a failure with the INVITE's own Via, to a 2xx with a new one.
  std::string ack = "ACK sip:baton@198.51.100.1 SIP/2.0\r\nVia: " +
                    (response.status() >= 300 ? response.top_via().to_string() : via_of(seen.who)) +
                    "\r\nFrom: " + std::string(response.header(HeaderId::from)) +
                    "\r\nTo: " + std::string(response.header(HeaderId::to)) +
                    "\r\nCall-ID: " + std::string(response.call_id()) +
                    "\r\nCSeq: " + std::to_string(response.cseq().number) + " ACK\r\nMax-Forwards: 70\r\n";
  if (!body.empty()) ack += "Content-Type: application/sdp\r\n";
  ack += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  deliver(seen.who, std::move(ack));
}

void Adversary::cancel() {
  if (invites_.empty()) return;
  const auto [who, bytes] = invites_[choices_.below(invites_.size())];
  const auto invite = sip::Message::parse(bytes);
  if (!invite) return;
  deliver(who, "CANCEL " + std::string(invite->request_uri()) +
                   " SIP/2.0\r\nVia: " + std::string(invite->header(HeaderId::via)) +
                   "\r\nFrom: " + std::string(invite->header(HeaderId::from)) +
                   "\r\nTo: " + std::string(invite->header(HeaderId::to)) +
                   "\r\nCall-ID: " + std::string(invite->call_id()) +
                   "\r\nCSeq: 1 CANCEL\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
}

void Adversary::repeat() {
  if (said_.empty()) return;
  const auto [who, bytes] = said_[choices_.below(said_.size())];
  step(engine::MessageIn{source_of(choices_.below(8) == 0 ? Who::stranger : who), bytes});
}

void Adversary::damage() {
  if (said_.empty()) return;
  auto [who, bytes] = said_[choices_.below(said_.size())];
  for (std::size_t changes = 1 + choices_.below(3); changes > 0 && !bytes.empty(); --changes) {
    const std::size_t where = (choices_.byte() * 256U + choices_.byte()) % bytes.size();
    bytes[where] = static_cast<char>(choices_.byte());
  }
  unreadable_ = !sip::Message::parse(bytes);
  step(engine::MessageIn{source_of(who), bytes});
  unreadable_ = false;
}

void Adversary::answer_media() {
  if (opening_.empty()) return;
  const std::size_t which = choices_.below(opening_.size());
  const media::EndpointId id = opening_[which];
  opening_.erase(opening_.begin() + static_cast<std::ptrdiff_t>(which));
  if (choices_.below(16) == 0) return step(engine::MediaDone{media::OpenFailed{id, "no port"}});
  port_ = port_ > 60'000 ? 20'000 : static_cast<std::uint16_t>(port_ + 2);
  step(engine::MediaDone{media::Opened{id, {server().ip, port_}}});
  if (choices_.below(16) != 0) return;
  if (choices_.below(2) == 0) return step(engine::MediaDone{media::Silent{id}});
  step(engine::MediaDone{media::Lost{id, "gone"}});
}

void Adversary::answer_lookup() {
  if (lookups_.empty()) return;
  const std::uint64_t query = lookups_.back();
  lookups_.pop_back();
  engine::Resolved resolved{query, {}};
  static constexpr unsigned hosts[] = {20, 30, 10};
  for (std::size_t n = choices_.below(3); n > 0; --n) {
    resolved.targets.push_back(
        {choices_.below(2) == 0 ? Transport::udp : Transport::tcp, at(choices_.of(hosts))});
  }
  if (choices_.below(6) == 0)
    resolved.targets.push_back({Transport::udp, {*IpAddress::parse("10.0.0.1"), 5060}});
  step(std::move(resolved));
}

void Adversary::pass_time() {
  static constexpr Duration spans[] = {1ms, 20ms, 200ms, 500ms, 1s, 2s, 4s, 10s, 32s, 60s, 120s};
  const Time end = now_ + choices_.of(spans);
  for (unsigned ticks = 0; ticks < 300; ++ticks) {
    const auto due = engine_.next_deadline();
    if (!due || *due > end) break;
    now_ = std::max(now_, *due);
    step(engine::Tick{});
  }
  now_ = std::max(now_, end);
  step(engine::Tick{});
}

void Adversary::play_one() {
  switch (choices_.below(16)) {
    case 0:
    case 1:
      return new_invite();
    case 2:
    case 3:
    case 4:
      return respond();
    case 5:
    case 6:
    case 7:
      return in_dialog_request();
    case 8:
      return acknowledge();
    case 9:
      return cancel();
    case 10:
      return choices_.below(3) == 0 ? damage() : repeat();
    case 11:
    case 12:
      return answer_media();
    case 13:
      return answer_lookup();
    case 14:
      return pass_time();
    default:
      switch (choices_.below(5)) {
        case 0:
          return step(engine::TransportFailed{Transport::tcp, at(30)});
        case 1:
          return step(engine::FlowClosed{flow_++});
        case 2:
          return step(engine::ModelChanged{model_});
        case 3:
          return step(engine::CancelTransfer{"none"});
        default:
          return step(engine::TransportFailed{Transport::udp, at(20)});
      }
  }
}

// A peer that does what it is asked, so that what is left is not left for want of an answer.
void Adversary::answer_all_quietly() {
  while (!opening_.empty()) {
    const media::EndpointId id = opening_.back();
    opening_.pop_back();
    step(engine::MediaDone{media::OpenFailed{id, "over"}});
  }
  while (!lookups_.empty()) {
    const std::uint64_t query = lookups_.back();
    lookups_.pop_back();
    step(engine::Resolved{query, {}});
  }
}

void Adversary::wind_down() {
  answer_all_quietly();
  step(engine::HangUpAll{});
  const Time end = now_ + 30min;
  for (unsigned ticks = 0; ticks < 20'000; ++ticks) {
    answer_all_quietly();
    const auto due = engine_.next_deadline();
    if (!due || *due > end) break;
    now_ = std::max(now_, *due);
    step(engine::Tick{});
  }
  const engine::Census census = engine_.census();
  BATON_ASSERT(census.empty());
}

}  // namespace baton::fuzz
