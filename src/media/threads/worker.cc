#include "media/threads/worker.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <exception>
#include <iterator>
#include <utility>

#include "base/assert.h"

namespace baton::media::threads {
namespace {

// After a round that threw: most likely there is no memory, and trying at once again finds none either.
constexpr auto failure_pause = std::chrono::milliseconds(10);

// Runs it and gives the text of what it threw, or nothing.
template <typename F>
std::string guarded(F&& run) {
  try {
    run();
    return {};
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "unknown exception";
  }
}

// Signals are for the thread that waits for them.
std::thread start_without_signals(std::function<void()> body, const std::string& name) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  struct Restore {
    const sigset_t& mask;
    ~Restore() { pthread_sigmask(SIG_SETMASK, &mask, nullptr); }
  } const restore{before};
  std::thread thread(std::move(body));
  pthread_setname_np(thread.native_handle(), name.c_str());
  return thread;
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  BATON_ASSERT(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

}  // namespace

Worker::Worker(unsigned number, Relay::Options options, Clock clock, Outbox& outbox)
    : number_(number),
      clock_(std::move(clock)),
      outbox_(outbox),
      bell_(make_bell()),
      relay_(std::move(options)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  BATON_ASSERT(epoll_.get() >= 0);
  watch(epoll_.get(), bell_.get());
  watch(epoll_.get(), relay_.poll_fd());
  thread_ = start_without_signals([this] { run(); }, "media-" + std::to_string(number));
}

Worker::~Worker() {
  stop();
}

void Worker::give(std::vector<Order>& orders) {
  if (orders.empty()) return;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = inbox_.empty();
    if (first) {
      inbox_.swap(orders);
    } else {
      std::move(orders.begin(), orders.end(), std::back_inserter(inbox_));
    }
  }
  orders.clear();
  if (first) ring(bell_.get());
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ring(bell_.get());
  thread_.join();
}

void Worker::run() {
  for (bool last = false; !last;) {
    const std::string failure = guarded([&] { last = round(); });
    if (failure.empty()) continue;
    failure_ = failure;
    std::this_thread::sleep_for(failure_pause);
  }
}

// True: it was the last one.
bool Worker::round() {
  wait();
  last_ = (std::exchange(rung_, false) && take_orders()) || last_;
  while (performed_ < orders_.size()) perform(orders_[performed_++]);
  orders_.clear();
  performed_ = 0;
  relay_.take_stray_pairs(pairs_);
  for (PortPair& pair : pairs_) notes_.emplace_back(Stray{std::move(pair)});
  pairs_.clear();
  if (std::exchange(packets_wait_, false)) relay_.poll(clock_(), results_);
  const auto due = relay_.next_deadline();
  if (const Time now = clock_(); due && *due <= now) relay_.advance(now, results_);
  note_results();
  tell();
  return last_;
}

// Until something has come or a timer is due.
void Worker::wait() {
  std::array<epoll_event, 2> ready{};
  std::int64_t us = -1;
  if (const auto due = relay_.next_deadline()) us = std::max<std::int64_t>((*due - clock_()).count(), 0);
  if (!notes_.empty() || !results_.empty() || !failure_.empty()) us = 0;  // of a round that threw
  int count = -1;
  if (has_pwait2_) {
    timespec spec{};
    spec.tv_sec = us / 1'000'000;
    spec.tv_nsec = static_cast<long>(us % 1'000'000) * 1'000;
    count = ::epoll_pwait2(epoll_.get(), ready.data(), ready.size(), us < 0 ? nullptr : &spec, nullptr);
    if (count < 0 && (errno == ENOSYS || errno == EPERM)) has_pwait2_ = false;
  }
  if (!has_pwait2_) {
    const std::int64_t ms = us < 0 ? -1 : std::min<std::int64_t>((us + 999) / 1'000, INT_MAX);
    count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), static_cast<int>(ms));
  }
  for (int i = 0; i < count; ++i) {
    (ready[static_cast<std::size_t>(i)].data.fd == bell_.get() ? rung_ : packets_wait_) = true;
  }
}

// True: these are the last ones.
bool Worker::take_orders() {
  // Before the lock: who gives something behind this rings again.
  silence(bell_.get());
  const std::lock_guard lock(mutex_);
  if (orders_.empty()) {
    orders_.swap(inbox_);
  } else {  // of a round that threw
    std::move(inbox_.begin(), inbox_.end(), std::back_inserter(orders_));
    inbox_.clear();
  }
  return stopping_;
}

void Worker::perform(Order& order) {
  const std::string failure = guarded([&] { perform(clock_(), order); });
  if (failure.empty()) return;
  failure_ = failure;
  give_up(order);
}

void Worker::perform(Time now, Order& order) {
  if (const auto* operation = std::get_if<Operation>(&order)) {
    relay_.perform(now, *operation, results_);
  } else if (const auto* take = std::get_if<TakeOut>(&order)) {
    note_results();
    notes_.reserve(notes_.size() + 1);  // what has been taken out must not be lost
    notes_.emplace_back(Taken{take->move, relay_.take_out(take->endpoints, take->recordings)});
  } else if (auto* put = std::get_if<PutIn>(&order)) {
    relay_.put_in(put->parcel, results_);
  } else {
    relay_.take_back(now, std::move(std::get<TakeBack>(order).pair));
  }
}

// Whoever waits for an answer gets one.
void Worker::give_up(const Order& order) {
  if (const auto* take = std::get_if<TakeOut>(&order)) {
    notes_.emplace_back(Taken{take->move, {}});
  } else if (const auto* put = std::get_if<PutIn>(&order)) {
    for (const EndpointId id : put->parcel.endpoints())
      results_.emplace_back(Lost{id, "there is no memory for it"});
  } else if (const auto* operation = std::get_if<Operation>(&order)) {
    if (const auto* open = std::get_if<Open>(operation))
      results_.emplace_back(OpenFailed{open->id, failure_});
    if (const auto* close = std::get_if<Close>(operation)) results_.emplace_back(Closed{close->id});
    if (const auto* record = std::get_if<Record>(operation)) {
      Recorded none;
      none.id = record->id;
      none.error = failure_;
      results_.emplace_back(std::move(none));
    }
  }
}

void Worker::note_results() {
  for (Result& result : results_) notes_.emplace_back(std::move(result));
  results_.clear();
}

void Worker::tell() {
  if (notes_.empty() && failure_.empty()) return;
  outbox_.put(number_, notes_, failure_);
}

}  // namespace baton::media::threads
