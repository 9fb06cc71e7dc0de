#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "sdp/session.h"

namespace baton::sdp {
namespace {

// One text with room for all of it: a description is written for every leg of every call.
class Text {
 public:
  Text() { text_.reserve(usual_room); }
  Text& operator<<(std::string_view piece) {
    text_.append(piece);
    return *this;
  }
  Text& operator<<(std::uint64_t number) { return *this << std::string_view(std::to_string(number)); }
  Text& operator<<(const IpAddress& ip) {
    text_.append(ip.v6 ? "IN IP6 " : "IN IP4 ");
    ip.append_to(text_);
    return *this;
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  static constexpr std::size_t usual_room = 512;
  std::string text_;
};

void write_session_part(Text& text, const LocalAudio& local) {
  text << "v=0\r\no=- " << local.session_id << " " << local.version << " " << local.rtp.ip
       << "\r\ns=-\r\nc=" << local.rtp.ip << "\r\nt=0 0\r\n";
}

void write_audio_part(Text& text, const LocalAudio& local, std::string_view protocol) {
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
}

void write_refused_part(Text& text, const MediaLine& line) {
  text << "m=" << line.type << " 0 " << line.protocol << " " << line.formats << "\r\n";
}

// The peer's m= lines in their order, with our audio in the place of theirs.
std::string with_lines(const LocalAudio& local, const std::vector<MediaLine>& lines, std::size_t audio_line) {
  Text text;
  write_session_part(text, local);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i == audio_line) {
      write_audio_part(text, local, lines[i].protocol);
    } else {
      write_refused_part(text, lines[i]);
    }
  }
  return text.take();
}

bool usable(const LocalAudio& local) {
  return local.rtp.port != 0 && !local.formats.empty();
}

}  // namespace

std::string write_offer(const LocalAudio& local) {
  Text text;
  write_session_part(text, local);
  write_audio_part(text, local, local.secure ? "RTP/SAVP" : "RTP/AVP");
  return text.take();
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

Formats choose_formats(const Formats& offered, const Codecs& wanted) {
  Formats chosen;
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
