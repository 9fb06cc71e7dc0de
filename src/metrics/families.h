// The server's state in the form of Prometheus: families of counters, gauges and histograms. What each one
// means is said in its help text, and in docs/operations.md.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "metrics/tally.h"
#include "shard/shard.h"
#include "store/writer.h"

namespace baton::metrics {

struct Snapshot {
  shard::Status shard;
  store::WriterStats store;
};

[[nodiscard]] std::vector<prometheus::MetricFamily> families(const Snapshot& snapshot, const Tally& tally);

}  // namespace baton::metrics
