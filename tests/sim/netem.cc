#include "netem.h"

namespace baton::sim {

const char* to_string(Fault::Kind kind) {
  switch (kind) {
    case Fault::Kind::drop:
      return "drop";
    case Fault::Kind::duplicate:
      return "duplicate";
    case Fault::Kind::after_next:
      return "after_next";
    case Fault::Kind::after_timer:
      return "after_timer";
    case Fault::Kind::break_connection:
      return "break_connection";
  }
  return "?";
}

std::string to_string(const Fault& fault) {
  return std::to_string(fault.nth) + ":" + to_string(fault.kind);
}

Netem::Netem(std::uint64_t seed, LinkOptions link, std::vector<Fault> faults)
    : rng_(seed), link_(link), faults_(std::move(faults)) {}

std::optional<Fault::Kind> Netem::fault_of(unsigned nth) const {
  for (const Fault& fault : faults_) {
    if (fault.nth == nth) return fault.kind;
  }
  return std::nullopt;
}

Duration Netem::draw_delay() {
  if (link_.jitter == Duration::zero()) return link_.delay;
  return link_.delay + Duration{rng_.between(0, link_.jitter.count())};
}

Fate Netem::judge(bool stream) {
  const auto fault = fault_of(++judged_);
  Fate fate;
  if (stream) {
    fate.break_connection = fault == Fault::Kind::break_connection ||
                            (link_.break_permille != 0 && rng_.chance(link_.break_permille, 1000));
    if (fate.break_connection) fate.note = "connection breaks";
    if (!fate.break_connection) fate.copies.push_back(link_.delay);
    return fate;
  }
  if (fault == Fault::Kind::drop || fault == Fault::Kind::break_connection ||
      (link_.loss_permille != 0 && rng_.chance(link_.loss_permille, 1000))) {
    fate.note = "lost";
    return fate;
  }
  fate.copies.push_back(draw_delay());
  if (fault == Fault::Kind::duplicate ||
      (link_.duplicate_permille != 0 && rng_.chance(link_.duplicate_permille, 1000))) {
    // The second copy comes a little later, so that a fixed delay still tells the two apart.
    fate.copies.push_back(draw_delay() + 1ms);
    fate.note = "doubled";
  }
  fate.after_next = fault == Fault::Kind::after_next;
  fate.after_timer = fault == Fault::Kind::after_timer;
  if (fate.after_next) fate.note = "overtaken";
  if (fate.after_timer) fate.note = "timer first";
  return fate;
}

}  // namespace baton::sim
