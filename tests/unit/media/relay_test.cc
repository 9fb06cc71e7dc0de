#include "media/relay/relay.h"

#include "unit/media/audio.h"
#include "unit/media/party.h"

namespace baton::media::test {
namespace {

using sdp::Codec;

TEST_F(RelayTest, AudioBothWays) {
  Party a(1), b(2);
  bridge(a, b);
  for (int i = 0; i < 5; ++i) {
    a.say();
    b.say();
    pump();
    const auto at_b = b.hear();
    const auto at_a = a.hear();
    ASSERT_TRUE(at_a && at_b);
    EXPECT_EQ(at_b->payload, std::vector<std::uint8_t>(160, 1));
    EXPECT_EQ(at_a->payload, std::vector<std::uint8_t>(160, 2));
    EXPECT_EQ(at_a->header.marker, i == 0);
    pass(20ms);
  }
  EXPECT_EQ(relay->counters().received, 10U);
  EXPECT_EQ(relay->counters().sent, 10U);
}

TEST_F(RelayTest, Ipv6) {
  if (!Plug("::1").bound()) GTEST_SKIP() << "no IPv6 on this machine";
  Party a(1, Codec::pcmu, 101, "::1"), b(2);
  bridge(a, b);
  EXPECT_TRUE(a.relay_rtp.ip.v6);
  EXPECT_FALSE(b.relay_rtp.ip.v6);
  a.say();
  b.say();
  pump();
  EXPECT_TRUE(a.hear());
  EXPECT_TRUE(b.hear());
}

TEST_F(RelayTest, StreamOfAListenerSurvivesEverySwitch) {
  Party listener(1), first(2), second(3, Codec::pcma);
  join(listener);
  join(first);
  join(second);
  second.next.timestamp = 4'000'000'000;
  std::vector<Heard> heard;
  std::vector<Time> at;
  const auto collect = [&] {
    for (auto& h : listener.hear_all()) {
      heard.push_back(std::move(h));
      at.push_back(now);
    }
  };
  const auto talk = [&](int packets) {
    for (int i = 0; i < packets; ++i) {
      first.say();
      second.say();
      pump();
      collect();
      pass(20ms);
      collect();
    }
  };
  std::vector<std::size_t> switches;
  const auto switched = [&] { switches.push_back(heard.size()); };
  hear(listener, first);
  switched();
  talk(10);
  hear(listener, second);
  switched();
  talk(10);
  ring(listener, "US");
  switched();
  talk(10);
  hear(listener, first);
  switched();
  talk(10);
  hush(listener);
  talk(50);
  hear(listener, second);
  switched();
  talk(10);

  ASSERT_GE(heard.size(), 50U);
  for (std::size_t i = 0; i < heard.size(); ++i) {
    const RtpHeader& header = heard[i].header;
    EXPECT_EQ(header.ssrc, heard[0].header.ssrc);
    EXPECT_EQ(header.payload_type, 0);
    EXPECT_EQ(header.marker, std::find(switches.begin(), switches.end(), i) != switches.end()) << i;
    if (i == 0) continue;
    const RtpHeader& before = heard[i - 1].header;
    EXPECT_EQ(header.sequence, static_cast<std::uint16_t>(before.sequence + 1)) << i;
    const std::uint32_t step = header.timestamp - before.timestamp;
    const auto by_clock = to_micros(at[i]) - to_micros(at[i - 1]);
    EXPECT_GE(step, 160U) << i;
    EXPECT_LE(step, static_cast<std::uint64_t>(by_clock) * 8 / 1'000 + 160) << i;
    EXPECT_TRUE(by_clock <= 20'000 || by_clock >= 1'000'000) << "no gap over one packet time";
  }
  EXPECT_NE(heard[0].header.ssrc, first.next.ssrc);
}

TEST_F(RelayTest, RingBackStartsAtOnceAndKeepsCadence) {
  Party caller(1, Codec::pcma);
  join(caller);
  ring(caller, "US");
  ASSERT_EQ(relay->counters().sent, 1U) << "the first packet goes out with the operation";
  pass(11'980ms);
  std::vector<std::int16_t> samples;
  std::size_t packets = 0;
  for (const auto& heard : caller.hear_all()) {
    EXPECT_EQ(heard.header.payload_type, 8);
    EXPECT_EQ(heard.header.marker, packets == 0);
    ASSERT_EQ(heard.payload.size(), 160U);
    const auto part = decode(Codec::pcma, heard.payload);
    samples.insert(samples.end(), part.begin(), part.end());
    ++packets;
  }
  // The socket buffer holds only some of twelve seconds; count what was sent, measure what is there.
  EXPECT_EQ(relay->counters().tone_packets, 600U);
  ASSERT_GT(packets, 90U);
  const auto tone = std::span(samples).first(8'000);
  EXPECT_NEAR(amplitude_at(440, tone), 2'558, 100);
  EXPECT_NEAR(amplitude_at(480, tone), 2'558, 100);
}

TEST_F(RelayTest, RingBackCadenceOnTheWire) {
  Party caller(1);
  join(caller);
  ring(caller, "DE");
  std::vector<bool> loud;
  for (int i = 0; i < 550; ++i) {
    for (const auto& heard : caller.hear_all()) loud.push_back(rms(decode(Codec::pcmu, heard.payload)) > 500);
    pass(20ms);
  }
  ASSERT_GE(loud.size(), 549U);
  for (std::size_t i = 0; i < loud.size(); ++i) EXPECT_EQ(loud[i], i % 250 < 50) << i;
}

TEST_F(RelayTest, ToneKeepsItsGridHoweverLateTheLoopIs) {
  Party caller(1);
  auto configure = caller.configure();
  join(caller);
  configure.ptime_ms = 30;
  perform(configure);
  ring(caller, "FR");
  std::uint32_t first = caller.hear()->header.timestamp;
  for (int i = 1; i <= 100; ++i) {
    now = start + i * 30ms + (i % 3) * 7ms;
    relay->advance(now, results);
    const auto heard = caller.hear_all();
    ASSERT_EQ(heard.size(), 1U) << i;
    EXPECT_EQ(heard[0].header.timestamp - first, 240U * static_cast<unsigned>(i));
    EXPECT_EQ(heard[0].payload.size(), 240U);
  }
  EXPECT_EQ(relay->next_deadline() <= start + 101 * 30ms, true);
}

TEST_F(RelayTest, ToneMakesUpForAShortStallAndSkipsALongOne) {
  Party caller(1);
  join(caller);
  ring(caller, "DE");
  static_cast<void>(caller.hear_all());
  now += 100ms;
  relay->advance(now, results);
  EXPECT_EQ(caller.hear_all().size(), 5U);
  now += 10s;
  relay->advance(now, results);
  auto heard = caller.hear_all();
  ASSERT_EQ(heard.size(), 1U);
  now += 20ms;
  relay->advance(now, results);
  EXPECT_EQ(caller.hear()->header.timestamp - heard[0].header.timestamp, 160U);
}

TEST_F(RelayTest, CadenceGoesOnAfterAStall) {
  Party caller(1);
  join(caller);
  ring(caller, "DE");
  const auto heard_after = [&](Duration stall) {
    static_cast<void>(caller.hear_all());
    now += stall;
    relay->advance(now, results);
    return rms(decode(Codec::pcmu, caller.hear_all().back().payload));
  };
  EXPECT_LT(heard_after(2s), 10) << "two seconds into one on, four off";
  EXPECT_GT(heard_after(3'500ms), 500);
}

TEST_F(RelayTest, RingBackAfterAShortSilenceIsThereAtOnce) {
  Party caller(1);
  join(caller);
  ring(caller, "US");
  hush(caller);
  pass(5ms);
  EXPECT_EQ(caller.hear_all().size(), 1U);
  ring(caller, "US");
  EXPECT_EQ(caller.hear_all().size(), 1U);
  pass(20ms);
  EXPECT_EQ(caller.hear_all().size(), 1U);
}

TEST_F(RelayTest, SameRingBackAgainIsNotAnInterruption) {
  Party caller(1);
  join(caller);
  ring(caller, "US");
  pass(60ms);
  ring(caller, "CA");
  EXPECT_EQ(relay->counters().tone_packets, 4U);
  ring(caller, "DE");
  EXPECT_EQ(relay->counters().tone_packets, 5U);
}

TEST_F(RelayTest, RingBackWaitsForAnAddress) {
  Party caller(1);
  perform(Open{caller.id, false});
  caller.relay_rtp = std::get<Opened>(results.back()).local_rtp;
  ring(caller, "US");
  pass(100ms);
  EXPECT_EQ(relay->counters().sent, 0U);
  perform(caller.configure());
  EXPECT_EQ(caller.hear_all().size(), 1U);
}

TEST_F(RelayTest, TranscodesBothWays) {
  Party a(1, Codec::pcmu), b(2, Codec::pcma);
  bridge(a, b);
  const auto said = sine(1'004, 8'000, 1'600);
  std::vector<std::int16_t> at_a, at_b;
  for (std::size_t i = 0; i < said.size(); i += 160) {
    a.say(encode(Codec::pcmu, std::span(said).subspan(i, 160)));
    b.say(encode(Codec::pcma, std::span(said).subspan(i, 160)));
    pump();
    const auto heard_a = a.hear(), heard_b = b.hear();
    ASSERT_TRUE(heard_a && heard_b);
    EXPECT_EQ(heard_a->header.payload_type, 0);
    EXPECT_EQ(heard_b->header.payload_type, 8);
    for (const auto s : decode(Codec::pcmu, heard_a->payload)) at_a.push_back(s);
    for (const auto s : decode(Codec::pcma, heard_b->payload)) at_b.push_back(s);
    pass(20ms);
  }
  EXPECT_GT(signal_to_noise_db(said, at_a), 30.0);
  EXPECT_GT(signal_to_noise_db(said, at_b), 30.0);
  EXPECT_EQ(relay->counters().transcoded, 20U);
}

TEST_F(RelayTest, OneSourceTwoListenersOfDifferentCodecs) {
  Party talker(1, Codec::pcmu), same(2, Codec::pcmu), other(3, Codec::pcma);
  join(talker);
  join(other);
  join(same);
  hear(other, talker);
  hear(same, talker);
  const auto said = encode(Codec::pcmu, sine(500, 4'000, 160));
  talker.say(said);
  pump();
  EXPECT_EQ(same.hear()->payload, said);
  std::vector<std::uint8_t> converted(said.size());
  transcode(Codec::pcmu, Codec::pcma, said, converted.data());
  EXPECT_EQ(other.hear()->payload, converted);
}

TEST_F(RelayTest, TelephoneEventsCrossBetweenNumbers) {
  Party a(1, Codec::pcmu, 96), b(2, Codec::pcma, 101);
  bridge(a, b);
  const std::vector<std::uint8_t> digit{5, 0x8a, 0x03, 0x20};
  a.say();
  RtpHeader event = a.next;
  event.payload_type = 96;
  event.marker = true;
  a.send(event, digit);
  ++event.sequence;
  event.marker = false;
  a.send(event, digit);
  pump();
  const auto heard = b.hear_all();
  ASSERT_EQ(heard.size(), 3U);
  EXPECT_EQ(heard[1].header.payload_type, 101);
  EXPECT_EQ(heard[1].payload, digit);
  EXPECT_TRUE(heard[1].header.marker);
  EXPECT_FALSE(heard[2].header.marker);
  EXPECT_EQ(heard[1].header.timestamp, heard[2].header.timestamp) << "one event, one time (RFC 4733 2.2)";
  EXPECT_EQ(relay->counters().transcoded, 1U) << "the audio only";
}

TEST_F(RelayTest, TelephoneEventsUnderOurNumberToo) {
  Party a(1, Codec::pcmu, 96), b(2);
  bridge(a, b);
  auto configure = a.configure();
  configure.events_accepted.add(sdp::EventClock::at_8000, 101);
  perform(configure);
  for (const std::uint8_t number : {std::uint8_t{101}, std::uint8_t{96}}) {
    RtpHeader event = a.next;
    event.payload_type = number;
    a.send(event, std::vector<std::uint8_t>{5, 0x8a, 0x03, 0x20});
    ++a.next.sequence;
  }
  RtpHeader event = b.next;
  event.payload_type = 101;
  b.send(event, std::vector<std::uint8_t>{5, 0x8a, 0x03, 0x20});
  pump();
  EXPECT_EQ(b.hear_all().size(), 2U);
  EXPECT_EQ(a.hear()->header.payload_type, 96) << "the party's own number towards it";
}

TEST_F(RelayTest, TelephoneEventForAPartyWithoutThem) {
  Party a(1), b(2);
  bridge(a, b);
  auto configure = b.configure();
  configure.dtmf_payload_type.reset();
  perform(configure);
  RtpHeader event = a.next;
  event.payload_type = 101;
  a.send(event, std::vector<std::uint8_t>{5, 0x8a, 0x03, 0x20});
  pump();
  EXPECT_FALSE(b.hear());
  EXPECT_EQ(relay->counters().dropped_payload_type, 1U);
}

TEST_F(RelayTest, HeldPartyIsNotSentTo) {
  Party a(1), b(2);
  bridge(a, b);
  a.say();
  pump();
  const auto before = b.hear();
  ASSERT_TRUE(before);
  auto hold = b.configure();
  hold.send = false;
  perform(hold);
  for (int i = 0; i < 10; ++i) {
    pass(20ms);
    a.say();
    b.say();
    pump();
  }
  EXPECT_FALSE(b.hear());
  EXPECT_EQ(a.hear_all().size(), 10U) << "it may still be heard (music on hold)";
  perform(b.configure());
  pass(20ms);
  a.say();
  pump();
  const auto after = b.hear();
  ASSERT_TRUE(after);
  EXPECT_EQ(after->header.sequence, static_cast<std::uint16_t>(before->header.sequence + 1));
  EXPECT_EQ(after->header.timestamp - before->header.timestamp, 11U * 160);
  EXPECT_TRUE(after->header.marker);
}

TEST_F(RelayTest, PartyThatIsNotReceivedFrom) {
  Party a(1), b(2);
  bridge(a, b);
  a.say();
  pump();
  auto configure = a.configure();
  configure.receive = false;
  perform(configure);
  a.say();
  a.say();
  pump();
  const auto before = b.hear_all();
  ASSERT_EQ(before.size(), 1U);
  EXPECT_EQ(relay->counters().dropped_held, 2U);
  perform(a.configure());
  a.say();
  pump();
  const auto after = b.hear();
  ASSERT_TRUE(after);
  EXPECT_EQ(after->header.sequence, static_cast<std::uint16_t>(before[0].header.sequence + 1));
  EXPECT_TRUE(after->header.marker);
}

TEST_F(RelayTest, RingBackStopsOnHoldAndComesBack) {
  Party a(1);
  join(a);
  ring(a, "US");
  auto hold = a.configure();
  hold.send = false;
  perform(hold);
  pass(200ms);
  EXPECT_EQ(a.hear_all().size(), 1U);
  perform(a.configure());
  const auto again = a.hear_all();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_GT(rms(decode(Codec::pcmu, again[0].payload)), 500);
}

TEST_F(RelayTest, PacketsFromElsewhereAreDropped) {
  Party a(1), b(2), stranger(3);
  bridge(a, b);
  stranger.relay_rtp = a.relay_rtp;
  stranger.say();
  pump();
  EXPECT_FALSE(b.hear()) << "not even before the party has spoken";
  a.say();
  stranger.say();
  pump();
  const auto heard = b.hear_all();
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].payload[0], 1);
  EXPECT_EQ(relay->counters().dropped_source, 2U);
  b.say();
  pump();
  EXPECT_TRUE(a.hear());
  EXPECT_FALSE(stranger.hear());
}

TEST_F(RelayTest, MalformedPacketsAreDropped) {
  Party a(1), b(2);
  bridge(a, b);
  a.rtp.send(a.relay_rtp, std::vector<std::uint8_t>{});
  a.rtp.send(a.relay_rtp, std::vector<std::uint8_t>(11, 0x80));
  a.rtp.send(a.relay_rtp, std::vector<std::uint8_t>(172, 0x00));
  a.rtp.send(a.relay_rtp, std::vector<std::uint8_t>(3'000, 0x80));
  pump();
  EXPECT_EQ(relay->counters().dropped_malformed, 4U);
  RtpHeader unknown = a.next;
  unknown.payload_type = 18;
  a.send(unknown, std::vector<std::uint8_t>(20));
  pump();
  EXPECT_EQ(relay->counters().dropped_payload_type, 1U);
  EXPECT_FALSE(b.hear());
}

TEST_F(RelayTest, FloodOfOnePartyIsCapped) {
  Party a(1), b(2);
  bridge(a, b);
  for (int i = 0; i < 600; ++i) {
    a.say();
    pump();
    static_cast<void>(b.hear_all());
  }
  EXPECT_GT(relay->counters().dropped_rate, 300U);
  EXPECT_GT(relay->counters().sent, 150U);
}

TEST_F(RelayTest, PartyBehindNatIsLatchedOnto) {
  Party a(1), b(2), stranger(3);
  bridge(a, b);
  auto behind_nat = a.configure();
  behind_nat.remote_rtp = *SocketAddress::parse("192.168.77.1:4000");
  behind_nat.remote_rtcp.reset();
  behind_nat.latch_from = IpAddress::v4(127, 0, 0, 1);
  perform(behind_nat);
  RtpHeader unknown = stranger.next;
  unknown.payload_type = 18;
  stranger.relay_rtp = a.relay_rtp;
  stranger.send(unknown, std::vector<std::uint8_t>(20));
  a.say();
  stranger.say();
  pump();
  EXPECT_EQ(relay->counters().latched, 1U);
  EXPECT_EQ(relay->counters().dropped_source, 2U);
  EXPECT_EQ(b.hear_all().size(), 1U);
  b.say();
  pump();
  EXPECT_TRUE(a.hear());
  EXPECT_FALSE(stranger.hear());
}

TEST_F(RelayTest, RingBackReachesALatchedParty) {
  Party a(1);
  join(a);
  auto behind_nat = a.configure();
  behind_nat.remote_rtp = *SocketAddress::parse("0.0.0.0:4000");
  perform(behind_nat);
  ring(a, "US");
  // Until it speaks, the address it had before stands.
  EXPECT_EQ(a.hear_all().size(), 1U);
}

TEST_F(RelayTest, SsrcOfASourceMayChange) {
  Party a(1), b(2);
  bridge(a, b);
  a.say();
  pump();
  const auto before = b.hear();
  pass(100ms);
  a.next.ssrc ^= 0xffff;
  a.next.sequence = 60'000;
  a.next.timestamp = 7;
  a.say();
  pump();
  const auto after = b.hear();
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->header.ssrc, before->header.ssrc);
  EXPECT_EQ(after->header.sequence, static_cast<std::uint16_t>(before->header.sequence + 1));
  EXPECT_EQ(after->header.timestamp - before->header.timestamp, 800U);
}

TEST_F(RelayTest, PartyMayMoveWithoutALostPacket) {
  Party a(1), b(2), elsewhere(3);
  bridge(a, b);
  a.say();
  pump();
  const auto before = b.hear();
  pass(20ms);
  auto configure = a.configure();
  configure.remote_rtp = elsewhere.rtp.address();
  perform(configure);
  elsewhere.relay_rtp = a.relay_rtp;
  elsewhere.say();
  a.say();
  pump();
  const auto after = b.hear_all();
  ASSERT_TRUE(before);
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].payload[0], 3);
  EXPECT_EQ(after[0].header.sequence, static_cast<std::uint16_t>(before->header.sequence + 1));
}

TEST_F(RelayTest, CodecMayChangeWithinTheStream) {
  Party a(1), b(2);
  bridge(a, b);
  a.say();
  pump();
  const auto before = b.hear();
  auto configure = b.configure();
  configure.format = {Codec::pcma, 8};
  perform(configure);
  pass(20ms);
  a.say();
  pump();
  const auto after = b.hear();
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->header.payload_type, 8);
  EXPECT_EQ(after->header.ssrc, before->header.ssrc);
  EXPECT_EQ(after->header.sequence, static_cast<std::uint16_t>(before->header.sequence + 1));
}

}  // namespace
}  // namespace baton::media::test
