// Which transaction a message belongs to (RFC 3261 17.1.3, 17.2.3, 8.2.2.2), as keys of hash tables. Each
// function appends its key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/address.h"
#include "sip/message.h"

namespace baton::txn {

// ---- Responses to requests of ours ----
void append_client_key(std::string& key, std::string_view branch, std::string_view method);
// Whether a Via names `local`, so that its response is for us (18.1.2).
[[nodiscard]] bool names_us(const sip::ViaHead& via, const SocketAddress& local, Transport transport);

// ---- Requests ----
// False: no branch with the magic cookie, so RFC 2543's rules decide (17.2.3). A cookie with nothing behind
// it identifies nothing and counts as none (RFC 4475 3.2.1).
[[nodiscard]] bool has_magic_branch(const sip::Message& request);

// `method` stands in for the request's own: the INVITE's for an ACK, the candidate's for a CANCEL. `to_tag`
// is only looked at by RFC 2543's rules; an ACK carries the tag of the response there, not the request's.
void append_server_key(std::string& key, const sip::Message& request, std::string_view method,
                       std::string_view to_tag);

// 8.2.2.2: what a request and its copy that came another way have in common.
void append_merge_key(std::string& key, const sip::Message& request);

[[nodiscard]] std::uint16_t default_port(std::string_view via_transport);

}  // namespace baton::txn
