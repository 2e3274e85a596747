#include "cds_hooks/card_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "fhir/utf8.h"

namespace stepwise::cds_hooks {
namespace {

using Json = nlohmann::json;
using rules::Action, rules::Card, rules::Coding, rules::Link, rules::Suggestion;

constexpr std::size_t kIndent = 10;  // width of "CRITICAL" and two spaces

std::string Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

const Json& Array(const Json& object, const char* key) {
  static const Json kEmpty = Json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : kEmpty;
}

const Json& Object(const Json& object, const char* key) {
  static const Json kEmpty = Json::object();
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : kEmpty;
}

Coding ReadCoding(const Json& json) {
  return {Text(json, "system"), Text(json, "code"), Text(json, "display")};
}

Suggestion ReadSuggestion(const Json& json) {
  Suggestion suggestion{Text(json, "label"), Text(json, "uuid"), false, {}};
  const auto recommended = json.find("isRecommended");
  suggestion.recommended = recommended != json.end() && recommended->is_boolean() && recommended->get<bool>();
  for (const Json& action : Array(json, "actions")) {
    suggestion.actions.push_back(
        {Text(action, "type"), Text(action, "description"), "", Text(action, "resourceId")});
  }
  return suggestion;
}

Card ReadCard(const Json& json) {
  const Json& source = Object(json, "source");
  const Json& extension = Object(Object(json, "extension"), "org.stepwise-cds");
  Card card;
  card.uuid = Text(json, "uuid");
  card.summary = Text(json, "summary");
  card.detail = Text(json, "detail");
  card.indicator = Text(json, "indicator");
  card.source_label = Text(source, "label");
  card.source_url = Text(source, "url");
  card.topic = ReadCoding(Object(source, "topic"));
  for (const Json& suggestion : Array(json, "suggestions"))
    card.suggestions.push_back(ReadSuggestion(suggestion));
  for (const Json& reason : Array(json, "overrideReasons"))
    card.override_reasons.push_back(ReadCoding(reason));
  for (const Json& link : Array(json, "links")) {
    card.links.push_back({Text(link, "label"), Text(link, "url"), Text(link, "type"), ""});
  }
  card.pack = Text(extension, "pack");
  card.version = Text(extension, "version");
  for (const Json& rule : Array(extension, "absorbed")) {
    if (rule.is_string()) card.absorbed.push_back(rule.get<std::string>());
  }
  return card;
}

// A terminal must not be steered by what a server sends.
std::string Printable(std::string_view text) {
  std::string printable(text);
  std::replace_if(
      printable.begin(), printable.end(),
      [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F; }, ' ');
  return printable;
}

// Lays words out between `indent` and `width`; lines of the text stay lines, and what continues a list item
// stands below its first word.
class Layout {
 public:
  Layout(std::string& out, std::size_t width) : out_(out), width_(width) {}

  void Paragraph(std::string_view text, std::size_t indent, bool first_line_open = false) {
    std::size_t begin = 0;
    while (begin <= text.size()) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      Line(text.substr(begin, end - begin), indent, first_line_open && begin == 0);
      begin = end + 1;
    }
  }

 private:
  void Line(std::string_view line, std::size_t indent, bool open) {
    const std::size_t lead = std::min(line.find_first_not_of(' '), line.size());
    indent += lead;
    line.remove_prefix(lead);
    const std::size_t hang = line.starts_with("- ") || line.starts_with("* ") ? 2 : 0;
    if (!open && !line.empty()) out_.append(indent, ' ');
    std::size_t column = indent;
    bool first = true;
    while (!line.empty()) {
      const std::size_t space = std::min(line.find(' '), line.size());
      const std::string_view word = line.substr(0, space);
      line.remove_prefix(std::min(space + 1, line.size()));
      if (word.empty()) continue;
      if (!first && column + 1 + CountCodePoints(word) > width_) {
        out_ += '\n';
        out_.append(indent + hang, ' ');
        column = indent + hang;
      } else if (!first) {
        out_ += ' ';
        ++column;
      }
      out_ += word;
      column += CountCodePoints(word);
      first = false;
    }
    out_ += '\n';
  }

