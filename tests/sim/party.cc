#include "party.h"

#include <algorithm>

namespace baton::sim {

namespace {

// What two limits leave.
sdp::Direction both(sdp::Direction one, sdp::Direction other) {
  const bool to_send = sdp::sends(one) && sdp::sends(other);
  const bool to_hear = sdp::receives(one) && sdp::receives(other);
  return to_send ? (to_hear ? sdp::Direction::sendrecv : sdp::Direction::sendonly)
                 : (to_hear ? sdp::Direction::recvonly : sdp::Direction::inactive);
}

}  // namespace

void Party::init_media(std::uint64_t session_id, const SocketAddress& rtp) {
  local.session_id = session_id;
  local.version = 1;
  local.rtp = rtp;
  for (const sdp::Codec codec : script.codecs) {
    local.formats.push_back({codec, sdp::default_payload_type(codec)});
  }
  if (!script.telephone_events) return;
  local.events[sdp::EventClock::at_8000] = sdp::default_dtmf_payload_type;
  if (script.fast_events && speaks(sdp::Codec::opus)) {
    local.events[sdp::EventClock::at_48000] = sdp::default_payload_type(sdp::EventClock::at_48000);
  }
}

bool Party::speaks(sdp::Codec codec) const {
  return std::find(script.codecs.begin(), script.codecs.end(), codec) != script.codecs.end();
}

sdp::MasterKey Party::own_key(sdp::Suite suite) const {
  constexpr std::string_view secret = "what the parties of the simulation keep from the server";
  return sdp::derive_key(secret, call_id + local_tag + std::to_string(key_round), suite);
}

std::optional<media::Srtp> Party::srtp() const {
  if (!remote || remote->crypto.empty()) return std::nullopt;
  const sdp::Crypto& theirs = remote->crypto.front();
  return media::Srtp{theirs.suite, own_key(theirs.suite), theirs.key};
}

std::string Party::offer() const {
  sdp::LocalAudio ours = local;
  if (remote) {
    // On hold it goes on to say so (RFC 3264 8.4).
    if (!script.forgets_hold && !sdp::receives(remote->direction)) {
      ours.direction = both(ours.direction, sdp::Direction::recvonly);
    }
    ours.secure = remote->secure;
    if (const auto agreed = srtp()) {
      ours.crypto = {{remote->crypto.front().tag, agreed->suite, agreed->ours}};
    }
    return sdp::write_reoffer(ours, *remote);
  }
  ours.secure = script.srtp.use == sdp::SrtpUse::required;
  if (script.srtp.use != sdp::SrtpUse::off) {
    for (const sdp::Suite suite : script.srtp.suites) {
      ours.crypto.push_back({static_cast<std::uint32_t>(ours.crypto.size() + 41), suite, own_key(suite)});
    }
  }
  return sdp::write_offer(ours);
}

std::string Party::take(std::string_view body) {
  if (const auto all = sdp::read_description(body); !all) {
    return all.error().reason;
  } else if (!all->rejected()) {
    seen.cryptos.push_back(all->crypto);
    seen.protocols.push_back(all->lines[all->audio_line].protocol);
  }
  auto description = sdp::read_description(body, script.srtp);
  if (!description) {
    remote.reset();  // well written, but not what it wants
    return {};
  }
  seen.directions.push_back(description->direction);
  remote = std::move(*description);
  return {};
}

std::string Party::answer() const {
  if (!remote || remote->rejected()) return {};
  // In the order of the offer, as RFC 3264 6.1 recommends.
  auto formats = remote->formats;
  formats.erase_if([&](const sdp::Format& format) {
    return std::find(script.codecs.begin(), script.codecs.end(), format.codec) == script.codecs.end();
  });
  if (formats.empty()) return {};
  sdp::LocalAudio ours = local;
  ours.formats = formats;
  ours.events = script.telephone_events ? sdp::choose_events(remote->events, formats.front().codec)
                                        : sdp::EventNumbers{};
  if (!script.fast_events) ours.events[sdp::EventClock::at_48000].reset();
  ours.direction = both(ours.direction, sdp::mirror(remote->direction));
  if (const auto agreed = srtp(); agreed && script.answers_with != Script::Keys::none) {
    sdp::Crypto crypto{remote->crypto.front().tag, agreed->suite, agreed->ours};
    if (script.answers_with == Script::Keys::other_tag) crypto.tag += 7;
    if (script.answers_with == Script::Keys::reflected) crypto.key = agreed->theirs;
    ours.crypto = {crypto};
  }
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
