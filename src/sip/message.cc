#include "sip/message.h"

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "sip/lines.h"
#include "sip/spares.h"
#include "sip/text.h"

namespace baton::sip {
namespace {

using text::bad;
using text::Chars;

bool same_name(std::string_view a, std::string_view b) {
  return text::equals_ignoring_case(a, b);
}

// Headers of which a comma is no list: credentials and challenges (RFC 3261 7.3.1), dates, free text.
bool is_comma_list(HeaderId id) {
  switch (id) {
    case HeaderId::authorization:
    case HeaderId::proxy_authorization:
    case HeaderId::www_authenticate:
    case HeaderId::proxy_authenticate:
    case HeaderId::call_id:
    case HeaderId::date:
    case HeaderId::retry_after:
    case HeaderId::server:
    case HeaderId::subject:
    case HeaderId::user_agent:
      return false;
    default:
      return true;
  }
}

// Singular headers whose doubling would leave in doubt which dialog, or which bytes, a message is.
constexpr std::array singular = {
    std::pair{HeaderId::from, "Not exactly one From header"},
    std::pair{HeaderId::to, "Not exactly one To header"},
    std::pair{HeaderId::call_id, "Not exactly one Call-ID header"},
    std::pair{HeaderId::cseq, "Not exactly one CSeq header"},
};

Result<void, ParseError> check_version(std::string_view version) {
  if (same_name(version, "SIP/2.0")) return {};
  const auto dot = version.find('.');
  const bool other_version = version.size() > 4 && same_name(version.substr(0, 4), "SIP/") &&
                             dot != std::string_view::npos &&
                             text::parse_decimal(version.substr(4, dot - 4), 999'999) &&
                             text::parse_decimal(version.substr(dot + 1), 999'999);
  if (other_version) return bad("SIP version not supported", 505);
  return bad("Malformed start line");
}

// Enough that the URI can be written into logs and answers; its grammar is checked by who reads it, because
// an unknown scheme has an answer of its own (416).
Result<void, ParseError> check_request_uri(std::string_view uri) {
  if (uri.size() > limits::uri_bytes_max) return bad("Request-URI too long", 414);
  if (uri.empty() || !text::all(uri, Chars::visible)) return bad("Malformed Request-URI");
  for (const char c : {'<', '>', '"'}) {
    if (uri.find(c) != std::string_view::npos) return bad("Malformed Request-URI");
  }
  if (uri.find(':') == std::string_view::npos) return bad("Request-URI without a scheme");
  return {};
}

}  // namespace

// Fills a Message step by step; each step may assume the ones before it.
class MessageParser {
 public:
  explicit MessageParser(Message& message) : message_(message), data_(*message.data_), bytes_(data_.bytes) {}

  Result<void, ParseError> run() {
    std::string_view rest = bytes_;
    if (auto done = start_line(take_line(rest)); !done) return done;
    if (auto done = headers(rest); !done) return done;
    if (auto done = body(bytes_.size() - rest.size()); !done) return done;
    return mandatory();
  }

 private:
  [[nodiscard]] Message::Span span(std::string_view part) const {
    if (part.empty()) return {};
    return {static_cast<std::uint16_t>(part.data() - bytes_.data()), static_cast<std::uint16_t>(part.size())};
  }

  Result<void, ParseError> start_line(const Line& line) {
    if (!line.ended) return bad("Message without headers");
    if (!line.plain) return bad("Malformed start line");
    return same_name(line.text.substr(0, 4), "SIP/") ? status_line(line.text) : request_line(line.text);
  }

  Result<void, ParseError> request_line(std::string_view line) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return bad("Malformed request line");
    const std::string_view method = line.substr(0, first);
    const std::string_view uri = line.substr(first + 1, last - first - 1);
    if (method.empty() || !text::all(method, Chars::token)) return bad("Malformed method");
    if (auto done = check_version(line.substr(last + 1)); !done) return done;
    if (auto done = check_request_uri(uri); !done) return done;
    data_.method = parse_method(method);
    data_.start_a = span(method);
    data_.start_b = span(uri);
    return {};
  }

  Result<void, ParseError> status_line(std::string_view line) {
    const auto first = line.find(' ');
    if (auto done = check_version(line.substr(0, first)); !done) return done;
    if (first == std::string_view::npos) return bad("Malformed status line");
    const std::string_view rest = line.substr(first + 1);
    const std::string_view code = rest.substr(0, rest.find(' '));
    const auto status = text::parse_decimal(code, 699);
    if (code.size() != 3 || !status || *status < 100) return bad("Malformed status code");
    data_.status = static_cast<int>(*status);
    // Without the blank before an empty phrase the line is wrong but clear.
    data_.start_a = span(rest.substr(std::min(code.size() + 1, rest.size())));
    return {};
  }

  // Takes them, and the empty line behind them, off `rest`.
  Result<void, ParseError> headers(std::string_view& rest) {
    while (rest.substr(0, 2) != "\r\n") {
      const Line line = take_line(rest);
      if (!line.ended) return bad("Headers without end");
      if (line.text.size() > limits::header_bytes_max) return bad("Header too long");
      if (data_.entries_count == limits::headers_max) return bad("Too many headers");
      const auto header = read_header_line(line);
      if (!header) return bad("Malformed header line");
      if (!line.plain) unfold(header->value);
      const Message::Span name = span(header->name), value = span(header->value);
      data_.add({parse_header_name(header->name), name.at, name.length, value.at, value.length});
    }
    rest.remove_prefix(2);
    return {};
  }

  // RFC 3261 7.3.1: a fold is the same as a blank. Done in place, so that no value anyone copies from here
  // can break a line in what we send.
  void unfold(std::string_view value) {
    const auto begin = bytes_.begin() + (value.data() - bytes_.data());
    std::replace_if(
        begin, begin + static_cast<std::ptrdiff_t>(value.size()),
        [](char c) { return c == '\r' || c == '\n'; }, ' ');
  }

  Result<void, ParseError> body(std::size_t at) {
    const std::size_t available = bytes_.size() - at;
    std::size_t length = available;
    const std::size_t headers_count = message_.count(HeaderId::content_length);
    if (headers_count > 1) return bad("More than one Content-Length header");
    if (headers_count == 1) {
      const auto said = parse_content_length(message_.header(HeaderId::content_length));
      if (!said) return bad("Malformed Content-Length");
      if (*said > available) return bad("Body shorter than Content-Length");
      length = *said;
    }
    if (length > limits::body_bytes_max) return bad("Body too large", 413);
    data_.body = {static_cast<std::uint16_t>(at), static_cast<std::uint16_t>(length)};
    bytes_.resize(at + length);
    return {};
  }

  Result<void, ParseError> mandatory() {
    for (const auto& [id, reason] : singular) {
      if (message_.count(id) != 1) return bad(reason);
    }
    if (too_many_vias()) return bad("Too many Via headers", 483);
    if (auto done = top_via(first_element(message_.header(HeaderId::via))); !done) return done;
    if (auto done = address(HeaderId::from, data_.from); !done) return done;
    if (auto done = address(HeaderId::to, data_.to); !done) return done;
    auto cseq = CSeq::parse(message_.header(HeaderId::cseq));
    if (!cseq) return fail(cseq.error());
    data_.cseq = std::move(*cseq);
    const std::string_view call_id = message_.call_id();
    if (call_id.empty() || !text::all(call_id, Chars::visible)) return bad("Malformed Call-ID");
    if (!message_.is_request()) {
      data_.method = data_.cseq.method;
    } else if (data_.cseq.method_text != message_.method_text()) {
      // RFC 4475 3.1.2.18: of the two faults the unknown method is the one to name.
      return bad("CSeq method is not the request's", data_.method == Method::other ? 501 : 400);
    }
    return {};
  }

  // Values, not lines: one line holds hundreds, and a response has a line for each.
  [[nodiscard]] bool too_many_vias() const {
    std::size_t count = 0;
    for (const auto& entry : message_.entries()) {
      if (entry.id != HeaderId::via) continue;
      std::string_view list = message_.value_of(entry);
      while (count <= limits::vias_max && take_element(list)) ++count;
    }
    return count > limits::vias_max;
  }

  Result<void, ParseError> top_via(std::string_view text) {
    if (text.empty()) return bad("Missing Via header");
    const auto head = Via::read_head(text);
    if (!head) return fail(head.error());
    auto& via = data_.via;
    via.whole = span(text);
    via.transport = span(head->transport);
    via.host = span(head->host);
    via.branch = span(head->branch);
    via.port = head->port;
    via.rport = head->rport;
    via.received = head->received;
    via.masked = head->masked;
    return {};
  }

  Result<void, ParseError> address(HeaderId id, Message::Address& place) {
    const auto head = NameAddr::read_head(message_.header(id));
    // A URI that is too long here is not the Request-URI, so it is not a 414.
    if (!head) return fail(ParseError{400, head.error().reason});
    place.tag = span(head->tag);
    place.masked = head->masked;
    if (place.masked) (void)message_.decoded(place, id);
    return {};
  }

  Message& message_;
  Message::Data& data_;
  std::string& bytes_;
};

Result<Message, ParseError> Message::parse(std::string bytes, Spares* spares) {
  if (bytes.size() > limits::message_bytes_max) return bad("Message too large", 513);
  Message message(spares != nullptr ? spares->messages_.take() : Pool<Data>::make());
  message.data_->spares = spares;
  std::string& in_place = message.data_->bytes;
  in_place = std::move(bytes);
  // RFC 3261 7.5: CRLFs before the start line are to be ignored.
  std::size_t blank = 0;
  while (in_place.compare(blank, 2, "\r\n") == 0) blank += 2;
  in_place.erase(0, blank);
  if (auto done = MessageParser(message).run(); !done) return fail(done.error());
  return message;
}

bool Message::Data::recycle() {
  static_cast<Index&>(*this) = {};
  all_entries = {};
  if (spares != nullptr) spares->buffers().give(std::move(bytes));
  bytes = {};
  return true;
}

void Message::Data::add(const Entry& entry) {
  const std::size_t at = entries_count++;
  if (at < first_entries.size()) {
    first_entries[at] = entry;
  } else {
    if (at == first_entries.size()) all_entries.assign(first_entries.begin(), first_entries.end());
    all_entries.push_back(entry);
  }
  auto& index = first[static_cast<std::size_t>(entry.id)];
  if (index != 0) repeated |= std::uint64_t{1} << static_cast<unsigned>(entry.id);
  if (index == 0) index = static_cast<std::uint8_t>(at + 1);
}

std::string_view Message::method_text() const {
  return is_request() ? text(data_->start_a) : std::string_view(data_->cseq.method_text);
}

std::string_view Message::request_uri() const {
  return text(data_->start_b);
}

std::string_view Message::reason_phrase() const {
  return is_request() ? std::string_view{} : text(data_->start_a);
}

ViaHead Message::via_head() const {
  const auto& via = data_->via;
  if (via.masked) return top_via().head();
  return {text(via.transport), text(via.host), via.port, text(via.branch), via.rport, via.received, false};
}

const Via& Message::top_via() const {
  auto& decoded = data_->via.decoded;
  if (!decoded) decoded = std::make_unique<Via>(*Via::parse(text(data_->via.whole)));
  return *decoded;
}

const NameAddr& Message::decoded(const Address& address, HeaderId id) const {
  auto& whole = address.whole;
  if (!whole) whole = std::make_unique<NameAddr>(*NameAddr::parse(header(id)));
  return *whole;
}

std::string_view Message::header(HeaderId id) const {
  const std::size_t first = data_->first[static_cast<std::size_t>(id)];
  return first == 0 || id == HeaderId::other ? std::string_view{} : value_of(entries()[first - 1]);
}

std::string_view Message::header(std::string_view name) const {
  const HeaderId id = parse_header_name(name);
  if (id != HeaderId::other) return header(id);
  for (const Entry& entry : entries()) {
    if (entry.id == HeaderId::other && same_name(name_of(entry), name)) return value_of(entry);
  }
  return {};
}

bool Message::has(HeaderId id) const {
  return data_->first[static_cast<std::size_t>(id)] != 0;
}

std::size_t Message::count(HeaderId id) const {
  if (((data_->repeated >> static_cast<unsigned>(id)) & 1) == 0) return has(id) ? 1 : 0;
  const auto all = entries();
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [id](const Entry& entry) { return entry.id == id; }));
}

