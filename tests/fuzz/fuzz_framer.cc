// A byte stream. The first byte says how large the pieces are it arrives in; however it is cut, the same
// messages and pings must come out.
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "sip/framer.h"
#include "sip/message.h"

namespace {

struct Outcome {
  std::vector<std::string> messages;
  unsigned pings = 0;
  bool failed = false;
  bool operator==(const Outcome&) const = default;
};

Outcome run(std::string_view stream, std::size_t piece) {
  baton::sip::StreamFramer framer;
  Outcome outcome;
  while (!stream.empty() && !outcome.failed) {
    const std::string_view bytes = stream.substr(0, piece);
    stream.remove_prefix(bytes.size());
    outcome.failed = !framer.feed(bytes);
    std::string message;
    while (framer.next(message)) outcome.messages.push_back(message);
    outcome.pings += framer.take_pings();
    if (!outcome.failed) BATON_ASSERT(framer.buffered() <= baton::limits::message_bytes_max + piece);
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = run(stream, stream.size() + 1);
  BATON_ASSERT(whole == run(stream, std::size_t{data[0]} + 1));
  for (const auto& bytes : whole.messages) {
    BATON_ASSERT(!bytes.empty() && bytes.size() <= baton::limits::message_bytes_max);
    // Framer and parser must agree where a message ends.
    const auto message = baton::sip::Message::parse(bytes);
    if (message) BATON_ASSERT(message->bytes().size() == bytes.size());
  }
  return 0;
}
