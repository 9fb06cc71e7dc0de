#include "base/fifo.h"

#include <gtest/gtest.h>

#include <memory>

namespace baton {
namespace {

TEST(Fifo, GivesWhatCameFirst) {
  Fifo<std::unique_ptr<int>> queue;
  EXPECT_TRUE(queue.empty());
  for (int i = 0; i < 3; ++i) queue.push(std::make_unique<int>(i));
  EXPECT_EQ(queue.size(), 3U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*queue.take(), i);
  EXPECT_TRUE(queue.empty());
}

// As when every event brings another one.
TEST(Fifo, KeepsTheOrderWhenItIsNeverEmpty) {
  Fifo<int> queue;
  int in = 0;
  int out = 0;
  while (in < 40) queue.push(in++);
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_EQ(queue.take(), out++);
    queue.push(in++);
    ASSERT_EQ(queue.size(), 40U);
  }
  while (!queue.empty()) EXPECT_EQ(queue.take(), out++);
  EXPECT_EQ(out, in);
}

}  // namespace
}  // namespace baton
