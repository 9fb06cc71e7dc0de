#include "shard/shard.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/assert.h"

namespace baton::shard {
namespace {

// How old status() may be while calls are busy, and how long the loop sleeps when nothing is to be done.
constexpr Duration publish_interval = 20ms;
constexpr Duration sleep_max = 1s;

OpenError system_failure(const char* what, int error) {
  return {std::nullopt, std::string(what) + ": " + std::generic_category().message(error)};
}

Result<std::unique_ptr<net::Net>, OpenError> open_net(net::Poller& poller, const Options& options,
                                                      const Clock& clock, const Outlets& outlets) {
  net::Options net_options = options.net;
  net_options.first_flow = static_cast<FlowId>(to_micros(clock()));
  if (!net_options.log) net_options.log = outlets.log;
  auto net = net::Net::open(poller, std::move(net_options));
  if (!net) return fail(OpenError{std::nullopt, net.error()});
  for (const net::Listener& listener : options.listeners) {
    const auto bound = (*net)->listen(listener);
    if (!bound) return fail(OpenError{bound.error(), bound.error().to_string()});
  }
  return std::move(*net);
}

}  // namespace

// Wakes the loop when another thread has something for it.
class Shard::Doorbell final : private net::Poller::Handler {
 public:
  explicit Doorbell(net::Poller& poller) : poller_(poller), fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_) token_ = poller_.add(fd_.get(), EPOLLIN, *this);
  }
  ~Doorbell() { poller_.remove(token_); }
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  [[nodiscard]] bool works() const { return static_cast<bool>(token_); }
  void ring() const {
    const std::uint64_t one = 1;
    // Full means that it is ringing already.
    [[maybe_unused]] const ssize_t n = write(fd_.get(), &one, sizeof one);
  }

 private:
  void ready(Time /*now*/, std::uint64_t /*tag*/, std::uint32_t /*events*/) override {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t n = read(fd_.get(), &count, sizeof count);
  }

  net::Poller& poller_;
  net::Fd fd_;
  net::Poller::Token token_;
};

Clock make_clock() {
  const auto wall = std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch());
  const auto start = std::chrono::steady_clock::now();
  return [wall, start] {
    return Time{wall + std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - start)};
  };
}

Result<std::unique_ptr<Shard>, OpenError> Shard::open(Options options, Outlets outlets) {
  auto poller = net::Poller::open();
  if (!poller) return fail(system_failure("epoll", poller.error()));
  Clock clock = make_clock();
  options.net.buffers = options.engine.buffers = std::make_shared<Buffers>();
  auto net = open_net(**poller, options, clock, outlets);
  if (!net) return fail(net.error());
  options.engine.listeners.clear();
  for (const net::Listener& bound : (*net)->listeners()) {
    options.engine.listeners.push_back({bound.transport, bound.advertised});
  }
  std::unique_ptr<MediaPlane> media;
  if (options.rtpengine) {
    auto made = make_rtpengine(*std::move(options.rtpengine), options.rtpengine_key_log);
    if (!made) return fail(OpenError{std::nullopt, made.error()});
    media = std::move(*made);
  } else if (options.media_threads != 0) {
    auto made = make_media_threads({options.media_threads, std::move(options.relay), outlets.log}, clock);
    if (!made) return fail(OpenError{std::nullopt, made.error()});
    media = std::move(*made);
  } else {
    media = make_relay(std::move(options.relay));
  }
  auto machine = make_machine(std::move(options.engine), std::move(options.model));
  auto loop = std::make_unique<Loop>(std::move(*poller), std::move(*net), std::move(machine),
                                     std::move(media), std::move(outlets), clock, options.limits);
  return assemble(std::move(loop), std::move(clock));
}

Result<std::unique_ptr<Shard>, OpenError> Shard::assemble(std::unique_ptr<Loop> loop, Clock clock) {
  if (!loop->begin()) return fail(system_failure("epoll of the media plane", errno));
  std::unique_ptr<Shard> shard(new Shard(std::move(loop), std::move(clock)));
  if (!shard->doorbell_->works()) return fail(system_failure("eventfd", errno));
  return shard;
}

Shard::Shard(std::unique_ptr<Loop> loop, Clock clock)
    : clock_(std::move(clock)),
      listeners_(loop->net().listeners()),
      loop_(std::move(loop)),
      doorbell_(std::make_unique<Doorbell>(loop_->poller())),
      status_(take_status()) {}

Shard::~Shard() {
  stop();
}

void Shard::start() {
  BATON_ASSERT(!thread_.joinable());
  stopping_ = false;
  thread_ = std::thread([this] { run(); });
}

void Shard::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  doorbell_->ring();
  thread_.join();
}

std::uint64_t Shard::post(engine::Input command) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    commands_.push_back(std::move(command));
    number = ++posted_;
  }
  doorbell_->ring();
  return number;
}

void Shard::replace_tls(std::vector<std::pair<SocketAddress, net::TlsContextPtr>> contexts) {
  {
    const std::lock_guard lock(mutex_);
    for (auto& context : contexts) tls_.push_back(std::move(context));
  }
  doorbell_->ring();
}

Status Shard::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void Shard::run() {
  while (!stopping_) {
    take_commands();
    const std::uint64_t before = loop_->probe().inputs + loop_->probe().ticks;
    loop_->round(unpublished_ ? publish_interval : sleep_max);
    if (loop_->probe().inputs + loop_->probe().ticks != before) unpublished_ = true;
    publish(false);
  }
  take_commands();
  loop_->round(Duration::zero());
  loop_->end();
  publish(true);
}

void Shard::take_commands() {
  std::vector<engine::Input> commands;
  std::vector<std::pair<SocketAddress, net::TlsContextPtr>> tls;
  {
    const std::lock_guard lock(mutex_);
    commands.swap(commands_);
    tls.swap(tls_);
  }
  for (auto& [bound, context] : tls) loop_->replace_tls(bound, std::move(context));
  for (engine::Input& command : commands) loop_->put(std::move(command));
}

// A call more or less shows within publish_interval; an idle shard says once a second that it is alive.
void Shard::publish(bool at_once) {
  const Time now = clock_();
  const Duration due = unpublished_ ? publish_interval : sleep_max;
  if (!at_once && now - published_at_ < due) return;
  published_at_ = now;
  unpublished_ = false;
  Status fresh = take_status();
  const std::lock_guard lock(mutex_);
  status_ = std::move(fresh);
}

Status Shard::take_status() const {
  Status fresh;
  fresh.census = loop_->machine().census();
  fresh.counters = loop_->machine().counters();
  fresh.probe = loop_->probe();
  fresh.net = loop_->net().probe();
  fresh.connections = loop_->net().connections();
  fresh.media_loads = loop_->media().loads();
  fresh.at = clock_();
  fresh.commands_heard = loop_->probe().commands;
  return fresh;
}

}  // namespace baton::shard
