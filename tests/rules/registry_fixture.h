// Versions of packs in a temporary folder, one folder a version, each with rules that say who they are.
//
//   RegistryFixture registry({{.id = "a", .version = "1.0.0"}, {.id = "a", .version = "1.1.0"}});
//   registry.Load()      cards are "a 1.1.0", or "a 1.1.0 by k 1.0.0" with a fact of a required pack
#ifndef STEPWISE_TESTS_RULES_REGISTRY_FIXTURE_H_
#define STEPWISE_TESTS_RULES_REGISTRY_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/rules/pack_fixture.h"

namespace stepwise::rules {

struct PackSpec {
  std::string id = "a", version = "1.0.0";
  std::string status = "active";
  std::string requires_packs = {};  // "{ k: ^1.0 }"; of k the fact `who` is shown
  std::string query = {};           // of the prefetch key `data`
  std::string effective = {};       // "{ from: 2026-12-01 }"
  bool fact = false;                // offers `who` and has no rules
  int rules = 1;
  std::string when = "true";  // condition of the rules
  std::string folder = {};    // below the registry; "" for <id>/<version>
  std::string title = "A pack";
};

inline void WritePack(const std::filesystem::path& root, const PackSpec& spec) {
  const std::filesystem::path dir = root / (spec.folder.empty() ? spec.id + "/" + spec.version : spec.folder);
  std::string head = "pack: 1\nid: org.example." + spec.id + "\nversion: " + spec.version +
                     "\ntitle: " + spec.title + "\nstatus: " + spec.status + "\nfhir: [4.0.1]\n";
  head += spec.requires_packs.empty() ? "\n" : "requires: " + spec.requires_packs + "\n";
  head += spec.query.empty() ? "\n" : "prefetch: { data: \"" + spec.query + "\" }\n";
  if (!spec.effective.empty()) head += "effective: " + spec.effective + "\n";
  if (spec.fact) head += "facts: { who: \"'" + spec.id + " " + spec.version + "'\" }\n";
  head += "canonical: https://example.org/fhir/ImplementationGuide/org.example." + spec.id + "\n";
  WriteFile(dir / "pack.yaml", head);
  const bool shows_fact = spec.requires_packs.find("k:") != std::string::npos;
  for (int i = 0; i < (spec.fact ? 0 : spec.rules); ++i) {
    const std::string id = "R-" + std::to_string(i);
    WriteFile(dir / "rules" / (id + ".yaml"),
              "rule: " + id +
                  "\ntitle: A rule\nhooks: [patient-view]\nwhen:\n  - { id: line, text: t, if: \"" +
                  spec.when + "\" }\ncard: { summary: \"" + spec.id + " " + spec.version +
                  (shows_fact ? " by {{%who}}" : "") + "\", indicator: info }\n");
  }
}

class RegistryFixture {
 public:
  explicit RegistryFixture(const std::vector<PackSpec>& packs) {
    for (const PackSpec& pack : packs) WritePack(root_.path(), pack);
  }
  const std::filesystem::path& root() const { return root_.path(); }

  std::shared_ptr<const KnowledgeBase> Load(bool quiet = false) const {
    report_ = {};
    const std::string dirs[] = {root_.path().string()};
    auto base = KnowledgeBase::LoadFolders(dirs, &report_);
    if (!quiet && base == nullptr) ADD_FAILURE() << errors();
    return base;
  }
  std::string errors() const {
    std::string out;
    for (const Error& error : report_.errors) out += error.ToString() + "\n";
    return out;
  }

 private:
  TempDir root_;
  mutable LoadReport report_;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_TESTS_RULES_REGISTRY_FIXTURE_H_
