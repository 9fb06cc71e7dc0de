#include "load/course.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace baton::bench {
namespace {

constexpr Nanos second = 1'000'000'000;
constexpr Nanos first_repeat = second / 2;  // T1 (RFC 3261 17.1.1.2)
constexpr Nanos last_repeat = 4 * second;   // T2
constexpr Nanos patience = 40 * second;     // beyond the pauses of a call
constexpr std::size_t faults_told_max = 50;
constexpr Nanos held_max = 3'600 * second;
constexpr unsigned begun_per_round = 256;
constexpr std::uint64_t numbers = 10'000'000;  // seven digits
constexpr std::string_view caller_prefix = "+1415", target_prefix = "+1650";

std::string seven_digits(std::string_view prefix, std::uint64_t number) {
  std::string text(prefix);
  const std::string digits = std::to_string(number % numbers);
  return text.append(7 - digits.size(), '0').append(digits);
}

char letter(Role role) {
  return role == Role::carrier ? 'c' : role == Role::endpoint ? 'e' : 't';
}

std::size_t index(Role role) {
  return static_cast<std::size_t>(role);
}

}  // namespace

Course::Course(CourseOptions options, Wire& wire, Media& media)
    : options_(std::move(options)), wire_(wire), media_(media) {
  if (options_.requests > 0) options_.transfer = false;
  for (const Role role : {Role::carrier, Role::endpoint, Role::target}) {
    places_[index(role)] = place_of(wire.options(), role, options_.media_port, options_.run);
  }
  calls_.resize(std::bit_ceil(options_.in_flight * 2));
}

Call* Course::find(std::uint64_t number) {
  Call& call = calls_[number & (calls_.size() - 1)];
  return call.number == number && number != 0 ? &call : nullptr;
}

// ---- What the parties do of themselves ------------------------------------------------------------

bool Course::begin(Nanos now) {
  // Places are taken in turn; one that is still in use by a long call is passed over.
  Call* place = nullptr;
  for (std::size_t tries = 0; tries < calls_.size() && place == nullptr; ++tries) {
    Call& candidate = calls_[++next_number_ & (calls_.size() - 1)];
    if (candidate.number == 0 && next_number_ % numbers != 0) place = &candidate;
  }
  if (place == nullptr) return false;
  Call& call = *place;
  call = Call{};
  call.number = next_number_;
  call.started = now;
  const Role role = caller();
  Leg& leg = call.leg(role);
  const Place& at = places_[index(role)];
  const std::string digits = std::to_string(call.number);
  leg.link = wire_.own(role);
  leg.call_id = letter(role) + at.run + digits + "@" + at.at;
  leg.cseq = 1;
  leg.branch = ++next_branch_;
  std::string uri, user;
  if (options_.outbound) {
    user = options_.number;
    uri = "sip:" + seven_digits(caller_prefix, call.number) + "@" + options_.out_domain;
  } else {
    user = seven_digits(caller_prefix, call.number);
    uri = "sip:" + options_.number + "@" + wire_.options().server;
  }
  leg.ours = "<sip:" + user + "@" + at.at + ">;tag=" + letter(role) + at.run + digits;
  leg.server = "<" + uri + ">";
  std::string invite;
  write_invite(invite, at, leg, uri, user, leg.branch);
  wire_.send(leg.link, invite);
  wait_for(now, call, role, std::move(invite));
  const Nanos longest = options_.hold || options_.requests > 0 ? held_max : options_.talk + options_.after;
  timers_.push({now + longest + patience, call.number, Due::deadline, role, 0, 0});
  ++tally_.started;
  ++live_;
  return true;
}

void Course::finish(Call& call) {
  for (const Role role : {Role::carrier, Role::endpoint, Role::target}) left(call, role);
  if (call.stage == Call::Stage::talking || call.stage == Call::Stage::handed_over) --settled_;
  call.number = 0;
  --live_;
}

void Course::settle(Nanos now, Call& call, Call::Stage stage, Nanos pause) {
  call.stage = stage;
  ++settled_;
  if (options_.hold && (stage == Call::Stage::handed_over || !options_.transfer)) return;
  timers_.push({now + pause, call.number, Due::act, Role::carrier, 0, 0});
}

