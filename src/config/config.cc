#include "config/config.h"

#include <fstream>

#include "config/read.h"
#include "config/section.h"
#include "config/value.h"

namespace baton::config {
namespace {

constexpr std::size_t file_bytes_max = 64 * 1024 * 1024;

std::vector<Problem> unreadable(const std::string& path, std::string what, std::string remedy) {
  return {{path, 0, {}, std::move(what), std::move(remedy)}};
}

}  // namespace

std::string Problem::to_string() const {
  std::string out = file;
  if (line != 0) out += ':' + std::to_string(line);
  out += ": ";
  if (!key.empty()) out += key + ": ";
  return out + what + "; " + remedy;
}

Result<Config, std::vector<Problem>> parse(const std::string& toml, const std::string& file_name,
                                           const Media* running) {
  const auto tree = read_toml(toml, file_name);
  if (!tree) return fail(std::vector<Problem>{tree.error()});
  Problems problems(file_name);
  const Section file(problems, *tree);
  Config config;
  config.server = read_server(file, file_name);
  auto model = std::make_shared<trunk::Model>(read_model(file));
  link_model(file, config.server, *model);
  const Media& chosen = config.server.media;
  check_plane(file, chosen, running == nullptr ? chosen : *running, *model);
  if (!problems.empty()) return fail(std::move(problems).take());
  config.model = std::move(model);
  return config;
}

Result<Config, std::vector<Problem>> load(const std::string& path, const Media* running) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail(unreadable(path, "the file can not be opened", "check that it is there and may be read"));
  }
  std::string text;
  std::vector<char> buffer(64 * 1024);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || file.gcount() > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() <= file_bytes_max) continue;
    return fail(unreadable(path, "the file is larger than 64 MiB", "name the right file"));
  }
  if (file.bad()) return fail(unreadable(path, "the file can not be read", "name a file, not a folder"));
  return parse(text, path, running);
}

}  // namespace baton::config
