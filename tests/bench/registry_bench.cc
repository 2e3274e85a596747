// A registry of 100 packs of 80 rules: how long it takes to load and how much memory it keeps, what a reload
// costs when only the activation changed, and that a request pays nothing for packs of other hooks.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "rules/registry.h"
#include "tests/bench/allocations.h"
#include "tests/testing.h"

namespace stepwise::rules {
namespace {

constexpr int kPacks = 100, kRules = 80;

constexpr std::string_view kPackYaml = R"yaml(pack: 1
id: org.example.bench-@PACK@
canonical: https://example.org/bench-@PACK@
version: 1.0.0
title: Bench pack @PACK@
status: active
fhir: [4.0.1]
parameters:
  lookback: { type: integer, unit: d, default: 7, min: 1, max: 30 }
  threshold: { type: decimal, default: 4, min: 1, max: 10 }
prefetch:
  patient: "Patient/{{context.patientId}}"
  meds: "MedicationRequest?patient={{context.patientId}}&status=active"
  pain: "Observation?patient={{context.patientId}}&_count=20"
valuesets:
  strong: { file: valuesets/strong.yaml, version: 1.0.0 }
facts:
  scores: "%pain.entry.resource.ofType(Observation).value.ofType(Quantity).value"
)yaml";

constexpr std::string_view kValueSetYaml = R"yaml(name: strong
url: https://example.org/ValueSet/strong
version: 1.0.0
title: Demonstration codes
system: http://www.nlm.nih.gov/research/umls/rxnorm
codes: { "7052": morphine, "7804": oxycodone }
)yaml";

constexpr std::string_view kRuleYaml = R"yaml(rule: B-@RULE@
title: Bench rule @RULE@
why: Measures how long loading takes.
hooks: [@HOOK@]
for-each:
  order: "%context.draftOrders.entry.resource.ofType(MedicationRequest)"
let:
  is_strong: "%order.medication.ofType(CodeableConcept).memberOf('strong')"
  recent: "%scores.where($this >= %p.threshold).count() >= @RULE@"
  others: "%meds.entry.resource.ofType(MedicationRequest).where(id != %order.id)"
when:
  - { id: strong, text: "the order is for a strong opioid", if: "%is_strong" }
  - { id: recent, text: "scores were high", if: "%recent" }
  - { id: old, text: "the patient was born", if: "%patient.birthDate <= today() - %p.lookback" }
unless:
  - { id: others, text: "another is active", if: "%others.exists(dosageInstruction.asNeeded.empty())" }
unknown: { default: silent }
priority: @RULE@
card:
  summary: "{{%order.medication.ofType(CodeableConcept).text}}: bench rule @RULE@"
  indicator: info
  detail: |
    **Why**: {{explain.when}}

    More than {{%p.threshold}} in {{%p.lookback}}.
)yaml";

std::string Fill(std::string_view text, int pack, int rule, const std::string& hook) {
  std::string out(text);
  for (const auto& [name, value] : {std::pair<std::string, std::string>{"@PACK@", std::to_string(pack)},
                                    {"@RULE@", std::to_string(rule)},
                                    {"@HOOK@", hook}}) {
    for (std::size_t at; (at = out.find(name)) != std::string::npos;) out.replace(at, name.size(), value);
  }
  return out;
}

// The first pack answers order-sign, all others order-select.
class Packs {
 public:
  explicit Packs(int count) {
    for (int pack = 0; pack < count; ++pack) {
      const auto dir = root_.path() / "packs" / std::to_string(pack);
      const std::string hook = pack == 0 ? "order-sign" : "order-select";
      WriteFile(dir / "pack.yaml", Fill(kPackYaml, pack, 0, hook));
      WriteFile(dir / "valuesets/strong.yaml", kValueSetYaml);
      for (int rule = 1; rule <= kRules; ++rule)
        WriteFile(dir / "rules" / (std::to_string(rule) + ".yaml"), Fill(kRuleYaml, pack, rule, hook));
    }
    WriteFile(activation(),
              "activation: 1\nsites: { default: { org.example.bench-0: [ { version: 1.0.0 } ] } }\n");
  }
  std::filesystem::path activation() const { return root_.path() / "activation.yaml"; }
  RegistryOptions options() const { return {{(root_.path() / "packs").string()}, ""}; }
  RegistryOptions activated() const { return {{(root_.path() / "packs").string()}, activation().string()}; }

