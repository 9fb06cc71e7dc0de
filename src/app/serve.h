// The server as a process: configuration to sockets, media, store and one shard; signals to drain, stop and
// reload. Runs on the thread that calls it, until it is told to stop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/config.h"
#include "net/socket.h"

namespace baton::app {

// What serve() returns, and the process exits with. Anything but 0 has said why in one line on stderr.
enum ExitCode : int {
  exit_ok = 0,
  exit_failed = 1,       // the system refused something else; also a second signal
  exit_config = 2,       // the configuration asks for what this version does not have
  exit_port_in_use = 3,  // another program has one of the ports
  exit_bad_address = 4,  // one of the addresses is not this machine's, or not for us to bind
  exit_store = 5,        // the store can not be written, or records were left unwritten
};

struct ServeOptions {
  std::string config_path;  // read again on SIGHUP; empty: SIGHUP changes nothing
  // Called once, when calls can come in, with the sockets as they were bound.
  std::function<void(const std::vector<net::Listener>&)> on_ready;
};

// SIGTERM, SIGINT: no new calls, the others may go on for the drain timeout, then they are ended; a second
// one ends the process at once. SIGHUP: new configuration. SIGUSR1: figures to the log.
[[nodiscard]] int serve(const config::Config& config, const ServeOptions& options);

}  // namespace baton::app
