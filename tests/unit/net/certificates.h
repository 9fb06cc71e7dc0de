// Certificates for tests, made when they are needed, in files of their own.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

namespace baton::net {

using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;

struct Wanted {
  std::string common_name = "test";
  std::string names{};   // subjectAltName as OpenSSL writes it: "DNS:a.example,URI:sip:b.example"
  std::string usage{};   // extendedKeyUsage: "serverAuth"
  long from_s = -3'600;  // of now
  long until_s = 86'400;
  bool authority = false;
};

class Pair {
 public:
  // Signed by `issuer`, or by itself.
  explicit Pair(const Wanted& wanted, const Pair* issuer = nullptr)
      : key(EVP_EC_gen("P-256"), &EVP_PKEY_free), certificate(X509_new(), &X509_free) {
    static long serial = 0;
    X509* x = certificate.get();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x), wanted.from_s);
    X509_gmtime_adj(X509_getm_notAfter(x), wanted.until_s);
    X509_set_pubkey(x, key.get());
    if (!wanted.common_name.empty()) {
      X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                                 reinterpret_cast<const unsigned char*>(wanted.common_name.data()),  // NOLINT
                                 static_cast<int>(wanted.common_name.size()), -1, 0);
    }
    const Pair& signer = issuer != nullptr ? *issuer : *this;
    X509_set_issuer_name(x, X509_get_subject_name(signer.certificate.get()));
    extend(NID_basic_constraints, wanted.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!wanted.names.empty()) extend(NID_subject_alt_name, wanted.names);
    if (!wanted.usage.empty()) extend(NID_ext_key_usage, wanted.usage);
    EXPECT_GT(X509_sign(x, signer.key.get(), EVP_sha256()), 0);
  }

  Key key;
  Certificate certificate;

 private:
  void extend(int nid, const std::string& value) const {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    ASSERT_NE(extension, nullptr) << value;
    X509_add_ext(certificate.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
};

// A folder of PEM files that goes with it.
class PemFolder {
 public:
  PemFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "baton-pem-XXXXXX").string();
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    path_ = path;
  }
  ~PemFolder() { std::filesystem::remove_all(path_); }
  PemFolder(const PemFolder&) = delete;
  PemFolder& operator=(const PemFolder&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  // The paths of the certificate and of the key.
  [[nodiscard]] std::string certificate(const std::string& name, const Pair& pair) const {
    return write(name, [&](std::FILE* to) { return PEM_write_X509(to, pair.certificate.get()); });
  }
  [[nodiscard]] std::string key(const std::string& name, const Pair& pair) const {
    return write(name, [&](std::FILE* to) {
      return PEM_write_PrivateKey(to, pair.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  [[nodiscard]] std::string locked_key(const std::string& name, const Pair& pair) const {
    return write(name, [&](std::FILE* to) {
      return PEM_write_PrivateKey(to, pair.key.get(), EVP_aes_128_cbc(), nullptr, 0, nullptr,
                                  const_cast<char*>("secret"));
    });
  }
  [[nodiscard]] std::string text(const std::string& name, const std::string& text) const {
    return write(name, [&](std::FILE* to) { return std::fputs(text.c_str(), to) >= 0; });
  }

 private:
  template <typename Write>
  [[nodiscard]] std::string write(const std::string& name, Write&& how) const {
    std::FILE* to = std::fopen(file(name).c_str(), "w");
    EXPECT_NE(to, nullptr);
    EXPECT_TRUE(how(to));
    std::fclose(to);
    return file(name);
  }

  std::filesystem::path path_;
};

}  // namespace baton::net
