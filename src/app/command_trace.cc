#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "app/commands.h"
#include "app/ladder.h"
#include "app/output.h"
#include "app/pcap.h"
#include "app/records_json.h"
#include "app/records_table.h"
#include "app/store_choice.h"

namespace baton::app {
namespace {

// What was wrong, if anything. Only for its owner: a call's messages say who spoke with whom.
std::optional<std::string> write_file(const std::string& path, const std::string& bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return path + ": " + std::generic_category().message(errno);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    done += static_cast<std::size_t>(n);
  }
  const int error = done < bytes.size() ? errno : 0;
  if (::close(fd) == 0 && error == 0) return std::nullopt;
  return path + ": " + std::generic_category().message(error != 0 ? error : errno);
}

struct Trace {
  StoreChoice store;
  std::string id;
  std::string pcap;
  bool text = false;
  bool json = false;
  bool plain = false;
  std::size_t limit = 10'000;

  [[nodiscard]] Result<store::History, std::string> find() const {
    auto reader = store.open();
    if (!reader) return fail(std::move(reader.error()));
    auto root = (*reader)->find_root(id);
    if (!root) return fail(std::move(root.error()));
    return (*reader)->history(*root, limit + 1);  // one more tells whether there are more
  }

  [[nodiscard]] int run() const {
    auto history = find();
    if (!history) return complain(history.error()), exit_operational;
    const bool cut = history->trace.size() > limit;
    if (cut) history->trace.resize(limit);
    if (!pcap.empty()) return save(*history);
    if (json) return print(to_json(*history));
    return show(*history, cut);
  }

  [[nodiscard]] int save(const store::History& history) const {
    if (history.trace.empty()) return complain("no SIP messages were kept of this call"), exit_operational;
    const std::string bytes = to_pcap(history.trace);
    if (pcap == "-") return print(bytes);
    if (const auto fault = write_file(pcap, bytes)) return complain(*fault), exit_operational;
    return print("wrote " + std::to_string(history.trace.size()) + " messages to " + pcap + "\n");
  }

  [[nodiscard]] int show(const store::History& history, bool cut) const {
    const Terminal screen = terminal();
    const LadderStyle style{screen.columns, screen.colour && !plain, screen.unicode && !plain};
    std::string out = history_summary(history) + "\n";
    if (history.trace.empty()) {
      out += "no SIP messages were kept of this call (trace in the configuration's [store])\n";
    } else {
      out += text ? messages_as_text(history.trace, style) : ladder(history.trace, style);
    }
    if (cut) {
      out += "only the first " + std::to_string(limit) + " messages; more with --limit\n";
    }
    return print(out);
  }
};

}  // namespace

void add_trace(CLI::App& app, int& exit_code) {
  auto trace = std::make_shared<Trace>();
  CLI::App* command = app.add_subcommand("trace", "Show the SIP messages of a call, its transfers included");
  command
      ->add_option("CALL", trace->id, "A call_uuid or transfer_id, or its beginning; or a whole SIP Call-ID")
      ->required();
  trace->store.add_options(*command);
  auto* text = command->add_flag("--text", trace->text, "The whole messages instead of a ladder");
  auto* json = command->add_flag("--json", trace->json, "Records and messages as JSON");
  auto* pcap =
      command->add_option("--pcap", trace->pcap, "Write the messages to a capture file; - for stdout");
  pcap->type_name("FILE");
  text->excludes(json)->excludes(pcap);
  json->excludes(pcap);
  command->add_flag("--plain", trace->plain, "ASCII and no colours");
  command->add_option("-n,--limit", trace->limit, "At most so many messages")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->footer(
      "Names of the ladder: [SDP] carries a session description, [again] is a retransmission.\n"
      "\nExamples:\n  baton trace 0193517a-3f2c\n  baton trace 0193517a-3f2c --text | less\n"
      "  baton trace 0193517a-3f2c --pcap call.pcap && wireshark call.pcap");
  command->callback([trace, &exit_code] { exit_code = trace->run(); });
}

}  // namespace baton::app
