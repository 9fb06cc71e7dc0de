// The plane with Debian's rtpengine behind it, and parties that send and judge sound. Time is real here.
#include <sndfile.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <numbers>

#include "media/codec/coder.h"
#include "media/rtpengine/link.h"
#include "media/rtpengine/plane.h"
#include "unit/media/audio.h"
#include "unit/media/party.h"
#include "unit/media/rtpengine_process.h"

namespace baton::media::test {
namespace {

using sdp::Codec;
using Steady = std::chrono::steady_clock;

// A party that speaks a steady tone in its codec.
struct Speaker : Party {
  Speaker(EndpointId id_, Codec codec_)
      : Party(id_, codec_),
        hz(400 + 170 * static_cast<double>(id_)),
        encoder(codec_, natural_rate(codec_)),
        decoder(codec_, natural_rate(codec_)) {}

  void talk() {
    const unsigned rate = natural_rate(codec);
    std::vector<std::int16_t> frame(rate / 50);
    for (auto& sample : frame) {
      const double phase = 2.0 * std::numbers::pi * hz * static_cast<double>(spoken++) / rate;
      sample = static_cast<std::int16_t>(std::lround(8'000 * std::sin(phase)));
    }
    std::array<std::uint8_t, encoded_bytes_max> payload{};
    send(next, {payload.data(), encoder.encode(frame, payload.data())});
    ++next.sequence;
    next.timestamp += sdp::clock_rate(codec) / 50;
  }

  void press(std::uint8_t event) {
    RtpHeader key = next;
    key.payload_type = dtmf;
    for (std::uint16_t i = 1; i <= 6; ++i) {
      key.marker = i == 1;
      key.sequence = next.sequence++;
      const std::uint8_t end = i > 3 ? 0x80 : 0;
      send(key, std::vector<std::uint8_t>{event, static_cast<std::uint8_t>(end | 10), 0,
                                          static_cast<std::uint8_t>(160 + i)});
    }
  }

  // Takes what came.
  void listen() {
    samples.clear();
    for (const Heard& one : hear_all()) {
      if (one.header.payload_type == dtmf) {
        digits.push_back(one.payload);
        continue;
      }
      EXPECT_EQ(one.header.payload_type, next.payload_type);
      std::vector<std::int16_t> part(16 * packet_ms_max);
      part.resize(decoder.decode(one.payload, part.data()));
      samples.insert(samples.end(), part.begin(), part.end());
    }
  }
  // How loud the tone of that frequency was in it.
  [[nodiscard]] double loudness(double heard_hz) const {
    return samples.empty() ? 0 : amplitude_at(heard_hz * 8'000.0 / natural_rate(codec), samples);
  }

  double hz;
  std::size_t spoken = 0;
  Encoder encoder;
  Decoder decoder;
  std::vector<std::int16_t> samples;
  std::vector<std::vector<std::uint8_t>> digits;
};

class RtpengineAudio : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RtpengineProcess::is_installed()) GTEST_SKIP() << RtpengineProcess::path << " is not there";
    process_.emplace(key_log_.address());
    auto link = rtpengine::Link::open(process_->address());
    ASSERT_TRUE(link) << link.error();
    link_.emplace(std::move(*link));
    Rtpengine::Options options;
    options.address = process_->address();
    options.silence_timeout = 1s;
    options.prompts = std::filesystem::temp_directory_path().string();
    options.token = "audio" + std::to_string(getpid());
    options.hears_keys = true;
    options.log = [this](const engine::Log& line) { logged_.push_back(line.event); };
    plane_.emplace(std::move(options));
  }

  static Time now() { return Time{std::chrono::duration_cast<Duration>(Steady::now().time_since_epoch())}; }
  void flush() {
    for (const std::string& datagram : datagrams_) link_->send(datagram);
    datagrams_.clear();
  }
  void perform(const Operation& operation) {
    plane_->perform(now(), operation, {results_, datagrams_});
    flush();
  }
  // Until then, or until something is so.
  template <typename F>
  bool run(Duration longest, F&& done) {
    const Time end = now() + longest;
    while (!done()) {
      if (const auto due = plane_->next_deadline(); due && *due <= now()) {
        plane_->advance(now(), {results_, datagrams_});
      }
      flush();
      pollfd ready{link_->fd(), POLLIN, 0};
      ::poll(&ready, 1, 2);
      while (const auto datagram = link_->receive()) {
        plane_->received(now(), *datagram, {results_, datagrams_});
      }
      while (const auto line = key_log_.receive()) {
        plane_->logged(now(), {reinterpret_cast<const char*>(line->data()), line->size()},
                       {results_, datagrams_});
      }
      flush();
      if (now() >= end) return done();
    }
    return true;
  }
  void run(Duration time) {
    run(time, [] { return false; });
  }
  template <typename T>
  [[nodiscard]] const T* result_of(EndpointId id) const {
    for (const Result& result : results_) {
      if (const auto* one = std::get_if<T>(&result); one != nullptr && one->id == id) return one;
    }
    return nullptr;
  }

