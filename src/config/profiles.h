// Interop profiles: a named set of settings for how one kind of peer speaks SIP. Some are built in; a file
// may add its own, based on any of them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/section.h"
#include "trunk/model.h"

namespace baton::config {

struct Profile {
  std::string id;
  trunk::TransferSettings transfer;
  trunk::IdentitySettings identity;
  trunk::SipSettings sip;
  trunk::MediaSettings media;
};

[[nodiscard]] std::span<const Profile> built_in_profiles();

class Profiles {
 public:
  // With the [[profile]] sections of the file; mistakes go into its Problems.
  explicit Profiles(const Section& file);

  // What a trunk or carrier is based on: that of its `profile` key, else "generic".
  [[nodiscard]] Profile of(const Section& section) const;

 private:
  [[nodiscard]] const Profile* find(std::string_view id) const;
  [[nodiscard]] Profile base(const Section& section, std::string_view key) const;

  std::vector<Profile> own_;
};

}  // namespace baton::config
