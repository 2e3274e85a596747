#include "rules/engine.h"

#include <algorithm>

#include "rules/activation.h"
#include "rules/allergy_check.h"
#include "rules/card_maker.h"
#include "rules/digest.h"
#include "rules/source_names.h"
#include "rules/suppression.h"
#include "rules/variables.h"

namespace stepwise::rules {

using fhirpath::Item;
using fhirpath::Items;

struct Engine::Run {
  explicit Run(fhirpath::EvaluationOptions evaluation_options)
      : clock(evaluation_options.clock), evaluation(evaluation_options) {}

  std::int64_t (*clock)();
  fhirpath::Evaluation evaluation;
  SourceNames names;
  Variables variables{names};
  const KnowledgeBase* base = nullptr;
  const EngineOptions* options = nullptr;
  const Selection* selection = nullptr;
  const Facts* facts = nullptr;
  Decision decision;
  std::vector<Firing> firings;

  Result<Items> Items_(const fhirpath::Program& program) {
    return evaluation.Run(program, variables.context(), variables.environment());
  }
  void EvaluateRule(const CompiledRule& rule);
  void EvaluateItem(const CompiledRule& rule, const std::string& subject, Items item);
  bool EvaluateLine(const CompiledRule& rule, std::size_t index, LineOutcome* line, std::string* error);
  void Fire(const CompiledRule& rule, RuleOutcome* outcome);
  Status FinishCard(const CompiledRule& rule, const TemplateData& data, Card* card);
  std::string Reasons() const;
};

namespace {

bool Stops(const CompiledRule& rule, std::size_t index, Outcome outcome) {
  const RuleLine& line = rule.rule->lines[index];
  if (outcome == Outcome::kUnknown) {
    const UnknownPolicy policy =
        line.unknown != UnknownPolicy::kUnset ? line.unknown : rule.rule->unknown_default;
    return policy != UnknownPolicy::kFire;
  }
  return (outcome == Outcome::kTrue) == line.unless;
}

// A for-each without items is the commonest outcome of all: its lines are not even named.
RuleOutcome NoItem(const CompiledRule& rule) {
  RuleOutcome out;
  out.pack = rule.pack->id;
  out.rule = rule.rule->id;
  out.stopped_by = "for-each";
  out.note = "there is no item";
  return out;
}

RuleOutcome MakeOutcome(const CompiledRule& rule, const std::string& subject) {
  RuleOutcome out;
  out.pack = rule.pack->id;
  out.rule = rule.rule->id;
  out.subject = subject;
  for (const RuleLine& line : rule.rule->lines) {
    LineOutcome outcome;
    outcome.id = line.id;
    outcome.text = line.text;
    outcome.unless = line.unless;
    out.lines.push_back(std::move(outcome));
  }
  return out;
}

}  // namespace

std::string Engine::Run::Reasons() const {
  std::string out;
  for (const std::string& reason : evaluation.unknowns()) out += (out.empty() ? "" : "; ") + reason;
  return out;
}

// Returns false and sets `error` when the line cannot be evaluated.
bool Engine::Run::EvaluateLine(const CompiledRule& rule, std::size_t index, LineOutcome* line,
                               std::string* error) {
  evaluation.ClearSources();
  const auto answer = evaluation.RunBoolean(rule.lines[index], variables.context(), variables.environment());
  line->evaluated = true;
  line->outcome = Outcome::kUnknown;
  if (!answer) {
    const Error where = variables.Placed(answer.error(), rule.rule->lines[index].expression);
    *error = "line " + line->id + ": " + where.ToString();
    line->reason = where.message;
    return false;
  }
  line->sources = names.Of(evaluation.sources());
  if (!evaluation.unknowns().empty()) {
    line->reason = Reasons();
  } else if (!*answer) {
    line->reason = "the data do not say";
  } else {
    line->outcome = **answer ? Outcome::kTrue : Outcome::kFalse;
  }
  return true;
}

void Engine::Run::Fire(const CompiledRule& rule, RuleOutcome* outcome) {
  TemplateData data;
  data.run = [this](const fhirpath::Program& program) { return Items_(program); };
  for (const LineOutcome& line : outcome->lines) {
    data.unknown.push_back(line.evaluated && line.outcome == Outcome::kUnknown);
    if (!line.unless && line.evaluated && line.outcome == Outcome::kTrue)
      data.when += (data.when.empty() ? "" : "; ") + line.text;
  }
  std::string summary;
  Result<Card> card = MakeCard(rule, outcome->subject, data, options->on_summary ? &summary : nullptr);
  const Status finished = card ? FinishCard(rule, data, &*card) : tl::unexpected(card.error());
  if (!finished) {
    outcome->status = RuleStatus::kFailed;
    outcome->error = "the card is not shown: " + variables.Placed(finished.error(), {}).message;
    return;
  }
  if (options->on_summary) options->on_summary(rule, summary);
  const bool shown =
      selection->shown() && rule.rule->mode == RuleMode::kOn && InForce(*rule.pack, decision.now);
  outcome->status = shown ? RuleStatus::kFired : RuleStatus::kShadow;
  if (!shown) return;
  if (!card->suppression_key.empty() && !options->overridden.empty()) {
    auto note =
        Suppressed(card->suppression_key, rule.rule->suppress->minutes, decision.now, options->overridden);
    if (note) {
      outcome->status = RuleStatus::kSuppressed;
      outcome->note = *std::move(note);
    }
  }
  const bool silent = outcome->status == RuleStatus::kSuppressed;
  firings.push_back({&rule, decision.rules.size(), std::move(*card), silent});
}

// What depends on more than the card's own templates.
Status Engine::Run::FinishCard(const CompiledRule& rule, const TemplateData& data, Card* card) {
  if (rule.rule->suppress) {
    STEPWISE_ASSIGN_OR_RETURN(card->suppression_key, SuppressionKey(rule, facts->patient_id, data.run));
  }
  if (!rule.suggests_drug) return {};
  Fact allergies{FactState::kAbsent, {}, "the pack asks for none"};
  if (rule.allergies >= 0) {
    const Slot& slot = base->slots()[static_cast<std::size_t>(rule.allergies)];
    allergies = facts->Read(slot.name, slot.query);
  }
  CheckAllergies(rule, allergies, card);
  return {};
}

void Engine::Run::EvaluateItem(const CompiledRule& rule, const std::string& subject, Items item) {
  variables.BeginItem(rule, item);
  RuleOutcome outcome = MakeOutcome(rule, subject);
  bool decided = false;
  for (std::size_t i = 0; i < outcome.lines.size(); ++i) {
    std::string error;
    const bool evaluated = EvaluateLine(rule, i, &outcome.lines[i], &error);
    if (decided) continue;  // only explaining
    if (!evaluated) {
      outcome.status = RuleStatus::kFailed;
      outcome.error = std::move(error);
      decided = true;
    } else if (Stops(rule, i, outcome.lines[i].outcome)) {
      outcome.status = RuleStatus::kStopped;
      outcome.stopped_by = outcome.lines[i].id;
      decided = true;
    }
    if (decided && !options->all_lines) break;
  }
  if (!decided) Fire(rule, &outcome);
  decision.rules.push_back(std::move(outcome));
}

void Engine::Run::EvaluateRule(const CompiledRule& rule) {
  if (rule.for_each < 0) return EvaluateItem(rule, "", {});
  const Slot& slot = base->slots()[static_cast<std::size_t>(rule.for_each)];
  evaluation.ClearSources();
  const Result<Items> items = Items_(*slot.program);
  const std::string reasons = Reasons();
  if (items && items->empty() && reasons.empty()) return decision.rules.push_back(NoItem(rule));
  if (!items || !reasons.empty()) {
    RuleOutcome outcome = MakeOutcome(rule, "");
    outcome.stopped_by = "for-each";
    outcome.note = reasons;
    if (!items) {
      outcome.status = RuleStatus::kFailed;
      outcome.error = "for-each: " + variables.Placed(items.error(), *slot.source).ToString();
    }
    decision.rules.push_back(std::move(outcome));
    if (!items) return;
  }
  for (std::size_t i = 0; i < items->size(); ++i) {
    const Item& item = (*items)[i];
    const Node node = item.is_node() ? item.node() : Node();
    const Node resource = node ? node.resource() : Node();
    EvaluateItem(rule, node ? ReferenceOf(resource ? resource : node) : fhirpath::ValueText(item),
                 items->subspan(i, 1));
  }
}

Engine::Engine(const fhirpath::EvaluationLimits& limits, std::int64_t (*clock)()) {
  fhirpath::EvaluationOptions options;
  options.limits = limits;
  options.clock = clock;
  options.track_sources = true;
  run_ = std::make_unique<Run>(std::move(options));
}
Engine::~Engine() = default;

Result<Decision> Engine::Evaluate(const KnowledgeBase& base, const Document& request, const DateTime& now,
                                  const EngineOptions& options) {
  STEPWISE_ASSIGN_OR_RETURN(const Facts facts, ReadFacts(request));
  Run& run = *run_;
  run.base = &base;
  run.options = &options;
  run.facts = &facts;
  run.firings.clear();
  run.evaluation.Reset(now);
  run.evaluation.AddDocument(&request);
  run.names.Begin(&request);
  run.variables.Begin(&base, &facts, options.site);
  run.evaluation.set_variables(&run.variables);

  Decision& decision = run.decision;
  decision = {};
  decision.now = now;
  decision.hook = facts.hook;
  decision.input_digest = DigestOf(request.bytes());
  run.selection = options.selection == nullptr ? &base.default_selection() : options.selection;
  const Selection::Hook& hook = run.selection->For(facts.hook);
  decision.packs = hook.packs;
  decision.id = UuidOf({decision.input_digest, hook.digests,
                        options.site == nullptr ? "" : options.site->digest_text, now.ToString()});

  const std::int64_t begin = run.clock == nullptr ? 0 : run.clock();
  for (const CompiledRule* rule : hook.rules) {
    run.EvaluateRule(*rule);
    if (run.clock == nullptr || options.timeout.count() == 0) continue;
    if (run.clock() - begin > std::chrono::nanoseconds(options.timeout).count()) {
      return Fail(Code::kLimit,
                  "the evaluation took longer than " + std::to_string(options.timeout.count()) + " ms");
    }
  }
  PlaceCards(std::move(run.firings), options.max_cards, &decision);
  return std::move(decision);
}

Result<SiteParameters> MakeSiteParameters(const KnowledgeBase& base,
                                          const std::map<std::string, std::string>& values) {
  SiteParameters out;
  for (const auto& [name, text] : values) {
    bool found = false;
    std::vector<std::string> known;
    for (std::size_t i = 0; i < base.slots().size(); ++i) {
      const Slot& slot = base.slots()[i];
      if (slot.parameter == nullptr) continue;
      known.push_back(slot.parameter->name);
      if (slot.parameter->name != name && slot.pack + "." + slot.parameter->name != name) continue;
      found = true;
      if (!slot.parameter->overridable) {
        return Fail(Code::kInvalidArgument,
                    "parameter `" + name + "` may not be changed by a site (`override: none`)");
      }
      STEPWISE_ASSIGN_OR_RETURN(auto constant, MakeConstant(*slot.parameter, text));
      out.values[static_cast<int>(i)] = std::move(constant);
      out.digest_text += slot.pack + "." + slot.parameter->name + "=" + text + ";";
    }
    if (!found)
      return Fail(Code::kInvalidArgument, "no pack has a parameter `" + name + "`" + Suggest(name, known));
  }
  return out;
}

}  // namespace stepwise::rules
