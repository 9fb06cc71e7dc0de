// What the codecs of a pair cost alone, without a relay around them, and speech to feed them with.
#pragma once

#include <cstddef>
#include <memory>

#include "relay/speaks.h"

namespace baton::bench {

// A second that sounds enough like speech to cost an encoder what speech does: a voice of changing pitch,
// and pauses.
[[nodiscard]] std::shared_ptr<const Speech> speech_in(sdp::Codec codec);

// Nanoseconds of this thread's time to decode a packet of the one and encode it for the other, the mean of
// both directions; with so many streams by turns, so that their states are no nearer to the processor than in
// a relay.
[[nodiscard]] double codec_ns(sdp::Codec one, sdp::Codec other, std::size_t streams);

}  // namespace baton::bench
