// Endpoints that leave for another relay, or come from one: sockets, streams, keys and links as they are.
#include <sys/epoll.h>

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "base/assert.h"
#include "media/relay/parcel.h"
#include "media/relay/relay_impl.h"

namespace baton::media {

Relay::Parcel::Parcel() = default;
Relay::Parcel::Parcel(Parcel&&) noexcept = default;
Relay::Parcel& Relay::Parcel::operator=(Parcel&&) noexcept = default;
Relay::Parcel::~Parcel() = default;

std::vector<EndpointId> Relay::Parcel::endpoints() const {
  std::vector<EndpointId> ids;
  if (!contents_) return ids;
  for (const Contents::Item& item : contents_->items) ids.push_back(item.endpoint.id);
  return ids;
}

void Relay::Impl::unwatch(const SocketPair& sockets) {
  // It can only fail for one that is not watched, as after a failure of watch().
  for (const int fd : {sockets.rtp.get(), sockets.rtcp.get()}) {
    static_cast<void>(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr));
  }
}

Relay::Parcel Relay::Impl::take_out(const std::vector<EndpointId>& ids,
                                    const std::vector<RecordingId>& recordings) {
  std::unordered_map<std::uint64_t, std::size_t> leaving;  // by handle
  std::vector<EndpointHandle> handles;
  for (const EndpointId id : ids) {
    const EndpointHandle handle = find(id);
    if (handle && leaving.emplace(handle.pack(), handles.size()).second) handles.push_back(handle);
  }
  const auto index_of = [&](EndpointHandle handle) -> std::optional<std::size_t> {
    const auto found = leaving.find(handle.pack());
    return found == leaving.end() ? std::nullopt : std::optional(found->second);
  };
  // Room for all, before anything changes.
  Parcel parcel;
  parcel.contents_ = std::make_unique<Parcel::Contents>();
  Parcel::Contents& contents = *parcel.contents_;
  contents.items.reserve(handles.size());
  contents.recordings.reserve(recordings.size());

  // Who hears somebody across the gap would hear nobody any more.
  for (const EndpointHandle handle : handles) {
    Endpoint& endpoint = endpoints_.at(handle);
    if (endpoint.source == Endpoint::Source::party && !index_of(endpoint.heard_party))
      unhear(handle, endpoint);
    const std::vector<EndpointHandle> listeners = endpoint.listeners;
    for (const EndpointHandle listener : listeners) {
      if (!index_of(listener)) unhear(listener, endpoints_.at(listener));
    }
  }
  for (const RecordingId id : recordings) {
    const auto found = recorded_.find(id);
    if (found == recorded_.end()) continue;
    Parcel::Contents::Recording& recording = contents.recordings.emplace_back();
    recording.id = id;
    for (std::size_t i = 0; i < recording.channels.size(); ++i)
      recording.channels[i] = index_of(found->second[i]);
    recorded_.erase(found);
  }
  for (const EndpointHandle handle : handles) {
    Endpoint& endpoint = endpoints_.at(handle);
    unwatch(endpoint.sockets);
    owner_of(endpoint.port) = {};
    by_id_.erase(endpoint.id);
    std::optional<std::size_t> hears;
    if (endpoint.source == Endpoint::Source::party) hears = index_of(endpoint.heard_party);
    contents.items.emplace_back(std::move(endpoint)).hears = hears;
    endpoints_.erase(handle);
  }
  return parcel;
}

void Relay::Impl::put_in(Parcel& parcel, std::vector<Result>& results) {
  if (!parcel.contents_) return;
  Parcel::Contents& contents = *parcel.contents_;
  std::vector<EndpointHandle> handles;
  handles.reserve(contents.items.size());
  for (Parcel::Contents::Item& item : contents.items) {
    BATON_ASSERT(!find(item.endpoint.id));
    const EndpointHandle handle = endpoints_.emplace(std::move(item.endpoint));
    Endpoint& endpoint = endpoints_.at(handle);
    handles.push_back(handle);
    owner_of(endpoint.port) = handle;
    by_id_.emplace(endpoint.id, handle);
    endpoint.heard_party = {};
    endpoint.listeners.clear();
    for (std::size_t timer = 0; timer < relay_timers; ++timer) {
      if (const auto at = endpoint.deadlines[timer])
        timers_.arm(*at, handle.pack(), static_cast<std::uint8_t>(timer));
    }
    if (!watch(endpoint.sockets, endpoint.port)) {
      endpoint.sockets = {};  // the pair must not rest as one that is watched
      results.emplace_back(Lost{endpoint.id, "the kernel watches no more sockets for this user"});
    }
  }
  for (std::size_t i = 0; i < handles.size(); ++i) {
    const auto hears = contents.items[i].hears;
    if (!hears) continue;
    endpoints_.at(handles[i]).heard_party = handles[*hears];
    endpoints_.at(handles[*hears]).listeners.push_back(handles[i]);
  }
  for (const Parcel::Contents::Recording& recording : contents.recordings) {
    auto& channels = recorded_[recording.id];
    for (std::size_t i = 0; i < recording.channels.size(); ++i)
      channels[i] = recording.channels[i] ? handles[*recording.channels[i]] : EndpointHandle{};
  }
}

void Relay::Impl::take_stray_pairs(std::vector<PortPair>& pairs) {
  std::move(stray_pairs_.begin(), stray_pairs_.end(), std::back_inserter(pairs));
  stray_pairs_.clear();
}

void Relay::Impl::take_back(Time now, PortPair pair) {
  BATON_ASSERT(ports_.has(pair.port) && !owner_of(pair.port));
  const bool room = endpoints_.size() + ports_.open() <= options_.open_pairs_max;
  if (pair.is_open() && (!room || !watch(pair.sockets, pair.port))) pair.sockets = {};
  ports_.give_back(now, std::move(pair), true);
}

}  // namespace baton::media
