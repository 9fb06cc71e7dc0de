#include "load/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <cerrno>
#include <stdexcept>

namespace baton::bench {
namespace {

constexpr int handshake_ms = 5'000;
constexpr std::size_t read_ahead = 128 * 1024;

[[noreturn]] void give_up(const std::string& what) {
  std::string why = what;
  char text[256];
  while (const unsigned long code = ERR_get_error()) {
    ERR_error_string_n(code, text, sizeof text);
    why.append(": ").append(text);
  }
  throw std::runtime_error(why);
}

// What an operation that did not succeed means.
std::ptrdiff_t outcome(SSL* ssl, int result, const char* what) {
  const int error = SSL_get_error(ssl, result);
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) give_up(what);
  errno = EAGAIN;
  return -1;
}

}  // namespace

Tls::Tls(const TlsFiles& files) : context_(SSL_CTX_new(TLS_method())) {
  SSL_CTX* context = context_.get();
  if (context == nullptr) give_up("no TLS context");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, read_ahead);
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) give_up(files.certificate);
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) give_up(files.key);
  if (SSL_CTX_load_verify_locations(context, files.ca.c_str(), nullptr) != 1) give_up(files.ca);
}

Ssl Tls::connect(int fd, const std::string& server) const {
  Ssl ssl(SSL_new(context_.get()));
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1) give_up("no TLS session");
  SSL_set_verify(ssl.get(), SSL_VERIFY_PEER, nullptr);
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), server.c_str()) != 1) give_up(server);
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(ssl.get());
    if (result == 1) return ssl;
    if (outcome(ssl.get(), result, "TLS handshake with the server") == 0)
      throw std::runtime_error("the server ends the TLS handshake");
    pollfd ready{fd, static_cast<short>(SSL_want_write(ssl.get()) ? POLLOUT : POLLIN), 0};
    if (::poll(&ready, 1, handshake_ms) != 1)
      throw std::runtime_error("the server does not end the TLS handshake");
  }
}

Ssl Tls::accept(int fd) const {
  Ssl ssl(SSL_new(context_.get()));
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1) give_up("no TLS session");
  SSL_set_accept_state(ssl.get());
  return ssl;
}

std::ptrdiff_t read_some(SSL* ssl, char* to, std::size_t room) {
  ERR_clear_error();
  std::size_t size = 0;
  const int result = SSL_read_ex(ssl, to, room, &size);
  return result == 1 ? static_cast<std::ptrdiff_t>(size)
                     : outcome(ssl, result, "read from the server by TLS");
}

std::ptrdiff_t write_some(SSL* ssl, const char* from, std::size_t size) {
  ERR_clear_error();
  std::size_t went = 0;
  const int result = SSL_write_ex(ssl, from, size, &went);
  return result == 1 ? static_cast<std::ptrdiff_t>(went) : outcome(ssl, result, "write to the server by TLS");
}

}  // namespace baton::bench
