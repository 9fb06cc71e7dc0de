#include "base/keyed_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace baton {
namespace {

constexpr std::uint64_t low = 0x0706050403020100ULL;
constexpr std::uint64_t high = 0x0f0e0d0c0b0a0908ULL;

std::string counting(std::size_t length) {
  std::string text;
  for (std::size_t i = 0; i < length; ++i) text += static_cast<char>(i);
  return text;
}

// Test vectors of the authors of SipHash.
TEST(KeyedHash, PublishedVectors) {
  const KeyedHash hash(low, high);
  EXPECT_EQ(hash.hash(counting(0)), 0x726fdb47dd0e0e31ULL);
  EXPECT_EQ(hash.hash(counting(1)), 0x74f839c593dc67fdULL);
  EXPECT_EQ(hash.hash(counting(15)), 0xa129ca6149be45e5ULL);
}

TEST(KeyedHash, TheKeyMatters) {
  EXPECT_NE(KeyedHash(low, high).hash("call"), KeyedHash(low, high + 1).hash("call"));
  EXPECT_NE(KeyedHash(low, high).hash("call"), KeyedHash(low + 1, high).hash("call"));
}

TEST(KeyedHash, LengthMatters) {
  const KeyedHash hash(low, high);
  EXPECT_NE(hash.hash(std::string(7, '\0')), hash.hash(std::string(8, '\0')));
}

TEST(KeyedHash, BytesAboveAsciiAreBytes) {
  const KeyedHash hash(low, high);
  EXPECT_NE(hash.hash("\x7f"), hash.hash("\xff"));
}

}  // namespace
}  // namespace baton