  std::string& out_;
  const std::size_t width_;
};

std::string Label(const Card& card, bool colour) {
  std::string label = Printable(card.indicator);
  for (char& c : label) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  label.resize(std::max(label.size(), kIndent), ' ');
  if (!colour) return label;
  const std::string_view code = card.indicator == "critical"  ? "\x1b[1;31m"
                                : card.indicator == "warning" ? "\x1b[1;33m"
                                                              : "\x1b[1;36m";
  return std::string(code) + label + "\x1b[0m";
}

std::string Why(const Card& card) {
  std::string why = card.topic.code;
  const auto add = [&](std::string_view separator, const std::string& text) {
    if (text.empty()) return;
    if (!why.empty()) why += separator;
    why += text;
  };
  add(" ", card.topic.display);
  add("; ", card.pack.empty() ? card.source_label : card.pack + " " + card.version);
  add("  ", card.source_url);
  return why;
}

void AppendCard(const Card& card, const CardTextOptions& options, std::string& out) {
  Layout layout(out, std::max<std::size_t>(options.width, 40));
  out += Label(card, options.colour);
  layout.Paragraph(Printable(card.summary), kIndent, /*first_line_open=*/true);
  if (!card.detail.empty()) layout.Paragraph(Printable(card.detail), kIndent);
  for (const Suggestion& suggestion : card.suggestions) {
    layout.Paragraph(
        Printable((suggestion.recommended ? "Recommended: " : "Suggestion: ") + suggestion.label), kIndent);
    for (const Action& action : suggestion.actions) {
      const std::string what = action.description.empty() ? action.resource_id : action.description;
      layout.Paragraph(Printable("- " + action.type + ": " + what), kIndent + 2);
    }
  }
  std::string reasons;
  for (const Coding& reason : card.override_reasons) {
    reasons +=
        (reasons.empty() ? "Override: " : " | ") + (reason.display.empty() ? reason.code : reason.display);
  }
  if (!reasons.empty()) layout.Paragraph(Printable(reasons), kIndent);
  for (const Link& link : card.links)
    layout.Paragraph(Printable("Link: " + link.label + "  " + link.url), kIndent);
  if (const std::string why = Why(card); !why.empty()) layout.Paragraph(Printable("Why: " + why), kIndent);
  std::string absorbed;
  for (const std::string& rule : card.absorbed) absorbed += (absorbed.empty() ? "Also: " : ", ") + rule;
  if (!absorbed.empty()) layout.Paragraph(Printable(absorbed), kIndent);
}

}  // namespace

Result<std::vector<Card>> ReadCards(std::string_view json) {
  const Json response = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (response.is_discarded()) return Fail(Code::kSyntax, "the text is not JSON");
  if (response.is_object() && Text(response, "resourceType") == "OperationOutcome") {
    std::string diagnostics;
    for (const Json& issue : Array(response, "issue")) {
      diagnostics += (diagnostics.empty() ? "" : "; ") + Text(issue, "diagnostics");
    }
    return Fail(Code::kInvalidArgument, "the service refused the request: " + diagnostics);
  }
  if (!response.is_object() || !response.contains("cards") || !response["cards"].is_array()) {
    return Fail(Code::kInvalidArgument, "expected a CDS Hooks response, {\"cards\": [...]}", {}, "cards");
  }
  std::vector<Card> cards;
  for (const Json& card : response["cards"]) {
    if (!card.is_object()) {
      return Fail(Code::kInvalidArgument, "expected an object", {},
                  "cards[" + std::to_string(cards.size()) + "]");
    }
    cards.push_back(ReadCard(card));
  }
  return cards;
}

std::string CardText(const std::vector<Card>& cards, const CardTextOptions& options) {
  if (cards.empty()) return "No cards.\n";
  std::string out;
  for (const Card& card : cards) {
    if (!out.empty()) out += '\n';
    AppendCard(card, options, out);
  }
  return out;
}

std::string CompareCards(const std::vector<Card>& cards, const std::vector<std::string>& expected) {
  std::set<std::string> wanted(expected.begin(), expected.end()), found;
  std::string out;
  for (const Card& card : cards) {
    if (card.topic.code.empty())
      out += "a card without source.topic.code: " + Printable(card.summary) + "\n";
    else
      found.insert(card.topic.code);
  }
  for (const std::string& id : wanted) {
    if (!found.contains(id)) out += "missing " + id + "\n";
  }
  for (const std::string& id : found) {
    if (!wanted.contains(id)) out += "unexpected " + Printable(id) + "\n";
  }
  return out;
}

}  // namespace stepwise::cds_hooks
