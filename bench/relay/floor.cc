#include "relay/floor.h"

#include <sys/epoll.h>

#include <stdexcept>

namespace baton::bench {

Floor::Floor(const std::vector<SocketAddress>& parties) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  for (std::size_t i = 0; i < parties.size(); ++i) {
    Stream stream;
    stream.fd = media::Descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const auto any = media::to_kernel({IpAddress::v4(127, 0, 0, 1), 0});
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    if (stream.fd.get() < 0 ||
        ::bind(stream.fd.get(), reinterpret_cast<const sockaddr*>(&any.storage), any.length) != 0 ||
        ::getsockname(stream.fd.get(), reinterpret_cast<sockaddr*>(&name), &length) != 0 ||
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stream.fd.get(), &event) != 0) {
      throw std::runtime_error("not enough sockets for the floor");
    }
    stream.local = media::from_kernel(name);
    stream.party = media::to_kernel(parties[i]);
    streams_.push_back(std::move(stream));
  }
}

void Floor::run(const std::atomic<bool>& stop) {
  std::array<epoll_event, 256> events{};
  while (!stop.load(std::memory_order_relaxed)) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 10);
    for (int i = 0; i < count; ++i) pass_on(events[static_cast<std::size_t>(i)].data.u64);
  }
}

void Floor::pass_on(std::size_t stream) {
  Stream& to = streams_[partner(stream)];
  for (std::size_t i = 0; i < batch; ++i) {
    parts_[i] = {buffers_[i].data(), buffers_[i].size()};
    messages_[i].msg_hdr = {};
    messages_[i].msg_hdr.msg_iov = &parts_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
  }
  const int count = ::recvmmsg(streams_[stream].fd.get(), messages_.data(), batch, MSG_DONTWAIT, nullptr);
  if (count <= 0) return;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    parts_[i].iov_len = messages_[i].msg_len;
    messages_[i].msg_hdr.msg_name = &to.party.storage;
    messages_[i].msg_hdr.msg_namelen = to.party.length;
  }
  const int sent = ::sendmmsg(to.fd.get(), messages_.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
  if (sent > 0) forwarded_ += static_cast<std::uint64_t>(sent);
}

}  // namespace baton::bench
