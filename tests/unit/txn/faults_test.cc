// Two layers across a network that loses, doubles, delays and reorders. Whatever it does, each side must
// come to its end, tell its user once, and leave nothing behind.
#include <algorithm>
#include <map>
#include <optional>
#include <variant>

#include "unit/txn/world.h"

namespace baton::txn::testing {
namespace {

using sip::Method;

// How many in a hundred; and the longest delay.
struct Faults {
  std::uint64_t lost = 0, doubled = 0;
  Duration delay_max = 1ms;
};

class Link;

// One end: a layer and what its user saw.
struct End : Sink {
  End(Link& over, std::uint64_t seed, const char* at, const char* to)
      : link(over), rng(seed), here(address(at)), there(address(to)), layer(*this, rng, spares) {}
  void send(const Destination& to, std::string bytes, Owner owner) override;

  Link& link;
  Rng rng;
  sip::Spares spares;
  SocketAddress here, there;
  Layer layer;
};

class Link {
 public:
  Link(std::uint64_t seed, Faults faults)
      : rng_(seed),
        faults_(faults),
        client(*this, seed + 1, "192.0.2.1:5060", "203.0.113.9:5060"),
        server(*this, seed + 2, "203.0.113.9:5060", "192.0.2.1:5060") {}

  void carry(const End& from, std::string bytes) {
    log += std::to_string(to_micros(now)) + " " + from.here.to_string() + "\n" + bytes + "\n";
    ++carried;
    if (rng_.chance(faults_.lost, 100)) return;
    const int copies = rng_.chance(faults_.doubled, 100) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      const Time at = now + Duration(rng_.between(1, faults_.delay_max.count()));
      flying_.emplace(std::pair{at, ++sequence_}, Flying{&from == &client ? &server : &client, bytes});
    }
  }

  // Until nothing is left to happen.
  // `users` tend to what happened and say when they want to be asked again.
  template <typename F>
  void run(F&& users) {
    for (;;) {
      std::optional<Time> next = users();
      for (const auto& at : {client.layer.next_deadline(), server.layer.next_deadline()}) {
        if (at && (!next || *at < *next)) next = at;
      }
      if (!flying_.empty() && (!next || flying_.begin()->first.first <= *next)) {
        now = flying_.begin()->first.first;
        const Flying flying = std::move(flying_.begin()->second);
        flying_.erase(flying_.begin());
        End& end = *flying.to;
        end.layer.receive(now, sip::Message::parse(flying.bytes).value(),
                          {Transport::udp, end.here, end.there, 0});
      } else if (next) {
        now = *next;
        client.layer.advance(now);
        server.layer.advance(now);
      } else {
        return;
      }
    }
  }

  void expect_rest() {
    for (const End* end : {&client, &server}) {
      EXPECT_EQ(end->layer.size(), 0u);
      EXPECT_FALSE(end->layer.next_deadline().has_value());
    }
  }

 private:
  struct Flying {
    End* to;
    std::string bytes;
  };
  Rng rng_;
  Faults faults_;
  std::map<std::pair<Time, std::uint64_t>, Flying> flying_;
  std::uint64_t sequence_ = 0;

 public:
  Time now = from_micros(1'800'000'000'000'000);
  int carried = 0;
  std::string log;  // all that was sent: the same seed writes the same
  End client, server;
};

void End::send(const Destination&, std::string bytes, Owner) {
  link.carry(*this, std::move(bytes));
}

struct Outcome {
  int requests = 0, cancels = 0, acks = 0, acks_missing = 0;
  int finals = 0, successes = 0, timeouts = 0, messages = 0;
  std::string log;
};

// One request, answered with `status` after `patience`; a 2xx to INVITE is acknowledged as often as it comes
// and repeated until then, as RFC 3261 13 asks of the user.
class Exchange {
 public:
  Exchange(std::uint64_t seed, Faults faults, Method method, int status, Duration patience)
      : link_(seed, faults), method_(method), status_(status), patience_(patience) {}

  Outcome run() {
    const Destination to{Transport::udp, link_.client.there, link_.client.here, 0};
    id_ = link_.client.layer.request(link_.now, World::draft(method_), to, 1);
    link_.run([this] {
      while (const auto event = link_.client.layer.take_event())
        std::visit([this](auto& e) { at_client(e); }, *event);
      while (const auto event = link_.server.layer.take_event())
        std::visit([this](auto& e) { at_server(e); }, *event);
      return tend();
    });
    link_.expect_rest();
    outcome_.messages = link_.carried;
    outcome_.log = std::move(link_.log);
    return outcome_;
  }
  bool cancels = false;

 private:
  template <typename T>
  void at_client(const T&) {
    ADD_FAILURE() << "no event of a client";
  }
  void at_client(const ResponseReceived& event) {
    const int status = event.response.status();
    if (status >= 200) ++outcome_.finals;
    if (status < 200 && cancels) link_.client.layer.cancel(link_.now, id_);
    if (status < 200 || status >= 300) return;
    ++outcome_.successes;
    if (method_ == Method::invite) {
      const Destination to{Transport::udp, link_.client.there, link_.client.here, 0};
      link_.client.layer.ack(link_.now, World::draft(Method::ack), to, 1);
    }
  }
  void at_client(const ClientTimeout&) { ++outcome_.timeouts; }

