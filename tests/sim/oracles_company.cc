// Who is with whom: read off the media plane and the trace, and what must hold of it after every step.
#include <algorithm>

#include "oracles.h"
#include "peer.h"
#include "world.h"

namespace baton::sim {

using sip::HeaderId;
using sip::Message;

namespace {

// How long a party may be without company: the transferor's last NOTIFY may wait 2 s for the one before it
// and 2 s for its own answer.
constexpr Duration alone_max = 5s;
constexpr Duration unlinked_max = 5s;
constexpr Duration ack_max = 1s;

}  // namespace

void Oracles::learn_endpoint(Leg& leg, const Message& message) {
  if (message.body().empty() || !message.header(HeaderId::content_type).starts_with("application/sdp"))
    return;
  const auto audio = sdp::read_description(message.body());
  if (!audio) {
    violation("the server sends SDP that can not be read: " + audio.error().reason);
    return;
  }
  if (audio->rejected()) return;
  for (const sdp::Format& format : audio->formats) {
    const auto [known, first] = leg.payload_numbers.emplace(format.payload_type, format.codec);
    if (!first && known->second != format.codec) {
      violation("payload number " + std::to_string(format.payload_type) +
                " changes its meaning (RFC 6337 5.3)");
    }
  }
  const MediaPlane::Endpoint* endpoint = world_.media().by_local(audio->rtp);
  if (endpoint == nullptr) {
    if (!leg.over) violation("SDP of the server names a port that is not open: " + audio->rtp.to_string());
    return;
  }
  leg.endpoint = endpoint->id;
}

void Oracles::learn_roots() {
  const auto& traces = world_.traces();
  for (; traces_read_ < traces.size(); ++traces_read_) {
    const call::TraceMessage& trace = traces[traces_read_];
    for (auto key = trace.bytes.find("inline:"); key != std::string::npos;) {
      if (trace.bytes.substr(key + 7, 28) != std::string(28, '*')) violation("a key is traced");
      key = trace.bytes.find("inline:", key + 7);
    }
    const auto message = Message::parse(trace.bytes);
    if (!message) continue;
    if (Leg* leg = find_leg(message->call_id())) {
      if (!leg->root.empty() && call_of(leg->root) != call_of(trace.root_call_uuid)) {
        violation("one dialog is traced in two calls");
      }
      if (leg->root.empty()) leg->root = trace.root_call_uuid;  // where it began
    }
  }
}

const std::string& Oracles::call_of(const std::string& root) const {
  const std::string* now = &root;
  for (auto found = joined_.find(*now); found != joined_.end(); found = joined_.find(*now))
    now = &found->second;
  return *now;
}

bool Oracles::same_call(const Leg& one, const Leg& other) const {
  return call_of(one.root) == call_of(other.root);
}

bool Oracles::somebody_called(const Leg& leg) const {
  // Or has been called by a transferor that did not wait (semi-attended).
  const bool awaited = std::any_of(transfers_.begin(), transfers_.end(), [&](const Transfer& transfer) {
    return transfer.pending() && transfer.consultation != nullptr && !transfer.consultation->over &&
           same_call(*transfer.transferor, leg);
  });
  if (awaited) return true;
  return std::any_of(legs_.begin(), legs_.end(), [&](const Leg& other) {
    return &other != &leg && same_call(other, leg) && other.server_called && !other.answered && !other.over &&
           !other.cancelled;
  });
}

bool Oracles::answer_waits_for(const Leg& leg) const {
  return std::any_of(legs_.begin(), legs_.end(), [&](const Leg& other) {
    return &other != &leg && same_call(other, leg) && other.awaits_prack && !other.over && linked(leg, other);
  });
}

// One that has handed its call over may be left to hang up itself.
bool Oracles::transferred_away(const Leg& leg) const {
  for (const Leg& other : legs_) {
    if (other.replaces == &leg && other.answered) return true;
  }
  return std::any_of(transfers_.begin(), transfers_.end(), [&](const Transfer& transfer) {
    return transfer.outcome == "transferred" &&
           (transfer.transferor == &leg || transfer.consultation == &leg);
  });
}

void Oracles::join_roots(const std::string& one, const std::string& other) {
  if (call_of(one) != call_of(other)) joined_[call_of(other)] = call_of(one);
}

bool Oracles::joined_to_another(const std::string& root) const {
  return std::any_of(joined_.begin(), joined_.end(),
                     [&](const auto& pair) { return pair.first == root || pair.second == root; });
}

// The target of an attended transfer is whoever else is in the consultation call.
void Oracles::learn_consultation_answered(Transfer& transfer) {
  if (transfer.consultation == nullptr || !transfer.accepted() || !transfer.outcome.empty()) return;
  for (const Leg& leg : legs_) {
    if (&leg != transfer.consultation && same_call(leg, *transfer.consultation) && leg.answered &&
        !leg.over) {
      transfer.target_answered = true;
    }
  }
}

void Oracles::learn_outcomes() {
  const auto& records = world_.transfers();
  for (; transfers_read_ < records.size(); ++transfers_read_) {
    const call::TransferRecord& record = records[transfers_read_];
    for (Transfer& transfer : transfers_) {
      if (!transfer.outcome.empty() || transfer.refer_to != record.refer_to ||
          transfer.status != record.refer_status ||
          call_of(transfer.transferor->root) != call_of(record.root_call_uuid)) {
        continue;
      }
      transfer.outcome = record.outcome;
      transfer.decided_at = world_.now();
      if (record.outcome == "transferred" && transfer.consultation != nullptr) {
        join_roots(transfer.transferor->root, transfer.consultation->root);
        transfer.target_answered = true;
      }
      if (record.outcome == "failed" || record.outcome == "cancelled") just_failed_.push_back(&transfer);
      break;
    }
  }
}

bool Oracles::linked(const Leg& one, const Leg& other) const {
  if (!one.endpoint || !other.endpoint) return false;
  const auto hears = [this](media::EndpointId listener, media::EndpointId speaker) {
    const MediaPlane::Endpoint* endpoint = world_.media().find(listener);
    const MediaPlane::Endpoint* from = world_.media().find(speaker);
    if (endpoint == nullptr) return false;
    // Hold music is what one hears of a party that holds.
    if (const auto* play = std::get_if<media::Hear::Play>(&endpoint->hears.source)) {
      return !play->once && from != nullptr && from->configured && !from->configured->send;
    }
    const auto* party = std::get_if<media::Hear::Party>(&endpoint->hears.source);
    return party != nullptr && party->id == speaker;
  };
  return hears(*one.endpoint, *other.endpoint) && hears(*other.endpoint, *one.endpoint);
}

void Oracles::update_partners() {
  for (Leg& leg : legs_) {
    if (leg.over || !leg.endpoint) continue;
    const MediaPlane::Endpoint* endpoint = world_.media().find(*leg.endpoint);
    const auto* heard =
        endpoint == nullptr ? nullptr : std::get_if<media::Hear::Party>(&endpoint->hears.source);
    Leg* other = heard == nullptr ? nullptr : leg_with(heard->id);
    if (other == nullptr || !linked(leg, *other)) continue;
    leg.partner = other;
    if (!leg.root.empty() && !other->root.empty() && !same_call(leg, *other)) {
      violation("two parties of different calls hear each other");
    }
  }
}

void Oracles::check_company() {
  for (Leg& leg : legs_) {
    const bool in_call = leg.answered && !leg.over && (leg.server_called || leg.acknowledged) && !lost(leg);
    const bool alone = in_call && !others_up(leg) && !somebody_called(leg) && !answer_waits_for(leg);
    if (!alone) {
      leg.alone_since.reset();
    } else if (!leg.alone_since) {
      leg.alone_since = world_.now();
    }
    // With no transfer under way whoever is in the call is joined to somebody who is in it too.
    const bool joined = leg.partner != nullptr && !leg.partner->over && linked(leg, *leg.partner);
    if (!in_call || joined || transfer_pending(leg.root) || somebody_called(leg) || transferred_away(leg)) {
      leg.unlinked_since.reset();
    } else if (!leg.unlinked_since) {
      leg.unlinked_since = world_.now();
    }
  }
}

void Oracles::before_step() {
  for (auto& [key, success] : successes_) {
    if (success.acked || success.late || world_.now() - success.first <= ack_max) continue;
    success.late = true;
    violation("a 200 to INVITE waits for its ACK (" + key + ")");
  }
  for (Leg& leg : legs_) {
    if (leg.alone_since && world_.now() - *leg.alone_since > alone_max) {
      violation(leg.peer->name() + " is left in the call alone");
      leg.alone_since = world_.now() + 24h;
    }
    if (leg.unlinked_since && world_.now() - *leg.unlinked_since > unlinked_max) {
      violation(leg.peer->name() + " is in the call and hears nobody, or nobody hears it");
      leg.unlinked_since = world_.now() + 24h;
    }
  }
}

void Oracles::after_step() {
  learn_outcomes();
  learn_roots();
  update_partners();
  check_company();
  check_after_failure();
}

// A failed transfer leaves the call as it was, and at once.
void Oracles::check_after_failure() {
  if (byes_excused_) just_failed_.clear();  // nobody is to go on
  for (const Transfer* transfer : just_failed_) {
    const Leg* transferor = transfer->transferor;
    const Leg* transferee = transfer->transferee;
    if (transferee == nullptr || transferor->over || transferee->over || transfer_pending(transferor->root) ||
        transferred_away(*transferor))
      continue;
    if (!linked(*transferor, *transferee))
      violation("after a failed transfer the two parties do not hear each other");
  }
  just_failed_.clear();
}

const Oracles::Leg* Oracles::leg_of(const Party& party) const {
  for (const Leg& leg : legs_) {
    if (leg.call_id == party.call_id) return &leg;
  }
  return nullptr;
}

std::string Oracles::hears(const Party& party) const {
  const Leg* leg = leg_of(party);
  const MediaPlane::Endpoint* endpoint =
      leg == nullptr || !leg->endpoint ? nullptr : world_.media().find(*leg->endpoint);
  if (endpoint == nullptr) return "nothing";
  if (const auto* ring = std::get_if<media::Hear::RingBack>(&endpoint->hears.source))
    return "ring-back " + ring->country;
  if (const auto* play = std::get_if<media::Hear::Play>(&endpoint->hears.source)) return play->prompt;
  const auto* heard = std::get_if<media::Hear::Party>(&endpoint->hears.source);
  if (heard == nullptr) return "silence";
  for (const Leg& other : legs_) {
    if (other.endpoint != heard->id || other.peer == nullptr) continue;
    if (const Party* who = other.peer->find(other.call_id)) return who->role();
  }
  return "somebody unknown";
}

bool Oracles::talk(const Party& one, const Party& other) const {
  const Leg* first = leg_of(one);
  const Leg* second = leg_of(other);
  return first != nullptr && second != nullptr && first->endpoint && second->endpoint &&
         world_.media().both_ways(*first->endpoint, *second->endpoint);
}

void Oracles::check_media_agrees() {
  for (const Leg& leg : legs_) {
    const Party* party = leg.peer == nullptr ? nullptr : leg.peer->find(leg.call_id);
    if (leg.over || !leg.answered || party == nullptr || !party->up() || !party->remote) continue;
    const MediaPlane::Endpoint* endpoint = leg.endpoint ? world_.media().find(*leg.endpoint) : nullptr;
    if (endpoint == nullptr || !endpoint->configured) {
      violation(party->role() + " is in a call without media");
      continue;
    }
    const media::Configure& media = *endpoint->configured;
    const bool held_by_us = !sdp::sends(party->remote->direction) || !sdp::receives(party->remote->direction);
    if (media.remote_rtp != party->local.rtp) violation("media for " + party->role() + " goes elsewhere");
    if (party->remote->rtp != endpoint->local_rtp) violation(party->role() + " sends its media elsewhere");
    if (std::find(party->local.formats.begin(), party->local.formats.end(), media.format) ==
        party->local.formats.end()) {
      violation(party->role() + " is sent a format it does not have");
    }
    if (held_by_us) continue;
    if (media.send != sdp::receives(party->local.direction))
      violation(party->role() + ": hold is not respected");
    if (media.receive != sdp::sends(party->local.direction))
      violation(party->role() + ": what it sends is dropped");
  }
}

std::string Oracles::keys_that_differ() const {
  for (const Leg& leg : legs_) {
    const Party* party = leg.peer == nullptr ? nullptr : leg.peer->find(leg.call_id);
    if (leg.over || !leg.answered || party == nullptr || !party->up() || !party->remote) continue;
    const MediaPlane::Endpoint* endpoint = leg.endpoint ? world_.media().find(*leg.endpoint) : nullptr;
    if (endpoint == nullptr || !endpoint->configured) continue;
    const auto& theirs = endpoint->configured->srtp;
    const auto own = party->srtp();
    const bool alike = own && theirs && own->suite == theirs->suite && own->ours == theirs->theirs &&
                       own->theirs == theirs->ours;
    if (!alike && (own || theirs)) return party->role() + " and the server do not see their SRTP alike";
  }
  return {};
}

}  // namespace baton::sim
