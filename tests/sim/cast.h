// Three parties and a transfer between them: what the named flows share.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "oracles.h"
#include "stage.h"

namespace baton::sim {

struct Play {
  bool inbound = true;
  Script transferee, transferor, target;
  StageOptions options = {};
  std::string target_number = number::target;
};

// A call and a REFER 500 ms after it is up; the target rings after 100 ms and answers after 1 s.
[[nodiscard]] Play usual_play(bool inbound = true);
// Beside what the play configures already.
void configure_also(Play& play, const std::function<void(trunk::Model&)>& more);

class Cast {
 public:
  explicit Cast(const Play& play);

  Stage stage;
  Party* transferee = nullptr;
  Party* transferor = nullptr;  // set once it exists
  // The newest call at the target's carrier.
  [[nodiscard]] Party* target() { return Stage::newest(stage.east); }

  World& world() { return stage.world; }
  void hang_up(Party& party) { party.peer->act(party, {.what = What::bye}); }
  void refer(const std::string& refer_to, const Headers& headers = {});
  bool run_until_refer_answered(std::size_t count = 1);
  bool run_until_final_notify();

  // The transferee talks with the target, the transferor was told and let go; then the transferee hangs up
  // and every trace of the call is right.
  void expect_transferred();
  // The REFER came to nothing: the NOTIFY said so, the two talk as before; then the transferor hangs up.
  void expect_as_before(int notified_status);
  // The REFER was refused with that status; otherwise as before.
  void expect_refused(int status);
  void expect_rest();
  // Prints the journal of a failed test when SIM_JOURNAL is set.
  void expect_no_violation();

 private:
  void expect_still_talking();
  bool inbound_;
};

// Runs a test of both directions of calls.
class BothWays : public ::testing::TestWithParam<bool> {
 protected:
  [[nodiscard]] Play play() const { return usual_play(GetParam()); }
};
[[nodiscard]] std::string direction_name(const ::testing::TestParamInfo<bool>& info);

}  // namespace baton::sim
