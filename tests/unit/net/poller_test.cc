#include "net/poller.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <functional>
#include <utility>
#include <vector>

namespace baton::net {
namespace {

struct Recorder final : Poller::Handler {
  std::function<void(std::uint64_t)> then;
  std::vector<std::uint64_t> tags;
  void ready(Time /*now*/, std::uint64_t tag, std::uint32_t /*events*/) override {
    tags.push_back(tag);
    if (then) then(tag);
  }
};

TEST(PollerTest, AnEventOfARemovedRegistrationFindsNobody) {
  const auto poller = std::move(*Poller::open());
  Recorder recorder;
  const Fd a(eventfd(1, EFD_NONBLOCK)), b(eventfd(1, EFD_NONBLOCK));
  const Poller::Token first = poller->add(a.get(), EPOLLIN, recorder, 1);
  const Poller::Token second = poller->add(b.get(), EPOLLIN, recorder, 2);
  // Both are ready; whoever comes first removes both, and puts a new one in their place.
  bool replaced = false;
  recorder.then = [&](std::uint64_t) {
    if (std::exchange(replaced, true)) return;
    poller->remove(first);
    poller->remove(second);
    EXPECT_TRUE(poller->add(b.get(), EPOLLIN, recorder, 3));
  };
  ASSERT_TRUE(poller->wait(1s));
  poller->dispatch(Time{});
  EXPECT_EQ(recorder.tags.size(), 1U);
  ASSERT_TRUE(poller->wait(1s));
  poller->dispatch(Time{});
  EXPECT_EQ(recorder.tags.back(), 3U);
}

TEST(PollerTest, AClosedDescriptorIsRefused) {
  const auto poller = std::move(*Poller::open());
  Recorder recorder;
  EXPECT_FALSE(poller->add(-1, EPOLLIN, recorder));
}

TEST(PollerTest, WaitEndsInTime) {
  const auto poller = std::move(*Poller::open());
  EXPECT_FALSE(poller->wait(Duration::zero()));
  EXPECT_FALSE(poller->wait(-5s));
  EXPECT_FALSE(poller->wait(1'500us));
}

}  // namespace
}  // namespace baton::net
