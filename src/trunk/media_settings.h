// What audio one trunk's endpoint or one carrier is offered. A value; what a call was set up with it keeps.
#pragma once

#include "sdp/codec.h"

namespace baton::trunk {

struct MediaSettings {
  // What may be spoken with it, the best first; one at least. What both parties of a call share comes first
  // whatever the order here.
  sdp::Codecs codecs = {sdp::all_codecs.begin(), sdp::all_codecs.end()};
  // When the party it talks to changes and speaks another codec, it is asked by a re-INVITE to speak that one
  // too. Otherwise, and as long as it does not, audio is transcoded.
  bool renegotiate = true;
};

}  // namespace baton::trunk
