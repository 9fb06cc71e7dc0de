// RFC 6026 figure 5, row by row.
#include "unit/txn/world.h"

namespace baton::txn::testing {
namespace {

using sip::HeaderId;
using sip::Method;

class InviteClient : public OverTransport {
 protected:
  TxnId invite() {
    const TxnId id = world.request(Method::invite);
    request = world.take_one();
    return id;
  }
  Sent request;
};
BATON_OVER_EVERY_TRANSPORT(InviteClient);

TEST_P(InviteClient, StartSendsOnceWithViaAndRport) {
  (void)invite();
  const sip::Message message = request.message();
  EXPECT_EQ(message.top_via().transport, to_via_token(GetParam()));
  EXPECT_EQ(message.top_via().host, "192.0.2.1");
  EXPECT_EQ(message.top_via().port, 5060);
  EXPECT_EQ(message.top_via().branch().substr(0, 7), "z9hG4bK");
  EXPECT_NE(sip::find_parameter(message.top_via().parameters, "rport"), nullptr);
  EXPECT_EQ(request.owner, 42u);
  EXPECT_EQ(request.to.flow, world.peer.flow);
}

TEST_P(InviteClient, CallingTimerADoublesWithoutBound) {
  (void)invite();
  world.run(31'999ms);
  const Times expected = udp() ? Times{500, 1500, 3500, 7500, 15500, 31500} : Times{};
  for (const Sent& again : world.sent) EXPECT_EQ(again.bytes, request.bytes);
  EXPECT_EQ(world.layer.probe().requests_retransmitted, expected.size());
  EXPECT_EQ(world.take_times(), expected);
  EXPECT_TRUE(world.quiet());
}

TEST_P(InviteClient, CallingTimerBAt64T1TimesOut) {
  const TxnId id = invite();
  world.run(31'999ms + 999us);
  EXPECT_EQ(world.layer.size(), 1u);
  world.run(1us);
  const auto timeout = world.take<ClientTimeout>();
  EXPECT_EQ(timeout.txn, id);
  EXPECT_EQ(timeout.owner, 42u);
  EXPECT_EQ(timeout.method, Method::invite);
  EXPECT_EQ(world.layer.probe().timeouts, 1u);
  world.expect_rest();
}

TEST_P(InviteClient, CallingTransportErrorTellsTheUser) {
  const TxnId id = invite();
  world.layer.transport_failed(world.now, GetParam(), world.peer.remote);
  const auto failed = world.take<ClientTransportFailed>();
  EXPECT_EQ(failed.txn, id);
  EXPECT_EQ(failed.owner, 42u);
  EXPECT_EQ(failed.method, Method::invite);
  world.expect_rest();
}

TEST_P(InviteClient, CallingProvisionalStopsAandB) {
  (void)invite();
  world.answer(request, 100);
  EXPECT_EQ(world.take<ResponseReceived>().response.status(), 100);
  EXPECT_FALSE(world.layer.next_deadline().has_value());
  world.run(1h);
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(world.layer.size(), 1u);
}

TEST_P(InviteClient, CallingSuccessGoesToAccepted) {
  const TxnId id = invite();
  world.answer(request, 200);
  const auto event = world.take<ResponseReceived>();
  EXPECT_EQ(event.txn, id);
  EXPECT_EQ(event.owner, 42u);
  EXPECT_EQ(event.response.status(), 200);
  EXPECT_EQ(event.source.remote, world.source.remote);
  EXPECT_TRUE(world.sent.empty()) << "the ACK to a 2xx is the user's";
  world.run(31'999ms);
  EXPECT_EQ(world.layer.size(), 1u);
  world.run(1ms);
  world.expect_rest();
}

TEST_P(InviteClient, CallingFailureIsAcknowledged) {
  (void)invite();
  world.answer(request, 486, "busy");
  EXPECT_EQ(world.take<ResponseReceived>().response.status(), 486);
  const Sent ack = world.take_one();
  const sip::Message message = ack.message();
  EXPECT_EQ(ack.owner, 42u);
  EXPECT_EQ(message.method(), Method::ack);
  EXPECT_EQ(message.request_uri(), "sip:carol@203.0.113.9");
  EXPECT_EQ(message.header(HeaderId::via), request.message().header(HeaderId::via));
  EXPECT_EQ(message.count(HeaderId::via), 1u);
  EXPECT_EQ(message.to().tag(), "busy");
  EXPECT_EQ(message.from().tag(), "ours");
  EXPECT_EQ(message.call_id(), "ours-1");
  EXPECT_EQ(message.cseq().number, 5u);
  EXPECT_EQ(message.cseq().method, Method::ack);
  EXPECT_EQ(message.header(HeaderId::max_forwards), "70");
  const auto routes = message.elements(HeaderId::route);
  ASSERT_EQ(routes.size(), 2u);
  EXPECT_EQ(routes[0], "<sip:203.0.113.9;lr>");
  EXPECT_EQ(routes[1], "<sip:203.0.113.10;lr>");
}

TEST_P(InviteClient, ProceedingProvisionalsComeUpInOrder) {
  (void)invite();
  for (const int status : {100, 180, 183, 183}) world.answer(request, status);
  for (const int status : {100, 180, 183, 183}) {
    EXPECT_EQ(world.take<ResponseReceived>().response.status(), status);
  }
  EXPECT_TRUE(world.quiet());
}

TEST_P(InviteClient, ProceedingSuccessGoesToAccepted) {
  (void)invite();
  world.answer(request, 180);
  world.run(60s);
  world.answer(request, 200);
  (void)world.take<ResponseReceived>();
  EXPECT_EQ(world.take<ResponseReceived>().response.status(), 200);
  EXPECT_EQ(world.layer.next_deadline(), world.now + 32s);
  world.run(32s);
  world.expect_rest();
}

TEST_P(InviteClient, ProceedingFailureIsAcknowledgedForEveryClass) {
  for (const int status : {302, 404, 503, 603}) {
    (void)invite();
    world.answer(request, 180);
    world.answer(request, status);
    EXPECT_EQ(world.take_one().message().method(), Method::ack) << status;
    (void)world.take<ResponseReceived>();
    EXPECT_EQ(world.take<ResponseReceived>().response.status(), status);
    world.run(32s);
    world.expect_rest();
  }
}

TEST_P(InviteClient, ProceedingOutlivesALostTransport) {
  (void)invite();
  world.answer(request, 180);
  (void)world.take<ResponseReceived>();
  world.layer.transport_failed(world.now, GetParam(), world.peer.remote);
  EXPECT_TRUE(world.quiet());
  world.answer(request, 200);
  EXPECT_EQ(world.take<ResponseReceived>().response.status(), 200);
}

TEST_P(InviteClient, CompletedAcknowledgesRepeatsForTimerD) {
  (void)invite();
  world.answer(request, 486);
  (void)world.take<ResponseReceived>();
  const Sent ack = world.take_one();
  if (!udp()) return world.expect_rest();  // D is zero
  EXPECT_EQ(world.layer.next_deadline(), world.now + 32s);
  world.run(31'999ms);
  world.answer(request, 486);
  EXPECT_EQ(world.take_one().bytes, ack.bytes);
  EXPECT_TRUE(world.quiet());
  world.run(1ms);
  world.expect_rest();
  world.answer(request, 486);
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(world.layer.probe().stray_responses, 1u);
}

TEST_P(InviteClient, CompletedIgnoresLateProvisionalsAndSuccess) {
  if (!udp()) return;
  (void)invite();
  world.answer(request, 486);
  (void)world.take<ResponseReceived>();
  world.sent.clear();
  world.answer(request, 180);
  world.answer(request, 200);
  EXPECT_TRUE(world.quiet());
  EXPECT_TRUE(world.sent.empty());
}

TEST_P(InviteClient, AcceptedPassesRepeatsAndForksUp) {
  (void)invite();
  world.answer(request, 200, "one");
  world.run(10s);
  world.answer(request, 200, "one");
  world.answer(request, 200, "two");
  world.answer(request, 202, "three");
  for (const char* tag : {"one", "one", "two", "three"}) {
    EXPECT_EQ(world.take<ResponseReceived>().response.to().tag(), tag);
  }
  EXPECT_EQ(world.layer.next_deadline(), world.start + 32s) << "M is not restarted";
}

TEST_P(InviteClient, AcceptedIgnoresOtherResponses) {
  (void)invite();
  world.answer(request, 200);
  (void)world.take<ResponseReceived>();
  world.answer(request, 180);
  world.answer(request, 487);
  EXPECT_TRUE(world.quiet());
  EXPECT_TRUE(world.sent.empty());
}

TEST_P(InviteClient, AcceptedEndsWithTimerM) {
  (void)invite();
  world.answer(request, 200);
  (void)world.take<ResponseReceived>();
  world.run(32s);
  world.expect_rest();
  world.answer(request, 200);
  EXPECT_TRUE(world.quiet());
  EXPECT_EQ(world.layer.probe().stray_responses, 1u);
}

TEST_P(InviteClient, OtherPeersFailureDoesNotTouchIt) {
  (void)invite();
  for (const char* other :
       {"203.0.113.8:5060", "203.0.113.10:5060", "203.0.113.9:5059", "203.0.113.9:5061"}) {
    world.layer.transport_failed(world.now, GetParam(), address(other));
  }
  world.layer.transport_failed(world.now, udp() ? Transport::tcp : Transport::udp, world.peer.remote);
  EXPECT_TRUE(world.quiet());
  EXPECT_EQ(world.layer.size(), 1u);
}

// ---- CANCEL (RFC 3261 9.1) ----

TEST_P(InviteClient, CancelAfterAProvisionalGoesAtOnce) {
  const TxnId id = invite();
  world.answer(request, 180);
  (void)world.take<ResponseReceived>();
  world.layer.cancel(world.now, id, "SIP;cause=200;text=\"Call completed elsewhere\"");
  const Sent cancel = world.take_one();
  const sip::Message message = cancel.message();
  const sip::Message original = request.message();
  EXPECT_EQ(cancel.owner, 42u);
  EXPECT_EQ(cancel.to.remote, request.to.remote);
  EXPECT_EQ(message.method(), Method::cancel);
  EXPECT_EQ(message.request_uri(), original.request_uri());
  for (const HeaderId same : {HeaderId::via, HeaderId::from, HeaderId::to, HeaderId::call_id}) {
    EXPECT_EQ(message.header(same), original.header(same));
    EXPECT_EQ(message.count(same), 1u);
  }
  EXPECT_EQ(message.cseq().number, 5u);
  EXPECT_EQ(message.cseq().method, Method::cancel);
  EXPECT_EQ(message.elements(HeaderId::route), original.elements(HeaderId::route));
  EXPECT_EQ(message.header(HeaderId::reason), "SIP;cause=200;text=\"Call completed elsewhere\"");
  EXPECT_EQ(world.layer.size(), 2u);
}

// A Contact, and with it a Request-URI, may look like the Via that the layer writes.
TEST_P(InviteClient, CancelsOfTwoCallsToAUriThatNamesABranchAreTwo) {
  std::vector<TxnId> calls;
  for (const char* call : {"ours-1", "ours-2"}) {
    sip::Draft draft = World::draft(Method::invite);
    draft.request_uri("sip:carol@203.0.113.9;rport;branch=z9hG4bKtheirs");
    draft.set(HeaderId::call_id, call);
    calls.push_back(world.layer.request(world.now, draft, world.peer, 42));
    world.answer(world.take_one(), 180);
    (void)world.take<ResponseReceived>();
  }
  for (const TxnId id : calls) {
    world.layer.cancel(world.now, id);
    world.answer(world.take_one(), 200);
  }
  world.run(1s);
  EXPECT_TRUE(world.sent.empty()) << "both have been answered: " << world.sent.front().bytes;
}

TEST_P(InviteClient, CancelBeforeAProvisionalIsRemembered) {
  const TxnId id = invite();
  world.layer.cancel(world.now, id);
  EXPECT_TRUE(world.sent.empty());
  world.run(700ms);
  EXPECT_EQ(world.take_times(), udp() ? (Times{500}) : Times{}) << "the INVITE must still get through";
  world.answer(request, 100);
  EXPECT_EQ(world.take<ResponseReceived>().response.status(), 100);
  const Sent cancel = world.take_one();
  EXPECT_EQ(cancel.message().method(), Method::cancel);
  EXPECT_FALSE(cancel.message().has(HeaderId::reason));
}

TEST_P(InviteClient, CancelRememberedIsForgottenByAFinal) {
  const TxnId id = invite();
  world.layer.cancel(world.now, id);
  world.answer(request, 404);
  EXPECT_EQ(world.take_one().message().method(), Method::ack);
  (void)world.take<ResponseReceived>();
  world.run(32s);
  world.expect_rest();
}

TEST_P(InviteClient, CancelRememberedWithoutAnyAnswerTimesOut) {
  const TxnId id = invite();
  world.layer.cancel(world.now, id);
  world.run(32s);
  EXPECT_EQ(world.take<ClientTimeout>().txn, id);
  world.expect_rest();
}

TEST_P(InviteClient, CancelTwiceIsOnce) {
  const TxnId id = invite();
  world.answer(request, 180);
  world.layer.cancel(world.now, id);
  world.layer.cancel(world.now, id);
  world.answer(request, 183);
  EXPECT_EQ(world.sent.size(), 1u);
}

TEST_P(InviteClient, CancelAfterAFinalDoesNothing) {
  const TxnId id = invite();
  world.answer(request, 200);
  world.layer.cancel(world.now, id);
  EXPECT_TRUE(world.sent.empty());
  world.run(32s);
  world.layer.cancel(world.now, id);
  EXPECT_TRUE(world.sent.empty());
}

TEST_P(InviteClient, CancelledEndsWithThe487AndAbsorbsTheCancelsAnswer) {
  const TxnId id = invite();
  world.answer(request, 180);
  (void)world.take<ResponseReceived>();
  world.layer.cancel(world.now, id);
  const Sent cancel = world.take_one();
  world.answer(cancel, 200);
  EXPECT_TRUE(world.quiet());
  world.answer(request, 487);
  EXPECT_EQ(world.take<ResponseReceived>().response.status(), 487);
  EXPECT_EQ(world.take_one().message().method(), Method::ack);
  world.run(32s);
  world.expect_rest();
  EXPECT_EQ(world.layer.probe().timeouts, 0u);
}

TEST_P(InviteClient, CancelledWithoutAFinalTimesOut64T1AfterTheCancel) {
  const TxnId id = invite();
  world.answer(request, 180);
  (void)world.take<ResponseReceived>();
  world.run(20s);
  world.layer.cancel(world.now, id);
  world.answer(world.take_one(), 200);
  world.run(31'999ms);
  EXPECT_TRUE(world.quiet());
  world.run(1ms);
  EXPECT_EQ(world.take<ClientTimeout>().txn, id);
  world.expect_rest();
}

TEST_P(InviteClient, CancelUnansweredIsRepeatedLikeAnyRequestAndSaysNothing) {
  const TxnId id = invite();
  world.answer(request, 180);
  (void)world.take<ResponseReceived>();
  world.layer.cancel(world.now, id);
  world.run(31'999ms);
  EXPECT_EQ(world.take_times(),
            udp() ? (Times{0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500}) : Times{0});
  EXPECT_TRUE(world.quiet());
  world.run(1ms);
  EXPECT_EQ(world.take<ClientTimeout>().method, Method::invite);
  EXPECT_EQ(world.layer.probe().timeouts, 1u);
  world.expect_rest();
}

TEST_P(InviteClient, CancelCrossedByA2xxEndsInAccepted) {
  const TxnId id = invite();
  world.answer(request, 180);
  world.layer.cancel(world.now, id);
  const Sent cancel = world.take_one();
  world.answer(request, 200);
  (void)world.take<ResponseReceived>();
  EXPECT_EQ(world.take<ResponseReceived>().response.status(), 200);
  world.answer(cancel, 481);
  world.run(32s);
  world.expect_rest();
}

TEST_P(InviteClient, CancelThatCanNotBeSentFailsSilently) {
  const TxnId id = invite();
  world.answer(request, 180);
  (void)world.take<ResponseReceived>();
  world.layer.cancel(world.now, id);
  world.layer.transport_failed(world.now, GetParam(), world.peer.remote);
  EXPECT_TRUE(world.quiet());
  EXPECT_EQ(world.layer.size(), 1u);
  world.run(32s);
  EXPECT_EQ(world.take<ClientTimeout>().txn, id);
  world.expect_rest();
}

// ---- Other timer values ----

TEST(InviteClientTimers, FollowT1) {
  World world(Transport::udp, {1s, 4s, 5s});
  (void)world.request(Method::invite);
  world.run(64s);
  EXPECT_EQ(world.take_times(), (Times{0, 1000, 3000, 7000, 15000, 31000, 63000}));
  EXPECT_EQ(world.take<ClientTimeout>().owner, 42u);
  world.expect_rest();
}

TEST(InviteClientTimers, DIsNeverUnder32Seconds) {
  World world(Transport::udp, {100ms, 400ms, 500ms});
  (void)world.request(Method::invite);
  world.answer(world.take_one(), 486);
  EXPECT_EQ(world.layer.next_deadline(), world.now + 32s);
}

TEST(InviteClientTimers, DCoversALongT1) {
  World world(Transport::udp, {1s, 4s, 5s});
  (void)world.request(Method::invite);
  world.answer(world.take_one(), 486);
  EXPECT_EQ(world.layer.next_deadline(), world.now + 64s);
}

}  // namespace
}  // namespace baton::txn::testing
