#include "engine/overload.h"

namespace baton::engine {

bool Overload::heard(Time now, Duration waited) {
  if (limit_ <= Duration{0}) return false;
  // Nothing to do for so long is calm too.
  if (refuses_ && now - last_ >= ends_after && waited <= limit_ / 2) refuses_ = false;
  last_ = now;
  const bool speaks_for_change = refuses_ ? waited <= limit_ / 2 : waited > limit_;
  if (!speaks_for_change) {
    since_.reset();
    return refuses_;
  }
  if (!since_) since_ = now;
  if (now - *since_ >= (refuses_ ? ends_after : begins_after)) {
    refuses_ = !refuses_;
    since_.reset();
  }
  return refuses_;
}

}  // namespace baton::engine