void Course::release(Nanos now, double rate) {
  if (!std::exchange(options_.hold, false)) return;
  const Call::Stage last = options_.transfer ? Call::Stage::handed_over : Call::Stage::talking;
  Nanos at = now;
  for (const Call& call : calls_) {
    if (call.number == 0 || call.stage != last) continue;
    timers_.push({at, call.number, Due::act, Role::carrier, 0, 0});
    if (rate > 0) at += static_cast<Nanos>(1e9 / rate);
  }
}

void Course::act(Nanos now, Call& call) {
  if (call.stage == Call::Stage::talking && options_.requests > 0) {
    call.stage = Call::Stage::asking;
    call.to_ask = options_.requests;
    ask_next(now, call);
  } else if (call.stage == Call::Stage::talking && options_.transfer) {
    call.stage = Call::Stage::referring;
    leaving_.push_back(call.number);
    const std::string& at = places_[index(Role::endpoint)].at;
    ask(now, call, Role::endpoint, "REFER",
        "Contact: <sip:agent@" + at + places_[index(Role::endpoint)].parameter +
            ">\r\nRefer-To: <sip:" + seven_digits(target_prefix, call.number) + "@" +
            (options_.outbound ? options_.out_domain : options_.domain) + ">\r\n");
  } else if (call.stage == Call::Stage::talking || call.stage == Call::Stage::handed_over) {
    call.stage = Call::Stage::ending;
    ask(now, call, options_.transfer ? Role::target : Role::carrier, "BYE");
  } else {
    return;
  }
  --settled_;
}

void Course::goes_out(Nanos real) {
  for (const std::uint64_t number : leaving_) {
    if (Call* call = find(number)) call->referred = real;
  }
  leaving_.clear();
}

void Course::ask_next(Nanos now, Call& call) {
  call.asked = now;
  call.told = false;
  call.passed_on = !options_.passed_on;
  const std::string contact = "Contact: <sip:agent@" + places_[index(Role::endpoint)].at +
                              places_[index(Role::endpoint)].parameter + ">\r\n";
  if (options_.method == "INVITE") {
    ask(now, call, Role::endpoint, "INVITE", contact + "Content-Type: application/sdp\r\n",
        places_[index(Role::endpoint)].sdp);
  } else if (options_.method == "INFO") {
    ask(now, call, Role::endpoint, "INFO", "Content-Type: application/dtmf-relay\r\n",
        "Signal=5\r\nDuration=160\r\n");
  } else if (options_.method == "UPDATE") {
    ask(now, call, Role::endpoint, "UPDATE", contact);
  } else {
    ask(now, call, Role::endpoint, options_.method);
  }
}

// One request within the dialog has its answer, or has come to the other party.
void Course::asked(Nanos now, Call& call) {
  if (call.stage != Call::Stage::asking || !call.told || !call.passed_on) return;
  tally_.request.add(now - call.asked);
  ++tally_.requests;
  if (--call.to_ask > 0) return ask_next(now, call);
  call.stage = Call::Stage::ending;
  ask(now, call, Role::carrier, "BYE");
}

void Course::ask(Nanos now, Call& call, Role role, std::string_view method, std::string_view extra,
                 std::string_view content) {
  Leg& leg = call.leg(role);
  ++leg.cseq;
  leg.branch = ++next_branch_;
  std::string message;
  write_request(message, places_[index(role)], leg, method, leg.branch, extra, content);
  wire_.send(leg.link, message);
  wait_for(now, call, role, std::move(message));
}

void Course::wait_for(Nanos now, Call& call, Role role, std::string message) {
  Leg& leg = call.leg(role);
  leg.waiting = std::move(message);
  leg.waiting_for = ++next_wait_;
  timers_.push({now + first_repeat, call.number, Due::repeat, role, leg.waiting_for, first_repeat});
}

void Course::acknowledge(Call& call, Role role, std::uint32_t cseq) {
  Leg& leg = call.leg(role);
  const std::uint32_t latest = std::exchange(leg.cseq, cseq);  // the INVITE's (RFC 3261 13.2.2.4)
  scratch_.clear();
  write_request(scratch_, places_[index(role)], leg, "ACK", ++next_branch_);
  wire_.send(leg.link, scratch_);
  leg.cseq = latest;
}

Nanos Course::next(Nanos latest) const {
  if (!timers_.empty()) latest = std::min(latest, timers_.top().at);
  if (tally_.started < options_.calls && live_ < options_.in_flight) latest = std::min(latest, begin_at_);
  return latest;
}

