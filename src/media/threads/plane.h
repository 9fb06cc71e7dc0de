// The built-in media plane over several cores: so many threads, each with a relay and a part of the ports.
// See media::Relay, whose contract this is, but that answers come later, and that it is to be asked to
// flush() what it has been told. Belongs to one thread, the shard's; which endpoints are where is decided on
// that one (router.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.h"
#include "engine/action.h"
#include "media/port.h"
#include "media/relay/relay.h"
#include "media/relay/sockets.h"
#include "media/threads/outbox.h"
#include "media/threads/router.h"
#include "media/threads/worker.h"

namespace baton::media::threads {

class Plane {
 public:
  struct Options {
    unsigned threads = 1;  // at most workers_max
    Relay::Options relay;  // of all together
    std::function<void(const engine::Log&)> log{};
  };

  // Throws std::system_error when there can not be so many threads. `clock`: that of all times it is told.
  Plane(Options options, Clock clock);
  ~Plane();
  Plane(const Plane&) = delete;
  Plane& operator=(const Plane&) = delete;

  void perform(const Operation& operation, std::vector<Result>& results);
  // Gives the threads what has been asked for since.
  void flush();
  // Something has been asked for since.
  [[nodiscard]] bool must_flush() const { return !router_.orders().empty(); }

  // Readable when a thread, or the recorder, has something to say.
  [[nodiscard]] int poll_fd() const { return epoll_.get(); }
  void poll(std::vector<Result>& results);

  // Has everything done that was asked for, and ends the threads; what they say last is appended. Nothing is
  // to be asked of it afterwards.
  void finish(std::vector<Result>& results);

  [[nodiscard]] const Router& router() const { return router_; }

 private:
  void take_notes(std::vector<Result>& results);

  std::shared_ptr<Recorder> recorder_;
  std::function<void(const engine::Log&)> log_;
  Descriptor epoll_;  // of the outbox and the recorder
  Outbox outbox_;
  Router router_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::vector<Order>> orders_;  // scratch, by worker
  std::vector<Outbox::Mail> mails_;         // scratch
};

}  // namespace baton::media::threads
