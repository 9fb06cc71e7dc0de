#include "config/number_plan.h"

#include <phonenumbers/phonenumberutil.h>

#include <array>
#include <charconv>
#include <functional>
#include <list>
#include <map>
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
    std::set<int> calling_codes;
    util_.GetSupportedCallingCodes(&calling_codes);
    for (const int code : calling_codes) {
      std::list<std::string> regions;
      util_.GetRegionCodesForCountryCallingCode(code, &regions);
      const bool alone = regions.size() == 1 && countries_.contains(regions.front());
      if (alone) alone_.emplace(std::to_string(code), regions.front());
    }
    // Here an area code is of one country (North American Numbering Plan); the first digit of an exchange is
    // 2 to 9.
    for (std::size_t code = 0; code < area_countries_.size(); ++code) {
      std::string digits = std::to_string(code + area_code_min);
      area_countries_[code] = look_up(std::string(shared_plan) + digits + "5550100");
    }
    // The library compiles a country's expressions at its first number, under a lock, and keeps them, which
    // takes some 20 kB a country. Where the first digits say it all they are hardly ever asked.
    for (const std::string& country : countries_) {
      if (alone_.contains(std::to_string(util_.GetCountryCodeForRegion(country)))) continue;
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
    if (const std::string* country = by_prefix(e164)) return *country;
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

  // Where the first digits say it all, no expression has to be matched: most of the world.
  [[nodiscard]] const std::string* by_prefix(std::string_view e164) const {
    constexpr std::size_t shortest = 8;  // "+" and seven digits; what is shorter is the library's to judge
    if (e164.size() < shortest || e164.front() != '+') return nullptr;
    if (e164.size() == nanp_bytes && e164.starts_with(shared_plan)) {
      unsigned area = 0;
      const std::string_view digits = e164.substr(shared_plan.size(), 3);
      const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), area);
      const bool known = read.ptr == digits.data() + digits.size() && area >= area_code_min;
      return known ? &area_countries_[area - area_code_min] : nullptr;
    }
    for (std::size_t length = 1; length <= 3; ++length) {
      const auto found = alone_.find(e164.substr(1, length));
      if (found != alone_.end()) return &found->second;
    }
    return nullptr;
  }

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

  static constexpr std::string_view shared_plan = "+1";
  static constexpr std::size_t nanp_bytes = 12;  // "+1" and ten digits
  static constexpr unsigned area_code_min = 200, area_code_max = 999;

  const PhoneNumberUtil& util_;
  std::map<std::string, std::string, std::less<>> alone_;  // calling codes of one country, and which
  std::array<std::string, area_code_max - area_code_min + 1> area_countries_;
  std::set<std::string> countries_;
};

}  // namespace

std::shared_ptr<const CountryPlan> number_plan() {
  static const std::shared_ptr<const CountryPlan> plan = std::make_shared<const LibPhoneNumberPlan>();
  return plan;
}

}  // namespace baton::config
