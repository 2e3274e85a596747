#include "rules/line_checks.h"

#include "rules/forecast.h"

namespace stepwise::rules {
namespace {

void WarnOfConstants(const SourceText& text, const std::vector<ConstantComparison>& constants,
                     Errors* warnings) {
  for (const ConstantComparison& constant : constants) {
    AddError(
        warnings, text.At(constant.span, 0),
        "this comparison is always " + std::string(constant.answer ? "true" : "false") + ": " + constant.why);
  }
}

std::string Words(std::uint8_t outcomes) {
  switch (outcomes) {
    case kYes: return "always true";
    case kNo: return "always false";
    case kNothing: return "always unknown";
    case kYes | kNothing: return "always true or unknown";
    default: return "always false or unknown";
  }
}

class RuleLines {
 public:
  RuleLines(const ForecastScope& scope, Errors* errors, Errors* warnings)
      : rule_(*scope.rule), plain_(scope), forecaster_(scope), errors_(errors), warnings_(warnings) {}

  void Check() {
    for (std::size_t i = 0; i < rule_.lines.size(); ++i) {
      const RuleLine& line = rule_.lines[i];
      if (line.expression.span.line == 0) continue;  // was reported
      if (!Line(line, i + 1 < rule_.lines.size())) return;
      forecaster_.Learn(line.expression.text, !line.unless, Fires(line));
    }
  }

 private:
  bool Fires(const RuleLine& line) const {
    const UnknownPolicy policy = line.unknown == UnknownPolicy::kUnset ? rule_.unknown_default : line.unknown;
    return policy == UnknownPolicy::kFire;
  }

  // False: nothing gets past this line.
  bool Line(const RuleLine& line, bool more) {
    std::vector<ConstantComparison> constants;
    const Forecast alone = plain_.Of(line.expression.text, &constants);
    const std::uint8_t outcomes = forecaster_.Of(line.expression.text).outcomes;
    // Missing data make a line unknown, whatever it would have computed.
    const int possible = outcomes | (alone.reads_data ? kNothing : 0);
    const int passing = (line.unless ? kNo : kYes) | (Fires(line) ? kNothing : 0);
    const bool never = (possible & passing) == 0, stops = (outcomes & passing) == 0;
    const bool constant = outcomes == kYes || outcomes == kNo || outcomes == kNothing;
    if (!stops && !constant) {
      WarnOfConstants(line.expression, constants, warnings_);
      return true;
    }
    const bool above = alone.outcomes != outcomes;  // the lines above decide it
    std::string message = "line `" + line.id + "` is " + Words(outcomes);
    if (above) {
      message += " when the lines above let it be reached";
    } else if (!constants.empty()) {
      message += " (" + constants[0].why + ")";
    }
    const SourceSpan span =
        above || constants.empty() ? line.expression.span : line.expression.At(constants[0].span, 0);
    if (stops) {
      message += never ? ", so the rule never fires" : ", so the rule fires only when its data are missing";
      if (never && more) message += " and the lines after it are never reached";
      AddError(errors_, span, message + "; change it, or set `mode: off` and say `why`");
    } else if (alone.reads_data && !above && !Fires(line)) {
      AddError(warnings_, span,
               message + " where its data are known, so it only asks whether they are; change it");
    } else {
      AddError(warnings_, span, message + ", so it decides nothing; remove it or change it");
    }
    return !never;
  }

  const Rule& rule_;
  Forecaster plain_, forecaster_;  // without and with what the lines above say
  Errors* errors_;
  Errors* warnings_;
};

}  // namespace

void CheckLines(const Pack& pack, std::span<const Pack* const> required, Errors* errors, Errors* warnings) {
  const auto named = [&](const std::vector<NamedExpression>& list, const Rule* rule) {
    for (const NamedExpression& one : list) {
      std::vector<ConstantComparison> constants;
      Forecaster({&pack, required, rule}).Of(one.expression.text, &constants);
      WarnOfConstants(one.expression, constants, warnings);
    }
  };
  named(pack.facts, nullptr);
  for (const Rule& rule : pack.rules) {
    if (rule.mode == RuleMode::kOff) continue;
    named(rule.lets, &rule);
    RuleLines({&pack, required, &rule}, errors, warnings).Check();
  }
}

bool CanBeEmpty(const SourceText& criterion, const Pack& pack, std::span<const Pack* const> required,
                const Rule& rule) {
  return (Forecaster({&pack, required, &rule}).Of(criterion.text).outcomes & kNothing) != 0;
}

}  // namespace stepwise::rules
