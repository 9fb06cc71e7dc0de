// The rules that need no call: who may call where, by which way, with which number shown. Pure functions over
// the snapshot; each refusal says the status and a text a person can act on.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sip/header.h"
#include "sip/message.h"
#include "trunk/identity.h"
#include "trunk/model.h"

namespace baton::trunk {

struct Refusal {
  int status = 403;
  int hangup_code = 0;  // the field's numeric hang-up code (4060, 4560, 5180 …)
  std::string text;     // for Warning: 399 and the records
};

// A Refer-To that passed every check that needs no look-up (transfer.md, "Answers to the REFER itself").
struct ReferTarget {
  std::string number;                      // E.164
  sip::Uri uri;                            // as sent, without a method parameter
  std::string resolve_host;                // an allow-listed foreign host whose address must be checked (and
                                           // called) after resolution; empty for our own trunk domains
  std::string replaces;                    // the Replaces header escaped in the URI; empty: blind
  std::vector<sip::UriParameter> headers;  // the escaped headers that are copied: User-to-User, X-*

  // Of an allow-listed foreign host: how it is called.
  [[nodiscard]] Uri foreign_uri() const;
};

// Refer-To count, scheme, method, number, host, literal private host, geo; in the contract's order.
[[nodiscard]] Result<ReferTarget, Refusal> check_refer_to(const Model& model, const Trunk& trunk,
                                                          const sip::Message& refer);
// Its two halves: what the Refer-To says, and whether that may be called. Where Replaces names a call of ours
// nobody is called, and phones write any URI they like.
[[nodiscard]] Result<ReferTarget, Refusal> read_refer_to(const Trunk& trunk, const sip::Message& refer);
[[nodiscard]] Result<void, Refusal> check_refer_target(const Model& model, const Trunk& trunk,
                                                       ReferTarget& target);

// True when a host names an address by anything but a dotted quad or bracketed IPv6: "3232235777", "0x7f.1",
// "0177.0.0.1", "127.1". Such hosts are treated as private: no carrier is reached that way on purpose.
[[nodiscard]] bool is_disguised_address(std::string_view host);

// May this account call this number?
[[nodiscard]] Result<void, Refusal> check_geo(const Model& model, const Account& account,
                                              std::string_view e164);

// One way to reach a number, in the order to try.
struct Route {
  Uri uri;
  std::string carrier_id;  // empty: an inbound trunk's endpoint
  std::string trunk_id;    // set when the number is ours
  bool strip_plus = false;
  std::int64_t rate_per_minute_micros = 0;
};

// A number of ours goes to its own inbound trunk (primary, then fallback) without leaving the machine; any
// other to the carriers whose prefixes match, longest prefix first, then priority, gateways in order. Empty:
// no route.
[[nodiscard]] std::vector<Route> routes_to(const Model& model, std::string_view e164);

// Which of them a transfer leg shows (transfer.md, "The leg to the target").
[[nodiscard]] CallerId transfer_caller_id(const Trunk& trunk, const CallerId& transferee,
                                          const CallerId& transferor, bool inbound_call);

}  // namespace baton::trunk
