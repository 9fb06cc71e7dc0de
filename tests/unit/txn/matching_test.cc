// RFC 3261 17.1.3 and 17.2.3: which transaction a message belongs to, or none.
#include "unit/txn/world.h"

namespace baton::txn::testing {
namespace {

using sip::Method;

std::string replace(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " in\n" << text;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// ---- Responses ----

class ResponseMatching : public ::testing::Test {
 protected:
  ResponseMatching() {
    (void)world.request(Method::options);
    const Sent request = world.take_one();
    response = sip::make_response(request.message(), 200, "peer").write();
    branch = std::string(request.message().top_via().branch());
  }
  void expect_stray(const std::string& bytes) {
    world.receive(bytes);
    EXPECT_TRUE(world.quiet()) << bytes;
    EXPECT_EQ(world.layer.probe().stray_responses, 1u);
    world.receive(response);
    EXPECT_EQ(world.take<ResponseReceived>().response.status(), 200);
  }
  World world;
  std::string response, branch;
};

TEST_F(ResponseMatching, OfAnotherBranch) {
  expect_stray(replace(response, branch, "z9hG4bKguess"));
}

TEST_F(ResponseMatching, WithoutABranch) {
  expect_stray(replace(response, ";branch=" + branch, ""));
}

TEST_F(ResponseMatching, OfAnotherMethod) {
  expect_stray(replace(response, "CSeq: 5 OPTIONS", "CSeq: 5 INVITE"));
}

TEST_F(ResponseMatching, WithAnotherHostInSentBy) {
  expect_stray(replace(response, "UDP 192.0.2.1:5060", "UDP 192.0.2.2:5060"));
}

TEST_F(ResponseMatching, WithAnotherPortInSentBy) {
  expect_stray(replace(response, "UDP 192.0.2.1:5060", "UDP 192.0.2.1:5062"));
}

TEST_F(ResponseMatching, WithASecondVia) {
  expect_stray(replace(response, "From: ", "Via: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKnext\r\nFrom: "));
}

TEST_F(ResponseMatching, WithASecondViaOnTheSameLine) {
  expect_stray(replace(response, ";branch=" + branch,
                       ";branch=" + branch + ", SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKnext"));
}

TEST_F(ResponseMatching, TheCaseOfTheBranchDoesNotMatter) {
  world.receive(replace(response, "z9hG4bK", "Z9HG4BK"));
  (void)world.take<ResponseReceived>();
}

TEST_F(ResponseMatching, TheDefaultPortMayBeLeftOut) {
  world.receive(replace(response, "UDP 192.0.2.1:5060", "UDP 192.0.2.1"));
  (void)world.take<ResponseReceived>();
}

TEST_F(ResponseMatching, FromAnywhere) {
  Source elsewhere = world.source;
  elsewhere.remote = address("203.0.113.200:999");
  world.receive_from(elsewhere, response);
  EXPECT_EQ(world.take<ResponseReceived>().source.remote, elsewhere.remote);
}

TEST(ResponseMatchingMany, EachTransactionGetsItsOwn) {
  World world;
  std::vector<TxnId> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(world.request(Method::options, 100 + static_cast<Owner>(i)));
  const auto requests = world.take_sent();
  for (std::size_t i = 20; i > 0; --i) world.answer(requests[i - 1], 200);
  for (std::size_t i = 20; i > 0; --i) {
    const auto event = world.take<ResponseReceived>();
    EXPECT_EQ(event.txn, ids[i - 1]);
    EXPECT_EQ(event.owner, 100 + i - 1);
  }
}

TEST(ResponseMatchingIpv6, SentByIsComparedAsAnAddress) {
  World world;
  world.peer.local = address("[2001:db8::1]:5060");
  (void)world.request(Method::options);
  const Sent request = world.take_one();
  EXPECT_NE(request.bytes.find("Via: SIP/2.0/UDP [2001:db8::1]:5060;rport;branch="), std::string::npos);
  const std::string response = sip::make_response(request.message(), 200, "peer").write();
  world.receive(replace(response, "[2001:db8::1]", "[2001:DB8:0:0::1]"));
  (void)world.take<ResponseReceived>();
}

// ---- Requests with the magic cookie ----

class RequestMatching : public ::testing::Test {
 protected:
  RequestMatching() { text.method = "OPTIONS"; }
  TxnId receive() {
    world.receive(text.str());
    return world.take<RequestReceived>().txn;
  }
  void expect_same() {
    world.receive(text.str());
    EXPECT_TRUE(world.quiet()) << text.str();
    EXPECT_EQ(world.layer.size(), 1u);
  }
  void expect_other() {
    text.call_id += "-other";  // not a merged request
    EXPECT_NE(receive(), TxnId{});
    EXPECT_EQ(world.layer.size(), 2u);
  }
  World world;
  RequestText text;
};

TEST_F(RequestMatching, BranchSentByAndMethodAreEnough) {
  (void)receive();
  text.call_id = "changed";
  text.from = "<sip:x@example.com>;tag=changed";
  text.cseq = "99";
  expect_same();
}

TEST_F(RequestMatching, CaseOfBranchAndHostDoesNotMatter) {
  text.via = "SIP/2.0/UDP Phone.Example.com:5070;branch=z9hG4bKpeer1";
  (void)receive();
  text.via = "SIP/2.0/UDP phone.example.COM:5070;branch=Z9hG4bKPEER1";
  expect_same();
}

TEST_F(RequestMatching, DefaultPortIsThePortLeftOut) {
  text.via = "SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKpeer1";
  (void)receive();
  text.via = "SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKpeer1";
  expect_same();
}

TEST_F(RequestMatching, AnotherBranchIsAnother) {
  (void)receive();
  text.via = "SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKpeer2";
  expect_other();
}

TEST_F(RequestMatching, AnotherSentByIsAnother) {
  (void)receive();
  text.via = "SIP/2.0/UDP 198.51.100.8:5070;branch=z9hG4bKpeer1";
  expect_other();
}

TEST_F(RequestMatching, AnotherPortIsAnother) {
  (void)receive();
  text.via = "SIP/2.0/UDP 198.51.100.7:5071;branch=z9hG4bKpeer1";
  expect_other();
}

TEST_F(RequestMatching, AnotherMethodIsAnother) {
  (void)receive();
  text.method = "INFO";
  expect_other();
}

TEST_F(RequestMatching, ACookieAloneIdentifiesNothing) {
  text.via = "SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK";
  (void)receive();
  expect_same();
  expect_other();  // by RFC 2543's rules, another Call-ID
}

// ---- RFC 2543 ----

class LegacyMatching : public RequestMatching {
 protected:
  LegacyMatching() {
    text.method = "INVITE";
    text.via = "SIP/2.0/UDP 198.51.100.7:5070;branch=1";
  }
};

TEST_F(LegacyMatching, TheSameRequestIsARepeat) {
  (void)receive();
  expect_same();
}

TEST_F(LegacyMatching, WithoutAnyBranchToo) {
  text.via = "SIP/2.0/UDP 198.51.100.7:5070";
  (void)receive();
  expect_same();
}

TEST_F(LegacyMatching, EachPartCounts) {
  struct Change {
    const char* what;
    void (*apply)(RequestText&);
  };
  const Change changes[] = {
      {"Request-URI", [](RequestText& t) { t.uri = "sip:bob@192.0.2.9"; }},
      {"To tag", [](RequestText& t) { t.to += ";tag=x"; }},
      {"From tag", [](RequestText& t) { t.from = "<sip:alice@example.com>;tag=x"; }},
      {"Call-ID", [](RequestText& t) { t.call_id = "x"; }},
      {"CSeq", [](RequestText& t) { t.cseq = "2"; }},
      {"Via", [](RequestText& t) { t.via = "SIP/2.0/UDP 198.51.100.7:5070;branch=2"; }},
  };
  for (const Change& change : changes) {
    World fresh;
    RequestText changed = text;
    fresh.receive(text.str());
    change.apply(changed);
    fresh.receive(changed.str());
    EXPECT_EQ(fresh.layer.size(), 2u) << change.what;
  }
}

TEST_F(LegacyMatching, AckOfAFailureHasTheTagOfTheResponse) {
  world.receive(text.str());
  const auto event = world.take<RequestReceived>();
  world.respond(event.txn, event.request, 486, "ours");
  text.method = "ACK";
  text.to += ";tag=ours";
  world.receive(text.str());
  EXPECT_TRUE(world.quiet());
  world.run(5s);
  world.expect_rest();
}

TEST_F(LegacyMatching, TheTagOfAnIgnoredResponseIsNot) {
  world.receive(text.str());
  const auto event = world.take<RequestReceived>();
  world.respond(event.txn, event.request, 486, "ours");
  world.respond(event.txn, event.request, 500, "late");
  text.method = "ACK";
  text.to += ";tag=ours";
  world.receive(text.str());
  EXPECT_TRUE(world.quiet());
}

TEST_F(LegacyMatching, AckWithAnotherTagIsOfSomethingElse) {
  world.receive(text.str());
  const auto event = world.take<RequestReceived>();
  world.respond(event.txn, event.request, 486, "ours");
  text.method = "ACK";
  text.to += ";tag=others";
  world.receive(text.str());
  (void)world.take<AckReceived>();
  world.run(32s);
  (void)world.take<AckNeverCame>();
  world.expect_rest();
}

TEST_F(LegacyMatching, AckOfAFailedReinviteHasTheTagOfTheRequest) {
  text.to += ";tag=ours";
  world.receive(text.str());
  const auto event = world.take<RequestReceived>();
  world.respond(event.txn, event.request, 491);
  text.method = "ACK";
  world.receive(text.str());
  EXPECT_TRUE(world.quiet());
  world.run(5s);
  world.expect_rest();
}

TEST_F(LegacyMatching, AckOfASuccessGoesUp) {
  world.receive(text.str());
  const auto event = world.take<RequestReceived>();
  world.respond(event.txn, event.request, 200, "ours");
  text.method = "ACK";
  text.to += ";tag=ours";
  world.receive(text.str());
  EXPECT_EQ(world.take<AckReceived>().ack.to().tag(), "ours");
}

TEST_F(LegacyMatching, CancelFindsItsInvite) {
  world.receive(text.str());
  const auto event = world.take<RequestReceived>();
  text.method = "CANCEL";
  world.receive(text.str());
  EXPECT_EQ(world.take_one().start(), "SIP/2.0 200 OK");
  EXPECT_EQ(world.take<CancelReceived>().invite, event.txn);
}

// ---- Merged requests (RFC 3261 8.2.2.2) ----

class MergedRequests : public OverTransport {
 protected:
  RequestText text;
};
BATON_OVER_EVERY_TRANSPORT(MergedRequests);

TEST_P(MergedRequests, ASecondWayIsAnswered482) {
  world.receive(text.str());
  (void)world.take<RequestReceived>();
  text.via = "SIP/2.0/UDP 198.51.100.8:5070;branch=z9hG4bKsecond";
  world.receive(text.str());
  const Sent loop = world.take_one();
  EXPECT_EQ(loop.start(), "SIP/2.0 482 Loop Detected");
  EXPECT_FALSE(loop.message().to().tag().empty());
  EXPECT_EQ(loop.message().top_via().branch(), "z9hG4bKsecond");
  EXPECT_TRUE(world.quiet());
  EXPECT_EQ(world.layer.probe().merged_requests, 1u);
  EXPECT_EQ(world.layer.size(), 2u) << "it has a transaction: its repeat gets the same answer";
  world.receive(text.str());
  EXPECT_EQ(world.take_one().bytes, loop.bytes);
  text.method = "ACK";
  world.receive(text.str());
  EXPECT_TRUE(world.quiet());
  world.run(5s);
  EXPECT_EQ(world.layer.size(), 1u);
}

TEST_P(MergedRequests, TheUnacknowledged482EndsSilently) {
  world.receive(text.str());
  const auto event = world.take<RequestReceived>();
  text.via = "SIP/2.0/UDP 198.51.100.8:5070;branch=z9hG4bKsecond";
  world.receive(text.str());
  world.respond(event.txn, event.request, 200);
  world.run(32s);
  world.expect_rest();
  EXPECT_EQ(world.layer.probe().timeouts, 0u);
}

TEST_P(MergedRequests, WithinADialogThereAreNone) {
  text.to += ";tag=dialog";
  world.receive(text.str());
  text.via = "SIP/2.0/UDP 198.51.100.8:5070;branch=z9hG4bKsecond";
  world.receive(text.str());
  (void)world.take<RequestReceived>();
  (void)world.take<RequestReceived>();
}

TEST_P(MergedRequests, AnotherCSeqIsAnotherRequest) {
  world.receive(text.str());
  text.via = "SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKauth";
  text.cseq = "2";
  world.receive(text.str());
  (void)world.take<RequestReceived>();
  (void)world.take<RequestReceived>();
}

TEST_P(MergedRequests, AnotherMethodIsAnotherRequest) {
  world.receive(text.str());
  text.via = "SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKoptions";
  text.method = "OPTIONS";
  world.receive(text.str());
  (void)world.take<RequestReceived>();
  (void)world.take<RequestReceived>();
}

TEST_P(MergedRequests, OnceTheFirstHasEndedItIsNew) {
  text.method = "OPTIONS";
  world.receive(text.str());
  const auto event = world.take<RequestReceived>();
  world.respond(event.txn, event.request, 200);
  world.run(32s);
  text.via = "SIP/2.0/UDP 198.51.100.8:5070;branch=z9hG4bKsecond";
  world.receive(text.str());
  (void)world.take<RequestReceived>();
  world.sent.clear();
  text.via = "SIP/2.0/UDP 198.51.100.8:5070;branch=z9hG4bKthird";
  world.receive(text.str());
  EXPECT_EQ(world.take_one().start(), "SIP/2.0 482 Loop Detected");
}

}  // namespace
}  // namespace baton::txn::testing
