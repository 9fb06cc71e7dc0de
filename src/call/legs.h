// All legs of an engine: SIP on one side, leg events on the other. The only user of the transaction layer.
// Single-threaded; functions that take a stale handle do nothing.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/fifo.h"
#include "base/keyed_hash.h"
#include "base/timer_queue.h"
#include "call/context.h"
#include "call/hangup.h"
#include "call/leg.h"
#include "call/leg_events.h"
#include "call/records.h"
#include "sip/dialog_id.h"
#include "trunk/policy.h"

namespace baton::call {

// How an outgoing leg is to be set up.
struct DialPlan {
  Destination to;              // `local` is filled in by dial()
  bool any_transport = false;  // the transport was found, not written: a long INVITE may take another one
  Duration unheard_max{};      // given up as unreachable when nothing has come back by then; 0: never early
  std::string request_uri;
  std::string to_address;  // To, an addr-spec in <>
  std::string from_host;   // of the From URI; empty: our own address
  trunk::CallerId caller;
  trunk::IdentitySettings identity;          // of whom is called
  std::vector<trunk::Diversion> diversions;  // the latest first
  std::string auth_username, auth_password;
  sdp::Codecs codecs;
  int max_forwards = 70;
  std::vector<sip::Draft::Field> headers;
  trunk::SipSettings sip;
  trunk::MediaSettings media_terms;
  Duration no_answer_after{};  // 0: as long as it takes

  std::uint64_t call = 0;
  media::EndpointId beside = 0;  // of that call
  std::string root_call_uuid, party, account_id, trunk_id, carrier_id, number;
};

// What a refusal says besides its status.
struct Rejection {
  int status = 480;
  Hangup code = Hangup::none;
  std::string text{};           // Warning
  int warning = 399;            // its warn-code (RFC 3261 20.43)
  int q850 = 0;                 // Reason (RFC 6432); 0: none
  unsigned retry_after_s = 0;   // 0: none
  unsigned min_se_s = 0;        // 422: Min-SE
  std::string require{};        // 421: what the peer has to support
  std::string challenged = {};  // the address whose nonce it is
  bool challenge = false;       // 401 with one challenge per algorithm
  bool stale = false;
  std::string realm{};
  std::vector<sip::DigestAlgorithm> algorithms{};
  bool unproven = false;  // the peer has not shown who it is: never repeated by a timer
};

// One that would take more keys of ours than a leg may have.
inline const Rejection no_key{.status = 488,
                              .code = Hangup::sdp_not_acceptable,
                              .text = "The keys have been changed too often",
                              .warning = 399};
// A description without a codec that is spoken with this party.
inline const Rejection no_codec{.status = 488,
                                .code = Hangup::sdp_not_acceptable,
                                .text = "None of the codecs is served here",
                                .warning = 305};

struct Goodbye {
  Hangup code = Hangup::normal;
  std::string reason{};     // Reason header value; empty: none
  int reject_status = 480;  // for an incoming leg that has no answer yet
  bool notified = false;    // a final NOTIFY has been waited for already
};

class Legs {
 public:
  explicit Legs(Context& context) : cx_(context), hash_(KeyedHash::drawn(context.rng)) {}

  // ---- From the engine ----
  void handle(txn::Event event);
  void media_done(const media::Result& result);
  void flow_closed(FlowId flow);
  // False: not a look-up of ours.
  bool resolved(std::uint64_t query, const std::vector<Target>& targets);
  void advance();
  [[nodiscard]] std::optional<Time> next_deadline() const { return timers_.next_deadline(); }
  [[nodiscard]] std::optional<LegEvent> take_event();
  // Erases what has ended. At the end of a step, when traces have been written.
  void collect();

  // ---- Incoming ----
  // How SIP and which codecs are spoken with this caller, once it is known who it is. Says why the INVITE can
  // not be served under these terms (421, 422, 488); it is for the caller of this to reject it.
  [[nodiscard]] std::optional<Rejection> set_terms(LegHandle leg, const trunk::SipSettings& terms,
                                                   const trunk::MediaSettings& media);
  // Takes a media endpoint for the leg, once it is known to be welcome. `beside`: one of the call
  // that it will be in; 0: none.
  void prepare(LegHandle leg, media::EndpointId beside = 0);
  // 0: none, or it has been closed.
  [[nodiscard]] media::EndpointId endpoint_of(LegHandle leg) const;
  // 180, 183 …; with our answer when the caller offered and `with_sdp` (early media).
  void progress(LegHandle leg, int status, bool with_sdp, const sdp::Codecs& wanted);
  void answer(LegHandle leg, const sdp::Codecs& wanted);
  void reject(LegHandle leg, const Rejection& rejection);
  // Over TLS: whom the certificate must name when the peer has to be connected to, whatever host its Contact
  // names.
  void expect_identity(LegHandle leg, const std::string& host);