std::vector<std::string_view> Message::elements(HeaderId id) const {
  std::vector<std::string_view> all;
  if (!has(id)) return all;
  for (const auto& entry : entries()) {
    if (entry.id != id) continue;
    const std::string_view value = value_of(entry);
    if (is_comma_list(id)) {
      append_elements(all, value);
    } else if (!value.empty()) {
      all.push_back(value);
    }
  }
  return all;
}

bool Message::has_one(HeaderId id) const {
  const std::string_view value = header(id);
  const bool plain = count(id) == 1 && value.find(',') == std::string_view::npos;
  return plain ? !value.empty() : elements(id).size() == 1;
}

bool Message::lists(HeaderId id, std::string_view token) const {
  if (!has(id)) return false;
  for (const auto& entry : entries()) {
    if (entry.id != id) continue;
    std::string_view list = value_of(entry);
    while (const auto element = take_element(list)) {
      if (same_name(text::trim(element->substr(0, element->find(';'))), token)) return true;
    }
  }
  return false;
}

std::string_view Message::name_of(const Entry& entry) const {
  return text(Span{entry.name_at, entry.name_length});
}

std::string_view Message::value_of(const Entry& entry) const {
  return text(Span{entry.value_at, entry.value_length});
}

std::string_view Message::body() const {
  return text(data_->body);
}

std::optional<NameAddr> Message::contact() const {
  auto parsed = NameAddr::parse(first_element(header(HeaderId::contact)));
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

Result<int, ParseError> Message::max_forwards() const {
  const std::size_t headers_count = count(HeaderId::max_forwards);
  if (headers_count == 0) return 70;
  const auto hops = text::parse_decimal(header(HeaderId::max_forwards), 255);
  if (headers_count > 1 || !hops) return bad("Malformed Max-Forwards");
  return static_cast<int>(*hops);
}

}  // namespace baton::sip
