#include "rules/pack_items.h"

#include <algorithm>

#include "fhir/decimal.h"
#include "rules/package_resources.h"

namespace stepwise::rules {
namespace {

constexpr std::string_view kBumpNames[] = {"none", "patch", "minor", "major"};
constexpr std::string_view kModeNames[] = {"on", "shadow", "off"};
constexpr std::string_view kTypeNames[] = {"integer", "decimal", "string", "boolean"};
constexpr std::string_view kUnknownNames[] = {"", "silent", "fire"};

struct Row {
  Bump added, changed, removed;
};
// As ItemKind; kMode, kLow and kHigh say `changed` themselves.
constexpr Row kRows[] = {
    {Bump::kPatch, Bump::kPatch, Bump::kPatch},  // kText
    {Bump::kMinor, Bump::kMinor, Bump::kMinor},  // kWho
    {Bump::kMinor, Bump::kMinor, Bump::kMajor},  // kWhole
    {Bump::kMajor, Bump::kMajor, Bump::kMajor},  // kAdvice
    {Bump::kMajor, Bump::kMajor, Bump::kMajor},  // kInput
    {Bump::kMinor, Bump::kMajor, Bump::kMajor},  // kMode
    {Bump::kMajor, Bump::kMajor, Bump::kMinor},  // kLow
    {Bump::kMajor, Bump::kMajor, Bump::kMinor},  // kHigh
};

// Name of a part of `whole`.
std::string Below(const std::string& whole, std::string_view kind, const std::string& part) {
  return std::string(whole).append(kind).append(part);
}

class Lister {
 public:
  Lister(const KnowledgeBase& base, const Pack& pack) : base_(base), pack_(pack) {}

  PackItems List() {
    Head();
    for (const PackParameter& parameter : pack_.parameters) Parameter(parameter);
    for (const PrefetchQuery& query : pack_.prefetch)
      Put(ItemKind::kInput, "prefetch " + query.key, query.query + (query.required ? "" : " (optional)"));
    for (const NamedExpression& fact : pack_.facts)
      Put(ItemKind::kWhole, "fact " + fact.name.text, fact.expression.text);
    for (const PackTable& table : pack_.tables) Rows(table);
    for (const PackValueSet& set : pack_.value_sets) Codes(set);
    for (const Rule& rule : pack_.rules) OneRule(rule);
    return std::move(items_);
  }

 private:
  // An empty value is an item that is not there.
  void Put(ItemKind kind, std::string name, std::string value) {
    if (!value.empty()) items_.insert_or_assign(std::move(name), PackItem{kind, std::move(value)});
  }

  void People(const std::string& role, const std::vector<Contributor>& people) {
    for (const Contributor& one : people)
      Put(ItemKind::kText, role + " " + one.name, one.name + " " + one.contact + " " + one.on);
  }

  void Head() {
    const std::pair<const char*, const std::string*> texts[] = {
        {"title", &pack_.title},         {"description", &pack_.description},
        {"publisher", &pack_.publisher}, {"copyright", &pack_.copyright},
        {"approved", &pack_.approved},   {"next review", &pack_.next_review}};
    for (const auto& [name, text] : texts) Put(ItemKind::kText, name, *text);
    Put(ItemKind::kText, "experimental", pack_.experimental ? "true" : "false");
    Put(ItemKind::kWho, "status", pack_.status);
    Put(ItemKind::kWho, "precedence", std::to_string(pack_.precedence));
    Put(ItemKind::kWho, "effective", pack_.effective_from + " to " + pack_.effective_to);
    Put(ItemKind::kInput, "canonical", pack_.canonical);  // the system of topic codes
    for (const std::string& version : pack_.fhir_versions) Put(ItemKind::kInput, "FHIR " + version, version);
    People("author", pack_.authors);
    People("editor", pack_.editors);
    People("reviewer", pack_.reviewers);
    People("endorser", pack_.endorsers);
    for (const Evidence& one : pack_.evidence) {
      Put(ItemKind::kText, "evidence " + one.id, one.type + " " + one.label + " " + one.url + " " + one.says);
    }
    for (const PackRequirement& one : pack_.requires_packs)
      Put(ItemKind::kWho, "requires " + one.id, one.text.text);
  }

