#include "media/prompts/prompts.h"

#include <sndfile.h>

#include <algorithm>
#include <utility>

#include "media/relay/g711.h"

namespace baton::media {
namespace {

constexpr int rate = 8'000;
constexpr const char* remedy = "; sox in.wav -r 8000 -c 1 out.wav makes one that will do";

struct Close {
  void operator()(SNDFILE* file) const { sf_close(file); }
};

}  // namespace

baton::Result<std::shared_ptr<const Prompt>, std::string> read_prompt(const std::string& path) {
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, Close> file(sf_open(path.c_str(), SFM_READ, &info));
  if (!file) return fail(std::string("can not be read: ") + sf_strerror(nullptr));
  if (info.channels < 1 || info.channels > 2) {
    return fail("has " + std::to_string(info.channels) + " channels; one or two will do");
  }
  if (info.samplerate < rate || info.samplerate > 6 * rate || info.samplerate % rate != 0) {
    return fail("has " + std::to_string(info.samplerate) + " samples a second, which is no multiple of 8000" +
                remedy);
  }
  const auto frames_max = static_cast<sf_count_t>(prompt_seconds_max) * info.samplerate;
  if (info.frames > frames_max) {
    return fail("lasts longer than " + std::to_string(prompt_seconds_max / 60) + " minutes");
  }
  auto prompt = std::make_shared<Prompt>();
  const auto group =
      static_cast<std::size_t>(info.samplerate / rate) * static_cast<std::size_t>(info.channels);
  // What the header says of the length is not believed: it is read until it ends.
  std::vector<short> block(group * 4'096);
  sf_count_t frames = 0;
  while (const sf_count_t read = sf_readf_short(file.get(), block.data(),
                                                static_cast<sf_count_t>(block.size()) / info.channels)) {
    if (read < 0 || (frames += read) > frames_max) break;
    const auto groups = static_cast<std::size_t>(read) * static_cast<std::size_t>(info.channels) / group;
    for (std::size_t i = 0; i < groups; ++i) {
      // The mean of what becomes one sample, over both channels: good enough for a telephone.
      long sum = 0;
      for (std::size_t j = 0; j < group; ++j) sum += block[i * group + j];
      prompt->samples.push_back(static_cast<std::int16_t>(sum / static_cast<long>(group)));
    }
  }
  if (prompt->samples.empty()) return fail(std::string("holds no audio"));
  prompt->pcmu = encode(sdp::Codec::pcmu, prompt->samples);
  prompt->pcma = encode(sdp::Codec::pcma, prompt->samples);
  return prompt;
}

void PromptLibrary::replace(Prompts prompts) {
  const std::lock_guard lock(mutex_);
  std::swap(prompts_, prompts);
}

std::shared_ptr<const Prompt> PromptLibrary::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = prompts_.find(name);
  return found == prompts_.end() ? nullptr : found->second;
}

}  // namespace baton::media
