// What a packet costs in Baton's relay, in processor time, beside the least that a relay on the same sockets
// can do, beside the codecs alone and beside rtpengine; how late packets are; and how many streams one core
// carries. All are measured by turns in one run.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <stdexcept>

#include "relay/measure.h"

namespace baton::bench {
namespace {

void take_descriptors() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &files));
}

// A line of JSON each.
void run(const std::string& only, const Settings& settings) {
  bool any = false;
  for (const Kind& kind : kinds()) {
    if (!only.empty() && kind.name != only) continue;
    any = true;
    auto line = compare(kind, settings);
    if (settings.search_up_to != 0 && (kind.searched || kind.name == only))
      line["carries"] = search(kind, settings);
    std::printf("%s\n", line.dump().c_str());
    std::fflush(stdout);
  }
  if (!any) throw std::runtime_error("no such kind: " + only);
}

}  // namespace
}  // namespace baton::bench

int main(int argc, char** argv) {
  baton::bench::Settings settings;
  std::string only;
  std::size_t endpoints = 0;
  CLI::App app{"The cost of a relayed packet; a line of JSON for each kind of call"};
  app.add_option("--streams", settings.streams, "streams at a time")->check(CLI::Range(2, 6'000));
  app.add_option("--seconds", settings.seconds, "of each round");
  app.add_option("--rounds", settings.rounds, "of each of those that are compared");
  app.add_option("--search", settings.search_up_to, "look for the most streams, up to so many; 0: do not");
  app.add_option("--rtpengine", settings.rtpengine, "compare with rtpengine, where there is one");
  app.add_option("--only", only, "one kind");
  app.add_option("--memory", endpoints, "instead: what so many endpoints take");
  CLI11_PARSE(app, argc, argv);
  baton::bench::take_descriptors();
  try {
    if (endpoints != 0) {
      std::printf("%s\n", baton::bench::memory(endpoints).dump().c_str());
    } else {
      baton::bench::run(only, settings);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
