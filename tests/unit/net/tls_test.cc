#include "net/tls.h"

#include <gtest/gtest.h>

#include <csignal>

#include "unit/net/certificates.h"
#include "unit/net/world.h"

namespace baton::net {
namespace {

// Somebody else's end of a connection, without any code of ours.
class TlsPeer {
 public:
  // A client of `net`, or the server of a connection that was accepted.
  TlsPeer(SSL_CTX* context, Peer socket, bool client)
      : socket_(std::move(socket)), ssl_(SSL_new(context), &SSL_free) {
    SSL_set_fd(ssl_.get(), socket_.fd());
    const timeval no_wait{0, 1};
    setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVTIMEO, &no_wait, sizeof no_wait);
    if (client) {
      SSL_set_connect_state(ssl_.get());
    } else {
      SSL_set_accept_state(ssl_.get());
    }
  }

  // True when it is over, well or badly.
  bool shake_hands() {
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return open_ = true;
    const int error = SSL_get_error(ssl_.get(), result);
    return error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
  }
  [[nodiscard]] bool open() const { return open_; }
  void send(const std::string& bytes) {
    ASSERT_EQ(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())),
              static_cast<int>(bytes.size()));
  }
  // What has come since; notes an end.
  const std::string& read() {
    std::array<char, 20'000> buffer{};
    for (;;) {
      const int n = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (n > 0) {
        received_.append(buffer.data(), static_cast<std::size_t>(n));
        continue;
      }
      const int error = SSL_get_error(ssl_.get(), n);
      notified_ = notified_ || error == SSL_ERROR_ZERO_RETURN;
      ended_ = ended_ || (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE);
      return received_;
    }
  }
  [[nodiscard]] bool ended() {
    read();
    return ended_;
  }
  [[nodiscard]] bool notified() const { return notified_; }  // of the end, by TLS's own word for it
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] const Peer& socket() const { return socket_; }
  void close() { socket_.close(); }

 private:
  Peer socket_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  std::string received_;
  bool open_ = false, ended_ = false, notified_ = false;
};

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

class TlsTest : public World {
 protected:
  TlsTest() {
    std::signal(SIGPIPE, SIG_IGN);  // the peer's; ours needs no such thing
    settings_ = {.certificate = pem_.certificate("ours.pem", ours_),
                 .key = pem_.key("ours.key", ours_),
                 .client_ca = pem_.certificate("ca.pem", authority_),
                 .clients = ClientCertificates::not_asked,
                 .server_ca = pem_.file("ca.pem"),
                 .wildcards = {},
                 .unverified = {}};
  }

  static TlsContextPtr load(const TlsSettings& settings) {
    auto context = TlsContext::load(settings);
    EXPECT_TRUE(context) << context.error().what;
    return context ? *context : nullptr;
  }
  void start(Options options = {}) {
    options.log = [this](const engine::Log& log) { logs_.push_back(log); };
    open(std::move(options));
    const auto bound = net_->listen({Transport::tls, {loopback, 0}, advertised_, load(settings_)});
    ASSERT_TRUE(bound) << bound.error().to_string();
    listener_ = *bound;
  }

  static Context context_of(const SSL_METHOD* method, const Pair* pair) {
    Context context(SSL_CTX_new(method), &SSL_CTX_free);
    if (pair != nullptr) {
      SSL_CTX_use_certificate(context.get(), pair->certificate.get());
      SSL_CTX_use_PrivateKey(context.get(), pair->key.get());
    }
    return context;
  }
  TlsPeer client(const Pair* pair = nullptr, int version_max = 0) {
    const Context context = context_of(TLS_client_method(), pair);
    SSL_CTX_set_max_proto_version(context.get(), version_max);
    if (version_max == TLS1_1_VERSION) {
      SSL_CTX_set_min_proto_version(context.get(), TLS1_1_VERSION);
      SSL_CTX_set_security_level(context.get(), 0);
      SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
    }
    Peer socket(SOCK_STREAM);
    socket.connect_to(listener_.bind);
    return {context.get(), std::move(socket), true};
  }
  bool shake_hands(TlsPeer& peer) {
    EXPECT_TRUE(turn_until([&] { return peer.shake_hands(); }));
    return peer.open();
  }
  // A client that has said something; its flow is in `flow`.
  TlsPeer talk(FlowId& flow) {
    TlsPeer peer = client();
    EXPECT_TRUE(shake_hands(peer));
    const std::size_t before = all<engine::MessageIn>().size();
    peer.send(message("hello"));
    EXPECT_TRUE(turn_until_some<engine::MessageIn>(before + 1));
    flow = all<engine::MessageIn>().back().source.flow;
    return peer;
  }

