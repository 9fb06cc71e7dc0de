#include "media/digits/player.h"

#include <algorithm>

namespace baton::media {
namespace {

constexpr std::size_t digits_max = 32;
// What a detector needs to be sure (ITU-T Q.24), with something to spare.
constexpr Duration least = 60ms, pause = 60ms;
constexpr Duration most = 10s;
constexpr unsigned ends_sent = 3;  // RFC 4733 2.5.1.4

}  // namespace

void DigitPlayer::begin(Time now, std::uint8_t event) {
  if (digits_.size() < digits_max) digits_.push_back({event, std::nullopt, now});
}

void DigitPlayer::hold(Time now) {
  if (!digits_.empty()) digits_.back().held_at = now;
}

void DigitPlayer::end(Duration lasted) {
  if (digits_.empty() || digits_.back().lasts) return;
  digits_.back().lasts = std::clamp(lasted, least, most);
}

void DigitPlayer::play(Time now, std::uint8_t event, Duration lasts) {
  if (digits_.size() < digits_max) digits_.push_back({event, std::clamp(lasts, least, most), now});
}

DigitPlayer::Packet DigitPlayer::next(Time now, Duration packet_time) {
  Digit& digit = digits_.front();
  if (!digit.lasts && (now - digit.held_at > key_forgotten_after || played_ >= most || digits_.size() > 1)) {
    digit.lasts = std::max(played_, least);
  }
  const bool over = digit.lasts && played_ + packet_time >= *digit.lasts;
  if (!over) {
    Packet packet{Packet::Kind::sounds, digit.event, played_ == Duration::zero(), played_ + packet_time,
                  played_};
    played_ += packet_time;
    return packet;
  }
  if (ends_ < ends_sent) {
    Packet packet{Packet::Kind::ended, digit.event, played_ == Duration::zero() && ends_ == 0,
                  std::max(*digit.lasts, played_), played_};
    // A tone sounds to its end, once: what is left of it is in the first of these.
    if (ends_++ != 0) packet.sounds_from = packet.lasted;
    return packet;
  }
  Packet packet;
  packet.lasted = *digit.lasts;
  paused_ += packet_time;
  if (paused_ >= pause) {
    digits_.pop_front();
    played_ = paused_ = Duration::zero();
    ends_ = 0;
  }
  return packet;
}

}  // namespace baton::media
