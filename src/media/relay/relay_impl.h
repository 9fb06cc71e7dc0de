// Inside of the relay: shared by relay.cc (operations and timers) and packets.cc (what arrives and leaves).
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/slab.h"
#include "base/timer_queue.h"
#include "media/relay/endpoint.h"
#include "media/relay/ports.h"
#include "media/relay/relay.h"
#include "media/relay/rtp.h"

namespace baton::media {

inline constexpr std::size_t datagram_bytes_max = 2'048;
inline constexpr std::size_t batch_size = 16;
inline constexpr std::size_t events_max = 256;
// What epoll tells of a socket: itself, and its port, by which its endpoint is found. It stays watched at
// rest.
struct Watched {
  int fd = -1;
  std::uint16_t port = 0;
  [[nodiscard]] std::uint64_t pack() const { return (static_cast<std::uint64_t>(fd) << 16) | port; }
  [[nodiscard]] static Watched unpack(std::uint64_t data) {
    return {static_cast<int>(data >> 16), static_cast<std::uint16_t>(data)};
  }
};
inline constexpr std::uint64_t recorder_mark = ~std::uint64_t{0};  // no socket's

// Room for one recvmmsg.
struct Batch {
  Batch() {
    for (std::size_t i = 0; i < batch_size; ++i) {
      parts[i] = {buffers[i].data(), buffers[i].size()};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_name = &from[i];
    }
  }

  // Returns how many datagrams came.
  std::size_t receive(int fd) {
    for (auto& message : messages) message.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    const int count = ::recvmmsg(fd, messages.data(), batch_size, MSG_DONTWAIT, nullptr);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }

  [[nodiscard]] bool whole(std::size_t i) const { return (messages[i].msg_hdr.msg_flags & MSG_TRUNC) == 0; }
  [[nodiscard]] std::span<std::uint8_t> bytes(std::size_t i) {
    return {buffers[i].data(), messages[i].msg_len};
  }

  std::array<std::array<std::uint8_t, datagram_bytes_max>, batch_size> buffers{};
  std::array<sockaddr_storage, batch_size> from{};
  std::array<iovec, batch_size> parts{};
  std::array<mmsghdr, batch_size> messages{};
};

class Relay::Impl {
 public:
  explicit Impl(Options options);

  void perform(Time now, const Open& open, std::vector<Result>& results);
  void perform(Time now, const Configure& configure, std::vector<Result>& results);
  void perform(Time now, const Hear& hear, std::vector<Result>& results);
  void perform(Time now, const Close& close, std::vector<Result>& results);
  void perform(Time now, const SendDigit& digit, std::vector<Result>& results);
  void perform(Time now, const Record& record, std::vector<Result>& results);
  void perform(Time now, const StopRecording& stop, std::vector<Result>& results);
  void poll(Time now, std::vector<Result>& results);
  void advance(Time now, std::vector<Result>& results);
  // moving.cc
  [[nodiscard]] Parcel take_out(const std::vector<EndpointId>& ids,
                                const std::vector<RecordingId>& recordings);
  void put_in(Parcel& parcel, std::vector<Result>& results);
  void take_stray_pairs(std::vector<PortPair>& pairs);
  void take_back(Time now, PortPair pair);

  [[nodiscard]] int poll_fd() const { return epoll_.get(); }
  [[nodiscard]] std::optional<Time> next_deadline() const;
  [[nodiscard]] std::size_t endpoints() const { return endpoints_.size(); }
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  using EndpointHandle = Handle<Endpoint>;

  [[nodiscard]] EndpointHandle find(EndpointId id) const;
  [[nodiscard]] EndpointHandle& owner_of(std::uint16_t port) { return owners_[port / 2]; }
  [[nodiscard]] baton::Result<PortPair, std::string> take_pair(Time now, bool v6);
  [[nodiscard]] bool watch(const SocketPair& sockets, std::uint16_t port);
  void unwatch(const SocketPair& sockets);
  void give_back(Time now, Endpoint& endpoint);
  [[nodiscard]] bool is_quiet(const SocketPair& sockets);

