// A call and its transfers as data. Owned by Calls, on their shard.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rare_list.h"
#include "base/slab.h"
#include "base/time.h"
#include "call/hunt.h"
#include "call/leg.h"
#include "call/records.h"
#include "call/transfer_table.h"
#include "trunk/admission.h"

namespace baton::call {

struct Call;
struct Farewell;
struct Transfer;
using CallHandle = Handle<Call>;
using TransferHandle = Handle<Transfer>;

// The stretch of a call that one destination serves: it becomes one CDR.
struct Span {
  Cdr cdr;
  trunk::Admission::Ticket ticket;
  bool open = false;
  media::RecordingId recording = 0;  // what is being recorded of it
  // There from its first recording on, or that of a stretch before it that it goes on with.
  struct Recordings {
    std::string chain_id;
    unsigned segment = 0;  // the last one's in the chain
    unsigned count = 0;    // of this stretch
  };
  std::unique_ptr<Recordings> recordings;
};

// Where a call goes when the target of its last transfer hangs up: back to the number that transferred it.
struct ReturnPath {
  LegHandle target;
  std::string number;
  std::string transfer_id;
};

// What two parties experience. The slots say who the parties are now; a transfer puts another leg into one.
struct Call {
  CallHandle self;
  // Who has waited for a transfer, and was not put through since; and after how much silence noise is heard.
  struct Comforted {
    LegHandle leg{};
    Duration after{};
  } comforted{};
  std::string root_uuid;
  std::string account_id;
  bool inbound = true;
  bool answered = false;
  bool returning = false;  // the target has left, and `hunt` seeks the endpoint that goes in its place
  int max_forwards = 70;
  LegHandle caller;
  LegHandle callee;
  std::unique_ptr<Hunt> hunt;  // for the callee, until it has answered; large, and a call is mostly without
  Time dials_at{};             // waits for its turn until then; epoch: it does not
  trunk::CallerId caller_id;   // who the caller is
  trunk::CallerId callee_id;   // who was called
  RareList<trunk::Diversion> diversions;  // who was called before, the latest first
  Span span;
  TransferHandle pending;                       // not decided yet; at most one
  RareList<TransferHandle> lingering;           // theirs to hang up, once they have transferred it
  std::unique_ptr<const ReturnPath> return_to;  // nothing: it ends with the target
  std::shared_ptr<const Farewell> farewell;     // the caller is being told that nobody takes its call
  TransferHandle joiner;        // another call's, that waits for this one to be answered; at most one
  unsigned transfers_live = 0;  // decided ones included
  unsigned depth = 0;           // transfers accepted so far, failed ones included

  [[nodiscard]] bool has(LegHandle leg) const { return leg && (leg == caller || leg == callee); }
  // The leg being tried for its callee.
  [[nodiscard]] LegHandle sought() const { return hunt ? hunt->leg : LegHandle{}; }
  [[nodiscard]] bool seeks() const { return hunt && hunt->active(); }
  [[nodiscard]] LegHandle other(LegHandle leg) const { return leg == caller ? callee : caller; }
};

enum class TransferTimer : std::uint8_t { turn, ring, notify, bye, announcement, count };

struct Transfer {
  TransferHandle self;
  TransferState state = TransferState::checking;
  CallHandle call;
  LegHandle transferor;
  LegHandle notifier;  // whose dialog the REFER made or used: the transferor's, but for Target-Dialog
  LegHandle transferee;
  LegHandle target;  // once it has answered
  // Attended: the transferor's own leg in its consultation call, which Replaces named.
  LegHandle consultation;
  // Replaces named a call here that can not be joined: what the INVITE with it would be answered.
  int replaces_status = 0;
  txn::TxnId refer;
  std::uint32_t refer_cseq = 0;
  bool subscribed = true;
  bool no_subscription_by_require = false;  // nosub rather than Refer-Sub: false
  int accept_code = 202;
  // As the trunk had it when the REFER came.
  bool notify_id_first = false;
  bool notify_progress = true;
  bool goes_on_without_transferor = false;
  trunk::LastBye last_bye = trunk::LastBye::server;
  bool returns = false;
  std::vector<std::string> fallbacks;
  std::size_t next_fallback = 0;
  bool transferor_called = false;  // it is the call's caller
  std::optional<Time> transferor_left_at;
  HangupSource left_source = HangupSource::customer;  // whose side it was on
  Duration ring_timeout{};
  Duration turn_wait_max{};  // by the account's calls per second
  trunk::ReferTarget destination;
  std::uint64_t query = 0;  // the look-up of an allow-listed host
  Hunt hunt;
  trunk::Admission::Ticket ticket;
  Span old_span;  // the transferor's, from promotion until it is gone
  TransferRecord record;
  bool recorded = false;
  // What the transferee hears, or will after the announcement.
  enum class Heard : std::uint8_t { transferor, ring_back, target } heard_next = Heard::transferor;
  // What the current event brought.
  int status = 0;
  std::string reason;
  std::string refused_by;
  std::array<Time, static_cast<std::size_t>(TransferTimer::count)> deadlines{};
};

}  // namespace baton::call
