// What is read of a configuration file.
#include "config/config.h"

#include <algorithm>
#include <filesystem>

#include "unit/config/config_testing.h"

namespace baton::config::testing {
namespace {

const std::filesystem::path root = std::filesystem::path(__FILE__).parent_path() / "../../..";

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
  EXPECT_EQ(config.model->trunks[0].media.codecs, (sdp::Codecs{sdp::Codec::pcma, sdp::Codec::opus}));
  EXPECT_TRUE(config.model->trunks[0].media.renegotiate);
  EXPECT_EQ(config.model->carriers[0].media.codecs, sdp::Codecs{sdp::Codec::pcmu});
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

}  // namespace
}  // namespace baton::config::testing
