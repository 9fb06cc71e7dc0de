// What rtpengine says about the streams of one endpoint, in its answers to `query` and `delete`: how many
// packets it has passed on, and what the party reported in RTCP of what it was sent. It keeps no count of
// what was lost on the way to it. Of reports it tells only when it knows the round trip to both sides, which
// takes sender reports of both.
#pragma once

#include <cstdint>
#include <optional>

#include "media/port.h"
#include "media/rtpengine/bencode.h"

namespace baton::media::rtpengine {

// Of the party's RTCP, since one SSRC of its was first heard.
struct Reports {
  std::uint32_t ssrc = 0;
  std::uint64_t lost = 0;                                  // of the stream it was sent last
  std::uint64_t count = 0;                                 // reports behind the means
  std::uint32_t jitter_us = 0, jitter_us_max = 0;          // mean and highest, in whole milliseconds
  std::uint32_t round_trip_us = 0, round_trip_us_max = 0;  // between rtpengine and the party
  bool operator==(const Reports&) const = default;
};

struct Totals {
  std::uint64_t received = 0;  // RTP packets from the party
  std::uint64_t errors = 0;    // of those, that went no further
  std::uint64_t given = 0;     // RTP packets that came for it
  std::optional<Reports> reports{};
  bool operator==(const Totals&) const = default;
};
// Of the answer to a query or delete; nothing when it does not say.
[[nodiscard]] std::optional<Totals> read_totals(const Dictionary& answer);

// Puts the reports of one endpoint together over all its SSRCs, and over all streams that it was sent:
// another stream is one of which less was lost than before.
class ReportTally {
 public:
  void add(const Reports& reports);
  // What is known of the stream to a party that `given` packets came for.
  void describe(std::uint64_t given, Closed& closed) const;

 private:
  struct Sums {
    std::uint64_t count = 0, jitter_us = 0, round_trip_us = 0;
  };
  [[nodiscard]] Sums sums() const;

  std::optional<Reports> last_;
  Sums before_;  // of the SSRCs before that
  std::uint64_t lost_before_ = 0;
  std::uint32_t jitter_us_max_ = 0, round_trip_us_max_ = 0;
};

}  // namespace baton::media::rtpengine
