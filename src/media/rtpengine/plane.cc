#include "media/rtpengine/plane.h"

#include <algorithm>

namespace baton::media {

namespace {

constexpr std::string_view ring_prefix = "ring ";
constexpr std::string_view file_prefix = "file ";
constexpr std::string_view once_prefix = "once ";
constexpr char separator = '\n';  // between a path and which time it is heard

}  // namespace

Rtpengine::Rtpengine(Options options) : options_(std::move(options)), client_(options_.token + '-') {}

std::string Rtpengine::call_id(EndpointId id) const {
  return options_.token + '.' + std::to_string(id);
}

Rtpengine::Endpoint* Rtpengine::find(EndpointId id) {
  const auto found = endpoints_.find(id);
  return found == endpoints_.end() ? nullptr : &found->second;
}

Rtpengine::Endpoint* Rtpengine::usable(EndpointId id) {
  Endpoint* endpoint = find(id);
  const bool is_usable =
      endpoint != nullptr && (endpoint->state == State::opening || endpoint->state == State::open);
  return is_usable ? endpoint : nullptr;
}

// ---- What is wanted ----

void Rtpengine::perform(Time now, const Operation& operation, Out out) {
  std::visit([&](const auto& what) { perform(now, what, out); }, operation);
}

void Rtpengine::perform(Time now, const Open& open, Out out) {
  if (down_) {
    out.results.emplace_back(
        OpenFailed{open.id, "rtpengine does not answer (" + options_.address.to_string() + ')'});
    return;
  }
  Endpoint& endpoint = endpoints_[open.id];
  endpoint.id = open.id;
  endpoint.srtp = open.srtp;
  endpoint.name = {call_id(open.id), options_.outside, options_.inside, open.v6};
  endpoint.asking = true;
  ask(now, endpoint, Step::open, rtpengine::open_request(endpoint.name, open.srtp), {}, out);
}

void Rtpengine::perform(Time now, const Configure& configure, Out out) {
  Endpoint* endpoint = usable(configure.id);
  if (endpoint == nullptr) return;
  if (!configure.remote_rtp.ip.is_unspecified()) endpoint->remote = configure.remote_rtp;
  endpoint->party = configure;
  endpoint->heard_at = now;
  endpoint->silence_told = false;
  poll_at(*endpoint, now + poll_interval());
  pump(now, joined_with(configure.id), out);
}

void Rtpengine::perform(Time now, const Hear& hear, Out out) {
  Endpoint* listener = usable(hear.listener);
  if (listener == nullptr) return;
  std::vector<EndpointId> concerned = joined_with(hear.listener);
  unhear(*listener);
  if (const auto* party = std::get_if<Hear::Party>(&hear.source)) {
    if (Endpoint* source = usable(party->id)) {
      listener->heard = party->id;
      source->listeners.push_back(hear.listener);
    }
  } else if (const auto* ring_back = std::get_if<Hear::RingBack>(&hear.source)) {
    listener->played = std::string(ring_prefix) + ring_back->country;
  } else if (const auto* prompt = std::get_if<Hear::Play>(&hear.source)) {
    listener->played = std::string(prompt->once ? once_prefix : file_prefix) + prompt->prompt;
    if (prompt->once) listener->played.append(1, separator).append(std::to_string(++plays_));
  }
  // What was joined with it before comes first: an end before a beginning.
  for (const EndpointId id : joined_with(hear.listener)) {
    if (std::find(concerned.begin(), concerned.end(), id) == concerned.end()) concerned.push_back(id);
  }
  pump(now, concerned, out);
}

void Rtpengine::perform(Time, const Record& record, Out out) {
  out.results.emplace_back(Recorded{.id = record.id, .error = "rtpengine records nothing for Baton"});
}

void Rtpengine::perform(Time, const StopRecording&, Out) {}

void Rtpengine::perform(Time now, const Close& close, Out out) {
  Endpoint* endpoint = find(close.id);
  if (endpoint == nullptr || endpoint->state == State::closing) {
    if (endpoint == nullptr) out.results.emplace_back(Closed{close.id});
    return;
  }
  std::vector<EndpointId> others = joined_with(close.id);
  std::erase(others, close.id);
  unhear(*endpoint);
  for (const EndpointId id : endpoint->listeners) {
    if (Endpoint* listener = find(id)) listener->heard = 0;
  }
  endpoint->listeners.clear();
  drop_held(*endpoint);
  polls_.erase({endpoint->poll_at, endpoint->id});
  const bool gone = endpoint->state == State::lost;
  endpoint->state = State::closing;
  pump(now, others, out);
  if (gone) {
    // Lost to Baton, the call may be there all the same, or be made anew by what is under way.
    forget(now, close.id, out);
    return on_removed(now, *endpoint, {}, out);
  }
  if (!endpoint->asking) remove(now, *endpoint, out);
}

void Rtpengine::unhear(Endpoint& listener) {
  if (Endpoint* source = find(listener.heard)) std::erase(source->listeners, listener.id);
  listener.heard = 0;
  listener.played.clear();
}

// It and all that hear it or are heard by it, in any number of steps.
std::vector<EndpointId> Rtpengine::joined_with(EndpointId id) {
  std::vector<EndpointId> all{id};
  const auto add = [&all](EndpointId one) {
    if (one != 0 && std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Endpoint* endpoint = find(all[i]);
    if (endpoint == nullptr) continue;
    add(endpoint->heard);
    for (const EndpointId listener : endpoint->listeners) add(listener);
  }
  return all;
}

// What voids speak: rtpengine changes no payload number between two voids, so all that are joined speak the
// same. What every party speaks, under one number, passes untouched; else it is PCMU.
sdp::Format Rtpengine::bridge_of(EndpointId id) {
  std::optional<sdp::Format> shared;
  for (const EndpointId one : joined_with(id)) {
    const Endpoint* endpoint = find(one);
    if (endpoint == nullptr || !endpoint->party) continue;
    if (shared && *shared != endpoint->party->format) return rtpengine::narrow_bridge;
    shared = endpoint->party->format;
  }
  return shared.value_or(rtpengine::narrow_bridge);
}

// Where the party's audio goes.
SocketAddress Rtpengine::target_of(const Endpoint& endpoint) {
  const SocketAddress nowhere{endpoint.inner.ip, rtpengine::discard_port};
  if (endpoint.listeners.empty() || !endpoint.party->receive) return nowhere;
  const Endpoint* listener = usable(endpoint.listeners.back());
  if (listener == nullptr || !listener->party || !listener->party->send || listener->inner.port == 0) {
    return nowhere;
  }
  return listener->inner;
}

std::string Rtpengine::party_sdp(const Endpoint& endpoint) const {
  const Configure& party = *endpoint.party;
  std::optional<std::uint32_t> tag;
  for (const sdp::Crypto& key : endpoint.keys) {
    if (party.srtp && key.suite == party.srtp->suite) tag = key.tag;
  }
  SocketAddress remote = endpoint.remote;
  if (remote.port == 0) {
    remote = {endpoint.name.v6 ? *IpAddress::parse("::1") : IpAddress::v4(127, 0, 0, 1),
              rtpengine::discard_port};
  }
  return rtpengine::describe_party(party, remote, tag);
}

std::string Rtpengine::void_sdp(const Endpoint& endpoint) {
  return rtpengine::describe_void(target_of(endpoint), bridge_of(endpoint.id), *endpoint.party);
}

std::string Rtpengine::wanted_play(const Endpoint& endpoint) const {
  return endpoint.party && endpoint.party->send ? endpoint.played : std::string{};
}

// ---- Asking for it ----

void Rtpengine::ask(Time now, Endpoint& endpoint, Step step, const rtpengine::Dictionary& request,
                    std::string what, Out out) {
  asked_.emplace(client_.ask(now, request, out.datagrams), Asked{endpoint.id, step, std::move(what), now});
}

void Rtpengine::ping(Time now, Out out) {
  if (std::exchange(pinging_, true)) return;
  asked_.emplace(client_.ask(now, {{"command", "ping"}}, out.datagrams), Asked{.at = now});
}

void Rtpengine::pump(Time now, const std::vector<EndpointId>& ids, Out out) {
  for (const EndpointId id : ids) {
    if (Endpoint* endpoint = find(id)) pump(now, *endpoint, out);
  }
}

void Rtpengine::pump(Time now, Endpoint& endpoint, Out out) {
  if (endpoint.state != State::open || endpoint.asking || down_ || !endpoint.party) return;
  const std::string party = party_sdp(endpoint);
  const std::string playing = wanted_play(endpoint);
  const bool described = endpoint.told_party == party;
  // What is played is encoded for the party as it was; it is begun anew for another one.
  if (!endpoint.playing.empty() && (endpoint.playing != playing || !described)) {
    // But not what is heard once: its rest is left out, rather than its beginning heard twice.
    if (endpoint.playing == playing && playing.starts_with(once_prefix)) endpoint.played.clear();
    endpoint.asking = true;
    return ask(now, endpoint, Step::stop, rtpengine::stop_request(endpoint.name), {}, out);
  }
  if (!described || endpoint.told_void != void_sdp(endpoint)) {
    endpoint.asking = true;
    return ask(now, endpoint, Step::offer,
               rtpengine::offer_request(endpoint.name, party, endpoint.party->format), party, out);
  }
  if (const bool blocks = wants_keys_blocked(endpoint); blocks != endpoint.blocks_keys) {
    endpoint.asking = true;
    return ask(now, endpoint, Step::block, rtpengine::block_request(endpoint.name, blocks),
               blocks ? "block" : "", out);
  }
  if (endpoint.playing != playing) return play(now, endpoint, playing, out);
  for (const SendDigit& digit : std::exchange(endpoint.digits, {})) {
    ask(now, endpoint, Step::digit, rtpengine::digit_request(endpoint.name, digit.event, digit.lasts), {},
        out);
  }
}

void Rtpengine::play(Time now, Endpoint& endpoint, std::string wanted, Out out) {
  endpoint.asking = true;
  const bool once = wanted.starts_with(once_prefix);
  if (once || wanted.starts_with(file_prefix)) {
    std::string path = wanted.substr(once ? once_prefix.size() : file_prefix.size());
    path.resize(std::min(path.size(), path.find(separator)));
    if (!path.starts_with('/')) path.insert(0, options_.prompts + '/');
    return ask(now, endpoint, Step::play, rtpengine::play_file_request(endpoint.name, std::move(path), once),
               std::move(wanted), out);
  }
  const RingBackPlan& plan = ring_back_plan(std::string_view(wanted).substr(ring_prefix.size()));
  const auto& cadence = ring_backs_.cadence(plan, sdp::Codec::pcmu);
  ask(now, endpoint, Step::play, rtpengine::play_samples_request(endpoint.name, cadence), std::move(wanted),
      out);
}

void Rtpengine::remove(Time now, Endpoint& endpoint, Out out) {
  ask(now, endpoint, Step::remove, rtpengine::delete_request(endpoint.name), {}, out);
}

void Rtpengine::forget(Time now, EndpointId id, Out out) {
  const auto request = rtpengine::delete_request({.call_id = call_id(id)});
  asked_.emplace(client_.ask(now, request, out.datagrams), Asked{id, Step::forget, {}, now});
}

void Rtpengine::owe(Time now, EndpointId id, Out out) {
  owed_.insert(id);
  if (owed_.size() > owed_max) {
    if (left_behind_++ % owed_max == 0) {
      log(engine::Severity::warning, "media.call_left_behind", {{"call", call_id(*owed_.begin())}});
    }
    owed_.erase(owed_.begin());
  }
  settle(now, out);
}

// One after the other, as they are answered: no socket takes all of them at once.
void Rtpengine::settle(Time now, Out out) {
  if (down_ || settling_ != 0 || owed_.empty()) return;
  settling_ = owed_.extract(owed_.begin()).value();
  forget(now, settling_, out);
}

// ---- Silence ----

Duration Rtpengine::poll_interval() const {
  if (options_.silence_timeout <= 0s) return poll_interval_max;
  return std::clamp<Duration>(options_.silence_timeout / 4, 250ms, poll_interval_max);
}

void Rtpengine::poll_at(Endpoint& endpoint, Time at) {
  polls_.erase({endpoint.poll_at, endpoint.id});
  endpoint.poll_at = at;
  polls_.emplace(at, endpoint.id);
}

void Rtpengine::poll(Time now, Endpoint& endpoint, Out out) {
  poll_at(endpoint, now + poll_interval());
  if (endpoint.state == State::lost) {
    out.results.emplace_back(Lost{endpoint.id, endpoint.lost_why});
    return;
  }
  // Nobody can say whether a party is heard by a daemon that is down; nobody hears it.
  if (down_) return check_silence(now, endpoint, out);
  if (endpoint.state != State::open || endpoint.querying) return;
  endpoint.querying = true;
  ask(now, endpoint, Step::query, rtpengine::query_request(endpoint.name), {}, out);
}

void Rtpengine::count(Time now, Endpoint& endpoint, const rtpengine::Totals& totals) {
  if (totals.received > endpoint.totals.received) {
    endpoint.heard_at = now;
    endpoint.silence_told = false;
  }
  endpoint.totals = totals;
  if (totals.reports) endpoint.reports.add(*totals.reports);
}

void Rtpengine::check_silence(Time now, Endpoint& endpoint, Out out) const {
  if (options_.silence_timeout <= 0s || !endpoint.party || !endpoint.party->receive) return;
  if (endpoint.silence_told || now - endpoint.heard_at < options_.silence_timeout) return;
  endpoint.silence_told = true;
  out.results.emplace_back(Silent{endpoint.id});
}

std::optional<Time> Rtpengine::next_deadline() const {
  if (!begun_) return Time{};
  std::optional<Time> next = client_.next_deadline();
  for (const auto* due : {&polls_, &holding_}) {
    if (!due->empty() && (!next || due->begin()->first < *next)) next = due->begin()->first;
  }
  return next;
}

void Rtpengine::advance(Time now, Out out) {
  if (!begun_) ping(now, out);
  begun_ = true;
  std::vector<rtpengine::Client::Answer> answers;
  client_.advance(now, out.datagrams, answers);
  take(now, answers, out);
  while (!holding_.empty() && holding_.begin()->first <= now) {
    release(now, endpoints_.at(holding_.begin()->second), out);
  }
  while (!polls_.empty() && polls_.begin()->first <= now) {
    Endpoint* endpoint = find(polls_.begin()->second);
    if (endpoint == nullptr) {
      polls_.erase(polls_.begin());
    } else {
      poll(now, *endpoint, out);
    }
  }
}

void Rtpengine::log(engine::Severity severity, const char* event,
                    std::vector<std::pair<std::string, std::string>> fields) const {
  if (!options_.log) return;
  fields.emplace_back("rtpengine", options_.address.to_string());
  options_.log({severity, event, std::move(fields)});
}

}  // namespace baton::media
