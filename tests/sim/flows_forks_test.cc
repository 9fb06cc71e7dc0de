// Early dialogs side by side, each with a session of its own (RFC 3261 12.1, RFC 3311).
#include <algorithm>

#include "cast.h"

namespace baton::sim {
namespace {

using sdp::Codec;
using sdp::SrtpUse;
using sdp::Suite;

class Forks : public BothWays {
 protected:
  static Play plain() {
    Play play = usual_play(GetParam());
    play.transferor.acts.clear();
    Script& called = callee(play);
    called.fork_tags = {"othera", "otherb"};
    called.early_media = called.reliable = called.allows_update = true;
    called.final_after = 3s;
    return play;
  }
  static Script& callee(Play& play) { return GetParam() ? play.transferor : play.transferee; }
  static Party& callee(Cast& cast) { return GetParam() ? *cast.transferor : *cast.transferee; }
};
INSTANTIATE_TEST_SUITE_P(Calls, Forks, ::testing::Bool(), direction_name);

// Others choose another codec and another suite, and change both again; then the first one answers.
TEST_P(Forks, EachHasASessionOfItsOwn) {
  for (const bool srtp : {false, true}) {
    Play play = plain();
    callee(play).codecs = {Codec::pcma};
    callee(play).fork_codecs = {Codec::g722, Codec::pcmu};
    if (srtp) {
      callee(play).srtp = {.use = SrtpUse::required, .suites = {Suite::aes_cm_128_hmac_sha1_80}};
      callee(play).fork_suites = {Suite::aead_aes_256_gcm};
      play.options.configure = [](trunk::Model& model) {
        for (trunk::Trunk& trunk : model.trunks) trunk.sip.srtp = trunk::Srtp::optional;
        for (trunk::Carrier& carrier : model.carriers) carrier.sip.srtp = trunk::Srtp::optional;
      };
    }
    Cast cast(play);
    ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor && cast.transferor->up(); }));
    cast.world().run_for(1s);
    const auto& forks = callee(cast).peer->forks();
    ASSERT_EQ(forks.size(), 2U);
    for (const auto& [tag, fork] : forks) {
      // Its offer was answered under its own terms, with the next version of its own o= line.
      EXPECT_EQ(fork.seen.update_answers, std::vector<int>{200}) << tag;
      ASSERT_TRUE(fork.remote) << tag;
      EXPECT_EQ(fork.remote->formats.size(), 1U) << tag;
      EXPECT_EQ(fork.remote->origin_version, callee(cast).remote->origin_version + 1) << tag;
    }
    const auto* endpoint = cast.world().media().by_local(callee(cast).remote->rtp);
    ASSERT_TRUE(endpoint != nullptr && endpoint->configured);
    EXPECT_EQ(endpoint->configured->format, (sdp::Format{Codec::pcma, 8}));
    EXPECT_EQ(endpoint->configured->srtp.has_value(), srtp);
    if (srtp) {
      EXPECT_EQ(endpoint->configured->srtp->suite, Suite::aes_cm_128_hmac_sha1_80);
      EXPECT_EQ(endpoint->configured->srtp->theirs, callee(cast).srtp()->ours);
      EXPECT_EQ(endpoint->configured->srtp->ours, callee(cast).srtp()->theirs);
    }
    EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
    cast.hang_up(*cast.transferor);
    cast.expect_rest();
  }
}

// The proxy in front of them passes up a challenge after all; the INVITE that follows makes its offer anew,
// whatever was agreed with those who rang for the first one.
TEST_P(Forks, AChallengeAfterTheyRangBeginsAnew) {
  if (GetParam()) GTEST_SKIP() << "endpoints are not answered with a password";
  for (const bool srtp : {false, true}) {
    for (const bool early_media : {false, true}) {
      SCOPED_TRACE(std::to_string(srtp) + std::to_string(early_media));
      Play play = plain();
      Script& called = callee(play);
      called.challenge = 407;
      called.challenge_after = 1s;
      called.early_again = early_media;
      called.password = "gate secret";
      called.codecs = {Codec::pcma};
      called.fork_codecs = {Codec::g722, Codec::pcmu};
      if (srtp) {
        called.srtp = {.use = SrtpUse::required, .suites = {Suite::aes_cm_128_hmac_sha1_80}};
        called.fork_suites = {Suite::aead_aes_256_gcm};
      }
      play.options.configure = [srtp](trunk::Model& model) {
        for (auto& gateway : model.carriers[0].gateways) {
          gateway.auth_username = "baton";
          gateway.auth_password = "gate secret";
        }
        if (!srtp) return;
        for (trunk::Trunk& trunk : model.trunks) trunk.sip.srtp = trunk::Srtp::optional;
        for (trunk::Carrier& carrier : model.carriers) carrier.sip.srtp = trunk::Srtp::optional;
      };
      Cast cast(play);
      ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor && cast.transferor->up(); }));
      cast.world().run_for(1s);
      EXPECT_EQ(callee(cast).peer->forks().size(), 2U);
      ASSERT_TRUE(callee(cast).up());
      const auto* endpoint = cast.world().media().by_local(callee(cast).remote->rtp);
      ASSERT_TRUE(endpoint != nullptr && endpoint->configured);
      EXPECT_EQ(endpoint->configured->format, (sdp::Format{Codec::pcma, 8}));
      ASSERT_EQ(endpoint->configured->srtp.has_value(), srtp);
      if (srtp) {
        EXPECT_EQ(endpoint->configured->srtp->ours, callee(cast).srtp()->theirs);
      }
      EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
      cast.hang_up(*cast.transferor);
      cast.expect_rest();
    }
  }
}

}  // namespace
}  // namespace baton::sim
