// Queries of the command line and the API, read-only, beside a running writer. Not thread-safe: one reader
// for each thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "call/records.h"

namespace baton::store {

struct Filter {
  std::size_t limit = 20;
  // Calls from or to numbers that begin so, transfers whose transferee or target does; '+' may be left out.
  // Empty: all.
  std::string number{};
  std::optional<Time> since{};  // started at or after
};

// All that is known of one call and its transfers, oldest first.
struct History {
  std::string root_call_uuid;
  std::vector<call::Cdr> cdrs;
  std::vector<call::TransferRecord> transfers;
  std::vector<call::TraceMessage> trace;
};

class Reader {
 public:
  // All errors of a reader are one line for a person.
  [[nodiscard]] static Result<std::unique_ptr<Reader>, std::string> open(const std::string& path);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Newest first.
  [[nodiscard]] Result<std::vector<call::Cdr>, std::string> cdrs(const Filter& filter);
  [[nodiscard]] Result<std::vector<call::TransferRecord>, std::string> transfers(const Filter& filter);

  // Of calls from or to such numbers.
  [[nodiscard]] Result<std::vector<call::RecordingRecord>, std::string> recordings(const Filter& filter);

  // By call_uuid or the beginning of one that only one call has.
  [[nodiscard]] Result<call::Cdr, std::string> cdr(std::string_view call_uuid);

  // The root call that a call_uuid, root_call_uuid, transfer_id, or a beginning of one that is unique,
  // belongs to. Calls still going on count as soon as they have left a trace message.
  [[nodiscard]] Result<std::string, std::string> find_root(std::string_view id);

  // Everything of that root call (its full id, as found by find_root). At most `trace_max` messages, the
  // first ones.
  [[nodiscard]] Result<History, std::string> history(std::string_view root_call_uuid,
                                                     std::size_t trace_max = 10'000);

 private:
  class Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton::store