  void report_digits(std::vector<Result>& results);
  void read(Time now, Watched socket);
  void receive_rtp(Time now, EndpointHandle handle, Endpoint& endpoint, std::span<std::uint8_t> bytes,
                   const SocketAddress& from);
  void receive_rtcp(Time now, EndpointHandle handle, Endpoint& endpoint, std::span<std::uint8_t> bytes,
                    const SocketAddress& from);
  [[nodiscard]] bool unseal(Time now, Endpoint& endpoint, bool admitted, std::span<std::uint8_t>& bytes,
                            bool rtcp);
  [[nodiscard]] const std::uint8_t* seal(Endpoint& endpoint, const std::uint8_t* bytes, std::size_t& size,
                                         bool rtcp);
  void heard(Time now, EndpointHandle handle, Endpoint& endpoint);
  void drop(Endpoint& endpoint, std::uint64_t& why);
  void forward(Time now, Meaning meaning, sdp::Codec codec, const RtpPacket& packet, std::uint8_t* bytes,
               EndpointHandle handle);
  // transcode.cc
  void transcode_packet(Time now, sdp::Codec codec, bool noise, const RtpPacket& packet,
                        std::span<const std::uint8_t> payload, EndpointHandle handle, Endpoint& listener);
  void send_frames(Time now, EndpointHandle handle, Endpoint& listener, Time due);
  void send_samples(Time now, Endpoint& listener, std::span<const std::int16_t> samples, unsigned rate,
                    std::uint32_t ticks);
  static void stop_transcoding(Endpoint& listener);
  void send_rtp(Endpoint& endpoint, const std::uint8_t* bytes, std::size_t payload_bytes);

  // comfort.cc
  void watch_comfort(Time now, EndpointHandle handle, Endpoint& listener, Duration after);
  void check_comfort(Time now, EndpointHandle handle, Endpoint& listener, Time due);
  static void end_comfort(Endpoint& listener);

  // digits.cc
  void take_event(Time now, EndpointHandle handle, Endpoint& endpoint, const RtpPacket& packet,
                  const std::uint8_t* payload);
  void check_event(Time now, EndpointHandle handle, Endpoint& endpoint);
  void close_event(Time now, Endpoint& endpoint);
  void listen_for_tones(Time now, Endpoint& endpoint, sdp::Codec codec,
                        std::span<const std::uint8_t> payload);
  // Whether the listener will be sent it.
  [[nodiscard]] bool begin_digit(Time now, EndpointHandle handle, std::uint8_t event);
  void end_digit(Time now, const Endpoint& source, EndpointHandle handle, std::uint8_t event,
                 Duration lasted);
  void start_digits(Time now, EndpointHandle handle, Endpoint& endpoint);
  void play_digits(Time now, EndpointHandle handle, Endpoint& endpoint, Time due);
  void send_digit_event(Time now, Endpoint& endpoint, const DigitPlayer::Packet& packet);
  void send_digit_tone(Time now, Endpoint& endpoint, const DigitPlayer::Packet& packet);

  void arm(EndpointHandle handle, Endpoint& endpoint, RelayTimer timer, Time at);
  void unhear(EndpointHandle handle, Endpoint& listener);
  void cut_listeners(const Endpoint& endpoint);
  void retarget(Time now, EndpointHandle handle, Endpoint& endpoint);
  void play(Time now, EndpointHandle handle, Endpoint& endpoint, Time due);
  void send_tone(Time now, Endpoint& endpoint, std::uint32_t ticks);
  void watch_silence(Time now, EndpointHandle handle, Endpoint& endpoint);
  void check_silence(Time now, EndpointHandle handle, Endpoint& endpoint, std::vector<Result>& results);
  void send_report(Time now, Endpoint& endpoint, bool last);
  [[nodiscard]] Time next_report(Time now);

  Options options_;
  Rng rng_;
  PortPool ports_;
  Descriptor epoll_;
  Slab<Endpoint> endpoints_;
  std::unordered_map<EndpointId, EndpointHandle> by_id_;
  std::vector<PortPair> stray_pairs_;   // of other relays, no longer needed here
  std::vector<EndpointHandle> owners_;  // by half the port; of a pair at rest: none
  TimerQueue timers_;
  RingBackLibrary ring_backs_;
  ComfortNoise comfort_noise_;  // whose next samples are everybody's
  Counters counters_;
  std::vector<Digit> digits_reported_;
  std::unordered_map<RecordingId, std::array<EndpointHandle, 2>> recorded_;
  Batch batch_;
  std::array<epoll_event, events_max> events_{};
  std::array<std::uint8_t, datagram_bytes_max + rtp_header_bytes> scratch_{};
  alignas(8) std::array<std::uint8_t, datagram_bytes_max + rtp_header_bytes + srtp_trailer_bytes_max> sealed_;
  std::array<std::int16_t, 8 * 60> tone_{};  // one packet of it
};

}  // namespace baton::media
