// What comes from rtpengine's port: bencode, the descriptions in it, and a media plane that is answered with
// it; and what comes to that of its log of keys. Whatever is said, every Open and every Close has one answer.
#include <algorithm>
#include <map>

#include "base/assert.h"
#include "media/rtpengine/plane.h"

namespace {

using namespace baton;
using namespace baton::media;

class Course {
 public:
  Course() : plane_(options()) { advance(0s); }

  void perform(const Operation& operation) {
    plane_.perform(now_, operation, {results_, datagrams_});
    settle();
  }
  // The oldest request that waits is answered so.
  void answer(std::string_view body) {
    if (waiting_.empty()) return;
    const std::string datagram = waiting_.front() + std::string(body);
    waiting_.erase(waiting_.begin());
    plane_.received(now_, datagram, {results_, datagrams_});
    settle();
  }
  void log(std::string_view line) {
    plane_.logged(now_, line, {results_, datagrams_});
    settle();
  }
  void advance(Duration time) {
    now_ += time;
    plane_.advance(now_, {results_, datagrams_});
    settle();
  }
  void end() {
    for (const EndpointId id : {EndpointId{1}, EndpointId{2}}) perform(Close{id});
    for (int i = 0; i < 60; ++i) advance(1s);
    for (const EndpointId id : {EndpointId{1}, EndpointId{2}}) {
      BATON_ASSERT(opened_[id] <= 1);
      BATON_ASSERT(closed_[id] == 1);
    }
    BATON_ASSERT(plane_.endpoints() == 0);
  }

 private:
  static Rtpengine::Options options() {
    Rtpengine::Options options;
    options.silence_timeout = 10s;
    options.token = "t";
    options.hears_keys = true;
    return options;
  }
  void settle() {
    for (const std::string& datagram : datagrams_) {
      std::string cookie = datagram.substr(0, datagram.find(' ') + 1);
      if (std::find(waiting_.begin(), waiting_.end(), cookie) == waiting_.end()) {
        waiting_.push_back(std::move(cookie));
      }
    }
    datagrams_.clear();
    for (const media::Result& result : results_) {
      if (const auto* opened = std::get_if<Opened>(&result)) {
        ++opened_[opened->id];
        BATON_ASSERT(opened->local_rtp.port != 0 && !opened->local_rtp.ip.is_unspecified());
      }
      if (const auto* failed = std::get_if<OpenFailed>(&result)) ++opened_[failed->id];
      if (const auto* closed = std::get_if<Closed>(&result)) ++closed_[closed->id];
    }
    results_.clear();
  }

  Time now_{1h};
  Rtpengine plane_;
  std::vector<media::Result> results_;
  std::vector<std::string> datagrams_;
  std::vector<std::string> waiting_;
  std::map<EndpointId, unsigned> opened_, closed_;
};

Configure party(EndpointId id) {
  Configure configure;
  configure.id = id;
  configure.remote_rtp = {IpAddress::v4(192, 0, 2, 7), 40'000};
  configure.dtmf_payload_type = 101;
  if (id == 2) configure.digits = DigitsBy::report;
  return configure;
}

void check_bencode(std::string_view text) {
  const auto value = rtpengine::decode(text);
  if (!value) return;
  const auto again = rtpengine::decode(rtpengine::encode(*value));
  BATON_ASSERT(again && *again == *value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Course course;
  course.perform(Open{.id = 1, .srtp = true});
  course.perform(Open{.id = 2});
  // One step a line: what is done, and the answer to the oldest request.
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\x1e'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const char step = line.empty() ? '\0' : line.front();
    if (!line.empty()) line.remove_prefix(1);
    check_bencode(line);
    const EndpointId id = 1 + (static_cast<unsigned char>(step) & 1U);
    switch (static_cast<unsigned char>(step) >> 1U & 7U) {
      case 0:
        course.perform(party(id));
        break;
      case 1:
        course.perform(Hear{id, Hear::Party{3 - id}});
        break;
      case 2:
        course.perform(Hear{id, Hear::RingBack{}});
        break;
      case 3:
        course.perform(Hear{id, Hear::Silence{}});
        break;
      case 4:
        course.advance(1s);
        break;
      case 5:
        course.perform(SendDigit{id, 1, 100ms, 3 - id});
        break;
      case 6:
        course.log(line);
        break;
      default:
        break;
    }
    course.answer(line);
  }
  course.end();
  return 0;
}
