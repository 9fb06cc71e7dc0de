#include "shard/loop.h"

#include <algorithm>
#include <array>
#include <exception>
#include <thread>

namespace baton::shard {
namespace {

constexpr std::array<const char*, std::variant_size_v<engine::Input>> input_names = {
    "message", "transport_failed", "flow_closed",     "resolved",   "media_done", "tick", "model_changed",
    "drain",   "hang_up_all",      "cancel_transfer", "record_call"};

void keep_sooner(std::optional<Time>& next, std::optional<Time> other) {
  if (other && (!next || *other < *next)) next = other;
}

// Runs it and gives the text of what it threw, or nothing.
template <typename F>
std::optional<std::string> guarded(F&& run) {
  try {
    run();
    return std::nullopt;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "unknown exception";
  }
}

}  // namespace

Loop::Loop(std::unique_ptr<net::Poller> poller, std::unique_ptr<net::Net> net,
           std::unique_ptr<Machine> machine, std::unique_ptr<MediaPlane> media, Outlets outlets, Clock clock,
           LoopLimits limits)
    : poller_(std::move(poller)),
      net_(std::move(net)),
      machine_(std::move(machine)),
      media_(std::move(media)),
      outlets_(std::move(outlets)),
      clock_(std::move(clock)),
      limits_(limits) {}

Loop::~Loop() {
  poller_->remove(media_token_);
}

bool Loop::begin() {
  if (media_->poll_fd() < 0) return true;
  media_token_ = poller_->add(media_->poll_fd(), EPOLLIN, *this);
  return static_cast<bool>(media_token_);
}

void Loop::ready(Time now, std::uint64_t /*tag*/, std::uint32_t /*events*/) {
  media_->poll(now, results_);
  take_results();
}

void Loop::round(Duration longest) {
  ++probe_.rounds;
  const auto error = guarded([&] { round_guarded(longest); });
  if (!error) return;
  // Most likely out of memory. Calls in progress are worth another round; a pause keeps the log readable.
  ++probe_.rounds_failed;
  report(engine::Severity::error, "shard.round_failed", {{"error", *error}});
  std::this_thread::sleep_for(limits_.failure_pause);
}

void Loop::round_guarded(Duration longest) {
  poller_->wait(sleep_time(clock_(), longest));
  const Time now = clock_();
  poller_->dispatch(now);
  advance_parts(now);
  feed();
  tick();
  media_->flush();
  net_->flush(clock_());
}

Duration Loop::sleep_time(Time now, Duration longest) const {
  if (inputs_left_ || !commands_.empty() || !answers_.empty() || net_->has_inputs()) return Duration::zero();
  std::optional<Time> next = net_->next_deadline(now);
  keep_sooner(next, media_->next_deadline());
  std::optional<Time> machine = machine_->next_deadline();
  if (machine && tick_not_before_) machine = std::max(*machine, *tick_not_before_);
  keep_sooner(next, machine);
  if (!next) return longest;
  return std::clamp(Duration(*next - now), Duration::zero(), longest);
}

void Loop::advance_parts(Time now) {
  net_->advance(now);
  const auto due = media_->next_deadline();
  if (!due || *due > now) return;
  media_->advance(now, results_);
  take_results();
}

bool Loop::next_input(engine::Input& input) {
  if (!answers_.empty()) {
    input = engine::MediaDone{std::move(answers_.front())};
    answers_.pop_front();
    return true;
  }
  if (!commands_.empty()) {
    input = std::move(commands_.front());
    commands_.pop_front();
    ++probe_.commands;
    return true;
  }
  return net_->take(input);
}

void Loop::feed() {
  engine::Input input;
  for (unsigned i = 0; i < limits_.inputs_per_round; ++i) {
    if (!next_input(input)) {
      inputs_left_ = false;
      return;
    }
    ++probe_.inputs;
    step(std::move(input));
  }
  inputs_left_ = true;
  ++probe_.inputs_put_off;
}

void Loop::tick() {
  const Time now = clock_();
  if (tick_not_before_ && now < *tick_not_before_) return;
  tick_not_before_.reset();
  for (unsigned i = 0; i < limits_.ticks_per_round; ++i) {
    const auto due = machine_->next_deadline();
    if (!due || *due > now) return;
    ++probe_.ticks;
    step(engine::Tick{});
  }
  // More timers than a round has ticks, or one that a failing step never takes off. Either way sockets have
  // their turn first.
  ++probe_.ticks_stuck;
  tick_not_before_ = clock_() + limits_.stuck_pause;
}

void Loop::step(engine::Input input) {
  const std::size_t kind = input.index();
  const Time before = clock_();
  actions_.clear();
  if (const auto error = guarded([&] { machine_->step(before, std::move(input), actions_); })) {
    ++probe_.steps_failed;
    report(engine::Severity::error, "shard.step_failed", {{"input", input_names[kind]}, {"error", *error}});
  }
  // What was decided before a failure stands: an answer that is in the list must go out.
  const Time after = clock_();
  note_duration(kind, after - before);
  perform(after);
}

void Loop::note_duration(std::size_t kind, Duration took) {
  const auto us = static_cast<std::uint64_t>(std::max<Duration::rep>(took.count(), 0));
  probe_.step_us_max = std::max(probe_.step_us_max, us);
  if (took < limits_.slow_step) return;
  ++probe_.steps_slow;
  const Time now = clock_();
  if (reported_at_ && now - *reported_at_ < 1s) return;
  reported_at_ = now;
  report(engine::Severity::warning, "shard.slow_step",
         {{"input", input_names[kind]}, {"ms", std::to_string(took / 1ms)}});
}

// ---- Actions ----

void Loop::perform(Time now) {
  for (engine::Action& action : actions_) {
    const auto error = guarded([&] { std::visit([&](auto& what) { perform(now, what); }, action); });
    if (!error) continue;
    ++probe_.outlets_failed;
    report(engine::Severity::error, "shard.action_failed",
           {{"action", std::to_string(action.index())}, {"error", *error}});
  }
  actions_.clear();
}

void Loop::perform(Time now, engine::Send& send) {
  ++probe_.sends;
  net_->send(now, send.to, std::move(send.bytes));
}

void Loop::perform(Time now, engine::Resolve& resolve) {
  ++probe_.resolves;
  net_->resolve(now, resolve.query, resolve.lookup);
}

void Loop::perform(Time now, engine::MediaDo& media) {
  ++probe_.media_operations;
  media_->perform(now, media.operation, results_);
  take_results();
}

void Loop::perform(Time /*now*/, engine::KeepFlow& keep) {
  net_->keep(keep.flow);
}

void Loop::perform(Time /*now*/, engine::Write& write) {
  ++probe_.records;
  if (outlets_.record) outlets_.record(std::move(write.record));
}

void Loop::perform(Time /*now*/, engine::Log& log) {
  ++probe_.logs;
  if (outlets_.log) outlets_.log(log);
}

void Loop::take_results() {
  probe_.media_results += results_.size();
  for (media::Result& result : results_) answers_.push_back(std::move(result));
  results_.clear();
}

void Loop::report(engine::Severity severity, const char* event,
                  std::vector<std::pair<std::string, std::string>> fields) {
  if (!outlets_.log) return;
  if (guarded([&] { outlets_.log({severity, event, std::move(fields)}); })) ++probe_.outlets_failed;
}

void Loop::end() {
  // What the parties of the last calls heard, and how well, is told when their ports are given back.
  if (const auto error = guarded([&] {
        media_->finish(results_);
        take_results();
        do {
          feed();
        } while (!answers_.empty());
      })) {
    report(engine::Severity::error, "shard.round_failed", {{"error", *error}});
  }
  net_->shut_down(clock_());
}

}  // namespace baton::shard
