// What the store's tests share: a directory that goes away, records that differ, a log that remembers.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/reader.h"
#include "store/writer.h"

namespace baton::store::testing {

class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "baton-store-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

class LogBook {
 public:
  std::function<void(const engine::Log&)> writer() {
    return [this](const engine::Log& log) {
      const std::lock_guard lock(mutex_);
      logs_.push_back(log);
    };
  }
  [[nodiscard]] std::size_t count(const std::string& event) const {
    const std::lock_guard lock(mutex_);
    std::size_t n = 0;
    for (const auto& log : logs_) n += log.event == event ? 1 : 0;
    return n;
  }
  [[nodiscard]] std::vector<engine::Log> all() const {
    const std::lock_guard lock(mutex_);
    return logs_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<engine::Log> logs_;
};

inline std::string field(const engine::Log& log, const std::string& name) {
  for (const auto& [key, value] : log.fields) {
    if (key == name) return value;
  }
  return "";
}

inline Time at(std::int64_t seconds) {
  return from_micros(1'800'000'000'000'000 + seconds * 1'000'000);
}

inline call::Cdr cdr(const std::string& call_uuid, std::int64_t started = 0) {
  call::Cdr cdr;
  cdr.call_uuid = call_uuid;
  cdr.root_call_uuid = call_uuid;
  cdr.leg_role = "original";
  cdr.account_id = "acme";
  cdr.trunk_id = "t1";
  cdr.trunk_domain = "t1.trunk.example.com";
  cdr.carrier_id = "carrier-a";
  cdr.direction = "inbound";
  cdr.from_number = "+14155550100";
  cdr.to_number = "+442071838750";
  cdr.from_country = "US";
  cdr.to_country = "GB";
  cdr.initiated_at = at(started);
  cdr.answered_at = at(started + 2);
  cdr.ended_at = at(started + 62);
  cdr.sip_status = 200;
  cdr.hangup_code = 3000;
  cdr.hangup_cause = "normal_hangup";
  cdr.hangup_source = call::HangupSource::customer;
  cdr.transport = "tls";
  cdr.caller_sip_call_id = "caller-" + call_uuid;
  cdr.destination_sip_call_id = "destination-" + call_uuid;
  cdr.price_micros = 12'345;
  return cdr;
}

inline call::TransferRecord transfer(const std::string& id, const std::string& root,
                                     std::int64_t started = 30) {
  call::TransferRecord record;
  record.transfer_id = id;
  record.call_uuid = root;
  record.root_call_uuid = root;
  record.account_id = "acme";
  record.trunk_id = "t1";
  record.transferor = "agent";
  record.transferee = "+14155550100";
  record.refer_to = "sip:+14155551234@t1.trunk.example.com";
  record.target_number = "+14155551234";
  record.referred_by = "sip:agent@example.com";
  record.caller_id = "+14155550100";
  record.carrier_id = "carrier-a";
  record.outcome = "failed";
  record.refer_status = 202;
  record.final_status = 486;
  record.refused_by = "target";
  record.reason = "busy";
  record.depth = 1;
  record.started_at = at(started);
  record.ended_at = at(started + 5);
  record.steps = {{at(started), "accepted", 202, ""}, {at(started + 5), "failed", 486, "Busy Here"}};
  return record;
}

inline call::TraceMessage trace(const std::string& root, std::uint64_t sequence,
                                std::string bytes = "OPTIONS") {
  call::TraceMessage message;
  message.root_call_uuid = root;
  message.party = "caller";
  message.sequence = sequence;
  message.at = at(static_cast<std::int64_t>(sequence));
  message.sent = sequence % 2 == 1;
  message.transport = Transport::tcp;
  message.local = *SocketAddress::parse("[2001:db8::1]:5060");
  message.remote = *SocketAddress::parse("192.0.2.7:5080");
  message.bytes = std::move(bytes);
  return message;
}

inline WriterOptions options(const std::string& path, LogBook* book = nullptr) {
  WriterOptions options;
  options.path = path;
  options.retry_min = 1ms;
  options.retry_max = 20ms;
  if (book != nullptr) options.log = book->writer();
  return options;
}

inline std::unique_ptr<Writer> open_writer(WriterOptions options) {
  auto writer = Writer::open(std::move(options));
  EXPECT_TRUE(writer.has_value()) << writer.error();
  return writer ? std::move(*writer) : nullptr;
}

inline std::unique_ptr<Reader> open_reader(const std::string& path) {
  auto reader = Reader::open(path);
  EXPECT_TRUE(reader.has_value()) << reader.error();
  return reader ? std::move(*reader) : nullptr;
}

// A plain connection of "another program".
class Other {
 public:
  explicit Other(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &db_), SQLITE_OK);
    sqlite3_busy_timeout(db_, 5'000);
  }
  ~Other() { sqlite3_close(db_); }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;
  void run(const std::string& sql) {
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << sql << ": " << error;
    sqlite3_free(error);
  }
  [[nodiscard]] std::int64_t number(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sql;
    EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW) << sql;
    const std::int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
  }

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace baton::store::testing
