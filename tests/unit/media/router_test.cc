// Where endpoints are put, and how those of calls that become one come together.
#include "media/threads/router.h"

#include <set>

#include "base/rng.h"
#include "routed_relays.h"
#include "unit/media/party.h"

namespace baton::media::test {
namespace {

using threads::divide_ports;

TEST(DividePorts, EachPairIsOneWorkers) {
  for (const auto& [first, last, workers] : {std::tuple(10'000, 30'000, 4),
                                             {10'001, 30'000, 3},
                                             {20'000, 20'009, 64},
                                             {1'024, 65'535, 64},
                                             {20'000, 20'001, 2},
                                             {65'534, 65'535, 1}}) {
    const auto ranges = divide_ports(static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last),
                                     static_cast<unsigned>(workers));
    ASSERT_EQ(ranges.size(), static_cast<std::size_t>(workers));
    std::set<unsigned> pairs;
    std::size_t least = 65'536, most = 0;
    for (const auto& range : ranges) {
      std::size_t own = 0;
      for (unsigned port = range.first; port + 1 <= range.last; port += 2) {
        EXPECT_TRUE(pairs.insert(port).second) << port;
        ++own;
      }
      least = std::min(least, own);
      most = std::max(most, own);
    }
    const unsigned begin = (static_cast<unsigned>(first) + 1) & ~1U;
    EXPECT_EQ(pairs.size(), (static_cast<unsigned>(last) + 1 - begin) / 2);
    EXPECT_EQ(*pairs.begin(), begin);
    EXPECT_LE(most - least, 1U);
  }
}

class Routed : public RelayTest {
 protected:
  void begin(unsigned workers, Duration move_takes = {}, std::uint16_t pairs = 100) {
    Relay::Options o = options();
    o.port_max = static_cast<std::uint16_t>(o.port_min + 2 * pairs - 1);
    o.recorder = recorder;
    o.endpoints_max = endpoints_max;
    relays.emplace(o, workers, move_takes);
  }
  void perform(const Operation& operation) { relays->perform(now, operation, results); }
  void join(Party& party, EndpointId beside = 0) {
    perform(Open{.id = party.id, .beside = beside});
    ASSERT_FALSE(results.empty());
    const auto* opened = std::get_if<Opened>(&results.back());
    ASSERT_NE(opened, nullptr);
    party.relay_rtp = opened->local_rtp;
    perform(party.configure());
  }
  void hear(const Party& listener, const Party& party) { perform(Hear{listener.id, Hear::Party{party.id}}); }
  void call(Party& a, Party& b) {
    join(a);
    join(b, a.id);
    hear(a, b);
    hear(b, a);
  }
  void pump() {
    for (pollfd fd{relays->poll_fd(), POLLIN, 0}; ::poll(&fd, 1, 0) > 0;) relays->poll(now, results);
  }
  std::size_t heard_of(Party& speaker, Party& listener) {
    speaker.say();
    pump();
    const auto heard = listener.hear_all();
    for (const Heard& one : heard) {
      EXPECT_EQ(one.payload[0], static_cast<std::uint8_t>(speaker.id));
      if (const auto last = last_heard.find(listener.id); last != last_heard.end()) {
        EXPECT_EQ(one.header.ssrc, last->second.ssrc);
        EXPECT_EQ(one.header.sequence, static_cast<std::uint16_t>(last->second.sequence + 1));
      }
      last_heard[listener.id] = one.header;
    }
    return heard.size();
  }
  void expect_talk(Party& a, Party& b) {
    EXPECT_EQ(heard_of(a, b), 1U);
    EXPECT_EQ(heard_of(b, a), 1U);
  }
  void expect_nothing_left() {
    EXPECT_EQ(relays->endpoints(), 0U);
    EXPECT_EQ(relays->router().endpoints(), 0U);
    EXPECT_EQ(relays->router().groups(), 0U);
    EXPECT_FALSE(relays->router().busy());
  }
  [[nodiscard]] const std::vector<std::size_t>& loads() const { return relays->router().loads(); }

