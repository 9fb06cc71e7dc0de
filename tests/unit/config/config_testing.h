// Parts of configuration files, and what comes of a whole one.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/config.h"

namespace baton::config::testing {

inline const std::string listener = R"(
[server]
domain_suffix = "sip.example.com"
[[server.listen]]
transport = "udp"
bind = "192.0.2.1:5060"
)";

inline const std::string tls_listener = listener + R"(
[[server.listen]]
transport='tls'
bind='192.0.2.1:5061'
certificate='c.pem'
key='/k/k.pem'
)";
inline const std::string account = R"(
[[account]]
id = "acme"
)";

inline const std::string inbound = R"(
[[trunk]]
id = "in"
account = "acme"
direction = "inbound"
primary = "sip:10.0.0.5"
)";

inline const std::string outbound = R"(
[[trunk]]
id = "out"
account = "acme"
direction = "outbound"
acl = ["10.0.0.0/8"]
)";

inline const std::string number = R"(
[[number]]
e164 = "+14155550100"
trunk = "in"
)";

inline Config good(const std::string& toml, const std::string& file = "baton.toml") {
  auto config = parse(toml, file);
  if (!config) {
    for (const Problem& problem : config.error()) ADD_FAILURE() << problem.to_string();
    return {};
  }
  return std::move(*config);
}

inline std::vector<Problem> problems(const std::string& toml) {
  auto config = parse(toml, "baton.toml");
  EXPECT_FALSE(config) << toml;
  return config ? std::vector<Problem>() : config.error();
}

// The one problem of a file, as it is printed.
inline std::string problem(const std::string& toml) {
  const auto all = problems(toml);
  std::string text;
  for (const Problem& one : all) text += (text.empty() ? "" : "\n") + one.to_string();
  for (const Problem& one : all) {
    EXPECT_FALSE(one.what.empty()) << text;
    EXPECT_FALSE(one.remedy.empty()) << text;
    EXPECT_GT(one.line, 0U) << text;
  }
  return text;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace baton::config::testing
