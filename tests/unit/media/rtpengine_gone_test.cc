// A daemon that is gone, that comes back, and what it may have kept.
#include <gtest/gtest.h>

#include <algorithm>

#include "media/rtpengine/plane.h"
#include "rtpengine_world.h"

namespace baton::media::rtpengine {
namespace {

TEST_F(RtpenginePlane, ADeadDaemonFailsOneOpenLateAndAllOthersAtOnce) {
  daemon_.mute = true;
  perform(Open{1});
  run(3s);
  EXPECT_TRUE(take<OpenFailed>().empty());
  run(1s);
  auto failed = take<OpenFailed>();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].reason, "rtpengine does not answer (127.0.0.1:2223)");
  EXPECT_TRUE(plane_->is_down());
  ASSERT_EQ(logged_.size(), 1U);
  EXPECT_EQ(logged_[0], "media.rtpengine_down why=rtpengine does not answer rtpengine=127.0.0.1:2223");
  perform(Open{2});
  failed = take<OpenFailed>();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].reason, "rtpengine does not answer (127.0.0.1:2223)");
  run(5min);
  EXPECT_EQ(logged_.size(), 1U) << "said once";
  daemon_.mute = false;
  run(4s);
  EXPECT_FALSE(plane_->is_down());
  EXPECT_EQ(logged_.back(), "media.rtpengine_up rtpengine=127.0.0.1:2223");
  open(3);
}

TEST_F(RtpenginePlane, AtTheStartADeadDaemonIsSaid) {
  daemon_.mute = true;
  start(options());
  run(4s);
  ASSERT_EQ(logged_.size(), 1U);
  EXPECT_EQ(logged_[0].substr(0, 20), "media.rtpengine_down");
}

TEST_F(RtpenginePlane, WhatIsLostOnTheWayIsRepeated) {
  establish(1);
  establish(2);
  daemon_.mute = true;
  bridge(1, 2);
  daemon_.mute = false;
  run(1s);
  EXPECT_TRUE(is_heard_by(1, 2));
  EXPECT_TRUE(is_heard_by(2, 1));
  EXPECT_TRUE(logged_.empty());
}

TEST_F(RtpenginePlane, AnAnswerThatIsLostIsGivenFromMemory) {
  begin(Open{1});
  for (const std::string& datagram : std::exchange(datagrams_, {})) static_cast<void>(daemon_.hear(datagram));
  run(1s);
  EXPECT_EQ(take<Opened>().size(), 1U);
  EXPECT_EQ(daemon_.count("offer"), 1U);
}

TEST_F(RtpenginePlane, OneUnluckyRequestIsNoDeadDaemon) {
  establish(1);
  establish(2);
  run(3s);
  daemon_.ignores = "answer";
  bridge(1, 2);
  run(5s);
  EXPECT_FALSE(plane_->is_down()) << "queries are answered";
  EXPECT_FALSE(is_heard(1));
  daemon_.ignores.clear();
  run(6s);
  EXPECT_TRUE(is_heard_by(1, 2));
  EXPECT_TRUE(is_heard_by(2, 1));
  EXPECT_TRUE(logged_.empty());
}

TEST_F(RtpenginePlane, WhatWasWantedMeanwhileIsDoneWhenItIsBack) {
  establish(1);
  establish(2);
  daemon_.mute = true;
  bridge(1, 2);
  run(10s);
  EXPECT_TRUE(plane_->is_down());
  EXPECT_TRUE(take<Lost>().empty());
  daemon_.mute = false;
  run(4s);
  EXPECT_TRUE(is_heard_by(1, 2));
  EXPECT_TRUE(is_heard_by(2, 1));
}

TEST_F(RtpenginePlane, ARestartLosesWhatWasThere) {
  establish(1);
  establish(2);
  bridge(1, 2);
  daemon_.restart();
  run(5s);
  EXPECT_EQ(take<Lost>().size(), 2U) << "found out by asking";
  for (const EndpointId id : {1, 2}) perform(Close{id});
  EXPECT_EQ(take<Closed>().size(), 2U);
  EXPECT_EQ(plane_->endpoints(), 0U);
}

TEST_F(RtpenginePlane, ACallThatIsMadeAnewByAccidentIsDeleted) {
  establish(1);
  establish(2);
  daemon_.restart();
  perform(Hear{2, Hear::Party{1}});
  EXPECT_EQ(take<Lost>().size(), 1U);
  EXPECT_TRUE(daemon_.calls.empty());
  perform(Close{1});
  EXPECT_EQ(take<Closed>().size(), 1U);
}

