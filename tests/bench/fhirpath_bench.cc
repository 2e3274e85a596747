// FHIRPath on a searchset of 50 resources: parse, each expression of data/expressions.json, and parse plus
// seven rules. Every iteration checks its result, so that a bug cannot look fast. Counters: allocations per
// evaluation (must be 0 once warm) and a parsed bundle's bytes against its JSON's.
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <nlohmann/json.hpp>

#include "fhir/fhirpath/fhirpath.h"
#include "tests/bench/allocations.h"
#include "tests/testing.h"

namespace stepwise {
namespace {

using fhirpath::CompileOptions;
using fhirpath::Evaluation;
using fhirpath::Item;
using fhirpath::Items;
using fhirpath::Program;

struct Case {
  std::string name, expression;
  std::vector<std::string> expected;
};

const std::string& BundleText() {
  static const std::string text = ReadFile(SourceDir() / "tests/bench/data/bundle.json");
  return text;
}

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = [] {
    std::vector<Case> list;
    const auto json = nlohmann::json::parse(ReadFile(SourceDir() / "tests/bench/data/expressions.json"));
    for (const auto& row : json) {
      Case entry{row["name"], row["expression"], {}};
      for (const auto& value : row["expected"])
        entry.expected.push_back(value.is_string() ? value.get<std::string>() : value.dump());
      list.push_back(std::move(entry));
    }
    return list;
  }();
  return cases;
}

Program MustCompile(const std::string& expression) {
  CompileOptions options;
  options.context_type = types::kBundle;
  auto program = fhirpath::Compile(expression, options);
  if (!program) {
    std::fprintf(stderr, "%s: %s\n", expression.c_str(), program.error().ToString().c_str());
    std::abort();
  }
  return *program;
}

// Bodies as a server has them: in memory, with room for the padding, and given away to Parse. They are made
// in batches outside the timing, since simdjson's parse of the same bytes pays for no copy either.
class Bodies {
 public:
  explicit Bodies(benchmark::State& state) : state_(state) {}
  std::string Next() {
    if (next_ == bodies_.size()) {
      state_.PauseTiming();
      bodies_.assign(kBatch, std::string());
      for (std::string& body : bodies_) {
        body.reserve(BundleText().size() + 64);
        body.append(BundleText());
      }
      next_ = 0;
      state_.ResumeTiming();
    }
    return std::move(bodies_[next_++]);
  }

 private:
  static constexpr std::size_t kBatch = 64;
  benchmark::State& state_;
  std::vector<std::string> bodies_;
  std::size_t next_ = 0;
};

bool Matches(Items items, const std::vector<std::string>& expected) {
  if (items.size() != expected.size()) return false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    // Text only where it costs nothing: numbers and Booleans are checked by value.
    const Item& item = items[i];
    switch (item.kind()) {
      case fhirpath::ItemKind::kNode:
        if (item.node().text() != expected[i]) return false;
        break;
      case fhirpath::ItemKind::kInteger:
        if (item.integer() != std::strtoll(expected[i].c_str(), nullptr, 10)) return false;
        break;
      case fhirpath::ItemKind::kDecimal:
        if (item.decimal() != Decimal(std::strtoll(expected[i].c_str(), nullptr, 10))) return false;
        break;
      case fhirpath::ItemKind::kBoolean:
        if (item.boolean() != (expected[i] == "true")) return false;
        break;
      default: return false;
    }
  }
  return true;
}

void BM_Expression(benchmark::State& state, const Case& entry) {
  const Document document = *Document::Parse(BundleText());
  const Program program = MustCompile(entry.expression);
  const Item input = Item::Of(document.root(), types::kBundle);
  const DateTime now = DateTime::FromUnixMillis(1'795'000'000'000);
  Evaluation evaluation({.now = now});
  const auto run = [&] {
    evaluation.Reset(now);
    const auto items = evaluation.Run(program, input);
    return items && Matches(*items, entry.expected);
  };
  for (int i = 0; i < 3; ++i) run();
  std::int64_t allocations = 0;
  for (auto _ : state) {
    const std::int64_t before = Allocations();
    if (!run()) {
      state.SkipWithError("wrong result");
      return;
    }
    allocations += Allocations() - before;
  }
  state.counters["allocations"] =
      benchmark::Counter(static_cast<double>(allocations), benchmark::Counter::kAvgIterations);
}

void BM_Parse(benchmark::State& state) {
  double ratio = 0;
  Bodies bodies(state);
  for (auto _ : state) {
    const auto document = Document::Parse(bodies.Next());
    if (!document || document->resources().size() != 51) {
      state.SkipWithError("wrong result");
      return;
    }
    ratio = static_cast<double>(document->memory_bytes()) / static_cast<double>(BundleText().size());
  }
  state.counters["memory_per_json_byte"] = ratio;
}

// The yardstick: simdjson's own DOM parse of the same bytes, parser reused.
void BM_SimdjsonDom(benchmark::State& state) {
  const simdjson::padded_string text(BundleText());
  simdjson::dom::parser parser;
  for (auto _ : state) {
    simdjson::dom::element root;
    if (parser.parse(text).get(root) != simdjson::SUCCESS || !root["entry"].is_array()) {
      state.SkipWithError("wrong result");
      return;
    }
    benchmark::DoNotOptimize(root);
  }
}

// What one request costs: read it, then seven rules over it.
void BM_ParseAndSevenRules(benchmark::State& state) {
  static constexpr std::string_view kRules[] = {"boolean_rule",     "of_type_count", "loinc_exists",
                                                "quantity_literal", "two_drugs",     "date_window",
                                                "latest_value"};
  std::vector<std::pair<Program, const Case*>> rules;
  for (const std::string_view name : kRules) {
    for (const Case& entry : Cases()) {
      if (entry.name == name) rules.emplace_back(MustCompile(entry.expression), &entry);
    }
  }
  const DateTime now = DateTime::FromUnixMillis(1'795'000'000'000);
  Evaluation evaluation({.now = now});
  Bodies bodies(state);
  for (auto _ : state) {
    const auto document = Document::Parse(bodies.Next());
    const Item input = Item::Of(document->root(), types::kBundle);
    evaluation.Reset(now);
    for (const auto& [program, entry] : rules) {
      const auto items = evaluation.Run(program, input);
      if (!items || !Matches(*items, entry->expected)) {
        state.SkipWithError("wrong result");
        return;
      }
    }
  }
}

const bool kRegistered = [] {
  benchmark::RegisterBenchmark("SimdjsonDom", BM_SimdjsonDom);
  benchmark::RegisterBenchmark("Parse", BM_Parse);
  benchmark::RegisterBenchmark("ParseAndSevenRules", BM_ParseAndSevenRules);
  for (const Case& entry : Cases()) {
    benchmark::RegisterBenchmark(("Expression/" + entry.name).c_str(),
                                 [&entry](benchmark::State& state) { BM_Expression(state, entry); });
  }
  return true;
}();

}  // namespace
}  // namespace stepwise
