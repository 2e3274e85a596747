#include "rules/schema_reader.h"

#include <algorithm>
#include <cassert>
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

std::string Alternatives(std::span<const std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + std::string(words[i]);
  }
  return out;
}

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  std::int64_t value = 0;
  const auto [at, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && at == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// One scalar of `key`; `node` is the value itself, an item of its list or an entry of its map.
bool CheckText(const YamlNode& node, const KeySchema& key, std::string_view what, Errors* errors) {
  const std::string name = std::string(what) + "`" + std::string(key.name) + "`";
  if (!node.is_scalar()) {
    AddError(errors, node.span, name + " is text, here is " + std::string(KindName(node)));
    return false;
  }
  if (key.allowed.empty() || std::ranges::find(key.allowed, node.value.text) != key.allowed.end())
    return true;
  const std::vector<std::string> candidates(key.allowed.begin(), key.allowed.end());
  AddError(errors, node.span,
           Quote(node.value.text) + " is no value of `" + std::string(key.name) + "`" +
               Suggest(node.value.text, candidates));
  return false;
}

// Items that are wrong are reported, and the value may still be read: readers skip what they cannot use.
void CheckItems(const YamlNode& node, const KeySchema& key, Errors* errors) {
  for (const YamlNode& child : node.children) {
    if (key.kind == ValueKind::kTexts || key.item == ValueKind::kText) {
      CheckText(child, key, key.kind == ValueKind::kMap ? "an entry of " : "an item of ", errors);
    }
  }
}

bool CheckValue(const YamlNode& node, const KeySchema& key, Errors* errors) {
  const auto is = [&](bool right, std::string_view type) {
    if (!right) {
      AddError(errors, node.span,
               "`" + std::string(key.name) + "` is " + std::string(type) +
                   (node.is_scalar() ? ", not " + Quote(node.value.text)
                                     : ", here is " + std::string(KindName(node))));
    }
    return right;
  };
  const std::string& text = node.value.text;
  switch (key.kind) {
    case ValueKind::kAny: return true;
    case ValueKind::kText: return CheckText(node, key, "", errors);
    case ValueKind::kBoolean:
      return is(node.is_scalar() && !node.quoted && (text == "true" || text == "false"), "true or false");
    case ValueKind::kInteger: return is(node.is_scalar() && ParseInteger(text).has_value(), "a whole number");
    case ValueKind::kDate: return is(node.is_scalar() && IsIsoDate(text), "a day like 2026-12-01");
    case ValueKind::kTexts:
      if (node.is_scalar()) return CheckText(node, key, "", errors);
      if (!is(node.is_list(), "a list of texts")) return false;
      CheckItems(node, key, errors);
      return true;
    case ValueKind::kList:
      if (!is(node.is_list(), "a list")) return false;
      CheckItems(node, key, errors);
      return true;
    case ValueKind::kMap:
      if (!is(node.is_map(), "a map of `key: value` entries")) return false;
      CheckItems(node, key, errors);
      return true;
    case ValueKind::kObject: return is(node.is_map(), "a map of `key: value` entries");
  }
  return false;
}

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

Fields::Fields(const YamlNode& node, const ObjectSchema& schema, Errors* errors)
    : node_(node), schema_(schema), errors_(errors) {
  if (!node.is_map()) {
    Fail(node.span, std::string(schema.what) + " is a map of `key: value` entries, here is " +
                        std::string(KindName(node)));
    return;
  }
  for (const YamlNode& child : node.children) {
    const KeySchema* row = schema.Find(child.key.text);
    if (row == nullptr && schema.others.empty()) {
      std::vector<std::string> known;
      for (const KeySchema& key : schema.keys) known.emplace_back(key.name);
      const std::string_view meant = Nearest(child.key.text, known);
      if (const KeySchema* key = schema.Find(meant)) misspelt_.push_back(key->name);
      Fail(child.key.span, "unknown key `" + child.key.text + "` in " + std::string(schema.what) +
                               Suggest(child.key.text, known));
    } else if (row != nullptr && child.is_null()) {
      if (row->required) Fail(child.key.span, "`" + child.key.text + "` has no value");
    } else if (row != nullptr && !CheckValue(child, *row, errors)) {
      wrong_.push_back(&child);
    }
  }
  for (const KeySchema& key : schema.keys) {
    if (key.required && node.Find(key.name) == nullptr && !Lost(key.name)) {
      Fail(node.span, std::string(schema.what) + " needs the key `" + std::string(key.name) + "`" +
                          (key.allowed.empty() ? "" : ": " + Alternatives(key.allowed)));
    }
  }
}

const YamlNode* Fields::Node(std::string_view key) const {
  assert(schema_.Find(key) != nullptr && "a key without a row in rules/pack_schema.cc");
  const YamlNode* node = node_.Find(key);
  if (node == nullptr || node->is_null()) return nullptr;
  return std::ranges::find(wrong_, node) == wrong_.end() ? node : nullptr;
}

bool Fields::Lost(std::string_view key) const {
  const YamlNode* node = node_.Find(key);
  if (node == nullptr) return std::ranges::find(misspelt_, key) != misspelt_.end();
  return std::ranges::find(wrong_, node) != wrong_.end();
}

const YamlNode* Fields::Find(std::string_view key, [[maybe_unused]] ValueKind kind) const {
  assert((schema_.Find(key) == nullptr || schema_.Find(key)->kind == kind) && "read as another type");
  return Node(key);
}

const YamlNode* Fields::Map(std::string_view key) const {
  const KeySchema* row = schema_.Find(key);
  return Find(key, row != nullptr && row->kind == ValueKind::kObject ? ValueKind::kObject : ValueKind::kMap);
}

SourceText Fields::Source(std::string_view key) const {
  const YamlNode* node = Find(key, ValueKind::kText);
  return node == nullptr ? SourceText{} : node->value;
}

std::string Fields::Text(std::string_view key) const {
  const YamlNode* node = Find(key, ValueKind::kText);
  return node == nullptr ? std::string(schema_.Find(key)->fallback) : node->value.text;
}

std::optional<std::size_t> Fields::Choice(std::string_view key) const {
  const std::string text = Text(key);
  const auto allowed = schema_.Find(key)->allowed;
  const auto found = std::ranges::find(allowed, text);
  if (found == allowed.end()) return std::nullopt;
  return static_cast<std::size_t>(found - allowed.begin());
}

bool Fields::Boolean(std::string_view key) const {
  const YamlNode* node = Find(key, ValueKind::kBoolean);
  return (node == nullptr ? schema_.Find(key)->fallback : node->value.text) == "true";
}

std::optional<std::int64_t> Fields::Integer(std::string_view key) const {
  const YamlNode* node = Find(key, ValueKind::kInteger);
  return ParseInteger(node == nullptr ? schema_.Find(key)->fallback : node->value.text);
}

std::string Fields::Date(std::string_view key) const {
  const YamlNode* node = Find(key, ValueKind::kDate);
  return node == nullptr ? "" : node->value.text;
}

std::vector<SourceText> Fields::Texts(std::string_view key) const {
  const YamlNode* node = Find(key, ValueKind::kTexts);
  if (node == nullptr) return {};
  if (node->is_scalar()) return {node->value};
  std::vector<SourceText> out;
  const std::span<const std::string_view> allowed = schema_.Find(key)->allowed;
  for (const YamlNode& child : node->children) {
    const bool right =
        child.is_scalar() && (allowed.empty() || std::ranges::count(allowed, child.value.text) > 0);
    if (right) out.push_back(child.value);
  }
  return out;
}

void CheckShape(const YamlNode& node, const ObjectSchema& schema, Errors* errors) {
  const Fields fields(node, schema, errors);
  for (const KeySchema& key : schema.keys) {
    const YamlNode* child = key.object == nullptr ? nullptr : fields.Node(key.name);
    if (child == nullptr) continue;
    if (key.kind == ValueKind::kObject) {
      CheckShape(*child, *key.object, errors);
      continue;
    }
    for (const YamlNode& item : child->children) {
      if (!key.or_text || !item.is_scalar()) CheckShape(item, *key.object, errors);
    }
  }
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
