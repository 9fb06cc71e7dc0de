#include "call/reason.h"

#include <gtest/gtest.h>

namespace baton::call {
namespace {

TEST(Reason, CauseOfAQ850Reason) {
  EXPECT_EQ(q850_cause("Q.850;cause=16;text=\"Terminated\""), 16);
  EXPECT_EQ(q850_cause("SIP;cause=480, q.850 ; text=\"a, b\" ; cause=19"), 19);
  for (const char* none :
       {"", "SIP;cause=486", "Q.850", "Q.850;cause=", "Q.850;cause=x", "Q.850;cause=0", "Q.850;cause=128",
        "Q.850;cause=-1", "Q.850;cause=99999999999", "Q.8500;cause=16", "garbage\"", ",,,"}) {
    EXPECT_FALSE(q850_cause(std::string_view(none))) << none;
  }
}

TEST(Reason, StatusesHaveCausesAndBack) {
  EXPECT_EQ(q850_for_status(486), 17);
  EXPECT_EQ(q850_for_status(600), 17);
  EXPECT_EQ(q850_for_status(404), 1);
  EXPECT_EQ(q850_for_status(408), 19);
  EXPECT_EQ(q850_for_status(480), 18);
  EXPECT_EQ(q850_for_status(503), 41);
  EXPECT_EQ(q850_for_status(603), 21);
  EXPECT_EQ(q850_for_status(487), 16);
  EXPECT_EQ(q850_for_status(499), 127);
  EXPECT_EQ(q850_for_status(200), 16);
  EXPECT_EQ(status_for_q850(17), 486);
  EXPECT_EQ(status_for_q850(19), 480);
  EXPECT_EQ(status_for_q850(34), 503);
  EXPECT_FALSE(status_for_q850(16));
  EXPECT_FALSE(status_for_q850(31));
  EXPECT_EQ(status_for_q850(30), 480) << "an unknown one of the normal class";
  EXPECT_EQ(status_for_q850(49), 503);
  EXPECT_EQ(status_for_q850(99), 500);
}

TEST(Reason, RelayedInOurWords) {
  EXPECT_EQ(relayed_reason(""), "Q.850;cause=16;text=\"Normal call clearing\"");
  EXPECT_EQ(relayed_reason("Q.850;cause=41;text=\"on host 10.0.0.1\""),
            "Q.850;cause=41;text=\"Temporary failure\"");
  EXPECT_EQ(relayed_reason("Q.850;cause=99"), "Q.850;cause=99");
  EXPECT_EQ(relayed_reason("SIP;cause=503;text=\"x\""),
            "SIP;cause=503, Q.850;cause=41;text=\"Temporary failure\"");
  EXPECT_EQ(relayed_reason("rubbish;"), "Q.850;cause=16;text=\"Normal call clearing\"");
}

TEST(Reason, HangUpsHaveCauses) {
  EXPECT_EQ(q850_for_hangup(Hangup::normal), 16);
  EXPECT_EQ(q850_for_hangup(Hangup::rtp_timeout), 41);
  EXPECT_EQ(q850_for_hangup(Hangup::request_timeout), 102);
}

}  // namespace
}  // namespace baton::call
