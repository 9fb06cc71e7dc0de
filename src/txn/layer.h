// The transaction layer: RFC 3261 17 with the corrections of RFC 6026 and RFC 4320. Everything the machine
// sends goes through one of its transactions or through ack(); there is no other way to the wire.
// Single-threaded; owned by one engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/address.h"
#include "base/limits.h"
#include "base/rng.h"
#include "base/slab.h"
#include "base/time.h"
#include "sip/draft.h"
#include "sip/message.h"
#include "sip/spares.h"

namespace baton::txn {

struct Transaction;
using TxnId = Handle<Transaction>;

// Whose transaction it is, for the layer's user; 0: nobody's. Comes back with every event, and with every
// send so that a trace can be kept.
using Owner = std::uint64_t;

struct Timers {
  Duration t1 = 500ms;
  Duration t2 = 4s;
  Duration t4 = 5s;
};

// Where the layer's messages go. Called during Layer functions, in wire order.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void send(const Destination& to, std::string bytes, Owner owner) = 0;
};

// ---- What the layer tells its user (the "TU" of RFC 3261), in order ----

// A new request other than ACK and CANCEL. For INVITE a 100 goes out by itself if the user has not
// answered within 200 ms (17.2.1). The user must respond() exactly once with a final status.
struct RequestReceived {
  TxnId txn;
  sip::Message request;
  Source source;
};
// An ACK that belongs to no INVITE transaction waiting for one, so it acknowledges a 2xx (13.3.1.4).
struct AckReceived {
  sip::Message ack;
  Source source;
};
// A CANCEL matched this INVITE transaction, which has no final response yet. The CANCEL itself is already
// answered 200; the user still owes the INVITE its final (487).
struct CancelReceived {
  TxnId invite;
  Owner owner = 0;
  sip::Message cancel;
};
// A response to a request of ours: provisional or final. Repeats of a 2xx to INVITE come again (RFC 6026:
// the user answers each with the same ACK), as do 2xx of other forks; other repeats are absorbed.
struct ResponseReceived {
  TxnId txn;
  Owner owner = 0;
  sip::Message response;
  Source source;
};
// Timer B or F: nothing final came (treat as 408, 8.1.3.1). The transaction is gone.
struct ClientTimeout {
  TxnId txn;
  Owner owner = 0;
  sip::Method method = sip::Method::other;
};
// The transport refused (treat as 503). The transaction is gone.
struct ClientTransportFailed {
  TxnId txn;
  Owner owner = 0;
  sip::Method method = sip::Method::other;
};
// Timer H: a non-2xx final to INVITE was never acknowledged. Nothing to do but note it.
struct AckNeverCame {
  TxnId txn;
  Owner owner = 0;
};

using Event = std::variant<RequestReceived, AckReceived, CancelReceived, ResponseReceived, ClientTimeout,
                           ClientTransportFailed, AckNeverCame>;

// Counters, all of them.
struct Probe {
  std::uint64_t server_created = 0, client_created = 0;
  std::uint64_t requests_retransmitted = 0, responses_retransmitted = 0;  // by us
  std::uint64_t stray_responses = 0;    // matched no transaction: dropped (RFC 6026 7.3)
  std::uint64_t stray_cancels = 0;      // answered 481
  std::uint64_t merged_requests = 0;    // answered 482 (8.2.2.2)
  std::uint64_t refused_stateless = 0;  // by refuse()
  std::uint64_t refused_full = 0;       // over limits::transactions_max: answered 503
  std::uint64_t long_by_tcp = 0;        // requests too long for UDP
  std::uint64_t long_by_udp = 0;        // … that nobody took by TCP
  std::uint64_t timeouts = 0;           // Timers B, F and H
  std::uint64_t lapsed = 0;             // non-INVITE the user left unanswered until the client gave up
};

class Core;

