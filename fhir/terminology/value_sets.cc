#include "fhir/terminology/value_sets.h"

#include <algorithm>

namespace stepwise::terminology {
namespace {

constexpr std::string_view kIncompleteExpansions[] = {
    "http://hl7.org/fhir/StructureDefinition/valueset-toocostly",
    "http://hl7.org/fhir/StructureDefinition/valueset-unclosed",
};

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

Membership And(Membership a, Membership b) {
  if (a == Membership::kOut || b == Membership::kOut) return Membership::kOut;
  return a == Membership::kUnknown ? a : b;
}

// Entries of an expansion, by system.
class ExpansionReader {
 public:
  ExpansionReader(const Canonicals<CodeSystem>& systems, Reading* reading)
      : systems_(systems), reading_(*reading) {}

  Status Read(Node parent, int depth) {
    if (depth > reading_.limits().max_depth) {
      return reading_.Fail(
          parent, Code::kLimit,
          "entries are nested deeper than the limit of " + std::to_string(reading_.limits().max_depth));
    }
    return reading_.EachObject(parent, names::kContains, [&](Node at) -> Status {
      ++entries_;
      STEPWISE_ASSIGN_OR_RETURN(const std::string_view system, reading_.Text(at, names::kSystem));
      STEPWISE_ASSIGN_OR_RETURN(const std::string_view code, reading_.Text(at, names::kCode));
      STEPWISE_ASSIGN_OR_RETURN(const auto abstract, reading_.Boolean(at, names::kAbstract));
      if (!code.empty() && system.empty()) {
        return reading_.Fail(at, Code::kInvalidArgument,
                             "a code needs its 'system', such as \"http://loinc.org\"");
      }
      if (!code.empty()) {
        STEPWISE_RETURN_IF_ERROR(reading_.CountCodes(at));
        BuilderOf(system).Set(code, abstract.value_or(false) ? Membership::kOut : Membership::kIn);
      }
      return Read(at, depth + 1);
    });
  }

  PartBuilder& BuilderOf(std::string_view system) {
    const auto found = builders_.find(system);
    if (found != builders_.end()) return found->second;
    const CodeSystem* known = systems_.Find(system, "");
    return builders_
        .emplace(system, PartBuilder(Membership::kOut, known ? known->case_rule() : CaseRule::kUnspecified))
        .first->second;
  }

  std::size_t entries() const { return entries_; }

  // `why`: why it is only a part of the set, or "".
  Extent Build(const std::string& why) && {
    Extent extent;
    if (!why.empty()) extent = UnknownExtent(why);
    for (auto& [system, builder] : builders_) {
      Part part = std::move(builder).Build(why);
      if (!why.empty()) part.rest = Membership::kUnknown;
      extent.parts.emplace(system, std::move(part));
    }
    return extent;
  }

