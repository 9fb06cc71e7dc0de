#include "media/threads/router.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/assert.h"

namespace baton::media::threads {
namespace {

// Then what has stayed is given up, so that its call can end.
constexpr unsigned shortfalls_max = 8;

struct Named {
  std::array<EndpointId, 2> endpoints{};  // 0: none
  RecordingId recording = 0;
};

// Nothing would happen without the first endpoint.
Named named_by(const Operation& operation) {
  if (const auto* open = std::get_if<Open>(&operation)) return {{open->id, open->beside}};
  if (const auto* configure = std::get_if<Configure>(&operation)) return {{configure->id}};
  if (const auto* close = std::get_if<Close>(&operation)) return {{close->id}};
  if (const auto* digit = std::get_if<SendDigit>(&operation)) return {{digit->id, digit->from}};
  if (const auto* record = std::get_if<Record>(&operation))
    return {{record->left, record->right}, record->id};
  if (const auto* stop = std::get_if<StopRecording>(&operation)) return {{}, stop->id};
  const auto& hear = std::get<Hear>(operation);
  const auto* party = std::get_if<Hear::Party>(&hear.source);
  return {{hear.listener, party == nullptr ? 0 : party->id}};
}

template <typename T>
void erase_one(std::vector<T>& values, const T& value) {
  const auto found = std::find(values.begin(), values.end(), value);
  if (found == values.end()) return;
  *found = values.back();
  values.pop_back();
}

template <typename T>
void append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

std::vector<PortRange> divide_ports(std::uint16_t first, std::uint16_t last, unsigned workers) {
  const unsigned begin = (first + 1U) & ~1U;
  const unsigned pairs = last < begin ? 0 : (last + 1U - begin) / 2;
  std::vector<PortRange> ranges;
  for (unsigned i = 0; i < workers; ++i) {
    const unsigned from = begin + pairs * i / workers * 2, to = begin + pairs * (i + 1) / workers * 2;
    // A port before an empty part's first one is there, because ports begin at 1.
    ranges.push_back({static_cast<std::uint16_t>(from), static_cast<std::uint16_t>(to - 1)});
  }
  return ranges;
}

Router::Router(Options options) : options_(std::move(options)), loads_(options_.ranges.size()) {
  BATON_ASSERT(!loads_.empty() && loads_.size() <= workers_max);
}

// ---- Groups ---------------------------------------------------------------------------------------

std::optional<Router::GroupId> Router::group_of(EndpointId id) const {
  const auto place = places_.find(id);
  return place == places_.end() ? std::nullopt : std::optional(place->second.group);
}

// That of all which it names, which are one group from now on; nothing: it concerns nobody.
std::optional<Router::GroupId> Router::group_of(const Operation& operation) {
  const Named named = named_by(operation);
  std::optional<GroupId> group = group_of(named.endpoints[0]);
  if (!group && named.recording == 0) return std::nullopt;
  if (const auto other = group_of(named.endpoints[1])) group = group ? join(*group, *other) : *other;
  if (named.recording == 0) return group;
  if (const auto recording = recordings_.find(named.recording); recording != recordings_.end()) {
    return group ? join(*group, recording->second.group) : recording->second.group;
  }
  if (!std::holds_alternative<Record>(operation)) return std::nullopt;
  // Of nobody that is there, it is begun and ended all the same.
  if (!group) group = make_group();
  recordings_.emplace(named.recording, Place{*group});
  groups_.at(*group).recordings.push_back(named.recording);
  return group;
}

Router::GroupId Router::make_group() {
  groups_.try_emplace(++last_group_);
  return last_group_;
}

Router::GroupId Router::join(GroupId one, GroupId other) {
  if (one == other) return one;
  if (groups_.at(one).endpoints.size() < groups_.at(other).endpoints.size()) std::swap(one, other);
  Group& group = groups_.at(one);
  Group& joins = groups_.at(other);
  for (const EndpointId id : joins.endpoints) places_.at(id).group = one;
  for (const RecordingId id : joins.recordings) recordings_.at(id).group = one;
  for (const MoveId move : joins.moves) moves_.at(move).group = one;
  append(group.endpoints, joins.endpoints);
  append(group.recordings, joins.recordings);
  append(group.moves, joins.moves);
  joins.waiting.erase(joins.waiting.begin(),
                      joins.waiting.begin() + static_cast<std::ptrdiff_t>(joins.next));  // that is done
  append(group.waiting, joins.waiting);
  group.opening += joins.opening;
  group.scattered = true;
  groups_.erase(other);
  return one;
}

std::optional<unsigned> Router::home_of(const Group& group) const {
  for (const EndpointId id : group.endpoints) {
    if (const auto worker = places_.at(id).worker) return worker;
  }
  for (const RecordingId id : group.recordings) {
    if (const auto worker = recordings_.at(id).worker) return worker;
  }
  return std::nullopt;
}

unsigned Router::least_loaded(std::uint64_t but) const {
  unsigned least = workers_max;
  for (unsigned i = 0; i < loads_.size(); ++i) {
    if ((but >> i & 1) != 0) continue;
    if (least == workers_max || loads_[i] < loads_[least]) least = i;
  }
  return least;
}

void Router::put(EndpointId id, unsigned worker) {
  Place& place = places_.at(id);
  if (place.worker) --loads_[*place.worker];
  place.worker = worker;
  ++loads_[worker];
}

void Router::forget(EndpointId id) {
  const auto place = places_.find(id);
  if (place == places_.end()) return;
  if (place->second.worker) --loads_[*place->second.worker];
  erase_one(groups_.at(place->second.group).endpoints, id);
  places_.erase(place);
}

void Router::forget_recording(RecordingId id) {
  const auto place = recordings_.find(id);
  if (place == recordings_.end()) return;
  erase_one(groups_.at(place->second.group).recordings, id);
  recordings_.erase(place);
}

// Brings it together, and then does what has waited, until something is under way again.
void Router::settle(GroupId id, std::vector<Result>& results) {
  for (;;) {
    Group& group = groups_.at(id);
    if (group.busy() || (group.scattered && gather(id, group))) return;
    if (group.next == group.waiting.size()) {
      group.waiting = {};
      group.next = 0;
      if (group.endpoints.empty() && group.recordings.empty()) groups_.erase(id);
      return;
    }
    Operation operation = std::move(group.waiting[group.next++]);
    execute(id, std::move(operation), results);
  }
}

// False: its members are together already.
bool Router::gather(GroupId id, Group& group) {
  std::array<std::size_t, workers_max> members{};
  for (const EndpointId endpoint : group.endpoints) {
    if (const auto worker = places_.at(endpoint).worker) members[*worker] += 2;
  }
  // Where nobody is any more a recording may still be.
  for (const RecordingId recording : group.recordings) {
    if (const auto worker = recordings_.at(recording).worker) ++members[*worker];
  }
  const auto most = static_cast<unsigned>(std::max_element(members.begin(), members.end()) - members.begin());
  for (unsigned from = 0; from < loads_.size(); ++from) {
    if (from != most && members[from] != 0) send_off(id, group, from, most);
  }
  group.scattered = false;
  return !group.moves.empty();
}

void Router::send_off(GroupId id, Group& group, unsigned from, unsigned to) {
  TakeOut order;
  order.move = ++last_move_;
  for (const EndpointId endpoint : group.endpoints) {
    if (places_.at(endpoint).worker != from) continue;
    order.endpoints.push_back(endpoint);
    put(endpoint, to);
  }
  for (const RecordingId recording : group.recordings) {
    auto& worker = recordings_.at(recording).worker;
    if (worker != from) continue;
    order.recordings.push_back(recording);
    worker = to;
  }
  endpoints_moved_ += order.endpoints.size();
  group.moves.push_back(order.move);
  moves_.emplace(order.move, Move{id, from, to, order.endpoints});
  orders_.push_back({from, std::move(order)});
}

// ---- Operations -----------------------------------------------------------------------------------

void Router::perform(const Operation& operation, std::vector<Result>& results) {
  if (const auto* open = std::get_if<Open>(&operation)) {
    if (!admit(*open, results)) return;
  } else if (const auto* close = std::get_if<Close>(&operation); close != nullptr && !group_of(close->id)) {
    results.emplace_back(Closed{close->id});
    return;
  }
  const auto id = group_of(operation);
  if (!id) return;
  Group& group = groups_.at(*id);
  if (group.busy() || group.scattered || !group.waiting.empty()) {
    group.waiting.push_back(operation);
  } else {
    execute(*id, operation, results);
  }
  settle(*id, results);
}

// Whether it has a place from now on.
bool Router::admit(const Open& open, std::vector<Result>& results) {
  std::string refusal;
  if (places_.contains(open.id)) {
    refusal = "the endpoint is open already";
  } else if (places_.size() >= options_.endpoints_max) {
    refusal = "the limit of " + std::to_string(options_.endpoints_max) + " media endpoints is reached";
  } else if (opening_.size() >= options_.opens_waiting_max) {
    refusal = "the media threads are behind: " + std::to_string(opening_.size()) + " endpoints wait";
  } else {
    const GroupId group = make_group();
    places_.emplace(open.id, Place{group});
    groups_.at(group).endpoints.push_back(open.id);
    opening_.emplace(open.id, Opening{open});
    return true;
  }
  results.emplace_back(OpenFailed{open.id, std::move(refusal)});
  return false;
}

// Its group is together, and nothing of it is under way.
void Router::execute(GroupId id, Operation operation, std::vector<Result>& results) {
  Group& group = groups_.at(id);
  const Named named = named_by(operation);
  const auto home = home_of(group);
  if (std::holds_alternative<Open>(operation)) {
    const unsigned worker = home.value_or(least_loaded(0));
    put(named.endpoints[0], worker);
    opening_.at(named.endpoints[0]).tried = std::uint64_t{1} << worker;
    ++group.opening;
    orders_.push_back({worker, std::move(operation)});
    return;
  }
  if (named.recording != 0) {
    const auto recording = recordings_.find(named.recording);
    if (recording == recordings_.end()) return;
    if (!recording->second.worker) recording->second.worker = home.value_or(least_loaded(0));
    const bool stop = std::holds_alternative<StopRecording>(operation);
    orders_.push_back({*recording->second.worker, std::move(operation)});
    if (stop) forget_recording(named.recording);
    return;
  }
  const bool close = std::holds_alternative<Close>(operation);
  const auto place = places_.find(named.endpoints[0]);
  if (place == places_.end()) {  // its Open has failed meanwhile
    if (close) results.emplace_back(Closed{named.endpoints[0]});
    return;
  }
  orders_.push_back({*place->second.worker, std::move(operation)});
  if (close) forget(named.endpoints[0]);
}

// ---- Notes ----------------------------------------------------------------------------------------

void Router::hear(unsigned worker, Note note, std::vector<Result>& results) {
  if (auto* result = std::get_if<Result>(&note)) return hear_result(worker, std::move(*result), results);
  if (auto* taken = std::get_if<Taken>(&note)) return hear_taken(std::move(*taken), results);
  PortPair pair = std::move(std::get<Stray>(note).pair);
  for (unsigned home = 0; home < options_.ranges.size(); ++home) {
    if (pair.port < options_.ranges[home].first || pair.port > options_.ranges[home].last) continue;
    orders_.push_back({home, TakeBack{std::move(pair)}});
    return;
  }
}

void Router::hear_result(unsigned worker, Result result, std::vector<Result>& results) {
  if (auto* failed = std::get_if<OpenFailed>(&result))
    return open_failed(std::move(*failed), worker, results);
  if (const auto* recorded = std::get_if<Recorded>(&result)) {
    if (const auto found = recordings_.find(recorded->id); found != recordings_.end()) {
      const GroupId group = found->second.group;
      forget_recording(recorded->id);
      settle(group, results);
    }
  }
  const auto* opened = std::get_if<Opened>(&result);
  const EndpointId id = opened == nullptr ? 0 : opened->id;
  results.push_back(std::move(result));
  if (opened == nullptr || opening_.erase(id) == 0) return;
  const GroupId group = places_.at(id).group;
  --groups_.at(group).opening;
  settle(group, results);
}

// Another worker may have a port.
void Router::open_failed(OpenFailed failed, unsigned worker, std::vector<Result>& results) {
  const auto opening = opening_.find(failed.id);
  if (opening == opening_.end()) return results.push_back(std::move(failed));
  opening->second.tried |= std::uint64_t{1} << worker;
  const GroupId id = places_.at(failed.id).group;
  Group& group = groups_.at(id);
  if (const unsigned other = least_loaded(opening->second.tried); other < loads_.size()) {
    put(failed.id, other);
    // It comes to the others of its call, with its ports.
    group.scattered = true;
    orders_.push_back({other, Operation{opening->second.what}});
    return;
  }
  opening_.erase(opening);
  forget(failed.id);
  --group.opening;
  if (loads_.size() > 1) failed.reason += "; nor has any other media thread one";
  results.push_back(std::move(failed));
  settle(id, results);
}

void Router::hear_taken(Taken taken, std::vector<Result>& results) {
  const auto found = moves_.find(taken.move);
  if (found == moves_.end()) return;
  const Move move = std::move(found->second);
  moves_.erase(found);
  Group& group = groups_.at(move.group);
  erase_one(group.moves, taken.move);
  const std::vector<EndpointId> arrive = taken.parcel.endpoints();
  group.shortfalls = arrive.size() == move.endpoints.size() ? 0 : group.shortfalls + 1;
  for (const EndpointId id : move.endpoints) {
    if (std::find(arrive.begin(), arrive.end(), id) != arrive.end()) continue;
    put(id, move.from);  // it has stayed, and is asked for once more
    if (group.shortfalls < shortfalls_max) {
      group.scattered = true;
    } else {
      results.emplace_back(Lost{id, "there was no memory to bring it to the other party"});
    }
  }
  orders_.push_back({move.to, PutIn{std::move(taken.parcel)}});
  settle(move.group, results);
}

}  // namespace baton::media::threads
