#include <algorithm>

#include "config/convert.h"
#include "config/read_settings.h"

namespace baton::config {

trunk::MediaSettings read_leg_media(const Section& section, trunk::MediaSettings media) {
  media.renegotiate = section.boolean("renegotiate", media.renegotiate);
  if (!section.has("codecs")) return media;
  const auto codecs = section.values("codecs", to_codec);
  if (!section.has_items("codecs")) {
    section.problem("codecs", "without a codec nobody can be heard",
                    R"(write for example codecs = ["PCMU", "PCMA"], or remove this key)");
    return media;
  }
  media.codecs.clear();
  for (const sdp::Codec codec : codecs) {
    if (media.codecs.contains(codec)) {
      section.problem("codecs", std::string(sdp::encoding_name(codec)) + " is named twice", "name it once");
      continue;
    }
    media.codecs.push_back(codec);
  }
  return media;
}

}  // namespace baton::config
