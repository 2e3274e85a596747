#include "rules/scope.h"

#include <algorithm>

#include "rules/functions.h"

namespace stepwise::rules {
namespace {

using fhirpath::StaticType;
using Variable = fhirpath::VariableScope::Variable;

// `Type?search` answers with a Bundle, `Type/id` with that resource.
StaticType PrefetchType(const std::string& query) {
  const std::size_t end = query.find_first_of("/?");
  const bool search = end != std::string::npos && query[end] == '?';
  const TypeId asked = FindFhirType(query.substr(0, end));
  const TypeId type = search && asked != types::kNone ? types::kBundle : asked;
  return {.type = type, .many = false, .ordered = true, .resource = type == types::kNone};
}

int AddSlot(std::vector<Slot>* slots, Slot slot) {
  slots->push_back(std::move(slot));
  return static_cast<int>(slots->size() - 1);
}

Slot MakeSlot(SlotKind kind, std::string name, StaticType type = {}, std::string pack = {}) {
  Slot slot;
  slot.kind = kind;
  slot.name = std::move(name);
  slot.type = type;
  slot.pack = std::move(pack);
  return slot;
}

StaticType ConstantType(const Constant& constant) { return {.type = constant.item.type(), .many = false}; }

// Of a name that could not be read: anything, so that nothing is wrong with what uses it.
constexpr Variable kAnything{0, {}};

Variable Of(const std::vector<Slot>& slots, int slot) {
  return {slot, slots[static_cast<std::size_t>(slot)].type};
}

}  // namespace

ExpressionCompiler::ExpressionCompiler(const Pack& pack, const PackTerminology& terminology,
                                       LoadReport* report)
    : version_(FhirVersion::kR4), terminology_(terminology), report_(report) {
  if (!pack.fhir_versions.empty())
    version_ = ParseFhirVersion(pack.fhir_versions[0]).value_or(FhirVersion::kR4);
}

std::optional<fhirpath::Program> ExpressionCompiler::Compile(std::string_view expression,
                                                             const SourceText& whole, std::size_t offset,
                                                             const fhirpath::VariableScope& scope,
                                                             bool want_boolean) const {
  fhirpath::CompileOptions options;
  options.version = version_;
  options.variables = &scope;
  options.terminology = &terminology_;
  options.functions = RuleFunctions();
  options.want_boolean = want_boolean;
  std::optional<fhirpath::Program> program;
  Errors calls = CheckCalls(expression, terminology_);
  for (const fhirpath::Diagnostic& diagnostic : fhirpath::Check(expression, options, &program)) {
    Error error = diagnostic.error;
    // What the binder says of a value set's name, CheckCalls says with the nearest one that is known.
    const auto same = [&](const Error& call) {
      return call.span.line == error.span.line && call.span.column == error.span.column;
    };
    if (std::ranges::any_of(calls, same)) continue;
    error.span = whole.At(error.span, offset);
    const bool fatal = diagnostic.severity == fhirpath::Severity::kError;
    (fatal ? report_->errors : report_->warnings).push_back(std::move(error));
  }
  for (Error& error : calls) {
    error.span = whole.At(error.span, offset);
    report_->errors.push_back(std::move(error));
  }
  return program;
}

void NamedSlots::Add(const NamedExpression& expression, SlotKind kind, const std::string& pack, int slot) {
  Slot& made = (*slots_)[static_cast<std::size_t>(slot)];
  made = MakeSlot(kind, expression.name.text, {}, pack);
  made.source = &expression.expression;
  entries_.emplace(expression.name.text, Entry{&expression, slot});
}

std::optional<Variable> NamedSlots::Find(std::string_view name, const fhirpath::VariableScope& scope) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return std::nullopt;
  Entry& entry = found->second;
  if (entry.state == State::kRunning) {
    std::string chain;
    for (auto at = std::ranges::find(running_, name); at != running_.end(); ++at) chain += "%" + *at + " -> ";
    AddError(&report_->errors, entry.expression->name.span,
             what_ + " `" + std::string(name) + "` needs itself: " + chain + "%" + std::string(name));
    return Of(*slots_, entry.slot);
  }
  if (entry.state == State::kNew) {
    entry.state = State::kRunning;
    running_.emplace_back(name);
    const SourceText& text = entry.expression->expression;
    std::optional<fhirpath::Program> program;
    if (text.span.line != 0) program = compiler_.Compile(text.text, text, 0, scope, false);
    Slot& slot = (*slots_)[static_cast<std::size_t>(entry.slot)];
    if (program) slot.type = program->result_type();
    slot.program = std::move(program);
    running_.pop_back();
    entry.state = State::kDone;
  }
  return Of(*slots_, entry.slot);
}

