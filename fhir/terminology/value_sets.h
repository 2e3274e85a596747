// ValueSets: works out what the ValueSet resources of a store hold.
//
//   ValueSets sets(&code_systems, &reading);
//   sets.Add(resource) ...; sets.AddAllOf(code_system) ...   // all of them, since sets import one another
//   sets.WorkOut() ...; sets.Take()
//
// Thread-safety: one thread.
#ifndef STEPWISE_FHIR_TERMINOLOGY_VALUE_SETS_H_
#define STEPWISE_FHIR_TERMINOLOGY_VALUE_SETS_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/terminology/canonicals.h"
#include "fhir/terminology/code_system.h"
#include "fhir/terminology/extent.h"
#include "fhir/terminology/reading.h"

namespace stepwise::terminology {

class StoredValueSet final : public ValueSet {
 public:
  Membership Contains(std::string_view system, std::string_view code) const override;
  bool IsAbout(std::string_view system) const override;
  std::string WhyUnknown(std::string_view system, std::string_view code) const override;

  std::string url, version, name, id;
  Extent extent;
};

class ValueSets {
 public:
  ValueSets(const Canonicals<CodeSystem>* systems, Reading* reading)
      : systems_(*systems), reading_(*reading) {}

  // Errors: kInvalidArgument.
  Status Add(Node resource);
  // The set of all codes of a system, under the URL that the system gives for it; nothing if a set has it
  // already.
  void AddAllOf(const CodeSystem* system, Node resource);
  Status WorkOut();

  const Canonicals<StoredValueSet>& canonicals() const { return canonicals_; }
  std::vector<std::unique_ptr<const StoredValueSet>> Take();

 private:
  enum class State : std::uint8_t { kWaiting, kWorking, kDone };
  struct Definition {
    std::unique_ptr<StoredValueSet> set;
    Node resource;
    std::string file;
    const CodeSystem* all_of = nullptr;
    State state = State::kWaiting;
  };

  Status WorkOut(Definition* definition);
  Result<Extent> ReadValueSet(Definition* definition);
  Result<Extent> ReadExpansion(Node resource, Node expansion, bool* partial);
  Result<Extent> ReadCompose(Node compose);
  Result<Extent> ReadInclude(Node include);
  Result<Part> ReadSystem(Node include, std::string_view system_url);
  Result<Part> ReadListed(Node include, const CodeSystem* system, CaseRule case_rule);
  Result<Part> ReadFilters(Node include, const CodeSystem& system);
  Result<Part> AllOf(const CodeSystem& system, Node at);
  // What all parts of `extent` know to be inactive.
  Result<Extent> InactiveCodes(const Extent& extent, Node at);
  CaseRule CaseRuleOf(std::string_view system_url) const;
  Result<Extent> Import(Node at, std::string_view canonical);

  const Canonicals<CodeSystem>& systems_;
  Reading& reading_;
  std::vector<std::unique_ptr<Definition>> definitions_;
  Canonicals<StoredValueSet> canonicals_;
  std::unordered_map<const StoredValueSet*, Definition*> by_set_;
  std::unordered_map<const CodeSystem*, std::shared_ptr<const Answers>> all_codes_;
  std::vector<const Definition*> working_;  // the chain of imports
};

}  // namespace stepwise::terminology

#endif  // STEPWISE_FHIR_TERMINOLOGY_VALUE_SETS_H_
