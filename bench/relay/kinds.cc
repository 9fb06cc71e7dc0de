#include "relay/kinds.h"

#include <algorithm>
#include <array>

#include "relay/codecs.h"

namespace baton::bench {
namespace {

constexpr std::array codecs = {sdp::Codec::pcmu, sdp::Codec::pcma, sdp::Codec::g722, sdp::Codec::opus};
constexpr std::array codec_names = {"pcmu", "pcma", "g722", "opus"};

}  // namespace

std::vector<Kind> kinds() {
  std::vector<Kind> all{{"rtp"}};
  for (const sdp::Suite suite : sdp::all_suites) {
    Kind kind{"srtp-" + std::string(to_string(suite))};
    kind.one_suite = kind.other_suite = suite;
    all.push_back(kind);
  }
  for (const sdp::Suite suite : sdp::all_suites) {
    Kind kind{"rtp-srtp-" + std::string(to_string(suite))};
    kind.other_suite = suite;
    kind.searched = false;
    all.push_back(kind);
  }
  for (std::size_t one = 0; one < codecs.size(); ++one) {
    for (std::size_t other = one + 1; other < codecs.size(); ++other) {
      Kind kind{std::string(codec_names[one]) + "-" + codec_names[other], codecs[one], codecs[other]};
      if (codecs[other] == sdp::Codec::g722) kind.streams_max = 400;
      if (codecs[other] == sdp::Codec::opus) kind.streams_max = 60;
      kind.searched = codecs[one] != sdp::Codec::pcma;
      all.push_back(kind);
    }
  }
  return all;
}

std::vector<Speaks> speak(const Kind& kind, std::size_t streams) {
  const auto speech = std::array{speech_in(kind.one), speech_in(kind.other)};
  std::vector<Speaks> all;
  for (std::size_t i = 0; i < streams; ++i) {
    const bool even = i % 2 == 0;
    const sdp::Codec codec = even ? kind.one : kind.other;
    Speaks one{{codec, sdp::default_payload_type(codec)}, {}, speech[even ? 0 : 1]};
    if (const auto suite = even ? kind.one_suite : kind.other_suite) {
      const auto key = [&](const char* whose) {
        return sdp::derive_key("the keys of a measurement are no secret", whose + std::to_string(i), *suite);
      };
      one.srtp = media::Srtp{*suite, key("relay"), key("party")};
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace baton::bench