  void Parameter(const PackParameter& one) {
    const std::string name = "parameter " + one.name;
    Put(ItemKind::kWhole, name, one.value);
    Put(ItemKind::kInput, name + ": type",
        std::string(kTypeNames[static_cast<std::size_t>(one.type)]) +
            (one.unit.empty() ? "" : " " + one.unit));
    Put(ItemKind::kInput, name + ": override", one.overridable ? "allowed" : "none");
    Put(ItemKind::kLow, name + ": min", one.min);
    Put(ItemKind::kHigh, name + ": max", one.max);
    Put(ItemKind::kText, name + ": doc", one.doc);
  }

  void Rows(const PackTable& table) {
    const std::string name = "table " + table.name;
    std::string columns;
    for (const std::string& column : table.table.columns()) columns += (columns.empty() ? "" : ",") + column;
    Put(ItemKind::kWhole, name, columns);
    std::string comments;
    for (const std::string& comment : table.table.comments()) comments += comment + "\n";
    Put(ItemKind::kText, name + ": source", comments);
    for (std::size_t row = 0; row < table.table.rows(); ++row) {
      std::string cells;
      for (std::size_t column = 0; column < table.table.columns().size(); ++column)
        cells += (column == 0 ? "" : ",") + table.table.Cell(row, column);
      const std::string key = table.table.has_key() ? table.table.Cell(row, table.table.key_column()) : cells;
      Put(ItemKind::kWho, Below(name, ", row ", key), cells);
    }
  }

  void Codes(const PackValueSet& set) {
    const std::string name = "value set " + set.name;
    Put(ItemKind::kWhole, name, set.name);
    Put(ItemKind::kInput, name + ": url", set.source.url);
    Put(ItemKind::kText, name + ": version", set.source.version);
    Put(ItemKind::kText, name + ": title", set.source.title);
    Put(ItemKind::kText, name + ": copyright", set.source.copyright);
    for (const std::string& system : set.source.covers)
      Put(ItemKind::kWho, Below(name, ", covers ", system), system);
    for (const ListedCode& code : FrozenCodes(base_, pack_, set)) {
      const std::string place = name + ", code " + code.system + "|" + code.code;
      Put(ItemKind::kWho, place, code.descendants ? "with descendants" : "listed");
      Put(ItemKind::kText, place + ": display", code.display);
    }
  }

  void OneRule(const Rule& rule) {
    const std::string name = "rule " + rule.id;
    Put(ItemKind::kWhole, name, rule.id);
    Put(ItemKind::kText, name + ": name", rule.name);
    Put(ItemKind::kText, name + ": title", rule.title);
    Put(ItemKind::kText, name + ": why", rule.why);
    for (const SourceText& evidence : rule.evidence)
      Put(ItemKind::kText, Below(name, ", evidence ", evidence.text), evidence.text);
    for (const std::string& hook : rule.hooks) Put(ItemKind::kWho, Below(name, ", hook ", hook), hook);
    Put(ItemKind::kMode, name + ": mode", std::string(kModeNames[static_cast<std::size_t>(rule.mode)]));
    Put(ItemKind::kWho, name + ": cause", rule.cause);
    Put(ItemKind::kWho, name + ": priority", std::to_string(rule.priority));
    if (rule.suppress) {
      std::string quiet = std::to_string(rule.suppress->minutes) + " min per patient";
      for (const SourceText& per : rule.suppress->per) quiet += ", " + per.text;
      Put(ItemKind::kWho, name + ": suppress-repeat", quiet);
    }
    if (rule.for_each)
      Put(ItemKind::kWho, name + ": for-each",
          rule.for_each->name.text + ": " + rule.for_each->expression.text);
    for (const NamedExpression& let : rule.lets)
      Put(ItemKind::kWho, name + ", let " + let.name.text, let.expression.text);
    for (const RuleLine& line : rule.lines) {
      const std::string place = name + ", line " + line.id;
      const UnknownPolicy policy =
          line.unknown == UnknownPolicy::kUnset ? rule.unknown_default : line.unknown;
      Put(ItemKind::kWho, place, line.unless ? "unless" : "when");
      Put(ItemKind::kWho, place + ": condition", line.expression.text);
      Put(ItemKind::kText, place + ": text", line.text);
      Put(ItemKind::kWho, place + ": unknown", std::string(kUnknownNames[static_cast<std::size_t>(policy)]));
    }
    if (rule.card) Card(name + ", card", *rule.card);
  }

