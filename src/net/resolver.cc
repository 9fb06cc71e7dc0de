#include "net/resolver.h"

#include <ares.h>
#include <netinet/in.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>
#include <mutex>

namespace baton::net {
namespace {

constexpr std::size_t host_bytes_max = 253;  // RFC 1035 2.3.4, without the root's dot

bool is_host_name(const std::string& host) {
  return !host.empty() && host.size() <= host_bytes_max + 1 &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '.' || c == '_';
         });
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

int initialize_library() {
  static std::once_flag once;
  static int status = ARES_SUCCESS;
  std::call_once(once, [] { status = ares_library_init(ARES_LIB_INIT_ALL); });
  return status;
}

std::optional<IpAddress> read_address(const ares_addrinfo_node& node) {
  IpAddress address;
  if (node.ai_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(node.ai_addr);
    std::memcpy(address.bytes.data(), &in->sin_addr, 4);
    return address;
  }
  if (node.ai_family == AF_INET6) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(node.ai_addr);
    address.v6 = true;
    std::memcpy(address.bytes.data(), &in6->sin6_addr, 16);
    return address;
  }
  return std::nullopt;
}

}  // namespace

Resolver::Resolver(Poller& poller, Inputs& inputs, Probe& probe, const ResolverOptions& options)
    : poller_(poller), inputs_(inputs), probe_(probe), options_(options) {}

Result<std::unique_ptr<Resolver>, std::string> Resolver::open(Poller& poller, Inputs& inputs, Probe& probe,
                                                              const ResolverOptions& options) {
  std::unique_ptr<Resolver> resolver(new Resolver(poller, inputs, probe, options));
  const int status = resolver->init();
  if (status == ARES_SUCCESS) return resolver;
  return fail(std::string("name resolution can not start: ") + ares_strerror(status));
}

int Resolver::init() {
  if (const int status = initialize_library(); status != ARES_SUCCESS) return status;
  ares_options options{};
  options.sock_state_cb = &Resolver::on_socket;
  options.sock_state_cb_data = this;
  options.timeout = static_cast<int>(options_.try_timeout / 1ms);
  options.tries = static_cast<int>(options_.tries);
  const int mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
  if (const int status = ares_init_options(&channel_, &options, mask); status != ARES_SUCCESS) {
    channel_ = nullptr;
    return status;
  }
  if (options_.servers.empty()) return ARES_SUCCESS;
  std::string servers;
  for (const SocketAddress& server : options_.servers) {
    servers += (servers.empty() ? "" : ",") + server.to_string();
  }
  return ares_set_servers_ports_csv(channel_, servers.c_str());
}

Resolver::~Resolver() {
  // Calls on_answer() for every question under way, and on_socket() for every socket.
  if (channel_ != nullptr) ares_destroy(channel_);
  for (const auto& [fd, token] : sockets_) poller_.remove(token);
}

void Resolver::resolve(Time now, std::uint64_t query, const std::string& host_as_written) {
  now_ = now;
  ++probe_.resolves;
  const std::string host = lower(host_as_written);
  if (const auto literal = IpAddress::parse(host)) {
    answer(query, {*literal});
    return;
  }
  if (const auto known = known_.find(host); known != known_.end() && now < known->second.good_until) {
    ++probe_.resolves_known;
    answer(query, known->second.addresses);
    return;
  }
  if (!is_host_name(host) || questions_.size() >= options_.questions_max) {
    ++probe_.resolves_refused;
    answer(query, {});
    return;
  }
  auto question = std::make_unique<Question>(Question{this, ++next_id_, query, host, false});
  Question* asked = question.get();
  timers_.arm(now + options_.timeout, asked->id, 0);
  questions_.emplace(asked->id, std::move(question));
  ares_addrinfo_hints hints{};
  hints.ai_family = options_.v4 && options_.v6 ? AF_UNSPEC : options_.v6 ? AF_INET6 : AF_INET;
  // Not sorted by c-ares, which would open sockets for it; addresses_of() has an order of its own.
  hints.ai_flags = ARES_AI_NOSORT;
  ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &Resolver::on_answer, asked);
}

void Resolver::on_answer(void* question, int status, int /*timeouts*/, ares_addrinfo* info) {
  auto* asked = static_cast<Question*>(question);
  Resolver& self = *asked->resolver;
  if (status != ARES_EDESTRUCTION) self.take_answer(*asked, status, info);
  if (info != nullptr) ares_freeaddrinfo(info);
  self.questions_.erase(asked->id);
}

void Resolver::take_answer(const Question& question, int status, const ares_addrinfo* info) {
  std::vector<IpAddress> addresses = addresses_of(info);
  if (status == ARES_SUCCESS && !addresses.empty()) remember(question.host, addresses, info);
  if (question.answered) return;
  // "No such name" is an answer; silence and failure are none.
  const bool told = status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA;
  if (!told) {
    addresses = stale(question.host);
  } else if (addresses.empty()) {
    known_.erase(question.host);
  }
  if (addresses.empty()) ++probe_.resolves_failed;
  answer(question.query, std::move(addresses));
}

