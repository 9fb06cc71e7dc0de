// The files and directories that media needs: prompts, and where recordings are kept.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "media/prompts/prompts.h"

namespace baton::app {

struct MediaFiles {
  media::PromptLibrary::Prompts prompts;  // by what the configuration calls them; those that can be used
  std::vector<config::Problem> problems;
};

// Reads the prompts and looks at the directory. `file` is the configuration's, which paths are relative to.
[[nodiscard]] MediaFiles load_media(const config::Config& config, const std::string& file);

}  // namespace baton::app
