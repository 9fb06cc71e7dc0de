#include "media/threads/outbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "base/assert.h"

namespace baton::media::threads {

Descriptor make_bell() {
  Descriptor bell(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  BATON_ASSERT(bell.get() >= 0);
  return bell;
}

void ring(int bell) {
  const std::uint64_t one = 1;
  // Full means that it is ringing already.
  [[maybe_unused]] const ssize_t n = ::write(bell, &one, sizeof one);
}

void silence(int bell) {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(bell, &count, sizeof count);
}

Outbox::Outbox() : fd_(make_bell()) {}

void Outbox::put(unsigned worker, std::vector<Note>& notes, std::string& failure) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = mails_.empty();
    Mail& mail = mails_.emplace_back();
    mail.worker = worker;
    mail.notes.swap(notes);
    mail.failure.swap(failure);
  }
  if (first) ring(fd_.get());
}

void Outbox::take(std::vector<Mail>& mails) {
  // Before the lock: who puts something behind this rings again.
  silence(fd_.get());
  mails.clear();
  const std::lock_guard lock(mutex_);
  mails.swap(mails_);
}

}  // namespace baton::media::threads
