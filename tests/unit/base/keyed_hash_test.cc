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

TEST(KeyedHash, PublishedVectorsOfTheWideOne) {
  const KeyedHash hash(low, high);
  EXPECT_EQ(hash.wide(counting(0)), (WideHash{0xe6a825ba047f81a3ULL, 0x930255c71472f66dULL}));
  EXPECT_EQ(hash.wide(counting(1)), (WideHash{0x44af996bd8c187daULL, 0x45fc229b11597634ULL}));
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
