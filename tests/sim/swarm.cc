// Random worlds. A seed draws everything: network, configuration, who does what when. First a phase with
// faults, then one without, in which everything must come to rest.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "oracles.h"
#include "stage.h"

namespace baton::sim {
namespace {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : rng_(seed) {}

  bool chance(std::uint64_t percent) { return rng_.chance(percent, 100); }
  Duration span(Duration low, Duration high) { return Duration{rng_.between(low.count(), high.count())}; }
  template <typename T>
  T pick(std::initializer_list<T> values) {
    return *(values.begin() + rng_.below(values.size()));
  }
  std::uint64_t below(std::uint64_t bound) { return rng_.below(bound); }

  LinkOptions link() {
    LinkOptions link;
    if (chance(60)) link.loss_permille = static_cast<unsigned>(below(200));
    if (chance(40)) link.duplicate_permille = static_cast<unsigned>(below(150));
    if (chance(30)) link.break_permille = static_cast<unsigned>(below(40));
    link.delay = span(500us, 80ms);
    if (chance(50)) link.jitter = span(1ms, 400ms);
    return link;
  }

  std::vector<sdp::Codec> codecs() {
    using sdp::Codec;
    switch (below(8)) {
      case 0:
        return {Codec::pcmu};
      case 1:
        return {Codec::pcma};
      case 2:
        return {Codec::pcma, Codec::pcmu};
      case 3:
        return {Codec::opus, Codec::pcmu};
      case 4:
        return {Codec::g722};
      case 5:
        return {Codec::pcmu, Codec::g722, Codec::opus};
      default:
        return {Codec::pcmu, Codec::pcma};
    }
  }

  // As each party has it: most have none, and a few insist.
  sdp::SrtpRules srtp() {
    sdp::SrtpRules rules;
    rules.use = chance(60) ? sdp::SrtpUse::off : chance(75) ? sdp::SrtpUse::optional : sdp::SrtpUse::required;
    const std::size_t first = below(sdp::all_suites.size());
    const std::size_t count = 1 + below(sdp::all_suites.size());
    rules.suites.clear();
    for (std::size_t i = 0; i < count; ++i) {
      rules.suites.push_back(sdp::all_suites[(first + i) % sdp::all_suites.size()]);
    }
    return rules;
  }

  trunk::Srtp srtp_of_server() {
    using trunk::Srtp;
    return chance(5) ? Srtp::required
                     : pick({Srtp::optional, Srtp::optional, Srtp::optional, Srtp::by_transport, Srtp::off});
  }

  std::string refer_to() {
    const std::string number = pick<std::string>({number::target, number::target, number::other_target,
                                                  number::failover_target, number::own_second, number::own,
                                                  number::routeless_target, number::barred_target, "+123"});
    const std::string host =
        chance(95) ? pick<std::string>({inbound_domain, outbound_domain}) : "example.com";
    if (chance(5)) return "<tel:" + number + ">";
    return Stage::refer_to(number, host);
  }

  void acts_in_a_call(Script& script) {
    if (chance(25)) script.acts.push_back({When::established, span(0s, 20s), What::hold});
    if (chance(15)) script.acts.push_back({When::established, span(5s, 40s), What::resume});
    if (chance(20)) script.acts.push_back({When::established, span(0s, 30s), What::offerless});
    if (chance(20)) script.acts.push_back({When::established, span(0s, 30s), What::reinvite});
    if (chance(15)) script.acts.push_back({When::established, span(0s, 30s), What::info});
    if (chance(15)) script.acts.push_back({When::established, span(0s, 30s), What::options});
    if (chance(10)) script.acts.push_back({When::established, span(0s, 30s), What::lose_connection});
    if (chance(40)) script.acts.push_back({When::established, span(0s, 60s), What::bye});
    if (chance(5)) script.acts.push_back({When::answered, {}, What::bye});
    if (chance(2)) script.acts.push_back({When::established, span(0s, 30s), What::vanish});
  }

