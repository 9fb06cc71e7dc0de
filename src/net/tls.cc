#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <system_error>

#include "net/tls_session.h"
#include "sip/text.h"

namespace baton::net {
namespace {

using File = TlsProblem::File;

std::string openssl_words() {
  const unsigned long error = ERR_peek_error();  // the first is the cause
  const char* reason = ERR_reason_error_string(error);
  ERR_clear_error();
  return reason != nullptr ? reason : "OpenSSL does not say why";
}

// Asked for before OpenSSL reads it: "No such file or directory" is clearer than what it says.
std::string fault_of_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (!file) return std::generic_category().message(errno);
  // A folder opens and does not read.
  if (std::fgetc(file.get()) == EOF) {
    return std::ferror(file.get()) != 0 ? std::generic_category().message(errno) : "the file is empty";
  }
  return {};
}

Result<void, TlsProblem> readable(File file, const std::string& path) {
  const std::string fault = fault_of_file(path);
  if (fault.empty()) return {};
  return fail(TlsProblem{file, path + ": " + fault});
}

// Nobody is there to be asked for a password.
int no_password(char*, int, int, void*) {
  return 0;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return timegm(&parts);
}

// RFC 9325 4.2: key exchange with forward secrecy and AEAD, keys of 112 bits of strength and more.
bool set_up(SSL_CTX& context) {
  SSL_CTX_set_options(&context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(&context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_security_level(&context, 2);
  SSL_CTX_set_default_passwd_cb(&context, &no_password);
  return SSL_CTX_set_num_tickets(&context, 0) == 1 &&
         SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(&context, 0) == 1 &&
         SSL_CTX_set_cipher_list(&context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}

bool is_listed(const std::vector<std::string>& hosts, std::string_view host) {
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return std::any_of(hosts.begin(), hosts.end(),
                     [&](const std::string& name) { return sip::text::equals_ignoring_case(host, name); });
}

}  // namespace

Result<TlsContextPtr, TlsProblem> TlsContext::load(TlsSettings settings) {
  std::shared_ptr<TlsContext> loaded(new TlsContext(std::move(settings)));
  loaded->server_.reset(SSL_CTX_new(TLS_server_method()));
  loaded->client_.reset(SSL_CTX_new(TLS_client_method()));
  if (!loaded->server_ || !loaded->client_ || !set_up(*loaded->server_) || !set_up(*loaded->client_)) {
    return fail(TlsProblem{File::certificate, openssl_words()});
  }
  for (SSL_CTX* context : {loaded->server_.get(), loaded->client_.get()}) {
    if (auto own = loaded->load_own(*context); !own) return fail(own.error());
  }
  if (auto trust = loaded->load_client_trust(); !trust) return fail(trust.error());
  if (auto trust = loaded->load_server_trust(); !trust) return fail(trust.error());
  if (auto validity = loaded->read_validity(); !validity) return fail(validity.error());
  return TlsContextPtr(std::move(loaded));
}

Result<void, TlsProblem> TlsContext::load_own(SSL_CTX& context) const {
  ERR_clear_error();
  const std::string& certificate = settings_.certificate;
  const std::string& key = settings_.key;
  if (auto there = readable(File::certificate, certificate); !there) return there;
  if (auto there = readable(File::key, key); !there) return there;
  if (SSL_CTX_use_certificate_chain_file(&context, certificate.c_str()) != 1) {
    return fail(
        TlsProblem{File::certificate, certificate + " holds no good certificate: " + openssl_words()});
  }
  if (SSL_CTX_use_PrivateKey_file(&context, key.c_str(), SSL_FILETYPE_PEM) == 1 &&
      SSL_CTX_check_private_key(&context) == 1) {
    return {};
  }
  const unsigned long error = ERR_peek_error();
  if (ERR_GET_LIB(error) == ERR_LIB_X509) {
    ERR_clear_error();
    return fail(TlsProblem{File::key, key + " is not the key of the certificate in " + certificate});
  }
  return fail(TlsProblem{File::key, key + " holds no good key without a password: " + openssl_words()});
}

Result<void, TlsProblem> TlsContext::load_client_trust() {
  if (settings_.clients == ClientCertificates::not_asked) return {};
  const std::string& path = settings_.client_ca;
  if (auto there = readable(File::client_ca, path); !there) return there;
  // The names are what a client chooses its certificate by.
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(path.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(server_.get(), path.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return fail(TlsProblem{File::client_ca, path + " holds no good certificate: " + openssl_words()});
  }
  SSL_CTX_set_client_CA_list(server_.get(), names);
  int mode = SSL_VERIFY_PEER;
  if (settings_.clients == ClientCertificates::required) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(server_.get(), mode, nullptr);
  return {};
}

Result<void, TlsProblem> TlsContext::load_server_trust() {
  SSL_CTX_set_verify(client_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(client_.get(), &TlsSession::verify_server, nullptr);
  const std::string& path = settings_.server_ca;
  if (path.empty()) {
    if (SSL_CTX_set_default_verify_paths(client_.get()) == 1) return {};
    return fail(TlsProblem{File::server_ca, "the system's certificates: " + openssl_words()});
  }
  if (auto there = readable(File::server_ca, path); !there) return there;
  if (SSL_CTX_load_verify_file(client_.get(), path.c_str()) == 1) return {};
  return fail(TlsProblem{File::server_ca, path + " holds no good certificate: " + openssl_words()});
}

Result<void, TlsProblem> TlsContext::read_validity() {
  const X509* certificate = SSL_CTX_get0_certificate(server_.get());
  if (certificate == nullptr) return fail(TlsProblem{File::certificate, "no certificate was read"});
  valid_from_ = seconds_of(X509_get0_notBefore(certificate));
  valid_until_ = seconds_of(X509_get0_notAfter(certificate));
  return {};
}

bool TlsContext::verifies(std::string_view host) const {
  return !is_listed(settings_.unverified, host);
}

bool TlsContext::takes_wildcards_for(std::string_view host) const {
  return is_listed(settings_.wildcards, host);
}

}  // namespace baton::net
