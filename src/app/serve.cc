#include "app/serve.h"
#include "app/media_files.h"

#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>

// The project links no compiled logging library; both are used as headers.
#define FMT_HEADER_ONLY
#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "app/tls_files.h"
#include "metrics/exporter.h"
#include "shard/log_line.h"
#include "shard/shard.h"
#include "store/writer.h"

namespace baton::app {
namespace {

using Steady = std::chrono::steady_clock;

constexpr Duration hang_up_patience = 5s;  // for the answers to our last BYEs
constexpr Duration store_patience = 10s;   // for the last records
constexpr Duration stall_after = 5s;       // a shard that says nothing for so long is stuck
constexpr std::uint64_t disk_bytes_min = 4 * 1024 * 1024;

// One line, straight to stderr: it must arrive also when nothing else works.
void say(const std::string& line) {
  std::fprintf(stderr, "baton: %s\n", line.c_str());
}

// ---- Logging: formatted on the caller's thread, written on its own; when it can not keep up the oldest
// lines go, because a shard must not wait for a terminal ----

spdlog::level::level_enum to_level(engine::Severity severity) {
  switch (severity) {
    case engine::Severity::debug:
      return spdlog::level::debug;
    case engine::Severity::info:
      return spdlog::level::info;
    case engine::Severity::warning:
      return spdlog::level::warn;
    case engine::Severity::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

class Logger {
 public:
  explicit Logger(const std::string& level)
      : pool_(std::make_shared<spdlog::details::thread_pool>(lines_max, 1)) {
    logger_ =
        std::make_shared<spdlog::async_logger>("baton", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                               pool_, spdlog::async_overflow_policy::overrun_oldest);
    patient_ = std::make_shared<spdlog::async_logger>("baton", logger_->sinks().front(), pool_,
                                                      spdlog::async_overflow_policy::block);
    logger_->set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%fZ %l %v",
                                                                       spdlog::pattern_time_type::utc));
    set_level(level);
  }
  ~Logger() {
    logger_->flush();
    logger_.reset();
    patient_.reset();
    if (const std::size_t lost = pool_->overrun_counter(); lost > 0) {
      say(std::to_string(lost) + " log lines were dropped, stderr did not take them fast enough");
    }
  }
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  void set_level(const std::string& level) { logger_->set_level(spdlog::level::from_str(level)); }

  void operator()(const engine::Log& log) const {
    const auto level = to_level(log.severity);
    if (!logger_->should_log(level)) return;
    const std::string line = shard::to_line(log);
    // A record that only the log has must not be overtaken by the next ones.
    const auto& logger = log.event == "store.unwritten" ? patient_ : logger_;
    logger->log(level, spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  static constexpr std::size_t lines_max = 2'048;  // waiting; the room for them is taken at once, 0.4 kB each
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::async_logger> logger_;
  std::shared_ptr<spdlog::async_logger> patient_;  // waits for stderr
};

using Fields = std::vector<std::pair<std::string, std::string>>;

// ---- Signals: blocked in every thread, read here as a file ----

class Signals {
 public:
  Signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, &before_);
    fd_ = net::Fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    // A peer or a pipe that is gone is an error of write(), not the end of the process.
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, &pipe_before_);
  }
  ~Signals() {
    sigaction(SIGPIPE, &pipe_before_, nullptr);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  [[nodiscard]] bool works() const { return static_cast<bool>(fd_); }

  // The next signal, or nothing within that time.
  [[nodiscard]] std::optional<int> wait(Duration longest) const {
    pollfd watched{fd_.get(), POLLIN, 0};
    if (poll(&watched, 1, static_cast<int>(longest / 1ms)) <= 0) return std::nullopt;
    signalfd_siginfo info{};
    if (read(fd_.get(), &info, sizeof info) != sizeof info) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
  }

 private:
  sigset_t before_{};
  struct sigaction pipe_before_ {};
  net::Fd fd_;
};

bool is_stop(int signal) {
  return signal == SIGTERM || signal == SIGINT;
}

// ---- Starting ----

// Every call takes four descriptors for its media; the soft limit is made for shells.
rlim_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

bool fill_random(void* bytes, std::size_t length) {
  auto* at = static_cast<char*>(bytes);
  while (length > 0) {
    const ssize_t n = getrandom(at, length, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    length -= static_cast<std::size_t>(n);
  }
  return true;
}

std::optional<engine::Options> engine_options(const config::Server& server) {
  engine::Options options;
  options.trace = server.trace;
  const config::Limits& limits = server.limits;
  options.gate.stranger_rate = limits.stranger_rate;
  options.gate.refusals_max = limits.stranger_refusals;
  options.gate.failed_logins_max = limits.failed_logins;
  options.gate.failed_logins_per_trunk_max = limits.failed_logins_per_trunk;
  options.gate.window = limits.window;
  options.gate.silence = limits.silence;
  options.overload_delay = limits.overload_delay;
  options.digest_secret.resize(32);
  if (!fill_random(options.digest_secret.data(), options.digest_secret.size())) return std::nullopt;
  if (!fill_random(&options.seed, sizeof options.seed)) return std::nullopt;
  return options;
}

media::Relay::Options relay_options(const config::Media& media, std::size_t descriptors) {
  media::Relay::Options options;
  if (media.v4) options.v4 = {media.v4->bind, media.v4->advertised};
  if (media.v6) options.v6 = {media.v6->bind, media.v6->advertised};
  options.port_min = media.port_min;
  options.port_max = media.port_max;
  options.port_rest = media.port_rest;
  options.silence_timeout = media.silence_timeout;
  options.open_pairs_max = descriptors / 4;  // half of them, two each
  return options;
}

// What begins cookies and call-ids: nobody can guess it, nor does it come again after a restart.
std::optional<std::string> random_name() {
  std::array<unsigned char, 8> bytes{};
  if (!fill_random(bytes.data(), bytes.size())) return std::nullopt;
  constexpr const char* digits = "0123456789abcdef";
  std::string name;
  for (const unsigned char byte : bytes) {
    name += digits[byte / 16];
    name += digits[byte % 16];
  }
  return name;
}

std::optional<media::Rtpengine::Options> rtpengine_options(const config::Media& media,
                                                           const std::string& config_path) {
  auto token = random_name();
  if (!token) return std::nullopt;
  media::Rtpengine::Options options;
  options.address = media.rtpengine.address;
  options.outside = media.rtpengine.outside;
  options.inside = media.rtpengine.inside;
  options.silence_timeout = media.silence_timeout;
  options.prompts = std::filesystem::absolute(config_path).parent_path().string();
  options.token = *std::move(token);
  return options;
}

// SQLite opens a store on a full disk and fails with the first call's record; better to say it now.
std::optional<std::string> fault_of_disk(const std::string& store_path) {
  std::string directory = std::filesystem::path(store_path).parent_path().string();
  if (directory.empty()) directory = ".";
  struct statvfs disk {};
  if (statvfs(directory.c_str(), &disk) != 0) return std::nullopt;  // opening it will say more
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  if (free >= disk_bytes_min) return std::nullopt;
  return "store " + store_path + ": the disk is full (" + std::to_string(free / 1024) +
         " kB free); make room, or name another place in [store] path";
}

// `section`: of the configuration, where its address is.
int explain(const net::OpenError& socket, const std::string& section) {
  const std::string where =
      "can not listen on " + std::string(to_string(socket.transport)) + " " + socket.bind.to_string() + ": ";
  const std::string port = std::to_string(socket.bind.port);
  switch (socket.kind) {
    case net::OpenError::Kind::in_use:
      say(where + "the port is in use by another program; stop that one (ss -" +
          (socket.transport == Transport::udp ? "u" : "t") + "lnp sport = :" + port +
          " shows it) or change bind in " + section);
      return exit_port_in_use;
    case net::OpenError::Kind::not_available:
      say(where + "this machine has no such address (ip address shows those it has); change bind in " +
          section + ", and use advertise for the address outside a NAT");
      return exit_bad_address;
    case net::OpenError::Kind::not_permitted:
      say(where + "not permitted; ports below 1024 need root or CAP_NET_BIND_SERVICE");
      return exit_bad_address;
    case net::OpenError::Kind::not_supported:
      say(where + socket.what + "; change transport or bind in " + section);
      return exit_config;
    case net::OpenError::Kind::other:
      break;
  }
  say(where + socket.what);
  return exit_failed;
}

int explain(const shard::OpenError& error) {
  if (error.socket) return explain(*error.socket, "[[server.listen]]");
  say("can not start: " + error.what);
  return exit_failed;
}

// ---- Running ----

std::string list_of(const std::vector<net::Listener>& listeners) {
  std::string text;
  for (const net::Listener& l : listeners) {
    text += (text.empty() ? "" : ", ") + std::string(to_string(l.transport)) + " " + l.bind.to_string();
    if (l.advertised != l.bind) text += " (as " + l.advertised.to_string() + ")";
  }
  return text;
}

// What of a new configuration needs a restart.
std::string needs_restart(const config::Server& a, const config::Server& b) {
  const auto same_listen = [](const config::Listen& x, const config::Listen& y) {
    return x.transport == y.transport && x.bind == y.bind && x.advertised == y.advertised;
  };
  std::string changed;
  const auto note = [&changed](bool same, const char* what) {
    if (!same) changed += (changed.empty() ? "" : ", ") + std::string(what);
  };
  note(
      std::equal(a.listeners.begin(), a.listeners.end(), b.listeners.begin(), b.listeners.end(), same_listen),
      "listen");
  note(a.media == b.media, "media");
  note(a.store_path == b.store_path, "store.path");
  note(a.trace == b.trace, "store.trace");
  note(a.recording_directory == b.recording_directory, "recording.directory");
  note(a.metrics == b.metrics, "metrics.bind");
  note(a.limits == b.limits, "limits");
  note(a.name_servers == b.name_servers, "dns");
  return changed;
}

class Server {
 public:
  Server(const config::Config& config, const ServeOptions& options, const Signals& signals,
         std::size_t descriptors)
      : running_(config.server),
        options_(options),
        signals_(signals),
        descriptors_(descriptors),
        logger_(config.server.log_level) {}

  [[nodiscard]] int open(const config::Config& config);
  // Until a stop signal.
  void run();
  [[nodiscard]] int stop();

 private:
  void reload();
  void reload_tls(const config::Server& loaded);
  [[nodiscard]] trunk::Snapshot reload_prompts(const config::Config& loaded);
  void log(engine::Severity severity, const char* event, Fields fields = {}) const {
    logger_({severity, event, std::move(fields)});
  }
  void watch_shard();
  void log_figures() const;
  // True when `done` within that time. A stop signal meanwhile ends the process.
  template <typename Done>
  bool wait_for(Duration longest, Done&& done);

  config::Server running_;
  const ServeOptions& options_;
  const Signals& signals_;
  std::size_t descriptors_;  // that may be open
  Logger logger_;
  std::shared_ptr<media::PromptLibrary> prompts_ = std::make_shared<media::PromptLibrary>();
  metrics::Tally tally_;
  std::unique_ptr<store::Writer> writer_;  // after the logger, which it uses; before the shard, which uses it
  std::unique_ptr<shard::Shard> shard_;
  std::unique_ptr<metrics::Exporter> exporter_;  // asks the two above
  bool stalled_ = false;
  Time last_heard_{};
  Steady::time_point last_change_ = Steady::now();
};

int Server::open(const config::Config& config) {
  if (auto fault = fault_of_disk(running_.store_path)) {
    say(*fault);
    return exit_store;
  }
  const auto sink = [this](const engine::Log& event) { logger_(event); };
  store::WriterOptions store_options;
  store_options.path = running_.store_path;
  store_options.log = sink;
  auto writer = store::Writer::open(std::move(store_options));
  if (!writer) {
    say(writer.error());
    return exit_store;
  }
  writer_ = std::move(*writer);
  auto engine = engine_options(running_);
  if (!engine) {
    say("can not start: the system gives no random bytes");
    return exit_failed;
  }
  const TlsFiles tls = load_tls(running_, options_.config_path, seconds_now());
  for (const config::Problem& warning : tls.warnings) {
    log(engine::Severity::warning, "config.warning", {{"warning", warning.to_string()}});
  }
  for (const config::Problem& problem : tls.problems) say(problem.to_string());
  MediaFiles media = load_media(config, options_.config_path);
  for (const config::Problem& problem : media.problems) say(problem.to_string());
  if (!tls.problems.empty() || !media.problems.empty()) return exit_failed;
  shard::Options options;
  options.engine = *std::move(engine);
  options.model = with_announcements(*config.model, media.prompts);
  for (std::size_t i = 0; i < running_.listeners.size(); ++i) {
    const config::Listen& l = running_.listeners[i];
    options.listeners.push_back({l.transport, l.bind, l.advertised, tls.contexts[i]});
  }
  options.relay = relay_options(running_.media, descriptors_);
  prompts_->replace(std::move(media.prompts));
  options.relay.prompts = prompts_;
  static_assert(config::media_threads_max <= media::threads::workers_max);
  options.media_threads = running_.media.threads;
  if (running_.media.plane == config::Plane::rtpengine) {
    options.rtpengine = rtpengine_options(running_.media, options_.config_path);
    if (!options.rtpengine) {
      say("can not start: the system gives no random bytes");
      return exit_failed;
    }
    options.rtpengine_key_log = running_.media.rtpengine.key_log;
    options.rtpengine->log = sink;
  }
  if (!running_.recording_directory.empty()) {
    options.relay.recorder = std::make_shared<media::Recorder>(media::Recorder::Options{
        .directory = running_.recording_directory,
        .log = [this](const char* event, const std::string& file, const std::string& why) {
          log(engine::Severity::error, event, {{"file", file}, {"why", why}});
        }});
  }
  options.net.resolver.servers = running_.name_servers;
  if (!fill_random(&options.net.resolver.seed, sizeof options.net.resolver.seed)) {
    say("can not start: the system gives no random bytes");
    return exit_failed;
  }
  // However many connections come, descriptors are left for the media of calls.
  net::StreamLimits& streams = options.net.streams;
  streams.accepted_max = std::min(streams.accepted_max, std::max<std::size_t>(descriptors_ / 4, 16));
  streams.outbound_max = std::min(streams.outbound_max, std::max<std::size_t>(descriptors_ / 8, 16));
  auto opened = shard::Shard::open(std::move(options), {[this](store::Record&& record) {
                                                          tally_.count(record);
                                                          writer_->submit(std::move(record));
                                                        },
                                                        sink});
  if (!opened) return explain(opened.error());
  shard_ = std::move(*opened);
  if (running_.metrics) {
    auto exporter = metrics::Exporter::open(
        *running_.metrics,
        [this] {
          return metrics::Snapshot{shard_->status(), writer_->stats()};
        },
        tally_);
    if (!exporter) return explain(exporter.error(), "[metrics]");
    exporter_ = std::move(*exporter);
  }
  shard_->start();
  return exit_ok;
}

void Server::run() {
  say("ready, " + list_of(shard_->listeners()));
  log(engine::Severity::info, "server.ready", {{"listeners", list_of(shard_->listeners())}});
  if (options_.on_ready) options_.on_ready(shard_->listeners());
  for (;;) {
    const auto signal = signals_.wait(1s);
    watch_shard();
    if (!signal) continue;
    if (is_stop(*signal)) return;
    if (*signal == SIGHUP) reload();
    if (*signal == SIGUSR1) log_figures();
  }
}

void Server::watch_shard() {
  const Time heard = shard_->status().at;
  const auto now = Steady::now();
  if (heard != last_heard_) {
    last_heard_ = heard;
    last_change_ = now;
    if (stalled_) log(engine::Severity::warning, "shard.goes_on");
    stalled_ = false;
  } else if (!stalled_ && now - last_change_ > stall_after) {
    stalled_ = true;
    log(engine::Severity::error, "shard.stalled", {{"seconds", std::to_string(stall_after / 1s)}});
  }
}

void Server::reload() {
  if (options_.config_path.empty()) {
    log(engine::Severity::warning, "config.not_reloaded", {{"reason", "there is no configuration file"}});
    return;
  }
  const auto loaded = config::load(options_.config_path, &running_.media);
  if (!loaded) {
    for (const config::Problem& problem : loaded.error()) {
      log(engine::Severity::error, "config.problem", {{"problem", problem.to_string()}});
    }
    log(engine::Severity::error, "config.not_reloaded",
        {{"file", options_.config_path},
         {"problems", std::to_string(loaded.error().size())},
         {"reason", "the one before stays in force"}});
    return;
  }
  const std::string changed = needs_restart(running_, loaded->server);
  running_.drain_timeout = loaded->server.drain_timeout;
  running_.log_level = loaded->server.log_level;
  logger_.set_level(running_.log_level);
  shard_->post(engine::ModelChanged{reload_prompts(*loaded)});
  log(engine::Severity::info, "config.reloaded", {{"file", options_.config_path}});
  if (!changed.empty()) log(engine::Severity::warning, "config.needs_restart", {{"settings", changed}});
  reload_tls(loaded->server);
}

// A prompt that can not be read is as it was before, or silence.
trunk::Snapshot Server::reload_prompts(const config::Config& loaded) {
  MediaFiles files = load_media(loaded, options_.config_path);
  for (const config::Problem& problem : files.problems) {
    log(engine::Severity::error, "media.not_reloaded", {{"problem", problem.to_string()}});
  }
  for (const trunk::Trunk& trunk : loaded.model->trunks) {
    for (const std::string* name :
         {&trunk.hold_music, &trunk.unavailable_announcement, &trunk.transfer.announcement}) {
      if (name->empty() || files.prompts.contains(*name)) continue;
      if (auto before = prompts_->find(*name)) files.prompts.emplace(*name, before);
    }
  }
  trunk::Snapshot model = with_announcements(*loaded.model, files.prompts);
  prompts_->replace(std::move(files.prompts));
  return model;
}

// Each listener for itself: a bad certificate leaves the one before in place, there and nowhere else.
void Server::reload_tls(const config::Server& loaded) {
  config::Server wanted = running_;
  for (config::Listen& listen : wanted.listeners) {
    for (const config::Listen& other : loaded.listeners) {
      if (other.transport != listen.transport || other.bind != listen.bind) continue;
      listen.tls = other.tls;
      listen.line = other.line;
    }
  }
  const std::int64_t now = seconds_now();
  const TlsFiles files = load_tls(wanted, options_.config_path, now);
  for (const config::Problem& warning : files.warnings) {
    log(engine::Severity::warning, "config.warning", {{"warning", warning.to_string()}});
  }
  for (const config::Problem& problem : files.problems) {
    log(engine::Severity::error, "tls.not_reloaded",
        {{"problem", problem.to_string()}, {"reason", "the certificate before stays in force"}});
  }
  std::vector<std::pair<SocketAddress, net::TlsContextPtr>> fresh;
  for (std::size_t i = 0; i < files.contexts.size(); ++i) {
    const net::TlsContextPtr& context = files.contexts[i];
    if (context == nullptr) continue;
    const std::string listener = running_.listeners[i].bind.to_string();
    if (!is_valid(*context, now)) {
      log(engine::Severity::error, "tls.not_reloaded",
          {{"listener", listener},
           {"problem", context->settings().certificate + " is valid from " +
                           write_date(context->valid_from()) + " until " +
                           write_date(context->valid_until())},
           {"reason", "the certificate before stays in force"}});
      continue;
    }
    running_.listeners[i].tls = wanted.listeners[i].tls;
    log(engine::Severity::info, "tls.reloaded",
        {{"listener", listener}, {"valid_until", write_date(context->valid_until())}});
    fresh.emplace_back(shard_->listeners()[i].bind, context);
  }
  if (!fresh.empty()) shard_->replace_tls(std::move(fresh));
}

void Server::log_figures() const {
  const shard::Status s = shard_->status();
  const store::WriterStats w = writer_->stats();
  const auto field = [](const char* name, std::uint64_t value) {
    return std::pair<std::string, std::string>(name, std::to_string(value));
  };
  log(engine::Severity::info, "server.calls",
      {field("calls", s.census.calls),
       field("legs", s.census.legs),
       field("transfers", s.census.transfers),
       field("transactions", s.census.transactions),
       field("started", s.counters.calls_started),
       field("answered", s.counters.calls_answered),
       field("bridged", s.counters.transfers_bridged),
       field("transfers_failed", s.counters.transfers_failed),
       field("transfers_refused", s.counters.transfers_refused),
       field("calls_queued", s.counters.calls_queued),
       field("targets_blocked", s.counters.targets_blocked),
       field("strangers_limited", s.counters.strangers_limited),
       field("sources_silenced", s.counters.sources_silenced),
       field("silenced_ignored", s.counters.silenced_ignored),
       field("logins_failed", s.counters.logins_failed),
       field("logins_throttled", s.counters.logins_throttled),
       field("answers_cut", s.counters.answers_cut),
       field("answers_withheld", s.counters.answers_withheld),
       field("overloads", s.counters.overloads),
       field("overload_refused", s.counters.overload_refused),
       field("rtp_received", s.counters.rtp_received),
       field("rtp_sent", s.counters.rtp_sent),
       field("rtp_dropped", s.counters.rtp_dropped),
       field("rtp_lost", s.counters.rtp_lost),
       field("rtp_timeouts", s.counters.rtp_timeouts),
       field("legs_rated", s.counters.legs_rated),
       field("legs_poor", s.counters.legs_poor),
       field("digits_told", s.counters.digits_told),
       field("recordings", s.counters.recordings),
       field("recordings_failed", s.counters.recordings_failed),
       field("messages_in", s.counters.messages_in),
       field("malformed", s.counters.malformed_dropped)});
  log(engine::Severity::info, "server.network",
      {field("datagrams_in", s.net.datagrams_in), field("datagrams_out", s.net.datagrams_out),
       field("lost_in_kernel", s.net.datagrams_lost_in_kernel),
       field("send_queue_dropped", s.net.send_queue_dropped), field("icmp_refused", s.net.icmp_refused),
       field("connections", s.connections), field("accepts_refused", s.net.accepts_refused),
       field("connects_failed", s.net.connects_failed), field("tls_handshakes", s.net.handshakes),
       field("tls_handshakes_failed", s.net.handshakes_failed + s.net.handshakes_slow),
       field("resolves_timed_out", s.net.resolves_timed_out)});
  log(engine::Severity::info, "server.shard",
      {field("rounds", s.probe.rounds), field("inputs", s.probe.inputs),
       field("steps_failed", s.probe.steps_failed), field("steps_slow", s.probe.steps_slow),
       field("step_us_max", s.probe.step_us_max), field("records", s.probe.records),
       field("records_waiting", w.queued), field("traces_dropped", w.traces_dropped),
       field("store_healthy", w.healthy ? 1 : 0)});
}

template <typename Done>
bool Server::wait_for(Duration longest, Done&& done) {
  const auto until = Steady::now() + longest;
  for (;;) {
    if (done()) return true;
    const auto left = std::chrono::duration_cast<Duration>(until - Steady::now());
    if (left <= Duration::zero()) return false;
    const auto signal = signals_.wait(std::clamp(left, Duration(1ms), Duration(20ms)));
    if (!signal || !is_stop(*signal)) continue;
    say("second signal, stopping at once");
    _exit(exit_failed);
  }
}

int Server::stop() {
  const auto no_calls_since = [this](std::uint64_t command) {
    const shard::Status status = shard_->status();
    return status.commands_heard >= command && status.census.calls == 0 && status.census.live_legs == 0 &&
           status.census.recordings == 0;
  };
  const std::size_t calls = shard_->status().census.calls;
  log(engine::Severity::info, "server.draining",
      {{"calls", std::to_string(calls)}, {"timeout_s", std::to_string(running_.drain_timeout / 1s)}});
  if (calls > 0) {
    say("stopping; " + std::to_string(calls) + " calls may go on for " +
        std::to_string(running_.drain_timeout / 1s) + " s, a second signal stops at once");
  }
  const std::uint64_t drain = shard_->post(engine::Drain{});
  if (!wait_for(running_.drain_timeout, [&] { return no_calls_since(drain); })) {
    log(engine::Severity::warning, "server.hanging_up",
        {{"calls", std::to_string(shard_->status().census.calls)}});
    const std::uint64_t hang_up = shard_->post(engine::HangUpAll{});
    wait_for(hang_up_patience, [&] { return no_calls_since(hang_up); });
  }
  exporter_.reset();
  shard_->stop();
  const bool written = writer_->stop(store_patience);
  log_figures();
  log(engine::Severity::info, "server.stopped");
  if (written) return exit_ok;
  say("records were left unwritten because the store refuses them; the log has each of them");
  return exit_store;
}

}  // namespace

int serve(const config::Config& config, const ServeOptions& options) {
  const Signals signals;
  if (!signals.works()) {
    say("can not start: signalfd: " + std::generic_category().message(errno));
    return exit_failed;
  }
  const rlim_t descriptors = raise_descriptor_limit();
  if (descriptors < 4'096) {
    say("only " + std::to_string(descriptors) + " files may be open (ulimit -n): room for about " +
        std::to_string(descriptors / 5) + " calls");
  }
  Server server(config, options, signals, descriptors);
  if (const int code = server.open(config); code != exit_ok) return code;
  server.run();
  return server.stop();
}

}  // namespace baton::app
