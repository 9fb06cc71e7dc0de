#include "base/slab.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace baton {
namespace {

TEST(Slab, FindsWhatWasPut) {
  Slab<std::string> slab;
  const auto a = slab.emplace("a");
  const auto b = slab.emplace("b");
  EXPECT_EQ(*slab.find(a), "a");
  EXPECT_EQ(slab.at(b), "b");
  EXPECT_EQ(slab.size(), 2u);
}

TEST(Slab, AnEmptyHandleFindsNothing) {
  Slab<int> slab;
  EXPECT_FALSE(Handle<int>{});
  EXPECT_EQ(slab.find({}), nullptr);
  (void)slab.emplace(1);
  EXPECT_EQ(slab.find({}), nullptr);
  EXPECT_EQ(slab.find({7, 1}), nullptr);
}

TEST(Slab, AStaleHandleFindsNothingInAReusedSlot) {
  Slab<int> slab;
  const auto first = slab.emplace(1);
  slab.erase(first);
  EXPECT_EQ(slab.find(first), nullptr);
  const auto second = slab.emplace(2);
  EXPECT_EQ(second.index, first.index);
  EXPECT_EQ(slab.find(first), nullptr);
  EXPECT_EQ(*slab.find(second), 2);
  slab.erase(first);
  EXPECT_EQ(*slab.find(second), 2);
  EXPECT_EQ(slab.size(), 1u);
}

TEST(Slab, TheGenerationOfAFreeSlotFindsNothing) {
  Slab<int> slab;
  const auto handle = slab.emplace(1);
  slab.erase(handle);
  EXPECT_EQ(slab.find({handle.index, handle.generation + 1}), nullptr);
}

TEST(Slab, PointersOutliveGrowth) {
  Slab<int> slab;
  int* first = slab.find(slab.emplace(1));
  for (int i = 0; i < 1000; ++i) (void)slab.emplace(i);
  EXPECT_EQ(*first, 1);
}

TEST(Slab, EraseFreesAtOnce) {
  auto watched = std::make_shared<int>(1);
  Slab<std::shared_ptr<int>> slab;
  const auto handle = slab.emplace(watched);
  EXPECT_EQ(watched.use_count(), 2);
  slab.erase(handle);
  slab.erase(handle);
  EXPECT_EQ(watched.use_count(), 1);
  EXPECT_EQ(slab.size(), 0u);
}

TEST(Slab, WhatItKeepsIsUsedAgainAsNew) {
  Slab<std::string> slab(1);
  const auto a = slab.emplace("a"), b = slab.emplace("b");
  const std::string* const where = slab.find(a);
  slab.erase(a);
  slab.erase(b);  // one more than it may keep
  EXPECT_EQ(slab.find(a), nullptr);
  int visited = 0;
  slab.for_each([&](Handle<std::string>, std::string&) { ++visited; });
  EXPECT_EQ(visited, 0);
  const auto c = slab.emplace();
  EXPECT_EQ(slab.find(c), where);
  EXPECT_EQ(slab.at(c), "");
  EXPECT_EQ(slab.at(slab.emplace("d")), "d");
  slab.erase(c);
  EXPECT_EQ(slab.at(slab.emplace("e")), "e");
}

TEST(Slab, VisitsInSlotOrderAndMayErase) {
  Slab<int> slab;
  const auto a = slab.emplace(0);
  (void)slab.emplace(1);
  (void)slab.emplace(2);
  slab.erase(a);
  (void)slab.emplace(3);
  std::vector<int> seen;
  slab.for_each([&](Handle<int> handle, int value) {
    seen.push_back(value);
    slab.erase(handle);
  });
  EXPECT_EQ(seen, (std::vector<int>{3, 1, 2}));
  EXPECT_EQ(slab.size(), 0u);
}

TEST(Slab, HandlesSurvivePacking) {
  const Handle<int> handle{0xfffffffe, 0x80000001};
  EXPECT_EQ(Handle<int>::unpack(handle.pack()), handle);
}

TEST(SlabDeath, AtOfAStaleHandleIsOurMistake) {
  Slab<int> slab;
  EXPECT_DEATH((void)slab.at({}), "broken invariant");
}

}  // namespace
}  // namespace baton
