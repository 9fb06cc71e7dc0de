#include "net/tls_session.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <cerrno>
#include <limits>

#include "base/address.h"
#include "base/assert.h"
#include "net/tls_identity.h"

namespace baton::net {
namespace {

std::string list_of(const std::vector<std::string>& names) {
  constexpr std::size_t listed_max = 8;
  std::string list;
  for (std::size_t i = 0; i < names.size() && i < listed_max; ++i) list += (i == 0 ? "" : ", ") + names[i];
  return list.empty() ? "no SIP domain" : list;
}

int bounded(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

}  // namespace

// ---- The socket under it: OpenSSL's own raises SIGPIPE ----

const BIO_METHOD* TlsSession::socket_method() {
  static const std::unique_ptr<BIO_METHOD, void (*)(BIO_METHOD*)> method = [] {
    std::unique_ptr<BIO_METHOD, void (*)(BIO_METHOD*)> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "baton stream"), &BIO_meth_free);
    BATON_ASSERT(made != nullptr);
    BIO_meth_set_write(made.get(), &TlsSession::send_bytes);
    BIO_meth_set_read(made.get(), &TlsSession::receive_bytes);
    BIO_meth_set_ctrl(made.get(), &TlsSession::control);
    return made;
  }();
  return method.get();
}

int TlsSession::send_bytes(BIO* bio, const char* bytes, int length) {
  BIO_clear_retry_flags(bio);
  const auto* socket = static_cast<const Socket*>(BIO_get_data(bio));
  const ssize_t n = ::send(socket->fd, bytes, static_cast<std::size_t>(length), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int TlsSession::receive_bytes(BIO* bio, char* bytes, int length) {
  BIO_clear_retry_flags(bio);
  auto* socket = static_cast<Socket*>(BIO_get_data(bio));
  const ssize_t n = ::recv(socket->fd, bytes, static_cast<std::size_t>(length), MSG_DONTWAIT);
  if (n == 0) socket->at_end = true;
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(n);
}

long TlsSession::control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return static_cast<const Socket*>(BIO_get_data(bio))->at_end ? 1 : 0;
  return 0;
}

// ---- A session ----

TlsSession::TlsSession(const TlsContextPtr& context, SSL_CTX* role, int fd)
    : context_(context), socket_{fd, false}, ssl_(SSL_new(role)) {
  BIO* bio = BIO_new(socket_method());
  BATON_ASSERT(ssl_ != nullptr && bio != nullptr);
  BIO_set_data(bio, &socket_);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
}

std::unique_ptr<TlsSession> TlsSession::accept(const TlsContextPtr& context, int fd) {
  std::unique_ptr<TlsSession> session(new TlsSession(context, context->server(), fd));
  SSL_set_accept_state(session->ssl_.get());
  return session;
}

std::unique_ptr<TlsSession> TlsSession::connect(const TlsContextPtr& context, int fd,
                                                const std::string& host) {
  std::unique_ptr<TlsSession> session(new TlsSession(context, context->client(), fd));
  session->host_ = host;
  SSL_set_connect_state(session->ssl_.get());
  // RFC 6066 3: no literal address in SNI.
  if (!host.empty() && !IpAddress::parse(host)) {
    const std::string name = host.back() == '.' ? host.substr(0, host.size() - 1) : host;
    SSL_set_tlsext_host_name(session->ssl_.get(), name.c_str());
  }
  return session;
}

int TlsSession::verify_server(X509_STORE_CTX* store, void* /*unused*/) {
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& session = *static_cast<TlsSession*>(SSL_get_app_data(ssl));
  if (!session.context_->verifies(session.host_)) return 1;
  if (X509_verify_cert(store) != 1) return 0;
  const X509* certificate = X509_STORE_CTX_get0_cert(store);
  if (certificate != nullptr &&
      is_for(*certificate, session.host_, session.context_->takes_wildcards_for(session.host_))) {
    session.verified_ = true;
    return 1;
  }
  session.fault_ = "the certificate is for " +
                   (certificate != nullptr ? list_of(sip_identities(*certificate)) : std::string("nobody")) +
                   ", not for " + session.host_;
  X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
  return 0;
}

TlsSession::Step TlsSession::outcome(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Step::wants_read;
    case SSL_ERROR_WANT_WRITE:
      return Step::wants_write;
    case SSL_ERROR_ZERO_RETURN:
      return Step::closed;
    default:
      break;
  }
  broken_ = true;
  note_fault();
  return Step::failed;
}

void TlsSession::note_fault() {
  const unsigned long error = ERR_peek_last_error();
  const int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  certificate_refused_ =
      reason == SSL_R_CERTIFICATE_VERIFY_FAILED || reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ||
      reason == SSL_R_TLSV1_ALERT_UNKNOWN_CA || reason == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE ||
      reason == SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED || reason == SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN ||
      reason == SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED ||
      reason == SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE ||
      reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED;
  const long verified = SSL_get_verify_result(ssl_.get());
  if (fault_.empty() && reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK) {
    fault_ = X509_verify_cert_error_string(verified);
  }
  if (fault_.empty()) {
    const char* words = ERR_reason_error_string(error);
    fault_ = words != nullptr ? words : "the connection was lost";
  }
  ERR_clear_error();
}

TlsSession::Step TlsSession::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    if (SSL_is_server(ssl_.get()) == 1) verified_ = SSL_get0_peer_certificate(ssl_.get()) != nullptr;
    return Step::done;
  }
  const Step step = outcome(result);
  if (step == Step::closed) fault_ = "the peer hung up";
  return step;
}

TlsSession::Moved TlsSession::read(char* buffer, std::size_t size) {
  ERR_clear_error();
  const int n = SSL_read(ssl_.get(), buffer, bounded(size));
  if (n > 0) return {Step::done, static_cast<std::size_t>(n)};
  return {outcome(n), 0};
}

TlsSession::Moved TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  const int n = SSL_write(ssl_.get(), bytes.data(), bounded(bytes.size()));
  if (n > 0) return {Step::done, static_cast<std::size_t>(n)};
  return {outcome(n), 0};
}

void TlsSession::close_notify() {
  if (broken_ || SSL_is_init_finished(ssl_.get()) != 1) return;
  ERR_clear_error();
  static_cast<void>(SSL_shutdown(ssl_.get()));
  ERR_clear_error();
}

}  // namespace baton::net
