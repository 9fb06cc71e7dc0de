#include "relay/cores.h"

#include <sched.h>

namespace baton::bench {

void run_on(Core which) {
  static const auto allowed = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    static_cast<void>(::sched_getaffinity(0, sizeof set, &set));
    return set;
  }();
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (!CPU_ISSET(i, &allowed)) continue;
    CPU_ZERO(&one);
    CPU_SET(i, &one);
    if (which == Core::first) break;
  }
  static_cast<void>(::sched_setaffinity(0, sizeof one, &one));
}

}  // namespace baton::bench
