// The whole decision on the demonstration's order-sign request: parse, evaluate every shipped pack, render cards.
// Every iteration checks the cards. Counters: rules that had an outcome, and allocations a request.
#include <benchmark/benchmark.h>

#include "rules/engine.h"
#include "rules/explain.h"
#include "tests/bench/allocations.h"
#include "tests/testing.h"

namespace stepwise::rules {
namespace {

std::string RequestText() {
  std::string text = ReadFile(SourceDir() / "tests/demo/order-sign.json.in");
  for (std::size_t at = text.find('@'); at != std::string::npos; at = text.find('@')) {  // @NOW-2h@
    const std::size_t end = text.find('@', at + 1);
    text.replace(at, end - at + 1, "2026-11-21T07:00:00Z");
  }
  return text;
}

void BM_OrderSign(benchmark::State& state) {
  const std::string dirs[] = {(SourceDir() / "rules/packs").string()};
  LoadReport report;
  const auto base = KnowledgeBase::LoadFolders(dirs, &report);
  if (base == nullptr) return state.SkipWithError(report.errors.front().ToString().c_str());
  const DateTime now = *DateTime::ParseDateTime("2026-11-21T09:00:00Z");
  const std::string request = RequestText();
  Engine engine;
  std::size_t outcomes = 0, cards = 0;
  const std::int64_t before = Allocations();
  for (auto _ : state) {
    const auto document = Document::Parse(request);
    if (!document) return state.SkipWithError(document.error().ToString().c_str());
    const auto decision = engine.Evaluate(*base, *document, now, {});
    if (!decision) return state.SkipWithError(decision.error().ToString().c_str());
    if (cards != 0 && cards != decision->cards.size()) return state.SkipWithError("other cards than before");
    cards = decision->cards.size();
    outcomes = decision->rules.size();
  }
  if (cards == 0) state.SkipWithError("no card");
  state.counters["cards"] = static_cast<double>(cards);
  state.counters["outcomes"] = static_cast<double>(outcomes);
  state.counters["allocations"] =
      static_cast<double>(Allocations() - before) / static_cast<double>(state.iterations());
}
BENCHMARK(BM_OrderSign)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace stepwise::rules
