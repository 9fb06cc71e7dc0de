// One datagram: read, every accessor called, written again from what was read, and read back equal. What is
// refused must have an answer that is well formed, or none.
#include "base/limits.h"
#include "fuzz/check.h"
#include "sip/draft.h"
#include "sip/message.h"

namespace baton::fuzz {
namespace {

using sip::Draft;
using sip::HeaderId;
using sip::Message;

void check_refusal(const std::string& bytes, const sip::ParseError& error) {
  BATON_ASSERT(error.status >= 400 && error.status <= 699 && !error.reason.empty());
  const auto answer = sip::answer_to_malformed(bytes, error);
  if (!answer) return;
  const std::string_view text = *answer;
  BATON_ASSERT(text.substr(0, 8) == "SIP/2.0 " && text.substr(text.size() - 4) == "\r\n\r\n");
  BATON_ASSERT(text.find("\r\n\r\n") == text.size() - 4);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') BATON_ASSERT(text[i - 1] == '\r');
    if (text[i] == '\r') BATON_ASSERT(text[i + 1] == '\n' && text[i + 2] != ' ' && text[i + 2] != '\t');
  }
}

void read_everything(const Message& message) {
  for (const auto& entry : message.entries()) {
    const std::string_view value = message.value_of(entry);
    BATON_ASSERT(!message.name_of(entry).empty() && !has_line_break(value));
    (void)message.header(message.name_of(entry));
    for (const auto element : sip::split_commas(value)) check_all_grammars(element);
    check_all_grammars(value);
  }
  for (unsigned i = 1; i <= static_cast<unsigned>(HeaderId::x_baton_hangup_code); ++i) {
    for (const auto element : message.elements(static_cast<HeaderId>(i))) BATON_ASSERT(!element.empty());
  }
  (void)message.lists(HeaderId::supported, "100rel");
  (void)sip::parse_sipfrag(message.body());
  if (const auto contact = message.contact()) check_name_addr(*contact);
  if (const auto hops = message.max_forwards()) BATON_ASSERT(*hops >= 0 && *hops <= 255);
  check_name_addr(message.from());
  check_name_addr(message.to());
  check_via(message.top_via());
  BATON_ASSERT(!message.call_id().empty());
  BATON_ASSERT(message.is_request() == !message.request_uri().empty());
}

Draft copy_of(const Message& message) {
  Draft draft = message.is_request() ? Draft::request(message.method(), std::string(message.request_uri()))
                                     : Draft::response(message.status(), message.reason_phrase());
  for (const auto& entry : message.entries()) {
    draft.add(std::string(message.name_of(entry)), std::string(message.value_of(entry)));
  }
  draft.body(std::string(message.header(HeaderId::content_type)), std::string(message.body()));
  return draft;
}

void check_copy(const Message& message) {
  const bool writable = !message.is_request() || message.method() != sip::Method::other;
  const bool safe_reason = sip::is_safe_value(message.reason_phrase());
  if (!writable || !safe_reason) return;
  auto read = Message::parse(copy_of(message).write());
  BATON_ASSERT(read);
  const Message& again = *read;
  BATON_ASSERT(again.is_request() == message.is_request() && again.method() == message.method());
  BATON_ASSERT(again.request_uri() == message.request_uri() && again.status() == message.status());
  BATON_ASSERT(again.body() == message.body() && again.call_id() == message.call_id());
  BATON_ASSERT(again.from().to_string() == message.from().to_string());
  BATON_ASSERT(again.to().to_string() == message.to().to_string());
  BATON_ASSERT(again.top_via().to_string() == message.top_via().to_string());
  for (unsigned i = 1; i <= static_cast<unsigned>(HeaderId::x_baton_hangup_code); ++i) {
    const auto id = static_cast<HeaderId>(i);
    if (id == HeaderId::content_type || id == HeaderId::content_length) continue;
    BATON_ASSERT(again.elements(id) == message.elements(id));
  }
}

void check_response(const Message& request) {
  const auto response = Message::parse(sip::make_response(request, 486, "our-tag").write());
  BATON_ASSERT(response);
  BATON_ASSERT(response->status() == 486 && response->method_text() == request.method_text());
  BATON_ASSERT(response->to().tag() == (request.to().tag().empty() ? "our-tag" : request.to().tag()));
  BATON_ASSERT(response->from().to_string() == request.from().to_string());
  BATON_ASSERT(response->elements(HeaderId::via) == request.elements(HeaderId::via));
}

}  // namespace
}  // namespace baton::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace baton::fuzz;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto message = Message::parse(bytes);
  if (!message) {
    check_refusal(bytes, message.error());
    return 0;
  }
  read_everything(*message);
  // Writing puts a blank behind each colon, which what is at a limit has no room for.
  if (size > 32'000 || message->entries().size() + 2 > baton::limits::headers_max) return 0;
  for (const auto& entry : message->entries()) {
    if (entry.value_length + entry.name_length > baton::limits::header_bytes_max - 32) return 0;
  }
  check_copy(*message);
  if (message->is_request()) check_response(*message);
  return 0;
}
