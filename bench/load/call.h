// One call as its three parties see it. All that is kept of a dialog is what the next message needs.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "load/wire.h"

namespace baton::bench {

// Nanoseconds, of the steady clock unless said otherwise.
using Nanos = std::int64_t;

// One party's dialog with the server.
struct Leg {
  bool up = false;                // 2xx and ACK have passed
  bool over = false;              // BYE has been answered
  Link link = 0;                  // where its messages go
  std::string call_id;            // made by whoever sent the INVITE
  std::string server;             // From or To value of the server's side, with its tag
  std::string ours;               // From or To value of our side, with our tag
  std::string contact;            // the server's Contact, for requests of ours
  std::string routes;             // the Route lines of them
  std::string description;        // the server's, where its audio is
  std::uint32_t cseq = 0;         // of our latest request
  std::uint32_t heard_cseq = 0;   // of the server's latest request
  std::uint64_t branch = 0;       // of it
  std::string waiting;            // a request or 2xx of ours that is not answered yet, to be sent again
  std::uint32_t waiting_for = 0;  // tells one waiting message from the next
  std::string answer;             // our response to the server's latest request, for a repeat of it
};

struct Call {
  enum class Stage : std::uint8_t { setting_up, talking, asking, referring, handed_over, ending };

  std::uint64_t number = 0;  // 0: the place is free
  Stage stage = Stage::setting_up;
  std::array<Leg, role_count> legs;
  Nanos started = 0;
  Nanos referred = 0;  // by CLOCK_REALTIME, when the REFER went out
  bool refer_accepted = false, told_final = false;
  std::uint8_t notified = 0;
  std::uint64_t to_ask = 0;  // requests within the dialog that are still to come
  Nanos asked = 0;
  bool told = false, passed_on = false;  // of the latest: its answer, and it at the other party

  [[nodiscard]] Leg& leg(Role role) { return legs[static_cast<std::size_t>(role)]; }
};

}  // namespace baton::bench
