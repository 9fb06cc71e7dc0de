// The messages of the three parties, written by hand: what a plain phone or gateway would send, no more.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "load/call.h"
#include "load/message.h"
#include "load/wire.h"

namespace baton::bench {

// What the messages of one party say about itself.
struct Place {
  std::string at;         // address:port
  std::string run;        // of no other run: a server remembers for half a minute what it has answered
  std::string transport;  // "UDP"
  std::string parameter;  // of its Contact URIs: ";transport=tcp"
  std::string sdp;        // its session description
};

[[nodiscard]] Place place_of(const Wire::Options& wire, Role role, std::uint16_t media_port, std::string run);

// An INVITE that begins a call.
void write_invite(std::string& out, const Place& place, const Leg& leg, std::string_view uri,
                  std::string_view user, std::uint64_t branch);
// A request within the leg's dialog; `extra` are header lines, each with its CRLF, that of the content's type
// among them. The ACK of a 2xx too.
void write_request(std::string& out, const Place& place, const Leg& leg, std::string_view method,
                   std::uint64_t branch, std::string_view extra = {}, std::string_view content = {});
// A response; with our tag when `to` is not empty (it then takes the place of the request's To).
void write_response(std::string& out, const Message& request, std::string_view status, std::string_view to,
                    std::string_view contact, std::string_view sdp);

}  // namespace baton::bench
