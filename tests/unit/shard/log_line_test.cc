#include "shard/log_line.h"

#include <gtest/gtest.h>

namespace baton::shard {
namespace {

std::string line(const std::string& value) {
  return to_line({engine::Severity::info, "e", {{"k", value}}});
}

TEST(LogLineTest, EventAndFieldsInOrder) {
  EXPECT_EQ(
      to_line(
          {engine::Severity::info,
           "call.answered",
           {{"call", "1f-2"}, {"status", "200"}, {"from", "+14155550100"}, {"to", "sip:a@b.example:5060"}}}),
      "call.answered call=1f-2 status=200 from=+14155550100 to=sip:a@b.example:5060");
  EXPECT_EQ(to_line({engine::Severity::info, "server.ready", {}}), "server.ready");
}

TEST(LogLineTest, ValuesThatNeedItAreQuoted) {
  EXPECT_EQ(line(""), "e k=\"\"");
  EXPECT_EQ(line("two words"), "e k=\"two words\"");
  EXPECT_EQ(line("a=b"), "e k=\"a=b\"");
  EXPECT_EQ(line("say \"hi\" \\o/"), "e k=\"say \\\"hi\\\" \\\\o/\"");
}

TEST(LogLineTest, NoValueEndsTheLineOrTalksToTheTerminal) {
  EXPECT_EQ(line("x\r\ncall.forged k=v"), "e k=\"x\\r\\ncall.forged k=v\"");
  EXPECT_EQ(line("\x1b[2J"), "e k=\"\\x1b[2J\"");
  EXPECT_EQ(line(std::string("a\0b", 3)), "e k=\"a\\x00b\"");
  EXPECT_EQ(line("\xc2\x9b\xff"), "e k=\"\\xc2\\x9b\\xff\"");
  for (int c = 0; c < 256; ++c) {
    for (const char out : line(std::string(1, static_cast<char>(c)))) {
      EXPECT_TRUE(out >= 0x20 && out < 0x7f) << c;
    }
  }
}

TEST(LogLineTest, NamesAreHeldToo) {
  EXPECT_EQ(to_line({engine::Severity::info, "a b\n", {{"k y=", "v"}}}), "a_b_ k_y_=v");
}

TEST(LogLineTest, LongValuesAreCut) {
  EXPECT_EQ(line(std::string(5'000, 'x')), "e k=\"" + std::string(2'048, 'x') + "...\"");
}

}  // namespace
}  // namespace baton::shard
