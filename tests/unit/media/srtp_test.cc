// The relay with parties that speak SRTP, over real sockets. The parties use libsrtp2.
#include <memory>
#include <numeric>

#include "media/relay/relay.h"
#include "media/relay/srtp.h"
#include "unit/media/audio.h"
#include "unit/media/libsrtp.h"
#include "unit/media/party.h"

namespace baton::media::test {
namespace {

using sdp::Suite;
class SecureParty : public Party {
 public:
  SecureParty(EndpointId id_, std::optional<Suite> suite_, sdp::Codec codec_ = sdp::Codec::pcmu)
      : Party(id_, codec_), suite(suite_) {
    if (suite) use_keys(*suite, static_cast<unsigned>(id_) * 100, static_cast<unsigned>(id_) * 100 + 1);
  }

  void use_keys(Suite its, unsigned own, unsigned of_relay) {
    suite = its;
    agreed = Srtp{its, key_of(its, of_relay), key_of(its, own)};
    out = std::make_unique<Session>(its, agreed->theirs, ssrc_any_outbound);
    in = std::make_unique<Session>(its, agreed->ours, ssrc_any_inbound);
  }
  [[nodiscard]] Configure configure() const {
    Configure c = Party::configure();
    c.srtp = agreed;
    return c;
  }
  [[nodiscard]] Bytes packet(std::span<const std::uint8_t> payload) const {
    Bytes bytes(rtp_header_bytes);
    write_rtp_header(next, bytes.data());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return out ? out->sealed(bytes) : bytes;
  }
  // Moves on as say() does.
  [[nodiscard]] Bytes next_packet() {
    Bytes bytes = packet(Bytes(160, static_cast<std::uint8_t>(id)));
    ++next.sequence;
    next.timestamp += 160;
    return bytes;
  }
  void say() { rtp.send(relay_rtp, next_packet()); }
  // Everything that came; what could not be decrypted counts.
  [[nodiscard]] std::vector<Heard> hear_all() {
    std::vector<Heard> all;
    while (auto bytes = rtp.receive()) {
      if (in) {
        auto clear = in->opened(*bytes);
        if (!clear) ++unreadable;
        if (!clear) continue;
        bytes = std::move(clear);
      }
      const auto read = read_rtp(*bytes);
      EXPECT_TRUE(read);
      all.push_back(
          {read->header, {bytes->begin() + static_cast<std::ptrdiff_t>(read->payload_offset), bytes->end()}});
    }
    return all;
  }

  std::optional<Suite> suite;
  std::optional<Srtp> agreed;
  std::unique_ptr<Session> out, in;
  unsigned unreadable = 0;
};

class SrtpRelay : public RelayTest {
 protected:
  void join(SecureParty& party) {
    RelayTest::join(party);
    perform(party.configure());
  }
  void bridge(SecureParty& a, SecureParty& b) {
    join(a);
    join(b);
    hear(a, b);
    hear(b, a);
  }
  // One packet, and what the listener got of it.
  std::vector<Heard> said(SecureParty& speaker, SecureParty& listener) {
    speaker.say();
    pump();
    pass(20ms);
    return listener.hear_all();
  }
  // So many packets, each far behind the one before: some of them make the sequence number roll over.
  void run_on(SecureParty& speaker, SecureParty& listener, int packets) {
    for (int i = 0; i < packets; ++i) {
      speaker.next.sequence = static_cast<std::uint16_t>(speaker.next.sequence + 1'500);
      ASSERT_EQ(said(speaker, listener).size(), 1U) << i;
    }
  }
  void expect_talk(SecureParty& a, SecureParty& b, int packets = 3) {
    for (int i = 0; i < packets; ++i) {
      for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
        const auto heard = said(*from, *to);
        ASSERT_EQ(heard.size(), 1U) << from->id << " to " << to->id;
        EXPECT_EQ(heard[0].payload, Bytes(160, static_cast<std::uint8_t>(from->id)));
      }
    }
    EXPECT_EQ(a.unreadable + b.unreadable, 0U);
  }
  // So long that nothing is taken for older than the switch any more, whatever its number.
  void settle(SecureParty& a, SecureParty& b) { expect_talk(a, b, 201); }
};

std::vector<std::optional<Suite>> all_kinds() {
  std::vector<std::optional<Suite>> kinds{std::nullopt};
  kinds.insert(kinds.end(), sdp::all_suites.begin(), sdp::all_suites.end());
  return kinds;
}

TEST_F(SrtpRelay, BetweenAnyTwo) {
  EndpointId id = 1;
  for (const auto& one : all_kinds()) {
    for (const auto& other : all_kinds()) {
      SecureParty a(id, one), b(id + 1, other);
      bridge(a, b);
      expect_talk(a, b);
      perform(Close{id});
      perform(Close{id + 1});
      id += 2;
    }
  }
  EXPECT_EQ(relay->counters().dropped_forged + relay->counters().dropped_replayed, 0U);
}

TEST_F(SrtpRelay, Transcoded) {
  SecureParty a(1, Suite::aead_aes_128_gcm, sdp::Codec::pcmu),
      b(2, Suite::aes_cm_128_hmac_sha1_80, sdp::Codec::pcma);
  bridge(a, b);
  const auto tone = sine(1'000, 8'000, 160);
  a.rtp.send(a.relay_rtp, a.packet(encode(sdp::Codec::pcmu, tone)));
  pump();
  const auto heard = b.hear_all();
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].header.payload_type, 8);
  EXPECT_GT(signal_to_noise_db(tone, decode(sdp::Codec::pcma, heard[0].payload)), 25);
}

