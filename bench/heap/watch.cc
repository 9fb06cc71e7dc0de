// Preloaded into a server under test: counts the bytes of its heap that are in use and the blocks they are
// in, whatever allocator it is linked with, and writes both once a second into the file that BATON_HEAP_FILE
// names. Resident memory alone does not tell a leak from what the allocator keeps for later, nor bytes one
// from a table that has grown.
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

namespace {

std::atomic<std::size_t> in_use{0}, blocks{0};

template <typename F>
F* next(const char* name) {
  void* const found = dlsym(RTLD_NEXT, name);
  if (found == nullptr) std::abort();
  return reinterpret_cast<F*>(found);
}

// The allocator behind this one. dlsym may itself want memory while they are looked up: that comes from here
// and is never given back.
struct Next {
  decltype(&std::malloc) allocate = next<decltype(std::malloc)>("malloc");
  decltype(&std::realloc) resize = next<decltype(std::realloc)>("realloc");
  decltype(&std::free) release = next<decltype(std::free)>("free");
  void* (*aligned)(std::size_t, std::size_t) = next<void*(std::size_t, std::size_t)>("aligned_alloc");
  std::size_t (*usable)(void*) = next<std::size_t(void*)>("malloc_usable_size");
};

alignas(std::max_align_t) std::array<char, 65'536> early{};
std::size_t early_taken = 0;
bool looking = false;

bool is_early(const void* at) {
  return at >= early.data() && at < early.data() + early.size();
}

void* take_early(std::size_t size) {
  const std::size_t begin = early_taken;
  early_taken +=
      (size + alignof(std::max_align_t) - 1) / alignof(std::max_align_t) * alignof(std::max_align_t);
  if (early_taken > early.size()) std::abort();
  return early.data() + begin;
}

// The first call comes from the loader, before there is a second thread.
const Next& behind() {
  static const Next found = [] {
    looking = true;
    const Next all;
    looking = false;
    return all;
  }();
  return found;
}

void* counted(void* at) {
  if (at == nullptr) return at;
  in_use.fetch_add(behind().usable(at), std::memory_order_relaxed);
  blocks.fetch_add(1, std::memory_order_relaxed);
  return at;
}

void uncounted(void* at) {
  if (at == nullptr) return;
  in_use.fetch_sub(behind().usable(at), std::memory_order_relaxed);
  blocks.fetch_sub(1, std::memory_order_relaxed);
}

void* allocate(std::size_t size) {
  if (looking) return take_early(size);
  return counted(behind().allocate(size));
}

void* allocate_aligned(std::size_t alignment, std::size_t size) {
  return counted(behind().aligned(alignment, (size + alignment - 1) / alignment * alignment));
}

void release(void* at) {
  if (at == nullptr || is_early(at)) return;
  uncounted(at);
  behind().release(at);
}

void* or_throw(void* at) {
  if (at == nullptr) throw std::bad_alloc();
  return at;
}

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
        if (std::FILE* out = std::fopen(file, "w")) {
          std::fprintf(out, "%zu %zu\n", in_use.load(std::memory_order_relaxed),
                       blocks.load(std::memory_order_relaxed));
          std::fclose(out);
        }
        std::this_thread::sleep_for(std::chrono::seconds(1));
      }
    }).detach();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
} const watch;

}  // namespace

extern "C" {
void* malloc(std::size_t size) {
  return allocate(size);
}
void* calloc(std::size_t count, std::size_t size) {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) return nullptr;
  void* const at = allocate(bytes);
  return at == nullptr ? nullptr : std::memset(at, 0, bytes);
}
void* realloc(void* at, std::size_t size) {
  if (at == nullptr) return allocate(size);
  if (is_early(at)) {
    // How long it was is not known; what lies behind it in the room is as good.
    const auto room = static_cast<std::size_t>(early.data() + early.size() - static_cast<char*>(at));
    void* const moved = allocate(size);
    return moved == nullptr ? nullptr : std::memcpy(moved, at, std::min(size, room));
  }
  const std::size_t before = behind().usable(at);
  void* const moved = behind().resize(at, size);
  if (moved == nullptr && size != 0) return nullptr;
  in_use.fetch_sub(before, std::memory_order_relaxed);
  blocks.fetch_sub(1, std::memory_order_relaxed);
  return counted(moved);
}
void free(void* at) {
  release(at);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return allocate_aligned(alignment, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  return allocate_aligned(alignment, size);
}
int posix_memalign(void** place, std::size_t alignment, std::size_t size) {
  void* const at = allocate_aligned(alignment, size);
  if (at == nullptr) return ENOMEM;
  *place = at;
  return 0;
}
}

void* operator new(std::size_t size) {
  return or_throw(allocate(size));
}
void* operator new[](std::size_t size) {
  return or_throw(allocate(size));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return or_throw(allocate_aligned(static_cast<std::size_t>(alignment), size));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return or_throw(allocate_aligned(static_cast<std::size_t>(alignment), size));
}
void operator delete(void* at) noexcept {
  release(at);
}
void operator delete[](void* at) noexcept {
  release(at);
}
void operator delete(void* at, std::size_t) noexcept {
  release(at);
}
void operator delete[](void* at, std::size_t) noexcept {
  release(at);
}
void operator delete(void* at, std::align_val_t) noexcept {
  release(at);
}
void operator delete[](void* at, std::align_val_t) noexcept {
  release(at);
}
void operator delete(void* at, std::size_t, std::align_val_t) noexcept {
  release(at);
}
void operator delete[](void* at, std::size_t, std::align_val_t) noexcept {
  release(at);
}
