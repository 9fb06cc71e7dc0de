// All calls and transfers of an engine: leg events in, leg operations, media operations and records out.
// Knows nothing of SIP messages but what a REFER and a first INVITE say. Single-threaded.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "call/blocklist.h"
#include "call/call.h"
#include "call/context.h"
#include "call/legs.h"

namespace baton::call {

// How a party's part in a call ended.
struct Why {
  Hangup code = Hangup::normal;
  HangupSource source = HangupSource::baton;
  int status = 0;
  std::string reason{};  // Reason header for the party that is let go
};

// What a caller is told when the announcement before it is over.
struct Farewell {
  Time at{};
  Rejection rejection;
  Why why;
  std::shared_ptr<const int> place;  // one of Calls::farewell_places_, as long as this lasts
};

class Calls {
 public:
  Calls(Context& context, Legs& legs) : cx_(context), legs_(legs) {}

  // ---- From the engine ----
  void handle(LegEvent event);
  void resolved(std::uint64_t query, const std::vector<Target>& targets);
  void advance();
  [[nodiscard]] std::optional<Time> next_deadline() const;
  void hang_up_all();
  void cancel_transfer(const std::string& transfer_id);
  void record_call(const std::string& call_uuid, bool on);
  void recorded(const media::Recorded& result);

  [[nodiscard]] std::size_t size() const { return calls_.size(); }
  [[nodiscard]] std::size_t transfers() const { return transfers_.size(); }
  [[nodiscard]] std::size_t recordings() const { return recordings_.size(); }
  [[nodiscard]] std::size_t tickets() const { return admission_.held(); }
  // The first thing that is not as it must be between steps; empty: all well.
  [[nodiscard]] std::string check_invariants();

 private:
  // What an incoming party that has no answer yet is told.
  [[nodiscard]] static int refusal_of(const Why& why) { return why.status != 0 ? why.status : 480; }
  // Its 2xx may not go out before a PRACK has come (RFC 3262 3).
  [[nodiscard]] static bool answer_waits(const Leg& leg) {
    return leg.state == LegState::offered && leg.unpracked && leg.unpracked->sdp;
  }

  struct Named {           // what a Replaces names (RFC 3891)
    bool ours = false;     // a call of this server, whether it can be joined or not
    LegHandle leg;         // whose place is to be taken
    bool ringing = false;  // its call is not answered, and its leg is the caller's
    int status = 0;        // no such place: what an INVITE with this Replaces is answered (RFC 3891 3)
    std::string why{};
    std::optional<Rejection> refusal{};  // the asker may not have it
  };

  // calls_setup.cc: a new INVITE
  void on_offered(Leg& leg);
  void set_up_inbound(Leg& leg, const trunk::Carrier& carrier);
  void set_up_outbound(Leg& leg, const trunk::Trunk& trunk);
  [[nodiscard]] bool authenticate(const Leg& leg, const trunk::Trunk& trunk, const sip::Message& request,
                                  Rejection& challenge);
  struct Setup {
    const trunk::Trunk* trunk = nullptr;
    const trunk::Account* account = nullptr;
    const trunk::SipSettings* sip = nullptr;  // of the caller's side
    const trunk::MediaSettings* media = nullptr;
    bool inbound = true;
    std::string number;
    trunk::CallerId caller;
    std::vector<trunk::Diversion> diversions;
    std::string carrier_id;
  };
  void start_call(Leg& leg, const Setup& setup);
  void refuse_call(Leg& leg, const Setup& setup, const Rejection& rejection);
  void dial_callee(Call& call);

  // calls_hunt.cc: finding an outgoing party
  enum class HuntResult : std::uint8_t { trying, exhausted };
  HuntResult advance_hunt(Hunt& hunt, std::uint64_t call, const std::string& root_uuid,
                          const std::string& account_id);
  LegHandle dial_route(Hunt& hunt, const trunk::Route& route, const Target& target, std::uint64_t call,
                       const std::string& root_uuid, const std::string& account_id);
  void abandon_hunt(Hunt& hunt, const Goodbye& goodbye);
  // Somebody else is the callee: the leg being tried is left as it is, and nobody else is tried.
  void end_hunt(Call& call);
  void on_target(const LegTarget& event);
  // True when the next route may be tried after this failure.
  [[nodiscard]] static bool may_advance(int status, bool carrier);

