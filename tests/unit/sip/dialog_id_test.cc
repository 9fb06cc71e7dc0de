#include "sip/dialog_id.h"

#include <gtest/gtest.h>

#include "sip/uri.h"

namespace baton::sip {
namespace {

TEST(DialogId, ReplacesOfTheRfc) {
  const auto id = DialogId::parse_replaces("425928@bobster.example.org;to-tag=7743;from-tag=6472");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->call_id, "425928@bobster.example.org");
  EXPECT_EQ(id->to_tag, "7743");
  EXPECT_EQ(id->from_tag, "6472");
  EXPECT_FALSE(id->early_only);
}

TEST(DialogId, TagsInEitherOrderBlanksCaseAndUnknownParameters) {
  const auto id = DialogId::parse_replaces(" a@b ; From-Tag = 1 ;x=\"y\"; TO-TAG=2;Early-Only");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->call_id, "a@b");
  EXPECT_EQ(id->to_tag, "2");
  EXPECT_EQ(id->from_tag, "1");
  EXPECT_TRUE(id->early_only);
}

TEST(DialogId, OddCallIds) {
  for (const std::string call_id :
       {"a\"b<c>@[::1]", "(x)!%*_+`'~:/?{}\\", "abc", "98asjd8@10.0.0.1:5060", "a=b"}) {
    const auto id = DialogId::parse_replaces(call_id + ";to-tag=1;from-tag=2");
    ASSERT_TRUE(id) << call_id;
    EXPECT_EQ(id->call_id, call_id);
  }
}

TEST(DialogId, RefusesWhatNamesNoDialog) {
  for (const char* text :
       {"", ";to-tag=1;from-tag=2", "a", "a;to-tag=1", "a;from-tag=2", "a;to-tag=;from-tag=2",
        "a;to-tag=1;to-tag=1;from-tag=2", "a b;to-tag=1;from-tag=2", "a,b;to-tag=1;from-tag=2",
        "a;to-tag=1 2;from-tag=2", "a;to-tag;from-tag=2", "a;to-tag=\"1\";from-tag=2"}) {
    EXPECT_FALSE(DialogId::parse_replaces(text)) << text;
  }
}

TEST(DialogId, SurvivesTheEscapesOfAReferTo) {
  const auto uri = Uri::parse(
      "sip:1001@192.168.1.5:5060?replaces=90%40a%3cb%3e%3bfrom-tag%3dff%3bto-tag%3d7.7&Require=replaces");
  ASSERT_TRUE(uri);
  ASSERT_EQ(uri->headers.size(), 2U);
  const auto id = DialogId::parse_replaces(uri->headers[0].value);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->call_id, "90@a<b>");
  EXPECT_EQ(id->to_tag, "7.7");
  EXPECT_EQ(id->from_tag, "ff");
  const auto again = DialogId::parse_replaces(id->to_replaces());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->call_id, id->call_id);
}

TEST(DialogId, TargetDialog) {
  const auto id =
      DialogId::parse_target_dialog("fa77as7dad8-sd98ajzz@host.example.com;local-tag=kk;remote-tag=hh");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->from_tag, "kk");
  EXPECT_EQ(id->to_tag, "hh");
  EXPECT_FALSE(DialogId::parse_target_dialog("a;to-tag=1;from-tag=2"));
}

}  // namespace
}  // namespace baton::sip
