#include <gtest/gtest.h>

#include "media/rtpengine/bencode.h"

namespace baton::media::rtpengine {
namespace {

TEST(Bencode, WritesEveryKindAndSortsKeys) {
  const Dictionary request{
      {"sdp", "v=0\r\n"}, {"command", "offer"}, {"flags", List{"a", Value(-3)}}, {"d", Dictionary{}}};
  EXPECT_EQ(encode(request), "d7:command5:offer1:dde5:flagsl1:ai-3ee3:sdp5:v=0\r\ne");
}

TEST(Bencode, ReadsWhatItWrote) {
  const Value value(Dictionary{{"a", List{List{}, Dictionary{{"", ""}}}},
                               {"b", std::string("\0e:\xff", 4)},
                               {"c", std::numeric_limits<std::int64_t>::min()}});
  const auto read = decode(encode(value));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, value);
}

TEST(Bencode, TakesKeysInAnyOrder) {
  const auto read = decode("d1:bi2e1:a1:xe");
  ASSERT_TRUE(read);
  EXPECT_EQ(text_of(*read->dictionary(), "a"), "x");
  EXPECT_EQ(integer_of(*read->dictionary(), "b"), 2);
  EXPECT_EQ(text_of(*read->dictionary(), "b"), "") << "is none";
  EXPECT_EQ(integer_of(*read->dictionary(), "c"), 0) << "is not there";
}

class BadBencode : public ::testing::TestWithParam<const char*> {};

TEST_P(BadBencode, IsRefusedWithAReason) {
  const auto read = decode(GetParam());
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().find(" at "), std::string::npos) << read.error();
}

INSTANTIATE_TEST_SUITE_P(All, BadBencode,
                         ::testing::Values("", "x", "i", "ie", "i-e", "i1", "i01e", "i-0e", "i+1e", "i1 e",
                                           "i9223372036854775808e", "5:abcd", "01:a",
                                           "99999999999999999999:a", "-1:a", "3", "3:", "l", "li1e", "d",
                                           "d1:a", "d1:ae", "di1ei2ee", "d1:ai1e1:ai2ee", "lee", "i1ei1e"));

TEST(Bencode, DepthIsBounded) {
  EXPECT_TRUE(decode(std::string(bencode_depth_max, 'l') + std::string(bencode_depth_max, 'e')));
  EXPECT_FALSE(decode(std::string(bencode_depth_max + 2, 'l') + std::string(bencode_depth_max + 2, 'e')));
  EXPECT_FALSE(decode(std::string(60'000, 'l')));
}

}  // namespace
}  // namespace baton::media::rtpengine
