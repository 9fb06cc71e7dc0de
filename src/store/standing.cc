#include "store/standing.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <system_error>
#include <thread>

namespace baton::store {
namespace {

bool set_policy(pid_t thread, int policy) {
  const sched_param none{};
  return ::sched_setscheduler(thread, policy, &none) == 0;
}

// A thread that could not come back would starve: another one tries.
bool may_come_back() {
  if (::sched_getscheduler(0) != SCHED_OTHER) return false;  // whoever started the server has decided
  // Not even asked for where it can not be had: a filter of system calls may end who asks.
  rlimit nice{};
  const bool limited = ::getrlimit(RLIMIT_NICE, &nice) != 0 || nice.rlim_cur < 20;
  if (limited && ::geteuid() != 0) return false;
  bool came_back = false;
  try {
    std::thread([&came_back] {
      came_back = set_policy(::gettid(), SCHED_IDLE) && set_policy(::gettid(), SCHED_OTHER);
    }).join();
  } catch (const std::system_error&) {  // no thread to be had: then not
  }
  return came_back;
}

}  // namespace

void Standing::adopt() {
  if (!may_come_back()) return;
  // Its files are not to wait behind everybody's as well, as they would by the policy alone.
  constexpr int of_one_thread = 1, best_effort = 2 << 13, usual = 4;  // IOPRIO_WHO_PROCESS, IOPRIO_PRIO_VALUE
  ::syscall(SYS_ioprio_set, of_one_thread, 0, best_effort | usual);
  thread_ = ::gettid();
}

void Standing::leave() {
  step_forward();
  thread_ = 0;
}

void Standing::step_back() {
  const pid_t thread = thread_.load(std::memory_order_relaxed);
  if (thread == 0 || back_.load(std::memory_order_relaxed)) return;
  if (set_policy(thread, SCHED_IDLE)) back_.store(true, std::memory_order_release);
}

void Standing::step_forward() {
  if (!back_.load(std::memory_order_relaxed) || !back_.exchange(false)) return;
  if (const pid_t thread = thread_.load(); thread != 0) set_policy(thread, SCHED_OTHER);
}

}  // namespace baton::store
