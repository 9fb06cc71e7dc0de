// Recordings: files that can be played whatever happens, two parties on one time line, and a disk that is
// full.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "media/recording/mixdown.h"
#include "media/recording/recorder.h"
#include "media/recording/wav.h"
#include "media/relay/g711.h"

namespace baton::media {
namespace {

const Time start = from_micros(1'790'000'000'000'000);

class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "baton-recording-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

struct Wav {
  bool sound = false;  // its header adds up
  std::uint32_t rate = 0;
  std::vector<std::int16_t> left, right;
};

Wav read_wav(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const auto number = [&](std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
      value |= std::uint32_t{static_cast<std::uint8_t>(bytes[at + i])} << (8 * i);
    return value;
  };
  Wav wav;
  if (bytes.size() < wav_header_bytes) return wav;
  const std::uint32_t data = number(40, 4);
  wav.sound = bytes.substr(0, 4) == "RIFF" && bytes.substr(8, 8) == "WAVEfmt " &&
              bytes.substr(36, 4) == "data" && number(22, 2) == 2 && number(34, 2) == 16 &&
              number(4, 4) == data + 36 && data % 4 == 0 && data + wav_header_bytes <= bytes.size();
  wav.rate = number(24, 4);
  for (std::uint32_t at = 44; at + 4 <= 44 + data && at + 4 <= bytes.size(); at += 4) {
    wav.left.push_back(static_cast<std::int16_t>(number(at, 2)));
    wav.right.push_back(static_cast<std::int16_t>(number(at + 2, 2)));
  }
  return wav;
}

TEST(Wav, EachAppendLeavesAFileThatCanBePlayed) {
  const Directory directory;
  auto file = WavFile::create(directory / "a.wav", 8'000);
  ASSERT_TRUE(file.has_value()) << file.error();
  EXPECT_TRUE(read_wav(directory / "a.wav").sound);
  for (std::int16_t i = 0; i < 3; ++i) {
    const std::vector<std::int16_t> samples{i, static_cast<std::int16_t>(-i)};
    ASSERT_TRUE(file->append(samples).has_value());
    const Wav wav = read_wav(directory / "a.wav");
    EXPECT_TRUE(wav.sound);
    EXPECT_EQ(wav.rate, 8'000U);
    ASSERT_EQ(wav.left.size(), static_cast<std::size_t>(i) + 1);
    EXPECT_EQ(wav.left.back(), i);
    EXPECT_EQ(wav.right.back(), -i);
  }
  EXPECT_EQ(file->frames(), 3U);
  struct stat status {};
  ASSERT_EQ(::stat((directory / "a.wav").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07, 0U);
}

TEST(Wav, NothingIsOverwritten) {
  const Directory directory;
  { std::ofstream(directory / "a.wav") << "precious"; }
  EXPECT_FALSE(WavFile::create(directory / "a.wav", 8'000).has_value());
  EXPECT_FALSE(WavFile::create(directory / "nowhere/a.wav", 8'000).has_value());
  std::filesystem::create_symlink(directory / "elsewhere", directory / "b.wav");
  EXPECT_FALSE(WavFile::create(directory / "b.wav", 8'000).has_value());
  EXPECT_FALSE(std::filesystem::exists(directory / "elsewhere"));
}

// ---- The time line ----

struct Frames {
  std::vector<std::int16_t> samples;
  Mixdown::Sink sink() {
    return [this](std::span<const std::int16_t> more) {
      samples.insert(samples.end(), more.begin(), more.end());
    };
  }
  [[nodiscard]] std::int16_t at(std::size_t ms, unsigned channel) const {
    return samples.at(2 * 8 * ms + channel);
  }
};

std::vector<std::int16_t> all(std::int16_t value) {
  return std::vector<std::int16_t>(160, value);
}

TEST(Mixdown, PartiesLieSideBySideWhereTheySpoke) {
  Mixdown mix(start);
  Frames frames;
  for (std::uint32_t i = 0; i < 50; ++i) {
    mix.add(0, start + i * 20ms, 1, 1'000 + i * 160, all(100), frames.sink());
    // The other one speaks from 400 ms on, and its packets shake.
    if (i >= 20) mix.add(1, start + i * 20ms + (i % 2) * 15ms, 2, 777 + i * 160, all(200), frames.sink());
  }
  mix.flush(start + 1s, frames.sink());
  ASSERT_EQ(frames.samples.size(), 2U * 8'000);
  EXPECT_EQ(frames.at(10, 0), 100);
  EXPECT_EQ(frames.at(10, 1), 0);
  EXPECT_EQ(frames.at(399, 1), 0);
  for (std::size_t ms = 401; ms < 1'000; ++ms) ASSERT_EQ(frames.at(ms, 1), 200) << ms;
}

TEST(Mixdown, LateAndLostPackets) {
  Mixdown mix(start);
  Frames frames;
  mix.add(0, start, 1, 0, all(1), frames.sink());
  mix.add(0, start + 60ms, 1, 480, all(4), frames.sink());
  mix.add(0, start + 61ms, 1, 320, all(3), frames.sink());  // overtaken; the second never comes
  mix.flush(start + 80ms, frames.sink());
  EXPECT_EQ(frames.at(5, 0), 1);
  EXPECT_EQ(frames.at(25, 0), 0);
  EXPECT_EQ(frames.at(45, 0), 3);
  EXPECT_EQ(frames.at(65, 0), 4);
  mix.add(0, start + 90ms, 1, 160, all(2), frames.sink());  // far too late
  mix.flush(start + 100ms, frames.sink());
  EXPECT_EQ(frames.samples.size(), 2U * 800);
}

TEST(Mixdown, SilenceAndNewStreamsKeepTheClock) {
  Mixdown mix(start);
  Frames frames;
  mix.add(0, start, 1, 0, all(1), frames.sink());
  mix.add(0, start + 10s, 2, 9'999'999, all(2), frames.sink());        // another SSRC
  mix.add(0, start + 20s, 2, 9'999'999 + 160, all(3), frames.sink());  // its clock stood still
  mix.add(0, start + 30s, 2, 0x8000'0000U + 9'999'999, all(4), frames.sink());
  mix.flush(start + 31s, frames.sink());
  EXPECT_EQ(frames.samples.size(), 2U * 31 * 8'000);
  EXPECT_EQ(frames.at(10'005, 0), 2);
  EXPECT_EQ(frames.at(20'005, 0), 3);
  EXPECT_EQ(frames.at(30'005, 0), 4);
}

// ---- The recorder ----

std::vector<std::uint8_t> tone(unsigned hz, std::size_t packet) {
  std::vector<std::int16_t> samples(160);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(packet * 160 + i) / 8'000;
    samples[i] = static_cast<std::int16_t>(8'000 * std::sin(2 * 3.141592653589793 * hz * t));
  }
  return encode(sdp::Codec::pcmu, samples);
}

// How much of that frequency is in it, 0 to about 1.
double share(const std::vector<std::int16_t>& samples, unsigned hz) {
  double re = 0, im = 0, power = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double phase = 2 * 3.141592653589793 * hz * static_cast<double>(i) / 8'000;
    re += samples[i] * std::cos(phase);
    im += samples[i] * std::sin(phase);
    power += double{1} * samples[i] * samples[i];
  }
  if (power == 0) return 0;
  return (re * re + im * im) * 2 / (power * static_cast<double>(samples.size()));
}

void speak(Recorder& recorder, RecordingId id, std::size_t packets) {
  for (std::size_t i = 0; i < packets; ++i) {
    const Time at = start + i * 20ms;
    const auto timestamp = static_cast<std::uint32_t>(i * 160);
    recorder.audio({id, 0, at, sdp::Codec::pcmu, 1, timestamp}, tone(440, i));
    recorder.audio({id, 1, at, sdp::Codec::pcmu, 2, timestamp}, tone(1'000, i));
  }
}

Recorded wait_for(Recorder& recorder) {
  std::vector<Result> results;
  while (results.empty()) {
    pollfd fd{recorder.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&fd, 1, 10'000), 1);
    recorder.take_finished(results);
  }
  EXPECT_EQ(results.size(), 1U);
  return std::get<Recorded>(results.front());
}

TEST(Recorder, TwoPartiesTwoChannels) {
  const Directory directory;
  Recorder recorder({.directory = directory.path(), .log = {}});
  recorder.start(7, start, "call-1");
  speak(recorder, 7, 100);
  recorder.stop(7, start + 2s);
  const Recorded recorded = wait_for(recorder);
  EXPECT_EQ(recorded.id, 7U);
  EXPECT_EQ(recorded.error, "");
  EXPECT_EQ(recorded.file, directory / "call-1.wav");
  EXPECT_EQ(recorded.lasted, 2s);
  EXPECT_EQ(recorded.bytes, 44U + 64'000);
  EXPECT_EQ(std::filesystem::file_size(recorded.file), recorded.bytes);
  const Wav wav = read_wav(recorded.file);
  ASSERT_TRUE(wav.sound);
  EXPECT_GT(share(wav.left, 440), 0.9);
  EXPECT_GT(share(wav.right, 1'000), 0.9);
  EXPECT_LT(share(wav.left, 1'000), 0.05);
}

TEST(Recorder, NamesThatAreNoFileNamesAreRefused) {
  const Directory directory;
  for (const char* name : {"", "../x", "x\n"}) {
    std::atomic<int> lines = 0;
    Recorder recorder(
        {.directory = directory.path(), .log = [&](auto*, const auto&, const auto&) { ++lines; }});
    recorder.start(1, start, name);
    recorder.stop(1, start + 1s);
    EXPECT_NE(wait_for(recorder).error, "") << name;
    EXPECT_EQ(lines, 1);
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(Recorder, WhatIsNotStoppedIsWrittenAtTheEnd) {
  const Directory directory;
  {
    Recorder recorder({.directory = directory.path(), .log = {}});
    recorder.start(1, start, "a");
    speak(recorder, 1, 100);
  }
  const Wav wav = read_wav(directory / "a.wav");
  EXPECT_TRUE(wav.sound);
  EXPECT_GE(wav.left.size(), 8'000U);
}

TEST(Recorder, AKilledProcessLeavesAFileThatCanBePlayed) {
  const Directory directory;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Recorder recorder({.directory = directory.path(), .log = {}});
    recorder.start(1, start, "killed");
    for (std::size_t i = 0;; ++i) {
      const auto timestamp = static_cast<std::uint32_t>(i * 160);
      recorder.audio({1, 0, start + i * 20ms, sdp::Codec::pcmu, 1, timestamp}, tone(440, i));
      if (i % 500 == 499) std::this_thread::sleep_for(std::chrono::milliseconds(50));
      if (i == 2'000) static_cast<void>(::write(ready[1], "x", 1));
    }
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ::close(ready[0]);
  ::close(ready[1]);
  const Wav wav = read_wav(directory / "killed.wav");
  ASSERT_TRUE(wav.sound);
  EXPECT_GE(wav.left.size(), 8'000U);
  EXPECT_GT(share(wav.left, 440), 0.9);
}

TEST(Recorder, AFullDiskIsSaidOnceAndMarksTheRecording) {
  const Directory directory;
  // A limit of the file size is what a full disk is to one file. SIGXFSZ must not end us for it.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  std::atomic<int> lines = 0;
  {
    Recorder recorder(
        {.directory = directory.path(), .log = [&](const char* event, const auto&, const auto&) {
           EXPECT_STREQ(event, "recording.failed");
           ++lines;
         }});
    const rlimit small{100'000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    for (const RecordingId id : {1U, 2U}) {
      recorder.start(id, start, "a" + std::to_string(id));
    }
    speak(recorder, 1, 500);
    recorder.stop(1, start + 10s);
    const Recorded recorded = wait_for(recorder);
    EXPECT_NE(recorded.error, "");
    EXPECT_GT(recorded.lasted, 0s);
    EXPECT_LT(recorded.lasted, 4s);
    EXPECT_TRUE(read_wav(recorded.file).sound);
    recorder.stop(2, start + 10s);
    static_cast<void>(wait_for(recorder));
  }
  EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_GE(lines, 1);
  EXPECT_LE(lines, 2);
}

TEST(Recorder, BeyondItsBoundAudioIsDroppedAndCounted) {
  const Directory directory;
  std::atomic<int> lines = 0;
  Recorder recorder({.directory = directory.path(),
                     .backlog_bytes_max = 20'000,
                     .log = [&](auto*, const auto&, const auto&) { ++lines; }});
  recorder.start(1, start, "a");
  speak(recorder, 1, 1'000);
  recorder.stop(1, start + 20s);
  const Recorded recorded = wait_for(recorder);
  EXPECT_EQ(recorded.error, "");
  EXPECT_GT(recorded.packets_dropped, 0U);
  EXPECT_EQ(recorded.lasted, 20s);
  EXPECT_GE(lines, 1);
}

}  // namespace
}  // namespace baton::media
