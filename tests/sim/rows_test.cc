// Every row of the transfer table is taken by a flow named after it. A row without a flow fails the test.
#include <algorithm>
#include <functional>
#include <utility>

#include "call/transfer_table.h"
#include "cast.h"

namespace baton::sim {
namespace {

using call::TransferEvent;
using call::TransferState;
using S = TransferState;
using E = TransferEvent;

struct Row {
  S from;
  E event;
  std::function<void(Play&)> script;
  std::function<void(Cast&)> drive = {};
};

// The REFER names a host that has to be looked up, which takes a while: the transfer stays in `checking`.
void looked_up(Play& play) {
  play.transferor.acts[0].text = Stage::refer_to(number::target, "pbx.example.net");
  play.options.dns = {{"pbx.example.net", {IpAddress::v4(203, 0, 113, 20)}}};
  play.options.dns_delay = 3s;
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.allowed_hosts = {"pbx.example.net"};
  };
}

void slow_to_ring(Play& play) {
  play.target.ring_after = 8s;
  play.target.final_after = 10s;
}
void rings_long(Play& play) {
  play.target.final_after = 30s;
}
void never_answers(Play& play) {
  play.target.final_after.reset();
}

void transferor_leaves(Play& play, Duration after_call) {
  play.transferor.acts.push_back({When::established, after_call, What::bye});
}
void transferee_leaves(Play& play, Duration after_call) {
  play.transferee.acts.push_back({When::established, after_call, What::bye});
}
void second_refer(Play& play, Duration after_call) {
  play.transferor.acts.push_back(Stage::refer(number::target, after_call));
}

// The target is on another line already, or rings there.
void attended(Play& play) {
  auto consultation = std::make_shared<Script>();
  consultation->role = "consultation";
  play.transferor.consultation = consultation;
  play.transferor.acts = {Stage::consult(number::target), Stage::refer_attended(11s)};
}

void cancel_by_api(Cast& cast) {
  const auto started = [](const engine::Log& log) { return log.event.starts_with("transfer."); };
  const auto& logs = cast.world().logs();
  cast.world().run_until([&] { return std::any_of(logs.begin(), logs.end(), started); });
  cast.world().run_for(1s);
  for (const engine::Log& log : logs) {
    for (const auto& [name, value] : log.fields) {
      if (name != "transfer") continue;
      cast.world().feed(engine::CancelTransfer{value});
      return;
    }
  }
}

void no_ringing(Play& play) {
  play.target.ring_after.reset();
}

void on_trunks(Play& play, const std::function<void(trunk::TransferSettings&)>& change) {
  configure_also(play, [change](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) change(trunk.transfer);
  });
}
void fallback(Play& play) {
  on_trunks(play,
            [](trunk::TransferSettings& settings) { settings.fallback_targets = {number::failover_target}; });
}
void continues(Play& play) {
  on_trunks(play, [](trunk::TransferSettings& settings) { settings.early_bye_continues = true; });
}
void waits(Play& play) {
  on_trunks(play, [](trunk::TransferSettings& settings) { settings.last_bye = trunk::LastBye::transferor; });
}

// Two scripts in one.
template <typename... F>
std::function<void(Play&)> both(F... parts) {
  return [parts...](Play& play) { (parts(play), ...); };
}
auto at(void (*what)(Play&, Duration), Duration when) {
  return [what, when](Play& play) { what(play, when); };
}

