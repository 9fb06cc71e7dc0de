#include "load/media.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <string>

namespace baton::bench {
namespace {

constexpr Nanos millisecond = 1'000'000;
constexpr Nanos frame = 20 * millisecond;
constexpr std::size_t batch = 64, header_bytes = 12, packet_bytes = header_bytes + 160;
constexpr int socket_buffer = 16 * 1024 * 1024;
constexpr int rounds_of_reading = 16;
constexpr std::uint32_t mark = 0x42'61'74'6f;

// Stands at the beginning of the audio: a relay passes it on as it is.
struct Stamp {
  std::uint32_t mark = 0;
  std::uint32_t role = 0;
  std::uint64_t call = 0;
  Nanos sent = 0;  // CLOCK_REALTIME, as the kernel stamps arrivals
};

int open_socket(const std::string& ip, std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const sockaddr_in address = to_sockaddr(ip, port);
  const int on = 1;
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("the audio port " + ip + ":" + std::to_string(port) + " can not be bound");
  }
  ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &socket_buffer, sizeof socket_buffer) != 0)
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &socket_buffer, sizeof socket_buffer);
  return fd;
}

// The text after `start` up to the end of its word; empty when it is not there.
std::string_view word_after(std::string_view text, std::string_view start) {
  const std::size_t at = text.find(start);
  if (at == text.npos) return {};
  text.remove_prefix(at + start.size());
  return text.substr(0, text.find_first_of(" \r\n"));
}

}  // namespace

Media::Media(const Wire::Options& wire, std::uint16_t port, bool flows) : flows_(flows) {
  for (std::size_t role = 0; role < role_count; ++role)
    sockets_[role] = open_socket(wire.addresses[role], port);
}

Media::~Media() {
  for (const int fd : sockets_) {
    if (fd >= 0) ::close(fd);
  }
}

void Media::begin(std::uint64_t call, Role role, std::string_view description) {
  const std::string ip(word_after(description, "c=IN IP4 "));
  const std::string_view port_text = word_after(description, "m=audio ");
  std::uint16_t port = 0;
  std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  streams_[call % slots].push_back({call, role, 0, 0, to_sockaddr(ip, port)});
}

void Media::end(std::uint64_t call, Role role) {
  std::erase_if(streams_[call % slots],
                [&](const Stream& stream) { return stream.call == call && stream.role == role; });
}

void Media::round(Nanos now) {
  if (!flows_) return;
  if (due_ == 0) due_ = now;
  for (; due_ <= now; due_ += millisecond) {
    tally_.behind_max = std::max(tally_.behind_max, now - due_);
    send(streams_[slot_]);
    slot_ = (slot_ + 1) % slots;
  }
  for (const Role role : {Role::carrier, Role::endpoint, Role::target}) receive(role);
}

void Media::send(std::vector<Stream>& streams) {
  std::array<std::array<std::uint8_t, packet_bytes>, batch> packets;
  std::array<mmsghdr, batch> headers{};
  std::array<iovec, batch> parts{};
  for (const Role role : {Role::carrier, Role::endpoint, Role::target}) {
    std::size_t count = 0;
    const auto flush = [&] {
      // What the kernel has no room for is lost, as a packet is.
      const int went = count == 0 ? 0
                                  : ::sendmmsg(sockets_[static_cast<std::size_t>(role)], headers.data(),
                                               static_cast<unsigned>(count), 0);
      if (went > 0) tally_.sent += static_cast<std::uint64_t>(went);
      count = 0;
    };
    for (Stream& stream : streams) {
      if (stream.role != role) continue;
      auto& packet = packets[count];
      packet.fill(0xff);  // PCMU: nothing
      const std::uint16_t sequence = htons(stream.sequence++);
      const std::uint32_t timestamp = htonl(stream.timestamp);
      const std::uint32_t ssrc =
          htonl(static_cast<std::uint32_t>(stream.call * role_count) + static_cast<std::uint32_t>(role));
      stream.timestamp += 160;
      packet[0] = 0x80;
      packet[1] = 0;
      std::memcpy(&packet[2], &sequence, sizeof sequence);
      std::memcpy(&packet[4], &timestamp, sizeof timestamp);
      std::memcpy(&packet[8], &ssrc, sizeof ssrc);
      const Stamp stamp{mark, static_cast<std::uint32_t>(role), stream.call, real_time()};
      std::memcpy(&packet[header_bytes], &stamp, sizeof stamp);
      parts[count] = {packet.data(), packet.size()};
      headers[count].msg_hdr = {};
      headers[count].msg_hdr.msg_iov = &parts[count];
      headers[count].msg_hdr.msg_iovlen = 1;
      headers[count].msg_hdr.msg_name = &stream.to;
      headers[count].msg_hdr.msg_namelen = sizeof stream.to;
      if (++count == batch) flush();
    }
    flush();
  }
}

void Media::receive(Role role) {
  std::array<std::array<std::uint8_t, 2'048>, batch> packets;
  std::array<mmsghdr, batch> headers{};
  std::array<iovec, batch> parts{};
  std::array<std::array<std::uint8_t, CMSG_SPACE(sizeof(timespec))>, batch> controls{};
  for (int round = 0; round < rounds_of_reading; ++round) {
    for (std::size_t i = 0; i < batch; ++i) {
      parts[i] = {packets[i].data(), packets[i].size()};
      headers[i].msg_hdr.msg_iov = &parts[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      headers[i].msg_hdr.msg_control = controls[i].data();
      headers[i].msg_hdr.msg_controllen = controls[i].size();
    }
    const int count =
        ::recvmmsg(sockets_[static_cast<std::size_t>(role)], headers.data(), batch, MSG_DONTWAIT, nullptr);
    if (count <= 0) return;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      Stamp stamp;
      if (headers[i].msg_len < header_bytes + sizeof stamp) {
        ++tally_.made;
        continue;
      }
      std::memcpy(&stamp, &packets[i][header_bytes], sizeof stamp);
      if (stamp.mark != mark) {
        ++tally_.made;
        continue;
      }
      const auto from = static_cast<Role>(stamp.role);
      ++tally_.heard;
      // The carrier's party is in every call.
      if (from == role || (from != Role::carrier && role != Role::carrier)) ++tally_.wrong;
      const Nanos arrived = stamp_of(headers[i].msg_hdr);
      if (arrived == 0) continue;
      const Nanos took = arrived - stamp.sent;
      tally_.on_the_way.add(took);
      if (took >= frame) ++tally_.late;
    }
    if (static_cast<std::size_t>(count) < batch) return;
  }
}

}  // namespace baton::bench
