#include "net/control.h"

#include <cstring>
#include <utility>

namespace baton::net {
namespace {

template <typename T>
T read_data(const cmsghdr& c) {
  T value{};
  std::memcpy(&value, CMSG_DATA(&c), sizeof value);
  return value;
}

std::optional<IpAddress> local_v4(const in_pktinfo& info) {
  IpAddress local;
  std::memcpy(local.bytes.data(), &info.ipi_spec_dst, 4);
  if (local.is_unspecified()) return std::nullopt;
  return local;
}

std::optional<IpAddress> local_v6(const in6_pktinfo& info) {
  IpAddress local;
  local.v6 = true;
  std::memcpy(local.bytes.data(), &info.ipi6_addr, 16);
  if (local.is_unspecified() || local.bytes[0] == 0xff) return std::nullopt;  // nothing leaves from multicast
  return local;
}

template <typename T>
void write_data(msghdr& header, Control& control, int level, int type, const T& data) {
  header.msg_control = control.bytes.data();
  header.msg_controllen = CMSG_SPACE(sizeof data);
  std::memset(control.bytes.data(), 0, CMSG_SPACE(sizeof data));
  cmsghdr* c = CMSG_FIRSTHDR(&header);
  c->cmsg_level = level;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(sizeof data);
  std::memcpy(CMSG_DATA(c), &data, sizeof data);
}

}  // namespace

Received read_control(const msghdr& header) {
  Received received;
  auto* writable = const_cast<msghdr*>(&header);  // the macros are of an older time
  for (cmsghdr* c = CMSG_FIRSTHDR(writable); c != nullptr; c = CMSG_NXTHDR(writable, c)) {
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
      received.drops = read_data<std::uint32_t>(*c);
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      const auto stamp = read_data<timespec>(*c);
      received.wall_time = std::chrono::seconds(stamp.tv_sec) + Duration(stamp.tv_nsec / 1'000);
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      received.local = local_v4(read_data<in_pktinfo>(*c));
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      received.local = local_v6(read_data<in6_pktinfo>(*c));
    }
  }
  return received;
}

void set_source(msghdr& header, Control& control, const IpAddress& local) {
  if (local.v6) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, local.bytes.data(), 16);
    write_data(header, control, IPPROTO_IPV6, IPV6_PKTINFO, info);
  } else {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, local.bytes.data(), 4);
    write_data(header, control, IPPROTO_IP, IP_PKTINFO, info);
  }
}

void LocalAddresses::learn(const IpAddress& remote, const IpAddress& local) {
  const auto known = young_.find(remote);
  if (known != young_.end()) {
    known->second = local;
    return;
  }
  if (young_.size() >= generation_max) old_ = std::exchange(young_, {});
  young_.emplace(remote, local);
}

void LocalAddresses::forget(const IpAddress& remote) {
  young_.erase(remote);
  old_.erase(remote);
}

const IpAddress* LocalAddresses::find(const IpAddress& remote) const {
  for (const Generation* generation : {&young_, &old_}) {
    const auto found = generation->find(remote);
    if (found != generation->end()) return &found->second;
  }
  return nullptr;
}

}  // namespace baton::net
