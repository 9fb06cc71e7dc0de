#include "shard/parts.h"

#include <sys/epoll.h>

#include <system_error>
#include <utility>

#include "base/assert.h"
#include "media/rtpengine/link.h"

namespace baton::shard {
namespace {

class EngineMachine final : public Machine {
 public:
  EngineMachine(engine::Options options, trunk::Snapshot model)
      : engine_(std::move(options), std::move(model)) {}

  void step(Time now, engine::Input input, engine::Actions& actions) override {
    engine_.step(now, std::move(input), actions);
  }
  std::optional<Time> next_deadline() const override { return engine_.next_deadline(); }
  engine::Census census() const override { return engine_.census(); }
  engine::Counters counters() const override { return engine_.counters(); }

 private:
  engine::Engine engine_;
};

class RelayPlane final : public MediaPlane {
 public:
  explicit RelayPlane(media::Relay::Options options) : relay_(std::move(options)) {}

  void perform(Time now, const media::Operation& operation, std::vector<media::Result>& results) override {
    relay_.perform(now, operation, results);
  }
  int poll_fd() const override { return relay_.poll_fd(); }
  void poll(Time now, std::vector<media::Result>& results) override { relay_.poll(now, results); }
  std::optional<Time> next_deadline() const override { return relay_.next_deadline(); }
  void advance(Time now, std::vector<media::Result>& results) override { relay_.advance(now, results); }

 private:
  media::Relay relay_;
};

class ThreadsPlane final : public MediaPlane {
 public:
  ThreadsPlane(media::threads::Plane::Options options, std::function<Time()> clock)
      : plane_(std::move(options), std::move(clock)) {}

  void perform(Time /*now*/, const media::Operation& operation,
               std::vector<media::Result>& results) override {
    plane_.perform(operation, results);
  }
  int poll_fd() const override { return plane_.poll_fd(); }
  void poll(Time /*now*/, std::vector<media::Result>& results) override { plane_.poll(results); }
  // A round that failed has not come to its flush().
  std::optional<Time> next_deadline() const override {
    return plane_.must_flush() ? std::optional(Time{}) : std::nullopt;
  }
  void advance(Time /*now*/, std::vector<media::Result>& /*results*/) override { plane_.flush(); }
  std::vector<std::size_t> loads() const override { return plane_.router().loads(); }
  void flush() override { plane_.flush(); }
  void finish(std::vector<media::Result>& results) override { plane_.finish(results); }

 private:
  media::threads::Plane plane_;
};

class RtpenginePlane final : public MediaPlane {
 public:
  RtpenginePlane(media::Rtpengine::Options options, media::rtpengine::Link link,
                 std::optional<media::rtpengine::Link> key_log)
      : link_(std::move(link)),
        key_log_(std::move(key_log)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        plane_(std::move(options)) {
    watch(link_);
    if (key_log_) watch(*key_log_);
  }

  void perform(Time now, const media::Operation& operation, std::vector<media::Result>& results) override {
    plane_.perform(now, operation, {results, datagrams_});
    send();
  }
  int poll_fd() const override { return epoll_.get(); }
  void poll(Time now, std::vector<media::Result>& results) override {
    for (unsigned i = 0; i < datagrams_per_round; ++i) {
      const auto datagram = link_.receive();
      if (!datagram) break;
      plane_.received(now, *datagram, {results, datagrams_});
    }
    for (unsigned i = 0; key_log_ && i < logged_per_round; ++i) {
      const auto datagram = key_log_->receive();
      if (!datagram) break;
      plane_.logged(now, *datagram, {results, datagrams_});
    }
    send();
  }
  std::optional<Time> next_deadline() const override { return plane_.next_deadline(); }
  void advance(Time now, std::vector<media::Result>& results) override {
    plane_.advance(now, {results, datagrams_});
    send();
  }

 private:
  static constexpr unsigned datagrams_per_round = 256, logged_per_round = 32;

  void watch(const media::rtpengine::Link& link) const {
    epoll_event event{};
    event.events = EPOLLIN;
    BATON_ASSERT(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, link.fd(), &event) == 0);
  }
  void send() {
    for (const std::string& datagram : datagrams_) link_.send(datagram);
    datagrams_.clear();
  }

  media::rtpengine::Link link_;
  std::optional<media::rtpengine::Link> key_log_;
  media::Descriptor epoll_;  // of both
  media::Rtpengine plane_;
  std::vector<std::string> datagrams_;  // scratch
};

}  // namespace

std::unique_ptr<Machine> make_machine(engine::Options options, trunk::Snapshot model) {
  return std::make_unique<EngineMachine>(std::move(options), std::move(model));
}

std::unique_ptr<MediaPlane> make_relay(media::Relay::Options options) {
  return std::make_unique<RelayPlane>(std::move(options));
}

Result<std::unique_ptr<MediaPlane>, std::string> make_media_threads(media::threads::Plane::Options options,
                                                                    std::function<Time()> clock) {
  const unsigned threads = options.threads;
  try {
    return std::make_unique<ThreadsPlane>(std::move(options), std::move(clock));
  } catch (const std::system_error& error) {
    return fail(std::to_string(threads) + " media threads: " + error.code().message());
  }
}

Result<std::unique_ptr<MediaPlane>, std::string> make_rtpengine(media::Rtpengine::Options options,
                                                                const std::optional<SocketAddress>& key_log) {
  auto link = media::rtpengine::Link::open(options.address);
  if (!link) return fail("rtpengine at " + options.address.to_string() + ": " + link.error());
  options.hears_keys = key_log.has_value();
  if (!key_log) return std::make_unique<RtpenginePlane>(std::move(options), std::move(*link), std::nullopt);
  auto log = media::rtpengine::Link::listen(*key_log);
  if (!log) return fail("rtpengine's log of keys at " + key_log->to_string() + ": " + log.error());
  return std::make_unique<RtpenginePlane>(std::move(options), std::move(*link), std::move(*log));
}

}  // namespace baton::shard
