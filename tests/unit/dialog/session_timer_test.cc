#include "dialog/session_timer.h"

#include <gtest/gtest.h>

namespace baton::dialog {
namespace {

sip::Message request(const std::string& headers) {
  return *sip::Message::parse(
      "UPDATE sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1\r\n"
      "From: <sip:b@192.0.2.2>;tag=b\r\nTo: <sip:a@192.0.2.1>;tag=a\r\nCall-ID: c\r\n"
      "CSeq: 2 UPDATE\r\n" +
      headers + "\r\n");
}

sip::Message response(int status, const std::string& headers) {
  return *sip::Message::parse("SIP/2.0 " + std::to_string(status) +
                              " X\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
                              "From: <sip:a@192.0.2.1>;tag=a\r\nTo: <sip:b@192.0.2.2>;tag=b\r\nCall-ID: c\r\n"
                              "CSeq: 2 UPDATE\r\n" +
                              headers + "\r\n");
}

std::string asked(const SessionTimer& timer) {
  sip::Draft draft = sip::Draft::request(sip::Method::update, "sip:b@192.0.2.2");
  timer.ask(draft);
  return std::string(draft.header(sip::HeaderId::session_expires));
}

struct Answered {
  std::string expires, require;
};
Answered answered(SessionTimer& timer, const std::string& headers) {
  sip::Draft draft = sip::Draft::response(200);
  timer.answer(request(headers), draft);
  return {std::string(draft.header(sip::HeaderId::session_expires)),
          std::string(draft.header(sip::HeaderId::require))};
}

TEST(SessionTimer, HeaderIsReadOrIgnored) {
  using Refresher = SessionExpires::Refresher;
  const auto plain = SessionExpires::of(request("Session-Expires: 90\r\n"));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->interval, Duration{90s});
  EXPECT_EQ(plain->refresher, Refresher::unsaid);
  EXPECT_EQ(SessionExpires::of(request("x: 4000 ; refresher=UAS\r\n"))->refresher, Refresher::unsaid);
  EXPECT_EQ(SessionExpires::of(request("x: 4000;a=b;refresher=uas\r\n"))->refresher, Refresher::uas);
  EXPECT_EQ(SessionExpires::of(request("Session-Expires: 99999999999999999999\r\n"))->interval,
            Duration{std::chrono::seconds(1'000'000)});
  for (const char* bad :
       {"", "Session-Expires: \r\n", "Session-Expires: -5\r\n", "Session-Expires: 90s\r\n"}) {
    EXPECT_FALSE(SessionExpires::of(request(bad))) << bad;
  }
}

TEST(SessionTimer, AsksAndTakesWhatThe2xxSays) {
  SessionTimer timer(1800s, 90s);
  EXPECT_EQ(asked(timer), "1800");
  timer.take(response(200, "Session-Expires: 600;refresher=uas\r\n"));
  EXPECT_TRUE(timer.active());
  EXPECT_FALSE(timer.we_refresh());
  EXPECT_EQ(timer.over_after(), Duration{568s});
  EXPECT_EQ(asked(timer), "600;refresher=uas");
  timer.take(response(200, "Session-Expires: 60;refresher=uac\r\n"));
  EXPECT_TRUE(timer.we_refresh());
  EXPECT_EQ(timer.interval(), Duration{90s}) << "nobody makes us refresh all the time";
  EXPECT_EQ(timer.refresh_after(), Duration{45s});
  EXPECT_EQ(timer.over_after(), Duration{60s});
  timer.take(response(200, ""));
  EXPECT_FALSE(timer.active());
}

TEST(SessionTimer, OffAsksForNoneButServesThePeer) {
  SessionTimer timer(0s, 90s);
  EXPECT_EQ(asked(timer), "");
  EXPECT_EQ(answered(timer, "Supported: timer\r\n").expires, "");
  EXPECT_EQ(answered(timer, "Supported: timer\r\nSession-Expires: 300;refresher=uac\r\n").expires,
            "300;refresher=uac");
}

TEST(SessionTimer, RaisedByA422ThatSaysMoreThanWasAsked) {
  SessionTimer timer(600s, 90s);
  EXPECT_FALSE(timer.raise(response(422, "")));
  EXPECT_FALSE(timer.raise(response(422, "Min-SE: 600\r\n")));
  EXPECT_TRUE(timer.raise(response(422, "Min-SE: 900\r\n")));
  sip::Draft draft = sip::Draft::request(sip::Method::invite, "sip:b@192.0.2.2");
  timer.ask(draft);
  EXPECT_EQ(draft.header(sip::HeaderId::session_expires), "900");
  EXPECT_EQ(draft.header(sip::HeaderId::min_se), "900");
  EXPECT_FALSE(timer.raise(response(422, "Min-SE: 900\r\n")));
}

TEST(SessionTimer, TooSmallIsSaidOnlyToWhoCanAskAgain) {
  const SessionTimer timer(1800s, 120s);
  EXPECT_EQ(timer.too_small(request("Supported: timer\r\nSession-Expires: 100\r\n")), 120U);
  EXPECT_FALSE(timer.too_small(request("Supported: timer\r\nSession-Expires: 120\r\n")));
  EXPECT_FALSE(timer.too_small(request("Session-Expires: 100\r\n")));
  EXPECT_FALSE(timer.too_small(request("Supported: timer\r\n")));
}

// RFC 4028 9, table 2.
TEST(SessionTimer, TableOfRefreshers) {
  const auto answer = [](const std::string& headers) {
    SessionTimer timer(1800s, 90s);
    return answered(timer, headers);
  };
  EXPECT_EQ(answer("").expires, "");
  EXPECT_EQ(answer("Session-Expires: 1000\r\n").expires, "1000;refresher=uas");
  EXPECT_EQ(answer("Session-Expires: 1000\r\n").require, "");
  EXPECT_EQ(answer("Supported: timer\r\n").expires, "1800;refresher=uas");
  EXPECT_EQ(answer("Supported: timer\r\nMin-SE: 4000\r\n").expires, "4000;refresher=uas");
  EXPECT_EQ(answer("Supported: timer\r\nSession-Expires: 1000\r\n").expires, "1000;refresher=uas");
  EXPECT_EQ(answer("Supported: timer\r\nSession-Expires: 1000\r\n").require, "timer");
  EXPECT_EQ(answer("Supported: timer\r\nSession-Expires: 1000;refresher=uac\r\n").expires,
            "1000;refresher=uac");
  EXPECT_EQ(answer("Supported: timer\r\nSession-Expires: 1000;refresher=uas\r\n").expires,
            "1000;refresher=uas");
  EXPECT_EQ(answer("Supported: timer\r\nSession-Expires: 7200;refresher=uac\r\nMin-SE: 3600\r\n").expires,
            "3600;refresher=uac")
      << "shortened to what we want, not below what the peer wants";
}

TEST(SessionTimer, ARefreshKeepsItsRoles) {
  SessionTimer timer(1800s, 90s);
  (void)answered(timer, "Supported: timer\r\nSession-Expires: 1800;refresher=uac\r\n");
  EXPECT_FALSE(timer.we_refresh());
  EXPECT_EQ(answered(timer, "Supported: timer\r\nSession-Expires: 1800\r\n").expires, "1800;refresher=uac");
  EXPECT_EQ(asked(timer), "1800;refresher=uas") << "a change of ours leaves the refreshing to the peer";
}

}  // namespace
}  // namespace baton::dialog
