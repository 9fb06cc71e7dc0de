#include "media/rtpengine/plane.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "rtpengine_world.h"

namespace baton::media::rtpengine {
namespace {

TEST_F(RtpenginePlane, OpensWithThePortsThatFaceTheParty) {
  EXPECT_EQ(daemon_.count("ping"), 1U);
  const SocketAddress local = open(1);
  EXPECT_EQ(local.to_string(), "127.0.0.1:30000");
  const auto& offer = daemon_.last("offer");
  EXPECT_EQ(offer.text("from-tag"), "void");
  EXPECT_EQ(offer.text("transport-protocol"), "RTP/AVP");
  EXPECT_EQ(offer.text("address-family"), "IP4");
  EXPECT_FALSE(offer.body.contains("direction"));
}

TEST_F(RtpenginePlane, NamesItsInterfaces) {
  auto named = options();
  named.outside = "pub";
  named.inside = "lo";
  start(named);
  perform(Open{.id = 1, .v6 = true});
  const List inside_out{"lo", "pub"}, outside_in{"pub", "lo"};
  EXPECT_EQ(daemon_.last("offer").body.at("direction"), Value(inside_out));
  EXPECT_EQ(daemon_.last("offer").text("address-family"), "IP6");
  perform(party(1));
  EXPECT_EQ(daemon_.last("offer").body.at("direction"), Value(outside_in));
  EXPECT_EQ(daemon_.last("offer").text("address-family"), "IP4") << "voids hear each other over IPv4";
  EXPECT_EQ(daemon_.last("answer").text("address-family"), "IP6");
}

TEST_F(RtpenginePlane, ThePartyIsDescribedAsItDescribedItself) {
  open(1);
  Configure configure = party(1, sdp::Codec::opus);
  configure.format.payload_type = 111;
  configure.dtmf_payload_type = 97;
  configure.ptime_ms = 40;
  configure.remote_rtcp = SocketAddress{IpAddress::v4(192, 0, 2, 8), 45'000};
  perform(configure);
  const auto& offer = daemon_.last("offer");
  EXPECT_EQ(offer.text("from-tag"), "party");
  const std::string sdp(offer.text("sdp"));
  for (const char* line :
       {"c=IN IP4 192.0.2.7\r\n", "m=audio 40002 RTP/AVP 111 97\r\n", "a=rtpmap:111 opus/48000/2\r\n",
        "a=rtpmap:97 telephone-event/8000\r\n", "a=ptime:40\r\n", "a=rtcp:45000 IN IP4 192.0.2.8\r\n"}) {
    EXPECT_NE(sdp.find(line), std::string::npos) << line << sdp;
  }
  const Dictionary transcode{{"transcode", List{"PCMU"}}};
  EXPECT_EQ(offer.body.at("codec"), Value(transcode));
  EXPECT_FALSE(is_heard(1));
  // The same once more is nothing new.
  const std::size_t before = daemon_.requests.size();
  perform(configure);
  EXPECT_EQ(daemon_.requests.size(), before);
}

TEST_F(RtpenginePlane, WhoHearsWhomIsWhereVoidsSendTo) {
  for (const EndpointId id : {1, 2, 3}) establish(id);
  bridge(1, 2);
  EXPECT_TRUE(is_heard_by(1, 2));
  EXPECT_TRUE(is_heard_by(2, 1));
  EXPECT_FALSE(is_heard(3));
  // A transfer: the second party hands the first to the third.
  bridge(1, 3);
  perform(Hear{2, Hear::Silence{}});
  EXPECT_TRUE(is_heard_by(1, 3));
  EXPECT_TRUE(is_heard_by(3, 1));
  EXPECT_FALSE(is_heard(2));
  perform(Hear{3, Hear::Silence{}});
  EXPECT_FALSE(is_heard(1));
  EXPECT_TRUE(is_heard_by(3, 1));
}

TEST_F(RtpenginePlane, TheLastListenerHearsAndTheOneBeforeAgainAfterIt) {
  for (const EndpointId id : {1, 2, 3}) establish(id);
  bridge(1, 2);
  perform(Hear{3, Hear::Party{1}});
  EXPECT_TRUE(is_heard_by(1, 3));
  perform(Close{3});
  EXPECT_TRUE(is_heard_by(1, 2));
}

TEST_F(RtpenginePlane, WhatCanBeHeardOnlyLaterIsHeardThen) {
  open(1);
  open(2);
  bridge(1, 2);
  EXPECT_EQ(daemon_.count("answer"), 0U) << "nothing is known of either";
  perform(party(1));
  EXPECT_FALSE(is_heard(1));
  perform(party(2));
  EXPECT_TRUE(is_heard_by(1, 2));
  EXPECT_TRUE(is_heard_by(2, 1));
}

TEST_F(RtpenginePlane, EqualCodecsPassAndOthersMeetInPcmu) {
  establish(1, sdp::Codec::g722);
  establish(2, sdp::Codec::g722);
  establish(3, sdp::Codec::opus);
  bridge(1, 2);
  EXPECT_EQ(bridge_codec(1), sdp::Codec::g722);
  EXPECT_EQ(bridge_codec(2), sdp::Codec::g722);
  perform(Hear{2, Hear::Silence{}});
  bridge(1, 3);
  EXPECT_EQ(bridge_codec(1), sdp::Codec::pcmu);
  EXPECT_EQ(bridge_codec(3), sdp::Codec::pcmu);
  EXPECT_EQ(bridge_codec(2), sdp::Codec::g722) << "its own, there being nobody else";
  // An answer of its peer makes it speak the other's after all.
  perform(party(3, sdp::Codec::g722));
  EXPECT_EQ(bridge_codec(1), sdp::Codec::g722);
  EXPECT_EQ(bridge_codec(3), sdp::Codec::g722);
}

// rtpengine changes telephone-events between two clocks, when it knows the numbers at both.
TEST_F(RtpenginePlane, EventsAtTheClockOfOpusAreChangedForOthersAndPassBetweenTwo) {
  for (const EndpointId id : {1, 2}) {
    open(id);
    Configure configure = party(id, sdp::Codec::opus);
    configure.dtmf_payload_type = 102;
    configure.dtmf_clock_rate = 48'000;
    perform(configure);
  }
  establish(3);
  for (const char* line :
       {"a=rtpmap:102 telephone-event/48000\r\n", "a=rtpmap:101 telephone-event/8000\r\n"}) {
    EXPECT_NE(call(1).party.find(line), std::string::npos) << line;
  }
  bridge(1, 2);
  EXPECT_NE(call(1).target.find("a=rtpmap:102 telephone-event/48000\r\n"), std::string::npos);
  EXPECT_EQ(call(1).target.find("/8000"), std::string::npos);
  perform(Hear{2, Hear::Silence{}});
  bridge(1, 3);
  EXPECT_NE(call(1).target.find("a=rtpmap:101 telephone-event/8000\r\n"), std::string::npos);
  EXPECT_EQ(call(1).target.find("48000"), std::string::npos);
}

TEST_F(RtpenginePlane, OneNumberForTwoCodecsIsNotTheSame) {
  for (const EndpointId id : {1, 2}) {
    open(id);
    Configure configure = party(id, sdp::Codec::opus);
    configure.format.payload_type = static_cast<std::uint8_t>(110 + id);
    perform(configure);
  }
  bridge(1, 2);
  EXPECT_EQ(bridge_codec(1), sdp::Codec::pcmu);
}

TEST_F(RtpenginePlane, APartyOnHoldIsSentNothingOrHeardNot) {
  establish(1);
  establish(2);
  bridge(1, 2);
  Configure hold = party(2);
  hold.send = false;
  perform(hold);
  EXPECT_FALSE(is_heard(1));
  EXPECT_TRUE(is_heard_by(2, 1));
  hold.receive = false;
  // The old way of holding: what was known of its address stays.
  hold.remote_rtp.ip = IpAddress::v4(0, 0, 0, 0);
  perform(hold);
  EXPECT_FALSE(is_heard(2));
  EXPECT_NE(call(2).party.find("c=IN IP4 192.0.2.7"), std::string::npos);
  perform(party(2));
  EXPECT_TRUE(is_heard_by(1, 2));
  EXPECT_TRUE(is_heard_by(2, 1));
}

TEST_F(RtpenginePlane, PlaysRingBackUntilAnythingElseIsHeard) {
  establish(1);
  establish(2);
  perform(Hear{1, Hear::RingBack{"US"}});
  EXPECT_EQ(call(1).playing, "blob");
  const auto& blob = daemon_.last("play media");
  EXPECT_EQ(blob.text("from-tag"), "party");
  EXPECT_EQ(blob.text("blob").substr(0, 4), "RIFF");
  EXPECT_EQ(blob.text("blob").size(), 46U + 6U * 8'000U);
  perform(Hear{1, Hear::Party{2}});
  EXPECT_EQ(call(1).playing, "");
  EXPECT_TRUE(is_heard_by(2, 1));
  perform(Hear{1, Hear::Play{"wait.wav"}});
  EXPECT_EQ(call(1).playing, "/etc/baton/wait.wav");
  perform(Hear{2, Hear::Play{"/music/wait.wav"}});
  EXPECT_EQ(call(2).playing, "/music/wait.wav");
  EXPECT_FALSE(is_heard(2));
  EXPECT_GT(integer_of(daemon_.last("play media").body, "repeat-times"), 1'000'000);
  perform(Hear{2, Hear::Play{"/music/moment.wav", true}});
  EXPECT_EQ(call(2).playing, "/music/moment.wav");
  EXPECT_EQ(integer_of(daemon_.last("play media").body, "repeat-times"), 1);
  perform(Hear{2, Hear::Play{"/music/wait.wav"}});
  // For another codec it is begun anew.
  perform(party(1, sdp::Codec::pcma));
  EXPECT_EQ(daemon_.count("play media"), 6U);
  EXPECT_EQ(call(1).playing, "/etc/baton/wait.wav");
  Configure hold = party(1, sdp::Codec::pcma);
  hold.send = false;
  perform(hold);
  EXPECT_EQ(call(1).playing, "");
}

// What is heard once is not begun anew for another codec: its rest is left out. Asked for again, it is heard
// again.
TEST_F(RtpenginePlane, WhatIsHeardOnceIsNotBegunAnew) {
  establish(1);
  establish(2);
  perform(Hear{1, Hear::Play{"moment.wav", true}});
  EXPECT_EQ(call(1).playing, "/etc/baton/moment.wav");
  perform(party(1, sdp::Codec::pcma));
  EXPECT_EQ(call(1).playing, "");
  EXPECT_EQ(daemon_.count("play media"), 1U);
  perform(Hear{1, Hear::Party{2}});
  perform(Hear{1, Hear::Play{"moment.wav", true}});
  perform(Hear{1, Hear::Play{"moment.wav", true}});
  EXPECT_EQ(call(1).playing, "/etc/baton/moment.wav");
  EXPECT_EQ(daemon_.count("play media"), 3U);
}

TEST_F(RtpenginePlane, EveryRingBackFitsIntoADatagram) {
  establish(1);
  for (char a = 'A'; a <= 'Z'; ++a) {
    for (char b = 'A'; b <= 'Z'; ++b) {
      std::size_t ms = 0;
      for (const auto& burst : ring_back_plan(std::string{a, b}).bursts) ms += burst.on_ms + burst.off_ms;
      EXPECT_LT(ms * 8, 64'000U) << a << b;
    }
  }
}

TEST_F(RtpenginePlane, WhatCanNotBePlayedIsLoggedOnce) {
  establish(1);
  daemon_.refuses = "play media";
  daemon_.because = "Failed to start media playback from file";
  perform(Hear{1, Hear::Play{"wait.wav"}});
  perform(party(1));
  ASSERT_EQ(logged_.size(), 1U);
  EXPECT_EQ(logged_[0],
            "media.not_played call=token.1 what=file wait.wav why=Failed to start media playback from file "
            "rtpengine=127.0.0.1:2223");
  EXPECT_EQ(daemon_.count("play media"), 1U);
  EXPECT_TRUE(take<Lost>().empty());
}

TEST_F(RtpenginePlane, SendsDigits) {
  establish(1);
  perform(SendDigit{1, 11, 160ms});
  const auto& digit = daemon_.last("play DTMF");
  EXPECT_EQ(digit.text("from-tag"), "void");
  const List flags{"inject-DTMF", "trust-address", "port-latching"};
  EXPECT_EQ(daemon_.last("offer").body.at("flags"), Value(flags)) << "which it was not before";
  EXPECT_EQ(daemon_.count("offer"), 3U);
  EXPECT_EQ(integer_of(digit.body, "code"), 11);
  EXPECT_EQ(integer_of(digit.body, "duration"), 160);
  Configure deaf = party(1);
  deaf.dtmf_payload_type.reset();
  perform(deaf);
  perform(SendDigit{1, 1, 160ms});
  EXPECT_EQ(daemon_.count("play DTMF"), 1U);
}

// By telephone-events and by INFO: the events have passed inside rtpengine.
TEST_F(RtpenginePlane, AKeyOfAPartyWithTelephoneEventsIsSentOnce) {
  establish(1);
  establish(2);
  bridge(1, 2);
  perform(SendDigit{1, 5, 160ms, 2});
  EXPECT_EQ(daemon_.count("play DTMF"), 0U);
  Configure without = party(2);
  without.dtmf_payload_type.reset();
  perform(without);
  perform(SendDigit{1, 5, 160ms, 2});
  EXPECT_EQ(daemon_.count("play DTMF"), 1U);
  perform(SendDigit{1, 6, 160ms, 99});
  EXPECT_EQ(daemon_.count("play DTMF"), 2U) << "of somebody unknown";
}

TEST_F(RtpenginePlane, ClosesWithItsTotals) {
  establish(1, sdp::Codec::g722);
  establish(2);
  bridge(1, 2);
  call(1).received = 50;
  perform(Close{1});
  const auto closed = take<Closed>();
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].id, 1U);
  EXPECT_EQ(closed[0].packets_received, 50U);
  EXPECT_EQ(closed[0].packets_sent, 57U);
  EXPECT_EQ(closed[0].packets_dropped, 1U);
  EXPECT_EQ(closed[0].codec, sdp::Codec::g722);
  EXPECT_FALSE(closed[0].received) << "loss and jitter are not known";
  EXPECT_FALSE(closed[0].reported) << "it has said nothing";
  EXPECT_FALSE(closed[0].round_trip_us);
  EXPECT_FALSE(daemon_.calls.contains("token.1"));
  EXPECT_FALSE(is_heard(2));
  EXPECT_EQ(plane_->endpoints(), 1U);
  // What never was, and what is gone.
  perform(Close{1});
  EXPECT_EQ(take<Closed>().size(), 1U);
}

TEST_F(RtpenginePlane, ClosedBeforeItIsOpenItLeavesNothingBehind) {
  begin(Open{1});
  begin(Close{1});
  exchange();
  EXPECT_TRUE(take<Opened>().empty());
  EXPECT_EQ(take<Closed>().size(), 1U);
  EXPECT_TRUE(daemon_.calls.empty());
  EXPECT_EQ(plane_->endpoints(), 0U);
}

TEST_F(RtpenginePlane, ClosedInTheMiddleOfAChangeItLeavesNothingBehind) {
  open(1);
  begin(party(1));
  begin(Close{1});
  exchange();
  EXPECT_EQ(take<Closed>().size(), 1U);
  EXPECT_TRUE(daemon_.calls.empty());
}

// What was wanted while a request was out is done after it, and only the last of it.
TEST_F(RtpenginePlane, OnlyTheLastOfManyChangesIsAskedFor) {
  for (const EndpointId id : {1, 2, 3}) establish(id);
  const std::size_t offers = daemon_.count("offer");
  for (const EndpointId other : {2, 3, 2, 3, 2}) {
    begin(Hear{other, Hear::Party{1}});
  }
  exchange();
  EXPECT_TRUE(is_heard_by(1, 2));
  EXPECT_LE(daemon_.count("offer") - offers, 2U);
}

TEST_F(RtpenginePlane, ARefusedOpenFailsWithTheReason) {
  daemon_.refuses = "offer";
  daemon_.because = "Ran out of ports";
  perform(Open{1});
  const auto failed = take<OpenFailed>();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].reason, "Ran out of ports (127.0.0.1:2223)");
  EXPECT_EQ(plane_->endpoints(), 0U);
  EXPECT_EQ(daemon_.count("delete"), 1U);
}

TEST_F(RtpenginePlane, NonsenseIsNoAnswerButNoSilenceEither) {
  daemon_.garbles = "offer";
  perform(Open{1});
  EXPECT_EQ(take<OpenFailed>().size(), 1U);
  EXPECT_FALSE(plane_->is_down());
  EXPECT_TRUE(daemon_.calls.empty()) << "it was opened all the same";
  // Not for ever, when a delete is answered by nonsense.
  daemon_.garbles = "delete";
  open(2);
  perform(Close{2});
  EXPECT_EQ(take<Closed>().size(), 1U);
  run(1min);
  EXPECT_EQ(daemon_.count("delete"), 2U);
}

TEST_F(RtpenginePlane, ARefusedDescriptionLosesTheEndpoint) {
  establish(1);
  for (const char* command : {"offer", "answer"}) {
    const EndpointId id = command[0] == 'o' ? 2 : 3;
    open(id);
    daemon_.refuses = command;
    daemon_.because = "Incomplete SDP specification";
    perform(party(id));
    const auto lost = take<Lost>();
    ASSERT_EQ(lost.size(), 1U) << command;
    EXPECT_EQ(lost[0].id, id);
    EXPECT_NE(lost[0].reason.find("Incomplete SDP specification"), std::string::npos);
    daemon_.refuses.clear();
  }
  // Told again until it is closed, and what would hear it goes on.
  run(15s);
  EXPECT_EQ(take<Lost>().size(), 6U);
  perform(Hear{1, Hear::Party{2}});
  perform(Close{2});
  perform(Close{3});
  EXPECT_EQ(take<Closed>().size(), 2U);
  run(15s);
  EXPECT_TRUE(take<Lost>().empty());
  EXPECT_EQ(plane_->endpoints(), 1U);
  EXPECT_EQ(daemon_.calls.size(), 1U) << "nothing is left of them there";
}

// ---- Silence ----

TEST_F(RtpenginePlane, APartyThatIsSilentIsToldOnce) {
  establish(1);
  for (int second = 0; second < 60; ++second) {
    call(1).received += 50;
    run(1s);
  }
  EXPECT_TRUE(take<Silent>().empty());
  run(14s);
  EXPECT_TRUE(take<Silent>().empty());
  run(12s);
  EXPECT_EQ(take<Silent>().size(), 1U);
  run(1min);
  EXPECT_TRUE(take<Silent>().empty());
  call(1).received += 50;
  run(1min);
  EXPECT_EQ(take<Silent>().size(), 1U) << "heard again, and silent again";
}

TEST_F(RtpenginePlane, WhoIsNotToSendMayBeSilent) {
  open(1);
  Configure hold = party(1);
  hold.receive = false;
  perform(hold);
  run(5min);
  EXPECT_TRUE(take<Silent>().empty());
}

TEST_F(RtpenginePlane, WithADeadDaemonNobodyIsHeard) {
  establish(1);
  daemon_.mute = true;
  run(40s);
  EXPECT_EQ(take<Silent>().size(), 1U);
}

TEST_F(RtpenginePlane, WithoutATimeoutARestartIsNoticedAllTheSame) {
  auto patient = options();
  patient.silence_timeout = 0s;
  start(patient);
  establish(1);
  run(5min);
  EXPECT_TRUE(take<Silent>().empty());
  daemon_.restart();
  run(15s);
  EXPECT_EQ(take<Lost>().size(), 1U);
}

// ---- SRTP ----

TEST_F(RtpenginePlane, BringsTheKeysThatItEncryptsWith) {
  perform(Open{1, false, true});
  const auto opened = take<Opened>();
  ASSERT_EQ(opened.size(), 1U);
  ASSERT_EQ(opened[0].keys.size(), sdp::all_suites.size());
  const sdp::Crypto& own = opened[0].keys[2];
  Configure configure = party(1);
  Srtp srtp{own.suite, own.key, own.key};
  srtp.theirs.bytes[0] ^= 1;
  configure.srtp = srtp;
  perform(configure);
  // Its key stands under the tag that rtpengine has given to that suite.
  const sdp::Crypto theirs{own.tag, own.suite, srtp.theirs};
  EXPECT_NE(call(1).party.find("RTP/SAVP"), std::string::npos);
  EXPECT_NE(call(1).party.find("a=crypto:" + sdp::write_crypto(theirs) + "\r\n"), std::string::npos);
  EXPECT_EQ(daemon_.last("offer").text("transport-protocol"), "RTP/AVP") << "of the void";
  configure.srtp.reset();
  perform(configure);
  EXPECT_EQ(call(1).party.find("SAVP"), std::string::npos);
  EXPECT_TRUE(take<Lost>().empty());
  // The daemon does not come back to a key that was left, and the party knows no other.
  configure.srtp = srtp;
  daemon_.rekeys = true;
  perform(configure);
  const auto lost = take<Lost>();
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_NE(lost[0].reason.find("another key"), std::string::npos);
}

TEST_F(RtpenginePlane, WithoutItsKeysThereIsNoSrtp) {
  daemon_.keyless = true;
  perform(Open{1, false, true});
  const auto failed = take<OpenFailed>();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].reason, "it has no key for AEAD_AES_256_GCM (127.0.0.1:2223)");
}

TEST_F(RtpenginePlane, RecordsNothing) {
  establish(1);
  establish(2);
  perform(Record{1, 1, 2, "call"});
  const auto recorded = take<Recorded>();
  ASSERT_EQ(recorded.size(), 1U);
  EXPECT_NE(recorded[0].error, "");
  perform(StopRecording{1});
  EXPECT_TRUE(take<Recorded>().empty());
}

}  // namespace
}  // namespace baton::media::rtpengine
