// One thread that carries the audio of some endpoints: a relay, its sockets and its timers are the thread's
// own. Orders come in and notes go out as values.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/time.h"
#include "media/relay/relay.h"
#include "media/relay/sockets.h"
#include "media/threads/orders.h"
#include "media/threads/outbox.h"

namespace baton::media::threads {

// Called by all threads at once; never runs backwards.
using Clock = std::function<Time()>;

class Worker {
 public:
  // Throws std::system_error when there can be no other thread. The outbox outlives it.
  Worker(unsigned number, Relay::Options options, Clock clock, Outbox& outbox);
  ~Worker();  // stop()
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Performed in this order, behind those given before. Any thread; empties the list.
  void give(std::vector<Order>& orders);
  // Ends the thread when everything given has been performed.
  void stop();

 private:
  void run();
  [[nodiscard]] bool round();
  void wait();
  [[nodiscard]] bool take_orders();
  void perform(Order& order);
  void perform(Time now, Order& order);
  void give_up(const Order& order);
  void tell();
  void note_results();

  unsigned number_;
  Clock clock_;
  Outbox& outbox_;
  Descriptor bell_;

  std::mutex mutex_;  // of the next two; held for moments
  std::vector<Order> inbox_;
  bool stopping_ = false;

  // The thread's own.
  Relay relay_;
  Descriptor epoll_;
  bool has_pwait2_ = true;
  bool rung_ = false, packets_wait_ = false;
  std::vector<Order> orders_;
  std::size_t performed_ = 0;  // of those
  bool last_ = false;
  std::vector<Result> results_;
  std::vector<Note> notes_;
  std::vector<PortPair> pairs_;
  std::string failure_;
  std::thread thread_;
};

}  // namespace baton::media::threads
