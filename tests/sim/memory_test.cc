// What a call holds in the engine while it lives, and what calls leave behind there when they are long over:
// nothing.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <new>

#include "cast.h"
#include "peer.h"

namespace {
// Of what is given back, while it is asked for.
bool counting = false;
std::size_t blocks = 0, bytes = 0;

void give_back(void* memory) noexcept {
  if (counting && memory != nullptr) {
    ++blocks;
    bytes += ::malloc_usable_size(memory);
  }
  std::free(memory);
}
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept {
  give_back(memory);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  give_back(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  give_back(memory);
}

namespace baton::sim {
namespace {

struct Held {
  std::size_t blocks = 0, bytes = 0;
};

// What its engine gives back when it ends.
Held held_by(Stage& stage) {
  EXPECT_TRUE(stage.world.violations().empty()) << stage.world.report();
  blocks = bytes = 0;
  counting = true;
  stage.world.end_engine();
  counting = false;
  return {blocks, bytes};
}

// What an engine holds that has seen so many transferred calls, one after the other, and is at rest.
Held after_calls(unsigned calls, Transport transport) {
  Play play = usual_play();
  play.options.trace = false;
  play.options.endpoint_transport = transport;
  play.options.target_transport = transport;
  play.transferee.acts = {{When::established, 5s, What::bye}};
  Stage stage(play.options);
  stage.east.expect(play.target_number, play.target);
  for (unsigned i = 0; i < calls; ++i) {
    stage.inbound(play.transferee, play.transferor);
    stage.world.run_for(100s);
    EXPECT_TRUE(stage.world.engine().census().empty());
  }
  EXPECT_EQ(stage.world.transfers().size(), calls);
  return held_by(stage);
}

// What an engine holds that has so many transferred calls, a minute and a half after the last one was.
Held with_calls(unsigned calls) {
  Play play = usual_play();
  play.options.trace = false;
  Stage stage(play.options);
  stage.east.expect(play.target_number, play.target);
  for (unsigned i = 0; i < calls; ++i) {
    stage.inbound(play.transferee, play.transferor);
    stage.world.run_for(100s);
  }
  EXPECT_EQ(stage.world.transfers().size(), calls);
  EXPECT_EQ(stage.world.engine().census().live_legs, 2 * calls);
  return held_by(stage);
}

class MemoryAfterCalls : public ::testing::TestWithParam<Transport> {};

TEST_P(MemoryAfterCalls, IsBackToWhereItWas) {
  const Held some = after_calls(20, GetParam());
  const Held many = after_calls(120, GetParam());
  EXPECT_GT(some.blocks, 0U);
  EXPECT_EQ(many.blocks, some.blocks);
  // Tables that what is over has left behind stale entries in are swept by and by.
  EXPECT_NEAR(static_cast<double>(many.bytes), static_cast<double>(some.bytes), 16.0 * 100);
}

// As few as has been reached: what is wanted while a call is set up is not to be held for hours.
TEST(Memory, HoldsLittleForALiveCall) {
  const Held some = with_calls(20), more = with_calls(40);
  EXPECT_LE((more.blocks - some.blocks) / 20, 34U);
  EXPECT_LE((more.bytes - some.bytes) / 20, 6'500U);
}

INSTANTIATE_TEST_SUITE_P(By, MemoryAfterCalls, ::testing::Values(Transport::udp, Transport::tcp),
                         [](const auto& by) { return std::string(to_string(by.param)); });

}  // namespace
}  // namespace baton::sim
