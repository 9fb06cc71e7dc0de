// The main flows with a fault at every message, and with two. A fault that the transactions repair must not
// change how the flow ends; none may leave anything broken behind.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <ostream>
#include <string>
#include <vector>

#include "oracles.h"
#include "stage.h"

namespace baton::sim {
namespace {

struct Flow {
  std::string name;
  bool inbound = true;
  Script transferee, transferor, target;
  Transport transport = Transport::udp;
};

void PrintTo(const Flow& flow, std::ostream* out) {
  *out << flow.name;
}
std::string flow_name(const ::testing::TestParamInfo<Flow>& test) {
  return test.param.name;
}

// Long enough for two lost messages of one transaction, and for a ring timeout of 20 s.
constexpr Duration span = 50s;

struct Outcome {
  std::string ending;
  unsigned messages = 0;
  std::string report, journal;
};

StageOptions options_for(const Flow& flow, std::vector<Fault> faults) {
  StageOptions options;
  options.endpoint_transport = options.target_transport = flow.transport;
  options.faults = std::move(faults);
  options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.ring_timeout = 20s;
    model.carriers[1].gateways[0].auth_username = "baton";
    model.carriers[1].gateways[0].auth_password = "gate secret";
  };
  return options;
}

// How the flow stands for those in it: the transfers' outcomes, and whom the transferee hears.
std::string describe(Stage& stage, const Party* transferee) {
  std::vector<std::string> records;
  for (const call::TransferRecord& record : stage.world.transfers()) {
    records.push_back(record.outcome + " " + std::to_string(record.final_status) + "; ");
  }
  for (const call::Cdr& cdr : stage.world.cdrs())
    records.push_back(cdr.leg_role + " " + cdr.hangup_cause + "; ");
  // A repetition may put one record before the other; what they say must stay.
  std::sort(records.begin(), records.end());
  std::string text;
  for (const std::string& record : records) text += record;
  if (transferee == nullptr) return text + "no transferee";
  return text + (transferee->up() ? "hears " + stage.world.oracles().hears(*transferee) : "transferee gone");
}

Outcome run(const Flow& flow, std::vector<Fault> faults) {
  Stage stage(options_for(flow, std::move(faults)));
  stage.east.expect(number::target, flow.target);
  Script other = flow.target;
  other.role = "other target";
  stage.east.expect(number::other_target, other);
  if (flow.inbound) {
    stage.inbound(flow.transferee, flow.transferor);
  } else {
    stage.outbound(flow.transferor, flow.transferee);
  }
  stage.world.run_for(span);
  Outcome outcome;
  outcome.ending = describe(stage, Stage::newest(stage.west));
  stage.world.wind_down();
  outcome.messages = stage.world.messages();
  outcome.report = stage.world.report();
  outcome.journal = stage.world.journal();
  return outcome;
}

Flow flow(std::string name, bool inbound, const std::function<void(Flow&)>& change = {}) {
  Flow flow;
  flow.name = std::move(name);
  flow.inbound = inbound;
  flow.transferee.role = "transferee";
  flow.transferor.role = "transferor";
  flow.target.role = "target";
  flow.transferee.final_after = flow.transferor.final_after = 300ms;
  flow.target.ring_after = 100ms;
  flow.target.final_after = 6s;
  flow.transferor.acts = {Stage::refer(number::target, 2s)};
  if (change) change(flow);
  return flow;
}

// The target is called by the transferor itself, and answers after `answer`; the REFER comes after 8 s.
void attended(Flow& flow, Duration answer) {
  flow.target.final_after = answer;
  auto consultation = std::make_shared<Script>();
  consultation->role = "consultation";
  flow.transferor.consultation = consultation;
  flow.transferor.acts = {Stage::consult(number::target, 1s), Stage::refer_attended(8s)};
}

std::vector<Flow> flows() {
  std::vector<Flow> all;
  for (const bool inbound : {true, false}) {
    const std::string prefix = inbound ? "inbound_" : "outbound_";
    all.push_back(flow(prefix + "answered", inbound));
    all.push_back(flow(prefix + "busy", inbound, [](Flow& f) { f.target.final_status = 486; }));
    all.push_back(flow(prefix + "rings_out", inbound, [](Flow& f) { f.target.final_after.reset(); }));
    all.push_back(flow(prefix + "transferee_leaves", inbound, [](Flow& f) {
      f.target.final_after = 30s;
      f.transferee.acts = {{When::established, 12s, What::bye}};
    }));
    all.push_back(flow(prefix + "early_bye", inbound, [](Flow& f) {
      f.target.final_after = 30s;
      f.transferor.acts.push_back({When::established, 12s, What::bye});
    }));
    all.push_back(flow(prefix + "second_refer", inbound, [](Flow& f) {
      f.target.final_after = 12s;
      f.transferor.acts.push_back(Stage::refer(number::other_target, 8s));
    }));
    all.push_back(flow(prefix + "on_hold", inbound, [](Flow& f) {
      f.transferor.acts = {{When::established, 1s, What::hold}, Stage::refer(number::target, 9s)};
    }));
    all.push_back(flow(prefix + "target_hangs_up_at_once", inbound, [](Flow& f) {
      f.target.acts = {{When::established, {}, What::bye}};
    }));
    all.push_back(flow(prefix + "crossing_answer", inbound, [](Flow& f) {
      f.target.final_after = 30s;
      f.target.answers_though_cancelled = true;
      f.transferee.acts = {{When::established, 12s, What::bye}};
    }));
    all.push_back(flow(prefix + "refer_before_ack", inbound, [](Flow& f) {
      f.transferor.ack_after = 400ms;
      f.transferor.acts[0].when = When::answered;
      f.transferor.acts[0].after = 200ms;
    }));
    all.push_back(flow(prefix + "challenged", inbound, [](Flow& f) {
      f.target.challenge = 407;
      f.target.password = "gate secret";
    }));
    all.push_back(flow(prefix + "offerless", inbound, [](Flow& f) {
      f.transferee.offerless = f.transferor.offerless = true;
      f.transferee.acts = {{When::established, 9s, What::offerless}};
    }));
    all.push_back(flow(prefix + "target_silent", inbound, [](Flow& f) { f.target.silent = true; }));
    all.push_back(flow(prefix + "attended", inbound, [](Flow& f) { attended(f, 1s); }));
    all.push_back(flow(prefix + "semi_attended", inbound, [](Flow& f) {
      attended(f, 16s);
      f.target.rings = 2;
    }));
    all.push_back(flow(prefix + "attended_over_tcp", inbound, [](Flow& f) {
      attended(f, 1s);
      f.transport = Transport::tcp;
    }));
    all.push_back(flow(prefix + "replaced", inbound, [](Flow& f) {
      auto replacement = std::make_shared<Script>();
      replacement->role = "replacement";
      f.transferor.replacement = replacement;
      f.transferor.acts = {Stage::take_over(2s)};
    }));
    all.push_back(flow(prefix + "from_outside", inbound,
                       [](Flow& f) { f.transferor.acts = {Stage::refer_outside(number::target, 2s)}; }));
    all.push_back(flow(prefix + "over_tcp", inbound, [](Flow& f) { f.transport = Transport::tcp; }));
  }
  return all;
}

class Exhaustive : public ::testing::TestWithParam<Flow> {
 protected:
  // True when the run is as it must be; says what is not.
  bool check(const std::vector<Fault>& faults, const std::string& ending) {
    const Outcome outcome = run(GetParam(), faults);
    std::string name;
    // A REFER that is there before the 2xx is answered 491, and the transfer is not to be.
    const bool hasty = GetParam().transferor.ack_after > Duration{};
    bool repaired = GetParam().transport == Transport::udp && !hasty;
    for (const Fault& fault : faults) {
      name += to_string(fault) + " ";
      // What waits for the next timer may wait longer than the flow, and so end otherwise.
      if (fault.kind == Fault::Kind::after_timer) repaired = false;
    }
    const bool as_expected = !repaired || outcome.ending == ending;
    if (outcome.report.empty() && as_expected) return true;
    ADD_FAILURE() << "faults " << name << "\n"
                  << outcome.report << "ends: " << outcome.ending << "\nwithout faults: " << ending;
    if (std::getenv("SIM_JOURNAL") != nullptr) std::cout << outcome.journal;
    return false;
  }

