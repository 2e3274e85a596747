#include "rules/schema_reader.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "fhir/nearest.h"

namespace stepwise::rules {
namespace {

std::string_view KindName(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::kNull: return "nothing";
    case YamlKind::kScalar: return "text";
    case YamlKind::kList: return "a list";
    case YamlKind::kMap: return "a map";
  }
  return "";
}

std::string Quote(std::string_view text) { return "`" + std::string(text.substr(0, 60)) + "`"; }

}  // namespace

void AddError(Errors* errors, const SourceSpan& span, std::string message, Code code) {
  errors->push_back(Error{code, std::move(message), span});
}

std::string Suggest(std::string_view word, std::span<const std::string> candidates) {
  const std::string_view nearest = Nearest(word, candidates);
  if (!nearest.empty()) return "; did you mean `" + std::string(nearest) + "`?";
  if (candidates.empty()) return "";
  std::string out = "; known: ";
  for (std::size_t i = 0; i < candidates.size() && i < 10; ++i) out += (i == 0 ? "" : ", ") + candidates[i];
  return candidates.size() > 10 ? out + ", ..." : out;
}

Fields::Fields(const YamlNode& node, std::string what, Errors* errors)
    : node_(node), what_(std::move(what)), errors_(errors) {
  if (!node.is_map())
    Fail(node.span, what_ + " is a map of `key: value` entries, here is " + std::string(KindName(node)));
}

Fields::~Fields() {
  if (!node_.is_map()) return;
  for (const YamlNode& child : node_.children) {
    if (std::ranges::find(asked_, child.key.text) == asked_.end()) {
      Fail(child.key.span,
           "unknown key `" + child.key.text + "` in " + what_ + Suggest(child.key.text, asked_));
    }
  }
}

const YamlNode* Fields::Node(std::string_view key, Need need) {
  asked_.emplace_back(key);
  const YamlNode* node = node_.Find(key);
  if (node != nullptr && node->is_null()) {
    if (need == Need::kRequired) Fail(node->key.span, "`" + std::string(key) + "` has no value");
    return nullptr;
  }
  if (node == nullptr && need == Need::kRequired && node_.is_map()) {
    Fail(node_.span, what_ + " needs the key `" + std::string(key) + "`");
  }
  return node;
}

const YamlNode* Fields::List(std::string_view key, Need need) {
  const YamlNode* node = Node(key, need);
  if (node == nullptr || node->is_list()) return node;
  Fail(node->span, "`" + std::string(key) + "` is a list, here is " + std::string(KindName(*node)));
  return nullptr;
}

const YamlNode* Fields::Map(std::string_view key, Need need) {
  const YamlNode* node = Node(key, need);
  if (node == nullptr || node->is_map()) return node;
  Fail(node->span, "`" + std::string(key) + "` is a map of `key: value` entries, here is " +
                       std::string(KindName(*node)));
  return nullptr;
}

SourceText Fields::Source(std::string_view key, Need need) {
  const YamlNode* node = Node(key, need);
  if (node == nullptr) return {};
  if (!node->is_scalar()) {
    Fail(node->span, "`" + std::string(key) + "` is text, here is " + std::string(KindName(*node)));
    return {};
  }
  return node->value;
}

bool Fields::Boolean(std::string_view key, bool fallback) {
  const YamlNode* node = Node(key);
  if (node == nullptr) return fallback;
  if (node->is_scalar() && !node->quoted && (node->value.text == "true" || node->value.text == "false")) {
    return node->value.text == "true";
  }
  Fail(node->span, "`" + std::string(key) + "` is true or false, not " +
                       (node->is_scalar() ? Quote(node->value.text) : std::string(KindName(*node))));
  return fallback;
}

std::int64_t Fields::Integer(std::string_view key, std::int64_t fallback) {
  const SourceText text = Source(key);
  if (text.span.line == 0) return fallback;
  std::int64_t value = 0;
  const char* end = text.text.data() + text.text.size();
  const auto [at, code] = std::from_chars(text.text.data(), end, value);
  if (code == std::errc() && at == end) return value;
  Fail(text.span, "`" + std::string(key) + "` is a whole number, not " + Quote(text.text));
  return fallback;
}

std::string Fields::Date(std::string_view key) {
  SourceText text = Source(key);
  if (text.span.line == 0 || IsIsoDate(text.text)) return text.text;
  Fail(text.span, "`" + std::string(key) + "` is a day like 2026-12-01, not " + Quote(text.text));
  return "";
}

std::string Fields::OneOf(std::string_view key, std::span<const std::string_view> allowed,
                          std::string_view fallback) {
  const SourceText text = Source(key);
  if (text.span.line == 0) return std::string(fallback);
  if (std::ranges::find(allowed, text.text) != allowed.end()) return text.text;
  const std::vector<std::string> candidates(allowed.begin(), allowed.end());
  Fail(text.span, Quote(text.text) + " is not a `" + std::string(key) + "`" + Suggest(text.text, candidates));
  return std::string(fallback);
}

std::vector<SourceText> Fields::Texts(std::string_view key) {
  const YamlNode* node = Node(key);
  if (node == nullptr) return {};
  if (node->is_scalar()) return {node->value};
  std::vector<SourceText> out;
  if (node->is_map()) Fail(node->span, "`" + std::string(key) + "` is a list of texts, here is a map");
  if (!node->is_list()) return out;
  for (const YamlNode& child : node->children) {
    if (child.is_scalar()) {
      out.push_back(child.value);
    } else {
      Fail(child.span,
           "an item of `" + std::string(key) + "` is text, here is " + std::string(KindName(child)));
    }
  }
  return out;
}

bool IsIsoDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  int parts[3] = {};
  constexpr std::size_t kBegin[] = {0, 5, 8}, kLength[] = {4, 2, 2};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string_view part = text.substr(kBegin[i], kLength[i]);
    const auto [at, code] = std::from_chars(part.data(), part.data() + part.size(), parts[i]);
    if (code != std::errc() || at != part.data() + part.size() || part[0] == '-') return false;
  }
  return std::chrono::year_month_day(std::chrono::year(parts[0]),
                                     std::chrono::month(static_cast<unsigned>(parts[1])),
                                     std::chrono::day(static_cast<unsigned>(parts[2])))
      .ok();
}

}  // namespace stepwise::rules
