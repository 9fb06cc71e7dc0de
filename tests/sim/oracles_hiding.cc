// Topology hiding: nothing that tells where one party is, or how it is called there, reaches another.
#include "oracles.h"
#include "peer.h"
#include "sip/draft.h"

namespace baton::sim {
namespace {

bool is_part_of_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == ':';
}

// As a word of its own: 203.0.113.1 is not in 203.0.113.10. A port may follow.
bool mentions(std::string_view text, std::string_view mark) {
  for (auto at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1)) {
    const std::size_t end = at + mark.size();
    const bool begins = at == 0 || !is_part_of_word(text[at - 1]);
    const bool ends = end == text.size() || text[end] == ':' || !is_part_of_word(text[end]);
    if (begins && ends) return true;
  }
  return false;
}

// What the party says in so many words to the other side: Referred-By is copied byte for byte (RFC 3892).
std::string without_messages_of_the_party(const sip::Message& message) {
  std::string text(message.is_request() ? message.request_uri() : message.reason_phrase());
  for (const auto& entry : message.entries()) {
    if (entry.id == sip::HeaderId::referred_by) continue;
    text.append("\n").append(message.value_of(entry));
  }
  return text.append("\n").append(message.body());
}

}  // namespace

void Oracles::check_hiding(const sip::Message& message, const Peer* to) {
  if (to == nullptr) return;
  const std::string text = without_messages_of_the_party(message);
  for (const Leg& leg : legs_) {
    if (leg.peer == nullptr || leg.peer == to) continue;
    if (leg.call_id != message.call_id() && mentions(text, leg.call_id)) {
      violation("a Call-ID of " + leg.peer->name() + " reaches " + to->name() + ":\n" + text);
    }
    const IpAddress ip = leg.peer->address().ip;
    if (ip != to->address().ip && mentions(text, ip.to_string())) {
      violation("the address of " + leg.peer->name() + " reaches " + to->name() + ":\n" + text);
    }
    if (text.find("sip:" + leg.peer->name() + "@") != std::string::npos) {
      violation("the user name of " + leg.peer->name() + " reaches " + to->name() + ":\n" + text);
    }
  }
}

}  // namespace baton::sim
