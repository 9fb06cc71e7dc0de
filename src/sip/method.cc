#include "sip/method.h"

#include <array>
#include <cstddef>

namespace baton::sip {
namespace {

constexpr std::array<std::string_view, 14> names = {"INVITE",   "ACK",   "BYE",     "CANCEL",    "OPTIONS",
                                                    "REGISTER", "REFER", "NOTIFY",  "SUBSCRIBE", "INFO",
                                                    "UPDATE",   "PRACK", "MESSAGE", "PUBLISH"};
static_assert(names.size() == static_cast<std::size_t>(Method::other));

}  // namespace

std::string_view to_string(Method method) {
  const auto index = static_cast<std::size_t>(method);
  return index < names.size() ? names[index] : std::string_view{};
}

Method parse_method(std::string_view token) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == token) return static_cast<Method>(i);
  }
  return Method::other;
}

}  // namespace baton::sip
