#include "party.h"

namespace baton::sim {

void Party::init_media(std::uint64_t session_id, const SocketAddress& rtp) {
  local.session_id = session_id;
  local.version = 1;
  local.rtp = rtp;
  for (const sdp::Codec codec : script.codecs) {
    local.formats.push_back({codec, sdp::default_payload_type(codec)});
  }
  local.dtmf_payload_type = sdp::default_dtmf_payload_type;
}

std::string Party::offer() const {
  return remote ? sdp::write_reoffer(local, *remote) : sdp::write_offer(local);
}

std::string Party::take(std::string_view body) {
  auto description = sdp::read_description(body);
  if (!description) return description.error().reason;
  seen.directions.push_back(description->direction);
  remote = std::move(*description);
  return {};
}

std::string Party::answer() const {
  if (!remote || remote->rejected()) return {};
  const auto formats = sdp::choose_formats(remote->formats, script.codecs);
  if (formats.empty()) return {};
  sdp::LocalAudio ours = local;
  ours.formats = formats;
  ours.dtmf_payload_type = remote->dtmf_payload_type;
  if (ours.direction == sdp::Direction::sendrecv) ours.direction = sdp::mirror(remote->direction);
  return sdp::write_answer(ours, *remote);
}

std::string user_of(std::string_view uri) {
  const auto parsed = sip::Uri::parse(uri);
  return parsed ? parsed->user : std::string();
}

std::string dialog_of(const Party& party) {
  return party.call_id + ";local-tag=" + party.local_tag + ";remote-tag=" + party.remote_tag;
}

}  // namespace baton::sim
