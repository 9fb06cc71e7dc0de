// The simulator's world with sound: the real relay on loopback sockets in virtual time, and a phone for every
// party. To be made before the cast that plays in it, which gets it in its options.
//
// Several relays stand side by side, as media threads do. With BATON_APART every party begins at another one
// than those it will hear, so that each change of who hears whom moves some of them, and takes a while.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "cast.h"
#include "keys.h"
#include "media/prompts/prompts.h"
#include "peer.h"
#include "phone.h"
#include "routed_relays.h"
#include "world.h"

namespace baton::audio {

class Studio : public sim::RealMedia {
 public:
  explicit Studio(unsigned relays = 1);

  // ---- RealMedia ----
  std::optional<media::Result> perform(sim::World& world, const media::Operation& operation) override;
  SocketAddress next_rtp(sim::World& world, sim::Peer& peer) override;

  [[nodiscard]] Phone& phone(const sim::Party& party);
  [[nodiscard]] Keypad& keypad(const sim::Party& party);
  [[nodiscard]] media::test::RoutedRelays& relays() { return *relays_; }
  [[nodiscard]] bool apart() const { return apart_; }
  [[nodiscard]] std::uint64_t transcoded() const { return relays_->transcoded(); }
  // A prompt of that name, made of a sound.
  void record_prompt(const std::string& name, const Sound& sound, double seconds);
  // Called for each new phone, before its first word.
  std::function<void(const sim::Party& party, Phone& phone)> set_up;

  // What the party may send now, by its session description and the state of its call; and where to.
  struct Way {
    sdp::Format format;
    SocketAddress to;
  };
  [[nodiscard]] static std::optional<Way> way_of(const sim::Party& party);

 private:
  struct Seat {
    sim::Peer* peer = nullptr;
    bool set_up = false;
    Phone phone;
    Keypad keypad;
    Seat(sim::Peer* peer_, std::uint32_t ssrc) : peer(peer_), phone(ssrc) {}
  };

  [[nodiscard]] Seat& seat_of(const sim::Party& party);
  [[nodiscard]] static const sim::Party* party_of(const Seat& seat);
  void tick(sim::World& world, Seat& seat);
  // Carries all packets that are on their way.
  void pump(sim::World& world);
  void arm(sim::World& world);
  void feed(sim::World& world, std::vector<media::Result>& results);

  media::PromptLibrary::Prompts prompts_;
  std::shared_ptr<media::PromptLibrary> library_ = std::make_shared<media::PromptLibrary>();
  std::optional<media::test::RoutedRelays> relays_;
  bool apart_ = false;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::optional<Time> armed_;
};

// The frequency by which each party of the usual cast is known.
[[nodiscard]] double hz_of(const std::string& role);

}  // namespace baton::audio
