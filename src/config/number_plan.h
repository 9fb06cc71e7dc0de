// Countries by number, over libphonenumber's tables. One for the process; safe from any thread.
#pragma once

#include <memory>
#include <string_view>

#include "trunk/model.h"

namespace baton::config {

class CountryPlan : public trunk::NumberPlan {
 public:
  [[nodiscard]] virtual bool knows_country(std::string_view alpha2) const = 0;
};

// The first call loads the tables and compiles their expressions, which takes a while: make it at start and
// not with a call waiting.
[[nodiscard]] std::shared_ptr<const CountryPlan> number_plan();

}  // namespace baton::config
