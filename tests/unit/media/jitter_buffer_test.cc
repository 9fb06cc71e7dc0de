#include "media/codec/jitter_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/rng.h"

namespace baton::media::test {
namespace {

constexpr std::uint32_t clock_rate = 8'000;
constexpr std::uint32_t frame = 160;
const Time start = from_micros(1'790'000'000'000'000);

using What = JitterBuffer::Step::What;

struct Arrival {
  Time at;
  JitterBuffer::Packet packet;
};

// A listener that takes 20 ms every 20 ms, from 10 ms after the first packet on.
struct Listener {
  JitterBuffer buffer{clock_rate};
  struct Played {
    Time at;
    std::uint16_t sequence;
  };
  std::vector<Played> played;
  std::uint64_t missing = 0, quiet = 0, told = 0;  // ticks; how often the packet behind was at hand
  std::uint32_t waiting = 0;
  Time next_take{};

  void take() {
    while (waiting < frame) {
      const auto step = buffer.next(80);
      if (step.what == What::packet) {
        played.push_back({next_take, step.packet.sequence});
        waiting += step.packet.duration;
        if (const std::uint32_t less = buffer.surplus(); less != 0 && less < step.packet.duration) {
          waiting -= less;
          buffer.left_out(less);
        }
      } else {
        (step.what == What::missing ? missing : quiet) += step.ticks;
        if (!step.next.empty()) ++told;
        waiting += step.ticks;
      }
    }
    waiting -= frame;
    next_take += 20ms;
  }

  void run(std::vector<Arrival> arrivals, Duration after = 0s) {
    std::stable_sort(arrivals.begin(), arrivals.end(),
                     [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
    const std::vector<std::uint8_t> payload(frame, 1);
    for (const Arrival& arrival : arrivals) {
      if (next_take == Time{}) next_take = arrival.at + 10ms;
      while (next_take <= arrival.at) take();
      const std::span<const std::uint8_t> bytes(payload.data(), std::max(1U, arrival.packet.duration));
      (void)buffer.put(arrival.at, arrival.packet, bytes, next_take - arrival.at, waiting);
    }
    const Time end = arrivals.back().at + after;
    while (next_take <= end) take();
  }

  [[nodiscard]] std::optional<Duration> delay_of(std::uint16_t sequence, Time sent) const {
    for (const Played& one : played) {
      if (one.sequence == sequence) return one.at - sent;
    }
    return std::nullopt;
  }
};

Time sent_at(unsigned n) {
  return start + n * 20ms;
}

Arrival packet(unsigned n, Duration late = 0ms, std::uint16_t first = 0) {
  return {sent_at(n) + late, {static_cast<std::uint16_t>(first + n), 0xffff'ff00U + n * frame, frame}};
}

TEST(JitterBuffer, SteadyStreamIsPlayedAsItComes) {
  Listener listener;
  std::vector<Arrival> arrivals;
  for (unsigned n = 0; n < 500; ++n) arrivals.push_back(packet(n, 0ms, 65'400));
  listener.run(arrivals, 15ms);
  EXPECT_EQ(listener.played.size(), 500U);
  EXPECT_EQ(listener.missing, 0U);
  EXPECT_EQ(listener.quiet, 0U);
  EXPECT_EQ(listener.played.back().at - sent_at(499), 10ms);
}

TEST(JitterBuffer, LossIsMadeUpForAndDelaysNothing) {
  Listener listener;
  std::vector<Arrival> arrivals;
  for (unsigned n = 0; n < 500; ++n) {
    if (n % 20 != 7) arrivals.push_back(packet(n));
  }
  listener.run(arrivals, 15ms);
  EXPECT_EQ(listener.played.size(), 475U);
  EXPECT_EQ(listener.missing, 25U * frame);
  EXPECT_EQ(listener.buffer.counters().lost, 25U);
  EXPECT_EQ(listener.delay_of(499, sent_at(499)), 10ms);
}

TEST(JitterBuffer, WithMoreAtHandALossIsToldByThePacketBehindIt) {
  Listener listener;
  std::vector<Arrival> arrivals;
  for (unsigned n = 0; n < 300; ++n) {
    // One that is late makes it hold more; then the packet behind a lost one is there in time.
    if (n % 20 != 7 || n < 100) arrivals.push_back(packet(n, n == 50 ? 60ms : 0ms));
  }
  listener.run(arrivals, 60ms);
  EXPECT_GE(listener.told, 3U);
}

TEST(JitterBuffer, ReorderingIsPutRight) {
  Listener listener;
  std::vector<Arrival> arrivals;
  for (unsigned n = 0; n < 1'000; ++n) arrivals.push_back(packet(n, n % 10 == 3 ? 25ms : 0ms));
  listener.run(arrivals, 50ms);
  EXPECT_GE(listener.played.size(), 980U);
  EXPECT_TRUE(std::is_sorted(listener.played.begin(), listener.played.end(),
                             [](const auto& a, const auto& b) { return a.sequence < b.sequence; }));
}

TEST(JitterBuffer, JitterIsLearntAndForgotten) {
  Listener listener;
  Rng rng(5);
  std::vector<Arrival> arrivals;
  for (unsigned n = 0; n < 1'500; ++n) {
    arrivals.push_back(packet(n, std::chrono::milliseconds(n < 1'000 ? rng.below(60) : 0)));
  }
  for (unsigned n = 1'500; n < 4'000; ++n) arrivals.push_back(packet(n));
  listener.run(arrivals, 100ms);
  EXPECT_GT(listener.played.size(), 3'900U) << "few came too late";
  std::size_t late = 0;
  for (std::uint16_t n = 200; n < 1'000; ++n) {
    const auto delay = listener.delay_of(n, sent_at(n));
    if (!delay) ++late;
    EXPECT_LE(delay.value_or(0ms), 140ms);
  }
  EXPECT_LE(late, 40U);
  EXPECT_LE(*listener.delay_of(3'990, sent_at(3'990)), 30ms) << "a quiet line is not delayed for ever";
}

TEST(JitterBuffer, ClocksThatRunApart) {
  for (const double rate : {1.0005, 0.9995}) {  // far worse than two crystals
    Listener listener;
    std::vector<Arrival> arrivals;
    for (unsigned n = 0; n < 15'000; ++n) {
      Arrival arrival = packet(n);
      arrival.at = start + Duration(static_cast<std::int64_t>(n * 20'000 * rate));
      arrivals.push_back(arrival);
    }
    listener.run(arrivals);
    EXPECT_GE(listener.played.size(), 14'980U);
    const auto delay =
        listener.delay_of(14'990, start + Duration(static_cast<std::int64_t>(14'990 * 20'000 * rate)));
    ASSERT_TRUE(delay);
    EXPECT_LE(*delay, 60ms) << rate;
    EXPECT_LE(listener.missing, 40U * frame) << rate;
  }
}

TEST(JitterBuffer, APauseIsNoLoss) {
  Listener listener;
  std::vector<Arrival> arrivals;
  for (unsigned n = 0; n < 100; ++n) arrivals.push_back(packet(n));
  for (unsigned n = 0; n < 100; ++n) {
    Arrival arrival = packet(250 + n);
    arrival.packet.sequence = static_cast<std::uint16_t>(100 + n);
    arrivals.push_back(arrival);
  }
  listener.run(arrivals, 40ms);
  EXPECT_EQ(listener.played.size(), 200U);
  EXPECT_EQ(listener.buffer.counters().lost, 0U);
  EXPECT_LE(*listener.delay_of(199, sent_at(349)), 40ms);
}

TEST(JitterBuffer, AfterALongStopTheRestIsNotHeardLate) {
  Listener listener;
  std::vector<Arrival> arrivals;
  for (unsigned n = 0; n < 100; ++n) arrivals.push_back(packet(n));
  for (unsigned n = 100; n < 140; ++n) arrivals.push_back(packet(n, (140 - n) * 20ms));  // all at once
  for (unsigned n = 140; n < 200; ++n) arrivals.push_back(packet(n));
  listener.run(arrivals, 300ms);
  const auto delay = listener.delay_of(199, sent_at(199));
  ASSERT_TRUE(delay);
  EXPECT_LE(*delay, 280ms);
}

TEST(JitterBuffer, NoiseIsHandedOverAndTakesNoTime) {
  Listener listener;
  std::vector<Arrival> arrivals;
  for (unsigned n = 0; n < 10; ++n) arrivals.push_back(packet(n));
  arrivals.push_back(packet(10));
  arrivals.back().packet.duration = 0;
  listener.run(arrivals, 100ms);
  EXPECT_EQ(listener.played.size(), 11U);
}

TEST(JitterBuffer, DoublesAndNonsense) {
  JitterBuffer buffer(clock_rate);
  const std::vector<std::uint8_t> payload(frame);
  EXPECT_TRUE(buffer.put(start, packet(0).packet, payload, 0ms, 0));
  EXPECT_FALSE(buffer.put(start, packet(0).packet, payload, 0ms, 0));
  EXPECT_EQ(buffer.counters().doubled, 1U);
  Rng rng(9);
  for (int i = 0; i < 20'000; ++i) {
    const JitterBuffer::Packet any{static_cast<std::uint16_t>(rng.next()),
                                   static_cast<std::uint32_t>(rng.next()),
                                   static_cast<std::uint32_t>(rng.below(960))};
    (void)buffer.put(start + i * 1ms, any, payload, 5ms, 10);
    const auto step = buffer.next(80);
    ASSERT_LE(step.ticks, 960U);
  }
}

}  // namespace
}  // namespace baton::media::test
