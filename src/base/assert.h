// An assertion that stays on in release builds: a broken invariant of ours must not go on to touch live
// calls.
#pragma once

namespace baton {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace baton

#define BATON_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::baton::assertion_failed(#expression, __FILE__, __LINE__))
