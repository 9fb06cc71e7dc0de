// A session description: what is read as an offer gets an answer, and a later offer, that read back
// themselves.
#include <string>

#include "base/assert.h"
#include "sdp/session.h"

namespace {

using namespace baton;

sdp::LocalAudio local_for(const sdp::RemoteAudio& remote) {
  sdp::LocalAudio local;
  local.session_id = 1;
  local.version = 2;
  local.rtp = {IpAddress::v4(192, 0, 2, 1), 40'000};
  local.formats = sdp::choose_formats(remote.formats, {sdp::Codec::pcma, sdp::Codec::pcmu});
  local.dtmf_payload_type = remote.dtmf_payload_type;
  local.direction = sdp::mirror(remote.direction);
  return local;
}

void check_ours(const std::string& text, const sdp::LocalAudio& local, const sdp::RemoteAudio& peer,
                bool answer) {
  const auto read = sdp::read_description(text);
  BATON_ASSERT(read);
  BATON_ASSERT(read->lines.size() == peer.lines.size());
  BATON_ASSERT(read->rejected() == (answer && peer.rejected()));
  if (read->rejected()) return;
  BATON_ASSERT(read->audio_line == peer.audio_line);
  BATON_ASSERT(read->rtp == local.rtp && read->formats == local.formats);
  BATON_ASSERT(read->direction == local.direction && read->origin_version == local.version);
  BATON_ASSERT(read->dtmf_payload_type == local.dtmf_payload_type);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto remote = sdp::read_description({reinterpret_cast<const char*>(data), size});
  if (!remote) {
    BATON_ASSERT(remote.error().status == 400 || remote.error().status == 488);
    return 0;
  }
  const sdp::LocalAudio local = local_for(*remote);
  if (local.formats.empty()) {
    BATON_ASSERT(remote->rejected());
    return 0;
  }
  check_ours(sdp::write_answer(local, *remote), local, *remote, true);
  check_ours(sdp::write_reoffer(local, *remote), local, *remote, false);
  return 0;
}
