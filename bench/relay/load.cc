#include "relay/load.h"

#include <linux/net_tstamp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <thread>

#include "media/relay/rtp.h"
#include "relay/cores.h"

namespace baton::bench {
namespace {

constexpr std::size_t remembered = 256;
constexpr std::uint64_t frame_ns = 1'000'000'000 / Load::packets_per_second;

std::uint64_t nanoseconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

void sleep_until(std::uint64_t realtime_ns) {
  const timespec time{static_cast<time_t>(realtime_ns / 1'000'000'000),
                      static_cast<long>(realtime_ns % 1'000'000'000)};
  ::clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, nullptr);
}

}  // namespace

std::uint32_t Round::percentile(double share) {
  if (late_us.empty()) return 0;
  std::sort(late_us.begin(), late_us.end());
  const auto at = static_cast<std::size_t>(share * static_cast<double>(late_us.size()));
  return late_us[std::min(at, late_us.size() - 1)];
}

Load::Load(std::size_t streams) : count_(streams), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  const std::size_t sockets = std::clamp<std::size_t>(streams / group, 1, 64);
  for (std::size_t i = 0; i < sockets; ++i) {
    media::Descriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const auto any = media::to_kernel({IpAddress::v4(127, 0, 0, 1), 0});
    const int on = 1, room = 4 << 20;
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any.storage), any.length) != 0 ||
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &length) != 0 ||
        ::setsockopt(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0 ||
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) {
      throw std::runtime_error("not enough sockets for the parties");
    }
    static_cast<void>(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room));
    addresses_.push_back(media::from_kernel(name));
    sockets_.push_back(std::move(fd));
  }
}

std::vector<SocketAddress> Load::parties() const {
  std::vector<SocketAddress> all;
  for (std::size_t i = 0; i < count_; ++i) all.push_back(addresses_[i / group % sockets_.size()]);
  return all;
}

void Load::prepare(const Plane& plane, const std::vector<Speaks>& speak) {
  targets_.clear();
  by_port_.assign(65'536, static_cast<std::uint32_t>(count_));
  if (streams_.size() != count_) streams_.resize(count_);
  for (std::size_t i = 0; i < count_; ++i) {
    targets_.push_back(media::to_kernel(plane.address(i)));
    // What comes from the partner's socket is what this stream sent.
    by_port_[plane.address(partner(i)).port] = static_cast<std::uint32_t>(i);
    Stream& stream = streams_[i];
    stream.offset.reset();
    stream.payload_type = speak[i].format.payload_type;
    stream.ticks = sdp::clock_rate(speak[i].format.codec) / packets_per_second;
    stream.speech = speak[i].speech;
    stream.secure = speak[i].srtp.has_value();
    stream.sent_at.assign(remembered, 0);
    if (stream.secure && !stream.seal) {
      stream.seal = media::SrtpContext::sender(speak[i].srtp->suite, speak[i].srtp->theirs,
                                               static_cast<std::uint32_t>(i + 1));
    }
  }
}

void Load::send_group(std::size_t first, Round& round) {
  constexpr std::size_t room = 512;
  std::array<std::array<std::uint8_t, room>, group> buffers;
  std::array<iovec, group> parts{};
  std::array<mmsghdr, group> messages{};
  const std::size_t count = std::min(group, count_ - first);
  for (std::size_t i = 0; i < count; ++i) {
    Stream& stream = streams_[first + i];
    const auto& payload = (*stream.speech)[stream.sequence % stream.speech->size()];
    std::size_t size = media::rtp_header_bytes + payload.size();
    std::copy(payload.begin(), payload.end(), buffers[i].begin() + media::rtp_header_bytes);
    media::write_rtp_header({false, stream.payload_type, stream.sequence, stream.timestamp,
                             static_cast<std::uint32_t>(first + i + 1)},
                            buffers[i].data());
    if (stream.secure && !stream.seal->protect(buffers[i].data(), size, false)) size = 0;
    parts[i] = {buffers[i].data(), size};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = &targets_[first + i].storage;
    messages[i].msg_hdr.msg_namelen = targets_[first + i].length;
  }
  const std::uint64_t at = nanoseconds(CLOCK_REALTIME);
  for (std::size_t i = 0; i < count; ++i) {
    Stream& stream = streams_[first + i];
    stream.sent_at[stream.sequence % remembered] = at;
    ++stream.sequence;
    stream.timestamp += stream.ticks;
  }
  const int fd = sockets_[first / group % sockets_.size()].get();
  for (std::size_t done = 0; done < count;) {
    const int sent = ::sendmmsg(fd, messages.data() + done, static_cast<unsigned>(count - done), 0);
    if (sent <= 0) break;
    done += static_cast<std::size_t>(sent);
    round.sent += static_cast<std::uint64_t>(sent);
  }
}

void Load::arrived(std::uint16_t port, std::uint16_t sequence, std::uint64_t at, Round& round) {
  const std::uint32_t from = by_port_[port];
  if (from >= count_) return;
  Stream& stream = streams_[from];
  // The first to come back is taken for the first that was sent: nothing is lost when all is quiet.
  if (!stream.offset) {
    std::uint16_t first = stream.sequence;
    for (std::uint16_t back = 1; back <= remembered; ++back) {
      const auto own = static_cast<std::uint16_t>(stream.sequence - back);
      if (stream.sent_at[own % remembered] == 0) break;
      first = own;
    }
    stream.offset = static_cast<std::uint16_t>(sequence - first);
  }
  const auto own = static_cast<std::uint16_t>(sequence - *stream.offset);
  // A relay that makes packets anew may make more than there were.
  if (static_cast<std::int16_t>(own - stream.sequence) >= 0) return;
  ++round.arrived;
  const std::uint64_t sent = stream.sent_at[own % remembered];
  if (sent != 0 && at > sent) round.late_us.push_back(static_cast<std::uint32_t>((at - sent) / 1'000));
}

void Load::drain(Round& round) {
  constexpr std::size_t batch = 64;
  static thread_local std::array<std::array<std::uint8_t, 512>, batch> buffers;
  static thread_local std::array<std::array<std::uint8_t, 64>, batch> controls;
  std::array<sockaddr_in, batch> names{};
  std::array<iovec, batch> parts{};
  std::array<mmsghdr, batch> messages{};
  std::array<epoll_event, 64> events{};
  const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int e = 0; e < ready; ++e) {
    for (std::size_t i = 0; i < batch; ++i) {
      parts[i] = {buffers[i].data(), buffers[i].size()};
      messages[i].msg_hdr = {};
      messages[i].msg_hdr.msg_name = &names[i];
      messages[i].msg_hdr.msg_namelen = sizeof names[i];
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_control = controls[i].data();
      messages[i].msg_hdr.msg_controllen = controls[i].size();
    }
    const auto socket = events[static_cast<std::size_t>(e)].data.u64;
    const int count = ::recvmmsg(sockets_[socket].get(), messages.data(), batch, MSG_DONTWAIT, nullptr);
    for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i) {
      const cmsghdr* control = CMSG_FIRSTHDR(&messages[i].msg_hdr);
      if (control == nullptr || messages[i].msg_len < media::rtp_header_bytes) continue;
      timespec time{};
      std::memcpy(&time, CMSG_DATA(control), sizeof time);
      arrived(
          ntohs(names[i].sin_port), media::load16(buffers[i].data() + 2),
          static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec),
          round);
    }
  }
}

