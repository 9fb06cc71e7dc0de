// Random programs of well-formed events against one layer: whatever the order, its promises hold and it
// comes to rest.
#include <algorithm>
#include <map>
#include <set>
#include <variant>

#include "unit/txn/world.h"

namespace baton::txn::testing {
namespace {

using sip::Method;

class Program {
 public:
  explicit Program(std::uint64_t seed)
      : rng_(seed), world_(rng_.chance(1, 2) ? Transport::udp : Transport::tcp, {}, 12, seed) {}

  std::string run() {
    for (int i = 0; i < 80; ++i) {
      step();
      drain();
    }
    settle();
    return log_;
  }

 private:
  using Step = void (Program::*)();

  void step() {
    static constexpr Step steps[] = {
        &Program::peer_requests, &Program::peer_requests,  &Program::peer_requests, &Program::peer_answers,
        &Program::peer_answers,  &Program::peer_answers,   &Program::user_requests, &Program::user_responds,
        &Program::user_responds, &Program::user_cancels,   &Program::user_resends,  &Program::time_passes,
        &Program::time_passes,   &Program::transport_fails};
    (this->*steps[rng_.below(std::size(steps))])();
  }

  template <std::size_t N>
  const char* pick(const char* const (&choices)[N]) {
    return choices[rng_.below(N)];
  }

  void peer_requests() {
    RequestText text;
    text.method = pick({"INVITE", "INVITE", "ACK", "ACK", "CANCEL", "OPTIONS", "BYE", "X-NEW"});
    text.via = pick({"SIP/2.0/UDP 198.51.100.7:5070;rport;branch=z9hG4bKa",
                     "SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKb", "SIP/2.0/UDP 198.51.100.7",
                     "SIP/2.0/TCP 10.0.0.1;branch=1;received=1.2.3.4"});
    text.to += pick({"", "", ";tag=us"});
    text.call_id = pick({"one", "two"});
    world_.receive(text.str());
  }

  void peer_answers() {
    if (requests_.empty()) return;
    const Sent& request = requests_[rng_.below(requests_.size())];
    static constexpr int statuses[] = {100, 180, 200, 200, 302, 486, 487, 503};
    world_.answer(request, statuses[rng_.below(std::size(statuses))], pick({"x", "y"}));
  }

  void user_requests() {
    if (clients_.size() > 20) return;
    const Method method = rng_.chance(1, 2) ? Method::invite : Method::info;
    clients_[world_.request(method)] = Client{method, 0, false};
  }

  void user_responds() {
    if (servers_.empty()) return;
    auto& [id, request] = servers_[rng_.below(servers_.size())];
    static constexpr int statuses[] = {100, 180, 183, 200, 202, 404, 408, 486, 603};
    world_.respond(id, request, statuses[rng_.below(std::size(statuses))]);
  }

  void user_cancels() {
    for (const auto& [id, client] : clients_) {
      if (client.method == Method::invite && rng_.chance(1, 3)) world_.layer.cancel(world_.now, id);
    }
  }

  void user_resends() {
    for (const auto& [id, request] : servers_) {
      world_.layer.resend(world_.now, id);
      world_.layer.set_owner(id, rng_.below(5));
    }
  }

  void time_passes() {
    static constexpr std::int64_t up_to_ms[] = {1, 300, 5'000, 40'000};
    world_.run(std::chrono::milliseconds(rng_.between(0, up_to_ms[rng_.below(std::size(up_to_ms))])));
  }

  void transport_fails() {
    if (rng_.chance(1, 4))
      world_.layer.transport_failed(world_.now, world_.peer.transport, world_.peer.remote);
  }

  void drain() {
    while (const auto event = world_.layer.take_event()) {
      std::visit([this](const auto& told) { check(told); }, *event);
    }
    for (Sent& sent : world_.take_sent()) {
      log_ += std::to_string(to_micros(sent.at)) + "\n" + sent.bytes;
      const sip::Message message = sent.message();
      EXPECT_EQ(message.bytes().size(), sent.bytes.size());
      if (message.is_request() && message.method() != Method::ack) requests_.push_back(std::move(sent));
    }
  }

  void check(const RequestReceived& told) {
    EXPECT_TRUE(seen_.insert(told.txn.pack()).second);
    servers_.emplace_back(told.txn, told.request);
  }
  void check(const AckReceived& told) { EXPECT_EQ(told.ack.method(), Method::ack); }
  void check(const CancelReceived& told) {
    EXPECT_TRUE(seen_.contains(told.invite.pack()));
    EXPECT_TRUE(cancelled_.insert(told.invite.pack()).second) << "told once";
  }
  void check(const ResponseReceived& told) {
    Client& client = clients_.at(told.txn);
    EXPECT_FALSE(client.gone);
    const int status = told.response.status();
    if (status < 200) {
      EXPECT_EQ(client.final_status, 0) << "a provisional after a final";
      return;
    }
    const bool another_2xx =
        client.method == Method::invite && status < 300 && client.final_status / 100 == 2;
    EXPECT_TRUE(client.final_status == 0 || another_2xx);
    client.final_status = status;
  }
  void check(const ClientTimeout& told) { end(told.txn); }
  void check(const ClientTransportFailed& told) { end(told.txn); }
  void check(const AckNeverCame& told) { EXPECT_TRUE(seen_.contains(told.txn.pack())); }

  void end(TxnId id) {
    Client& client = clients_.at(id);
    EXPECT_EQ(client.final_status, 0);
    EXPECT_FALSE(client.gone);
    client.gone = true;
  }

  // The users do what they owe, the peer falls silent: everything must end.
  void settle() {
    for (const auto& [id, client] : clients_) {
      if (client.method == Method::invite) world_.layer.cancel(world_.now, id);
    }
    for (auto& [id, request] : servers_) world_.respond(id, request, 487);
    world_.run(200s);
    drain();
    for (const auto& [id, client] : clients_) {
      EXPECT_TRUE(client.gone || client.final_status != 0) << "nobody told the user how it ended";
    }
    world_.expect_rest();
  }

  struct Client {
    Method method = Method::info;
    int final_status = 0;
    bool gone = false;
  };
  Rng rng_;
  World world_;
  std::map<TxnId, Client> clients_;
  std::vector<std::pair<TxnId, sip::Message>> servers_;
  std::vector<Sent> requests_;
  std::set<std::uint64_t> seen_, cancelled_;
  std::string log_;
};

TEST(Sequence, EveryProgramComesToRest) {
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    SCOPED_TRACE(seed);
    (void)Program(seed).run();
    if (HasFailure()) return;
  }
}

TEST(Sequence, AProgramReplaysByteForByte) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed)
    EXPECT_EQ(Program(seed).run(), Program(seed).run()) << seed;
}

}  // namespace
}  // namespace baton::txn::testing
