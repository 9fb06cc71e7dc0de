// RFC 3261 figure 8 and RFC 4320, row by row.
#include "unit/txn/world.h"

namespace baton::txn::testing {
namespace {

using sip::Method;

class NonInviteServer : public OverTransport {
 protected:
  NonInviteServer() {
    text.method = "REFER";
    text.to += ";tag=dialog";
  }
  RequestReceived refer() {
    world.receive(text.str());
    return world.take<RequestReceived>();
  }
  RequestText text;
};
BATON_OVER_EVERY_TRANSPORT(NonInviteServer);

TEST_P(NonInviteServer, TryingAbsorbsRepeats) {
  const auto event = refer();
  EXPECT_EQ(event.request.method(), Method::refer);
  world.receive(text.str());
  EXPECT_TRUE(world.quiet());
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(world.layer.size(), 1u);
}

TEST_P(NonInviteServer, TryingSends100WhenThePeersTimerEReachesT2) {
  (void)refer();
  world.run(3'499ms);
  EXPECT_TRUE(world.sent.empty());
  world.run(1ms);
  const Sent trying = world.take_one();
  EXPECT_EQ(trying.start(), "SIP/2.0 100 Trying");
  EXPECT_EQ(trying.message().call_id(), text.call_id);
  world.run(20s);
  EXPECT_TRUE(world.sent.empty()) << "once";
}

TEST_P(NonInviteServer, TryingUsers100WaitsForThatOverUdp) {
  const auto event = refer();
  world.run(1s);
  world.respond(event.txn, event.request, 100);
  EXPECT_EQ(world.sent.size(), udp() ? 0u : 1u);
  world.run(2'500ms);
  EXPECT_EQ(world.take_times(), udp() ? Times{3500} : Times{1000});
  world.respond(event.txn, event.request, 100);
  EXPECT_EQ(world.sent.size(), 1u) << "from then on it may";
}

TEST_P(NonInviteServer, NoOtherProvisionalIsEverSent) {
  const auto event = refer();
  for (const int status : {180, 183, 199}) world.respond(event.txn, event.request, status);
  EXPECT_TRUE(world.sent.empty());
  world.run(4s);
  world.sent.clear();
  world.respond(event.txn, event.request, 183);
  EXPECT_TRUE(world.sent.empty());
  world.respond(event.txn, event.request, 202);
  EXPECT_EQ(world.take_one().start(), "SIP/2.0 202 Accepted");
}

TEST_P(NonInviteServer, TryingFinalGoesToCompletedForTimerJ) {
  const auto event = refer();
  world.layer.set_owner(event.txn, 9);
  world.respond(event.txn, event.request, 202);
  const Sent accepted = world.take_one();
  EXPECT_EQ(accepted.owner, 9u);
  // On streams too: a peer whose connection died asks again on the next.
  EXPECT_EQ(world.layer.next_deadline(), world.now + 32s);
  world.run(31'999ms);
  world.receive(text.str());
  EXPECT_EQ(world.take_one().bytes, accepted.bytes);
  EXPECT_TRUE(world.quiet());
  world.run(1ms);
  world.expect_rest();
}

TEST_P(NonInviteServer, ARepeatOnAnotherConnectionIsAnsweredThere) {
  if (udp()) return;
  const auto event = refer();
  world.respond(event.txn, event.request, 202);
  const Sent first = world.take_one();
  EXPECT_EQ(first.to.flow, 77u);
  Source other = world.source;
  other.flow = 78;
  world.receive_from(other, text.str());
  const Sent again = world.take_one();
  EXPECT_EQ(again.to.flow, 78u);
  EXPECT_EQ(again.bytes, first.bytes);
  // Somebody else does not draw the answer away.
  Source stranger = other;
  stranger.flow = 79;
  stranger.remote.ip = *IpAddress::parse("192.0.2.66");
  world.receive_from(stranger, text.str());
  EXPECT_EQ(world.take_one().to.flow, 78u);
}

TEST_P(NonInviteServer, TryingLapsesWhenTheClientHasGivenUp) {
  const auto event = refer();
  world.run(31'999ms);
  EXPECT_EQ(world.layer.size(), 1u);
  world.run(1ms);
  EXPECT_EQ(world.take_times(), (Times{3500}));
  EXPECT_EQ(world.layer.probe().lapsed, 1u);
  world.respond(event.txn, event.request, 200);
  EXPECT_TRUE(world.sent.empty());
  world.expect_rest();
}

TEST_P(NonInviteServer, ProceedingRepeatGetsThe100) {
  (void)refer();
  world.run(3'500ms);
  const Sent trying = world.take_one();
  world.receive(text.str());
  EXPECT_EQ(world.take_one().bytes, trying.bytes);
  EXPECT_TRUE(world.quiet());
}

TEST_P(NonInviteServer, ProceedingFinalGoesToCompleted) {
  const auto event = refer();
  world.run(4s);
  world.sent.clear();
  world.respond(event.txn, event.request, 403);
  EXPECT_EQ(world.take_one().start(), "SIP/2.0 403 Forbidden");
  world.run(32s);
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(world.layer.probe().lapsed, 0u);
  world.expect_rest();
}

TEST_P(NonInviteServer, A408IsNotSent) {
  const auto event = refer();
  world.respond(event.txn, event.request, 408);
  world.receive(text.str());
  EXPECT_TRUE(world.sent.empty());
  EXPECT_TRUE(world.quiet()) << "the repeat is still recognised";
  world.run(32s);
  world.expect_rest();
}

TEST_P(NonInviteServer, CompletedIgnoresFurtherResponses) {
  const auto event = refer();
  world.respond(event.txn, event.request, 202);
  const Sent first = world.take_one();
  world.respond(event.txn, event.request, 500);
  EXPECT_TRUE(world.sent.empty());
  if (!udp()) return;
  world.receive(text.str());
  EXPECT_EQ(world.take_one().bytes, first.bytes);
}

TEST_P(NonInviteServer, ALostTransportChangesNothing) {
  const auto event = refer();
  world.layer.transport_failed(world.now, GetParam(), world.source.remote);
  world.respond(event.txn, event.request, 202);
  world.layer.transport_failed(world.now, GetParam(), world.source.remote);
  EXPECT_TRUE(world.quiet());
  EXPECT_EQ(world.layer.size(), 1u);
}

TEST_P(NonInviteServer, AnUnknownMethodIsARequestLikeAnother) {
  text.method = "FROBNICATE";
  const auto event = refer();
  EXPECT_EQ(event.request.method_text(), "FROBNICATE");
  world.respond(event.txn, event.request, 501);
  EXPECT_EQ(world.take_one().message().cseq().method_text, "FROBNICATE");
}

TEST(NonInviteServerTimers, The100FollowsT1AndT2) {
  RequestText text;
  text.method = "OPTIONS";
  World quick(Transport::udp, {500ms, 500ms, 5s});
  quick.receive(text.str());
  quick.run(1ms);
  EXPECT_EQ(quick.take_times(), Times{0}) << "Timer E starts at T2";
  World slow(Transport::udp, {1s, 3s, 5s});
  slow.receive(text.str());
  slow.run(10s);
  EXPECT_EQ(slow.take_times(), Times{3000}) << "1 s and 2 s, then T2";
}

}  // namespace
}  // namespace baton::txn::testing
