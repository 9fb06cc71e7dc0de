// What TLS is done with on one listener: its certificate and key, whom it believes as a server and as a
// client. Read from files once; immutable, so that it can be made on one thread and used on another, and a
// connection keeps the one it began with.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/tls_settings.h"

namespace baton::net {

struct TlsProblem {
  enum class File : std::uint8_t { certificate, key, client_ca, server_ca };
  File file = File::certificate;
  std::string what;
};

class TlsContext {
 public:
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>, TlsProblem> load(TlsSettings settings);

  // Never null. TLS 1.2 and 1.3, forward-secret AEAD ciphers, no compression, no renegotiation, no
  // resumption.
  [[nodiscard]] SSL_CTX* server() const { return server_.get(); }
  [[nodiscard]] SSL_CTX* client() const { return client_.get(); }
  [[nodiscard]] bool verifies(std::string_view host) const;
  // Whether a certificate may name it by a wildcard, which RFC 5922 7.2 forbids.
  [[nodiscard]] bool takes_wildcards_for(std::string_view host) const;

  // When our certificate is valid, seconds since 1970.
  [[nodiscard]] std::int64_t valid_from() const { return valid_from_; }
  [[nodiscard]] std::int64_t valid_until() const { return valid_until_; }
  [[nodiscard]] const TlsSettings& settings() const { return settings_; }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  using Context = std::unique_ptr<SSL_CTX, Free>;

  explicit TlsContext(TlsSettings settings) : settings_(std::move(settings)) {}
  [[nodiscard]] Result<void, TlsProblem> load_own(SSL_CTX& context) const;
  [[nodiscard]] Result<void, TlsProblem> load_client_trust();
  [[nodiscard]] Result<void, TlsProblem> load_server_trust();
  [[nodiscard]] Result<void, TlsProblem> read_validity();

  TlsSettings settings_;
  Context server_, client_;
  std::int64_t valid_from_ = 0, valid_until_ = 0;
};

using TlsContextPtr = std::shared_ptr<const TlsContext>;

}  // namespace baton::net