 private:
  const Canonicals<CodeSystem>& systems_;
  Reading& reading_;
  TextMap<PartBuilder> builders_;
  std::size_t entries_ = 0;
};

// A count; nothing when absent.
Result<std::optional<std::size_t>> Number(Node parent, NameId name, const Reading& reading) {
  const Node node = parent.Child(name);
  if (!node || node.is_valueless_primitive()) return std::optional<std::size_t>();
  const std::string_view text = node.text();
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (node.kind() != NodeKind::kNumber || node.in_array() || !digits || text.size() > 15) {
    return reading.Fail(node, Code::kInvalidArgument, "this must be a whole number, 0 or more");
  }
  return std::optional<std::size_t>(std::stoull(std::string(text)));
}

// Why an expansion with so many entries is only a part of the set, or "".
Result<std::string> WhyPartial(Node expansion, std::size_t entries, const Reading& reading) {
  STEPWISE_ASSIGN_OR_RETURN(const auto total, Number(expansion, names::kTotal, reading));
  STEPWISE_ASSIGN_OR_RETURN(const auto offset, Number(expansion, names::kOffset, reading));
  if (total && entries < *total) {
    return "it has " + std::to_string(entries) + " of " + std::to_string(*total) + " entries";
  }
  if (offset.value_or(0) > 0) return std::string("it does not begin at the first entry");
  if (expansion.Child(names::kNext)) return std::string("it goes on elsewhere");
  std::string why;
  for (const Node child : expansion.children()) {
    if (child.kind() != NodeKind::kObject) continue;
    if (child.name() == names::kExtension) {
      STEPWISE_ASSIGN_OR_RETURN(const std::string_view url, reading.Text(child, names::kUrl));
      if (std::ranges::find(kIncompleteExpansions, url) != std::end(kIncompleteExpansions)) {
        why = "it says that it is not all of the set";
      }
    }
    if (child.name() == names::kParameter) {
      STEPWISE_ASSIGN_OR_RETURN(const std::string_view name, reading.Text(child, names::kName));
      STEPWISE_ASSIGN_OR_RETURN(const auto flag, reading.Boolean(child, names::kValueBoolean));
      STEPWISE_ASSIGN_OR_RETURN(const auto count, Number(child, names::kValueInteger, reading));
      const bool narrower = name == "filter" ||
                            (flag.value_or(false) && (name == "activeOnly" || name == "limitedExpansion")) ||
                            (name == "count" && !total && count && entries >= *count);
      if (narrower) why = "it was asked for with the parameter " + Quoted(name);
    }
  }
  return why;
}

}  // namespace

Membership StoredValueSet::Contains(std::string_view system, std::string_view code) const {
  if (!system.empty()) {
    const auto part = extent.parts.find(system);
    return part == extent.parts.end() ? Membership::kUnknown : part->second.Find(code);
  }
  Membership best = extent.elsewhere;
  for (const auto& [url_of_part, part] : extent.parts) {
    const Membership one = part.Find(code);
    if (one == Membership::kIn) return one;
    if (one == Membership::kUnknown) best = one;
  }
  return best;
}

bool StoredValueSet::IsAbout(std::string_view system) const {
  return system.empty() || extent.elsewhere != Membership::kOut || extent.parts.contains(system);
}

std::string StoredValueSet::WhyUnknown(std::string_view system, std::string_view code) const {
  if (Contains(system, code) != Membership::kUnknown) return "";
  const std::string title = "value set " + Quoted(name.empty() ? url : name);
  std::string why;
  if (const auto part = extent.parts.find(system); part != extent.parts.end()) {
    why = part->second.why;
    if (why.empty())
      return title + " has code " + Quoted(code) + " in another case, and whether case counts is not known";
    return title + ": " + why;
  }
  if (system.empty()) {
    for (const auto& [url_of_part, part] : extent.parts) AddReason(&why, part.why);
  }
  AddReason(&why, extent.why);
  if (!why.empty()) return title + ": " + why;
  return title +
         (system.empty() ? " does not say under which system" : " is not about system " + Quoted(system));
}

Status ValueSets::Add(Node resource) {
  auto definition = std::make_unique<Definition>();
  auto set = std::make_unique<StoredValueSet>();
  STEPWISE_ASSIGN_OR_RETURN(set->url, reading_.Text(resource, names::kUrl));
  STEPWISE_ASSIGN_OR_RETURN(set->version, reading_.Text(resource, names::kVersion));
  STEPWISE_ASSIGN_OR_RETURN(set->name, reading_.Text(resource, names::kName));
  STEPWISE_ASSIGN_OR_RETURN(set->id, reading_.Text(resource, names::kId));
  if (set->url.empty() && set->name.empty() && set->id.empty()) {
    return reading_.Fail(
        resource, Code::kInvalidArgument,
        "a value set needs a 'url', such as \"http://example.org/ValueSet/opioids\", or a name or id");
  }
  STEPWISE_RETURN_IF_ERROR(reading_.CheckNames(resource, types::kValueSet));
  if (!set->url.empty()) {
    if (const StoredValueSet* twin = canonicals_.Add(set->url, set->version, set.get())) {
      const Definition& first = *by_set_.at(twin);
      const std::string same = "value set " +
                               Quoted(set->url + (set->version.empty() ? "" : "|" + set->version)) +
                               " is there already" + (first.file.empty() ? "" : " in " + first.file) +
                               " at " + first.resource.Path();
      if (first.resource.json() != resource.json()) {
        return reading_.Fail(resource, Code::kInvalidArgument,
                             same + ", and differs; give each its own version");
      }
      reading_.Note(resource, same);
      return {};
    }
  }
  definition->resource = resource;
  definition->file = reading_.file();
  definition->set = std::move(set);
  by_set_.emplace(definition->set.get(), definition.get());
  definitions_.push_back(std::move(definition));
  return {};
}

void ValueSets::AddAllOf(const CodeSystem* system, Node resource) {
  if (system->value_set().empty()) return;
  const std::size_t bar = system->value_set().rfind('|');
  auto set = std::make_unique<StoredValueSet>();
  set->url = system->value_set().substr(0, bar);
  set->version = bar == std::string::npos ? system->version() : system->value_set().substr(bar + 1);
  if (canonicals_.Find(set->url) != nullptr && by_set_.at(canonicals_.Find(set->url))->all_of == nullptr)
    return;
  if (canonicals_.Add(set->url, set->version, set.get()) != nullptr) return;
  auto definition = std::make_unique<Definition>();
  definition->resource = resource;
  definition->file = reading_.file();
  definition->all_of = system;
  definition->set = std::move(set);
  by_set_.emplace(definition->set.get(), definition.get());
  definitions_.push_back(std::move(definition));
}

Status ValueSets::WorkOut() {
  for (const auto& definition : definitions_) STEPWISE_RETURN_IF_ERROR(WorkOut(definition.get()));
  return {};
}

std::vector<std::unique_ptr<const StoredValueSet>> ValueSets::Take() {
  std::vector<std::unique_ptr<const StoredValueSet>> sets;
  for (const auto& definition : definitions_) sets.push_back(std::move(definition->set));
  return sets;
}

Status ValueSets::WorkOut(Definition* definition) {
  if (definition->state == State::kDone) return {};
  definition->state = State::kWorking;
  working_.push_back(definition);
  const std::string file = reading_.file();
  reading_.set_file(definition->file);
  STEPWISE_ASSIGN_OR_RETURN(definition->set->extent, ReadValueSet(definition));
  reading_.set_file(file);
  working_.pop_back();
  definition->state = State::kDone;
  return {};
}

Result<Extent> ValueSets::ReadValueSet(Definition* definition) {
  const Node resource = definition->resource;
  if (definition->all_of != nullptr) {
    Extent extent;
    STEPWISE_ASSIGN_OR_RETURN(Part part, AllOf(*definition->all_of, resource));
    extent.parts.emplace(definition->all_of->url(), std::move(part));
    return extent;
  }
  if (resource.Child(names::kModifierExtension)) {
    const std::string why = "its modifierExtension is not understood";
    reading_.Note(resource, why);
    return UnknownExtent(why);
  }
  const Node compose = resource.Child(names::kCompose), expansion = resource.Child(names::kExpansion);
  for (const Node one : {compose, expansion}) {
    if (one && (one.kind() != NodeKind::kObject || one.in_array())) {
      return reading_.Fail(one, Code::kInvalidArgument, "this must be one object");
    }
  }
  if (!compose && !expansion) {
    const std::string why = "it has neither 'compose' nor 'expansion'";
    reading_.Note(resource, why + ", so that nothing is known of its codes");
    return UnknownExtent(why);
  }
  if (!expansion) return ReadCompose(compose);
  bool partial = false;
  STEPWISE_ASSIGN_OR_RETURN(Extent extent, ReadExpansion(resource, expansion, &partial));
  if (!partial || !compose) return extent;
  STEPWISE_ASSIGN_OR_RETURN(Extent composed, ReadCompose(compose));
  return Combine(Op::kElseKnown, std::move(extent), std::move(composed), resource, &reading_);
}

Result<Extent> ValueSets::ReadExpansion(Node resource, Node expansion, bool* partial) {
  ExpansionReader reader(systems_, &reading_);
  STEPWISE_RETURN_IF_ERROR(reader.Read(expansion, 1));
  // A system that gave no code is one that the set is about nevertheless.
  if (const Node compose = resource.Child(names::kCompose)) {
    STEPWISE_RETURN_IF_ERROR(reading_.EachObject(compose, names::kInclude, [&](Node include) -> Status {
      STEPWISE_ASSIGN_OR_RETURN(const std::string_view system, reading_.Text(include, names::kSystem));
      if (!system.empty()) reader.BuilderOf(system);
      return {};
    }));
  }
  STEPWISE_ASSIGN_OR_RETURN(std::string why, WhyPartial(expansion, reader.entries(), reading_));
  if (why.empty() && expansion.Child(names::kModifierExtension))
    why = "its modifierExtension is not understood";
  *partial = !why.empty();
  if (*partial) {
    why = "the expansion is only a part of the set: " + why;
    reading_.Note(expansion, why);
  }
  return std::move(reader).Build(why);
}

Result<Extent> ValueSets::ReadCompose(Node compose) {
  STEPWISE_ASSIGN_OR_RETURN(const auto inactive, reading_.Boolean(compose, names::kInactive));
  if (compose.Child(names::kLockedDate)) {
    reading_.Note(compose.Child(names::kLockedDate), "the date is not used: the versions at hand count");
  }
  if (compose.Child(names::kModifierExtension)) {
    const std::string why = "the modifierExtension of its compose is not understood";
    reading_.Note(compose, why);
    return UnknownExtent(why);
  }
  if (!compose.Child(names::kInclude)) {
    return reading_.Fail(
        compose, Code::kInvalidArgument,
        "'include' is missing, such as [{\"system\": \"http://loinc.org\", \"concept\": [...]}]");
  }
  Extent extent;
  for (const auto& [name, op] :
       {std::pair(names::kInclude, Op::kOr), std::pair(names::kExclude, Op::kMinus)}) {
    STEPWISE_RETURN_IF_ERROR(reading_.EachObject(compose, name, [&, op_of_name = op](Node at) -> Status {
      STEPWISE_ASSIGN_OR_RETURN(Extent one, ReadInclude(at));
      STEPWISE_ASSIGN_OR_RETURN(extent,
                                Combine(op_of_name, std::move(extent), std::move(one), at, &reading_));
      return {};
    }));
  }
  if (inactive.value_or(true)) return extent;
  STEPWISE_ASSIGN_OR_RETURN(Extent inactive_codes, InactiveCodes(extent, compose));
  return Combine(Op::kMinus, std::move(extent), std::move(inactive_codes), compose, &reading_);
}

Result<Extent> ValueSets::InactiveCodes(const Extent& extent, Node at) {
  Extent inactive;
  for (const auto& [url, part] : extent.parts) {
    const CodeSystem* system = systems_.Find(url, "");
    if (system == nullptr) {
      reading_.Note(at, "'inactive' is false, but code system " + Quoted(url) +
                            " is not at hand: all its codes count as active");
      continue;
    }
    PartBuilder builder(Membership::kOut, system->case_rule());
    for (std::size_t i = 0; i < system->size(); ++i) {
      if (system->inactive(i)) builder.Set(system->code(i), Membership::kIn);
    }
    inactive.parts.emplace(url, std::move(builder).Build());
  }
  return inactive;
}

Result<Extent> ValueSets::ReadInclude(Node include) {
  STEPWISE_ASSIGN_OR_RETURN(const std::string_view system, reading_.Text(include, names::kSystem));
  const bool listed = static_cast<bool>(include.Child(names::kConcept));
  const bool filtered = static_cast<bool>(include.Child(names::kFilter));
  if (system.empty() && !include.Child(names::kValueSet)) {
    return reading_.Fail(include, Code::kInvalidArgument, "either a 'system' or a 'valueSet' must be there");
  }
  if (system.empty() && (listed || filtered)) {
    return reading_.Fail(include, Code::kInvalidArgument,
                         "'concept' and 'filter' need a 'system', such as \"http://loinc.org\"");
  }
  if (listed && filtered) {
    return reading_.Fail(include, Code::kInvalidArgument,
                         "'concept' and 'filter' are both there; use two includes");
  }
  std::optional<Extent> extent;
  if (!system.empty()) {
    STEPWISE_ASSIGN_OR_RETURN(Part part, ReadSystem(include, system));
    extent.emplace().parts.emplace(system, std::move(part));
  }
  for (const Node child : include.children()) {
    if (child.name() != names::kValueSet) continue;
    if (child.kind() != NodeKind::kString) {
      return reading_.Fail(
          child, Code::kInvalidArgument,
          "this must be the URL of a value set, such as \"http://example.org/ValueSet/opioids\"");
    }
    STEPWISE_ASSIGN_OR_RETURN(Extent imported, Import(child, child.string()));
    if (!extent)
      extent = std::move(imported);
    else {
      STEPWISE_ASSIGN_OR_RETURN(extent,
                                Combine(Op::kAnd, *std::move(extent), std::move(imported), child, &reading_));
    }
  }
  if (include.Child(names::kModifierExtension)) {
    const std::string why = "the modifierExtension of an include or exclude is not understood";
    reading_.Note(include, why);
    for (auto& [url, part] : extent->parts) part = {nullptr, Membership::kUnknown, part.case_rule, why};
    extent->elsewhere = Membership::kUnknown;
    AddReason(&extent->why, why);
  }
  return *std::move(extent);
}

Result<Part> ValueSets::ReadSystem(Node include, std::string_view system_url) {
  STEPWISE_ASSIGN_OR_RETURN(const std::string_view version, reading_.Text(include, names::kVersion));
  const CodeSystem* system = systems_.Find(system_url, version == "*" ? "" : version);  // R5: any version
  if (include.Child(names::kConcept)) return ReadListed(include, system, CaseRuleOf(system_url));
  if (system == nullptr) {
    const std::string full = std::string(system_url) + (version.empty() ? "" : "|" + std::string(version));
    const std::string why = "code system " + Quoted(full) + " is not at hand" + systems_.OtherVersions(full);
    reading_.Note(include, why);
    return Part{nullptr, Membership::kUnknown, CaseRuleOf(system_url), why};
  }
  if (include.Child(names::kFilter)) return ReadFilters(include, *system);
  return AllOf(*system, include);
}

Result<Part> ValueSets::ReadListed(Node include, const CodeSystem* system, CaseRule case_rule) {
  PartBuilder builder(Membership::kOut, case_rule);
  const auto read = [&](Node at) -> Status {
    STEPWISE_ASSIGN_OR_RETURN(const std::string_view code,
                              reading_.RequiredText(at, names::kCode, "72514-3"));
    STEPWISE_RETURN_IF_ERROR(reading_.CountCodes(at));
    builder.Set(code, Membership::kIn);
    if (system != nullptr && system->complete() && !system->Find(code)) {
      reading_.Note(at, system->Title() + " has no code " + Quoted(code) + "; it is a member nevertheless");
    }
    return {};
  };
  STEPWISE_RETURN_IF_ERROR(reading_.EachObject(include, names::kConcept, read));
  return std::move(builder).Build();
}

Result<Part> ValueSets::ReadFilters(Node include, const CodeSystem& system) {
  std::vector<Membership> answers(system.size(), Membership::kIn);
  std::string why;
  if (!system.complete()) why = system.Title() + " does not list all its codes";
  const auto read = [&](Node at) -> Status {
    CodeSystem::Filter filter;
    STEPWISE_ASSIGN_OR_RETURN(filter.property, reading_.RequiredText(at, names::kProperty, "concept"));
    STEPWISE_ASSIGN_OR_RETURN(filter.op, reading_.RequiredText(at, names::kOp, "is-a"));
    STEPWISE_ASSIGN_OR_RETURN(filter.value, reading_.RequiredText(at, names::kValue, "73211009"));
    STEPWISE_RETURN_IF_ERROR(reading_.CountSteps(at, system.size()));
    std::string reason;
    const auto applied = at.Child(names::kModifierExtension)
                             ? std::nullopt
                             : system.Apply(filter, reading_.limits().max_pattern, &reason);
    if (!applied) {
      if (reason.empty()) reason = "its modifierExtension is not understood";
      reason = "the filter " +
               Quoted(std::string(filter.property) + " " + std::string(filter.op) + " " +
                      std::string(filter.value.substr(0, 100))) +
               " is not understood: " + reason;
      reading_.Note(at, reason);
      AddReason(&why, reason);
    }
    for (std::size_t i = 0; i < answers.size(); ++i) {
      answers[i] = And(answers[i], applied ? (*applied)[i] : Membership::kUnknown);
    }
    return {};
  };
  STEPWISE_RETURN_IF_ERROR(reading_.EachObject(include, names::kFilter, read));
  PartBuilder builder(system.complete() ? Membership::kOut : Membership::kUnknown, system.case_rule());
  for (std::size_t i = 0; i < answers.size(); ++i) builder.Set(system.code(i), answers[i]);
  STEPWISE_RETURN_IF_ERROR(reading_.CountCodes(include, answers.size()));
  return std::move(builder).Build(std::move(why));
}

Result<Part> ValueSets::AllOf(const CodeSystem& system, Node at) {
  std::shared_ptr<const Answers>& codes = all_codes_[&system];
  if (codes == nullptr) {
    STEPWISE_RETURN_IF_ERROR(reading_.CountCodes(at, system.size()));
    PartBuilder builder(Membership::kOut, system.case_rule());
    for (std::size_t i = 0; i < system.size(); ++i) builder.Set(system.code(i), Membership::kIn);
    codes = std::move(builder).Build().codes;
  }
  return Part{codes, system.complete() ? Membership::kOut : Membership::kUnknown, system.case_rule(),
              system.complete() ? "" : system.Title() + " does not list all its codes"};
}

CaseRule ValueSets::CaseRuleOf(std::string_view system_url) const {
  const CodeSystem* system = systems_.Find(system_url, "");
  return system != nullptr ? system->case_rule() : CaseRule::kUnspecified;
}

Result<Extent> ValueSets::Import(Node at, std::string_view canonical) {
  const StoredValueSet* set = canonicals_.Find(canonical);
  if (set == nullptr) {
    const std::string why =
        "value set " + Quoted(canonical) + " is not at hand" + canonicals_.OtherVersions(canonical);
    reading_.Note(at, why);
    return UnknownExtent(why);
  }
  Definition* definition = by_set_.at(set);
  if (definition->state == State::kWorking) {
    std::string circle;
    for (auto one = std::ranges::find(working_, definition); one != working_.end(); ++one) {
      circle += Quoted((*one)->set->url) + " imports ";
    }
    return reading_.Fail(
        at, Code::kSemantic,
        "value sets import each other in a circle: " + circle + Quoted(definition->set->url));
  }
  if (definition->state == State::kWaiting &&
      working_.size() > static_cast<std::size_t>(reading_.limits().max_imports)) {
    return reading_.Fail(at, Code::kLimit,
                         "value sets import one another in a chain longer than the limit of " +
                             std::to_string(reading_.limits().max_imports));
  }
  STEPWISE_RETURN_IF_ERROR(WorkOut(definition));
  return definition->set->extent;
}

}  // namespace stepwise::terminology
