#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <exception>
#include <string>

#include "app/commands.h"
#include "app/output.h"
#include "app/version.h"

namespace baton::app {
namespace {

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* asked = &app;
  for (const CLI::App* sub : app.get_subcommands()) asked = sub;
  const std::string name = asked == &app ? "baton" : "baton " + asked->get_name();
  complain(std::string(error.what()) + "; see " + name + " --help");
  return exit_usage;
}

int parse_and_run(int argc, const char* const* argv) {
  CLI::App app{"Baton: a SIP trunk that hands over live calls", "baton"};
  app.set_version_flag("--version", std::string("baton ") + version);
  app.footer(
      "Examples:\n"
      "  baton check baton.toml          is the configuration right?\n"
      "  baton serve -c baton.toml       run the server\n"
      "  baton calls --limit 5           the last five calls\n"
      "  baton trace 0193517a-3f2c       the SIP messages of a call, as a ladder\n"
      "\nEach command has its own --help.");
  app.require_subcommand(0, 1);
  int exit_code = exit_done;
  add_serve(app, exit_code);
  add_check(app, exit_code);
  add_calls(app, exit_code);
  add_transfers(app, exit_code);
  add_recordings(app, exit_code);
  add_trace(app, exit_code);
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) {
      complain("no command; see baton --help");
      return exit_usage;
    }
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return usage_error(app, error);
  }
  return exit_code;
}

}  // namespace

int run(int argc, const char* const* argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& error) {
    complain(error.what());
    return exit_operational;
  }
}

}  // namespace baton::app
