// A leg: one SIP dialog of a call, with its own SDP state and media endpoint. Owned by Legs, on its shard.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/keyed_hash.h"
#include "base/rare_list.h"
#include "base/slab.h"
#include "base/target.h"
#include "base/time.h"
#include "base/told_twice.h"
#include "call/info.h"
#include "dialog/dialog.h"
#include "dialog/refer_subscription.h"
#include "dialog/session_timer.h"
#include "media/port.h"
#include "sdp/payload_numbers.h"
#include "sdp/session.h"
#include "sip/digest_client.h"
#include "sip/draft.h"
#include "sip/message.h"
#include "trunk/media_settings.h"
#include "trunk/sip_settings.h"
#include "txn/layer.h"

namespace baton::call {

struct Leg;
using LegHandle = Handle<Leg>;

enum class LegState : std::uint8_t {
  preparing,    // outgoing: waits for its media endpoint
  inviting,     // outgoing: INVITE sent, nothing final yet
  withdrawing,  // outgoing: given up; the final may still turn out to be a 2xx
  offered,      // incoming: INVITE received, nothing final sent
  answered,     // a 2xx is through; its ACK is outstanding (to come, or ours to send)
  confirmed,    // both sides agree that there is a call
  closing,      // our BYE is out, or owed once the ACK has come
  ended,        // erased at the end of this step
};

enum class LegTimer : std::uint8_t {
  no_answer,     // outgoing: rings no longer than this
  resend_2xx,    // RFC 3261 13.3.1.4: T1 doubling to T2 until the ACK
  ack_wait,      // 64*T1 without an ACK: the session is dead
  held_refer,    // a REFER that overtook the ACK waits for it no longer
  reoffer,       // after a 491 (14.1), or once the way is clear
  notify,        // the next NOTIFY may go (one a second)
  linger,        // over: until the 2xx to our INVITE can no longer be repeated
  farewell,      // the BYE waits for the answer to the final NOTIFY no longer
  probe,         // a party that holds: is it there?
  refresh,       // RFC 4028 10: half the session interval has passed, or a refresh is to be tried again
  reliable,      // RFC 3262 3: the provisional again, until its PRACK
  provisional,   // RFC 3261 13.3.1.1: one a minute
  session_over,  // RFC 4028 10: nobody has refreshed the session
  unheard,       // outgoing: nothing has come back, and there is somebody else to ask
  count,
};

// A first answer to a challenge, one more when only the nonce was too old (RFC 7616 3.3), and as many for a
// second server on the way.
inline constexpr unsigned auth_tries_max = 4;
// How often a request is made again with a longer session interval (RFC 4028 7.4): each hop may want its own.
inline constexpr unsigned interval_tries_max = 3;

// A request of ours inside the dialog that has no final response yet.
struct PendingRequest {
  txn::TxnId txn;
  sip::Method method = sip::Method::other;
  sip::Draft draft;
  unsigned auth_tries = 0;         // sent with credentials so often
  std::uint64_t auth_request = 0;  // names it to the DigestClient, whatever its CSeq
  unsigned interval_tries = 0;
  bool refresh = false;          // for the session timer alone: changes nothing
  std::uint32_t refer_cseq = 0;  // NOTIFY: whose subscription
  bool final_notify = false;
  FlowId flow = 0;             // it went by that connection
  bool waits_for_way = false;  // not sent yet: the peer's host is being looked up
  unsigned ways_tried = 0;     // after its connection was lost
};

// A REFER that has not been answered.
struct OpenRefer {
  txn::TxnId txn;
  sip::Message message;
  bool reported = false;  // the call layer has been told, and answers it
};

struct Subscription {
  dialog::ReferSubscription state;
  bool settled_reported = false;
};

// The credentials that a peer may ask for, and what came of its challenges.
struct Login {
  std::string username, password;
  sip::DigestClient digest{};
  // What the ACK has to carry too (RFC 3261 13.2.2.4): to the INVITE's 2xx, and to the last one.
  std::vector<sip::Draft::Field> invite_credentials{}, ack_credentials{};

