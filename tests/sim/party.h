// What a scripted party is told to do, what it saw, and where its call stands. Values only; peer.h acts on
// them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "media/port.h"
#include "sdp/session.h"
#include "sip/message.h"

namespace baton::sim {

enum class When : std::uint8_t {
  started,         // INVITE sent or received
  ringing,         // 180 or 183 sent or received
  answered,        // 200 sent or received
  established,     // ACK sent or received
  refer_answered,  // any final response to a REFER
  notified,        // any NOTIFY
  ringing_notified,
  final_notified,
};

enum class What : std::uint8_t {
  bye,
  refer,
  consult,         // another call; `text` is its Request-URI, script.consultation its script
  refer_attended,  // `text` is the Refer-To: {replaces} stands for that call's dialog
  refer_outside,   // in a dialog of its own that names this one (Target-Dialog); `text` is the Refer-To
  take_over,       // INVITE with Replaces of this dialog by script.replacement; `text` is added to it
  cancel,
  hold,
  resume,
  hold_untold,  // its next answer is the first to say so
  resume_untold,
  offerless,
  reinvite,
  options,
  info,
  unsubscribe,
  update,  // without a description
  update_offer,
  lose_connection,
  vanish
};

using Headers = std::vector<std::pair<std::string, std::string>>;

// One thing a party does, once, `after` the first time `when` happens.
struct Act {
  When when = When::established;
  Duration after{};
  What what = What::bye;
  std::string text = {};  // of a REFER: its Refer-To; of an INFO: its body, application/dtmf-relay
  Headers headers = {};   // added to the request
  std::string uri = {};   // where to, of what is no request of the dialog
};

struct Script {
  std::string role;  // "caller", "endpoint", "target": names the party in reports
  // Being called
  bool silent = false;  // not even a 100
  bool trying = true;   // its 100
  std::optional<Duration> ring_after = 50ms;
  int rings = 1;                             // with two: 180 first, then once more after a second
  bool early_media = false;                  // 183 with SDP instead of 180
  std::optional<Duration> final_after = 1s;  // nothing: rings for ever
  int final_status = 200;
  std::string retry_after = "5";  // of a 503; empty: none
  std::string final_reason;       // Reason of a refusal
  std::string redirect_to;        // Contact of a 3xx
  int challenge = 0;              // 401 or 407 to an INVITE without credentials
  // It comes so long after the INVITE, when some have rung already, and to this call's first INVITE only.
  std::optional<Duration> challenge_after = {};
  bool early_again = true;                // early_media for the second INVITE as for the first
  bool answers_though_cancelled = false;  // its 200 crosses the CANCEL
  // Calling
  bool offerless = false;
  Headers invite_headers = {};
  std::string username, password;  // answers challenges with these; wants them when it challenges
  bool timer = false;              // RFC 4028
  std::string session_expires;     // of its INVITE
  std::string answers_expires;     // of its 2xx, where the request names no refresher
  unsigned min_se = 0;             // 422 to what is shorter
  bool refreshes = true;           // when it is its turn
  bool allows_update = false;      // RFC 3311
  int update_status = 200;         // of the first UPDATE it gets
  bool supports_100rel = false;    // RFC 3262, as the caller
  bool requires_100rel = false;
  bool pracks = true;
  bool bad_rack_first = false;
  bool offers_in_prack = false;
  bool prack_offer_disabled = false;        // and its audio line is
  bool answers_in_prack = true;             // when its INVITE had no offer
  bool reliable = false;                    // as the callee: its 18x are
  std::vector<std::string> fork_tags = {};  // others who ring when it rings
  bool forks_answer = false;                // and answer right after it did
  // What they speak and how they encrypt, where that is not as it does; each offers anew once it is heard.
  std::vector<sdp::Codec> fork_codecs = {};
  sdp::Suites fork_suites = {};
  // In the call
  Duration ack_after{};
  std::vector<int> notify_answers = {};  // in turn, then 200; 0: none
  bool answers_bye = true;
  std::vector<int> options_answers = {};  // in turn, then 200; 0: none
  int reinvite_status = 200;              // of the first re-INVITE it gets; later ones 200
  Duration reinvite_after{};              // its 2xx to those
  bool telephone_events = true;           // RFC 4733
  bool fast_events = true;                // at the clock of Opus too, where it speaks that
  bool forgets_hold = true;               // of the other party's, in its own offers
  std::vector<sdp::Codec> codecs = {sdp::Codec::pcmu, sdp::Codec::pcma};
  sdp::SrtpRules srtp = {.use = sdp::SrtpUse::off};  // of its own descriptions and those it reads
  enum class Keys : std::uint8_t { right, other_tag, reflected, none } answers_with = Keys::right;
  std::vector<Act> acts = {};
  std::shared_ptr<const Script> consultation = {}, replacement = {};
};

// What a party's call came to, as it saw it.
struct Seen {
  std::vector<int> provisionals;
  int final_status = 0;  // of the INVITE that made the call
  std::string warning;
  std::string final_reason;  // Reason of that
  std::string hangup_code;
  bool answered = false;
  bool over = false;
  std::string over_by;     // "self", "server" (BYE), "cancel", "refused", "lost"
  std::string bye_reason;  // Reason of the BYE or CANCEL that ended it
  std::vector<int> refer_answers;
  std::vector<std::string> refer_warnings;
  std::vector<std::string> refer_retry_after;
  std::vector<std::string> infos;  // bodies
  std::vector<int> notifies;       // status of each sipfrag, repeats of the wire left out
  std::vector<std::string> notify_events;
  std::vector<std::string> notify_states;
  std::vector<FlowId> notify_flows;
  std::vector<int> reinvite_answers;
  std::vector<std::string> session_expires;  // of the server's requests and 2xx
  unsigned refreshes_sent = 0, reinvites = 0, updates = 0, pracks = 0, reliable_received = 0, options = 0;
  std::vector<int> update_answers, prack_answers;
  std::vector<std::string> update_retry_after;
  std::vector<std::string> fork_acks, fork_byes, fork_pracks;
  std::vector<std::string> authorizations;  // of the server's requests
  std::vector<sdp::Direction> directions;   // of each description the server sent
  std::vector<std::vector<sdp::Crypto>> cryptos;
  std::vector<std::string> protocols;
};

class Peer;

// One dialog, or the attempt at one.
struct Party {
  enum class State : std::uint8_t { trying, ringing, answered, up, over };

