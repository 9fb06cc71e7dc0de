// What is of no single machine: routing of responses, the layer's own answers, bounds, ends.
#include "base/limits.h"
#include "unit/txn/world.h"

namespace baton::txn::testing {
namespace {

using sip::HeaderId;
using sip::Method;

// ---- Where responses go and what their Via says (RFC 3261 18.2, RFC 3581) ----

struct Routed {
  std::string via;
  SocketAddress to;
};

Routed route(World& world, const std::string& via) {
  RequestText text;
  text.method = "OPTIONS";
  text.via = via;
  text.call_id = std::to_string(via.size());
  world.receive(text.str());
  const auto event = world.take<RequestReceived>();
  const auto destination = world.layer.response_destination(event.txn);
  world.respond(event.txn, event.request, 200);
  const Sent sent = world.take_one();
  EXPECT_EQ(destination.value().remote, sent.to.remote);
  EXPECT_EQ(sent.to.local, world.source.local);
  EXPECT_EQ(sent.to.transport, world.source.transport);
  EXPECT_EQ(sent.to.flow, world.source.flow);
  return {std::string(sent.message().header(HeaderId::via)), sent.to.remote};
}

TEST(ResponseRouting, UdpToTheAddressItCameFromAndThePortOfTheVia) {
  World world;
  const Routed routed = route(world, "SIP/2.0/UDP 203.0.113.9:5070;branch=z9hG4bK1");
  EXPECT_EQ(routed.to, address("203.0.113.9:5070"));
  EXPECT_EQ(routed.via, "SIP/2.0/UDP 203.0.113.9:5070;branch=z9hG4bK1") << "untouched";
}

TEST(ResponseRouting, UdpDefaultPort) {
  World world;
  EXPECT_EQ(route(world, "SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK1").to, address("203.0.113.9:5060"));
}

TEST(ResponseRouting, ReceivedWhenTheSentByIsAnother) {
  World world;
  const Routed routed = route(world, "SIP/2.0/UDP 10.0.0.5:5070;branch=z9hG4bK1");
  EXPECT_EQ(routed.to, address("203.0.113.9:5070"));
  EXPECT_EQ(routed.via, "SIP/2.0/UDP 10.0.0.5:5070;branch=z9hG4bK1;received=203.0.113.9");
}

TEST(ResponseRouting, ReceivedWhenTheSentByIsAName) {
  World world;
  EXPECT_EQ(route(world, "SIP/2.0/UDP phone.example.com;branch=z9hG4bK1").via,
            "SIP/2.0/UDP phone.example.com;branch=z9hG4bK1;received=203.0.113.9");
}

TEST(ResponseRouting, RportIsFilledInWithReceived) {
  World world;
  const Routed routed = route(world, "SIP/2.0/UDP 10.0.0.5:5070;rport;branch=z9hG4bK1");
  EXPECT_EQ(routed.to, address("203.0.113.9:6000"));
  EXPECT_EQ(routed.via, "SIP/2.0/UDP 10.0.0.5:5070;rport=6000;branch=z9hG4bK1;received=203.0.113.9");
}

TEST(ResponseRouting, RportBringsReceivedEvenWhenItSaysTheSame) {
  World world;
  EXPECT_EQ(route(world, "SIP/2.0/UDP 203.0.113.9:5070;branch=z9hG4bK1;rport").via,
            "SIP/2.0/UDP 203.0.113.9:5070;branch=z9hG4bK1;rport=6000;received=203.0.113.9");
}

TEST(ResponseRouting, ForgedReceivedAndRportAreCorrected) {
  World world;
  const Routed routed =
      route(world, "SIP/2.0/UDP 203.0.113.9:5070;received=192.0.2.66;rport=666;branch=z9hG4bK1");
  EXPECT_EQ(routed.to, address("203.0.113.9:6000"));
  EXPECT_EQ(routed.via, "SIP/2.0/UDP 203.0.113.9:5070;received=203.0.113.9;rport=6000;branch=z9hG4bK1");
}

TEST(ResponseRouting, ForgedReceivedAloneIsCorrected) {
  World world;
  EXPECT_EQ(route(world, "SIP/2.0/UDP 203.0.113.9:5070;received=192.0.2.66;branch=z9hG4bK1").via,
            "SIP/2.0/UDP 203.0.113.9:5070;received=203.0.113.9;branch=z9hG4bK1");
}

TEST(ResponseRouting, MaddrIsNotFollowed) {
  World world;
  EXPECT_EQ(route(world, "SIP/2.0/UDP 203.0.113.9:5070;maddr=192.0.2.66;branch=z9hG4bK1").to,
            address("203.0.113.9:5070"));
}

TEST(ResponseRouting, StreamsOnTheirConnectionElseToTheViasPort) {
  World world(Transport::tcp);
  const Routed routed = route(world, "SIP/2.0/TCP 10.0.0.5:5070;rport;branch=z9hG4bK1");
  EXPECT_EQ(routed.to, address("203.0.113.9:5070"));
  EXPECT_EQ(routed.via, "SIP/2.0/TCP 10.0.0.5:5070;rport=6000;branch=z9hG4bK1;received=203.0.113.9");
  World tls(Transport::tls);
  EXPECT_EQ(route(tls, "SIP/2.0/TLS 203.0.113.9;branch=z9hG4bK1").to, address("203.0.113.9:5061"));
}

TEST(ResponseRouting, Ipv6) {
  World world;
  world.source.remote = address("[2001:db8::9]:6000");
  const Routed routed = route(world, "SIP/2.0/UDP [2001:db8::7]:5070;branch=z9hG4bK1;rport");
  EXPECT_EQ(routed.to, address("[2001:db8::9]:6000"));
  EXPECT_EQ(routed.via, "SIP/2.0/UDP [2001:db8::7]:5070;branch=z9hG4bK1;rport=6000;received=2001:db8::9");
  EXPECT_EQ(route(world, "SIP/2.0/UDP [2001:DB8:0::9]:5070;branch=z9hG4bK2").via,
            "SIP/2.0/UDP [2001:DB8:0::9]:5070;branch=z9hG4bK2");
}

TEST(ResponseRouting, EveryViaIsReturnedInOrder) {
  World world;
  RequestText text;
  text.via =
      "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa, SIP/2.0/TCP 10.0.0.2;branch=z9hG4bKb\r\n"
      "v: SIP/2.0/UDP\r\n 10.0.0.3;branch=c";
  world.receive(text.str());
  const auto event = world.take<RequestReceived>();
  world.respond(event.txn, event.request, 486);
  const sip::Message response = world.take_one().message();
  const auto vias = response.elements(HeaderId::via);
  ASSERT_EQ(vias.size(), 3u);
  EXPECT_EQ(vias[0], "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa;received=203.0.113.9");
  EXPECT_EQ(vias[1], "SIP/2.0/TCP 10.0.0.2;branch=z9hG4bKb");
  EXPECT_EQ(vias[2].substr(vias[2].size() - 17), "10.0.0.3;branch=c");
}

// Each gets a line of its own: many in one line would make an answer grow, so sip::Message takes only so
// many.
TEST(ResponseRouting, ViasInOneLineGrowTheResponseByABoundedAmount) {
  World world;
  RequestText text;
  text.via = "SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKa;rport";
  for (std::size_t i = 1; i < limits::vias_max; ++i) text.via += ",SIP/2.0/UDP a";
  const std::string request = text.str();
  world.receive(request);
  const auto event = world.take<RequestReceived>();
  world.respond(event.txn, event.request, 486);
  const Sent sent = world.take_one();
  EXPECT_EQ(sent.message().elements(HeaderId::via).size(), limits::vias_max);
  EXPECT_LT(sent.bytes.size(), request.size() + limits::vias_max * std::string_view("Via: \r\n").size());
  text.via += ",SIP/2.0/UDP a";
  const auto one_more = sip::Message::parse(text.str());
  ASSERT_FALSE(one_more.has_value());
  EXPECT_EQ(one_more.error().status, 483);
}

TEST(ResponseRouting, TheUsersViasDoNotMatter) {
  World world;
  RequestText text;
  world.receive(text.str());
  const auto event = world.take<RequestReceived>();
  sip::Draft response = sip::Draft::response(486);
  response.add(HeaderId::via, "SIP/2.0/UDP nonsense;branch=x");
  response.add(HeaderId::from, "<sip:a@b>;tag=1").add(HeaderId::to, "<sip:a@b>;tag=2");
  response.add(HeaderId::call_id, "x").add(HeaderId::cseq, "1 INVITE");
  world.layer.respond(world.now, event.txn, response);
  EXPECT_EQ(world.take_one().message().top_via().branch(), "z9hG4bKpeer1");
}

// ---- Folded headers of a peer, written again by us ----

TEST(Folding, InTheToOfAFailureWeAcknowledge) {
  World world;
  (void)world.request(Method::invite);
  const Sent request = world.take_one();
  std::string response = sip::make_response(request.message(), 486, "peer").write();
  const auto at = response.find("To: ") + 4;
  response.insert(at, "\"a\r\n\t b\" ");
  world.receive(response);
  const Sent ack = world.take_one();
  EXPECT_EQ(ack.message().to().tag(), "peer");
}

TEST(Folding, InARequestAnsweredWith100) {
  World world;
  RequestText text;
  text.to = "\"Bob\"\r\n <sip:bob@example.com>";
  text.from = "<sip:alice@example.com>\r\n\t;tag=alice";
  text.via = "SIP/2.0/UDP\r\n 198.51.100.7:5070\r\n ;branch=z9hG4bKpeer1";
  world.receive(text.str());
  world.run(200ms);
  EXPECT_EQ(world.take_one().message().from().tag(), "alice");
}

// ---- Bounds ----

TEST(Bounds, BeyondTheMostTransactionsRequestsAreRefusedWithoutState) {
  World world(Transport::udp, {}, 3);
  RequestText text;
  for (int i = 0; i < 3; ++i) {
    text.via = "SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKb" + std::to_string(i);
    text.call_id = std::to_string(i);
    world.receive(text.str());
    (void)world.take<RequestReceived>();
  }
  text.via = "SIP/2.0/UDP 198.51.100.7:5070;rport;branch=z9hG4bKfull";
  text.call_id = "full";
  world.receive(text.str());
  const Sent refusal = world.take_one();
  EXPECT_EQ(refusal.start(), "SIP/2.0 503 Service Unavailable");
  EXPECT_FALSE(refusal.message().header(HeaderId::retry_after).empty());
  EXPECT_FALSE(refusal.message().to().tag().empty());
  EXPECT_EQ(refusal.to.remote, world.source.remote);
  EXPECT_EQ(refusal.owner, 0u);
  EXPECT_EQ(world.layer.size(), 3u);
  world.receive(text.str());
  EXPECT_EQ(world.take_one().bytes, refusal.bytes) << "a repeat gets the same answer";
  EXPECT_EQ(world.layer.probe().refused_full, 2u);
  EXPECT_TRUE(world.quiet());
}

TEST(Bounds, WhatOpensADialogGivesWayBeforeWhatIsWithinOne) {
  World world(Transport::udp, {}, 16);
  RequestText text;
  const auto send = [&](int i) {
    text.via = "SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKb" + std::to_string(i);
    text.call_id = std::to_string(i);
    world.receive(text.str());
  };
  for (int i = 0; i < 14; ++i) {
    send(i);
    (void)world.take<RequestReceived>();
  }
  send(14);
  EXPECT_EQ(world.take_one().start(), "SIP/2.0 503 Service Unavailable");
  EXPECT_TRUE(world.quiet());
  text.method = "BYE";
  text.to = "<sip:bob@example.com>;tag=ours";
  for (int i = 15; i < 17; ++i) {
    send(i);
    EXPECT_EQ(world.take<RequestReceived>().request.method(), Method::bye);
  }
  send(17);
  EXPECT_EQ(world.take_one().start(), "SIP/2.0 503 Service Unavailable") << "there is an end to that too";
  EXPECT_EQ(world.layer.size(), 16u);
  EXPECT_EQ(world.layer.probe().refused_full, 2u);
}

TEST(Bounds, WhatIsInProgressGoesOnWhenFull) {
  World world(Transport::udp, {}, 1);
  RequestText text;
  world.receive(text.str());
  const auto event = world.take<RequestReceived>();
  text.method = "CANCEL";
  world.receive(text.str());
  const Sent ok = world.take_one();
  EXPECT_EQ(ok.start(), "SIP/2.0 200 OK");
  EXPECT_EQ(world.take<CancelReceived>().invite, event.txn);
  world.receive(text.str());
  EXPECT_EQ(world.take_one().bytes, ok.bytes);
  EXPECT_TRUE(world.quiet()) << "told once, though the CANCEL has no transaction";
  EXPECT_EQ(world.layer.size(), 1u);
  world.respond(event.txn, event.request, 487);
  text.method = "ACK";
  world.receive(text.str());
  EXPECT_TRUE(world.quiet());
  (void)world.request(Method::bye);
  EXPECT_EQ(world.layer.size(), 2u) << "our own requests end calls: they are never refused";
}

TEST(Bounds, AStrayCancelLeavesNothingWhenFull) {
  World world(Transport::udp, {}, 0);
  RequestText text;
  text.method = "CANCEL";
  world.receive(text.str());
  EXPECT_EQ(world.take_one().start().substr(0, 11), "SIP/2.0 481");
  world.expect_rest();
}

TEST(Bounds, EndedTransactionsLeaveNoTimersToWakeUpFor) {
  World world(Transport::tcp);
  for (int i = 0; i < 5000; ++i) {
    (void)world.request(Method::options);
    world.answer(world.take_one(), 200);
    (void)world.take<ResponseReceived>();
  }
  world.expect_rest();
}

// ---- ACK, events, owners ----

TEST(Ack, OfASuccessIsSentWithoutState) {
  World world;
  sip::Draft draft = sip::Draft::request(Method::ack, "sip:carol@203.0.113.9");
  draft.add(HeaderId::from, "<sip:baton@192.0.2.1>;tag=ours").add(HeaderId::to, "<sip:carol@x>;tag=peer");
  draft.add(HeaderId::call_id, "ours-1").add(HeaderId::cseq, "5 ACK").add(HeaderId::max_forwards, "70");
  world.layer.ack(world.now, draft, world.peer, 42);
  const Sent first = world.take_one();
  EXPECT_EQ(first.owner, 42u);
  EXPECT_EQ(first.message().count(HeaderId::via), 1u);
  world.layer.ack(world.now, draft, world.peer, 42);
  EXPECT_NE(world.take_one().message().top_via().branch(), first.message().top_via().branch());
  world.expect_rest();
}

TEST(Ack, OfNoTransactionGoesUp) {
  World world;
  RequestText text;
  text.method = "ACK";
  world.receive(text.str());
  const auto event = world.take<AckReceived>();
  EXPECT_EQ(event.ack.call_id(), text.call_id);
  EXPECT_EQ(event.source.remote, world.source.remote);
  world.expect_rest();
}

TEST(Events, OwnWhatTheyTellAfterTheTransactionHasEnded) {
  World world(Transport::tcp);
  (void)world.request(Method::options);
  world.answer(world.take_one(), 200);
  EXPECT_EQ(world.layer.size(), 0u);
  world.run(1h);
  EXPECT_EQ(world.take<ResponseReceived>().response.status(), 200);
}

TEST(Owner, IsNobodysUntilSaid) {
  World world;
  RequestText text;
  world.receive(text.str());
  const auto event = world.take<RequestReceived>();
  world.respond(event.txn, event.request, 180);
  EXPECT_EQ(world.take_one().owner, 0u);
  world.layer.set_owner(event.txn, 5);
  world.receive(text.str());
  EXPECT_EQ(world.take_one().owner, 5u);
}

TEST(Owner, OfAClientMayChange) {
  World world;
  const TxnId id = world.request(Method::invite, 1);
  world.layer.set_owner(id, 2);
  world.answer(world.take_one(), 180);
  EXPECT_EQ(world.take<ResponseReceived>().owner, 2u);
}

TEST(TransportFailure, EndsEveryRequestOnItsWayInTheOrderTheyWereMade) {
  World world;
  std::vector<TxnId> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(world.request(i % 2 == 0 ? Method::invite : Method::bye));
  world.layer.transport_failed(world.now, Transport::udp, world.peer.remote);
  for (const TxnId id : ids) EXPECT_EQ(world.take<ClientTransportFailed>().txn, id);
  world.sent.clear();
  world.expect_rest();
}

TEST(Identity, AnEndedTransactionsHandleFindsNoOther) {
  World world(Transport::tcp);
  const TxnId first = world.request(Method::options, 1);
  world.answer(world.take_one(), 200);
  (void)world.take<ResponseReceived>();
  const TxnId second = world.request(Method::invite, 2);
  EXPECT_NE(first, second);
  world.layer.set_owner(first, 99);
  world.layer.cancel(world.now, first);
  world.answer(world.take_one(), 180);
  EXPECT_EQ(world.take<ResponseReceived>().owner, 2u);
  EXPECT_TRUE(world.sent.empty());
}

TEST(LateClock, MissedDeadlinesDoNotBurst) {
  World world;
  (void)world.request(Method::options);
  world.now += 10s;
  world.layer.advance(world.now);
  EXPECT_EQ(world.take_times(), (Times{0, 10000}));
  EXPECT_EQ(world.layer.next_deadline(), world.now + 1s);
  world.now += 1h;
  world.layer.advance(world.now);
  (void)world.take<ClientTimeout>();
  world.expect_rest();
}

}  // namespace
}  // namespace baton::txn::testing
