// Calls and transfers over TLS: what they say of it in SIP, whom a certificate must name, and connections
// that die in mid-call.
#include "cast.h"

namespace baton::sim {
namespace {

class OverTls : public BothWays {
 protected:
  [[nodiscard]] Play tls_play() const {
    Play script = play();
    script.options.endpoint_transport = Transport::tls;
    script.options.target_transport = Transport::tls;
    return script;
  }
};
INSTANTIATE_TEST_SUITE_P(Calls, OverTls, ::testing::Bool(), direction_name);

TEST_P(OverTls, ATransferGoesAsOverAnyOther) {
  Cast cast(tls_play());
  ASSERT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr; }));
  const sip::Message& invite = *cast.target()->invite;
  EXPECT_EQ(invite.top_via().transport, "TLS");
  EXPECT_EQ(invite.contact()->uri.scheme, sip::Scheme::sip);
  EXPECT_EQ(invite.contact()->uri.transport(), Transport::tls);
  EXPECT_EQ(sip::Uri::parse(invite.request_uri())->transport(), Transport::tls);
  cast.expect_transferred();
}

TEST_P(OverTls, SipsOnlyWhereItIsAskedFor) {
  Play script = tls_play();
  script.options.configure = [](trunk::Model& model) {
    for (trunk::Carrier& carrier : model.carriers) {
      if (carrier.id == "east") carrier.gateways.front().sips = true;
    }
  };
  Cast cast(script);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr; }));
  const sip::Message& invite = *cast.target()->invite;
  EXPECT_EQ(invite.request_uri().rfind("sips:", 0), 0U) << invite.request_uri();
  EXPECT_EQ(invite.contact()->uri.scheme, sip::Scheme::sips);
  EXPECT_EQ(invite.contact()->uri.parameter("transport"), nullptr);
  EXPECT_EQ(invite.top_via().transport, "TLS");
  cast.expect_transferred();
}

// A carrier that called us is called back as who it was configured, whatever its Contact says it is.
TEST(CarrierOverTls, ConnectedToAgainMustBeTheGatewayThatIsConfigured) {
  StageOptions options;
  options.target_transport = Transport::tls;
  options.configure = [](trunk::Model& model) { model.carriers[1].gateways[0].host = "gw.example.net"; };
  Stage stage(options);
  Script endpoint, caller;
  stage.endpoint.expect(number::own, endpoint);
  Party& party = stage.east.call(caller, number::target,
                                 "sip:" + std::string(number::own) + "@" + server_address().to_string());
  ASSERT_TRUE(stage.world.run_until([&] { return party.up(); }));
  stage.world.break_connections_of(stage.east);
  stage.world.run_for(1s);
  stage.endpoint.act(*Stage::newest(stage.endpoint), {.what = What::bye});
  EXPECT_TRUE(stage.world.run_until([&] { return party.seen.over; }, 5s));
  EXPECT_EQ(stage.world.tls_names().count("gw.example.net"), 1U);
  stage.world.run_to_rest();
  EXPECT_TRUE(stage.world.violations().empty()) << stage.world.report();
}

// RFC 5922 7.3: the name that was asked for, whatever DNS makes of it and wherever the Contact is.
TEST_P(OverTls, TheCertificateMustNameTheHostThatWasAskedFor) {
  Play script = tls_play();
  const SocketAddress east{IpAddress::v4(203, 0, 113, 20), 5060};
  script.options.dns_targets = {{"gw.example.net", {{Transport::tls, east}}}};
  script.options.configure = [](trunk::Model& model) {
    for (trunk::Carrier& carrier : model.carriers) {
      if (carrier.id == "east") carrier.gateways.front().host = "gw.example.net";
    }
  };
  Cast cast(script);
  cast.expect_transferred();
  EXPECT_EQ(cast.world().tls_names().count("gw.example.net"), 1U);
  // Requests inside its dialog too: its Contact's address is nobody it has a certificate for.
  EXPECT_EQ(cast.world().tls_names().count("203.0.113.20"), 0U);
}

TEST_P(OverTls, TransferorsConnectionDiesBetweenReferAnd200) {
  Play script = tls_play();
  script.target.final_after = 5s;
  script.transferor.acts.push_back({When::ringing_notified, 1s, What::lose_connection});
  Cast cast(script);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  cast.world().run_for(3s);
  ASSERT_NE(cast.target(), nullptr);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 200);
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

TEST_P(OverTls, TargetsConnectionDiesWhileItRings) {
  Play script = tls_play();
  script.target.final_after = 5s;
  script.target.acts = {{When::ringing, 1s, What::lose_connection}};
  Cast cast(script);
  EXPECT_TRUE(cast.run_until_final_notify());
  cast.world().run_for(3s);
  cast.world().wind_down();
  EXPECT_TRUE(cast.world().violations().empty()) << cast.world().report();
}

}  // namespace
}  // namespace baton::sim
