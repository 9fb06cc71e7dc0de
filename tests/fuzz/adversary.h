// Peers that say anything at any time, each thing by itself well-formed (or nearly so): bytes of a fuzzer are
// read as a course of events for one engine. What must hold whatever they do is asserted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "sip/message.h"

namespace baton::fuzz {

// The fuzzer's bytes as choices; zeros when they are used up.
class Choices {
 public:
  Choices(const unsigned char* data, std::size_t size) : data_(data), size_(size) {}
  [[nodiscard]] bool empty() const { return at_ >= size_; }
  std::uint8_t byte() { return at_ < size_ ? data_[at_++] : 0; }
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : byte() % bound; }
  template <typename T, std::size_t N>
  const T& of(const T (&table)[N]) {
    return table[below(N)];
  }

 private:
  const unsigned char* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

class Adversary {
 public:
  explicit Adversary(Choices& choices);

  // One event of the peers, the network or the clock.
  void play_one();
  // Everybody is let go; after the longest timer nothing may be left.
  void wind_down();

 private:
  enum class Who : std::uint8_t { carrier, endpoint, target, stranger, count };
  struct Seen {  // a message of the engine's, and to whom it went
    sip::Message message;
    Who who;
    FlowId flow;
  };

  void step(engine::Input input);
  void perform(const engine::Action& action);
  void deliver(Who who, std::string bytes);
  void new_invite();
  void respond();
  void in_dialog_request();
  void acknowledge();
  void cancel();
  void repeat();
  void damage();
  void answer_media();
  void answer_lookup();
  void pass_time();
  void answer_all_quietly();

  [[nodiscard]] Source source_of(Who who) const;
  [[nodiscard]] std::string via_of(Who who);
  [[nodiscard]] std::string description();
  [[nodiscard]] std::string refer_to();
  [[nodiscard]] const Seen* pick();

  Choices& choices_;
  trunk::Snapshot model_;
  engine::Engine engine_;
  Time now_{};
  FlowId flow_ = 1;
  std::vector<Seen> seen_;                         // the latest, bounded
  std::vector<std::pair<Who, std::string>> said_;  // by the peers, bounded
  std::vector<std::pair<Who, std::string>> invites_;
  std::vector<media::EndpointId> opening_;
  std::vector<std::uint64_t> lookups_;
  bool unreadable_ = false;  // what is being delivered
  std::uint64_t serial_ = 0;
  std::uint16_t port_ = 20'000;
};

}  // namespace baton::fuzz
