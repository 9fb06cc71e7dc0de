#include "config/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace baton::config {
namespace {

const std::filesystem::path root = std::filesystem::path(__FILE__).parent_path() / "../../..";

const std::string listener = R"(
[server]
domain_suffix = "sip.example.com"
[[server.listen]]
transport = "udp"
bind = "192.0.2.1:5060"
)";

const std::string tls_listener = listener + R"(
[[server.listen]]
transport='tls'
bind='192.0.2.1:5061'
certificate='c.pem'
key='/k/k.pem'
)";
const std::string account = R"(
[[account]]
id = "acme"
)";

const std::string inbound = R"(
[[trunk]]
id = "in"
account = "acme"
direction = "inbound"
primary = "sip:10.0.0.5"
)";

const std::string outbound = R"(
[[trunk]]
id = "out"
account = "acme"
direction = "outbound"
acl = ["10.0.0.0/8"]
)";

const std::string number = R"(
[[number]]
e164 = "+14155550100"
trunk = "in"
)";

Config good(const std::string& toml, const std::string& file = "baton.toml") {
  auto config = parse(toml, file);
  if (!config) {
    for (const Problem& problem : config.error()) ADD_FAILURE() << problem.to_string();
    return {};
  }
  return std::move(*config);
}

std::vector<Problem> problems(const std::string& toml) {
  auto config = parse(toml, "baton.toml");
  EXPECT_FALSE(config) << toml;
  return config ? std::vector<Problem>() : config.error();
}