  [[nodiscard]] Destination to(const SocketAddress& remote, const std::string& name, FlowId flow = 0) const {
    return {Transport::tls, remote, listener_.advertised, flow, name};
  }
  // Sends to a server with that certificate, asking for `name`. The server's end; open when it was accepted.
  TlsPeer call(const Pair& certificate, const std::string& name) {
    const Peer server(SOCK_STREAM);
    server.listen_on();
    gateway_ = server.address();
    net_->send(now_, to(gateway_, name), message("out"));
    turn();
    const Context context = context_of(TLS_server_method(), &certificate);
    SSL_CTX_set_verify(context.get(), ask_for_certificate_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                       [](int, X509_STORE_CTX*) { return 1; });
    TlsPeer peer(context.get(), server.accept_one(), false);
    EXPECT_TRUE(turn_until([&] { return peer.shake_hands() || !failures().empty(); }));
    EXPECT_TRUE(turn_until([&] { return !peer.read().empty() || !failures().empty(); }));
    return peer;
  }
  [[nodiscard]] std::string logged(const std::string& event, const std::string& field) const {
    for (const engine::Log& log : logs_) {
      if (log.event != event) continue;
      for (const auto& [name, value] : log.fields) {
        if (name == field) return value;
      }
    }
    return {};
  }

  const SocketAddress advertised_{IpAddress::v4(198, 51, 100, 7), 5061};
  const Pair authority_{{.common_name = "authority", .authority = true}};
  const Pair ours_{{.names = "DNS:sip.baton.example"}, &authority_};
  const PemFolder pem_;
  TlsSettings settings_;
  Listener listener_;
  std::vector<engine::Log> logs_;
  SocketAddress gateway_;
  bool ask_for_certificate_ = false;
};

// ---- As the server ----

TEST_F(TlsTest, MessagesComeAndGoOnAFlow) {
  start();
  FlowId flow = 0;
  TlsPeer peer = talk(flow);
  const Source source = all<engine::MessageIn>().front().source;
  EXPECT_EQ(source.transport, Transport::tls);
  EXPECT_EQ(source.local, advertised_);
  EXPECT_EQ(source.remote, peer.socket().address());
  net_->send(now_, to({loopback, 9}, "", flow), message("answer"));
  EXPECT_TRUE(turn_until([&] { return peer.read() == message("answer"); }));
  EXPECT_STREQ(SSL_get_version(peer.ssl()), "TLSv1.3");
  EXPECT_EQ(net_->probe().handshakes, 1U);
}

TEST_F(TlsTest, Tls12IsServedAndOlderIsNot) {
  start();
  TlsPeer good = client(nullptr, TLS1_2_VERSION);
  EXPECT_TRUE(shake_hands(good));
  TlsPeer old = client(nullptr, TLS1_1_VERSION);
  EXPECT_FALSE(shake_hands(old));
  EXPECT_TRUE(turn_until([&] { return net_->probe().handshakes_failed == 1; }));
}

TEST_F(TlsTest, WhatIsNoTlsIsTurnedAway) {
  start();
  const Peer peer(SOCK_STREAM);
  peer.connect_to(listener_.bind);
  peer.send(message("plain"));
  EXPECT_TRUE(turn_until([&] { return net_->probe().handshakes_failed == 1; }));
  EXPECT_TRUE(all<engine::MessageIn>().empty());
  EXPECT_TRUE(all<engine::FlowClosed>().empty());
  EXPECT_EQ(net_->connections(), 0U);
}

