#include "media/relay/relay.h"

#include <sys/epoll.h>
#include <sys/random.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "media/relay/relay_impl.h"
#include "media/relay/rtcp.h"

namespace baton::media {
namespace {

constexpr unsigned bind_attempts_max = 64;
// Decibels below the loudest: what a quiet room sounds like on the telephone.
constexpr std::uint8_t comfort_level = 60;
constexpr Duration report_interval = 5s;  // RFC 3550 6.2

std::uint64_t seed_of(std::uint64_t wanted) {
  if (wanted != 0) return wanted;
  std::uint64_t seed = 0;
  BATON_ASSERT(::getrandom(&seed, sizeof seed, 0) == static_cast<ssize_t>(sizeof seed));
  return seed;
}

Closed totals_of(const Endpoint& endpoint) {
  Closed closed;
  closed.id = endpoint.id;
  closed.packets_received = endpoint.packets_received;
  closed.packets_sent = endpoint.packets_sent;
  closed.packets_dropped = endpoint.packets_dropped;
  if (endpoint.configured) closed.codec = endpoint.format.codec;
  closed.ptime_ms = endpoint.ptime_ms;
  closed.received = endpoint.in.totals();
  if (endpoint.peer_lost) {
    const std::uint64_t lost = static_cast<std::uint64_t>(std::max(*endpoint.peer_lost, 0));
    Reception reported{0, std::min(lost, closed.packets_sent), endpoint.peer_jitter_us.mean(),
                       endpoint.peer_jitter_us.max()};
    reported.packets = closed.packets_sent - reported.lost;
    closed.reported = reported;
  }
  if (!endpoint.round_trip_us.empty()) {
    closed.round_trip_us = endpoint.round_trip_us.mean();
    closed.round_trip_us_max = endpoint.round_trip_us.max();
  }
  return closed;
}

}  // namespace

Relay::Impl::Impl(Options options)
    : options_(std::move(options)),
      rng_(seed_of(options_.seed)),
      ports_(options_.port_min, options_.port_max, options_.port_rest, rng_),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      owners_(32'768) {
  BATON_ASSERT(epoll_.get() >= 0);
  comfort_noise_.set_level(comfort_level);
  if (!options_.recorder || !options_.tells_recorded) return;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = recorder_mark;
  BATON_ASSERT(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, options_.recorder->fd(), &event) == 0);
}

Handle<Endpoint> Relay::Impl::find(EndpointId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? EndpointHandle{} : found->second;
}

baton::Result<PortPair, std::string> Relay::Impl::take_pair(Time now, bool v6) {
  const auto& interface = v6 ? options_.v6 : options_.v4;
  if (!interface) return fail(std::string(v6 ? "no IPv6" : "no IPv4") + " address for media is configured");
  if (endpoints_.size() >= options_.endpoints_max) {
    return fail("the limit of " + std::to_string(options_.endpoints_max) + " media endpoints is reached");
  }
  std::string reason;
  for (unsigned attempt = 0; attempt < bind_attempts_max; ++attempt) {
    auto pair = ports_.take(now, v6);
    if (!pair) return fail(reason.empty() ? ports_.shortage() : ports_.shortage() + "; " + reason);
    if (pair->is_open()) {
      if (is_quiet(pair->sockets)) return *std::move(pair);
      reason = "its pairs are still sent to by parties of calls that have ended";
      pair->sockets = {};
      ports_.give_back(now, *std::move(pair), true);
      continue;
    }
    if (endpoints_.size() + ports_.open() >= options_.open_pairs_max) ports_.close_one();
    auto sockets = bind_pair(interface->bind, pair->port, options_.dscp);
    if (!sockets) {
      reason = sockets.error().reason;
      ports_.give_back(now, *std::move(pair), sockets.error().port_taken);
      if (sockets.error().port_taken || (sockets.error().exhausted && ports_.close_one())) continue;
      break;
    }
    pair->v6 = v6;
    pair->sockets = std::move(*sockets);
    if (watch(pair->sockets, pair->port)) return *std::move(pair);
    reason = "the kernel watches no more sockets for this user";
    ports_.give_back(now, *std::move(pair), false);
    if (!ports_.close_one()) break;
  }
  return fail(std::move(reason));
}

