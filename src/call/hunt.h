// A hunt: one outgoing party being looked for over its routes and each route's targets, one leg at a time
// (RFC 3263 4.3 failover; fallback URI; carriers in order). Targets that failed lately come last. A value
// inside a call or a transfer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/target.h"
#include "call/leg.h"
#include "trunk/policy.h"

namespace baton::call {

struct Hunt {
  std::string number;  // E.164 of who is sought
  std::string party;   // the ladder's column
  trunk::CallerId caller;
  std::vector<trunk::Diversion> diversions;  // who was called before, the latest first
  sdp::Codecs codecs;
  std::vector<sip::Draft::Field> headers;
  int max_forwards = 70;
  Duration no_answer_after{};  // per leg; 0: no limit of its own

  std::vector<trunk::Route> routes;
  std::size_t next_route = 0;
  std::vector<Target> targets;  // of the route before next_route
  std::size_t next_target = 0;
  struct PutOff {
    std::size_t route = 0;
    Target target;
  };
  std::vector<PutOff> put_off;  // blocked ones, for when nothing else is left
  Target target;                // where `leg` is sent
  std::size_t route = 0;        // … and by which of the routes
  std::uint64_t query = 0;      // a look-up that is out; 0: none
  LegHandle leg;                // the one being tried

  // What to report when nothing is left: the last answer anybody gave, else that nobody did.
  int status = 0;
  std::string reason;
  int q850 = 0;  // the cause that came with it; 0: none

  [[nodiscard]] bool active() const { return query != 0 || static_cast<bool>(leg); }
};

}  // namespace baton::call
