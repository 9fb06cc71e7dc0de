// What messages leave to later ones: their buffers, and the objects they were read into and written from. One
// engine's, and it outlives all that was made with it. Bounded by limits::kept_*.
#pragma once

#include <memory>
#include <utility>

#include "base/buffers.h"
#include "base/limits.h"
#include "base/pool.h"
#include "sip/draft.h"
#include "sip/message.h"

namespace baton::sip {

class Spares {
 public:
  // `buffers` may be shared with whoever brings the messages and takes them away.
  explicit Spares(std::shared_ptr<Buffers> buffers = std::make_shared<Buffers>())
      : buffers_(std::move(buffers)),
        messages_(limits::kept_messages_max),
        drafts_(limits::kept_drafts_max) {}

  [[nodiscard]] Buffers& buffers() { return *buffers_; }

 private:
  friend class Message;
  friend class Draft;

  std::shared_ptr<Buffers> buffers_;
  Pool<Message::Data> messages_;
  Pool<Draft::Parts> drafts_;
};

}  // namespace baton::sip