bool Relay::Impl::watch(const SocketPair& sockets, std::uint16_t port) {
  for (const Watched socket : {Watched{sockets.rtp.get(), port},
                               Watched{sockets.rtcp.get(), static_cast<std::uint16_t>(port + 1)}}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = socket.pack();
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.fd, &event) != 0) return false;
  }
  return true;
}

// Whether nothing waits in them that has come since they were read last.
bool Relay::Impl::is_quiet(const SocketPair& sockets) {
  return batch_.receive(sockets.rtp.get()) + batch_.receive(sockets.rtcp.get()) == 0;
}

void Relay::Impl::give_back(Time now, Endpoint& endpoint) {
  PortPair pair{endpoint.port, endpoint.v6, std::move(endpoint.sockets)};
  owner_of(pair.port) = {};
  if (!ports_.has(pair.port)) {
    unwatch(pair.sockets);
    stray_pairs_.push_back(std::move(pair));
    return;
  }
  if (endpoints_.size() + ports_.open() > options_.open_pairs_max) pair.sockets = {};
  ports_.give_back(now, std::move(pair), true);
}

void Relay::Impl::perform(Time now, const Open& open, std::vector<Result>& results) {
  if (find(open.id)) {
    results.emplace_back(OpenFailed{open.id, "the endpoint is open already"});
    return;
  }
  auto pair = take_pair(now, open.v6);
  if (!pair) {
    results.emplace_back(OpenFailed{open.id, std::move(pair.error())});
    return;
  }
  const std::uint16_t port = pair->port;
  // RFC 3550 5.1: first numbers are random.
  // RFC 4568 6.4: from the lower half, so that no loss at the start hides a turn of the numbers.
  const OutputStream out(static_cast<std::uint32_t>(rng_.next()),
                         static_cast<std::uint16_t>(rng_.next() & 0x7fff),
                         static_cast<std::uint32_t>(rng_.next()));
  const EndpointHandle handle =
      endpoints_.emplace(open.id, open.v6, port, std::move(pair->sockets), out, rng_.token(15));
  owner_of(port) = handle;
  by_id_.emplace(open.id, handle);
  const auto& interface = open.v6 ? options_.v6 : options_.v4;
  results.emplace_back(Opened{open.id, {interface->advertised, port}});
}

