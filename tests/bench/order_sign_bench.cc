// One order-sign request in this process, from bytes to the bytes of the cards, next to simdjson's parse of
// the same bytes: how much a decision costs beyond reading the request.
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include "cds_hooks/discovery.h"
#include "cds_hooks/pipeline.h"
#include "rules/local_evaluator.h"
#include "tests/bench/allocations.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

// The demonstration's request, its times pinned to `now` below.
const std::string& RequestText() {
  static const std::string text = [] {
    std::string out = ReadFile(SourceDir() / "tests/demo/order-sign.json.in");
    for (const auto& [from, to] :
         {std::pair("@NOW-2h@", "2026-11-20T07:00:00Z"), std::pair("@NOW-20h@", "2026-11-19T13:00:00Z")}) {
      for (std::size_t at; (at = out.find(from)) != std::string::npos;)
        out.replace(at, std::strlen(from), to);
    }
    return out;
  }();
  return text;
}

const DateTime kNow = *DateTime::ParseDateTime("2026-11-20T09:00:00Z");

void BM_SimdjsonDom(benchmark::State& state) {
  const simdjson::padded_string text(RequestText());
  simdjson::dom::parser parser;
  for (auto _ : state) {
    simdjson::dom::element root;
    if (parser.parse(text).get(root) != simdjson::SUCCESS || !root["context"].is_object())
      state.SkipWithError("wrong result");
    benchmark::DoNotOptimize(root);
  }
  state.counters["bytes"] = static_cast<double>(RequestText().size());
}

void BM_Answer(benchmark::State& state) {
  const std::string packs[] = {(SourceDir() / "rules/packs").string()};
  const auto evaluator = rules::LoadLocalEvaluator(packs);
  if (!evaluator) {
    state.SkipWithError(evaluator.error().ToString().c_str());
    return;
  }
  const auto infos = (*evaluator)->ListPacks();
  const auto catalog = BuildCatalog(*infos);
  for (auto _ : state) {
    std::string body = RequestText();
    const Answer answer =
        AnswerRequest(std::move(body), FindService("stepwise-order-sign"), *catalog, **evaluator, kNow, {});
    if (!answer.errors.empty() || answer.decision.cards.size() != 2) {
      state.SkipWithError("wrong cards");
      return;
    }
  }
}

void BM_EvaluateOnly(benchmark::State& state) {
  const std::string packs[] = {(SourceDir() / "rules/packs").string()};
  const auto evaluator = rules::LoadLocalEvaluator(packs);
  const auto document = Document::Parse(RequestText());
  const std::int64_t before = Allocations();
  for (auto _ : state) {
    const auto decision = (*evaluator)->Evaluate(*document, kNow, std::chrono::milliseconds(2000));
    if (!decision || decision->cards.size() != 2) {
      state.SkipWithError("wrong cards");
      return;
    }
  }
  state.counters["allocations"] =
      static_cast<double>(Allocations() - before) / static_cast<double>(state.iterations());
}

BENCHMARK(BM_SimdjsonDom)->Name("OrderSign/SimdjsonDom");
BENCHMARK(BM_EvaluateOnly)->Name("OrderSign/EvaluateOnly");
BENCHMARK(BM_Answer)->Name("OrderSign/BytesToCards");

}  // namespace
}  // namespace stepwise::cds_hooks
