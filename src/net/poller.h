// One epoll descriptor. A registration is named by a handle with a generation, so that an event that was
// fetched before its descriptor was closed, and perhaps opened anew, finds nobody instead of the wrong one.
// Not thread-safe; belongs to one loop.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <optional>

#include "base/result.h"
#include "base/slab.h"
#include "base/time.h"
#include "net/fd.h"

namespace baton::net {

class Poller {
 public:
  class Handler {
   public:
    virtual void ready(Time now, std::uint64_t tag, std::uint32_t events) = 0;

   protected:
    ~Handler() = default;
  };

  struct Registration {
    int fd = -1;
    Handler* handler = nullptr;
    std::uint64_t tag = 0;
    std::uint32_t events = 0;
  };
  using Token = Handle<Registration>;

  // The error is an errno.
  [[nodiscard]] static Result<std::unique_ptr<Poller>, int> open();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // An empty token when the kernel refuses. `handler` must live until remove().
  [[nodiscard]] Token add(int fd, std::uint32_t events, Handler& handler, std::uint64_t tag = 0);
  void change(Token token, std::uint32_t events);
  // Before the descriptor is closed.
  void remove(Token token);

  // Sleeps until something is ready or the time-out (nothing: for ever) is over. False when nothing is ready.
  bool wait(std::optional<Duration> timeout);
  // Calls the handlers of what wait() found.
  void dispatch(Time now);

 private:
  explicit Poller(Fd fd) : fd_(std::move(fd)) {}

  static constexpr int events_max = 256;
  Fd fd_;
  Slab<Registration> registrations_;
  std::array<epoll_event, events_max> ready_{};
  int ready_count_ = 0;
  bool has_pwait2_ = true;
};

}  // namespace baton::net
