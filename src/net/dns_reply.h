// The SRV and NAPTR records of a name server's reply, out of its bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/time.h"
#include "net/locate.h"

namespace baton::net {

struct DnsReply {
  Records records;
  Duration ttl{};  // the shortest of its answers
};

// Lower case, without the root's dot.
[[nodiscard]] std::string plain_name(std::string name);

// What c-ares hands over for a successful query. Nothing when it can not be understood.
[[nodiscard]] std::optional<DnsReply> read_dns_reply(RecordType type, const unsigned char* bytes, int length,
                                                     std::size_t records_max);

}  // namespace baton::net