  Peer* peer = nullptr;
  Script script;
  bool caller = false;
  State state = State::trying;
  Seen seen;
  std::string call_id, local_tag, remote_tag, local_uri, remote_uri, remote_target;
  std::uint32_t local_cseq = 0, remote_cseq = 0;
  FlowId flow = 0;
  sdp::LocalAudio local;
  std::optional<sdp::RemoteAudio> remote;
  std::optional<sip::Message> invite;  // the first one, when being called
  std::string invite_branch;           // caller: of the INVITE that stands for the call
  std::string pending_invite;          // server key of an INVITE not yet answered or acknowledged
  bool own_invite_pending = false;
  bool offer_was_ours = false;  // in that 200: the answer is in the ACK
  bool cancelled = false;
  bool leave_when_acknowledged = false;
  std::string ack;  // to the newest 2xx
  std::uint32_t refer_cseq = 0;
  std::size_t notifies_count = 0;
  unsigned session_round = 0;
  bool server_updates = false;
  std::uint32_t rseq = 0, unpracked = 0, server_rseq = 0;
  bool answer_waits = false;
  unsigned key_round = 0;  // another one: other keys in what it says from then on
  std::vector<bool> acts_done;

  void init_media(std::uint64_t session_id, const SocketAddress& rtp);
  [[nodiscard]] std::string offer() const;
  // What it takes to be agreed: from where it stands, so `ours` is the party's own.
  [[nodiscard]] std::optional<media::Srtp> srtp() const;
  [[nodiscard]] sdp::MasterKey own_key(sdp::Suite suite) const;
  // To the description taken last; empty when nothing in it fits.
  [[nodiscard]] std::string answer() const;
  // The server's offer or answer; says what is wrong with it.
  [[nodiscard]] std::string take(std::string_view body);

  [[nodiscard]] bool speaks(sdp::Codec codec) const;
  [[nodiscard]] bool up() const { return state == State::up; }
  [[nodiscard]] const std::string& role() const { return script.role; }
};

// As Target-Dialog names it (RFC 4538).
[[nodiscard]] std::string dialog_of(const Party& party);

// The user part of a URI; empty when there is none.
[[nodiscard]] std::string user_of(std::string_view uri);

}  // namespace baton::sim
