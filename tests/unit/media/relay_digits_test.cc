// Digits through the relay, between parties that send and understand them in different ways.
#include <algorithm>
#include <functional>
#include <string>

#include "media/digits/telephone_event.h"
#include "media/digits/tones.h"
#include "unit/media/party.h"

namespace baton::media::test {
namespace {

using sdp::Codec;

// How a party sends keys and is told them.
enum class Way { events, fast_events, tones, info };
constexpr Way ways[] = {Way::events, Way::fast_events, Way::tones, Way::info};

class Phone {
 public:
  Phone(EndpointId id, Way way_, Codec codec = Codec::pcmu)
      : party(id, codec, id == 1 ? 101 : 96), way(way_) {}

  [[nodiscard]] std::uint32_t rate() const { return way == Way::fast_events ? 48'000 : 8'000; }
  [[nodiscard]] bool has_events() const { return way == Way::events || way == Way::fast_events; }
  [[nodiscard]] Configure configure() const {
    Configure c = party.configure();
    if (!has_events()) c.dtmf_payload_type.reset();
    c.dtmf_clock_rate = rate();
    c.digits = has_events() ? DigitsBy::events : way == Way::info ? DigitsBy::report : DigitsBy::tones;
    return c;
  }

  Party party;
  Way way;
  ToneDetector detector;
  EventReader reader;
  std::string heard;                        // keys
  std::vector<Duration> lasted;             // of telephone-events and tones
  std::vector<Heard> packets;               // all of them
  std::optional<std::uint32_t> event_time;  // RTP time of the event that is being heard
};

class RelayDigits : public RelayTest {
 protected:
  void connect(Phone& a, Phone& b) {
    for (Phone* phone : {&a, &b}) {
      join(phone->party);
      perform(phone->configure());
    }
    hear(a.party, b.party);
    hear(b.party, a.party);
  }

  // Both hear what has come, as the parties would.
  void listen(Phone& phone) {
    for (Heard& heard : phone.party.hear_all()) {
      if (phone.has_events() && heard.header.payload_type == phone.party.dtmf) {
        const auto event = read_telephone_event(heard.payload);
        if (event) note_event(phone, heard.header, *event);
      } else if (phone.way == Way::tones) {
        for (const auto& change : phone.detector.take(decode(phone.party.codec, heard.payload))) {
          if (change.event) {
            phone.heard += key_of(*change.event);
          } else {
            phone.lasted.push_back(change.lasted * 125us);
          }
        }
      }
      phone.packets.push_back(std::move(heard));
    }
    for (const Result& result : results) {
      const auto* digit = std::get_if<Digit>(&result);
      if (digit == nullptr || phone.way != Way::info || digit->id == phone.party.id) continue;
      phone.heard += key_of(digit->event);
      phone.lasted.push_back(digit->lasted);
    }
  }

  static void note_event(Phone& phone, const RtpHeader& header, const TelephoneEvent& event) {
    const auto change = phone.reader.take(header.timestamp, event);
    EXPECT_FALSE(change.before_lasted) << "no end of it came";
    if (change.begins) {
      EXPECT_TRUE(header.marker);
      phone.heard += key_of(*change.begins);
    } else {
      EXPECT_FALSE(header.marker);
    }
    if (change.lasted)
      phone.lasted.push_back(Duration{std::int64_t{*change.lasted} * 1'000'000 / phone.rate()});
  }

  // 20 ms pass; `a` sends one packet, `b` plain audio.
  void tick(Phone& a, Phone& b, const std::function<void(Phone&)>& send) {
    send(a);
    b.party.say(silence(b.party.codec));
    pump();
    pass(20ms);
    listen(a);
    listen(b);
    std::erase_if(results, [](const Result& r) { return std::holds_alternative<Digit>(r); });
  }

  static std::vector<std::uint8_t> silence(Codec codec) {
    return encode(codec, std::vector<std::int16_t>(160));
  }

