#include "app/ladder_label.h"

#include <algorithm>
#include <string_view>

#include "app/text.h"
#include "base/ascii.h"
#include "sip/message.h"

namespace baton::app {
namespace {

constexpr std::size_t first_line_max = 60;

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

bool carries_sdp(const sip::Message& message) {
  if (message.body().empty()) return false;
  const std::string type = ascii::lowered(message.header(sip::HeaderId::content_type));
  if (type.starts_with("application/sdp")) return true;
  return type.starts_with("multipart/") &&
         ascii::lowered(message.body()).find("application/sdp") != std::string::npos;
}

Label label_of_refer(const sip::Message& message, const std::string& arrow) {
  Label label{"REFER " + arrow + " ", "", LabelKind::transfer};
  const auto address = sip::NameAddr::parse(message.header(sip::HeaderId::refer_to));
  if (!address) {
    label.text += "?";
    return label;
  }
  const sip::Uri& uri = address->uri;
  label.text += uri.user.empty() ? uri.host : sip::to_e164(uri.user).value_or(uri.user);
  const auto replaces =
      std::find_if(uri.headers.begin(), uri.headers.end(),
                   [](const sip::UriParameter& header) { return ascii::lowered(header.name) == "replaces"; });
  if (replaces != uri.headers.end()) label.mark = "[Replaces]";
  return label;
}

// The status line of a message/sipfrag body (RFC 3420, RFC 3515 2.4.5): "180 Ringing".
std::string sipfrag_status(const sip::Message& message) {
  if (!ascii::lowered(message.header(sip::HeaderId::content_type)).starts_with("message/sipfrag")) return {};
  const std::string_view line = first_line(message.body());
  const std::size_t space = line.find(' ');
  return space == std::string_view::npos ? std::string{} : std::string(line.substr(space + 1));
}

Label label_of_request(const sip::Message& message, const std::string& arrow) {
  switch (message.method()) {
    case sip::Method::invite:
      return {message.to_tag().empty() ? "INVITE" : "re-INVITE", ""};
    case sip::Method::refer:
      return label_of_refer(message, arrow);
    case sip::Method::notify: {
      const std::string status = sipfrag_status(message);
      return {status.empty() ? "NOTIFY" : "NOTIFY " + status, "", LabelKind::transfer};
    }
    default:
      return {std::string(message.method_text()), ""};
  }
}

Label label_of_response(const sip::Message& message) {
  const int status = message.status();
  std::string text = std::to_string(status);
  if (!message.reason_phrase().empty()) text += " " + std::string(message.reason_phrase());
  std::string mark = "(" + printable(message.cseq().method_text) + ")";
  if (status < 200) return {std::move(text), std::move(mark), LabelKind::provisional};
  return {std::move(text), std::move(mark), status < 300 ? LabelKind::success : LabelKind::failure};
}

}  // namespace

Label label_of(const call::TraceMessage& message, const std::string& arrow) {
  const auto parsed = sip::Message::parse(message.bytes);
  if (!parsed) {
    return {fit(printable(first_line(message.bytes)), first_line_max, "..."), "[malformed]",
            LabelKind::malformed};
  }
  Label label = parsed->is_request() ? label_of_request(*parsed, arrow) : label_of_response(*parsed);
  label.text = printable(label.text);
  label.sdp = carries_sdp(*parsed);
  return label;
}

}  // namespace baton::app
