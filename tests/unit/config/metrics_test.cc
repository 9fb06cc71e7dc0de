// Where figures can be fetched.
#include <gtest/gtest.h>

#include "config/config.h"

namespace baton::config {
namespace {

const std::string listener =
    "[server]\ndomain_suffix='sip.example.com'\n"
    "[[server.listen]]\ntransport='tcp'\nbind='192.0.2.1:5060'\n"
    "[[server.listen]]\ntransport='udp'\nbind='192.0.2.1:5070'\n";

std::optional<SocketAddress> good(const std::string& toml) {
  const auto config = parse(toml, "baton.toml");
  if (config) return config->server.metrics;
  for (const Problem& problem : config.error()) ADD_FAILURE() << problem.to_string();
  return std::nullopt;
}

// The one mistake.
std::string bad(const std::string& toml) {
  const auto config = parse(toml, "baton.toml");
  if (config) return "no problem";
  EXPECT_EQ(config.error().size(), 1U);
  return config.error().front().to_string();
}

TEST(Metrics, NowhereUnlessSaid) {
  EXPECT_FALSE(good(listener));
  EXPECT_EQ(good(listener + "[metrics]\nbind='127.0.0.1:9469'\n")->to_string(), "127.0.0.1:9469");
  EXPECT_EQ(good(listener + "[metrics]\nbind='[::1]:5060'\n")->to_string(), "[::1]:5060")
      << "the listener is IPv4";
  EXPECT_EQ(good(listener + "[metrics]\nbind='192.0.2.1:5070'\n")->port, 5070) << "the listener is UDP";
}

TEST(Metrics, MistakesAreNamed) {
  const std::string taken = bad(listener + "[metrics]\nbind='0.0.0.0:5060'\n");
  EXPECT_NE(taken.find("metrics.bind"), std::string::npos) << taken;
  EXPECT_NE(taken.find("taken by the SIP listener on 192.0.2.1:5060"), std::string::npos) << taken;
  EXPECT_NE(bad(listener + "[metrics]\n").find("metrics.bind: this key is missing"), std::string::npos);
  EXPECT_NE(bad(listener + "[metrics]\nbind='9469'\n").find("metrics.bind"), std::string::npos);
  EXPECT_NE(bad(listener + "[metrics]\nbind='127.0.0.1:9469'\nport=1\n").find("metrics.port"),
            std::string::npos);
}

}  // namespace
}  // namespace baton::config
