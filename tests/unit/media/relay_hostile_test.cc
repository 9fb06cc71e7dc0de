// What somebody may throw at a media port, and the call that must not notice.
#include <sys/socket.h>

#include "media/relay/rtcp.h"
#include "unit/media/party.h"

namespace baton::media::test {
namespace {

class RelayHostile : public RelayTest {
 protected:
  // The two still talk, packet by packet, without a step.
  void expect_talk(Party& a, Party& b) {
    static_cast<void>(a.hear_all());
    static_cast<void>(b.hear_all());
    for (int i = 0; i < 5; ++i) {
      a.say();
      b.say();
      pump();
      pass(20ms);
    }
    EXPECT_EQ(a.hear_all().size(), 5U);
    const auto heard = b.hear_all();
    ASSERT_EQ(heard.size(), 5U);
    for (std::size_t i = 1; i < heard.size(); ++i) {
      EXPECT_EQ(heard[i].header.sequence, static_cast<std::uint16_t>(heard[i - 1].header.sequence + 1));
    }
  }
};

TEST_F(RelayHostile, PacketsOfEverySize) {
  Party a(1), b(2);
  bridge(a, b);
  a.say();
  pump();
  unsigned sent = 0;
  for (const std::size_t size : {0U, 1U, 2U, 11U, 12U, 13U, 2'047U, 2'048U, 2'049U, 9'000U, 65'507U}) {
    for (const std::uint8_t first : std::array<std::uint8_t, 6>{0x00, 0x80, 0x8f, 0x90, 0xa0, 0xff}) {
      std::vector<std::uint8_t> bytes(size, first);
      // A large datagram may not fit the socket's buffer: one at a time.
      a.rtp.send(a.relay_rtp, bytes);
      pump();
      a.rtcp.send(a.relay_rtcp(), bytes);
      pump();
      ++sent;
      pass(20ms);
    }
  }
  EXPECT_EQ(relay->counters().received, sent + 1);
  EXPECT_GT(relay->counters().dropped_malformed, sent);
  pass(1s);
  expect_talk(a, b);
}

TEST_F(RelayHostile, AnotherSsrcOfTheSameAddressDoesNotTakeTheCall) {
  Party a(1), b(2);
  bridge(a, b);
  for (int i = 0; i < 5; ++i) {
    a.say();
    pump();
    pass(20ms);
  }
  static_cast<void>(b.hear_all());
  const auto stale = relay->counters().dropped_stale;
  for (std::uint32_t i = 0; i < 100; ++i) {
    // Each packet with an SSRC and numbers of its own, between those of the party.
    a.send({false, 0, static_cast<std::uint16_t>(i * 977), i * 7'919, 0x5000 + i},
           std::vector<std::uint8_t>(160, 0xff));
    a.say();
    pump();
    pass(20ms);
  }
  EXPECT_EQ(relay->counters().dropped_stale - stale, 100U);
  const auto heard = b.hear_all();
  ASSERT_EQ(heard.size(), 100U);
  for (const auto& one : heard) EXPECT_EQ(one.payload[0], 1);
}

TEST_F(RelayHostile, AFloodFromElsewhereCostsTheCallNothing) {
  Party a(1), b(2), stranger(3);
  bridge(a, b);
  a.say();
  pump();
  stranger.relay_rtp = a.relay_rtp;
  for (int i = 0; i < 2'000; ++i) {
    stranger.say();
    if (i % 50 == 0) pump();
  }
  pump();
  EXPECT_GT(relay->counters().dropped_source, 1'000U);
  EXPECT_EQ(relay->counters().dropped_rate, 0U) << "only the party's own packets count against it";
  expect_talk(a, b);
}

TEST_F(RelayHostile, AFloodOfTheParty) {
  Party a(1), b(2);
  bridge(a, b);
  for (int i = 0; i < 2'000; ++i) {
    a.say();
    if (i % 16 == 0) pump();
  }
  pump();
  EXPECT_LT(relay->counters().sent, 400U);
  EXPECT_LT(b.hear_all().size(), 400U);
  pass(1s);
  expect_talk(a, b);
}

TEST_F(RelayHostile, TelephoneEventsOfEveryKind) {
  Party a(1), b(2);
  bridge(a, b);
  auto tones = b.configure();
  tones.dtmf_payload_type.reset();
  tones.digits = DigitsBy::tones;
  perform(tones);
  for (unsigned i = 0; i < 500; ++i) {
    RtpHeader header = a.next;
    header.payload_type = 101;
    header.timestamp = i * 0x0123'4567;
    std::vector<std::uint8_t> payload(i % 9, static_cast<std::uint8_t>(i));
    for (std::size_t j = 0; j < payload.size(); ++j) payload[j] = static_cast<std::uint8_t>(i * (j + 1) * 31);
    a.send(header, payload);
    ++a.next.sequence;
    pump();
    pass(20ms);
  }
  // What is left of the row of keys is played, and then the audio comes again.
  for (int i = 0; i < 60; ++i) pass(1s);
  expect_talk(a, b);
}

}  // namespace
}  // namespace baton::media::test
