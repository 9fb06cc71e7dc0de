// Endpoints on their way from one relay to another, with all that belongs to them.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "media/port.h"
#include "media/relay/endpoint.h"
#include "media/relay/relay.h"

namespace baton::media {

struct Relay::Parcel::Contents {
  struct Item {
    explicit Item(Endpoint&& endpoint_) : endpoint(std::move(endpoint_)) {}
    Endpoint endpoint;                 // its links to others mean nothing here
    std::optional<std::size_t> hears;  // which one of these
  };
  struct Recording {
    RecordingId id = 0;
    std::array<std::optional<std::size_t>, 2> channels;  // of the items; nothing: it has been closed
  };
  std::vector<Item> items;
  std::vector<Recording> recordings;
};

}  // namespace baton::media
