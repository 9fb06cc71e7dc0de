#include "media/rtpengine/key_log.h"

#include <algorithm>
#include <charconv>

namespace baton::media::rtpengine {
namespace {

constexpr unsigned events_end = 16;
constexpr Duration lasted_max = 10s;

// What follows `"name":`.
std::string_view after(std::string_view datagram, std::string_view name) {
  const std::size_t at = datagram.find(name);
  return at == std::string_view::npos ? std::string_view{} : datagram.substr(at + name.size());
}

std::string_view text(std::string_view datagram, std::string_view name) {
  const std::string_view rest = after(datagram, name);
  if (rest.empty() || rest.front() != '"') return {};
  const std::size_t end = rest.find('"', 1);
  return end == std::string_view::npos ? std::string_view{} : rest.substr(1, end - 1);
}

std::optional<unsigned> number(std::string_view datagram, std::string_view name) {
  const std::string_view rest = after(datagram, name);
  unsigned found = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), found);
  if (error != std::errc{}) return std::nullopt;
  return found;
}

}  // namespace

std::optional<LoggedKey> read_logged_key(std::string_view datagram) {
  LoggedKey key{text(datagram, R"("callid":)"), text(datagram, R"("source_tag":)")};
  const auto event = number(datagram, R"("event":)");
  const auto ms = number(datagram, R"("duration":)");
  if (key.call_id.empty() || key.tag.empty() || text(datagram, R"("type":)") != "DTMF") return std::nullopt;
  if (!event || *event >= events_end || !ms) return std::nullopt;
  key.event = static_cast<std::uint8_t>(*event);
  key.lasted = std::min<Duration>(std::chrono::milliseconds{*ms}, lasted_max);
  return key;
}

}  // namespace baton::media::rtpengine