  // What it has been challenged with by now is answered.
  void sign(sip::Draft& request, Rng& rng) {
    if (!digest.empty()) digest.sign(request, username, password, rng);
  }
};

// Of an INVITE that several have answered: those who lost.
struct Forks {
  std::vector<std::string> tags;      // acknowledged and ended
  std::vector<dialog::Dialog> early;  // early dialogs, after the 2xx of another
};

// What a leg is known by, and what repeats of the answer to its INVITE need. It stays for a while when the
// leg is over.
struct LegRemains {
  LegHandle self;
  std::string root_call_uuid;
  std::string party;  // the ladder's column
  std::string account_id;
  std::string trunk_id;    // set on a trunk's endpoint leg
  std::string carrier_id;  // set on a carrier's leg
  dialog::Dialog dialog;
  txn::TxnId invite;          // the first INVITE's transaction, server or client
  bool acknowledged = false;  // a 2xx was: when it comes again, the ACK is sent again
  Time accepted_until{};      // until then the 2xx may come again (RFC 6026 7.2, Timer M)
  // Few legs have any, and all would have to carry the room for it.
  std::unique_ptr<Login> login;
  std::unique_ptr<Forks> forks;
};

// There are two for every call as long as it lives, so members are in an order that leaves few gaps, and what
// only some legs have, or each only for a while, is behind a pointer.
struct Leg : LegRemains {
  LegState state = LegState::preparing;
  bool outgoing = false;
  bool end_reported = false;
  bool authenticated = false;  // the dialog was made with the trunk's credentials
  trunk::CallSettings sip;
  trunk::MediaSettings media_terms;

  // Whose: set by the call layer, carried for records and rules.
  std::uint64_t call = 0;  // packed handle; 0: disowned
  std::string call_uuid;   // of the record it belongs to; empty: the root call's
  std::string number;      // the party's own number or user part

  dialog::SessionTimer session;
  bool peer_updates = false;    // its Allow lists UPDATE
  bool update_refused = false;  // whatever its Allow says
  unsigned probes_failed = 0;   // one after the other
  Source source;                // where the peer was last heard
  std::uint32_t invite_cseq = 0;
  bool heard = false;      // outgoing: anything came back for the INVITE
  bool fate_told = false;  // outgoing: LegTarget has been emitted for want of that
  bool early_media = false;

  // incoming
  std::optional<sip::Message> request;  // the INVITE, until its final response
  // outgoing
  std::uint64_t asked_hash = 0;     // of the user part that it asked for
  std::uint64_t auth_requests = 0;  // numbers them; the first INVITE is 0
  // Early dialogs of the same INVITE besides the one in `dialog`, which is the one heard last (RFC
  // 3261 12.1).
  struct Early {
    dialog::Dialog dialog;
    std::optional<sdp::RemoteAudio> remote;
    std::optional<std::uint32_t> peer_rseq;
    bool settled = false;
    sdp::LocalAudio local;
    sdp::PayloadNumbers numbers;
    std::string last_sdp;
    std::uint64_t last_version = 0;
    std::unique_ptr<media::Srtp> srtp;
    SocketAddress srtp_peer;
  };
  struct Said {
    sdp::LocalAudio local;
    std::string sdp;
    sdp::Direction offered = sdp::Direction::sendrecv;
  };
  // What only the INVITE needs: a leg goes on for hours after it.
  struct Inviting {
    sip::Draft draft;
    Destination to;
    std::optional<SocketAddress> tcp_from;  // where an INVITE too long for UDP leaves from
    unsigned auth_tries = 0;
    unsigned interval_tries = 0;
    Duration unheard_max{};  // 0: as long as the transaction waits
    Duration no_answer_after{};
    std::vector<Early> other_early;
    // Its offer, which every early dialog begins with; there when one of them has gone on from it.
    std::unique_ptr<const Said> first_offer;
  };
  std::unique_ptr<Inviting> inviting;      // until it is acknowledged, or the leg has ended
  std::optional<std::uint32_t> peer_rseq;  // RSeq of the last reliable response (RFC 3262 4)

