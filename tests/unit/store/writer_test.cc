// What the writer promises when the disk does not cooperate.
#include "store/writer.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include <thread>

#include "unit/store/store_testing.h"

namespace baton::store::testing {
namespace {

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 3'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

std::size_t cdr_count(const std::string& path) {
  return open_reader(path)->cdrs({.limit = 1'000'000})->size();
}

TEST(StoreWriter, BatchesFromSeveralThreadsLoseNothing) {
  const Directory directory;
  auto writer = open_writer(options(directory / "s.db"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&writer, t] {
      for (int i = 0; i < 2'000; ++i) writer->submit(cdr(std::to_string(t) + "-" + std::to_string(i)));
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(writer->flush(60s));
  const auto stats = writer->stats();
  EXPECT_EQ(stats.written, 8'000U);
  EXPECT_EQ(stats.duplicates, 0U);
  EXPECT_EQ(stats.queued, 0U);
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(cdr_count(directory / "s.db"), 8'000U);
}

TEST(StoreWriter, StopTwiceAndSubmitAfterwards) {
  const Directory directory;
  LogBook book;
  auto writer = open_writer(options(directory / "s.db", &book));
  writer->submit(cdr("one"));
  EXPECT_TRUE(writer->stop());
  EXPECT_TRUE(writer->stop());
  writer->submit(cdr("two"));
  writer->submit(trace("two", 1));
  ASSERT_EQ(book.count("store.unwritten"), 1U);
  EXPECT_EQ(field(book.all().back(), "call_uuid"), "two");
}

TEST(StoreWriter, WaitsOutALock) {
  const Directory directory;
  LogBook book;
  auto writer = open_writer(options(directory / "s.db", &book));
  {
    Other other(directory / "s.db");
    other.run("BEGIN IMMEDIATE");
    for (int i = 0; i < 100; ++i) writer->submit(cdr("call-" + std::to_string(i)));
    ASSERT_TRUE(eventually([&] { return writer->stats().failed_attempts >= 2; }));
    EXPECT_FALSE(writer->flush(1ms));
    EXPECT_FALSE(writer->stats().healthy);
    other.run("ROLLBACK");
  }
  ASSERT_TRUE(writer->flush(30s));
  EXPECT_TRUE(writer->stats().healthy);
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(cdr_count(directory / "s.db"), 100U);
  EXPECT_EQ(book.count("store.refusing"), 1U);
  EXPECT_EQ(book.count("store.recovered"), 1U);
}

// The scheduling policy of this process's thread of that name; -1: there is none.
int policy_of(const std::string& name) {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string found;
    std::getline(std::ifstream(task.path() / "comm"), found);
    if (found == name) return ::sched_getscheduler(std::stoi(task.path().filename()));
  }
  return -1;
}

bool may_come_back_from_idle_time() {
  bool may = false;
  std::thread([&may] {
    const sched_param none{};
    may = ::sched_setscheduler(0, SCHED_IDLE, &none) == 0 && ::sched_setscheduler(0, SCHED_OTHER, &none) == 0;
  }).join();
  return may;
}

TEST(StoreWriter, TakesTimeThatNobodyWantsUntilMuchWaits) {
  const Directory directory;
  auto writer = open_writer(options(directory / "s.db"));
  writer->submit(cdr("first", 1));
  ASSERT_TRUE(eventually([&] { return writer->stats().written == 1; }));
  const int modest = may_come_back_from_idle_time() ? SCHED_IDLE : SCHED_OTHER;
  EXPECT_TRUE(eventually([&] { return policy_of("store") == modest; }));
  {
    Other other(directory / "s.db");
    other.run("BEGIN IMMEDIATE");
    constexpr std::size_t many = 5'000;
    for (std::size_t i = 0; i < many; ++i) writer->submit(cdr("call-" + std::to_string(i)));
    EXPECT_EQ(policy_of("store"), SCHED_OTHER);
    other.run("ROLLBACK");
  }
  EXPECT_TRUE(eventually([&] { return writer->stats().queued == 0; }));
  EXPECT_TRUE(eventually([&] { return policy_of("store") == modest; }));
  EXPECT_TRUE(writer->stop());
}

TEST(StoreWriter, WhenFullOnlyTraceIsDropped) {
  const Directory directory;
  LogBook book;
  auto limited = options(directory / "s.db", &book);
  limited.queue_max = 100;
  limited.records_max = 500;
  auto writer = open_writer(limited);
  Other other(directory / "s.db");
  other.run("BEGIN IMMEDIATE");
  for (std::uint64_t i = 0; i < 300; ++i) {
    writer->submit(trace("call", i));
    writer->submit(cdr("a-" + std::to_string(i)));
    writer->submit(transfer("t-" + std::to_string(i), "call"));
  }
  EXPECT_GE(writer->stats().traces_dropped, 250U);
  ASSERT_TRUE(eventually(
      [&] { return book.count("store.backlog") == 1 && book.count("store.traces_dropped") == 1; }));
  other.run("ROLLBACK");
  ASSERT_TRUE(writer->flush(30s));
  const auto stats = writer->stats();
  EXPECT_EQ(stats.written + stats.traces_dropped, 900U);
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(cdr_count(directory / "s.db"), 300U);
  EXPECT_EQ(open_reader(directory / "s.db")->transfers({.limit = 1'000})->size(), 300U);
  EXPECT_EQ(book.count("store.traces_kept"), 1U);
  EXPECT_EQ(book.count("store.backlog"), 1U);
}

TEST(StoreWriter, TraceIsBoundedByItsBytesToo) {
  const Directory directory;
  auto limited = options(directory / "s.db");
  limited.queue_bytes_max = 100'000;
  auto writer = open_writer(limited);
  Other other(directory / "s.db");
  other.run("BEGIN IMMEDIATE");
  for (std::uint64_t i = 0; i < 20; ++i) writer->submit(trace("call", i, std::string(10'000, 'x')));
  EXPECT_EQ(writer->stats().traces_dropped, 10U);
  EXPECT_EQ(writer->stats().queued, 10U);
  other.run("ROLLBACK");
  EXPECT_TRUE(writer->flush(30s));
  writer->submit(trace("call", 100, std::string(10'000, 'x')));
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(writer->stats().traces_dropped, 10U);
}

TEST(StoreWriter, AFullDiskCostsTraceButNoCdr) {
  const Directory directory;
  LogBook book;
  auto limited = options(directory / "s.db", &book);
  limited.pages_max = 200;
  limited.retry_max = 2s;
  auto writer = open_writer(limited);
  for (std::uint64_t i = 0; i < 150; ++i) writer->submit(trace("call", i, std::string(4'000, 'x')));
  ASSERT_TRUE(writer->flush(10s));
  for (int i = 0; i < 600; ++i) {
    writer->submit(trace("other", static_cast<std::uint64_t>(i), std::string(4'000, 'x')));
    writer->submit(cdr("call-" + std::to_string(i)));
  }
  ASSERT_TRUE(eventually([&] { return writer->stats().failed_attempts >= 5; }));
  EXPECT_FALSE(writer->stats().healthy);
  EXPECT_GT(writer->stats().traces_dropped, 0U);
  EXPECT_EQ(book.count("store.refusing"), 1U);
  EXPECT_NE(field(book.all().front(), "reason").find("the disk is full"), std::string::npos);

  Other(directory / "s.db").run("DELETE FROM trace");
  ASSERT_TRUE(writer->flush(30s));
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(cdr_count(directory / "s.db"), 600U);
  EXPECT_EQ(book.count("store.recovered"), 1U);
}

TEST(StoreWriter, AStoreMovedAwayKeepsWhatItHad) {
  const Directory directory;
  LogBook book;
  auto writer = open_writer(options(directory / "s.db", &book));
  for (int i = 0; i < 100; ++i) writer->submit(cdr("before-" + std::to_string(i)));
  ASSERT_TRUE(writer->flush(10s));
  std::filesystem::rename(directory / "s.db", directory / "old.db");
  for (int i = 0; i < 10; ++i) writer->submit(cdr("after-" + std::to_string(i)));
  ASSERT_TRUE(writer->stop());
  EXPECT_EQ(cdr_count(directory / "old.db"), 100U);
  EXPECT_EQ(cdr_count(directory / "s.db"), 10U);
}

// The kernel refuses to let any file grow: EFBIG and, by default, a deadly signal.
TEST(StoreWriter, SurvivesAFileSizeLimit) {
  const Directory directory;
  LogBook book;
  auto writer = open_writer(options(directory / "s.db", &book));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{200'000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  for (int i = 0; i < 2'000; ++i) writer->submit(cdr("call-" + std::to_string(i)));
  const bool refused = eventually([&] { return writer->stats().failed_attempts >= 3; });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_TRUE(refused);
  ASSERT_TRUE(writer->flush(30s));
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(cdr_count(directory / "s.db"), 2'000U);
  EXPECT_EQ(writer->stats().written, 2'000U);
  EXPECT_GE(book.count("store.recovered"), 1U);  // a small batch may fit in between
}

TEST(StoreWriter, AStoreDeletedUnderItIsMadeAnew) {
  const Directory directory;
  LogBook book;
  auto writer = open_writer(options(directory / "s.db", &book));
  writer->submit(cdr("before"));
  ASSERT_TRUE(writer->flush(10s));
  std::filesystem::remove(directory / "s.db");
  writer->submit(cdr("after"));
  ASSERT_TRUE(writer->flush(10s));
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(book.count("store.moved"), 1U);
  EXPECT_TRUE(open_reader(directory / "s.db")->cdr("after").has_value());
}

// Pages behind the first are only looked at when a row goes there. The CDRs wait until somebody acts.
TEST(StoreWriter, ADamagedStoreKeepsItsCdrsWaiting) {
  const Directory directory;
  LogBook book;
  open_writer(options(directory / "s.db"))->stop();
  constexpr std::int64_t page_bytes = 4'096;
  const std::int64_t page =
      Other(directory / "s.db").number("SELECT rootpage FROM sqlite_master WHERE name = 'cdr'");
  {
    std::fstream file(directory / "s.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp((page - 1) * page_bytes);
    file << std::string(page_bytes, '\x5a');
  }
  auto writer = open_writer(options(directory / "s.db", &book));
  for (int i = 0; i < 30; ++i) writer->submit(cdr("call-" + std::to_string(i)));
  ASSERT_TRUE(eventually([&] { return writer->stats().failed_attempts >= 3; }));
  ASSERT_EQ(book.count("store.refusing"), 1U);
  EXPECT_NE(field(book.all().front(), "reason").find("is damaged"), std::string::npos);
  std::filesystem::rename(directory / "s.db", directory / "damaged.db");
  ASSERT_TRUE(writer->flush(30s));
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(cdr_count(directory / "s.db"), 30U);
}

TEST(StoreWriter, ADirectoryThatGoesAwayAndComesBack) {
  const Directory directory;
  LogBook book;
  std::filesystem::create_directory(directory / "d");
  auto writer = open_writer(options(directory / "d/s.db", &book));
  std::filesystem::rename(directory / "d", directory / "elsewhere");
  for (int i = 0; i < 50; ++i) writer->submit(cdr("call-" + std::to_string(i)));
  ASSERT_TRUE(eventually([&] { return writer->stats().failed_attempts >= 3; }));
  EXPECT_EQ(book.count("store.refusing"), 1U);
  std::filesystem::create_directory(directory / "d");
  ASSERT_TRUE(writer->flush(30s));
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(cdr_count(directory / "d/s.db"), 50U);
}

TEST(StoreWriter, WhatCouldNotBeWrittenByTheEndIsLoggedInFull) {
  const Directory directory;
  LogBook book;
  auto writer = open_writer(options(directory / "s.db", &book));
  Other other(directory / "s.db");
  other.run("BEGIN IMMEDIATE");
  writer->submit(cdr("call-1"));
  writer->submit(transfer("t-1", "call-1"));
  writer->submit(trace("call-1", 1));
  EXPECT_FALSE(writer->stop(100ms));
  ASSERT_EQ(book.count("store.unwritten"), 2U);
  for (const auto& log : book.all()) {
    if (log.event != "store.unwritten") continue;
    EXPECT_EQ(log.severity, engine::Severity::error);
    if (field(log, "record") == "cdr") {
      EXPECT_EQ(field(log, "from_number"), "+14155550100");
      EXPECT_EQ(field(log, "answer_time"), to_iso8601(at(2)));
      EXPECT_EQ(field(log, "price_micros"), "12345");
    } else {
      EXPECT_EQ(field(log, "transfer_id"), "t-1");
      EXPECT_EQ(field(log, "step"), to_iso8601(at(30)) + " accepted 202 ");
    }
  }
}

TEST(StoreWriter, StopsSoonAlsoFromALongBackOff) {
  const Directory directory;
  auto slow = options(directory / "s.db");
  slow.retry_min = 5s;
  slow.retry_max = 60s;
  auto writer = open_writer(slow);
  Other other(directory / "s.db");
  other.run("BEGIN IMMEDIATE");
  writer->submit(cdr("call-1"));
  ASSERT_TRUE(eventually([&] { return writer->stats().failed_attempts >= 1; }));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(writer->stop(10ms));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 4s);
}

// A trigger stands for any row that SQLite will not take, whatever the reason.
TEST(StoreWriter, OneImpossibleRecordDoesNotHoldUpTheOthers) {
  const Directory directory;
  LogBook book;
  auto writer = open_writer(options(directory / "s.db", &book));
  {
    Other other(directory / "s.db");
    other.run(
        "CREATE TRIGGER never BEFORE INSERT ON cdr WHEN new.call_uuid = 'call-7' "
        "BEGIN SELECT RAISE(ABORT, 'not this one'); END");
  }
  for (int i = 0; i < 20; ++i) writer->submit(cdr("call-" + std::to_string(i)));
  ASSERT_TRUE(writer->flush(10s));
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(cdr_count(directory / "s.db"), 19U);
  EXPECT_EQ(writer->stats().refused, 1U);
  ASSERT_EQ(book.count("store.unwritten"), 1U);
  EXPECT_EQ(field(book.all().back(), "call_uuid"), "call-7");
}

// Killed without warning, a server finds on its next start every CDR it had reported as written.
TEST(StoreWriter, WhatWasFlushedSurvivesAKill) {
  const Directory directory;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto writer = Writer::open(options(directory / "s.db"));
    for (int i = 0; i < 500; ++i) (*writer)->submit(cdr("call-" + std::to_string(i)));
    const bool flushed = (*writer)->flush(30s);
    ::kill(::getpid(), flushed ? SIGKILL : SIGTERM);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_EQ(cdr_count(directory / "s.db"), 500U);
  auto writer = open_writer(options(directory / "s.db"));
  writer->submit(cdr("call-0"));
  EXPECT_TRUE(writer->stop());
  EXPECT_EQ(writer->stats().duplicates, 1U);
  EXPECT_EQ(cdr_count(directory / "s.db"), 500U);
}

}  // namespace
}  // namespace baton::store::testing
