// Which of several relays, its workers, has which endpoint. Those of one call are put into one, because what
// a party says is given to its listeners there. When calls become one that are in two, the smaller part
// moves. Values in, values out: whoever drives it carries orders to the workers and their notes back, in
// order.
//
// Endpoints that belong together are a group: opened beside each other, or one heard, recorded or told of a
// key by the other. A group has one queue: while something of it is under way, an Open that is not answered
// or a move, what is asked of any of it waits. So orders need no other order than that of each worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "media/port.h"
#include "media/threads/orders.h"

namespace baton::media::threads {

inline constexpr unsigned workers_max = 64;

// What of the ports from `first` to `last` is the worker's: whole pairs, as even a part as there is.
struct PortRange {
  std::uint16_t first = 0, last = 0;  // no pair: the last before the first
};
[[nodiscard]] std::vector<PortRange> divide_ports(std::uint16_t first, std::uint16_t last, unsigned workers);

class Router {
 public:
  struct Options {
    std::vector<PortRange> ranges;  // one for each worker, of which there are at least one
    std::size_t endpoints_max = 60'000;
    // More that wait for their answer, and the workers are too far behind for another call.
    std::size_t opens_waiting_max = 16'384;
  };
  struct Addressed {
    unsigned worker = 0;
    Order order;
  };

  explicit Router(Options options);

  // See Relay::perform(). Results that can be told without asking a worker are appended.
  void perform(const Operation& operation, std::vector<Result>& results);
  // What a worker has said.
  void hear(unsigned worker, Note note, std::vector<Result>& results);

  // Orders to be given, in this order; whoever gives them clears it.
  [[nodiscard]] std::vector<Addressed>& orders() { return orders_; }
  [[nodiscard]] const std::vector<Addressed>& orders() const { return orders_; }
  // Some worker owes an answer that others wait for.
  [[nodiscard]] bool busy() const { return !opening_.empty() || !moves_.empty(); }

  [[nodiscard]] std::size_t endpoints() const { return places_.size(); }
  // How many each worker has, by its number.
  [[nodiscard]] const std::vector<std::size_t>& loads() const { return loads_; }
  [[nodiscard]] std::size_t groups() const { return groups_.size(); }
  [[nodiscard]] std::uint64_t moved() const { return endpoints_moved_; }

 private:
  using GroupId = std::uint64_t;
  struct Place {
    GroupId group = 0;
    std::optional<unsigned> worker{};  // nothing: its Open waits
  };
  struct Group {
    std::vector<EndpointId> endpoints;
    std::vector<RecordingId> recordings;
    std::vector<MoveId> moves;  // under way
    unsigned opening = 0;
    bool scattered = false;   // its members may be with several workers
    unsigned shortfalls = 0;  // moves, one after the other, that not all came along with
    std::vector<Operation> waiting;
    std::size_t next = 0;  // of those
    [[nodiscard]] bool busy() const { return !moves.empty() || opening != 0; }
  };
  struct Opening {
    Open what;
    std::uint64_t tried = 0;  // a bit for each worker
  };
  struct Move {
    GroupId group = 0;
    unsigned from = 0, to = 0;
    std::vector<EndpointId> endpoints;
  };

  [[nodiscard]] bool admit(const Open& open, std::vector<Result>& results);
  [[nodiscard]] std::optional<GroupId> group_of(const Operation& operation);
  [[nodiscard]] std::optional<GroupId> group_of(EndpointId id) const;
  [[nodiscard]] GroupId make_group();
  GroupId join(GroupId one, GroupId other);
  void settle(GroupId id, std::vector<Result>& results);
  [[nodiscard]] bool gather(GroupId id, Group& group);
  void send_off(GroupId id, Group& group, unsigned from, unsigned to);
  [[nodiscard]] std::optional<unsigned> home_of(const Group& group) const;
  [[nodiscard]] unsigned least_loaded(std::uint64_t but) const;
  void put(EndpointId id, unsigned worker);
  void forget(EndpointId id);
  void forget_recording(RecordingId id);

  void execute(GroupId id, Operation operation, std::vector<Result>& results);
  void hear_result(unsigned worker, Result result, std::vector<Result>& results);
  void open_failed(OpenFailed failed, unsigned worker, std::vector<Result>& results);
  void hear_taken(Taken taken, std::vector<Result>& results);

  Options options_;
  std::vector<Addressed> orders_;
  std::vector<std::size_t> loads_;
  std::unordered_map<EndpointId, Place> places_;
  std::unordered_map<RecordingId, Place> recordings_;
  std::unordered_map<GroupId, Group> groups_;
  std::unordered_map<EndpointId, Opening> opening_;
  std::unordered_map<MoveId, Move> moves_;
  GroupId last_group_ = 0;
  MoveId last_move_ = 0;
  std::uint64_t endpoints_moved_ = 0;
};

}  // namespace baton::media::threads
