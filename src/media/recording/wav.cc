#include "media/recording/wav.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace baton::media {
namespace {

static_assert(std::endian::native == std::endian::little, "samples are written as they lie in memory");

std::string last_error() {
  return std::generic_category().message(errno);
}

// All of it, or false.
bool write_at(int fd, const void* data, std::size_t size, std::uint64_t at) {
  const auto* bytes = static_cast<const char*>(data);
  while (size != 0) {
    const ssize_t n = ::pwrite(fd, bytes, size, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = ENOSPC;
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<std::size_t>(n);
    at += static_cast<std::uint64_t>(n);
  }
  return true;
}

class Header {
 public:
  Header& text(const char* four) {
    std::memcpy(bytes.data() + at_, four, 4);
    at_ += 4;
    return *this;
  }
  Header& number(std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes[at_++] = static_cast<std::uint8_t>(value >> (8 * i));
    return *this;
  }
  std::array<std::uint8_t, wav_header_bytes> bytes{};

 private:
  std::size_t at_ = 0;
};

}  // namespace

baton::Result<WavFile, std::string> WavFile::create(const std::string& path, std::uint32_t rate) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
  if (fd < 0) return fail(last_error());
  WavFile file(fd, rate);
  if (!file.write_header()) {
    const std::string why = last_error();
    ::unlink(path.c_str());
    return fail(why);
  }
  return file;
}

WavFile::WavFile(WavFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), rate_(other.rate_), data_bytes_(other.data_bytes_) {}

WavFile& WavFile::operator=(WavFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  rate_ = other.rate_;
  data_bytes_ = other.data_bytes_;
  return *this;
}

WavFile::~WavFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool WavFile::write_header() const {
  constexpr unsigned channels = 2, bits = 16;
  Header header;
  header.text("RIFF").number(data_bytes_ + wav_header_bytes - 8, 4).text("WAVE");
  header.text("fmt ").number(16, 4).number(1, 2).number(channels, 2).number(rate_, 4);
  header.number(std::uint64_t{rate_} * wav_frame_bytes, 4).number(wav_frame_bytes, 2).number(bits, 2);
  header.text("data").number(data_bytes_, 4);
  return write_at(fd_, header.bytes.data(), header.bytes.size(), 0);
}

// Samples first: a header that promises more than there is would make a player stumble.
baton::Result<void, std::string> WavFile::append(std::span<const std::int16_t> samples) {
  if (frames() + samples.size() / 2 > frames_max())
    return fail(std::string("the file is as long as a WAV file can be"));
  const std::size_t bytes = samples.size_bytes();
  if (!write_at(fd_, samples.data(), bytes, wav_header_bytes + data_bytes_)) return fail(last_error());
  data_bytes_ += bytes;
  if (write_header()) return {};
  const std::string why = last_error();
  data_bytes_ -= bytes;
  return fail(why);
}

}  // namespace baton::media