 private:
  TempDir root_;
};

const Packs& Many() {
  static const Packs packs(kPacks);
  return packs;
}

DateTime Now() { return *DateTime::ParseDateTime("2026-12-10T09:00:00Z"); }

double ResidentMegabytes() {
  std::ifstream in("/proc/self/statm");
  long total = 0, resident = 0;
  in >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

std::unique_ptr<Registry> Open(const RegistryOptions& options, std::size_t packs, benchmark::State& state) {
  auto registry = Registry::Open(options, &Now);
  if (!registry) {
    state.SkipWithError(registry.error().ToString().substr(0, 500).c_str());
    return nullptr;
  }
  if ((*registry)->status().packs.size() != packs) {
    state.SkipWithError("wrong number of packs");
    return nullptr;
  }
  return *std::move(registry);
}

void BM_Load(benchmark::State& state) {
  const RegistryOptions options = Many().options();
  const double before = ResidentMegabytes();
  const std::int64_t allocations = Allocations();
  double after = 0;
  for (auto _ : state) {
    auto registry = Open(options, kPacks, state);
    if (registry == nullptr) return;
    state.PauseTiming();
    if (after == 0) after = ResidentMegabytes();  // of one registry: later ones reuse freed memory
    registry.reset();                             // starting is measured, not stopping
    state.ResumeTiming();
  }
  state.counters["resident_MB"] = after - before;
  state.counters["allocations"] =
      static_cast<double>(Allocations() - allocations) / static_cast<double>(state.iterations());
  state.counters["rules"] = kPacks * kRules;
}

void BM_ReloadActivation(benchmark::State& state) {
  const auto registry = Open(Many().activated(), kPacks, state);
  if (registry == nullptr) return;
  for (auto _ : state) {
    if (!registry->Reload()) {
      state.SkipWithError("did not reload");
      return;
    }
  }
}

const Document& Request() {
  static const Document document = *Document::Parse(R"({"hook":"order-sign","context":{"patientId":"p1",
    "draftOrders":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"MedicationRequest","id":"o1",
    "subject":{"reference":"Patient/p1"},"medicationCodeableConcept":{"text":"morphine","coding":[{"system":
    "http://www.nlm.nih.gov/research/umls/rxnorm","code":"7052"}]}}}]}},"prefetch":{
    "patient":{"resourceType":"Patient","id":"p1","birthDate":"1960-01-01"},"meds":null,"pain":{"resourceType":
    "Bundle","type":"searchset","entry":[{"resource":{"resourceType":"Observation","id":"s1","valueQuantity":
    {"value":7}}}]}}})");
  return document;
}

void BM_Request(benchmark::State& state) {
  const Packs* packs = state.range(0) == kPacks ? &Many() : nullptr;
  const Packs one(packs == nullptr ? 1 : 0);
  const auto registry =
      Open((packs == nullptr ? one : *packs).options(), static_cast<std::size_t>(state.range(0)), state);
  if (registry == nullptr) return;
  for (auto _ : state) {
    const auto decision = registry->Evaluate(Request(), Now(), std::chrono::milliseconds(2000));
    if (!decision || decision->cards.size() != 1 || decision->rules.size() != kRules ||
        decision->packs.size() != 1) {
      state.SkipWithError("wrong decision");
      return;
    }
  }
}

BENCHMARK(BM_Load)->Name("Registry/Load100PacksOf80Rules")->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ReloadActivation)->Name("Registry/ReloadActivationOnly")->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Request)->Name("Registry/RequestAmongPacks")->Arg(1)->Arg(kPacks)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace stepwise::rules
