// What rtpengine answered, and what comes of it.
#include <algorithm>

#include "media/rtpengine/plane.h"

namespace baton::media {

using Answer = rtpengine::Client::Answer;

namespace {

// Of a query for a call that it has never heard of, or not since it was started.
bool is_unknown(const Answer& answer) {
  return answer.said && answer.fault.starts_with("Unknown call");
}

bool holds(const std::vector<sdp::Crypto>& keys, const Srtp& srtp) {
  return std::any_of(keys.begin(), keys.end(),
                     [&](const sdp::Crypto& own) { return own.suite == srtp.suite && own.key == srtp.ours; });
}

}  // namespace

void Rtpengine::received(Time now, std::string_view datagram, Out out) {
  std::vector<Answer> answers;
  client_.received(datagram, answers);
  take(now, answers, out);
}

void Rtpengine::take(Time now, std::vector<Answer>& answers, Out out) {
  for (const Answer& answer : answers) {
    auto asked = asked_.extract(answer.request);
    if (asked.empty()) continue;
    if (answer.said || answer.garbled) {
      answered_at_ = now;
      if (down_) came_up(now, out);
    } else if (answered_at_ <= asked.mapped().at) {
      // One request may be unlucky; when nothing else was answered since either, there is nobody.
      went_down(now, answer.fault, out);
    }
    take(now, asked.mapped(), answer, out);
  }
}

void Rtpengine::take(Time now, const Asked& asked, const Answer& answer, Out out) {
  if (asked.step == Step::ping) {
    pinging_ = false;
    if (down_) ping(now, out);
    return;
  }
  if (asked.step == Step::forget) return on_forgotten(now, asked.id, answer, out);
  Endpoint* endpoint = find(asked.id);
  if (endpoint == nullptr) {
    // An offer that overtook the delete has made the call anew.
    if (asked.step == Step::offer) forget(now, asked.id, out);
    return;
  }
  switch (asked.step) {
    case Step::query:
      endpoint->querying = false;
      return on_queried(now, *endpoint, answer, out);
    case Step::digit:
      if (answer.said && !answer.fault.empty()) {
        log(engine::Severity::warning, "media.digit_not_sent",
            {{"call", endpoint->name.call_id}, {"why", answer.fault}});
      }
      return;
    case Step::remove:
      on_removed(now, *endpoint, answer, out);
      return on_forgotten(now, asked.id, answer, out);
    default:
      break;
  }
  endpoint->asking = false;
  if (asked.step == Step::open) return on_opened(now, *endpoint, answer, out);
  // Whatever it was, it is not wanted any more; and it may have made the call anew.
  if (endpoint->state == State::closing) return remove(now, *endpoint, out);
  if (endpoint->state == State::lost) return forget(now, asked.id, out);
  if (!answer.said && !answer.garbled) return;  // asked again when the daemon is back
  switch (asked.step) {
    case Step::offer:
      return on_offered(now, *endpoint, asked, answer, out);
    case Step::answer:
      return on_answered(now, *endpoint, asked, answer, out);
    case Step::block:
      return on_blocked(now, *endpoint, asked, answer, out);
    default:
      return on_played(now, *endpoint, asked, answer, out);
  }
}

void Rtpengine::on_opened(Time now, Endpoint& endpoint, const Answer& answer, Out out) {
  std::string fault = answer.fault;
  if (fault.empty()) {
    auto said = rtpengine::read_ports(*answer.said);
    if (said) {
      endpoint.outer = said->rtp;
      endpoint.keys = std::move(said->keys);
    } else {
      fault = said.error();
    }
  }
  if (fault.empty() && endpoint.srtp) {
    for (const sdp::Suite suite : sdp::all_suites) {
      const bool has = std::any_of(endpoint.keys.begin(), endpoint.keys.end(),
                                   [suite](const sdp::Crypto& key) { return key.suite == suite; });
      if (!has && fault.empty()) fault = "it has no key for " + std::string(to_string(suite));
    }
  }
  if (endpoint.state == State::closing) return remove(now, endpoint, out);
  if (!fault.empty()) {
    const EndpointId id = endpoint.id;
    out.results.emplace_back(OpenFailed{id, fault + " (" + options_.address.to_string() + ')'});
    // What is opened of it is not left behind, also if that happens after Baton has stopped waiting for it.
    forget(now, id, out);
    if (down_) owe(now, id, out);
    polls_.erase({endpoint.poll_at, id});
    drop_held(endpoint);
    endpoints_.erase(id);
    return;
  }
  endpoint.state = State::open;
  out.results.emplace_back(Opened{endpoint.id, endpoint.outer, endpoint.keys});
  pump(now, joined_with(endpoint.id), out);
}

void Rtpengine::on_offered(Time now, Endpoint& endpoint, const Asked& asked, const Answer& answer, Out out) {
  if (!answer.fault.empty()) return lose(endpoint, "rtpengine refuses the offer: " + answer.fault, out);
  const auto said = rtpengine::read_ports(*answer.said);
  if (!said) return lose(endpoint, said.error(), out);
  const bool learnt = endpoint.inner != said->rtp;
  endpoint.inner = said->rtp;
  endpoint.told_party = asked.what;
  std::string sdp = void_sdp(endpoint);
  endpoint.asking = true;
  const auto request = rtpengine::answer_request(endpoint.name, sdp);
  ask(now, endpoint, Step::answer, request, std::move(sdp), out);
  // Whom it hears can be sent there only now.
  if (learnt) {
    if (Endpoint* source = find(endpoint.heard)) pump(now, *source, out);
  }
}

void Rtpengine::on_answered(Time now, Endpoint& endpoint, const Asked& asked, const Answer& answer, Out out) {
  if (!answer.fault.empty()) return lose(endpoint, "rtpengine refuses the answer: " + answer.fault, out);
  const auto said = rtpengine::read_ports(*answer.said);
  if (!said) return lose(endpoint, said.error(), out);
  if (said->rtp != endpoint.outer) {
    // Offered to a daemon that did not know it, it was made anew, with ports the party will never hear of.
    forget(now, endpoint.id, out);
    return lose(endpoint, "rtpengine was restarted", out);
  }
  // It makes another key for a suite that was left, by way of RTP or another suite; ours have been told
  // already.
  const std::optional<Srtp>& srtp = endpoint.party->srtp;
  if (srtp && endpoint.told_party == party_sdp(endpoint) && !holds(said->keys, *srtp)) {
    return lose(endpoint, "rtpengine encrypts with another key since SRTP was changed in the call", out);
  }
  endpoint.told_void = asked.what;
  pump(now, endpoint, out);
}

void Rtpengine::on_played(Time now, Endpoint& endpoint, const Asked& asked, const Answer& answer, Out out) {
  if (is_unknown(answer)) return lose(endpoint, "rtpengine was restarted", out);
  if (!answer.fault.empty() && asked.step == Step::play) {
    log(engine::Severity::warning, "media.not_played",
        {{"call", endpoint.name.call_id}, {"what", asked.what}, {"why", answer.fault}});
  }
  // What can not be played is silence, and is not tried again.
  endpoint.playing = asked.what;
  pump(now, endpoint, out);
}

void Rtpengine::on_blocked(Time now, Endpoint& endpoint, const Asked& asked, const Answer& answer, Out out) {
  if (is_unknown(answer)) return lose(endpoint, "rtpengine was restarted", out);
  if (!answer.fault.empty()) {
    log(engine::Severity::warning, "media.keys_not_blocked",
        {{"call", endpoint.name.call_id}, {"why", answer.fault}});
  }
  endpoint.blocks_keys = !asked.what.empty();
  pump(now, endpoint, out);
}

void Rtpengine::on_queried(Time now, Endpoint& endpoint, const Answer& answer, Out out) {
  if (endpoint.state != State::open) return;
  if (is_unknown(answer)) return lose(endpoint, "rtpengine does not know it any more", out);
  if (answer.said) {
    if (const auto totals = rtpengine::read_totals(*answer.said)) count(now, endpoint, *totals);
  }
  check_silence(now, endpoint, out);
  // What was asked for and not answered, while other things were, is asked for again.
  pump(now, endpoint, out);
}

// The endpoint is gone after it.
void Rtpengine::on_removed(Time now, Endpoint& endpoint, const Answer& answer, Out out) {
  if (answer.said) {
    if (const auto totals = rtpengine::read_totals(*answer.said)) count(now, endpoint, *totals);
  }
  Closed closed{endpoint.id};
  closed.packets_received = endpoint.totals.received;
  closed.packets_sent = endpoint.totals.given;
  closed.packets_dropped = endpoint.totals.errors;
  if (endpoint.party) {
    closed.codec = endpoint.party->format.codec;
    closed.ptime_ms = endpoint.party->ptime_ms;
    endpoint.reports.describe(endpoint.totals.given, closed);
  }
  out.results.emplace_back(closed);
  endpoints_.erase(endpoint.id);
}

// A refusal says that there is nothing to delete; nonsense is not asked for twice.
void Rtpengine::on_forgotten(Time now, EndpointId id, const Answer& answer, Out out) {
  if (settling_ == id) settling_ = 0;
  if (!answer.said && !answer.garbled) return owe(now, id, out);
  settle(now, out);
}

void Rtpengine::lose(Endpoint& endpoint, std::string why, Out out) {
  endpoint.state = State::lost;
  endpoint.lost_why = std::move(why);
  out.results.emplace_back(Lost{endpoint.id, endpoint.lost_why});
}

void Rtpengine::went_down(Time now, const std::string& why, Out out) {
  if (down_) return;
  down_ = true;
  log(engine::Severity::error, "media.rtpengine_down", {{"why", why}});
  ping(now, out);
}

// Those that are still known to it get what was wanted meanwhile; the others are found out, one after the
// other: no socket takes the answers of all of them at once.
void Rtpengine::came_up(Time now, Out out) {
  down_ = false;
  logs_keys_ = suspects_log_ = false;  // it may have been started in another way
  log(engine::Severity::warning, "media.rtpengine_up", {});
  Time at = now;
  for (auto& [id, endpoint] : endpoints_) {
    if (endpoint.state != State::open || !endpoint.party) continue;
    poll_at(endpoint, std::min(at += 1ms, endpoint.poll_at));
    pump(now, endpoint, out);
  }
  settle(now, out);
}

}  // namespace baton::media
