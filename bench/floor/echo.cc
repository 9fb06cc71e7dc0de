// The floor under any UDP server: what the kernel alone takes to receive datagrams of a size in batches and
// to send each of them back. Two threads; what the one that echoes costs is measured, by its own CPU clock.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t batch = 32;  // as the server's
constexpr std::size_t slot = 2'048;

struct Room {
  Room() {
    for (std::size_t i = 0; i < batch; ++i) {
      parts[i] = {bytes.data() + i * slot, slot};
      headers[i].msg_hdr.msg_iov = &parts[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      headers[i].msg_hdr.msg_name = &names[i];
      headers[i].msg_hdr.msg_namelen = sizeof names[i];
    }
  }
  std::vector<char> bytes = std::vector<char>(batch * slot, 'x');
  std::array<sockaddr_in, batch> names{};
  std::array<iovec, batch> parts{};
  std::array<mmsghdr, batch> headers{};
};

int open_socket(sockaddr_in& address) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int buffer = 8 * 1024 * 1024;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no UDP socket on the loopback can be had");
  }
  return fd;
}

double cpu_seconds() {
  timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) / 1e9;
}

bool wait_readable(int fd, int milliseconds) {
  pollfd readable{fd, POLLIN, 0};
  return ::poll(&readable, 1, milliseconds) > 0;
}

// Echoes until `over`; CPU seconds a message.
double echo(int fd, const std::atomic<bool>& over) {
  Room room;
  std::uint64_t messages = 0;
  const double start = cpu_seconds();
  while (!over) {
    if (!wait_readable(fd, 50)) continue;
    for (std::size_t i = 0; i < batch; ++i) {
      room.parts[i].iov_len = slot;
      room.headers[i].msg_hdr.msg_namelen = sizeof room.names[i];
    }
    const int count = ::recvmmsg(fd, room.headers.data(), batch, MSG_DONTWAIT, nullptr);
    if (count <= 0) continue;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
      room.parts[i].iov_len = room.headers[i].msg_len;
    ::sendmmsg(fd, room.headers.data(), static_cast<unsigned>(count), 0);
    messages += static_cast<std::uint64_t>(count);
  }
  return (cpu_seconds() - start) / static_cast<double>(messages == 0 ? 1 : messages);
}

// Keeps `window` messages of `size` bytes on the way.
void ask(int fd, const sockaddr_in& to, std::size_t size, std::uint64_t messages, std::size_t window) {
  Room room;
  std::uint64_t sent = 0, heard = 0;
  while (heard < messages) {
    std::size_t count = std::min<std::uint64_t>({batch, messages - sent, window - (sent - heard)});
    for (std::size_t i = 0; i < count; ++i) {
      room.parts[i].iov_len = size;
      room.names[i] = to;
      room.headers[i].msg_hdr.msg_namelen = sizeof to;
    }
    if (count > 0)
      sent += static_cast<std::uint64_t>(
          std::max(0, ::sendmmsg(fd, room.headers.data(), static_cast<unsigned>(count), 0)));
    if (!wait_readable(fd, 200)) {
      heard = sent;  // lost: asked for anew
      continue;
    }
    for (std::size_t i = 0; i < batch; ++i) {
      room.parts[i].iov_len = slot;
      room.headers[i].msg_hdr.msg_namelen = sizeof room.names[i];
    }
    const int got = ::recvmmsg(fd, room.headers.data(), batch, MSG_DONTWAIT, nullptr);
    if (got > 0) heard += static_cast<std::uint64_t>(got);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"What a bare UDP echo costs: the floor under any server of such messages."};
  std::size_t size = 600, window = 64;
  std::uint64_t messages = 500'000;
  app.add_option("--bytes", size, "of each message")->check(CLI::Range(1, 2'048))->capture_default_str();
  app.add_option("--messages", messages)->capture_default_str();
  app.add_option("--window", window, "messages on the way at a time")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    sockaddr_in server{}, client{};
    const int serving = open_socket(server), asking = open_socket(client);
    std::atomic<bool> over = false;
    double each = 0;
    std::thread echoing([&] { each = echo(serving, over); });
    ask(asking, server, size, messages, window);
    over = true;
    echoing.join();
    std::printf("%s\n",
                nlohmann::json{{"bytes", size}, {"messages", messages}, {"cpu_us_per_message", each * 1e6}}
                    .dump()
                    .c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
