#include "rules/template.h"

#include <algorithm>

#include "fhir/utf8.h"

namespace stepwise::rules {
namespace {

using fhirpath::Item;
using fhirpath::ItemKind;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

// Can DisplayText() show a value of the type?
bool HasText(TypeId type, FhirVersion version) {
  if (IsSystemType(type) || IsPrimitiveType(type)) return true;
  const Model& model = Model::Get(version);
  if (model.IsAbstract(type)) return true;  // whatever it turns out to be
  const auto has = [&](NameId name, auto right) {
    const Element* element = model.Find(type, name);
    return element != nullptr && right(element->type);
  };
  const auto primitive = [](TypeId t) { return IsPrimitiveType(t); };
  return has(FindName("text"), primitive) || has(FindName("display"), primitive) ||
         has(names::kCode, primitive) || has(names::kValue, primitive) ||
         has(names::kCoding, [](TypeId t) { return t == types::kCoding; });
}

bool IsNumber(TypeId type) {
  constexpr TypeId kNumbers[] = {types::kSystemInteger, types::kSystemDecimal, types::kInteger,
                                 types::kDecimal,       types::kPositiveInt,   types::kUnsignedInt};
  return std::ranges::find(kNumbers, type) != std::end(kNumbers);
}

// Index of the `}}` that closes a hole, quotes respected.
std::size_t FindClose(std::string_view text, std::size_t at) {
  bool quoted = false;
  for (; at + 1 < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '\'') {
      quoted = !quoted;
    } else if (!quoted && text[at] == '}' && text[at + 1] == '}') {
      if (at + 2 < text.size() && text[at + 2] == '}') continue;  // the last two of }}} close
      return at;
    }
  }
  return std::string_view::npos;
}

}  // namespace

class TemplateCompiler {
 public:
  TemplateCompiler(const SourceText& source, TextForm form, const TemplateScope& scope)
      : source_(source), scope_(scope) {
    out_.form_ = form;
  }

