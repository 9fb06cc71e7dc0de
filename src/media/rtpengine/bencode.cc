#include "media/rtpengine/bencode.h"

#include <charconv>
#include <optional>

namespace baton::media::rtpengine {
namespace {

void write(const Value& value, std::string& out);

void write(const std::string& text, std::string& out) {
  out.append(std::to_string(text.size())).append(":").append(text);
}

void write(const Dictionary& dictionary, std::string& out) {
  out += 'd';
  for (const auto& [key, value] : dictionary) {
    write(key, out);
    write(value, out);
  }
  out += 'e';
}

void write(const Value& value, std::string& out) {
  if (const auto* integer = value.integer()) {
    out.append("i").append(std::to_string(*integer)).append("e");
  } else if (const auto* text = value.text()) {
    write(*text, out);
  } else if (const auto* dictionary = value.dictionary()) {
    write(*dictionary, out);
  } else {
    out += 'l';
    for (const Value& element : *value.list()) write(element, out);
    out += 'e';
  }
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<Value> value(unsigned depth) {
    if (depth > bencode_depth_max) return wrong("nested too deeply");
    if (at_ >= text_.size()) return wrong("ends too early");
    switch (text_[at_]) {
      case 'i':
        return integer();
      case 'l':
        return list(depth);
      case 'd':
        return dictionary(depth);
      default:
        break;
    }
    auto text = string();
    if (!text) return std::nullopt;
    return Value(std::move(*text));
  }

  [[nodiscard]] bool done() const { return at_ == text_.size(); }
  std::nullopt_t wrong(const char* what) {
    if (fault_.empty()) fault_ = std::string(what) + " at " + std::to_string(at_);
    return std::nullopt;
  }
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  // A number and the character that ends it.
  template <typename Number>
  std::optional<Number> number(char end) {
    const std::size_t stop = text_.find(end, at_);
    if (stop == std::string_view::npos) return wrong("a number without an end");
    const std::string_view digits = text_.substr(at_, stop - at_);
    Number found{};
    const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), found);
    if (error != std::errc{} || rest != digits.data() + digits.size()) return wrong("not a number");
    const bool negative = digits.front() == '-';
    const std::string_view bare = digits.substr(negative ? 1 : 0);
    if ((bare.size() > 1 && bare.front() == '0') || (negative && bare == "0")) return wrong("not a number");
    at_ = stop + 1;
    return found;
  }

  std::optional<Value> integer() {
    ++at_;
    const auto found = number<std::int64_t>('e');
    if (!found) return std::nullopt;
    return Value(*found);
  }

  std::optional<std::string> string() {
    if (text_[at_] < '0' || text_[at_] > '9') return wrong("nothing that is known");
    const auto length = number<std::size_t>(':');
    if (!length) return std::nullopt;
    if (*length > text_.size() - at_) return wrong("a string that is longer than the rest");
    std::string found(text_.substr(at_, *length));
    at_ += *length;
    return found;
  }

  std::optional<Value> list(unsigned depth) {
    ++at_;
    List found;
    while (at_ < text_.size() && text_[at_] != 'e') {
      auto element = value(depth + 1);
      if (!element) return std::nullopt;
      found.push_back(std::move(*element));
    }
    if (at_ >= text_.size()) return wrong("a list without an end");
    ++at_;
    return Value(std::move(found));
  }

  std::optional<Value> dictionary(unsigned depth) {
    ++at_;
    Dictionary found;
    while (at_ < text_.size() && text_[at_] != 'e') {
      auto key = string();
      if (!key) return std::nullopt;
      auto element = value(depth + 1);
      if (!element) return std::nullopt;
      if (!found.emplace(std::move(*key), std::move(*element)).second) return wrong("a key twice");
    }
    if (at_ >= text_.size()) return wrong("a dictionary without an end");
    ++at_;
    return Value(std::move(found));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string fault_;
};

}  // namespace

std::string_view text_of(const Dictionary& dictionary, std::string_view key) {
  const auto found = dictionary.find(key);
  const std::string* text = found == dictionary.end() ? nullptr : found->second.text();
  return text == nullptr ? std::string_view{} : std::string_view(*text);
}

std::int64_t integer_of(const Dictionary& dictionary, std::string_view key) {
  const auto found = dictionary.find(key);
  const std::int64_t* integer = found == dictionary.end() ? nullptr : found->second.integer();
  return integer == nullptr ? 0 : *integer;
}

std::string encode(const Value& value) {
  std::string out;
  write(value, out);
  return out;
}

std::string encode(const Dictionary& dictionary) {
  std::string out;
  write(dictionary, out);
  return out;
}

baton::Result<Value, std::string> decode(std::string_view text) {
  Reader reader(text);
  auto value = reader.value(0);
  if (value && !reader.done()) value = reader.wrong("something follows");
  if (!value) return fail(reader.fault());
  return std::move(*value);
}

}  // namespace baton::media::rtpengine
