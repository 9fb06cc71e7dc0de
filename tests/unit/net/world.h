// A Net on loopback for tests: real sockets, injected time.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "net/net.h"

namespace baton::net {

inline const IpAddress loopback = IpAddress::v4(127, 0, 0, 1);
inline const IpAddress loopback6 = *IpAddress::parse("::1");

inline std::string message(const std::string& name, const std::string& body = "") {
  return "OPTIONS sip:" + name + "@example.com SIP/2.0\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// A peer's socket: blocking, with a time limit that only a failing test meets.
class Peer {
 public:
  explicit Peer(int type, const IpAddress& ip = loopback) : Peer(type, SocketAddress{ip, 0}) {}
  Peer(int type, const SocketAddress& at) : fd_(socket(at.ip.v6 ? AF_INET6 : AF_INET, type, 0)) {
    const timeval limit{3, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const KernelAddress address(at);
    EXPECT_EQ(bind(fd_.get(), address.get(), address.length()), 0);
  }
  explicit Peer(Fd fd) : fd_(std::move(fd)) {}

  [[nodiscard]] SocketAddress address() const { return local_address(fd_.get()); }
  [[nodiscard]] int fd() const { return fd_.get(); }

  void send_to(const SocketAddress& to, const std::string& bytes) const {
    const KernelAddress address(to);
    EXPECT_EQ(sendto(fd_.get(), bytes.data(), bytes.size(), 0, address.get(), address.length()),
              static_cast<ssize_t>(bytes.size()));
  }
  void connect_to(const SocketAddress& to) const {
    const KernelAddress address(to);
    ASSERT_EQ(::connect(fd_.get(), address.get(), address.length()), 0) << strerror(errno);
  }
  void listen_on(int backlog = 8) const { ASSERT_EQ(::listen(fd_.get(), backlog), 0); }
  [[nodiscard]] Peer accept_one() const {
    Fd fd(::accept(fd_.get(), nullptr, nullptr));
    EXPECT_TRUE(fd);
    const timeval limit{3, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return Peer(std::move(fd));
  }
  void send(const std::string& bytes) const {
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // One datagram, or what a stream has at the moment; empty: closed, reset or nothing came.
  [[nodiscard]] std::string receive() const {
    std::string bytes(65'536, '\0');
    const ssize_t n = recv(fd_.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
  }
  [[nodiscard]] std::string receive(std::size_t length) const {
    std::string bytes;
    while (bytes.size() < length) {
      const std::string more = receive();
      if (more.empty()) break;
      bytes += more;
    }
    return bytes;
  }
  // Reset instead of an orderly end.
  void reset() {
    const linger now{1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.reset();
  }
  void close() { fd_.reset(); }
  [[nodiscard]] bool is_closed_by_other() const {
    pollfd watched{fd_.get(), POLLIN, 0};
    if (poll(&watched, 1, 3'000) <= 0) return false;
    char c = 0;
    return recv(fd_.get(), &c, 1, MSG_PEEK) <= 0;
  }

 private:
  Fd fd_;
};

class World : public testing::Test {
 protected:
  void open(Options options = {}) {
    net_.reset();  // it has to leave the poller it is registered with
    auto poller = Poller::open();
    ASSERT_TRUE(poller);
    poller_ = std::move(*poller);
    auto net = Net::open(*poller_, std::move(options));
    ASSERT_TRUE(net) << net.error();
    net_ = std::move(*net);
  }

  Listener listen(Transport transport, const IpAddress& ip = loopback,
                  SocketAddress advertised = {IpAddress::v4(198, 51, 100, 7), 5060}) {
    const auto bound = net_->listen({transport, {ip, 0}, advertised});
    EXPECT_TRUE(bound) << bound.error().to_string();
    return bound.value_or(Listener{});
  }

  // One turn of the loop, in the world's time.
  void turn(int wait_ms = 10) {
    net_->flush(now_);
    poller_->wait(Duration(wait_ms * 1'000));
    poller_->dispatch(now_);
    net_->advance(now_);
    net_->flush(now_);
    engine::Input input;
    while (net_->take(input)) inputs_.push_back(std::move(input));
  }

  template <typename Done>
  bool turn_until(Done&& done) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    while (!done()) {
      if (std::chrono::steady_clock::now() > until) return false;
      turn();
    }
    return true;
  }

  void pass(Duration time) {
    now_ += time;
    turn(0);
  }

  template <typename T>
  [[nodiscard]] std::vector<T> all() const {
    std::vector<T> found;
    for (const engine::Input& input : inputs_) {
      if (const T* value = std::get_if<T>(&input)) found.push_back(*value);
    }
    return found;
  }
  template <typename T>
  bool turn_until_some(std::size_t count = 1) {
    return turn_until([&] { return all<T>().size() >= count; });
  }
  [[nodiscard]] std::vector<SocketAddress> failures() const {
    std::vector<SocketAddress> found;
    for (const auto& failed : all<engine::TransportFailed>()) found.push_back(failed.remote);
    return found;
  }

  Time now_ = from_micros(1'000'000'000);
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<Net> net_;
  std::vector<engine::Input> inputs_;
};

}  // namespace baton::net
