// What the records of calls add up to since the start. count() is for the threads that submit records, and
// neither blocks nor allocates; everything else may be called from any thread meanwhile.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "store/port.h"

namespace baton::metrics {

// How many values were at most each bound, and their sum.
template <std::size_t N>
class Histogram {
 public:
  explicit Histogram(const std::array<double, N>& bounds) : bounds_(bounds) {}

  void observe(double value) {
    std::size_t i = 0;
    while (i < N && value > bounds_[i]) ++i;
    counts_[i].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }
  [[nodiscard]] const std::array<double, N>& bounds() const { return bounds_; }
  // Of the values above bound i-1 and not above bound i; at N, above all bounds.
  [[nodiscard]] std::uint64_t count(std::size_t i) const {
    return counts_[i].load(std::memory_order_relaxed);
  }
  [[nodiscard]] double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::array<double, N> bounds_;
  std::array<std::atomic<std::uint64_t>, N + 1> counts_{};
  std::atomic<double> sum_ = 0;
};

// One counter for each of some words; what is none of them is counted as the last, so that no text of a
// peer's can make a new one.
template <std::size_t N>
class Words {
 public:
  explicit Words(const std::array<std::string_view, N>& words) : words_(words) {}

  void add(std::string_view word, std::uint64_t amount = 1) {
    counts_[index(word)].fetch_add(amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t index(std::string_view word) const {
    std::size_t i = 0;
    while (i + 1 < N && words_[i] != word) ++i;
    return i;
  }
  [[nodiscard]] std::string_view word(std::size_t i) const { return words_[i]; }
  [[nodiscard]] std::uint64_t count(std::size_t i) const {
    return counts_[i].load(std::memory_order_relaxed);
  }
  static constexpr std::size_t size() { return N; }

 private:
  std::array<std::string_view, N> words_;
  std::array<std::atomic<std::uint64_t>, N> counts_{};
};

class Tally {
 public:
  void count(const store::Record& record);

  static constexpr std::array<std::string_view, 6> codecs = {"PCMU", "PCMA", "G722", "opus", "none", "other"};
  static constexpr std::array<std::string_view, 7> outcomes = {
      "transferred", "failed", "refused", "superseded", "abandoned", "cancelled", "other"};
  static constexpr std::array<std::string_view, 4> statuses = {"complete", "incomplete", "failed", "other"};
  static constexpr std::array<double, 10> talk_bounds = {1, 5, 15, 30, 60, 180, 600, 1'800, 3'600, 14'400};
  static constexpr std::array<double, 9> wait_bounds = {0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
  static constexpr std::array<double, 8> mos_bounds = {1.5, 2, 2.5, 3, 3.6, 4, 4.3, 4.5};
  static constexpr std::array<double, 8> loss_bounds = {0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25};
  static constexpr std::array<double, 8> delay_bounds = {0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1};

  // Of one destination's span: the original leg's and those of transfers.
  struct Spans {
    std::array<std::atomic<std::uint64_t>, 64> by_cause{};  // see cause_index()
    Histogram<10> talked{talk_bounds};                      // seconds from answer to end
    Histogram<9> set_up{wait_bounds};                       // seconds from the first INVITE to the answer
  };
  // One direction of the audio of legs.
  struct Way {
    Words<6> packets{codecs}, lost{codecs};
    Histogram<8> mos{mos_bounds}, loss{loss_bounds}, jitter{delay_bounds};
  };

  Spans original, transfer;
  Words<7> transfers{outcomes};
  Histogram<9> transfer_took{wait_bounds};  // seconds from the REFER to the end, of those that succeeded
  Way received, sent;                       // what came from parties; what they report of what we sent
  Words<6> packets_dropped{codecs};
  Histogram<8> round_trip{delay_bounds};
  Words<4> recordings{statuses};

 private:
  void add(const call::Cdr& cdr);
  void add(const call::TransferRecord& record);
  void add(const call::LegQuality& quality);
  void add(const call::RecordingRecord& record);
  void add(const call::TraceMessage& /*message*/) {}
};

// The places of Spans::by_cause: every hang-up code has one, and those without share the last.
[[nodiscard]] std::size_t cause_index(int hangup_code);
// The code at a place; 0: none.
[[nodiscard]] int cause_at(std::size_t index);

}  // namespace baton::metrics
