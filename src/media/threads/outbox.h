// What the workers have to say, on its way to the shard. Its lock is taken once a round of a worker that has
// something to say, and never for a packet.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "media/relay/sockets.h"
#include "media/threads/orders.h"

namespace baton::media::threads {

class Outbox {
 public:
  Outbox();

  struct Mail {
    unsigned worker = 0;
    std::vector<Note> notes;
    std::string failure;  // what was thrown in this round; empty: nothing
  };
  // From any thread; empties them. When there is no memory for it they stay as they are.
  void put(unsigned worker, std::vector<Note>& notes, std::string& failure);
  // Readable when there is something to take.
  [[nodiscard]] int fd() const { return fd_.get(); }
  // Replaces what is in `mails`.
  void take(std::vector<Mail>& mails);

 private:
  Descriptor fd_;
  std::mutex mutex_;
  std::vector<Mail> mails_;
};

// An eventfd: readable from the first ring() until it is heard.
[[nodiscard]] Descriptor make_bell();
void ring(int bell);
void silence(int bell);

}  // namespace baton::media::threads
