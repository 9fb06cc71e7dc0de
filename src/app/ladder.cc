#include "app/ladder.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>

#include "app/ladder_label.h"
#include "app/text.h"

namespace baton::app {
namespace {

struct Glyphs {
  const char* line;
  const char* dash;
  const char* crossing;
  const char* right;
  const char* left;
  const char* arrow;
  const char* ellipsis;
};

constexpr Glyphs unicode_glyphs{"│", "─", "┼", "▶", "◀", "→", "…"};
constexpr Glyphs ascii_glyphs{"|", "-", "+", ">", "<", "->", "~"};

constexpr std::size_t time_width = 10;
constexpr std::size_t gap_min = 16;  // between two columns, whatever the terminal
constexpr std::size_t text_min = 4;  // of a label beside its mark
constexpr std::size_t outer_min = 6;
constexpr std::size_t outer_max = 12;

const char* colour_of(LabelKind kind) {
  switch (kind) {
    case LabelKind::request:
      return "\x1b[36m";
    case LabelKind::transfer:
      return "\x1b[1;33m";
    case LabelKind::provisional:
      return "\x1b[34m";
    case LabelKind::success:
      return "\x1b[32m";
    case LabelKind::failure:
    case LabelKind::malformed:
      return "\x1b[31m";
  }
  return "";
}
constexpr char bold[] = "\x1b[1m";
constexpr char faint[] = "\x1b[2m";
constexpr char plain[] = "\x1b[0m";

std::string party_of(const call::TraceMessage& message) {
  return message.party.empty() ? "?" : printable(message.party);
}

std::string relative_time(Time time, Time start) {
  std::array<char, 48> text{};
  const double seconds = static_cast<double>((time - start).count()) / 1e6;
  std::snprintf(text.data(), text.size(), "%9.3f", seconds);
  return text.data();
}

// A line of cells, one glyph each; colour codes ride on a cell without widening it.
class Line {
 public:
  explicit Line(std::size_t columns) : cells_(columns, " ") {}

  void put(std::size_t at, std::string_view glyph) {
    if (at < cells_.size()) cells_[at] = glyph;
  }
  void write(std::size_t at, std::string_view text) {
    while (!text.empty()) {
      std::size_t length = 1;
      while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0U) == 0x80) ++length;
      put(at++, text.substr(0, length));
      text.remove_prefix(length);
    }
  }
  void paint(std::size_t from, std::size_t to, std::string_view colour) {
    cells_[from].insert(0, colour);
    cells_[to] += plain;
  }
  [[nodiscard]] std::string text() const {
    std::string out;
    for (const std::string& cell : cells_) out += cell;
    out.erase(out.find_last_not_of(' ') + 1);
    return out + '\n';
  }

 private:
  std::vector<std::string> cells_;
};

class Ladder {
 public:
  Ladder(const std::vector<call::TraceMessage>& messages, const LadderStyle& style)
      : messages_(messages), style_(style), glyphs_(style.unicode ? unicode_glyphs : ascii_glyphs) {
    name_parties();
    place_columns();
  }

  [[nodiscard]] std::string draw() {
    std::string out = head();
    for (const call::TraceMessage& message : messages_) out += row(message);
    return out;
  }

 private:
  struct Party {
    std::string name;
    std::string title;
    std::string address;
    std::size_t at = 0;
  };

  // Left to right in the order in which they appear, Baton second.
  void name_parties() {
    for (const call::TraceMessage& message : messages_) {
      const std::string name = party_of(message);
      const auto known =
          std::find_if(parties_.begin(), parties_.end(), [&](const Party& p) { return p.name == name; });
      if (known != parties_.end()) continue;
      parties_.push_back(
          {name, name + " (" + std::string(to_string(message.transport)) + ")", message.remote.to_string()});
      if (parties_.size() == 1) parties_.push_back({"", "Baton", ""});
    }
  }

  // Headings stand centred on their columns, so the outer two need room for half of theirs.
  void place_columns() {
    const auto half = [](const Party& party) {
      return std::clamp(std::max(columns_of(party.title), columns_of(party.address)) / 2 + 1, outer_min,
                        outer_max);
    };
    const std::size_t first = time_width + half(parties_.front());
    const std::size_t last = style_.columns - 1 - half(parties_.back());
    gap_ = std::max(gap_min, (last - first) / (parties_.size() - 1));
    for (std::size_t i = 0; i < parties_.size(); ++i) parties_[i].at = first + i * gap_;
    columns_ = parties_.back().at + half(parties_.back()) + 1;
  }