  Template Compile() {
    const std::string_view text = source_.text;
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t open = text.find("{{", at);
      const std::size_t stop = open == std::string_view::npos ? text.size() : open;
      if (const std::size_t stray = text.substr(at, stop - at).find("}}"); stray != std::string_view::npos) {
        Fail(at + stray, 2, "`}}` without a `{{` before it");
      }
      Literal(text.substr(at, stop - at));
      if (open == std::string_view::npos) break;
      const std::size_t close = FindClose(text, open + 2);
      if (close == std::string_view::npos) {
        Fail(open, 2, "`{{` is never closed; close it with `}}`");
        return std::move(out_);
      }
      Hole(text.substr(open + 2, close - open - 2), open + 2);
      at = close + 2;
    }
    if (section_ >= 0) {
      Fail(section_open_, 2,
           "the section {{#unknown." + SectionLine().id + "}} is never closed; close it with {{/unknown." +
               SectionLine().id + "}}");
    }
    return std::move(out_);
  }

 private:
  const RuleLine& SectionLine() const { return scope_.rule.lines[static_cast<std::size_t>(section_)]; }

  void Fail(std::size_t offset, std::size_t length, std::string message) {
    AddError(scope_.errors, source_.At(offset, length), std::move(message));
  }
  void Literal(std::string_view text) {
    if (!text.empty())
      out_.parts_.push_back({Template::PartKind::kLiteral, std::string(text), std::nullopt, section_});
  }

  void Hole(std::string_view inner, std::size_t offset) {
    const std::string_view name = Trim(inner);
    const std::size_t begin = offset + static_cast<std::size_t>(name.data() - inner.data());
    if (name.empty())
      return Fail(offset - 2, 4, "an empty hole; write a FHIRPath expression between `{{` and `}}`");
    if (name.starts_with("#") || name.starts_with("/")) return Section(name, begin);
    if (name.starts_with("pack.") || name.starts_with("rule.") || name.starts_with("evidence."))
      return Constant(name, begin);
    if (name == "explain.when") {
      out_.parts_.push_back({Template::PartKind::kWhen, std::string(name), std::nullopt, section_});
      return;
    }
    constexpr std::string_view kPercent = "percent(";
    if (name.starts_with(kPercent) && name.ends_with(")")) {
      const std::string_view argument = name.substr(kPercent.size(), name.size() - kPercent.size() - 1);
      return Expression(Template::PartKind::kPercent, argument, begin + kPercent.size());
    }
    Expression(Template::PartKind::kExpression, name, begin);
  }

  void Expression(Template::PartKind kind, std::string_view text, std::size_t offset) {
    auto program = scope_.compile(text, source_, offset);
    if (program) CheckType(kind, *program, text, offset);
    if (program) out_.parts_.push_back({kind, std::string(text), std::move(program), section_});
  }

  // A hole whose value has no text form would make every card of the rule fail.
  void CheckType(Template::PartKind kind, const fhirpath::Program& program, std::string_view text,
                 std::size_t offset) {
    const TypeId type = program.result_type().type;
    if (type == types::kNone) return;
    const std::string name(TypeName(type));
    if (!HasText(type, program.version())) {
      Fail(offset, text.size(),
           "`" + std::string(text) + "` is a " + name +
               ", which has no text of its own; name an element of it that has, such as a code or a text");
    } else if (kind == Template::PartKind::kPercent && !IsNumber(type)) {
      Fail(offset, text.size(),
           "percent() of `" + std::string(text) + "`, which is a " + name + " and no number");
    }
  }

  void Section(std::string_view name, std::size_t offset) {
    constexpr std::string_view kUnknown = "unknown.";
    const std::string_view rest = name.substr(1);
    if (!rest.starts_with(kUnknown)) {
      return Fail(
          offset, name.size(),
          "`" + std::string(name) + "` is no section; write {{#unknown.<line>}}...{{/unknown.<line>}}");
    }
    const std::string_view id = rest.substr(kUnknown.size());
    const auto line = std::ranges::find(scope_.rule.lines, id, &RuleLine::id);
    if (line == scope_.rule.lines.end()) {
      if (!scope_.rule.lines_known) return;
      std::vector<std::string> ids;
      for (const RuleLine& known : scope_.rule.lines) ids.push_back(known.id);
      return Fail(offset, name.size(), "no line `" + std::string(id) + "` in this rule" + Suggest(id, ids));
    }
    const int index = static_cast<int>(line - scope_.rule.lines.begin());
    if (name[0] == '#') {
      if (section_ >= 0)
        return Fail(offset, name.size(), "a section inside a section; close the first one before");
      section_ = index;
      section_open_ = offset - 2;
    } else {
      if (section_ != index)
        return Fail(offset, name.size(), "`" + std::string(name) + "` closes a section that is not open");
      section_ = -1;
    }
  }

  // Known when the pack is loaded, so it becomes literal text.
  void Constant(std::string_view name, std::size_t offset) {
    const Pack& pack = scope_.pack;
    const std::pair<std::string_view, std::string> values[] = {
        {"pack.id", pack.id},        {"pack.version", pack.version.ToString()},
        {"pack.title", pack.title},  {"pack.digest", pack.digest},
        {"rule.id", scope_.rule.id}, {"rule.title", scope_.rule.title},
    };
    for (const auto& [key, value] : values) {
      if (key == name) return Literal(Escape(value, out_.form_));
    }
    constexpr std::string_view kEvidence = "evidence.";
    std::vector<std::string> known;
    for (const auto& [key, value] : values) known.emplace_back(key);
    for (const Evidence& evidence : pack.evidence) {
      if (name.starts_with(kEvidence) && name.substr(kEvidence.size()) == evidence.id) {
        const std::string label = Escape(evidence.label, out_.form_);
        const bool link = out_.form_ == TextForm::kMarkdown && !evidence.url.empty();
        return Literal(link ? "[" + label + "](" + evidence.url + ")" : label);
      }
      known.push_back(std::string(kEvidence) + evidence.id);
    }
    Fail(offset, name.size(), "nothing is called `" + std::string(name) + "`" + Suggest(name, known));
  }

  const SourceText& source_;
  const TemplateScope& scope_;
  Template out_;
  int section_ = -1;
  std::size_t section_open_ = 0;
};

Template Template::Compile(const SourceText& text, TextForm form, const TemplateScope& scope) {
  return TemplateCompiler(text, form, scope).Compile();
}

std::vector<const fhirpath::Program*> Template::programs() const {
  std::vector<const fhirpath::Program*> out;
  for (const Part& part : parts_) {
    if (part.program) out.push_back(&*part.program);
  }
  return out;
}

std::size_t Template::fixed_length() const {
  std::size_t out = 0;
  for (const Part& part : parts_) {
    if (part.kind == PartKind::kLiteral && part.only_unknown < 0) out += CountCodePoints(part.text);
  }
  return out;
}

