// What a packet costs in Baton's relay, in processor time of its thread, beside the least that a relay on the
// same sockets can do; how late packets are; and how many streams one core carries. The two are measured by
// turns in one run, so that whatever else the machine does meets both.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "relay/floor.h"
#include "relay/load.h"

namespace baton::bench {
namespace {

constexpr std::uint32_t frame_us = 1'000'000 / Load::packets_per_second;

struct Settings {
  std::size_t streams = 1'000;
  double seconds = 3;
  unsigned rounds = 5;
  std::size_t search_up_to = 8'000;  // 0: no search
  double search_seconds = 2;
  std::string only;
  std::string json = "relay.json";
};

struct Kind {
  std::string name;
  sdp::Format one, other;
  std::optional<sdp::Suite> suite;
};

std::vector<Kind> kinds() {
  const sdp::Format pcmu{sdp::Codec::pcmu, 0}, pcma{sdp::Codec::pcma, 8};
  std::vector<Kind> all{{"rtp", pcmu, pcmu, {}}, {"pcmu-pcma", pcmu, pcma, {}}};
  for (const sdp::Suite suite : sdp::all_suites) {
    all.push_back({"srtp-" + std::string(to_string(suite)), pcmu, pcmu, suite});
  }
  return all;
}

std::vector<Speaks> speak(const Kind& kind, std::size_t streams) {
  std::vector<Speaks> all;
  for (std::size_t i = 0; i < streams; ++i) {
    Speaks one{i % 2 == 0 ? kind.one : kind.other, {}};
    if (kind.suite) {
      const auto key = [&](const char* whose) {
        return sdp::derive_key("the keys of a measurement are no secret", whose + std::to_string(i),
                               *kind.suite);
      };
      one.srtp = media::Srtp{*kind.suite, key("relay"), key("party")};
    }
    all.push_back(std::move(one));
  }
  return all;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

struct Figures {
  std::vector<double> ns;  // a packet, of each round
  std::uint64_t sent = 0, arrived = 0;
  Round all;

  void add(const Round& round) {
    ns.push_back(round.ns_per_packet());
    sent += round.sent;
    arrived += round.arrived;
    all.late_us.insert(all.late_us.end(), round.late_us.begin(), round.late_us.end());
    all.behind_us = std::max(all.behind_us, round.behind_us);
  }
  [[nodiscard]] std::string json() {
    std::ostringstream out;
    out << "{\"ns_per_packet\": " << median(ns) << ", \"sent\": " << sent << ", \"lost\": " << sent - arrived
        << ", \"late_us\": {\"p50\": " << all.percentile(0.5) << ", \"p99\": " << all.percentile(0.99)
        << ", \"p99_9\": " << all.percentile(0.999) << "}, \"load_behind_us\": " << all.behind_us << '}';
    return out.str();
  }
  void print(const char* name) {
    std::printf("  %-6s %7.0f ns a packet   late p50 %5u  p99 %5u  p99.9 %5u us   lost %llu of %llu\n", name,
                median(ns), all.percentile(0.5), all.percentile(0.99), all.percentile(0.999),
                static_cast<unsigned long long>(sent - arrived), static_cast<unsigned long long>(sent));
  }
};

// By turns; the ratio is the median over pairs of neighbours.
std::string compare(const Kind& kind, const Settings& settings) {
  Load load(settings.streams);
  const auto said = speak(kind, settings.streams);
  Floor floor(load.parties());
  BatonPlane baton(load.parties(), said);
  Figures of_floor, of_baton;
  std::vector<double> ratios;
  for (unsigned i = 0; i < settings.rounds; ++i) {
    const Round below = load.run(floor, settings.seconds, {});
    const Round ours = load.run(baton, settings.seconds, said);
    of_floor.add(below);
    of_baton.add(ours);
    if (below.ns_per_packet() > 0) ratios.push_back(ours.ns_per_packet() / below.ns_per_packet());
  }
  std::printf("%s: %zu streams, %u packets a second each\n", kind.name.c_str(), settings.streams,
              Load::packets_per_second);
  of_floor.print("floor");
  of_baton.print("baton");
  std::printf("  ratio %.3f\n", median(ratios));
  std::ostringstream out;
  out << "\"streams\": " << settings.streams << ", \"ratio\": " << median(ratios)
      << ", \"floor\": " << of_floor.json() << ", \"baton\": " << of_baton.json();
  return out.str();
}

enum class Carried { yes, no, unknown };

// No packet lost or late by a frame. Unknown: the load itself could not keep up.
Carried carries(const Kind& kind, std::size_t streams, double seconds) {
  Load load(streams);
  const auto said = speak(kind, streams);
  BatonPlane baton(load.parties(), said);
  Round round = load.run(baton, seconds, said);
  if (round.behind_us > frame_us / 2) return Carried::unknown;
  const bool lost = round.arrived < round.sent;
  return lost || round.percentile(1.0) >= frame_us ? Carried::no : Carried::yes;
}

std::string search(const Kind& kind, const Settings& settings) {
  std::size_t good = 0, bad = 0;
  bool limited = false;
  for (std::size_t streams = 500; streams <= settings.search_up_to && bad == 0; streams *= 2) {
    const Carried carried = carries(kind, streams, settings.search_seconds);
    limited = carried == Carried::unknown;
    (carried == Carried::yes ? good : bad) = streams;
  }
  for (int step = 0; step < 3 && bad != 0 && good != 0; ++step) {
    const std::size_t middle = (good + bad) / 2 / 2 * 2;
    const Carried carried = carries(kind, middle, settings.search_seconds);
    limited = limited || carried == Carried::unknown;
    (carried == Carried::yes ? good : bad) = middle;
  }
  const char* note = limited ? " (the load could not make more)" : bad == 0 ? " (not looked further)" : "";
  std::printf("  carries %zu streams%s\n", good, note);
  std::ostringstream out;
  out << "\"carries\": " << good << ", \"carries_limited_by_load\": " << (limited ? "true" : "false");
  return out.str();
}

void run(const Settings& settings) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &files));
  }
  std::string all;
  for (const Kind& kind : kinds()) {
    if (!settings.only.empty() && !kind.name.starts_with(settings.only)) continue;
    if (!all.empty()) all += ",\n";
    all += "  {\"kind\": \"" + kind.name + "\", " + compare(kind, settings);
    if (settings.search_up_to != 0) all += ", " + search(kind, settings);
    all += '}';
    std::fflush(stdout);
  }
  std::ofstream(settings.json) << "[\n" << all << "\n]\n";
}

}  // namespace
}  // namespace baton::bench

int main(int argc, char** argv) {
  baton::bench::Settings settings;
  CLI::App app{"The cost of a relayed packet"};
  app.add_option("--streams", settings.streams, "streams at a time, an even number")
      ->check(CLI::Range(2, 6'000));
  app.add_option("--seconds", settings.seconds, "of each round");
  app.add_option("--rounds", settings.rounds, "of each of the two");
  app.add_option("--search", settings.search_up_to, "look for the most streams, up to so many; 0: do not");
  app.add_option("--only", settings.only, "kinds whose name begins like this");
  app.add_option("--json", settings.json, "where the figures go");
  CLI11_PARSE(app, argc, argv);
  settings.streams = settings.streams / 2 * 2;
  try {
    baton::bench::run(settings);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
