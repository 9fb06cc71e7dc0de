// The usual cast: one account with an inbound and an outbound trunk, carriers with a gateway each, and their
// addresses. Flows, the exhaustive runs and the swarm all play on it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "peer.h"
#include "trunk/model.h"
#include "world.h"

namespace baton::sim {

namespace number {
inline constexpr const char* caller = "+12125550123";      // somebody out there, on the western carrier
inline constexpr const char* own = "+14155550100";         // ours, delivered to the endpoint
inline constexpr const char* own_second = "+14155550200";  // ours, delivered to the second endpoint
inline constexpr const char* callee = "+13105550177";      // whom the endpoint calls
inline constexpr const char* target = "+442079460123";     // on the eastern carrier
inline constexpr const char* other_target = "+442079460456";
inline constexpr const char* failover_target = "+493012345678";  // on the carrier with two gateways
inline constexpr const char* barred_target = "+8821234567";      // a country not allowed
inline constexpr const char* routeless_target = "+5511987654321";
}  // namespace number

inline constexpr const char* inbound_domain = "in1.sip.baton.test";
inline constexpr const char* outbound_domain = "out1.sip.baton.test";

struct StageOptions {
  std::uint64_t seed = 1;
  Transport endpoint_transport = Transport::udp;
  Transport target_transport = Transport::udp;
  LinkOptions link;
  std::vector<Fault> faults;
  bool timers_win_ties = false;
  Duration media_delay{};
  std::map<std::string, std::vector<IpAddress>> dns = {};
  std::map<std::string, std::vector<Target>> dns_targets = {};
  Duration dns_delay = 20ms;
  std::function<void(trunk::Model&)> configure = {};
  RealMedia* media = nullptr;
  bool trace = true;
};

class Stage {
 public:
  explicit Stage(const StageOptions& options);

  World world;
  Peer& west;        // carrier: callers, and the callees of outbound calls
  Peer& east;        // carrier: transfer targets
  Peer& first_gate;  // the two gateways of a third carrier
  Peer& second_gate;
  Peer& endpoint;
  Peer& second_endpoint;

  // Somebody calls our number; the endpoint does what its script says.
  Party& inbound(Script caller, Script endpoint_script);
  // The endpoint calls somebody.
  Party& outbound(Script endpoint_script, Script callee);
  // The newest call of a peer; null before it has one.
  static Party* newest(Peer& peer);

  // "<sip:+44…@in1.sip.baton.test>"
  static std::string refer_to(const std::string& to, const std::string& domain = inbound_domain);
  static Act refer(const std::string& to, Duration after = 500ms, When when = When::established);
  // The endpoint calls `to` as well, and transfers its first call there.
  static Act consult(const std::string& to, Duration after = 500ms);
  static Act refer_attended(Duration after, const std::string& target = "sip:phone@192.168.7.7:5062");
  // From outside its dialog, to the outbound trunk.
  static Act refer_outside(const std::string& to, Duration after, When when = When::established);
  // Another phone of the endpoint's takes the call.
  static Act take_over(Duration after, When when = When::established);
};

[[nodiscard]] trunk::Model usual_model(Transport endpoint_transport, Transport target_transport);

}  // namespace baton::sim
