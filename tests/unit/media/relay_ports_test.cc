#include "media/relay/ports.h"
#include "media/relay/relay.h"
#include "media/relay/rtcp.h"

#include "unit/media/audio.h"
#include "unit/media/party.h"

namespace baton::media::test {
namespace {

TEST_F(RelayTest, ExhaustedRangeSaysSo) {
  auto o = options();
  o.port_min = 21'990;
  o.port_max = 21'993;
  use(o);
  perform(Open{1, false});
  perform(Open{2, false});
  perform(Open{3, false});
  EXPECT_EQ(results_of<Opened>().size(), 2U);
  const auto failed = results_of<OpenFailed>();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].id, 3U);
  EXPECT_EQ(failed[0].reason, "no RTP port pair is free in 21990-21993: 2 in use, 0 at rest after use");
}

TEST_F(RelayTest, PortsRestBeforeTheyAreUsedAgain) {
  auto o = options();
  o.port_min = 21'990;
  o.port_max = 21'991;
  o.port_rest = 10s;
  use(o);
  perform(Open{1, false});
  perform(Close{1});
  perform(Open{2, false});
  EXPECT_EQ(results_of<OpenFailed>().size(), 1U);
  now += 10s;
  perform(Open{3, false});
  EXPECT_EQ(results_of<Opened>().size(), 2U);
}

// What was on its way when the call ended is no reason for more rest.
TEST_F(RelayTest, APairThatRestedOpenHearsNothingOfItsLastCall) {
  auto o = options();
  o.port_min = 21'990;
  o.port_max = 21'991;
  use(o);
  Party before(1);
  join(before);
  perform(Close{1});
  pass(4s);
  before.say();
  pump();
  EXPECT_EQ(relay->counters().dropped_at_rest, 1U);
  pass(6s);
  Party next(2);
  join(next);
  ASSERT_EQ(next.relay_rtp, before.relay_rtp);
  pump();
  EXPECT_EQ(relay->counters().received, 0U);
  next.say();
  pump();
  EXPECT_EQ(relay->counters().received, 1U);
}

// A party whose BYE was lost talks on: nobody else is to hear it, nor to be kept from being heard.
TEST_F(RelayTest, APairThatIsStillSentToIsNotGivenOut) {
  auto o = options();
  o.port_min = 21'990;
  o.port_max = 21'991;
  use(o);
  const auto opens_at = [this](EndpointId id) {
    perform(Open{id, false});
    return results_of<Opened>().size();
  };
  Party before(1);
  join(before);
  results.clear();
  perform(Close{1});
  pass(9s);
  before.say();
  pump();
  pass(1s);
  EXPECT_EQ(opens_at(2), 0U);
  ASSERT_EQ(results_of<OpenFailed>().size(), 1U);
  before.say();
  pump();
  EXPECT_EQ(relay->counters().dropped_at_rest, 1U) << "its sockets are closed";
  pass(9s);
  EXPECT_EQ(opens_at(3), 1U);
  perform(Close{3});
  pass(10s);
  // Read by nobody yet, and by no other call.
  before.rtcp.send(before.relay_rtcp(), std::vector<std::uint8_t>{0x80, 201, 0, 1, 0, 0, 0, 1});
  EXPECT_EQ(opens_at(4), 1U);
  EXPECT_NE(results_of<OpenFailed>().back().reason.find("still sent to"), std::string::npos);
  pass(10s);
  EXPECT_EQ(opens_at(5), 2U);
  EXPECT_EQ(relay->counters().received + relay->counters().rtcp_received, 0U);
}

TEST_F(RelayTest, PairsRestOpenAsFarAsTheyMay) {
  auto o = options();
  o.open_pairs_max = 2;
  use(o);
  const auto is_open = [](const SocketAddress& rtp) { return !Plug(rtp).bound(); };
  Party a(1), b(2), c(3);
  for (Party* party : {&a, &b, &c}) join(*party);
  for (EndpointId id = 1; id <= 3; ++id) perform(Close{id});
  EXPECT_FALSE(is_open(a.relay_rtp)) << "two are open already";
  EXPECT_TRUE(is_open(b.relay_rtp));
  EXPECT_TRUE(is_open(c.relay_rtp));
  perform(Open{4, false});
  EXPECT_FALSE(is_open(c.relay_rtp)) << "for the one that is needed now";
  EXPECT_TRUE(is_open(b.relay_rtp));
  pass(10s + PortPool::kept_open);
  EXPECT_FALSE(is_open(b.relay_rtp));
  EXPECT_FALSE(relay->next_deadline());
}

