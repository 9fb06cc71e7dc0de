// RFC 3263 4 as a function: from what a URI says, and what the name servers have said so far, to the places
// to try, in order. No I/O: what is missing is asked of Facts, and the function is called again when it has
// come.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/target.h"

namespace baton::net {

struct Naptr {
  std::uint16_t order = 0, preference = 0;
  std::string flags;        // lower case
  std::string service;      // upper case: "SIP+D2U"
  std::string replacement;  // lower case, without the root's dot
};

struct Srv {
  std::uint16_t priority = 0, weight = 0, port = 0;
  std::string host;  // lower case, without the root's dot; empty: "decidedly not available" (RFC 2782)
};

enum class RecordType : std::uint8_t { naptr, srv, address };

// All that one name has of one type; the lists of the other types are empty.
struct Records {
  std::vector<Naptr> naptr;
  std::vector<Srv> srv;
  std::vector<IpAddress> addresses;
};

class Facts {
 public:
  virtual ~Facts() = default;
  // Null: not known yet, and asked for. The pointer is good until the caller of locate() lets others in.
  virtual const Records* look(RecordType type, const std::string& name) = 0;
};

// What there are sockets for.
class Reach {
 public:
  void add(Transport transport, bool v6) { of(transport, v6) = true; }
  [[nodiscard]] bool can(Transport transport, bool v6) const { return of(transport, v6); }
  [[nodiscard]] bool can(Transport transport) const { return can(transport, false) || can(transport, true); }
  [[nodiscard]] bool any(bool v6) const {
    return can(Transport::udp, v6) || can(Transport::tcp, v6) || can(Transport::tls, v6);
  }

 private:
  [[nodiscard]] bool& of(Transport transport, bool v6) {
    return can_[static_cast<std::size_t>(transport)][v6 ? 1 : 0];
  }
  [[nodiscard]] bool of(Transport transport, bool v6) const {
    return can_[static_cast<std::size_t>(transport)][v6 ? 1 : 0];
  }
  std::array<std::array<bool, 2>, 3> can_{};
};

// Of one look-up, whatever the name servers say. Names lead nowhere but NAPTR → SRV → address, so these bound
// the questions too.
inline constexpr std::size_t naptr_used_max = 8;
inline constexpr std::size_t srv_used_max = 16;  // of one name
inline constexpr std::size_t targets_max = 16;

// Nothing: facts are missing. An empty list: nowhere to go. `rng` is drawn from only for a list.
[[nodiscard]] std::optional<std::vector<Target>> locate(const Lookup& lookup, const Reach& reach,
                                                        Facts& facts, Rng& rng);

// RFC 2782: by priority; within one, drawn by weight.
void order_by_weight(std::vector<Srv>& records, Rng& rng);

}  // namespace baton::net
