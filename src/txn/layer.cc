#include "txn/layer.h"

#include "base/assert.h"
#include "txn/core.h"
#include "txn/fallback.h"
#include "txn/ingress.h"
#include "txn/machines.h"
#include "txn/requests.h"
#include "txn/routing.h"

namespace baton::txn {
namespace {

constexpr std::size_t usual_via = 100;

}  // namespace

Layer::Layer(Sink& sink, Rng& rng, sip::Spares& spares, Timers timers, std::size_t transactions_max)
    : core_(std::make_unique<Core>(sink, rng, spares, timers, transactions_max)) {}

Layer::~Layer() = default;

// ---- From the wire and the clock ----

void Layer::receive(Time now, sip::Message message, const Source& source) {
  if (message.is_request()) {
    receive_request(*core_, now, std::move(message), source);
  } else {
    receive_response(*core_, now, std::move(message), source);
  }
}

bool Layer::refuse(const sip::Message& request, const Source& source, int status, unsigned retry_after_s) {
  return refuse_statelessly(*core_, request, source, status, retry_after_s);
}

bool Layer::is_crowded() const {
  return core_->is_crowded();
}

void Layer::transport_failed(Time now, Transport transport, const SocketAddress& remote) {
  for (const TxnId id : core_->clients_of(transport, remote)) {
    Transaction* txn = core_->find(id);
    if (txn == nullptr) continue;
    if (txn->role == Role::invite_client) {
      invite_client::on_transport_failed(*core_, *txn, now);
    } else {
      non_invite_client::on_transport_failed(*core_, *txn, now);
    }
    core_->reap(*txn);
  }
}

void Layer::connection_closed(Time now, Transport transport, const SocketAddress& remote) {
  for (const TxnId id : core_->clients_of(transport, remote)) {
    Transaction* txn = core_->find(id);
    if (txn == nullptr || !txn->fallback) continue;
    go_by_udp(*core_, *txn, now);
    core_->reap(*txn);
  }
}

void Layer::advance(Time now) {
  while (const auto due = core_->take_due(now)) {
    Transaction& txn = *due->transaction;
    switch (txn.role) {
      case Role::invite_client:
        invite_client::on_timer(*core_, txn, now, due->timer);
        break;
      case Role::non_invite_client:
        non_invite_client::on_timer(*core_, txn, now, due->timer);
        break;
      case Role::invite_server:
        invite_server::on_timer(*core_, txn, now, due->timer);
        break;
      case Role::non_invite_server:
        non_invite_server::on_timer(*core_, txn, now, due->timer);
        break;
    }
    core_->reap(txn);
  }
}

std::optional<Time> Layer::next_deadline() const {
  return core_->next_deadline();
}

std::optional<Event> Layer::take_event() {
  return core_->take_event();
}

// ---- From the user: requests ----

TxnId Layer::request(Time now, const sip::Draft& draft, const Destination& to, Owner owner,
                     const std::optional<SocketAddress>& tcp_from) {
  BATON_ASSERT(draft.is_request());
  BATON_ASSERT(draft.method() != sip::Method::ack && draft.method() != sip::Method::cancel);
  std::string branch = core_->buffers().take(usual_via), via = core_->buffers().take(usual_via);
  append_branch(branch, core_->rng());
  append_via(via, to, branch);
  std::string bytes = draft.write(via);
  // 18.1.1, where the path MTU is not known.
  constexpr std::size_t udp_bytes_max = 1'300;
  Destination way = to;
  std::unique_ptr<Fallback> fallback;
  if (tcp_from && to.transport == Transport::udp && bytes.size() > udp_bytes_max &&
      !core_->refuses_tcp(now, to.remote)) {
    fallback = std::make_unique<Fallback>(Fallback{to, std::move(via), std::move(bytes)});
    way = Destination{Transport::tcp, to.remote, *tcp_from, 0, {}};
    via.clear();
    append_via(via, way, branch);
    bytes = draft.write(via);
    ++core_->probe.long_by_tcp;
  }
  Transaction& txn = core_->create_client(draft.method(), branch, way);
  txn.owner = owner;
  txn.text = std::move(bytes);
  txn.fallback = std::move(fallback);
  core_->buffers().give(std::move(branch));
  core_->buffers().give(std::move(via));
  if (txn.role == Role::invite_client) {
    invite_client::start(*core_, txn, now);
  } else {
    non_invite_client::start(*core_, txn, now);
  }
  return txn.id;
}

void Layer::cancel(Time now, TxnId invite, std::string reason) {
  Transaction* txn = core_->find(invite);
  if (txn == nullptr) return;
  BATON_ASSERT(txn->role == Role::invite_client);
  invite_client::cancel(*core_, *txn, now, std::move(reason));
}

void Layer::ack(Time, const sip::Draft& draft, const Destination& to, Owner owner) {
  BATON_ASSERT(draft.is_request() && draft.method() == sip::Method::ack);
  // A branch of its own: the ACK to a 2xx is no part of the INVITE's transaction (13.2.2.4).
  std::string branch = core_->buffers().take(usual_via), via = core_->buffers().take(usual_via);
  append_branch(branch, core_->rng());
  append_via(via, to, branch);
  core_->send(to, draft.write(via), owner);
  core_->buffers().give(std::move(branch));
  core_->buffers().give(std::move(via));
}

// ---- From the user: responses ----

void Layer::respond_once(Time now, TxnId server, sip::Draft response) {
  if (Transaction* txn = core_->find(server)) txn->once = true;
  respond(now, server, std::move(response));
}

void Layer::respond(Time now, TxnId server, sip::Draft response) {
  Transaction* txn = core_->find(server);
  if (txn == nullptr) return;
  BATON_ASSERT(!txn->is_client() && !response.is_request());
  if (txn->state != State::trying && txn->state != State::proceeding) return;
  std::string bytes = response.write_with_vias(txn->vias());
  if (txn->role == Role::invite_server) {
    invite_server::respond(*core_, *txn, now, response.status(), std::move(bytes));
  } else {
    non_invite_server::respond(*core_, *txn, now, response.status(), std::move(bytes));
  }
  core_->reap(*txn);
}

void Layer::resend(Time, TxnId server) {
  Transaction* txn = core_->find(server);
  if (txn == nullptr || txn->role != Role::invite_server) return;
  invite_server::resend(*core_, *txn);
}

void Layer::set_owner(TxnId id, Owner owner) {
  if (Transaction* txn = core_->find(id)) txn->owner = owner;
}

std::optional<Destination> Layer::response_destination(TxnId server) const {
  const Transaction* txn = core_->find(server);
  if (txn == nullptr || txn->is_client()) return std::nullopt;
  return txn->peer;
}

std::size_t Layer::size() const {
  return core_->size();
}

const Probe& Layer::probe() const {
  return core_->probe;
}

}  // namespace baton::txn
