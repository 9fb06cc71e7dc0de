// The measures that the other tests judge by can tell good from bad.
#include "sound.h"

#include <gtest/gtest.h>

#include "mouth.h"

namespace baton::audio {
namespace {

TEST(Sound, TonesAreTold) {
  const Clip clip = render(tone(700), 0.3, 1.0, 8'000);
  EXPECT_GT(share_of_tone(clip, 700), 0.99);
  EXPECT_LT(share_of_tone(clip, 900), 0.01);
  EXPECT_GT(signal_to_noise_db(clip, 700), 60);
  EXPECT_LT(signal_to_noise_db(clip, 900), 0);
  EXPECT_EQ(share_of_tone(render(silence(), 0, 1, 8'000), 700), 0);
}

TEST(Sound, VoicesAreToldApart) {
  const Clip said = render(speech(1), 5.0, 1.5, 8'000);
  EXPECT_GT(likeness(said, render(speech(1), 4.8, 1.9, 16'000)), 0.9);
  EXPECT_LT(likeness(said, render(speech(3), 4.8, 1.9, 8'000)), 0.4);
  EXPECT_LT(likeness(said, render(tone(700), 4.8, 1.9, 8'000)), 0.4);
}

TEST(Sound, CodecsOfTheParties) {
  for (const sdp::Codec codec : sdp::all_codecs) {
    Mouth mouth(codec);
    Ear ear(codec);
    Clip heard{sample_rate(codec), {}};
    for (int i = 0; i < 50; ++i) {
      const auto part = ear.decode(mouth.encode(render(tone(1'000), i * 0.02, 0.02, heard.rate)));
      heard.samples.insert(heard.samples.end(), part.samples.begin(), part.samples.end());
    }
    EXPECT_EQ(heard.seconds(), 1.0);
    EXPECT_GT(signal_to_noise_db(heard, 1'000), 20) << sdp::encoding_name(codec);
  }
}

}  // namespace
}  // namespace baton::audio