  // ---- Outgoing ----
  LegHandle dial(DialPlan plan);
  // The ACK for the answer (RFC 3261 13.2.2.4).
  void acknowledge(LegHandle leg);

  // ---- Both ----
  // CANCEL, BYE or a refusal, whatever the state asks for; a 2xx that crosses is ACKed and BYEd. LegEnded
  // follows when it is over. The media endpoint is given back at once.
  void hang_up(LegHandle leg, const Goodbye& goodbye);
  // A fresh offer by re-INVITE (RFC 6337 5.3), as RFC 3311 5.1 wants it in mid-call: takes a party off hold,
  // or, with another direction, puts it there.
  // `echo`: because of what another party answered, so that two can not keep each other busy.
  void reoffer(LegHandle leg, sdp::Direction direction = sdp::Direction::sendrecv, bool echo = false);
  // What its counterpart speaks, the best first: for answers and offers from now on.
  void want(LegHandle leg, const sdp::Codecs& codecs);
  // Asks the party by a full offer to speak that codec, which it wants by now: by UPDATE, if it allows that.
  // False: it has been asked before.
  bool ask_codec(LegHandle leg, sdp::Codec codec);
  // A party on hold may be silent; whether it is still there is asked, now and as long as it holds.
  void probe(LegHandle leg);

  // A key for the party to hear or be told of, as its settings have it. `from`: who pressed it.
  void send_key(LegHandle leg, const KeyPress& key, LegHandle from);
  // What has not been told yet was for somebody else.
  void forget_keys(LegHandle leg);

  // ---- REFER ----
  void answer_refer(LegHandle leg, txn::TxnId refer, const Rejection& verdict,
                    const std::vector<sip::Draft::Field>& headers = {});
  // Ends the dialog of a REFER from outside, once it is answered and nobody is to be notified.
  void release_referrer(LegHandle leg);
  [[nodiscard]] const sip::Message* open_refer(LegHandle leg, txn::TxnId refer);
  // `with_id`: the Event of the first REFER's NOTIFYs carries its id too (RFC 3515 2.4.6 asks it of later
  // ones).
  void subscribe(LegHandle leg, std::uint32_t refer_cseq, Duration lifetime, bool with_id = false);
  void notify(LegHandle leg, std::uint32_t refer_cseq, int status, std::string reason = {});
  // Lets the final NOTIFY go although its predecessor is unanswered. False when there was nothing to send.
  bool flush_notify(LegHandle leg, std::uint32_t refer_cseq);
  // When the final NOTIFY about that REFER went out; nothing: not yet, or there is no such subscription.
  [[nodiscard]] std::optional<Time> final_notify_at(LegHandle leg, std::uint32_t refer_cseq);
  // Nobody is owed anything more about that REFER.
  [[nodiscard]] bool notify_settled(LegHandle leg, std::uint32_t refer_cseq);

  [[nodiscard]] Leg* find(LegHandle handle) { return legs_.find(handle); }
  // Of one that is over too, as long as anything of it remains.
  [[nodiscard]] const LegRemains* find_remains(LegHandle handle) const;
  // Whose message this is, by Call-ID and tags. The leg may be over.
  [[nodiscard]] LegHandle find_by_name(const sip::Message& message) const;
  // The dialog that Replaces or Target-Dialog names, its tags in either order. The leg may be over.
  [[nodiscard]] LegHandle find_dialog_id(const sip::DialogId& id) const;
  // True when a call of that account has this Call-ID, whatever its tags.
  [[nodiscard]] bool knows_call_id(const std::string& call_id, const std::string& account_id) const;
  [[nodiscard]] std::size_t size() const { return legs_.size() + remains_.size(); }
  // Those that have not ended; of the others something remains, to see repeats off.
  [[nodiscard]] std::size_t live() const { return live_; }
  [[nodiscard]] std::size_t media_count() const { return media_.size(); }
  template <typename F>
  void for_each(F&& visit) {
    legs_.for_each(std::forward<F>(visit));
  }

