// What the memory of decisions costs a request: the record of the demonstration's order-sign made, sealed and
// appended to the spool, next to the evaluation it belongs to (order_sign_bench.cc).
#include <benchmark/benchmark.h>

#include <cstring>

#include "cds_hooks/card.h"
#include "cds_hooks/store/record.h"
#include "cds_hooks/store/spool.h"
#include "rules/local_evaluator.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

// sealed: with the answer; input: with the input, too.
void Record(benchmark::State& state, bool sealed, bool input) {
  std::string text = ReadFile(SourceDir() / "tests/demo/order-sign.json.in");
  for (const auto& [from, to] :
       {std::pair("@NOW-2h@", "2026-11-20T07:00:00Z"), std::pair("@NOW-20h@", "2026-11-19T13:00:00Z")}) {
    for (std::size_t at; (at = text.find(from)) != std::string::npos;)
      text.replace(at, std::strlen(from), to);
  }
  const std::string packs[] = {(SourceDir() / "rules/packs").string()};
  const auto evaluator = rules::LoadLocalEvaluator(packs);
  const auto document = Document::Parse(text);
  const rules::EvaluateOptions how;
  const auto decision =
      (*evaluator)->Evaluate(*document, *DateTime::ParseDateTime("2026-11-20T09:00:00Z"), how);
  const std::string response = CardsJson(*decision);

  const Sealer sealer(sealed ? std::vector<Key>{Key{}} : std::vector<Key>());
  const Pseudonyms pseudonyms(Key{});
  const RecordMaker maker({"", input}, sealer, pseudonyms);
  const TempDir dir;
  const auto spool = Spool::Open({.dir = dir.path().string()});
  std::size_t bytes = 0;
  for (auto _ : state) {
    const DecisionRecord record =
        maker.Make({"stepwise-order-sign", "p1", *decision, how, *document, response, 0, 0, 0});
    const bool kept = (*spool)->Append(FrameType::kDecision, record.SerializeAsString());
    state.PauseTiming();
    const std::vector<Frame> frames = (*spool)->Peek(1);
    DecisionRecord read;
    if (!kept || frames.size() != 1 || !read.ParseFromString(frames[0].payload) ||
        read.id() != decision->id || read.sealed().empty() == sealed)
      state.SkipWithError("the frame is not readable");
    (*spool)->Take(frames);
    bytes = frames.empty() ? 0 : frames[0].payload.size();
    state.ResumeTiming();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}

void BM_Open(benchmark::State& state) { Record(state, false, false); }
void BM_Answer(benchmark::State& state) { Record(state, true, false); }
void BM_Input(benchmark::State& state) { Record(state, true, true); }
BENCHMARK(BM_Open)->Name("Record/NothingSealed");
BENCHMARK(BM_Answer)->Name("Record/AnswerSealed");
BENCHMARK(BM_Input)->Name("Record/AnswerAndInputSealed");

}  // namespace
}  // namespace stepwise::cds_hooks
