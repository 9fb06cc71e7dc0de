// SRTP with one party (RFC 3711, RFC 7714), through libsrtp2: what it sends is checked and decrypted, what it
// is sent is encrypted. An endpoint without it has none of this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/time.h"
#include "media/port.h"

struct srtp_ctx_t_;  // of libsrtp2

namespace baton::media {

// Octets that encrypting may add behind a packet: room the caller has to have.
inline constexpr std::size_t srtp_trailer_bytes_max = 148;

// One direction under one key.
class SrtpContext {
 public:
  enum class Verdict : std::uint8_t { good, forged, replayed };

  // For what we send under our one SSRC, or for what comes under any.
  [[nodiscard]] static SrtpContext sender(sdp::Suite suite, const sdp::MasterKey& key, std::uint32_t ssrc);
  [[nodiscard]] static SrtpContext receiver(sdp::Suite suite, const sdp::MasterKey& key);

  // In place; `size` is what there is, and becomes what there is then. False: it must not be sent, because
  // its number has been used (RFC 3711 3.3: one key and index are never used twice).
  [[nodiscard]] bool protect(std::uint8_t* bytes, std::size_t& size, bool rtcp);

  // In place. What is not good is not to be looked at further, and its content is lost.
  [[nodiscard]] Verdict unprotect(std::uint8_t* bytes, std::size_t& size, bool rtcp);

 private:
  struct Closer {
    void operator()(srtp_ctx_t_* session) const;
  };

  explicit SrtpContext(srtp_ctx_t_* session) : session_(session) {}
  void note_source(std::uint32_t ssrc);

  std::unique_ptr<srtp_ctx_t_, Closer> session_;
  // Sources heard under the key, the one heard last at the end: each has a roll-over counter and a replay
  // window.
  std::vector<std::uint32_t> sources_;
};

class SrtpEndpoint {
 public:
  SrtpEndpoint(const Srtp& agreed, std::uint32_t ssrc);

  // What is agreed now. Directions whose key stays go on undisturbed. After a change of the party's key what
  // is under way with the old one is still taken for a while.
  void agree(Time now, const Srtp& agreed, std::uint32_t ssrc);

  [[nodiscard]] bool protect(std::uint8_t* bytes, std::size_t& size, bool rtcp) {
    return senders_.back().context.protect(bytes, size, rtcp);
  }
  [[nodiscard]] SrtpContext::Verdict unprotect(Time now, std::span<std::uint8_t>& bytes, bool rtcp);

 private:
  struct Sender {
    sdp::MasterKey key;
    SrtpContext context;
  };
  void send_with(const Srtp& agreed, std::uint32_t ssrc);

  Srtp agreed_;
  // The last one is in use. The others were, for the other answers to one offer: whoever comes back to a key
  // goes on where it was.
  std::vector<Sender> senders_;
  SrtpContext in_;
  std::optional<SrtpContext> before_;  // the party's previous key
  Srtp before_agreed_;                 // and which it was
  Time before_until_{};
};

}  // namespace baton::media