void Course::advance(Nanos now) {
  while (!timers_.empty() && timers_.top().at <= now) {
    const Timer timer = timers_.top();
    timers_.pop();
    Call* call = find(timer.number);
    if (call == nullptr) continue;
    if (timer.due == Due::act) {
      act(now, *call);
    } else if (timer.due == Due::deadline) {
      fault("a call that did not come to its end, at stage " + std::to_string(static_cast<int>(call->stage)));
      finish(*call);
    } else if (const Leg& leg = call->leg(timer.role);
               leg.waiting_for == timer.waiting_for && !leg.waiting.empty()) {
      wire_.send(leg.link, leg.waiting);
      ++tally_.repeats_sent;
      const Nanos pause = std::min(2 * timer.pause, last_repeat);
      timers_.push({now + pause, timer.number, Due::repeat, timer.role, timer.waiting_for, pause});
    }
  }
  if (begin_at_ == 0) begin_at_ = now;
  for (unsigned i = 0; i < begun_per_round; ++i) {
    if (tally_.started >= options_.calls || live_ >= options_.in_flight || begin_at_ > now) return;
    if (!begin(now)) return;
    if (options_.rate <= 0) continue;
    tally_.behind_max = std::max(tally_.behind_max, now - begin_at_);
    begin_at_ += static_cast<Nanos>(std::llround(1e9 / options_.rate));
  }
}

// ---- What they hear --------------------------------------------------------------------------------

void Course::fault(std::string_view what) {
  ++tally_.errors;
  if (tally_.faults.size() < faults_told_max || tally_.faults.contains(std::string(what))) {
    ++tally_.faults[std::string(what)];
  }
}

bool Course::expect(bool good, std::string_view what) {
  if (!good) fault(what);
  return good;
}

bool Course::find_number(Role role, const Message& message, std::uint64_t& number) const {
  const std::string_view tag = tag_of(message.status == 0 ? message.to : message.from);
  if (!tag.empty()) return tag.front() == letter(role) && trailing_number(tag.substr(1), number);
  // A new call: the number it is for or from says which.
  const bool by_caller = role == Role::endpoint;
  const std::string_view user = user_of(by_caller ? message.from : message.uri);
  if (user.size() != 12 || !trailing_number(user.substr(5), number)) return false;
  // Seven digits say which of the latest ten million.
  const std::uint64_t rounds = next_number_ / numbers;
  if (number > next_number_ % numbers && rounds == 0) return false;
  number += (number > next_number_ % numbers ? rounds - 1 : rounds) * numbers;
  return true;
}

void Course::hear(Nanos now, Nanos arrived, Role role, Link link, std::string_view bytes) {
  arrived_ = arrived;
  Message message;
  if (const std::string_view why = read(bytes, message); !why.empty()) return fault(why);
  if (message.status == 0) return request(now, role, link, message);
  std::uint64_t number = 0;
  if (!expect(find_number(role, message, number), "a response to nothing that was asked")) return;
  Call* call = find(number);
  if (call == nullptr) {
    ++tally_.repeats_heard;  // of a call that is over
    return;
  }
  response(now, *call, role, message);
}

void Course::request(Nanos now, Role role, Link link, const Message& message) {
  std::uint64_t number = 0;
  if (!expect(find_number(role, message, number), "a request for no call of this party")) return;
  Call* call = find(number);
  if (call == nullptr || call->leg(role).over) {
    ++tally_.repeats_heard;
    if (message.is("ACK")) return;
    scratch_.clear();
    write_response(scratch_, message, message.is("BYE") ? "200 OK" : "481 Call/Transaction Does Not Exist",
                   {}, {}, {});
    wire_.send(link, scratch_);
    return;
  }
  Leg& leg = call->leg(role);
  if (message.is("INVITE")) return invited(now, *call, role, link, message);
  if (!expect(message.call_id == leg.call_id, "a request within a dialog that has another Call-ID")) return;
  if (message.is("ACK")) {
    if (leg.up) {
      ++tally_.repeats_heard;
      return;
    }
    leg.up = true;
    leg.waiting.clear();
    joined(*call, role);
    return legs_changed(now, *call);
  }
  if (message.cseq_number == leg.heard_cseq) {
    ++tally_.repeats_heard;
    wire_.send(link, leg.answer);
    return;
  }
  expect(message.cseq_number > leg.heard_cseq, "a CSeq that runs back");
  leg.heard_cseq = message.cseq_number;
  leg.answer.clear();
  const bool known = message.is("NOTIFY") || message.is("BYE") || message.is("OPTIONS") ||
                     (message.is("INFO") && options_.passed_on);
  write_response(leg.answer, message, known ? "200 OK" : "501 Not Implemented", {}, {}, {});
  wire_.send(link, leg.answer);
  if (message.is("NOTIFY")) {
    expect(role == Role::endpoint, "a NOTIFY for somebody who did not send the REFER");
    notified(*call, message);
  } else if (message.is("BYE")) {
    bye(*call, role, message);
  } else if (message.is("INFO")) {
    expect(role == Role::carrier && message.body.find("Signal=5") != message.body.npos,
           "an INFO of another key");
    call->passed_on = true;
    return asked(now, *call);
  } else {
    expect(known, "a request that does not belong to this course");
  }
  legs_changed(now, *call);
}

