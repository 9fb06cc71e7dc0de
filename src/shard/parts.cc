#include "shard/parts.h"

#include <utility>

namespace baton::shard {
namespace {

class EngineMachine final : public Machine {
 public:
  EngineMachine(engine::Options options, trunk::Snapshot model)
      : engine_(std::move(options), std::move(model)) {}

  void step(Time now, engine::Input input, engine::Actions& actions) override {
    engine_.step(now, std::move(input), actions);
  }
  std::optional<Time> next_deadline() const override { return engine_.next_deadline(); }
  engine::Census census() const override { return engine_.census(); }
  engine::Counters counters() const override { return engine_.counters(); }

 private:
  engine::Engine engine_;
};

class RelayPlane final : public MediaPlane {
 public:
  explicit RelayPlane(media::Relay::Options options) : relay_(std::move(options)) {}

  void perform(Time now, const media::Operation& operation, std::vector<media::Result>& results) override {
    relay_.perform(now, operation, results);
  }
  int poll_fd() const override { return relay_.poll_fd(); }
  void poll(Time now, std::vector<media::Result>& results) override { relay_.poll(now, results); }
  std::optional<Time> next_deadline() const override { return relay_.next_deadline(); }
  void advance(Time now, std::vector<media::Result>& results) override { relay_.advance(now, results); }

 private:
  media::Relay relay_;
};

}  // namespace

std::unique_ptr<Machine> make_machine(engine::Options options, trunk::Snapshot model) {
  return std::make_unique<EngineMachine>(std::move(options), std::move(model));
}

std::unique_ptr<MediaPlane> make_relay(media::Relay::Options options) {
  return std::make_unique<RelayPlane>(std::move(options));
}

}  // namespace baton::shard