void Relay::Impl::perform(Time now, const Configure& configure, std::vector<Result>&) {
  const EndpointHandle handle = find(configure.id);
  if (!handle) return;
  Endpoint& endpoint = endpoints_.at(handle);
  const bool hears_again = configure.send && !endpoint.send;
  const bool heard_again = configure.receive && !endpoint.receive;
  endpoint.configured = true;
  endpoint.send = configure.send;
  endpoint.receive = configure.receive;
  const unsigned ptime_ms = frame_ms(configure.format.codec, configure.ptime_ms);
  if (configure.format.codec != endpoint.format.codec || ptime_ms != endpoint.ptime_ms) {
    stop_transcoding(endpoint);
    endpoint.encoder.reset();
    endpoint.out.set_clock(now, sdp::clock_rate(configure.format.codec));
    endpoint.out.cut();
  }
  endpoint.format = configure.format;
  endpoint.dtmf_payload_type = configure.dtmf_payload_type;
  endpoint.dtmf_clock_rate = std::clamp(configure.dtmf_clock_rate, 8'000U, 48'000U);
  endpoint.digits_by = configure.digits;
  endpoint.ptime_ms = ptime_ms;
  endpoint.meanings.clear();
  endpoint.meanings.set_comfort_noise(sdp::comfort_noise_payload_type);
  configure.accepted.for_each(
      [&](const sdp::Format& format) { endpoint.meanings.set(format.payload_type, format.codec); });
  for (const sdp::EventClock clock : sdp::event_clocks) {
    for (std::uint8_t number = 0; number < PayloadMeanings::numbers; ++number) {
      if (configure.events_accepted.has(clock, number)) endpoint.meanings.set(number, clock);
    }
  }
  if (const auto& number = configure.dtmf_payload_type) {
    endpoint.meanings.set(
        *number, endpoint.dtmf_clock_rate > 8'000 ? sdp::EventClock::at_48000 : sdp::EventClock::at_8000);
  }
  if (!configure.srtp) {
    endpoint.srtp = nullptr;
  } else if (endpoint.srtp_agreed) {
    endpoint.srtp_agreed->agree(now, *configure.srtp, endpoint.out.ssrc());
  } else {
    endpoint.srtp_agreed = std::make_unique<SrtpEndpoint>(*configure.srtp, endpoint.out.ssrc());
  }
  if (configure.srtp) endpoint.srtp = endpoint.srtp_agreed.get();
  // From another address comes another stream: it does not have to wait for the old one to fall silent.
  if (endpoint.rtp_gate.expect(configure.remote_rtp, configure.latch_from)) endpoint.in.forget();
  const std::uint16_t port = configure.remote_rtp.port;
  const auto next_port = static_cast<std::uint16_t>(port == 0 ? 0 : port + 1);
  static_cast<void>(endpoint.rtcp_gate.expect(
      configure.remote_rtcp.value_or(SocketAddress{configure.remote_rtp.ip, next_port}),
      configure.latch_from));
  if (!endpoint.send) stop_transcoding(endpoint);
  if (hears_again) endpoint.out.cut();
  if (heard_again) cut_listeners(endpoint);
  if (heard_again || (endpoint.receive && endpoint.silence_reported)) watch_silence(now, handle, endpoint);
  if (!endpoint.deadline(RelayTimer::report)) arm(handle, endpoint, RelayTimer::report, next_report(now));
  retarget(now, handle, endpoint);
}

void Relay::Impl::perform(Time now, const Hear& hear, std::vector<Result>&) {
  const EndpointHandle handle = find(hear.listener);
  if (!handle) return;
  Endpoint& listener = endpoints_.at(handle);
  if (const auto* party = std::get_if<Hear::Party>(&hear.source)) {
    const EndpointHandle source = find(party->id);
    if (listener.source == Endpoint::Source::party && source && listener.heard_party == source) {
      return watch_comfort(now, handle, listener, party->comfort_after);
    }
    unhear(handle, listener);
    if (!source) return;
    listener.source = Endpoint::Source::party;
    listener.heard_party = source;
    Endpoint& heard = endpoints_.at(source);
    // A key that is down was pressed for whoever heard it before; so was one whose end is still being told.
    if (Endpoint::Keys* keys = heard.keys.get(); keys != nullptr) {
      if (keys->events.open()) keys->event_left_out = true;
      if (const auto last = keys->events.timestamp()) keys->events_left_out.add(*last);
      if (keys->tones && keys->tones->sounding()) keys->tone_left_out = true;
    }
    heard.listeners.push_back(handle);
    watch_comfort(now, handle, listener, party->comfort_after);
  } else if (const auto* ring = std::get_if<Hear::RingBack>(&hear.source)) {
    const RingBackPlan& plan = ring_back_plan(ring->country);
    if (listener.source == Endpoint::Source::ring_back && listener.ring_back == &plan) return;
    unhear(handle, listener);
    listener.source = Endpoint::Source::ring_back;
    listener.ring_back = &plan;
    retarget(now, handle, listener);
  } else if (const auto* play = std::get_if<Hear::Play>(&hear.source)) {
    auto prompt = options_.prompts ? options_.prompts->find(play->prompt) : nullptr;
    const bool plays = listener.source == Endpoint::Source::prompt && !listener.play_once && !play->once;
    if (prompt && plays && listener.prompt == prompt) return;
    unhear(handle, listener);
    if (!prompt) return;
    listener.source = Endpoint::Source::prompt;
    listener.prompt = std::move(prompt);
    listener.play_once = play->once;
    listener.played = 0;
    retarget(now, handle, listener);
  } else {
    unhear(handle, listener);
  }
}

void Relay::Impl::perform(Time now, const Record& record, std::vector<Result>& results) {
  if (!options_.recorder) {
    results.emplace_back(Recorded{.id = record.id, .error = "no directory for recordings is configured"});
    return;
  }
  options_.recorder->start(record.id, now, record.name);
  unsigned channel = 0;
  for (const EndpointId id : {record.left, record.right}) {
    const EndpointHandle handle = find(id);
    if (handle) endpoints_.at(handle).tracks.push_back({record.id, channel});
    recorded_[record.id][channel++] = handle;
  }
}

void Relay::Impl::perform(Time now, const StopRecording& stop, std::vector<Result>&) {
  if (!options_.recorder) return;
  const auto recorded = recorded_.find(stop.id);
  if (recorded == recorded_.end()) return;
  for (const EndpointHandle handle : recorded->second) {
    Endpoint* endpoint = endpoints_.find(handle);
    if (endpoint == nullptr) continue;
    endpoint->tracks.erase_if([&](const auto& track) { return track.recording == stop.id; });
  }
  recorded_.erase(recorded);
  options_.recorder->stop(stop.id, now);
}

void Relay::Impl::perform(Time now, const Close& close, std::vector<Result>& results) {
  const EndpointHandle handle = find(close.id);
  if (!handle) {
    results.emplace_back(Closed{close.id});
    return;
  }
  Endpoint& endpoint = endpoints_.at(handle);
  send_report(now, endpoint, true);
  unhear(handle, endpoint);
  while (!endpoint.listeners.empty()) {
    const EndpointHandle listener = endpoint.listeners.back();
    unhear(listener, endpoints_.at(listener));
  }
  results.emplace_back(totals_of(endpoint));
  give_back(now, endpoint);
  by_id_.erase(close.id);
  endpoints_.erase(handle);
}

void Relay::Impl::arm(EndpointHandle handle, Endpoint& endpoint, RelayTimer timer, Time at) {
  endpoint.deadline(timer) = at;
  timers_.arm(at, handle.pack(), static_cast<std::uint8_t>(timer));
}

void Relay::Impl::unhear(EndpointHandle handle, Endpoint& listener) {
  if (listener.source == Endpoint::Source::party) {
    auto& others = endpoints_.at(listener.heard_party).listeners;
    others.erase(std::remove(others.begin(), others.end(), handle), others.end());
  }
  listener.source = Endpoint::Source::silence;
  listener.heard_party = {};
  listener.ring_back = nullptr;
  listener.prompt.reset();
  listener.deadline(RelayTimer::tone).reset();
  end_comfort(listener);
  listener.comfort_after = 0s;
  listener.deadline(RelayTimer::comfort).reset();
  // What one party pressed is not for whoever is heard next to be silenced by.
  listener.digits.reset();
  listener.deadline(RelayTimer::digit).reset();
  stop_transcoding(listener);
  listener.out.cut();
}

void Relay::Impl::cut_listeners(const Endpoint& endpoint) {
  for (const EndpointHandle handle : endpoint.listeners) {
    Endpoint& listener = endpoints_.at(handle);
    if (listener.playout != nullptr) {
      listener.playout->restart();
    } else {
      listener.out.cut();
    }
  }
}

// Where to send may have changed, and with it whether to send: starts or stops the tone.
void Relay::Impl::retarget(Time now, EndpointHandle handle, Endpoint& endpoint) {
  const auto rtp = endpoint.rtp_gate.target();
  endpoint.rtp_target = rtp && rtp->ip.v6 == endpoint.v6 ? to_kernel(*rtp) : KernelAddress{};
  auto rtcp = endpoint.rtcp_gate.target();
  // Until the party's own RTCP shows where it goes, the port after the one its RTP comes from (RFC 3550 11).
  if (endpoint.rtp_gate.latched() && !endpoint.rtcp_gate.latched()) {
    rtcp = SocketAddress{rtp->ip, static_cast<std::uint16_t>(rtp->port + 1)};
  }
  const bool rtcp_known = rtcp && rtcp->ip.v6 == endpoint.v6 && rtcp->port != 0;
  endpoint.rtcp_target = rtcp_known ? to_kernel(*rtcp) : KernelAddress{};
  if (!endpoint.is_played_to()) return;
  if (!endpoint.sending()) {
    endpoint.deadline(RelayTimer::tone).reset();
  } else if (!endpoint.deadline(RelayTimer::tone)) {
    if (!endpoint.plays_once()) endpoint.played = 0;
    play(now, handle, endpoint, now);
  }
}

// Counts from now on.
void Relay::Impl::watch_silence(Time now, EndpointHandle handle, Endpoint& endpoint) {
  endpoint.last_heard = now;
  endpoint.silence_reported = false;
  if (options_.silence_timeout > 0s && !endpoint.deadline(RelayTimer::silence)) {
    arm(handle, endpoint, RelayTimer::silence, now + options_.silence_timeout);
  }
}

void Relay::Impl::check_silence(Time now, EndpointHandle handle, Endpoint& endpoint,
                                std::vector<Result>& results) {
  if (!endpoint.receive || endpoint.silence_reported) return;
  const Time due = endpoint.last_heard + options_.silence_timeout;
  if (due > now) return arm(handle, endpoint, RelayTimer::silence, due);
  endpoint.silence_reported = true;
  results.emplace_back(Silent{endpoint.id});
}

void Relay::Impl::send_report(Time now, Endpoint& endpoint, bool last) {
  if (!endpoint.rtcp_due || endpoint.rtcp_target.length == 0) return;
  std::optional<SenderInfo> sender;
  if (endpoint.out.packets() != endpoint.packets_at_report) {
    sender = {now, endpoint.out.timestamp_at(now), endpoint.out.packets(), endpoint.out.octets()};
    endpoint.packets_at_report = endpoint.out.packets();
  }
  RtcpBuffer buffer;
  std::size_t size =
      write_rtcp(buffer, endpoint.out.ssrc(), sender, endpoint.in.report(now), endpoint.cname, last);
  const std::uint8_t* bytes = buffer.data();
  if (endpoint.srtp) bytes = seal(endpoint, bytes, size, true);
  if (bytes == nullptr) return;
  const auto* target = reinterpret_cast<const sockaddr*>(&endpoint.rtcp_target.storage);
  if (::sendto(endpoint.sockets.rtcp.get(), bytes, size, MSG_DONTWAIT, target, endpoint.rtcp_target.length) <
      0) {
    ++counters_.send_failed;
  } else {
    ++counters_.rtcp_sent;
  }
}

// RFC 3550 6.3.1: half to one and a half of the interval, so that reports of many calls do not fall together.
Time Relay::Impl::next_report(Time now) {
  return now + Duration(rng_.between(report_interval.count() / 2, report_interval.count() * 3 / 2));
}

std::optional<Time> Relay::Impl::next_deadline() const {
  const auto timer = timers_.next_deadline(), unneeded = ports_.next_deadline();
  return timer && unneeded ? std::min(*timer, *unneeded) : timer ? timer : unneeded;
}

void Relay::Impl::advance(Time now, std::vector<Result>& results) {
  ports_.close_unneeded(now);
  while (const auto entry = timers_.pop_due(now)) {
    const EndpointHandle handle = EndpointHandle::unpack(entry->owner);
    Endpoint* endpoint = endpoints_.find(handle);
    if (endpoint == nullptr) continue;
    const auto timer = static_cast<RelayTimer>(entry->kind);
    Deadline& deadline = endpoint->deadline(timer);
    if (deadline != entry->at) continue;
    deadline.reset();
    switch (timer) {
      case RelayTimer::tone:
        play(now, handle, *endpoint, entry->at);
        break;
      case RelayTimer::report:
        send_report(now, *endpoint, false);
        arm(handle, *endpoint, RelayTimer::report, next_report(now));
        break;
      case RelayTimer::frame:
        send_frames(now, handle, *endpoint, entry->at);
        break;
      case RelayTimer::digit:
        play_digits(now, handle, *endpoint, entry->at);
        break;
      case RelayTimer::event:
        check_event(now, handle, *endpoint);
        break;
      case RelayTimer::comfort:
        check_comfort(now, handle, *endpoint, entry->at);
        break;
      case RelayTimer::silence:
        check_silence(now, handle, *endpoint, results);
        break;
    }
  }
  report_digits(results);
}

Relay::Relay(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Relay::~Relay() = default;

void Relay::perform(Time now, const Operation& operation, std::vector<Result>& results) {
  std::visit([&](const auto& op) { impl_->perform(now, op, results); }, operation);
}

int Relay::poll_fd() const {
  return impl_->poll_fd();
}
void Relay::poll(Time now, std::vector<Result>& results) {
  impl_->poll(now, results);
}
std::optional<Time> Relay::next_deadline() const {
  return impl_->next_deadline();
}
void Relay::advance(Time now, std::vector<Result>& results) {
  impl_->advance(now, results);
}
Relay::Parcel Relay::take_out(const std::vector<EndpointId>& endpoints,
                              const std::vector<RecordingId>& recordings) {
  return impl_->take_out(endpoints, recordings);
}
void Relay::put_in(Parcel& parcel, std::vector<Result>& results) {
  impl_->put_in(parcel, results);
}
void Relay::take_stray_pairs(std::vector<PortPair>& pairs) {
  impl_->take_stray_pairs(pairs);
}
void Relay::take_back(Time now, PortPair pair) {
  impl_->take_back(now, std::move(pair));
}
std::size_t Relay::endpoints() const {
  return impl_->endpoints();
}
const Relay::Counters& Relay::counters() const {
  return impl_->counters();
}

}  // namespace baton::media