  // `a` presses a key for 100 ms, and lets go of it for 100 ms.
  void press(Phone& a, Phone& b, char key) {
    const std::uint8_t event = *event_of(key);
    const auto audio = [](Phone& p) { p.party.say(silence(p.party.codec)); };
    if (a.way == Way::info) perform(SendDigit{b.party.id, event, 100ms});
    for (unsigned i = 0; i < 5; ++i) {
      tick(a, b, [&](Phone& phone) {
        if (phone.way == Way::info) return audio(phone);
        if (phone.way == Way::tones) {
          std::vector<std::int16_t> samples(160);
          make_digit_tone(event, std::size_t{i} * 160, samples);
          return phone.party.say(encode(phone.party.codec, samples));
        }
        send_event(phone, event, i + 1, i == 4);
      });
    }
    if (a.has_events()) {
      for (int again = 0; again < 2; ++again) send_event(a, event, 5, true);
      a.party.next.timestamp += 5 * 160;
    }
    for (unsigned i = 0; i < 10; ++i) tick(a, b, audio);
  }

  static void send_event(Phone& phone, std::uint8_t event, unsigned packets, bool end) {
    RtpHeader header = phone.party.next;
    header.payload_type = phone.party.dtmf;
    header.marker = packets == 1;
    std::vector<std::uint8_t> payload(telephone_event_bytes);
    write_telephone_event({event, end, 10, static_cast<std::uint16_t>(phone.rate() / 50 * packets)},
                          payload.data());
    phone.party.send(header, payload);
    ++phone.party.next.sequence;
  }