  template <typename T>
  void at_server(const T&) {
    ADD_FAILURE() << "no event of a server";
  }
  void at_server(const RequestReceived& event) {
    ++outcome_.requests;
    server_ = event.txn;
    request_ = event.request;
    due_ = link_.now + patience_;
    link_.server.layer.set_owner(server_, 2);
  }
  void at_server(const AckReceived&) {
    ++outcome_.acks;
    resend_at_.reset();
  }
  void at_server(const CancelReceived&) {
    ++outcome_.cancels;
    status_ = 487;
    due_ = link_.now;
  }
  void at_server(const AckNeverCame&) { ++outcome_.acks_missing; }

  std::optional<Time> tend() {
    if (due_ && link_.now >= *due_) {
      due_.reset();
      link_.server.layer.respond(link_.now, server_, sip::make_response(*request_, status_, "answer"));
      if (method_ == Method::invite && status_ < 300) {
        resend_at_ = link_.now + 500ms;
        resend_until_ = link_.now + 32s;
      }
    }
    if (resend_at_ && link_.now >= *resend_at_) {
      link_.server.layer.resend(link_.now, server_);
      resend_at_ = *resend_at_ + 500ms;
      if (*resend_at_ > resend_until_) resend_at_.reset();
    }
    if (due_ && resend_at_) return std::min(*due_, *resend_at_);
    return due_ ? due_ : resend_at_;
  }

  Link link_;
  Method method_;
  int status_;
  Duration patience_;
  TxnId id_, server_;
  std::optional<sip::Message> request_;
  std::optional<Time> due_, resend_at_;
  Time resend_until_;
  Outcome outcome_;
};

constexpr Faults bad_network{25, 25, 1500ms};

TEST(Faults, ACleanNetworkSendsNothingTwice) {
  const Outcome invite = Exchange(1, {}, Method::invite, 486, 0ms).run();
  EXPECT_EQ(invite.requests, 1);
  EXPECT_EQ(invite.finals, 1);
  EXPECT_EQ(invite.messages, 3);
  const Outcome bye = Exchange(1, {}, Method::bye, 200, 0ms).run();
  EXPECT_EQ(bye.requests, 1);
  EXPECT_EQ(bye.messages, 2);
}

// Late copies can outlive K, I or J of a real peer as well; with delays under T4 they can not, so each
// request reaches the user once and each final comes back once.
TEST(Faults, ARequestIsCarriedOutOnceAndAnsweredOnce) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Outcome outcome = Exchange(seed, bad_network, Method::bye, 200, 0ms).run();
    EXPECT_LE(outcome.requests, 1) << seed;
    EXPECT_EQ(outcome.finals + outcome.timeouts, 1) << seed;
    EXPECT_LE(outcome.finals, outcome.requests) << seed;
  }
}

TEST(Faults, AFailedInviteIsAcknowledgedOrNoted) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Outcome outcome = Exchange(seed, bad_network, Method::invite, 486, 300ms).run();
    EXPECT_LE(outcome.requests, 1) << seed;
    EXPECT_EQ(outcome.finals + outcome.timeouts, 1) << seed;
    EXPECT_EQ(outcome.acks, 0) << seed;
    EXPECT_LE(outcome.acks_missing, 1) << seed;
  }
}

TEST(Faults, AnAnsweredInviteIsAcknowledgedForEveryCopyOfThe2xx) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Outcome outcome = Exchange(seed, {20, 25, 800ms}, Method::invite, 200, 300ms).run();
    EXPECT_EQ(outcome.requests, 1) << seed;
    EXPECT_EQ(outcome.finals, outcome.successes) << seed;
    EXPECT_GE(outcome.successes, 1) << seed;
    EXPECT_GE(outcome.acks, 1) << seed;
  }
}

TEST(Faults, ACancelledInviteEndsOnBothSides) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Exchange exchange(seed, bad_network, Method::invite, 200, 40s);
    exchange.cancels = true;
    const Outcome outcome = exchange.run();
    EXPECT_EQ(outcome.finals + outcome.timeouts, 1) << seed;
    EXPECT_EQ(outcome.successes, 0) << seed;
    EXPECT_LE(outcome.cancels, 1) << seed;
  }
}

TEST(Faults, ASeedReplaysByteForByte) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::string first = Exchange(seed, bad_network, Method::invite, 486, 300ms).run().log;
    EXPECT_EQ(first, Exchange(seed, bad_network, Method::invite, 486, 300ms).run().log);
    EXPECT_NE(first, Exchange(seed + 1, bad_network, Method::invite, 486, 300ms).run().log);
  }
}

TEST(Faults, TotalLossTimesOut) {
  for (const Method method : {Method::invite, Method::refer}) {
    const Outcome outcome = Exchange(5, {100, 0, 1ms}, method, 200, 0ms).run();
    EXPECT_EQ(outcome.requests, 0);
    EXPECT_EQ(outcome.timeouts, 1);
  }
}

}  // namespace
}  // namespace baton::txn::testing
