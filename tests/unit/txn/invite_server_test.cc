// RFC 6026 figure 7, row by row.
#include "unit/txn/world.h"

namespace baton::txn::testing {
namespace {

using sip::HeaderId;
using sip::Method;

class InviteServer : public OverTransport {
 protected:
  RequestReceived invite() {
    world.receive(text.str());
    return world.take<RequestReceived>();
  }
  void acknowledge(const std::string& tag = "us") {
    RequestText ack = text;
    ack.method = "ACK";
    ack.to += ";tag=" + tag;
    world.receive(ack.str());
  }
  RequestText text;
};
BATON_OVER_EVERY_TRANSPORT(InviteServer);

TEST_P(InviteServer, StartTellsTheUserAndSendsNothingYet) {
  const RequestReceived event = invite();
  EXPECT_EQ(event.request.method(), Method::invite);
  EXPECT_EQ(event.source.remote, world.source.remote);
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(world.layer.size(), 1u);
}

TEST_P(InviteServer, ProceedingSends100After200Milliseconds) {
  text.more = "Timestamp: 54.21\r\n";
  (void)invite();
  world.run(199ms);
  EXPECT_TRUE(world.sent.empty());
  world.run(1ms);
  const Sent trying = world.take_one();
  EXPECT_EQ(trying.start(), "SIP/2.0 100 Trying");
  const sip::Message message = trying.message();
  EXPECT_TRUE(message.to().tag().empty());
  EXPECT_EQ(message.from().tag(), "alice");
  EXPECT_EQ(message.call_id(), text.call_id);
  EXPECT_EQ(message.cseq().number, 1u);
  EXPECT_EQ(message.header(HeaderId::timestamp), "54.21");
  EXPECT_EQ(message.top_via().branch(), "z9hG4bKpeer1");
  world.run(1h);
  EXPECT_TRUE(world.sent.empty()) << "once";
}

TEST_P(InviteServer, ProceedingSendsNo100AfterAnAnswer) {
  const auto event = invite();
  world.respond(event.txn, event.request, 180);
  EXPECT_EQ(world.take_one().start(), "SIP/2.0 180 Ringing");
  EXPECT_FALSE(world.layer.next_deadline().has_value());
}

TEST_P(InviteServer, ProceedingUsers100TakesThePlaceOfOurs) {
  const auto event = invite();
  world.respond(event.txn, event.request, 100);
  world.run(1s);
  EXPECT_EQ(world.take_one().start(), "SIP/2.0 100 Trying");
}

TEST_P(InviteServer, ProceedingInviteAgainBeforeAnyAnswerIsAbsorbed) {
  (void)invite();
  world.receive(text.str());
  EXPECT_TRUE(world.quiet());
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(world.layer.size(), 1u);
}

TEST_P(InviteServer, ProceedingInviteAgainGetsTheLastProvisional) {
  const auto event = invite();
  world.run(500ms);
  world.receive(text.str());
  auto sent = world.take_sent();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].bytes, sent[1].bytes);
  world.respond(event.txn, event.request, 180);
  world.respond(event.txn, event.request, 183);
  world.receive(text.str());
  sent = world.take_sent();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[2].start(), "SIP/2.0 183 Session Progress");
  EXPECT_EQ(sent[2].bytes, sent[1].bytes);
  EXPECT_TRUE(world.quiet());
  EXPECT_EQ(world.layer.probe().responses_retransmitted, 2u);
}

TEST_P(InviteServer, ProceedingAckMeansNothing) {
  (void)invite();
  acknowledge();
  EXPECT_TRUE(world.quiet());
  EXPECT_EQ(world.layer.size(), 1u);
}

TEST_P(InviteServer, ProceedingWaitsForTheUserAsLongAsItTakes) {
  const auto event = invite();
  world.respond(event.txn, event.request, 180);
  world.run(1h);
  world.respond(event.txn, event.request, 486);
  EXPECT_EQ(world.sent[1].start(), "SIP/2.0 486 Busy Here");
}

