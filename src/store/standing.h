// How the writer's thread stands beside others on its core. It works in bursts of many milliseconds, and no
// call is to wait for one: while little waits to be written, it takes time that nobody else wants
// (SCHED_IDLE). On a core without such time it is put back among the others before much waits.
#pragma once

#include <sys/types.h>

#include <atomic>

namespace baton::store {

class Standing {
 public:
  // The calling thread's, from now on. Where the kernel lets no thread come back from idle time (that takes
  // CAP_SYS_NICE or an RLIMIT_NICE of 20), nothing ever changes.
  void adopt();
  // Of that thread, before it ends.
  void leave();

  // Of that thread: it has next to nothing to do.
  void step_back();
  // Any thread: somebody waits for it, or much does.
  void step_forward();

 private:
  std::atomic<pid_t> thread_{0};  // 0: nothing can be changed
  std::atomic<bool> back_{false};
};

}  // namespace baton::store
