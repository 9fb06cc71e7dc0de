// Plays carrier, endpoint and target of many calls at once against a server, and grades every message it
// gets: what does not belong where it comes is an error of the run, not noise. One thread; whoever drives it
// says what time it is.
//
// A transferred call: the caller's INVITE, the endpoint's answer, its REFER after a while, the target's
// answer, NOTIFYs and the BYE to the endpoint, and after a while the target's BYE. A plain call: the same
// without the middle. A call of requests: the endpoint sends so many within the dialog, one after the other.
#pragma once

#include <cstdint>
#include <map>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "load/call.h"
#include "load/compose.h"
#include "load/histogram.h"
#include "load/media.h"
#include "load/message.h"
#include "load/wire.h"

namespace baton::bench {

struct CourseOptions {
  bool transfer = true;
  bool outbound = false;                       // the endpoint calls out, and hands its callee over
  bool ring = true;                            // 180 before each 200
  bool hold = false;                           // who talks goes on until release()
  std::uint64_t requests = 0;                  // of the endpoint's, within the dialog; then no transfer
  std::string method = "OPTIONS";              // of these
  bool passed_on = false;                      // each reaches the other party before the next
  Nanos talk = 0, after = 0;                   // before the REFER, and between the hand-over and the end
  std::uint64_t calls = 1'000;                 // in all
  std::size_t in_flight = 10'000;              // at most at a time
  double rate = 0;                             // new calls a second; 0: as fast as places get free
  std::string number = "+14155550100";         // the server's own, on the endpoint's trunk
  std::string domain = "desk.trunks.example";  // what a Refer-To names
  std::string out_domain = "reach.trunks.example";
  std::uint16_t media_port = 6'000;
  std::string run = "r";  // letters and digits that no other run has; a letter at its end
};

struct Tally {
  std::uint64_t started = 0, completed = 0, refused = 0, errors = 0, repeats_sent = 0, repeats_heard = 0;
  std::map<int, std::uint64_t> refusals;                        // by status
  std::map<std::string, std::uint64_t> faults;                  // what was wrong, by how often
  std::uint64_t requests = 0;                                   // within dialogs, that were answered
  Histogram answer, refer_to_invite, refer_to_notify, request;  // ns
  Nanos behind_max = 0;                                         // open loop: how late a call was begun
};

class Course {
 public:
  Course(CourseOptions options, Wire& wire, Media& media);

  // `arrived` by CLOCK_REALTIME.
  void hear(Nanos now, Nanos arrived, Role role, Link link, std::string_view bytes);
  // Begins calls and does what is due.
  void advance(Nanos now);
  // What advance() has said is about to be sent, at `real` by CLOCK_REALTIME: latencies count from here, so
  // that they are the server's.
  void goes_out(Nanos real);
  // When advance() has something to do; at most `latest`.
  [[nodiscard]] Nanos next(Nanos latest) const;

  [[nodiscard]] bool done() const { return tally_.started >= options_.calls && live_ == 0; }
  // No more calls are begun.
  void stop() { options_.calls = tally_.started; }
  // Those that were held come to their end, so many a second.
  void release(Nanos now, double rate);
  [[nodiscard]] std::size_t live() const { return live_; }
  [[nodiscard]] std::size_t settled() const { return settled_; }  // of these, handed over or talking
  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  enum class Due : std::uint8_t { act, repeat, deadline };
  struct Timer {
    Nanos at;
    std::uint64_t number;
    Due due;
    Role role;
    std::uint32_t waiting_for;
    Nanos pause;  // since the message was last sent
    bool operator<(const Timer& other) const { return at > other.at; }
  };

  [[nodiscard]] Role caller() const { return options_.outbound ? Role::endpoint : Role::carrier; }
  [[nodiscard]] Role callee() const { return options_.outbound ? Role::carrier : Role::endpoint; }
  [[nodiscard]] Call* find(std::uint64_t number);
  [[nodiscard]] bool find_number(Role role, const Message& message, std::uint64_t& number) const;

  bool begin(Nanos now);
  void finish(Call& call);
  void settle(Nanos now, Call& call, Call::Stage stage, Nanos pause);
  void act(Nanos now, Call& call);
  void ask(Nanos now, Call& call, Role role, std::string_view method, std::string_view extra = {},
           std::string_view content = {});
  void ask_next(Nanos now, Call& call);
  void asked(Nanos now, Call& call);
  void wait_for(Nanos now, Call& call, Role role, std::string message);
  void acknowledge(Call& call, Role role, std::uint32_t cseq);

  void request(Nanos now, Role role, Link link, const Message& message);
  void invited(Nanos now, Call& call, Role role, Link link, const Message& message);
  void notified(Call& call, const Message& message);
  void bye(Call& call, Role role, const Message& message);
  void response(Nanos now, Call& call, Role role, const Message& message);
  void invite_answered(Nanos now, Call& call, Role role, const Message& message);
  void reinvite_answered(Nanos now, Call& call, const Message& message);
  void legs_changed(Nanos now, Call& call);
  void joined(Call& call, Role role);
  void left(Call& call, Role role);

  void fault(std::string_view what);
  bool expect(bool good, std::string_view what);

  CourseOptions options_;
  Wire& wire_;
  Media& media_;
  std::array<Place, role_count> places_;
  std::vector<Call> calls_;  // by number, modulo its size
  std::priority_queue<Timer> timers_;
  std::size_t live_ = 0, settled_ = 0;
  std::uint64_t next_number_ = 0, next_branch_ = 0;
  std::uint32_t next_wait_ = 0;
  Nanos begin_at_ = 0;                  // open loop: when the next call is due
  Nanos arrived_ = 0;                   // what is being heard
  std::vector<std::uint64_t> leaving_;  // calls whose REFER goes out with the next flush
  std::string scratch_;
  Tally tally_;
};

}  // namespace baton::bench
