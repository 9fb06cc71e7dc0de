#include "config/number_plan.h"

#include <phonenumbers/phonenumberutil.h>

#include <array>
#include <functional>
#include <set>
#include <string>

namespace baton::config {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

class LibPhoneNumberPlan final : public CountryPlan {
 public:
  LibPhoneNumberPlan() : util_(*PhoneNumberUtil::GetInstance()) {
    util_.GetSupportedRegions(&countries_);
    // The library compiles a country's expressions at its first number, under a lock.
    for (const std::string& country : countries_) {
      PhoneNumber example;
      if (!util_.GetExampleNumber(country, &example)) continue;
      std::string e164;
      util_.Format(example, PhoneNumberUtil::E164, &e164);
      static_cast<void>(look_up(e164));
    }
  }

  // The numbers of a call are asked for again and again (permissions, ring-back tone, records), and the
  // library takes 10 to 20 µs for each. What was asked last stays at hand, in each thread for itself.
  [[nodiscard]] std::string country_of(std::string_view e164) const override {
    constexpr std::size_t e164_bytes_max = 16;
    if (e164.size() > e164_bytes_max || e164.empty()) return {};
    thread_local std::array<Known, 1024> cache;
    Known& known = cache[std::hash<std::string_view>{}(e164) % cache.size()];
    if (known.number != e164) known = {std::string(e164), look_up(e164)};
    return known.country;
  }

  [[nodiscard]] bool knows_country(std::string_view alpha2) const override {
    return countries_.contains(std::string(alpha2));
  }

 private:
  struct Known {
    std::string number, country;
  };

  [[nodiscard]] std::string look_up(std::string_view e164) const {
    PhoneNumber number;
    if (util_.Parse(std::string(e164), "ZZ", &number) != PhoneNumberUtil::NO_PARSING_ERROR) return {};
    std::string country;
    util_.GetRegionCodeForNumber(number, &country);
    // Area codes are newer than tables: a number of a shared calling code that no country claims counts as
    // one of the code's main country, as its price does.
    if (!countries_.contains(country)) util_.GetRegionCodeForCountryCode(number.country_code(), &country);
    return countries_.contains(country) ? country : std::string();
  }

  const PhoneNumberUtil& util_;
  std::set<std::string> countries_;
};

}  // namespace

std::shared_ptr<const CountryPlan> number_plan() {
  static const std::shared_ptr<const CountryPlan> plan = std::make_shared<const LibPhoneNumberPlan>();
  return plan;
}

}  // namespace baton::config
