#include "shard/shard.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "unit/net/world.h"
#include "unit/shard/fakes.h"

namespace baton::shard {
namespace {

using namespace std::chrono_literals;

class ShardTest : public testing::Test {
 protected:
  void SetUp() override {
    auto poller = net::Poller::open();
    ASSERT_TRUE(poller);
    auto net = net::Net::open(**poller, {});
    ASSERT_TRUE(net);
    ASSERT_TRUE((*net)->listen({Transport::udp, {net::loopback, 0}, {net::loopback, 0}}));
    auto machine = std::make_unique<FakeMachine>();
    machine_ = machine.get();
    Clock clock = make_clock();
    auto loop = std::make_unique<Loop>(std::move(*poller), std::move(*net), std::move(machine),
                                       std::make_unique<FakeMedia>(), Outlets{}, clock);
    auto shard = Shard::assemble(std::move(loop), clock);
    ASSERT_TRUE(shard);
    shard_ = std::move(*shard);
  }
  template <typename Done>
  static bool wait_until(Done&& done) {
    const auto until = std::chrono::steady_clock::now() + 3s;
    while (!done()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }

  FakeMachine* machine_ = nullptr;  // the thread's own while it runs
  std::unique_ptr<Shard> shard_;
};

TEST_F(ShardTest, CommandsWakeASleepingShard) {
  machine_->on_step = [this](Time, const engine::Input& input, engine::Actions&) {
    if (std::holds_alternative<engine::Drain>(input)) machine_->count.calls = 3;
    if (std::holds_alternative<engine::HangUpAll>(input)) machine_->count.calls = 0;
  };
  shard_->start();
  std::this_thread::sleep_for(30ms);
  const std::uint64_t drain = shard_->post(engine::Drain{});
  ASSERT_TRUE(wait_until([&] { return shard_->status().commands_heard >= drain; }));
  EXPECT_EQ(shard_->status().census.calls, 3U);
  const auto before = std::chrono::steady_clock::now();
  const std::uint64_t hang_up = shard_->post(engine::HangUpAll{});
  EXPECT_EQ(hang_up, drain + 1);
  ASSERT_TRUE(wait_until([&] { return shard_->status().commands_heard >= hang_up; }));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 900ms);  // not only when it woke by itself
  EXPECT_EQ(shard_->status().census.calls, 0U);
}

TEST_F(ShardTest, CommandsOfManyThreadsAllArrive) {
  shard_->start();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int j = 0; j < 250; ++j) shard_->post(engine::CancelTransfer{std::to_string(j)});
    });
  }
  for (auto& thread : threads) thread.join();
  shard_->stop();
  EXPECT_EQ(machine_->heard<engine::CancelTransfer>(), 1'000U);
}

TEST_F(ShardTest, AnswersOverTheNetworkWhileItRuns) {
  machine_->on_step = [](Time, const engine::Input& input, engine::Actions& actions) {
    if (const auto* in = std::get_if<engine::MessageIn>(&input)) {
      actions.push_back(
          engine::Send{{in->source.transport, in->source.remote, in->source.local, 0}, in->bytes});
    }
  };
  shard_->start();
  const net::Peer peer(SOCK_DGRAM);
  for (int i = 0; i < 100; ++i) {
    peer.send_to(shard_->listeners().front().bind, "ping " + std::to_string(i));
    EXPECT_EQ(peer.receive(), "ping " + std::to_string(i));
  }
  ASSERT_TRUE(wait_until([&] { return shard_->status().net.datagrams_out == 100; }));
}

TEST_F(ShardTest, WhatTheMachineSaysToTheLastCommandStillGoesOut) {
  const net::Peer peer(SOCK_DGRAM);
  machine_->on_step = [&](Time, const engine::Input& input, engine::Actions& actions) {
    if (!std::holds_alternative<engine::HangUpAll>(input)) return;
    actions.push_back(
        engine::Send{{Transport::udp, peer.address(), shard_->listeners().front().advertised, 0}, "BYE"});
  };
  shard_->start();
  shard_->post(engine::HangUpAll{});
  shard_->stop();
  EXPECT_EQ(peer.receive(), "BYE");
}

TEST_F(ShardTest, StopsTwiceAndWithoutAStart) {
  shard_->stop();
  shard_->start();
  shard_->stop();
  shard_->stop();
}

TEST_F(ShardTest, AnIdleShardSaysThatItIsAlive) {
  shard_->start();
  const Time first = shard_->status().at;
  EXPECT_TRUE(wait_until([&] { return shard_->status().at > first; }));
}

TEST(ClockTest, IsTheWallClocksTimeAndNeverRunsBackwards) {
  const Clock clock = make_clock();
  const auto wall = std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch());
  Time last = clock();
  EXPECT_LT(std::chrono::abs(last.time_since_epoch() - wall), 1s);
  for (int i = 0; i < 10'000; ++i) {
    const Time now = clock();
    EXPECT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace baton::shard
