// Keys on this plane: what rtpengine logs of them, and those that come by SIP INFO beside it.
#include <gtest/gtest.h>

#include "media/rtpengine/key_log.h"
#include "rtpengine_world.h"

namespace baton::media::rtpengine {
namespace {

// As Debian's rtpengine 10.5 writes it.
std::string line_of(const std::string& call, const std::string& tag, unsigned event, unsigned ms) {
  return R"({"callid":")" + call + R"(","source_tag":")" + tag +
         R"(","tags":["party","void"],"type":"DTMF","timestamp":1795306300,"source_ip":"127.0.0.1","event":)" +
         std::to_string(event) + R"(,"duration":)" + std::to_string(ms) + R"(,"volume":10})";
}

TEST(RtpengineKeyLog, IsRead) {
  const std::string line = line_of("token.1", "party", 6, 120);
  const auto key = read_logged_key(line);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->call_id, "token.1");
  EXPECT_EQ(key->tag, "party");
  EXPECT_EQ(key->event, 6);
  EXPECT_EQ(key->lasted, 120ms);
}

TEST(RtpengineKeyLog, AnythingElseIsNot) {
  const std::string line = line_of("token.1", "party", 6, 120);
  for (std::size_t size = 0; size + sizeof R"(120,"volume":10})" <= line.size(); ++size) {
    EXPECT_FALSE(read_logged_key(std::string_view(line).substr(0, size))) << size;
  }
  EXPECT_FALSE(read_logged_key(line_of("token.1", "party", 16, 120))) << "no key";
  EXPECT_FALSE(read_logged_key(line_of("token.1", "party", 4'294'967'295U, 120)));
  EXPECT_FALSE(read_logged_key(R"({"callid":"a","source_tag":"b","type":"MOS","event":1,"duration":1})"));
  EXPECT_FALSE(read_logged_key(R"({"callid":"a","source_tag":"b","type":"DTMF","event":-1,"duration":1})"));
  EXPECT_FALSE(read_logged_key(R"({"callid":7,"source_tag":"b","type":"DTMF","event":1,"duration":1})"));
  EXPECT_EQ(read_logged_key(line_of("a", "b", 1, 4'294'967'295U))->lasted, 10s);
}

class RtpengineKeys : public RtpenginePlane {
 protected:
  void SetUp() override {
    auto hearing = options();
    hearing.hears_keys = true;
    start(hearing);
    establish(1);
    establish(2);
    bridge(1, 2);
  }
  void logged(const std::string& line) {
    plane_->logged(now_, line, {results_, datagrams_});
    exchange();
  }
  void pressed(EndpointId by, unsigned event) {
    logged(line_of("token." + std::to_string(by), "party", event, 100));
  }
  void info(std::uint8_t event, EndpointId from = 2, EndpointId to = 1) {
    perform(SendDigit{to, event, 160ms, from});
  }
  std::vector<std::int64_t> sent() {
    std::vector<std::int64_t> keys;
    for (const auto& request : daemon_.requests) {
      if (request.command == "play DTMF") keys.push_back(integer_of(request.body, "code"));
    }
    return keys;
  }
};

TEST_F(RtpengineKeys, OfAPartyThatTellsByInfoAloneAreSent) {
  info(5);
  info(6);
  run(1s);
  EXPECT_TRUE(sent().empty()) << "they may still be logged";
  run(1s);
  EXPECT_EQ(sent(), (std::vector<std::int64_t>{5, 6}));
  info(7);
  EXPECT_EQ(sent(), (std::vector<std::int64_t>{5, 6, 7})) << "it is known by now";
}

// Its silence says nothing then: what passed as a telephone-event too is heard twice.
TEST_F(RtpengineKeys, PassedOnByADaemonThatMayNotLogAreWarnedOfOnce) {
  info(5);
  run(1s);
  EXPECT_TRUE(logged_.empty()) << "it may still be logged";
  run(1s);
  ASSERT_EQ(logged_.size(), 1U);
  EXPECT_EQ(logged_[0], "media.rtpengine_logs_no_keys call=token.2 rtpengine=127.0.0.1:2223");
  info(5, 1, 2);
  run(2s);
  EXPECT_EQ(sent().size(), 2U);
  EXPECT_EQ(logged_.size(), 1U);
}

TEST_F(RtpengineKeys, PassedOnByADaemonThatLogsAreNotWarnedOf) {
  pressed(1, 3);
  info(5);
  run(2s);
  EXPECT_EQ(sent().size(), 1U);
  EXPECT_TRUE(logged_.empty());
}

TEST_F(RtpengineKeys, ToldByBothAreSentOnce) {
  info(5);
  run(500ms);
  pressed(2, 5);
  run(10s);
  info(6);
  run(10s);
  EXPECT_TRUE(sent().empty());
  // The other party is another matter.
  info(3, 1, 2);
  run(2s);
  EXPECT_EQ(sent(), std::vector<std::int64_t>{3});
}

TEST_F(RtpengineKeys, AreKnownByTheFirstOne) {
  pressed(2, 1);
  info(1);
  run(10s);
  EXPECT_TRUE(sent().empty());
}

TEST_F(RtpengineKeys, EndWithTheirParty) {
  info(5);
  perform(Close{2});
  run(10s);
  EXPECT_TRUE(sent().empty());
  info(6);  // of somebody unknown
  EXPECT_EQ(sent(), std::vector<std::int64_t>{6});
  establish(3);
  bridge(1, 3);
  info(7, 3);
  perform(Close{1});
  run(10s);
  EXPECT_EQ(sent(), std::vector<std::int64_t>{6});
  EXPECT_EQ(take<Closed>().size(), 2U);
}

TEST_F(RtpengineKeys, EndWithAPartyThatWasNeverOpened) {
  daemon_.refuses = "offer";
  daemon_.because = "Ran out of ports";
  begin(Open{3});
  begin(party(3));
  begin(SendDigit{1, 5, 160ms, 3});
  exchange();
  EXPECT_EQ(take<OpenFailed>().size(), 1U);
  run(10s);
  EXPECT_TRUE(sent().empty());
}

TEST_F(RtpengineKeys, AreBounded) {
  for (unsigned i = 0; i < 2 * Rtpengine::digits_max; ++i) info(5);
  run(3s);
  EXPECT_EQ(sent().size(), Rtpengine::digits_max);
}

TEST_F(RtpengineKeys, AreReportedWhereTheyAreToldByOtherMeans) {
  pressed(2, 4);
  EXPECT_TRUE(take<Digit>().empty()) << "they pass";
  EXPECT_EQ(daemon_.count("block DTMF"), 0U);
  Configure told = party(1);
  told.digits = DigitsBy::report;
  perform(told);
  EXPECT_EQ(daemon_.count("block DTMF"), 1U);
  EXPECT_EQ(daemon_.last("block DTMF").text("call-id"), "token.2");
  EXPECT_EQ(daemon_.last("block DTMF").text("from-tag"), "party");
  pressed(2, 4);
  const auto digits = take<Digit>();
  ASSERT_EQ(digits.size(), 1U);
  EXPECT_EQ(digits[0].id, 2U);
  EXPECT_EQ(digits[0].event, 4);
  EXPECT_EQ(digits[0].lasted, 100ms);
  // What it presses itself passes.
  pressed(1, 8);
  EXPECT_TRUE(take<Digit>().empty());
  perform(Hear{1, Hear::Silence{}});
  EXPECT_EQ(daemon_.count("unblock DTMF"), 1U);
  pressed(2, 4);
  EXPECT_TRUE(take<Digit>().empty()) << "nobody hears it";
}

TEST_F(RtpengineKeys, OfStrangersSayNothing) {
  Configure told = party(1);
  told.digits = DigitsBy::report;
  perform(told);
  for (const char* call : {"nekot.2", "token.", "token.2x", "token.99", "token.99999999999999999999999"}) {
    logged(line_of(call, "party", 4, 100));
  }
  logged(line_of("token.2", "void", 4, 100));
  logged("");
  EXPECT_TRUE(take<Digit>().empty());
  Configure deaf = party(2);
  deaf.receive = false;
  perform(deaf);
  pressed(2, 4);
  EXPECT_TRUE(take<Digit>().empty()) << "it is not to be heard";
}

TEST_F(RtpengineKeys, ThatCanNotBeBlockedAreLogged) {
  daemon_.refuses = "block DTMF";
  daemon_.because = "No";
  Configure told = party(1);
  told.digits = DigitsBy::report;
  perform(told);
  ASSERT_EQ(logged_.size(), 1U);
  EXPECT_EQ(logged_[0], "media.keys_not_blocked call=token.2 why=No rtpengine=127.0.0.1:2223");
  EXPECT_EQ(daemon_.count("block DTMF"), 1U);
}

}  // namespace
}  // namespace baton::media::rtpengine