std::vector<Row> rows() {
  const auto nothing = [](Play&) {};
  return {
      {S::checking, E::target_allowed, looked_up},
      {S::checking, E::consultation_answered, attended},
      {S::checking, E::consultation_ringing, both(attended, rings_long)},
      {S::checking, E::target_forbidden,
       both(looked_up,
            [](Play& play) { play.options.dns["pbx.example.net"] = {IpAddress::v4(10, 1, 1, 1)}; })},
      {S::checking, E::transferor_left, both(looked_up, at(transferor_leaves, 1s))},
      {S::checking, E::transferee_left, both(looked_up, at(transferee_leaves, 1s))},
      {S::checking, E::superseded, both(looked_up, at(second_refer, 1s))},
      {S::checking, E::cancelled, looked_up, cancel_by_api},

      {S::dialing, E::target_ringing, nothing},
      {S::dialing, E::target_early_media, [](Play& play) { play.target.early_media = true; }},
      {S::dialing, E::target_answered, [](Play& play) { play.target.ring_after.reset(); }},
      {S::dialing, E::target_failed,
       [](Play& play) {
         play.target.ring_after.reset();
         play.target.final_status = 486;
       }},
      {S::dialing, E::ring_timeout,
       both(slow_to_ring, never_answers, [](Play& p) { p.target.ring_after.reset(); })},
      {S::dialing, E::transferor_left, both(slow_to_ring, at(transferor_leaves, 2s))},
      {S::dialing, E::transferee_left, both(slow_to_ring, at(transferee_leaves, 2s))},
      {S::dialing, E::superseded, both(slow_to_ring, at(second_refer, 2s))},
      {S::dialing, E::cancelled, slow_to_ring, cancel_by_api},

      {S::ringing, E::target_ringing,
       [](Play& play) {
         play.target.rings = 2;
         play.target.final_after = 5s;
       }},
      {S::ringing, E::target_early_media,
       [](Play& play) {
         play.target.rings = 2;
         play.target.early_media = true;
         play.target.final_after = 5s;
       }},
      {S::ringing, E::target_answered, nothing},
      {S::ringing, E::target_failed, [](Play& play) { play.target.final_status = 486; }},
      {S::ringing, E::ring_timeout, never_answers},
      {S::ringing, E::transferor_left, both(rings_long, at(transferor_leaves, 5s))},
      {S::ringing, E::transferee_left, both(rings_long, at(transferee_leaves, 5s))},
      {S::ringing, E::superseded, both(rings_long, at(second_refer, 5s))},
      {S::ringing, E::cancelled, rings_long, cancel_by_api},

      {S::dialing, E::next_target, both(slow_to_ring, fallback, never_answers, no_ringing)},
      {S::ringing, E::next_target, both(fallback, [](Play& play) { play.target.final_status = 486; })},
      {S::dialing, E::transferor_excused, both(slow_to_ring, continues, at(transferor_leaves, 2s))},
      {S::ringing, E::transferor_excused, both(rings_long, continues, at(transferor_leaves, 5s))},
      {S::orphaned, E::target_ringing, both(slow_to_ring, continues, at(transferor_leaves, 2s))},
      {S::orphaned, E::target_early_media,
       both(slow_to_ring, continues, at(transferor_leaves, 2s),
            [](Play& play) { play.target.early_media = true; })},
      {S::orphaned, E::target_answered, both(rings_long, continues, at(transferor_leaves, 5s))},
      {S::orphaned, E::next_target,
       both(rings_long, fallback, continues, at(transferor_leaves, 5s),
            [](Play& play) { play.target.final_status = 486; })},
      {S::orphaned, E::target_failed,
       both(rings_long, continues, at(transferor_leaves, 5s),
            [](Play& play) { play.target.final_status = 486; })},
      {S::orphaned, E::ring_timeout, both(never_answers, continues, at(transferor_leaves, 5s))},
      {S::orphaned, E::transferee_left,
       both(rings_long, continues, at(transferor_leaves, 5s), at(transferee_leaves, 9s))},
      {S::orphaned, E::cancelled, both(rings_long, continues, at(transferor_leaves, 1200ms)), cancel_by_api},

      {S::parting, E::left_to_transferor, waits},
      {S::lingering, E::transferor_left,
       both(waits,
            [](Play& play) {
              play.transferor.acts.push_back({When::final_notified, 3s, What::bye});
            })},
      {S::lingering, E::bye_overdue, waits},
      {S::lingering, E::transferee_left, both(waits, at(transferee_leaves, 9s))},
      {S::lingering, E::target_left,
       both(waits,
            [](Play& play) {
              play.target.acts = {{When::established, 4s, What::bye}};
            })},

      {S::parting, E::notify_settled, nothing},
      {S::parting, E::transferor_left,
       [](Play& play) {
         play.transferor.notify_answers = {200, 200, 0};
         play.transferor.acts.push_back({When::final_notified, {}, What::bye});
       }},
      {S::releasing, E::transferor_left, nothing},
  };
}

bool took(Cast& cast, const Row& row) {
  const auto& logs = cast.world().logs();
  return std::any_of(logs.begin(), logs.end(), [&](const engine::Log& log) {
    const auto says = [&](const char* name, std::string_view value) {
      return std::find(log.fields.begin(), log.fields.end(),
                       std::pair<std::string, std::string>(name, value)) != log.fields.end();
    };
    return log.event == "transfer.step" && says("from", to_string(row.from)) &&
           says("event", to_string(row.event));
  });
}

std::string row_name(const Row& row) {
  return std::string(to_string(row.from)) + "_" + std::string(to_string(row.event));
}

class TransferRows : public ::testing::TestWithParam<std::tuple<bool, std::size_t>> {};
INSTANTIATE_TEST_SUITE_P(Table, TransferRows,
                         ::testing::Combine(::testing::Bool(),
                                            ::testing::Range(std::size_t{0}, rows().size())),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param) ? "inbound_" : "outbound_") +
                                  row_name(rows()[std::get<1>(test.param)]);
                         });

TEST_P(TransferRows, IsTaken) {
  const auto [inbound, index] = GetParam();
  const Row row = rows()[index];
  Play play = usual_play(inbound);
  row.script(play);
  Cast cast(play);
  if (row.drive) row.drive(cast);
  cast.world().run_for(100s);
  cast.world().wind_down();
  EXPECT_TRUE(took(cast, row));
  cast.expect_no_violation();
}

TEST(TransferTable, EveryRowHasAFlow) {
  const std::vector<Row> tested = rows();
  for (const call::TransferRow& row : call::transfer_table) {
    if (row.verdict != call::Verdict::row) continue;
    const bool found = std::any_of(tested.begin(), tested.end(), [&](const Row& candidate) {
      return candidate.from == row.from && candidate.event == row.event;
    });
    EXPECT_TRUE(found) << to_string(row.from) << ", " << to_string(row.event);
  }
}

}  // namespace
}  // namespace baton::sim
