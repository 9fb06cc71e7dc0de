// The sockets of the load generator: one address for each party, over UDP with batches both ways, or over TCP
// or TLS with one connection each way that carries all of its calls. One thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "load/tls.h"

namespace baton::bench {

enum class Role : std::uint8_t { carrier, endpoint, target };
inline constexpr std::size_t role_count = 3;

enum class Transport : std::uint8_t { udp, tcp, tls };

// A way to the server: a party's UDP socket or one of its connections.
using Link = std::uint32_t;

class Wire {
 public:
  struct Options {
    std::string server = "127.0.0.1";
    std::uint16_t server_port = 5060;
    std::array<std::string, role_count> addresses{"127.0.0.11", "127.0.0.12", "127.0.0.13"};
    std::uint16_t port = 5070;  // of each of them
    Transport transport = Transport::udp;
    TlsFiles tls;
  };
  // Last: when it arrived, by the kernel's stamp on a datagram, by when it was read from a stream.
  // Nanoseconds of CLOCK_REALTIME, which such stamps are of.
  using Heard = std::function<void(Role, Link, std::string_view, std::int64_t)>;

  // Throws std::runtime_error with the reason.
  explicit Wire(Options options);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // The party's own way to the server.
  [[nodiscard]] Link own(Role role) const { return static_cast<Link>(role); }
  [[nodiscard]] const Options& options() const { return options_; }

  // Goes out with the next flush().
  void send(Link link, std::string_view message);
  void flush();
  // Waits no longer than `longest` and hands over what has come; bounded work.
  void round(std::chrono::nanoseconds longest, const Heard& heard);

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }
  [[nodiscard]] std::uint64_t bytes_received() const { return bytes_received_; }
  [[nodiscard]] std::uint64_t waits_for_room() const { return waits_; }

 private:
  struct Way {
    int fd = -1;
    Role role = Role::carrier;
    Ssl ssl;                         // of a connection by TLS
    std::string in, out;             // of a stream
    std::size_t gone = 0;            // of `out`, what the kernel has taken
    std::vector<std::size_t> sizes;  // of the datagrams in `out`
    bool blocked = false;
  };
  static constexpr std::size_t batch = 64;
  static constexpr std::size_t slot = 8'192;
  static constexpr std::size_t control_slot = 64;

  void open_udp(Role role);
  void open_stream(Role role);
  Link add(int fd, Role role, Ssl ssl = {});
  void watch(Link link, bool for_room);
  void accept(Role role);
  void receive_datagrams(Link link, const Heard& heard);
  void receive_stream(Link link, const Heard& heard);
  void take_stream(Link link, std::string_view bytes, const Heard& heard);
  void flush_datagrams(Way& way);
  void flush_stream(Link link);

  [[nodiscard]] bool stream() const { return options_.transport != Transport::udp; }

  Options options_;
  std::unique_ptr<Tls> tls_;
  int epoll_ = -1;
  std::array<int, role_count> listening_{-1, -1, -1};
  std::vector<Way> ways_;
  std::unique_ptr<char[]> slots_, controls_;
  std::array<mmsghdr, batch> headers_{};
  std::array<iovec, batch> vectors_{};
  std::uint64_t sent_ = 0, received_ = 0, bytes_sent_ = 0, bytes_received_ = 0, waits_ = 0;
};

// Nanoseconds of CLOCK_REALTIME.
[[nodiscard]] std::int64_t real_time();
// The kernel's stamp on a message that came by a socket with SO_TIMESTAMPNS; 0: it has none.
[[nodiscard]] std::int64_t stamp_of(msghdr& header);

// Throws std::runtime_error when `ip` is no IPv4 address.
[[nodiscard]] sockaddr_in to_sockaddr(const std::string& ip, std::uint16_t port);

}  // namespace baton::bench
