// The load generator: many calls with a transfer at once, at a rate or as many at a time as asked for.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "load/course.h"

namespace {

using namespace baton::bench;

volatile std::sig_atomic_t interrupted = 0, released = 0;

Nanos clock_now(clockid_t clock) {
  timespec at{};
  ::clock_gettime(clock, &at);
  return at.tv_sec * 1'000'000'000LL + at.tv_nsec;
}

nlohmann::json summary(const Histogram& times) {
  const auto us = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e3; };
  return {{"count", times.total()},
          {"p50_us", us(times.quantile(0.50))},
          {"p90_us", us(times.quantile(0.90))},
          {"p99_us", us(times.quantile(0.99))},
          {"p999_us", us(times.quantile(0.999))},
          {"max_us", us(times.max())}};
}

struct Run {
  double seconds = 0, cpu_seconds = 0;
};

Run play(Wire& wire, Course& course, Media& media, double longest, bool progress, double release_rate) {
  const Nanos start = clock_now(CLOCK_MONOTONIC), cpu = clock_now(CLOCK_PROCESS_CPUTIME_ID);
  Nanos now = start, told = start;
  while (!course.done()) {
    course.advance(now);
    course.goes_out(real_time());
    wire.flush();
    const Nanos next = course.next(now + (media.flows() ? 1'000'000 : 100'000'000));
    wire.round(std::chrono::nanoseconds(std::max<Nanos>(0, next - now)),
               [&](Role role, Link link, std::string_view bytes, Nanos arrived) {
                 course.hear(clock_now(CLOCK_MONOTONIC), arrived, role, link, bytes);
               });
    wire.flush();
    now = clock_now(CLOCK_MONOTONIC);
    media.round(now);
    if (released != 0 || interrupted != 0) course.release(now, release_rate);
    if (interrupted != 0 || (longest > 0 && static_cast<double>(now - start) / 1e9 > longest)) course.stop();
    if (progress && now - told >= 1'000'000'000) {
      told = now;
      const nlohmann::json line{{"live", course.live()},
                                {"settled", course.settled()},
                                {"completed", course.tally().completed},
                                {"refused", course.tally().refused},
                                {"errors", course.tally().errors}};
      std::printf("%s\n", line.dump().c_str());
      std::fflush(stdout);
    }
  }
  return {static_cast<double>(now - start) / 1e9,
          static_cast<double>(clock_now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9};
}

nlohmann::json report(const Wire& wire, const Course& course, const Media& media, const Run& run) {
  const Tally& tally = course.tally();
  nlohmann::json refusals = nlohmann::json::object();
  for (const auto& [status, count] : tally.refusals) refusals[std::to_string(status)] = count;
  const double calls = static_cast<double>(std::max<std::uint64_t>(tally.completed, 1));
  const double load = run.cpu_seconds / std::max(run.seconds, 1e-9);
  return {{"seconds", run.seconds},
          {"started", tally.started},
          {"completed", tally.completed},
          {"refused", tally.refused},
          {"refusals", refusals},
          {"errors", tally.errors},
          {"faults", tally.faults},
          {"calls_per_second", static_cast<double>(tally.completed) / run.seconds},
          {"requests", tally.requests},
          {"request", summary(tally.request)},
          {"bytes_per_message",
           static_cast<double>(wire.bytes_sent() + wire.bytes_received()) /
               static_cast<double>(std::max<std::uint64_t>(wire.sent() + wire.received(), 1))},
          {"media",
           {{"sent", media.tally().sent},
            {"heard", media.tally().heard},
            {"made_by_the_server", media.tally().made},
            {"wrong", media.tally().wrong},
            {"late_by_a_frame", media.tally().late},
            {"generator_behind_max_us", static_cast<double>(media.tally().behind_max) / 1e3},
            {"on_the_way", summary(media.tally().on_the_way)}}},
          {"messages_sent", wire.sent()},
          {"messages_received", wire.received()},
          {"messages_per_call", static_cast<double>(wire.sent() + wire.received()) / calls},
          {"repeats_sent", tally.repeats_sent},
          {"repeats_heard", tally.repeats_heard},
          {"behind_max_us", static_cast<double>(tally.behind_max) / 1e3},
          {"generator_cpu_us_per_call", run.cpu_seconds * 1e6 / calls},
          {"generator_load", load},
          // Then the figures say how fast the generator is, not the server.
          {"generator_is_the_limit", load > 0.9},
          {"answer", summary(tally.answer)},
          {"refer_to_invite", summary(tally.refer_to_invite)},
          {"refer_to_notify", summary(tally.refer_to_notify)}};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Plays carrier, endpoint and target of many calls against a SIP server and grades what it hears."};
  Wire::Options wire_options;
  CourseOptions options;
  std::string kind = "transfer", direction = "inbound", transport = "udp";
  double talk_ms = 0, after_ms = 0, longest = 0, release_rate = 1'000;
  bool progress = false, audio = false;
  app.add_option("--server", wire_options.server, "IPv4 address of the server")->capture_default_str();
  app.add_option("--port", wire_options.server_port, "its SIP port")->capture_default_str();
  app.add_option("--own-port", wire_options.port, "SIP port of the three parties")->capture_default_str();
  app.add_option("--media-port", options.media_port, "RTP port of the three parties")->capture_default_str();
  app.add_option("--transport", transport)
      ->check(CLI::IsMember({"udp", "tcp", "tls"}))
      ->capture_default_str();
  app.add_option("--tls-ca", wire_options.tls.ca, "PEM file: who signs for the server");
  app.add_option("--tls-certificate", wire_options.tls.certificate, "PEM file: of the three parties");
  app.add_option("--tls-key", wire_options.tls.key, "PEM file");
  app.add_option("--kind", kind)->check(CLI::IsMember({"transfer", "plain"}))->capture_default_str();
  app.add_option("--requests", options.requests,
                 "so many within each dialog, of the endpoint's, one after the other, and no transfer");
  app.add_option("--method", options.method, "of these requests")
      ->check(CLI::IsMember({"OPTIONS", "INFO", "UPDATE", "INVITE"}))
      ->capture_default_str();
  app.add_flag("--passed-on", options.passed_on, "each of them comes to the other party before the next");
  app.add_option("--direction", direction)
      ->check(CLI::IsMember({"inbound", "outbound"}))
      ->capture_default_str();
  app.add_option("--calls", options.calls, "calls in all")->capture_default_str();
  app.add_option("--in-flight", options.in_flight, "calls at a time, at most")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--rate", options.rate, "new calls a second; 0: as soon as a place is free");
  app.add_option("--talk-ms", talk_ms, "from the answer to the REFER");
  app.add_option("--after-ms", after_ms, "from the hand-over to the end");
  app.add_option("--seconds", longest, "begin no call after so long; 0: all of them");
  app.add_flag("--hold", options.hold, "calls that are up stay so until SIGUSR1");
  app.add_option("--release-rate", release_rate, "how many of them end each second then")
      ->capture_default_str();
  app.add_flag("--media", audio, "50 packets a second each way in every call that is up");
  app.add_flag("--progress", progress, "a line of JSON each second");
  CLI11_PARSE(app, argc, argv);
  options.transfer = kind == "transfer";
  options.outbound = direction == "outbound";
  options.talk = static_cast<Nanos>(talk_ms * 1e6);
  options.after = static_cast<Nanos>(after_ms * 1e6);
  wire_options.transport = transport == "tcp"   ? Transport::tcp
                           : transport == "tls" ? Transport::tls
                                                : Transport::udp;
  const auto interrupt = [](int) { interrupted = 1; };
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  options.run = std::to_string(real_time() / 1'000) + "r";
  std::signal(SIGUSR1, [](int) { released = 1; });
  try {
    Wire wire(wire_options);
    Media media(wire_options, options.media_port, audio);
    Course course(options, wire, media);
    const Run run = play(wire, course, media, longest, progress, release_rate);
    const nlohmann::json result = report(wire, course, media, run);
    std::printf("%s\n", result.dump(progress ? -1 : 2).c_str());
    return course.tally().errors == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
