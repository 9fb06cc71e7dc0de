// The plane of media threads as it runs: threads, sockets and the clock are real, so everything is waited
// for.
#include <poll.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>

#include "media/threads/plane.h"
#include "unit/media/party.h"

namespace baton::media::test {
namespace {

// Longer than anything takes, on a machine that is busy with other things.
constexpr int patience_ms = 20'000;

Time clock_now() {
  return Time{std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

class MediaThreads : public RelayTest {
 protected:
  void begin(unsigned threads) {
    Relay::Options o = options();
    o.recorder = recorder;
    o.port_max = static_cast<std::uint16_t>(o.port_min + 2 * pairs - 1);
    o.port_rest = 1s;
    const auto log = [this](const engine::Log& event) { logged.push_back(event.event); };
    plane.emplace(threads::Plane::Options{threads, o, log}, [this] {
      if (!fails) return clock_now();
      ++failed;
      throw std::runtime_error("nothing works");
    });
  }
  // Comes round until it is so, as the shard does.
  template <typename F>
  [[nodiscard]] bool until(F&& is_so) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) return false;
      plane->flush();
      pollfd fd{plane->poll_fd(), POLLIN, 0};
      static_cast<void>(::poll(&fd, 1, 5));
      plane->poll(results);
    }
    return true;
  }
  void ask(const Operation& operation) { plane->perform(operation, results); }
  void open(Party& party, EndpointId beside = 0) {
    ask(Open{.id = party.id, .beside = beside});
    ASSERT_TRUE(until([&] {
      for (const Opened& one : results_of<Opened>()) {
        if (one.id == party.id) party.relay_rtp = one.local_rtp;
      }
      return party.relay_rtp.port != 0;
    }));
    ask(party.configure());
  }
  void call(Party& a, Party& b) {
    open(a);
    open(b, a.id);
    ask(Hear{a.id, Hear::Party{b.id}});
    ask(Hear{b.id, Hear::Party{a.id}});
  }
  // One of what is said arrives, and one after the other: the first ones may come before what was asked for
  // is done.
  void expect_heard(Party& speaker, Party& listener) {
    ASSERT_TRUE(until([&] {
      speaker.say();
      pollfd fd{listener.rtp.fd(), POLLIN, 0};
      return ::poll(&fd, 1, 20) > 0;
    }));
    for (const Heard& one : listener.hear_all()) {
      EXPECT_EQ(one.payload[0], static_cast<std::uint8_t>(speaker.id));
      EXPECT_TRUE(ssrcs[listener.id].empty() || ssrcs[listener.id].contains(one.header.ssrc));
      ssrcs[listener.id].insert(one.header.ssrc);
    }
  }
  void expect_talk(Party& a, Party& b) {
    expect_heard(a, b);
    expect_heard(b, a);
  }
  void close(std::initializer_list<EndpointId> ids_to_close) {
    const std::size_t before = results_of<Closed>().size();
    for (const EndpointId id : ids_to_close) ask(Close{id});
    ASSERT_TRUE(until([&] { return results_of<Closed>().size() == before + ids_to_close.size(); }));
  }

