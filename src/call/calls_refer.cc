// Calls: a REFER arrives. The checks stand in the order of the contract; each refusal says what and why and
// leaves a transfer record.
#include <algorithm>

#include "base/limits.h"
#include "base/uuid.h"
#include "call/calls.h"
#include "sip/draft.h"
#include "sip/text.h"

namespace baton::call {

using sip::text::equals_ignoring_case;
namespace {

bool starts_with_x(std::string_view name) {
  return name.size() > 2 && (name[0] == 'X' || name[0] == 'x') && name[1] == '-';
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_' || c == '!' || c == '%' || c == '*' || c == '+' || c == '`' || c == '\'' ||
           c == '~';
  });
}

}  // namespace

TransferRecord Calls::begin_record(const Call* call, const Leg& transferor, const sip::Message& refer) {
  TransferRecord record;
  record.transfer_id = uuid_at(cx_.now, cx_.rng);
  record.started_at = cx_.now;
  record.root_call_uuid = transferor.root_call_uuid;
  record.account_id = transferor.account_id;
  record.trunk_id = transferor.trunk_id;
  record.transferor = refer.from().uri.to_string(false);
  record.refer_to = refer.header(sip::HeaderId::refer_to);
  record.referred_by = refer.header(sip::HeaderId::referred_by);
  if (call != nullptr) {
    record.root_call_uuid = call->root_uuid;
    record.call_uuid = call->span.cdr.call_uuid;
    record.depth = call->depth + 1;
    const Leg* transferee = legs_.find(call->other(transferor.self));
    if (transferee != nullptr) record.transferee = transferee->number;
  }
  return record;
}

void Calls::refuse_refer(Leg& transferor, txn::TxnId refer, TransferRecord record, const Rejection& verdict) {
  ++cx_.counters.transfers_refused;
  record.outcome = "refused";
  record.refer_status = verdict.status;
  record.refused_by = "baton";
  record.reason = verdict.text;
  record.ended_at = cx_.now;
  record.steps.push_back({cx_.now, "refused", verdict.status, verdict.text});
  log(Severity::info, "transfer.refused",
      {{"transfer", record.transfer_id},
       {"call", record.root_call_uuid},
       {"refer_to", record.refer_to},
       {"status", std::to_string(verdict.status)},
       {"why", verdict.text}});
  legs_.answer_refer(transferor.self, refer, verdict);
  legs_.release_referrer(transferor.self);
  if (record.root_call_uuid.empty()) return;
  cx_.world.write(std::move(record));
}

std::optional<Rejection> Calls::check_refer(const Call& call, const Leg& transferor,
                                            const sip::Message& refer, ReferTiming timing,
                                            trunk::ReferTarget& target, const trunk::Trunk*& trunk,
                                            Named& named) {
  const auto refuse = [](int status, Hangup code, std::string text, unsigned retry_after_s = 0) {
    return Rejection{.status = status, .code = code, .text = std::move(text), .retry_after_s = retry_after_s};
  };
  const Leg* other = legs_.find(call.other(transferor.self));
  const bool settled = call.answered && !call.returning && !(other != nullptr && answer_waits(*other));
  if (timing == ReferTiming::too_early || !settled) {
    return refuse(491, Hangup::request_pending,
                  "The call is not established yet; send the REFER after the ACK", 1);
  }
  const bool endpoint = !transferor.trunk_id.empty();
  const trunk::Carrier* carrier = cx_.model->carrier(transferor.carrier_id);
  if (!endpoint && (carrier == nullptr || !carrier->trusted_to_transfer)) {
    return refuse(403, Hangup::forbidden, "Only the endpoint of a trunk may transfer a call");
  }
  // A trusted carrier transfers under the rules of the trunk that serves the call.
  trunk = cx_.model->trunk(endpoint ? transferor.trunk_id : call.span.cdr.trunk_id);
  if (trunk == nullptr || !trunk->transfer.enabled) {
    return refuse(403, Hangup::forbidden, "Transfers are disabled on this trunk");
  }
  if (endpoint && !trunk->credentials.empty() && !transferor.authenticated) {
    Rejection challenge;
    if (!authenticate(transferor, *trunk, refer, challenge)) return challenge;
  }
  if (const std::string unsupported = unsupported_extensions(refer); !unsupported.empty())
    return refuse(420, Hangup::bad_request, unsupported);

  if (const auto hops = refer.max_forwards(); !hops) {
    return refuse(400, Hangup::bad_request, std::string(hops.error().reason));
  } else if (*hops == 0) {
    return refuse(483, Hangup::too_many_hops, "Max-Forwards is used up, so the target can not be called");
  }
  const auto refused = [&](const trunk::Refusal& refusal) {
    return refuse(refusal.status,
                  refusal.hangup_code != 0 ? static_cast<Hangup>(refusal.hangup_code)
                                           : hangup_for_status(refusal.status),
                  refusal.text);
  };
  auto read = trunk::read_refer_to(*trunk, refer);
  if (!read) return refused(read.error());
  target = std::move(*read);
  if (!target.replaces.empty()) {
    if (!trunk->transfer.attended) {
      return refuse(403, Hangup::forbidden, "Attended transfers are disabled on this trunk");
    }
    named = find_consultation(call, transferor, target.replaces);
    if (named.refusal) return named.refusal;
  }
  if (!named.ours) {
    if (auto good = trunk::check_refer_target(*cx_.model, *trunk, target); !good)
      return refused(good.error());
  }
  if (call.depth >= trunk->transfer.depth_max) {
    return refuse(403, Hangup::forbidden,
                  "This call was transferred " + std::to_string(call.depth) + " times, the trunk's limit");
  }
  if (const Transfer* pending = transfers_.find(call.pending);
      pending != nullptr && pending->transferor != transferor.self) {
    return refuse(491, Hangup::request_pending, "The other party is transferring this call", 1);
  }
  return std::nullopt;
}

void Calls::on_referred(const LegReferred& event) {
  Leg* leg = legs_.find(event.leg);
  const sip::Message* refer = legs_.open_refer(event.leg, event.txn);
  if (leg == nullptr || refer == nullptr) return;
  Leg* const notifier = leg;
  if (leg->refer_only) {
    leg = subject_of(event, *notifier, *refer);
    if (leg == nullptr) return;
  }
  Call* call = calls_.find(CallHandle::unpack(leg->call));
  if (call != nullptr && !call->has(leg->self) && call->sought() != leg->self) call = nullptr;
  TransferRecord record = begin_record(call, *leg, *refer);
  if (event.timing == ReferTiming::too_late || (call == nullptr && event.timing == ReferTiming::good)) {
    return refuse_refer(
        *notifier, event.txn, std::move(record),
        {.status = 481, .code = Hangup::call_does_not_exist, .text = "This call is already ending"});
  }
  if (call == nullptr) {
    return refuse_refer(*notifier, event.txn, std::move(record),
                        {.status = 491,
                         .code = Hangup::request_pending,
                         .text = "The call is not established yet; send the REFER after the ACK",
                         .retry_after_s = 1});
  }
  trunk::ReferTarget target;
  const trunk::Trunk* trunk = nullptr;
  Named named;
  if (const auto refusal = check_refer(*call, *leg, *refer, event.timing, target, trunk, named)) {
    record.target_number = target.number;
    if (refusal->challenge) {
      legs_.answer_refer(event.leg, event.txn, *refusal);
      return legs_.release_referrer(event.leg);
    }
    if (refusal->status == 420) {
      const std::string tags = refusal->text;
      Rejection said = *refusal;
      said.text = "Require names an extension that is not supported: " + tags;
      record.steps.push_back({cx_.now, "refused", 420, said.text});
      legs_.answer_refer(event.leg, event.txn, said, {{sip::HeaderId::unsupported, {}, tags}});
      return refuse_refer(*notifier, event.txn, std::move(record), said);
    }
    return refuse_refer(*notifier, event.txn, std::move(record), *refusal);
  }

  const TransferHandle handle = transfers_.emplace();
  Transfer& transfer = transfers_.at(handle);
  transfer.self = handle;
  transfer.call = call->self;
  transfer.transferor = leg->self;
  transfer.notifier = event.leg;
  transfer.transferee = call->other(leg->self);
  transfer.refer = event.txn;
  transfer.refer_cseq = refer->cseq().number;
  transfer.accept_code = trunk->transfer.accept_code;
  transfer.ring_timeout = trunk->transfer.ring_timeout;
  if (const trunk::Account* account = cx_.model->account(call->account_id))
    transfer.turn_wait_max = account->cps_wait;
  transfer.notify_id_first = trunk->transfer.notify_id_first;
  transfer.notify_progress = trunk->transfer.notify_progress;
  transfer.goes_on_without_transferor = trunk->transfer.early_bye_continues;
  transfer.last_bye = trunk->transfer.last_bye;
  transfer.returns = trunk->transfer.return_on_target_hangup;
  transfer.transferor_called = call->caller == leg->self;
  // Whom Replaces names is one person; nobody else will do.
  if (target.replaces.empty()) transfer.fallbacks = trunk->transfer.fallback_targets;
  transfer.no_subscription_by_require = refer->lists(sip::HeaderId::require, "nosub");
  const bool refer_sub_false = equals_ignoring_case(refer->header(sip::HeaderId::refer_sub), "false");
  transfer.subscribed = !refer_sub_false && !transfer.no_subscription_by_require;
  transfer.destination = target;
  transfer.record = std::move(record);
  transfer.record.target_number = target.number;
  if (transfer.record.trunk_id.empty()) transfer.record.trunk_id = trunk->id;

  Hunt& hunt = transfer.hunt;
  hunt.number = target.number;
  hunt.party = call->depth == 0 ? "target" : "target " + std::to_string(call->depth + 1);
  const Leg* transferee = legs_.find(transfer.transferee);
  const bool transferee_called = transfer.transferee == call->caller;
  const trunk::CallerId stays = transferee_called ? call->caller_id : call->callee_id;
  const trunk::CallerId leaves = transferee_called ? call->callee_id : call->caller_id;
  hunt.caller = trunk::transfer_caller_id(*trunk, stays, leaves, transferee_called);
  hunt.diversions = trunk::diverted_once_more({call->diversions.begin(), call->diversions.end()}, leaves);
  hunt.max_forwards = std::min(refer->max_forwards().value_or(70), 70) - 1;
  if (transferee != nullptr) hunt.codecs = spoken(transfer.transferee);
  copy_headers(*trunk, *refer, target, hunt.headers, transfer.record.referred_by);
  if (!target.replaces.empty() && !named.ours) {
    // A call of somebody else's server: its party decides. One that knows no Replaces would ring a second
    // time (RFC 5589 7.1).
    hunt.headers.push_back({sip::HeaderId::replaces, {}, target.replaces});
    hunt.headers.push_back({sip::HeaderId::require, {}, "replaces"});
  }
  transfer.record.caller_id = hunt.caller.anonymous ? "anonymous" : hunt.caller.number;

  if (call->pending)
    fire(call->pending, TransferEvent::superseded, 487, "Replaced by a newer REFER", "transferor");
  call->pending = handle;
  ++call->transfers_live;
  ++call->depth;
  ++cx_.counters.transfers_started;
  log(Severity::info, "transfer.started",
      {{"transfer", transfer.record.transfer_id}, {"call", call->root_uuid}, {"to", target.number}});

  if (named.leg) return begin_attended(transfer, named);
  transfer.replaces_status = named.status;
  transfer.record.reason = named.why;
  if (target.resolve_host.empty()) return fire(handle, TransferEvent::target_allowed);
  Lookup lookup = target.foreign_uri().lookup();
  if (const auto literal = literal_target(lookup)) {
    hunt.targets.push_back(*literal);
    return fire(handle, TransferEvent::target_allowed);
  }
  transfer.query = ask(std::move(lookup), Asker{true, handle.pack()});
}

// transfer.md, "The leg to the target": Referred-By byte for byte and never inherited; User-to-User and X-*
// from the Refer-To and, where the trunk says so, from the REFER itself. Bounded in number and size.
void Calls::copy_headers(const trunk::Trunk& trunk, const sip::Message& refer,
                         const trunk::ReferTarget& target, std::vector<sip::Draft::Field>& headers,
                         std::string& referred_by) {
  const auto take = [&](sip::HeaderId id, std::string name, std::string_view value) {
    const bool fits = headers.size() < limits::copied_headers_max && !value.empty() &&
                      value.size() <= limits::copied_header_bytes_max && sip::is_safe_value(value);
    if (fits) headers.push_back({id, std::move(name), std::string(value)});
  };
  take(sip::HeaderId::referred_by, {}, referred_by);
  for (const auto& header : target.headers) {
    if (equals_ignoring_case(header.name, "User-to-User")) {
      take(sip::HeaderId::user_to_user, {}, header.value);
    } else if (starts_with_x(header.name) && is_token(header.name)) {
      take(sip::HeaderId::other, header.name, header.value);
    }
  }
  if (!trunk.transfer.copy_headers) return;
  for (const auto& entry : refer.entries()) {
    const auto name = refer.name_of(entry);
    if (entry.id == sip::HeaderId::user_to_user) {
      take(sip::HeaderId::user_to_user, {}, refer.value_of(entry));
    } else if (entry.id == sip::HeaderId::other && starts_with_x(name) && is_token(name) &&
               !equals_ignoring_case(name.substr(0, 8), "X-Baton-")) {
      take(sip::HeaderId::other, std::string(name), refer.value_of(entry));
    }
  }
}

}  // namespace baton::call