Result<std::string> Template::Render(const TemplateData& data) const {
  std::string out;
  for (const Part& part : parts_) {
    if (part.only_unknown >= 0 && !data.unknown[static_cast<std::size_t>(part.only_unknown)]) continue;
    if (part.kind == PartKind::kLiteral) {
      out += part.text;
      continue;
    }
    if (part.kind == PartKind::kWhen) {
      out += data.when;
      continue;
    }
    STEPWISE_ASSIGN_OR_RETURN(const fhirpath::Items items, data.run(*part.program));
    std::string value;
    for (const Item& item : items) {
      std::string text = DisplayText(item);
      if (part.kind == PartKind::kPercent) {
        const auto number = Decimal::Parse(text);
        const auto percent = number ? Multiply(*number, Decimal(100)) : std::nullopt;
        if (!percent)
          return Fail(Code::kSemantic, "percent(" + part.text + ") is `" + text + "`, which is no number");
        text = percent->Normalized().ToString() + "%";
      }
      value += (value.empty() ? "" : ", ") + text;
    }
    if (value.empty()) return Fail(Code::kFailedPrecondition, "{{" + part.text + "}} has no value");
    out += Escape(value, form_);
  }
  return out;
}

std::string DisplayText(const Item& item) {
  switch (item.kind()) {
    case ItemKind::kQuantity: {
      const std::string_view unit = item.unit().text;
      const bool plural = item.unit().calendar && !unit.ends_with('s') && item.decimal() != Decimal(1);
      return item.decimal().ToString() +
             (unit.empty() || unit == "1" ? "" : " " + std::string(unit) + (plural ? "s" : ""));
    }
    case ItemKind::kNode: {
      const Node node = item.node();
      if (node.kind() != NodeKind::kObject) return std::string(node.text());
      // What FHIR gives people to read of a CodeableConcept, Coding, Reference or Quantity.
      for (const std::string_view name : {"text", "display"}) {
        const Node child = node.Child(name);
        if (child && child.kind() == NodeKind::kString) return std::string(child.string());
      }
      if (const Node coding = node.Child(names::kCoding)) return DisplayText(Item::Of(coding, types::kNone));
      if (const Node value = node.Child(names::kValue); value && value.kind() == NodeKind::kNumber) {
        const Node unit = node.Child(names::kUnit) ? node.Child(names::kUnit) : node.Child(names::kCode);
        return std::string(value.text()) + (unit ? " " + std::string(unit.text()) : "");
      }
      const Node code = node.Child(names::kCode);
      return code && code.kind() == NodeKind::kString ? std::string(code.string()) : "";
    }
    case ItemKind::kBoolean:
    case ItemKind::kString:
    case ItemKind::kInteger:
    case ItemKind::kLong:
    case ItemKind::kDecimal:
    case ItemKind::kTemporal:
    case ItemKind::kTypeInfo: return fhirpath::ValueText(item);
  }
  return "";
}

std::string Escape(std::string_view text, TextForm form) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (form == TextForm::kUrl) {
      constexpr std::string_view kSafe = "-._~";
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      constexpr char kHex[] = "0123456789ABCDEF";
      if (letter || kSafe.find(c) != std::string_view::npos) {
        out += c;
      } else {
        out += {'%', kHex[byte >> 4], kHex[byte & 15]};
      }
      continue;
    }
    if (byte < 0x20 || byte == 0x7F) {
      out += ' ';
      continue;
    }
    if (form == TextForm::kMarkdown) {
      if (c == '<') {
        out += "&lt;";
        continue;
      }
      if (c == '>') {
        out += "&gt;";
        continue;
      }
      if (c == '&') {
        out += "&amp;";
        continue;
      }
      constexpr std::string_view kMarkup = "\\`*_{}[]#|!~";
      if (kMarkup.find(c) != std::string_view::npos) out += '\\';
      // GitHub-flavoured Markdown makes links of bare addresses.
      if (c == ':' && (out.ends_with("http") || out.ends_with("https"))) out += '\\';
    }
    out += c;
  }
  return out;
}

std::string CutAtWord(std::string_view text, std::size_t limit) {
  std::size_t count = 0, cut = 0, word = 0;
  for (std::size_t i = 0; i < text.size(); i += CodePointSize(text, i)) {
    if (count == limit - 1) cut = i;  // room for the ellipsis
    if (count < limit && text[i] == ' ') word = i;
    ++count;
  }
  if (count <= limit) return std::string(text);
  if (word > cut / 2) cut = word;
  while (cut > 0 && (text[cut - 1] == ' ' || text[cut - 1] == ',' || text[cut - 1] == ':')) --cut;
  return std::string(text.substr(0, cut)) + "…";
}

}  // namespace stepwise::rules
