#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "app/commands.h"
#include "app/output.h"
#include "app/serve.h"
#include "config/config.h"

namespace baton::app {
namespace {

int run_serve(const std::string& path) {
  const auto loaded = config::load(path);
  if (!loaded) {
    for (const config::Problem& problem : loaded.error()) complain(problem.to_string());
    return exit_operational;
  }
  ServeOptions options;
  options.config_path = path;
  return serve(*loaded, options);
}

}  // namespace

void add_serve(CLI::App& app, int& exit_code) {
  auto path = std::make_shared<std::string>("baton.toml");
  CLI::App* command = app.add_subcommand("serve", "Run the server until it is told to stop");
  command->add_option("-c,--config,FILE", *path, "The configuration")
      ->type_name("FILE")
      ->capture_default_str();
  command->footer(
      "SIGTERM or SIGINT: no new calls, then stop; a second one: stop at once.\n"
      "SIGHUP: read the configuration again. SIGUSR1: write figures to the log.\n"
      "The log goes to standard error.\n"
      "\nExample:\n  baton serve -c /etc/baton/baton.toml");
  command->callback([path, &exit_code] { exit_code = run_serve(*path); });
}

}  // namespace baton::app
