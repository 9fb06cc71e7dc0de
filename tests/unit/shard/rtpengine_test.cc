// rtpengine as a shard's media plane: datagrams to it and from it.
#include <gtest/gtest.h>
#include <poll.h>

#include "shard/shard.h"
#include "unit/net/world.h"

namespace baton::shard {
namespace {

media::Rtpengine::Options options_for(const SocketAddress& address) {
  media::Rtpengine::Options options;
  options.address = address;
  options.token = "token";
  return options;
}

// A daemon whose part the test plays.
class RtpenginePlaneTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = make_rtpengine(options_for(daemon_.address()), std::nullopt);
    ASSERT_TRUE(made) << made.error();
    plane_ = std::move(*made);
  }
  // What it was asked; the sender's address is the plane's.
  std::string asked() {
    std::string bytes(65'536, '\0');
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    const ssize_t n =
        recvfrom(daemon_.fd(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    plane_at_ = net::KernelAddress::read(from);
    return bytes;
  }
  void answer(const std::string& datagram, const std::string& body) {
    daemon_.send_to(plane_at_, datagram.substr(0, datagram.find(' ') + 1) + body);
    plane_->poll(now_, results_);
  }

  const net::Peer daemon_{SOCK_DGRAM};
  std::unique_ptr<MediaPlane> plane_;
  SocketAddress plane_at_;
  Time now_{1h};
  std::vector<media::Result> results_;
};

TEST_F(RtpenginePlaneTest, AsksAndHears) {
  EXPECT_GE(plane_->poll_fd(), 0);
  ASSERT_TRUE(plane_->next_deadline());
  EXPECT_LE(*plane_->next_deadline(), now_) << "is it there?";
  plane_->advance(now_, results_);
  const std::string ping = asked();
  EXPECT_EQ(ping, "token-1 d7:command4:pinge");
  answer(ping, "d6:result4:ponge");
  plane_->perform(now_, media::Open{.id = 7}, results_);
  const std::string offer = asked();
  EXPECT_EQ(offer.substr(0, 8), "token-2 ");
  EXPECT_NE(offer.find("7:command5:offer"), std::string::npos);
  EXPECT_TRUE(results_.empty());
  const std::string sdp =
      "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
  answer(offer, "d6:result2:ok3:sdp" + std::to_string(sdp.size()) + ':' + sdp + 'e');
  ASSERT_EQ(results_.size(), 1U);
  const auto* opened = std::get_if<media::Opened>(&results_[0]);
  ASSERT_NE(opened, nullptr);
  EXPECT_EQ(opened->local_rtp.to_string(), "127.0.0.1:4000");
}

TEST_F(RtpenginePlaneTest, WhatComesFromElsewhereIsNotHeard) {
  plane_->perform(now_, media::Open{.id = 7}, results_);
  const std::string offer = asked();
  const net::Peer stranger(SOCK_DGRAM);
  stranger.send_to(plane_at_, offer.substr(0, offer.find(' ') + 1) + "d6:result5:errore");
  plane_->poll(now_, results_);
  EXPECT_TRUE(results_.empty());
}

TEST(RtpengineKeyLog, IsHeardBesideTheAnswers) {
  const net::Peer daemon(SOCK_DGRAM);
  SocketAddress log;
  {
    const net::Peer free(SOCK_DGRAM);
    log = free.address();
  }
  auto plane = make_rtpengine(options_for(daemon.address()), log);
  ASSERT_TRUE(plane) << plane.error();
  pollfd ready{(*plane)->poll_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 0), 0);
  const std::string line =
      R"({"callid":"token.7","source_tag":"party","type":"DTMF","event":4,"duration":100})";
  daemon.send_to(log, line);
  EXPECT_EQ(::poll(&ready, 1, 5'000), 1);
  std::vector<media::Result> results;
  (*plane)->poll(Time{1h}, results);
  EXPECT_TRUE(results.empty()) << "of nobody";
  EXPECT_EQ(::poll(&ready, 1, 0), 0) << "it was read";
  const auto taken = make_rtpengine(options_for(daemon.address()), daemon.address());
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().substr(0, 23), "rtpengine's log of keys");
}

// A port that nobody listens on is told by ICMP: no reason to stop asking, nor to spin.
TEST(RtpengineGone, IsAskedAgainAndGivenUp) {
  SocketAddress nobody;
  {
    const net::Peer gone(SOCK_DGRAM);
    nobody = gone.address();
  }
  auto plane = make_rtpengine(options_for(nobody), std::nullopt);
  ASSERT_TRUE(plane);
  Time now{1h};
  std::vector<media::Result> results;
  (*plane)->perform(now, media::Open{.id = 7}, results);
  for (int i = 0; i < 50 && results.empty(); ++i) {
    now += 100ms;
    (*plane)->poll(now, results);
    (*plane)->advance(now, results);
  }
  ASSERT_EQ(results.size(), 1U);
  const auto* failed = std::get_if<media::OpenFailed>(&results[0]);
  ASSERT_NE(failed, nullptr);
  EXPECT_NE(failed->reason.find(nobody.to_string()), std::string::npos) << failed->reason;
}

TEST(RtpengineShard, OpensWithoutADaemonAndNotWithoutAWayToIt) {
  Options options;
  options.engine.digest_secret = std::string(32, 's');
  options.model = std::make_shared<trunk::Model>();
  options.listeners = {{Transport::udp, {net::loopback, 0}, {net::loopback, 0}}};
  options.rtpengine = options_for({net::loopback, 9});
  auto shard = Shard::open(options, {});
  ASSERT_TRUE(shard) << shard.error().what;
  (*shard)->start();
  (*shard)->stop();
  // Broadcasting is not permitted.
  options.rtpengine = options_for({IpAddress::v4(255, 255, 255, 255), 9});
  const auto refused = Shard::open(options, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what.substr(0, 31), "rtpengine at 255.255.255.255:9:");
}

}  // namespace
}  // namespace baton::shard