  // calls_events.cc: the course of a plain call
  void on_progress(const LegProgress& event);
  void on_answered(const LegAnswered& event);
  void on_failed(const LegFailed& event);
  void on_ended(const LegEnded& event);
  void on_silent(const LegSilent& event);
  void on_confirmed(const LegConfirmed& event);
  void on_updated(const LegUpdated& event);
  void relay_hold(LegHandle leg, bool echo);
  void on_digit(const LegDigit& event);
  void leg_left(Call& call, LegHandle leg, const Why& why);
  void end_call(Call& call, LegHandle leaver, const Why& why);
  void fail_setup(Call& call);
  void refuse_caller(Call& call, const Rejection& rejection, const Why& why);
  void erase_if_over(Call& call);
  void hear(LegHandle listener, LegHandle source);
  void hear_silence(LegHandle listener);
  [[nodiscard]] std::string hold_music(const Leg& leg) const;
  void take_off_hold(LegHandle leg);
  // calls_codecs.cc
  void bring_together(LegHandle stays, LegHandle comes, bool both_off_hold = false);
  void match_codecs(LegHandle stays, LegHandle comes);
  enum class Asking : std::uint8_t { named, perhaps };
  [[nodiscard]] bool ask_to_speak(LegHandle leg, sdp::Codec codec, Asking sure);
  [[nodiscard]] sdp::Codecs spoken(LegHandle leg);
  [[nodiscard]] HangupSource source_of(const Leg& leg) const;

  // calls_announcements.cc
  void announce(Transfer& transfer);
  [[nodiscard]] static bool announcing(const Transfer& transfer) {
    return transfer.deadlines[static_cast<std::size_t>(TransferTimer::announcement)] != Time{};
  }
  void transferee_hears(Transfer& transfer, Transfer::Heard what);
  void hear_next(const Transfer& transfer);
  [[nodiscard]] bool announce_failure(Call& call, const Rejection& rejection, const Why& why);
  void end_farewell(Call& call);

  // calls_refer.cc: a REFER and its checks
  void on_referred(const LegReferred& event);
  [[nodiscard]] std::optional<Rejection> check_refer(const Call& call, const Leg& transferor,
                                                     const sip::Message& refer, ReferTiming timing,
                                                     trunk::ReferTarget& target, const trunk::Trunk*& trunk,
                                                     Named& named);
  void refuse_refer(Leg& transferor, txn::TxnId refer, TransferRecord record, const Rejection& verdict);
  [[nodiscard]] TransferRecord begin_record(const Call* call, const Leg& transferor,
                                            const sip::Message& refer);
  void copy_headers(const trunk::Trunk& trunk, const sip::Message& refer, const trunk::ReferTarget& target,
                    std::vector<sip::Draft::Field>& headers, std::string& referred_by);

  // calls_replaces.cc: Replaces (RFC 3891), in a Refer-To
  [[nodiscard]] Named find_named(const sip::DialogId& id, const std::string& account_id,
                                 const std::string& carrier_id);
  [[nodiscard]] Named find_consultation(const Call& call, const Leg& transferor, const std::string& replaces);
  void begin_attended(Transfer& transfer, const Named& named);
  void await_consultation(Transfer& transfer);
  void join_consultation(Transfer& transfer);
  void leave_consultation(Transfer& transfer);
  [[nodiscard]] LegHandle sought(const Transfer& transfer);
  void tell_joiner(Call& call, TransferEvent event, int status, std::string reason = {},
                   std::string who = {});
  void close_leaving(const Leg& leg);

  // calls_replacing.cc: an INVITE with Replaces
  void on_replacing(Leg& leg);
  // Who asks about a call from outside its dialog, by INVITE with Replaces or REFER with Target-Dialog.
  [[nodiscard]] const trunk::Trunk* authorise_outsider(Leg& leg, const sip::Message& request,
                                                       const std::string& account_id, Rejection& rejection);
  // The leg of the call that such a REFER is about; null: it has been answered.
  [[nodiscard]] Leg* subject_of(const LegReferred& event, Leg& referrer, const sip::Message& refer);
  void on_ready(Leg& leg);
  void take_place(Leg& leg, Leg& old, Call& call);
  void pick_up(Leg& leg, Leg& old, Call& call);

