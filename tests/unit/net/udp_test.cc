#include "net/udp.h"

#include <gtest/gtest.h>

#include "unit/net/world.h"

namespace baton::net {
namespace {

class UdpTest : public World {
 protected:
  [[nodiscard]] Destination to(const SocketAddress& remote, const Listener& from) const {
    return {Transport::udp, remote, from.advertised, 0};
  }
};

TEST_F(UdpTest, ADatagramIsAnInputWithBothEndsNamed) {
  open();
  const Listener listener = listen(Transport::udp);
  const Peer peer(SOCK_DGRAM);
  peer.send_to(listener.bind, message("a"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>());
  const engine::MessageIn in = all<engine::MessageIn>().front();
  EXPECT_EQ(in.bytes, message("a"));
  EXPECT_EQ(in.source.transport, Transport::udp);
  EXPECT_EQ(in.source.remote, peer.address());
  EXPECT_EQ(in.source.local, listener.advertised);
  EXPECT_EQ(in.source.flow, 0U);
}

TEST_F(UdpTest, WhatWaitedInTheKernelHasArrivedBeforeItIsRead) {
  open();
  const Listener bound = listen(Transport::udp);
  Peer peer(SOCK_DGRAM);
  peer.send_to(bound.bind, message("a"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>());
  const Time arrived = all<engine::MessageIn>().front().arrived;
  EXPECT_LE(arrived, now_);
  EXPECT_GT(arrived, now_ - 30s);
}

TEST_F(UdpTest, AnAdvertisedPortOfZeroBecomesTheBoundOne) {
  open();
  const Listener listener = listen(Transport::udp, loopback, {IpAddress::v4(198, 51, 100, 7), 0});
  EXPECT_NE(listener.bind.port, 0);
  EXPECT_EQ(listener.advertised.port, listener.bind.port);
}

TEST_F(UdpTest, AnswersLeaveFromTheSocketThatWasAsked) {
  open();
  const Listener first = listen(Transport::udp, loopback, {IpAddress::v4(198, 51, 100, 7), 5060});
  const Listener second = listen(Transport::udp, loopback, {IpAddress::v4(198, 51, 100, 7), 5080});
  for (const Listener& listener : {first, second}) {
    const Peer peer(SOCK_DGRAM);
    net_->send(now_, to(peer.address(), listener), message("a"));
    net_->flush(now_);
    std::string bytes(100, '\0');
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    ASSERT_GT(recvfrom(peer.fd(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&name), &length),
              0);
    EXPECT_EQ(KernelAddress::read(name), listener.bind);
  }
}

TEST_F(UdpTest, BothIpVersionsSideBySide) {
  open();
  listen(Transport::udp);
  const Listener six = listen(Transport::udp, loopback6, {*IpAddress::parse("2001:db8::7"), 5060});
  const Peer peer4(SOCK_DGRAM);
  const Peer peer6(SOCK_DGRAM, loopback6);
  peer6.send_to(six.bind, message("six"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>());
  EXPECT_EQ(all<engine::MessageIn>().front().source.remote, peer6.address());
  // A local address that no socket has: the family decides.
  const SocketAddress nobody{IpAddress::v4(203, 0, 113, 1), 5060};
  net_->send(now_, {Transport::udp, peer4.address(), nobody, 0}, "to four");
  net_->send(now_, {Transport::udp, peer6.address(), nobody, 0}, "to six");
  net_->flush(now_);
  EXPECT_EQ(peer4.receive(), "to four");
  EXPECT_EQ(peer6.receive(), "to six");
}

TEST_F(UdpTest, AThousandDatagramsBothWaysInOrder) {
  open();
  const Listener listener = listen(Transport::udp);
  const Peer peer(SOCK_DGRAM);
  set_option(peer.fd(), SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20);
  constexpr unsigned count = 1'000;
  for (unsigned i = 0; i < count; ++i) {
    peer.send_to(listener.bind, message(std::to_string(i)));
    if (i % 50 == 49) turn(0);
  }
  ASSERT_TRUE(turn_until_some<engine::MessageIn>(count));
  const auto received = all<engine::MessageIn>();
  for (unsigned i = 0; i < count; ++i) {
    EXPECT_EQ(received[i].bytes, message(std::to_string(i)));
    net_->send(now_, to(peer.address(), listener), received[i].bytes);
    if (i % 100 == 99) {
      net_->flush(now_);
      for (unsigned j = i - 99; j <= i; ++j) ASSERT_EQ(peer.receive(), message(std::to_string(j)));
    }
  }
  EXPECT_EQ(net_->probe().datagrams_in, count);
  EXPECT_EQ(net_->probe().datagrams_out, count);
}

TEST_F(UdpTest, KeepAlivesAreNoMessages) {
  open();
  const Listener listener = listen(Transport::udp);
  const Peer peer(SOCK_DGRAM);
  for (const char* bytes : {"\r\n\r\n", "\r\n", "", " "}) peer.send_to(listener.bind, bytes);
  peer.send_to(listener.bind, std::string(4, '\0'));
  peer.send_to(listener.bind, message("a"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>());
  EXPECT_EQ(inputs_.size(), 1U);
  EXPECT_EQ(net_->probe().datagram_keepalives, 5U);
}

TEST_F(UdpTest, ALargeDatagramArrivesWhole) {
  open();
  const Listener listener = listen(Transport::udp);
  const Peer peer(SOCK_DGRAM);
  const std::string large = message("a", std::string(60'000, 'x'));
  peer.send_to(listener.bind, large);
  ASSERT_TRUE(turn_until_some<engine::MessageIn>());
  EXPECT_EQ(all<engine::MessageIn>().front().bytes, large);
  net_->send(now_, to(peer.address(), listener), large);
  net_->flush(now_);
  EXPECT_EQ(peer.receive(), large);
}

TEST_F(UdpTest, PortUnreachableFailsThatRemoteAndNoOther) {
  open();
  const Listener listener = listen(Transport::udp);
  const Peer alive(SOCK_DGRAM);
  Peer dead(SOCK_DGRAM);
  const SocketAddress gone = dead.address();
  dead.close();
  // The error comes out of the next call on the socket; the message of that call must not be lost to it.
  for (unsigned i = 0; i < 10; ++i) {
    net_->send(now_, to(gone, listener), message("dead"));
    net_->flush(now_);
    net_->send(now_, to(alive.address(), listener), message(std::to_string(i)));
    net_->flush(now_);
    EXPECT_EQ(alive.receive(), message(std::to_string(i)));
  }
  ASSERT_TRUE(turn_until_some<engine::TransportFailed>(10));
  for (const SocketAddress& remote : failures()) EXPECT_EQ(remote, gone);
  EXPECT_EQ(net_->probe().sends_failed, 0U);
}

TEST_F(UdpTest, OnASocketForAllAddressesTheAnswerLeavesFromTheOneThatWasAsked) {
  open();
  const Listener listener = listen(Transport::udp, IpAddress{}, {loopback, 5060});
  const IpAddress second = IpAddress::v4(127, 0, 0, 2);
  const Peer peer(SOCK_DGRAM);
  const auto answered_from = [&]() {
    net_->send(now_, to(peer.address(), listener), message("answer"));
    net_->flush(now_);
    std::string bytes(100, '\0');
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    EXPECT_GT(recvfrom(peer.fd(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&name), &length),
              0);
    return KernelAddress::read(name).ip;
  };
  EXPECT_EQ(answered_from(), loopback);  // not heard of: the kernel's choice
  peer.send_to({second, listener.bind.port}, message("ask"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>());
  EXPECT_EQ(answered_from(), second);
  peer.send_to({loopback, listener.bind.port}, message("ask"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>(2));
  EXPECT_EQ(answered_from(), loopback);
}

TEST_F(UdpTest, OnAnIpv6SocketForAllAddressesToo) {
  open();
  const Listener listener = listen(Transport::udp, *IpAddress::parse("::"), {loopback6, 5060});
  const Peer peer(SOCK_DGRAM, loopback6);
  peer.send_to({loopback6, listener.bind.port}, message("ask"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>());
  net_->send(now_, to(peer.address(), listener), message("answer"));
  net_->flush(now_);
  EXPECT_EQ(peer.receive(), message("answer"));
}

TEST_F(UdpTest, PortUnreachableOverIpv6) {
  open();
  const Listener listener = listen(Transport::udp, loopback6, {loopback6, 0});
  Peer dead(SOCK_DGRAM, loopback6);
  const SocketAddress gone = dead.address();
  dead.close();
  net_->send(now_, to(gone, listener), message("dead"));
  ASSERT_TRUE(turn_until_some<engine::TransportFailed>());
  EXPECT_EQ(failures().front(), gone);
}

TEST_F(UdpTest, ARefusedDatagramDoesNotHideArrivingOnes) {
  open();
  const Listener listener = listen(Transport::udp);
  const Peer alive(SOCK_DGRAM);
  Peer dead(SOCK_DGRAM);
  const SocketAddress gone = dead.address();
  dead.close();
  net_->send(now_, to(gone, listener), message("dead"));
  net_->flush(now_);
  alive.send_to(listener.bind, message("alive"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>());
  ASSERT_TRUE(turn_until_some<engine::TransportFailed>());
}

TEST_F(UdpTest, TheQueueShedsItsOldestAndCounts) {
  Options options;
  options.udp.queue_messages_max = 3;
  open(options);
  const Listener listener = listen(Transport::udp);
  const Peer peer(SOCK_DGRAM);
  for (unsigned i = 0; i < 10; ++i) net_->send(now_, to(peer.address(), listener), std::to_string(i));
  net_->flush(now_);
  EXPECT_EQ(net_->probe().send_queue_dropped, 7U);
  EXPECT_EQ(peer.receive(), "7");
  EXPECT_EQ(peer.receive(), "8");
  EXPECT_EQ(peer.receive(), "9");
}

TEST_F(UdpTest, TheQueueIsBoundedInBytesToo) {
  Options options;
  options.udp.queue_bytes_max = 1'000;
  open(options);
  const Listener listener = listen(Transport::udp);
  const Peer peer(SOCK_DGRAM);
  for (unsigned i = 0; i < 5; ++i) {
    net_->send(now_, to(peer.address(), listener), std::string(400, static_cast<char>('a' + i)));
  }
  net_->flush(now_);
  EXPECT_EQ(net_->probe().send_queue_dropped, 3U);
  EXPECT_EQ(peer.receive(), std::string(400, 'd'));
}

TEST_F(UdpTest, WhatIsTooLongForADatagramIsDroppedAlone) {
  open();
  const Listener listener = listen(Transport::udp);
  const Peer peer(SOCK_DGRAM);
  net_->send(now_, to(peer.address(), listener), std::string(70'000, 'x'));
  net_->send(now_, to(peer.address(), listener), "after");
  net_->flush(now_);
  EXPECT_EQ(peer.receive(), "after");
  EXPECT_EQ(net_->probe().sends_failed, 1U);
  turn(0);
  EXPECT_TRUE(failures().empty());
}

TEST_F(UdpTest, NoRouteFails) {
  open();
  const Listener listener = listen(Transport::udp);
  // Bound to loopback, the kernel refuses to send outside.
  const SocketAddress outside{IpAddress::v4(192, 0, 2, 1), 5060};
  const Peer peer(SOCK_DGRAM);
  net_->send(now_, to(outside, listener), message("a"));
  net_->send(now_, to(peer.address(), listener), "after");
  net_->flush(now_);
  EXPECT_EQ(peer.receive(), "after");
  turn(0);
  EXPECT_EQ(failures(), std::vector<SocketAddress>{outside});
}

TEST_F(UdpTest, WhatNoSocketCanCarryFailsAtOnce) {
  open();
  const Listener listener = listen(Transport::udp);
  const SocketAddress six{loopback6, 5060};
  const SocketAddress four{loopback, 5061};
  net_->send(now_, to(six, listener), "a");
  net_->send(now_, {Transport::tls, four, listener.advertised, 0}, "a");
  turn(0);
  EXPECT_EQ(failures(), (std::vector<SocketAddress>{six, four}));
  EXPECT_EQ(all<engine::TransportFailed>()[1].transport, Transport::tls);
  EXPECT_EQ(net_->probe().unroutable, 2U);
}

TEST_F(UdpTest, ATakenPortSaysSo) {
  open();
  const Peer other(SOCK_DGRAM);
  const auto bound = net_->listen({Transport::udp, other.address(), other.address()});
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().kind, OpenError::Kind::in_use);
  EXPECT_EQ(bound.error().to_string(), "udp " + other.address().to_string() + ": Address already in use");
}

TEST_F(UdpTest, AForeignAddressSaysSo) {
  open();
  const SocketAddress foreign{IpAddress::v4(192, 0, 2, 1), 0};
  for (const Transport transport : {Transport::udp, Transport::tcp}) {
    const auto bound = net_->listen({transport, foreign, foreign});
    ASSERT_FALSE(bound);
    EXPECT_EQ(bound.error().kind, OpenError::Kind::not_available);
  }
}

TEST_F(UdpTest, TlsNeedsACertificate) {
  open();
  const auto bound = net_->listen({Transport::tls, {loopback, 0}, {loopback, 0}});
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().kind, OpenError::Kind::not_supported);
}

}  // namespace
}  // namespace baton::net