  void abilities(Script& script) {
    script.timer = chance(30);
    script.allows_update = chance(30);
    if (script.timer && chance(50))
      script.session_expires = pick<std::string>({"1800", "90;refresher=uac", "200"});
    if (script.timer && chance(50)) {
      script.answers_expires =
          pick<std::string>({"1800;refresher=uas", "90;refresher=uac", "90;refresher=uas"});
    }
    if (chance(5)) script.min_se = 2000;
    if (chance(10)) script.update_status = pick({491, 500, 504, 405});
    script.supports_100rel = chance(30);
    script.requires_100rel = chance(10);
    script.offers_in_prack = chance(10);
    script.reliable = chance(30);
    if (chance(10)) script.fork_tags = {"forka", "forkb"};
    if (!script.fork_tags.empty() && chance(40)) {
      script.fork_codecs = codecs();
      if (chance(50)) script.fork_suites = srtp().suites;
    }
    if (chance(15)) script.acts.push_back({When::established, span(0s, 30s), What::update});
    if (chance(15)) script.acts.push_back({When::established, span(0s, 30s), What::update_offer});
    if (chance(10)) script.acts.push_back({When::ringing, span(0s, 5s), What::update});
  }

  Script party(const std::string& role) {
    Script script;
    script.role = role;
    if (chance(20)) {
      script.ring_after.reset();
    } else {
      script.ring_after = span(0s, 3s);
    }
    script.early_media = chance(25);
    if (chance(10)) {
      script.final_after.reset();
    } else {
      script.final_after = span(0s, 8s);
    }
    if (chance(25)) script.final_status = pick({302, 404, 480, 486, 488, 500, 503, 600, 603});
    if (script.final_status == 302) script.redirect_to = "<sip:+442079460999@203.0.113.20>";
    script.silent = chance(3);
    if (chance(10)) {
      script.challenge = pick({401, 407});
      script.password = "gate secret";
    }
    script.answers_though_cancelled = chance(20);
    script.offerless = chance(10);
    script.codecs = codecs();
    script.srtp = srtp();
    if (chance(15)) script.ack_after = span(0s, 2s);
    if (chance(10)) script.reinvite_status = pick({491, 488, 500});
    if (chance(15)) script.acts.push_back({When::started, span(0s, 6s), What::cancel});
    acts_in_a_call(script);
    abilities(script);
    return script;
  }

  // One more call, and a REFER to whoever is on it; it may ring still, be over, or never have been.
  void consult(Script& script, const std::string& role) {
    auto consultation = std::make_shared<Script>(party("consultation of " + role));
    if (chance(80)) consultation->username = "agent";
    consultation->password = "correct horse";
    script.consultation = consultation;
    script.acts.push_back(
        Stage::consult(pick<std::string>({number::target, number::other_target, number::failover_target,
                                          number::own_second, number::own, number::routeless_target}),
                       span(0s, 6s)));
    Act refer = Stage::refer_attended(span(0s, 20s));
    if (chance(10)) refer.headers.push_back({"Refer-Sub", "false"});
    if (chance(10)) refer.text = "<sip:x@192.0.2.1?Replaces={replaces}%3bearly-only>";
    script.acts.push_back(refer);
    if (chance(10)) script.acts.push_back(Stage::refer_attended(span(0s, 20s)));
  }

  // What is done about a call from outside its dialog, by an endpoint that may or may not log in.
  void from_outside(Script& script, const std::string& role) {
    if (chance(12)) {
      auto replacement = std::make_shared<Script>(party("replacement of " + role));
      if (chance(80)) replacement->username = "agent";
      replacement->password = "correct horse";
      script.replacement = replacement;
      Act take_over =
          Stage::take_over(span(0s, 20s), pick({When::established, When::established, When::ringing}));
      if (chance(15)) take_over.text = ";early-only";
      if (chance(10)) take_over.text = "x";  // no such tag
      script.acts.push_back(take_over);
    }
    if (chance(12)) {
      Act refer = Stage::refer_outside(
          {}, span(0s, 25s), pick({When::established, When::established, When::established, When::ringing}));
      refer.text = refer_to();
      script.acts.push_back(refer);
    }
  }

