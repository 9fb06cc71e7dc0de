#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/inline_list.h"
#include "base/limits.h"
#include "sdp/session.h"

namespace baton::sdp {
namespace {

constexpr unsigned ptime_ms_default = 20;
constexpr unsigned ptime_ms_min = 10;
constexpr unsigned ptime_ms_max = 60;
constexpr std::size_t payload_types_max = 128;
constexpr std::size_t crypto_lines_max = 32;

SdpError malformed(std::string reason) {
  return {400, 399, std::move(reason)};
}
SdpError not_served(int warning, std::string reason) {
  return {488, warning, std::move(reason)};
}

// Cuts the next word off `rest`; empty at the end.
std::string_view next_word(std::string_view& rest) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  const auto begin = std::find_if_not(rest.begin(), rest.end(), is_blank);
  const auto end = std::find_if(begin, rest.end(), is_blank);
  const std::string_view word(begin, end);
  rest = std::string_view(end, rest.end());
  return word;
}

template <typename T>
std::optional<T> number(std::string_view text, T max) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > max) return {};
  return value;
}

bool visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// "127" as in rtpmap and fmtp, then what follows it.
std::optional<std::uint8_t> payload_type(std::string_view& rest) {
  return number<std::uint8_t>(next_word(rest), 127);
}

// One m= section, or what stands before the first one. Views into the body.
struct Section {
  std::string_view type, protocol, formats;  // of its m= line, as written
  std::uint16_t port = 0;
  std::string_view connection;
  std::string_view lines;  // from its m= line up to the next one
};

struct Description {
  std::uint64_t origin_version = 0;
  Section session;
  InlineList<Section, limits::sdp_media_max> media;
};

// The a= lines of one section that we look at. Views into the body.
struct Attributes {
  std::string_view rtcp;
  std::optional<Direction> direction;
  std::optional<unsigned> ptime_ms, ptime_ms_limit;
  // By payload number; the null view: there is none.
  std::array<std::string_view, payload_types_max> encodings;  // rtpmap: "PCMU/8000"
  std::array<std::string_view, payload_types_max> events;     // fmtp: "0-15,66"
  InlineList<std::string_view, crypto_lines_max> cryptos;
};

// The first of them counts.
void keep_first(std::string_view& kept, std::string_view value) {
  if (kept.data() == nullptr) kept = value;
}

