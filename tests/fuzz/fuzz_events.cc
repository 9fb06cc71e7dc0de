// A course of events into one engine: every step keeps the invariants, and at the end nothing is left.
#include "fuzz/adversary.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  constexpr std::size_t events_max = 200;
  baton::fuzz::Choices choices(data, size);
  baton::fuzz::Adversary adversary(choices);
  for (std::size_t events = 0; events < events_max && !choices.empty(); ++events) adversary.play_one();
  adversary.wind_down();
  return 0;
}