  static void expect_one_stream(const Phone& phone) {
    for (std::size_t i = 1; i < phone.packets.size(); ++i) {
      const RtpHeader& before = phone.packets[i - 1].header;
      const RtpHeader& after = phone.packets[i].header;
      ASSERT_EQ(after.ssrc, before.ssrc);
      ASSERT_EQ(after.sequence, static_cast<std::uint16_t>(before.sequence + 1)) << i;
      ASSERT_GE(static_cast<std::int32_t>(after.timestamp - before.timestamp), 0) << i;
    }
  }
};

TEST_F(RelayDigits, EveryKeyOnceBetweenAnyTwoWays) {
  const std::string keys = "0123456789*#ABCD55";
  for (const Way from : ways) {
    for (const Way to : ways) {
      if (from == Way::info && to == Way::info) continue;  // the machine's own
      SCOPED_TRACE(std::to_string(static_cast<int>(from)) + " to " + std::to_string(static_cast<int>(to)));
      relay.reset();
      results.clear();
      Phone a(1, from, Codec::pcmu), b(2, to, Codec::pcma);
      connect(a, b);
      for (int i = 0; i < 10; ++i) tick(a, b, [](Phone& p) { p.party.say(silence(p.party.codec)); });
      for (const char key : keys) press(a, b, key);
      EXPECT_EQ(b.heard, keys);
      EXPECT_EQ(a.heard, "");
      expect_one_stream(b);
      expect_one_stream(a);
      const bool exact = a.way != Way::tones && b.way != Way::tones;
      for (const Duration lasted : b.lasted) {
        if (exact) {
          EXPECT_EQ(lasted, 100ms);
        } else {
          EXPECT_NEAR(static_cast<double>(lasted.count()), 100'000, 40'000);
        }
      }
    }
  }
}

TEST_F(RelayDigits, ConvertedEventsKeepTheirTimeAndEndThreeTimes) {
  Phone a(1, Way::events), b(2, Way::fast_events);
  connect(a, b);
  for (int i = 0; i < 5; ++i) tick(a, b, [](Phone& p) { p.party.say(silence(Codec::pcmu)); });
  press(a, b, '7');
  std::vector<Heard> events;
  for (const Heard& heard : b.packets) {
    if (heard.header.payload_type == b.party.dtmf) events.push_back(heard);
  }
  ASSERT_EQ(events.size(), 8U);
  std::uint16_t last = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto event = read_telephone_event(events[i].payload);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->event, 7);
    EXPECT_EQ(event->end, i >= 5);
    EXPECT_EQ(events[i].header.marker, i == 0);
    EXPECT_EQ(events[i].header.timestamp, events[0].header.timestamp);
    EXPECT_GE(event->duration, last);
    last = event->duration;
  }
  EXPECT_EQ(last, 4'800);
  expect_one_stream(b);
}

TEST_F(RelayDigits, ALongKeyAtAFastClockComesInSegments) {
  Phone a(1, Way::events), b(2, Way::fast_events);
  connect(a, b);
  constexpr unsigned packets = 150;  // 3 s
  for (unsigned i = 0; i < packets; ++i) {
    tick(a, b, [&](Phone& phone) { send_event(phone, 9, i + 1, i + 1 == packets); });
  }
  for (int i = 0; i < 10; ++i) tick(a, b, [](Phone& p) { p.party.say(silence(Codec::pcmu)); });
  EXPECT_EQ(b.heard, "9");
  ASSERT_EQ(b.lasted.size(), 1U);
  EXPECT_EQ(b.lasted[0], 3s);
}

TEST_F(RelayDigits, LostEndIsMadeUpFor) {
  Phone a(1, Way::events), b(2, Way::tones);
  connect(a, b);
  for (unsigned i = 0; i < 5; ++i) tick(a, b, [&](Phone& p) { send_event(p, 4, i + 1, false); });
  for (int i = 0; i < 60; ++i) tick(a, b, [](Phone& p) { p.party.say(silence(Codec::pcmu)); });
  EXPECT_EQ(b.heard, "4");
  press(a, b, '6');
  EXPECT_EQ(b.heard, "46");
}

TEST_F(RelayDigits, AKeyWhoseEndIsLostIsReportedAllTheSame) {
  Phone a(1, Way::events), b(2, Way::info);
  connect(a, b);
  for (unsigned i = 0; i < 5; ++i) tick(a, b, [&](Phone& p) { send_event(p, 4, i + 1, false); });
  EXPECT_EQ(b.heard, "");
  for (int i = 0; i < 30; ++i) tick(a, b, [](Phone& p) { p.party.say(silence(Codec::pcmu)); });
  EXPECT_EQ(b.heard, "4");
  EXPECT_EQ(b.lasted, std::vector<Duration>{100ms});
  send_event(a, 4, 6, true);  // late
  press(a, b, '4');
  EXPECT_EQ(b.heard, "44");
  // Another stream of its own begins, and of this one nothing more comes.
  send_event(a, 5, 1, false);
  ++a.party.next.ssrc;
  a.party.next.sequence = 7;
  for (int i = 0; i < 5; ++i) tick(a, b, [](Phone& p) { p.party.say(silence(Codec::pcmu)); });
  press(a, b, '6');
  EXPECT_EQ(b.heard, "4456");
}

TEST_F(RelayDigits, AKeyThatIsDownAtASwitchIsNotForTheNext) {
  for (const Way way : {Way::events, Way::fast_events, Way::tones, Way::info}) {
    relay.reset();
    results.clear();
    Phone a(1, Way::events), b(2, Way::events), c(3, way);
    connect(a, b);
    join(c.party);
    perform(c.configure());
    for (unsigned i = 0; i < 3; ++i) tick(a, b, [&](Phone& p) { send_event(p, 9, i + 1, false); });
    hear(c.party, a.party);
    for (unsigned i = 3; i < 8; ++i) tick(a, c, [&](Phone& p) { send_event(p, 9, i + 1, i == 7); });
    for (int i = 0; i < 10; ++i) tick(a, c, [](Phone& p) { p.party.say(silence(Codec::pcmu)); });
    EXPECT_EQ(c.heard, "") << static_cast<int>(way);
    press(a, c, '9');
    EXPECT_EQ(c.heard, "9") << static_cast<int>(way);
    expect_one_stream(c);
  }
}

// The request that tells of a key may come before the telephone-event, with it, or after it.
TEST_F(RelayDigits, AKeyToldByEventsAndByARequestIsOne) {
  for (const Way way : {Way::events, Way::fast_events, Way::tones}) {
    for (const int ahead : {-2, 0, 3}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(way)) + " " + std::to_string(ahead));
      relay.reset();
      results.clear();
      Phone a(1, Way::events), b(2, way);
      connect(a, b);
      const auto quiet = [&](int packets) {
        for (int i = 0; i < packets; ++i) tick(a, b, [](Phone& p) { p.party.say(silence(Codec::pcmu)); });
      };
      quiet(5);
      for (const char key : std::string("5570")) {
        const SendDigit told{2, *event_of(key), 100ms, 1};
        if (ahead < 0) perform(told);
        for (unsigned i = 0; i < 5; ++i) {
          tick(a, b, [&](Phone& phone) { send_event(phone, told.event, i + 1, i == 4); });
          if (static_cast<int>(i) == ahead) perform(told);
        }
        for (int again = 0; again < 2; ++again) send_event(a, told.event, 5, true);
        a.party.next.timestamp += 5 * 160;
        quiet(10);
      }
      EXPECT_EQ(b.heard, "5570");
      expect_one_stream(b);
      // By one means alone each counts, soon as it may come after the other.
      perform(SendDigit{2, 8, 100ms, 1});
      quiet(15);
      perform(SendDigit{2, 8, 100ms, 1});
      quiet(15);
      press(a, b, '3');
      press(a, b, '3');
      EXPECT_EQ(b.heard, "55708833");
    }
  }
}

