// Preloaded into a server under test: writes how much of its heap is in use, once a second, into the file
// that BATON_HEAP_FILE names. Resident memory alone does not tell a leak from what the allocator keeps for
// later.
#include <malloc.h>
#include <pthread.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

// Its thread begins with the process and ends with it.
struct Watch {
  Watch() {
    const char* file = std::getenv("BATON_HEAP_FILE");
    if (file == nullptr) return;
    // Signals are for the server's own threads.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread([file] {
      for (;;) {
        const struct mallinfo2 heap = mallinfo2();
        if (std::FILE* out = std::fopen(file, "w")) {
          std::fprintf(out, "%zu\n", heap.uordblks + heap.hblkhd);
          std::fclose(out);
        }
        std::this_thread::sleep_for(std::chrono::seconds(1));
      }
    }).detach();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
} const watch;

}  // namespace
