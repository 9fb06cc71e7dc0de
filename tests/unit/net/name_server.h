// A name server of a few lines on loopback: the question is copied, answers are appended (RFC 1035 4.1).
#pragma once

#include <arpa/nameser.h>

#include <map>
#include <string>
#include <vector>

#include "unit/net/world.h"

namespace baton::net {

class NameServer {
 public:
  struct SrvRecord {
    unsigned priority, weight, port;
    std::string host;
  };
  struct NaptrRecord {
    unsigned order, preference;
    std::string flags, service, replacement;
  };

  NameServer() : socket_(SOCK_DGRAM) {
    const timeval limit{0, 1'000};
    setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  [[nodiscard]] SocketAddress address() const { return socket_.address(); }

  std::map<std::string, std::vector<std::string>> names;  // lower case, without the last dot
  std::map<std::string, std::vector<SrvRecord>> srv;
  std::map<std::string, std::vector<NaptrRecord>> naptr;
  unsigned ttl = 60;
  bool mute = false;
  bool mute_records = false;  // to all but A and AAAA
  bool garble = false;
  bool refuse = false;  // SERVFAIL
  unsigned asked = 0;
  std::map<std::string, unsigned> asked_for;  // "SRV _sip._udp.example.com"

  void serve() {
    for (;;) {
      std::string query(512, '\0');
      sockaddr_storage from{};
      socklen_t length = sizeof from;
      const ssize_t n =
          recvfrom(socket_.fd(), query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (n <= 0) return;
      query.resize(static_cast<std::size_t>(n));
      ++asked;
      const std::string reply = garble ? std::string("\x01\x02rubbish") : answer(query);
      if (!mute && !reply.empty()) socket_.send_to(KernelAddress::read(from), reply);
    }
  }

 private:
  static std::string number(unsigned value) {
    return {static_cast<char>(value >> 8U & 255U), static_cast<char>(value & 255U)};
  }
  static std::string text(const std::string& value) { return static_cast<char>(value.size()) + value; }
  static std::string wire_name(const std::string& name) {
    std::string wire;
    for (std::size_t at = 0; at < name.size();) {
      const std::size_t dot = std::min(name.find('.', at), name.size());
      wire += text(name.substr(at, dot - at));
      at = dot + 1;
    }
    return wire + '\0';
  }

  // The data of each record there is.
  [[nodiscard]] std::vector<std::string> data_of(const std::string& name, unsigned type) const {
    std::vector<std::string> all;
    if (type == ns_t_srv && srv.count(name) != 0) {
      for (const SrvRecord& one : srv.at(name)) {
        all.push_back(number(one.priority) + number(one.weight) + number(one.port) + wire_name(one.host));
      }
    }
    if (type == ns_t_naptr && naptr.count(name) != 0) {
      for (const NaptrRecord& one : naptr.at(name)) {
        all.push_back(number(one.order) + number(one.preference) + text(one.flags) + text(one.service) +
                      text("") + wire_name(one.replacement));
      }
    }
    const bool v6 = type == ns_t_aaaa;
    if ((type == ns_t_a || v6) && names.count(name) != 0) {
      for (const std::string& written : names.at(name)) {
        const IpAddress ip = *IpAddress::parse(written);
        if (ip.v6 == v6) all.emplace_back(ip.bytes.begin(), ip.bytes.begin() + (v6 ? 16 : 4));
      }
    }
    return all;
  }

  std::string answer(const std::string& query) {
    std::string name;
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      const auto length = static_cast<std::size_t>(query[at]);
      name += (name.empty() ? "" : ".") + query.substr(at + 1, length);
      at += length + 1;
    }
    const auto type = static_cast<unsigned char>(query.at(at + 2));
    const char* type_name = type == ns_t_srv ? "SRV " : type == ns_t_naptr ? "NAPTR " : "ADDRESS ";
    ++asked_for[type_name + name];
    if (mute_records && type != ns_t_a && type != ns_t_aaaa) return {};
    const std::string question = query.substr(12, at + 5 - 12);
    std::string records;
    const std::vector<std::string> all = data_of(name, type);
    for (const std::string& data : all) {
      records += number(0xc00c) + number(type) + number(1) + number(ttl >> 16U) + number(ttl & 0xffffU) +
                 number(static_cast<unsigned>(data.size())) + data;
    }
    const bool exists = names.count(name) + srv.count(name) + naptr.count(name) != 0;
    const unsigned flags = refuse ? 0x8182 : exists ? 0x8180 : 0x8183;
    return query.substr(0, 2) + number(flags) + number(1) + number(static_cast<unsigned>(all.size())) +
           number(0) + number(0) + question + records;
  }

  Peer socket_;
};

}  // namespace baton::net