TEST_F(RelayDigits, AFlashAfterAKeyThatWasLeftOutIsHeard) {
  Phone a(1, Way::events), b(2, Way::events);
  connect(a, b);
  for (int i = 0; i < 5; ++i) tick(a, b, [](Phone& p) { p.party.say(silence(Codec::pcmu)); });
  perform(SendDigit{2, 5, 100ms, 1});
  press(a, b, '5');
  b.packets.clear();
  tick(a, b, [](Phone& p) { send_event(p, 16, 2, true); });
  const auto flashes = std::count_if(b.packets.begin(), b.packets.end(), [&](const Heard& heard) {
    return heard.header.payload_type == b.party.dtmf && heard.payload.front() == 16;
  });
  EXPECT_EQ(b.heard, "5");
  EXPECT_EQ(flashes, 1);
}

// The last packet of a key may be late by more than the next key is.
TEST_F(RelayDigits, ALateEndOfAKeyThatWasLeftOutIsNotHeard) {
  for (const bool next_told_too : {false, true}) {
    relay.reset();
    results.clear();
    Phone a(1, Way::events), b(2, Way::events);
    connect(a, b);
    const auto quiet = [&](int packets) {
      for (int i = 0; i < packets; ++i) tick(a, b, [](Phone& p) { p.party.say(silence(Codec::pcmu)); });
    };
    quiet(5);
    perform(SendDigit{2, 5, 100ms, 1});
    quiet(15);
    const std::uint32_t began = a.party.next.timestamp;
    press(a, b, '5');
    if (next_told_too) perform(SendDigit{2, 6, 100ms, 1});
    if (next_told_too) quiet(15);
    send_event(a, 6, 1, false);
    const std::uint32_t next = std::exchange(a.party.next.timestamp, began);
    send_event(a, 5, 5, true);
    a.party.next.timestamp = next;
    for (unsigned i = 1; i < 5; ++i) tick(a, b, [&](Phone& p) { send_event(p, 6, i + 1, i == 4); });
    a.party.next.timestamp += 5 * 160;
    quiet(10);
    EXPECT_EQ(b.heard, "56");
    const auto of_five = std::count_if(b.packets.begin(), b.packets.end(), [&](const Heard& heard) {
      return heard.header.payload_type == b.party.dtmf && heard.payload.front() == 5;
    });
    EXPECT_EQ(of_five, 7) << "what was told by the request, and no more";
    expect_one_stream(b);
  }
}