TEST_F(SrtpRelay, SeveralListenersOfOnePacket) {
  SecureParty speaker(1, std::nullopt), a(2, Suite::aead_aes_256_gcm), b(3, Suite::aes_cm_128_hmac_sha1_32),
      c(4, std::nullopt);
  for (SecureParty* party : {&speaker, &a, &b, &c}) join(*party);
  for (SecureParty* party : {&a, &b, &c}) hear(*party, speaker);
  speaker.say();
  pump();
  for (SecureParty* party : {&a, &b, &c}) {
    const auto heard = party->hear_all();
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_EQ(heard[0].payload, Bytes(160, 1));
  }
}

TEST_F(SrtpRelay, RingBackIsEncrypted) {
  SecureParty a(1, Suite::aead_aes_128_gcm);
  join(a);
  ring(a, "US");
  pass(1s);
  EXPECT_EQ(a.hear_all().size(), 51U);
  EXPECT_EQ(a.unreadable, 0U);
}

TEST_F(SrtpRelay, ReportsAreEncryptedBothWays) {
  for (const Suite suite : sdp::all_suites) {
    relay.reset();
    SecureParty a(1, suite), b(2, std::nullopt);
    bridge(a, b);
    expect_talk(a, b);
    const Bytes report{0x80, 201, 0, 1, 0, 0, 0, 1};
    a.rtcp.send(a.relay_rtcp(), report);
    pump();
    EXPECT_EQ(relay->counters().rtcp_received, 0U);
    EXPECT_EQ(relay->counters().dropped_forged, 1U);
    const Bytes sealed = a.out->sealed(report, true);
    a.rtcp.send(a.relay_rtcp(), sealed);
    a.rtcp.send(a.relay_rtcp(), sealed);
    pump();
    EXPECT_EQ(relay->counters().rtcp_received, 1U);
    EXPECT_EQ(relay->counters().dropped_replayed, 1U);
    pass(8s);
    const auto ours = a.rtcp.receive();
    ASSERT_TRUE(ours);
    const auto clear = a.in->opened(*ours, true);
    ASSERT_TRUE(clear);
    EXPECT_EQ((*clear)[1], 200);
    EXPECT_NE(Bytes(ours->begin() + 8, ours->begin() + 28), Bytes(clear->begin() + 8, clear->begin() + 28));
  }
}

// ---- What does not belong to the party ----