  std::shared_ptr<Recorder> recorder;
  unsigned pairs = 100;
  std::atomic<bool> fails = false;  // whatever a thread does
  std::atomic<unsigned> failed = 0;
  std::vector<std::string> logged;
  std::optional<threads::Plane> plane;
  std::map<EndpointId, std::set<std::uint32_t>> ssrcs;
};

TEST_F(MediaThreads, CarryCalls) {
  begin(3);
  std::vector<std::unique_ptr<Party>> parties;
  for (EndpointId id = 1; id <= 6; ++id) parties.push_back(std::make_unique<Party>(id));
  for (std::size_t i = 0; i < 6; i += 2) call(*parties[i], *parties[i + 1]);
  EXPECT_EQ(plane->router().loads(), (std::vector<std::size_t>{2, 2, 2}));
  for (std::size_t i = 0; i < 6; i += 2) expect_talk(*parties[i], *parties[i + 1]);
  close({1, 2, 3, 4, 5, 6});
  for (const Closed& closed : results_of<Closed>()) EXPECT_NE(closed.packets_received, 0U);
  EXPECT_EQ(plane->router().groups(), 0U);
}

TEST_F(MediaThreads, BringTwoCallsTogetherWhileTheyTalk) {
  begin(2);
  Party a(1), b(2), c(3), d(4);
  call(a, b);
  call(c, d);
  expect_talk(a, b);
  expect_talk(c, d);
  ask(Hear{1, Hear::Party{4}});
  ask(Hear{4, Hear::Party{1}});
  ask(Close{2});
  ask(Close{3});
  ASSERT_TRUE(until([&] { return results_of<Closed>().size() == 2; }));
  static_cast<void>(a.hear_all());
  static_cast<void>(d.hear_all());
  expect_talk(a, d);
  EXPECT_EQ(plane->router().moved(), 2U);
  close({1, 4});
}

TEST_F(MediaThreads, LendEachOtherPorts) {
  pairs = 2;
  begin(2);
  Party a(1), b(2);
  call(a, b);
  expect_talk(a, b);
  EXPECT_EQ(plane->router().moved(), 1U);
  ask(Open{.id = 3});
  ASSERT_TRUE(until([&] { return !results_of<OpenFailed>().empty(); }));
  close({1, 2});
  // When they have rested, both are there again.
  EndpointId id = 10;
  ASSERT_TRUE(until([&] {
    ask(Open{.id = ++id});
    return !results_of<Opened>().empty() && results_of<Opened>().size() >= 4;
  }));
}

TEST_F(MediaThreads, RecordAcrossAMove) {
  std::string pattern = (std::filesystem::temp_directory_path() / "baton-threads-XXXXXX").string();
  const std::string directory = ::mkdtemp(pattern.data());
  recorder = std::make_shared<Recorder>(Recorder::Options{.directory = directory, .log = {}});
  begin(2);
  Party a(1), b(2), c(3), d(4);
  call(a, b);
  call(c, d);
  ask(Record{9, 1, 2, "call"});
  expect_talk(a, b);
  ask(Hear{1, Hear::Party{4}});
  ask(Hear{4, Hear::Party{1}});
  ASSERT_TRUE(until([&] { return plane->router().moved() == 2 && !plane->router().busy(); }));
  for (Party* party : {&a, &d}) static_cast<void>(party->hear_all());
  expect_talk(a, d);
  ask(StopRecording{9});
  ASSERT_TRUE(until([&] { return !results_of<Recorded>().empty(); }));
  EXPECT_EQ(results_of<Recorded>()[0].error, "");
  EXPECT_GT(results_of<Recorded>()[0].lasted, 0s);
  close({1, 2, 3, 4});
  plane.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
}

TEST_F(MediaThreads, TimersRunOnTheirOwn) {
  begin(2);
  Party a(1);
  open(a);
  ask(Hear{1, Hear::RingBack{"DE"}});
  std::size_t heard = 0;
  ASSERT_TRUE(until([&] { return (heard += a.hear_all().size()) >= 10; }));
}

TEST_F(MediaThreads, WhatWasAskedForIsDoneBeforeTheEnd) {
  begin(2);
  Party a(1), b(2), c(3), d(4);
  call(a, b);
  call(c, d);
  results.clear();
  ask(Hear{1, Hear::Party{3}});
  for (EndpointId id = 1; id <= 4; ++id) ask(Close{id});
  plane->finish(results);
  EXPECT_EQ(results_of<Closed>().size(), 4U);
  EXPECT_EQ(plane->router().groups(), 0U);
}

TEST_F(MediaThreads, EndWithCallsInProgress) {
  begin(4);
  Party a(1), b(2);
  call(a, b);
  ask(Hear{1, Hear::RingBack{}});
  plane.reset();
}

TEST_F(MediaThreads, OneThatThrowsAnswersAndGoesOn) {
  begin(1);
  fails = true;
  ask(Open{.id = 3});
  ASSERT_TRUE(until([&] { return failed > 3; }));
  fails = false;
  ASSERT_TRUE(until([&] { return !results_of<OpenFailed>().empty(); }));
  EXPECT_NE(results_of<OpenFailed>()[0].reason.find("nothing works"), std::string::npos);
  ASSERT_FALSE(logged.empty());
  EXPECT_EQ(logged[0], "media.thread_failed");
  Party a(1), b(2);
  call(a, b);
  expect_talk(a, b);
  // With timers: it does not even come to the orders, which are for later.
  fails = true;
  ask(Close{1});
  const unsigned before = failed;
  ASSERT_TRUE(until([&] { return failed > before + 3; }));
  fails = false;
  ASSERT_TRUE(until([&] { return !results_of<Closed>().empty(); }));
  close({2});
  EXPECT_EQ(plane->router().groups(), 0U);
}

// Calls that come, are joined and go without a pause, more than the ports can carry at once: whatever is
// refused, each is answered once.
TEST_F(MediaThreads, ManyCallsAtOnce) {
  pairs = 40;
  begin(4);
  EndpointId last = 0;
  std::vector<EndpointId> before;
  for (int round = 0; round < 200; ++round) {
    std::vector<EndpointId> now_open;
    for (int i = 0; i < 4; ++i) {
      ask(Open{.id = ++last, .beside = i % 2 == 1 ? last - 1 : 0});
      now_open.push_back(last);
    }
    for (std::size_t i = 0; i < 4; ++i) ask(Hear{now_open[i], Hear::Party{now_open[(i + 1) % 4]}});
    if (!before.empty()) ask(Hear{now_open[0], Hear::Party{before[0]}});
    for (const EndpointId id : before) ask(Close{id});
    before = now_open;
    plane->flush();
    plane->poll(results);
  }
  for (const EndpointId id : before) ask(Close{id});
  ASSERT_TRUE(until([&] { return results_of<Closed>().size() == last && !plane->router().busy(); }));
  EXPECT_EQ(results_of<Opened>().size() + results_of<OpenFailed>().size(), last);
  EXPECT_EQ(plane->router().endpoints(), 0U);
  EXPECT_EQ(plane->router().groups(), 0U);
}

}  // namespace
}  // namespace baton::media::test