  Script referrer(const std::string& role) {
    Script script = party(role);
    if (chance(85)) script.final_status = 200;
    if (chance(80)) {
      script.challenge = 0;
      script.username = "agent";
      script.password = "correct horse";
    }
    const std::uint64_t refers = 1 + below(3);
    for (std::uint64_t i = 0; i < refers; ++i) {
      Act act{pick({When::established, When::established, When::established, When::answered, When::ringing}),
              span(0s, 25s), What::refer, refer_to()};
      if (chance(10)) act.headers.push_back({"Refer-Sub", "false"});
      if (chance(5)) act.headers.push_back({"Require", pick<std::string>({"nosub", "time-travel"})});
      script.acts.push_back(std::move(act));
    }
    for (int i = 0; i < 6; ++i) {
      script.notify_answers.push_back(chance(90) ? 200 : pick({481, 405, 489, 408, 500, 0}));
    }
    if (chance(25)) consult(script, role);
    from_outside(script, role);
    if (chance(20)) script.acts.push_back({When::refer_answered, span(0s, 5s), What::bye});
    if (chance(20)) script.acts.push_back({When::ringing_notified, span(0s, 3s), What::bye});
    if (chance(20)) script.acts.push_back({When::final_notified, span(0s, 1s), What::bye});
    if (chance(10)) script.acts.push_back({When::notified, span(0s, 3s), What::unsubscribe});
    return script;
  }

  void configuration(trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) {
      trunk.transfer.enabled = !chance(3);
      trunk.transfer.accept_code = pick({202, 200});
      trunk.transfer.ring_timeout = span(3s, 40s);
      trunk.transfer.depth_max = chance(90) ? 20 : 2;
      trunk.answer_timeout = span(5s, 40s);
      trunk.transfer.attended = !chance(5);
      trunk.transfer.notify_id_first = chance(10);
      trunk.transfer.notify_progress = !chance(10);
      trunk.transfer.last_bye =
          chance(70) ? trunk::LastBye::server : pick({trunk::LastBye::transferor, trunk::LastBye::either});
      trunk.transfer.early_bye_continues = chance(20);
      trunk.transfer.return_on_target_hangup = chance(15);
      if (chance(20)) trunk.transfer.fallback_targets = {number::other_target, number::failover_target};
      if (chance(15)) trunk.transfer.announcement = "moment.wav";
      if (chance(15)) trunk.unavailable_announcement = "sorry.wav";
      trunk.sip.srtp = srtp_of_server();
      if (chance(5)) trunk.cps_max = 1;
      if (chance(5)) trunk.concurrent_max = 2;
    }
    model.announcements = {{"moment.wav", span(10ms, 10s)}, {"sorry.wav", span(10ms, 10s)}};
    trunk::Account& account = model.accounts.front();
    if (chance(10)) account.concurrent_max = static_cast<unsigned>(2 + below(4));
    if (chance(10)) account.balance_micros = static_cast<std::int64_t>(below(3'000'000));
    for (trunk::Carrier& carrier : model.carriers) {
      carrier.rate_per_minute_micros = static_cast<std::int64_t>(below(1'000'000));
      carrier.strip_plus = false;
      carrier.sip.srtp = srtp_of_server();
      carrier.trusted_to_transfer = chance(5);
    }
    if (chance(15)) {
      model.trunks[2].credentials = {{"agent", "correct horse"}};
      if (chance(70)) model.trunks[2].acl.clear();
    }
    for (trunk::Carrier& carrier : model.carriers) {
      if (chance(50)) {
        carrier.gateways[0].auth_username = "baton";
        carrier.gateways[0].auth_password = "gate secret";
      }
      // By name: two answers, of which the first may be dead; or none.
      if (chance(15)) carrier.gateways[0].host = carrier.id + ".example.net";
    }
    // The second endpoint is where the first one fails over to.
    if (chance(20)) model.trunks[0].fallback = model.trunks[1].primary;
  }

 private:
  Rng rng_;
};