  // calls_return.cc: the target has hung up, and the endpoint that transferred is called back
  bool begin_return(Call& call, LegHandle leaver, const Why& why);
  void return_progress(Call& call, const LegProgress& event);
  void return_answered(Call& call, Leg& leg);
  void fail_return(Call& call);

  // transfers_settings.cc: what a trunk may have otherwise
  void target_failed(Transfer& transfer, int status, std::string reason, std::string who);
  void ring_timed_out(Transfer& transfer);
  void settled(Transfer& transfer);
  void call_next_target(Transfer& transfer);
  void excuse_transferor(Transfer& transfer);
  void end_orphaned_call(Transfer& transfer);
  void await_bye(Transfer& transfer);
  void tell_lingering(Call& call, LegHandle leaver);

  // transfers.cc: the table at work
  void fire(TransferHandle transfer, TransferEvent event, int status = 0, std::string reason = {},
            std::string refused_by = {});
  void run_fired();
  void perform(Transfer& transfer, TransferAction action);
  void call_target(Transfer& transfer);
  void dial_target(Transfer& transfer);
  void promote_target(Transfer& transfer);
  void finish_transfer(Transfer& transfer);
  void record(Transfer& transfer, const char* outcome, int final_status);
  void step(Transfer& transfer, const char* what, int status = 0, std::string detail = {});
  void arm(Transfer& transfer, TransferTimer timer, Duration after);
  void disarm(Transfer& transfer, TransferTimer timer);

  // calls_recording.cc
  [[nodiscard]] bool wants_recording(const std::string& trunk_id, const std::string& own_number) const;
  void begin_recording(Call& call);
  void continue_recording(Call& call, const Span& before, bool wanted);
  void start_recording(Call& call);
  void stop_recording(Span& span);

  // calls_records.cc
  void open_span(Call& call, const Setup& setup, const Leg& caller);
  void close_span(Span& span, Time ended_at, const Why& why);
  // Before it is closed: the caller was refused with `status` after all.
  void never_answered(Span& span, int status);
  void log(Severity severity, std::string event, std::vector<std::pair<std::string, std::string>> fields);

  struct Asker {               // who waits for a look-up
    bool check = false;        // a transfer's allow-listed host, before the 202; else a hunt of a call
    std::uint64_t handle = 0;  // the packed transfer, or the packed call
  };
  std::uint64_t ask(Lookup lookup, Asker asker);

  struct Fired {
    TransferHandle transfer;
    TransferEvent event;
    int status;
    std::string reason;
    std::string refused_by;
  };

  Context& cx_;
  Legs& legs_;
  trunk::Admission admission_;
  Blocklist blocklist_;
  Slab<Call> calls_;
  Slab<Transfer> transfers_;
  TimerQueue timers_;                                                            // of transfers
  std::shared_ptr<const int> farewell_places_ = std::make_shared<const int>(0);  // counts its holders
  TimerQueue turns_;  // of calls that wait for theirs, or for the end of a farewell
  static constexpr std::uint8_t turn_timer = 0, farewell_timer = 1;
  std::unordered_map<std::uint64_t, Asker> queries_;
  std::unordered_map<std::uint64_t, TransferHandle> parting_;    // by packed transferor leg
  std::unordered_map<std::uint64_t, TransferHandle> notifying_;  // by packed notifier leg
  std::unordered_map<std::uint64_t, LegHandle> replacing_;       // by packed new leg: whose place it takes
  std::unordered_map<std::uint64_t, Span> leaving_;  // by packed leg: let go, its record waits for its end
  std::unordered_map<media::RecordingId, RecordingRecord> recordings_;  // until what came of them is known
  media::RecordingId next_recording_ = 0;
  std::deque<Fired> fired_;
  bool firing_ = false;
};

}  // namespace baton::call
