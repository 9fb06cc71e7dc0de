// The questions an operator asks.
#include "store/reader.h"

#include <atomic>
#include <thread>

#include "unit/store/store_testing.h"

namespace baton::store::testing {
namespace {

class ReaderTest : public ::testing::Test {
 protected:
  void write(std::vector<Record> records) {
    auto writer = open_writer(options(path_));
    for (auto& record : records) writer->submit(std::move(record));
    ASSERT_TRUE(writer->stop());
    reader_ = open_reader(path_);
    ASSERT_NE(reader_, nullptr);
  }
  std::vector<std::string> ids(const Filter& filter) {
    std::vector<std::string> ids;
    const auto found = reader_->cdrs(filter);
    EXPECT_TRUE(found.has_value()) << found.error();
    for (const auto& one : *found) ids.push_back(one.call_uuid);
    return ids;
  }

  Directory directory_;
  std::string path_ = directory_ / "s.db";
  std::unique_ptr<Reader> reader_;
};

using Ids = std::vector<std::string>;

TEST_F(ReaderTest, NewestFirstUpToTheLimit) {
  write({cdr("b", 20), cdr("a", 30), cdr("d", 10), cdr("c", 10)});
  EXPECT_EQ(ids({}), (Ids{"a", "b", "c", "d"}));
  EXPECT_EQ(ids({.limit = 2}), (Ids{"a", "b"}));
  EXPECT_EQ(ids({.limit = 0}), Ids{});
  EXPECT_EQ(ids({.since = at(20)}), (Ids{"a", "b"}));
}

TEST_F(ReaderTest, NumbersMatchFromTheirBeginningOnEitherSide) {
  auto one = cdr("one", 3);
  auto two = cdr("two", 2);
  two.from_number = "+14155550199";
  two.to_number = "+33140000000";
  auto three = cdr("three", 1);
  three.from_number = "14155550100";
  three.to_number = "anonymous";
  write({one, two, three});
  EXPECT_EQ(ids({.number = "+14155550100"}), (Ids{"one", "three"}));
  EXPECT_EQ(ids({.number = "14155550100"}), (Ids{"one", "three"}));
  EXPECT_EQ(ids({.number = "+1415"}), (Ids{"one", "two", "three"}));
  EXPECT_EQ(ids({.number = "+33"}), (Ids{"two"}));
  EXPECT_EQ(ids({.number = "anonymous"}), (Ids{"three"}));
  EXPECT_EQ(ids({.number = "%"}), Ids{});
  EXPECT_EQ(ids({.number = "' OR 1=1 --"}), Ids{});
  EXPECT_EQ(ids({.number = "+1415", .since = at(2)}), (Ids{"one", "two"}));
}

TEST_F(ReaderTest, TransfersByTransfereeOrTarget) {
  auto other = transfer("t-2", "r-2", 40);
  other.transferee = "+4930123456";
  other.target_number = "+4989000000";
  write({transfer("t-1", "r-1", 30), other});
  const auto all = reader_->transfers({});
  ASSERT_TRUE(all.has_value());
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].transfer_id, "t-2");
  for (const char* number : {"+4930", "4989"}) {
    const auto found = reader_->transfers({.number = number});
    ASSERT_TRUE(found.has_value());
    ASSERT_EQ(found->size(), 1U) << number;
    EXPECT_EQ((*found)[0].transfer_id, "t-2");
    EXPECT_EQ((*found)[0].steps.size(), 2U);
  }
}

TEST_F(ReaderTest, OneCallByIdOrUniqueBeginning) {
  write({cdr("abc1-x"), cdr("abc2-x"), cdr("abc2-x-longer")});
  EXPECT_EQ(reader_->cdr("abc1")->call_uuid, "abc1-x");
  EXPECT_EQ(reader_->cdr("abc2-x")->call_uuid, "abc2-x");
  EXPECT_EQ(reader_->cdr("abc2-x-")->call_uuid, "abc2-x-longer");
  EXPECT_EQ(reader_->cdr("abc").error(), "several calls begin with abc: abc1-x abc2-x abc2-x-longer");
  EXPECT_EQ(reader_->cdr("zzz").error(), "no call zzz");
  EXPECT_FALSE(reader_->cdr("").has_value());
}

TEST_F(ReaderTest, TheRootOfAnyPart) {
  auto leg = cdr("leg-1", 5);
  leg.root_call_uuid = "root-1";
  leg.transfer_id = "move-1";
  write({cdr("root-1"), leg, transfer("move-1", "root-1"), trace("live-9", 1), trace("live-9", 2)});
  for (const char* id :
       {"root-1", "root", "leg-1", "leg", "move-1", "mov", "caller-leg-1", "destination-root-1"}) {
    const auto root = reader_->find_root(id);
    ASSERT_TRUE(root.has_value()) << id << ": " << root.error();
    EXPECT_EQ(*root, "root-1") << id;
  }
  EXPECT_EQ(*reader_->find_root("live"), "live-9");
  EXPECT_EQ(reader_->find_root("nothing").error(), "no call nothing");
  EXPECT_FALSE(reader_->find_root("").has_value());
  const auto history = reader_->history("root-1");
  ASSERT_TRUE(history.has_value());
  ASSERT_EQ(history->cdrs.size(), 2U);
  EXPECT_EQ(history->cdrs[1].call_uuid, "leg-1");
  EXPECT_EQ(history->transfers.size(), 1U);
  EXPECT_EQ(reader_->history("live-9", 1)->trace.size(), 1U);
}

TEST_F(ReaderTest, ManyCallsUnderOneBeginning) {
  std::vector<Record> records;
  for (int i = 0; i < 20; ++i) records.emplace_back(cdr("ab" + std::to_string(10 + i)));
  write(std::move(records));
  EXPECT_EQ(reader_->find_root("ab").error(), "several calls begin with ab: ab10 ab11 ab12 ab13 ab14 …");
}

TEST_F(ReaderTest, ReadsWhileAServerWrites) {
  auto writer = open_writer(options(path_));
  reader_ = open_reader(path_);
  std::atomic<bool> stop{false};
  std::thread feeder([&] {
    for (int i = 0; !stop && i < 20'000; ++i) {
      writer->submit(cdr("call-" + std::to_string(i), i));
      writer->submit(transfer("t-" + std::to_string(i), "call-" + std::to_string(i), i));
    }
  });
  std::size_t last = 0;
  for (int round = 0; round < 40; ++round) {
    const auto found = reader_->cdrs({.limit = 100'000});
    ASSERT_TRUE(found.has_value()) << found.error();
    EXPECT_GE(found->size(), last);
    last = found->size();
    const auto transfers = reader_->transfers({.limit = 50});
    ASSERT_TRUE(transfers.has_value()) << transfers.error();
    for (const auto& one : *transfers) EXPECT_EQ(one.steps.size(), 2U);
  }
  stop = true;
  feeder.join();
  ASSERT_TRUE(writer->flush(60s));
  EXPECT_EQ(writer->stats().failed_attempts, 0U);
  EXPECT_EQ(writer->stats().written, writer->stats().submitted);
}

}  // namespace
}  // namespace baton::store::testing