  [[nodiscard]] Line lifelines() const {
    Line line(columns_);
    for (const Party& party : parties_) line.put(party.at, glyphs_.line);
    return line;
  }

  [[nodiscard]] std::string centred(std::string Party::*text, const char* colour) const {
    Line line(columns_);
    for (const Party& party : parties_) {
      const std::string shown = fit(party.*text, gap_ - 1, glyphs_.ellipsis);
      if (shown.empty()) continue;
      const std::size_t from = party.at - std::min(party.at, columns_of(shown) / 2);
      line.write(from, shown);
      if (style_.colour) line.paint(from, from + columns_of(shown) - 1, colour);
    }
    return line.text();
  }

  [[nodiscard]] std::string head() const {
    return centred(&Party::title, bold) + centred(&Party::address, faint) + lifelines().text();
  }

  // Two messages with the same bytes on the same side are one message and its repetition (RFC 3261 17).
  [[nodiscard]] bool seen_before(const call::TraceMessage& message) {
    return !seen_.emplace(message.party, message.sent, message.bytes).second;
  }

  [[nodiscard]] std::string shown(const Label& label, std::size_t room) const {
    const std::size_t mark = label.mark.empty() ? 0 : columns_of(label.mark) + 1;
    if (mark + text_min > room) return fit(label.text, room, glyphs_.ellipsis);
    std::string text = fit(label.text, room - mark, glyphs_.ellipsis);
    const std::string status = label.text.substr(0, 3);
    if (text == status + " " + glyphs_.ellipsis) text = status;  // "200 …" says no more than "200"
    return text + (mark == 0 ? "" : " " + label.mark);
  }

  [[nodiscard]] std::string row(const call::TraceMessage& message) {
    const std::string name = party_of(message);
    const auto party =
        std::find_if(parties_.begin(), parties_.end(), [&](const Party& p) { return p.name == name; });
    const std::size_t baton_at = parties_[1].at;
    const std::size_t from = std::min(party->at, baton_at);
    const std::size_t to = std::max(party->at, baton_at);
    const bool rightwards = message.sent == (party->at > baton_at);
    Label label = label_of(message, glyphs_.arrow);
    const bool repeated = seen_before(message);
    if (repeated || label.sdp) {
      label.mark += std::string(label.mark.empty() ? "" : " ") + (repeated ? "[again]" : "[SDP]");
    }

    Line line = lifelines();
    line.write(0, relative_time(message.at, messages_.front().at));
    for (std::size_t at = from + 1; at < to; ++at) line.put(at, glyphs_.dash);
    for (const Party& other : parties_) {
      if (other.at > from && other.at < to) line.put(other.at, glyphs_.crossing);
    }
    line.write(from + 2, " " + shown(label, to - from - (rightwards ? 5 : 4)) + " ");
    line.put(rightwards ? to - 1 : from + 1, rightwards ? glyphs_.right : glyphs_.left);
    if (style_.colour) line.paint(from + 1, to - 1, repeated ? faint : colour_of(label.kind));
    return line.text();
  }

  const std::vector<call::TraceMessage>& messages_;
  const LadderStyle style_;
  const Glyphs glyphs_;
  std::vector<Party> parties_;
  std::size_t gap_ = 0;
  std::size_t columns_ = 0;
  std::set<std::tuple<std::string, bool, std::string>> seen_;
};

}  // namespace

std::string ladder(const std::vector<call::TraceMessage>& messages, const LadderStyle& style) {
  if (messages.empty()) return {};
  return Ladder(messages, style).draw();
}

std::string messages_as_text(const std::vector<call::TraceMessage>& messages, const LadderStyle& style) {
  const Glyphs& glyphs = style.unicode ? unicode_glyphs : ascii_glyphs;
  std::string out;
  for (const call::TraceMessage& message : messages) {
    const std::string party = party_of(message) + " " + message.remote.to_string();
    const std::string baton = "Baton " + message.local.to_string();
    const std::string head = relative_time(message.at, messages.front().at) + "  " + to_iso8601(message.at) +
                             "  " + std::string(to_string(message.transport)) + "  " +
                             (message.sent ? baton : party) + " " + glyphs.arrow + " " +
                             (message.sent ? party : baton);
    out += style.colour ? bold + head + plain + "\n" : head + "\n";
    out += printable_lines(message.bytes);
    if (!out.ends_with('\n')) out += '\n';
    out += '\n';
  }
  return out;
}

}  // namespace baton::app
