// PackTerminology: the value sets and tables that the expressions of one pack can name: its own, and those of
// the packs that it requires.
//
// Handed to FHIRPath as the Terminology, so memberOf('strong_opioid') and lookup('omeq', code) are answered
// from the packs and never from the network.
// Thread-safety: immutable after loading.
#ifndef STEPWISE_RULES_PACK_TERMINOLOGY_H_
#define STEPWISE_RULES_PACK_TERMINOLOGY_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/terminology.h"
#include "rules/medication/drug_knowledge.h"
#include "rules/pack.h"

namespace stepwise::rules {

class PackTerminology final : public Terminology {
 public:
  // `required`: terminologies of the packs that this one requires, all the way down; they outlive this one.
  PackTerminology(const Pack& pack, std::vector<const PackTerminology*> required, Errors* errors);

  const ValueSet* FindValueSet(std::string_view name) const override { return FindCodes(name); }
  // Reflexive only: packs carry no code system hierarchies.
  Membership Subsumes(std::string_view system, std::string_view ancestor,
                      std::string_view code) const override;

  // By name in pack.yaml, or by url with an optional |version.
  const CodeSet* FindCodes(std::string_view name) const;
  const Table* FindTable(std::string_view name) const;
  // The drug tables of this pack or of one that it requires; nullptr if none has them.
  const medication::DrugKnowledge* drugs() const;
  std::vector<std::string> TableNames() const;
  std::vector<std::string> ValueSetNames() const;

 private:
  std::vector<const PackTerminology*> required_;
  std::map<std::string, const Table*, std::less<>> tables_;
  std::map<std::string, std::unique_ptr<CodeSet>, std::less<>> value_sets_;
  std::unique_ptr<const medication::DrugKnowledge> drugs_;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_TERMINOLOGY_H_
