// The settings that a trunk, a carrier or a profile may have, each on top of what it is based on.
#include "config/read_settings.h"

namespace baton::config {
namespace {

constexpr Duration ring_least = 1s;
constexpr Duration ring_most = 10min;
constexpr std::size_t fallback_targets_most = 8;
constexpr Duration comfort_least = 200ms;

}  // namespace

trunk::TransferSettings read_transfer_dialect(const Section& section, trunk::TransferSettings transfer) {
  transfer.accept_code = static_cast<int>(section.integer("accept_code", 200, 202, transfer.accept_code));
  if (transfer.accept_code == 201) {
    section.problem("accept_code", "201 is no answer to a REFER", "write 202, or 200 (RFC 7647)");
  }
  transfer.copy_headers = section.boolean("copy_headers", transfer.copy_headers);
  transfer.attended = section.boolean("attended", transfer.attended);
  transfer.notify_id_first = section.boolean("notify_id_first", transfer.notify_id_first);
  transfer.notify_progress = section.boolean("notify_progress", transfer.notify_progress);
  transfer.last_bye = section.value_or("last_bye", to_last_bye, transfer.last_bye);
  transfer.early_bye_continues = section.value_or("early_bye", to_early_bye, transfer.early_bye_continues);
  return transfer;
}

trunk::TransferSettings read_transfer(const Section& section, trunk::TransferSettings transfer) {
  transfer = read_transfer_dialect(section, std::move(transfer));
  transfer.enabled = section.boolean("enabled", transfer.enabled);
  transfer.comfort_after = section.duration("comfort_after", 0s, 60s, transfer.comfort_after);
  if (transfer.comfort_after > 0s && transfer.comfort_after < comfort_least) {
    section.problem("comfort_after", "audio has pauses as long as this",
                    R"(write "200ms" or more, or "0s" for no noise at all)");
  }
  transfer.ring_timeout = section.duration("ring_timeout", ring_least, ring_most, transfer.ring_timeout);
  transfer.depth_max = static_cast<unsigned>(section.integer("depth_max", 1, 1000, transfer.depth_max));
  transfer.allowed_hosts = section.values("allowed_hosts", to_transfer_host);
  transfer.caller_id = section.value_or("caller_id", to_transfer_caller_id, transfer.caller_id);
  transfer.fixed_caller_id = section.value_or("fixed_caller_id", to_number, transfer.fixed_caller_id);
  transfer.return_on_target_hangup =
      section.value_or("on_target_hangup", to_on_target_hangup, transfer.return_on_target_hangup);
  transfer.announcement = section.value_or<std::string>("announcement", to_path, {});
  transfer.fallback_targets = section.values("fallback_targets", to_number);
  if (transfer.fallback_targets.size() > fallback_targets_most) {
    section.problem("fallback_targets", "more than " + std::to_string(fallback_targets_most) + " numbers",
                    "the transferee waits for each of them; keep the likely ones");
  }
  const bool is_fixed = transfer.caller_id == trunk::TransferCallerId::fixed;
  if (is_fixed && !section.has("fixed_caller_id")) {
    section.problem("fixed_caller_id", R"(caller_id = "fixed" needs a number)",
                    R"(write fixed_caller_id = "+…" with a number of this account)");
  }
  if (!is_fixed && section.has("fixed_caller_id")) {
    section.problem("fixed_caller_id", R"(this is used only with caller_id = "fixed")",
                    R"(write caller_id = "fixed", or remove this key)");
  }
  return transfer;
}

trunk::IdentitySettings read_identity_dialect(const Section& section, trunk::IdentitySettings identity) {
  identity.header = section.value_or("header", to_identity_header, identity.header);
  identity.diversion = section.value_or("diversion", to_diversion_header, identity.diversion);
  return identity;
}

trunk::IdentitySettings read_identity(const Section& section, trunk::IdentitySettings identity) {
  identity = read_identity_dialect(section, identity);
  identity.accept = section.boolean("accept", identity.accept);
  identity.reveal_anonymous = section.boolean("reveal_anonymous", identity.reveal_anonymous);
  return identity;
}

}  // namespace baton::config
