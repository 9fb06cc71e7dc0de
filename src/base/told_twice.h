// Keys that a party tells of by two means at once, in its media and by signalling. Each press that was told
// once is paired with one of the same key told by the other means soon before or after, so that of two
// presses of one key both count, and of one press told twice one does.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace baton {

class ToldTwice {
 public:
  enum class By : std::uint8_t { media, signalling };

  // How far apart the two may be, from the end of the press: a request that was lost comes again after half
  // a second, and then after one.
  static constexpr Duration apart_max = 2s;

  // A key is told of, which has been pressed for so long by now. True: it has been told by the other means,
  // and this one is to be left out.
  [[nodiscard]] bool take(Time now, By by, std::uint8_t key, Duration lasted = {}) {
    const auto other = std::find_if(told_.begin(), told_.end(), [&](const Told& told) {
      return told.open && told.by != by && told.key == key && now - told.at <= apart_max + lasted;
    });
    if (other != told_.end()) {
      other->open = false;
      return true;
    }
    told_[next_] = {true, by, key, now};
    newest_ = next_;
    next_ = (next_ + 1) % told_.size();
    return false;
  }

  // The key told last by its media is still pressed.
  void hold(Time now) {
    if (told_[newest_].by == By::media) told_[newest_].at = now;
  }

 private:
  struct Told {
    bool open = false;  // not paired
    By by = By::media;
    std::uint8_t key = 0;
    Time at{};
  };
  std::array<Told, 8> told_{};
  std::size_t newest_ = 0, next_ = 0;
};

}  // namespace baton