TEST_F(SrtpRelay, WhatTheKeyDoesNotFitIsDropped) {
  for (const Suite suite : sdp::all_suites) {
    relay.reset();
    SecureParty a(1, suite), b(2, std::nullopt), thief(9, suite);
    bridge(a, b);
    expect_talk(a, b);
    const auto forged_before = relay->counters().dropped_forged;
    unsigned sent = 0;
    const auto send = [&](const Bytes& bytes) {
      a.rtp.send(a.relay_rtp, bytes);
      ++sent;
    };
    thief.next = a.next;
    send(thief.next_packet());  // the wrong key
    Bytes plain(172, 1);
    write_rtp_header(a.next, plain.data());
    send(plain);
    const Bytes good = a.next_packet();
    send({good.begin(), good.end() - 1});  // the tag cut short
    send({good.begin(), good.begin() + 12});
    send({good.begin(), good.begin() + 11});
    send({good.begin(), good.begin() + 1});
    send({});
    send(Bytes(3'000, 0x80));
    for (std::size_t at = 0; at < good.size(); at += 7) {
      Bytes bent = good;
      bent[at] ^= 0x20;
      send(bent);
    }
    pump();
    EXPECT_EQ(relay->counters().dropped_forged - forged_before, sent);
    EXPECT_TRUE(b.hear_all().empty());
    send(good);
    pump();
    EXPECT_EQ(b.hear_all().size(), 1U) << "none of it spoiled the real one";
    EXPECT_EQ(relay->counters().dropped_rate, 0U);
  }
}

TEST_F(SrtpRelay, ReplaysAreDropped) {
  for (const Suite suite : sdp::all_suites) {
    relay.reset();
    SecureParty a(1, suite), b(2, suite);
    bridge(a, b);
    std::vector<Bytes> sent;
    for (int i = 0; i < 700; ++i) {
      sent.push_back(a.next_packet());
      a.rtp.send(a.relay_rtp, sent.back());
      pump();
      pass(20ms);
      ASSERT_EQ(b.hear_all().size(), 1U);
    }
    for (const std::size_t at : {std::size_t{0}, std::size_t{350}, std::size_t{699}})
      a.rtp.send(a.relay_rtp, sent[at]);
    pump();
    EXPECT_TRUE(b.hear_all().empty());
    EXPECT_EQ(relay->counters().dropped_replayed, 3U);
    expect_talk(a, b);
  }
}

TEST_F(SrtpRelay, LateAndSwappedPacketsPass) {
  SecureParty a(1, Suite::aes_cm_128_hmac_sha1_80), b(2, Suite::aead_aes_128_gcm);
  bridge(a, b);
  expect_talk(a, b);
  const Bytes first = a.next_packet(), second = a.next_packet(), third = a.next_packet();
  for (const Bytes* one : {&third, &first, &second}) a.rtp.send(a.relay_rtp, *one);
  pump();
  EXPECT_EQ(b.hear_all().size(), 3U);
  EXPECT_EQ(b.unreadable, 0U);
}

TEST_F(SrtpRelay, NobodyIsLatchedOntoWithoutTheKey) {
  SecureParty a(1, Suite::aead_aes_128_gcm), b(2, std::nullopt), thief(9, Suite::aead_aes_128_gcm);
  bridge(a, b);
  Configure behind_nat = a.configure();
  behind_nat.remote_rtp = *SocketAddress::parse("192.168.77.1:4000");
  behind_nat.remote_rtcp.reset();
  perform(behind_nat);
  thief.relay_rtp = a.relay_rtp;
  thief.say();
  pump();
  EXPECT_EQ(relay->counters().latched, 0U);
  EXPECT_EQ(relay->counters().dropped_forged, 1U);
  EXPECT_EQ(said(a, b).size(), 1U);
  EXPECT_EQ(relay->counters().latched, 1U);
  thief.say();
  pump();
  EXPECT_EQ(relay->counters().dropped_source, 1U) << "from elsewhere it is not even looked at";
  expect_talk(a, b);
  EXPECT_FALSE(thief.rtp.receive());
}

// The advertised address wins back a stream that was latched; not by what anybody may send from there.
TEST_F(SrtpRelay, NoStreamIsMovedBackWithoutTheKey) {
  SecureParty a(1, Suite::aes_cm_128_hmac_sha1_80), b(2, std::nullopt);
  SecureParty advertised(9, Suite::aes_cm_128_hmac_sha1_80);
  bridge(a, b);
  Configure behind_nat = a.configure();
  behind_nat.remote_rtp = {*IpAddress::parse("127.0.0.1"), advertised.rtp.address().port};
  perform(behind_nat);
  // A loopback address is not latched away from, so the party speaks from where it said.
  advertised.relay_rtp = a.relay_rtp;
  advertised.say();
  pump();
  EXPECT_EQ(relay->counters().dropped_forged, 1U);
  EXPECT_TRUE(b.hear_all().empty());
}

TEST_F(SrtpRelay, ForgeriesKeepNobodyAlive) {
  auto o = options();
  o.silence_timeout = 5s;
  use(o);
  SecureParty a(1, Suite::aead_aes_256_gcm), b(2, std::nullopt), thief(9, Suite::aead_aes_256_gcm);
  bridge(a, b);
  expect_talk(a, b);
  for (int i = 0; i < 300; ++i) {
    thief.next.ssrc = a.next.ssrc;
    a.rtp.send(a.relay_rtp, thief.next_packet());
    pump();
    pass(20ms);
  }
  const auto silent = results_of<Silent>();
  EXPECT_TRUE(std::any_of(silent.begin(), silent.end(), [](const Silent& s) { return s.id == 1; }));
}

TEST_F(SrtpRelay, SrtpToAPlainPortHarmsNobody) {
  SecureParty a(1, std::nullopt), b(2, Suite::aead_aes_128_gcm), other(9, Suite::aead_aes_128_gcm);
  bridge(a, b);
  for (int i = 0; i < 10; ++i) {
    a.rtp.send(a.relay_rtp, other.next_packet());
    pump();
    pass(20ms);
  }
  pass(100ms);
  static_cast<void>(b.hear_all());
  expect_talk(a, b);
}

// ---- Numbers that turn over ----

TEST_F(SrtpRelay, RollOverInEveryDirection) {
  for (const Suite suite : {Suite::aes_cm_128_hmac_sha1_80, Suite::aead_aes_128_gcm}) {
    relay.reset();
    SecureParty a(1, suite), b(2, suite);
    bridge(a, b);
    settle(a, b);
    // With losses the numbers turn over sooner; each turn both ways.
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(said(a, b).size(), 1U) << i;
      ASSERT_EQ(said(b, a).size(), 1U) << i;
      a.next.sequence = static_cast<std::uint16_t>(a.next.sequence + 1'999);
      b.next.sequence = static_cast<std::uint16_t>(b.next.sequence + 2'501);
    }
    EXPECT_EQ(a.unreadable + b.unreadable, 0U);
    EXPECT_EQ(relay->counters().dropped_forged, 0U);
  }
}

TEST_F(SrtpRelay, MoreThan65536NumbersAndATransfer) {
  SecureParty a(1, Suite::aead_aes_128_gcm), b(2, std::nullopt), c(3, Suite::aes_cm_128_hmac_sha1_80);
  bridge(a, b);
  join(c);
  a.next.sequence = 65'000;  // b's and ours to it turn over at other moments
  std::size_t heard = 0;
  for (int i = 0; i < 11'000; ++i) {
    b.next.sequence = static_cast<std::uint16_t>(b.next.sequence + 5);
    b.say();
    pump();
    now += 20ms;
    heard += a.hear_all().size();
  }
  EXPECT_EQ(heard, 11'000U);
  hear(a, c);
  hear(c, a);
  // Right after the switch: our stream to a is on its second turn, c's is new.
  expect_talk(a, c, 600);
}

TEST_F(SrtpRelay, OurStreamGoesOnOverManyTransfers) {
  SecureParty a(1, Suite::aes_cm_128_hmac_sha1_32), b(2, Suite::aead_aes_128_gcm), c(3, std::nullopt);
  for (SecureParty* party : {&a, &b, &c}) join(*party);
  std::optional<RtpHeader> before;
  for (int i = 0; i < 200; ++i) {
    SecureParty& speaker = i % 2 == 0 ? b : c;
    hear(a, speaker);
    speaker.next.sequence = static_cast<std::uint16_t>(i * 7'919);
    for (int packet = 0; packet < 2; ++packet) {
      speaker.next.sequence = static_cast<std::uint16_t>(speaker.next.sequence + 900);
      const auto heard = said(speaker, a);
      ASSERT_EQ(heard.size(), 1U) << i;
      EXPECT_EQ(heard[0].header.ssrc, before.value_or(heard[0].header).ssrc);
      before = heard[0].header;
    }
  }
  EXPECT_EQ(a.unreadable, 0U);
}

TEST_F(SrtpRelay, TheSenderMayChangeItsSsrc) {
  SecureParty a(1, Suite::aead_aes_256_gcm), b(2, Suite::aes_cm_128_hmac_sha1_80);
  bridge(a, b);
  for (std::uint32_t i = 0; i < 200; ++i) {
    a.next.ssrc = 5'000 + i;
    a.next.sequence = static_cast<std::uint16_t>(i * 331);
    pass(100ms);
    ASSERT_EQ(said(a, b).size(), 1U) << i;
    ASSERT_EQ(said(a, b).size(), 1U) << i;
  }
}

// ---- New keys ----

TEST_F(SrtpRelay, ANewKeyOfThePartyIsTakenWithoutAGap) {
  for (const Suite before : sdp::all_suites) {
    for (const Suite after : sdp::all_suites) {
      relay.reset();
      SecureParty a(1, before), b(2, std::nullopt);
      bridge(a, b);
      expect_talk(a, b);
      std::vector<Bytes> under_way;
      for (int i = 0; i < 3; ++i) under_way.push_back(a.next_packet());
      const auto old_out = std::move(a.out);
      a.use_keys(after, 777, 778);
      perform(a.configure());
      for (const Bytes& bytes : under_way) {
        a.rtp.send(a.relay_rtp, bytes);
        pump();
        pass(20ms);
      }
      EXPECT_EQ(b.hear_all().size(), 3U);
      expect_talk(a, b);
      Bytes late(172);
      write_rtp_header(a.next, late.data());
      const Bytes sealed = old_out->sealed(late);
      pass(5s);
      const auto forged = relay->counters().dropped_forged;
      a.rtp.send(a.relay_rtp, sealed);
      pump();
      EXPECT_EQ(relay->counters().dropped_forged, forged + 1) << "the old key has had its time";
    }
  }
}

TEST_F(SrtpRelay, WhatIsSaidAgainChangesNothing) {
  SecureParty a(1, Suite::aes_cm_128_hmac_sha1_80), b(2, std::nullopt);
  bridge(a, b);
  settle(a, b);
  a.next.sequence = static_cast<std::uint16_t>(-100);
  for (int i = 0; i < 400; ++i) {
    ASSERT_EQ(said(a, b).size(), 1U);
    b.next.sequence = static_cast<std::uint16_t>(b.next.sequence + 700);
    ASSERT_EQ(said(b, a).size(), 1U);
    if (i % 50 == 0) perform(a.configure());
  }
  EXPECT_EQ(a.unreadable, 0U);
}

TEST_F(SrtpRelay, OnlyThePartysKeyChanges) {
  SecureParty a(1, Suite::aead_aes_128_gcm), b(2, std::nullopt);
  bridge(a, b);
  settle(a, b);
  ASSERT_NO_FATAL_FAILURE(run_on(b, a, 100));
  const auto in = std::move(a.in);
  const Srtp before = *a.agreed;
  a.use_keys(Suite::aead_aes_128_gcm, 900, 101);
  EXPECT_EQ(a.agreed->ours, before.ours);
  std::swap(a.in, const_cast<std::unique_ptr<Session>&>(in));
  perform(a.configure());
  expect_talk(a, b);
}

// Several answers to one offer, each with its suite: back at the first, nothing begins anew.
TEST_F(SrtpRelay, BackToAKeyThatWasInUse) {
  SecureParty a(1, Suite::aead_aes_128_gcm), b(2, std::nullopt);
  bridge(a, b);
  settle(a, b);
  ASSERT_NO_FATAL_FAILURE(run_on(b, a, 60));
  const Configure first = a.configure();
  Configure second = first;
  second.srtp =
      Srtp{Suite::aead_aes_256_gcm, key_of(Suite::aead_aes_256_gcm, 5), key_of(Suite::aead_aes_256_gcm, 6)};
  perform(second);
  b.say();
  pump();
  EXPECT_TRUE(a.hear_all().empty());
  EXPECT_EQ(std::exchange(a.unreadable, 0U), 1U);
  perform(first);
  pass(100ms);
  expect_talk(a, b);
}

// RTP in between, as when another answer to the same offer has no keys: the key goes on where it was.
TEST_F(SrtpRelay, BackToTheSameKeyAfterRtp) {
  SecureParty a(1, Suite::aead_aes_128_gcm), b(2, std::nullopt);
  bridge(a, b);
  settle(a, b);
  ASSERT_NO_FATAL_FAILURE(run_on(b, a, 60));
  Configure plain = a.configure();
  plain.srtp.reset();
  perform(plain);
  perform(a.configure());
  pass(100ms);
  expect_talk(a, b);
}

// As many as are kept, and no number that was used under any of them goes out again.
TEST(SrtpEndpoint, NoNumberIsUsedTwiceUnderAnyKeyThatComesBack) {
  for (const std::size_t others : {std::size_t{1}, std::size_t{8}, srtp_keys_kept - 1, srtp_keys_kept,
                                   srtp_keys_kept + 1, 3 * srtp_keys_kept}) {
    SCOPED_TRACE(others);
    const Suite suite = Suite::aead_aes_128_gcm;
    const auto agreed = [&](std::size_t i) {
      return Srtp{suite, key_of(suite, static_cast<unsigned>(2 * i + 1)),
                  key_of(suite, static_cast<unsigned>(2 * i + 2))};
    };
    constexpr std::uint32_t ssrc = 4'711;
    SrtpEndpoint endpoint(agreed(0), ssrc);
    const auto sends = [&](std::uint16_t sequence) {
      Bytes packet(172 + srtp_trailer_bytes_max);
      write_rtp_header({false, 0, sequence, 160, ssrc}, packet.data());
      std::size_t size = 172;
      return endpoint.protect(packet.data(), size, false);
    };
    const auto reports = [&] {
      Bytes packet(8 + srtp_trailer_bytes_max);
      packet = {0x80, 201, 0, 1};
      packet.resize(8 + srtp_trailer_bytes_max);
      store32(packet.data() + 4, ssrc);
      std::size_t size = 8;
      return endpoint.protect(packet.data(), size, true);
    };
    EXPECT_TRUE(sends(100));
    EXPECT_TRUE(reports());
    for (std::size_t i = 1; i <= others; ++i) {
      endpoint.agree({}, agreed(i), ssrc);
      EXPECT_TRUE(sends(100));
    }
    endpoint.agree({}, agreed(0), ssrc);
    EXPECT_FALSE(sends(100));
    const bool kept = others < srtp_keys_kept;
    EXPECT_EQ(sends(101), kept);
    EXPECT_EQ(reports(), kept) << "reports have numbers of their own, which begin anew too";
    endpoint.agree({}, agreed(others + 1), ssrc);
    EXPECT_TRUE(sends(101)) << "a new one will do";
  }
}

TEST(SrtpEndpoint, OneKeyServesOneSuite) {
  Srtp agreed{Suite::aes_cm_128_hmac_sha1_80, key_of(Suite::aes_cm_128_hmac_sha1_80, 1),
              key_of(Suite::aes_cm_128_hmac_sha1_80, 2)};
  SrtpEndpoint endpoint(agreed, 1);
  agreed.suite = Suite::aes_cm_128_hmac_sha1_32;
  endpoint.agree({}, agreed, 1);
  Bytes packet(172 + srtp_trailer_bytes_max);
  write_rtp_header({false, 0, 1, 160, 1}, packet.data());
  std::size_t size = 172;
  EXPECT_FALSE(endpoint.protect(packet.data(), size, false)) << "the two encrypt alike";
}

// However long ago the party used it, and however many have spoken since.
TEST_F(SrtpRelay, AKeyOfThePartyThatComesBackGoesOnAfterARollOver) {
  SecureParty a(1, Suite::aead_aes_128_gcm), b(2, std::nullopt);
  bridge(a, b);
  settle(a, b);
  a.next.sequence = 65'530;
  ASSERT_NO_FATAL_FAILURE(run_on(a, b, 12));
  const Bytes recorded = a.next_packet();
  a.rtp.send(a.relay_rtp, recorded);
  pump();
  EXPECT_EQ(b.hear_all().size(), 1U);
  const Configure first = a.configure();
  for (unsigned other = 0; other < 8; ++other) {
    Configure next = first;
    next.srtp->ours = key_of(Suite::aead_aes_128_gcm, 500 + 2 * other);
    next.srtp->theirs = key_of(Suite::aead_aes_128_gcm, 501 + 2 * other);
    perform(next);
    pass(3s);
  }
  perform(first);
  const auto replayed = relay->counters().dropped_replayed;
  a.rtp.send(a.relay_rtp, recorded);
  pump();
  EXPECT_TRUE(b.hear_all().empty());
  EXPECT_EQ(relay->counters().dropped_replayed, replayed + 1);
  expect_talk(a, b);
}

TEST_F(SrtpRelay, FromRtpToSrtpAndBack) {
  SecureParty a(1, std::nullopt), b(2, std::nullopt);
  bridge(a, b);
  expect_talk(a, b);
  a.use_keys(Suite::aead_aes_256_gcm, 10, 11);
  perform(a.configure());
  expect_talk(a, b);
  a.suite.reset();
  a.agreed.reset();
  a.in.reset();
  a.out.reset();
  perform(a.configure());
  expect_talk(a, b);
}

}  // namespace
}  // namespace baton::media::test
