// Who is told what about whom (RFC 3323, 3325, 5806, 7044), before and after a transfer.
#include "cast.h"

namespace baton::sim {
namespace {

using sip::HeaderId;
using Diverted = trunk::DiversionHeader;

Play diverting(bool inbound, Diverted to_trunk, Diverted to_carrier) {
  Play play = usual_play(inbound);
  play.options.configure = [=](trunk::Model& model) {
    for (auto& trunk : model.trunks) trunk.identity.diversion = to_trunk;
    for (auto& carrier : model.carriers) carrier.identity.diversion = to_carrier;
  };
  return play;
}

TEST(Identity, ATransferredCallNamesWhoSentItOn) {
  Cast cast(diverting(true, Diverted::none, Diverted::both));
  ASSERT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr; }));
  const sip::Message& invite = *cast.target()->invite;
  const auto diversion = sip::NameAddr::parse(invite.header(HeaderId::diversion));
  ASSERT_TRUE(diversion);
  EXPECT_EQ(diversion->uri.user, number::own);
  const auto history = invite.elements(HeaderId::history_info);
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(sip::NameAddr::parse(history[0])->uri.user, number::own);
  EXPECT_EQ(sip::NameAddr::parse(history[1])->uri.user, number::target);
  cast.expect_transferred();
}

TEST(Identity, WithoutTheSettingNobodyIsToldOfDiversions) {
  Play play = diverting(true, Diverted::none, Diverted::none);
  play.transferee.invite_headers = {{"Diversion", "<sip:+12125550199@203.0.113.10>;reason=no-answer"}};
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr; }));
  for (const Party* party : {cast.transferor, cast.target()}) {
    EXPECT_FALSE(party->invite->has(HeaderId::diversion));
    EXPECT_FALSE(party->invite->has(HeaderId::history_info));
  }
  cast.expect_transferred();
}

TEST(Identity, AnEarlierDiversionIsPassedOnInOurTerms) {
  Play play = diverting(true, Diverted::diversion, Diverted::diversion);
  play.transferee.invite_headers = {{"Diversion", "<sip:+12125550199@203.0.113.10>;reason=no-answer"}};
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr; }));
  const auto at_endpoint = cast.transferor->invite->elements(HeaderId::diversion);
  ASSERT_EQ(at_endpoint.size(), 1U);
  EXPECT_EQ(sip::NameAddr::parse(at_endpoint[0])->uri.user, "+12125550199");
  EXPECT_EQ(cast.target()->invite->elements(HeaderId::diversion).size(), 2U);
  cast.expect_transferred();
}

TEST(Identity, TheEndpointDoesNotLearnAnAnonymousCallersNumber) {
  Play play = usual_play(true);
  play.transferee.invite_headers = {
      {"Privacy", "id"}, {"P-Asserted-Identity", "<sip:" + std::string(number::caller) + "@carrier>"}};
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr; }));
  EXPECT_EQ(cast.transferor->invite->bytes().find(number::caller), std::string_view::npos);
  const sip::Message& invite = *cast.target()->invite;
  EXPECT_EQ(invite.from().uri.to_string(), "sip:anonymous@anonymous.invalid");
  EXPECT_EQ(invite.header(HeaderId::privacy), "id");
  EXPECT_NE(invite.header(HeaderId::p_asserted_identity).find(number::caller), std::string_view::npos)
      << "a carrier is of the trust domain";
  cast.expect_transferred();
}

TEST(Identity, ACarrierOutsideTheTrustDomainDoesNotLearnItEither) {
  Play play = usual_play(true);
  play.transferee.invite_headers = {{"Privacy", "id"}};
  play.options.configure = [](trunk::Model& model) {
    for (auto& carrier : model.carriers) carrier.identity.reveal_anonymous = false;
  };
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr; }));
  EXPECT_EQ(cast.target()->invite->bytes().find(number::caller), std::string_view::npos);
  cast.expect_transferred();
}

TEST(Identity, APbxOfOldIsToldByRemotePartyId) {
  Play play = usual_play(true);
  play.options.configure = [](trunk::Model& model) {
    for (auto& trunk : model.trunks) trunk.identity.header = trunk::IdentityHeader::remote_party_id;
  };
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr; }));
  const auto named = sip::NameAddr::parse(cast.transferor->invite->header(HeaderId::remote_party_id));
  ASSERT_TRUE(named);
  EXPECT_EQ(named->uri.user, number::caller);
  EXPECT_FALSE(cast.transferor->invite->has(HeaderId::p_asserted_identity));
  cast.expect_transferred();
}

}  // namespace
}  // namespace baton::sim