// The end of a key is told three times; a listener that comes in between has nothing to do with it.
TEST_F(RelayDigits, TheEndOfAKeyIsNotForAListenerWhoCameAfterIt) {
  Phone a(1, Way::events), b(2, Way::events), c(3, Way::events);
  connect(a, b);
  join(c.party);
  perform(c.configure());
  for (unsigned i = 0; i < 5; ++i) tick(a, b, [&](Phone& p) { send_event(p, 9, i + 1, i == 4); });
  hear(c.party, a.party);
  for (int again = 0; again < 2; ++again) tick(a, c, [&](Phone& p) { send_event(p, 9, 5, true); });
  a.party.next.timestamp += 5 * 160;
  for (int i = 0; i < 5; ++i) tick(a, c, [](Phone& p) { p.party.say(silence(Codec::pcmu)); });
  for (const Heard& heard : c.packets) EXPECT_NE(heard.header.payload_type, c.party.dtmf);
  press(a, c, '9');
  EXPECT_EQ(c.heard, "9");
  expect_one_stream(c);
}

// Its numbers and times begin anew, wherever those of the stream before stood.
TEST_F(RelayDigits, AnotherStreamOfThePartysHasEventsOfItsOwn) {
  Phone a(1, Way::events), b(2, Way::tones);
  connect(a, b);
  press(a, b, '1');
  ++a.party.next.ssrc;
  a.party.next.timestamp -= 1'000'000'000;
  for (int i = 0; i < 5; ++i) tick(a, b, [](Phone& p) { p.party.say(silence(Codec::pcmu)); });
  press(a, b, '2');
  EXPECT_EQ(b.heard, "12");
}

TEST_F(RelayDigits, WhatOnePartyPressedDoesNotSilenceTheNext) {
  Phone a(1, Way::info), b(2, Way::tones), c(3, Way::tones);
  connect(a, b);
  join(c.party);
  perform(c.configure());
  for (int i = 0; i < 20; ++i) perform(SendDigit{2, 5, 5s});
  hear(b.party, c.party);
  static_cast<void>(b.party.hear_all());
  for (int i = 0; i < 10; ++i) {
    c.party.say();
    pump();
    pass(20ms);
  }
  EXPECT_EQ(b.party.hear_all().size(), 10U);
}

TEST_F(RelayDigits, PartyWithTelephoneEventsIsNotListenedTo) {
  Phone a(1, Way::events), b(2, Way::fast_events);
  connect(a, b);
  a.way = Way::tones;
  press(a, b, '5');
  EXPECT_EQ(b.heard, "");
  EXPECT_EQ(relay->counters().digits_converted, 0U);
}

TEST_F(RelayDigits, KeysInARowAreAllHeardWithGapsBetween) {
  for (const Way way : {Way::events, Way::tones}) {
    relay.reset();
    Phone a(1, Way::info), b(2, way);
    connect(a, b);
    for (const char key : std::string("112233")) perform(SendDigit{2, *event_of(key), 80ms});
    for (int i = 0; i < 80; ++i) tick(a, b, [](Phone& p) { p.party.say(silence(Codec::pcmu)); });
    EXPECT_EQ(b.heard, "112233");
    expect_one_stream(b);
  }
}

TEST_F(RelayDigits, NobodyIsToldWhoIsNotSentTo) {
  Phone a(1, Way::info), b(2, Way::tones);
  connect(a, b);
  auto held = b.configure();
  held.send = false;
  perform(held);
  perform(SendDigit{2, 5, 100ms});
  perform(SendDigit{2, 16, 100ms});
  perform(SendDigit{99, 5, 100ms});
  pass(1s);
  EXPECT_FALSE(b.party.hear());
  perform(b.configure());
  ring(b.party, "US");
  static_cast<void>(b.party.hear_all());
  perform(SendDigit{2, 5, 100ms});
  pass(1s);
  EXPECT_EQ(b.party.hear_all().size(), 50U);  // ring-back alone
}

TEST_F(RelayDigits, AudioAndRingBackGoOnAfterASwitchInADigit) {
  Phone a(1, Way::info), b(2, Way::tones);
  connect(a, b);
  perform(SendDigit{2, 5, 500ms});
  pass(100ms);
  ring(b.party, "US");
  pass(200ms);
  hear(b.party, a.party);
  for (int i = 0; i < 10; ++i) tick(a, b, [](Phone& p) { p.party.say(silence(Codec::pcmu)); });
  expect_one_stream(b);
  EXPECT_GT(b.packets.size(), 20U);
}

}  // namespace
}  // namespace baton::media::test
