// Memory that is kept for later use and belongs to nobody until then: a sanitizer build finds whoever still
// looks at it.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define BATON_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BATON_POISONS 1
#endif
#endif

#ifdef BATON_POISONS
#include <sanitizer/asan_interface.h>
#endif

namespace baton {

inline void poison([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t size) {
#ifdef BATON_POISONS
  __asan_poison_memory_region(memory, size);
#endif
}

inline void unpoison([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t size) {
#ifdef BATON_POISONS
  __asan_unpoison_memory_region(memory, size);
#endif
}

}  // namespace baton
