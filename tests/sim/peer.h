// A scripted SIP party: enough to call, answer, refer, hold and misbehave. It has transactions and dialogs of
// its own and shares only the grammar (src/sip, src/sdp) with the server.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "base/address.h"
#include "base/rng.h"
#include "party.h"
#include "sip/draft.h"
#include "sip/message.h"

namespace baton::sim {

class World;

inline constexpr Duration t1_of_peers = 500ms;

class Peer {
 public:
  Peer(World& world, std::string name, SocketAddress address, Transport transport, std::uint64_t seed);

  // What to do with calls to that number; "" for any other. Unexpected calls are answered 404.
  void expect(const std::string& number, Script script) { scripts_[number] = std::move(script); }
  Party& call(Script script, const std::string& from_number, const std::string& request_uri);
  // Does it now, whatever the script says.
  void act(Party& party, const Act& act);

  void receive(const std::string& bytes, FlowId flow);
  // Requests without an answer go out again, on a new connection.
  void connection_lost();
  void wind_down();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] SocketAddress address() const { return address_; }
  [[nodiscard]] Transport transport() const { return transport_; }
  [[nodiscard]] bool reachable() const { return reachable_; }
  void set_reachable(bool reachable) { reachable_ = reachable; }
  // What its Contacts name instead of its address, without a port.
  void set_contact_host(std::string host) { contact_host_ = std::move(host); }
  // Nobody the server knows: it may be left without an answer.
  [[nodiscard]] bool is_stranger() const { return stranger_; }
  void set_stranger() { stranger_ = true; }
  [[nodiscard]] std::deque<Party>& parties() { return parties_; }
  // Those of script.fork_tags that speak otherwise than the party itself, by their tags.
  [[nodiscard]] const std::map<std::string, Party>& forks() const { return forks_; }
  [[nodiscard]] Party* find(std::string_view call_id);
  // A REFER in a dialog of its own about that call (RFC 4538). What comes of it is in the party returned.
  Party& refer_outside(const Party& about, const std::string& request_uri, const std::string& refer_to,
                       const std::string& target_dialog);
  // The newest call besides this one that is not over; null when there is none.
  [[nodiscard]] Party* consultation_of(const Party& party);

 private:
  struct Asked {  // a request of ours
    sip::Draft draft;
    std::string bytes;
    Party* party = nullptr;
    std::uint32_t cseq = 0;
    bool provisional = false, final = false;
    std::string ack;  // to a non-2xx final of an INVITE
    unsigned challenges = 0;
  };
  struct Served {  // a request of the server's
    sip::Message request;
    Party* party = nullptr;
    std::string last;
    FlowId flow = 0;
    bool final = false, acknowledged = false;
  };

  void on_request(sip::Message request, FlowId flow);
  void on_ack(const sip::Message& ack);
  void on_cancel(const sip::Message& cancel, const std::string& key, FlowId flow);
  void on_invite(const std::string& key);
  void on_reinvite(const std::string& key, Party& party);
  void on_notify(const std::string& key, Party& party);
  void on_options(const std::string& key, Party& party);
  void on_bye(const std::string& key, Party& party);
  // peer_session.cc
  void add_abilities(const Party& party, sip::Draft& draft, bool first_request) const;
  bool refuse_interval(const std::string& key, const Script& script);
  void answer_session(Party& party, const sip::Message& request, sip::Draft& response);
  void take_session(Party& party, const sip::Message& response);
  void start_session(Party& party, const std::string& agreed, bool asked_by_us);
  void await_refresh(Party& party, unsigned round, unsigned interval, Time due);
  void on_update(const std::string& key, Party& party);
  void update_answered(Party& party, const sip::Message& response);
  void make_reliable(const std::string& key, sip::Draft& draft);
  void repeat_reliable(const std::string& key, std::uint32_t rseq, Duration interval, Time give_up);
  void on_prack(const std::string& key, Party& party);
  bool take_reliable(Party& party, const sip::Message& response);
  void ring_forks(const std::string& key, bool final);
  bool on_fork_request(const std::string& key, Party& party);
  void ring(const std::string& key);
  void answer(const std::string& key);
  bool challenge(const std::string& key, const Script& script);

  void on_response(const sip::Message& response);
  void on_invite_response(Asked& asked, const std::string& branch, const sip::Message& response);
  void on_invite_2xx(Asked& asked, const sip::Message& response);
  void on_other_response(Asked& asked, const sip::Message& response);
  bool retry_with_credentials(Asked& asked, const sip::Message& response);

  void respond(const std::string& key, sip::Draft response);
  void repeat_final(const std::string& key, Duration interval, Time give_up);
  // A new request in the dialog; its CSeq number.
  std::uint32_t ask(Party& party, sip::Method method, const Headers& headers, const std::string& body = {},
                    const std::string& type = "application/sdp");
  [[nodiscard]] sip::Draft companion(const Asked& invite, sip::Method method, const std::string& branch,
                                     std::string_view to) const;
  std::string send_request(Party& party, sip::Draft draft, std::uint32_t cseq);
  void repeat_request(const std::string& branch, Duration interval, Time give_up);
  void send_cancel(Party& party);
  void send_bye(Party& party);
  void send_reinvite(Party& party, bool with_offer, const Headers& headers = {});
  [[nodiscard]] sip::Draft in_dialog(const Party& party, sip::Method method, std::uint32_t cseq) const;
  [[nodiscard]] sip::Draft reply(const Served& served, int status) const;
  void send(Party* party, FlowId flow, const std::string& bytes);

  // Our answer to the server's offer; empty when nothing fits.
  [[nodiscard]] std::string own_answer(Party& party, std::string_view offer);
  void take_description(Party& party, std::string_view body);

  void happens(Party& party, When when);
  void finish(Party& party, const std::string& by);
  void leave(Party& party);
  void refer_attended(Party& party, const Act& act);
  void take_over(const Party& party, const Act& act);
  [[nodiscard]] SocketAddress next_rtp();
  [[nodiscard]] std::string contact() const;
  [[nodiscard]] std::string via(const std::string& branch) const;

  World& world_;
  std::string name_, contact_host_;
  SocketAddress address_;
  Transport transport_;
  Rng rng_;
  bool reachable_ = true, stranger_ = false, vanished_ = false, has_vanished_ = false, winding_down_ = false;
  std::uint16_t next_rtp_port_ = 20'000;
  std::map<std::string, Script> scripts_;
  std::map<std::string, Party> forks_;
  std::deque<Party> parties_;
  std::map<std::string, Asked> asked_;    // by branch
  std::map<std::string, Served> served_;  // by branch and method
};

}  // namespace baton::sim
