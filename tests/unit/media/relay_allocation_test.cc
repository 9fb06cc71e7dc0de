// After warm-up a packet costs no allocation, whichever way it takes.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>
#include <deque>

#include "counted_new.h"
#include "media/codec/coder.h"
#include "media/relay/relay.h"
#include "media/srtp/context.h"
#include "unit/media/party.h"

namespace {

// libcrypto's own, which are not made with operator new. To be said before it makes the first.
const bool counts_libcrypto = ::CRYPTO_set_mem_functions(
                                  [](std::size_t size, const char*, int) {
                                    baton::heap::note(size);
                                    return std::malloc(size);
                                  },
                                  [](void* memory, std::size_t size, const char*, int) {
                                    baton::heap::note(size);
                                    return std::realloc(memory, size);
                                  },
                                  [](void* memory, const char*, int) { std::free(memory); }) == 1;

}  // namespace

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
  const std::size_t before = heap::allocations;
  const auto sent_before = relay->counters().sent;
  for (int i = 0; i < 1'000; ++i) round();
  EXPECT_EQ(heap::allocations, before);
  EXPECT_EQ(relay->counters().sent - sent_before, 3'000U);
}

// Where a transcoder is needed it is made once.
TEST_F(RelayAllocation, TranscodingCostsNoneEither) {
  use(options());
  Party a(1, sdp::Codec::pcmu), b(2, sdp::Codec::g722), c(3, sdp::Codec::pcma), d(4, sdp::Codec::opus),
      ringing(5, sdp::Codec::opus);
  bridge(a, b);
  bridge(c, d);
  join(ringing);
  ring(ringing, "US");
  results.reserve(16);
  Encoder encoder(sdp::Codec::opus, 8'000);
  const std::array<std::int16_t, 160> samples{};
  std::array<std::uint8_t, encoded_bytes_max> opus{};
  const std::size_t opus_bytes = encoder.encode(samples, opus.data());
  std::array<std::uint8_t, rtp_header_bytes + encoded_bytes_max> packet{};
  const auto round = [&] {
    for (Party* party : {&a, &b, &c, &d}) {
      const std::size_t size = party->codec == sdp::Codec::opus ? opus_bytes : 160;
      write_rtp_header(party->next, packet.data());
      std::copy_n(opus.begin(), size, packet.begin() + rtp_header_bytes);
      ++party->next.sequence;
      party->next.timestamp += sdp::clock_rate(party->codec) / 50;
      party->rtp.send(party->relay_rtp, {packet.data(), rtp_header_bytes + size});
    }
    pump();
    pass(20ms);
  };
  for (int i = 0; i < 200; ++i) round();
  const std::size_t before = heap::allocations;
  const auto made_before = relay->counters().transcoded;
  for (int i = 0; i < 200; ++i) round();
  EXPECT_EQ(heap::allocations, before);
  EXPECT_EQ(relay->counters().transcoded - made_before, 800U);
}

// RTP to SRTP and back, in every suite; what nobody's key fits comes in between.
TEST_F(RelayAllocation, NorDoesEncrypting) {
  ASSERT_TRUE(counts_libcrypto);
  use(options());
  results.reserve(16);
  std::deque<Party> parties;
  std::vector<std::optional<SrtpContext>> seals;
  for (const sdp::Suite suite : sdp::all_suites) {
    const auto key = [&](const char* whose) {
      return sdp::derive_key("the keys of these tests are no secret at all", whose, suite);
    };
    Party &secure = parties.emplace_back(parties.size() + 1),
          &plain = parties.emplace_back(parties.size() + 1);
    seals.push_back(SrtpContext::sender(suite, key("party"), secure.next.ssrc));
    seals.emplace_back();
    bridge(secure, plain);
    Configure configure = secure.configure();
    configure.srtp = Srtp{suite, key("relay"), key("party")};
    perform(configure);
  }
  std::array<std::uint8_t, rtp_header_bytes + 160 + srtp_trailer_bytes_max> packet{};
  const auto round = [&] {
    for (std::size_t i = 0; i < parties.size(); ++i) {
      std::size_t size = rtp_header_bytes + 160;
      write_rtp_header(parties[i].next, packet.data());
      ++parties[i].next.sequence;
      parties[i].next.timestamp += 160;
      if (seals[i]) parties[i].rtp.send(parties[i].relay_rtp, {packet.data(), size});
      EXPECT_TRUE(!seals[i] || seals[i]->protect(packet.data(), size, false));
      parties[i].rtp.send(parties[i].relay_rtp, {packet.data(), size});
    }
    pump();
    pass(20ms);
  };
  for (int i = 0; i < 500; ++i) round();
  const std::size_t before = heap::allocations;
  const auto sent_before = relay->counters().sent, forged_before = relay->counters().dropped_forged;
  for (int i = 0; i < 500; ++i) round();
  EXPECT_EQ(heap::allocations, before);
  EXPECT_EQ(relay->counters().sent - sent_before, 4'000U);
  EXPECT_EQ(relay->counters().dropped_forged - forged_before, 2'000U);
}

}  // namespace
}  // namespace baton::media::test