TEST_P(InviteServer, Proceeding2xxGoesToAcceptedWithoutRetransmission) {
  const auto event = invite();
  world.respond(event.txn, event.request, 200);
  EXPECT_EQ(world.take_one().start(), "SIP/2.0 200 OK");
  world.run(31'999ms);
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(world.layer.size(), 1u);
  world.run(1ms);  // L
  world.expect_rest();
}

TEST_P(InviteServer, ProceedingFailureGoesToCompletedWithTimerG) {
  const auto event = invite();
  world.respond(event.txn, event.request, 486);
  world.run(31'999ms);
  const auto sent = world.sent;
  for (const Sent& again : sent) EXPECT_EQ(again.bytes, sent[0].bytes);
  EXPECT_EQ(world.take_times(),
            udp() ? (Times{0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500}) : Times{0});
  EXPECT_TRUE(world.quiet());
}

TEST_P(InviteServer, CompletedTimerHTellsThatNoAckCame) {
  const auto event = invite();
  world.layer.set_owner(event.txn, 9);
  world.run(50ms);
  world.respond(event.txn, event.request, 486);
  world.run(32s - 1us);
  EXPECT_TRUE(world.quiet());
  world.run(1us);
  const auto missing = world.take<AckNeverCame>();
  EXPECT_EQ(missing.txn, event.txn);
  EXPECT_EQ(missing.owner, 9u);
  world.expect_rest();
}

TEST_P(InviteServer, CompletedInviteAgainGetsTheFinal) {
  const auto event = invite();
  world.respond(event.txn, event.request, 503);
  const Sent first = world.take_one();
  world.receive(text.str());
  EXPECT_EQ(world.take_one().bytes, first.bytes);
  EXPECT_TRUE(world.quiet());
}

TEST_P(InviteServer, CompletedAckGoesToConfirmedForTimerI) {
  const auto event = invite();
  world.respond(event.txn, event.request, 404);
  world.run(700ms);
  world.sent.clear();
  acknowledge();
  EXPECT_TRUE(world.quiet()) << "the ACK to a failure is not the user's";
  if (!udp()) return world.expect_rest();  // I is zero
  world.run(4'999ms);
  EXPECT_TRUE(world.sent.empty()) << "G has stopped";
  EXPECT_EQ(world.layer.size(), 1u);
  world.run(1ms);
  world.expect_rest();
}

TEST_P(InviteServer, CompletedAckOverAnyHopIsFoundByBranch) {
  const auto event = invite();
  world.respond(event.txn, event.request, 404);
  world.source.remote.port = 6001;
  acknowledge("another");
  EXPECT_TRUE(world.quiet());
  world.run(5s);
  world.expect_rest();
}

TEST_P(InviteServer, ConfirmedAbsorbsAcksAndInvites) {
  if (!udp()) return;
  const auto event = invite();
  world.respond(event.txn, event.request, 404);
  world.sent.clear();
  acknowledge();
  acknowledge();
  world.receive(text.str());
  EXPECT_TRUE(world.quiet());
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(world.layer.next_deadline(), world.now + 5s);
}

TEST_P(InviteServer, AcceptedAbsorbsInvites) {
  const auto event = invite();
  world.respond(event.txn, event.request, 200);
  world.sent.clear();
  world.receive(text.str());
  EXPECT_TRUE(world.sent.empty());
  EXPECT_TRUE(world.quiet());
}

TEST_P(InviteServer, AcceptedPassesAcksUp) {
  const auto event = invite();
  world.respond(event.txn, event.request, 200);
  acknowledge();
  EXPECT_EQ(world.take<AckReceived>().ack.to().tag(), "us");
  text.via = "SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKack";
  acknowledge();
  EXPECT_EQ(world.take<AckReceived>().ack.top_via().branch(), "z9hG4bKack");
  EXPECT_EQ(world.layer.size(), 1u);
}

TEST_P(InviteServer, AcceptedResendSendsThe2xxAgain) {
  const auto event = invite();
  world.layer.set_owner(event.txn, 9);
  world.respond(event.txn, event.request, 200);
  const Sent first = world.take_one();
  world.run(500ms);
  world.layer.resend(world.now, event.txn);
  const Sent second = world.take_one();
  EXPECT_EQ(second.bytes, first.bytes);
  EXPECT_EQ(second.owner, 9u);
  EXPECT_EQ(world.layer.next_deadline(), world.start + 32s);
  world.run(32s);
  world.layer.resend(world.now, event.txn);
  EXPECT_TRUE(world.sent.empty());
}

TEST_P(InviteServer, ResendIsForAcceptedOnly) {
  const auto event = invite();
  world.layer.resend(world.now, event.txn);
  world.respond(event.txn, event.request, 180);
  world.layer.resend(world.now, event.txn);
  EXPECT_EQ(world.sent.size(), 1u);
  world.respond(event.txn, event.request, 404);
  world.layer.resend(world.now, event.txn);
  EXPECT_EQ(world.sent.size(), 2u);
}

TEST_P(InviteServer, AfterAFinalFurtherResponsesAreIgnored) {
  for (const int final_status : {200, 404}) {
    text.via = "SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKfinal" + std::to_string(final_status);
    text.call_id = std::to_string(final_status);
    const auto event = invite();
    world.respond(event.txn, event.request, final_status);
    world.sent.clear();
    for (const int late : {180, 200, 500}) world.respond(event.txn, event.request, late);
    EXPECT_TRUE(world.sent.empty());
    world.receive(text.str());
    EXPECT_EQ(world.sent.size(), final_status == 404 ? 1u : 0u);
    world.sent.clear();
  }
}

TEST_P(InviteServer, ALostTransportChangesNothing) {
  const auto event = invite();
  world.layer.transport_failed(world.now, GetParam(), world.source.remote);
  world.respond(event.txn, event.request, 486);
  world.layer.transport_failed(world.now, GetParam(), world.source.remote);
  EXPECT_TRUE(world.quiet());
  EXPECT_EQ(world.layer.size(), 1u);
  acknowledge();
  world.run(5s);
  world.expect_rest();
}

TEST_P(InviteServer, ALateAnswerToAGoneTransactionIsNothing) {
  const auto event = invite();
  world.respond(event.txn, event.request, 404);
  acknowledge();
  world.run(5s);
  world.sent.clear();
  world.respond(event.txn, event.request, 200);
  world.layer.set_owner(event.txn, 1);
  EXPECT_FALSE(world.layer.response_destination(event.txn).has_value());
  EXPECT_TRUE(world.sent.empty());
  world.expect_rest();
}

// ---- CANCEL (RFC 3261 9.2) ----

class InviteServerCancel : public InviteServer {
 protected:
  void cancel(const std::string& more = {}) {
    RequestText request = text;
    request.method = "CANCEL";
    request.more = more;
    world.receive(request.str());
  }
};
BATON_OVER_EVERY_TRANSPORT(InviteServerCancel);

TEST_P(InviteServerCancel, IsAnswered200AndToldToTheUser) {
  const auto event = invite();
  world.layer.set_owner(event.txn, 9);
  cancel("Reason: SIP;cause=200\r\n");
  const Sent ok = world.take_one();
  EXPECT_EQ(ok.start(), "SIP/2.0 200 OK");
  EXPECT_EQ(ok.owner, 9u);
  EXPECT_EQ(ok.message().cseq().method, Method::cancel);
  EXPECT_FALSE(ok.message().to().tag().empty());
  const auto cancelled = world.take<CancelReceived>();
  EXPECT_EQ(cancelled.invite, event.txn);
  EXPECT_EQ(cancelled.owner, 9u);
  EXPECT_EQ(cancelled.cancel.header(HeaderId::reason), "SIP;cause=200");
  world.respond(event.txn, event.request, 487);
  EXPECT_EQ(world.take_one().start(), "SIP/2.0 487 Request Terminated");
  acknowledge();
  world.run(32s);
  world.expect_rest();
}

TEST_P(InviteServerCancel, AnswerHasTheTagOfTheInvitesAnswer) {
  const auto event = invite();
  world.respond(event.txn, event.request, 180, "ringing");
  world.sent.clear();
  cancel();
  EXPECT_EQ(world.take_one().message().to().tag(), "ringing");
}

TEST_P(InviteServerCancel, AgainIsAnsweredAgainButToldOnce) {
  (void)invite();
  cancel();
  const Sent first = world.take_one();
  (void)world.take<CancelReceived>();
  cancel();
  EXPECT_EQ(world.take_one().bytes, first.bytes);
  EXPECT_TRUE(world.quiet());
}

TEST_P(InviteServerCancel, AfterAFinalIsAnswered200Only) {
  for (const int status : {200, 486}) {
    text.via = "SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKc" + std::to_string(status);
    text.call_id = std::to_string(status);
    const auto event = invite();
    world.respond(event.txn, event.request, status);
    world.sent.clear();
    cancel();
    EXPECT_EQ(world.take_one().start(), "SIP/2.0 200 OK");
    EXPECT_TRUE(world.quiet());
  }
}

TEST_P(InviteServerCancel, OfNothingIsAnswered481) {
  cancel();
  const Sent answer = world.take_one();
  EXPECT_EQ(answer.start(), "SIP/2.0 481 Call/Transaction Does Not Exist");
  EXPECT_FALSE(answer.message().to().tag().empty());
  EXPECT_EQ(world.layer.probe().stray_cancels, 1u);
  EXPECT_TRUE(world.quiet());
  world.run(32s);
  world.expect_rest();
}

TEST_P(InviteServerCancel, WithAnotherBranchIsOfNothing) {
  (void)invite();
  text.via = "SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKother";
  cancel();
  EXPECT_EQ(world.take_one().start().substr(0, 11), "SIP/2.0 481");
  EXPECT_TRUE(world.quiet());
}

TEST_P(InviteServerCancel, OfAnotherMethodIsAnswered200WithoutEffect) {
  text.method = "OPTIONS";
  (void)invite();
  cancel();
  EXPECT_EQ(world.take_one().start(), "SIP/2.0 200 OK");
  EXPECT_TRUE(world.quiet());
  EXPECT_EQ(world.layer.probe().stray_cancels, 0u);
}

}  // namespace
}  // namespace baton::txn::testing
