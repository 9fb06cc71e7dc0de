// Small text helpers of this folder.
#pragma once

#include <string>
#include <string_view>

namespace baton::txn {

inline void append_lower(std::string& to, std::string_view text) {
  for (const char c : text) to += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

}  // namespace baton::txn