 private:
  // legs_invite_in.cc
  void on_request(txn::RequestReceived& event);
  void on_new_invite(txn::RequestReceived& event);
  [[nodiscard]] bool is_own_invite(const sip::Message& invite) const;
  void on_ack(txn::AckReceived& event);
  void on_cancel(txn::CancelReceived& event);
  void send_2xx(Leg& leg, txn::TxnId txn, const sip::Message& request, std::string_view sdp);
  // legs_invite_out.cc
  void on_response(txn::ResponseReceived& event);
  void on_timeout(txn::TxnId txn, txn::Owner owner, int status);
  void send_invite(Leg& leg);
  void send_invite_again(Leg& leg);
  void on_invite_response(Leg& leg, txn::ResponseReceived& event);
  void on_invite_2xx(Leg& leg, const sip::Message& response, const Source& source);
  void note_target(Leg& leg, const sip::Message& response);
  bool answer_invite_challenge(Leg& leg, const sip::Message& response);
  [[nodiscard]] std::optional<PendingRequest> take_pending(Leg& leg, txn::TxnId txn, bool final);
  // legs_dialog.cc
  void on_dialog_request(Leg& leg, txn::RequestReceived& event);
  void on_bye(Leg& leg, txn::RequestReceived& event);
  void on_refer(Leg& leg, txn::RequestReceived& event);
  void on_subscribe(Leg& leg, txn::RequestReceived& event);
  void on_outside_request(txn::RequestReceived& event);
  void on_outside_refer(txn::RequestReceived& event);
  void on_pending_response(Leg& leg, PendingRequest request, const sip::Message& response,
                           const Source& source);
  void on_pending_failed(Leg& leg, const PendingRequest& request, int status,
                         const sip::Message* response = nullptr);
  void send_bye(Leg& leg);
  void bye_after_notify(Leg& leg);
  void send_in_dialog(Leg& leg, PendingRequest request);
  // legs_way.cc
  void send_now(Leg& leg, PendingRequest& request);
  void find_way(Leg& leg);
  void send_waiting(Leg& leg);
  bool take_next_way(Leg& leg);
  [[nodiscard]] bool send_another_way(Leg& leg, PendingRequest& request);
  void pump_notifies(Leg& leg, bool force = false);
  void send_notify(Leg& leg, std::uint32_t refer_cseq, const dialog::Notification& notification);
  void respond(const sip::Message& request, txn::TxnId txn, const Rejection& verdict, Leg* leg,
               std::initializer_list<sip::Draft::FieldView> headers = {}) {
    respond_with(request, txn, verdict, leg, {headers.begin(), headers.size()});
  }
  void respond_with(const sip::Message& request, txn::TxnId txn, const Rejection& verdict, Leg* leg,
                    std::span<const sip::Draft::FieldView> headers);
  // When it returns true, the request has been made again.
  [[nodiscard]] bool answer_challenge(Leg& leg, PendingRequest& request, const sip::Message& response);
  void lose(Leg& leg);
  // legs_update.cc
  void on_offer_or_refresh(Leg& leg, txn::RequestReceived& event);
  void send_update_2xx(Leg& leg, txn::TxnId txn, const sip::Message& request, std::string_view sdp);
  void on_change_answered(Leg& leg, const PendingRequest& request, const sip::Message& response,
                          const Source& source);
  void on_change_failed(Leg& leg, PendingRequest request, const sip::Message* response, int status);
  void learn_peer(Leg& leg, const sip::Message& message);
  // legs_prack.cc
  void send_progress(Leg& leg, const Leg::Progress& progress);
  void repeat_reliable(Leg& leg);
  void repeat_progress(Leg& leg);
  void on_prack(Leg& leg, txn::RequestReceived& event);
  [[nodiscard]] static bool is_awaited_prack(const Leg& leg, const sip::Message& request);
  [[nodiscard]] bool take_reliable(Leg& leg, const sip::Message& response, const Source& source);
  [[nodiscard]] static std::string_view supported_of(const Leg& leg);
  // legs_fork.cc
  bool switch_early(Leg& leg, std::string_view tag);
  bool enter_early(Leg& leg, const sip::Message& response, const Source& source);
  void acknowledge_again(LegRemains& leg, const sip::Message& response, const Source& source);
  void acknowledge(Leg& leg, std::uint32_t cseq, std::vector<sip::Draft::Field> credentials);
  void drop_fork(LegRemains& leg, const sip::Message& response, const Source& source, bool with_bye);
  // legs_info.cc
  void on_info(Leg& leg, txn::RequestReceived& event);
  [[nodiscard]] bool told_before(Leg& leg, ToldTwice::By by, std::uint8_t key, Duration lasted = {});
  void pump_keys(Leg& leg);
  [[nodiscard]] static media::DigitsBy digits_by(const Leg& leg);
  // legs_timer.cc
  void restart_session(Leg& leg);
  void send_refresh(Leg& leg);
  void on_session_over(Leg& leg);
  void on_probe_answered(Leg& leg, int status);
  // legs_checks.cc
  [[nodiscard]] bool refuse_unserved(const sip::Message& request, txn::TxnId txn, Leg* leg);
  // legs_media.cc
  void open_media(Leg& leg, bool v6, media::EndpointId beside);
  void close_media(Leg& leg);
  void on_media_closed(const media::Closed& closed);
  void configure(Leg& leg);
  // Makes `last_sdp` the answer to an offer of the peer's. A refusal: it can not be served, and nothing has
  // changed.
  [[nodiscard]] std::optional<Rejection> take_offer(Leg& leg, std::string_view text);
  // An offer of the peer's; the refusal when it can not be served.
  [[nodiscard]] static Result<sdp::RemoteAudio, Rejection> read_offer(std::string_view text,
                                                                      const sdp::SrtpRules& srtp);
  static void agree(Leg& leg);
  [[nodiscard]] static bool serves(const Leg& leg, const sdp::RemoteAudio& offer);
  // Ours, which becomes leg.last_sdp.
  const std::string& make_offer(Leg& leg, const sdp::Codecs& wanted);
  const std::string& make_answer(Leg& leg, const sdp::Codecs& wanted);
  [[nodiscard]] bool take_answer(Leg& leg, std::string_view body);
  static void note_wish(Leg& leg);
  void try_reoffer(Leg& leg);
  void send_reoffer(Leg& leg);
  void restore_offer(Leg& leg);
  // legs_srtp.cc
  [[nodiscard]] static sdp::SrtpRules srtp_rules_for(const Leg& leg, const trunk::SipSettings& terms);
  [[nodiscard]] sdp::MasterKey fresh_key(Leg& leg, sdp::Suite suite);
  void offer_keys(Leg& leg);
  struct KeyChoice {
    sdp::Crypto theirs;
    bool ours_stays = false;
  };
  [[nodiscard]] static std::optional<KeyChoice> choose_key(const Leg& leg, const sdp::RemoteAudio& offer);
  [[nodiscard]] static bool has_key_for(const Leg& leg, const sdp::RemoteAudio& offer);
  void answer_keys(Leg& leg);
  [[nodiscard]] bool take_keys(const Leg& leg, sdp::RemoteAudio& answer) const;
  static void agree_on_keys(Leg& leg);
  void warn_of_open_keys(const Leg& leg);
  // legs.cc
  void arm(Leg& leg, LegTimer timer, Duration after);
  void disarm(Leg& leg, LegTimer timer);
  void on_timer(Leg& leg, LegTimer timer);
  void finish(Leg& leg, LegEnd how, std::string reason = {});
  void collect_when_quiet(Leg& leg);
  void fail(Leg& leg, int status, std::string reason, bool unreachable, bool ours = false);
  void index(Leg& leg);
  void unindex(const LegRemains& leg);
  [[nodiscard]] Leg* find_dialog(const sip::Message& request);
  [[nodiscard]] std::uint64_t hash_of_user(const sip::Uri& uri) const { return hash_.hash(uri.user); }
  [[nodiscard]] std::optional<SocketAddress> local_for(Transport transport, bool v6) const;
  void add_our_headers(sip::Draft& draft, const Leg& leg) const;
  void sweep_timers();
  [[nodiscard]] bool is_live(const TimerQueue::Entry& entry) const;
  // Good until somebody asks again.
  [[nodiscard]] std::string_view contact_of(const dialog::Dialog& dialog) const;
  void emit(LegEvent event) { events_.push(std::move(event)); }