  void join(Speaker& party) {
    perform(Open{.id = party.id});
    ASSERT_TRUE(run(20s, [&] { return result_of<Opened>(party.id) != nullptr; }));
    party.relay_rtp = result_of<Opened>(party.id)->local_rtp;
    perform(party.configure());
  }
  void bridge(Speaker& one, Speaker& other) {
    perform(Hear{one.id, Hear::Party{other.id}});
    perform(Hear{other.id, Hear::Party{one.id}});
  }
  void talk(const std::vector<Speaker*>& speakers, int packets) {
    for (int i = 0; i < packets; ++i) {
      for (Speaker* speaker : speakers) speaker->talk();
      run(20ms);
    }
  }

  const Plug key_log_;
  std::optional<RtpengineProcess> process_;
  std::optional<rtpengine::Link> link_;
  std::optional<Rtpengine> plane_;
  std::vector<Result> results_;
  std::vector<std::string> datagrams_, logged_;
};

// Two of each codec: everybody speaks with everybody else once, four pairs at a time.
TEST_F(RtpengineAudio, EveryPairIsHeardAndNobodyElse) {
  std::vector<std::unique_ptr<Speaker>> parties;
  std::vector<Speaker*> all;
  for (const Codec codec : {Codec::pcmu, Codec::pcma, Codec::g722, Codec::opus}) {
    for (int i = 0; i < 2; ++i) {
      parties.push_back(std::make_unique<Speaker>(parties.size() + 1, codec));
      join(*parties.back());
      all.push_back(parties.back().get());
    }
  }
  const std::size_t others = all.size() - 1;
  for (std::size_t round = 0; round < others; ++round) {
    // The last one stays, the others go round.
    std::vector<std::pair<Speaker*, Speaker*>> pairs{{all[others], all[round]}};
    for (std::size_t i = 1; i <= others / 2; ++i) {
      pairs.emplace_back(all[(round + i) % others], all[(round + others - i) % others]);
    }
    for (const auto& [one, other] : pairs) bridge(*one, *other);
    talk(all, 10);
    for (Speaker* party : all) party->listen();
    talk(all, 15);
    for (Speaker* party : all) party->listen();
    for (const auto& [one, other] : pairs) {
      for (const auto& [listener, source] : {std::pair{one, other}, std::pair{other, one}}) {
        SCOPED_TRACE(testing::Message()
                     << "round " << round << ", " << listener->id << " hears " << source->id);
        EXPECT_GT(listener->samples.size(), natural_rate(listener->codec) / 8);
        EXPECT_GT(listener->loudness(source->hz), 4'000);
        for (const Speaker* third : all) {
          if (third == source) continue;
          EXPECT_LT(listener->loudness(third->hz), 1'000) << third->id;
        }
      }
    }
  }
  EXPECT_TRUE(logged_.empty()) << logged_.front();
}

TEST_F(RtpengineAudio, RingBackDigitsPromptsTotalsAndSilence) {
  const std::string prompt = "baton" + std::to_string(getpid()) + ".wav";
  const std::string path = (std::filesystem::temp_directory_path() / prompt).string();
  {
    SF_INFO info{};
    info.samplerate = 8'000;
    info.channels = 1;
    info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
    SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
    ASSERT_NE(file, nullptr);
    const auto tone = sine(1'500, 8'000, 4'000);
    sf_write_short(file, tone.data(), static_cast<sf_count_t>(tone.size()));
    sf_close(file);
  }
  Speaker a(1, Codec::pcmu), b(2, Codec::pcma);
  join(a);
  join(b);

  // 440 and 480 Hz, two seconds on.
  perform(Hear{a.id, Hear::RingBack{"US"}});
  talk({&a, &b}, 25);
  a.listen();
  EXPECT_GT(a.loudness(440), 500);
  EXPECT_GT(a.loudness(480), 500);
  perform(Hear{a.id, Hear::Play{prompt}});
  talk({&a, &b}, 15);
  a.listen();
  talk({&a, &b}, 15);
  a.listen();
  EXPECT_GT(a.loudness(1'500), 2'000);
  EXPECT_LT(a.loudness(440), 200);
  // Half a second of it once, and then nothing.
  perform(Hear{a.id, Hear::Play{prompt, true}});
  talk({&a, &b}, 15);
  a.listen();
  EXPECT_GT(a.loudness(1'500), 2'000);
  talk({&a, &b}, 30);
  a.listen();
  talk({&a, &b}, 10);
  a.listen();
  EXPECT_LT(a.loudness(1'500), 200);

  bridge(a, b);
  talk({&a, &b}, 15);
  a.listen();
  b.listen();
  a.digits.clear();
  talk({&a, &b}, 10);
  a.listen();
  EXPECT_GT(a.loudness(b.hz), 4'000);
  EXPECT_LT(a.loudness(1'500), 500);

  // A key that one party presses, and one that the machine has pressed for it.
  a.press(5);
  talk({&a, &b}, 10);
  b.listen();
  ASSERT_FALSE(b.digits.empty());
  EXPECT_TRUE(std::all_of(b.digits.begin(), b.digits.end(), [](const auto& event) { return event[0] == 5; }));
  EXPECT_NE(b.digits.back()[1] & 0x80, 0);
  perform(SendDigit{a.id, 11, 100ms});
  talk({&a, &b}, 20);
  a.listen();
  ASSERT_FALSE(a.digits.empty());
  EXPECT_EQ(a.digits.back()[0], 11);
  EXPECT_NE(a.digits.back()[1] & 0x80, 0);

  // The second falls silent, the first goes on.
  EXPECT_EQ(result_of<Silent>(a.id), nullptr);
  const Time end = now() + 20s;
  while (result_of<Silent>(b.id) == nullptr && now() < end) talk({&a}, 1);
  EXPECT_NE(result_of<Silent>(b.id), nullptr);
  EXPECT_EQ(result_of<Silent>(a.id), nullptr);

  perform(Close{a.id});
  perform(Close{b.id});
  ASSERT_TRUE(run(20s, [&] { return result_of<Closed>(a.id) && result_of<Closed>(b.id); }));
  EXPECT_GE(result_of<Closed>(a.id)->packets_received, a.spoken / 160);
  EXPECT_GT(result_of<Closed>(b.id)->packets_received, 50U);
  EXPECT_GT(result_of<Closed>(a.id)->packets_sent, 20U);
  EXPECT_EQ(plane_->endpoints(), 0U);
  EXPECT_TRUE(logged_.empty()) << logged_.front();
  std::filesystem::remove(path);
}

// Both parties have telephone-events. What the daemon logs of them tells which keys have passed.
TEST_F(RtpengineAudio, KeysByInfoAreSentUnlessTheyPassedAndReportedWhereNoneMayPass) {
  Speaker a(1, Codec::pcmu), b(2, Codec::pcma);
  join(a);
  join(b);
  bridge(a, b);
  talk({&a, &b}, 10);

  // The first sends its keys by INFO alone.
  perform(SendDigit{b.id, 5, 100ms, a.id});
  Time end = now() + 20s;
  while (b.digits.empty() && now() < end) {
    talk({&a, &b}, 1);
    b.listen();
  }
  ASSERT_FALSE(b.digits.empty());
  EXPECT_EQ(b.digits.back()[0], 5);

  // The second by telephone-events too.
  b.press(9);
  perform(SendDigit{a.id, 9, 100ms, b.id});
  talk({&a, &b}, 20);
  a.listen();
  const std::size_t passed = a.digits.size();
  EXPECT_GE(passed, 6U);
  talk({&a, &b}, 75);
  a.listen();
  EXPECT_EQ(a.digits.size(), passed);

  // And the first is told of them by other means.
  Configure told = a.configure();
  told.digits = DigitsBy::report;
  perform(told);
  talk({&a, &b}, 10);
  b.press(7);
  end = now() + 20s;
  while (result_of<Digit>(b.id) == nullptr && now() < end) talk({&a, &b}, 1);
  const auto* digit = result_of<Digit>(b.id);
  ASSERT_NE(digit, nullptr);
  EXPECT_EQ(digit->event, 7);
  talk({&a, &b}, 10);
  a.listen();
  EXPECT_EQ(a.digits.size(), passed);
  // When the first one's keys were passed on, the daemon had logged none yet.
  EXPECT_EQ(logged_, std::vector<std::string>{"media.rtpengine_logs_no_keys"});
}

}  // namespace
}  // namespace baton::media::test