TEST_F(RelayTest, PortsOfOthersArePassedOver) {
  const Plug other(SocketAddress{relay_ip(), 21'995});
  ASSERT_TRUE(other.bound());
  auto o = options();
  o.port_min = 21'992;
  o.port_max = 21'995;
  use(o);
  perform(Open{1, false});
  ASSERT_EQ(results_of<Opened>().size(), 1U);
  EXPECT_EQ(results_of<Opened>()[0].local_rtp.port, 21'992);
  perform(Open{2, false});
  EXPECT_EQ(results_of<OpenFailed>().size(), 1U);
}

TEST_F(RelayTest, OpenFailuresNameTheirReason) {
  auto o = options();
  o.v6.reset();
  o.endpoints_max = 1;
  use(o);
  perform(Open{1, true});
  perform(Open{2, false});
  perform(Open{2, false});
  perform(Open{3, false});
  const auto failed = results_of<OpenFailed>();
  ASSERT_EQ(failed.size(), 3U);
  EXPECT_EQ(failed[0].reason, "no IPv6 address for media is configured");
  EXPECT_EQ(failed[1].reason, "the endpoint is open already");
  EXPECT_EQ(failed[2].reason, "the limit of 1 media endpoints is reached");
  o.endpoints_max = 10;
  o.v4->bind = IpAddress::v4(192, 0, 2, 1);
  use(o);
  perform(Open{1, false});
  EXPECT_NE(results_of<OpenFailed>().back().reason.find("can not bind RTP to 192.0.2.1:"), std::string::npos);
}

TEST_F(RelayTest, AdvertisedAddressIsTold) {
  auto o = options();
  o.v4->advertised = IpAddress::v4(203, 0, 113, 7);
  use(o);
  perform(Open{1, false});
  EXPECT_EQ(results_of<Opened>()[0].local_rtp.ip.to_string(), "203.0.113.7");
  EXPECT_EQ(results_of<Opened>()[0].local_rtp.port % 2, 0);
}

TEST_F(RelayTest, CloseGivesTotalsAndLeavesTheOthers) {
  Party a(1), b(2), c(3);
  bridge(a, b);
  join(c);
  for (int i = 0; i < 3; ++i) {
    a.say();
    pump();
  }
  a.rtp.send(a.relay_rtp, std::vector<std::uint8_t>(5));
  pump();
  results.clear();
  perform(Close{1});
  perform(Close{1});
  const auto closed = results_of<Closed>();
  ASSERT_EQ(closed.size(), 2U);
  EXPECT_EQ(closed[0].packets_received, 4U);
  EXPECT_EQ(closed[0].packets_dropped, 1U);
  EXPECT_EQ(closed[1].packets_received, 0U);
  b.say();
  pump();
  hear(b, c);
  c.say();
  pump();
  EXPECT_EQ(b.hear_all().size(), 4U);
  perform(Close{2});
  perform(Close{3});
  EXPECT_EQ(results_of<Closed>()[2].packets_sent, 4U);
  EXPECT_EQ(relay->endpoints(), 0U);
  pass(60s);
  EXPECT_FALSE(relay->next_deadline());
}

TEST_F(RelayTest, OperationsOnUnknownEndpointsDoNothing) {
  Party a(1);
  join(a);
  results.clear();
  perform(Configure{});
  perform(Hear{99, Hear::Silence{}});
  perform(Hear{1, Hear::Party{99}});
  EXPECT_TRUE(results.empty());
}

TEST_F(RelayTest, SilenceIsReportedOnce) {
  auto o = options();
  o.silence_timeout = 30s;
  use(o);
  Party a(1), b(2);
  bridge(a, b);
  auto not_received = b.configure();
  not_received.receive = false;
  perform(not_received);
  pass(20s);
  a.say();
  pump();
  pass(29'900ms);
  EXPECT_TRUE(results_of<Silent>().empty());
  pass(200ms);
  ASSERT_EQ(results_of<Silent>().size(), 1U);
  EXPECT_EQ(results_of<Silent>()[0].id, 1U);
  pass(300s);
  EXPECT_EQ(results_of<Silent>().size(), 1U);
}

TEST_F(RelayTest, SilenceCountsAnewAfterHold) {
  auto o = options();
  o.silence_timeout = 30s;
  use(o);
  Party a(1);
  join(a);
  auto hold = a.configure();
  hold.receive = false;
  perform(hold);
  pass(100s);
  EXPECT_TRUE(results_of<Silent>().empty());
  perform(a.configure());
  pass(29s);
  EXPECT_TRUE(results_of<Silent>().empty());
  pass(2s);
  EXPECT_EQ(results_of<Silent>().size(), 1U);
}

TEST_F(RelayTest, SilenceIsReportedAgainAfterTheParty) {
  auto o = options();
  o.silence_timeout = 30s;
  use(o);
  Party a(1);
  join(a);
  pass(31s);
  EXPECT_EQ(results_of<Silent>().size(), 1U);
  a.say();
  pump();
  pass(31s);
  EXPECT_EQ(results_of<Silent>().size(), 2U) << "heard in between";
  perform(a.configure());
  pass(31s);
  EXPECT_EQ(results_of<Silent>().size(), 3U) << "configured anew";
  pass(300s);
  EXPECT_EQ(results_of<Silent>().size(), 3U);
}

TEST_F(RelayTest, RtcpAloneIsAlive) {
  auto o = options();
  o.silence_timeout = 30s;
  use(o);
  Party a(1);
  join(a);
  for (int i = 0; i < 10; ++i) {
    pass(10s);
    a.rtcp.send(a.relay_rtcp(), std::vector<std::uint8_t>{0x80, 201, 0, 1, 0, 0, 0, 1});
    pump();
  }
  EXPECT_TRUE(results_of<Silent>().empty());
}

TEST_F(RelayTest, NoSilenceTimeoutNoReport) {
  Party a(1);
  join(a);
  pass(3'600s);
  EXPECT_TRUE(results_of<Silent>().empty());
}

TEST_F(RelayTest, OwnReportsAboutBothStreams) {
  Party a(1), b(2);
  bridge(a, b);
  pass(20s);
  EXPECT_EQ(relay->counters().rtcp_sent, 0U) << "nothing to report before the first packet";
  a.say();
  pump();
  const auto heard = b.hear();
  pass(8s);
  const auto report = b.rtcp.receive();
  ASSERT_TRUE(report && heard);
  EXPECT_EQ((*report)[1], 200);
  EXPECT_EQ(load32(report->data() + 4), heard->header.ssrc);
  EXPECT_EQ(load32(report->data() + 20), 1U);
  EXPECT_EQ(load32(report->data() + 24), 160U);
  const auto about_a = a.rtcp.receive();
  ASSERT_TRUE(about_a);
  EXPECT_EQ((*about_a)[1], 201);
  EXPECT_EQ(load32(about_a->data() + 8), 0x1000U + 1) << "the report block is about what A sends";
  perform(Close{2});
  std::optional<std::vector<std::uint8_t>> last;
  while (auto next = b.rtcp.receive()) last = std::move(next);
  ASSERT_TRUE(last);
  EXPECT_EQ((*last)[last->size() - 7], 203) << "BYE";
}

TEST_F(RelayTest, ReportsOfAQuietStreamAreAReceivers) {
  Party a(1), b(2);
  bridge(a, b);
  a.say();
  pump();
  pass(8s);
  EXPECT_EQ((*b.rtcp.receive())[1], 200);
  while (b.rtcp.receive()) {
  }
  pass(8s);
  const auto report = b.rtcp.receive();
  ASSERT_TRUE(report);
  EXPECT_EQ((*report)[1], 201);
  EXPECT_EQ((*report)[0] & 0x1f, 0) << "nothing was received from it either";
}

TEST_F(RelayTest, RtcpBehindNat) {
  const std::vector<std::uint8_t> report{0x80, 201, 0, 1, 0, 0, 0, 1};
  Party a(1), b(2);
  bridge(a, b);
  auto behind_nat = a.configure();
  behind_nat.remote_rtp = *SocketAddress::parse("192.168.77.1:4000");
  behind_nat.remote_rtcp.reset();
  behind_nat.latch_from = IpAddress::v4(127, 0, 0, 9);
  perform(behind_nat);
  a.rtcp.send(a.relay_rtcp(), report);
  pump();
  EXPECT_EQ(relay->counters().dropped_source, 1U) << "RTP has to show where the party is first";
  behind_nat.latch_from.reset();
  perform(behind_nat);
  const Plug stranger("127.0.0.2");
  a.say();
  pump();
  stranger.send(a.relay_rtcp(), report);
  pump();
  EXPECT_EQ(relay->counters().dropped_source, 2U);
  pass(8s);
  EXPECT_FALSE(a.rtcp.receive())
      << "sent to the port after the one RTP came from, which here is not the party's";
  a.rtcp.send(a.relay_rtcp(), report);
  pump();
  a.say();
  pump();
  pass(8s);
  EXPECT_TRUE(a.rtcp.receive());
  EXPECT_FALSE(stranger.receive());
}

TEST_F(RelayTest, NatPartyThatSendsNoRtcpIsReportedToAtTheNextPort) {
  Party a(1), b(2);
  bridge(a, b);
  std::optional<Plug> next;
  for (int tries = 0; tries < 50; ++tries) {
    Plug rtp;
    Plug rtcp(SocketAddress{rtp.address().ip, static_cast<std::uint16_t>(rtp.address().port + 1)});
    if (!rtcp.bound()) continue;
    a.rtp = std::move(rtp);
    next = std::move(rtcp);
    break;
  }
  ASSERT_TRUE(next);
  auto behind_nat = a.configure();
  behind_nat.remote_rtp = *SocketAddress::parse("192.168.77.1:4000");
  behind_nat.remote_rtcp.reset();
  perform(behind_nat);
  a.say();
  pump();
  pass(8s);
  EXPECT_TRUE(next->receive());
}

TEST_F(RelayTest, RtcpOfOthersIsDropped) {
  Party a(1), b(2);
  bridge(a, b);
  const std::vector<std::uint8_t> report{0x80, 201, 0, 1, 0, 0, 0, 1};
  b.rtcp.send(a.relay_rtcp(), report);
  pump();
  EXPECT_EQ(relay->counters().dropped_source, 1U);
  a.rtcp.send(a.relay_rtcp(), report);
  pump();
  EXPECT_EQ(relay->counters().rtcp_received, 1U);
}

TEST_F(RelayTest, ClosedTellsHowTheAudioWasAtBothEnds) {
  Party a(1), b(2);
  bridge(a, b);
  for (int i = 0; i < 100; ++i) {
    a.say();
    if (i % 10 == 0) {  // every tenth packet of it is lost
      ++a.next.sequence;
      a.next.timestamp += 160;
      pass(20ms);
    }
    pass(i % 2 == 0 ? 15ms : 25ms);
    b.say();
    pump();
  }
  // The peer's own report, 40 ms after ours and with 10 ms of rest in between.
  std::optional<std::uint32_t> ours;
  for (int i = 0; i < 600 && !ours; ++i) {
    pass(20ms);
    if (const auto bytes = a.rtcp.receive()) ours = read_rtcp(*bytes, 0)->middle_of_ntp;
    b.say();
    pump();
  }
  ASSERT_TRUE(ours);
  const auto heard = a.hear();
  ASSERT_TRUE(heard);
  RtcpBuffer buffer;
  const ReceptionReport report{heard->header.ssrc, 0, 4, 0, 16, *ours, 655};
  const std::size_t size = write_rtcp(buffer, a.next.ssrc, std::nullopt, report, "a", false);
  pass(40ms);
  a.rtcp.send(a.relay_rtcp(), {buffer.data(), size});
  pump();
  perform(Close{1});
  const Closed closed = results_of<Closed>().front();
  EXPECT_EQ(closed.codec, sdp::Codec::pcmu);
  EXPECT_EQ(closed.ptime_ms, 20U);
  ASSERT_TRUE(closed.received && closed.reported);
  EXPECT_EQ(closed.received->packets, 100U);
  EXPECT_EQ(closed.received->lost, 10U);
  EXPECT_GT(closed.received->jitter_us, 5'000U);
  EXPECT_LT(closed.received->jitter_us_max, 15'000U);
  EXPECT_EQ(closed.reported->lost, 4U);
  EXPECT_EQ(closed.reported->packets + 4, closed.packets_sent);
  EXPECT_EQ(closed.reported->jitter_us, 2'000U);
  ASSERT_TRUE(closed.round_trip_us);
  EXPECT_GE(*closed.round_trip_us, 29'000U);
  EXPECT_LE(*closed.round_trip_us, 51'000U);
}

TEST_F(RelayTest, ReportsThatCanNotBeTrueAreCutToWhatCan) {
  Party a(1), b(2);
  bridge(a, b);
  b.say();
  pump();
  const auto heard = a.hear();
  ASSERT_TRUE(heard);
  RtcpBuffer buffer;
  const ReceptionReport report{heard->header.ssrc, 255, 0x7fffff, 0, 0xffffffff, 1, 1};
  const std::size_t size = write_rtcp(buffer, a.next.ssrc, std::nullopt, report, "a", false);
  a.rtcp.send(a.relay_rtcp(), {buffer.data(), size});
  pump();
  perform(Close{1});
  const Closed closed = results_of<Closed>().front();
  EXPECT_FALSE(closed.received);
  ASSERT_TRUE(closed.reported);
  EXPECT_EQ(closed.reported->lost, closed.packets_sent);
  EXPECT_EQ(closed.reported->jitter_us, 60'000'000U);
  EXPECT_FALSE(closed.round_trip_us);
}

TEST_F(RelayTest, SeedsFromTheSystemDiffer) {
  auto o = options();
  o.seed = 0;
  std::vector<std::uint32_t> ssrcs;
  for (int i = 0; i < 2; ++i) {
    use(o);
    Party a(1);
    join(a);
    ring(a, "");
    ssrcs.push_back(a.hear()->header.ssrc);
  }
  EXPECT_NE(ssrcs[0], ssrcs[1]);
}

}  // namespace
}  // namespace baton::media::test
