#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>

#include "app/commands.h"
#include "app/media_files.h"
#include "app/output.h"
#include "app/tls_files.h"
#include "config/config.h"

namespace baton::app {
namespace {

std::string counted(std::size_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string summary(const std::string& path, const config::Config& config) {
  const trunk::Model& model = *config.model;
  const auto inbound = std::count_if(model.trunks.begin(), model.trunks.end(), [](const trunk::Trunk& trunk) {
    return trunk.direction == trunk::TrunkDirection::inbound;
  });
  std::string text = "OK: " + path + ": " + counted(model.accounts.size(), "account") + ", " +
                     counted(model.trunks.size(), "trunk") + " (" + std::to_string(inbound) + " inbound), " +
                     counted(model.numbers.size(), "number") + ", " +
                     counted(model.carriers.size(), "carrier");
  for (const config::Listen& listen : config.server.listeners) {
    text += "; listens on " + std::string(to_string(listen.transport)) + " " + listen.bind.to_string();
    if (listen.advertised != listen.bind) text += " as " + listen.advertised.to_string();
  }
  return text + "; store " + config.server.store_path + "\n";
}

int run_check(const std::string& path) {
  const auto loaded = config::load(path);
  if (!loaded) {
    for (const config::Problem& problem : loaded.error()) complain(problem.to_string());
    return exit_operational;
  }
  const TlsFiles tls = load_tls(loaded->server, path, seconds_now());
  for (const config::Problem& problem : tls.problems) complain(problem.to_string());
  const MediaFiles media = load_media(*loaded, path);
  for (const config::Problem& problem : media.problems) complain(problem.to_string());
  for (const config::Problem& warning : tls.warnings) complain("warning: " + warning.to_string());
  return tls.problems.empty() && media.problems.empty() ? print(summary(path, *loaded))
                                                        : static_cast<int>(exit_operational);
}

}  // namespace

void add_check(CLI::App& app, int& exit_code) {
  auto path = std::make_shared<std::string>("baton.toml");
  CLI::App* command =
      app.add_subcommand("check", "Say whether a configuration is right, and all that is wrong with it");
  command->add_option("-c,--config,FILE", *path, "The configuration")
      ->type_name("FILE")
      ->capture_default_str();
  command->footer(
      "Certificates, keys and prompts are read too. Nothing is opened or changed. Exit code 0: right; 1: "
      "wrong.\n"
      "\nExample:\n  baton check baton.toml && systemctl reload baton");
  command->callback([path, &exit_code] { exit_code = run_check(*path); });
}

}  // namespace baton::app
