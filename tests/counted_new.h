// operator new that counts: for one file of a program that is to know what it allocates.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

namespace baton::heap {

inline bool counting = true;
inline std::size_t allocations = 0, bytes = 0;

inline void note(std::size_t size) noexcept {
  if (!counting) return;
  ++allocations;
  bytes += size;
}

}  // namespace baton::heap

[[gnu::noinline]] void* operator new(std::size_t size) {
  baton::heap::note(size);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  baton::heap::note(size);
  return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
