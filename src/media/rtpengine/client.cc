#include "media/rtpengine/client.h"

#include <charconv>

namespace baton::media::rtpengine {

std::uint64_t Client::ask(Time now, const Dictionary& request, std::vector<std::string>& out) {
  const std::uint64_t number = ++last_;
  Waiting waiting{token_ + std::to_string(number) + ' ' + encode(request)};
  waiting.due = now + first_wait;
  due_.emplace(waiting.due, number);
  out.push_back(waiting.datagram);
  waiting_.emplace(number, std::move(waiting));
  return number;
}

void Client::received(std::string_view datagram, std::vector<Answer>& answers) {
  if (datagram.substr(0, token_.size()) != token_) return;
  datagram.remove_prefix(token_.size());
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(datagram.data(), datagram.data() + datagram.size(), number);
  const auto used = static_cast<std::size_t>(rest - datagram.data());
  if (error != std::errc{} || used >= datagram.size() || datagram[used] != ' ') return;
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return;  // the answer to a repetition, or too late
  due_.erase({found->second.due, number});
  waiting_.erase(found);
  Answer answer{number, std::nullopt, false, {}};
  const auto value = decode(datagram.substr(used + 1));
  answer.garbled = !value || value->dictionary() == nullptr;
  if (!value) {
    answer.fault = "what rtpengine says is not bencoded: " + value.error();
  } else if (value->dictionary() == nullptr) {
    answer.fault = "what rtpengine says is no dictionary";
  } else {
    answer.said = *value->dictionary();
    const std::string_view result = text_of(*answer.said, "result");
    if (result == "error") answer.fault = text_of(*answer.said, "error-reason");
    if (result == "error" && answer.fault.empty()) answer.fault = "rtpengine says no reason";
  }
  answers.push_back(std::move(answer));
}

void Client::advance(Time now, std::vector<std::string>& out, std::vector<Answer>& answers) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const std::uint64_t number = due_.begin()->second;
    due_.erase(due_.begin());
    Waiting& waiting = waiting_.at(number);
    if (waiting.sends >= sends_max) {
      answers.push_back({number, std::nullopt, false, "rtpengine does not answer"});
      waiting_.erase(number);
      continue;
    }
    ++waiting.sends;
    waiting.wait *= 2;
    waiting.due = now + waiting.wait;
    due_.emplace(waiting.due, number);
    out.push_back(waiting.datagram);
  }
}

std::optional<Time> Client::next_deadline() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

}  // namespace baton::media::rtpengine
