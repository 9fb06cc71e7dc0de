#include "app/text.h"

#include <gtest/gtest.h>

namespace baton::app {
namespace {

TEST(Text, Printable) {
  EXPECT_EQ(printable("plain é ☎ 𝄞"), "plain é ☎ 𝄞");
  EXPECT_EQ(printable("a\r\n\tb\x1b\x7f"), "a???b??");
  EXPECT_EQ(printable("\xc2\x9b"), "?");             // C1
  EXPECT_EQ(printable("\xff\xc3"), "??");            // not UTF-8, cut short
  EXPECT_EQ(printable("\xc0\xaf"), "??");            // overlong
  EXPECT_EQ(printable("\xe0\x80\xaf"), "???");       // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "???");       // a surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "????");  // beyond Unicode
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "abc"),
            "?abc");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
}

TEST(Text, PrintableLines) {
  EXPECT_EQ(printable_lines("a\r\nb\tc\rd\n"), "a\nb\tc\\x0Dd\n");
  EXPECT_EQ(printable_lines("\x1b[0m\xff"), "\\x1B[0m\\xFF");
}

TEST(Text, FitAndPad) {
  EXPECT_EQ(fit("abcdef", 6), "abcdef");
  EXPECT_EQ(fit("abcdef", 5), "abcd…");
  EXPECT_EQ(fit("äöüß", 3), "äö…");
  EXPECT_EQ(fit("abcdef", 1), "…");
  EXPECT_EQ(fit("abcdef", 0), "");
  EXPECT_EQ(fit("abcdef", 2, "..."), "");
  EXPECT_EQ(pad("ä", 3), "ä  ");
  EXPECT_EQ(pad("abcd", 3), "ab…");
}

TEST(Text, ATableGivesWayWhereItMay) {
  const std::vector<Column> heads = {{"A"}, {"LONG", true}, {"C", true}};
  EXPECT_EQ(table(heads, {{"1", "abcdefghij", "x"}, {"22", "b", "y"}}, 14),
            "A   LONG     C\n1   abcdef…  x\n22  b        y\n");
  EXPECT_EQ(table(heads, {{"1", "abcd", "x"}}, 80), "A  LONG  C\n1  abcd  x\n");
  // What may not give way makes the line longer rather than wrong.
  EXPECT_EQ(table(heads, {{"0123456789", "abcdef", "x"}}, 10), "A           LONG  C\n0123456789  abc…  x\n");
}

TEST(Text, AbbreviationsTellApart) {
  using Ids = std::vector<std::string>;
  EXPECT_EQ(abbreviate({"abcdef", "abcxyz", "zzz"}, 2), (Ids{"abcd", "abcx", "zz"}));
  EXPECT_EQ(abbreviate({"same", "same"}, 2), (Ids{"sa", "sa"}));
  EXPECT_EQ(abbreviate({"ab", "abc"}, 1), (Ids{"ab", "abc"}));
  EXPECT_EQ(abbreviate({}, 8), Ids{});
}

TEST(Text, TimesAndDurations) {
  EXPECT_EQ(short_time(from_micros(1'795'000'000'123'456)), "2026-11-18 11:06:40");
  EXPECT_EQ(short_duration(0s), "0:00");
  EXPECT_EQ(short_duration(1ms), "0:01");
  EXPECT_EQ(short_duration(754s), "12:34");
  EXPECT_EQ(short_duration(3'723s), "1:02:03");
  EXPECT_EQ(short_duration(-5s), "0:00");
  EXPECT_EQ(begun_seconds(61'000'001us), 62);
}

}  // namespace
}  // namespace baton::app
