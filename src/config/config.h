// One TOML file, read whole and checked whole: every mistake is found in one pass and named with file, line
// and key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "net/tls_settings.h"
#include "trunk/model.h"

namespace baton::config {

struct Listen {
  Transport transport = Transport::udp;
  SocketAddress bind;
  SocketAddress advertised;  // what peers are told; the bind address unless `advertise` says otherwise
  net::TlsSettings tls{};    // of a TLS listener; its files are relative to the configuration file
  unsigned line = 0;         // of the section
};

inline constexpr unsigned media_threads_max = 64;

// What carries the audio.
enum class Plane : std::uint8_t { relay, rtpengine };

// A daemon that does it for us, asked over its ng protocol.
struct Rtpengine {
  SocketAddress address;
  // Its own names for the interfaces towards parties and between calls; empty: its first one for both.
  std::string outside, inside;
  std::optional<SocketAddress> key_log{};  // where it says which keys it has heard
  bool operator==(const Rtpengine&) const = default;
};

struct Media {
  struct Face {
    IpAddress bind;
    IpAddress advertised;
    bool operator==(const Face&) const = default;
  };
  Plane plane = Plane::relay;
  Rtpengine rtpengine{};  // if it is that
  // Of the relay.
  std::optional<Face> v4, v6;       // at least one; a call over the other IP version has no media without it
  std::uint16_t port_min = 10'000;  // even
  std::uint16_t port_max = 30'000;
  Duration port_rest = 10s;        // a pair that was used is not used again for so long
  unsigned threads = 0;            // that carry the audio; 0: the one that does SIP does it too
  Duration silence_timeout = 60s;  // no packet from a party for so long ends the call; 0: never

  bool operator==(const Media&) const = default;
};

// What sources nobody configured may do, and when there is too much to do. 0: no limit.
struct Limits {
  unsigned stranger_rate = 20;  // messages a second
  unsigned stranger_refusals = 20;
  unsigned failed_logins = 5;
  unsigned failed_logins_per_trunk = 50;
  Duration window = 60s;  // in which the three before this are counted
  Duration silence = 5min;
  Duration overload_delay = 200ms;

  bool operator==(const Limits&) const = default;
};

struct Server {
  std::vector<Listen> listeners;
  Media media;
  std::string recording_directory;  // relative to the configuration file; empty: nothing is recorded
  std::string store_path;           // SQLite file; relative to the configuration file
  bool trace = true;
  std::string log_level = "info";  // debug, info, warning, error
  Duration drain_timeout = 30s;    // on SIGTERM: how long calls may go on
  Limits limits;
  std::optional<SocketAddress> metrics;     // where figures can be fetched; nothing: nowhere
  std::vector<SocketAddress> name_servers;  // empty: those of the system
};

struct Config {
  Server server;
  trunk::Snapshot model;
};

struct Problem {
  std::string file;
  unsigned line = 0;                            // 0: the file as a whole
  std::string key;                              // "trunk[2].primary"; empty when the file is not TOML
  std::string what;                             // what is wrong
  std::string remedy;                           // what would be right
  [[nodiscard]] std::string to_string() const;  // "baton.toml:12: trunk[2].primary: … ; …"
};

// Reads and checks. Unknown keys are mistakes too (with the nearest known name). Does not open sockets.
// `running`: the media of the server that is to take the model, which a reload does not change.
[[nodiscard]] Result<Config, std::vector<Problem>> load(const std::string& path,
                                                        const Media* running = nullptr);
[[nodiscard]] Result<Config, std::vector<Problem>> parse(const std::string& toml,
                                                         const std::string& file_name,
                                                         const Media* running = nullptr);

}  // namespace baton::config
