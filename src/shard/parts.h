// What a loop drives, so that tests can put something misbehaving in its place: the machine that decides, and
// the media plane. Both live on the loop's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/engine.h"
#include "media/port.h"
#include "media/relay/relay.h"
#include "media/rtpengine/plane.h"
#include "media/threads/plane.h"
#include "store/port.h"

namespace baton::shard {

class Machine {
 public:
  virtual ~Machine() = default;
  virtual void step(Time now, engine::Input input, engine::Actions& actions) = 0;
  [[nodiscard]] virtual std::optional<Time> next_deadline() const = 0;
  [[nodiscard]] virtual engine::Census census() const = 0;
  [[nodiscard]] virtual engine::Counters counters() const = 0;
};

// See media::Relay, whose contract this is, but that answers may come later.
class MediaPlane {
 public:
  virtual ~MediaPlane() = default;
  virtual void perform(Time now, const media::Operation& operation, std::vector<media::Result>& results) = 0;
  [[nodiscard]] virtual int poll_fd() const = 0;
  virtual void poll(Time now, std::vector<media::Result>& results) = 0;
  [[nodiscard]] virtual std::optional<Time> next_deadline() const = 0;
  virtual void advance(Time now, std::vector<media::Result>& results) = 0;
  // Endpoints of each thread that carries audio beside the loop's; empty: there is none.
  [[nodiscard]] virtual std::vector<std::size_t> loads() const { return {}; }
  // At the end of each round of the loop: what was asked for in it may be done in one go.
  virtual void flush() {}
  // Before the end: does what it was asked for, and tells what can still be told. May block for a moment.
  virtual void finish(std::vector<media::Result>& /*results*/) {}
};

// Where results leave the loop. Called on its thread, so they must not block.
struct Outlets {
  std::function<void(store::Record&&)> record;
  std::function<void(const engine::Log&)> log;
};

[[nodiscard]] std::unique_ptr<Machine> make_machine(engine::Options options, trunk::Snapshot model);
[[nodiscard]] std::unique_ptr<MediaPlane> make_relay(media::Relay::Options options);
// So many threads of its own carry the audio. The error says why there can not be so many. `clock`: the
// loop's.
[[nodiscard]] Result<std::unique_ptr<MediaPlane>, std::string> make_media_threads(
    media::threads::Plane::Options options, std::function<Time()> clock);
// `key_log`: where rtpengine logs keys, if it does. The error says why there is no socket to ask it over, or
// for that. That nobody answers is no error: it may come later.
[[nodiscard]] Result<std::unique_ptr<MediaPlane>, std::string> make_rtpengine(
    media::Rtpengine::Options options, const std::optional<SocketAddress>& key_log);

}  // namespace baton::shard