  void Card(const std::string& name, const CardSource& card) {
    const std::pair<const char*, const std::string*> texts[] = {{": summary", &card.summary.text},
                                                                {": detail", &card.detail.text},
                                                                {": source label", &card.source_label.text},
                                                                {": source url", &card.source_url.text},
                                                                {": source icon", &card.source_icon}};
    for (const auto& [part, text] : texts) Put(ItemKind::kText, name + part, *text);
    Put(ItemKind::kAdvice, name + ": indicator", std::string(IndicatorName(card.indicator)));
    Put(ItemKind::kInput, name + ": topic", card.topic);
    Put(ItemKind::kAdvice, name + ": selection", card.suggestions.empty() ? "" : card.selection);
    for (std::size_t i = 0; i < card.suggestions.size(); ++i) {
      const SuggestionSource& suggestion = card.suggestions[i];
      const std::string place = name + ", suggestion " + std::to_string(i + 1);
      Put(ItemKind::kAdvice, place, suggestion.recommended ? "recommended" : "offered");
      Put(ItemKind::kText, place + ": label", suggestion.label.text);
      for (std::size_t j = 0; j < suggestion.actions.size(); ++j) {
        const ActionSource& action = suggestion.actions[j];
        const std::string at = place + ", action " + std::to_string(j + 1);
        Put(ItemKind::kAdvice, at,
            action.type + " " + (action.resource ? YamlToJson(*action.resource) : action.resource_id.text));
        Put(ItemKind::kText, at + ": description", action.description.text);
      }
    }
    for (const OverrideReason& reason : card.override_reasons) {
      const std::string place = name + ", override reason " + reason.code;
      Put(ItemKind::kInput, place, reason.system + "|" + reason.code);
      Put(ItemKind::kInput, place + ": display", reason.display);  // CDS Hooks: code and label are a pair
    }
    for (const LinkSource& link : card.links) {
      Put(ItemKind::kText, name + ", link " + link.label.text,
          link.type + " " + link.url.text + " " + link.app_context.text);
    }
  }

  const KnowledgeBase& base_;
  const Pack& pack_;
  PackItems items_;
};

}  // namespace

std::string_view BumpName(Bump bump) { return kBumpNames[static_cast<std::size_t>(bump)]; }

PackItems ListItems(const KnowledgeBase& base, const Pack& pack) { return Lister(base, pack).List(); }

Bump BumpOf(const PackItem* before, const PackItem* after) {
  const ItemKind kind = (after != nullptr ? after : before)->kind;
  const Row& row = kRows[static_cast<std::size_t>(kind)];
  if (before == nullptr) return row.added;
  if (after == nullptr) return row.removed;
  if (before->value == after->value) return Bump::kNone;
  const auto mode = [](const PackItem& item) { return std::ranges::find(kModeNames, item.value); };
  if (kind == ItemKind::kMode) return mode(*after) < mode(*before) ? Bump::kMinor : Bump::kMajor;
  if (kind == ItemKind::kLow || kind == ItemKind::kHigh) {
    const auto a = Decimal::Parse(before->value), b = Decimal::Parse(after->value);
    const bool wider = a && b && (kind == ItemKind::kLow ? *b < *a : *a < *b);
    return wider ? Bump::kMinor : row.changed;
  }
  return row.changed;
}

}  // namespace stepwise::rules