void NamedSlots::CompileAll(const fhirpath::VariableScope& scope) {
  for (const auto& [name, entry] : entries_) Find(name, scope);
}

std::vector<std::string> NamedSlots::Names() const {
  std::vector<std::string> out;
  for (const auto& [name, entry] : entries_) out.push_back(name);
  return out;
}

PackScope::PackScope(const Pack& pack, std::vector<PackScope*> required, const PackTerminology& terminology,
                     PrefetchSlots* prefetch_slots, std::vector<Slot>* slots, LoadReport* report)
    : pack_(pack),
      required_(std::move(required)),
      compiler_(pack, terminology, report),
      slots_(slots),
      report_(report),
      facts_("fact", compiler_, slots, report) {
  if (slots->empty()) {  // the first two slots are the same for everybody
    AddSlot(slots, MakeSlot(SlotKind::kContext, "context", {.many = false}));
    AddSlot(slots, MakeSlot(SlotKind::kNow, "now", {.type = types::kSystemDateTime, .many = false}));
  }
  common_ = {{"context", 0}, {"now", 1}};
  const std::pair<const char*, std::string> fields[] = {{"pack.id", pack.id},
                                                        {"pack.version", pack.version.ToString()},
                                                        {"pack.title", pack.title},
                                                        {"pack.digest", pack.digest}};
  for (const auto& [name, text] : fields) AddConstant(name, MakeConstant(text), nullptr);
  for (const PackParameter& parameter : pack.parameters) {
    const std::string name = "p." + parameter.name;
    auto constant = MakeConstant(parameter, parameter.value);
    if (constant) {
      AddConstant(name, std::move(*constant), &parameter);
      continue;
    }
    if (parameter.usable) AddError(&report_->errors, parameter.value_span, constant.error().message);
    own_[name] = AddSlot(slots_, MakeSlot(SlotKind::kConstant, name, {.many = false}, pack.id));
  }
  for (const PrefetchQuery& query : pack.prefetch) AddPrefetch(query, prefetch_slots);
  for (const NamedExpression& fact : pack.facts) {
    if (own_.contains(fact.name.text) || common_.contains(fact.name.text)) {
      AddError(&report->errors, fact.name.span,
               "%" + fact.name.text + " already means something else; choose another name");
    }
    facts_.Add(fact, SlotKind::kFact, pack.id, AddSlot(slots, {}));
  }
}

void PackScope::AddConstant(std::string name, std::unique_ptr<const Constant> constant,
                            const PackParameter* parameter) {
  Slot slot = MakeSlot(SlotKind::kConstant, name, ConstantType(*constant), pack_.id);
  slot.constant = std::move(constant);
  slot.parameter = parameter;
  (parameter == nullptr ? common_ : own_)[name] = AddSlot(slots_, std::move(slot));
}

void PackScope::AddPrefetch(const PrefetchQuery& query, PrefetchSlots* prefetch_slots) {
  const auto [at, fresh] = prefetch_slots->try_emplace({query.key, query.query}, 0);
  if (fresh) {
    const StaticType type = PrefetchType(query.query);
    Slot slot = MakeSlot(SlotKind::kPrefetch, query.key, type, pack_.id);
    slot.query = query.query;
    at->second = AddSlot(slots_, std::move(slot));
    if (type.type == types::kNone) {
      AddError(&report_->errors, query.span, "`" + query.query + "` asks for a type that FHIR does not know");
    }
  }
  own_[query.key] = at->second;
}

