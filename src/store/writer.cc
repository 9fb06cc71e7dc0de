#include "store/writer.h"

#include <SQLiteCpp/Exception.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "store/batch.h"
#include "store/connection.h"
#include "store/queue.h"
#include "store/standing.h"
#include "store/unwritten.h"

namespace baton::store {
namespace {

using Clock = std::chrono::steady_clock;

// The connection is still good; anything else may have to do with the file and is tried with a new one.
bool keeps_connection(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return true;
    default:
      return false;
  }
}

// Deleted or renamed under us: what is written now would be lost with the last descriptor.
bool has_moved(SQLite::Database& db) {
  int moved = 0;
  const int code = sqlite3_file_control(db.getHandle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return code == SQLITE_OK && moved != 0;
}

// Signals are for the thread that waits for them. SIGXFSZ, too, would end the process where EFBIG is an
// answer.
std::thread start_without_signals(std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  pthread_setname_np(thread.native_handle(), "store");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

class Writer::Impl {
 public:
  Impl(WriterOptions options, Connection connection)
      : options_(std::move(options)),
        queue_({options_.queue_max, options_.queue_bytes_max}),
        connection_(std::move(connection)) {
    batch_.emplace(*connection_);
    thread_ = start_without_signals([this] { run(); });
  }

  void submit(Record&& record);
  bool flush(Duration patience);
  bool stop(Duration patience);
  [[nodiscard]] WriterStats stats() const;

 private:
  enum class Attempt { done, refused };
  using Fields = std::vector<std::pair<std::string, std::string>>;

  void run();
  void gather();
  void write_waiting();
  [[nodiscard]] Attempt try_batch();
  [[nodiscard]] bool connect();
  void disconnect();
  void committed(std::size_t count, const Batch::Written& written);
  void failed(int code, const std::string& what);
  void settle(bool at_once);
  void shed_traces();
  void back_off();
  [[nodiscard]] bool past_stop() const;
  // Somebody waits for what there is to be written.
  [[nodiscard]] bool hurried() const {
    return stopping_.load(std::memory_order_acquire) || flushing_.load() != 0;
  }
  void report_queue();
  void leave_unwritten();
  void finish(std::size_t count);  // the first `count` records need no more work
  void log(engine::Severity severity, const char* event, Fields fields) const {
    if (options_.log) options_.log(engine::Log{severity, event, std::move(fields)});
  }

  const WriterOptions options_;
  Queue queue_;
  std::atomic<std::uint64_t> submitted_{0}, written_{0}, duplicates_{0}, failed_attempts_{0}, refused_{0};
  std::atomic<bool> healthy_{true};
  std::atomic<bool> stopping_{false}, stopped_{false};
  std::atomic<unsigned> flushing_{0};
  std::atomic<Clock::rep> stop_at_{0};
  std::mutex done_mutex_;
  std::condition_variable done_changed_;
  std::uint64_t done_ = 0;  // of queue_.accepted(); under done_mutex_

  // The writer's thread alone.
  std::deque<Record> waiting_;
  Connection connection_;
  std::optional<Batch> batch_;
  Duration back_off_{0};
  bool refusing_ = false;  // as the log has it
  int last_code_ = 0;
  Clock::time_point failed_at_{};
  bool backlog_reported_ = false;
  bool dropping_ = false;
  std::uint64_t dropped_before_ = 0;

  static constexpr Clock::duration stuck_after = 1s;  // with a thread that stands back
  std::atomic<Clock::rep> progress_at_{0};            // when something was written, or began to wait
  Standing standing_;
  std::mutex stop_mutex_;
  std::thread thread_;
};

void Writer::Impl::submit(Record&& record) {
  submitted_.fetch_add(1, std::memory_order_relaxed);
  if (stopped_.load(std::memory_order_acquire)) {
    if (options_.log && !is_trace(record)) options_.log(unwritten(record, "the store is closed"));
    return;
  }
  const Clock::rep now = Clock::now().time_since_epoch().count();
  if (queue_.count() == 0) progress_at_.store(now, std::memory_order_relaxed);
  queue_.put(std::move(record));
  const Clock::duration stuck(now - progress_at_.load(std::memory_order_relaxed));
  if (queue_.count() > 4 * options_.batch_max || stuck > stuck_after) standing_.step_forward();
}

bool Writer::Impl::flush(Duration patience) {
  const std::uint64_t target = queue_.accepted();
  ++flushing_;
  standing_.step_forward();
  queue_.wake();
  std::unique_lock lock(done_mutex_);
  const bool done = done_changed_.wait_for(lock, patience, [&] { return done_ >= target; });
  --flushing_;
  return done;
}

bool Writer::Impl::stop(Duration patience) {
  const std::lock_guard only_one(stop_mutex_);
  if (thread_.joinable()) {
    stop_at_ = (Clock::now() + patience).time_since_epoch().count();
    stopping_.store(true, std::memory_order_release);
    standing_.step_forward();
    queue_.wake();
    thread_.join();
    queue_.take(waiting_);  // what was submitted while the thread ended
    leave_unwritten();
  }
  const std::lock_guard lock(done_mutex_);
  return done_ == queue_.accepted();
}

WriterStats Writer::Impl::stats() const {
  WriterStats stats;
  stats.submitted = submitted_;
  stats.written = written_;
  stats.duplicates = duplicates_;
  stats.traces_dropped = queue_.dropped();
  stats.failed_attempts = failed_attempts_;
  stats.refused = refused_;
  stats.queued = queue_.count();
  stats.healthy = healthy_;
  return stats;
}

void Writer::Impl::run() {
  standing_.adopt();
  while (!stopping_.load(std::memory_order_acquire)) {
    if (refusing_) {
      queue_.wait(options_.retry_max);
    } else {
      queue_.wait();
    }
    queue_.clear_wake();
    gather();
    queue_.take(waiting_);
    write_waiting();
    if (!hurried()) standing_.step_back();
    // Whoever came in between saw a thread that had not stepped back yet.
    if (hurried()) standing_.step_forward();
  }
  standing_.step_forward();
  queue_.take(waiting_);
  write_waiting();
  settle(true);
  report_queue();
  stopped_.store(true, std::memory_order_release);
  standing_.leave();
  disconnect();
}

// Pages of an index that many records change are written once for all of them.
void Writer::Impl::gather() {
  const auto until = Clock::now() + options_.gather;
  for (auto now = Clock::now(); now < until; now = Clock::now()) {
    if (hurried() || queue_.count() >= options_.batch_max) return;
    queue_.wait(std::chrono::ceil<Duration>(until - now));
    queue_.clear_wake();
  }
}

void Writer::Impl::write_waiting() {
  while (!waiting_.empty()) {
    report_queue();
    const Attempt attempt = try_batch();
    if (past_stop()) return;
    if (attempt == Attempt::refused) back_off();
    queue_.take(waiting_);
  }
  report_queue();
}

Writer::Impl::Attempt Writer::Impl::try_batch() {
  if (connection_ && has_moved(*connection_)) {
    log(engine::Severity::warning, "store.moved", {{"path", options_.path}});
    // SQLite does not do this on closing a file that has moved, and the log would be lost with its last
    // batches.
    connection_->tryExec("PRAGMA wal_checkpoint(TRUNCATE)");
    disconnect();
  }
  if (!connection_ && !connect()) return Attempt::refused;
  const std::size_t count = std::min(waiting_.size(), options_.batch_max);
  const auto written = batch_->write(waiting_, count);
  if (written) {
    committed(count, *written);
    return Attempt::done;
  }
  const BatchError& error = written.error();
  failed(error.code, describe(options_.path, error.code, error.message));
  if ((error.code & 0xff) == SQLITE_FULL) shed_traces();
  if (!keeps_connection(error.code)) disconnect();
  return Attempt::refused;
}

bool Writer::Impl::connect() {
  auto connection = open_for_writing(options_.path, options_.pages_max);
  if (!connection) {
    failed(SQLITE_CANTOPEN, connection.error());
    return false;
  }
  try {
    batch_.emplace(**connection);
  } catch (const SQLite::Exception& e) {
    batch_.reset();
    failed(e.getExtendedErrorCode(), describe(options_.path, e.getExtendedErrorCode(), e.what()));
    return false;
  }
  connection_ = std::move(*connection);
  return true;
}

void Writer::Impl::disconnect() {
  batch_.reset();
  connection_.reset();
}

void Writer::Impl::committed(std::size_t count, const Batch::Written& written) {
  for (const auto& refused : written.refused) {
    if (options_.log) options_.log(unwritten(waiting_[refused.position], refused.why));
  }
  const std::size_t kept = count - written.refused.size(), duplicates = kept - written.added;
  refused_ += written.refused.size();
  written_ += kept;
  duplicates_ += duplicates;
  // Expected after a commit that failed and yet was done; otherwise two calls share an id, which must not
  // stay unseen.
  if (duplicates > 0) {
    log(engine::Severity::warning, "store.duplicates", {{"count", std::to_string(duplicates)}});
  }
  back_off_ = Duration{0};
  healthy_ = true;
  progress_at_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
  finish(count);  // last: it wakes whoever waits, who may ask for the state
}

void Writer::Impl::finish(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    queue_.forget(waiting_.front());
    waiting_.pop_front();
  }
  {
    const std::lock_guard lock(done_mutex_);
    done_ += count;
  }
  done_changed_.notify_all();
}

void Writer::Impl::failed(int code, const std::string& what) {
  ++failed_attempts_;
  healthy_ = false;
  failed_at_ = Clock::now();
  const int kind = code & 0xff;
  if (refusing_ && kind == last_code_) return;
  refusing_ = true;
  last_code_ = kind;
  log(engine::Severity::error, "store.refusing",
      {{"reason", what}, {"waiting", std::to_string(queue_.count())}});
}

// A disk that is nearly full takes one batch and refuses the next: only when nothing was refused for a while
// is that over.
void Writer::Impl::settle(bool at_once) {
  if (!refusing_ || !healthy_ || (!at_once && Clock::now() < failed_at_ + options_.retry_max)) return;
  refusing_ = false;
  log(engine::Severity::info, "store.recovered",
      {{"path", options_.path}, {"waiting", std::to_string(queue_.count())}});
}

// What room the disk has left belongs to the CDRs.
void Writer::Impl::shed_traces() {
  std::deque<Record> kept;
  std::size_t shed = 0;
  for (Record& record : waiting_) {
    if (is_trace(record)) {
      queue_.forget_dropped(record);
      ++shed;
    } else {
      kept.push_back(std::move(record));
    }
  }
  waiting_ = std::move(kept);
  {
    const std::lock_guard lock(done_mutex_);
    done_ += shed;
  }
  done_changed_.notify_all();
}

void Writer::Impl::back_off() {
  back_off_ = std::clamp(back_off_ * 2, options_.retry_min, options_.retry_max);
  const auto until = Clock::now() + back_off_;
  for (auto now = Clock::now(); now < until; now = Clock::now()) {
    // From stop() on every moment counts.
    if (stopping_.load(std::memory_order_acquire)) {
      std::this_thread::sleep_for(std::min<Duration>(options_.retry_min, 50ms));
      return;
    }
    queue_.wait(std::chrono::ceil<Duration>(until - now));
    queue_.clear_wake();
  }
}

bool Writer::Impl::past_stop() const {
  return stopping_.load(std::memory_order_acquire) && Clock::now().time_since_epoch().count() >= stop_at_;
}

void Writer::Impl::report_queue() {
  settle(false);
  const bool backlog = queue_.kept_count() > options_.records_max;
  if (backlog && !backlog_reported_) {
    log(engine::Severity::error, "store.backlog",
        {{"waiting", std::to_string(queue_.kept_count())}, {"bound", std::to_string(options_.records_max)}});
  }
  backlog_reported_ = backlog;
  const std::uint64_t dropped = queue_.dropped();
  if (!dropping_ && dropped > dropped_before_) {
    dropping_ = true;
    log(engine::Severity::warning, "store.traces_dropped", {{"waiting", std::to_string(queue_.count())}});
  } else if (dropping_ && !refusing_ && queue_.half_empty()) {
    dropping_ = false;
    log(engine::Severity::info, "store.traces_kept",
        {{"dropped", std::to_string(dropped - dropped_before_)}});
    dropped_before_ = dropped;
  }
}

void Writer::Impl::leave_unwritten() {
  for (const Record& record : waiting_) {
    if (options_.log && !is_trace(record))
      options_.log(unwritten(record, "the store refused it until the end"));
    queue_.forget(record);
  }
  waiting_.clear();
}

Writer::Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Writer::~Writer() {
  impl_->stop(10s);
}

Result<std::unique_ptr<Writer>, std::string> Writer::open(WriterOptions options) {
  auto connection = open_for_writing(options.path, options.pages_max);
  if (!connection) return fail(std::move(connection.error()));
  const std::string path = options.path;
  try {
    return std::unique_ptr<Writer>(
        new Writer(std::make_unique<Impl>(std::move(options), std::move(*connection))));
  } catch (const SQLite::Exception& e) {
    return fail(describe(path, e.getExtendedErrorCode(), e.what()));
  }
}

void Writer::submit(Record record) {
  impl_->submit(std::move(record));
}
bool Writer::flush(Duration patience) {
  return impl_->flush(patience);
}
bool Writer::stop(Duration patience) {
  return impl_->stop(patience);
}
WriterStats Writer::stats() const {
  return impl_->stats();
}

}  // namespace baton::store
