#include "media/recording/recorder.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "media/codec/coder.h"
#include "media/recording/mixdown.h"
#include "media/recording/wav.h"

namespace baton::media {
namespace {

constexpr auto round = std::chrono::milliseconds(200);
// Headers are put right as often; a crash costs no more than this and the patience of a Mixdown.
constexpr std::size_t frames_at_once = recording_rate / 4;
constexpr std::size_t name_bytes_max = 100;

bool is_safe(const std::string& name) {
  return !name.empty() && name.size() <= name_bytes_max && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// Signals are for the thread that waits for them. SIGXFSZ, too, would end the process where EFBIG is an
// answer.
std::thread start_without_signals(std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  pthread_setname_np(thread.native_handle(), "recorder");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

class Recorder::Impl {
 public:
  explicit Impl(Options options)
      : options_(std::move(options)), fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    BATON_ASSERT(fd_ >= 0);
    thread_ = start_without_signals([this] { run(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
    ::close(fd_);
  }

  struct Item {
    enum class Kind : std::uint8_t { start, audio, stop } kind = Kind::audio;
    Audio audio;
    std::uint32_t size = 0;  // of the payload
    std::string name{};
  };

  void put(Item item, std::span<const std::uint8_t> payload);
  [[nodiscard]] int fd() const { return fd_; }
  void take_finished(std::vector<Result>& results);

 private:
  // What is handed over at once: payloads lie one after the other.
  struct Load {
    std::vector<Item> items;
    std::vector<std::uint8_t> bytes;
    std::map<RecordingId, std::uint64_t> dropped;
  };
  // One party as it is decoded, and its time line at the recording's rate.
  struct Voice {
    std::optional<Decoder> decoder;
    std::uint32_t ssrc = 0, clock = 0;
    std::uint32_t heard = 0, time = 0;  // the latest packet's time, at its clock and at ours
  };
  struct Recording {
    std::string path;
    std::optional<WavFile> file;
    Mixdown mixdown;
    std::array<Voice, 2> voices{};
    std::vector<std::int16_t> ready;
    std::uint64_t packets_dropped = 0;
    std::string error;
  };

  void run();
  void take(Load& load);
  void begin(const Item& item);
  [[nodiscard]] static std::uint32_t place(Voice& voice, const Audio& audio);
  static void count_dropped(Recording& recording, RecordingId id, Load& load);
  void finish(const Item& item, Load& load);
  void write(Recording& recording, bool all);
  void fail(Recording& recording, const std::string& why);
  void report(Recorded recorded);

  Options options_;
  int fd_;
  std::mutex mutex_;  // of the next four; held for moments
  std::condition_variable wake_;
  Load filling_;
  std::vector<Result> finished_;
  bool stopping_ = false;

  // The thread's own.
  std::map<RecordingId, Recording> recordings_;
  std::array<std::int16_t, recording_rate / 1'000 * packet_ms_max> samples_{};  // of one packet
  bool disk_failed_ = false, drop_logged_ = false;
  std::thread thread_;
};

void Recorder::Impl::put(Item item, std::span<const std::uint8_t> payload) {
  const std::lock_guard lock(mutex_);
  constexpr std::size_t item_bytes = sizeof(Item);
  const std::size_t held = filling_.bytes.size() + filling_.items.size() * item_bytes;
  if (item.kind == Item::Kind::audio && held + payload.size() + item_bytes > options_.backlog_bytes_max) {
    ++filling_.dropped[item.audio.id];
    return;
  }
  item.size = static_cast<std::uint32_t>(payload.size());
  filling_.bytes.insert(filling_.bytes.end(), payload.begin(), payload.end());
  filling_.items.push_back(std::move(item));
}

void Recorder::Impl::take_finished(std::vector<Result>& results) {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(fd_, &count, sizeof count);
  const std::lock_guard lock(mutex_);
  std::move(finished_.begin(), finished_.end(), std::back_inserter(results));
  finished_.clear();
}

void Recorder::Impl::run() {
  Load load;
  for (;;) {
    bool last = false;
    load.items.clear();
    load.bytes.clear();
    load.dropped.clear();
    {
      std::unique_lock lock(mutex_);
      if (!stopping_) wake_.wait_for(lock, round, [this] { return stopping_; });
      std::swap(load, filling_);
      last = stopping_;
    }
    take(load);
    for (auto& [id, recording] : recordings_) write(recording, last);
    if (last) return;
  }
}

void Recorder::Impl::take(Load& load) {
  if (load.dropped.empty()) {
    drop_logged_ = false;
  } else if (!std::exchange(drop_logged_, true) && options_.log) {
    options_.log("recording.behind", {}, "the disk is too slow: audio is left out of recordings");
  }
  const std::uint8_t* bytes = load.bytes.data();
  for (const Item& item : load.items) {
    if (item.kind == Item::Kind::start) {
      begin(item);
    } else if (item.kind == Item::Kind::stop) {
      finish(item, load);
    } else if (const auto found = recordings_.find(item.audio.id); found != recordings_.end()) {
      Recording& recording = found->second;
      const auto keep = [&](std::span<const std::int16_t> frames) {
        recording.ready.insert(recording.ready.end(), frames.begin(), frames.end());
        if (recording.ready.size() >= 2 * recording_rate) write(recording, true);
      };
      Voice& voice = recording.voices[item.audio.channel % 2];
      if (!voice.decoder || voice.decoder->codec() != item.audio.codec) {
        voice.decoder.emplace(item.audio.codec, recording_rate);
      }
      const std::uint32_t time = place(voice, item.audio);
      const std::size_t count = voice.decoder->decode({bytes, item.size}, samples_.data());
      recording.mixdown.add(item.audio.channel, item.audio.at, item.audio.ssrc, time,
                            std::span(samples_).first(count), keep);
    }
    bytes += item.size;
  }
  for (auto& [id, recording] : recordings_) count_dropped(recording, id, load);
}

// The packet's RTP time at 8 kHz, on a line that goes on where the party's clock runs over.
std::uint32_t Recorder::Impl::place(Voice& voice, const Audio& audio) {
  const std::uint32_t clock = sdp::clock_rate(audio.codec);
  if (voice.ssrc != audio.ssrc || voice.clock != clock) {
    voice.ssrc = audio.ssrc;
    voice.clock = clock;
    voice.heard = audio.timestamp;
    voice.time = audio.timestamp;
    return voice.time;
  }
  const auto step = static_cast<std::int32_t>(audio.timestamp - voice.heard);
  voice.heard = audio.timestamp;
  voice.time += static_cast<std::uint32_t>(step / static_cast<std::int32_t>(clock / recording_rate));
  return voice.time;
}

void Recorder::Impl::count_dropped(Recording& recording, RecordingId id, Load& load) {
  const auto found = load.dropped.find(id);
  if (found == load.dropped.end()) return;
  recording.packets_dropped += found->second;
  load.dropped.erase(found);
}

void Recorder::Impl::begin(const Item& item) {
  Recording recording{.path = options_.directory + "/" + item.name + ".wav",
                      .file = std::nullopt,
                      .mixdown = Mixdown(item.audio.at),
                      .ready = {},
                      .packets_dropped = 0,
                      .error = {}};
  if (is_safe(item.name)) {
    auto file = WavFile::create(recording.path, recording_rate);
    if (file) {
      recording.file = std::move(*file);
      disk_failed_ = false;
    } else {
      fail(recording, file.error());
    }
  } else {
    fail(recording, "the name is no file name");
  }
  recordings_.insert_or_assign(item.audio.id, std::move(recording));
}

void Recorder::Impl::finish(const Item& item, Load& load) {
  const auto found = recordings_.find(item.audio.id);
  if (found == recordings_.end()) return report({.id = item.audio.id, .error = "it was never started"});
  Recording& recording = found->second;
  count_dropped(recording, item.audio.id, load);
  recording.mixdown.flush(item.audio.at, [&](std::span<const std::int16_t> frames) {
    recording.ready.insert(recording.ready.end(), frames.begin(), frames.end());
    if (recording.ready.size() >= 2 * recording_rate) write(recording, true);
  });
  write(recording, true);
  Recorded recorded{.id = item.audio.id, .file = recording.file ? recording.path : std::string()};
  if (recording.file) {
    recorded.lasted =
        Duration{static_cast<Duration::rep>(recording.file->frames() * 1'000'000 / recording_rate)};
    recorded.bytes = wav_header_bytes + recording.file->frames() * wav_frame_bytes;
  }
  recorded.packets_dropped = recording.packets_dropped;
  recorded.error = recording.error;
  recordings_.erase(found);
  report(std::move(recorded));
}

void Recorder::Impl::write(Recording& recording, bool all) {
  if (recording.ready.empty() || (!all && recording.ready.size() < 2 * frames_at_once)) return;
  if (recording.file && recording.error.empty()) {
    if (const auto written = recording.file->append(recording.ready); !written) {
      fail(recording, written.error());
    } else {
      disk_failed_ = false;
    }
  }
  recording.ready.clear();
}

// A full disk is full for all: it is said once, until something can be written again.
void Recorder::Impl::fail(Recording& recording, const std::string& why) {
  recording.error = why;
  if (!std::exchange(disk_failed_, true) && options_.log)
    options_.log("recording.failed", recording.path, why);
}

void Recorder::Impl::report(Recorded recorded) {
  {
    const std::lock_guard lock(mutex_);
    finished_.emplace_back(std::move(recorded));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(fd_, &one, sizeof one);
}

Recorder::Recorder(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Recorder::~Recorder() = default;

void Recorder::start(RecordingId id, Time now, std::string name) {
  Impl::Item item;
  item.kind = Impl::Item::Kind::start;
  item.audio.id = id;
  item.audio.at = now;
  item.name = std::move(name);
  impl_->put(std::move(item), {});
}

void Recorder::stop(RecordingId id, Time now) {
  Impl::Item item;
  item.kind = Impl::Item::Kind::stop;
  item.audio.id = id;
  item.audio.at = now;
  impl_->put(std::move(item), {});
}

void Recorder::audio(const Audio& audio, std::span<const std::uint8_t> payload) {
  Impl::Item item;
  item.audio = audio;
  impl_->put(std::move(item), payload);
}

int Recorder::fd() const {
  return impl_->fd();
}
void Recorder::take_finished(std::vector<Result>& results) {
  impl_->take_finished(results);
}

}  // namespace baton::media