void Resolver::remember(const std::string& host, const std::vector<IpAddress>& addresses,
                        const ares_addrinfo* info) {
  Duration ttl = options_.ttl_max;
  for (const ares_addrinfo_node* node = info->nodes; node != nullptr; node = node->ai_next) {
    ttl = std::min(ttl, Duration(std::chrono::seconds(node->ai_ttl)));
  }
  ttl = std::max(ttl, options_.ttl_min);
  if (known_.size() >= options_.known_max && known_.count(host) == 0) make_room();
  known_[host] = {addresses, now_ + ttl, now_ + ttl + options_.stale_max};
}

// Names that nobody can use any more go first; then the one that ends soonest.
void Resolver::make_room() {
  std::erase_if(known_, [this](const auto& entry) { return entry.second.stale_until <= now_; });
  if (known_.size() < options_.known_max) return;
  const auto soonest = std::min_element(known_.begin(), known_.end(), [](const auto& a, const auto& b) {
    return a.second.stale_until < b.second.stale_until;
  });
  known_.erase(soonest);
}

std::vector<IpAddress> Resolver::stale(const std::string& host) {
  const auto known = known_.find(host);
  if (known == known_.end() || known->second.stale_until <= now_) return {};
  ++probe_.resolves_stale;
  return known->second.addresses;
}

// In the name server's order, IPv4 in front: whose answer came first must not decide, and of a trunk that has
// both, IPv4 is what is known to work.
std::vector<IpAddress> Resolver::addresses_of(const ares_addrinfo* info) const {
  std::vector<IpAddress> addresses;
  if (info == nullptr) return addresses;
  for (const ares_addrinfo_node* node = info->nodes; node != nullptr; node = node->ai_next) {
    const auto address = read_address(*node);
    if (!address || !(address->v6 ? options_.v6 : options_.v4)) continue;
    if (std::find(addresses.begin(), addresses.end(), *address) != addresses.end()) continue;
    addresses.push_back(*address);
  }
  std::stable_sort(addresses.begin(), addresses.end(),
                   [](const IpAddress& a, const IpAddress& b) { return !a.v6 && b.v6; });
  if (addresses.size() > options_.addresses_max) addresses.resize(options_.addresses_max);
  return addresses;
}

void Resolver::answer(std::uint64_t query, std::vector<IpAddress> addresses) {
  inputs_.push_back(engine::Resolved{query, std::move(addresses)});
}

void Resolver::on_socket(void* self, int fd, int readable, int writable) {
  static_cast<Resolver*>(self)->watch(fd, readable != 0, writable != 0);
}

void Resolver::watch(int fd, bool readable, bool writable) {
  const auto found = sockets_.find(fd);
  if (!readable && !writable) {
    if (found == sockets_.end()) return;
    poller_.remove(found->second);
    sockets_.erase(found);
    return;
  }
  const std::uint32_t events = (readable ? static_cast<std::uint32_t>(EPOLLIN) : 0U) |
                               (writable ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  if (found != sockets_.end()) {
    poller_.change(found->second, events);
    return;
  }
  // Refused, the question runs into its time-out.
  const Poller::Token token = poller_.add(fd, events, *this, static_cast<std::uint64_t>(fd));
  if (token) sockets_.emplace(fd, token);
}

void Resolver::ready(Time now, std::uint64_t tag, std::uint32_t events) {
  now_ = now;
  const int fd = static_cast<int>(tag);
  const bool failed = (events & (EPOLLERR | EPOLLHUP)) != 0;
  ares_process_fd(channel_, (events & EPOLLIN) != 0 || failed ? fd : ARES_SOCKET_BAD,
                  (events & EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD);
}

void Resolver::advance(Time now) {
  now_ = now;
  if (!questions_.empty()) ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  while (const auto entry = timers_.pop_due(now)) {
    const auto found = questions_.find(entry->owner);
    if (found == questions_.end() || found->second->answered) continue;
    found->second->answered = true;
    ++probe_.resolves_timed_out;
    answer(found->second->query, stale(found->second->host));
  }
}

std::optional<Time> Resolver::next_deadline(Time now) const {
  if (questions_.empty()) return std::nullopt;
  std::optional<Time> next = timers_.next_deadline();
  timeval wait{};
  if (ares_timeout(channel_, nullptr, &wait) != nullptr) {
    const Time at = now + std::chrono::seconds(wait.tv_sec) + Duration(wait.tv_usec);
    if (!next || at < *next) next = at;
  }
  return next;
}

void Resolver::set_families(bool v4, bool v6) {
  known_.clear();
  options_.v4 = v4;
  options_.v6 = v6;
}

}  // namespace baton::net