void read_attribute(std::string_view value, Attributes& attributes) {
  for (const Direction d :
       {Direction::sendrecv, Direction::sendonly, Direction::recvonly, Direction::inactive}) {
    if (value == to_string(d)) attributes.direction = d;
  }
  const auto colon = value.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = value.substr(0, colon);
  std::string_view rest = value.substr(colon + 1);
  if (name == "rtpmap") {
    if (const auto type = payload_type(rest)) keep_first(attributes.encodings[*type], next_word(rest));
  } else if (name == "fmtp") {
    if (const auto type = payload_type(rest)) keep_first(attributes.events[*type], rest);
  } else if (name == "crypto" && !attributes.cryptos.full()) {
    attributes.cryptos.push_back(rest);
  } else if (name == "rtcp" && attributes.rtcp.empty()) {
    attributes.rtcp = rest;
  } else if (name == "ptime") {
    attributes.ptime_ms = number<unsigned>(next_word(rest), 1'000);
  } else if (name == "maxptime") {
    attributes.ptime_ms_limit = number<unsigned>(next_word(rest), 1'000);
  }
}

// o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address> (RFC 4566 5.2). Found from the
// network type, because some write names with spaces. Versions longer than 64 bits are kept modulo 2^64 and
// so still tell a change.
Result<std::uint64_t, SdpError> read_origin_version(std::string_view value) {
  std::string_view version, before;
  std::size_t words = 0;
  for (std::string_view word = next_word(value); !word.empty(); word = next_word(value), ++words) {
    if (word == "IN" && words >= 3) version = before;
    before = word;
  }
  if (words < 6 || version.empty()) return fail(malformed("o= line is not complete"));
  std::uint64_t result = 0;
  for (const char c : version) {
    if (c < '0' || c > '9') return fail(malformed("version in o= is not a number"));
    result = result * 10 + static_cast<unsigned>(c - '0');
  }
  return result;
}

// m=<media> <port>[/<count>] <proto> <fmt> … (RFC 4566 5.14)
Result<Section, SdpError> read_media_line(std::string_view value) {
  Section section;
  section.type = next_word(value);
  const std::string_view port = next_word(value);
  section.protocol = next_word(value);
  const auto parsed = number<std::uint16_t>(port.substr(0, port.find('/')), 65'535);
  if (!parsed || section.protocol.empty()) return fail(malformed("m= line is not complete"));
  section.port = *parsed;
  section.formats = value;
  if (next_word(value).empty()) return fail(malformed("m= line has no format"));
  const auto is_text = [](char c) { return c == ' ' || c == '\t' || visible({&c, 1}); };
  if (!std::all_of(section.formats.begin(), section.formats.end(), is_text) || !visible(section.type) ||
      !visible(section.protocol)) {
    return fail(malformed("m= line has characters that are not text"));
  }
  return section;
}

MediaLine media_line_of(const Section& section) {
  MediaLine line{std::string(section.type), section.port, std::string(section.protocol), {}};
  line.formats.reserve(section.formats.size());
  std::string_view rest = section.formats;
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
    if (!line.formats.empty()) line.formats += ' ';
    line.formats += word;
  }
  return line;
}

// Takes one line off `rest`, without its line end. LF alone is accepted (RFC 4566 5), and blanks before it
// mean nothing to us.
std::string_view next_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  return line;
}

Result<void, SdpError> read_line(char type, std::string_view value, Description& description,
                                 bool& has_origin) {
  if (type == 'o' && !has_origin) {
    const auto version = read_origin_version(value);
    if (!version) return fail(version.error());
    description.origin_version = *version;
    has_origin = true;
  } else if (type == 'c') {
    Section& section = description.media.empty() ? description.session : description.media.back();
    if (section.connection.empty()) section.connection = value;
  } else if (type == 'm') {
    if (description.media.full()) return fail(not_served(399, "too many m= lines"));
    auto section = read_media_line(value);
    if (!section) return fail(section.error());
    description.media.push_back(*section);
  }
  return {};
}

Result<Description, SdpError> read_lines(std::string_view body) {
  if (body.size() > limits::body_bytes_max) return fail(not_served(399, "session description is too long"));
  if (body.find('\0') != std::string_view::npos) return fail(malformed("session description is not text"));
  Description description;
  bool has_version = false, has_origin = false;
  description.session.lines = body;
  std::string_view* open = &description.session.lines;  // of the section that is under way
  std::string_view rest = body;
  for (std::size_t lines = 0; !rest.empty();) {
    const std::string_view from_here = rest;
    const std::string_view line = next_line(rest);
    if (line.empty()) continue;
    if (++lines > limits::sdp_lines_max)
      return fail(not_served(399, "session description has too many lines"));
    if (line.size() < 2 || line[1] != '=' || line[0] < 'a' || line[0] > 'z') {
      return fail(malformed("session description has a line that is not <type>=<value>"));
    }
    const std::string_view value = line.substr(2);
    if (!has_version) {
      if (line[0] != 'v' || value != "0")
        return fail(malformed("session description does not begin with v=0"));
      has_version = true;
      continue;
    }
    const auto read = read_line(line[0], value, description, has_origin);
    if (!read) return fail(read.error());
    if (line[0] != 'm') continue;
    open->remove_suffix(from_here.size());
    open = &description.media.back().lines;
    *open = from_here;
  }
  if (!has_version) return fail(malformed("session description is empty"));
  if (!has_origin) return fail(malformed("session description has no o= line"));
  return description;
}

Attributes attributes_of(const Section& section) {
  Attributes attributes;
  for (std::string_view rest = section.lines; !rest.empty();) {
    const std::string_view line = next_line(rest);
    if (line.size() > 2 && line[0] == 'a') read_attribute(line.substr(2), attributes);
  }
  return attributes;
}

// IN IP4 192.0.2.1, as in c= and a=rtcp. An address with a TTL or a range is multicast.
Result<IpAddress, SdpError> read_address(std::string_view value) {
  const std::string_view network = next_word(value);
  const std::string_view kind = next_word(value);
  const std::string_view text = next_word(value);
  if (text.empty()) return fail(malformed("c= line is not complete"));
  if (network != "IN") return fail(not_served(300, "network type is not IN"));
  if (kind != "IP4" && kind != "IP6") return fail(not_served(301, "address type is neither IP4 nor IP6"));
  if (text.find('/') != std::string_view::npos) return fail(not_served(330, "multicast is not served"));
  const auto ip = IpAddress::parse(text);
  if (!ip) return fail(not_served(301, "media address is not an IP address"));
  if (ip->v6 != (kind == "IP6")) return fail(malformed("media address does not fit its address type"));
  const bool multicast = ip->v6 ? ip->bytes[0] == 0xff : (ip->bytes[0] & 0xf0) == 0xe0;
  if (multicast) return fail(not_served(330, "multicast is not served"));
  return *ip;
}

// RFC 3605 2.1: a=rtcp:<port> [<nettype> <addrtype> <address>]. One that does not read is not worth a call.
std::optional<SocketAddress> read_rtcp(std::string_view value, const SocketAddress& rtp) {
  const auto port = number<std::uint16_t>(next_word(value), 65'535);
  if (!port || *port == 0) return std::nullopt;
  SocketAddress rtcp{rtp.ip, *port};
  if (value.find_first_not_of(" \t") != std::string_view::npos) {
    const auto ip = read_address(value);
    if (!ip || ip->v6 != rtp.ip.v6) return std::nullopt;
    rtcp.ip = *ip;
  }
  if (rtcp.ip == rtp.ip && rtcp.port == rtp.port + 1) return std::nullopt;
  return rtcp;
}

// The codec or telephone-event behind a payload number.
struct Meaning {
  std::optional<Codec> codec;
  std::optional<EventClock> events;
};

Meaning meaning_of(std::uint8_t type, const Attributes& attributes) {
  const std::string_view text = attributes.encodings[type];
  if (text.data() == nullptr) return {static_codec(type), std::nullopt};
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  std::string_view rate_text = text.substr(slash + 1);
  unsigned channels = 1;
  if (const auto second = rate_text.find('/'); second != std::string_view::npos) {
    channels = number<unsigned>(rate_text.substr(second + 1), 255).value_or(0);
    rate_text = rate_text.substr(0, second);
  }
  const auto rate = number<std::uint32_t>(rate_text, 1'000'000);
  if (!rate) return {};
  static constexpr std::string_view event_name = "telephone-event";
  const std::string_view name = text.substr(0, slash);
  const bool is_event = name.size() == event_name.size() &&
                        std::equal(name.begin(), name.end(), event_name.begin(), [](char a, char b) {
                          return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b;
                        });
  Meaning meaning{find_codec(name, *rate, channels), std::nullopt};
  for (const EventClock clock : event_clocks) {
    if (is_event && *rate == clock_rate(clock) && channels == 1) meaning.events = clock;
  }
  return meaning;
}

// Whether the events named in an fmtp (RFC 4733 2.4.1, "0-15,32") hold a key of a telephone. No list means
// 0-15.
bool has_keys(std::uint8_t type, const Attributes& attributes) {
  std::string_view rest = attributes.events[type];
  if (rest.data() == nullptr) return true;
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (starts_with(rest, "events=")) rest.remove_prefix(7);
  const auto first = number<unsigned>(rest.substr(0, rest.find_first_of("-,; ")), 255);
  return !first || *first <= 15;
}

std::size_t numbers_of(Codec codec, const Formats& formats) {
  const auto same_codec = [codec](const Format& format) { return format.codec == codec; };
  return static_cast<std::size_t>(std::count_if(formats.begin(), formats.end(), same_codec));
}

void read_formats(const Section& section, const Attributes& attributes, RemoteAudio& audio) {
  std::string_view rest = section.formats;
  std::size_t count = 0;
  for (std::string_view word = next_word(rest); !word.empty() && count < payload_types_max;
       word = next_word(rest), ++count) {
    const auto type = number<std::uint8_t>(word, 127);
    if (!type) continue;
    const auto repeats = [&](const Format& f) { return f.payload_type == *type; };
    if (std::any_of(audio.formats.begin(), audio.formats.end(), repeats)) continue;
    const Meaning meaning = meaning_of(*type, attributes);
    if (meaning.codec && numbers_of(*meaning.codec, audio.formats) < numbers_per_codec_max) {
      audio.formats.push_back({*meaning.codec, *type});
    }
    if (meaning.events && !audio.events[*meaning.events] && has_keys(*type, attributes)) {
      audio.events[*meaning.events] = *type;
    }
  }
}

struct Profile {
  bool served = false;
  bool secure = false;
};

Profile profile_of(std::string_view protocol) {
  const bool secure = protocol == "RTP/SAVP" || protocol == "RTP/SAVPF";
  return {secure || protocol == "RTP/AVP" || protocol == "RTP/AVPF", secure};
}

std::vector<Crypto> read_cryptos(const Attributes& attributes, const SrtpRules& srtp) {
  std::vector<Crypto> read;
  for (const std::string_view value : attributes.cryptos) {
    const auto crypto = read_crypto(value);
    const auto same_tag = [&](const Crypto& other) { return other.tag == crypto->tag; };
    if (crypto && std::none_of(read.begin(), read.end(), same_tag)) read.push_back(*crypto);
  }
  std::erase_if(read, [&](const Crypto& crypto) { return !srtp.allows(crypto.suite); });
  return read;
}

// RFC 4568 7.1.2 and 7.1.3: a line that asks for SRTP gets that or is refused. RFC 8643: over RTP/AVP keys
// that can not be used are no harm.
Result<void, SdpError> read_security(const Section& section, const Attributes& attributes,
                                     const SrtpRules& srtp, RemoteAudio& audio) {
  const Profile profile = profile_of(section.protocol);
  if (!profile.served) return fail(not_served(302, "only RTP/AVP and RTP/SAVP are served"));
  audio.secure = profile.secure;
  if (profile.secure && srtp.use == SrtpUse::off) return fail(not_served(302, "SRTP is not served here"));
  audio.crypto = read_cryptos(attributes, srtp);
  if (!audio.crypto.empty()) return {};
  if (profile.secure) return fail(not_served(399, "there is no a=crypto that can be used"));
  if (srtp.use == SrtpUse::required)
    return fail(not_served(302, "only SRTP is served here (RTP/SAVP with a=crypto)"));
  return {};
}

Direction without_receiving(Direction d) {
  return sends(d) ? Direction::sendonly : Direction::inactive;
}

unsigned packet_time(const Attributes& attributes) {
  unsigned ptime = attributes.ptime_ms.value_or(ptime_ms_default);
  if (attributes.ptime_ms_limit) ptime = std::min(ptime, *attributes.ptime_ms_limit);
  return ptime < ptime_ms_min || ptime > ptime_ms_max ? ptime_ms_default : ptime;
}

// The audio of `section`, but for what it shares with the others; or why it can not be served. A line that
// is switched off can always be read.
Result<RemoteAudio, SdpError> read_audio(const Description& description, const Section& section,
                                         const SrtpRules& srtp) {
  const Attributes attributes = attributes_of(section);
  RemoteAudio audio;
  const bool in_use = section.port != 0;
  if (const auto security = read_security(section, attributes, srtp, audio); !security && in_use) {
    return fail(security.error());
  }
  read_formats(section, attributes, audio);
  if (in_use && audio.formats.empty())
    return fail(not_served(305, "only Opus, G.722, PCMU and PCMA are served"));
  const std::string_view connection =
      section.connection.empty() ? description.session.connection : section.connection;
  if (in_use || !connection.empty()) {
    if (connection.empty()) return fail(malformed("there is no c= line for the audio"));
    const auto ip = read_address(connection);
    if (!ip && in_use) return fail(ip.error());
    if (ip) audio.rtp.ip = *ip;
  }
  audio.rtp.port = section.port;
  if (in_use && !attributes.rtcp.empty()) audio.rtcp = read_rtcp(attributes.rtcp, audio.rtp);
  const auto direction =
      attributes.direction ? attributes.direction : attributes_of(description.session).direction;
  audio.direction = direction.value_or(Direction::sendrecv);
  // RFC 3264 8.4: the hold of RFC 2543.
  if (in_use && audio.rtp.ip.is_unspecified()) audio.direction = without_receiving(audio.direction);
  audio.ptime_ms = packet_time(attributes);
  return audio;
}

// The first audio line that can be served and has SRTP, or else the first that can be served. Its place, or
// the first reason why there is none.
struct Choice {
  std::optional<std::size_t> place;
  RemoteAudio audio;
  std::optional<SdpError> reason;
};

Choice choose_audio(const Description& description, const SrtpRules& srtp) {
  Choice choice;
  for (std::size_t i = 0; i < description.media.size(); ++i) {
    const Section& section = description.media[i];
    if (section.type != "audio" || section.port == 0) continue;
    auto audio = read_audio(description, section, srtp);
    if (!audio) {
      if (!choice.reason) choice.reason = std::move(audio.error());
      continue;
    }
    const bool has_keys = !audio->crypto.empty();
    if (choice.place && !has_keys) continue;
    choice.place = i;
    choice.audio = std::move(*audio);
    if (has_keys || srtp.use == SrtpUse::off) break;
  }
  return choice;
}

}  // namespace

Result<RemoteAudio, SdpError> read_description(std::string_view body, const SrtpRules& srtp) {
  const auto description = read_lines(body);
  if (!description) return fail(description.error());
  Choice choice = choose_audio(*description, srtp);
  if (!choice.place) {
    if (choice.reason) return fail(std::move(*choice.reason));
    const auto& media = description->media;
    const auto refused = std::find_if(media.begin(), media.end(),
                                      [](const Section& section) { return section.type == "audio"; });
    if (refused == media.end()) return fail(not_served(304, "there is no audio"));
    auto audio = read_audio(*description, *refused, srtp);
    if (!audio) return fail(std::move(audio.error()));
    choice.place = static_cast<std::size_t>(refused - media.begin());
    choice.audio = std::move(*audio);
  }
  RemoteAudio audio = std::move(choice.audio);
  audio.audio_line = *choice.place;
  audio.origin_version = description->origin_version;
  audio.lines.reserve(description->media.size());
  for (const Section& section : description->media) audio.lines.push_back(media_line_of(section));
  return audio;
}

}  // namespace baton::sdp
