#include "rules/resource_template.h"

#include <algorithm>

#include "fhir/json_text.h"

namespace stepwise::rules {

ResourceTemplate ResourceTemplate::Compile(const YamlNode& node, const TemplateScope& scope) {
  ResourceTemplate out;
  out.key_ = node.key.text;
  switch (node.kind) {
    case YamlKind::kNull: out.literal_ = "null"; return out;
    case YamlKind::kScalar:
      if (node.value.text.find("{{") == std::string::npos) {
        out.literal_ = YamlToJson(node);
      } else {
        out.kind_ = Kind::kText;
        out.text_ = Template::Compile(node.value, TextForm::kPlain, scope);
      }
      return out;
    case YamlKind::kList:
      out.kind_ = Kind::kList;
      for (const YamlNode& child : node.children) out.children_.push_back(Compile(child, scope));
      return out;
    case YamlKind::kMap: break;
  }
  out.kind_ = Kind::kObject;
  for (const YamlNode& child : node.children) {
    const bool value = child.key.text == "$value", optional = child.key.text == "$optional";
    if (!value && !optional) {
      if (child.key.text.starts_with('$')) {
        AddError(scope.errors, child.key.span, "`" + child.key.text + "` is neither $value nor $optional");
      }
      out.children_.push_back(Compile(child, scope));
      continue;
    }
    if (!child.is_scalar()) {
      AddError(scope.errors, child.span, "`" + child.key.text + "` is one FHIRPath expression");
      continue;
    }
    if (optional && node.children.size() > 1)
      AddError(scope.errors, child.key.span, "`$optional` stands alone; use $value to copy and replace");
    out.value_ = scope.compile(child.value.text, child.value, 0);
    out.literal_ = child.value.text;
    out.optional_ = optional;
  }
  if (out.value_ && out.children_.empty()) out.kind_ = Kind::kValue;
  return out;
}

std::vector<const fhirpath::Program*> ResourceTemplate::programs() const {
  std::vector<const fhirpath::Program*> out = text_.programs();
  if (value_) out.push_back(&*value_);
  for (const ResourceTemplate& child : children_)
    std::ranges::copy(child.programs(), std::back_inserter(out));
  return out;
}

Result<std::string> ResourceTemplate::RenderValue(const TemplateData& data) const {
  STEPWISE_ASSIGN_OR_RETURN(const fhirpath::Items items, data.run(*value_));
  if (items.empty()) {
    if (optional_) return std::string();
    return Fail(Code::kFailedPrecondition, "$value `" + literal_ + "` has no value");
  }
  // What was a list in the request stays one, though it has one item: no FHIR element is sometimes a list.
  const bool list = value_->result_type().many && items[0].is_node() && items[0].node().in_array();
  if (items.size() == 1 && !list) return fhirpath::ValueJson(items[0]);
  std::string out = "[";
  for (const fhirpath::Item& item : items) out += (out.size() > 1 ? "," : "") + fhirpath::ValueJson(item);
  return out + "]";
}

Result<std::string> ResourceTemplate::RenderObject(const TemplateData& data) const {
  std::string out = "{";
  const auto add = [&](std::string_view quoted_key, std::string_view value) {
    if (out.size() > 1) out += ',';
    out.append(quoted_key).append(":").append(value);
  };
  if (value_) {
    STEPWISE_ASSIGN_OR_RETURN(const fhirpath::Items items, data.run(*value_));
    const bool object =
        items.size() == 1 && items[0].is_node() && items[0].node().kind() == NodeKind::kObject;
    if (!object)
      return Fail(Code::kFailedPrecondition, "$value `" + literal_ + "` is not one object to copy");
    for (const auto& [key, value] : SplitObject(items[0].node().json())) {
      if (std::ranges::find(children_, key, &ResourceTemplate::key_) == children_.end())
        add("\"" + std::string(key) + "\"", value);
    }
  }
  for (const ResourceTemplate& child : children_) {
    STEPWISE_ASSIGN_OR_RETURN(const std::string value, child.Render(data));
    if (!value.empty()) add(JsonQuote(child.key_), value);
  }
  return out + "}";
}

Result<std::string> ResourceTemplate::Render(const TemplateData& data) const {
  switch (kind_) {
    case Kind::kLiteral: return literal_;
    case Kind::kText: {
      STEPWISE_ASSIGN_OR_RETURN(const std::string text, text_.Render(data));
      return JsonQuote(text);
    }
    case Kind::kValue: return RenderValue(data);
    case Kind::kObject: return RenderObject(data);
    case Kind::kList: break;
  }
  std::string out = "[";
  for (const ResourceTemplate& child : children_) {
    STEPWISE_ASSIGN_OR_RETURN(std::string value, child.Render(data));
    if (value.empty()) continue;
    if (child.kind_ == Kind::kValue && value.front() == '[')
      value = value.substr(1, value.size() - 2);  // splice
    out += (out.size() > 1 ? "," : "") + value;
  }
  return out + "]";
}

std::vector<std::pair<std::string_view, std::string_view>> SplitObject(std::string_view json) {
  std::vector<std::pair<std::string_view, std::string_view>> out;
  int depth = 0;
  bool quoted = false;
  std::size_t begin = 0, key_begin = 0, key_end = 0;
  const auto trimmed = [&](std::size_t from, std::size_t to) {
    std::string_view text = json.substr(from, to - from);
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return std::string_view();
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
  };
  const auto finish = [&](std::size_t end) {
    if (key_end > key_begin)
      out.emplace_back(json.substr(key_begin, key_end - key_begin), trimmed(begin, end));
    key_begin = key_end = 0;
  };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        quoted = false;
        if (depth == 1 && key_begin != 0 && key_end == 0) key_end = i;
      }
      continue;
    }
    switch (c) {
      case '"':
        quoted = true;
        if (depth == 1 && key_begin == 0) key_begin = i + 1;
        break;
      case '{':
      case '[': ++depth; break;
      case '}':
      case ']':
        if (--depth == 0) finish(i);
        break;
      case ':':
        if (depth == 1 && begin <= key_begin) begin = i + 1;
        break;
      case ',':
        if (depth == 1) {
          finish(i);
          begin = i + 1;
        }
        break;
      default: break;
    }
  }
  return out;
}

}  // namespace stepwise::rules