std::optional<Variable> PackScope::FindOwn(std::string_view name) const {
  if (const auto found = own_.find(name); found != own_.end()) return Of(*slots_, found->second);
  return facts_.Find(name, *this);
}

std::optional<Variable> PackScope::FindShared(std::string_view name) const {
  const PackScope* first = nullptr;
  std::optional<Variable> out;
  for (const PackScope* scope : required_) {
    const auto found = scope->FindOwn(name);
    if (!found || (out && out->slot == found->slot)) continue;
    if (out) {
      AddError(&report_->errors, pack_.span,
               "%" + std::string(name) + " is both in pack " + first->pack_.id + " and in pack " +
                   scope->pack_.id + "; rename one of them");
      return out;
    }
    out = found;
    first = scope;
  }
  return out;
}

std::optional<Variable> PackScope::Find(std::string_view name) const {
  if (const auto found = common_.find(name); found != common_.end()) return Of(*slots_, found->second);
  if (const auto own = FindOwn(name)) return own;
  if (const auto shared = FindShared(name)) return shared;
  return names_known() ? std::nullopt : std::optional(kAnything);
}

bool PackScope::names_known() const {
  return pack_.names_known && std::ranges::all_of(required_, &PackScope::names_known);
}

std::vector<std::string> PackScope::Names() const {
  std::vector<std::string> out = facts_.Names();
  for (const auto* names : {&common_, &own_}) {
    for (const auto& [name, slot] : *names) out.push_back(name);
  }
  for (const PackScope* scope : required_) {
    for (const auto& [name, slot] : scope->own_) out.push_back(name);
    std::ranges::copy(scope->facts_.Names(), std::back_inserter(out));
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

RuleScope::RuleScope(const Rule& rule, const PackScope& outer, std::size_t first_slot,
                     std::vector<Slot>* slots, LoadReport* report)
    : rule_(rule), outer_(outer), slots_(slots), lets_("let", outer.compiler(), slots, report) {
  const auto check = [&](const SourceText& name) {
    if (outer.Find(name.text) && outer.names_known()) {
      AddError(&report->errors, name.span,
               "%" + name.text + " already means something else in this pack; choose another name");
    }
  };
  int next = static_cast<int>(first_slot);
  if (rule.for_each) {
    const SourceText& text = rule.for_each->expression;
    check(rule.for_each->name);
    std::optional<fhirpath::Program> program;
    if (text.span.line != 0) program = outer.compiler().Compile(text.text, text, 0, outer, false);
    StaticType type = program ? program->result_type() : StaticType{};
    type.many = false;
    for_each_ = next++;
    Slot& slot = (*slots)[first_slot];
    slot = MakeSlot(SlotKind::kForEach, rule.for_each->name.text, type);
    slot.program = std::move(program);
    slot.source = &text;
  }
  first_let_ = next;
  for (const NamedExpression& let : rule.lets) {
    check(let.name);
    lets_.Add(let, SlotKind::kLet, {}, next++);
  }
}

std::optional<Variable> RuleScope::Find(std::string_view name) const {
  if (rule_.for_each && name == rule_.for_each->name.text) return Of(*slots_, for_each_);
  if (const auto let = lets_.Find(name, *this)) return let;
  if (const auto outer = outer_.Find(name)) return outer;
  return rule_.names_known ? std::nullopt : std::optional(kAnything);
}

std::vector<std::string> RuleScope::Names() const {
  std::vector<std::string> out = lets_.Names();
  if (rule_.for_each) out.push_back(rule_.for_each->name.text);
  std::ranges::copy(outer_.Names(), std::back_inserter(out));
  return out;
}

}  // namespace stepwise::rules
