// A party of a call with real sockets on the loopback interface, and a relay to talk to.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "media/relay/g711.h"
#include "media/relay/relay.h"
#include "media/relay/rtp.h"
#include "media/relay/sockets.h"

namespace baton::media::test {

inline const Time start = from_micros(1'790'000'000'000'000);

struct Heard {
  RtpHeader header;
  std::vector<std::uint8_t> payload;
};

// One UDP socket of the kernel's choosing.
class Plug {
 public:
  explicit Plug(const char* address = "127.0.0.1") : Plug(SocketAddress{*IpAddress::parse(address), 0}) {}
  explicit Plug(const SocketAddress& address)
      : fd_(::socket(address.ip.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const KernelAddress kernel = to_kernel(address);
    bound_ = ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&kernel.storage), kernel.length) == 0;
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&name), &length), 0);
    address_ = from_kernel(name);
  }

  [[nodiscard]] bool bound() const { return bound_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const SocketAddress& address() const { return address_; }

  void send(const SocketAddress& to, std::span<const std::uint8_t> bytes) const {
    const KernelAddress kernel = to_kernel(to);
    EXPECT_EQ(::sendto(fd_.get(), bytes.data(), bytes.size(), 0,
                       reinterpret_cast<const sockaddr*>(&kernel.storage), kernel.length),
              static_cast<ssize_t>(bytes.size()));
  }

  // What has arrived; on loopback a datagram is there when sendto returns.
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> receive() const {
    std::vector<std::uint8_t> bytes(4'096);
    const ssize_t size = ::recv(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size < 0) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(size));
    return bytes;
  }

 private:
  Descriptor fd_;
  SocketAddress address_;
  bool bound_ = false;
};

// A phone: RTP and RTCP sockets, one stream it sends.
class Party {
 public:
  explicit Party(EndpointId id_, sdp::Codec codec_ = sdp::Codec::pcmu, std::uint8_t dtmf_ = 101,
                 const char* address = "127.0.0.1")
      : id(id_), rtp(address), rtcp(address), codec(codec_), dtmf(dtmf_) {
    next = {false, sdp::default_payload_type(codec), 1'000, 50'000, 0x1000 + static_cast<std::uint32_t>(id)};
  }

  [[nodiscard]] Configure configure() const {
    Configure c;
    c.id = id;
    c.remote_rtp = rtp.address();
    c.remote_rtcp = rtcp.address();
    c.format = {codec, sdp::default_payload_type(codec)};
    c.accepted = {c.format};
    c.dtmf_payload_type = dtmf;
    return c;
  }

  // Sends a packet and moves its own stream on by 20 ms.
  void say(std::span<const std::uint8_t> payload) {
    send(next, payload);
    ++next.sequence;
    next.timestamp += 160;
  }
  void say() { say(std::vector<std::uint8_t>(160, static_cast<std::uint8_t>(id))); }

  void send(const RtpHeader& header, std::span<const std::uint8_t> payload) const {
    std::vector<std::uint8_t> bytes(rtp_header_bytes);
    write_rtp_header(header, bytes.data());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    rtp.send(relay_rtp, bytes);
  }

  [[nodiscard]] std::optional<Heard> hear() const {
    const auto bytes = rtp.receive();
    if (!bytes) return std::nullopt;
    const auto packet = read_rtp(*bytes);
    EXPECT_TRUE(packet.has_value());
    if (!packet) return std::nullopt;
    return Heard{packet->header,
                 {bytes->begin() + static_cast<std::ptrdiff_t>(packet->payload_offset), bytes->end()}};
  }

  [[nodiscard]] std::vector<Heard> hear_all() const {
    std::vector<Heard> all;
    while (auto heard = hear()) all.push_back(std::move(*heard));
    return all;
  }

  [[nodiscard]] SocketAddress relay_rtcp() const {
    return {relay_rtp.ip, static_cast<std::uint16_t>(relay_rtp.port + 1)};
  }

  EndpointId id;
  Plug rtp, rtcp;
  sdp::Codec codec;
  std::uint8_t dtmf;
  RtpHeader next;
  SocketAddress relay_rtp;
};

