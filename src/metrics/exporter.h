// Answers GET /metrics in Prometheus' text format, on a thread of its own. A slow or hostile reader costs
// calls nothing: it is served from copies, waited for no longer than a few seconds, and there are never more
// than some.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "metrics/families.h"
#include "net/socket.h"

namespace baton::metrics {

class Exporter {
 public:
  static constexpr std::size_t readers_max = 16;  // at a time; others wait until one is served
  static constexpr Duration patience = 5s;        // for a reader to ask, and to take the answer
  static constexpr std::size_t request_max = 8 * 1024;

  // `snapshot` is called on the exporter's thread until the exporter is gone, and must not block for long;
  // the tally must live as long.
  [[nodiscard]] static Result<std::unique_ptr<Exporter>, net::OpenError> open(
      const SocketAddress& bind, std::function<Snapshot()> snapshot, const Tally& tally);
  ~Exporter();  // at once, whoever is reading
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  // As it was bound; port 0 became the kernel's choice.
  [[nodiscard]] const SocketAddress& address() const { return address_; }

 private:
  class Http;
  Exporter(SocketAddress address, std::unique_ptr<Http> http);

  SocketAddress address_;
  std::unique_ptr<Http> http_;
};

}  // namespace baton::metrics
