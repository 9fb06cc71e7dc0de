#include "media/codec/playout.h"

#include <algorithm>

namespace baton::media {
namespace {

constexpr unsigned start_ms = 10;
constexpr unsigned piece_ms = 10;  // made up at once
// After so long without a packet nothing is sent any more. Opus says that it is still there every 400 ms; who
// announced noise may leave it at that.
constexpr unsigned idle_ms = 1'000, idle_noise_ms = 60'000;
constexpr std::int64_t quiet_power = 150 * 150;  // of samples; hardly heard

}  // namespace

Playout::Playout(sdp::Codec codec, unsigned rate, unsigned frame_ms)
    : decoder_(codec, rate),
      clock_(sdp::clock_rate(codec)),
      frame_(rate / 1'000 * frame_ms),
      buffer_(sdp::clock_rate(codec)) {}

std::size_t Playout::samples_of(std::uint32_t ticks) const {
  return static_cast<std::size_t>(std::uint64_t{ticks} * rate() / clock_);
}

std::uint32_t Playout::ticks_of(std::size_t samples) const {
  return static_cast<std::uint32_t>(std::uint64_t{samples} * clock_ / rate());
}

Duration Playout::start_after(std::uint32_t first_duration) const {
  const auto packet = std::chrono::microseconds(std::uint64_t{first_duration} * 1'000'000 / clock_);
  const auto frame = std::chrono::microseconds(std::uint64_t{frame_} * 1'000'000 / rate());
  return std::chrono::milliseconds(start_ms) + std::max<Duration>(frame - packet, Duration::zero());
}

bool Playout::put(Time now, std::uint16_t sequence, std::uint32_t timestamp,
                  std::span<const std::uint8_t> payload, Time next_take) {
  const auto length = duration(codec(), payload);
  if (!length) return false;
  return buffer_.put(now, {sequence, timestamp, *length}, payload, std::max<Duration>(next_take - now, {}),
                     ticks_of(filled_ - taken_));
}

void Playout::put_noise(Time now, std::uint16_t sequence, std::uint32_t timestamp,
                        std::span<const std::uint8_t> payload, Time next_take) {
  if (payload.empty()) return;
  (void)buffer_.put(now, {sequence, timestamp, 0}, payload.first(1), std::max<Duration>(next_take - now, {}),
                    ticks_of(filled_ - taken_));
}

void Playout::restart() {
  buffer_.restart();
  noisy_ = false;
}

std::span<const std::int16_t> Playout::take() {
  const std::uint32_t idle = clock_ / 1'000 * (noisy_ ? idle_noise_ms : idle_ms);
  if (buffer_.dry_for() > idle) return {};
  if (taken_ != 0) {
    std::copy(waiting_.begin() + static_cast<std::ptrdiff_t>(taken_),
              waiting_.begin() + static_cast<std::ptrdiff_t>(filled_), waiting_.begin());
    filled_ -= taken_;
    taken_ = 0;
  }
  while (filled_ < frame_) fill();
  taken_ = frame_;
  return {waiting_.data(), frame_};
}

// Adds at least one sample, and at most a packet of the longest.
void Playout::fill() {
  const std::size_t piece = rate() / 1'000 * piece_ms;
  const JitterBuffer::Step step = buffer_.next(ticks_of(piece));
  std::int16_t* const out = waiting_.data() + filled_;
  if (step.what == JitterBuffer::Step::What::packet) {
    noisy_ = step.packet.duration == 0;
    if (noisy_) {
      noise_.set_level(step.payload.front());
      return;
    }
    std::size_t made = decoder_.decode(step.payload, out);
    if (made == 0) {
      made = samples_of(step.packet.duration);
      decoder_.conceal(made, {}, out);
    }
    const std::size_t from = filled_;
    filled_ += made;
    if (buffer_.surplus() != 0) shorten(from);
    return;
  }
  const std::size_t count = std::max<std::size_t>(samples_of(step.ticks), 1);
  if (noisy_) {
    noise_.fill({out, count});
  } else if (step.what == JitterBuffer::Step::What::quiet && codec() != sdp::Codec::opus) {
    std::fill(out, out + count, std::int16_t{0});
  } else {
    // Opus makes up pieces of 2.5 ms; a remainder of the time line is left silent.
    const std::size_t grain = codec() == sdp::Codec::opus ? rate() / 400 : 1;
    const std::size_t whole = count / grain * grain;
    decoder_.conceal(whole, step.next, out);
    std::fill(out + whole, out + count, std::int16_t{0});
  }
  filled_ += count;
}

// Leaves out some of what was just decoded, where it is quiet; or wherever, when there is much too much.
void Playout::shorten(std::size_t from) {
  const std::size_t less = samples_of(buffer_.surplus());
  const std::size_t blend = rate() / 1'000 * 5;
  if (filled_ - from < less + blend) return;
  std::int16_t* const block = waiting_.data() + from;
  std::int64_t power = 0;
  for (std::size_t i = 0; i < less + blend; ++i) power += std::int64_t{block[i]} * block[i];
  const bool quiet = power < quiet_power * static_cast<std::int64_t>(less + blend);
  const bool urgent = buffer_.surplus() > ticks_of(rate() / 1'000 * piece_ms);
  if (!quiet && !urgent) return;
  for (std::size_t i = 0; i < blend; ++i) {
    const auto share = static_cast<std::int32_t>(i);
    const auto whole = static_cast<std::int32_t>(blend);
    block[i] = static_cast<std::int16_t>((block[i] * (whole - share) + block[i + less] * share) / whole);
  }
  std::copy(block + blend + less, waiting_.data() + filled_, block + blend);
  filled_ -= less;
  buffer_.left_out(buffer_.surplus());
}

}  // namespace baton::media
