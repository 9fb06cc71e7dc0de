#include "net/net.h"

#include <algorithm>

namespace baton::net {

Net::Net(Poller& poller, Options options)
    : poller_(poller),
      options_(std::move(options)),
      streams_(poller, inputs_, probe_, options_.streams, options_.first_flow, options_.log) {}

Result<std::unique_ptr<Net>, std::string> Net::open(Poller& poller, Options options) {
  std::unique_ptr<Net> net(new Net(poller, std::move(options)));
  auto resolver = Resolver::open(poller, net->inputs_, net->probe_, net->options_.resolver);
  if (!resolver) return fail(resolver.error());
  net->resolver_ = std::move(*resolver);
  return net;
}

Result<Listener, OpenError> Net::listen(const Listener& listener) {
  switch (listener.transport) {
    case Transport::udp: {
      auto socket =
          UdpSocket::open(poller_, inputs_, probe_, batch_, *options_.buffers, listener, options_.udp);
      if (!socket) return fail(socket.error());
      listeners_.push_back((*socket)->listener());
      udp_.push_back(std::move(*socket));
      break;
    }
    case Transport::tcp:
    case Transport::tls: {
      if ((listener.transport == Transport::tls) != (listener.tls != nullptr)) {
        return fail(OpenError{OpenError::Kind::not_supported, listener.transport, listener.bind,
                              "a certificate is for TLS listeners, and for each of them"});
      }
      auto bound = streams_.listen(listener);
      if (!bound) return fail(bound.error());
      listeners_.push_back(*bound);
      break;
    }
  }
  Reach reach;
  for (const Listener& l : listeners_) reach.add(l.transport, l.bind.ip.v6);
  resolver_->set_reach(reach);
  return listeners_.back();
}

UdpSocket* Net::udp_socket(const Destination& to) {
  UdpSocket* fallback = nullptr;
  for (const auto& socket : udp_) {
    if (socket->listener().advertised == to.local) return socket.get();
    if (fallback == nullptr && socket->listener().bind.ip.v6 == to.remote.ip.v6) fallback = socket.get();
  }
  return fallback;
}

void Net::unroutable(const Destination& to) {
  ++probe_.unroutable;
  inputs_.emplace_back(engine::TransportFailed{to.transport, to.remote});
}

void Net::send(Time now, const Destination& to, std::string bytes) {
  if (to.transport != Transport::udp) {
    streams_.send(now, to, bytes);
    options_.buffers->give(std::move(bytes));
    return;
  }
  UdpSocket* socket = udp_socket(to);
  if (socket == nullptr) {
    unroutable(to);
    return;
  }
  socket->send(to.remote, std::move(bytes));
}

void Net::resolve(Time now, std::uint64_t query, const Lookup& lookup) {
  resolver_->resolve(now, query, lookup);
}

void Net::flush(Time now) {
  for (const auto& socket : udp_) socket->flush();
  streams_.flush(now);
}

void Net::advance(Time now) {
  streams_.advance(now);
  resolver_->advance(now);
}

std::optional<Time> Net::next_deadline(Time now) const {
  const std::optional<Time> a = streams_.next_deadline();
  const std::optional<Time> b = resolver_->next_deadline(now);
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

bool Net::take(engine::Input& input) {
  if (inputs_.empty()) return false;
  input = std::move(inputs_.front());
  inputs_.pop_front();
  return true;
}

void Net::replace_tls(const SocketAddress& bound, TlsContextPtr context) {
  streams_.replace_tls(bound, std::move(context));
}

void Net::shut_down(Time now) {
  flush(now);
  streams_.shut_down(now);
}

}  // namespace baton::net