Round Load::run(Plane& plane, double seconds, const std::vector<Speaks>& speak) {
  prepare(plane, speak);
  Round round;
  round.late_us.reserve(
      static_cast<std::size_t>(seconds * packets_per_second * static_cast<double>(count_) * 1.1));
  const auto forwarded_before = plane.forwarded();
  const auto cpu_before = plane.cpu_ns();
  std::atomic<bool> stop{false};
  std::thread relay([&] {
    run_on(Core::first);
    const std::uint64_t before = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
    plane.run(stop);
    round.relay_cpu_ns = nanoseconds(CLOCK_THREAD_CPUTIME_ID) - before;
  });
  run_on(Core::last);
  const std::size_t groups = (count_ + group - 1) / group;
  const std::uint64_t begin = nanoseconds(CLOCK_REALTIME) + 1'000'000;
  const auto total = static_cast<std::uint64_t>(seconds * packets_per_second) * groups;
  for (std::uint64_t i = 0; i < total; ++i) {
    const std::uint64_t due = begin + i * frame_ns / groups;
    std::uint64_t now = nanoseconds(CLOCK_REALTIME);
    while (now < due) {
      drain(round);
      now = nanoseconds(CLOCK_REALTIME);
      if (now + 60'000 < due) sleep_until(due - 40'000);
      now = nanoseconds(CLOCK_REALTIME);
    }
    round.behind_us = std::max(round.behind_us, static_cast<std::int64_t>((now - due) / 1'000));
    send_group(i % groups * group, round);
    drain(round);
  }
  const std::uint64_t end = nanoseconds(CLOCK_REALTIME) + 200'000'000;
  while (nanoseconds(CLOCK_REALTIME) < end && round.arrived < round.sent) drain(round);
  stop = true;
  relay.join();
  round.forwarded = forwarded_before ? *plane.forwarded() - *forwarded_before : round.arrived;
  if (cpu_before) round.relay_cpu_ns = *plane.cpu_ns() - *cpu_before;
  return round;
}

}  // namespace baton::bench