StageOptions draw_stage(Draw& draw, std::uint64_t seed) {
  StageOptions options;
  options.seed = seed;
  options.link = draw.link();
  options.endpoint_transport = draw.chance(30) ? Transport::tcp : Transport::udp;
  options.target_transport = draw.chance(30) ? Transport::tcp : Transport::udp;
  options.timers_win_ties = draw.chance(50);
  if (draw.chance(20)) options.media_delay = draw.span(0s, 200ms);
  options.configure = [&draw](trunk::Model& model) { draw.configuration(model); };
  options.dns_delay = draw.span(0s, 2s);
  const IpAddress nobody = IpAddress::v4(203, 0, 113, 99);
  if (draw.chance(80)) options.dns["east.example.net"] = {nobody, IpAddress::v4(203, 0, 113, 20)};
  if (draw.chance(80)) options.dns["west.example.net"] = {IpAddress::v4(203, 0, 113, 10), nobody};
  options.dns["phone.example.net"] = {IpAddress::v4(203, 0, 113, 100)};
  if (draw.chance(80)) options.dns["twin.example.net"] = {IpAddress::v4(203, 0, 113, 30)};
  return options;
}

void start_calls(Draw& draw, Stage& stage) {
  // Found by its name once its connection is gone.
  if (stage.endpoint.transport() != Transport::udp && draw.chance(30))
    stage.endpoint.set_contact_host("phone.example.net");
  stage.east.expect(number::target, draw.party("target"));
  stage.east.expect(number::other_target, draw.party("other target"));
  for (Peer* gate : {&stage.first_gate, &stage.second_gate}) {
    gate->expect("", draw.party(gate->name()));
    if (draw.chance(20)) gate->set_reachable(false);
  }
  stage.second_endpoint.expect("", draw.referrer("second endpoint"));
  const std::uint64_t calls = 1 + draw.below(3);
  for (std::uint64_t i = 0; i < calls; ++i) {
    const bool trusted_refers = draw.chance(5);
    Script carrier_side = trusted_refers ? draw.referrer("outside " + std::to_string(i))
                                         : draw.party("outside " + std::to_string(i));
    Script endpoint_side = draw.referrer("endpoint " + std::to_string(i));
    if (draw.chance(80)) carrier_side.final_status = 200;
    const bool inbound = draw.chance(60);
    stage.world.after(draw.span(0s, 10s), [&stage, carrier_side, endpoint_side, inbound] {
      if (inbound) {
        stage.inbound(carrier_side, endpoint_side);
      } else {
        stage.outbound(endpoint_side, carrier_side);
      }
    });
  }
}

// What a swarm came across: a swarm that never saw a transfer succeed has tested nothing.
struct Tally {
  std::uint64_t messages = 0, answered = 0;
  std::map<std::string, std::uint64_t> outcomes;

  void add(const World& world) {
    messages += world.messages();
    for (const call::Cdr& cdr : world.cdrs()) answered += cdr.answered_at ? 1 : 0;
    for (const call::TransferRecord& record : world.transfers()) ++outcomes[record.outcome];
  }
};

// Things that happen to the server rather than to a call.
void schedule_incidents(Draw& draw, Stage& stage) {
  World& world = stage.world;
  if (draw.chance(5)) {
    world.after(draw.span(1s, 40s), [&world] { world.feed(engine::Drain{}); });
  }
  if (draw.chance(3)) {
    world.after(draw.span(1s, 40s), [&world] {
      world.oracles().excuse_byes();
      world.feed(engine::HangUpAll{});
    });
  }
  if (draw.chance(10)) {
    world.after(draw.span(1s, 40s), [&world] { world.media().refuse_next(1); });
  }
  if (draw.chance(10)) {
    auto model = std::make_shared<trunk::Model>(usual_model(Transport::udp, Transport::udp));
    draw.configuration(*model);
    world.after(draw.span(1s, 40s), [&world, model] { world.feed(engine::ModelChanged{model}); });
  }
  if (draw.chance(20)) {
    // Whichever transfer was logged last by then, decided or not.
    world.after(draw.span(1s, 40s), [&world] {
      std::string id;
      for (const engine::Log& log : world.logs()) {
        for (const auto& [name, value] : log.fields) {
          if (name == "transfer") id = value;
        }
      }
      if (!id.empty()) world.feed(engine::CancelTransfer{id});
    });
  }
  if (draw.chance(10)) {
    world.after(draw.span(5s, 60s), [&world] {
      if (world.media().open().empty()) return;
      const media::EndpointId endpoint = world.media().open().begin()->first;
      world.oracles().silent(endpoint);
      world.feed(engine::MediaDone{media::Silent{endpoint}});
    });
  }
}

