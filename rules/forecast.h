// Forecast: what an expression can give before there is any data: constants, parameters and their bounds.
//
//   Forecaster forecaster({&pack, required, &rule});
//   forecaster.Of("%p.days > 60").outcomes == kNo          when the pack says `days: { min: 1, max: 30 }`
//   forecaster.Of("%meds.exists()").outcomes == (kYes | kNo)          never empty
//
// Works on the syntax tree: three-valued logic over sets of outcomes, and ranges of numbers of one unit. What
// it does not understand may give anything, so what it says is always so; it just does not see everything.
// Lets, facts and parameters are followed by name, in the pack and in those that it requires.
// Not thread-safe.
#ifndef STEPWISE_RULES_FORECAST_H_
#define STEPWISE_RULES_FORECAST_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/fhirpath/ast.h"
#include "rules/pack.h"

namespace stepwise::rules {

// Outcomes of an expression as a criterion, as a set. What is there and no Boolean counts as kYes.
enum Outcomes : std::uint8_t { kYes = 1, kNo = 2, kNothing = 4 };
inline constexpr std::uint8_t kAnyOutcome = kYes | kNo | kNothing;

struct Limit {
  Decimal value;
  bool open = false;  // the value itself is outside
};
struct Range {
  std::optional<Limit> low, high;
  std::string unit;              // as written; calendar units in the singular
  std::string ToString() const;  // "1 to 30 day"
};

struct Forecast {
  std::uint8_t outcomes = kAnyOutcome;
  std::optional<Range> range = {};       // of a number or quantity
  std::optional<std::string> text = {};  // the one text that it is
  bool reads_data = false;  // names data of the request: the engine calls it unknown when they are missing
};

// A comparison in the text itself that has the same answer whatever the data are.
struct ConstantComparison {
  SourceSpan span;  // in the expression
  bool answer;
  std::string why;  // "1 to 30 day > 60 day"
};

// Where names are looked up. All outlive the forecaster.
struct ForecastScope {
  const Pack* pack;
  std::span<const Pack* const> required = {};  // all the way down
  const Rule* rule = nullptr;                  // nullptr: a fact
};

class Forecaster {
 public:
  explicit Forecaster(const ForecastScope& scope) : scope_(scope) {}

  // Anything, for a text that does not parse. `constants`: receives what the text itself compares.
  Forecast Of(std::string_view expression, std::vector<ConstantComparison>* constants = nullptr);
  // From now on the expression is known to be true (or false): a line above has let the rule go on.
  // `may_be_empty`: or empty, because the line fires when unknown.
  void Learn(std::string_view expression, bool truth, bool may_be_empty);

 private:
  Forecast Evaluate(const fhirpath::Ast& ast);
  Forecast Name(const std::string& name);
  Forecast Binary(const fhirpath::Ast& ast);
  Forecast Call(const fhirpath::Ast& ast);
  void EvaluateArguments(const fhirpath::Ast& ast);
  void Learn(const fhirpath::Ast& ast, bool truth);
  void Narrow(const fhirpath::Ast& ast, std::string_view op, const Range& limit);

  ForecastScope scope_;
  std::vector<ConstantComparison>* constants_ = nullptr;
  bool reads_data_ = false;
  int depth_ = 0;                               // of names inside names
  int arguments_ = 0;                           // inside arguments of calls, where $this is another
  std::map<std::string, std::uint8_t> learnt_;  // by the text of the tree
  std::map<std::string, Range> ranges_;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_FORECAST_H_
