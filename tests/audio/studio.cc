#include "studio.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "media/relay/g711.h"

namespace baton::audio {
namespace {

// A loopback address of this process alone, so that tests running side by side do not take each other's
// ports.
IpAddress relay_ip() {
  const auto pid = static_cast<unsigned>(::getpid());
  return IpAddress::v4(127, static_cast<std::uint8_t>(1 + (pid >> 16 & 0x7f)),
                       static_cast<std::uint8_t>(pid >> 8), static_cast<std::uint8_t>(pid));
}

std::optional<sdp::Codec> find(const sdp::Formats& formats, std::uint8_t number) {
  for (const sdp::Format& format : formats) {
    if (format.payload_type == number) return format.codec;
  }
  return std::nullopt;
}

bool answers(const media::Operation& operation, const media::Result& result) {
  const auto* opened = std::get_if<media::Opened>(&result);
  const auto* failed = std::get_if<media::OpenFailed>(&result);
  const auto* closed = std::get_if<media::Closed>(&result);
  const auto* recorded = std::get_if<media::Recorded>(&result);
  if (const auto* open = std::get_if<media::Open>(&operation))
    return (opened != nullptr && opened->id == open->id) || (failed != nullptr && failed->id == open->id);
  if (const auto* close = std::get_if<media::Close>(&operation))
    return closed != nullptr && closed->id == close->id;
  return recorded != nullptr;
}

}  // namespace

double hz_of(const std::string& role) {
  if (role == "transferee") return 700;
  if (role == "transferor") return 1'100;
  if (role == "target") return 1'900;
  return 1'500;
}

Studio::Studio(unsigned relays) : apart_(std::getenv("BATON_APART") != nullptr) {
  media::Relay::Options options;
  options.v4 = media::Relay::Interface{relay_ip(), relay_ip()};
  options.port_min = 22'000;
  options.port_max = 22'199;
  options.port_rest = {};
  options.seed = 7;
  options.prompts = library_;
  if (apart_) relays = std::max(relays, 3U);
  relays_.emplace(options, relays, relays > 1 ? 2ms : 0ms);
}

void Studio::record_prompt(const std::string& name, const Sound& sound, double seconds) {
  auto prompt = std::make_shared<media::Prompt>();
  prompt->samples = render(sound, 0, seconds, 8'000).samples;
  prompt->pcmu = media::encode(sdp::Codec::pcmu, prompt->samples);
  prompt->pcma = media::encode(sdp::Codec::pcma, prompt->samples);
  prompts_[name] = std::move(prompt);
  library_->replace(prompts_);
}

SocketAddress Studio::next_rtp(sim::World& world, sim::Peer& peer) {
  const auto count = static_cast<unsigned>(seats_.size());
  seats_.push_back(std::make_unique<Seat>(&peer, 0x1000 + count));
  Seat* seat = seats_.back().get();
  // No two parties speak at the same instant.
  world.after(std::chrono::milliseconds(1 + 3 * count % 17), [this, &world, seat] { tick(world, *seat); });
  return seat->phone.rtp();
}

Studio::Seat& Studio::seat_of(const sim::Party& party) {
  const auto found = std::find_if(seats_.begin(), seats_.end(),
                                  [&](const auto& seat) { return seat->phone.rtp() == party.local.rtp; });
  EXPECT_NE(found, seats_.end());
  return **found;
}

Phone& Studio::phone(const sim::Party& party) {
  return seat_of(party).phone;
}

Keypad& Studio::keypad(const sim::Party& party) {
  return seat_of(party).keypad;
}

const sim::Party* Studio::party_of(const Seat& seat) {
  for (const sim::Party& party : seat.peer->parties()) {
    if (party.local.rtp == seat.phone.rtp()) return &party;
  }
  return nullptr;
}

std::optional<Studio::Way> Studio::way_of(const sim::Party& party) {
  using State = sim::Party::State;
  if (!party.remote || party.remote->rejected() || party.state == State::over) return std::nullopt;
  const bool early = party.caller || party.script.early_media;
  if (party.state == State::trying || (party.state == State::ringing && !early)) return std::nullopt;
  if (!sdp::sends(party.local.direction) || !sdp::receives(party.remote->direction)) return std::nullopt;
  for (const sdp::Format& format : party.remote->formats) {
    const auto& known = party.script.codecs;
    if (std::find(known.begin(), known.end(), format.codec) != known.end())
      return Way{format, party.remote->rtp};
  }
  return std::nullopt;
}

void Studio::tick(sim::World& world, Seat& seat) {
  const sim::Party* party = party_of(seat);
  if (party == nullptr || party->state == sim::Party::State::over) return;
  if (!std::exchange(seat.set_up, true)) {
    seat.phone.sound = tone(hz_of(party->role()));
    if (set_up) set_up(*party, seat.phone);
  }
  const auto way = way_of(*party);
  seat.phone.secrecy.agree(party->srtp());
  if (way && seat.keypad.busy()) {
    seat.keypad.tick(seat.phone, way->format, party->remote->events.beside(way->format.codec), way->to);
  } else if (way && !seat.phone.muted) {
    seat.phone.speak(way->format, way->to);
  } else {
    seat.phone.pause();
  }
  pump(world);
  world.after(std::chrono::milliseconds(seat.phone.ptime_ms), [this, &world, &seat] { tick(world, seat); });
}

void Studio::pump(sim::World& world) {
  std::vector<media::Result> results;
  for (pollfd fd{relays_->poll_fd(), POLLIN, 0}; ::poll(&fd, 1, 0) > 0;) relays_->poll(world.now(), results);
  for (const auto& seat : seats_) {
    const sim::Party* party = party_of(*seat);
    if (party == nullptr) continue;
    seat->phone.secrecy.agree(party->srtp());
    seat->phone.listen(world.now(), [party](std::uint8_t number) -> std::optional<sdp::Codec> {
      if (const auto ours = find(party->local.formats, number)) return ours;
      return party->remote ? find(party->remote->formats, number) : std::nullopt;
    });
  }
  arm(world);
  feed(world, results);
}

// The relay's timers are the world's.
void Studio::arm(sim::World& world) {
  const auto deadline = relays_->next_deadline();
  if (!deadline || (armed_ && *armed_ <= *deadline)) return;
  const Time at = std::max(*deadline, world.now());
  armed_ = at;
  world.after(at - world.now(), [this, &world, at] {
    if (armed_ != at) return;
    armed_.reset();
    std::vector<media::Result> results;
    relays_->advance(world.now(), results);
    pump(world);
    feed(world, results);
  });
}

void Studio::feed(sim::World& world, std::vector<media::Result>& results) {
  for (const media::Result& result : results) {
    world.after({}, [&world, result] { world.feed(engine::MediaDone{result}); });
  }
}

std::optional<media::Result> Studio::perform(sim::World& world, const media::Operation& operation) {
  std::vector<media::Result> results;
  if (const auto* open = std::get_if<media::Open>(&operation); open != nullptr && apart_) {
    media::Open anywhere = *open;
    anywhere.beside = 0;
    relays_->perform(world.now(), anywhere, results);
  } else {
    relays_->perform(world.now(), operation, results);
  }
  arm(world);
  // What had to wait before it may be answered at the same time.
  const auto own = std::find_if(results.begin(), results.end(),
                                [&](const media::Result& result) { return answers(operation, result); });
  std::optional<media::Result> answer;
  if (own != results.end()) {
    answer = std::move(*own);
    results.erase(own);
  }
  feed(world, results);
  return answer;
}

}  // namespace baton::audio
