// A scripted party that transfers: attended, and from outside the dialog.
#include <cctype>

#include "peer.h"
#include "world.h"

namespace baton::sim {

using sip::Draft;
using sip::HeaderId;
using sip::Method;

namespace {

std::string number_of(const std::string& uri) {
  const auto parsed = sip::Uri::parse(uri);
  return parsed ? parsed->user : std::string();
}

}  // namespace

Party* Peer::consultation_of(const Party& party) {
  for (auto other = parties_.rbegin(); other != parties_.rend(); ++other) {
    if (&*other != &party && !other->seen.over && !other->remote_tag.empty()) return &*other;
  }
  return nullptr;
}

Party& Peer::refer_outside(const Party& about, const std::string& request_uri, const std::string& refer_to,
                           const std::string& target_dialog) {
  Party& party = parties_.emplace_back();
  party.peer = this;
  party.script.role = "referrer";
  party.script.username = about.script.username;
  party.script.password = about.script.password;
  // No call: nothing of it is to be ended.
  party.state = Party::State::over;
  party.seen.over = true;
  party.call_id = rng_.token(16) + "@" + address_.ip.to_string();
  party.local_tag = rng_.token(8);
  party.local_uri = "sip:" + number_of(about.local_uri) + "@" + address_.ip.to_string();
  party.remote_uri = request_uri;
  party.remote_target = request_uri;
  party.local_cseq = 1;
  Draft draft = in_dialog(party, Method::refer, party.local_cseq);
  party.remote_target.clear();
  draft.add(HeaderId::refer_to, refer_to);
  draft.add(HeaderId::target_dialog, target_dialog);
  draft.add(HeaderId::require, "tdialog");
  send_request(party, std::move(draft), party.local_cseq);
  return party;
}

void Peer::take_over(const Party& party, const Act& act) {
  Script script = *party.script.replacement;
  script.invite_headers.emplace_back(
      "Replaces", party.call_id + ";to-tag=" + party.remote_tag + ";from-tag=" + party.local_tag + act.text);
  call(std::move(script), user_of(party.local_uri), "sip:baton@" + server_address().to_string());
}

// Lower-case escapes and the tags in the order that RFC 3891 does not show, as some phones write it.
void Peer::refer_attended(Party& party, const Act& act) {
  const Party* other = consultation_of(party);
  if (other == nullptr) return;
  const std::string plain = other->call_id + ";from-tag=" + other->local_tag + ";to-tag=" + other->remote_tag;
  std::string escaped;
  for (const char c : plain) {
    static constexpr char digits[] = "0123456789abcdef";
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      escaped += c;
    } else {
      escaped += '%';
      escaped += digits[static_cast<unsigned char>(c) >> 4];
      escaped += digits[static_cast<unsigned char>(c) & 15];
    }
  }
  static constexpr std::string_view mark = "{replaces}";
  Act plain_refer = act;
  plain_refer.what = What::refer;
  if (const auto at = plain_refer.text.find(mark); at != std::string::npos) {
    plain_refer.text.replace(at, mark.size(), escaped);
  }
  this->act(party, plain_refer);
}

}  // namespace baton::sim
