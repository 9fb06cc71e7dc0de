// Buffers for bytes that come and go: datagrams, messages that are written, what is kept to be sent again.
// They are given out by their size and taken back by whoever has the last use for them, so that after warm-up
// none is allocated. One shard's: its network, transactions and messages share it. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace baton {

class Buffers {
 public:
  Buffers();
  ~Buffers();
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  // An empty one with room for so many bytes. It may be dropped instead of being given back.
  [[nodiscard]] std::string take(std::size_t room);
  // One with these bytes.
  [[nodiscard]] std::string copy(std::string_view bytes) {
    std::string buffer = take(bytes.size());
    buffer.append(bytes);
    return buffer;
  }
  // Any string; nothing may look at it any more. Kept up to limits::kept_buffers_max of each size.
  void give(std::string buffer);
  [[nodiscard]] std::size_t kept() const;

 private:
  // With the byte behind them and what the heap adds they fill whole lines.
  static constexpr std::array<std::size_t, 8> sizes = {119, 247, 503, 759, 1'015, 1'527, 2'039, 4'087};

  std::array<std::vector<std::string>, sizes.size()> kept_;
};

}  // namespace baton
