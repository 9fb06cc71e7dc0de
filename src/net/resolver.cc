#include "net/resolver.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "net/dns_reply.h"

namespace baton::net {
namespace {

constexpr std::size_t host_bytes_max = 253;  // RFC 1035 2.3.4, without the root's dot

enum TimerKind : std::uint8_t { out_of_time, look_again };

bool is_host_name(const std::string& host) {
  return !host.empty() && host.size() <= host_bytes_max && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
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

// "No such name" is an answer; silence and failure are none.
bool says_none(int status) {
  return status == ARES_ENOTFOUND || status == ARES_ENODATA;
}

}  // namespace

// The facts as one question sees them: what is not there is asked for, once, by whoever needs it first.
class Resolver::View final : public Facts {
 public:
  View(Resolver& resolver, const Question& question, bool last_word)
      : resolver_(resolver), question_(question), last_word_(last_word) {}

  const Records* look(RecordType type, const std::string& name) override {
    if (!is_host_name(name)) return &none_;
    const Name key{type, name};
    Fact& fact = resolver_.facts_[key];
    const Time now = resolver_.now_;
    if (now < fact.good_until) return &fact.records;
    if (!fact.asked_at && !last_word_ && now >= fact.retry_at) {
      asked = true;
      resolver_.ask(key, fact);
      if (now < fact.good_until) return &fact.records;
    }
    if (!fact.asked_at || last_word_) return stale(fact);
    const Time patience_ends = *fact.asked_at + resolver_.options_.record_patience;
    if (type != RecordType::address) {
      if (now >= patience_ends) return stale(fact);
      resolver_.timers_.arm(patience_ends, question_.id, look_again);
    }
    const bool waits =
        std::find(fact.waiters.begin(), fact.waiters.end(), question_.id) != fact.waiters.end();
    if (!waits) fact.waiters.push_back(question_.id);
    return nullptr;
  }

  bool asked = false;
  bool used_stale = false;

 private:
  const Records* stale(const Fact& fact) {
    if (resolver_.now_ >= fact.stale_until) return &none_;
    used_stale = true;
    return &fact.records;
  }

