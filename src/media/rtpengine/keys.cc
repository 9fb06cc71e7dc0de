// Keys that parties press: those that come by SIP INFO, and what rtpengine logs of telephone-events.
#include <charconv>
#include <utility>

#include "media/rtpengine/key_log.h"
#include "media/rtpengine/plane.h"

namespace baton::media {
namespace {

// A line of the log is a fifth of it.
constexpr std::size_t logged_bytes_max = 1'024;

}  // namespace

void Rtpengine::perform(Time now, const SendDigit& digit, Out out) {
  Endpoint* from = usable(digit.from);
  if (from != nullptr && from->party && from->party->dtmf_payload_type) {
    // Its telephone-events pass inside rtpengine, which only its log tells of.
    if (!options_.hears_keys || from->keys_by == KeysBy::events) return;
    if (from->keys_by == KeysBy::unknown) return hold(now, *from, digit);
  }
  send_digit(now, digit, out);
}

void Rtpengine::send_digit(Time now, const SendDigit& digit, Out out) {
  Endpoint* endpoint = usable(digit.id);
  if (endpoint == nullptr || !endpoint->party || endpoint->digits.size() >= digits_max) return;
  if (!endpoint->party->send || !endpoint->party->dtmf_payload_type) return;
  endpoint->digits.push_back(digit);
  if (!std::exchange(endpoint->name.injects, true)) endpoint->told_party.clear();
  pump(now, *endpoint, out);
}

void Rtpengine::hold(Time now, Endpoint& from, const SendDigit& digit) {
  if (from.held.size() >= digits_max) return;
  if (from.held.empty()) {
    from.held_until = now + digit.lasts + logged_within;
    holding_.emplace(from.held_until, from.id);
  }
  from.held.push_back(digit);
}

// None of them has come as a telephone-event: they are all there is. But from a daemon that logs to nobody
// comes the same silence, and what its party told by both is then heard twice.
void Rtpengine::release(Time now, Endpoint& from, Out out) {
  if (!logs_keys_ && !std::exchange(suspects_log_, true)) {
    log(engine::Severity::warning, "media.rtpengine_logs_no_keys", {{"call", call_id(from.id)}});
  }
  const std::vector<SendDigit> held = from.held;
  drop_held(from);
  from.keys_by = KeysBy::info;
  for (const SendDigit& digit : held) {
    // They were pressed for whoever heard them.
    if (const Endpoint* listener = usable(digit.id); listener != nullptr && listener->heard == from.id) {
      send_digit(now, digit, out);
    }
  }
}

void Rtpengine::drop_held(Endpoint& from) {
  holding_.erase({from.held_until, from.id});
  from.held.clear();
}

// Who is told of keys by other means gets none of them as telephone-events.
bool Rtpengine::wants_keys_blocked(const Endpoint& endpoint) {
  if (!options_.hears_keys || endpoint.listeners.empty()) return false;
  const Endpoint* listener = usable(endpoint.listeners.back());
  return listener != nullptr && listener->party && listener->party->digits == DigitsBy::report;
}

void Rtpengine::logged(Time, std::string_view datagram, Out out) {
  // Anybody may send to that port: what is not about a call of ours costs one search of a short text.
  if (datagram.size() > logged_bytes_max || datagram.find(options_.token) == std::string_view::npos) return;
  const auto key = rtpengine::read_logged_key(datagram);
  if (!key || key->tag != rtpengine::party_tag) return;
  const std::string prefix = options_.token + '.';
  if (!key->call_id.starts_with(prefix)) return;
  const std::string_view number = key->call_id.substr(prefix.size());
  logs_keys_ = true;
  EndpointId id = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), id);
  Endpoint* from = error == std::errc{} && end == number.data() + number.size() ? usable(id) : nullptr;
  if (from == nullptr) return;
  from->keys_by = KeysBy::events;
  drop_held(*from);
  if (!from->party || !from->party->receive || !wants_keys_blocked(*from)) return;
  out.results.emplace_back(Digit{id, key->event, key->lasted});
}

}  // namespace baton::media
