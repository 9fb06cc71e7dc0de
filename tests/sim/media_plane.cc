#include "media_plane.h"

#include <algorithm>

namespace baton::sim {

namespace {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

std::vector<sdp::Crypto> keys_of(const SocketAddress& rtp) {
  std::vector<sdp::Crypto> keys;
  for (const sdp::Suite suite : sdp::all_suites) {
    const auto tag = static_cast<std::uint32_t>(keys.size() + 5);
    keys.push_back({tag, suite, sdp::derive_key(std::string(32, 'p'), rtp.to_string(), suite)});
  }
  return keys;
}

bool holds(const std::vector<sdp::Crypto>& keys, const media::Srtp& srtp) {
  return std::any_of(keys.begin(), keys.end(),
                     [&](const sdp::Crypto& own) { return own.suite == srtp.suite && own.key == srtp.ours; });
}

}  // namespace

std::optional<media::Result> MediaPlane::perform(Time, const media::Operation& operation, std::string& misuse,
                                                 const std::optional<media::Result>& real) {
  const auto known = [&](media::EndpointId id, const char* what) -> Endpoint* {
    const auto found = open_.find(id);
    if (found != open_.end()) return &found->second;
    misuse = std::string(what) + " of media endpoint " + std::to_string(id) + " that is not open";
    return nullptr;
  };
  return std::visit(Overloaded{
                        [&](const media::Open& open) -> std::optional<media::Result> {
                          if (!uses_.emplace(open.id, Use::open).second)
                            misuse = "media endpoint id used twice";
                          // The machine need not know yet that the other one was refused.
                          const auto beside = uses_.find(open.beside);
                          const bool refused = beside != uses_.end() && beside->second == Use::refused;
                          if (open.beside != 0 && !refused)
                            static_cast<void>(known(open.beside, "Open beside"));
                          if (refuse_ > 0) {
                            --refuse_;
                            uses_[open.id] = Use::refused;
                            return media::OpenFailed{open.id, "no port left"};
                          }
                          if (real && std::holds_alternative<media::OpenFailed>(*real)) {
                            uses_[open.id] = Use::refused;
                            return real;
                          }
                          Endpoint& endpoint = open_[open.id];
                          endpoint.id = open.id;
                          endpoint.local_rtp = {IpAddress::v4(198, 51, 100, 1), next_port_};
                          next_port_ = static_cast<std::uint16_t>(next_port_ + 2);
                          if (real) endpoint.local_rtp = std::get<media::Opened>(*real).local_rtp;
                          if (makes_keys_ && open.srtp) endpoint.keys = keys_of(endpoint.local_rtp);
                          return media::Opened{open.id, endpoint.local_rtp, endpoint.keys};
                        },
                        [&](const media::Configure& configure) -> std::optional<media::Result> {
                          if (Endpoint* endpoint = known(configure.id, "Configure")) {
                            endpoint->configured = configure;
                            if (makes_keys_ && configure.srtp && !holds(endpoint->keys, *configure.srtp))
                              misuse = "Configure with a key that is not the plane's";
                            if (!makes_keys_ && configure.srtp && misuse.empty())
                              misuse = take_keys(*endpoint, *configure.srtp);
                          }
                          return std::nullopt;
                        },
                        [&](const media::Hear& hear) -> std::optional<media::Result> {
                          if (Endpoint* endpoint = known(hear.listener, "Hear")) endpoint->hears = hear;
                          return std::nullopt;
                        },
                        [&](const media::SendDigit& digit) -> std::optional<media::Result> {
                          if (Endpoint* endpoint = known(digit.id, "SendDigit"))
                            endpoint->digits.push_back(digit);
                          return std::nullopt;
                        },
                        [&](const media::Record& record) -> std::optional<media::Result> {
                          if (!recordings_.emplace(record.id, Recording{record, true}).second)
                            misuse = "recording id used twice";
                          static_cast<void>(known(record.left, "Record"));
                          static_cast<void>(known(record.right, "Record"));
                          return std::nullopt;
                        },
                        [&](const media::StopRecording& stop) -> std::optional<media::Result> {
                          const auto found = recordings_.find(stop.id);
                          if (found == recordings_.end() || !found->second.running) {
                            misuse = "StopRecording of what is not recorded";
                            return std::nullopt;
                          }
                          found->second.running = false;
                          return media::Recorded{.id = stop.id,
                                                 .file = "/recordings/" + found->second.what.name + ".wav",
                                                 .lasted = 1s,
                                                 .bytes = 32'044};
                        },
                        [&](const media::Close& close) -> std::optional<media::Result> {
                          // It may be closed before it is known that it never opened.
                          const auto use = uses_.find(close.id);
                          if (use == uses_.end() || use->second == Use::closed) {
                            misuse =
                                "Close of media endpoint " + std::to_string(close.id) + " that is not open";
                            return std::nullopt;
                          }
                          use->second = Use::closed;
                          media::Closed closed{close.id};
                          if (const Endpoint* endpoint = find(close.id); endpoint && endpoint->configured) {
                            closed.codec = endpoint->configured->format.codec;
                            closed.packets_received = 500;
                            closed.received = media::Reception{500, 5, 1'000, 4'000};
                          }
                          open_.erase(close.id);
                          return real.value_or(closed);
                        },
                    },
                    operation);
}

// As a plane that can not remember for ever which numbers have been used under which key.
std::string MediaPlane::take_keys(Endpoint& endpoint, const media::Srtp& srtp) {
  const std::string bytes(srtp.ours.bytes.begin(), srtp.ours.bytes.begin() + srtp.ours.size);
  if (srtp.ours == srtp.theirs) return "SRTP with one key for both directions";
  if (keys_.emplace(bytes, endpoint.id).first->second != endpoint.id) return "one key for two endpoints";
  auto& ours = endpoint.ours;
  const auto known = std::find(ours.begin(), ours.end(), srtp.ours);
  if (known == ours.end()) {
    ours.push_back(srtp.ours);
    return ours.size() > media::srtp_keys_max ? "more keys than a plane can tell apart" : "";
  }
  const bool forgotten = static_cast<std::size_t>(ours.end() - known) > media::srtp_keys_kept;
  std::rotate(known, known + 1, ours.end());
  return forgotten ? "a key that the plane has forgotten" : "";
}

const MediaPlane::Endpoint* MediaPlane::find(media::EndpointId id) const {
  const auto found = open_.find(id);
  return found == open_.end() ? nullptr : &found->second;
}

const MediaPlane::Endpoint* MediaPlane::by_local(const SocketAddress& rtp) const {
  for (const auto& [id, endpoint] : open_) {
    if (endpoint.local_rtp == rtp) return &endpoint;
  }
  return nullptr;
}

bool MediaPlane::reaches(media::EndpointId speaker, media::EndpointId listener) const {
  const Endpoint* from = find(speaker);
  const Endpoint* to = find(listener);
  if (from == nullptr || to == nullptr || !from->configured || !to->configured) return false;
  // Hold music is what one hears of a party that holds, and does not listen.
  const bool holds = !from->configured->send;
  if (holds && std::holds_alternative<media::Hear::Play>(to->hears.source)) return to->configured->send;
  const auto* party = std::get_if<media::Hear::Party>(&to->hears.source);
  return party != nullptr && party->id == speaker && from->configured->receive && to->configured->send;
}

bool MediaPlane::both_ways(media::EndpointId one, media::EndpointId other) const {
  return reaches(one, other) && reaches(other, one);
}

}  // namespace baton::sim
