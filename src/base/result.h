// Result<T, E>: a value or the reason there is none. Used for everything a peer, a file or a user can get
// wrong; our own mistakes are BATON_ASSERT.
#pragma once

#include <tl/expected.hpp>
#include <utility>

namespace baton {

template <typename T, typename E>
using Result = tl::expected<T, E>;

template <typename E>
[[nodiscard]] auto fail(E&& error) {
  return tl::make_unexpected(std::forward<E>(error));
}

}  // namespace baton