  Resolver& resolver_;
  const Question& question_;
  bool last_word_;
  const Records none_{};
};

Resolver::Resolver(Poller& poller, Inputs& inputs, Probe& probe, const ResolverOptions& options)
    : poller_(poller), inputs_(inputs), probe_(probe), options_(options), rng_(options.seed) {
  reach_.add(Transport::udp, false);
  reach_.add(Transport::udp, true);
}

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
  // SRV records of a carrier rarely fit into 512 bytes. 1232 are never cut into fragments.
  options.flags = ARES_FLAG_EDNS;
  options.ednspsz = 1'232;
  const int mask =
      ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ;
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
  // Ends every query, and calls on_socket() for every socket.
  if (channel_ != nullptr) ares_destroy(channel_);
  for (const auto& [fd, token] : sockets_) poller_.remove(token);
}

// ---- Questions ----

void Resolver::resolve(Time now, std::uint64_t query, const Lookup& lookup) {
  now_ = now;
  ++probe_.resolves;
  if (const auto literal = literal_target(lookup)) return answer(query, {*literal});
  const std::uint64_t id = ++next_id_;
  Question asked{id, query, lookup};
  asked.lookup.host = plain_name(lookup.host);
  if (!is_host_name(asked.lookup.host) || questions_.size() >= options_.questions_max) {
    ++probe_.resolves_refused;
    return answer(query, {});
  }
  Question& question = questions_.emplace(id, std::move(asked)).first->second;
  View view(*this, question, false);
  if (auto targets = locate(question.lookup, reach_, view, rng_)) {
    if (!view.asked) ++probe_.resolves_known;
    if (targets->empty()) ++probe_.resolves_failed;
    questions_.erase(id);
    answer(query, std::move(*targets));
  } else {
    timers_.arm(now + options_.timeout, id, out_of_time);
  }
  walk_waiting();
}

// With the last word, what has not come counts as not there.
void Resolver::walk(Question& question, bool last_word) {
  View view(*this, question, last_word);
  auto targets = locate(question.lookup, reach_, view, rng_);
  if (!targets) return;
  if (view.used_stale) ++probe_.resolves_stale;
  if (targets->empty()) ++probe_.resolves_failed;
  const std::uint64_t query = question.query;
  questions_.erase(question.id);
  answer(query, std::move(*targets));
}

// c-ares may answer from inside a question; what that brings about waits until nobody looks at a fact.
void Resolver::walk_waiting() {
  while (!waiting_.empty()) {
    const std::uint64_t id = waiting_.front();
    waiting_.pop_front();
    const auto found = questions_.find(id);
    if (found != questions_.end()) walk(found->second, false);
  }
  forget_some();
}

void Resolver::answer(std::uint64_t query, std::vector<Target> targets) {
  inputs_.emplace_back(engine::Resolved{query, std::move(targets)});
}

// ---- Queries ----

void Resolver::ask(const Name& name, Fact& fact) {
  if (queries_.size() >= options_.queries_max) {
    ++probe_.resolves_refused;
    return;
  }
  const std::uint64_t id = ++next_id_;
  Query* query = queries_.emplace(id, std::make_unique<Query>(Query{this, id, name})).first->second.get();
  fact.asked_at = now_;
  if (name.type != RecordType::address) {
    ares_query(channel_, name.name.c_str(), ns_c_in, name.type == RecordType::srv ? ns_t_srv : ns_t_naptr,
               &Resolver::on_records, query);
    return;
  }
  ares_addrinfo_hints hints{};
  hints.ai_family = reach_.any(false) && reach_.any(true) ? AF_UNSPEC : reach_.any(true) ? AF_INET6 : AF_INET;
  // Not sorted by c-ares, which would open sockets for it; read_addresses() has an order of its own.
  hints.ai_flags = ARES_AI_NOSORT;
  ares_getaddrinfo(channel_, name.name.c_str(), nullptr, &hints, &Resolver::on_addresses, query);
}

void Resolver::on_addresses(void* query, int status, int /*timeouts*/, ares_addrinfo* info) {
  auto& asked = *static_cast<Query*>(query);
  Resolver& self = *asked.resolver;
  if (status == ARES_EDESTRUCTION) return;
  std::optional<Records> records;
  Duration ttl = self.options_.ttl_max;
  if (status == ARES_SUCCESS || says_none(status)) records = self.read_addresses(info);
  if (info != nullptr) {
    for (const ares_addrinfo_node* node = info->nodes; node != nullptr; node = node->ai_next) {
      ttl = std::min(ttl, Duration(std::chrono::seconds(node->ai_ttl)));
    }
    ares_freeaddrinfo(info);
  }
  self.take(asked, std::move(records), ttl);
}

void Resolver::on_records(void* query, int status, int /*timeouts*/, unsigned char* bytes, int length) {
  auto& asked = *static_cast<Query*>(query);
  Resolver& self = *asked.resolver;
  if (status == ARES_EDESTRUCTION) return;
  if (says_none(status)) return self.take(asked, Records{}, {});
  std::optional<DnsReply> reply;
  if (status == ARES_SUCCESS) {
    reply = read_dns_reply(asked.name.type, bytes, length, self.options_.records_max);
  }
  if (!reply) return self.take(asked, std::nullopt, {});
  self.take(asked, std::move(reply->records), reply->ttl);
}

void Resolver::take(Query& query, std::optional<Records> records, Duration ttl) {
  Fact& fact = facts_[query.name];
  fact.asked_at.reset();
  waiting_.insert(waiting_.end(), fact.waiters.begin(), fact.waiters.end());
  fact.waiters.clear();
  queries_.erase(query.id);
  if (!records) {
    fact.retry_at = now_ + options_.failure_pause;
    return;
  }
  const bool none = records->addresses.empty() && records->srv.empty() && records->naptr.empty();
  fact.records = std::move(*records);
  fact.good_until = now_ + (none ? options_.none_ttl : std::clamp(ttl, options_.ttl_min, options_.ttl_max));
  fact.stale_until = none ? fact.good_until : fact.good_until + options_.stale_max;
}

// In the name server's order, IPv4 in front: whose answer came first must not decide, and of a trunk that has
// both, IPv4 is what is known to work.
Records Resolver::read_addresses(const ares_addrinfo* info) const {
  std::vector<IpAddress> addresses;
  for (const ares_addrinfo_node* node = info == nullptr ? nullptr : info->nodes; node != nullptr;
       node = node->ai_next) {
    const auto address = read_address(*node);
    if (!address || std::find(addresses.begin(), addresses.end(), *address) != addresses.end()) continue;
    addresses.push_back(*address);
  }
  std::stable_sort(addresses.begin(), addresses.end(),
                   [](const IpAddress& a, const IpAddress& b) { return !a.v6 && b.v6; });
  if (addresses.size() > options_.addresses_max) addresses.resize(options_.addresses_max);
  return {.naptr = {}, .srv = {}, .addresses = std::move(addresses)};
}

// What nobody can use any more goes first; then what ends soonest.
void Resolver::forget_some() {
  if (facts_.size() <= options_.known_max) return;
  std::erase_if(facts_, [this](const auto& entry) {
    const Fact& fact = entry.second;
    return !fact.asked_at && fact.stale_until <= now_ && fact.retry_at <= now_;
  });
  while (facts_.size() > options_.known_max) {
    const auto soonest = std::min_element(facts_.begin(), facts_.end(), [](const auto& a, const auto& b) {
      const bool free_a = !a.second.asked_at, free_b = !b.second.asked_at;
      return free_a != free_b ? free_a : a.second.stale_until < b.second.stale_until;
    });
    if (soonest->second.asked_at) return;  // bounded by queries_max
    facts_.erase(soonest);
  }
}

// ---- The loop ----

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
  // Refused, the query runs into its time-out.
  const Poller::Token token = poller_.add(fd, events, *this, static_cast<std::uint64_t>(fd));
  if (token) sockets_.emplace(fd, token);
}

