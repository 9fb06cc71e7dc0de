// Names for what is put into a database.
#pragma once

#include <string>

#include "base/rng.h"
#include "base/time.h"

namespace baton {

// A version 7 UUID (RFC 9562 5.7), lower case: later ones sort after earlier ones, by the millisecond, so
// that a new row of an index lies beside the last one and few pages are written.
[[nodiscard]] inline std::string uuid_at(Time now, Rng& rng) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string text = rng.uuid();
  text[14] = '7';
  auto milliseconds = static_cast<std::uint64_t>(to_micros(now) / 1'000);
  for (const std::size_t at : {12U, 11U, 10U, 9U, 7U, 6U, 5U, 4U, 3U, 2U, 1U, 0U}) {
    text[at] = hex[milliseconds & 15];
    milliseconds >>= 4;
  }
  return text;
}

}  // namespace baton
