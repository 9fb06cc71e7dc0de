#include "net/streams.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <set>

#include "unit/net/world.h"

namespace baton::net {
namespace {

class TcpTest : public World {
 protected:
  [[nodiscard]] Destination to(const SocketAddress& remote, FlowId flow = 0) const {
    return {Transport::tcp, remote, listener_.advertised, flow};
  }
  void start(Options options = {}) {
    open(std::move(options));
    listener_ = listen(Transport::tcp);
  }
  // A peer that has connected and sent one message; its flow is in `flow`.
  Peer talk(FlowId& flow) {
    Peer peer(SOCK_STREAM);
    peer.connect_to(listener_.bind);
    peer.send(message("hello"));
    const std::size_t before = all<engine::MessageIn>().size();
    EXPECT_TRUE(turn_until_some<engine::MessageIn>(before + 1));
    flow = all<engine::MessageIn>().back().source.flow;
    return peer;
  }

  Listener listener_;
};

TEST_F(TcpTest, AMessageInManyPiecesIsOne) {
  start();
  const Peer peer(SOCK_STREAM);
  peer.connect_to(listener_.bind);
  const std::string whole = message("a", "body of it");
  for (const char c : whole) {
    EXPECT_TRUE(inputs_.empty());
    peer.send(std::string(1, c));
    turn(1);
  }
  ASSERT_TRUE(turn_until_some<engine::MessageIn>());
  const engine::MessageIn in = all<engine::MessageIn>().front();
  EXPECT_EQ(in.bytes, whole);
  EXPECT_EQ(in.source.transport, Transport::tcp);
  EXPECT_EQ(in.source.remote, peer.address());
  EXPECT_EQ(in.source.local, listener_.advertised);
  EXPECT_NE(in.source.flow, 0U);
}

TEST_F(TcpTest, ManyMessagesInOnePieceAreMany) {
  start();
  const Peer peer(SOCK_STREAM);
  peer.connect_to(listener_.bind);
  std::string bytes;
  for (unsigned i = 0; i < 500; ++i) bytes += message(std::to_string(i), std::string(i, 'x'));
  peer.send(bytes);
  ASSERT_TRUE(turn_until_some<engine::MessageIn>(500));
  for (unsigned i = 0; i < 500; ++i) {
    EXPECT_EQ(all<engine::MessageIn>()[i].bytes, message(std::to_string(i), std::string(i, 'x')));
  }
}

TEST_F(TcpTest, APingIsAnsweredAndIsNoPartOfAMessage) {
  start();
  const Peer peer(SOCK_STREAM);
  peer.connect_to(listener_.bind);
  peer.send("\r\n\r\n");
  ASSERT_TRUE(turn_until([&] { return net_->probe().pings == 1; }));
  EXPECT_EQ(peer.receive(), "\r\n");
  // Nothing of a message is waited for.
  pass(29s);
  peer.send(message("a"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>());
  EXPECT_TRUE(all<engine::FlowClosed>().empty());
}

TEST_F(TcpTest, AnAnswerGoesBackOnItsFlow) {
  start();
  FlowId flow = 0;
  const Peer peer = talk(flow);
  // Whatever address the Via named: the flow counts.
  net_->send(now_, to({loopback, 9}, flow), message("answer"));
  turn(0);
  EXPECT_EQ(peer.receive(), message("answer"));
  EXPECT_EQ(net_->probe().connects, 0U);
}

TEST_F(TcpTest, WithoutAFlowOneConnectionIsMadeAndUsedAgain) {
  start();
  const Peer server(SOCK_STREAM);
  server.listen_on();
  const std::string both = message("one") + message("two");
  net_->send(now_, to(server.address()), message("one"));
  net_->send(now_, to(server.address()), message("two"));
  turn();
  const Peer accepted = server.accept_one();
  turn();
  EXPECT_EQ(accepted.receive(both.size()), both);
  net_->send(now_, to(server.address()), message("three"));
  turn();
  EXPECT_EQ(accepted.receive(), message("three"));
  EXPECT_EQ(net_->probe().connects, 1U);
  // What comes back on it has a flow of its own.
  accepted.send(message("back"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>());
  const Source source = all<engine::MessageIn>().front().source;
  EXPECT_EQ(source.remote, server.address());
  EXPECT_EQ(source.local, listener_.advertised);
  net_->send(now_, to({loopback, 9}, source.flow), message("four"));
  turn();
  EXPECT_EQ(accepted.receive(), message("four"));
}

TEST_F(TcpTest, AnAcceptedConnectionIsNotUsedForOthersThanItsFlow) {
  start();
  FlowId flow = 0;
  const Peer peer = talk(flow);
  // That port listens for nobody: a new connection fails, the accepted one is not taken for it.
  net_->send(now_, to(peer.address()), message("a"));
  ASSERT_TRUE(turn_until_some<engine::TransportFailed>());
  EXPECT_EQ(net_->probe().connects_failed, 1U);
}

TEST_F(TcpTest, ARefusedConnectFailsAndClosesNoFlow) {
  start();
  Peer server(SOCK_STREAM);
  const SocketAddress gone = server.address();
  server.close();
  net_->send(now_, to(gone), message("a"));
  net_->send(now_, to(gone), message("b"));
  ASSERT_TRUE(turn_until_some<engine::TransportFailed>());
  EXPECT_EQ(failures().front(), gone);
  EXPECT_EQ(all<engine::TransportFailed>().front().transport, Transport::tcp);
  EXPECT_TRUE(all<engine::FlowClosed>().empty());
  EXPECT_EQ(net_->connections(), 0U);
}

TEST_F(TcpTest, AConnectThatIsNotAnsweredFailsAfterFiveSeconds) {
  start();
  // A full backlog drops every further SYN.
  const Peer server(SOCK_STREAM);
  server.listen_on(0);
  std::vector<Peer> crowd;
  for (int i = 0; i < 4; ++i) {
    Fd fd = open_socket(false, SOCK_STREAM);
    const KernelAddress address(server.address());
    static_cast<void>(::connect(fd.get(), address.get(), address.length()));
    crowd.emplace_back(std::move(fd));
  }
  net_->send(now_, to(server.address()), message("a"));
  pass(4'999ms);
  EXPECT_TRUE(failures().empty());
  EXPECT_EQ(net_->next_deadline(now_), now_ + 1ms);
  pass(1ms);
  EXPECT_EQ(failures(), std::vector<SocketAddress>{server.address()});
  EXPECT_EQ(net_->connections(), 0U);
}

TEST_F(TcpTest, WhatWaitsForAConnectIsBounded) {
  Options options;
  options.streams.waiting_bytes_max = 100;
  start(options);
  const Peer server(SOCK_STREAM);
  server.listen_on();
  net_->send(now_, to(server.address()), std::string(80, 'a'));
  net_->send(now_, to(server.address()), std::string(80, 'b'));
  EXPECT_EQ(net_->probe().waiting_refused, 1U);
  turn();
  EXPECT_EQ(failures().size(), 1U);
  EXPECT_EQ(server.accept_one().receive(), std::string(80, 'a'));
}

TEST_F(TcpTest, APeerThatHangsUpClosesItsFlow) {
  start();
  FlowId flow = 0;
  Peer peer = talk(flow);
  peer.close();
  ASSERT_TRUE(turn_until_some<engine::FlowClosed>());
  EXPECT_EQ(all<engine::FlowClosed>().front().flow, flow);
  EXPECT_TRUE(failures().empty());
  EXPECT_EQ(net_->probe().closed_by_peer, 1U);
}

TEST_F(TcpTest, MessagesInFrontOfTheEndAreHeard) {
  start();
  Peer peer(SOCK_STREAM);
  peer.connect_to(listener_.bind);
  peer.send(message("a") + message("b"));
  peer.close();
  ASSERT_TRUE(turn_until_some<engine::FlowClosed>());
  EXPECT_EQ(all<engine::MessageIn>().size(), 2U);
  EXPECT_TRUE(std::holds_alternative<engine::FlowClosed>(inputs_.back()));
}

TEST_F(TcpTest, ALostConnectionReportsWhatItStillHadToDeliver) {
  start();
  FlowId flow = 0;
  Peer peer = talk(flow);
  const SocketAddress first{loopback, 7}, second{loopback, 8};
  // More than the buffers of both ends take.
  for (int i = 0; i < 30; ++i) net_->send(now_, to(first, flow), std::string(30'000, 'x'));
  net_->flush(now_);
  net_->send(now_, to(second, flow), message("z"));
  if (net_->probe().closed_overflow > 0) GTEST_FAIL() << "more than may wait";
  for (int i = 0; i < 4; ++i) turn(0);
  peer.reset();
  ASSERT_TRUE(turn_until_some<engine::FlowClosed>());
  ASSERT_TRUE(turn_until_some<engine::TransportFailed>());
  // The flow is gone before anybody tries it again.
  EXPECT_TRUE(std::holds_alternative<engine::FlowClosed>(inputs_[1]));
  const auto failed = failures();
  EXPECT_EQ(std::count(failed.begin(), failed.end(), second), 1);
}

TEST_F(TcpTest, OnADeadFlowANewConnectionIsTried) {
  start();
  FlowId flow = 0;
  Peer peer = talk(flow);
  peer.close();
  ASSERT_TRUE(turn_until_some<engine::FlowClosed>());
  const Peer server(SOCK_STREAM);
  server.listen_on();
  net_->send(now_, to(server.address(), flow), message("a"));
  turn();
  const Peer accepted = server.accept_one();
  turn();
  EXPECT_EQ(accepted.receive(), message("a"));
}

TEST_F(TcpTest, FlowsAreNeverNumberedTwice) {
  Options options;
  options.first_flow = 1'000;
  start(options);
  std::set<FlowId> flows;
  for (int i = 0; i < 20; ++i) {
    FlowId flow = 0;
    Peer peer = talk(flow);
    EXPECT_GE(flow, 1'000U);
    EXPECT_TRUE(flows.insert(flow).second);
    peer.close();
    ASSERT_TRUE(turn_until([&] { return net_->connections() == 0; }));
  }
}

TEST_F(TcpTest, APeerThatHoldsHalfAMessageIsCutAfterTenSeconds) {
  start();
  FlowId flow = 0;
  const Peer peer = talk(flow);
  const std::string half = message("a").substr(0, 20);
  peer.send(half);
  turn();
  // A byte now and then does not buy more time.
  for (int i = 0; i < 9; ++i) {
    pass(1s);
    peer.send("x");
    turn();
  }
  EXPECT_TRUE(all<engine::FlowClosed>().empty());
  pass(1s);
  ASSERT_EQ(all<engine::FlowClosed>().size(), 1U);
  EXPECT_EQ(net_->probe().closed_slow_sender, 1U);
  EXPECT_TRUE(peer.is_closed_by_other());
}

TEST_F(TcpTest, EveryMessageHasItsOwnTenSeconds) {
  start();
  FlowId flow = 0;
  const Peer peer = talk(flow);
  const std::string whole = message("a");
  peer.send(whole.substr(0, 20));
  turn();
  for (int i = 0; i < 5; ++i) {
    pass(9s);
    peer.send(whole.substr(20) + whole.substr(0, 20));
    turn();
  }
  EXPECT_EQ(all<engine::MessageIn>().size(), 6U);
  EXPECT_TRUE(all<engine::FlowClosed>().empty());
}

TEST_F(TcpTest, APeerThatNeverSaysAnythingIsCut) {
  start();
  const Peer peer(SOCK_STREAM);
  peer.connect_to(listener_.bind);
  ASSERT_TRUE(turn_until([&] { return net_->connections() == 1; }));
  pass(29'999ms);
  EXPECT_EQ(net_->connections(), 1U);
  pass(1ms);
  EXPECT_EQ(net_->connections(), 0U);
  EXPECT_EQ(net_->probe().closed_silent, 1U);
}

TEST_F(TcpTest, AnIdleConnectionLastsAsLongAsASessionTimerMay) {
  start();
  FlowId flow = 0;
  const Peer peer = talk(flow);
  pass(30min);
  net_->send(now_, to(peer.address(), flow), message("refresh"));
  turn();
  pass(59min);
  EXPECT_EQ(net_->connections(), 1U);
  pass(1min);
  EXPECT_EQ(net_->connections(), 0U);
  EXPECT_EQ(net_->probe().closed_idle, 1U);
}

TEST_F(TcpTest, APeerThatReadsNothingIsCut) {
  start();
  FlowId flow = 0;
  const Peer peer = talk(flow);
  set_option(peer.fd(), SOL_SOCKET, SO_RCVBUF, 4'096);
  // Fills what the kernels hold, then waits here.
  for (int i = 0; i < 200 && net_->probe().closed_overflow == 0; ++i) {
    net_->send(now_, to(peer.address(), flow), std::string(40'000, 'x'));
    net_->flush(now_);
  }
  turn(0);
  EXPECT_EQ(net_->probe().closed_overflow, 1U);
  EXPECT_EQ(all<engine::FlowClosed>().size(), 1U);
  ASSERT_FALSE(failures().empty());
  EXPECT_EQ(failures().front(), peer.address());
}

TEST_F(TcpTest, AStalledReaderIsCutAfterHalfAMinute) {
  Options options;
  options.streams.write_queue_bytes_max = 64 << 20;
  start(options);
  FlowId flow = 0;
  const Peer peer = talk(flow);
  for (int i = 0; i < 16; ++i) net_->send(now_, to(peer.address(), flow), std::string(1 << 20, 'x'));
  turn(0);
  pass(29'999ms);
  EXPECT_EQ(net_->connections(), 1U);
  pass(1ms);
  EXPECT_EQ(net_->probe().closed_slow_reader, 1U);
  EXPECT_EQ(failures(), std::vector<SocketAddress>{peer.address()});
}

TEST_F(TcpTest, ALongQueueDrainsWhenThePeerReads) {
  Options options;
  options.streams.write_queue_bytes_max = 64 << 20;
  start(options);
  FlowId flow = 0;
  const Peer peer = talk(flow);
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const std::string bytes(30'000, static_cast<char>('a' + i % 26));
    net_->send(now_, to(peer.address(), flow), bytes);
    expected += bytes;
  }
  std::string got;
  while (got.size() < expected.size()) {
    turn(0);
    const std::string more = peer.receive();
    ASSERT_FALSE(more.empty());
    got += more;
  }
  EXPECT_EQ(got, expected);
  pass(31s);
  EXPECT_EQ(net_->connections(), 1U);
}

TEST_F(TcpTest, BytesThatAreNoSipCloseTheConnection) {
  start();
  FlowId flow = 0;
  const Peer peer = talk(flow);
  peer.send(message("good") + "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(turn_until_some<engine::FlowClosed>());
  EXPECT_EQ(all<engine::MessageIn>().size(), 2U);
  EXPECT_EQ(net_->probe().closed_unframed, 1U);
}

TEST_F(TcpTest, OneAddressHasABoundedNumberOfConnections) {
  Options options;
  options.streams.accepted_per_remote_max = 3;
  start(options);
  std::vector<Peer> peers;
  for (int i = 0; i < 3; ++i) {
    FlowId flow = 0;
    peers.push_back(talk(flow));
  }
  const Peer fourth(SOCK_STREAM);
  fourth.connect_to(listener_.bind);
  ASSERT_TRUE(turn_until([&] { return net_->probe().accepts_refused == 1; }));
  EXPECT_TRUE(fourth.is_closed_by_other());
  peers.front().close();
  ASSERT_TRUE(turn_until([&] { return net_->connections() == 2; }));
  FlowId flow = 0;
  const Peer fifth = talk(flow);
  EXPECT_EQ(net_->connections(), 3U);
}

TEST_F(TcpTest, WhenAllPlacesAreTakenTheIdlestStrangerMakesRoom) {
  Options options;
  options.streams.accepted_max = 2;
  start(options);
  FlowId first = 0, second = 0, third = 0;
  const Peer a = talk(first);
  pass(10s);
  const Peer b = talk(second);
  const Peer refused(SOCK_STREAM);
  refused.connect_to(listener_.bind);
  ASSERT_TRUE(turn_until([&] { return net_->probe().accepts_refused == 1; }));
  // Calls of ours still find a place.
  const Peer server(SOCK_STREAM);
  server.listen_on();
  net_->send(now_, to(server.address()), message("out"));
  turn();
  EXPECT_EQ(net_->connections(), 3U);
  pass(20s);
  const Peer c = talk(third);
  ASSERT_EQ(all<engine::FlowClosed>().size(), 1U);
  EXPECT_EQ(all<engine::FlowClosed>().front().flow, first);
}

TEST_F(TcpTest, StrangersTakeNobodysPlaceWhoBelongsHere) {
  Options options;
  options.streams.accepted_max = 2;
  start(options);
  FlowId quiet = 0, stranger = 0, third = 0;
  const Peer a = talk(quiet);
  net_->keep(quiet);
  pass(50min);
  const Peer b = talk(stranger);
  const Peer refused(SOCK_STREAM);
  refused.connect_to(listener_.bind);
  ASSERT_TRUE(turn_until([&] { return net_->probe().accepts_refused == 1; }));
  pass(31s);
  const Peer c = talk(third);
  ASSERT_EQ(all<engine::FlowClosed>().size(), 1U);
  EXPECT_EQ(all<engine::FlowClosed>().front().flow, stranger);
}

TEST_F(TcpTest, OutOfDescriptorsCallersAreTurnedAwayInsteadOfSpinning) {
  start();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const Peer caller(SOCK_STREAM);
  const Peer next(SOCK_STREAM);
  const Fd lowest(dup(0));
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(lowest.get());
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  caller.connect_to(listener_.bind);
  const bool refused = turn_until([&] { return net_->probe().accepts_failed >= 1; });
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(refused);
  EXPECT_TRUE(caller.is_closed_by_other());
  EXPECT_EQ(net_->connections(), 0U);
  // And with descriptors again, everything is as before.
  next.connect_to(listener_.bind);
  next.send(message("hello"));
  EXPECT_TRUE(turn_until_some<engine::MessageIn>());
}

TEST_F(TcpTest, ThePortCanBeListenedOnAgainAtOnce) {
  start();
  FlowId flow = 0;
  const Peer peer = talk(flow);
  const Listener before = listener_;
  net_->shut_down(now_);  // closes first: the connection goes to TIME_WAIT on our side
  net_.reset();
  inputs_.clear();
  open();
  EXPECT_TRUE(net_->listen(before));
}

TEST_F(TcpTest, ATakenPortSaysSo) {
  start();
  const auto again = net_->listen(listener_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, OpenError::Kind::in_use);
}

TEST_F(TcpTest, ShutDownDeliversWhatWaits) {
  start();
  FlowId flow = 0;
  const Peer peer = talk(flow);
  net_->send(now_, to(peer.address(), flow), message("bye"));
  net_->shut_down(now_);
  EXPECT_EQ(peer.receive(), message("bye"));
  EXPECT_TRUE(peer.is_closed_by_other());
}

TEST_F(TcpTest, OverIpv6) {
  open();
  listener_ = listen(Transport::tcp, loopback6, {loopback6, 0});
  const Peer peer(SOCK_STREAM, loopback6);
  peer.connect_to(listener_.bind);
  peer.send(message("six"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>());
  EXPECT_EQ(all<engine::MessageIn>().front().source.remote, peer.address());
  const Peer server(SOCK_STREAM, loopback6);
  server.listen_on();
  net_->send(now_, to(server.address()), message("a"));
  turn();
  const Peer accepted = server.accept_one();
  turn();
  EXPECT_EQ(accepted.receive(), message("a"));
}

}  // namespace
}  // namespace baton::net
