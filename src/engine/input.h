// Everything the world can tell an engine. One input, then its actions are performed, then the next input.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/target.h"
#include "base/time.h"
#include "media/port.h"
#include "trunk/model.h"

namespace baton::engine {

// A datagram, or one message cut from a stream.
struct MessageIn {
  Source source;
  std::string bytes;
  Time arrived{};  // at this machine; epoch: now
};

// A request could not be handed to the network: connection refused or lost, no route, ICMP error.
struct TransportFailed {
  Transport transport = Transport::udp;
  SocketAddress remote;
};

// A stream connection is gone. Dialogs that used it find another way.
struct FlowClosed {
  FlowId flow = 0;
  Transport transport = Transport::tcp;
  SocketAddress remote{};
};

// The answer to a Resolve action: places in the order to try; empty: there is none.
struct Resolved {
  std::uint64_t query = 0;
  std::vector<Target> targets;
};

struct MediaDone {
  media::Result result;
};

// The time asked for by next_deadline() has come.
struct Tick {};

// A new configuration. Calls in progress keep what they were set up with.
struct ModelChanged {
  trunk::Snapshot model;
};

// No new calls (503 + Retry-After); those that are up go on.
struct Drain {};

// End every call now, with BYE, CANCEL or 503 to whoever is there.
struct HangUpAll {};

// Stop a pending transfer; the call stays with the transferor.
struct CancelTransfer {
  std::string transfer_id;
};

// Record what is said in a call from now on, or stop that. By call_uuid, or the root call's.
struct RecordCall {
  std::string call_uuid;
  bool on = true;
};

using Input = std::variant<MessageIn, TransportFailed, FlowClosed, Resolved, MediaDone, Tick, ModelChanged,
                           Drain, HangUpAll, CancelTransfer, RecordCall>;

}  // namespace baton::engine
