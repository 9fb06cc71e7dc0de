// The writing side of the store: one thread of its own, fed by the shards, that puts records into SQLite in
// batches. A CDR or transfer record that was submitted is written exactly once while the process lives,
// however long the disk is full or the file locked; trace messages are shed first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "engine/action.h"
#include "store/port.h"

namespace baton::store {

struct WriterOptions {
  std::string path;                // the SQLite file; made when it is not there
  std::size_t queue_max = 65'536;  // records waiting; beyond it new trace messages are dropped
  std::size_t queue_bytes_max = 64 * 1024 * 1024;  // the same, by the size of the trace messages waiting
  std::size_t records_max = 1'000'000;             // CDRs and transfers waiting; beyond it the log says so
  std::size_t batch_max = 1'024;                   // records in one transaction
  Duration gather = 100ms;                         // a record waits for others so long: one sync for all
  Duration retry_min = 50ms;                       // back-off while the store refuses, doubling from here …
  Duration retry_max = 5s;                         // … to here
  std::uint64_t pages_max = 0;                     // upper bound of the file in pages; 0: SQLite's own
  std::function<void(const engine::Log&)>
      log;  // called on the writer's thread, in stop(), and after it in submit()
};

struct WriterStats {
  std::uint64_t submitted = 0;
  std::uint64_t written = 0;     // committed, duplicates included
  std::uint64_t duplicates = 0;  // were there already and changed nothing
  std::uint64_t traces_dropped = 0;
  std::uint64_t failed_attempts = 0;  // transactions the store refused
  std::uint64_t refused = 0;          // records SQLite will never take; logged in full
  std::size_t queued = 0;
  bool healthy = true;  // false while the store refuses
};

class Writer {
 public:
  // Opens or creates the store, migrates it and starts the thread. The error is one line for a person.
  [[nodiscard]] static Result<std::unique_ptr<Writer>, std::string> open(WriterOptions options);
  ~Writer();  // stop()
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Never blocks and takes no lock. Any thread; the order of one thread's records is kept. After stop()
  // records are only counted as submitted.
  void submit(Record record);

  // Waits until everything submitted before is committed; false when that takes longer than `patience`.
  bool flush(Duration patience);

  // Writes what waits, for at most `patience`, then ends the thread. What could not be written by then is
  // logged, record by record, so that an operator can still find every CDR. True when nothing was left.
  bool stop(Duration patience = 10s);

  [[nodiscard]] WriterStats stats() const;

 private:
  class Impl;
  explicit Writer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton::store
