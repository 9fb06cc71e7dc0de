// Everything an engine can ask of the world. Performed in order, all of them, before the next input.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/target.h"
#include "call/context.h"
#include "media/port.h"
#include "store/port.h"

namespace baton::engine {

struct Send {
  Destination to;
  std::string bytes;
};

// Find the places that serve a host (RFC 3263). Answered by Resolved with the same query number, within 5 s.
struct Resolve {
  std::uint64_t query = 0;
  Lookup lookup;
};

struct MediaDo {
  media::Operation operation;
};

struct Write {
  store::Record record;
};

// Who is at the other end of this connection belongs here: no stranger takes its place.
struct KeepFlow {
  FlowId flow = 0;
};

using Severity = call::Severity;
using Log = call::LogEvent;

using Action = std::variant<Send, Resolve, MediaDo, Write, Log, KeepFlow>;
using Actions = std::vector<Action>;

}  // namespace baton::engine
