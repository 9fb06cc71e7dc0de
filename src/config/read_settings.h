// The settings that a trunk, a carrier or a profile may have. Each reader takes what it is based on and
// returns it with what the section says instead.
#pragma once

#include "config/section.h"
#include "trunk/model.h"

namespace baton::config {

[[nodiscard]] trunk::TransferSettings read_transfer(const Section& section, trunk::TransferSettings transfer);
// Of both what a profile may have: how a peer speaks, not whom to trust and whom to call.
[[nodiscard]] trunk::TransferSettings read_transfer_dialect(const Section& section,
                                                            trunk::TransferSettings transfer);
[[nodiscard]] trunk::IdentitySettings read_identity_dialect(const Section& section,
                                                            trunk::IdentitySettings identity);
[[nodiscard]] trunk::IdentitySettings read_identity(const Section& section, trunk::IdentitySettings identity);
// `has_logins`: somebody may log in, so the algorithms of that matter.
[[nodiscard]] trunk::SipSettings read_sip(const Section& section, trunk::SipSettings sip, bool has_logins);
[[nodiscard]] trunk::MediaSettings read_leg_media(const Section& section, trunk::MediaSettings media);

}  // namespace baton::config
