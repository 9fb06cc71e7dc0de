#include "config/read.h"

namespace baton::config {
namespace {

// A name server listens on port 53 unless another is written.
Converted<SocketAddress> to_name_server(const std::string& text) {
  constexpr std::uint16_t dns_port = 53;
  if (const auto ip = IpAddress::parse(text)) return SocketAddress{*ip, dns_port};
  if (const auto address = SocketAddress::parse(text)) return *address;
  return fail(Mistake{shown(text) + " is not the address of a name server",
                      R"(write "192.0.2.53", or with a port "192.0.2.53:5353")"});
}

unsigned count(const Section& section, std::string_view key, unsigned most, unsigned otherwise) {
  return static_cast<unsigned>(section.integer(key, 0, most, otherwise));
}

}  // namespace

Limits read_limits(const Section& section) {
  Limits limits;
  limits.stranger_rate = count(section, "stranger_rate", 100'000, limits.stranger_rate);
  limits.stranger_refusals = count(section, "stranger_refusals", 100'000, limits.stranger_refusals);
  limits.failed_logins = count(section, "failed_logins", 100'000, limits.failed_logins);
  limits.failed_logins_per_trunk =
      count(section, "failed_logins_per_trunk", 1'000'000, limits.failed_logins_per_trunk);
  limits.window = section.duration("window", 1s, 1h, limits.window);
  limits.silence = section.duration("silence", 1s, 24h, limits.silence);
  limits.overload_delay = section.duration("overload_delay", 0s, 1min, limits.overload_delay);
  return limits;
}

std::vector<SocketAddress> read_name_servers(const Section& section) {
  return section.values("servers", to_name_server);
}

}  // namespace baton::config
