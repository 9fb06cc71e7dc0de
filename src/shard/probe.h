// Every counter of shard/. Written by the shard's thread; others read the copy in Shard::status().
#pragma once

#include <cstdint>

namespace baton::shard {

struct Probe {
  std::uint64_t rounds = 0;         // of the loop
  std::uint64_t rounds_failed = 0;  // something threw outside the machine
  std::uint64_t inputs = 0;
  std::uint64_t inputs_put_off = 0;  // rounds that ended with inputs waiting
  std::uint64_t ticks = 0;
  std::uint64_t ticks_stuck = 0;   // the machine asked for the past again and again
  std::uint64_t steps_failed = 0;  // the machine threw
  std::uint64_t steps_slow = 0;
  std::uint64_t step_us_max = 0;
  std::uint64_t sends = 0, resolves = 0, media_operations = 0, media_results = 0, records = 0, logs = 0;
  std::uint64_t outlets_failed = 0;  // a record or log callback threw
  std::uint64_t commands = 0;
};

}  // namespace baton::shard
