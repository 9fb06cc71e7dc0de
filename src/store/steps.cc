#include "store/steps.h"

#include <nlohmann/json.hpp>

namespace baton::store {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& step, const char* key) {
  const auto found = step.find(key);
  return found != step.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number_of(const Json& step, const char* key) {
  const auto found = step.find(key);
  return found != step.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

std::string to_text(const std::vector<call::TransferStep>& steps) {
  Json all = Json::array();
  for (const call::TransferStep& step : steps) {
    all.push_back(
        {{"at", to_micros(step.at)}, {"what", step.what}, {"status", step.status}, {"detail", step.detail}});
  }
  return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<call::TransferStep> parse_steps(const std::string& text) {
  std::vector<call::TransferStep> steps;
  Json all = Json::parse(text, nullptr, false);
  // Steps that were rows of their own once may hold what a peer said in some other encoding.
  if (all.is_discarded()) {
    const std::string clean = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
    all = Json::parse(Json::parse(clean).get<std::string>(), nullptr, false);
  }
  if (!all.is_array()) return steps;
  for (const Json& step : all) {
    if (!step.is_object()) continue;
    steps.push_back({from_micros(number_of(step, "at")), text_of(step, "what"),
                     static_cast<int>(number_of(step, "status")), text_of(step, "detail")});
  }
  return steps;
}

}  // namespace baton::store
