// SRTP: who gets which audio under which rule, and whose keys are used for what.
#include <algorithm>

#include "cast.h"

namespace baton::sim {
namespace {

using sdp::SrtpUse;
using sdp::Suite;
using Keys = Script::Keys;

constexpr trunk::Srtp server_rules[] = {trunk::Srtp::off, trunk::Srtp::optional, trunk::Srtp::required};
constexpr SrtpUse party_rules[] = {SrtpUse::off, SrtpUse::optional, SrtpUse::required};

void set_srtp(trunk::Model& model, trunk::Srtp of_trunks, trunk::Srtp of_carriers,
              const std::vector<Suite>& suites = {sdp::all_suites.begin(), sdp::all_suites.end()}) {
  for (trunk::Trunk& trunk : model.trunks) {
    trunk.sip.srtp = of_trunks;
    trunk.sip.srtp_suites = suites;
  }
  for (trunk::Carrier& carrier : model.carriers) {
    carrier.sip.srtp = of_carriers;
    carrier.sip.srtp_suites = suites;
  }
}

StageOptions stage_options(trunk::Srtp of_trunks, trunk::Srtp of_carriers,
                           const std::vector<Suite>& suites = {sdp::all_suites.begin(),
                                                               sdp::all_suites.end()}) {
  StageOptions options;
  options.configure = [=](trunk::Model& model) { set_srtp(model, of_trunks, of_carriers, suites); };
  return options;
}

// The server's end of that party's audio; null when it has none.
const MediaPlane::Endpoint* endpoint_of(World& world, const Party& party) {
  return party.remote ? world.media().by_local(party.remote->rtp) : nullptr;
}

// Both see it alike: what one encrypts with the other decrypts with.
void expect_agreement(World& world, const Party& party, bool encrypted) {
  const MediaPlane::Endpoint* endpoint = endpoint_of(world, party);
  ASSERT_NE(endpoint, nullptr) << party.role();
  ASSERT_TRUE(endpoint->configured) << party.role();
  EXPECT_EQ(endpoint->configured->srtp.has_value(), encrypted) << party.role();
  EXPECT_EQ(party.srtp().has_value(), encrypted) << party.role();
  if (!encrypted || !party.srtp() || !endpoint->configured->srtp) return;
  const media::Srtp& ours = *endpoint->configured->srtp;
  EXPECT_EQ(ours.suite, party.srtp()->suite) << party.role();
  EXPECT_EQ(ours.ours, party.srtp()->theirs) << party.role();
  EXPECT_EQ(ours.theirs, party.srtp()->ours) << party.role();
  EXPECT_NE(ours.ours, ours.theirs) << party.role();
}

Script caller() {
  Script script;
  script.role = "caller";
  return script;
}
Script callee() {
  Script script;
  script.role = "endpoint";
  return script;
}

void finish(Stage& stage) {
  stage.world.wind_down();
  EXPECT_EQ(stage.world.report(), "");
}

std::size_t count_logs(const World& world, const std::string& event) {
  const auto& logs = world.logs();
  return static_cast<std::size_t>(
      std::count_if(logs.begin(), logs.end(), [&](const auto& log) { return log.event == event; }));
}

TEST(Srtp, WhatACallerGets) {
  for (const trunk::Srtp server : server_rules) {
    for (const SrtpUse use : party_rules) {
      SCOPED_TRACE(std::to_string(int(server)) + " " + std::to_string(int(use)));
      Stage stage(stage_options(trunk::Srtp::off, server));
      Script script = caller();
      script.srtp.use = use;
      Party& party = stage.inbound(script, callee());
      const bool refused = (server == trunk::Srtp::off && use == SrtpUse::required) ||
                           (server == trunk::Srtp::required && use == SrtpUse::off);
      stage.world.run_until([&] { return party.up() || party.seen.over; });
      EXPECT_EQ(party.up(), !refused);
      if (refused) {
        EXPECT_EQ(party.seen.final_status, 488);
        EXPECT_TRUE(party.seen.warning.starts_with("302 ")) << party.seen.warning;
        EXPECT_EQ(Stage::newest(stage.endpoint), nullptr);
        EXPECT_EQ(stage.world.cdrs().size(), 1U);
      } else {
        expect_agreement(stage.world, party, server != trunk::Srtp::off && use != SrtpUse::off);
        expect_agreement(stage.world, *Stage::newest(stage.endpoint), false);
        EXPECT_EQ(party.seen.protocols.front(), use == SrtpUse::required ? "RTP/SAVP" : "RTP/AVP");
        EXPECT_LE(party.seen.cryptos.front().size(), 1U);
      }
      finish(stage);
    }
  }
}

TEST(Srtp, WhatACalleeIsOffered) {
  for (const trunk::Srtp server : server_rules) {
    for (const SrtpUse use : party_rules) {
      SCOPED_TRACE(std::to_string(int(server)) + " " + std::to_string(int(use)));
      Stage stage(stage_options(server, trunk::Srtp::off));
      Script script = callee();
      script.srtp.use = use;
      Party& party = stage.inbound(caller(), script);
      const bool refused = (server == trunk::Srtp::off && use == SrtpUse::required) ||
                           (server == trunk::Srtp::required && use == SrtpUse::off);
      stage.world.run_until([&] { return party.up() || party.seen.over; });
      EXPECT_EQ(party.up(), !refused);
      const Party& called = *Stage::newest(stage.endpoint);
      if (refused) {
        EXPECT_EQ(party.seen.final_status, 488);
      } else {
        expect_agreement(stage.world, party, false);
        expect_agreement(stage.world, called, server != trunk::Srtp::off && use != SrtpUse::off);
      }
      EXPECT_EQ(called.seen.protocols.front(), server == trunk::Srtp::required ? "RTP/SAVP" : "RTP/AVP");
      EXPECT_EQ(called.seen.cryptos.front().size(), server == trunk::Srtp::off ? 0U : 4U);
      finish(stage);
    }
  }
}

TEST(Srtp, EverySuiteOnEitherSide) {
  for (const Suite one : sdp::all_suites) {
    for (const Suite other : sdp::all_suites) {
      Stage stage(stage_options(trunk::Srtp::required, trunk::Srtp::required));
      Script first = caller(), second = callee();
      first.srtp = {SrtpUse::required, {one}};
      second.srtp = {SrtpUse::required, {other}};
      Party& party = stage.inbound(first, second);
      ASSERT_TRUE(stage.world.run_until([&] { return party.up(); }));
      const Party& called = *Stage::newest(stage.endpoint);
      expect_agreement(stage.world, party, true);
      expect_agreement(stage.world, called, true);
      EXPECT_EQ(party.srtp()->suite, one);
      EXPECT_EQ(called.srtp()->suite, other);
      EXPECT_NE(party.srtp()->theirs, called.srtp()->theirs) << "each leg has its own keys";
      finish(stage);
    }
  }
}

TEST(Srtp, OnlyConfiguredSuitesAndTheCallersOrder) {
  Stage stage(stage_options(trunk::Srtp::required, trunk::Srtp::required,
                            {Suite::aead_aes_128_gcm, Suite::aes_cm_128_hmac_sha1_80}));
  Script script = caller(), answering = callee();
  script.srtp = {SrtpUse::required,
                 {Suite::aead_aes_256_gcm, Suite::aes_cm_128_hmac_sha1_80, Suite::aead_aes_128_gcm}};
  answering.srtp.use = SrtpUse::required;
  Party& party = stage.inbound(script, answering);
  ASSERT_TRUE(stage.world.run_until([&] { return party.up(); }));
  EXPECT_EQ(party.srtp()->suite, Suite::aes_cm_128_hmac_sha1_80);
  EXPECT_EQ(party.remote->crypto.front().tag, 42U);
  EXPECT_EQ(Stage::newest(stage.endpoint)->seen.cryptos.front().size(), 2U);
  expect_agreement(stage.world, party, true);
  finish(stage);
}

TEST(Srtp, AnswersThatCanNotBeUsedEndTheCall) {
  for (const Keys answer : {Keys::other_tag, Keys::reflected, Keys::none}) {
    Stage stage(stage_options(trunk::Srtp::required, trunk::Srtp::off));
    Script script = callee();
    script.srtp.use = SrtpUse::required;
    script.answers_with = answer;
    Party& party = stage.inbound(caller(), script);
    EXPECT_TRUE(stage.world.run_until([&] { return party.seen.over; })) << int(answer);
    EXPECT_FALSE(party.seen.answered);
    EXPECT_EQ(Stage::newest(stage.endpoint)->seen.over_by, "server");
    finish(stage);
  }
}

// rtpengine takes no key of ours: what it encrypts with is what both descriptions of a leg say.
TEST(Srtp, APlaneWithKeysOfItsOwnIsTakenAtItsWord) {
  for (const Suite suite : sdp::all_suites) {
    Stage stage(stage_options(trunk::Srtp::optional, trunk::Srtp::required));
    stage.world.media().make_keys();
    Script script = caller(), answering = callee();
    script.srtp = answering.srtp = {SrtpUse::required, {suite}};
    Party& party = stage.inbound(script, answering);
    ASSERT_TRUE(stage.world.run_until([&] { return party.up(); }));
    stage.world.run_for(1s);
    const auto ours = [&] { return endpoint_of(stage.world, party)->configured->srtp->ours; };
    const sdp::MasterKey before = ours();
    expect_agreement(stage.world, party, true);
    expect_agreement(stage.world, *Stage::newest(stage.endpoint), true);
    // There is no other one, also for a peer that has moved.
    ++party.key_round;
    party.local.rtp.port = 31'000;
    ++party.local.version;
    party.peer->act(party, {.what = What::reinvite});
    stage.world.run_for(2s);
    expect_agreement(stage.world, party, true);
    EXPECT_EQ(ours(), before);
    finish(stage);
  }
}

TEST(Srtp, OffersWithoutAnInviteOfOurs) {
  Stage stage(stage_options(trunk::Srtp::required, trunk::Srtp::required));
  Script script = caller(), answering = callee();
  script.offerless = true;
  script.srtp.use = answering.srtp.use = SrtpUse::required;
  Party& party = stage.inbound(script, answering);
  ASSERT_TRUE(stage.world.run_until([&] { return party.up(); }));
  stage.world.run_for(1s);
  expect_agreement(stage.world, party, true);
  EXPECT_EQ(party.seen.protocols.front(), "RTP/SAVP");
  finish(stage);
}

// ---- In the call ----

struct Talk {
  explicit Talk(SrtpUse use = SrtpUse::required)
      : stage(stage_options(trunk::Srtp::optional, trunk::Srtp::optional)) {
    Script script = caller();
    script.srtp.use = use;
    party = &stage.inbound(script, callee());
    EXPECT_TRUE(stage.world.run_until([&] { return party->up(); }));
    stage.world.run_for(1s);
  }
  void reinvite() {
    party->peer->act(*party, {.what = What::reinvite});
    stage.world.run_for(2s);
    EXPECT_EQ(party->seen.reinvite_answers.back(), 200);
  }
  [[nodiscard]] media::Srtp agreed() {
    const MediaPlane::Endpoint* endpoint = endpoint_of(stage.world, *party);
    return endpoint != nullptr ? endpoint->configured->srtp.value_or(media::Srtp{}) : media::Srtp{};
  }