  std::optional<RoutedRelays> relays;
  std::shared_ptr<Recorder> recorder;
  std::size_t endpoints_max = 1'000;
  std::map<EndpointId, RtpHeader> last_heard;
};

TEST_F(Routed, CallsAreSpreadAndEachIsTogether) {
  begin(4);
  for (EndpointId id = 1; id <= 16; id += 2) {
    perform(Open{.id = id});
    perform(Open{.id = id + 1, .beside = id});
  }
  EXPECT_EQ(loads(), (std::vector<std::size_t>{4, 4, 4, 4}));
  for (EndpointId id = 1; id <= 16; ++id) perform(Close{id});
  expect_nothing_left();
  EXPECT_EQ(results_of<Closed>().size(), 16U);
  EXPECT_EQ(relays->router().moved(), 0U);
}

TEST_F(Routed, BesideOneThatIsGoneAnyPlaceWillDo) {
  begin(2);
  perform(Open{.id = 1, .beside = 77});
  perform(Open{.id = 2, .beside = 77});
  EXPECT_EQ(loads(), (std::vector<std::size_t>{1, 1}));
}

TEST_F(Routed, TwoCallsThatBecomeOneComeTogether) {
  begin(2);
  Party a(1), b(2), c(3), d(4);
  call(a, b);
  call(c, d);
  expect_talk(a, b);
  expect_talk(c, d);
  ASSERT_EQ(loads(), (std::vector<std::size_t>{2, 2}));
  hear(a, d);
  hear(d, a);
  expect_talk(a, d);
  perform(Close{2});
  perform(Close{3});
  expect_talk(a, d);
  EXPECT_EQ(loads()[0] * loads()[1], 0U);
  perform(Close{1});
  perform(Close{4});
  expect_nothing_left();
  EXPECT_EQ(results_of<Closed>().size(), 4U);
}

TEST_F(Routed, TheSmallerPartMoves) {
  begin(2);
  Party a(1), b(2), c(3), d(4);
  call(a, b);
  join(c);
  join(d, a.id);
  ASSERT_EQ(loads(), (std::vector<std::size_t>{3, 1}));
  hear(c, a);
  EXPECT_EQ(loads(), (std::vector<std::size_t>{4, 0}));
  EXPECT_EQ(relays->router().moved(), 1U);
}

TEST_F(Routed, WhatIsAskedOfThemMeanwhileWaitsInOrder) {
  begin(2, 5ms);
  Party a(1), b(2), c(3), d(4), e(5);
  call(a, b);
  call(c, d);
  hear(a, d);
  ASSERT_EQ(relays->under_way(), 1U);
  hear(d, a);
  perform(Close{2});
  perform(Close{3});
  perform(Hear{a.id, Hear::Silence{}});
  perform(Hear{a.id, Hear::Party{d.id}});
  EXPECT_TRUE(results_of<Closed>().empty());
  // Others do not wait.
  join(e);
  perform(Close{5});
  ASSERT_EQ(results_of<Closed>().size(), 1U);
  now += 5ms;
  relays->advance(now, results);
  EXPECT_EQ(relays->under_way(), 0U);
  const auto closed = results_of<Closed>();
  ASSERT_EQ(closed.size(), 3U);
  EXPECT_EQ(closed[1].id, 2U);
  EXPECT_EQ(closed[2].id, 3U);
  expect_talk(a, d);
}

TEST_F(Routed, AThirdCallJoinsWhileTwoMove) {
  begin(3, 5ms);
  Party a(1), b(2), c(3), d(4), e(5), f(6);
  call(a, b);
  call(c, d);
  call(e, f);
  ASSERT_EQ(loads(), (std::vector<std::size_t>{2, 2, 2}));
  hear(a, c);
  hear(c, a);
  hear(e, b);
  hear(b, e);
  hear(d, f);
  hear(f, d);
  for (int i = 0; i < 5; ++i) {
    now += 5ms;
    relays->advance(now, results);
  }
  EXPECT_FALSE(relays->router().busy());
  expect_talk(a, c);
  expect_talk(e, b);
  expect_talk(d, f);
  for (EndpointId id = 1; id <= 6; ++id) perform(Close{id});
  expect_nothing_left();
}

TEST_F(Routed, ClosedWhileTheyMove) {
  begin(2, 5ms);
  Party a(1), b(2);
  join(a);
  join(b);
  hear(a, b);
  perform(Close{1});
  perform(Close{2});
  perform(Close{2});
  now += 5ms;
  relays->advance(now, results);
  expect_nothing_left();
  EXPECT_EQ(results_of<Closed>().size(), 3U);
}

TEST_F(Routed, WhatCanNotBeTakenOutIsAskedForAgain) {
  begin(2);
  Party a(1), b(2);
  join(a);
  join(b);
  relays->fail_next_moves(3);
  hear(a, b);
  hear(b, a);
  expect_talk(a, b);
  perform(Close{1});
  perform(Close{2});
  expect_nothing_left();
}

TEST_F(Routed, WhatCanNeverBeTakenOutIsLostAndCanBeClosed) {
  begin(2);
  Party a(1), b(2);
  join(a);
  join(b);
  results.clear();
  relays->fail_next_moves(1'000);
  hear(a, b);
  EXPECT_EQ(results_of<Lost>().size(), 1U);
  EXPECT_FALSE(relays->router().busy());
  perform(Close{1});
  perform(Close{2});
  EXPECT_EQ(results_of<Closed>().size(), 2U);
  expect_nothing_left();
}

TEST_F(Routed, AnotherWorkersPortIsTakenWhenItsOwnAreUsedUp) {
  begin(2, {}, 4);
  std::vector<std::unique_ptr<Party>> parties;
  for (EndpointId id = 1; id <= 4; ++id) {
    parties.push_back(std::make_unique<Party>(id));
    join(*parties.back(), id == 1 ? 0 : 1);
  }
  EXPECT_EQ(loads(), (std::vector<std::size_t>{4, 0}));
  EXPECT_EQ(relays->router().moved(), 2U);
  hear(*parties[0], *parties[3]);
  hear(*parties[3], *parties[0]);
  expect_talk(*parties[0], *parties[3]);
  perform(Open{.id = 5, .beside = 1});
  ASSERT_EQ(results_of<OpenFailed>().size(), 1U);
  EXPECT_NE(results_of<OpenFailed>()[0].reason.find("no RTP port pair is free"), std::string::npos);
  perform(Close{5});
  for (EndpointId id = 1; id <= 4; ++id) perform(Close{id});
  expect_nothing_left();
  EXPECT_EQ(results_of<Closed>().size(), 5U);
  // All rest, each where it belongs.
  perform(Open{.id = 6});
  EXPECT_EQ(results_of<OpenFailed>().size(), 2U);
  now += 10s;
  for (EndpointId id = 7; id <= 10; ++id) perform(Open{.id = id});
  EXPECT_EQ(results_of<OpenFailed>().size(), 2U);
  EXPECT_EQ(loads(), (std::vector<std::size_t>{2, 2}));
}

TEST_F(Routed, AsManyEndpointsAsAreAllowedInAll) {
  endpoints_max = 3;
  begin(2);
  for (EndpointId id = 1; id <= 4; ++id) perform(Open{.id = id});
  perform(Open{.id = 1});
  const auto failed = results_of<OpenFailed>();
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_EQ(failed[0].reason, "the limit of 3 media endpoints is reached");
  EXPECT_EQ(failed[1].reason, "the endpoint is open already");
}

TEST_F(Routed, WorkersThatAreBehindGetNoMoreCalls) {
  threads::Router router({divide_ports(20'000, 20'999, 2), 1'000, 2});
  for (EndpointId id = 1; id <= 3; ++id) router.perform(Open{.id = id}, results);
  EXPECT_EQ(router.orders().size(), 2U);
  ASSERT_EQ(results_of<OpenFailed>().size(), 1U);
  router.hear(0, Result{Opened{1, {}}}, results);
  router.perform(Open{.id = 4}, results);
  EXPECT_EQ(results_of<OpenFailed>().size(), 1U);
  EXPECT_TRUE(router.busy());
}

TEST_F(Routed, AskedForBeforeItIsOpenItWaits) {
  threads::Router router({divide_ports(20'000, 20'999, 2)});
  router.perform(Open{.id = 1}, results);
  router.perform(Hear{1, Hear::Silence{}}, results);
  router.perform(Close{1}, results);
  ASSERT_EQ(router.orders().size(), 1U);
  router.hear(0, Result{Opened{1, {}}}, results);
  ASSERT_EQ(router.orders().size(), 3U);
  EXPECT_TRUE(std::holds_alternative<Close>(std::get<Operation>(router.orders()[2].order)));
  EXPECT_EQ(router.groups(), 0U);
}

TEST_F(Routed, NobodyIsAskedForUnknownOnes) {
  begin(2);
  perform(Party(9).configure());
  perform(Hear{9, Hear::Party{8}});
  perform(SendDigit{9, 1, 100ms, 0});
  perform(StopRecording{4});
  EXPECT_TRUE(results.empty());
  perform(Close{9});
  ASSERT_EQ(results_of<Closed>().size(), 1U);
  EXPECT_EQ(results_of<Closed>()[0].id, 9U);
  expect_nothing_left();
}

TEST_F(Routed, WithoutARecorderNothingOfARecordingIsKept) {
  begin(2);
  perform(Record{5, 1, 2, "x"});
  ASSERT_EQ(results_of<Recorded>().size(), 1U);
  perform(StopRecording{5});
  expect_nothing_left();
}

// What there is of a recording is where its parties are, and is ended when they are gone.
TEST_F(Routed, ARecordingBringsItsPartiesTogetherAndOutlivesThem) {
  begin(2, 5ms);
  Party a(1), b(2);
  join(a);
  join(b);
  recorder.reset();
  perform(Record{5, 1, 2, "x"});
  EXPECT_EQ(relays->under_way(), 1U);
  perform(Close{1});
  perform(Close{2});
  perform(StopRecording{5});
  now += 5ms;
  relays->advance(now, results);
  expect_nothing_left();
}

// Whatever is asked in whatever order, with moves that take their time: each Open and Close has one answer,
// who hears whom is as was said last, and nothing is left.
TEST_F(Routed, AnyCourse) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    now = start;
    results.clear();
    last_heard.clear();
    begin(static_cast<unsigned>(rng.between(2, 4)), 3ms, 12);
    std::map<EndpointId, std::unique_ptr<Party>> open;
    std::map<EndpointId, EndpointId> hears;
    EndpointId last = 0;
    std::size_t opens = 0, closes = 0;
    const auto any = [&]() -> EndpointId {
      if (open.empty()) return 0;
      return std::next(open.begin(), static_cast<std::ptrdiff_t>(rng.below(open.size())))->first;
    };
    for (int step = 0; step < 120; ++step) {
      const auto what = rng.below(10);
      if (what < 3 && open.size() < 8) {
        auto party = std::make_unique<Party>(++last);
        ++opens;
        results.clear();
        perform(Open{.id = last, .beside = rng.chance(1, 2) ? any() : 0});
        for (const Opened& one : results_of<Opened>())
          if (one.id == last) party->relay_rtp = one.local_rtp;
        if (party->relay_rtp.port == 0) continue;  // no port
        perform(party->configure());
        open.emplace(last, std::move(party));
      } else if (what < 8 && !open.empty()) {
        const EndpointId listener = any(), speaker = any();
        if (listener == speaker) continue;
        perform(Hear{listener, Hear::Party{speaker}});
        hears[listener] = speaker;
      } else if (what == 8 && !open.empty()) {
        const EndpointId id = any();
        ++closes;
        perform(Close{id});
        open.erase(id);
        hears.erase(id);
        std::erase_if(hears, [&](const auto& entry) { return entry.second == id; });
      } else {
        now += Duration(rng.between(0, 4'000));
        relays->advance(now, results);
      }
    }
    while (relays->router().busy()) {
      now += 3ms;
      relays->advance(now, results);
    }
    EXPECT_EQ(relays->router().endpoints(), open.size());
    EXPECT_EQ(relays->endpoints(), open.size());
    for (const auto& [id, party] : open) static_cast<void>(party->hear_all());
    for (const auto& [id, party] : open) {
      party->say();
      pump();
      for (const auto& [other, listener] : open) {
        const auto listens = hears.find(other);
        const bool should = listens != hears.end() && listens->second == id;
        EXPECT_EQ(listener->hear_all().size(), should ? 1U : 0U) << other << " hears " << id;
      }
    }
    for (const auto& [id, party] : open) perform(Close{id});
    expect_nothing_left();
    relays.reset();
  }
}

}  // namespace
}  // namespace baton::media::test
