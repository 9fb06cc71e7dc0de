#include "shard/loop.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "unit/net/world.h"
#include "unit/shard/fakes.h"

namespace baton::shard {
namespace {

call::Cdr cdr(const std::string& call_uuid) {
  call::Cdr record;
  record.call_uuid = call_uuid;
  return record;
}

class LoopTest : public testing::Test {
 protected:
  void SetUp() override { start({}); }

  void start(LoopLimits limits) {
    loop_.reset();
    auto poller = net::Poller::open();
    ASSERT_TRUE(poller);
    auto net = net::Net::open(**poller, {});
    ASSERT_TRUE(net);
    const auto bound = (*net)->listen({Transport::udp, {net::loopback, 0}, {net::loopback, 0}});
    ASSERT_TRUE(bound);
    listener_ = *bound;
    auto machine = std::make_unique<FakeMachine>();
    auto media = std::make_unique<FakeMedia>();
    machine_ = machine.get();
    media_ = media.get();
    Outlets outlets;
    outlets.record = [this](store::Record record) { on_record(std::move(record)); };
    outlets.log = [this](const engine::Log& log) { logs_.push_back(log); };
    loop_ = std::make_unique<Loop>(
        std::move(*poller), std::move(*net), std::move(machine), std::move(media), std::move(outlets),
        [this] { return now_ += tick_; }, limits);
    ASSERT_TRUE(loop_->begin());
  }
  void on_record(store::Record record) {
    if (record_throws_) throw std::runtime_error("no record");
    records_.push_back(std::move(record));
  }
  void rounds(int count) {
    for (int i = 0; i < count; ++i) loop_->round(1ms);
  }
  [[nodiscard]] bool logged(const std::string& event) const {
    for (const auto& log : logs_) {
      if (log.event == event) return true;
    }
    return false;
  }

