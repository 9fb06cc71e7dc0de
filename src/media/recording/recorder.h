// Writes what parties say to WAV files, on a thread of its own: left the first party of a recording, right
// the second. Those who hand packets over never wait for a disk; when it falls behind by more than the bound,
// audio is dropped and counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "media/port.h"
#include "sdp/codec.h"

namespace baton::media {

class Recorder {
 public:
  struct Options {
    std::string directory;                                  // exists and can be written
    std::size_t backlog_bytes_max = std::size_t{16} << 20;  // of audio not written yet
    // What a person should know, a line each; called on the recorder's thread.
    std::function<void(const char* event, const std::string& file, const std::string& why)> log;
  };
  explicit Recorder(Options options);
  ~Recorder();  // writes what there is
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Thread-safe, and short: nothing is done yet. `name` becomes the file's, with ".wav"; letters, digits, "-"
  // and "_".
  void start(RecordingId id, Time now, std::string name);
  void stop(RecordingId id, Time now);

  struct Audio {
    RecordingId id = 0;
    unsigned channel = 0;  // 0: left
    Time at{};
    sdp::Codec codec = sdp::Codec::pcmu;
    std::uint32_t ssrc = 0, timestamp = 0;
  };
  void audio(const Audio& audio, std::span<const std::uint8_t> payload);

  // Readable when take_finished() has something to give; the recorder's own.
  [[nodiscard]] int fd() const;
  void take_finished(std::vector<Result>& results);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton::media