void Course::invited(Nanos now, Call& call, Role role, Link link, const Message& message) {
  Leg& leg = call.leg(role);
  if (!leg.call_id.empty()) {
    if (!expect(message.call_id == leg.call_id && message.cseq_number == leg.heard_cseq,
                "a second INVITE for the same call")) {
      return;
    }
    ++tally_.repeats_heard;
    wire_.send(link, leg.answer);
    return;
  }
  expect(role == callee() || call.stage == Call::Stage::referring,
         "an INVITE to the target before the REFER");
  expect(!uri_of(message.contact).empty(), "an INVITE without Contact");
  expect(message.body.find("m=audio ") != message.body.npos, "an INVITE that offers no audio");
  const Place& at = places_[index(role)];
  leg.link = link;
  leg.call_id = message.call_id;
  leg.server = message.from;
  leg.contact = uri_of(message.contact);
  for (const std::string_view route : message.record_routes)
    leg.routes.append("Route: ").append(route).append("\r\n");
  if (media_.flows()) leg.description = message.body;
  leg.heard_cseq = message.cseq_number;
  leg.ours = std::string(message.to) + ";tag=" + letter(role) + at.run + std::to_string(call.number);
  const std::string contact = "<sip:" + std::string(user_of(message.uri)) + "@" + at.at + at.parameter + ">";
  if (role == Role::target) tally_.refer_to_invite.add(arrived_ - call.referred);
  if (options_.ring) {
    scratch_.clear();
    write_response(scratch_, message, "180 Ringing", leg.ours, contact, {});
    wire_.send(link, scratch_);
  }
  write_response(leg.answer, message, "200 OK", leg.ours, contact, at.sdp);
  wire_.send(link, leg.answer);
  wait_for(now, call, role, leg.answer);
}

void Course::notified(Call& call, const Message& message) {
  const std::string_view event = message.event.substr(0, message.event.find(';'));
  expect(event == "refer", "a NOTIFY of another event than refer");
  expect(call.refer_accepted, "a NOTIFY before the 202");
  expect(!call.told_final, "a NOTIFY after the final one");
  constexpr std::string_view version = "SIP/2.0 ";
  const bool fragment = message.body.substr(0, version.size()) == version && message.body.size() > 12 &&
                        message.body.substr(message.body.size() - 2) == "\r\n";
  if (!expect(fragment, "a NOTIFY whose body is no status line")) return;
  const std::string_view status = message.body.substr(version.size(), 3);
  const bool last = message.subscription_state.substr(0, 10) == "terminated";
  if (call.notified++ == 0) expect(status == "100", "a first NOTIFY that does not say 100");
  expect(last == (status >= "200"), "a NOTIFY whose state does not fit its status");
  if (!last) return;
  expect(status == "200", "a final NOTIFY that does not say 200");
  call.told_final = true;
  tally_.refer_to_notify.add(arrived_ - call.referred);
}

void Course::bye(Call& call, Role role, const Message&) {
  if (role == Role::endpoint && options_.transfer) {
    expect(call.told_final, "a BYE for the transferor before the final NOTIFY");
  } else {
    expect(call.stage == Call::Stage::ending, "a BYE for a party of a call that goes on");
  }
  call.leg(role).over = true;
  left(call, role);
}

