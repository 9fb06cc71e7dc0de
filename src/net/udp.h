// One UDP socket a peer can reach us at. Reads in batches, writes in batches; what the kernel will not take
// now waits in a bounded queue that sheds its oldest, because SIP over UDP repeats what is lost and an old
// message is worth least. Belongs to one Net and its thread.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/buffers.h"
#include "base/result.h"
#include "net/control.h"
#include "net/inputs.h"
#include "net/poller.h"
#include "net/probe.h"
#include "net/sent_recently.h"
#include "net/socket.h"

namespace baton::net {

struct UdpLimits {
  int buffer_bytes = 8 * 1024 * 1024;      // asked of the kernel, each way
  std::size_t queue_messages_max = 8'192;  // waiting for the kernel
  std::size_t queue_bytes_max = 16 * 1024 * 1024;
  unsigned batches_per_round = 16;  // of reading, before others get their turn
};

// Buffers for recvmmsg, shared by the sockets of one thread.
class ReceiveBatch {
 public:
  static constexpr unsigned size = 32;
  static constexpr std::size_t slot_bytes = 65'536;

  ReceiveBatch();
  // Makes the headers ready for another recvmmsg.
  void rewind();
  [[nodiscard]] mmsghdr* headers() { return headers_.data(); }
  [[nodiscard]] const mmsghdr& header(unsigned i) const { return headers_[i]; }
  [[nodiscard]] const char* bytes(unsigned i) const { return buffer_.get() + i * slot_bytes; }
  [[nodiscard]] SocketAddress source(unsigned i) const { return KernelAddress::read(names_[i]); }

 private:
  std::unique_ptr<char[]> buffer_;
  std::array<mmsghdr, size> headers_{};
  std::array<iovec, size> vectors_{};
  std::array<sockaddr_storage, size> names_{};
  std::array<Control, size> controls_{};
};

class UdpSocket final : public Poller::Handler {
 public:
  [[nodiscard]] static Result<std::unique_ptr<UdpSocket>, OpenError> open(Poller& poller, Inputs& inputs,
                                                                          Probe& probe, ReceiveBatch& batch,
                                                                          Buffers& buffers,
                                                                          const Listener& listener,
                                                                          const UdpLimits& limits);
  ~UdpSocket();
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  void send(const SocketAddress& remote, std::string bytes);
  // Hands what waits to the kernel, as far as it takes it.
  void flush();

  [[nodiscard]] const Listener& listener() const { return listener_; }
  [[nodiscard]] std::size_t queued() const { return queue_.size(); }

  void ready(Time now, std::uint64_t tag, std::uint32_t events) override;

 private:
  static constexpr unsigned send_batch = 64;
  struct Datagram {
    SocketAddress remote;
    std::string bytes;
  };

  UdpSocket(Poller& poller, Inputs& inputs, Probe& probe, ReceiveBatch& batch, Buffers& buffers,
            Listener listener, const UdpLimits& limits, Fd fd);
  void receive(Time now);
  void take(unsigned slot, Time now, Duration wall_time);
  void count_kernel_drops(std::uint32_t total);
  // Reads what ICMP had to say. True when there was something.
  bool read_errors();
  void read_error(const msghdr& header, const SocketAddress& remote, std::string_view cited);
  [[nodiscard]] int send_some();
  // Deals with sendmmsg's errno for the first in the queue. False: stop for now.
  bool send_refused(int error, unsigned& attempts);
  void pop_front();
  void want_write(bool wanted);

  Poller& poller_;
  Inputs& inputs_;
  Probe& probe_;
  ReceiveBatch& batch_;
  Buffers& buffers_;
  Listener listener_;
  UdpLimits limits_;
  Fd fd_;
  Poller::Token token_;
  std::deque<Datagram> queue_;
  std::size_t queue_bytes_ = 0;
  SentRecently sent_;
  LocalAddresses locals_;  // of a socket bound to every address
  std::uint32_t kernel_drops_ = 0;
  bool blocked_ = false;
};

}  // namespace baton::net