class Layer {
 public:
  // `sink`, `rng` and `spares` must outlive it. Requests that would make more than `transactions_max` are
  // refused, those without a To tag from seven eighths of it on.
  Layer(Sink& sink, Rng& rng, sip::Spares& spares, Timers timers = {},
        std::size_t transactions_max = limits::transactions_max);
  ~Layer();
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  // ---- From the wire and the clock; events are appended to the queue that take_event() empties ----
  void receive(Time now, sip::Message message, const Source& source);
  // Answers a request that belongs to no transaction without making one (RFC 3261 8.2.7): cheap, for times of
  // overload. False: a transaction knows it; nothing was sent, receive() is to have it.
  bool refuse(const sip::Message& request, const Source& source, int status, unsigned retry_after_s);
  // From seven eighths of `transactions_max` on: who knows that a request is within no dialog, whatever its
  // To tag, is to refuse() it.
  [[nodiscard]] bool is_crowded() const;
  // Ends the client transactions whose request is on its way to `remote`. Server transactions stand: their
  // timers end them, and until then they recognise what is repeated (RFC 6026 7.1).
  void transport_failed(Time now, Transport transport, const SocketAddress& remote);
  // A connection to `remote` is gone, and what it took may never be answered: what went by it only for its
  // length goes by UDP.
  void connection_closed(Time now, Transport transport, const SocketAddress& remote);
  // Drives every timer due at `now`.
  void advance(Time now);
  [[nodiscard]] std::optional<Time> next_deadline() const;
  [[nodiscard]] std::optional<Event> take_event();

  // ---- From the user ----
  // Sends a request other than ACK and CANCEL: adds Via with a fresh branch (and rport, RFC 3581) in front,
  // sends, retransmits over UDP. Over TCP/TLS never retransmits.
  // `tcp_from`, for a request whose way need not be UDP: one too long for UDP goes by TCP from there, and by
  // UDP after all when the connection is refused or lost, or nothing comes back for 10*T1 (18.1.1); that is
  // remembered of the peer for a while.
  TxnId request(Time now, const sip::Draft& draft, const Destination& to, Owner owner,
                const std::optional<SocketAddress>& tcp_from = std::nullopt);
  // Sends or remembers a CANCEL for an INVITE of ours: at once if a provisional has come, when the first
  // one comes otherwise (9.1). No effect once a final has come. `reason` is a Reason header value (RFC 3326)
  // or empty. If 64*T1 after the CANCEL no final has come, the INVITE times out (9.1).
  void cancel(Time now, TxnId invite, std::string reason = {});
  // Sends a response; its Vias are set here. Provisional ones may be repeated; after a final further calls
  // are ignored. 2xx to INVITE is not retransmitted here: the user does that by calling resend() until its
  // ACK comes (13.3.1.4). To other methods RFC 4320 holds: a 408 ends the transaction but is not sent, nor
  // are provisionals other than 100, nor over UDP a 100 before Timer E of the peer has reached T2; then one
  // goes out by itself. After 64*T1 without a final the transaction ends silently.
  void respond(Time now, TxnId server, sip::Draft response);
  // The same for a final non-2xx to INVITE that goes to somebody unproven: sent once for each copy of the
  // INVITE and never by a timer, so that a forged source is not sent more than it asked for (RFC
  // 3261 26.3.2.4).
  void respond_once(Time now, TxnId server, sip::Draft response);
  // Sends the last response of an INVITE server transaction that is in Accepted again.
  void resend(Time now, TxnId server);
  // Sends an ACK to a 2xx: Via is added, nothing is kept.
  void ack(Time now, const sip::Draft& draft, const Destination& to, Owner owner);
  // Names whose server transaction this is.
  void set_owner(TxnId txn, Owner owner);

  // Where a server transaction's responses go; nothing when it is gone.
  [[nodiscard]] std::optional<Destination> response_destination(TxnId server) const;

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] const Probe& probe() const;

 private:
  std::unique_ptr<Core> core_;
};

}  // namespace baton::txn
