#include "media/threads/plane.h"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "base/assert.h"
#include "media/digits/tones.h"

namespace baton::media::threads {
namespace {

constexpr auto finish_max = std::chrono::seconds(2);
constexpr int finish_step_ms = 50;

Router::Options router_options(const Plane::Options& options) {
  Router::Options router;
  router.ranges = divide_ports(options.relay.port_min, options.relay.port_max, options.threads);
  router.endpoints_max = options.relay.endpoints_max;
  return router;
}

Relay::Options part_of(const Plane::Options& whole, const PortRange& range, unsigned number) {
  Relay::Options part = whole.relay;
  part.port_min = range.first;
  part.port_max = range.last;
  part.open_pairs_max = std::max<std::size_t>(whole.relay.open_pairs_max / whole.threads, 1);
  part.tells_recorded = false;
  if (part.seed != 0) part.seed += number;
  return part;
}

}  // namespace

Plane::Plane(Options options, Clock clock)
    : recorder_(options.relay.recorder),
      log_(options.log),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      router_(router_options(options)),
      orders_(options.threads) {
  BATON_ASSERT(epoll_.get() >= 0 && options.threads > 0 && options.threads <= workers_max);
  for (const int fd : {outbox_.fd(), recorder_ ? recorder_->fd() : -1}) {
    if (fd < 0) continue;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    BATON_ASSERT(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0);
  }
  // The first one fills a table that the library shares between all of them, without a lock.
  static_cast<void>(ToneDetector());
  const std::vector<PortRange> ranges =
      divide_ports(options.relay.port_min, options.relay.port_max, options.threads);
  for (unsigned i = 0; i < options.threads; ++i)
    workers_.push_back(std::make_unique<Worker>(i, part_of(options, ranges[i], i), clock, outbox_));
}

Plane::~Plane() = default;

void Plane::perform(const Operation& operation, std::vector<Result>& results) {
  router_.perform(operation, results);
}

void Plane::flush() {
  if (router_.orders().empty()) return;
  for (Router::Addressed& addressed : router_.orders())
    orders_[addressed.worker].push_back(std::move(addressed.order));
  router_.orders().clear();
  for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i]->give(orders_[i]);
}

void Plane::poll(std::vector<Result>& results) {
  std::array<epoll_event, 2> ready{};
  const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), 0);
  for (int i = 0; i < count; ++i) {
    if (ready[static_cast<std::size_t>(i)].data.fd == outbox_.fd()) {
      take_notes(results);
      continue;
    }
    std::vector<Result> recorded;
    recorder_->take_finished(recorded);
    for (Result& result : recorded) router_.hear(0, std::move(result), results);
  }
}

void Plane::take_notes(std::vector<Result>& results) {
  outbox_.take(mails_);
  for (Outbox::Mail& mail : mails_) {
    if (!mail.failure.empty() && log_) {
      log_({engine::Severity::error,
            "media.thread_failed",
            {{"thread", std::to_string(mail.worker)}, {"error", mail.failure}}});
    }
    for (Note& note : mail.notes) router_.hear(mail.worker, std::move(note), results);
  }
}

void Plane::finish(std::vector<Result>& results) {
  flush();
  const auto until = std::chrono::steady_clock::now() + finish_max;
  while (router_.busy() && std::chrono::steady_clock::now() < until) {
    pollfd wanted{epoll_.get(), POLLIN, 0};
    static_cast<void>(::poll(&wanted, 1, finish_step_ms));
    poll(results);
    flush();
  }
  for (const auto& worker : workers_) worker->stop();
  take_notes(results);
}

}  // namespace baton::media::threads
