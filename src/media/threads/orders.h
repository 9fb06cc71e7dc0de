// What is said between the shard and the threads that carry its audio: values that are handed over whole.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "media/port.h"
#include "media/relay/ports.h"
#include "media/relay/relay.h"

namespace baton::media::threads {

// Names one departure of endpoints from one worker.
using MoveId = std::uint64_t;

// Answered by Taken.
struct TakeOut {
  MoveId move = 0;
  std::vector<EndpointId> endpoints;
  std::vector<RecordingId> recordings;
};
struct PutIn {
  Relay::Parcel parcel;
};
// A port pair of that worker's own, whose endpoint was closed at another one.
struct TakeBack {
  PortPair pair;
};
// To a worker; performed in the order in which they are given.
using Order = std::variant<Operation, TakeOut, PutIn, TakeBack>;

struct Taken {
  MoveId move = 0;
  Relay::Parcel parcel;  // without those that have to stay: there was no memory to take them out
};
// An endpoint that came from another worker has been closed: its ports go back there.
struct Stray {
  PortPair pair;
};
// From a worker.
using Note = std::variant<Result, Taken, Stray>;

}  // namespace baton::media::threads