  // Reliable provisionals of ours (RFC 3262 3), one at a time.
  struct Progress {
    int status = 180;
    bool with_sdp = false;
    sdp::Codecs wanted;
  };
  struct Unpracked {
    sip::Draft response;
    Time since{};
    Duration interval{};
    bool sdp = false;
    bool offers = false;           // the PRACK must bring the answer
    std::optional<Progress> next;  // which waits for the PRACK
  };
  std::unique_ptr<Unpracked> unpracked;
  std::uint32_t rseq = 0;
  int last_progress = 0;
  bool answer_waits = false;  // the 2xx, for the PRACK

  // our 2xx that waits for its ACK: the first INVITE's or a re-INVITE's
  bool offer_in_2xx = false;  // the ACK must bring the answer
  std::uint32_t unacked_cseq = 0;
  txn::TxnId unacked;
  Duration resend_interval{};

  // session description
  media::EndpointId media = 0;
  sdp::LocalAudio local;
  sdp::PayloadNumbers numbers;
  std::string last_sdp;            // ours, as sent
  std::uint64_t last_version = 0;  // of any o= line of ours, refused ones included
  // The offer that `last_sdp` answers, as long as the same offer would get the same answer; in a call only.
  std::optional<WideHash> answered_offer;
  std::unique_ptr<const Said> before_offer;  // what stands if the offer that is out is refused
  std::optional<sdp::RemoteAudio> remote;
  std::unique_ptr<media::Srtp> srtp;  // agreed; nothing: RTP
  SocketAddress srtp_peer;            // where the peer was when it was
  unsigned srtp_keys = 0;             // made so far
  RareList<sdp::Crypto> plane_keys;   // what the plane encrypts with, where that is not for us to say
  Time opened_at{};
  sdp::SrtpRules srtp_rules;
  std::optional<sdp::Format> sends;  // what the party is sent, as agreed last
  bool media_ready = false;
  bool described = false;      // the first answer of ours is fixed
  bool early_settled = false;  // the first offer was answered before the 2xx, reliably
  sdp::Codecs wanted;
  std::array<bool, sdp::all_codecs.size()> asked{};  // offered first, so that the party may take it
  bool reoffering = false;                           // an offer of ours is out: re-INVITE or UPDATE
  bool reoffer_wanted = false;
  bool codec_question = false;  // the next offer of ours asks for a codec, and changes nothing else
  sdp::Direction offer_direction = sdp::Direction::sendrecv;  // of our next offer in mid-call
  // Of the last one, which is out or was not refused: an offer that waits is not what is answered.
  sdp::Direction offered = sdp::Direction::sendrecv;
  bool offer_is_echo = false;    // that direction follows from another party's answer
  bool offered_as_echo = false;  // so did that of the offer that is out
  // What the party wants for its own part: a hold of the other party's that it was told of is not its own.
  sdp::Direction wish = sdp::Direction::sendrecv;

  std::vector<PendingRequest> pending;
  std::uint64_t way_query = 0;      // a look-up of the peer's host that is out; 0: none
  RareList<Target> more_ways;       // what else it found
  RareList<KeyPress> keys;          // to be told by INFO, one after the other
  std::unique_ptr<ToldTwice> told;  // keys it has told of; nothing: none
  RareList<OpenRefer> open_refers;
  RareList<Subscription> subscriptions;
  std::array<std::uint32_t, static_cast<std::size_t>(LegTimer::count)> timers{};  // their entries; 0: none
  unsigned refers_seen = 0;  // from the second on, NOTIFYs carry an id (RFC 3515 2.4.6)
  bool refer_held = false;
  bool refer_only = false;  // the dialog that a REFER from outside its call made: a subscription, no session

  bool bye_sent = false;
  bool bye_waits_for_notify = false;
  std::string bye_reason;  // Reason of the BYE that is owed
  int bye_code = 0;
  int final_status = 0;
  int q850 = 0;                  // the cause its refusal gave; 0: none
  std::optional<Time> ended_at;  // when the party was let go or left

  [[nodiscard]] bool alive() const { return state != LegState::ended; }
  [[nodiscard]] bool in_call() const { return state == LegState::answered || state == LegState::confirmed; }
};

}  // namespace baton::call
