#include "media/rtpengine/requests.h"

#include <algorithm>

#include "sdp/session.h"

namespace baton::media::rtpengine {
namespace {

// As good as for ever: a year of the longest cadence.
constexpr std::int64_t for_ever = 10'000'000;
constexpr Duration digit_min = 100ms;
constexpr Duration digit_max = 5s;

// Suites of rtpengine that are spoken nowhere here.
constexpr const char* foreign_suites[] = {"no-AES_256_CM_HMAC_SHA1_80", "no-AES_256_CM_HMAC_SHA1_32",
                                          "no-AES_192_CM_HMAC_SHA1_80", "no-AES_192_CM_HMAC_SHA1_32",
                                          "no-F8_128_HMAC_SHA1_80",     "no-F8_128_HMAC_SHA1_32",
                                          "no-NULL_HMAC_SHA1_80",       "no-NULL_HMAC_SHA1_32"};

constexpr std::uint32_t narrow_clock_rate = 8'000;

struct Events {
  std::uint8_t payload_type;
  std::uint32_t clock_rate;
};

// The party's telephone-events and, where their clock is another, those of the void, which rtpengine makes of
// them and they of those.
std::vector<Events> events_of(const Configure& party) {
  std::vector<Events> events;
  if (!party.dtmf_payload_type) return events;
  events.push_back({*party.dtmf_payload_type, party.dtmf_clock_rate});
  if (party.dtmf_clock_rate != narrow_clock_rate &&
      *party.dtmf_payload_type != sdp::default_dtmf_payload_type) {
    events.push_back({sdp::default_dtmf_payload_type, narrow_clock_rate});
  }
  return events;
}

std::string name_of(const sdp::Format& format) {
  std::string name =
      std::string(sdp::encoding_name(format.codec)) + '/' + std::to_string(sdp::clock_rate(format.codec));
  if (sdp::channels(format.codec) != 1) name += '/' + std::to_string(sdp::channels(format.codec));
  return name;
}

std::string describe(const SocketAddress& rtp, bool secure, const sdp::Format& format,
                     const std::vector<Events>& events) {
  const std::string number = std::to_string(format.payload_type);
  const std::string ip = (rtp.ip.v6 ? "IP6 " : "IP4 ") + rtp.ip.to_string();
  std::string sdp = "v=0\r\no=- 1 1 IN " + ip + "\r\ns=-\r\nc=IN " + ip + "\r\nt=0 0\r\nm=audio " +
                    std::to_string(rtp.port) + (secure ? " RTP/SAVP " : " RTP/AVP ") + number;
  for (const Events& one : events) sdp += ' ' + std::to_string(one.payload_type);
  sdp += "\r\na=rtpmap:" + number + ' ' + name_of(format) + "\r\n";
  const std::string_view parameters = sdp::format_parameters(format.codec);
  if (!parameters.empty()) sdp += "a=fmtp:" + number + ' ' + std::string(parameters) + "\r\n";
  for (const Events& one : events) {
    const std::string event = std::to_string(one.payload_type);
    sdp += "a=rtpmap:" + event + " telephone-event/" + std::to_string(one.clock_rate) + "\r\n";
    sdp += "a=fmtp:" + event + " 0-15\r\n";
  }
  return sdp;
}

Dictionary request(const CallName& name, const char* command) {
  return {{"command", command}, {"call-id", name.call_id}};
}

// port-latching: ports stay what they are whatever else changes.
Dictionary description(const CallName& name, const char* command, std::string sdp, List flags) {
  Dictionary wanted = request(name, command);
  wanted.emplace("sdp", std::move(sdp));
  if (name.injects) flags.emplace_back("inject-DTMF");
  flags.emplace_back("trust-address");
  flags.emplace_back("port-latching");
  wanted.emplace("flags", std::move(flags));
  wanted.emplace("ICE", "remove");
  wanted.emplace("DTLS", "off");
  return wanted;
}

void set_tags(Dictionary& wanted, std::string_view from, std::string_view to) {
  wanted.emplace("from-tag", from);
  wanted.emplace("to-tag", to);
}

void set_direction(Dictionary& wanted, const std::string& from, const std::string& to) {
  if (!from.empty() && !to.empty()) wanted.emplace("direction", List{from, to});
}

Dictionary play_request(const CallName& name, std::int64_t times) {
  Dictionary wanted = request(name, "play media");
  wanted.emplace("from-tag", party_tag);
  wanted.emplace("repeat-times", times);
  return wanted;
}

void append_number(std::string& out, std::uint32_t number, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>(number >> (8 * i) & 0xFF);
}

// RIFF WAVE with G.711 in it: half as long as linear samples, and what is asked has to fit into one datagram.
std::string wav_of(const std::vector<std::uint8_t>& pcmu) {
  constexpr std::uint32_t format_bytes = 18;
  constexpr std::uint16_t format_pcmu = 7;
  constexpr std::uint32_t rate = 8'000;
  const auto length = static_cast<std::uint32_t>(pcmu.size());
  std::string out = "RIFF";
  append_number(out, 4 + 8 + format_bytes + 8 + length, 4);
  out += "WAVEfmt ";
  append_number(out, format_bytes, 4);
  append_number(out, format_pcmu, 2);
  append_number(out, 1, 2);     // channel
  append_number(out, rate, 4);  // samples, and octets, a second
  append_number(out, rate, 4);
  append_number(out, 1, 2);  // octet a sample
  append_number(out, 8, 2);  // bits
  append_number(out, 0, 2);
  out += "data";
  append_number(out, length, 4);
  return out.append(pcmu.begin(), pcmu.end());
}

}  // namespace

std::string describe_party(const Configure& party, const SocketAddress& remote,
                           std::optional<std::uint32_t> tag) {
  const bool secure = party.srtp && tag;
  std::string sdp = describe(remote, secure, party.format, events_of(party));
  if (party.remote_rtcp && !party.remote_rtcp->ip.is_unspecified()) {
    const SocketAddress& rtcp = *party.remote_rtcp;
    sdp += "a=rtcp:" + std::to_string(rtcp.port) + (rtcp.ip.v6 ? " IN IP6 " : " IN IP4 ") +
           rtcp.ip.to_string() + "\r\n";
  }
  if (secure) {
    sdp += "a=crypto:" + sdp::write_crypto({*tag, party.srtp->suite, party.srtp->theirs}) + "\r\n";
  }
  return sdp + "a=ptime:" + std::to_string(party.ptime_ms) + "\r\na=sendrecv\r\n";
}

std::string describe_void(const SocketAddress& target, const sdp::Format& bridge, const Configure& party) {
  std::vector<Events> events = events_of(party);
  const bool bridged = bridge != party.format;
  if (events.size() > 1) events.erase(bridged ? events.begin() : events.begin() + 1);
  return describe(target, false, bridge, events) + "a=sendrecv\r\n";
}

Dictionary open_request(const CallName& name, bool srtp) {
  const SocketAddress nowhere{IpAddress::v4(127, 0, 0, 1), discard_port};
  Dictionary wanted = description(
      name, "offer",
      describe(nowhere, false, narrow_bridge, {{sdp::default_dtmf_payload_type, narrow_clock_rate}}),
      {"asymmetric"});
  set_tags(wanted, void_tag, party_tag);
  set_direction(wanted, name.inside, name.outside);
  wanted.emplace("address-family", name.v6 ? "IP6" : "IP4");
  wanted.emplace("transport-protocol", srtp ? "RTP/SAVP" : "RTP/AVP");
  if (srtp) wanted.emplace("SDES", List{std::begin(foreign_suites), std::end(foreign_suites)});
  return wanted;
}

Dictionary offer_request(const CallName& name, std::string sdp, const sdp::Format& format) {
  Dictionary wanted = description(name, "offer", std::move(sdp), {});
  set_tags(wanted, party_tag, void_tag);
  set_direction(wanted, name.outside, name.inside);
  wanted.emplace("address-family", "IP4");
  wanted.emplace("transport-protocol", "RTP/AVP");
  if (format.codec != narrow_bridge.codec) {
    wanted.emplace("codec", Dictionary{{"transcode", List{sdp::encoding_name(narrow_bridge.codec)}}});
  }
  return wanted;
}

Dictionary answer_request(const CallName& name, std::string sdp) {
  // asymmetric: nothing that comes to the void says where the party's audio goes.
  Dictionary wanted = description(name, "answer", std::move(sdp), {"asymmetric"});
  set_tags(wanted, party_tag, void_tag);
  wanted.emplace("address-family", name.v6 ? "IP6" : "IP4");
  return wanted;
}

Dictionary play_file_request(const CallName& name, std::string path, bool once) {
  Dictionary wanted = play_request(name, once ? 1 : for_ever);
  wanted.emplace("file", std::move(path));
  return wanted;
}

Dictionary play_samples_request(const CallName& name, const std::vector<std::uint8_t>& pcmu) {
  Dictionary wanted = play_request(name, for_ever);
  wanted.emplace("blob", wav_of(pcmu));
  return wanted;
}

Dictionary stop_request(const CallName& name) {
  Dictionary wanted = request(name, "stop media");
  wanted.emplace("from-tag", party_tag);
  return wanted;
}

Dictionary digit_request(const CallName& name, std::uint8_t event, Duration lasts) {
  Dictionary wanted = request(name, "play DTMF");
  wanted.emplace("from-tag", void_tag);
  wanted.emplace("code", std::int64_t{event});
  wanted.emplace("duration", std::int64_t{std::clamp<Duration>(lasts, digit_min, digit_max) / 1ms});
  return wanted;
}

Dictionary block_request(const CallName& name, bool blocks) {
  Dictionary wanted = request(name, blocks ? "block DTMF" : "unblock DTMF");
  wanted.emplace("from-tag", party_tag);
  return wanted;
}

Dictionary query_request(const CallName& name) {
  return request(name, "query");
}

Dictionary delete_request(const CallName& name) {
  // With its tags, or the answer has no totals; at once, or the ports stay taken for half a minute.
  Dictionary wanted = request(name, "delete");
  set_tags(wanted, party_tag, void_tag);
  wanted.emplace("delete-delay", std::int64_t{0});
  return wanted;
}

baton::Result<Described, std::string> read_ports(const Dictionary& answer) {
  const std::string_view text = text_of(answer, "sdp");
  if (text.empty()) return fail(std::string("rtpengine's answer has no SDP"));
  auto said = sdp::read_description(text);
  if (!said) return fail("rtpengine's SDP: " + said.error().reason);
  if (said->rejected() || said->rtp.ip.is_unspecified()) return fail(std::string("rtpengine gives no port"));
  return Described{said->rtp, std::move(said->crypto)};
}

}  // namespace baton::media::rtpengine