  Stage stage;
  Party* party = nullptr;
};

TEST(Srtp, ARefreshKeepsTheKeys) {
  Talk talk;
  const media::Srtp before = talk.agreed();
  const auto version = talk.party->remote->origin_version;
  talk.reinvite();
  EXPECT_EQ(talk.agreed(), before);
  EXPECT_EQ(talk.party->remote->origin_version, version);
  finish(talk.stage);
}

TEST(Srtp, ANewKeyOfThePeersIsTakenAndOursStays) {
  Talk talk;
  const media::Srtp before = talk.agreed();
  ++talk.party->key_round;
  talk.reinvite();
  EXPECT_NE(talk.agreed().theirs, before.theirs);
  EXPECT_EQ(talk.agreed().ours, before.ours);
  expect_agreement(talk.stage.world, *talk.party, true);
  finish(talk.stage);
}

TEST(Srtp, WhoMovesAndChangesItsKeyGetsANewOneOfOurs) {
  Talk talk;
  const media::Srtp before = talk.agreed();
  ++talk.party->key_round;
  talk.party->local.rtp.port = 31'000;
  ++talk.party->local.version;
  talk.reinvite();
  EXPECT_NE(talk.agreed().theirs, before.theirs);
  EXPECT_NE(talk.agreed().ours, before.ours);
  expect_agreement(talk.stage.world, *talk.party, true);
  finish(talk.stage);
}

TEST(Srtp, HoldAndResumeKeepTheKeys) {
  Talk talk;
  const media::Srtp before = talk.agreed();
  for (const What what : {What::hold, What::resume}) {
    talk.party->peer->act(*talk.party, {.what = what});
    talk.stage.world.run_for(2s);
    EXPECT_EQ(talk.agreed(), before);
  }
  finish(talk.stage);
}

TEST(Srtp, APlainReofferIsRefusedWhereSrtpIsRequired) {
  Stage stage(stage_options(trunk::Srtp::off, trunk::Srtp::required));
  Script script = caller();
  script.srtp.use = SrtpUse::required;
  Party& party = stage.inbound(script, callee());
  ASSERT_TRUE(stage.world.run_until([&] { return party.up(); }));
  stage.world.run_for(1s);
  const auto before = endpoint_of(stage.world, party)->configured->srtp;
  ASSERT_TRUE(before);
  const sdp::RemoteAudio agreed = *party.remote;
  party.remote->crypto.clear();
  party.remote->secure = false;
  party.peer->act(party, {.what = What::reinvite});
  stage.world.run_for(2s);
  EXPECT_EQ(party.seen.reinvite_answers, std::vector<int>{488});
  party.remote = agreed;
  EXPECT_EQ(endpoint_of(stage.world, party)->configured->srtp, before);
  finish(stage);
}

// Away and back again: never the same key twice, because its packets would be numbered anew.
TEST(Srtp, FromSrtpToRtpAndBackTakesANewKey) {
  Talk talk;
  const media::Srtp before = talk.agreed();
  const sdp::RemoteAudio agreed = *talk.party->remote;
  talk.party->script.srtp.use = SrtpUse::optional;
  talk.party->remote->crypto.clear();
  talk.party->remote->secure = false;
  talk.reinvite();
  expect_agreement(talk.stage.world, *talk.party, false);
  talk.party->remote = agreed;
  talk.reinvite();
  expect_agreement(talk.stage.world, *talk.party, true);
  EXPECT_NE(talk.agreed().ours, before.ours);
  finish(talk.stage);
}

// Before the call is up any key may come back with its early dialog, so there are no more than the plane
// keeps; what is too much changes nothing.
TEST(Srtp, WhoMovesTooOftenBeforeTheAnswerIsRefused) {
  Stage stage(stage_options(trunk::Srtp::optional, trunk::Srtp::optional));
  Script script = callee();
  script.srtp.use = SrtpUse::required;
  script.early_media = script.reliable = script.allows_update = true;
  script.final_after = 40s;
  Party& calling = stage.inbound(caller(), script);
  ASSERT_TRUE(stage.world.run_until([&] { return !calling.seen.provisionals.empty(); }));
  stage.world.run_for(1s);
  Party& party = *Stage::newest(stage.endpoint);
  const auto ours = [&] { return endpoint_of(stage.world, party)->configured->srtp->ours; };
  std::vector<sdp::MasterKey> keys{ours()};
  std::size_t refused = 0;
  for (int i = 0; i < 20; ++i) {
    const Party before = party;
    ++party.key_round;
    ++party.local.version;
    ++party.local.rtp.port;
    party.peer->act(party, {.what = What::update_offer});
    stage.world.run_for(1s);
    ASSERT_EQ(party.seen.update_answers.size(), static_cast<std::size_t>(i) + 1);
    if (party.seen.update_answers.back() == 488) {
      ++refused;
      party.key_round = before.key_round;
      party.local = before.local;
      EXPECT_EQ(ours(), keys.back());
    } else {
      EXPECT_EQ(refused, 0U);
      EXPECT_EQ(std::count(keys.begin(), keys.end(), ours()), 0);
      keys.push_back(ours());
    }
  }
  // Four keys were in the offer, of which one is in use.
  EXPECT_EQ(keys.size() + 3, media::srtp_keys_kept);
  EXPECT_GT(refused, 0U);
  ASSERT_TRUE(stage.world.run_until([&] { return calling.up(); }));
  expect_agreement(stage.world, party, true);
  EXPECT_EQ(ours(), keys.back());
  // In the call none comes back, so it may move on.
  ++party.key_round;
  ++party.local.version;
  ++party.local.rtp.port;
  party.peer->act(party, {.what = What::reinvite});
  stage.world.run_for(2s);
  EXPECT_EQ(party.seen.reinvite_answers, std::vector<int>{200});
  EXPECT_NE(ours(), keys.back());
  expect_agreement(stage.world, party, true);
  finish(stage);
}

TEST(Srtp, KeysInTheClearAreWarnedOfOncePerPeer) {
  Stage stage(stage_options(trunk::Srtp::off, trunk::Srtp::optional));
  Script script = caller();
  script.srtp.use = SrtpUse::optional;
  for (int i = 0; i < 3; ++i) {
    Party& party = stage.inbound(script, callee());
    ASSERT_TRUE(stage.world.run_until([&] { return party.up(); }));
  }
  EXPECT_EQ(count_logs(stage.world, "srtp.keys_in_clear"), 1U);
  finish(stage);
}

TEST(Srtp, ByItselfOnlyOverTls) {
  for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls}) {
    StageOptions options;
    options.endpoint_transport = transport;
    Stage stage(options);
    Script script = callee();
    script.srtp.use = SrtpUse::optional;
    Party& party = stage.inbound(caller(), script);
    ASSERT_TRUE(stage.world.run_until([&] { return party.up(); }));
    expect_agreement(stage.world, *Stage::newest(stage.endpoint), transport == Transport::tls);
    EXPECT_EQ(count_logs(stage.world, "srtp.keys_in_clear"), 0U);
    finish(stage);
  }
}

