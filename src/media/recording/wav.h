// A WAV file that is being written: 16-bit PCM, two channels. After each append() the file on the disk is one
// that can be played, whatever becomes of the process.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"

namespace baton::media {

inline constexpr std::size_t wav_header_bytes = 44;
inline constexpr std::size_t wav_frame_bytes = 4;  // two samples

class WavFile {
 public:
  // The file must not be there yet. Its owner may read and write it, its group read it. Errors are the
  // system's words.
  [[nodiscard]] static baton::Result<WavFile, std::string> create(const std::string& path,
                                                                  std::uint32_t rate);
  WavFile(WavFile&& other) noexcept;
  WavFile& operator=(WavFile&& other) noexcept;
  ~WavFile();

  // Left, right, left … After an error the file holds what was written before.
  [[nodiscard]] baton::Result<void, std::string> append(std::span<const std::int16_t> samples);

  [[nodiscard]] std::uint64_t frames() const { return data_bytes_ / wav_frame_bytes; }
  // A WAV file's sizes are 32 bits: no more than this fits.
  [[nodiscard]] static std::uint64_t frames_max() {
    return (0xffff'ffff - wav_header_bytes) / wav_frame_bytes;
  }

 private:
  WavFile(int fd, std::uint32_t rate) : fd_(fd), rate_(rate) {}
  [[nodiscard]] bool write_header() const;

  int fd_ = -1;
  std::uint32_t rate_ = 0;
  std::uint64_t data_bytes_ = 0;
};

}  // namespace baton::media
