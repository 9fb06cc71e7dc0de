// A layer in virtual time: what it sends is kept with the instant it was sent, and messages come from a peer
// that is nothing but text.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "txn/layer.h"

namespace baton::txn::testing {

inline SocketAddress address(const char* text) {
  return SocketAddress::parse(text).value();
}

struct Sent {
  Time at;
  Destination to;
  std::string bytes;
  Owner owner = 0;

  [[nodiscard]] sip::Message message() const {
    auto parsed = sip::Message::parse(bytes);
    EXPECT_TRUE(parsed.has_value()) << bytes;
    return std::move(*parsed);
  }
  [[nodiscard]] std::string start() const { return bytes.substr(0, bytes.find("\r\n")); }
};

struct RequestText {
  std::string method = "INVITE";
  std::string uri = "sip:bob@192.0.2.1";
  std::string via = "SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKpeer1";
  std::string from = "<sip:alice@example.com>;tag=alice";
  std::string to = "<sip:bob@example.com>";
  std::string call_id = "call-1@example.com";
  std::string cseq = "1";
  std::string more;

  [[nodiscard]] std::string str() const {
    return method + " " + uri + " SIP/2.0\r\nVia: " + via + "\r\nFrom: " + from + "\r\nTo: " + to +
           "\r\nCall-ID: " + call_id + "\r\nCSeq: " + cseq + " " + method + "\r\nMax-Forwards: 70\r\n" +
           more + "Content-Length: 0\r\n\r\n";
  }
};

class World : public Sink {
 public:
  explicit World(Transport transport = Transport::udp, Timers timers = {}, std::size_t transactions_max = 100,
                 std::uint64_t seed = 7)
      : rng(seed), layer(*this, rng, spares, timers, transactions_max) {
    source = {transport, address("192.0.2.1:5060"), address("203.0.113.9:6000"), 0};
    peer = {transport, address("203.0.113.9:5060"), address("192.0.2.1:5060"), 0};
    if (transport != Transport::udp) source.flow = peer.flow = 77;
  }

  void send(const Destination& to, std::string bytes, Owner owner) override {
    sent.push_back({now, to, std::move(bytes), owner});
  }

  // ---- Time ----
  // Every deadline on the way is met at its own instant.
  void run(Duration duration) {
    const Time end = now + duration;
    for (auto due = layer.next_deadline(); due && *due <= end; due = layer.next_deadline()) {
      ASSERT_GE(*due, now);
      now = *due;
      layer.advance(now);
    }
    now = end;
  }

  // ---- From the wire ----
  void receive(const std::string& bytes) { receive_from(source, bytes); }
  void receive_from(const Source& from, const std::string& bytes) {
    auto message = sip::Message::parse(spares.buffers().copy(bytes), &spares);
    ASSERT_TRUE(message.has_value()) << bytes << message.error().reason;
    layer.receive(now, std::move(*message), from);
  }
  // The peer's response to a request the layer sent.
  void answer(const Sent& request, int status, const std::string& tag = "peer") {
    receive(sip::make_response(request.message(), status, tag).write());
  }

  // ---- From the user ----
  static sip::Draft draft(sip::Method method) {
    sip::Draft request = sip::Draft::request(method, "sip:carol@203.0.113.9");
    request.add(sip::HeaderId::from, "<sip:baton@192.0.2.1>;tag=ours");
    request.add(sip::HeaderId::to, "<sip:carol@203.0.113.9>");
    request.add(sip::HeaderId::call_id, "ours-1");
    request.add(sip::HeaderId::cseq, "5 " + std::string(sip::to_string(method)));
    request.add(sip::HeaderId::max_forwards, "70");
    request.add(sip::HeaderId::route, "<sip:203.0.113.9;lr>");
    request.add(sip::HeaderId::route, "<sip:203.0.113.10;lr>");
    return request;
  }
  TxnId request(sip::Method method, Owner owner = 42) {
    return layer.request(now, draft(method), peer, owner);
  }
  void respond(TxnId server, const sip::Message& received, int status, const std::string& tag = "us") {
    layer.respond(now, server, sip::make_response(received, status, tag));
  }

  // ---- What came of it ----
  // The next event, which must be of that kind.
  template <typename T>
  T take() {
    auto event = layer.take_event();
    EXPECT_TRUE(event.has_value()) << "no event";
    EXPECT_TRUE(std::holds_alternative<T>(*event)) << "an event of kind " << event->index();
    return std::get<T>(std::move(*event));
  }
  [[nodiscard]] bool quiet() { return !layer.take_event().has_value(); }

  // When each message was sent, in milliseconds after `start`; forgets them.
  std::vector<std::int64_t> take_times() {
    std::vector<std::int64_t> times;
    for (const Sent& one : sent) times.push_back((one.at - start).count() / 1000);
    sent.clear();
    return times;
  }
  std::vector<Sent> take_sent() { return std::exchange(sent, {}); }
  Sent take_one() {
    EXPECT_EQ(sent.size(), 1u);
    Sent one = sent.empty() ? Sent{} : sent.back();
    sent.clear();
    return one;
  }

  // Nothing is left: no transaction, no timer, no event.
  void expect_rest() {
    EXPECT_EQ(layer.size(), 0u);
    EXPECT_FALSE(layer.next_deadline().has_value());
    EXPECT_TRUE(quiet());
  }

  const Time start = from_micros(1'800'000'000'000'000);
  Time now = start;
  Rng rng;
  sip::Spares spares;
  Source source;     // of what the peer sends
  Destination peer;  // of what we send it
  std::vector<Sent> sent;
  Layer layer;
};

// Tests of a machine run over both kinds of transport.
class OverTransport : public ::testing::TestWithParam<Transport> {
 protected:
  World world{GetParam()};
  [[nodiscard]] bool udp() const { return GetParam() == Transport::udp; }
};

inline std::string transport_name(const ::testing::TestParamInfo<Transport>& info) {
  return std::string(to_via_token(info.param));
}

#define BATON_OVER_EVERY_TRANSPORT(suite)                                                                \
  INSTANTIATE_TEST_SUITE_P(On, suite, ::testing::Values(Transport::udp, Transport::tcp, Transport::tls), \
                           transport_name)

using Times = std::vector<std::int64_t>;

}  // namespace baton::txn::testing
