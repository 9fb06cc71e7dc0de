#include "sdp/session.h"

#include <gtest/gtest.h>

#include <string>

#include "base/limits.h"

namespace baton::sdp {
namespace {

const std::string session =
    "v=0\r\no=alice 2890844526 7 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n";

RemoteAudio read(const std::string& body) {
  auto result = read_description(body);
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().reason);
  return result.value_or(RemoteAudio{});
}

SdpError refused(const std::string& body) {
  auto result = read_description(body);
  EXPECT_FALSE(result.has_value());
  return result ? SdpError{0, 0, ""} : result.error();
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

LocalAudio local() {
  LocalAudio audio;
  audio.session_id = 1234;
  audio.version = 1;
  audio.rtp = *SocketAddress::parse("203.0.113.5:20000");
  audio.formats = {{Codec::pcmu, 0}, {Codec::pcma, 8}};
  audio.events[EventClock::at_8000] = 101;
  return audio;
}

TEST(ReadDescription, OrdinaryOffer) {
  const RemoteAudio audio = read(session +
                                 "m=audio 49170 RTP/AVP 8 0 101\r\n"
                                 "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
                                 "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
                                 "a=ptime:30\r\na=sendrecv\r\n");
  EXPECT_EQ(audio.rtp.to_string(), "192.0.2.10:49170");
  EXPECT_FALSE(audio.rtcp);
  EXPECT_EQ(audio.formats, (Formats{{Codec::pcma, 8}, {Codec::pcmu, 0}}));
  EXPECT_EQ(audio.events[EventClock::at_8000], 101);
  EXPECT_EQ(audio.direction, Direction::sendrecv);
  EXPECT_EQ(audio.ptime_ms, 30U);
  EXPECT_EQ(audio.origin_version, 7U);
  ASSERT_EQ(audio.lines.size(), 1U);
  EXPECT_EQ(audio.lines[0].formats, "8 0 101");
  EXPECT_FALSE(audio.rejected());
}

TEST(ReadDescription, StaticNumbersNeedNoMap) {
  const RemoteAudio audio = read(session + "m=audio 4000 RTP/AVP 18 0 8\r\n");
  EXPECT_EQ(audio.formats, (Formats{{Codec::pcmu, 0}, {Codec::pcma, 8}}));
  EXPECT_FALSE(audio.events.any());
  EXPECT_EQ(audio.ptime_ms, 20U);
}

TEST(ReadDescription, DynamicNumbersAndAnyCase) {
  const RemoteAudio audio = read(session +
                                 "m=audio 4000 RTP/AVP 97 98 96\r\na=rtpmap:97 pcmu/8000/1\r\n"
                                 "a=rtpmap:98 Pcma/8000\r\na=rtpmap:96 Telephone-Event/8000\r\n");
  EXPECT_EQ(audio.formats, (Formats{{Codec::pcmu, 97}, {Codec::pcma, 98}}));
  EXPECT_EQ(audio.events[EventClock::at_8000], 96);
}

TEST(ReadDescription, MapOverrulesStaticNumber) {
  const RemoteAudio audio = read(session + "m=audio 4000 RTP/AVP 0 8\r\na=rtpmap:0 speex/8000\r\n");
  EXPECT_EQ(audio.formats, (Formats{{Codec::pcma, 8}}));
}

TEST(ReadDescription, WrongRateOrChannelsIsAnotherCodec) {
  EXPECT_EQ(
      refused(session + "m=audio 4000 RTP/AVP 97 98\r\na=rtpmap:97 PCMU/16000\r\na=rtpmap:98 PCMA/8000/2\r\n")
          .warning,
      305);
}

TEST(ReadDescription, TelephoneEventsAtTheClocksOfOurCodecs) {
  const RemoteAudio audio = read(session +
                                 "m=audio 4000 RTP/AVP 0 99 100 101\r\na=rtpmap:100 telephone-event/48000\r\n"
                                 "a=rtpmap:101 telephone-event/8000\r\n"
                                 "a=rtpmap:99 telephone-event/16000\r\n");
  EXPECT_EQ(audio.events[EventClock::at_48000], 100);
  EXPECT_EQ(audio.events[EventClock::at_8000], 101);
}

TEST(ChooseEvents, AtTheClockOfTheCodecOrElseAtTheOther) {
  EventNumbers both, slow, fast;
  both[EventClock::at_8000] = slow[EventClock::at_8000] = 101;
  both[EventClock::at_48000] = fast[EventClock::at_48000] = 110;
  EXPECT_EQ(choose_events(both, Codec::pcmu), slow);
  EXPECT_EQ(choose_events(both, Codec::g722), slow) << "its RTP clock is 8000 (RFC 3551 4.5.2)";
  EXPECT_EQ(choose_events(both, Codec::opus), both);
  EXPECT_EQ(choose_events(fast, Codec::pcmu), fast);
  EXPECT_EQ(choose_events(slow, Codec::opus), slow);
  EXPECT_FALSE(choose_events({}, Codec::opus).any());
  EXPECT_EQ(both.beside(Codec::opus), (EventFormat{110, 48'000}));
  EXPECT_EQ(both.beside(Codec::pcma), (EventFormat{101, 8'000}));
  EXPECT_EQ(slow.beside(Codec::opus), (EventFormat{101, 8'000}));
  EXPECT_FALSE(EventNumbers{}.beside(Codec::opus));
}

TEST(ReadDescription, TelephoneEventWithoutKeysIsNotDtmf) {
  EXPECT_FALSE(read(session + "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
                              "a=fmtp:101 32-36\r\n")
                   .events.any());
  EXPECT_EQ(read(session + "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
                           "a=fmtp:101 0-11,16\r\n")
                .events[EventClock::at_8000],
            101);
}

TEST(ReadDescription, FormatNamedTwiceCountsOnce) {
  EXPECT_EQ(read(session + "m=audio 4000 RTP/AVP 0 0 8 0\r\n").formats.size(), 2U);
}

// With other parameters each; a peer that goes on like that does not crowd out other codecs.
TEST(ReadDescription, ACodecHasTwoNumbersAtMost) {
  std::string media = "m=audio 4000 RTP/AVP";
  for (int number = 96; number < 128; ++number) media += " " + std::to_string(number);
  media += " 8 0\r\n";
  for (int number = 96; number < 128; ++number)
    media += "a=rtpmap:" + std::to_string(number) + " opus/48000/2\r\n";
  EXPECT_EQ(read(session + media).formats,
            (Formats{{Codec::opus, 96}, {Codec::opus, 97}, {Codec::pcma, 8}, {Codec::pcmu, 0}}));
}

TEST(ReadDescription, MediaConnectionOverrulesSession) {
  EXPECT_EQ(read(session + "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 198.51.100.7\r\n").rtp.ip.to_string(),
            "198.51.100.7");
}

TEST(ReadDescription, ConnectionOfAnotherMediaLineIsNotOurs) {
  const std::string body =
      "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=video 5000 RTP/AVP 31\r\nc=IN IP4 192.0.2.99\r\n"
      "m=audio 4000 RTP/AVP 0\r\n";
  EXPECT_EQ(refused(body).status, 400);
  EXPECT_EQ(read(body + "c=IN IP4 192.0.2.4\r\n").rtp.to_string(), "192.0.2.4:4000");
}

TEST(ReadDescription, Ipv6) {
  const RemoteAudio audio = read(
      "v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::2\r\nt=0 0\r\nm=audio 4000 RTP/AVP "
      "0\r\n");
  EXPECT_EQ(audio.rtp.to_string(), "[2001:db8::2]:4000");
}

TEST(ReadDescription, Directions) {
  const std::string line = "m=audio 4000 RTP/AVP 0\r\n";
  EXPECT_EQ(read(session + line).direction, Direction::sendrecv);
  EXPECT_EQ(read(session + line + "a=recvonly\r\n").direction, Direction::recvonly);
  EXPECT_EQ(read(session + "a=sendonly\r\n" + line).direction, Direction::sendonly);
  EXPECT_EQ(read(session + "a=sendonly\r\n" + line + "a=inactive\r\n").direction, Direction::inactive);
  EXPECT_EQ(read(session + line + "m=video 5000 RTP/AVP 31\r\na=inactive\r\n").direction,
            Direction::sendrecv);
}

TEST(ReadDescription, OldHoldReadsAsNotReceiving) {
  const std::string line = "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n";
  const RemoteAudio audio = read(session + line);
  EXPECT_EQ(audio.direction, Direction::sendonly);
  EXPECT_TRUE(audio.rtp.ip.is_unspecified());
  EXPECT_EQ(read(session + line + "a=recvonly\r\n").direction, Direction::inactive);
}

TEST(ReadDescription, RtcpElsewhere) {
  const std::string line = "m=audio 4000 RTP/AVP 0\r\n";
  EXPECT_EQ(read(session + line + "a=rtcp:5001\r\n").rtcp->to_string(), "192.0.2.10:5001");
  EXPECT_EQ(read(session + line + "a=rtcp:5001 IN IP4 192.0.2.77\r\n").rtcp->to_string(), "192.0.2.77:5001");
  EXPECT_FALSE(read(session + line + "a=rtcp:4001\r\n").rtcp);
  EXPECT_FALSE(read(session + line + "a=rtcp:0\r\n").rtcp);
  EXPECT_FALSE(read(session + line + "a=rtcp:5001 IN IP6 2001:db8::1\r\n").rtcp);
  EXPECT_FALSE(read(session + line + "a=rtcp:99999\r\n").rtcp);
}

TEST(ReadDescription, PacketTime) {
  const std::string line = "m=audio 4000 RTP/AVP 0\r\n";
  EXPECT_EQ(read(session + line + "a=ptime:40\r\n").ptime_ms, 40U);
  EXPECT_EQ(read(session + line + "a=maxptime:10\r\n").ptime_ms, 10U);
  EXPECT_EQ(read(session + line + "a=ptime:0\r\n").ptime_ms, 20U);
  EXPECT_EQ(read(session + line + "a=ptime:4000000000\r\n").ptime_ms, 20U);
  EXPECT_EQ(read(session + line + "a=ptime:twenty\r\n").ptime_ms, 20U);
}

TEST(ReadDescription, BareLineFeedsAndBlankLines) {
  const std::string body = session + "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n";
  const RemoteAudio audio = read(replaced(body, "\r\n", "\n") + "\n\n");
  EXPECT_EQ(audio.rtp.to_string(), "192.0.2.10:4000");
  EXPECT_EQ(audio.direction, Direction::sendonly);
  EXPECT_EQ(read(body.substr(0, body.size() - 2)).direction, Direction::sendonly);
}

TEST(ReadDescription, SeveralMediaLinesFirstUsableAudioCounts) {
  const RemoteAudio audio =
      read(session +
           "m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/SAVP 0\r\n"
           "m=audio 0 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 8\r\nm=audio 4004 RTP/AVP 0\r\n");
  EXPECT_EQ(audio.lines.size(), 5U);
  EXPECT_EQ(audio.audio_line, 3U);
  EXPECT_EQ(audio.rtp.port, 4002);
  EXPECT_EQ(audio.formats, (Formats{{Codec::pcma, 8}}));
}

TEST(ReadDescription, RefusedAudioIsNoError) {
  const RemoteAudio audio = read(session + "m=audio 0 RTP/AVP 0\r\n");
  EXPECT_TRUE(audio.rejected());
  EXPECT_TRUE(read("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 0 RTP/SAVP 0\r\n").rejected());
}

TEST(ReadDescription, WhatIsNotServed) {
  const struct {
    std::string media;
    int warning;
    std::string reason;
  } cases[] = {
      {"m=audio 4000 RTP/SAVP 0\r\n", 399, "there is no a=crypto that can be used"},
      {"m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n", 302, "only RTP/AVP and RTP/SAVP are served"},
      {"m=audio 4000 udp 0\r\n", 302, "only RTP/AVP and RTP/SAVP are served"},
      {"m=audio 4000 RTP/AVP 18 3\r\n", 305, "only Opus, G.722, PCMU and PCMA are served"},
      {"m=video 4000 RTP/AVP 31\r\n", 304, "there is no audio"},
      {"", 304, "there is no audio"},
      {"m=audio 4000 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127\r\n", 330, "multicast is not served"},
      {"m=audio 4000 RTP/AVP 0\r\nc=IN IP4 239.2.1.1\r\n", 330, "multicast is not served"},
      {"m=audio 4000 RTP/AVP 0\r\nc=IN IP4 media.example.com\r\n", 301, "media address is not an IP address"},
      {"m=audio 4000 RTP/AVP 0\r\nc=ATM NSAP 47.0091\r\n", 300, "network type is not IN"},
  };
  for (const auto& c : cases) {
    const SdpError error = refused(session + c.media);
    EXPECT_EQ(error.status, 488) << c.media;
    EXPECT_EQ(error.warning, c.warning) << c.media;
    EXPECT_EQ(error.reason, c.reason) << c.media;
  }
}

TEST(ReadDescription, WhatIsNotSdp) {
  const std::string line = "m=audio 4000 RTP/AVP 0\r\n";
  const std::string bodies[] = {
      "",
      "\r\n",
      "hello",
      "<?xml version=\"1.0\"?>",
      "v=1\r\no=- 1 1 IN IP4 192.0.2.1\r\n",
      "o=- 1 1 IN IP4 192.0.2.1\r\n" + line,
      "v=0\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n" + line,
      "v=0\r\no=- 1 1 IN IP4\r\nc=IN IP4 192.0.2.1\r\n" + line,
      "v=0\r\no=- 1 x IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.1\r\n" + line,
      session + "m=audio\r\n",
      session + "m=audio 70000 RTP/AVP 0\r\n",
      session + "m=audio -1 RTP/AVP 0\r\n",
      session + "m=audio 4000 RTP/AVP\r\n",
      session + "m=audio 4000 RTP/AVP 0 \x01\r\n",
      session + line + "c=IN IP4\r\n",
      session + line + "c=IN IP6 192.0.2.1\r\n",
      session + line + "not a line\r\n",
      session + line + std::string("a=x\0y\r\n", 7),
      "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n" + line,
  };
  for (const auto& body : bodies) EXPECT_EQ(refused(body).status, 400) << body;
}

TEST(ReadDescription, SizesAreBounded) {
  std::string many = session;
  for (std::size_t i = 0; i <= limits::sdp_media_max; ++i) many += "m=audio 4000 RTP/AVP 0\r\n";
  EXPECT_EQ(refused(many).status, 488);
  std::string lines = session + "m=audio 4000 RTP/AVP 0\r\n";
  for (std::size_t i = 0; i < limits::sdp_lines_max; ++i) lines += "a=x\r\n";
  EXPECT_EQ(refused(lines).status, 488);
  EXPECT_EQ(refused(session + "a=" + std::string(limits::body_bytes_max, 'x')).status, 488);
}

TEST(ReadDescription, LongVersionsStillTellAChange) {
  const auto with = [](const std::string& version) {
    return read("v=0\r\no=- 1 " + version +
                " IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n")
        .origin_version;
  };
  EXPECT_NE(with("340282366920938463463374607431768211455"), with("340282366920938463463374607431768211456"));
}

TEST(ReadDescription, WhatSomeDevicesWrite) {
  const RemoteAudio audio = read(
      "v=0 \r\no=Acme Phone 12 77 9 IN IP4 192.0.2.1\r\ns= \r\nc=IN IP4 192.0.2.1 \r\nt=0 0\r\n"
      "m=audio  4000  RTP/AVP  0  8 \r\na=sendonly \r\na=rtpmap:8  PCMA/8000 \r\n");
  EXPECT_EQ(audio.origin_version, 9U);
  EXPECT_EQ(audio.direction, Direction::sendonly);
  EXPECT_EQ(audio.lines[0].formats, "0 8");
}

TEST(WriteOffer, IsWhatItShouldBe) {
  EXPECT_EQ(write_offer(local()),
            "v=0\r\no=- 1234 1 IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\n"
            "m=audio 20000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n");
}

TEST(WriteOffer, ReadsBackTheSame) {
  LocalAudio ours = local();
  for (const Direction direction :
       {Direction::sendrecv, Direction::sendonly, Direction::recvonly, Direction::inactive}) {
    for (const char* address : {"203.0.113.5:20000", "[2001:db8::5]:20002"}) {
      ours.direction = direction;
      ours.rtp = *SocketAddress::parse(address);
      ours.formats = {{Codec::pcma, 98}, {Codec::pcmu, 0}};
      ours.events[EventClock::at_8000] = 96;
      ours.events[EventClock::at_48000] = 97;
      ours.ptime_ms = 30;
      ours.version = 9;
      const RemoteAudio audio = read(write_offer(ours));
      EXPECT_EQ(audio.rtp, ours.rtp);
      EXPECT_EQ(audio.formats, ours.formats);
      EXPECT_EQ(audio.events, ours.events);
      EXPECT_EQ(audio.direction, direction);
      EXPECT_EQ(audio.ptime_ms, 30U);
      EXPECT_EQ(audio.origin_version, 9U);
    }
  }
}

TEST(WriteAnswer, KeepsCountAndOrderOfMediaLines) {
  const RemoteAudio offer = read(session +
                                 "m=video 5000 RTP/AVP 31 34\r\nm=audio 4000 RTP/AVPF 8 101\r\n"
                                 "a=rtpmap:101 telephone-event/8000\r\nm=image 6000 udptl t38\r\n"
                                 "m=audio 4004 RTP/AVP 0\r\n");
  LocalAudio ours = local();
  ours.formats = choose_formats(offer.formats, {Codec::pcma, Codec::pcmu});
  const std::string text = write_answer(ours, offer);
  EXPECT_EQ(text,
            "v=0\r\no=- 1234 1 IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\n"
            "m=video 0 RTP/AVP 31 34\r\nm=audio 20000 RTP/AVPF 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
            "m=image 0 udptl t38\r\nm=audio 0 RTP/AVP 0\r\n");
  const RemoteAudio back = read(text);
  EXPECT_EQ(back.audio_line, 1U);
  EXPECT_EQ(back.lines.size(), 4U);
}

TEST(WriteAnswer, RefusesARefusedLine) {
  const RemoteAudio offer = read(session + "m=audio 0 RTP/AVP 0 8\r\n");
  const std::string text = write_answer(local(), offer);
  EXPECT_NE(text.find("m=audio 0 RTP/AVP 0 8\r\n"), std::string::npos);
  EXPECT_TRUE(read(text).rejected());
}

TEST(WriteAnswer, RefusesWithoutAFormatOrAPort) {
  const RemoteAudio offer = read(session + "m=audio 4000 RTP/AVP 0\r\n");
  LocalAudio ours = local();
  ours.formats.clear();
  EXPECT_TRUE(read(write_answer(ours, offer)).rejected());
  ours = local();
  ours.rtp.port = 0;
  EXPECT_TRUE(read(write_answer(ours, offer)).rejected());
}

TEST(WriteReoffer, NeverShrinks) {
  const RemoteAudio seen = read(session + "m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0\r\n");
  const std::string text = write_reoffer(local(), seen);
  EXPECT_NE(text.find("m=video 0 RTP/AVP 31\r\nm=audio 20000 RTP/AVP 0 8 101\r\n"), std::string::npos);
  EXPECT_EQ(read(text).audio_line, 1U);
}

TEST(WriteReoffer, TakesUpARefusedLineAgain) {
  const RemoteAudio seen = read(session + "m=audio 0 RTP/AVP 0\r\n");
  EXPECT_EQ(write_reoffer(local(), seen), write_offer(local()));
}

TEST(WriteReoffer, WithoutAnythingSeenIsAnOffer) {
  EXPECT_EQ(write_reoffer(local(), RemoteAudio{}), write_offer(local()));
}

TEST(ChooseFormats, OrderOfWantedNumbersOfOffered) {
  const Formats offered{{Codec::pcmu, 0}, {Codec::pcma, 98}, {Codec::pcma, 8}};
  EXPECT_EQ(choose_formats(offered, {Codec::pcma, Codec::pcmu}),
            (Formats{{Codec::pcma, 98}, {Codec::pcmu, 0}}));
  EXPECT_EQ(choose_formats(offered, {Codec::pcmu}), (Formats{{Codec::pcmu, 0}}));
  EXPECT_EQ(choose_formats(offered, {Codec::pcmu, Codec::pcmu}).size(), 1U);
  EXPECT_TRUE(choose_formats({{Codec::pcmu, 0}}, {Codec::pcma}).empty());
  EXPECT_TRUE(choose_formats({}, {Codec::pcma}).empty());
}

}  // namespace
}  // namespace baton::sdp
