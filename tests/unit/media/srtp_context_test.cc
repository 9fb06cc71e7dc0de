// SRTP and SRTCP as such: against libsrtp2 in both directions, and what must not pass.
#include <gtest/gtest.h>

#include <random>

#include "media/relay/rtp.h"
#include "media/srtp/context.h"
#include "unit/media/libsrtp.h"

namespace baton::media::test {
namespace {

using sdp::Suite;
using Verdict = SrtpContext::Verdict;
constexpr std::size_t payloads[] = {0, 1, 15, 16, 160, 1'400, 65'000};
constexpr std::uint32_t own_ssrc = 0x1234'5678;

Bytes rtp(std::uint16_t sequence, std::size_t payload = 160, std::uint32_t ssrc = own_ssrc) {
  Bytes bytes(rtp_header_bytes + payload);
  write_rtp_header({false, 0, sequence, std::uint32_t{sequence} * 160, ssrc}, bytes.data());
  for (std::size_t i = 0; i < payload; ++i) {
    bytes[rtp_header_bytes + i] = static_cast<std::uint8_t>(i * 7 + sequence);
  }
  return bytes;
}

Bytes rtcp(std::size_t words, std::uint32_t ssrc = own_ssrc) {
  Bytes bytes(8 + 4 * words, 0x42);
  store32(bytes.data(), 0x80c8'0000U + static_cast<std::uint32_t>(words) + 1);
  store32(bytes.data() + 4, ssrc);
  return bytes;
}

std::optional<Bytes> seal(SrtpContext& context, Bytes packet, bool is_rtcp = false) {
  std::size_t size = packet.size();
  packet.resize(size + srtp_trailer_bytes_max);
  if (!context.protect(packet.data(), size, is_rtcp)) return std::nullopt;
  packet.resize(size);
  return packet;
}

// Nothing: see `verdict`.
std::optional<Bytes> open(SrtpContext& context, Bytes packet, bool is_rtcp = false,
                          Verdict* verdict = nullptr) {
  std::size_t size = packet.size();
  const Verdict said = context.unprotect(packet.data(), size, is_rtcp);
  if (verdict != nullptr) *verdict = said;
  if (said != Verdict::good) return std::nullopt;
  packet.resize(size);
  return packet;
}

Verdict verdict_of(SrtpContext& context, const Bytes& packet, bool is_rtcp = false) {
  Verdict verdict{};
  static_cast<void>(open(context, packet, is_rtcp, &verdict));
  return verdict;
}

class SrtpSuites : public testing::TestWithParam<Suite> {
 protected:
  const Suite suite = GetParam();
  const sdp::MasterKey key = key_of(suite, 1);
  SrtpContext sender = SrtpContext::sender(suite, key, own_ssrc);
  SrtpContext receiver = SrtpContext::receiver(suite, key);
  Session theirs_out{suite, key, ssrc_any_outbound};
  Session theirs_in{suite, key, ssrc_any_inbound};
};

TEST_P(SrtpSuites, LibsrtpReadsWhatWeSend) {
  for (const std::size_t payload : payloads) {
    const Bytes packet = rtp(static_cast<std::uint16_t>(payload % 4'093), payload);
    const auto sealed = seal(sender, packet);
    ASSERT_TRUE(sealed);
    EXPECT_EQ(theirs_in.opened(*sealed), packet) << payload;
  }
  for (std::size_t words = 0; words < 20; ++words) {
    const auto sealed = seal(sender, rtcp(words), true);
    ASSERT_TRUE(sealed);
    EXPECT_EQ(theirs_in.opened(*sealed, true), rtcp(words)) << words;
  }
}

TEST_P(SrtpSuites, WeReadWhatLibsrtpSends) {
  for (const std::size_t payload : payloads) {
    const Bytes packet = rtp(static_cast<std::uint16_t>(payload % 4'093), payload);
    EXPECT_EQ(open(receiver, theirs_out.sealed(packet)), packet) << payload;
  }
  for (std::size_t words = 0; words < 20; ++words) {
    EXPECT_EQ(open(receiver, theirs_out.sealed(rtcp(words), true), true), rtcp(words)) << words;
  }
}

// Contributing sources and an extension are signed and stay readable (RFC 3711 3.1).
TEST_P(SrtpSuites, HeadersOfEveryKind) {
  for (const bool extended : {false, true}) {
    for (std::size_t sources = 0; sources < 16; ++sources) {
      const auto sequence = static_cast<std::uint16_t>(sources * 2 + extended);
      Bytes packet = rtp(sequence, 200);
      packet[0] = static_cast<std::uint8_t>(0x80 | (extended ? 0x10 : 0) | sources);
      const std::size_t at = rtp_header_bytes + 4 * sources;
      if (extended) store32(packet.data() + at, 0xbede'0003);
      const std::size_t clear = at + (extended ? 16 : 0);
      const auto sealed = seal(sender, packet);
      ASSERT_TRUE(sealed);
      EXPECT_TRUE(
          std::equal(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(clear), sealed->begin()));
      EXPECT_EQ(theirs_in.opened(*sealed), packet);
      EXPECT_EQ(open(receiver, theirs_out.sealed(packet)), packet);
    }
  }
}

TEST_P(SrtpSuites, ManyTurnsOfTheNumbersWithLossAndDisorder) {
  std::mt19937 random(7);
  std::uint32_t number = 30'000;
  std::vector<std::uint32_t> late;
  for (int i = 0; i < 3'000; ++i) {
    number += 1 + static_cast<std::uint32_t>(random() % 400);
    const auto check = [&](std::uint32_t which) {
      const Bytes packet = rtp(static_cast<std::uint16_t>(which), 20);
      const auto sealed = seal(sender, packet);
      ASSERT_TRUE(sealed) << which;
      ASSERT_EQ(theirs_in.opened(*sealed), packet) << which;
      ASSERT_EQ(open(receiver, theirs_out.sealed(packet)), packet) << which;
    };
    check(number + 5);
    if (random() % 3 == 0) check(number);  // late by five
    number += 5;
  }
  EXPECT_GT(number, 5U * 65'536);
}

TEST_P(SrtpSuites, NoNumberIsUsedTwice) {
  ASSERT_TRUE(seal(sender, rtp(10)));
  EXPECT_FALSE(seal(sender, rtp(10)));
  ASSERT_TRUE(seal(sender, rtp(600)));
  EXPECT_FALSE(seal(sender, rtp(11))) << "too old to know";
  EXPECT_TRUE(seal(sender, rtp(600 - 511)));
  EXPECT_FALSE(seal(sender, rtp(600 - 511)));
  EXPECT_FALSE(seal(sender, rtp(600 - 512)));
}

TEST_P(SrtpSuites, ReplaysAreKnown) {
  std::vector<Bytes> packets, reports;
  for (std::uint16_t i = 0; i < 700; ++i) packets.push_back(*seal(sender, rtp(i)));
  for (int i = 0; i < 700; ++i) reports.push_back(*seal(sender, rtcp(2), true));
  for (const bool reports_too : {false, true}) {
    const auto& all = reports_too ? reports : packets;
    EXPECT_EQ(verdict_of(receiver, all[650], reports_too), Verdict::good);
    EXPECT_EQ(verdict_of(receiver, all[650], reports_too), Verdict::replayed);
    for (std::size_t i = 651 - 512; i < 650; ++i) {
      EXPECT_EQ(verdict_of(receiver, all[i], reports_too), Verdict::good) << i;
    }
    for (std::size_t i = 0; i < 650; ++i) {
      EXPECT_EQ(verdict_of(receiver, all[i], reports_too), Verdict::replayed) << i;
    }
    EXPECT_EQ(verdict_of(receiver, all[699], reports_too), Verdict::good);
    EXPECT_EQ(verdict_of(receiver, all[698], reports_too), Verdict::good);
  }
}

TEST_P(SrtpSuites, AnyBitThatIsBentIsSeen) {
  const Bytes packet = *seal(sender, rtp(5, 21)), report = *seal(sender, rtcp(3), true);
  for (const auto& [whole, is_rtcp] : {std::pair(packet, false), std::pair(report, true)}) {
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      Bytes bent = whole;
      bent[bit / 8] = static_cast<std::uint8_t>(bent[bit / 8] ^ (1U << (bit % 8)));
      EXPECT_EQ(verdict_of(receiver, bent, is_rtcp), Verdict::forged) << bit;
    }
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(verdict_of(receiver, cut, is_rtcp), Verdict::forged) << size;
    }
    EXPECT_EQ(verdict_of(receiver, whole, is_rtcp), Verdict::good) << "none of it spoiled the real one";
  }
}

TEST_P(SrtpSuites, TheWrongKey) {
  SrtpContext other = SrtpContext::receiver(suite, key_of(suite, 2));
  EXPECT_EQ(verdict_of(other, *seal(sender, rtp(1))), Verdict::forged);
  EXPECT_EQ(verdict_of(other, *seal(sender, rtcp(1), true), true), Verdict::forged);
  EXPECT_EQ(verdict_of(receiver, *seal(sender, rtcp(1), true)), Verdict::forged) << "a report is no audio";
  for (const Suite wrong : sdp::all_suites) {
    if (wrong == suite) continue;
    SrtpContext elsewhere = SrtpContext::receiver(wrong, key_of(wrong, 1));
    EXPECT_EQ(verdict_of(elsewhere, *seal(sender, rtp(static_cast<std::uint16_t>(wrong) + 2U))),
              Verdict::forged);
  }
}

// RFC 4568 6.3.2: only where it is agreed on, which it never is.
TEST_P(SrtpSuites, ReportsInTheClearAreRefused) {
  Bytes report = *seal(sender, rtcp(3), true);
  const bool gcm = is_gcm(suite);
  report[report.size() - (gcm ? 4 : 14)] &= 0x7f;
  EXPECT_EQ(verdict_of(receiver, report, true), Verdict::forged);
}

TEST_P(SrtpSuites, EachSourceHasItsOwnNumbers) {
  Session other(suite, key, ssrc_any_outbound);
  for (std::uint32_t ssrc = 1; ssrc <= 60; ++ssrc) {
    for (const unsigned at : {40'000U, 60'000U, 10'000U, 30'000U}) {
      const auto sequence = static_cast<std::uint16_t>(at);
      const Bytes packet = rtp(sequence, 20, ssrc);
      EXPECT_EQ(open(receiver, other.sealed(packet)), packet);
    }
  }
  // Long silent, and on its second turn.
  EXPECT_EQ(open(receiver, other.sealed(rtp(50'000, 20, 1))), rtp(50'000, 20, 1));
  const Bytes first_again = other.sealed(rtp(50'001, 20, 2));
  EXPECT_EQ(verdict_of(receiver, first_again), Verdict::good);
  EXPECT_EQ(verdict_of(receiver, first_again), Verdict::replayed);
  // However many there are, memory is bounded and the present one is heard.
  for (std::uint32_t ssrc = 1'000; ssrc < 1'300; ++ssrc) {
    EXPECT_EQ(verdict_of(receiver, other.sealed(rtp(1, 20, ssrc))), Verdict::good);
    EXPECT_EQ(verdict_of(receiver, other.sealed(rtp(2, 20, ssrc))), Verdict::good);
  }
}

// Cheap fuzzing: random octets in every length, and good packets with pieces of others in them.
TEST_P(SrtpSuites, Rubbish) {
  std::mt19937 random(11);
  const Bytes good = *seal(sender, rtp(5)), report = *seal(sender, rtcp(3), true);
  for (int i = 0; i < 20'000; ++i) {
    Bytes bytes;
    if (i % 3 == 0) {
      bytes.resize(random() % 120);
      for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    } else {
      bytes = i % 3 == 1 ? good : report;
      bytes.resize(random() % (bytes.size() + 30));
      for (unsigned bends = 0; bends <= random() % 4 && !bytes.empty(); ++bends) {
        bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
      }
      if (bytes == good || bytes == report) continue;
    }
    EXPECT_EQ(verdict_of(receiver, bytes, i % 2 == 0), Verdict::forged);
  }
  EXPECT_EQ(verdict_of(receiver, good), Verdict::good);
  EXPECT_EQ(verdict_of(receiver, report, true), Verdict::good);
}

INSTANTIATE_TEST_SUITE_P(All, SrtpSuites, testing::ValuesIn(sdp::all_suites),
                         [](const auto& suite) { return std::string(to_string(suite.param)); });

// ---- Indices ----

// RFC 3711 3.3.1 and Appendix A.
TEST(PacketIndices, TurnsOfTheNumbers) {
  PacketIndices indices;
  EXPECT_EQ(indices.estimate(50'000), 50'000U);
  indices.add(10);
  EXPECT_EQ(indices.estimate(60'000), 60'000U) << "nothing comes before the first turn";
  indices.add(40'000);
  EXPECT_EQ(indices.estimate(7'231), 65'536U + 7'231);
  EXPECT_EQ(indices.estimate(7'232), 7'232U);
  EXPECT_EQ(indices.estimate(65'535), 65'535U);
  indices.add(65'536 + 3);
  EXPECT_EQ(indices.estimate(65'535), 65'535U);
  EXPECT_EQ(indices.estimate(32'771), 65'536U + 32'771);
  EXPECT_EQ(indices.estimate(32'772), 32'772U);
}

TEST(PacketIndices, WhatWasSkippedIsNewOnce) {
  PacketIndices indices;
  for (std::uint64_t index = 0; index < 5'000; index += 3) {
    EXPECT_TRUE(indices.is_new(index));
    indices.add(index);
  }
  for (std::uint64_t index = 4'998 - 511; index < 4'998; ++index) {
    EXPECT_EQ(indices.is_new(index), index % 3 != 0) << index;
    indices.add(index);
    EXPECT_FALSE(indices.is_new(index));
  }
  EXPECT_FALSE(indices.is_new(4'998 - 512));
  indices.add(4'998 + 512);
  EXPECT_TRUE(indices.is_new(4'999));
  indices.add(1'000'000);
  EXPECT_TRUE(indices.is_new(1'000'000 - 511));
  EXPECT_FALSE(indices.is_new(1'000'000));
}

}  // namespace
}  // namespace baton::media::test
