// A session description: what is read as an offer gets an answer, and a later offer, that read back
// themselves, under every rule about SRTP; no key survives masking.
#include <string>

#include "base/assert.h"
#include "sdp/session.h"

namespace {

using namespace baton;

constexpr std::string_view secret = "no secret at all, but long enough";

sdp::LocalAudio local_for(const sdp::RemoteAudio& remote) {
  sdp::LocalAudio local;
  local.session_id = 1;
  local.version = 2;
  local.rtp = {IpAddress::v4(192, 0, 2, 1), 40'000};
  local.formats = sdp::choose_formats(remote.formats, {sdp::all_codecs.begin(), sdp::all_codecs.end()});
  local.events = remote.events;
  local.direction = sdp::mirror(remote.direction);
  local.secure = remote.secure;
  for (const sdp::Crypto& crypto : remote.crypto) {
    local.crypto.push_back({crypto.tag, crypto.suite, sdp::derive_key(secret, "fuzz", crypto.suite)});
  }
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
  BATON_ASSERT(read->events == local.events);
  BATON_ASSERT(read->secure == local.secure && read->crypto == local.crypto);
}

void check(std::string_view text, const sdp::SrtpRules& rules) {
  const auto remote = sdp::read_description(text, rules);
  if (!remote) {
    BATON_ASSERT(remote.error().status == 400 || remote.error().status == 488);
    return;
  }
  if (!remote->rejected()) {
    BATON_ASSERT(remote->crypto.empty() || rules.use != sdp::SrtpUse::off);
    BATON_ASSERT(!remote->crypto.empty() || (rules.use != sdp::SrtpUse::required && !remote->secure));
    for (const sdp::Crypto& crypto : remote->crypto) BATON_ASSERT(rules.allows(crypto.suite));
  }
  const sdp::LocalAudio local = local_for(*remote);
  if (local.formats.empty()) {
    BATON_ASSERT(remote->rejected());
    return;
  }
  check_ours(sdp::write_answer(local, *remote), local, *remote, true);
  // A line that is switched off may come without keys, and nothing can be offered on it then.
  if (remote->rejected() && local.secure && local.crypto.empty()) return;
  check_ours(sdp::write_reoffer(local, *remote), local, *remote, false);
}

void check_masked(std::string_view text) {
  std::string masked(text);
  sdp::mask_keys(masked);
  BATON_ASSERT(masked.size() == text.size());
  const auto read = sdp::read_description(masked);
  BATON_ASSERT(!read || read->crypto.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  for (const sdp::SrtpUse use : {sdp::SrtpUse::off, sdp::SrtpUse::optional, sdp::SrtpUse::required}) {
    check(text, {.use = use});
  }
  check(text, {.suites = {sdp::Suite::aead_aes_128_gcm}});
  check_masked(text);
  return 0;
}
