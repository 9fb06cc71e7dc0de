#include "relay/measure.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "relay/baton_plane.h"
#include "relay/codecs.h"
#include "relay/floor.h"
#include "relay/load.h"
#include "relay/rtpengine.h"

namespace baton::bench {
namespace {

using nlohmann::json;
constexpr std::uint32_t frame_us = 1'000'000 / Load::packets_per_second;

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

struct Turn {
  const char* name;
  std::unique_ptr<Plane> plane;
  const std::vector<Speaks>& speak;
  std::vector<double> ns{};  // a packet, of each round
  std::uint64_t sent = 0, arrived = 0;
  Round all{};

  void add(const Round& round) {
    ns.push_back(round.ns_per_packet());
    sent += round.sent;
    arrived += round.arrived;
    all.late_us.insert(all.late_us.end(), round.late_us.begin(), round.late_us.end());
    all.behind_us = std::max(all.behind_us, round.behind_us);
  }
};

json figures(Turn& turn, const std::vector<double>& floor, const std::vector<double>& plain) {
  std::vector<double> ratios, over_plain;
  for (std::size_t i = 0; i < turn.ns.size(); ++i) {
    if (floor[i] > 0) ratios.push_back(turn.ns[i] / floor[i]);
    over_plain.push_back(turn.ns[i] - plain[i]);
  }
  return {{"ns_per_packet", median(turn.ns)},
          {"ratio_to_floor", median(ratios)},
          {"ns_over_plain", median(over_plain)},
          {"sent", turn.sent},
          {"lost", turn.sent > turn.arrived ? turn.sent - turn.arrived : 0},
          {"late_us",
           {{"p50", turn.all.percentile(0.5)},
            {"p99", turn.all.percentile(0.99)},
            {"p99_9", turn.all.percentile(0.999)},
            {"most", turn.all.percentile(1)}}},
          {"load_behind_us", turn.all.behind_us}};
}

enum class Carried { yes, no, unknown };

// Unknown: the load itself could not keep up. A packet that is made anew for its listener waits in a jitter
// buffer, so it is late when it is behind the others.
Carried carries(const Kind& kind, std::size_t streams, double seconds) {
  constexpr int tries = 3;  // a machine that did something else for a moment says nothing about the relay
  bool known = false;
  for (int i = 0; i < tries; ++i) {
    Load load(streams);
    const auto said = speak(kind, streams);
    BatonPlane baton(load.parties(), said);
    Round round = load.run(baton, seconds, said);
    if (round.behind_us > frame_us / 2) continue;
    known = true;
    const std::uint32_t usual = kind.converts() ? round.percentile(0.5) : 0;
    if (round.arrived >= round.sent && round.percentile(1.0) < frame_us + usual) return Carried::yes;
  }
  return known ? Carried::no : Carried::unknown;
}

std::size_t resident_bytes() {
  std::size_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

json compare(const Kind& kind, const Settings& settings) {
  const std::size_t streams = std::min(settings.streams, kind.streams_max) / 2 * 2;
  Load load(streams);
  const auto said = speak(kind, streams), plainly = speak(Kind{"rtp"}, streams);
  const auto parties = load.parties();
  std::vector<Turn> turns;
  turns.push_back({"floor", std::make_unique<Floor>(parties), plainly});
  turns.push_back({"plain", std::make_unique<BatonPlane>(parties, plainly), plainly});
  if (!kind.plain()) turns.push_back({"baton", std::make_unique<BatonPlane>(parties, said), said});
  // Two parties with SRTP would be passed on by it as they are, under each other's keys.
  const bool comparable = !kind.one_suite && Rtpengine::available();
  if (settings.rtpengine && comparable) {
    turns.push_back({"rtpengine", std::make_unique<Rtpengine>(parties, said), said});
  }
  std::vector<double> codec;
  for (unsigned i = 0; i < settings.rounds; ++i) {
    for (Turn& turn : turns) turn.add(load.run(*turn.plane, settings.seconds, turn.speak));
    if (kind.converts()) codec.push_back(codec_ns(kind.one, kind.other, streams));
  }
  json out{{"kind", kind.name}, {"streams", streams}, {"packets_per_second", Load::packets_per_second}};
  const auto floor = turns[0].ns, plain = turns[1].ns;
  for (Turn& turn : turns) out[turn.name] = figures(turn, floor, plain);
  if (kind.plain()) out["baton"] = out["plain"];
  if (kind.converts()) {
    out["codec_ns"] = median(codec);
    std::vector<double> ratios;
    for (std::size_t i = 0; i < codec.size(); ++i) ratios.push_back(turns[2].ns[i] / (plain[i] + codec[i]));
    // What it takes beside a relayed packet and its codec.
    out["ratio_to_plain_and_codec"] = median(ratios);
  }
  return out;
}

json search(const Kind& kind, const Settings& settings) {
  std::size_t good = 0, bad = 0;
  bool limited = false;
  for (std::size_t streams = std::min<std::size_t>(kind.streams_max / 2 * 2, 500);
       streams <= settings.search_up_to && bad == 0; streams *= 2) {
    const Carried carried = carries(kind, streams, settings.seconds);
    limited = carried == Carried::unknown;
    (carried == Carried::yes ? good : bad) = streams;
  }
  for (int step = 0; step < 3 && bad != 0; ++step) {
    const std::size_t middle = (good + bad) / 2 / 2 * 2;
    const Carried carried = carries(kind, middle, settings.seconds);
    limited = carried == Carried::unknown || (limited && carried == Carried::yes);
    (carried == Carried::yes ? good : bad) = middle;
  }
  return {{"streams", good}, {"limited_by_load", limited}, {"not_looked_further", bad == 0}};
}

json memory(std::size_t endpoints) {
  rlimit files{};
  static_cast<void>(::getrlimit(RLIMIT_NOFILE, &files));
  const std::size_t permitted = (static_cast<std::size_t>(files.rlim_cur) - 200) / 2;
  const std::size_t count = std::min({endpoints, permitted, BatonPlane::endpoints_max}) / 2 * 2;
  Load load(count);
  const auto said = speak(Kind{"rtp"}, count);
  const auto parties = load.parties();
  const std::size_t before = resident_bytes();
  BatonPlane baton(parties, said);
  const std::size_t opened = resident_bytes();
  const Round round = load.run(baton, 0.5, said);
  const std::size_t after = resident_bytes();
  // What the load remembers of each stream and packet is not the relay's.
  return {{"endpoints", count},
          {"wanted", endpoints},
          {"bytes_per_endpoint", static_cast<double>(opened - before) / static_cast<double>(count)},
          {"process_bytes_with_load", after},
          {"sent", round.sent},
          {"arrived", round.arrived}};
}

}  // namespace baton::bench
