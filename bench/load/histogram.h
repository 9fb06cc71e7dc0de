// Times by how often they came: buckets of at most 1 % of their value, so that percentiles of any number of
// samples cost the same memory.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace baton::bench {

class Histogram {
 public:
  void add(std::int64_t value) {
    const auto sample = static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
    ++counts_[index(sample)];
    ++total_;
    max_ = std::max(max_, sample);
  }

  // The value that `part` (0 to 1) of the samples do not exceed; 0 without samples.
  [[nodiscard]] std::uint64_t quantile(double part) const {
    const auto wanted = static_cast<std::uint64_t>(part * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (counts_[i] != 0 && seen >= std::max<std::uint64_t>(wanted, 1)) return std::min(upper(i), max_);
    }
    return max_;
  }

  [[nodiscard]] std::uint64_t max() const { return max_; }
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  static constexpr unsigned fine_bits = 7;
  static constexpr std::uint64_t fine = 1U << fine_bits;

  [[nodiscard]] static std::size_t index(std::uint64_t value) {
    if (value < fine) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - fine_bits - 1;
    return (shift + 1) * fine + (value >> shift) - fine;
  }
  [[nodiscard]] static std::uint64_t upper(std::size_t i) {
    if (i < fine) return i;
    const std::uint64_t shift = i / fine - 1;
    return ((i % fine + fine + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (64 - fine_bits + 1) * fine> counts_{};
  std::uint64_t total_ = 0, max_ = 0;
};

}  // namespace baton::bench
