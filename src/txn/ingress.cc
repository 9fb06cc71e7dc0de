#include "txn/ingress.h"

#include <array>

#include "base/assert.h"
#include "txn/machines.h"
#include "txn/matching.h"
#include "txn/routing.h"

namespace baton::txn {
namespace {

constexpr std::size_t usual_vias = 240;

std::string_view invite_text() {
  return sip::to_string(sip::Method::invite);
}

Key key_of(Core& core, const sip::Message& request, std::string_view method, std::string_view to_tag) {
  std::string& room = core.key_room();
  append_server_key(room, request, method, to_tag);
  return core.key(room);
}

Key merge_key_of(Core& core, const sip::Message& request) {
  std::string& room = core.key_room();
  append_merge_key(room, request);
  return core.key(room);
}

// A final the layer gives by itself; the user never hears of it.
struct OwnAnswer {
  int status = 0;
  std::string to_tag;
  Owner owner = 0;
  unsigned retry_after_s = 5;  // of a 503
};

sip::Draft draft_answer(const sip::Message& request, const OwnAnswer& answer) {
  sip::Draft draft = sip::make_response(request, answer.status, answer.to_tag);
  if (answer.status == 503) draft.set(sip::HeaderId::retry_after, std::to_string(answer.retry_after_s));
  return draft;
}

void answer_statelessly(Core& core, const sip::Message& request, const Source& source,
                        const OwnAnswer& answer) {
  std::string vias = core.buffers().take(usual_vias);
  append_response_vias(vias, request, source);
  core.send(response_destination(request, source), draft_answer(request, answer).write_with_vias(vias),
            answer.owner);
  core.buffers().give(std::move(vias));
}

Transaction& open_server(Core& core, const sip::Message& request, const Source& source, const Key& key) {
  Transaction& txn = core.create_server(request.method(), key, response_destination(request, source));
  txn.text = core.buffers().take(usual_vias);
  append_response_vias(txn.text, request, source);
  txn.vias_length = static_cast<std::uint32_t>(txn.text.size());
  txn.opens = request.to_tag().empty();
  return txn;
}

void answer_in_transaction(Core& core, Time now, const sip::Message& request, const Source& source,
                           const Key& key, const OwnAnswer& answer) {
  Transaction& txn = open_server(core, request, source, key);
  txn.silent = true;
  txn.owner = answer.owner;
  std::string bytes = draft_answer(request, answer).write_with_vias(txn.vias());
  if (txn.role == Role::invite_server) {
    invite_server::respond(core, txn, now, answer.status, std::move(bytes));
  } else {
    non_invite_server::respond(core, txn, now, answer.status, std::move(bytes));
  }
  core.reap(txn);
}

std::string tag_of_answer(const Transaction& txn) {
  if (!txn.opens || !txn.answered) return {};
  constexpr std::string_view name = "\r\nTo: ";  // before any body: as a draft writes it
  const std::string_view response = txn.text;
  const std::size_t at = response.find(name) + name.size();
  const auto to = sip::NameAddr::parse(response.substr(at, response.find("\r\n", at) - at));
  return to ? std::string(to->tag()) : std::string();
}

// ---- ACK ----

Transaction* find_invite_of_ack(Core& core, const sip::Message& ack) {
  const std::string_view to_tag = ack.to_tag();
  if (Transaction* txn = core.find_server(key_of(core, ack, invite_text(), to_tag))) return txn;
  if (has_magic_branch(ack) || to_tag.empty()) return nullptr;
  // RFC 2543: the INVITE had no To tag yet, and the ACK has that of our response (17.2.3).
  Transaction* txn = core.find_server(key_of(core, ack, invite_text(), {}));
  return txn != nullptr && tag_of_answer(*txn) == to_tag ? txn : nullptr;
}

void receive_ack(Core& core, Time now, sip::Message ack, const Source& source) {
  Transaction* txn = find_invite_of_ack(core, ack);
  if (txn == nullptr) {
    core.emit(AckReceived{std::move(ack), source});
    return;
  }
  invite_server::on_ack(core, *txn, now, std::move(ack), source);
  core.reap(*txn);
}

// ---- CANCEL ----

// 9.2: the transaction the CANCEL would match if its method were another. Almost always the INVITE.
Transaction* find_cancelled(Core& core, const sip::Message& cancel) {
  using sip::Method;
  static constexpr std::array methods = {Method::invite, Method::bye,    Method::options,   Method::register_,
                                         Method::refer,  Method::notify, Method::subscribe, Method::info,
                                         Method::update, Method::prack,  Method::message,   Method::publish};
  const std::string_view to_tag = cancel.to_tag();
  for (const Method method : methods) {
    if (Transaction* txn = core.find_server(key_of(core, cancel, sip::to_string(method), to_tag))) return txn;
  }
  return nullptr;
}

void receive_cancel(Core& core, Time now, sip::Message cancel, const Source& source) {
  Transaction* txn = find_cancelled(core, cancel);
  const Key key = key_of(core, cancel, cancel.method_text(), cancel.to_tag());
  OwnAnswer answer{481, core.tag_for(key), 0};
  if (txn == nullptr) {
    ++core.probe.stray_cancels;
  } else {
    answer.status = 200;
    answer.owner = txn->owner;
    // 9.2: the tag the INVITE was answered with, if it was.
    if (std::string tag = tag_of_answer(*txn); !tag.empty()) answer.to_tag = std::move(tag);
  }
  if (core.full() || (txn == nullptr && core.is_crowded())) {
    answer_statelessly(core, cancel, source, answer);
  } else {
    answer_in_transaction(core, now, cancel, source, key, answer);
  }
  // To other methods, and after a final, a CANCEL does nothing (9.2).
  if (txn == nullptr || txn->role != Role::invite_server || txn->state != State::proceeding) return;
  if (txn->cancel_seen) return;
  txn->cancel_seen = true;
  core.emit(CancelReceived{txn->id, txn->owner, std::move(cancel)});
}

// ---- The others ----

void start_server(Core& core, Time now, sip::Message request, const Source& source, Transaction& txn) {
  txn.request = request;
  if (txn.role == Role::invite_server) {
    invite_server::start(core, txn, now);
  } else {
    non_invite_server::start(core, txn, now);
  }
  core.emit(RequestReceived{txn.id, std::move(request), source});
}

void receive_new(Core& core, Time now, sip::Message request, const Source& source, const Key& key) {
  const bool opens = request.to_tag().empty();
  if (opens ? core.is_crowded() : core.full()) {
    ++core.probe.refused_full;
    return answer_statelessly(core, request, source, {503, core.tag_for(key), 0});
  }
  const Key merge = opens ? merge_key_of(core, request) : Key{};
  if (opens && core.find_merge(merge) != nullptr) {
    ++core.probe.merged_requests;
    return answer_in_transaction(core, now, request, source, key, {482, core.tag_for(key), 0});
  }
  Transaction& txn = open_server(core, request, source, key);
  if (opens) core.index_merge(txn, merge);
  start_server(core, now, std::move(request), source, txn);
}

}  // namespace

void receive_request(Core& core, Time now, sip::Message request, const Source& source) {
  if (request.method() == sip::Method::ack) return receive_ack(core, now, std::move(request), source);
  const Key key = key_of(core, request, request.method_text(), request.to_tag());
  if (Transaction* txn = core.find_server(key)) {
    if (txn->reliable() && source.transport == txn->peer.transport &&
        source.remote.ip == txn->peer.remote.ip) {
      txn->peer = response_destination(request, source);  // the connection it came by first may be gone
    }
    if (txn->role == Role::invite_server) return invite_server::on_retransmission(core, *txn);
    return non_invite_server::on_retransmission(core, *txn);
  }
  if (request.method() == sip::Method::cancel) {
    return receive_cancel(core, now, std::move(request), source);
  }
  receive_new(core, now, std::move(request), source, key);
}

bool refuse_statelessly(Core& core, const sip::Message& request, const Source& source, int status,
                        unsigned retry_after_s) {
  const Key key = key_of(core, request, request.method_text(), request.to_tag());
  if (core.find_server(key) != nullptr) return false;
  ++core.probe.refused_stateless;
  OwnAnswer answer{status, core.tag_for(key), 0};
  answer.retry_after_s = retry_after_s;
  answer_statelessly(core, request, source, answer);
  return true;
}

void receive_response(Core& core, Time now, sip::Message response, const Source& source) {
  const sip::ViaHead via = response.via_head();
  std::string& room = core.key_room();
  append_client_key(room, via.branch, response.cseq().method_text);
  Transaction* txn = core.find_client(core.key(room));
  // 8.1.3.3: more Vias than ours mean it went astray; 18.1.2: so does a sent-by of somebody else.
  const bool ours = txn != nullptr && names_us(via, txn->peer.local, txn->peer.transport) &&
                    response.has_one(sip::HeaderId::via);
  if (!ours) {
    ++core.probe.stray_responses;
    return;
  }
  if (txn->role == Role::invite_client) {
    invite_client::on_response(core, *txn, now, std::move(response), source);
  } else {
    non_invite_client::on_response(core, *txn, now, std::move(response), source);
  }
  core.reap(*txn);
}

std::string make_trying(const Transaction& txn) {
  BATON_ASSERT(txn.request.has_value());
  const sip::Draft draft = sip::make_response(*txn.request, 100);
  return draft.write_with_vias(txn.vias());
}

}  // namespace baton::txn
