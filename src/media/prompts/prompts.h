// Prompts: hold music and the like, read from files once and kept in memory as what is sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sdp/codec.h"

namespace baton::media {

inline constexpr std::size_t prompt_seconds_max = 900;
inline constexpr std::size_t prompts_max = 100;

struct Prompt {
  std::vector<std::int16_t> samples;     // 8 kHz; never empty
  std::vector<std::uint8_t> pcmu, pcma;  // the same, encoded

  [[nodiscard]] Duration lasts() const { return std::chrono::microseconds(samples.size() * 125); }
  [[nodiscard]] const std::vector<std::uint8_t>& octets(sdp::Codec codec) const {
    return codec == sdp::Codec::pcma ? pcma : pcmu;
  }
};

// Whatever libsndfile can read with one or two channels, at 8 kHz or a multiple of it up to 48 kHz, and
// lasts 15 minutes at most. The error says what to do.
[[nodiscard]] baton::Result<std::shared_ptr<const Prompt>, std::string> read_prompt(const std::string& path);

// The prompts there are, by name. Thread-safe: a reload replaces them while they are played; what plays goes
// on to be heard.
class PromptLibrary {
 public:
  using Prompts = std::map<std::string, std::shared_ptr<const Prompt>>;
  void replace(Prompts prompts);
  // Null when there is none of that name.
  [[nodiscard]] std::shared_ptr<const Prompt> find(const std::string& name) const;

 private:
  mutable std::mutex mutex_;
  Prompts prompts_;
};

}  // namespace baton::media
