// Prompts: files as they are found, and how they are heard.
#include "media/prompts/prompts.h"

#include <gtest/gtest.h>
#include <sndfile.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "unit/media/party.h"

namespace baton::media::test {
namespace {

class PromptTest : public RelayTest {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "baton-prompt-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  // 440 Hz.
  [[nodiscard]] std::string make(int rate, int channels, double seconds) const {
    const std::string path = directory_ / (std::to_string(rate) + "-" + std::to_string(channels) + ".wav");
    SF_INFO info{};
    info.samplerate = rate;
    info.channels = channels;
    info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
    SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
    EXPECT_NE(file, nullptr);
    std::vector<short> samples;
    if (seconds > 10)
      samples.resize(static_cast<std::size_t>(seconds * rate) * static_cast<std::size_t>(channels));
    for (int i = 0; seconds <= 10 && i < static_cast<int>(seconds * rate); ++i) {
      const double value = 8'000 * std::sin(2 * 3.141592653589793 * 440 * i / rate);
      for (int c = 0; c < channels; ++c) samples.push_back(static_cast<short>(value));
    }
    sf_writef_short(file, samples.data(), static_cast<sf_count_t>(samples.size()) / channels);
    sf_close(file);
    return path;
  }
  std::filesystem::path directory_;
};

TEST_F(PromptTest, WhatCanBeReadBecomesEightKilohertz) {
  for (const int rate : {8'000, 16'000, 48'000}) {
    for (const int channels : {1, 2}) {
      const auto prompt = read_prompt(make(rate, channels, 0.5));
      ASSERT_TRUE(prompt.has_value()) << prompt.error();
      EXPECT_EQ((*prompt)->samples.size(), 4'000U);
      EXPECT_EQ((*prompt)->pcmu.size(), 4'000U);
      EXPECT_EQ((*prompt)->pcma.size(), 4'000U);
      int crossings = 0;
      for (std::size_t i = 1; i < 4'000; ++i) {
        if (((*prompt)->samples[i - 1] < 0) != ((*prompt)->samples[i] < 0)) ++crossings;
      }
      EXPECT_NEAR(crossings, 440, 2);
    }
  }
}

TEST_F(PromptTest, WhatCanNotSaysWhy) {
  const auto why = [](const std::string& path) { return read_prompt(path).error(); };
  EXPECT_NE(why(directory_ / "none.wav").find("can not be read"), std::string::npos);
  { std::ofstream(directory_ / "text.wav") << "no audio at all"; }
  EXPECT_NE(why(directory_ / "text.wav").find("can not be read"), std::string::npos);
  EXPECT_NE(why(make(44'100, 1, 0.1)).find("44100"), std::string::npos);
  EXPECT_NE(why(make(8'000, 4, 0.1)).find("4 channels"), std::string::npos);
  EXPECT_NE(why(make(8'000, 1, 0)).find("no audio"), std::string::npos);
  EXPECT_NE(why(make(8'000, 1, 901)).find("15 minutes"), std::string::npos);
}

TEST_F(PromptTest, IsPlayedRoundAndRoundInThePartysCodec) {
  auto library = std::make_shared<PromptLibrary>();
  auto prompt = *read_prompt(make(8'000, 1, 0.1));
  library->replace({{"wait", prompt}});
  auto o = options();
  o.prompts = library;
  use(o);
  Party a(1, sdp::Codec::pcma), b(2);
  bridge(a, b);
  b.say();
  pump();
  const auto before = a.hear();
  pass(20ms);
  perform(Hear{1, Hear::Play{"wait"}});
  pass(190ms);
  const auto heard = a.hear_all();
  ASSERT_EQ(heard.size(), 10U);
  std::vector<std::uint8_t> octets;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    EXPECT_EQ(heard[i].header.payload_type, 8);
    EXPECT_EQ(heard[i].header.sequence, static_cast<std::uint16_t>(before->header.sequence + 1 + i));
    EXPECT_EQ(heard[i].header.ssrc, before->header.ssrc);
    octets.insert(octets.end(), heard[i].payload.begin(), heard[i].payload.end());
  }
  for (std::size_t i = 0; i < octets.size(); ++i) ASSERT_EQ(octets[i], prompt->pcma[i % 800]) << i;
  // Again is no interruption; what plays goes on through a reload.
  perform(Hear{1, Hear::Play{"wait"}});
  library->replace({});
  pass(20ms);
  EXPECT_EQ(a.hear_all().size(), 1U);
  hear(a, b);
  pass(100ms);
  EXPECT_TRUE(a.hear_all().empty());
  perform(Hear{1, Hear::Play{"wait"}});  // it is gone
  pass(100ms);
  EXPECT_TRUE(a.hear_all().empty());
}

// In every packet time, and whatever is left of the last packet is silent.
TEST_F(PromptTest, IsPlayedOnceAndThenThereIsSilence) {
  auto library = std::make_shared<PromptLibrary>();
  auto prompt = *read_prompt(make(8'000, 1, 0.11));
  EXPECT_EQ(prompt->lasts(), 110ms);
  library->replace({{"moment", prompt}});
  for (const sdp::Codec codec : {sdp::Codec::pcmu, sdp::Codec::pcma, sdp::Codec::g722}) {
    auto o = options();
    o.prompts = library;
    use(o);
    Party a(1, codec), b(2);
    bridge(a, b);
    for (int again = 0; again < 2; ++again) {
      perform(Hear{1, Hear::Play{"moment", true}});
      pass(500ms);
      const auto heard = a.hear_all();
      ASSERT_EQ(heard.size(), 6U);
      if (codec == sdp::Codec::g722) continue;
      std::vector<std::uint8_t> octets;
      for (const Heard& one : heard) octets.insert(octets.end(), one.payload.begin(), one.payload.end());
      std::vector<std::uint8_t> wanted = prompt->octets(codec);
      wanted.resize(960, encode(codec, std::vector<std::int16_t>(1)).front());
      EXPECT_EQ(octets, wanted);
    }
    // Begun anew in the middle, and cut short.
    perform(Hear{1, Hear::Play{"moment", true}});
    pass(50ms);
    perform(Hear{1, Hear::Play{"moment", true}});
    pass(500ms);
    EXPECT_EQ(a.hear_all().size(), 9U);
    perform(Hear{1, Hear::Play{"moment", true}});
    pass(50ms);
    hear(a, b);
    pass(500ms);
    EXPECT_EQ(a.hear_all().size(), 3U);
    b.say();
    pump();
    pass(40ms);
    EXPECT_FALSE(a.hear_all().empty());
  }
}

// Its time goes on for whoever holds meanwhile; nothing begins anew.
TEST_F(PromptTest, WhatIsPlayedOnceGoesOnAfterAHold) {
  auto library = std::make_shared<PromptLibrary>();
  library->replace({{"moment", *read_prompt(make(8'000, 1, 0.2))}});
  auto o = options();
  o.prompts = library;
  use(o);
  Party a(1), b(2);
  bridge(a, b);
  perform(Hear{1, Hear::Play{"moment", true}});
  pass(90ms);
  EXPECT_EQ(a.hear_all().size(), 5U);
  Configure hold = a.configure();
  hold.send = false;
  perform(hold);
  pass(100ms);
  perform(a.configure());
  pass(500ms);
  EXPECT_EQ(a.hear_all().size(), 5U);
}

}  // namespace
}  // namespace baton::media::test
