#include "net/dns_reply.h"

#include <ares.h>
#include <arpa/nameser.h>

#include <algorithm>
#include <memory>

#include "sip/text.h"

namespace baton::net {
namespace {

struct Freed {
  void operator()(void* reply) const { ares_free_data(reply); }
};

// The shortest time to live in the answer section; nothing where the bytes end too soon (RFC 1035 4.1).
std::optional<Duration> shortest_ttl(const unsigned char* bytes, int length) {
  const auto word = [&](const unsigned char* at) { return static_cast<unsigned>(at[0] << 8U | at[1]); };
  if (length < HFIXEDSZ) return std::nullopt;
  const unsigned char* at = bytes + HFIXEDSZ;
  const unsigned char* const end = bytes + length;
  const auto skip_name = [&] {
    char* name = nullptr;
    long encoded = 0;
    if (ares_expand_name(at, bytes, length, &name, &encoded) != ARES_SUCCESS) return false;
    ares_free_string(name);
    at += encoded;
    return true;
  };
  for (unsigned i = word(bytes + 4); i > 0; --i) {
    if (!skip_name() || end - at < QFIXEDSZ) return std::nullopt;
    at += QFIXEDSZ;
  }
  std::optional<Duration> shortest;
  for (unsigned i = word(bytes + 6); i > 0; --i) {
    if (!skip_name() || end - at < RRFIXEDSZ) return std::nullopt;
    const std::uint32_t seconds = std::uint32_t{word(at + 4)} << 16U | word(at + 6);
    const unsigned data = word(at + 8);
    at += RRFIXEDSZ;
    if (end - at < static_cast<std::ptrdiff_t>(data)) return std::nullopt;
    at += data;
    // RFC 2181 8: with its topmost bit set it counts as none.
    const Duration ttl = std::chrono::seconds(seconds > 0x7fff'ffffU ? 0 : seconds);
    shortest = std::min(shortest.value_or(ttl), ttl);
  }
  return shortest;
}

std::string text_of(const unsigned char* text) {
  return text == nullptr ? std::string{} : reinterpret_cast<const char*>(text);
}

std::string upper(std::string text) {
  for (char& c : text) c = sip::text::upper(c);
  return text;
}

bool read_srv(const unsigned char* bytes, int length, std::size_t most, Records& records) {
  ares_srv_reply* first = nullptr;
  if (ares_parse_srv_reply(bytes, length, &first) != ARES_SUCCESS) return false;
  const std::unique_ptr<ares_srv_reply, Freed> owner(first);
  for (const ares_srv_reply* one = first; one != nullptr && records.srv.size() < most; one = one->next) {
    records.srv.push_back({one->priority, one->weight, one->port, plain_name(one->host)});
  }
  return true;
}

bool read_naptr(const unsigned char* bytes, int length, std::size_t most, Records& records) {
  ares_naptr_reply* first = nullptr;
  if (ares_parse_naptr_reply(bytes, length, &first) != ARES_SUCCESS) return false;
  const std::unique_ptr<ares_naptr_reply, Freed> owner(first);
  for (const ares_naptr_reply* one = first; one != nullptr && records.naptr.size() < most; one = one->next) {
    records.naptr.push_back({one->order, one->preference, plain_name(text_of(one->flags)),
                             upper(text_of(one->service)), plain_name(one->replacement)});
  }
  return true;
}

}  // namespace

std::string plain_name(std::string name) {
  name = sip::text::lowered(name);
  if (name.ends_with('.')) name.pop_back();
  return name;
}

std::optional<DnsReply> read_dns_reply(RecordType type, const unsigned char* bytes, int length,
                                       std::size_t records_max) {
  if (bytes == nullptr) return std::nullopt;
  DnsReply reply;
  const bool read = type == RecordType::srv ? read_srv(bytes, length, records_max, reply.records)
                                            : read_naptr(bytes, length, records_max, reply.records);
  const auto ttl = shortest_ttl(bytes, length);
  if (!read || !ttl) return std::nullopt;
  reply.ttl = *ttl;
  return reply;
}

}  // namespace baton::net