  Time now_ = from_micros(1'000'000'000);
  Duration tick_ = Duration::zero();
  net::Listener listener_;
  FakeMachine* machine_ = nullptr;
  FakeMedia* media_ = nullptr;
  std::vector<engine::Log> logs_;
  std::vector<store::Record> records_;
  bool record_throws_ = false;
  std::unique_ptr<Loop> loop_;
};

TEST_F(LoopTest, ADatagramGoesThroughTheMachineAndBackInOneRound) {
  machine_->on_step = [](Time, const engine::Input& input, engine::Actions& actions) {
    const auto& in = std::get<engine::MessageIn>(input);
    actions.push_back(engine::Send{{in.source.transport, in.source.remote, in.source.local, in.source.flow},
                                   "re: " + in.bytes});
  };
  const net::Peer peer(SOCK_DGRAM);
  peer.send_to(listener_.bind, "hello");
  loop_->round(1s);
  EXPECT_EQ(peer.receive(), "re: hello");
  EXPECT_EQ(loop_->probe().inputs, 1U);
  EXPECT_EQ(loop_->probe().sends, 1U);
}

TEST_F(LoopTest, MediaAnswersAreInputsOfTheirOwnAndComeFirst) {
  machine_->on_step = [](Time, const engine::Input& input, engine::Actions& actions) {
    if (std::holds_alternative<engine::Drain>(input)) {
      actions.push_back(engine::MediaDo{media::Open{7, false}});
      actions.push_back(engine::MediaDo{media::Open{8, false}});
    }
  };
  loop_->put(engine::Drain{});
  loop_->put(engine::HangUpAll{});
  loop_->round(1ms);
  ASSERT_EQ(machine_->inputs.size(), 4U);
  const auto opened = [this](std::size_t i) {
    return std::get<media::Opened>(std::get<engine::MediaDone>(machine_->inputs[i]).result).id;
  };
  EXPECT_EQ(opened(1), 7U);
  EXPECT_EQ(opened(2), 8U);
  EXPECT_TRUE(std::holds_alternative<engine::HangUpAll>(machine_->inputs[3]));
}

TEST_F(LoopTest, TheMediaPlaneIsFlushedOnceARoundWhenAllHasBeenAsked) {
  machine_->on_step = [](Time, const engine::Input& input, engine::Actions& actions) {
    if (std::holds_alternative<engine::Drain>(input))
      actions.push_back(engine::MediaDo{media::Open{.id = 7}});
  };
  loop_->put(engine::Drain{});
  loop_->put(engine::Drain{});
  loop_->round(1ms);
  loop_->round(1ms);
  EXPECT_EQ(media_->flushed_after, (std::vector<std::size_t>{2, 2}));
}

TEST_F(LoopTest, WhatTheMediaPlaneTellsLastIsHeard) {
  media_->at_last.emplace_back(media::Closed{7});
  loop_->round(1ms);
  EXPECT_EQ(machine_->heard<engine::MediaDone>(), 0U);
  loop_->end();
  EXPECT_EQ(machine_->heard<engine::MediaDone>(), 1U);
}

TEST_F(LoopTest, ActionsArePerformedInOrder) {
  const net::Peer peer(SOCK_DGRAM);
  machine_->on_step = [&](Time, const engine::Input& input, engine::Actions& actions) {
    if (!std::holds_alternative<engine::Drain>(input)) return;
    for (int i = 0; i < 10; ++i) {
      actions.push_back(
          engine::Send{{Transport::udp, peer.address(), listener_.advertised, 0}, std::to_string(i)});
      actions.push_back(engine::Write{cdr(std::to_string(i))});
      actions.push_back(engine::Log{engine::Severity::info, "n" + std::to_string(i), {}});
    }
  };
  loop_->put(engine::Drain{});
  loop_->round(1ms);
  ASSERT_EQ(records_.size(), 10U);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(peer.receive(), std::to_string(i));
    EXPECT_EQ(std::get<call::Cdr>(records_[i]).call_uuid, std::to_string(i));
    EXPECT_EQ(logs_[i].event, "n" + std::to_string(i));
  }
}

TEST_F(LoopTest, AnAddressThatIsAskedForComesBackAsAnInput) {
  machine_->on_step = [](Time, const engine::Input& input, engine::Actions& actions) {
    if (std::holds_alternative<engine::Drain>(input)) actions.push_back(engine::Resolve{5, {"192.0.2.1"}});
  };
  loop_->put(engine::Drain{});
  loop_->round(1ms);
  ASSERT_EQ(machine_->heard<engine::Resolved>(), 1U);
  EXPECT_EQ(std::get<engine::Resolved>(machine_->inputs.back()).query, 5U);
}

TEST_F(LoopTest, TimersOfTheMachineAreMetAndNotBefore) {
  machine_->deadline = now_ + 10ms;
  machine_->on_step = [this](Time, const engine::Input&, engine::Actions&) { machine_->deadline.reset(); };
  now_ += 9'999us;
  rounds(2);
  EXPECT_EQ(machine_->heard<engine::Tick>(), 0U);
  now_ += 1us;
  rounds(2);
  EXPECT_EQ(machine_->heard<engine::Tick>(), 1U);
}

TEST_F(LoopTest, MessagesAreHeardBeforeTimersThatFellDueMeanwhile) {
  machine_->deadline = now_;
  machine_->on_step = [this](Time, const engine::Input&, engine::Actions&) { machine_->deadline.reset(); };
  const net::Peer peer(SOCK_DGRAM);
  peer.send_to(listener_.bind, "answer");
  loop_->round(1s);
  EXPECT_EQ(machine_->heard<engine::MessageIn>(), 1U);
  EXPECT_EQ(machine_->heard<engine::Tick>(), 0U);
}

TEST_F(LoopTest, TimersOfTheMediaPlaneAreMet) {
  media_->deadline = now_ + 20ms;
  media_->waiting.push_back(media::Silent{9});
  rounds(1);
  EXPECT_EQ(machine_->inputs.size(), 0U);
  now_ += 20ms;
  rounds(1);
  EXPECT_EQ(machine_->heard<engine::MediaDone>(), 1U);
}

TEST_F(LoopTest, AnInputThatThrowsIsCountedAndTheNextOneHeard) {
  const net::Peer peer(SOCK_DGRAM);
  machine_->on_step = [&](Time, const engine::Input& input, engine::Actions& actions) {
    if (!std::holds_alternative<engine::Drain>(input)) return;
    actions.push_back(engine::Send{{Transport::udp, peer.address(), listener_.advertised, 0}, "decided"});
    throw std::runtime_error("broken");
  };
  loop_->put(engine::Drain{});
  loop_->put(engine::HangUpAll{});
  loop_->round(1ms);
  EXPECT_EQ(machine_->inputs.size(), 2U);
  EXPECT_EQ(loop_->probe().steps_failed, 1U);
  ASSERT_TRUE(logged("shard.step_failed"));
  EXPECT_EQ(logs_[0].fields[0].second, "drain");
  EXPECT_EQ(logs_[0].fields[1].second, "broken");
  EXPECT_EQ(peer.receive(), "decided");
}

TEST_F(LoopTest, SomethingThrownThatIsNoExceptionIsHeldToo) {
  machine_->on_step = [](Time, const engine::Input&, engine::Actions&) { throw 42; };
  loop_->put(engine::Drain{});
  loop_->round(1ms);
  EXPECT_EQ(loop_->probe().steps_failed, 1U);
}

TEST_F(LoopTest, AnOutletThatThrowsLosesOnlyThatRecord) {
  machine_->on_step = [](Time, const engine::Input&, engine::Actions& actions) {
    actions.push_back(engine::Write{call::Cdr{}});
    actions.push_back(engine::Log{engine::Severity::info, "after", {}});
  };
  record_throws_ = true;
  loop_->put(engine::Drain{});
  loop_->round(1ms);
  EXPECT_EQ(loop_->probe().outlets_failed, 1U);
  EXPECT_TRUE(logged("after"));
  EXPECT_TRUE(logged("shard.action_failed"));
}

TEST_F(LoopTest, ATimerThatNeverMovesOnStarvesNobody) {
  machine_->deadline = now_;  // for ever
  const net::Peer peer(SOCK_DGRAM);
  rounds(1);
  EXPECT_EQ(loop_->probe().ticks_stuck, 1U);
  peer.send_to(listener_.bind, "hello");
  rounds(3);
  EXPECT_EQ(machine_->heard<engine::MessageIn>(), 1U);
  const std::uint64_t ticks = loop_->probe().ticks;
  EXPECT_EQ(ticks, LoopLimits{}.ticks_per_round);
  now_ += 10ms;
  rounds(1);
  EXPECT_EQ(loop_->probe().ticks, 2 * ticks);
}

TEST_F(LoopTest, AMachineThatAnswersItselfForEverLeavesTheSocketsTheirTurn) {
  start({.inputs_per_round = 50});
  machine_->on_step = [](Time, const engine::Input& input, engine::Actions& actions) {
    if (std::holds_alternative<engine::MessageIn>(input)) return;
    actions.push_back(engine::MediaDo{media::Open{1, false}});
  };
  loop_->put(engine::Drain{});
  rounds(3);
  EXPECT_EQ(loop_->probe().inputs, 150U);
  EXPECT_EQ(loop_->probe().inputs_put_off, 3U);
  const net::Peer peer(SOCK_DGRAM);
  peer.send_to(listener_.bind, "hello");
  rounds(2);
  EXPECT_EQ(loop_->net().probe().datagrams_in, 1U);
}

TEST_F(LoopTest, ASlowInputIsCountedAndNamed) {
  tick_ = 30ms;  // each look at the clock
  loop_->put(engine::Drain{});
  loop_->round(1ms);
  EXPECT_EQ(loop_->probe().steps_slow, 0U);
  tick_ = 60ms;
  loop_->put(engine::Drain{});
  loop_->put(engine::Drain{});
  loop_->round(1ms);
  EXPECT_EQ(loop_->probe().steps_slow, 2U);
  EXPECT_EQ(loop_->probe().step_us_max, 60'000U);
  EXPECT_EQ(logs_.size(), 1U);  // once a second
  EXPECT_EQ(logs_[0].event, "shard.slow_step");
}

TEST_F(LoopTest, AFailureFoundWhileSendingIsHeardWithoutWaiting) {
  machine_->on_step = [this](Time, const engine::Input& input, engine::Actions& actions) {
    if (!std::holds_alternative<engine::Drain>(input)) return;
    actions.push_back(
        engine::Send{{Transport::udp, {IpAddress::v4(192, 0, 2, 1), 5060}, listener_.advertised, 0}, "x"});
  };
  loop_->put(engine::Drain{});
  loop_->round(1ms);
  loop_->round(10s);
  EXPECT_EQ(machine_->heard<engine::TransportFailed>(), 1U);
}

}  // namespace
}  // namespace baton::shard
