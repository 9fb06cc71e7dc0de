#include "relay/baton_plane.h"

#include <sys/epoll.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "media/relay/sockets.h"

namespace baton::bench {
namespace {

media::Relay::Options options() {
  media::Relay::Options options;
  options.v4 = media::Relay::Interface{IpAddress::v4(127, 0, 0, 1), IpAddress::v4(127, 0, 0, 1)};
  options.port_min = BatonPlane::port_min;
  options.port_max = BatonPlane::port_max;
  return options;
}

Time clock_now() {
  return from_micros(
      std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()).count());
}

}  // namespace

BatonPlane::BatonPlane(const std::vector<SocketAddress>& parties, const std::vector<Speaks>& speak)
    : relay_(options()) {
  const Time now = clock_now();
  for (std::size_t i = 0; i < parties.size(); ++i) {
    relay_.perform(now, media::Open{i + 1, false}, results_);
    const auto* opened = std::get_if<media::Opened>(&results_.back());
    if (opened == nullptr) {
      const auto* failed = std::get_if<media::OpenFailed>(&results_.back());
      throw std::runtime_error(failed != nullptr ? failed->reason : "no endpoint");
    }
    addresses_.push_back(opened->local_rtp);
    media::Configure configure;
    configure.id = i + 1;
    configure.remote_rtp = parties[i];
    // The parties have no RTCP; it goes where nobody looks.
    configure.remote_rtcp = SocketAddress{parties[i].ip, 9};
    configure.format = speak[i].format;
    configure.accepted = {speak[i].format};
    configure.srtp = speak[i].srtp;
    relay_.perform(now, configure, results_);
  }
  for (std::size_t i = 0; i < parties.size(); ++i) {
    relay_.perform(now, media::Hear{i + 1, media::Hear::Party{partner(i) + 1}}, results_);
  }
}

void BatonPlane::run(const std::atomic<bool>& stop) {
  const media::Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  event.events = EPOLLIN;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, relay_.poll_fd(), &event) != 0) {
    throw std::runtime_error("epoll in epoll");
  }
  while (!stop.load(std::memory_order_relaxed)) {
    int wait_ms = 10;
    Time now = clock_now();
    if (const auto deadline = relay_.next_deadline()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - now).count();
      wait_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, wait_ms));
    }
    const int ready = ::epoll_wait(epoll.get(), &event, 1, wait_ms);
    now = clock_now();
    if (ready > 0) relay_.poll(now, results_);
    if (const auto deadline = relay_.next_deadline(); deadline && *deadline <= now) {
      relay_.advance(now, results_);
    }
    results_.clear();
  }
}

}  // namespace baton::bench
