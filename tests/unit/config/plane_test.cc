// Which media plane carries the audio, and what each refuses.
#include <gtest/gtest.h>

#include <algorithm>

#include "config/config.h"

namespace baton::config {
namespace {

const std::string listener =
    "[server]\ndomain_suffix='sip.example.com'\n"
    "[[server.listen]]\ntransport='udp'\nbind='192.0.2.1:5060'\n";
const std::string trunk =
    "[[account]]\nid='acme'\n"
    "[[trunk]]\nid='in'\naccount='acme'\ndirection='inbound'\nprimary='sip:10.0.0.5'\n";
const std::string rtpengine = listener + "[media]\nplane='rtpengine'\nrtpengine='127.0.0.1:2223'\n";

Config good(const std::string& toml) {
  auto config = parse(toml, "baton.toml");
  if (config) return std::move(*config);
  for (const Problem& problem : config.error()) ADD_FAILURE() << problem.to_string();
  return {};
}

TEST(Plane, TheRelayUnlessSaidOtherwise) {
  EXPECT_EQ(good(listener).server.media.plane, Plane::relay);
  EXPECT_EQ(good(listener + "[media]\nplane='relay'\nport_min=20000\n").server.media.plane, Plane::relay);
}

TEST(Plane, HowLongPortsRest) {
  EXPECT_EQ(good(listener).server.media.port_rest, 10s);
  EXPECT_EQ(good(listener + "[media]\nport_rest='2s'\n").server.media.port_rest, 2s);
  const auto none = parse(listener + "[media]\nport_rest='0s'\n", "baton.toml");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().front().to_string().find("media.port_rest"), std::string::npos);
}

TEST(Plane, ThreadsForTheAudio) {
  EXPECT_EQ(good(listener).server.media.threads, 0U);
  EXPECT_EQ(good(listener + "[media]\nthreads=4\n").server.media.threads, 4U);
  EXPECT_EQ(good(listener + "[media]\nthreads=64\n").server.media.threads, 64U);
  for (const char* wrong : {"-1", "65", "'2'"}) {
    const auto refused = parse(listener + "[media]\nthreads=" + wrong + "\n", "baton.toml");
    ASSERT_FALSE(refused) << wrong;
    EXPECT_NE(refused.error().front().to_string().find("media.threads"), std::string::npos) << wrong;
  }
}

TEST(Plane, RtpengineCarriesTheAudio) {
  const Config config = good(rtpengine +
                             "rtpengine_outside='pub'\nrtpengine_inside='lo'\nsilence_timeout='9s'\n"
                             "rtpengine_dtmf_log='127.0.0.1:2224'\n" +
                             trunk + "hold_music='wait.wav'\n[trunk.sip]\ndtmf='info'\nsrtp='required'\n");
  const Media& media = config.server.media;
  EXPECT_EQ(media.plane, Plane::rtpengine);
  EXPECT_EQ(media.rtpengine.address.to_string(), "127.0.0.1:2223");
  EXPECT_EQ(media.rtpengine.outside, "pub");
  EXPECT_EQ(media.rtpengine.inside, "lo");
  EXPECT_EQ(media.silence_timeout, 9s);
  ASSERT_TRUE(media.rtpengine.key_log);
  EXPECT_EQ(media.rtpengine.key_log->to_string(), "127.0.0.1:2224");
  EXPECT_FALSE(good(rtpengine).server.media.rtpengine.key_log);
}

// Where peers reach a listener says nothing of media that is elsewhere.
TEST(Plane, RtpengineHasAddressesOfItsOwn) {
  const Config config = good(
      "[server]\ndomain_suffix='a.example'\n[[server.listen]]\ntransport='udp'\nbind='0.0.0.0:15060'\n"
      "advertise='192.0.2.1'\n[media]\nplane='rtpengine'\nrtpengine='[::1]:2223'\n");
  EXPECT_EQ(config.server.media.rtpengine.address.to_string(), "[::1]:2223");
}

// A reload does not change the plane: what it brings is for the one that runs.
TEST(Plane, AModelIsJudgedByThePlaneThatRuns) {
  const std::string info = listener + trunk + "[trunk.sip]\ndtmf='info'\n";
  const Media relay;
  Media running;
  running.plane = Plane::rtpengine;
  EXPECT_TRUE(parse(info, "baton.toml"));
  EXPECT_TRUE(parse(info, "baton.toml", &relay));
  const auto refused = parse(info, "baton.toml", &running);
  ASSERT_FALSE(refused);
  ASSERT_EQ(refused.error().size(), 1U);
  const Problem& problem = refused.error()[0];
  EXPECT_EQ(problem.key, "trunk[0].sip.dtmf");
  EXPECT_EQ(
      problem.what,
      "rtpengine carries the audio until Baton is restarted; rtpengine does not say which keys it hears");
  EXPECT_EQ(problem.remedy, "restart Baton, or write dtmf = \"rfc4733\" or \"auto\"");
  EXPECT_TRUE(parse(listener + trunk + "[recording]\ndirectory='calls'\n", "baton.toml", &running))
      << "that needs a restart itself";
  // The other way round what rtpengine can not do is refused before it runs.
  EXPECT_FALSE(parse(rtpengine + trunk + "[trunk.sip]\ndtmf='info'\n", "baton.toml", &relay));
  const std::string hearing =
      rtpengine + "rtpengine_dtmf_log='127.0.0.1:2224'\n" + trunk + "[trunk.sip]\ndtmf='info'\n";
  EXPECT_TRUE(parse(hearing, "baton.toml", &relay));
  EXPECT_FALSE(parse(hearing, "baton.toml", &running)) << "that needs a restart";
  running.rtpengine.key_log = SocketAddress{IpAddress::v4(127, 0, 0, 1), 2224};
  EXPECT_TRUE(parse(info, "baton.toml", &running));
  const auto tones = parse(listener + trunk + "[trunk.sip]\ndtmf='inband'\n", "baton.toml", &running);
  ASSERT_FALSE(tones);
  EXPECT_EQ(tones.error()[0].what,
            "rtpengine carries the audio until Baton is restarted; rtpengine plays no keys as tones");
}

struct Refused {
  const char* name;
  std::string toml;
  std::string key, what, remedy;
};

class RefusedPlane : public testing::TestWithParam<Refused> {};

TEST_P(RefusedPlane, NamesKeyAndRemedy) {
  const auto config = parse(GetParam().toml, "baton.toml");
  ASSERT_FALSE(config);
  const auto& problems = config.error();
  EXPECT_EQ(problems.size(), 1U) << problems[1].to_string();
  EXPECT_EQ(problems[0].key, GetParam().key);
  EXPECT_NE(problems[0].what.find(GetParam().what), std::string::npos) << problems[0].what;
  EXPECT_NE(problems[0].remedy.find(GetParam().remedy), std::string::npos) << problems[0].remedy;
}

const Refused refused[] = {
    {"unknown", listener + "[media]\nplane='freeswitch'\n", "media.plane", "freeswitch", "relay"},
    {"nowhere", listener + "[media]\nplane='rtpengine'\n", "media.rtpengine", "", "listen-ng"},
    {"no_port", listener + "[media]\nplane='rtpengine'\nrtpengine='127.0.0.1'\n", "media.rtpengine",
     "not an address and port", "192.0.2.10:5060"},
    {"unused", listener + "[media]\nrtpengine='127.0.0.1:2223'\n", "media.rtpengine", "Baton's own relay",
     "plane = \"rtpengine\""},
    {"half_inside", rtpengine + "rtpengine_inside='lo'\n", "media.rtpengine_inside", "the other is not",
     "both"},
    {"half_outside", rtpengine + "rtpengine_outside='lo'\n", "media.rtpengine_outside", "the other is not",
     "both"},
    {"threads", rtpengine + "threads=2\n", "media.threads", "threads of its own", "num-threads"},
    {"ports", rtpengine + "port_min=20000\n", "media.port_min", "rtpengine's own", "port-min"},
    {"address", rtpengine + "advertise='192.0.2.7'\n", "media.advertise", "rtpengine's own", "interface"},
    {"records", rtpengine + "[recording]\ndirectory='calls'\n", "recording.directory",
     "only Baton's own relay records", "plane = \"relay\""},
    {"dtmf", rtpengine + trunk + "[trunk.sip]\ndtmf='info'\n", "trunk[0].sip.dtmf", "which keys it hears",
     "rtpengine_dtmf_log"},
    {"dtmf_as_tones",
     rtpengine + "rtpengine_dtmf_log='127.0.0.1:2224'\n" + trunk + "[trunk.sip]\ndtmf='inband'\n",
     "trunk[0].sip.dtmf", "as tones", "rfc4733"},
    {"log_nowhere", rtpengine + "rtpengine_dtmf_log='here'\n", "media.rtpengine_dtmf_log",
     "not an address and port", "192.0.2.10:5060"},
    {"log_unused", listener + "[media]\nrtpengine_dtmf_log='127.0.0.1:2224'\n", "media.rtpengine_dtmf_log",
     "Baton's own relay", "plane = \"rtpengine\""},
    {"dtmf_of_a_profile",
     rtpengine + "[[profile]]\nid='old'\n[profile.sip]\ndtmf='inband'\n" +
         "[[carrier]]\nid='c'\ngateways=['sip:10.0.0.9']\nprofile='old'\n",
     "carrier[0].profile", "as tones", "rfc4733"},
};

INSTANTIATE_TEST_SUITE_P(Config, RefusedPlane, testing::ValuesIn(refused),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace baton::config