void Course::response(Nanos now, Call& call, Role role, const Message& message) {
  if (message.answers("INVITE")) {
    return role == Role::endpoint && call.leg(role).up && options_.method == "INVITE" && options_.requests > 0
               ? reinvite_answered(now, call, message)
               : invite_answered(now, call, role, message);
  }
  Leg& leg = call.leg(role);
  if (message.cseq_number != leg.cseq || leg.waiting.empty()) {
    ++tally_.repeats_heard;
    return;
  }
  if (message.status < 200) return;
  leg.waiting.clear();
  if (message.answers("REFER")) {
    expect(message.status == 202,
           "an answer to the REFER that is not 202: " + std::to_string(message.status));
    call.refer_accepted = message.status < 300;
    if (!call.refer_accepted) finish(call);
    return;
  }
  if (message.answers("BYE")) {
    expect(message.status == 200, "an answer to a BYE that is not 200: " + std::to_string(message.status));
    leg.over = true;
    left(call, role);
  } else if (call.stage == Call::Stage::asking && message.answers(options_.method)) {
    expect(message.status == 200,
           "an answer within the dialog that is not 200: " + std::to_string(message.status));
    call.told = true;
    return asked(now, call);
  } else {
    fault("a response to nothing that was asked");
  }
  legs_changed(now, call);
}

void Course::invite_answered(Nanos now, Call& call, Role role, const Message& message) {
  Leg& leg = call.leg(role);
  if (leg.up) {
    ++tally_.repeats_heard;
    if (message.status >= 200) acknowledge(call, role, 1);
    return;
  }
  if (message.status < 200) {
    leg.waiting.clear();  // it has arrived
    return;
  }
  leg.waiting.clear();
  leg.server = message.to;
  if (message.status >= 300) {
    // The ACK belongs to the INVITE's transaction (RFC 3261 17.1.1.3).
    leg.contact = uri_of(message.to);
    scratch_.clear();
    write_request(scratch_, places_[index(role)], leg, "ACK", leg.branch);
    wire_.send(leg.link, scratch_);
    ++tally_.refused;
    ++tally_.refusals[message.status];
    if (options_.hold && message.status == 503) ++options_.calls;  // as many are to be up
    return finish(call);
  }
  leg.contact = uri_of(message.contact);
  expect(!leg.contact.empty(), "a 2xx without Contact");
  expect(!tag_of(message.to).empty(), "a 2xx without a tag");
  expect(message.body.find("m=audio ") != message.body.npos, "a 2xx without audio");
  tally_.answer.add(now - call.started);
  if (media_.flows()) leg.description = message.body;
  // From the last of them to the first (RFC 3261 12.1.2).
  for (std::size_t i = message.record_routes.count; i > 0; --i)
    leg.routes.append("Route: ").append(message.record_routes.values[i - 1]).append("\r\n");
  leg.up = true;
  acknowledge(call, role, 1);
  joined(call, role);
  legs_changed(now, call);
}

void Course::reinvite_answered(Nanos now, Call& call, const Message& message) {
  if (message.status < 200) return call.leg(Role::endpoint).waiting.clear();
  acknowledge(call, Role::endpoint, message.cseq_number);
  Leg& leg = call.leg(Role::endpoint);
  if (message.cseq_number != leg.cseq || call.told || call.stage != Call::Stage::asking) {
    ++tally_.repeats_heard;
    return;
  }
  leg.waiting.clear();
  expect(message.status == 200,
         "an answer to a re-INVITE that is not 200: " + std::to_string(message.status));
  call.told = true;
  asked(now, call);
}

void Course::joined(Call& call, Role role) {
  if (media_.flows()) media_.begin(call.number, role, call.leg(role).description);
}

void Course::left(Call& call, Role role) {
  if (media_.flows()) media_.end(call.number, role);
}

// Goes on when everybody is where they have to be for it.
void Course::legs_changed(Nanos now, Call& call) {
  const Leg& carrier = call.leg(Role::carrier);
  const Leg& endpoint = call.leg(Role::endpoint);
  const Leg& target = call.leg(Role::target);
  if (call.stage == Call::Stage::setting_up && carrier.up && endpoint.up) {
    settle(now, call, Call::Stage::talking, options_.talk);
  } else if (call.stage == Call::Stage::referring && target.up && endpoint.over) {
    settle(now, call, Call::Stage::handed_over, options_.after);
  }
  if (call.stage == Call::Stage::ending && carrier.over && endpoint.over &&
      (target.over || !options_.transfer)) {
    ++tally_.completed;
    finish(call);
  }
}

}  // namespace baton::bench