// Without faults, and once what was lost has been sent again or given up, both sides of every leg see its
// SRTP alike; but for a moment, while one of them asks for a change.
void settle(Stage& stage) {
  World& world = stage.world;
  world.calm();
  world.run_for(40s);
  std::string wrong = world.oracles().keys_that_differ();
  for (int i = 0; i < 3 && !wrong.empty(); ++i) {
    world.run_for(2s);
    wrong = world.oracles().keys_that_differ();
  }
  if (!wrong.empty()) world.violation(wrong);
}

std::unique_ptr<Stage> play_seed(std::uint64_t seed) {
  Draw draw(seed * 0x9e37'79b9ULL + 1);
  auto stage = std::make_unique<Stage>(draw_stage(draw, seed));
  start_calls(draw, *stage);
  schedule_incidents(draw, *stage);
  stage->world.run_for(draw.span(20s, 90s));
  settle(*stage);
  stage->world.wind_down();
  return stage;
}

// Every so many seeds one is played twice: it must say the same, byte for byte.
constexpr std::uint64_t repeat_every = 25;

// Whether all was well; prints the journal when it was not, or when asked for.
bool run_seed(std::uint64_t seed, bool verbose, Tally& tally) {
  const auto stage = play_seed(seed);
  World& world = stage->world;
  if (seed % repeat_every == 0 && play_seed(seed)->world.journal() != world.journal()) {
    world.violation("the same seed gave another run");
  }
  tally.add(world);
  const bool good = world.violations().empty();
  if (verbose || !good) std::cout << world.journal();
  if (!good) {
    std::cout << "\nseed " << seed << ":\n"
              << world.report() << "replay with: sim_swarm --seed " << seed << " --verbose\n";
  }
  return good;
}

struct Range {
  std::uint64_t first = 1, last = 1;
};

bool parse_range(const std::string& text, Range& range) {
  const auto dots = text.find("..");
  if (dots == std::string::npos) return false;
  try {
    range.first = std::stoull(text.substr(0, dots));
    range.last = std::stoull(text.substr(dots + 2));
  } catch (const std::exception&) {
    return false;
  }
  return range.first <= range.last;
}

}  // namespace
}  // namespace baton::sim

int main(int argc, char** argv) {
  using namespace baton::sim;
  CLI::App app("Runs seeded random worlds around one engine and checks what must always hold.");
  std::string seeds = "1..1000";
  std::uint64_t seed = 0;
  bool verbose = false;
  unsigned keep_going = 1;
  app.add_option("--seeds", seeds, "first..last");
  app.add_option("--seed", seed, "one seed only");
  app.add_flag("--verbose", verbose, "print everything that happened");
  app.add_option("--failures", keep_going, "stop after so many failing seeds");
  CLI11_PARSE(app, argc, argv);
  Range range;
  if (seed != 0) {
    range = {seed, seed};
  } else if (!parse_range(seeds, range)) {
    std::cerr << "--seeds wants first..last, as in 1..1000\n";
    return 2;
  }
  const auto start = std::chrono::steady_clock::now();
  Tally tally;
  std::uint64_t run = 0;
  unsigned failed = 0;
  for (std::uint64_t s = range.first; s <= range.last && failed < keep_going; ++s, ++run) {
    if (!run_seed(s, verbose, tally)) ++failed;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cout << run << " seeds, " << tally.messages << " messages, " << tally.answered
            << " answered legs; transfers";
  for (const auto& [outcome, count] : tally.outcomes) std::cout << " " << outcome << " " << count;
  std::cout << "; " << failed << " failed, " << took.count() << " s\n";
  return failed == 0 ? 0 : 1;
}
