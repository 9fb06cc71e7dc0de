// What must hold in every run, whatever was scripted: read off the wire at the server, the media plane and
// the records, never from the engine's inside. Checked after every step and again at rest.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "engine/action.h"
#include "media/port.h"
#include "sip/message.h"

namespace baton::sim {

class Peer;
struct Party;
class World;

class Oracles {
 public:
  // One dialog, or attempt at one, as it passed the server's sockets.
  struct Leg {
    std::string call_id;
    Peer* peer = nullptr;
    bool server_called = false;  // the server sent the INVITE
    std::string number;          // user part of the Request-URI
    std::string root;            // the call it belongs to, from the trace
    bool answered = false;       // a 2xx was sent or received
    bool acknowledged = false;
    bool answerless_ack = false;  // to a 2xx, and there was nothing in it
    bool cancelled = false;       // CANCEL sent or received
    std::optional<Time> cancel_sent;
    int final_status = 0;
    bool over = false;
    bool over_by_peer = false;  // BYE received, refused, cancelled by the caller, or no answer any more
    Time invited_at{}, answered_at{}, over_at{};
    std::uint64_t over_order = 0;
    bool failed = false;                         // answers 408 or 481, or nothing, to what keeps the call up
    std::uint32_t invite_cseq = 0;               // of the INVITE that makes the dialog
    std::map<std::string, std::uint32_t> cseqs;  // of the newest request, by To tag
    std::string to_tag;                          // whose answer came first
    std::map<std::uint32_t, Time> unacknowledged;  // CSeq of INVITEs that the server answered 2xx
    std::optional<media::EndpointId> endpoint;
    std::map<std::uint8_t, sdp::Codec> payload_numbers;  // of the server's descriptions
    bool outside = false;                                // no call: the dialog of a REFER with Target-Dialog
    Leg* replaces = nullptr;                             // whose place its INVITE asked for
    Leg* partner = nullptr;                              // whom it heard, and who heard it, last
    std::optional<Time> alone_since;
    std::optional<Time> unlinked_since;
    bool reported_silent = false;
    bool awaits_prack = false;  // of a response of ours with a description: its 2xx may not go out before
    std::optional<Time> session_over;  // RFC 4028: the BYE of a session that nobody refreshed
  };
  // One REFER that reached the server in a dialog.
  struct Transfer {
    Leg* subscriber = nullptr;  // whose dialog the NOTIFYs go in: the transferor's, but for Target-Dialog
    Leg* transferor = nullptr;
    Leg* transferee = nullptr;
    Leg* consultation = nullptr;  // the transferor's other leg, which Replaces named
    std::uint32_t cseq = 0;
    std::string refer_to, number;
    int status = 0;  // what the REFER was answered; 0: nothing yet
    bool no_subscription = false;
    bool peer_ended_subscription = false;
    bool target_answered = false;
    std::vector<int> notified;  // status of each NOTIFY
    unsigned finals = 0;
    int final_status = 0;
    std::map<std::string, Time> outstanding;  // NOTIFYs without answer, by branch
    Time answered_at{}, last_notify{};
    bool unsubscribed = false;
    std::string outcome;  // from its record; empty: not decided yet
    Time decided_at{};
    [[nodiscard]] bool accepted() const { return status >= 200 && status < 300; }
    [[nodiscard]] bool pending() const { return accepted() && outcome.empty(); }
  };

  explicit Oracles(World& world) : world_(world) {}

  void sent(const engine::Send& send, Peer* to);
  void received(const Source& source, Peer& from, const std::string& bytes);
  void before_step();
  void after_step();
  void at_rest();
  // When nothing is being negotiated: each end sends where the other listens, in a format it can play, and
  // holds are respected.
  void check_media_agrees();
  // What a leg and its party encrypt with is not the same; empty: it is, for all that are up.
  [[nodiscard]] std::string keys_that_differ() const;

  // The test itself ended the calls, or made the media fail: a BYE of the server needs no other reason.
  void excuse_byes() { byes_excused_ = true; }
  // The media plane heard nothing from that party for too long: it counts as gone.
  void silent(media::EndpointId endpoint);
  // Endpoints of dialogs that the server thinks are up and whose party has left.
  [[nodiscard]] std::vector<media::EndpointId> endpoints_without_party() const;

  [[nodiscard]] const std::deque<Leg>& legs() const { return legs_; }
  [[nodiscard]] const std::deque<Transfer>& transfers() const { return transfers_; }
  [[nodiscard]] const Leg* leg_of(const Party& party) const;
  // "silence", "ring-back US", or the role of the party heard.
  [[nodiscard]] std::string hears(const Party& party) const;
  [[nodiscard]] bool talk(const Party& one, const Party& other) const;

