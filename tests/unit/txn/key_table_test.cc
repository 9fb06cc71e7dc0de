#include "txn/key_table.h"

#include <gtest/gtest.h>

#include <map>

#include "base/rng.h"

namespace baton::txn::testing {
namespace {

TxnId id_of(std::uint32_t number) {
  return {number, 1};
}

TxnId find(const KeyTable& table, std::uint64_t hash, TxnId id) {
  return table.find(hash, [id](TxnId candidate) { return candidate == id; });
}

TEST(KeyTable, FindsWhatIsInIt) {
  KeyTable table;
  EXPECT_FALSE(find(table, 7, id_of(1)));
  EXPECT_FALSE(table.erase(7, id_of(1)));
  table.insert(7, id_of(1));
  table.insert(7, id_of(2));  // another key with the same hash
  EXPECT_EQ(find(table, 7, id_of(1)), id_of(1));
  EXPECT_EQ(find(table, 7, id_of(2)), id_of(2));
  EXPECT_FALSE(find(table, 8, id_of(1)));
  EXPECT_TRUE(table.erase(7, id_of(1)));
  EXPECT_FALSE(find(table, 7, id_of(1)));
  EXPECT_EQ(find(table, 7, id_of(2)), id_of(2));
}

// Against a map, over growing and shrinking; few hashes, so that they stand in each other's places, round the
// end of the array too.
TEST(KeyTable, IsAMapWhateverGoesInAndOut) {
  Rng rng(1);
  KeyTable table;
  std::map<std::uint32_t, std::uint64_t> model;
  for (int round = 0; round < 6; ++round) {
    const bool grows = round % 2 == 0;
    for (int i = 0; i < 5'000; ++i) {
      const auto number = static_cast<std::uint32_t>(rng.next() % 2'000);
      const auto known = model.find(number);
      if (known == model.end() && (grows || rng.next() % 4 == 0)) {
        const std::uint64_t hash = rng.next() % 300 * 0xffff'ffffULL;
        model[number] = hash;
        table.insert(hash, id_of(number));
      } else if (known != model.end() && (!grows || rng.next() % 4 == 0)) {
        ASSERT_TRUE(table.erase(known->second, id_of(number)));
        model.erase(known);
      }
    }
    for (const auto& [number, hash] : model) ASSERT_EQ(find(table, hash, id_of(number)), id_of(number));
    for (std::uint32_t number = 0; number < 2'000; ++number) {
      ASSERT_TRUE(model.count(number) != 0 || !find(table, 0, id_of(number)));
    }
  }
}

}  // namespace
}  // namespace baton::txn::testing
