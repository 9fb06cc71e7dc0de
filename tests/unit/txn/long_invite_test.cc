// RFC 3261 18.1.1: an INVITE too long for UDP goes by TCP, and by UDP after all when nobody takes it there.
#include "unit/txn/world.h"

namespace baton::txn::testing {
namespace {

using sip::HeaderId;
using sip::Method;

class LongInvite : public ::testing::Test {
 protected:
  TxnId invite(std::size_t padding) {
    sip::Draft draft = World::draft(Method::invite);
    draft.add("Subject", std::string(padding, 'x'));
    return world.layer.request(world.now, std::move(draft), world.peer, 42, tcp_from);
  }
  World world;
  SocketAddress tcp_from = address("192.0.2.1:5070");
};

TEST_F(LongInvite, OneThatFitsGoesByUdp) {
  invite(700);
  const Sent sent = world.take_one();
  EXPECT_LE(sent.bytes.size(), 1'300u);
  EXPECT_EQ(sent.to.transport, Transport::udp);
}

TEST_F(LongInvite, WithoutAPlaceToLeaveFromItGoesByUdp) {
  sip::Draft draft = World::draft(Method::invite);
  draft.add("Subject", std::string(1'500, 'x'));
  world.layer.request(world.now, std::move(draft), world.peer, 42);
  EXPECT_EQ(world.take_one().to.transport, Transport::udp);
}

TEST_F(LongInvite, OneThatDoesNotGoesByTcpAndIsNotRepeated) {
  invite(1'500);
  const Sent sent = world.take_one();
  EXPECT_EQ(sent.to.transport, Transport::tcp);
  EXPECT_EQ(sent.to.remote, world.peer.remote);
  EXPECT_EQ(sent.to.local, tcp_from);
  const sip::Message message = sent.message();
  EXPECT_EQ(message.elements(HeaderId::via).size(), 1u);
  EXPECT_EQ(message.top_via().transport, "TCP");
  EXPECT_EQ(message.top_via().port, 5070);
  EXPECT_EQ(world.layer.probe().long_by_tcp, 1u);
  world.run(4'999ms);
  EXPECT_TRUE(world.sent.empty());
}

// 18.1.1: for those of before RFC 3261, who may take the connection and no more.
TEST_F(LongInvite, UnansweredByTcpItGoesByUdp) {
  invite(1'500);
  const Sent first = world.take_one();
  world.run(5s);
  const Sent again = world.take_one();
  EXPECT_EQ(again.to.transport, Transport::udp);
  EXPECT_NE(again.message().top_via().branch(), first.message().top_via().branch());
  EXPECT_TRUE(world.quiet());
  world.run(32s);
  (void)world.take_sent();
  (void)world.take<ClientTimeout>();
  world.expect_rest();
}

TEST_F(LongInvite, ResetInsteadOfAnAnswerItGoesByUdp) {
  invite(1'500);
  (void)world.take_one();
  world.layer.connection_closed(world.now, Transport::tcp, address("203.0.113.77:5060"));
  EXPECT_TRUE(world.sent.empty());
  world.layer.connection_closed(world.now, Transport::tcp, world.peer.remote);
  EXPECT_EQ(world.take_one().to.transport, Transport::udp);
}

TEST_F(LongInvite, AnyRequestThatIsTooLong) {
  for (const int how : {0, 1, 2}) {
    World other;
    sip::Draft draft = World::draft(Method::notify);
    draft.add("Subject", std::string(1'500, 'x'));
    const TxnId id = other.layer.request(other.now, std::move(draft), other.peer, 42, tcp_from);
    EXPECT_EQ(other.take_one().to.transport, Transport::tcp);
    if (how == 0) other.run(5s);
    if (how == 1) other.layer.connection_closed(other.now, Transport::tcp, other.peer.remote);
    if (how == 2) other.layer.transport_failed(other.now, Transport::tcp, other.peer.remote);
    const Sent again = other.take_one();
    EXPECT_EQ(again.to.transport, Transport::udp);
    EXPECT_EQ(again.message().top_via().transport, "UDP");
    other.run(500ms);
    EXPECT_EQ(other.take_one().bytes, again.bytes) << "Timer E runs";
    other.answer(again, 200);
    EXPECT_EQ(other.take<ResponseReceived>().txn, id);
  }
}

TEST_F(LongInvite, AnswersAcksAndCancelsStayOnThatWay) {
  const TxnId id = invite(1'500);
  const Sent sent = world.take_one();
  world.source.transport = Transport::tcp;
  world.answer(sent, 180);
  EXPECT_EQ(world.take<ResponseReceived>().response.status(), 180);
  world.layer.cancel(world.now, id);
  const Sent cancel = world.take_one();
  EXPECT_EQ(cancel.to.transport, Transport::tcp);
  EXPECT_EQ(cancel.message().top_via().to_string(), sent.message().top_via().to_string());
  world.answer(sent, 487);
  EXPECT_EQ(world.take<ResponseReceived>().response.status(), 487);
  EXPECT_EQ(world.take_one().to.transport, Transport::tcp);
}

TEST_F(LongInvite, RefusedByTcpItGoesByUdpInTheSameTransaction) {
  const TxnId id = invite(1'500);
  const Sent first = world.take_one();
  world.run(20ms);
  world.layer.transport_failed(world.now, Transport::tcp, world.peer.remote);
  EXPECT_TRUE(world.quiet()) << "the user need not know";
  const Sent again = world.take_one();
  EXPECT_EQ(again.to.transport, Transport::udp);
  EXPECT_EQ(again.to.local, world.peer.local);
  const sip::Message message = again.message();
  EXPECT_EQ(message.elements(HeaderId::via).size(), 1u);
  EXPECT_EQ(message.top_via().transport, "UDP");
  EXPECT_NE(message.top_via().branch(), first.message().top_via().branch());
  EXPECT_EQ(world.layer.probe().long_by_udp, 1u);
  world.run(500ms);
  EXPECT_EQ(world.take_one().bytes, again.bytes) << "Timer A runs";
  world.answer(again, 486);
  const auto failed = world.take<ResponseReceived>();
  EXPECT_EQ(failed.txn, id);
  const Sent ack = world.take_one();
  EXPECT_EQ(ack.to.transport, Transport::udp);
  EXPECT_EQ(ack.message().top_via().transport, "UDP");
}

TEST_F(LongInvite, RefusedByUdpTooItHasFailed) {
  const TxnId id = invite(1'500);
  world.layer.transport_failed(world.now, Transport::tcp, world.peer.remote);
  world.layer.transport_failed(world.now, Transport::tcp, world.peer.remote);
  EXPECT_TRUE(world.quiet()) << "it is no longer on its way there";
  world.layer.transport_failed(world.now, Transport::udp, world.peer.remote);
  EXPECT_EQ(world.take<ClientTransportFailed>().txn, id);
  world.expect_rest();
}

TEST_F(LongInvite, WhoRefusedIsNotAskedAgainForAWhile) {
  invite(1'500);
  world.layer.transport_failed(world.now, Transport::tcp, world.peer.remote);
  (void)world.take_sent();
  invite(1'500);
  EXPECT_EQ(world.take_one().to.transport, Transport::udp);
  world.peer.remote = address("203.0.113.10:5060");
  invite(1'500);
  EXPECT_EQ(world.take_one().to.transport, Transport::tcp) << "another peer";
  world.peer.remote = address("203.0.113.9:5060");
  world.run(10min);
  (void)world.take_sent();
  invite(1'500);
  EXPECT_EQ(world.take_one().to.transport, Transport::tcp);
}

TEST_F(LongInvite, AConnectionLostAfterAnAnswerIsNoReasonToAskAgain) {
  invite(1'500);
  const Sent sent = world.take_one();
  world.source.transport = Transport::tcp;
  world.answer(sent, 180);
  (void)world.take<ResponseReceived>();
  world.layer.transport_failed(world.now, Transport::tcp, world.peer.remote);
  world.layer.connection_closed(world.now, Transport::tcp, world.peer.remote);
  world.run(10s);
  EXPECT_TRUE(world.sent.empty());
  EXPECT_TRUE(world.quiet());
}

}  // namespace
}  // namespace baton::txn::testing
