#include "net/crowd.h"

#include <algorithm>

#include "base/assert.h"

namespace baton::net {

IpAddress Crowd::source_of(IpAddress address) {
  if (address.v6) std::fill(address.bytes.begin() + 8, address.bytes.end(), std::uint8_t{0});
  return address;
}

Crowd::Held Crowd::held(const IpAddress& from) const {
  const auto found = sources_.find(source_of(from));
  return found == sources_.end() ? Held{} : found->second;
}

void Crowd::went(const IpAddress& from) {
  const auto found = sources_.find(source_of(from));
  BATON_ASSERT(found != sources_.end() && found->second.connections > 0);
  if (--found->second.connections == 0) sources_.erase(found);
}

void Crowd::handshake_began(const IpAddress& from) {
  ++sources_[source_of(from)].handshakes;
  ++handshakes_;
}

void Crowd::handshake_ended(const IpAddress& from) {
  const auto found = sources_.find(source_of(from));
  BATON_ASSERT(found != sources_.end() && found->second.handshakes > 0);
  --found->second.handshakes;
  --handshakes_;
}

}  // namespace baton::net
