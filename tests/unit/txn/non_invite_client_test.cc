// RFC 3261 figure 6, row by row.
#include "unit/txn/world.h"

namespace baton::txn::testing {
namespace {

using sip::Method;

class NonInviteClient : public OverTransport {
 protected:
  TxnId bye() {
    const TxnId id = world.request(Method::bye);
    request = world.take_one();
    return id;
  }
  Sent request;
};
BATON_OVER_EVERY_TRANSPORT(NonInviteClient);

TEST_P(NonInviteClient, TryingTimerEDoublesUpToT2) {
  (void)bye();
  world.run(31'999ms);
  const Times expected =
      udp() ? Times{500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500} : Times{};
  for (const Sent& again : world.sent) EXPECT_EQ(again.bytes, request.bytes);
  EXPECT_EQ(world.take_times(), expected);
}

TEST_P(NonInviteClient, TryingTimerFAt64T1TimesOut) {
  const TxnId id = bye();
  world.run(32s - 1us);
  EXPECT_TRUE(world.quiet());
  world.run(1us);
  const auto timeout = world.take<ClientTimeout>();
  EXPECT_EQ(timeout.txn, id);
  EXPECT_EQ(timeout.owner, 42u);
  EXPECT_EQ(timeout.method, Method::bye);
  world.expect_rest();
}

TEST_P(NonInviteClient, TryingTransportErrorTellsTheUser) {
  const TxnId id = bye();
  world.layer.transport_failed(world.now, GetParam(), world.peer.remote);
  const auto failed = world.take<ClientTransportFailed>();
  EXPECT_EQ(failed.txn, id);
  EXPECT_EQ(failed.method, Method::bye);
  world.expect_rest();
}

TEST_P(NonInviteClient, TryingProvisionalComesUp) {
  (void)bye();
  world.answer(request, 100);
  EXPECT_EQ(world.take<ResponseReceived>().response.status(), 100);
}

TEST_P(NonInviteClient, TryingFinalGoesToCompletedForTimerK) {
  const TxnId id = bye();
  world.answer(request, 200);
  const auto event = world.take<ResponseReceived>();
  EXPECT_EQ(event.txn, id);
  EXPECT_EQ(event.owner, 42u);
  if (!udp()) return world.expect_rest();  // K is zero
  EXPECT_EQ(world.layer.next_deadline(), world.now + 5s);
  world.run(4'999ms);
  EXPECT_EQ(world.layer.size(), 1u);
  world.run(1ms);
  EXPECT_TRUE(world.sent.empty());
  world.expect_rest();
}

TEST_P(NonInviteClient, ProceedingTimerEIsT2) {
  (void)bye();
  world.run(200ms);
  world.answer(request, 100);
  world.run(20s);
  // The one that was running when the 100 came fires as it stood.
  EXPECT_EQ(world.take_times(), udp() ? (Times{500, 4500, 8500, 12500, 16500}) : Times{});
}

TEST_P(NonInviteClient, ProceedingTimerFIsNotExtended) {
  (void)bye();
  world.run(30s);
  world.answer(request, 100);
  (void)world.take<ResponseReceived>();
  world.run(2s);
  EXPECT_EQ(world.take<ClientTimeout>().method, Method::bye);
  world.expect_rest();
}

TEST_P(NonInviteClient, ProceedingTransportError) {
  (void)bye();
  world.answer(request, 100);
  (void)world.take<ResponseReceived>();
  world.layer.transport_failed(world.now, GetParam(), world.peer.remote);
  if (udp()) {
    (void)world.take<ClientTransportFailed>();
    return world.expect_rest();
  }
  EXPECT_TRUE(world.quiet());
  EXPECT_EQ(world.layer.size(), 1u);
}

TEST_P(NonInviteClient, ProceedingProvisionalsComeUp) {
  (void)bye();
  world.answer(request, 100);
  world.answer(request, 183);
  EXPECT_EQ(world.take<ResponseReceived>().response.status(), 100);
  EXPECT_EQ(world.take<ResponseReceived>().response.status(), 183);
}

TEST_P(NonInviteClient, ProceedingFinalGoesToCompleted) {
  (void)bye();
  world.answer(request, 100);
  world.answer(request, 481);
  (void)world.take<ResponseReceived>();
  EXPECT_EQ(world.take<ResponseReceived>().response.status(), 481);
  world.run(5s);
  EXPECT_TRUE(world.sent.empty());
  world.expect_rest();
}

TEST_P(NonInviteClient, CompletedAbsorbsRepeats) {
  if (!udp()) return;
  (void)bye();
  world.answer(request, 200);
  (void)world.take<ResponseReceived>();
  world.run(4'999ms);
  world.answer(request, 200);
  world.answer(request, 100);
  world.answer(request, 500);
  EXPECT_TRUE(world.quiet());
  EXPECT_EQ(world.layer.next_deadline(), world.start + 5s);
  world.layer.transport_failed(world.now, GetParam(), world.peer.remote);
  EXPECT_TRUE(world.quiet());
  world.run(1ms);
  world.expect_rest();
}

TEST(NonInviteClientTimers, FollowT1AndT2) {
  World world(Transport::udp, {250ms, 1s, 2s});
  (void)world.request(Method::refer);
  world.run(6s);
  EXPECT_EQ(world.take_times(), (Times{0, 250, 750, 1750, 2750, 3750, 4750, 5750}));
  world.run(10s);
  (void)world.take<ClientTimeout>();
  world.expect_rest();
}

}  // namespace
}  // namespace baton::txn::testing
