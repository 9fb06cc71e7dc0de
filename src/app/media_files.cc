#include "app/media_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <system_error>

namespace baton::app {
namespace {

constexpr Duration announcement_max = 60s;

struct Named {
  std::string key;  // after "trunk[2]."
  const std::string& prompt;
  bool announcement = false;
};

std::array<Named, 3> named_by(const trunk::Trunk& trunk) {
  return {Named{"hold_music", trunk.hold_music},
          {"unavailable_announcement", trunk.unavailable_announcement, true},
          {"transfer.announcement", trunk.transfer.announcement, true}};
}

void load_prompts(const trunk::Model& model, const std::string& file, MediaFiles& loaded) {
  const auto directory = std::filesystem::path(file).parent_path();
  std::set<std::string> tried;
  for (std::size_t i = 0; i < model.trunks.size(); ++i) {
    for (const Named& named : named_by(model.trunks[i])) {
      if (named.prompt.empty()) continue;
      const auto problem = [&](std::string what, std::string remedy) {
        loaded.problems.push_back(
            {file, 0, "trunk[" + std::to_string(i) + "]." + named.key, std::move(what), std::move(remedy)});
      };
      const std::string path = (directory / named.prompt).string();
      if (tried.insert(named.prompt).second) {
        if (loaded.prompts.size() >= media::prompts_max) {
          problem("there are more than " + std::to_string(media::prompts_max) + " prompts",
                  "let trunks share one");
          return;
        }
        auto prompt = media::read_prompt(path);
        if (prompt) {
          loaded.prompts.emplace(named.prompt, std::move(*prompt));
        } else {
          problem(path + " " + prompt.error(), "name a WAV file of one or two channels at 8000 Hz");
        }
      }
      const auto prompt = loaded.prompts.find(named.prompt);
      if (named.announcement && prompt != loaded.prompts.end() &&
          prompt->second->lasts() > announcement_max) {
        problem(path + " lasts longer than " + std::to_string(announcement_max / 1s) + " seconds",
                "an announcement is played to its end while somebody waits; name a shorter one");
        loaded.prompts.erase(prompt);
      }
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

trunk::Snapshot with_announcements(const trunk::Model& model, const media::PromptLibrary::Prompts& prompts) {
  auto complete = std::make_shared<trunk::Model>(model);
  for (const trunk::Trunk& trunk : model.trunks) {
    for (const Named& named : named_by(trunk)) {
      const auto prompt = prompts.find(named.prompt);
      if (!named.announcement || prompt == prompts.end()) continue;
      complete->announcements[named.prompt] = std::min(prompt->second->lasts(), announcement_max);
    }
  }
  return complete;
}

MediaFiles load_media(const config::Config& config, const std::string& file) {
  MediaFiles loaded;
  load_prompts(*config.model, file, loaded);
  check_directory(config.server.recording_directory, file, loaded);
  return loaded;
}

}  // namespace baton::app