// The one problem of a file, as it is printed.
std::string problem(const std::string& toml) {
  const auto all = problems(toml);
  std::string text;
  for (const Problem& one : all) text += (text.empty() ? "" : "\n") + one.to_string();
  for (const Problem& one : all) {
    EXPECT_FALSE(one.what.empty()) << text;
    EXPECT_FALSE(one.remedy.empty()) << text;
    EXPECT_GT(one.line, 0U) << text;
  }
  return text;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// --- what is read
// ----------------------------------------------------------------------------------------------

TEST(Config, ExampleFileLoads) {
  const auto config = load((root / "baton.example.toml").string());
  if (!config) {
    for (const Problem& one : config.error()) ADD_FAILURE() << one.to_string();
    return;
  }
  const trunk::Model& model = *config->model;
  EXPECT_EQ(config->server.listeners.size(), 2U);
  EXPECT_EQ(config->server.listeners[1].advertised.to_string(), "203.0.113.10:5060");
  EXPECT_EQ(config->server.media.v4->advertised.to_string(), "203.0.113.10");
  EXPECT_TRUE(config->server.media.v4->bind.is_unspecified());
  EXPECT_EQ(std::filesystem::path(config->server.store_path).parent_path(), root);
  ASSERT_EQ(model.trunks.size(), 2U);
  const trunk::Trunk* agent = model.trunk_by_domain("AGENT.sip.example.com");
  ASSERT_NE(agent, nullptr);
  ASSERT_TRUE(agent->primary && agent->fallback);
  EXPECT_EQ(agent->primary->host, "agent.example.com");
  EXPECT_EQ(agent->primary->transport, Transport::tcp);
  EXPECT_EQ(agent->fallback->user, "pbx");
  EXPECT_EQ(agent->fallback->auth_password, "change-me-1");
  EXPECT_EQ(agent->answer_timeout, 30s);
  EXPECT_EQ(agent->transfer.ring_timeout, 45s);
  const trunk::Trunk* office = model.trunk("office-out");
  ASSERT_NE(office, nullptr);
  EXPECT_EQ(office->direction, trunk::TrunkDirection::outbound);
  EXPECT_EQ(office->transfer.caller_id, trunk::TransferCallerId::fixed);
  EXPECT_EQ(office->transfer.fixed_caller_id, "+14155550100");
  ASSERT_EQ(office->credentials.size(), 1U);
  EXPECT_EQ(office->credentials[0].username, "office");
  const trunk::Number* london = model.number("+442079460100");
  ASSERT_NE(london, nullptr);
  EXPECT_EQ(london->account_id, "acme");
  const trunk::Account* acme = model.account("acme");
  ASSERT_NE(acme, nullptr);
  EXPECT_EQ(acme->balance_micros, 100'000'000);
  EXPECT_FALSE(acme->geo.allow_all);
  const trunk::Carrier* main = model.carrier("main");
  ASSERT_NE(main, nullptr);
  EXPECT_EQ(main->rate_per_minute_micros, 8'500);
  ASSERT_EQ(main->gateways.size(), 2U);
  EXPECT_EQ(main->gateways[1].auth_username, "acme-trunk");
  EXPECT_TRUE(model.carrier("europe")->strip_plus);
  EXPECT_TRUE(model.indexes.built);
  EXPECT_EQ(model.country_of("+442079460100"), "GB");
}

TEST(Config, DefaultsOfASmallFile) {
  const Config config = good(listener);
  EXPECT_EQ(config.server.listeners[0].advertised, config.server.listeners[0].bind);
  EXPECT_EQ(config.server.media.v4->bind.to_string(), "192.0.2.1");
  EXPECT_EQ(config.server.media.v4->advertised.to_string(), "192.0.2.1");
  EXPECT_EQ(config.server.media.port_min, 10'000);
  EXPECT_EQ(config.server.media.port_max, 30'000);
  EXPECT_EQ(config.server.media.silence_timeout, 60s);
  EXPECT_EQ(config.server.store_path, "baton.db");
  EXPECT_TRUE(config.server.trace);
  EXPECT_EQ(config.server.log_level, "info");
  EXPECT_EQ(config.server.drain_timeout, 30s);
  EXPECT_TRUE(config.model->trunks.empty());
}

TEST(Config, DefaultsOfATrunkAndACarrier) {
  const Config config =
      good(listener + account + inbound + "[[carrier]]\nid='c'\ngateways=['sip:10.0.0.9']\n");
  const trunk::Trunk& trunk = config.model->trunks[0];
  EXPECT_EQ(trunk.name, "in");
  EXPECT_EQ(trunk.domain, "in.sip.example.com");
  EXPECT_TRUE(trunk.enabled);
  EXPECT_EQ(trunk.answer_timeout, 60s);
  EXPECT_TRUE(trunk.transfer.enabled);
  EXPECT_EQ(trunk.transfer.accept_code, 202);
  EXPECT_EQ(trunk.transfer.depth_max, 20U);
  EXPECT_EQ(trunk.primary->port, 0);
  EXPECT_EQ(trunk.primary->transport, Transport::udp);
  EXPECT_TRUE(config.model->accounts[0].geo.allow_all);
  EXPECT_FALSE(config.model->accounts[0].balance_micros);
  EXPECT_FALSE(config.model->carriers[0].trusted_to_transfer);
}

TEST(Config, SettingsOfATransfer) {
  const auto settings = [](const std::string& keys) {
    return good(listener + account + inbound + "[trunk.transfer]\n" + keys + number)
        .model->trunk("in")
        ->transfer;
  };
  const trunk::TransferSettings usual = settings("");
  EXPECT_TRUE(usual.attended);
  EXPECT_FALSE(usual.notify_id_first);
  EXPECT_TRUE(usual.notify_progress);
  EXPECT_EQ(usual.last_bye, trunk::LastBye::server);
  EXPECT_FALSE(usual.early_bye_continues);
  EXPECT_FALSE(usual.return_on_target_hangup);
  EXPECT_TRUE(usual.fallback_targets.empty());
  const trunk::TransferSettings other = settings(R"(
attended = false
notify_id_first = true
notify_progress = false
last_bye = "either"
early_bye = "continue"
on_target_hangup = "return"
fallback_targets = ["+14155550101", "+14155550102"]
)");
  EXPECT_FALSE(other.attended);
  EXPECT_TRUE(other.notify_id_first);
  EXPECT_FALSE(other.notify_progress);
  EXPECT_EQ(other.last_bye, trunk::LastBye::either);
  EXPECT_TRUE(other.early_bye_continues);
  EXPECT_TRUE(other.return_on_target_hangup);
  EXPECT_EQ(other.fallback_targets, (std::vector<std::string>{"+14155550101", "+14155550102"}));
  EXPECT_EQ(settings("last_bye = \"transferor\"\n").last_bye, trunk::LastBye::transferor);
}

TEST(Config, LimitsAndNameServers) {
  const Server server = good(listener +
                             "[dns]\nservers=['192.0.2.53','[2001:db8::53]:5353']\n"
                             "[limits]\nstranger_rate=0\nstranger_refusals=7\nfailed_logins=3\n"
                             "failed_logins_per_trunk=9\nwindow='30s'\nsilence='1h'\noverload_delay='0s'\n")
                            .server;
  ASSERT_EQ(server.name_servers.size(), 2U);
  EXPECT_EQ(server.name_servers[0].to_string(), "192.0.2.53:53");
  EXPECT_EQ(server.name_servers[1].to_string(), "[2001:db8::53]:5353");
  EXPECT_EQ(server.limits, (Limits{0, 7, 3, 9, 30s, 1h, 0s}));
  EXPECT_EQ(good(listener).server.limits, Limits{});
}

TEST(Config, SipSettings) {
  const Config config =
      good(listener + account + inbound +
           "[trunk.sip]\nsession_expires='0s'\nreliable_provisionals='required'\ndtmf='info'\n" + outbound +
           "credentials=[{username='u',password='p'}]\n"
           "[trunk.sip]\nhold='relayed'\nauth_algorithms=['MD5','SHA-256']\nsrtp='required'\n"
           "srtp_suites=['AES_CM_128_HMAC_SHA1_80','AEAD_AES_256_GCM']\n"
           "[[carrier]]\nid='c'\ngateways=['sip:10.0.0.9']\n"
           "[carrier.sip]\nsession_expires='10m'\nmin_se='5m'\nreliable_provisionals='off'\nfailover_after='"
           "3s'\nsrtp='off'\n");
  const trunk::SipSettings& in = config.model->trunks[0].sip;
  EXPECT_EQ(in.session_expires, 0s);
  EXPECT_EQ(in.reliable_provisionals, trunk::ReliableProvisionals::required);
  EXPECT_EQ(in.hold, trunk::HoldStyle::anchored);
  EXPECT_EQ(in.dtmf, trunk::DtmfStyle::info);
  EXPECT_EQ(in.auth_algorithms.size(), 3U);
  EXPECT_EQ(in.srtp, trunk::Srtp::by_transport);
  EXPECT_EQ(in.srtp_suites.size(), 4U);
  const trunk::SipSettings& out = config.model->trunks[1].sip;
  EXPECT_EQ(out.session_expires, 30min);
  EXPECT_EQ(out.min_se, 90s);
  EXPECT_EQ(out.failover_after, 5s);
  EXPECT_EQ(out.reliable_provisionals, trunk::ReliableProvisionals::supported);
  EXPECT_EQ(out.hold, trunk::HoldStyle::relayed);
  EXPECT_EQ(out.srtp, trunk::Srtp::required);
  EXPECT_EQ(out.srtp_suites,
            (std::vector{sdp::Suite::aes_cm_128_hmac_sha1_80, sdp::Suite::aead_aes_256_gcm}));
  EXPECT_EQ(out.dtmf, trunk::DtmfStyle::automatic);
  EXPECT_EQ(out.auth_algorithms, (std::vector{sip::DigestAlgorithm::md5, sip::DigestAlgorithm::sha256}));
  const trunk::SipSettings& carrier = config.model->carriers[0].sip;
  EXPECT_EQ(carrier.session_expires, 10min);
  EXPECT_EQ(carrier.min_se, 5min);
  EXPECT_EQ(carrier.failover_after, 3s);
  EXPECT_EQ(carrier.srtp, trunk::Srtp::off);
  EXPECT_EQ(carrier.reliable_provisionals, trunk::ReliableProvisionals::off);
}

TEST(Config, CodecsOfATrunkAndACarrier) {
  const Config config = good(listener + account + inbound + "[trunk.media]\ncodecs=['PCMA','opus']\n" +
                             "[[profile]]\nid='narrow'\n[profile.media]\ncodecs=['PCMU']\n"
                             "[[carrier]]\nid='c'\ngateways=['sip:10.0.0.9']\nprofile='narrow'\n"
                             "[carrier.media]\nrenegotiate=false\n"
                             "[[carrier]]\nid='d'\ngateways=['sip:10.0.0.10']\n");
  EXPECT_EQ(config.model->trunks[0].media.codecs, (std::vector{sdp::Codec::pcma, sdp::Codec::opus}));
  EXPECT_TRUE(config.model->trunks[0].media.renegotiate);
  EXPECT_EQ(config.model->carriers[0].media.codecs, std::vector{sdp::Codec::pcmu});
  EXPECT_FALSE(config.model->carriers[0].media.renegotiate);
  EXPECT_EQ(config.model->carriers[1].media.codecs.size(), sdp::all_codecs.size());
  for (const char* list : {"[]", "['G729']", "['PCMU','PCMU']", "'opus'"}) {
    EXPECT_FALSE(parse(listener + account + inbound + "[trunk.media]\ncodecs=" + list + "\n", "x.toml"))
        << list;
  }
}

TEST(Config, RecordingsAndPrompts) {
  const Config config = good(listener + "[recording]\ndirectory='calls'\n" + account + inbound +
                                 "hold_music='wait.wav'\nunavailable_announcement='sorry.wav'\n"
                                 "[trunk.transfer]\nannouncement='moment.wav'\n[trunk.recording]\nenabled="
                                 "true\nthrough_transfers=true\n" +
                                 number + "record=false\n",
                             "/etc/baton/baton.toml");
  EXPECT_EQ(config.server.recording_directory, "/etc/baton/calls");
  EXPECT_EQ(config.model->trunks[0].hold_music, "wait.wav");
  EXPECT_EQ(config.model->trunks[0].unavailable_announcement, "sorry.wav");
  EXPECT_EQ(config.model->trunks[0].transfer.announcement, "moment.wav");
  EXPECT_TRUE(config.model->trunks[0].recording.enabled);
  EXPECT_TRUE(config.model->trunks[0].recording.through_transfers);
  EXPECT_EQ(config.model->numbers[0].record, false);
  const Config plain = good(listener + account + inbound + number);
  EXPECT_EQ(plain.server.recording_directory, "");
  EXPECT_FALSE(plain.model->trunks[0].recording.enabled);
  EXPECT_FALSE(plain.model->numbers[0].record);
}

TEST(Config, StorePathIsRelativeToTheFile) {
  EXPECT_EQ(good(listener, "/etc/baton/baton.toml").server.store_path, "/etc/baton/baton.db");
  EXPECT_EQ(good(listener + "[store]\npath='/var/lib/b.db'\n", "/etc/baton/b.toml").server.store_path,
            "/var/lib/b.db");
}

TEST(Config, AdvertiseKeepsOrChangesThePort) {
  const std::string toml =
      "[[server.listen]]\ntransport='udp'\nbind='0.0.0.0:5060'\nadvertise='203.0.113.1:6060'\n";
  const Config config = good(toml);
  EXPECT_EQ(config.server.listeners[0].advertised.to_string(), "203.0.113.1:6060");
  EXPECT_EQ(config.server.media.v4->advertised.to_string(), "203.0.113.1");
}

TEST(Config, MediaOfItsOwn) {
  const Config config = good(listener + "[media]\nbind='192.0.2.2'\nport_min=20000\nport_max=20099\n");
  EXPECT_EQ(config.server.media.v4->bind.to_string(), "192.0.2.2");
  EXPECT_EQ(config.server.media.v4->advertised.to_string(), "192.0.2.2");
  EXPECT_EQ(config.server.media.port_max, 20'099);
  const Config wildcard = good(listener + "[media]\nbind='0.0.0.0'\n");
  EXPECT_EQ(wildcard.server.media.v4->advertised.to_string(), "192.0.2.1");
}

TEST(Config, TlsListeners) {
  const std::string toml = tls_listener +
                           "client_ca='clients.pem'\n[tls]\nca='ca.pem'\n"
                           "wildcards=['Sip.Carrier.example']\n"
                           "unverified=['Old-PBX.lan','[2001:DB8::1]']\n";
  const Listen listen = good(toml, "/etc/baton/baton.toml").server.listeners.at(1);
  EXPECT_EQ(listen.transport, Transport::tls);
  EXPECT_EQ(listen.line, 8U);
  EXPECT_EQ(listen.tls.certificate, "/etc/baton/c.pem");
  EXPECT_EQ(listen.tls.key, "/k/k.pem");
  EXPECT_EQ(listen.tls.client_ca, "/etc/baton/clients.pem");
  EXPECT_EQ(listen.tls.clients, net::ClientCertificates::required);
  EXPECT_EQ(listen.tls.server_ca, "/etc/baton/ca.pem");
  EXPECT_EQ(listen.tls.wildcards, std::vector<std::string>{"sip.carrier.example"});
  EXPECT_EQ(listen.tls.unverified, (std::vector<std::string>{"old-pbx.lan", "2001:db8::1"}));
  const Listen plain = good(tls_listener).server.listeners.at(1);
  EXPECT_EQ(plain.tls.clients, net::ClientCertificates::not_asked);
  EXPECT_EQ(plain.tls.server_ca, "");
  const Listen optional =
      good(tls_listener + "client_ca='a.pem'\nclient_certificates='optional'\n").server.listeners.at(1);
  EXPECT_EQ(optional.tls.clients, net::ClientCertificates::optional);
}

TEST(Config, TlsEndpoints) {
  const Config config = good(tls_listener + account + inbound + "fallback='sips:pbx.example.com'\n");
  EXPECT_EQ(config.model->trunks[0].fallback->transport, Transport::tls);
}

TEST(Config, MediaIsWhereTheListenersOfEachVersionAre) {
  const std::string both = listener + "[[server.listen]]\ntransport='udp'\nbind='[2001:db8::1]:5060'\n";
  const Config plain = good(both);
  EXPECT_EQ(plain.server.media.v4->bind.to_string(), "192.0.2.1");
  EXPECT_EQ(plain.server.media.v6->bind.to_string(), "2001:db8::1");
  EXPECT_FALSE(good(listener).server.media.v6);
  const Config own = good(both + "[media]\nbind='192.0.2.2'\nbind6='::'\nadvertise6='2001:db8::9'\n");
  EXPECT_EQ(own.server.media.v4->advertised.to_string(), "192.0.2.2");
  EXPECT_TRUE(own.server.media.v6->bind.is_unspecified());
  EXPECT_EQ(own.server.media.v6->advertised.to_string(), "2001:db8::9");
  // An IPv6 bind leaves IPv4 where its listener is.
  const Config six = good(both + "[media]\nbind='2001:db8::2'\n");
  EXPECT_EQ(six.server.media.v4->bind.to_string(), "192.0.2.1");
  EXPECT_EQ(six.server.media.v6->bind.to_string(), "2001:db8::2");
  const Config only = good("[[server.listen]]\ntransport='udp'\nbind='[2001:db8::1]:5060'\n");
  EXPECT_FALSE(only.server.media.v4);
}

// --- what is refused, one by one
// ---------------------------------------------------------------------------------

struct Refused {
  const char* name;
  std::string toml;
  const char* key;     // of the one problem
  const char* what;    // part of what is wrong
  const char* remedy;  // part of what to do
};

std::ostream& operator<<(std::ostream& out, const Refused& row) {
  return out << row.name;
}

class RefusedTest : public testing::TestWithParam<Refused> {};

TEST_P(RefusedTest, NamesKeyAndRemedy) {
  const Refused& row = GetParam();
  const auto all = problems(row.toml);
  ASSERT_EQ(all.size(), 1U) << problem(row.toml);
  EXPECT_EQ(all[0].key, row.key);
  EXPECT_TRUE(contains(all[0].what, row.what)) << all[0].to_string();
  EXPECT_TRUE(contains(all[0].remedy, row.remedy)) << all[0].to_string();
  EXPECT_GT(all[0].line, 0U);
}

const std::string tail_trunk = listener + account + inbound;

const Refused refused[] = {
    {"not_toml", listener + "[log\n", "", "not TOML", "nothing after"},
    {"unknown_key", listener + "[log]\nlevle = 'info'\n", "log.levle", "unknown key",
     "did you mean \"level\"?"},
    {"unknown_section", listener + "[trunks]\n", "trunks", "unknown key", "did you mean \"trunk\"?"},
    {"comfort_within_pauses", tail_trunk + "[trunk.transfer]\ncomfort_after='20ms'\n",
     "trunk[0].transfer.comfort_after", "pauses", "\"200ms\""},
    {"key_of_another_section", tail_trunk + "ring_timeout='3s'\n", "trunk[0].ring_timeout", "unknown key",
     "belongs to the section \"trunk.transfer\""},
    {"key_of_nowhere", listener + "[store]\nblockchain=true\n", "store.blockchain", "unknown key",
     "known here: path trace"},
    {"wrong_kind", listener + "[store]\ntrace='yes'\n", "store.trace", "this is a string", "true or false"},
    {"wrong_kind_number", listener + "[media]\nport_min='10000'\n", "media.port_min", "a whole number",
     "without quotes"},
    {"recording_nowhere", tail_trunk + "[trunk.recording]\nenabled=true\n", "trunk[0].recording.enabled",
     "nothing says where recordings are kept", "directory ="},
    {"number_recorded_nowhere", tail_trunk + number + "record=true\n", "number[0].record",
     "nothing says where recordings are kept", "directory ="},
    {"no_way_of_dtmf", tail_trunk + "[trunk.sip]\ndtmf='morse'\n", "trunk[0].sip.dtmf", "\"morse\"",
     "\"rfc4733\""},
    {"single_table", listener + "[account]\nid='a'\n", "account", "a table", "[[account]]"},
    {"list_of_no_tables", "carrier=['a']\n" + listener, "carrier[0]", "this is a string", "a table"},
    {"no_listener", "[server]\ndrain_timeout='1s'\n", "server.listen", "no listener", "[[server.listen]]"},
    {"tls_without_certificate",
     listener + "[[server.listen]]\ntransport='tls'\nbind='192.0.2.1:5061'\nkey='k.pem'\n",
     "server.listen[1].certificate", "missing", "certificate ="},
    {"tls_without_key",
     listener + "[[server.listen]]\ntransport='tls'\nbind='192.0.2.1:5061'\ncertificate='c.pem'\n",
     "server.listen[1].key", "missing", "private key"},
    {"certificate_without_tls",
     listener + "[[server.listen]]\ntransport='tcp'\nbind='192.0.2.1:5061'\ncertificate='c.pem'\n",
     "server.listen[1].certificate", "only a TLS listener", "transport = \"tls\""},
    {"clients_without_ca", tls_listener + "client_certificates='required'\n",
     "server.listen[1].client_certificates", "who signs", "client_ca"},
    {"ca_without_clients", tls_listener + "client_ca='ca.pem'\nclient_certificates='none'\n",
     "server.listen[1].client_ca", "no client is asked", "required"},
    {"clients_unknown", tls_listener + "client_ca='ca.pem'\nclient_certificates='maybe'\n",
     "server.listen[1].client_certificates", "\"maybe\" is not known", "\"optional\""},
    {"tls_on_a_tcp_port", tls_listener + "[[server.listen]]\ntransport='tcp'\nbind='192.0.2.1:5061'\n",
     "server.listen[2].bind", "is taken by the listener on 192.0.2.1:5061", "of its own"},
    {"tls_section_without_listener", listener + "[tls]\nca='ca.pem'\n", "tls", "no TLS listener",
     "[[server.listen]]"},
    {"wildcards_no_host", tls_listener + "[tls]\nwildcards=['*.lan']\n", "tls.wildcards[0]",
     "not a host name", "DNS name"},
    {"unverified_no_host", tls_listener + "[tls]\nunverified=['*.lan']\n", "tls.unverified[0]",
     "not a host name", "DNS name"},
    {"bad_transport", listener + "[[server.listen]]\ntransport='sctp'\nbind='192.0.2.1:5061'\n",
     "server.listen[1].transport", "\"sctp\" is no transport", "udp"},
    {"bind_without_port", listener + "[[server.listen]]\ntransport='tcp'\nbind='192.0.2.1'\n",
     "server.listen[1].bind", "not an address and port", ":5060"},
    {"bind_port_zero", listener + "[[server.listen]]\ntransport='tcp'\nbind='192.0.2.1:0'\n",
     "server.listen[1].bind", "not an address and port", ":5060"},
    {"wildcard_without_advertise", "[[server.listen]]\ntransport='udp'\nbind='0.0.0.0:5060'\n",
     "server.listen[0].bind", "can not send to 0.0.0.0", "advertise"},
    {"mixed_versions", "[[server.listen]]\ntransport='udp'\nbind='[::]:5060'\nadvertise='192.0.2.1'\n",
     "server.listen[0].advertise", "IP version", "both"},
    {"same_listener",
     listener + "[[server.listen]]\ntransport='udp'\nbind='0.0.0.0:5060'\nadvertise='192.0.2.1'\n",
     "server.listen[1].bind", "is taken by the listener on 192.0.2.1:5060", "of its own"},
    {"bind6_of_ipv4", listener + "[media]\nbind6='192.0.2.2'\n", "media.bind6", "not an IPv6 address",
     "2001:db8"},
    {"bind6_twice", listener + "[media]\nbind='2001:db8::1'\nbind6='2001:db8::2'\n", "media.bind6",
     "IPv6 address already", "remove it"},
    {"advertise6_alone", listener + "[media]\nadvertise6='2001:db8::2'\n", "media.advertise6",
     "no IPv6 address", "bind6"},
    {"bind6_wildcard", listener + "[media]\nbind6='::'\n", "media.bind6", "can not send to ::", "advertise6"},
    {"odd_port", listener + "[media]\nport_min=10001\n", "media.port_min", "odd", "even"},
    {"empty_range", listener + "[media]\nport_min=20000\nport_max=20000\n", "media.port_max", "greater",
     "two ports"},
    {"port_out_of_range", listener + "[media]\nport_max=65536\n", "media.port_max", "65536 is out of range",
     "65535"},
    {"clash", listener + "[media]\nport_min=5000\n", "media.port_min",
     "192.0.2.1:5060 is inside the media ports", "move the range"},
    {"duration", listener + "[media]\nsilence_timeout='60'\n", "media.silence_timeout",
     "\"60\" is not a duration", "\"60s\""},
    {"duration_overflow", listener + "[media]\nsilence_timeout='9999999999h'\n", "media.silence_timeout",
     "not a duration", "60s"},
    {"duration_range", tail_trunk + "answer_timeout='11m'\n", "trunk[0].answer_timeout",
     "\"11m\" is out of range", "\"10m\""},
    {"name_server", listener + "[dns]\nservers=['ns.example.com']\n", "dns.servers[0]",
     "address of a name server", "\"192.0.2.53\""},
    {"limit_range", listener + "[limits]\nstranger_rate=-1\n", "limits.stranger_rate", "-1 is out of range",
     "0"},
    {"limit_window", listener + "[limits]\nwindow='0s'\n", "limits.window", "out of range", "\"1s\""},
    {"limit_key", listener + "[limits]\nstranger_rates=5\n", "limits.stranger_rates", "unknown key",
     "\"stranger_rate\""},
    {"timer_too_short", tail_trunk + "[trunk.sip]\nsession_expires='60s'\n", "trunk[0].sip.session_expires",
     "at least 90 s", "\"0s\""},
    {"failover_too_soon", tail_trunk + "[trunk.sip]\nfailover_after='500ms'\n", "trunk[0].sip.failover_after",
     "needs a second at least", "1s"},
    {"timer_floor", tail_trunk + "[trunk.sip]\nmin_se='1h'\n", "trunk[0].sip.min_se", "longer than",
     "session_expires"},
    {"reliable", tail_trunk + "[trunk.sip]\nreliable_provisionals='yes'\n",
     "trunk[0].sip.reliable_provisionals", "\"yes\"", "\"supported\""},
    {"srtp", tail_trunk + "[trunk.sip]\nsrtp='secure'\n", "trunk[0].sip.srtp", "\"secure\"", "\"required\""},
    {"srtp_suite", tail_trunk + "[trunk.sip]\nsrtp_suites=['AES_CM_128']\n", "trunk[0].sip.srtp_suites[0]",
     "\"AES_CM_128\"", "\"AEAD_AES_128_GCM\""},
    {"srtp_suites", tail_trunk + "[trunk.sip]\nsrtp_suites=[]\n", "trunk[0].sip.srtp_suites", "encrypted",
     "srtp = \"off\""},
    {"algorithm_without_logins", tail_trunk + "[trunk.sip]\nauth_algorithms=['MD5']\n",
     "trunk[0].sip.auth_algorithms", "nobody logs in", "credentials"},
    {"carrier_challenges",
     listener + "[[carrier]]\nid='c'\nsources=['10.0.0.9']\n[carrier.sip]\nauth_algorithms=['MD5']\n",
     "carrier[0].sip.auth_algorithms", "unknown key", "trunk.sip"},
    {"log_level", listener + "[log]\nlevel='loud'\n", "log.level", "\"loud\"", "\"warning\""},
    {"suffix",
     "[server]\ndomain_suffix='10.0.0.1'\n[[server.listen]]\ntransport='udp'\nbind='192.0.2.1:5060'\n",
     "server.domain_suffix", "not a host name", "sip.example.com"},
    {"no_suffix", "[[server.listen]]\ntransport='udp'\nbind='192.0.2.1:5060'\n" + account + inbound,
     "server.domain_suffix", "missing", "domain_suffix ="},
    {"account_without_id", listener + "[[account]]\nname='x'\n", "account[0].id", "missing", "id ="},
    {"account_id", listener + "[[account]]\nid='a b'\n", "account[0].id", "can not be an id", "letters"},
    {"account_twice", listener + account + account, "account[1].id", "\"acme\" is taken by account[0]",
     "of its own"},
    {"negative_limit", listener + account + "cps_max=-1\n", "account[0].cps_max", "-1 is out of range", "0"},
    {"money", listener + account + "balance='1,50'\n", "account[0].balance", "not an amount", "\"0.0125\""},
    {"money_unquoted", listener + account + "balance=1.5\n", "account[0].balance", "number with a fraction",
     "quotes"},
    {"country", listener + account + "[account.geo]\nblocked_countries=['UK']\n",
     "account[0].geo.blocked_countries[0]", "\"UK\" is no country code", "\"GB\""},
    {"country_both_ways",
     listener + account + "[account.geo]\nallowed_countries=['US']\nblocked_countries=['US']\n",
     "account[0].geo.blocked_countries", "allowed and blocked", "one list"},
    {"prefix_both_ways",
     listener + account + "[account.geo]\nallowed_prefixes=['+1']\nblocked_prefixes=['+1']\n",
     "account[0].geo.blocked_prefixes", "allowed and blocked", "one list"},
    {"allow_all_and_list", listener + account + "[account.geo]\nallow_all=true\nallowed_countries=['US']\n",
     "account[0].geo.allowed_countries", "meaningless", "allow_all = false"},
    {"prefix", listener + account + "[account.geo]\nblocked_prefixes=['1900']\n",
     "account[0].geo.blocked_prefixes[0]", "not the start of an E.164", "\"+44\""},
    {"trunk_id",
     listener + account +
         "[[trunk]]\nid='My_Trunk'\naccount='acme'\ndirection='inbound'\nprimary='sip:10.0.0.5'\n",
     "trunk[0].id", "can not be a trunk id", "small letters"},
    {"trunk_twice", tail_trunk + inbound, "trunk[1].id", "taken by trunk[0]", "of its own"},
    {"trunk_account",
     listener + account + "[[trunk]]\nid='t'\naccount='acne'\ndirection='inbound'\nprimary='sip:10.0.0.5'\n",
     "trunk[0].account", "no account has the id \"acne\"", "known: \"acme\""},
    {"direction", listener + account + "[[trunk]]\nid='t'\naccount='acme'\ndirection='both'\n",
     "trunk[0].direction", "\"both\"", "\"inbound\", \"outbound\""},
    {"no_primary", listener + account + "[[trunk]]\nid='t'\naccount='acme'\ndirection='inbound'\n",
     "trunk[0].primary", "missing", "sip:"},
    {"acl_on_inbound", tail_trunk + "acl=['10.0.0.0/8']\n", "trunk[0].acl", "only an outbound trunk",
     "remove it"},
    {"primary_on_outbound", listener + account + outbound + "primary='sip:10.0.0.1'\n", "trunk[0].primary",
     "only an inbound trunk", "remove it"},
    {"open_trunk", listener + account + "[[trunk]]\nid='t'\naccount='acme'\ndirection='outbound'\nacl=[]\n",
     "trunk[0]", "anybody could call", "credentials"},
    {"acl_open",
     listener + account + "[[trunk]]\nid='t'\naccount='acme'\ndirection='outbound'\nacl=['0.0.0.0/0']\n",
     "trunk[0].acl[0]", "whole Internet", "name the networks"},
    {"acl_host_bits",
     listener + account + "[[trunk]]\nid='t'\naccount='acme'\ndirection='outbound'\nacl=['10.0.0.5/8']\n",
     "trunk[0].acl[0]", "bits set", "\"10.0.0.0/8\" for the network or \"10.0.0.5\""},
    {"acl_cidr",
     listener + account + "[[trunk]]\nid='t'\naccount='acme'\ndirection='outbound'\nacl=['10.0.0.0/33']\n",
     "trunk[0].acl[0]", "not an IP network", "/24"},
    {"acl_twice",
     listener + account +
         "[[trunk]]\nid='t'\naccount='acme'\ndirection='outbound'\nacl=['10.0.0.0/8','10.0.0.0/8']\n",
     "trunk[0].acl[1]", "twice", "remove one"},
    {"credential_without_password", listener + account + outbound + "credentials=[{username='u'}]\n",
     "trunk[0].credentials[0].password", "missing", "password ="},
    {"credential_twice",
     listener + account + outbound +
         "credentials=[{username='u',password='1'},{username='u',password='2'}]\n",
     "trunk[0].credentials[1].username", "twice", "of its own"},
    {"username_colon", listener + account + outbound + "credentials=[{username='u:v',password='1'}]\n",
     "trunk[0].credentials[0].username", "can not be a user name", "colon"},
    {"password_empty", listener + account + outbound + "credentials=[{username='u',password=''}]\n",
     "trunk[0].credentials[0].password", "empty", "1 to 128"},
    {"login_alone", tail_trunk + "primary_username='u'\n", "trunk[0].primary_username", "go together",
     "primary_password"},
    {"login_without_uri", tail_trunk + "fallback_username='u'\nfallback_password='p'\n",
     "trunk[0].fallback_username", "no fallback", "add fallback"},
    {"uri_scheme", tail_trunk + "fallback='http://10.0.0.1'\n", "trunk[0].fallback",
     "not a sip: or sips: URI", "sip:10.0.0.1"},
    {"uri_sips", tail_trunk + "fallback='sips:10.0.0.1'\n", "trunk[0].fallback", "no IPv4 tls listener",
     "[[server.listen]]"},
    {"uri_tls", tail_trunk + "fallback='sip:pbx.example.com;transport=tls'\n", "trunk[0].fallback",
     "no tls listener", "transport = \"tls\""},
    {"uri_sips_udp", tail_trunk + "fallback='sips:pbx.example.com;transport=udp'\n", "trunk[0].fallback",
     "TLS by its scheme and for UDP", "leave out"},
    {"itself_over_tls", tls_listener + account + inbound + "fallback='sips:192.0.2.1'\n", "trunk[0].fallback",
     "port 5061 is this server itself", "other side"},
    {"uri_parameter", tail_trunk + "fallback='sip:pbx.example.com;lr'\n", "trunk[0].fallback",
     "\"lr\" is not used", "leave it out"},
    {"uri_password", tail_trunk + "fallback='sip:a:b@pbx.example.com'\n", "trunk[0].fallback", "password",
     "keys of their own"},
    {"uri_decimal_host", tail_trunk + "fallback='sip:3232235777'\n", "trunk[0].fallback", "", "sip:"},
    {"uri_any_address", tail_trunk + "fallback='sip:0.0.0.0'\n", "trunk[0].fallback", "can not be called",
     "sip:"},
    {"no_tcp_listener", tail_trunk + "fallback='sip:10.0.0.1;transport=tcp'\n", "trunk[0].fallback",
     "no IPv4 tcp listener", "[[server.listen]]"},
    {"no_v6_listener", tail_trunk + "fallback='sip:[2001:db8::1]'\n", "trunk[0].fallback",
     "no IPv6 udp listener", "[[server.listen]]"},
    {"itself", tail_trunk + "fallback='sip:192.0.2.1'\n", "trunk[0].fallback", "this server itself",
     "other side"},
    {"accept_code", tail_trunk + "[trunk.transfer]\naccept_code=201\n", "trunk[0].transfer.accept_code",
     "201", "write 202"},
    {"last_bye", tail_trunk + "[trunk.transfer]\nlast_bye='nobody'\n", "trunk[0].transfer.last_bye", "nobody",
     "transferor"},
    {"early_bye", tail_trunk + "[trunk.transfer]\nearly_bye='go on'\n", "trunk[0].transfer.early_bye",
     "go on", "continue"},
    {"on_target_hangup", tail_trunk + "[trunk.transfer]\non_target_hangup='stay'\n",
     "trunk[0].transfer.on_target_hangup", "stay", "return"},
    {"fallback_not_e164", tail_trunk + "[trunk.transfer]\nfallback_targets=['4155550100']\n",
     "trunk[0].transfer.fallback_targets[0]", "4155550100", "+"},
    {"fallbacks_without_end",
     tail_trunk +
         "[trunk.transfer]\nfallback_targets=['+14155550101','+14155550102','+14155550103','+14155550104',"
         "'+14155550105','+14155550106','+14155550107','+14155550108','+14155550109']\n",
     "trunk[0].transfer.fallback_targets", "more than 8", "likely"},
    {"fixed_without_number", tail_trunk + "[trunk.transfer]\ncaller_id='fixed'\n",
     "trunk[0].transfer.fixed_caller_id", "needs a number", "fixed_caller_id ="},
    {"number_without_fixed", tail_trunk + "[trunk.transfer]\nfixed_caller_id='+14155550100'\n" + number,
     "trunk[0].transfer.fixed_caller_id", "only with caller_id", "remove"},
    {"fixed_foreign_number",
     tail_trunk + "[trunk.transfer]\ncaller_id='fixed'\nfixed_caller_id='+14155550199'\n" + number,
     "trunk[0].transfer.fixed_caller_id", "not a number of this account", "[[number]]"},
    {"private_allowed_host", tail_trunk + "[trunk.transfer]\nallowed_hosts=['10.1.1.1']\n",
     "trunk[0].transfer.allowed_hosts[0]", "private or reserved", "remove it"},
    {"disguised_allowed_host", tail_trunk + "[trunk.transfer]\nallowed_hosts=['3232235777']\n",
     "trunk[0].transfer.allowed_hosts[0]", "not a host name", "DNS name"},
    {"number_e164", tail_trunk + "[[number]]\ne164='4155550100'\ntrunk='in'\n", "number[0].e164",
     "not an E.164", "write +"},
    {"number_separators", tail_trunk + "[[number]]\ne164='+1-415-555-0100'\ntrunk='in'\n", "number[0].e164",
     "not an E.164", "write +"},
    {"number_twice", tail_trunk + number + number, "number[1].e164", "taken by number[0]", "of its own"},
    {"number_trunk", tail_trunk + "[[number]]\ne164='+14155550100'\ntrunk='inn'\n", "number[0].trunk",
     "no trunk has the id \"inn\"", "known: \"in\""},
    {"number_outbound", listener + account + outbound + "[[number]]\ne164='+14155550100'\ntrunk='out'\n",
     "number[0].trunk", "is outbound", "inbound trunk"},
    {"carrier_twice",
     listener + "[[carrier]]\nid='c'\nsources=['10.0.0.1']\n[[carrier]]\nid='c'\nsources=['10.0.0.2']\n",
     "carrier[1].id", "taken by carrier[0]", "of its own"},
    {"carrier_source_twice",
     listener + "[[carrier]]\nid='c'\nsources=['10.0.0.1']\n[[carrier]]\nid='d'\nsources=['10.0.0.1/32']\n",
     "carrier[1].sources", "10.0.0.1/32 belongs to carrier[0]", "one carrier"},
    {"carrier_idle", listener + "[[carrier]]\nid='c'\ngateways=[]\n", "carrier[0]", "neither", "gateways ="},
    {"gateway_user", listener + "[[carrier]]\nid='c'\ngateways=['sip:me@10.0.0.1']\n",
     "carrier[0].gateways[0]", "names a user", "leave out"},
    {"gateway_twice", listener + "[[carrier]]\nid='c'\ngateways=['sip:10.0.0.1','sip:10.0.0.1']\n",
     "carrier[0].gateways[1]", "twice", "remove one"},
    {"rate", listener + "[[carrier]]\nid='c'\ngateways=['sip:10.0.0.1']\nrate_per_minute='-1'\n",
     "carrier[0].rate_per_minute", "not an amount", "0.0125"},
    {"item_kind", listener + "[[carrier]]\nid='c'\nsources=['10.0.0.1', 7]\n", "carrier[0].sources[1]",
     "this is a whole number", "in quotes"},
};

INSTANTIATE_TEST_SUITE_P(Config, RefusedTest, testing::ValuesIn(refused),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Config, AllMistakesInOnePassInTheOrderOfTheFile) {
  const std::string toml = R"([server]
domain_suffix = "sip.example.com"
[[server.listen]]
transport = "udp"
bind = "192.0.2.1:5060"
[[trunk]]
id = "t"
account = "nobody"
direction = "inbound"
primary = "pbx.example.com"
colour = "red"
[trunk.transfer]
depth_max = 0
[[number]]
e164 = "12"
trunk = "u"
[log]
level = "shout"
)";
  const auto all = problems(toml);
  std::vector<std::pair<unsigned, std::string>> found;
  for (const Problem& one : all) found.emplace_back(one.line, one.key);
  const std::vector<std::pair<unsigned, std::string>> expected = {
      {8, "trunk[0].account"}, {10, "trunk[0].primary"},
      {11, "trunk[0].colour"}, {13, "trunk[0].transfer.depth_max"},
      {15, "number[0].e164"},  {16, "number[0].trunk"},
      {18, "log.level"}};
  EXPECT_EQ(found, expected) << problem(toml);
}

TEST(Config, LinesOfItemsAndOfMissingKeys) {
  const auto all = problems(
      listener + "[[carrier]]\nid = 'c'\nsources = [\n  '10.0.0.1',\n  'x',\n]\n[[account]]\nname='n'\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].line, 11U);  // the item's own line
  EXPECT_EQ(all[1].line, 13U);  // the section's, for want of a better one
}

TEST(Config, ProblemText) {
  EXPECT_EQ(
      problem(listener + "[log]\nlevel='loud'\n"),
      R"(baton.toml:8: log.level: "loud" is not known; write one of "debug", "info", "warning", "error")");
}

TEST(Config, PasswordsAreNotShown) {
  const std::string text = problem(listener + account + outbound +
                                   "credentials=[{username='u',password=\"secret\\u0001word\"}]\n");
  EXPECT_FALSE(contains(text, "secret")) << text;
}

TEST(Config, LongAndBinaryTextIsShownInPart) {
  const std::string text =
      problem(listener + "[log]\nlevel=\"\\u0000\\n" + std::string(10'000, 'x') + "\"\n");
  EXPECT_LT(text.size(), 300U);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(text.find('\0'), std::string::npos);
}

TEST(Config, FilesThatCanNotBeRead) {
  const auto missing = load("/nonexistent/baton.toml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error()[0].to_string(),
            "/nonexistent/baton.toml: the file can not be opened; check that it is there and may be read");
  const auto folder = load(root.string());
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error()[0].line, 0U);
}

}  // namespace
}  // namespace baton::config
