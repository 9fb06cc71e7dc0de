// A machine and a media plane that do what a test tells them to.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "shard/loop.h"
#include "shard/parts.h"

namespace baton::shard {

class FakeMachine final : public Machine {
 public:
  std::function<void(Time, const engine::Input&, engine::Actions&)> on_step;
  std::vector<engine::Input> inputs;
  std::vector<Time> times;
  std::optional<Time> deadline;
  engine::Census count;
  bool stepping = false;

  void step(Time now, engine::Input input, engine::Actions& actions) override {
    EXPECT_FALSE(std::exchange(stepping, true)) << "entered twice";
    EXPECT_TRUE(actions.empty());
    EXPECT_TRUE(times.empty() || now >= times.back());
    times.push_back(now);
    inputs.push_back(input);
    struct Leave {
      bool& flag;
      ~Leave() { flag = false; }
    } leave{stepping};
    if (on_step) on_step(now, input, actions);
  }
  std::optional<Time> next_deadline() const override { return deadline; }
  engine::Census census() const override { return count; }
  engine::Counters counters() const override { return {}; }

  template <typename T>
  [[nodiscard]] std::size_t heard() const {
    std::size_t n = 0;
    for (const auto& input : inputs) n += std::holds_alternative<T>(input) ? 1U : 0U;
    return n;
  }
};

// Opens whatever is asked for, at once.
class FakeMedia final : public MediaPlane {
 public:
  std::vector<media::Operation> operations;
  std::vector<media::Result> waiting;  // come out of the next advance()
  std::optional<Time> deadline;

  void perform(Time /*now*/, const media::Operation& operation,
               std::vector<media::Result>& results) override {
    operations.push_back(operation);
    if (const auto* open = std::get_if<media::Open>(&operation))
      results.push_back(media::Opened{open->id, {}});
  }
  int poll_fd() const override { return -1; }
  void poll(Time /*now*/, std::vector<media::Result>& /*results*/) override {}
  std::optional<Time> next_deadline() const override { return deadline; }
  void advance(Time /*now*/, std::vector<media::Result>& results) override {
    deadline.reset();
    for (auto& result : waiting) results.push_back(std::move(result));
    waiting.clear();
  }
  void flush() override { flushed_after.push_back(operations.size()); }
  void finish(std::vector<media::Result>& results) override {
    for (auto& result : at_last) results.push_back(std::move(result));
    at_last.clear();
  }
  std::vector<std::size_t> flushed_after;  // so many operations
  std::vector<media::Result> at_last;
};

}  // namespace baton::shard