class RelayTest : public ::testing::Test {
 protected:
  // A loopback address of this process alone, so that tests running side by side do not take each other's
  // ports.
  static IpAddress relay_ip() {
    const auto pid = static_cast<unsigned>(::getpid());
    return IpAddress::v4(127, static_cast<std::uint8_t>(1 + (pid >> 16 & 0x7f)),
                         static_cast<std::uint8_t>(pid >> 8), static_cast<std::uint8_t>(pid));
  }

  static Relay::Options options() {
    Relay::Options o;
    o.v4 = Relay::Interface{relay_ip(), relay_ip()};
    o.v6 = Relay::Interface{*IpAddress::parse("::1"), *IpAddress::parse("::1")};
    o.port_min = 21'000;
    o.port_max = 21'999;
    o.seed = 7;
    return o;
  }

  void use(Relay::Options o) { relay.emplace(std::move(o)); }

  void perform(const Operation& operation) {
    if (!relay) use(options());
    if (const auto* open = std::get_if<Open>(&operation)) ids.push_back(open->id);
    if (const auto* record = std::get_if<Record>(&operation)) recording_ids.push_back(record->id);
    here().perform(now, operation, results);
  }

  // The relay that has the endpoints.
  [[nodiscard]] Relay& here() { return moved_to == nullptr ? *relay : *moved_to; }
  // All of them go to that one.
  void move_to(Relay& other) {
    auto parcel = here().take_out(ids, recording_ids);
    other.put_in(parcel, results);
    moved_to = &other;
  }
  // Run with BATON_RESTLESS, a test has all its endpoints leave and come back before each look at them:
  // nobody may notice.
  void go_and_return() {
    static const bool restless = std::getenv("BATON_RESTLESS") != nullptr;
    if (!restless || !relay || moved_to != nullptr) return;
    if (!spare) {
      Relay::Options o = options();
      o.port_min = 20'000;
      o.port_max = 20'001;
      spare.emplace(o);
    }
    move_to(*spare);
    move_to(*relay);
    moved_to = nullptr;
  }

  // Opens and configures an endpoint for the party.
  void join(Party& party) {
    perform(Open{party.id, party.rtp.address().ip.v6});
    ASSERT_FALSE(results.empty());
    const auto* opened = std::get_if<Opened>(&results.back());
    ASSERT_NE(opened, nullptr);
    party.relay_rtp = opened->local_rtp;
    perform(party.configure());
  }

  void hear(const Party& listener, const Party& party) { perform(Hear{listener.id, Hear::Party{party.id}}); }
  void ring(const Party& listener, const char* country) {
    perform(Hear{listener.id, Hear::RingBack{country}});
  }
  void hush(const Party& listener) { perform(Hear{listener.id, Hear::Silence{}}); }

  void bridge(Party& a, Party& b) {
    join(a);
    join(b);
    hear(a, b);
    hear(b, a);
  }

  // Reads all that is there.
  void pump() {
    go_and_return();
    for (;;) {
      pollfd fd{here().poll_fd(), POLLIN, 0};
      if (::poll(&fd, 1, 0) <= 0) return;
      here().poll(now, results);
    }
  }

  // Lets virtual time pass, with every timer at its time.
  void pass(Duration span) {
    go_and_return();
    const Time end = now + span;
    while (const auto deadline = here().next_deadline()) {
      if (*deadline > end) break;
      now = std::max(now, *deadline);
      here().advance(now, results);
    }
    now = end;
  }

  template <typename T>
  [[nodiscard]] std::vector<T> results_of() const {
    std::vector<T> found;
    for (const auto& result : results) {
      if (const auto* value = std::get_if<T>(&result)) found.push_back(*value);
    }
    return found;
  }

  Time now = start;
  std::optional<Relay> relay;
  std::optional<Relay> spare;
  Relay* moved_to = nullptr;
  std::vector<EndpointId> ids;
  std::vector<RecordingId> recording_ids;
  std::vector<Result> results;
};

}  // namespace baton::media::test
