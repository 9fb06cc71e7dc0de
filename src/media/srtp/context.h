// SRTP and SRTCP (RFC 3711, RFC 7714) of one direction under one master key, without master key identifiers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "media/srtp/cipher.h"
#include "media/srtp/indices.h"
#include "sdp/crypto.h"

namespace baton::media {

// Octets that encrypting adds behind a packet at most: room the caller has to have.
inline constexpr std::size_t srtp_trailer_bytes_max = 20;

class SrtpContext {
 public:
  enum class Verdict : std::uint8_t { good, forged, replayed };

  // For what we send under our one SSRC, or for what comes under any.
  [[nodiscard]] static SrtpContext sender(sdp::Suite suite, const sdp::MasterKey& key, std::uint32_t ssrc);
  [[nodiscard]] static SrtpContext receiver(sdp::Suite suite, const sdp::MasterKey& key);

  // In place; `size` is what there is, and becomes what there is then. The packet is a whole one, of our
  // SSRC. False: it must not be sent, because its number has been used (RFC 3711 3.3: one key and index are
  // never used twice) or all have been (9.2).
  [[nodiscard]] bool protect(std::uint8_t* bytes, std::size_t& size, bool rtcp);

  // In place. What is not good is not to be looked at further, and its content is lost.
  [[nodiscard]] Verdict unprotect(std::uint8_t* bytes, std::size_t& size, bool rtcp);

 private:
  struct Source {
    std::uint32_t ssrc = 0;
    PacketIndices rtp{}, rtcp{};
  };

  SrtpContext(sdp::Suite suite, const sdp::MasterKey& key, SrtpCipher::Direction direction);
  [[nodiscard]] Verdict unprotect_rtp(std::uint8_t* bytes, std::size_t& size);
  [[nodiscard]] Verdict unprotect_rtcp(std::uint8_t* bytes, std::size_t& size);
  [[nodiscard]] Source* find(std::uint32_t ssrc);
  [[nodiscard]] Source& keep(std::uint32_t ssrc);

  bool gcm_;
  SrtpCipher rtp_, rtcp_;
  // Each has a roll-over counter and replay windows; the one heard last is at the end. A sender has one, its
  // own.
  std::vector<Source> sources_;
  std::uint32_t next_rtcp_ = 0;
};

}  // namespace baton::media
