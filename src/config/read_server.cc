#include <filesystem>

#include "config/read.h"

namespace baton::config {
namespace {

constexpr const char* listen_remedy = R"(write bind = "0.0.0.0:5060", or the address of one interface)";

// "192.0.2.10" keeps the bound port, "192.0.2.10:5060" is for a port that is forwarded.
Converted<SocketAddress> to_advertised(const std::string& text) {
  if (const auto ip = IpAddress::parse(text)) return SocketAddress{*ip, 0};
  return to_socket_address(text);
}

// What peers are told must be an address they can send to.
bool check_advertised(const Section& section, std::string_view bind_key, std::string_view advertise_key,
                      const IpAddress& bind, const IpAddress& advertised, bool written) {
  if (advertised.is_unspecified()) {
    section.problem(
        written ? advertise_key : bind_key, "peers can not send to " + advertised.to_string(),
        "add " + std::string(advertise_key) + R"( = "…" with the address at which this server is reached)");
    return false;
  }
  if (advertised.v6 != bind.v6) {
    section.problem(advertise_key, "bind and advertise are not of the same IP version",
                    "write both as IPv4 or both as IPv6");
    return false;
  }
  return true;
}

std::string beside(const std::string& file_name, const std::string& path) {
  // An absolute path stays what it is.
  return (std::filesystem::path(file_name).parent_path() / path).string();
}

std::string read_path(const Section& section, std::string_view key, const std::string& file_name) {
  const auto path = section.value(key, to_path);
  return path ? beside(file_name, *path) : std::string{};
}

net::TlsSettings read_listen_tls(const Section& section, const std::string& file_name) {
  section.require("certificate",
                  R"(write certificate = "….pem", this server's and those that lead to its root)");
  section.require("key", R"(write key = "….pem", the private key of the certificate, without a password)");
  net::TlsSettings tls;
  tls.certificate = read_path(section, "certificate", file_name);
  tls.key = read_path(section, "key", file_name);
  tls.client_ca = read_path(section, "client_ca", file_name);
  const bool has_ca = section.has("client_ca");
  tls.clients = section.value_or("client_certificates", to_client_certificates,
                                 has_ca ? net::ClientCertificates::required : tls.clients);
  const bool asked = tls.clients != net::ClientCertificates::not_asked;
  if (asked && !has_ca) {
    section.problem("client_certificates", "nothing says who signs for clients",
                    R"(add client_ca = "….pem" with the authority's certificate)");
  }
  if (!asked && has_ca) {
    section.problem("client_ca", "no client is asked for a certificate",
                    R"(write client_certificates = "required" or "optional", or remove this key)");
  }
  return tls;
}

void refuse_tls_keys(const Section& section) {
  for (const std::string_view key : {"certificate", "key", "client_ca", "client_certificates"}) {
    if (!section.has(key)) continue;
    section.problem(key, "only a TLS listener has this key", R"(remove it, or write transport = "tls")");
  }
}

std::optional<Listen> read_listen(const Section& section, const std::string& file_name) {
  section.require("transport", R"(write transport = "udp", "tcp" or "tls")");
  section.require("bind", listen_remedy);
  const auto transport = section.value("transport", to_transport);
  const auto bind = section.value("bind", to_socket_address);
  const auto advertised = section.value("advertise", to_advertised);
  net::TlsSettings tls;
  if (transport == Transport::tls) {
    tls = read_listen_tls(section, file_name);
  } else if (transport) {
    refuse_tls_keys(section);
  }
  if (!transport || !bind || (section.has("advertise") && !advertised)) return std::nullopt;
  Listen listen{*transport, *bind, advertised.value_or(*bind), std::move(tls), section.line()};
  if (listen.advertised.port == 0) listen.advertised.port = bind->port;
  if (!check_advertised(section, "bind", "advertise", bind->ip, listen.advertised.ip,
                        section.has("advertise")))
    return std::nullopt;
  return listen;
}

bool overlap(const IpAddress& a, const IpAddress& b) {
  return a.v6 == b.v6 && (a == b || a.is_unspecified() || b.is_unspecified());
}

// TLS listens on a TCP port.
bool share_ports(Transport a, Transport b) {
  return (a == Transport::udp) == (b == Transport::udp);
}

std::vector<Listen> read_listeners(const Section& server, const std::string& file_name) {
  std::vector<Listen> listeners;
  for (const Section& section : server.tables("listen")) {
    const auto listen = read_listen(section, file_name);
    if (!listen) continue;
    for (const Listen& other : listeners) {
      if (!share_ports(other.transport, listen->transport) || other.bind.port != listen->bind.port) continue;
      if (!overlap(other.bind.ip, listen->bind.ip)) continue;
      section.problem("bind",
                      listen->bind.to_string() + " is taken by the listener on " + other.bind.to_string(),
                      "give each listener of a transport a port or an address of its own");
    }
    listeners.push_back(*listen);
  }
  if (!server.has("listen")) {
    server.problem(
        "listen", "there is no listener",
        R"(add [[server.listen]] with transport = "udp" and )" + std::string(listen_remedy).substr(6));
  }
  return listeners;
}

void check_media_ports(const Section& section, const Server& server) {
  const Media& media = server.media;
  if (media.port_min % 2 != 0) {
    section.problem("port_min", std::to_string(media.port_min) + " is odd",
                    "RTP takes even ports (RFC 3550 11); write an even number");
  }
  if (media.port_max <= media.port_min) {
    section.problem("port_max", "port_max must be greater than port_min",
                    "each leg of a call takes two ports; leave room for them");
  }
  for (const Listen& listen : server.listeners) {
    const bool inside = listen.bind.port >= media.port_min && listen.bind.port <= media.port_max;
    const auto& face = listen.bind.ip.v6 ? media.v6 : media.v4;
    if (listen.transport != Transport::udp || !inside || !face || !overlap(listen.bind.ip, face->bind))
      continue;
    section.problem(section.has("port_min") ? "port_min" : "port_max",
                    "the UDP listener on " + listen.bind.to_string() + " is inside the media ports " +
                        std::to_string(media.port_min) + " to " + std::to_string(media.port_max),
                    "move the range or the listener");
  }
}

// One version's address: `bind_key` and `advertise_key`, else where the first listener of that version is.
std::optional<Media::Face> read_face(const Section& section, std::string_view bind_key,
                                     std::string_view advertise_key, std::optional<Media::Face> face) {
  const auto bind = section.value(bind_key, to_address);
  if (bind) {
    // The listener's advertised address stands for an interface that is not named.
    const bool keeps = face && bind->is_unspecified() && bind->v6 == face->advertised.v6;
    face = Media::Face{*bind, keeps ? face->advertised : *bind};
  }
  const auto advertised = section.value(advertise_key, to_address);
  if (advertised && face) face->advertised = *advertised;
  if (!face) return face;
  static_cast<void>(check_advertised(section, bind_key, advertise_key, face->bind, face->advertised,
                                     advertised.has_value()));
  return face;
}

std::optional<Media::Face> face_of_listeners(const Server& server, bool v6) {
  for (const Listen& listen : server.listeners) {
    if (listen.bind.ip.v6 == v6) return Media::Face{listen.bind.ip, listen.advertised.ip};
  }
  return std::nullopt;
}

// `bind` is of either version; beside one of IPv4, `bind6` is for the other.
void read_faces(const Section& section, Server& server) {
  Media& media = server.media;
  media.v4 = face_of_listeners(server, false);
  media.v6 = face_of_listeners(server, true);
  const auto bind = section.value("bind", to_address);
  if (section.has("bind") && !bind) return;
  const bool first_is_v6 = bind ? bind->v6 : !server.listeners.empty() && server.listeners.front().bind.ip.v6;
  for (const std::string_view key : {"bind6", "advertise6"}) {
    if (!section.has(key)) continue;
    const auto address = section.value(key, to_address);
    if (!address) return;
    if (!address->v6) {
      section.problem(key, address->to_string() + " is not an IPv6 address", R"(write it as "2001:db8::10")");
      return;
    }
    if (!first_is_v6) continue;
    section.problem(key, "bind is an IPv6 address already", "remove it, or write an IPv4 address in bind");
    return;
  }
  if (section.has("advertise6") && !section.has("bind6") && !media.v6) {
    section.problem("advertise6", "there is no IPv6 address to receive media at",
                    "add bind6, or an IPv6 listener");
    return;
  }
  auto& first = first_is_v6 ? media.v6 : media.v4;
  first = read_face(section, "bind", "advertise", first);
  if (!first_is_v6) media.v6 = read_face(section, "bind6", "advertise6", media.v6);
}

Media read_media(const Section& section, Server& server) {
  Media& media = server.media;
  media.silence_timeout = section.duration("silence_timeout", 0s, 24h, media.silence_timeout);
  read_plane(section, media);
  if (media.plane != Plane::relay) return media;
  read_faces(section, server);
  media.port_min = static_cast<std::uint16_t>(section.integer("port_min", 1024, 65'534, media.port_min));
  media.port_max = static_cast<std::uint16_t>(section.integer("port_max", 1025, 65'535, media.port_max));
  media.port_rest = section.duration("port_rest", 1s, 5min, media.port_rest);
  media.threads = static_cast<unsigned>(section.integer("threads", 0, media_threads_max, media.threads));
  check_media_ports(section, server);
  return media;
}

// Whom we believe as a client is said once for all listeners that connections leave by.
void read_tls(const Section& section, const std::string& file_name, Server& server) {
  const std::string ca = read_path(section, "ca", file_name);
  const std::vector<std::string> wildcards = section.values("wildcards", to_peer_host);
  const std::vector<std::string> unverified = section.values("unverified", to_peer_host);
  bool any = false;
  for (Listen& listen : server.listeners) {
    if (listen.transport != Transport::tls) continue;
    any = true;
    listen.tls.server_ca = ca;
    listen.tls.wildcards = wildcards;
    listen.tls.unverified = unverified;
  }
  if (!any && (section.has("ca") || section.has("wildcards") || section.has("unverified"))) {
    section.problem("", "there is no TLS listener, so nothing is called over TLS",
                    R"(add a [[server.listen]] with transport = "tls", or remove this section)");
  }
}

// HTTP is on a TCP port of its own.
std::optional<SocketAddress> read_metrics(const Section& file, const Server& server) {
  if (!file.has("metrics")) return std::nullopt;
  const Section section = file.table("metrics");
  section.require("bind", R"(write bind = "127.0.0.1:9469", or remove this section)");
  const auto bind = section.value("bind", to_socket_address);
  if (!bind) return std::nullopt;
  for (const Listen& listen : server.listeners) {
    if (listen.transport == Transport::udp || listen.bind.port != bind->port) continue;
    if (!overlap(listen.bind.ip, bind->ip)) continue;
    section.problem("bind", bind->to_string() + " is taken by the SIP listener on " + listen.bind.to_string(),
                    "give it a port of its own");
  }
  return bind;
}

}  // namespace

Server read_server(const Section& file, const std::string& file_name) {
  Server server;
  const Section section = file.table("server");
  server.listeners = read_listeners(section, file_name);
  read_tls(file.table("tls"), file_name, server);
  server.drain_timeout = section.duration("drain_timeout", 0s, 24h, server.drain_timeout);
  server.media = read_media(file.table("media"), server);
  const Section store = file.table("store");
  server.store_path = beside(file_name, store.value_or<std::string>("path", to_path, "baton.db"));
  server.recording_directory = read_path(file.table("recording"), "directory", file_name);
  server.trace = store.boolean("trace", server.trace);
  server.metrics = read_metrics(file, server);
  server.limits = read_limits(file.table("limits"));
  server.name_servers = read_name_servers(file.table("dns"));
  server.log_level = file.table("log").value_or("level", to_log_level, server.log_level);
  return server;
}

}  // namespace baton::config