 private:
  struct Asked {
    bool optional = false;  // of a stranger, who may be left without an answer  // a request to the server
    Transfer* unsubscribes = nullptr;
    sip::Method method = sip::Method::other;
    std::string method_text, call_id, final;
    Time first{}, final_at{};
  };
  struct Own {  // a request of the server
    sip::Method method = sip::Method::other;
    std::string bytes;
    Leg* leg = nullptr;
    std::uint32_t cseq = 0;
    int final = 0;
    Time sent{};
    bool provisional = false, acked_non_2xx = false;
  };
  struct Success {  // a 2xx to an INVITE of the server
    Leg* leg = nullptr;
    std::uint32_t cseq = 0;
    Time first{}, last{};
    bool ack_since = false, acked = false, late = false;
  };

  void sent_request(const sip::Message& message, const engine::Send& send, Peer* to);
  void sent_response(const sip::Message& message);
  void sent_new_request(const sip::Message& message, Leg& leg, const std::string& key);
  void sent_notify(const sip::Message& message, Leg& leg, const std::string& branch);
  [[nodiscard]] bool overtakes_notify(const Leg& leg) const;
  void sent_bye(Leg& leg);
  void sent_ack(const sip::Message& message, Leg* leg);
  void received_request(const sip::Message& message, Peer& from);
  void received_refer(const sip::Message& message, Leg& leg);
  void received_outside_refer(const sip::Message& message, Peer& from);
  void received_response(const sip::Message& message);
  void received_invite_success(const sip::Message& message, Leg& leg);
  void notify_answered(Leg& leg, const std::string& branch, int status);
  void check_form(const sip::Message& message);
  void check_hiding(const sip::Message& message, const Peer* to);  // oracles_hiding.cc
  void check_rewrite(const sip::Message& message);
  void learn_endpoint(Leg& leg, const sip::Message& message);
  void learn_session(Leg& leg, const sip::Message& message);
  void learn_roots();
  void learn_outcomes();
  void end_leg(Leg& leg, bool by_peer);
  void update_partners();
  void check_company();
  void check_after_failure();
  [[nodiscard]] bool may_send_bye(const Leg& leg);
  [[nodiscard]] bool others_up(const Leg& leg) const;
  [[nodiscard]] bool same_call(const Leg& one, const Leg& other) const;
  // The call that a root belongs to now: an attended transfer makes one of two.
  [[nodiscard]] const std::string& call_of(const std::string& root) const;
  void join_roots(const std::string& one, const std::string& other);
  void learn_consultation_answered(Transfer& transfer);
  // An answer that waits for a PRACK: the two hear each other already.
  [[nodiscard]] bool answer_waits_for(const Leg& leg) const;
  // Somebody is being called for this call: whoever is in it is not alone.
  [[nodiscard]] bool somebody_called(const Leg& leg) const;
  [[nodiscard]] bool transferred_away(const Leg& leg) const;
  [[nodiscard]] bool joined_to_another(const std::string& root) const;
  [[nodiscard]] bool transfer_pending(const std::string& root) const;
  [[nodiscard]] bool linked(const Leg& one, const Leg& other) const;
  [[nodiscard]] bool lost(const Leg& leg) const;

  void rest_requests();
  void rest_transfers();
  void rest_calls();
  void rest_call(const std::string& root);
  void rest_transfer_legs(const std::string& root);
  void rest_traces();

  Leg* find_leg(std::string_view call_id);
  Leg* leg_with(media::EndpointId endpoint);
  // Whose subscription a NOTIFY or SUBSCRIBE is about.
  Transfer* find_transfer(const Leg& leg, const sip::Message& message);
  [[nodiscard]] bool may_notify(const Leg& leg, const Transfer& about, bool final) const;
  void violation(const std::string& what);

  World& world_;
  std::deque<Leg> legs_;
  std::deque<Transfer> transfers_;
  std::set<std::pair<std::string, std::uint32_t>> offerless_;  // INVITEs of peers, by Call-ID and CSeq
  std::map<std::string, Asked> asked_;
  std::map<std::string, Own> own_;
  std::map<std::string, Success> successes_;
  std::map<std::string, Transfer*> refers_;  // by branch
  std::vector<const Transfer*> just_failed_;
  std::map<std::string, std::string> joined_;      // root to the root of the call it became part of
  std::map<std::string, unsigned> sent_requests_;  // bytes, for the trace
  std::size_t traces_read_ = 0, transfers_read_ = 0;
  std::uint64_t order_ = 0;
  bool byes_excused_ = false;
};

}  // namespace baton::sim
