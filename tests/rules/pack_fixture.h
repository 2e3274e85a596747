// A pack in a temporary folder, from texts in the test.
//
//   PackFixture pack({{"rules/r.yaml", "rule: r\n..."}});     pack.yaml has a default
//   pack.Load()->RulesFor("patient-view")
#ifndef STEPWISE_TESTS_RULES_PACK_FIXTURE_H_
#define STEPWISE_TESTS_RULES_PACK_FIXTURE_H_

#include <map>
#include <memory>
#include <string>

#include "rules/engine.h"
#include "rules/knowledge_base.h"
#include "tests/testing.h"

namespace stepwise::rules {

inline constexpr std::string_view kTestPack = R"(pack: 1
id: org.example.test
canonical: http://example.org/test
version: 1.2.3
title: Test pack
status: active
fhir: [4.0.1]
evidence:
  - { id: guide, type: citation, label: "The [guide]", url: "http://example.org/guide" }
parameters:
  days:  { type: integer, unit: d, default: 7, min: 1, max: 30 }
  share: { type: decimal, default: 0.10, min: 0.05, max: 0.20 }
  fixed: { type: integer, default: 5, override: none }
prefetch:
  patient: "Patient/{{context.patientId}}"
  meds: "MedicationRequest?patient={{context.patientId}}&status=active"
  pain: { query: "Observation?patient={{context.patientId}}&_count=2", required: false }
facts:
  scores: "%pain.entry.resource.ofType(Observation).value.ofType(Quantity).value"
)";

class PackFixture {
 public:
  explicit PackFixture(const std::map<std::string, std::string>& files, std::string_view head = kTestPack) {
    WriteFile(dir_.path() / "pack.yaml", head);
    for (const auto& [path, text] : files) WriteFile(dir_.path() / path, text);
  }
  std::string dir() const { return dir_.path().string(); }

  // nullptr on errors, which are in `report`.
  std::shared_ptr<const KnowledgeBase> TryLoad() {
    const std::string dirs[] = {dir()};
    return KnowledgeBase::LoadFolders(dirs, &report);
  }
  std::shared_ptr<const KnowledgeBase> Load() {
    auto base = TryLoad();
    for (const Error& error : report.errors) ADD_FAILURE() << error.ToString();
    return base;
  }
  // All errors, one a line, without the folder.
  std::string Errors() const {
    std::string out;
    for (const Error& error : report.errors) out += error.ToString() + "\n";
    for (std::size_t at = out.find(dir() + "/"); at != std::string::npos; at = out.find(dir() + "/"))
      out.erase(at, dir().size() + 1);
    return out;
  }

  LoadReport report;

 private:
  TempDir dir_;
};

// A rule over the fixture's facts, with a line of either kind.
inline constexpr std::string_view kScoreRule = R"yaml(rule: scores
id: X-01
title: High score
hooks: [patient-view]
when:
  - { id: high, text: "a high score", if: "%scores.where($this > 3).exists()" }
unless:
  - { id: treated, text: "already treated", if: "%meds.entry.exists()" }
unknown: { high: silent, treated: fire }
card: { summary: "Score {{%scores}}", indicator: warning }
)yaml";

// A CDS Hooks request with these JSON texts as context entries and as prefetch.
inline std::string RequestJson(std::string_view hook, std::string_view context, std::string_view prefetch) {
  return R"({"hook":")" + std::string(hook) + R"(","hookInstance":"x","context":{"patientId":"p1")" +
         (context.empty() ? "" : "," + std::string(context)) + R"(},"prefetch":{)" + std::string(prefetch) +
         "}}";
}

inline Decision EvaluateJson(const KnowledgeBase& base, const std::string& json,
                             const EngineOptions& options = {}) {
  const auto document = Document::Parse(json);
  if (!document) {
    ADD_FAILURE() << document.error().ToString();
    return {};
  }
  Engine engine;
  auto decision = engine.Evaluate(base, *document, *DateTime::ParseDateTime("2026-12-10T09:00:00Z"), options);
  if (!decision) {
    ADD_FAILURE() << decision.error().ToString();
    return {};
  }
  return std::move(*decision);
}

}  // namespace stepwise::rules

#endif  // STEPWISE_TESTS_RULES_PACK_FIXTURE_H_
