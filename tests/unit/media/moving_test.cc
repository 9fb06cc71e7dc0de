// Endpoints that go from one relay to another: their parties notice nothing.
#include <filesystem>
#include <memory>
#include <thread>

#include "media/digits/telephone_event.h"
#include "media/relay/relay.h"
#include "media/relay/ring_back.h"
#include "unit/media/party.h"

namespace baton::media::test {
namespace {

class Moving : public RelayTest {
 protected:
  // A relay at the same address, with ports of its own.
  std::unique_ptr<Relay> make_other() const {
    Relay::Options o = options();
    o.port_min = 20'000;
    o.port_max = 20'003;
    o.seed = 8;
    o.silence_timeout = silence_timeout;
    o.recorder = recorder;
    return std::make_unique<Relay>(o);
  }
  void use_here() {
    Relay::Options o = options();
    o.silence_timeout = silence_timeout;
    o.recorder = recorder;
    use(o);
  }
  // What the listener gets of one packet.
  std::vector<Heard> said(Party& speaker, Party& listener) {
    speaker.say();
    pump();
    pass(20ms);
    return listener.hear_all();
  }

  Duration silence_timeout = 0s;
  std::shared_ptr<Recorder> recorder;
};

TEST_F(Moving, EachStreamGoesOn) {
  Party a(1), b(2);
  bridge(a, b);
  const auto other = make_other();
  std::optional<RtpHeader> before;
  for (int i = 0; i < 40; ++i) {
    if (i % 10 == 9) move_to(i % 20 == 9 ? *other : *relay);
    const auto heard = said(a, b);
    ASSERT_EQ(heard.size(), 1U) << i;
    EXPECT_EQ(heard[0].payload, std::vector<std::uint8_t>(160, 1));
    if (before) {
      EXPECT_EQ(heard[0].header.ssrc, before->ssrc);
      EXPECT_EQ(heard[0].header.sequence, static_cast<std::uint16_t>(before->sequence + 1)) << i;
      EXPECT_EQ(heard[0].header.timestamp, before->timestamp + 160) << i;
    }
    before = heard[0].header;
    ASSERT_EQ(said(b, a).size(), 1U) << i;
  }
}

TEST_F(Moving, WhatWaitsInTheSocketsIsHeardAfterwards) {
  Party a(1), b(2);
  bridge(a, b);
  ASSERT_EQ(said(a, b).size(), 1U);
  const auto other = make_other();
  a.say();
  a.say();
  move_to(*other);
  a.say();
  pump();
  const auto heard = b.hear_all();
  ASSERT_EQ(heard.size(), 3U);
  EXPECT_EQ(heard[2].header.sequence, static_cast<std::uint16_t>(heard[0].header.sequence + 2));
  EXPECT_EQ(relay->endpoints(), 0U);
  EXPECT_EQ(other->endpoints(), 2U);
}

TEST_F(Moving, TheTotalsAreOfTheWholeLife) {
  Party a(1), b(2);
  bridge(a, b);
  const auto other = make_other();
  ASSERT_EQ(said(a, b).size(), 1U);
  move_to(*other);
  ASSERT_EQ(said(a, b).size(), 1U);
  perform(Close{1});
  perform(Close{2});
  const auto closed = results_of<Closed>();
  ASSERT_EQ(closed.size(), 2U);
  EXPECT_EQ(closed[0].packets_received, 2U);
  EXPECT_EQ(closed[1].packets_sent, 2U);
}

// Nothing may be sent into another call by a relay that had the port before.
TEST_F(Moving, ThePortsGoBackWhereTheyCameFrom) {
  Party a(1), b(2);
  join(a);
  join(b);
  const auto other = make_other();
  move_to(*other);
  perform(Close{1});
  std::vector<PortPair> strays;
  other->take_stray_pairs(strays);
  ASSERT_EQ(strays.size(), 1U);
  EXPECT_EQ(strays[0].port, a.relay_rtp.port);
  EXPECT_TRUE(strays[0].is_open());
  relay->take_back(now, std::move(strays[0]));
  strays.clear();
  other->take_stray_pairs(strays);
  EXPECT_TRUE(strays.empty());
  // It rests there, and is listened to: a party that goes on sending reaches nobody.
  a.say();
  std::vector<Result> none;
  for (pollfd fd{relay->poll_fd(), POLLIN, 0}; ::poll(&fd, 1, 0) > 0;) relay->poll(now, none);
  EXPECT_EQ(relay->counters().dropped_at_rest, 1U);
  EXPECT_EQ(other->counters().received, 0U);
}

TEST_F(Moving, AClosedPairOfItsOwnStays) {
  Party a(1);
  join(a);
  const auto other = make_other();
  move_to(*other);
  move_to(*relay);
  perform(Close{1});
  std::vector<PortPair> strays;
  relay->take_stray_pairs(strays);
  other->take_stray_pairs(strays);
  EXPECT_TRUE(strays.empty());
}

TEST_F(Moving, WhoStaysHearsNobody) {
  Party a(1), b(2);
  bridge(a, b);
  ASSERT_EQ(said(a, b).size(), 1U);
  const auto other = make_other();
  auto parcel = relay->take_out({1, 77}, {});
  EXPECT_EQ(parcel.endpoints(), std::vector<EndpointId>{1});
  other->put_in(parcel, results);
  EXPECT_TRUE(said(b, a).empty());
  a.say();
  std::vector<Result> none;
  other->poll(now, none);
  EXPECT_TRUE(b.hear_all().empty());
  EXPECT_EQ(other->counters().received, 1U);
}

TEST_F(Moving, TheTimeWithoutAPacketIsCountedOn) {
  silence_timeout = 10s;
  use_here();
  Party a(1), b(2);
  bridge(a, b);
  ASSERT_EQ(said(a, b).size(), 1U);
  const auto other = make_other();
  pass(6s);
  move_to(*other);
  pass(3s);
  EXPECT_TRUE(results_of<Silent>().empty());
  pass(2s);
  EXPECT_EQ(results_of<Silent>().size(), 2U);
}

TEST_F(Moving, ARingBackToneGoesOnWhereItWas) {
  Party a(1);
  join(a);
  ring(a, "DE");
  pass(500ms);
  auto heard = a.hear_all();
  const auto other = make_other();
  move_to(*other);
  pass(500ms);
  const auto more = a.hear_all();
  ASSERT_EQ(heard.size() + more.size(), 51U);
  heard.insert(heard.end(), more.begin(), more.end());
  std::vector<std::uint8_t> sound;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    EXPECT_EQ(heard[i].header.sequence, static_cast<std::uint16_t>(heard[0].header.sequence + i));
    EXPECT_EQ(heard[i].header.timestamp, heard[0].header.timestamp + 160 * i);
    sound.insert(sound.end(), heard[i].payload.begin(), heard[i].payload.end());
  }
  const auto whole = render(ring_back_plan("DE"), sdp::Codec::pcmu);
  EXPECT_TRUE(std::equal(sound.begin(), sound.begin() + 8'000, whole.begin()));
}

TEST_F(Moving, AReportIsSentWhenItWasDue) {
  Party a(1), b(2);
  bridge(a, b);
  const auto other = make_other();
  ASSERT_EQ(said(a, b).size(), 1U);
  move_to(*other);
  pass(8s);
  EXPECT_TRUE(b.rtcp.receive().has_value());
  EXPECT_TRUE(a.rtcp.receive().has_value());
}

// A key that is down when the call moves is heard to its end, once.
TEST_F(Moving, AKeyGoesOn) {
  Party a(1), b(2);
  bridge(a, b);
  Configure tones = b.configure();
  tones.dtmf_payload_type.reset();
  tones.digits = DigitsBy::report;
  perform(tones);
  const auto press = [&](std::uint16_t duration, bool end) {
    std::array<std::uint8_t, telephone_event_bytes> payload{};
    write_telephone_event({5, end, 10, duration}, payload.data());
    RtpHeader header = a.next;
    header.payload_type = 101;
    a.send(header, payload);
    ++a.next.sequence;
    pump();
  };
  const auto other = make_other();
  press(160, false);
  press(320, false);
  move_to(*other);
  press(480, false);
  for (int i = 0; i < 3; ++i) press(640, true);
  const auto digits = results_of<Digit>();
  ASSERT_EQ(digits.size(), 1U);
  EXPECT_EQ(digits[0].event, 5);
  EXPECT_EQ(digits[0].lasted, 80ms);
}

TEST_F(Moving, ARecordingGoesOn) {
  std::string pattern = (std::filesystem::temp_directory_path() / "baton-moving-XXXXXX").string();
  const std::string directory = ::mkdtemp(pattern.data());
  recorder = std::make_shared<Recorder>(Recorder::Options{.directory = directory, .log = {}});
  use_here();
  Party a(1), b(2);
  bridge(a, b);
  perform(Record{9, 1, 2, "call"});
  const auto other = make_other();
  for (int i = 0; i < 20; ++i) {
    if (i == 10) move_to(*other);
    ASSERT_EQ(said(a, b).size(), 1U);
  }
  perform(StopRecording{9});
  // The recorder writes on a thread of its own.
  for (int i = 0; i < 1'000 && results_of<Recorded>().empty(); ++i) {
    pollfd fd{other->poll_fd(), POLLIN, 0};
    if (::poll(&fd, 1, 10) > 0) other->poll(now, results);
  }
  const auto recorded = results_of<Recorded>();
  ASSERT_EQ(recorded.size(), 1U);
  EXPECT_EQ(recorded[0].error, "");
  EXPECT_EQ(recorded[0].lasted, 400ms);
  ASSERT_EQ(said(a, b).size(), 1U) << "it is recorded no more";
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
}

TEST_F(Moving, WhatIsMadeForTheListenerGoesOn) {
  Party a(1, sdp::Codec::pcmu), b(2, sdp::Codec::g722);
  bridge(a, b);
  const auto other = make_other();
  std::vector<Heard> heard;
  for (int i = 0; i < 50; ++i) {
    if (i % 10 == 9) move_to(i % 20 == 9 ? *other : *relay);
    for (Heard& one : said(a, b)) heard.push_back(std::move(one));
  }
  ASSERT_GE(heard.size(), 45U);
  for (std::size_t i = 1; i < heard.size(); ++i) {
    EXPECT_EQ(heard[i].header.ssrc, heard[0].header.ssrc);
    EXPECT_EQ(heard[i].header.sequence, static_cast<std::uint16_t>(heard[0].header.sequence + i));
    EXPECT_EQ(heard[i].header.timestamp, heard[0].header.timestamp + 160 * i);
  }
}

}  // namespace
}  // namespace baton::media::test
