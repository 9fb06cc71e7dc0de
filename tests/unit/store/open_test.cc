// Opening: what an operator reads when it does not work.
#include <unistd.h>

#include "store/schema/migrations.h"
#include "unit/store/store_testing.h"

namespace baton::store::testing {
namespace {

std::string write_error(const std::string& path) {
  auto writer = Writer::open(options(path));
  return writer ? "" : writer.error();
}

std::string read_error(const std::string& path) {
  auto reader = Reader::open(path);
  return reader ? "" : reader.error();
}

void put_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string get_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(StoreOpen, AMissingDirectory) {
  const Directory directory;
  const std::string path = directory / "no/such/s.db";
  EXPECT_EQ(write_error(path),
            "store " + path + ": the directory " + (directory / "no/such") + " does not exist");
  EXPECT_EQ(read_error(path),
            "store " + path + ": the directory " + (directory / "no/such") + " does not exist");
  EXPECT_EQ(write_error(""), "store: no file is named");
}

TEST(StoreOpen, AFileWhereADirectoryShouldBeAndTheOtherWayRound) {
  const Directory directory;
  put_file(directory / "file", "x");
  EXPECT_EQ(write_error(directory / "file/s.db"),
            "store " + (directory / "file/s.db") + ": " + (directory / "file") + " is not a directory");
  EXPECT_EQ(write_error(directory.path()), "store " + directory.path() + ": is a directory, not a file");
}

TEST(StoreOpen, ReadingWhatIsNotThere) {
  const Directory directory;
  EXPECT_EQ(read_error(directory / "s.db"),
            "store " + (directory / "s.db") + ": does not exist; the server makes it when it first starts");
  EXPECT_FALSE(std::filesystem::exists(directory / "s.db"));
  put_file(directory / "s.db", "");
  EXPECT_EQ(read_error(directory / "s.db"),
            "store " + (directory / "s.db") + ": is empty; the server fills it when it first starts");
}

TEST(StoreOpen, NotADatabaseIsLeftAlone) {
  const Directory directory;
  const std::string text(5'000, 'x');
  put_file(directory / "s.db", text);
  EXPECT_EQ(write_error(directory / "s.db"), "store " + (directory / "s.db") + ": is not a database");
  EXPECT_EQ(read_error(directory / "s.db"), "store " + (directory / "s.db") + ": is not a database");
  EXPECT_EQ(get_file(directory / "s.db"), text);
}

TEST(StoreOpen, AnotherProgramsDatabaseIsLeftAlone) {
  const Directory directory;
  Other(directory / "s.db").run("CREATE TABLE t (x)");
  const std::string before = get_file(directory / "s.db");
  EXPECT_EQ(write_error(directory / "s.db"),
            "store " + (directory / "s.db") + ": is an SQLite database, but not a Baton store");
  EXPECT_EQ(read_error(directory / "s.db"),
            "store " + (directory / "s.db") + ": is an SQLite database, but not a Baton store");
  EXPECT_EQ(get_file(directory / "s.db"), before);
}

TEST(StoreOpen, ANewerSchemaIsLeftAlone) {
  const Directory directory;
  open_writer(options(directory / "s.db"))->stop();
  Other(directory / "s.db").run("PRAGMA user_version = 999");
  const std::string text = "store " + (directory / "s.db") +
                           ": was written by a newer Baton (schema 999, this program knows up to " +
                           std::to_string(schema::latest_version) + ")";
  EXPECT_EQ(write_error(directory / "s.db"), text);
  EXPECT_EQ(read_error(directory / "s.db"), text);
}

TEST(StoreOpen, AnOlderSchemaIsMigratedByTheWriterOnly) {
  const Directory directory;
  // Version 0 of ours: what a server killed in the middle of its very first migration could leave.
  Other(directory / "s.db").run("PRAGMA application_id = " + std::to_string(schema::application_id));
  EXPECT_EQ(read_error(directory / "s.db"),
            "store " + (directory / "s.db") +
                ": has an older schema (0); start the server once to bring it to " +
                std::to_string(schema::latest_version));
  EXPECT_EQ(write_error(directory / "s.db"), "");
  EXPECT_EQ(read_error(directory / "s.db"), "");
}

TEST(StoreOpen, EveryOlderSchemaIsBroughtUpWithWhatItHolds) {
  for (int version = 1; version < schema::latest_version; ++version) {
    const Directory directory;
    {
      Other old(directory / "s.db");
      for (int i = 0; i < version; ++i) old.run(schema::migrations[static_cast<std::size_t>(i)]);
      old.run("PRAGMA application_id = " + std::to_string(schema::application_id));
      old.run("PRAGMA user_version = " + std::to_string(version));
      old.run("INSERT INTO trace VALUES ('root', 1, 'caller', 0, 0, 'udp', '', '', 'OPTIONS')");
    }
    auto writer = open_writer(options(directory / "s.db"));
    ASSERT_TRUE(writer);
    writer->submit(cdr("call-1", 1));
    ASSERT_TRUE(writer->stop());
    const auto reader = open_reader(directory / "s.db");
    EXPECT_TRUE(reader->cdr("call-1").has_value());
    EXPECT_EQ(reader->find_root("root").value_or(""), "root");
  }
}

TEST(StoreOpen, StepsThatHadRowsOfTheirOwnAreTheTransfers) {
  const Directory directory;
  {
    Other old(directory / "s.db");
    for (int i = 0; i < 3; ++i) old.run(schema::migrations[static_cast<std::size_t>(i)]);
    old.run("PRAGMA application_id = " + std::to_string(schema::application_id));
    old.run("PRAGMA user_version = 3");
    for (const char* id : {"none", "some"}) {
      old.run(std::string("INSERT INTO transfer VALUES ('") + id +
              "', 'call', 'root', 'acme', 'desk', '', '', '', '', '', '', '', 'bridged', 202, 200, '', '', "
              "1, 5, 9)");
    }
    old.run("INSERT INTO transfer_step VALUES ('some', 1, 7000000, 'answered', 200, '')");
    old.run(
        "INSERT INTO transfer_step VALUES ('some', 2, 8000000, 'told', 200, CAST(x'4265736574FC' AS TEXT))");
    old.run("INSERT INTO transfer_step VALUES ('some', 3, 9000000, 'told', 200, x'4F4B')");
    old.run("INSERT INTO transfer_step VALUES ('some', 0, 6000000, 'failed', 486, 'said \"Busy\", once')");
  }
  ASSERT_TRUE(open_writer(options(directory / "s.db")));
  const auto transfers = open_reader(directory / "s.db")->transfers({});
  ASSERT_TRUE(transfers.has_value()) << transfers.error();
  ASSERT_EQ(transfers->size(), 2U);
  const auto& some = (*transfers)[(*transfers)[0].transfer_id == "some" ? 0 : 1];
  const auto& none = (*transfers)[(*transfers)[0].transfer_id == "some" ? 1 : 0];
  EXPECT_TRUE(none.steps.empty());
  EXPECT_EQ(some.outcome, "bridged");
  EXPECT_EQ(some.ended_at, from_micros(9));
  ASSERT_EQ(some.steps.size(), 4U);
  EXPECT_EQ(some.steps[2].detail, "Beset\xef\xbf\xbd");
  EXPECT_EQ(some.steps[3].detail, "OK");
  EXPECT_EQ(some.steps[0].at, from_micros(6'000'000));
  EXPECT_EQ(some.steps[0].what, "failed");
  EXPECT_EQ(some.steps[0].status, 486);
  EXPECT_EQ(some.steps[0].detail, "said \"Busy\", once");
  EXPECT_EQ(some.steps[1].what, "answered");
}

TEST(StoreOpen, IsForItsOwnerAndGroup) {
  const Directory directory;
  auto writer = open_writer(options(directory / "s.db"));
  for (const char* name : {"s.db", "s.db-wal"}) {
    const auto mode = std::filesystem::status(directory / name).permissions();
    EXPECT_EQ(mode & std::filesystem::perms::others_all, std::filesystem::perms::none) << name;
  }
}

TEST(StoreOpen, UsesAWriteAheadLog) {
  const Directory directory;
  auto writer = open_writer(options(directory / "s.db"));
  writer->stop();
  Other other(directory / "s.db");
  EXPECT_EQ(other.number("SELECT (SELECT journal_mode FROM pragma_journal_mode) = 'wal'"), 1);
  EXPECT_EQ(other.number("PRAGMA user_version"), schema::latest_version);
}

TEST(StoreOpen, AnotherServerHoldingTheLock) {
  const Directory directory;
  Other other(directory / "s.db");
  other.run("BEGIN EXCLUSIVE; CREATE TABLE t (x)");
  EXPECT_EQ(write_error(directory / "s.db"),
            "store " + (directory / "s.db") + ": is locked by another program");
}

TEST(StoreOpen, ADamagedSchemaPage) {
  const Directory directory;
  open_writer(options(directory / "s.db"))->stop();
  std::string bytes = get_file(directory / "s.db");
  ASSERT_GT(bytes.size(), 4'096U);
  for (std::size_t i = 100; i < 4'096; ++i) bytes[i] = '\xaa';
  put_file(directory / "s.db", bytes);
  for (const std::string& error : {write_error(directory / "s.db"), read_error(directory / "s.db")}) {
    EXPECT_NE(error.find("is damaged ("), std::string::npos) << error;
    EXPECT_NE(error.find("restore it from a backup or move it away"), std::string::npos) << error;
  }
}

TEST(StoreOpen, ATruncatedFile) {
  const Directory directory;
  open_writer(options(directory / "s.db"))->stop();
  const std::string bytes = get_file(directory / "s.db");
  put_file(directory / "s.db", bytes.substr(0, 4'096));
  EXPECT_NE(write_error(directory / "s.db"), "");
}

// Root may write anywhere, so the tests of permissions run as nobody.
class AsNobody {
 public:
  AsNobody() {
    if (::geteuid() == 0) became_ = ::seteuid(65534) == 0;
  }
  ~AsNobody() {
    if (became_ && ::seteuid(0) != 0) ADD_FAILURE();
  }

 private:
  bool became_ = false;
};

TEST(StoreOpen, AReadOnlyDirectory) {
  const Directory directory;
  open_writer(options(directory / "s.db"))->stop();
  std::filesystem::permissions(directory / "s.db", static_cast<std::filesystem::perms>(0444));
  std::filesystem::permissions(directory.path(), static_cast<std::filesystem::perms>(0555));
  const AsNobody nobody;
  EXPECT_EQ(write_error(directory / "new.db"), "store " + (directory / "new.db") + ": the directory " +
                                                   directory.path() + " is not writable: Permission denied");
  // A store that nobody is writing can be looked at by somebody who may not write there.
  EXPECT_EQ(read_error(directory / "s.db"), "");
}

// The usual place: the server's user writes in /var/lib, an operator who may only read there looks on.
TEST(StoreOpen, ARunningServersStoreSeenByAnotherUser) {
  const Directory directory;
  auto writer = open_writer(options(directory / "s.db"));
  writer->submit(cdr("call-1"));
  ASSERT_TRUE(writer->flush(10s));
  for (const char* name : {"s.db", "s.db-wal", "s.db-shm"}) {
    std::filesystem::permissions(directory / name, static_cast<std::filesystem::perms>(0644));
  }
  std::filesystem::permissions(directory.path(), static_cast<std::filesystem::perms>(0755));
  {
    const AsNobody nobody;
    const auto reader = Reader::open(directory / "s.db");
    ASSERT_TRUE(reader.has_value()) << reader.error();
    EXPECT_TRUE((*reader)->cdr("call-1").has_value());
  }
  writer->submit(cdr("call-2"));
  EXPECT_TRUE(writer->stop());
}

TEST(StoreOpen, AReadOnlyFile) {
  const Directory directory;
  open_writer(options(directory / "s.db"))->stop();
  std::filesystem::permissions(directory / "s.db", static_cast<std::filesystem::perms>(0444));
  std::filesystem::permissions(directory.path(), static_cast<std::filesystem::perms>(0777));
  const AsNobody nobody;
  EXPECT_EQ(write_error(directory / "s.db"),
            "store " + (directory / "s.db") + ": is not writable: Permission denied");
  EXPECT_EQ(read_error(directory / "s.db"), "");
}

TEST(StoreOpen, AFileThatMayNotBeRead) {
  const Directory directory;
  open_writer(options(directory / "s.db"))->stop();
  std::filesystem::permissions(directory / "s.db", static_cast<std::filesystem::perms>(0));
  std::filesystem::permissions(directory.path(), static_cast<std::filesystem::perms>(0755));
  const AsNobody nobody;
  EXPECT_EQ(read_error(directory / "s.db"),
            "store " + (directory / "s.db") + ": cannot be read: Permission denied");
}

}  // namespace
}  // namespace baton::store::testing
