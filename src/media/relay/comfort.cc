// Quiet noise for a listener whose party has stopped sending, so that the line does not sound dead while
// somebody waits. It begins after a while, and gives way to the party's next packet.
#include "media/relay/relay_impl.h"

namespace baton::media {
namespace {

constexpr unsigned rate = 8'000;

}  // namespace

void Relay::Impl::watch_comfort(Time now, EndpointHandle handle, Endpoint& listener, Duration after) {
  if (listener.comfort_after == after) return;
  end_comfort(listener);
  listener.comfort_after = after;
  listener.deadline(RelayTimer::comfort).reset();
  if (after == 0s) return;
  listener.fed_at = now;
  arm(handle, listener, RelayTimer::comfort, now + after);
}

void Relay::Impl::check_comfort(Time now, EndpointHandle handle, Endpoint& listener, Time due) {
  if (!listener.comforted) {
    const Time begins = listener.fed_at + listener.comfort_after;
    if (begins > now) return arm(handle, listener, RelayTimer::comfort, begins);
    if (!listener.sending() || listener.hears_digits())
      return arm(handle, listener, RelayTimer::comfort, now + listener.comfort_after);
    stop_transcoding(listener);
    listener.out.cut();
    listener.comforted = true;
    due = now;
  }
  if (!listener.sending()) {
    end_comfort(listener);
    return arm(handle, listener, RelayTimer::comfort, now + listener.comfort_after);
  }
  std::uint32_t ticks =
      listener.ticks_over(leave_out_backlog(now, listener.packet_time(), frame_backlog_max, due));
  for (; due <= now; due += listener.packet_time()) {
    if (!listener.hears_digits()) {
      const std::span<std::int16_t> samples(tone_.data(), std::size_t{listener.ptime_ms} * rate / 1'000);
      comfort_noise_.fill(samples);
      send_samples(now, listener, samples, rate, ticks);
      ++counters_.comfort_packets;
    }
    ticks = listener.packet_ticks();
  }
  arm(handle, listener, RelayTimer::comfort, due);
}

// The timer, when it comes, finds when the party was heard last.
void Relay::Impl::end_comfort(Endpoint& listener) {
  if (!listener.comforted) return;
  listener.comforted = false;
  listener.out.cut();
}

}  // namespace baton::media