TEST_F(RtpenginePlane, ClosingDoesNotWaitForADeadDaemonForEver) {
  establish(1);
  call(1).received = 50;
  run(6s);
  daemon_.mute = true;
  perform(Close{1});
  run(4s);
  const auto closed = take<Closed>();
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].packets_received, 50U) << "as far as is known";
  EXPECT_EQ(daemon_.calls.size(), 1U);
  daemon_.mute = false;
  run(4s);
  EXPECT_FALSE(plane_->is_down());
  EXPECT_TRUE(daemon_.calls.empty()) << "deleted when it is back";
  const std::size_t deletes = daemon_.count("delete");
  run(1min);
  EXPECT_EQ(daemon_.count("delete"), deletes) << "and that was all";
}

// What nobody waits for any more is obeyed when the daemon gets to it.
TEST_F(RtpenginePlane, ADaemonThatOnlyStalledKeepsNoCallOfAnOpenThatFailed) {
  daemon_.stalls = true;
  for (const EndpointId id : {1, 2, 3}) begin(Open{id});
  exchange();
  run(5s);
  EXPECT_EQ(take<OpenFailed>().size(), 3U);
  go_on();
  run(4s);
  EXPECT_EQ(daemon_.count("offer"), 3U);
  EXPECT_TRUE(daemon_.calls.empty());
  EXPECT_FALSE(plane_->is_down());
  open(4);
}

// Its socket was full by then.
TEST_F(RtpenginePlane, WhatItOpensLateIsDeletedAlsoWhenTheDeleteWasLost) {
  daemon_.stalls = true;
  for (const EndpointId id : {1, 2, 3}) begin(Open{id});
  exchange();
  daemon_.mute = true;
  run(1min);
  EXPECT_EQ(take<OpenFailed>().size(), 3U);
  daemon_.mute = false;
  go_on();
  EXPECT_EQ(daemon_.calls.size(), 3U);
  run(4s);
  EXPECT_TRUE(daemon_.calls.empty());
}

// Another of its threads took up the delete before.
TEST_F(RtpenginePlane, WhatItOpensAfterTheDeleteIsDeletedOnceMore) {
  daemon_.stalls = true;
  perform(Open{1});
  run(5s);
  EXPECT_EQ(take<OpenFailed>().size(), 1U);
  const auto is_delete = [](const std::string& one) { return one.find("6:delete") != std::string::npos; };
  std::stable_partition(daemon_.stalled.begin(), daemon_.stalled.end(), is_delete);
  ASSERT_TRUE(is_delete(daemon_.stalled.front()));
  go_on();
  run(4s);
  EXPECT_TRUE(daemon_.calls.empty());
}

TEST_F(RtpenginePlane, ADeleteThatIsIgnoredIsAskedForAgainThoughTheDaemonIsThere) {
  for (const EndpointId id : {1, 2, 3}) establish(id);
  run(4s);
  daemon_.ignores = "delete";
  perform(Close{1});
  perform(Close{2});
  run(6s);
  EXPECT_FALSE(plane_->is_down()) << "the query of the third is answered";
  EXPECT_EQ(take<Closed>().size(), 2U);
  EXPECT_EQ(daemon_.calls.size(), 3U);
  daemon_.ignores.clear();
  run(4s);
  EXPECT_EQ(daemon_.calls.size(), 1U);
}

// Found lost while it was offered something: the offer comes after the delete, and makes it anew.
TEST_F(RtpenginePlane, ACallThatIsMadeAnewAfterItsEndIsDeleted) {
  establish(1);
  establish(2);
  run(4s);
  daemon_.restart();
  daemon_.ignores = "offer";
  perform(Hear{2, Hear::Party{1}});
  run(1200ms);
  EXPECT_EQ(take<Lost>().size(), 2U);
  for (const EndpointId id : {1, 2}) perform(Close{id});
  EXPECT_EQ(take<Closed>().size(), 2U);
  EXPECT_EQ(plane_->endpoints(), 0U);
  const std::size_t offers = daemon_.count("offer");
  daemon_.ignores.clear();
  run(4s);
  EXPECT_GT(daemon_.count("offer"), offers) << "repeated";
  EXPECT_TRUE(daemon_.calls.empty());
}

TEST_F(RtpenginePlane, WhatIsToBeDeletedHasABound) {
  daemon_.stalls = true;
  constexpr EndpointId more = 10;
  for (EndpointId id = 1; id <= Rtpengine::owed_max + more; ++id) begin(Open{id});
  exchange();
  daemon_.mute = true;
  run(1min);
  EXPECT_EQ(take<OpenFailed>().size(), Rtpengine::owed_max + more);
  ASSERT_EQ(logged_.size(), 2U);
  EXPECT_EQ(logged_[1], "media.call_left_behind call=token.1 rtpengine=127.0.0.1:2223");
  daemon_.mute = false;
  go_on();
  run(4s);
  EXPECT_EQ(daemon_.calls.size(), more);
  EXPECT_TRUE(daemon_.calls.contains("token.1"));
}

}  // namespace
}  // namespace baton::media::rtpengine
