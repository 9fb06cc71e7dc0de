// Whole calls heard, with SRTP or without it on each side: every ordered pair of codecs before a transfer and
// after it, in every combination of the two.
#include <array>

#include "scene.h"

namespace baton::audio {
namespace {

using sdp::Codec;

class SecretCalls : public ::testing::TestWithParam<Codec> {};
INSTANTIATE_TEST_SUITE_P(Transferee, SecretCalls, ::testing::ValuesIn(sdp::all_codecs),
                         [](const auto& tested) { return std::string(sdp::encoding_name(tested.param)); });

// With these three, each of two sides is with and without it against each of the other, both for the pair
// before the transfer and for the one after it.
struct Secret {
  bool transferee, transferor, target;
};
constexpr Secret mixtures[] = {
    {false, false, false}, {false, true, true}, {true, false, true}, {true, true, false}};

void use_srtp(sim::Script& script, bool secret, sdp::Suite suite) {
  if (secret) script.srtp = {.use = sdp::SrtpUse::required, .suites = {suite}};
}

TEST_P(SecretCalls, AreHeardBeforeDuringAndAfterATransfer) {
  const auto& codecs = sdp::all_codecs;
  unsigned nth = static_cast<unsigned>(GetParam());
  for (std::size_t j = 0; j < codecs.size(); ++j) {
    const Codec transferor = codecs[(static_cast<std::size_t>(GetParam()) + j) % codecs.size()];
    for (const Secret& secret : mixtures) {
      SCOPED_TRACE(std::string(sdp::encoding_name(transferor)) + ", then " +
                   std::string(sdp::encoding_name(codecs[j])) + (secret.transferee ? " S" : " -") +
                   (secret.transferor ? "S" : "-") + (secret.target ? "S" : "-"));
      Scene scene(nth % 2 == 0);
      scene.play.options.configure = [](trunk::Model& model) {
        for (trunk::Trunk& trunk : model.trunks) trunk.sip.srtp = trunk::Srtp::optional;
        for (trunk::Carrier& carrier : model.carriers) carrier.sip.srtp = trunk::Srtp::optional;
      };
      scene.play.transferee.codecs = {GetParam()};
      scene.play.transferor.codecs = {transferor};
      scene.play.target.codecs = {codecs[j]};
      scene.play.target.final_after = 600ms;
      use_srtp(scene.play.transferee, secret.transferee, sdp::all_suites[nth % 4]);
      use_srtp(scene.play.transferor, secret.transferor, sdp::all_suites[(nth + 1) % 4]);
      use_srtp(scene.play.target, secret.target, sdp::all_suites[(nth + 2) % 4]);
      ++nth;
      ASSERT_NO_FATAL_FAILURE(scene.begin());
      const sim::Party& transferee = *scene.cast->transferee;
      scene.expect_talk(transferee, *scene.cast->transferor);
      ASSERT_NO_FATAL_FAILURE(scene.transfer());
      const Clip ring = scene.phone(transferee).clip(scene.cut - 300ms, scene.cut - 100ms);
      EXPECT_GT(share_of_tone(ring, 400) + share_of_tone(ring, 450), 0.8);
      scene.cast->world().run_for(600ms);
      scene.expect_talk(transferee, *scene.cast->target());
      const bool shared = GetParam() == codecs[j];
      EXPECT_LE(scene.phone(transferee).longest_gap(scene.cut - 300ms, scene.now()), shared ? 40ms : 60ms);
      EXPECT_EQ(transferee.srtp().has_value(), secret.transferee);
      EXPECT_EQ(scene.cast->target()->srtp().has_value(), secret.target);
      scene.end();
      if (::testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace baton::audio