// ---- Transfers ----

class SrtpTransfer : public BothWays {};
INSTANTIATE_TEST_SUITE_P(Calls, SrtpTransfer, ::testing::Bool(), direction_name);

TEST_P(SrtpTransfer, EachPartyKeepsItsOwnProfile) {
  // Bit by bit: transferee, transferor, target.
  for (unsigned who = 0; who < 8; ++who) {
    SCOPED_TRACE(who);
    Play one = play();
    one.options.configure = [](trunk::Model& model) {
      set_srtp(model, trunk::Srtp::optional, trunk::Srtp::optional);
    };
    one.transferee.srtp.use = (who & 1) != 0 ? SrtpUse::required : SrtpUse::off;
    one.transferor.srtp.use = (who & 2) != 0 ? SrtpUse::required : SrtpUse::off;
    one.target.srtp.use = (who & 4) != 0 ? SrtpUse::required : SrtpUse::off;
    Cast cast(one);
    ASSERT_TRUE(cast.world().run_until([&] { return cast.transferee->up(); }));
    cast.world().run_for(100ms);
    const auto before = cast.transferee->srtp();
    ASSERT_TRUE(cast.run_until_final_notify());
    cast.world().run_for(1s);
    expect_agreement(cast.world(), *cast.transferee, (who & 1) != 0);
    expect_agreement(cast.world(), *cast.target(), (who & 4) != 0);
    EXPECT_EQ(cast.transferee->srtp(), before) << "a transfer changes no key of the other party's";
    cast.expect_transferred();
  }
}

TEST_P(SrtpTransfer, ATransfereeOnHoldIsOfferedWhatItHad) {
  Play one = play();
  one.options.configure = [](trunk::Model& model) {
    set_srtp(model, trunk::Srtp::optional, trunk::Srtp::optional);
  };
  one.transferee.srtp = {SrtpUse::required, {Suite::aes_cm_128_hmac_sha1_80, Suite::aead_aes_128_gcm}};
  one.transferee.acts.push_back({When::established, 200ms, What::hold});
  Cast cast(one);
  ASSERT_TRUE(cast.run_until_final_notify());
  cast.world().run_for(2s);
  ASSERT_GE(cast.transferee->seen.cryptos.size(), 3U);
  const Seen& seen = cast.transferee->seen;
  EXPECT_EQ(seen.protocols.back(), GetParam() ? "RTP/SAVP" : "RTP/AVP");
  ASSERT_EQ(seen.cryptos.back().size(), 1U);
  const auto& first = seen.cryptos.front();
  EXPECT_NE(std::find(first.begin(), first.end(), seen.cryptos.back().front()), first.end());
  expect_agreement(cast.world(), *cast.transferee, true);
  cast.world().wind_down();
  cast.expect_no_violation();
}

}  // namespace
}  // namespace baton::sim
