// TLS for the generator's connections: one certificate for all parties, and one authority that both sides
// trust. Errors are exceptions with the reason: a handshake that fails ends the run.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>

namespace baton::bench {

struct TlsFiles {
  std::string ca, certificate, key;  // PEM
};

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, FreeSsl>;

class Tls {
 public:
  explicit Tls(const TlsFiles& files);

  // The connection stays the caller's. A client's handshake is done when this returns; a server's is done by
  // the first read or write.
  [[nodiscard]] Ssl connect(int fd, const std::string& server) const;
  [[nodiscard]] Ssl accept(int fd) const;

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, FreeContext> context_;
};

// As recv and send do it: bytes, 0 when the peer has closed, -1 with EAGAIN when it has to wait. Throws on
// anything else.
[[nodiscard]] std::ptrdiff_t read_some(SSL* ssl, char* to, std::size_t room);
[[nodiscard]] std::ptrdiff_t write_some(SSL* ssl, const char* from, std::size_t size);

}  // namespace baton::bench
