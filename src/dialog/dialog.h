// One SIP dialog as RFC 3261 12 keeps it, early or confirmed, from our side. A value; owned by its leg.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/target.h"
#include "sip/draft.h"
#include "sip/message.h"

namespace baton::dialog {

struct Dialog {
  std::string call_id;
  std::string local_tag;
  std::string remote_tag;      // empty until the peer has given one
  std::string local_address;   // From of our requests, without its tag
  std::string remote_address;  // To of our requests, without its tag
  std::string remote_target;   // Request-URI of our requests: the peer's Contact
  std::vector<std::string> route_set;
  std::uint32_t local_cseq = 0;
  std::optional<std::uint32_t> remote_cseq;
  Destination next_hop;
  // Where to look for the peer once the connection it was heard on is gone: its host is a name. Nothing:
  // next_hop can be connected to.
  std::shared_ptr<const Lookup> lookup;
  bool any_transport = false;  // next_hop is what the peer's URI says, which names no transport
  bool sips = false;  // our Contact is a sips: URI, as the peer's or the Request-URI was (8.1.1.8, 12.1.1)

  // As the callee, from a received INVITE (12.1.1).
  [[nodiscard]] static Dialog from_invite(const sip::Message& invite, std::string local_tag,
                                          const Source& source);

  // As the caller, from a response that has a To tag (12.1.2). Later responses may set another tag: the 2xx
  // that is accepted decides. The next hop stays until learn_next_hop().
  void establish(const sip::Message& response, const Source& source);

  // A target refresh: the Contact of a re-INVITE or UPDATE, or of its 2xx (12.2.1.2, 12.2.2).
  void refresh_target(const sip::Message& message, const Source& source);

  // The next request of this dialog, its CSeq one higher (12.2.1.1). No Via, no Contact.
  [[nodiscard]] sip::Draft request(sip::Method method, sip::Spares* spares = nullptr);
  // The ACK to a 2xx of the INVITE that had this CSeq number (13.2.2.4).
  [[nodiscard]] sip::Draft ack(std::uint32_t invite_cseq, sip::Spares* spares = nullptr) const;

  // True when the request is in order (12.2.2); remembers its number. False: answer 500.
  [[nodiscard]] bool accept_cseq(const sip::Message& request);
  // True when the tags are this dialog's, seen from a received request.
  [[nodiscard]] bool matches_request(const sip::Message& request) const;

 private:
  void fit();
  // `target`: the remote target, if there is one.
  void learn_next_hop(const Source& source, const std::optional<sip::Uri>& target);
  [[nodiscard]] sip::Draft draft(sip::Method method, std::uint32_t cseq, sip::Spares* spares) const;
};

// Where a request for this URI goes without a look-up: its literal address, port and transport. Nothing when
// the host is a name.
[[nodiscard]] std::optional<Destination> literal_destination(const sip::Uri& uri);

}  // namespace baton::dialog
