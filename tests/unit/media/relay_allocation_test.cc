// After warm-up a packet costs no allocation, whichever way it takes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "media/relay/relay.h"
#include "unit/media/party.h"

namespace {
std::size_t allocations = 0;
}

[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace baton::media::test {
namespace {

using RelayAllocation = RelayTest;

TEST_F(RelayAllocation, PacketsToneAndReportsCostNone) {
  auto o = options();
  o.silence_timeout = 5s;
  use(o);
  Party a(1), b(2, sdp::Codec::pcma), ringing(3), stranger(4);
  bridge(a, b);
  join(ringing);
  ring(ringing, "US");
  stranger.relay_rtp = a.relay_rtp;
  results.reserve(16);
  const std::array<std::uint8_t, 160> audio{};
  std::array<std::uint8_t, rtp_header_bytes + audio.size()> packet{};
  const auto round = [&] {
    for (Party* party : {&a, &b, &stranger}) {
      write_rtp_header(party->next, packet.data());
      ++party->next.sequence;
      party->next.timestamp += 160;
      party->rtp.send(party->relay_rtp, packet);
    }
    pump();
    pass(20ms);
  };
  for (int i = 0; i < 1'000; ++i) round();
  const std::size_t before = allocations;
  const auto sent_before = relay->counters().sent;
  for (int i = 0; i < 1'000; ++i) round();
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(relay->counters().sent - sent_before, 3'000U);
}

}  // namespace
}  // namespace baton::media::test
