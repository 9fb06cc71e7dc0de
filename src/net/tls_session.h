// TLS on one connected, non-blocking socket. Moves bytes and tells what it waits for; owns neither the socket
// nor the time. Not thread-safe.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "net/tls.h"

namespace baton::net {

class TlsSession {
 public:
  enum class Step : std::uint8_t { done, wants_read, wants_write, closed, failed };
  struct Moved {
    Step step = Step::done;
    std::size_t bytes = 0;  // with `done`, at least one
  };
  // What one read() may return at once: a record (RFC 8446 5.1).
  static constexpr std::size_t record_bytes = 16'384;

  // As the server of a connection that was accepted.
  [[nodiscard]] static std::unique_ptr<TlsSession> accept(const TlsContextPtr& context, int fd);
  // As its client; `host` is what the certificate must name, and what is asked for by SNI when it is a name.
  [[nodiscard]] static std::unique_ptr<TlsSession> connect(const TlsContextPtr& context, int fd,
                                                           const std::string& host);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  [[nodiscard]] Step handshake();
  // A buffer of record_bytes or more takes a whole record: nothing is left behind that the socket would not
  // tell of.
  [[nodiscard]] Moved read(char* buffer, std::size_t size);
  // After wants_*, to be called again with the same bytes in front.
  [[nodiscard]] Moved write(std::string_view bytes);
  // Says that no more will come. Best effort, sent once.
  void close_notify();

  [[nodiscard]] const std::string& fault() const { return fault_; }  // of the step that failed, for a person
  // Whether it failed over a certificate, the peer's or ours, rather than over bytes that are no TLS.
  [[nodiscard]] bool certificate_refused() const { return certificate_refused_; }
  [[nodiscard]] bool verified() const {
    return verified_;
  }  // the peer's certificate, if it was asked for one
  [[nodiscard]] std::string version() const { return SSL_get_version(ssl_.get()); }

  // For SSL_CTX_set_cert_verify_callback.
  static int verify_server(X509_STORE_CTX* store, void* unused);

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  struct Socket {
    int fd = -1;
    bool at_end = false;
  };

  TlsSession(const TlsContextPtr& context, SSL_CTX* role, int fd);
  [[nodiscard]] static const BIO_METHOD* socket_method();
  static int send_bytes(BIO* bio, const char* bytes, int length);
  static int receive_bytes(BIO* bio, char* bytes, int length);
  static long control(BIO* bio, int command, long number, void* pointer);
  [[nodiscard]] Step outcome(int result);
  void note_fault();

  TlsContextPtr context_;
  Socket socket_;
  std::unique_ptr<SSL, Free> ssl_;
  std::string host_;
  std::string fault_;
  bool verified_ = false;
  bool certificate_refused_ = false;
  bool broken_ = false;  // after a fatal error not even a close_notify may follow
};

}  // namespace baton::net
