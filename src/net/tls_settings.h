// What a TLS listener is told, as plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace baton::net {

enum class ClientCertificates : std::uint8_t { not_asked, optional, required };

struct TlsSettings {
  std::string certificate;  // PEM file: ours, then those between it and the root
  std::string key;          // PEM file, not encrypted
  std::string client_ca;    // PEM file: who signs for clients; needed when they are asked
  ClientCertificates clients = ClientCertificates::not_asked;
  std::string server_ca;                // PEM file: who signs for servers; empty: whom the system trusts
  std::vector<std::string> wildcards;   // hosts that a certificate may name as "*.example.com"
  std::vector<std::string> unverified;  // hosts whose certificate is not looked at

  bool operator==(const TlsSettings&) const = default;
};

}  // namespace baton::net
