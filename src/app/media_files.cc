#include "app/media_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace baton::app {
namespace {

void load_prompts(const trunk::Model& model, const std::string& file, MediaFiles& loaded) {
  const auto directory = std::filesystem::path(file).parent_path();
  for (std::size_t i = 0; i < model.trunks.size(); ++i) {
    const std::string& name = model.trunks[i].hold_music;
    if (name.empty() || loaded.prompts.contains(name)) continue;
    const auto problem = [&](std::string what, std::string remedy) {
      loaded.problems.push_back(
          {file, 0, "trunk[" + std::to_string(i) + "].hold_music", std::move(what), std::move(remedy)});
    };
    if (loaded.prompts.size() >= media::prompts_max) {
      return problem("there are more than " + std::to_string(media::prompts_max) + " prompts",
                     "let trunks share one");
    }
    const std::string path = (directory / name).string();
    auto prompt = media::read_prompt(path);
    if (prompt) {
      loaded.prompts.emplace(name, std::move(*prompt));
    } else {
      problem(path + " " + prompt.error(), "name a WAV file of one or two channels at 8000 Hz");
    }
  }
}

void check_directory(const std::string& directory, const std::string& file, MediaFiles& loaded) {
  if (directory.empty()) return;
  const auto problem = [&](std::string what, std::string remedy) {
    loaded.problems.push_back({file, 0, "recording.directory", std::move(what), std::move(remedy)});
  };
  std::error_code ignored;
  if (!std::filesystem::exists(directory, ignored)) {
    problem("there is no " + directory, "make it, or name another one");
  } else if (!std::filesystem::is_directory(directory, ignored)) {
    problem(directory + " is no directory", "name one");
  } else if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    problem(directory + " can not be written to: " + std::generic_category().message(errno),
            "give it to the user that Baton runs as");
  }
}

}  // namespace

MediaFiles load_media(const config::Config& config, const std::string& file) {
  MediaFiles loaded;
  load_prompts(*config.model, file, loaded);
  check_directory(config.server.recording_directory, file, loaded);
  return loaded;
}

}  // namespace baton::app
