// A shard with everything in it: real sockets, the engine, the relay.
#include <gtest/gtest.h>

#include <thread>

#include "shard/shard.h"
#include "unit/net/world.h"

namespace baton::shard {
namespace {

Options options_for(const std::vector<net::Listener>& listeners) {
  Options options;
  options.engine.digest_secret = std::string(32, 's');
  options.model = std::make_shared<trunk::Model>();
  options.listeners = listeners;
  options.relay.v4 = media::Relay::Interface{net::loopback, net::loopback};
  return options;
}

net::Listener on_loopback(Transport transport, std::uint16_t port = 0) {
  return {transport, {net::loopback, port}, {net::loopback, port}};
}

std::string options_request(const std::string& via_transport, const SocketAddress& from) {
  return "OPTIONS sip:baton@127.0.0.1 SIP/2.0\r\n"
         "Via: SIP/2.0/" +
         via_transport + " " + from.to_string() +
         ";branch=z9hG4bK-1;rport\r\n"
         "Max-Forwards: 70\r\n"
         "From: <sip:probe@127.0.0.1>;tag=1\r\n"
         "To: <sip:baton@127.0.0.1>\r\n"
         "Call-ID: " +
         via_transport +
         "\r\n"
         "CSeq: 1 OPTIONS\r\n"
         "Content-Length: 0\r\n\r\n";
}

TEST(ShardOpenTest, AnswersOverUdpAndTcp) {
  auto shard = Shard::open(options_for({on_loopback(Transport::udp), on_loopback(Transport::tcp)}), {});
  ASSERT_TRUE(shard) << shard.error().what;
  ASSERT_EQ((*shard)->listeners().size(), 2U);
  (*shard)->start();

  const net::Peer datagrams(SOCK_DGRAM);
  datagrams.send_to((*shard)->listeners()[0].bind, options_request("UDP", datagrams.address()));
  EXPECT_EQ(datagrams.receive().substr(0, 12), "SIP/2.0 200 ");

  const net::Peer stream(SOCK_STREAM);
  stream.connect_to((*shard)->listeners()[1].bind);
  const std::string request = options_request("TCP", stream.address());
  stream.send(request.substr(0, 50));
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  stream.send(request.substr(50));
  EXPECT_EQ(stream.receive().substr(0, 12), "SIP/2.0 200 ");
}

TEST(ShardOpenTest, WhatCanNotOpenLeavesNothingOpen) {
  const net::Peer other(SOCK_DGRAM);
  std::uint16_t port = 0;
  {
    const net::Peer find(SOCK_DGRAM);
    port = find.address().port;
  }
  const auto first = on_loopback(Transport::udp, port);
  const net::Listener taken{Transport::udp, other.address(), other.address()};
  const auto shard = Shard::open(options_for({first, taken}), {});
  ASSERT_FALSE(shard);
  ASSERT_TRUE(shard.error().socket);
  EXPECT_EQ(shard.error().socket->kind, net::OpenError::Kind::in_use);
  EXPECT_EQ(shard.error().socket->bind, other.address());
  EXPECT_TRUE(Shard::open(options_for({first}), {}));
}

TEST(ShardOpenTest, StopsUnderLoad) {
  auto shard = Shard::open(options_for({on_loopback(Transport::udp)}), {});
  ASSERT_TRUE(shard);
  (*shard)->start();
  const net::Peer peer(SOCK_DGRAM);
  for (int i = 0; i < 500; ++i)
    peer.send_to((*shard)->listeners()[0].bind, options_request("UDP", peer.address()));
  (*shard)->post(engine::Drain{});
  (*shard)->post(engine::HangUpAll{});
  (*shard)->stop();
  EXPECT_EQ((*shard)->status().commands_heard, 2U);
}

}  // namespace
}  // namespace baton::shard