TEST_F(TlsTest, AMessageInManyRecordsIsOneAndManyInOneAreMany) {
  start();
  FlowId flow = 0;
  TlsPeer peer = talk(flow);
  const std::string large = message("large", std::string(50'000, 'x'));
  for (std::size_t at = 0; at < large.size(); at += 1'000) peer.send(large.substr(at, 1'000));
  peer.send(message("a") + message("b") + message("c"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>(5));
  EXPECT_EQ(all<engine::MessageIn>()[1].bytes, large);
  EXPECT_EQ(all<engine::MessageIn>()[4].bytes, message("c"));
}

TEST_F(TlsTest, MoreThanOneRoundTakesIsAllHeard) {
  start();
  FlowId flow = 0;
  TlsPeer peer = talk(flow);
  std::string bytes;
  for (int i = 0; i < 40; ++i) bytes += message(std::to_string(i), std::string(16'000, 'y'));
  std::size_t sent = 0;
  ASSERT_TRUE(turn_until([&] {
    const int n = SSL_write(peer.ssl(), bytes.data() + sent,
                            static_cast<int>(std::min<std::size_t>(bytes.size() - sent, 16'000)));
    if (n > 0) sent += static_cast<std::size_t>(n);
    return sent == bytes.size();
  }));
  EXPECT_TRUE(turn_until_some<engine::MessageIn>(41));
}

TEST_F(TlsTest, APingIsAnswered) {
  start();
  FlowId flow = 0;
  TlsPeer peer = talk(flow);
  peer.send("\r\n\r\n");
  EXPECT_TRUE(turn_until([&] { return peer.read() == "\r\n"; }));
}

TEST_F(TlsTest, AHandshakeThatStandsStillIsCutAfterTenSeconds) {
  start();
  const Peer peer(SOCK_STREAM);
  peer.connect_to(listener_.bind);
  ASSERT_TRUE(turn_until([&] { return net_->connections() == 1; }));
  pass(9'999ms);
  EXPECT_EQ(net_->connections(), 1U);
  pass(1ms);
  EXPECT_EQ(net_->connections(), 0U);
  EXPECT_EQ(net_->probe().handshakes_slow, 1U);
  EXPECT_TRUE(peer.is_closed_by_other());
}

TEST_F(TlsTest, HalfAMessageAndSilenceAreCutAsOverTcp) {
  start();
  FlowId flow = 0;
  TlsPeer half = talk(flow);
  TlsPeer silent = client();
  ASSERT_TRUE(shake_hands(silent));
  half.send("OPTIONS");
  turn();
  turn();
  pass(10s);
  EXPECT_EQ(net_->probe().closed_slow_sender, 1U);
  pass(20s);
  EXPECT_EQ(net_->probe().closed_silent, 1U);
}

TEST_F(TlsTest, HandshakesOfOneSourceAndOfAllAreBounded) {
  Options options;
  options.streams.handshakes_per_remote_max = 2;
  options.streams.handshakes_max = 3;
  start(options);
  std::vector<Peer> peers;
  for (int i = 0; i < 2; ++i) {
    peers.emplace_back(SOCK_STREAM);
    peers.back().connect_to(listener_.bind);
  }
  ASSERT_TRUE(turn_until([&] { return net_->connections() == 2; }));
  const Peer third(SOCK_STREAM);
  third.connect_to(listener_.bind);
  EXPECT_TRUE(turn_until([&] { return net_->probe().accepts_refused == 1; }));
  // Another source still has a place.
  const Peer other(SOCK_STREAM, IpAddress::v4(127, 0, 0, 2));
  other.connect_to(listener_.bind);
  EXPECT_TRUE(turn_until([&] { return net_->connections() == 3; }));
  const Peer too_many(SOCK_STREAM, IpAddress::v4(127, 0, 0, 3));
  too_many.connect_to(listener_.bind);
  EXPECT_TRUE(turn_until([&] { return net_->probe().accepts_refused == 2; }));
  // And so has the first one when its handshakes are over.
  peers.clear();
  ASSERT_TRUE(turn_until([&] { return net_->connections() == 1; }));
  FlowId flow = 0;
  const TlsPeer fourth = talk(flow);
  EXPECT_EQ(net_->connections(), 2U);
}

TEST_F(TlsTest, AFewStepsOfHandshakesARoundAndTheRestInTheNext) {
  Options options;
  options.streams.handshake_steps_per_round = 1;
  start(options);
  std::vector<TlsPeer> peers;
  for (int i = 0; i < 4; ++i) peers.push_back(client());
  for (TlsPeer& peer : peers) peer.shake_hands();
  std::size_t open = 0;
  EXPECT_TRUE(turn_until([&] {
    open = 0;
    for (TlsPeer& peer : peers) open += peer.open() || (peer.shake_hands() && peer.open()) ? 1 : 0;
    return open == peers.size() && net_->probe().handshakes == 4;
  }));
  EXPECT_GT(net_->probe().handshakes_put_off, 0U);
}

TEST_F(TlsTest, AnOrderlyEndIsSaidInTls) {
  start();
  FlowId flow = 0;
  TlsPeer peer = talk(flow);
  net_->send(now_, to({loopback, 9}, "", flow), message("bye"));
  net_->shut_down(now_);
  EXPECT_TRUE(peer.ended());
  EXPECT_EQ(peer.read(), message("bye"));
  EXPECT_TRUE(peer.notified());
}

TEST_F(TlsTest, APeerThatHangsUpWithoutAWordClosesItsFlow) {
  start();
  FlowId flow = 0;
  TlsPeer peer = talk(flow);
  peer.close();
  ASSERT_TRUE(turn_until_some<engine::FlowClosed>());
  EXPECT_EQ(all<engine::FlowClosed>().front().flow, flow);
  EXPECT_EQ(net_->probe().closed_by_peer, 1U);
}

TEST_F(TlsTest, APeerThatReadsNothingIsCut) {
  start();
  FlowId flow = 0;
  const TlsPeer peer = talk(flow);
  for (int i = 0; i < 400 && net_->probe().closed_overflow == 0; ++i) {
    net_->send(now_, to(peer.socket().address(), "", flow), std::string(40'000, 'x'));
    net_->flush(now_);
  }
  turn(0);
  EXPECT_EQ(net_->probe().closed_overflow, 1U);
  EXPECT_EQ(all<engine::FlowClosed>().size(), 1U);
  ASSERT_FALSE(failures().empty());
  EXPECT_EQ(all<engine::TransportFailed>().front().transport, Transport::tls);
}

TEST_F(TlsTest, ALongQueueDrainsWhenThePeerReads) {
  Options options;
  options.streams.write_queue_bytes_max = 64 << 20;
  start(options);
  FlowId flow = 0;
  TlsPeer peer = talk(flow);
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const std::string bytes(30'000, static_cast<char>('a' + i % 26));
    net_->send(now_, to(peer.socket().address(), "", flow), bytes);
    expected += bytes;
    // More joins the queue while a record is half-way out.
    if (i % 50 == 0) net_->flush(now_);
  }
  EXPECT_TRUE(turn_until([&] { return peer.read().size() >= expected.size(); }));
  EXPECT_EQ(peer.read(), expected);
}

// RFC 8446 4.6.3: the answer to a key update needs room to be written while we only read.
TEST_F(TlsTest, KeysMayBeUpdated) {
  start();
  FlowId flow = 0;
  TlsPeer peer = talk(flow);
  ASSERT_EQ(SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
  peer.send(message("after"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>(2));
  net_->send(now_, to({loopback, 9}, "", flow), message("answer"));
  EXPECT_TRUE(turn_until([&] { return peer.read() == message("answer"); }));
}

TEST_F(TlsTest, ThereIsNoRenegotiation) {
  start();
  TlsPeer peer = client(nullptr, TLS1_2_VERSION);
  ASSERT_TRUE(shake_hands(peer));
  SSL_renegotiate(peer.ssl());
  EXPECT_TRUE(turn_until([&] { return peer.shake_hands() || peer.ended(); }));
  EXPECT_EQ(net_->probe().handshakes, 1U);
  EXPECT_EQ(SSL_num_renegotiations(peer.ssl()), 1);  // begun by the peer, and refused
}

// ---- Certificates of clients ----

TEST_F(TlsTest, ARequiredClientCertificateMustBeOfTheAuthority) {
  settings_.clients = ClientCertificates::required;
  start();
  const Pair good({.common_name = "pbx"}, &authority_);
  const Pair stranger({.common_name = "authority", .authority = true});
  const Pair forged({.common_name = "pbx"}, &stranger);
  const Pair expired({.common_name = "pbx", .from_s = -7'200, .until_s = -60}, &authority_);
  TlsPeer first = client(&good, TLS1_2_VERSION);
  EXPECT_TRUE(shake_hands(first));
  EXPECT_EQ(net_->probe().handshakes, 1U);
  std::uint64_t refused = 0;
  for (const Pair* bad : {static_cast<const Pair*>(nullptr), &forged, &expired}) {
    TlsPeer peer = client(bad);
    shake_hands(peer);  // TLS 1.3 lets the client think so until it reads
    EXPECT_TRUE(turn_until([&] { return net_->probe().handshakes_failed == refused + 1; }));
    ++refused;
    EXPECT_TRUE(peer.ended());
  }
  EXPECT_EQ(net_->probe().handshakes, 1U);
  EXPECT_TRUE(all<engine::MessageIn>().empty());
  EXPECT_NE(logged("tls.failed", "reason").find("certificate"), std::string::npos);
}

TEST_F(TlsTest, AnOptionalClientCertificateMayBeMissingButNotBad) {
  settings_.clients = ClientCertificates::optional;
  start();
  TlsPeer none = client();
  EXPECT_TRUE(shake_hands(none));
  EXPECT_TRUE(turn_until([&] { return net_->probe().handshakes == 1; }));
  const Pair forged({.common_name = "pbx"});
  TlsPeer bad = client(&forged);
  shake_hands(bad);
  EXPECT_TRUE(turn_until([&] { return net_->probe().handshakes_failed == 1; }));
}

// ---- As the client ----

TEST_F(TlsTest, AServerThatIsWhoWasAskedForIsSpokenTo) {
  start();
  ask_for_certificate_ = true;
  const Pair gateway({.names = "DNS:gw.example"}, &authority_);
  TlsPeer peer = call(gateway, "gw.example");
  EXPECT_EQ(peer.read(), message("out"));
  EXPECT_TRUE(failures().empty());
  EXPECT_STREQ(SSL_get_servername(peer.ssl(), TLSEXT_NAMETYPE_host_name), "gw.example");
  // Who asks is told who we are.
  EXPECT_EQ(X509_cmp(SSL_get0_peer_certificate(peer.ssl()), ours_.certificate.get()), 0);
  // What it says comes in, and more goes the same way.
  peer.send(message("in"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>());
  EXPECT_EQ(all<engine::MessageIn>().front().source.remote, gateway_);
  net_->send(now_, to(gateway_, "gw.example"), message("two"));
  EXPECT_TRUE(turn_until([&] { return peer.read() == message("out") + message("two"); }));
  EXPECT_EQ(net_->probe().connects, 1U);
}

TEST_F(TlsTest, AServerThatIsSomebodyElseIsNotSpokenTo) {
  struct Case {
    const char* what;
    Pair certificate;
    const char* reason;
  };
  const Pair stranger({.common_name = "stranger", .authority = true});
  const Case cases[] = {
      {"another name", Pair({.names = "DNS:other.example"}, &authority_),
       "the certificate is for other.example, not for gw.example"},
      {"a wildcard", Pair({.names = "DNS:*.example"}, &authority_),
       "the certificate is for *.example, not for gw.example"},
      {"expired", Pair({.names = "DNS:gw.example", .from_s = -7'200, .until_s = -60}, &authority_),
       "certificate has expired"},
      {"not yet valid", Pair({.names = "DNS:gw.example", .from_s = 600}, &authority_),
       "certificate is not yet valid"},
      {"of nobody we trust", Pair({.names = "DNS:gw.example"}, &stranger),
       "unable to get local issuer certificate"},
      {"for clients only", Pair({.names = "DNS:gw.example", .usage = "clientAuth"}, &authority_),
       "unsuitable certificate purpose"},
      {"no name", Pair({.common_name = ""}, &authority_),
       "the certificate is for no SIP domain, not for gw.example"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.what);
    inputs_.clear();
    logs_.clear();
    start();
    TlsPeer peer = call(one.certificate, "gw.example");
    EXPECT_EQ(peer.read(), "");
    EXPECT_EQ(failures(), std::vector<SocketAddress>{gateway_});
    EXPECT_EQ(logged("tls.failed", "reason"), one.reason);
    EXPECT_EQ(logged("tls.failed", "host"), "gw.example");
    EXPECT_EQ(net_->connections(), 0U);
    EXPECT_TRUE(all<engine::FlowClosed>().empty());
  }
}

TEST_F(TlsTest, AnAddressIsVerifiedAndNotNamedInSni) {
  start();
  const Pair gateway({.names = "IP:127.0.0.1"}, &authority_);
  TlsPeer peer = call(gateway, "");
  EXPECT_EQ(peer.read(), message("out"));
  EXPECT_EQ(SSL_get_servername(peer.ssl(), TLSEXT_NAMETYPE_host_name), nullptr);
}

TEST_F(TlsTest, AHostThatIsNotToBeVerifiedIsSpokenToWithAWarning) {
  settings_.unverified = {"old-pbx.lan"};
  start();
  const Pair own({.common_name = "pbx", .from_s = -600, .until_s = -60});
  TlsPeer peer = call(own, "Old-PBX.lan");
  EXPECT_EQ(peer.read(), message("out"));
  EXPECT_EQ(logged("tls.unverified", "host"), "Old-PBX.lan");
  // Others are verified all the same.
  TlsPeer other = call(own, "gw.example");
  EXPECT_EQ(other.read(), "");
  EXPECT_EQ(failures().size(), 1U);
}

TEST_F(TlsTest, AWildcardIsTakenForTheHostsThatAreListedAndOnlyWithAGoodSignature) {
  settings_.wildcards = {"gw.example.com"};
  start();
  const Pair good({.names = "DNS:*.example.com"}, &authority_);
  TlsPeer peer = call(good, "gw.example.com");
  EXPECT_EQ(peer.read(), message("out"));
  TlsPeer other = call(good, "other.example.com");
  EXPECT_EQ(other.read(), "");
  const Pair stranger({.common_name = "stranger", .authority = true});
  EXPECT_EQ(failures().size(), 1U);
  inputs_.clear();
  TlsPeer forged = call(Pair({.names = "DNS:*.example.com"}, &stranger), "gw.example.com");
  EXPECT_EQ(forged.read(), "");
  EXPECT_EQ(failures().size(), 1U);
}

TEST_F(TlsTest, OneAddressUnderTwoNamesIsTwoConnections) {
  start();
  const Peer server(SOCK_STREAM);
  server.listen_on();
  net_->send(now_, to(server.address(), "a.example"), message("a"));
  net_->send(now_, to(server.address(), "b.example"), message("b"));
  turn();
  EXPECT_EQ(net_->connections(), 2U);
}

TEST_F(TlsTest, AServerThatDoesNotSpeakTlsFailsInTime) {
  start();
  const Peer server(SOCK_STREAM);
  server.listen_on();
  net_->send(now_, to(server.address(), "gw.example"), message("a"));
  turn();
  const Peer silent = server.accept_one();
  turn();
  pass(9'999ms);
  EXPECT_TRUE(failures().empty());
  pass(1ms);
  EXPECT_EQ(failures(), std::vector<SocketAddress>{server.address()});
  EXPECT_EQ(logged("tls.failed", "reason"), "the handshake took too long");
}

TEST_F(TlsTest, WhatWaitsForAHandshakeIsBounded) {
  Options options;
  options.streams.waiting_bytes_max = 100;
  start(options);
  const Peer server(SOCK_STREAM);
  server.listen_on();
  net_->send(now_, to(server.address(), "gw.example"), std::string(80, 'a'));
  turn();
  net_->send(now_, to(server.address(), "gw.example"), std::string(80, 'b'));
  EXPECT_EQ(net_->probe().waiting_refused, 1U);
}

TEST_F(TlsTest, OverIpv6) {
  open();
  const auto bound = net_->listen({Transport::tls, {loopback6, 0}, {loopback6, 0}, load(settings_)});
  ASSERT_TRUE(bound);
  listener_ = *bound;
  Context context = context_of(TLS_client_method(), nullptr);
  Peer socket(SOCK_STREAM, loopback6);
  socket.connect_to(listener_.bind);
  TlsPeer peer(context.get(), std::move(socket), true);
  ASSERT_TRUE(shake_hands(peer));
  peer.send(message("six"));
  ASSERT_TRUE(turn_until_some<engine::MessageIn>());
  EXPECT_EQ(all<engine::MessageIn>().front().source.remote, peer.socket().address());
}

// ---- Reload ----

TEST_F(TlsTest, ANewCertificateIsForNewConnectionsAndOldOnesLive) {
  start();
  FlowId flow = 0;
  TlsPeer old = talk(flow);
  const Pair next({.names = "DNS:next.baton.example"}, &authority_);
  settings_.certificate = pem_.certificate("next.pem", next);
  settings_.key = pem_.key("next.key", next);
  net_->replace_tls(listener_.bind, load(settings_));
  TlsPeer fresh = client();
  ASSERT_TRUE(shake_hands(fresh));
  EXPECT_EQ(X509_cmp(SSL_get0_peer_certificate(fresh.ssl()), next.certificate.get()), 0);
  EXPECT_EQ(X509_cmp(SSL_get0_peer_certificate(old.ssl()), ours_.certificate.get()), 0);
  net_->send(now_, to({loopback, 9}, "", flow), message("still here"));
  EXPECT_TRUE(turn_until([&] { return old.read() == message("still here"); }));
  old.send(message("me too"));
  EXPECT_TRUE(turn_until_some<engine::MessageIn>(2));
}

// ---- Files ----

class TlsFilesTest : public TlsTest {
 protected:
  [[nodiscard]] TlsProblem problem() const {
    const auto loaded = TlsContext::load(settings_);
    EXPECT_FALSE(loaded);
    return loaded ? TlsProblem{} : loaded.error();
  }
};

TEST_F(TlsFilesTest, AGoodPairSaysHowLongItIsValid) {
  const auto context = load(settings_);
  const std::int64_t now = std::time(nullptr);
  EXPECT_LT(std::abs(context->valid_from() - (now - 3'600)), 60);
  EXPECT_LT(std::abs(context->valid_until() - (now + 86'400)), 60);
}

TEST_F(TlsFilesTest, WhatIsWrongIsSaidWithItsFile) {
  const TlsSettings good = settings_;
  settings_.certificate = pem_.file("missing.pem");
  EXPECT_EQ(problem().file, TlsProblem::File::certificate);
  EXPECT_EQ(problem().what, pem_.file("missing.pem") + ": No such file or directory");
  settings_.certificate = pem_.text("text.pem", "hello\n");
  EXPECT_EQ(problem().what, pem_.file("text.pem") + " holds no good certificate: no start line");
  settings_.certificate = pem_.text("empty.pem", "");
  EXPECT_EQ(problem().what, pem_.file("empty.pem") + ": the file is empty");
  settings_ = good;
  settings_.key = pem_.locked_key("locked.key", ours_);
  EXPECT_EQ(problem().file, TlsProblem::File::key);
  EXPECT_EQ(problem().what.find(pem_.file("locked.key") + " holds no good key without a password"), 0U);
  settings_ = good;
  settings_.key = pem_.key("other.key", authority_);
  EXPECT_EQ(problem().file, TlsProblem::File::key);
  EXPECT_EQ(problem().what,
            pem_.file("other.key") + " is not the key of the certificate in " + good.certificate);
  settings_ = good;
  settings_.clients = ClientCertificates::required;
  settings_.client_ca = pem_.file("none.pem");
  EXPECT_EQ(problem().file, TlsProblem::File::client_ca);
  settings_ = good;
  settings_.server_ca = pem_.text("no-ca.pem", "hello\n");
  EXPECT_EQ(problem().file, TlsProblem::File::server_ca);
}

TEST_F(TlsFilesTest, WithoutACaFileTheSystemIsTrusted) {
  settings_.server_ca.clear();
  EXPECT_NE(load(settings_), nullptr);
}

}  // namespace
}  // namespace baton::net
