// What the machine hands to the store: records as values. The writer keeps their order.
#pragma once

#include <variant>

#include "call/records.h"

namespace baton::store {

using Record = std::variant<call::Cdr, call::TransferRecord, call::TraceMessage, call::LegQuality,
                            call::RecordingRecord>;

}  // namespace baton::store