  Context& cx_;
  Slab<Leg> legs_;
  std::unordered_map<std::uint64_t, LegRemains> remains_;  // by packed handle; of many ended within 32 s
  TimerQueue timers_;
  Fifo<LegEvent> events_;
  KeyedHash hash_;
  // By the hash of their Call-ID alone, which stands in their dialog: whoever looks there compares.
  std::unordered_multimap<std::uint64_t, LegHandle> by_call_id_;
  std::unordered_map<media::EndpointId, LegHandle> media_;
  std::unordered_map<std::uint64_t, LegHandle> queries_;
  std::unordered_map<media::EndpointId, LegQuality> closing_media_;  // what came of it is awaited
  media::EndpointId next_media_ = 0;
  std::set<std::string> warned_of_keys_;
  std::size_t live_ = 0;
  std::vector<LegHandle> ended_;
  std::vector<LegHandle> lingering_;   // since this step
  std::vector<LegHandle> unanswered_;  // ended in this step with REFERs still open
  mutable std::string contact_;        // room
};

inline constexpr const char* allowed_methods =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, SUBSCRIBE, UPDATE, PRACK, INFO";
inline constexpr const char* accepted_types =
    "application/sdp, multipart/mixed, application/dtmf-relay, application/dtmf";
inline constexpr const char* supported_tags = "timer, 100rel, norefersub, nosub, replaces, tdialog";
inline constexpr const char* supported_tags_without_100rel = "timer, norefersub, nosub, replaces, tdialog";
// The tags of its Require that are not among those, for Unsupported (RFC 3261 8.2.2.3); empty: all are.
[[nodiscard]] std::string unsupported_extensions(const sip::Message& request);
// The session description in it; empty when there is none, or a body of another type.
[[nodiscard]] std::string_view sdp_of(const sip::Message& message);
// All its Reasons as one list (RFC 3326).
[[nodiscard]] std::string reasons_of(const sip::Message& message);

}  // namespace baton::call
