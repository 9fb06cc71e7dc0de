// A batch with records that SQLite will not have keeps all others, in one commit.
#include "store/batch.h"

#include "unit/store/store_testing.h"

namespace baton::store::testing {
namespace {

class StoreBatch : public ::testing::Test {
 protected:
  StoreBatch() {
    auto connection = open_for_writing(directory_ / "s.db", 0);
    EXPECT_TRUE(connection.has_value());
    connection_ = std::move(*connection);
    sqlite3_commit_hook(
        connection_->getHandle(),
        [](void* commits) {
          ++*static_cast<int*>(commits);
          return 0;
        },
        &commits_);
  }

  // Whatever the reason, a trigger stands for it; ABORT is what a broken constraint does.
  void never(const std::string& table, const std::string& when, const char* how = "ABORT") {
    Other other(directory_ / "s.db");
    other.run("CREATE TRIGGER never_" + table + " BEFORE INSERT ON " + table + " WHEN " + when +
              " BEGIN SELECT RAISE(" + how + ", 'not this one'); END");
  }

  Batch::Written write(const std::deque<Record>& records) {
    Batch batch(*connection_);
    auto written = batch.write(records, records.size());
    EXPECT_TRUE(written.has_value()) << written.error().message;
    return written ? *written : Batch::Written{};
  }

  std::int64_t rows(const std::string& table) {
    return Other(directory_ / "s.db").number("SELECT count(*) FROM " + table);
  }

  static std::deque<Record> cdrs(int count) {
    std::deque<Record> records;
    for (int i = 0; i < count; ++i) records.emplace_back(cdr("call-" + std::to_string(i)));
    return records;
  }

  const Directory directory_;
  Connection connection_;
  int commits_ = 0;
};

std::vector<std::size_t> positions(const Batch::Written& written) {
  std::vector<std::size_t> all;
  for (const auto& refused : written.refused) all.push_back(refused.position);
  return all;
}

TEST_F(StoreBatch, OneImpossibleRecordCostsNoFurtherCommit) {
  never("cdr", "new.call_uuid = 'call-700'");
  const auto written = write(cdrs(1'000));
  EXPECT_EQ(commits_, 1);
  EXPECT_EQ(written.added, 999U);
  ASSERT_EQ(positions(written), std::vector<std::size_t>{700});
  EXPECT_EQ(written.refused[0].why, "not this one");
  EXPECT_EQ(rows("cdr"), 999);
  EXPECT_EQ(rows("cdr WHERE call_uuid = 'call-700'"), 0);
}

TEST_F(StoreBatch, ManyImpossibleRecords) {
  never("cdr", "new.call_uuid LIKE '%5'");
  auto records = cdrs(100);
  records.emplace_back(trace("call-0", 1));
  const auto written = write(records);
  EXPECT_EQ(commits_, 1);
  EXPECT_EQ(positions(written), (std::vector<std::size_t>{5, 15, 25, 35, 45, 55, 65, 75, 85, 95}));
  EXPECT_EQ(rows("cdr"), 90);
  EXPECT_EQ(rows("trace"), 1);
}

TEST_F(StoreBatch, NothingPossible) {
  never("cdr", "true");
  const auto written = write(cdrs(3));
  EXPECT_EQ(written.added, 0U);
  EXPECT_EQ(written.refused.size(), 3U);
}

TEST_F(StoreBatch, ATransferThatIsRefusedTakesNoOtherWithIt) {
  never("transfer", "new.transfer_id = 't-2'");
  const auto written =
      write({transfer("t-1", "call-1"), transfer("t-2", "call-2"), transfer("t-3", "call-3"), cdr("call-1")});
  EXPECT_EQ(commits_, 1);
  EXPECT_EQ(written.added, 3U);
  EXPECT_EQ(positions(written), std::vector<std::size_t>{1});
  EXPECT_EQ(rows("transfer"), 2);
  EXPECT_EQ(rows("cdr"), 1);
}

TEST_F(StoreBatch, ARefusalThatEndsTheTransactionLosesNoOther) {
  never("cdr", "new.call_uuid IN ('call-2', 'call-5')", "ROLLBACK");
  never("transfer", "new.transfer_id = 't-1'", "ROLLBACK");
  auto records = cdrs(8);
  records.emplace_back(transfer("t-1", "call-1"));
  records.emplace_back(transfer("t-2", "call-1"));
  const auto written = write(records);
  EXPECT_EQ(commits_, 1);
  EXPECT_EQ(written.added, 7U);
  EXPECT_EQ(positions(written), (std::vector<std::size_t>{2, 5, 8}));
  EXPECT_EQ(rows("cdr"), 6);
  EXPECT_EQ(rows("transfer"), 1);
}

TEST_F(StoreBatch, ADoubleIsNoRefusal) {
  const auto written =
      write({cdr("call-1"), cdr("call-1"), transfer("t-1", "call-1"), transfer("t-1", "call-1")});
  EXPECT_EQ(written.added, 2U);
  EXPECT_TRUE(written.refused.empty());
  EXPECT_EQ(rows("transfer"), 1);
}

}  // namespace
}  // namespace baton::store::testing