void Resolver::ready(Time now, std::uint64_t tag, std::uint32_t events) {
  now_ = now;
  const int fd = static_cast<int>(tag);
  const bool failed = (events & (EPOLLERR | EPOLLHUP)) != 0;
  ares_process_fd(channel_, (events & EPOLLIN) != 0 || failed ? fd : ARES_SOCKET_BAD,
                  (events & EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD);
  walk_waiting();
}

void Resolver::advance(Time now) {
  now_ = now;
  if (!queries_.empty()) ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  walk_waiting();
  while (const auto entry = timers_.pop_due(now)) {
    const auto found = questions_.find(entry->owner);
    if (found == questions_.end()) continue;
    if (entry->kind == out_of_time) ++probe_.resolves_timed_out;
    walk(found->second, entry->kind == out_of_time);
  }
  walk_waiting();
}

std::optional<Time> Resolver::next_deadline(Time now) const {
  std::optional<Time> next;
  if (!questions_.empty()) next = timers_.next_deadline();
  timeval wait{};
  if (!queries_.empty() && ares_timeout(channel_, nullptr, &wait) != nullptr) {
    const Time at = now + std::chrono::seconds(wait.tv_sec) + Duration(wait.tv_usec);
    if (!next || at < *next) next = at;
  }
  return next;
}

void Resolver::set_reach(const Reach& reach) {
  // Which families were asked for is part of what is known.
  std::erase_if(facts_, [](const auto& entry) { return !entry.second.asked_at; });
  reach_ = reach;
}

}  // namespace baton::net