  [[nodiscard]] std::vector<Fault::Kind> kinds() const {
    if (GetParam().transport == Transport::tcp) return {Fault::Kind::break_connection};
    return {Fault::Kind::drop, Fault::Kind::duplicate, Fault::Kind::after_next, Fault::Kind::after_timer};
  }
};

INSTANTIATE_TEST_SUITE_P(Flows, Exhaustive, ::testing::ValuesIn(flows()), flow_name);

TEST_P(Exhaustive, EveryFault) {
  const Outcome clean = run(GetParam(), {});
  ASSERT_EQ(clean.report, "");
  unsigned failures = 0;
  for (unsigned nth = 1; nth <= clean.messages && failures < 5; ++nth) {
    for (const Fault::Kind kind : kinds()) {
      if (!check({{nth, kind}}, clean.ending)) ++failures;
    }
  }
}

// All pairs take minutes (SIM_PAIRS=all); otherwise a drawn part of them, the same in every run.
TEST_P(Exhaustive, PairsOfFaults) {
  const Outcome clean = run(GetParam(), {});
  ASSERT_EQ(clean.report, "");
  const char* wanted = std::getenv("SIM_PAIRS");
  const bool all = wanted != nullptr && std::string_view(wanted) == "all";
  constexpr std::uint64_t pairs_wanted = 150;
  const std::uint64_t pairs = clean.messages * clean.messages * kinds().size() * kinds().size() / 2;
  Rng rng(std::hash<std::string>{}(GetParam().name));
  unsigned failures = 0;
  for (unsigned first = 1; first <= clean.messages; ++first) {
    // The first fault brings repetitions with it, which the second may hit.
    for (unsigned second = first + 1; second <= clean.messages + 4; ++second) {
      for (const Fault::Kind one : kinds()) {
        for (const Fault::Kind two : kinds()) {
          if (!all && !rng.chance(pairs_wanted, std::max<std::uint64_t>(pairs, pairs_wanted))) continue;
          if (!check({{first, one}, {second, two}}, clean.ending) && ++failures >= 5) return;
        }
      }
    }
  }
}

}  // namespace
}  // namespace baton::sim
