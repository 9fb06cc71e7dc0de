#include "config/profiles.h"

#include <algorithm>

#include "config/convert.h"
#include "config/read_settings.h"

namespace baton::config {
namespace {

using sip::DigestAlgorithm;

const std::vector<DigestAlgorithm> md5_first = {DigestAlgorithm::md5, DigestAlgorithm::sha512_256,
                                                DigestAlgorithm::sha256};
const std::vector<DigestAlgorithm> md5_alone = {DigestAlgorithm::md5};

Profile named(const char* id) {
  Profile profile;
  profile.id = id;
  return profile;
}

std::vector<Profile> make_built_in() {
  std::vector<Profile> all;
  // What the RFCs ask for; nothing is assumed.
  all.push_back(named("generic"));

  // Takes only 200 for the acceptance of a REFER.
  Profile rfc7647 = named("rfc7647");
  rfc7647.transfer.accept_code = 200;
  all.push_back(rfc7647);

  // Logs in with the first challenge it reads, MD5 in most versions; hangs up by itself once a transfer is
  // through, or leaves that to the server.
  Profile asterisk = named("asterisk");
  asterisk.sip.auth_algorithms = md5_first;
  asterisk.transfer.last_bye = trunk::LastBye::either;
  all.push_back(asterisk);

  // Logs in with MD5; shows the caller from Remote-Party-ID as it is set up by default.
  Profile freeswitch = named("freeswitch");
  freeswitch.sip.auth_algorithms = md5_first;
  freeswitch.identity.header = trunk::IdentityHeader::remote_party_id;
  all.push_back(freeswitch);

  // baresip 1.x and its kin: give up on a challenge whose first algorithm is not MD5.
  Profile libre = named("libre");
  libre.sip.auth_algorithms = md5_first;
  all.push_back(libre);

  // Phones and gateways of before RFC 3262, 4028 and 8760: one challenge, MD5; no reliable provisional
  // responses, no session timer asked for; Remote-Party-ID.
  Profile legacy = named("legacy");
  legacy.sip.auth_algorithms = md5_alone;
  legacy.sip.reliable_provisionals = trunk::ReliableProvisionals::off;
  legacy.sip.session_expires = {};
  legacy.identity.header = trunk::IdentityHeader::remote_party_id;
  all.push_back(legacy);

  // Hangs up a fraction of a second after its REFER was accepted: the transfer goes on without it. Says whom
  // a call was meant for in History-Info.
  Profile teams = named("teams");
  teams.transfer.early_bye_continues = true;
  teams.transfer.last_bye = trunk::LastBye::either;
  teams.identity.diversion = trunk::DiversionHeader::history_info;
  all.push_back(teams);

  // Voice agents and their media servers: send REFER and wait for the final NOTIFY; what comes before it only
  // costs them. A second REFER may be told from the first.
  Profile agent = named("ai-agent");
  agent.transfer.notify_progress = false;
  agent.transfer.notify_id_first = true;
  all.push_back(agent);

  // Session border controllers of carriers: Diversion rather than History-Info.
  Profile sbc = named("sbc");
  sbc.identity.diversion = trunk::DiversionHeader::diversion;
  all.push_back(sbc);
  return all;
}

}  // namespace

std::span<const Profile> built_in_profiles() {
  static const std::vector<Profile> all = make_built_in();
  return all;
}

Profiles::Profiles(const Section& file) {
  for (const Section& section : file.tables("profile")) {
    section.require("id", R"(write id = "…", the name that trunks and carriers call this profile by)");
    Profile profile = base(section, "based_on");
    profile.id = section.value_or("id", to_id, std::string{});
    if (!profile.id.empty() && find(profile.id) != nullptr) {
      section.problem("id", shown(profile.id) + " is the name of another profile",
                      "give it a name of its own; based_on takes over what another one says");
      continue;
    }
    profile.transfer = read_transfer_dialect(section.table("transfer"), profile.transfer);
    profile.identity = read_identity_dialect(section.table("identity"), profile.identity);
    profile.sip = read_sip(section.table("sip"), profile.sip, true);
    profile.media = read_leg_media(section.table("media"), profile.media);
    if (!profile.id.empty()) own_.push_back(std::move(profile));
  }
}

Profile Profiles::of(const Section& section) const {
  return base(section, "profile");
}

const Profile* Profiles::find(std::string_view id) const {
  const auto named_so = [&](const Profile& one) { return one.id == id; };
  const auto own = std::find_if(own_.begin(), own_.end(), named_so);
  if (own != own_.end()) return &*own;
  const auto all = built_in_profiles();
  const auto found = std::find_if(all.begin(), all.end(), named_so);
  return found == all.end() ? nullptr : &*found;
}

Profile Profiles::base(const Section& section, std::string_view key) const {
  const Profile& generic = built_in_profiles().front();
  const auto id = section.value(key, to_id);
  if (!id) return generic;
  if (const Profile* found = find(*id)) return *found;
  std::string known;
  for (const Profile& one : built_in_profiles()) known += (known.empty() ? "" : ", ") + one.id;
  for (const Profile& one : own_) known += ", " + one.id;
  section.problem(key, "there is no profile " + shown(*id),
                  "known here: " + known + "; [[profile]] adds more");
  return generic;
}

}  // namespace baton::config
