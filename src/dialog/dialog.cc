#include "dialog/dialog.h"

#include <algorithm>

namespace baton::dialog {
namespace {

// From or To as written, its tag taken off.
std::string without_tag(const sip::NameAddr& address) {
  sip::NameAddr plain = address;
  std::erase_if(plain.parameters, [](const sip::Parameter& p) { return p.name == "tag"; });
  return plain.to_string();
}

std::optional<sip::Uri> contact_uri(const sip::Message& message) {
  auto contact = message.contact();
  if (!contact) return std::nullopt;
  contact->uri.headers.clear();
  return std::move(contact->uri);
}

std::optional<sip::Uri> uri_of(std::string_view address) {
  auto parsed = sip::NameAddr::parse(address);
  return parsed ? std::optional(std::move(parsed->uri)) : std::nullopt;
}

// 12.1.1: the Request-URI, or the top Record-Route, or the Contact where there is none.
bool asks_for_sips(const sip::Message& invite) {
  const auto is_sips = [](const sip::Uri& uri) { return uri.scheme == sip::Scheme::sips; };
  const auto request_uri = sip::Uri::parse(invite.request_uri());
  if (request_uri && is_sips(*request_uri)) return true;
  for (const auto element : invite.elements(sip::HeaderId::record_route)) {
    const auto route = sip::NameAddr::parse(element);
    return route && is_sips(route->uri);
  }
  const auto contact = invite.contact();
  return contact && is_sips(contact->uri);
}

}  // namespace

std::optional<Destination> literal_destination(const sip::Uri& uri) {
  if (uri.scheme == sip::Scheme::tel || uri.scheme == sip::Scheme::other) return std::nullopt;
  const auto ip = IpAddress::parse(uri.host);
  if (!ip) return std::nullopt;
  Destination destination;
  // sips: is TLS whatever transport it names (26.2.2).
  destination.transport =
      uri.scheme == sip::Scheme::sips ? Transport::tls : uri.transport().value_or(Transport::udp);
  const std::uint16_t default_port = destination.transport == Transport::tls ? 5061 : 5060;
  destination.remote = {*ip, uri.port != 0 ? uri.port : default_port};
  return destination;
}

Dialog Dialog::from_invite(const sip::Message& invite, std::string local_tag, const Source& source) {
  Dialog dialog;
  dialog.call_id = invite.call_id();
  dialog.local_tag = std::move(local_tag);
  dialog.remote_tag = invite.from_tag();
  dialog.local_address = without_tag(invite.to());
  dialog.remote_address = without_tag(invite.from());
  const auto target = contact_uri(invite);
  if (target) dialog.remote_target = target->to_string();
  dialog.fit();
  for (const auto element : invite.elements(sip::HeaderId::record_route)) {
    dialog.route_set.emplace_back(element);
  }
  dialog.sips = source.transport == Transport::tls && asks_for_sips(invite);
  dialog.remote_cseq = invite.cseq().number;
  dialog.learn_next_hop(source, target);
  return dialog;
}

void Dialog::establish(const sip::Message& response, const Source& source) {
  // Another fork counts its requests anew.
  if (remote_tag != response.to_tag()) remote_cseq.reset();
  remote_tag = response.to_tag();
  route_set.clear();
  for (const auto element : response.elements(sip::HeaderId::record_route)) {
    route_set.emplace_back(element);
  }
  std::reverse(route_set.begin(), route_set.end());
  auto target = contact_uri(response);
  if (target) {
    remote_target = target->to_string();
    fit();
  } else if (auto known = sip::Uri::parse(remote_target)) {
    target = std::move(*known);
  }
  learn_next_hop(source, target);
}

void Dialog::refresh_target(const sip::Message& message, const Source& source) {
  const auto target = contact_uri(message);
  if (!target) return;
  remote_target.clear();
  target->append_to(remote_target);
  learn_next_hop(source, target);
}

// A dialog lasts: no more room than it needs.
void Dialog::fit() {
  for (std::string* text : {&local_address, &remote_address, &remote_target}) text->shrink_to_fit();
}

// The first route, or the target (8.1.2), where that is a literal address; else where the peer was heard
// from. A private literal from a peer heard at a public address is behind NAT: its source is the only way to
// it.
void Dialog::learn_next_hop(const Source& source, const std::optional<sip::Uri>& target) {
  // Whom we called has proved that name; a new connection to its Contact must prove no less.
  std::string tls_name = std::move(next_hop.tls_name);
  next_hop = Destination{source.transport, source.remote, source.local, source.flow};
  lookup.reset();
  any_transport = false;
  const auto route = route_set.empty() ? std::nullopt : uri_of(route_set.front());
  const std::optional<sip::Uri>& uri = route ? route : target;
  if (!uri) return;
  if (source.transport == Transport::tls) {
    next_hop.tls_name = tls_name.empty() ? uri->host : std::move(tls_name);
  }
  const bool names_transport = uri->transport() || uri->scheme == sip::Scheme::sips;
  const auto literal = literal_destination(*uri);
  const bool sip = uri->scheme == sip::Scheme::sip || uri->scheme == sip::Scheme::sips;
  if (!literal && sip && source.transport != Transport::udp) {
    lookup = std::make_shared<const Lookup>(Lookup{uri->host, uri->port,
                                                   names_transport ? uri->transport() : source.transport,
                                                   uri->scheme == sip::Scheme::sips});
  }
  if (!literal || literal->remote.ip.is_unspecified()) return;
  if (!literal->remote.ip.is_public() && source.remote.ip.is_public()) return;
  // Over a connection the peer opened, its flow is the way back (RFC 5923); the Contact is where to connect
  // when it has died, unless it names another transport.
  if (names_transport && literal->transport != source.transport) return;
  next_hop.remote = literal->remote;
  any_transport = !names_transport;
  if (uri->port == 0 && source.transport == Transport::tls) next_hop.remote.port = 5061;
}

sip::Draft Dialog::draft(sip::Method method, std::uint32_t cseq, sip::Spares* spares) const {
  // A strict router wants itself in the Request-URI and the target last (12.2.1.1).
  std::optional<std::string> strict_router;
  if (!route_set.empty()) {
    const auto first = sip::NameAddr::parse(route_set.front());
    if (first && first->uri.parameter("lr") == nullptr) strict_router = first->uri.to_string(false);
  }
  sip::Draft request = sip::Draft::request(method, strict_router ? *strict_router : remote_target, spares);
  for (std::size_t i = strict_router ? 1 : 0; i < route_set.size(); ++i) {
    request.add(sip::HeaderId::route, route_set[i]);
  }
  if (strict_router) request.add(sip::HeaderId::route, {"<", remote_target, ">"});
  request.add(sip::HeaderId::max_forwards, "70");
  request.add(sip::HeaderId::from, {local_address, ";tag=", local_tag});
  request.add(sip::HeaderId::to, {remote_address, remote_tag.empty() ? "" : ";tag=", remote_tag});
  request.add(sip::HeaderId::call_id, call_id);
  request.add(sip::HeaderId::cseq, {std::to_string(cseq), " ", to_string(method)});
  return request;
}

sip::Draft Dialog::request(sip::Method method, sip::Spares* spares) {
  return draft(method, ++local_cseq, spares);
}

sip::Draft Dialog::ack(std::uint32_t invite_cseq, sip::Spares* spares) const {
  return draft(sip::Method::ack, invite_cseq, spares);
}

bool Dialog::accept_cseq(const sip::Message& request) {
  const std::uint32_t number = request.cseq().number;
  if (remote_cseq && number <= *remote_cseq) return false;
  remote_cseq = number;
  return true;
}

bool Dialog::matches_request(const sip::Message& request) const {
  return request.call_id() == call_id && request.to_tag() == local_tag && request.from_tag() == remote_tag;
}

}  // namespace baton::dialog
