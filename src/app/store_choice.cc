#include "app/store_choice.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>

#include "config/config.h"

namespace baton::app {
namespace {

// Digits of exactly that length.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t length) {
  if (text.size() < at + length) return std::nullopt;
  int value = 0;
  const char* end = text.data() + at + length;
  const auto [stop, error] = std::from_chars(text.data() + at, end, value);
  if (error != std::errc{} || stop != end || value < 0 || text[at] == '-') return std::nullopt;
  return value;
}

std::optional<Duration> parse_ago(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  std::int64_t count = 0;
  const char* end = text.data() + text.size() - 1;
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc{} || stop != end || count < 0 || count > 1'000'000'000) return std::nullopt;
  switch (text.back()) {
    case 's':
      return std::chrono::seconds(count);
    case 'm':
      return std::chrono::minutes(count);
    case 'h':
      return std::chrono::hours(count);
    case 'd':
      return std::chrono::hours(24 * count);
    default:
      return std::nullopt;
  }
}

std::optional<Duration> parse_time_of_day(std::string_view text) {
  if (!text.empty() && text.back() == 'Z') text.remove_suffix(1);
  const auto hour = digits(text, 0, 2);
  const auto minute = digits(text, 3, 2);
  const bool with_seconds = text.size() == 8;
  const auto second = with_seconds ? digits(text, 6, 2) : std::optional<int>(0);
  if (!hour || !minute || !second || text[2] != ':' || (with_seconds ? text[5] != ':' : text.size() != 5)) {
    return std::nullopt;
  }
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

std::string check_since(const std::string& text) {
  if (parse_since(text, wall_clock())) return {};
  return "'" + text + "' is no time; 2h, 7d, 2026-11-21 or 2026-11-21T10:08 would be";
}

}  // namespace

Time wall_clock() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return Time{std::chrono::duration_cast<Duration>(since_epoch)};
}

std::optional<Time> parse_since(std::string_view text, Time now) {
  if (const auto ago = parse_ago(text)) return now - *ago;
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  Duration rest{0};
  if (text.size() > 10) {
    const auto time = parse_time_of_day(text.substr(11));
    if (!time || (text[10] != 'T' && text[10] != ' ')) return std::nullopt;
    rest = *time;
  }
  return Time{std::chrono::sys_days(date).time_since_epoch() + rest};
}

void StoreChoice::add_options(CLI::App& command) {
  auto* by_config =
      command.add_option("-c,--config", config, "The server's configuration, which names the store");
  by_config->type_name("FILE")->capture_default_str();
  command.add_option("--store", store, "The store itself")->type_name("FILE")->excludes(by_config);
}

Result<std::unique_ptr<store::Reader>, std::string> StoreChoice::open() const {
  if (!store.empty()) return store::Reader::open(store);
  const auto loaded = config::load(config);
  if (loaded) return store::Reader::open(loaded->server.store_path);
  std::string text = loaded.error().front().to_string();
  if (loaded.error().size() > 1) {
    text += " (and " + std::to_string(loaded.error().size() - 1) + " more: baton check " + config + ")";
  }
  return fail(std::move(text));
}

void FilterChoice::add_options(CLI::App& command, const char* records) {
  command.add_option("-n,--limit", limit, std::string("At most so many ") + records + ", the newest")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_option("--number", number, "Only with this number, or one that begins so")->type_name("NUMBER");
  command.add_option("--since", since, "Only since then (UTC): 2h, 7d, 2026-11-21, 2026-11-21T10:08")
      ->type_name("TIME")
      ->check(check_since);
}

store::Filter FilterChoice::filter(Time now) const {
  store::Filter filter;
  filter.limit = limit;
  filter.number = number;
  if (!since.empty()) filter.since = parse_since(since, now);
  return filter;
}

}  // namespace baton::app
