#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "sdp/session.h"

namespace baton::sdp {
namespace {

std::string connection(const IpAddress& ip) {
  return std::string(ip.v6 ? "IN IP6 " : "IN IP4 ") + ip.to_string();
}

std::string session_part(const LocalAudio& local) {
  const std::string address = connection(local.rtp.ip);
  std::string text;
  text.reserve(128 + 2 * address.size());
  text.append("v=0\r\no=- ").append(std::to_string(local.session_id)).append(" ");
  text.append(std::to_string(local.version)).append(" ").append(address);
  return text.append("\r\ns=-\r\nc=").append(address).append("\r\nt=0 0\r\n");
}

// Appends to one text with room for all of it: a description is written for every leg of every call.
class Text {
 public:
  explicit Text(std::size_t room) { text_.reserve(room); }
  Text& operator<<(std::string_view piece) {
    text_.append(piece);
    return *this;
  }
  Text& operator<<(unsigned number) { return *this << std::string_view(std::to_string(number)); }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string audio_part(const LocalAudio& local, std::string_view protocol) {
  constexpr std::size_t usual_room = 512;
  Text text(usual_room);
  text << "m=audio " << local.rtp.port << " " << protocol;
  for (const Format& format : local.formats) text << " " << format.payload_type;
  for (const EventClock clock : event_clocks) {
    if (local.events[clock]) text << " " << *local.events[clock];
  }
  text << "\r\n";
  for (const Format& format : local.formats) {
    text << "a=rtpmap:" << format.payload_type << " " << encoding_name(format.codec) << "/"
         << clock_rate(format.codec);
    if (channels(format.codec) != 1) text << "/" << channels(format.codec);
    text << "\r\n";
    if (const auto parameters = format_parameters(format.codec); !parameters.empty()) {
      text << "a=fmtp:" << format.payload_type << " " << parameters << "\r\n";
    }
  }
  for (const EventClock clock : event_clocks) {
    if (!local.events[clock]) continue;
    text << "a=rtpmap:" << *local.events[clock] << " telephone-event/" << clock_rate(clock)
         << "\r\na=fmtp:" << *local.events[clock] << " 0-15\r\n";
  }
  text << "a=ptime:" << local.ptime_ms << "\r\na=" << to_string(local.direction) << "\r\n";
  for (const Crypto& crypto : local.crypto) text << "a=crypto:" << write_crypto(crypto) << "\r\n";
  return text.take();
}

std::string refused_part(const MediaLine& line) {
  return "m=" + line.type + " 0 " + line.protocol + " " + line.formats + "\r\n";
}

// The peer's m= lines in their order, with our audio in the place of theirs.
std::string with_lines(const LocalAudio& local, const std::vector<MediaLine>& lines, std::size_t audio_line) {
  std::string text = session_part(local);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += i == audio_line ? audio_part(local, lines[i].protocol) : refused_part(lines[i]);
  }
  return text;
}

bool usable(const LocalAudio& local) {
  return local.rtp.port != 0 && !local.formats.empty();
}

}  // namespace

std::string write_offer(const LocalAudio& local) {
  return session_part(local) + audio_part(local, local.secure ? "RTP/SAVP" : "RTP/AVP");
}

std::string write_answer(const LocalAudio& local, const RemoteAudio& offer) {
  const bool refused = offer.rejected() || !usable(local);
  return with_lines(local, offer.lines, refused ? offer.lines.size() : offer.audio_line);
}

std::string write_reoffer(const LocalAudio& local, const RemoteAudio& last_seen) {
  std::vector<MediaLine> lines = last_seen.lines;
  std::size_t place = last_seen.audio_line;
  // RFC 3264 8.1: a new stream goes below the ones that exist when none of them is ours to take up again.
  if (place >= lines.size() || lines[place].type != "audio") {
    place = lines.size();
    lines.push_back({"audio", 0, "RTP/AVP", {}});
  }
  const bool feedback = lines[place].protocol == "RTP/AVPF" || lines[place].protocol == "RTP/SAVPF";
  lines[place].protocol = std::string(local.secure ? "RTP/SAVP" : "RTP/AVP") + (feedback ? "F" : "");
  return with_lines(local, lines, place);
}

std::vector<Format> choose_formats(const std::vector<Format>& offered, const std::vector<Codec>& wanted) {
  std::vector<Format> chosen;
  for (const Codec codec : wanted) {
    const auto same_codec = [codec](const Format& f) { return f.codec == codec; };
    if (std::any_of(chosen.begin(), chosen.end(), same_codec)) continue;
    const auto found = std::find_if(offered.begin(), offered.end(), same_codec);
    if (found != offered.end()) chosen.push_back(*found);
  }
  return chosen;
}

EventNumbers choose_events(const EventNumbers& offered, Codec codec) {
  EventNumbers chosen = offered;
  if (offered[EventClock::at_8000] && event_clock(codec) == EventClock::at_8000) {
    chosen[EventClock::at_48000].reset();
  }
  return chosen;
}

}  // namespace baton::sdp
