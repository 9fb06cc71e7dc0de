#include "media/srtp/keys.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <span>

#include "base/assert.h"

namespace baton::media {
namespace {

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { ::EVP_CIPHER_CTX_free(context); }
};

constexpr std::size_t salt_bytes(sdp::Suite suite) {
  return is_gcm(suite) ? 12 : 14;
}

}  // namespace

void srtp_prf(std::span<const std::uint8_t> key, std::span<const std::uint8_t> salt, std::uint8_t label,
              std::span<std::uint8_t> out) {
  // The key stream of AES in counter mode that begins at the salt with the label in it.
  std::array<std::uint8_t, 16> counter{};
  BATON_ASSERT((key.size() == 16 || key.size() == 32) && salt.size() <= 14);
  std::copy(salt.begin(), salt.end(), counter.begin());
  counter[7] ^= label;
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  const EVP_CIPHER* cipher = key.size() == 32 ? ::EVP_aes_256_ctr() : ::EVP_aes_128_ctr();
  const std::unique_ptr<EVP_CIPHER_CTX, Free> context(::EVP_CIPHER_CTX_new());
  int length = 0;
  BATON_ASSERT(
      context && ::EVP_EncryptInit_ex(context.get(), cipher, nullptr, key.data(), counter.data()) == 1 &&
      ::EVP_EncryptUpdate(context.get(), out.data(), &length, out.data(), static_cast<int>(out.size())) == 1);
}

SrtpKeys derive_srtp_keys(sdp::Suite suite, const sdp::MasterKey& master, bool rtcp) {
  BATON_ASSERT(master.size == sdp::master_bytes(suite));
  SrtpKeys keys;
  keys.cipher_bytes = master.size - salt_bytes(suite);
  const auto whole = std::span<const std::uint8_t>(master.bytes).first(master.size);
  const auto key = whole.first(keys.cipher_bytes), salt = whole.subspan(keys.cipher_bytes);
  const std::uint8_t first = rtcp ? 3 : 0;
  const auto label = [&](int which) { return static_cast<std::uint8_t>(first + which); };
  srtp_prf(key, salt, label(0), std::span(keys.cipher).first(keys.cipher_bytes));
  srtp_prf(key, salt, label(1), keys.authentication);
  srtp_prf(key, salt, label(2), std::span(keys.salt).first(salt.size()));
  return keys;
}

}  // namespace baton::media
