#include "net/poller.h"

#include <cerrno>
#include <climits>
#include <ctime>

namespace baton::net {

Result<std::unique_ptr<Poller>, int> Poller::open() {
  Fd fd(epoll_create1(EPOLL_CLOEXEC));
  if (!fd) return fail(errno);
  return std::unique_ptr<Poller>(new Poller(std::move(fd)));
}

Poller::Token Poller::add(int fd, std::uint32_t events, Handler& handler, std::uint64_t tag) {
  const Token token = registrations_.emplace(Registration{fd, &handler, tag, events});
  epoll_event event{};
  event.events = events;
  event.data.u64 = token.pack();
  if (epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return token;
  registrations_.erase(token);
  return {};
}

void Poller::change(Token token, std::uint32_t events) {
  Registration* registration = registrations_.find(token);
  if (registration == nullptr || registration->events == events) return;
  registration->events = events;
  epoll_event event{};
  event.events = events;
  event.data.u64 = token.pack();
  epoll_ctl(fd_.get(), EPOLL_CTL_MOD, registration->fd, &event);
}

void Poller::remove(Token token) {
  const Registration* registration = registrations_.find(token);
  if (registration == nullptr) return;
  epoll_ctl(fd_.get(), EPOLL_CTL_DEL, registration->fd, nullptr);
  registrations_.erase(token);
}

bool Poller::wait(std::optional<Duration> timeout) {
  ready_count_ = 0;
  const std::int64_t us = timeout ? std::max<std::int64_t>(timeout->count(), 0) : -1;
  int count = -1;
  // Milliseconds are coarse beside packets 20 ms apart, so microseconds where the kernel has them (5.11).
  if (has_pwait2_) {
    timespec spec{};
    spec.tv_sec = us / 1'000'000;
    spec.tv_nsec = static_cast<long>(us % 1'000'000) * 1'000;
    count = epoll_pwait2(fd_.get(), ready_.data(), events_max, us < 0 ? nullptr : &spec, nullptr);
    if (count < 0 && (errno == ENOSYS || errno == EPERM)) has_pwait2_ = false;
  }
  if (!has_pwait2_) {
    const std::int64_t ms = us < 0 ? -1 : std::min<std::int64_t>((us + 999) / 1'000, INT_MAX);
    count = epoll_wait(fd_.get(), ready_.data(), events_max, static_cast<int>(ms));
  }
  ready_count_ = std::max(count, 0);  // EINTR: nothing found, the caller comes round again
  return ready_count_ > 0;
}

void Poller::dispatch(Time now) {
  for (int i = 0; i < ready_count_; ++i) {
    const epoll_event& event = ready_[static_cast<std::size_t>(i)];
    const Registration* found = registrations_.find(Token::unpack(event.data.u64));
    if (found == nullptr) continue;
    const Registration registration = *found;  // the handler may remove itself
    registration.handler->ready(now, registration.tag, event.events);
  }
  ready_count_ = 0;
}

}  // namespace baton::net
