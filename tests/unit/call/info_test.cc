#include "call/info.h"

#include <gtest/gtest.h>

namespace baton::call {
namespace {

TEST(Info, RelayBodies) {
  const auto key = read_info_body(dtmf_relay_type, "Signal=5\r\nDuration=250\r\n");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->event, 5);
  EXPECT_EQ(key->lasted, 250ms);
  struct Row {
    const char* body;
    int event;
    Duration lasted;
  };
  for (const Row& row :
       {Row{"Signal= 0\nDuration= 100\n", 0, 100ms},  // as some write it
        Row{" signal = * \r\n", 10, 160ms}, Row{"Duration=1\r\nSignal=#", 11, 40ms},
        Row{"Signal=d\r\nDuration=999999999\r\n", 15, 6s}, Row{"Signal=11\r\nDuration=60000", 11, 6s},
        Row{"Signal=A\r\nDuration=99999999999999\r\n", 12, 160ms},
        Row{"X=1\r\nSignal=9\r\njunk", 9, 160ms}}) {
    const auto read = read_info_body(dtmf_relay_type, row.body);
    ASSERT_TRUE(read) << row.body;
    EXPECT_EQ(read->event, row.event) << row.body;
    EXPECT_EQ(read->lasted, row.lasted) << row.body;
  }
}

TEST(Info, PlainBodies) {
  for (const auto& [body, event] :
       {std::pair("7", 7), std::pair(" #\r\n", 11), std::pair("b", 13), std::pair("10", 10)}) {
    const auto key = read_info_body(dtmf_type, body);
    ASSERT_TRUE(key) << body;
    EXPECT_EQ(key->event, event);
    EXPECT_EQ(key->lasted, 160ms);
  }
}

TEST(Info, WhatNamesNoKey) {
  const std::string huge = "Signal=5\r\n" + std::string(300, 'x');
  for (const char* body : {"", "Signal", "Signal=", "Signal=E", "Signal=16", "Signal=!", "Signal=-1",
                           "Signal=123", "Duration=100\r\n", huge.c_str()}) {
    EXPECT_FALSE(read_info_body(dtmf_relay_type, body)) << body;
  }
  for (const char* body : {"", "x", "16", "555", "-1", "5 5"}) {
    EXPECT_FALSE(read_info_body(dtmf_type, body)) << body;
  }
  EXPECT_FALSE(read_info_body("text/plain", "5"));
}

TEST(Info, WhatIsWrittenReadsBack) {
  for (std::uint8_t event = 0; event < 16; ++event) {
    const auto key = read_info_body(dtmf_relay_type, write_info_body({event, 120ms}));
    ASSERT_TRUE(key);
    EXPECT_EQ(key->event, event);
    EXPECT_EQ(key->lasted, 120ms);
  }
}

}  // namespace
}  // namespace baton::call
