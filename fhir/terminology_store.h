// TerminologyStore: the Terminology that CodeSystem and ValueSet resources describe, R4 and R5, offline.
//
//   STEPWISE_ASSIGN_OR_RETURN(Document codes, Document::Parse(bytes));   // a resource, or a Bundle of them
//   STEPWISE_ASSIGN_OR_RETURN(TerminologyStore store, TerminologyStore::Build(codes));
//   store.FindValueSet("http://example.org/ValueSet/opioids|1.0.0")->Contains(system, code)
//   for (const std::string& note : store.notes()) ...                    // what was not understood
//
// A value set's expansion is taken where it has one, else its compose is worked out: concept lists, filters
// over the code systems at hand, imports of other sets, excludes. Everything is computed while building;
// Contains() and Subsumes() look up and allocate nothing (Subsumes() may once a thread).
//
// The three answers. in: an include surely holds the code and no exclude may. out: every include surely does
// not hold it or an exclude surely does, and some include is about the code's system. unknown: all else. What
// is not at hand makes answers unknown, never wrong: a code system that is absent, a fragment or
// compositional; a filter that is not understood; a missing import; a part of an expansion. Each such thing
// leaves a note. A code without a system is in when the set holds it under any system, and out when it is out
// under all.
//
// Case: codes are compared as their code system says. Where nobody says, a code that differs from a known one
// in case only is unknown. The hierarchy counts as is-a where hierarchyMeaning is is-a or absent. Abstract
// entries of an expansion are no members; inactive ones are. Several versions: "url" means the newest one,
// "url|version" that one, or one that has no version. Source: FHIR R4 and R5 "CodeSystem", "ValueSet"; filter
// operators: http://hl7.org/fhir/filter-operator. Thread-safety: immutable once built.
#ifndef STEPWISE_FHIR_TERMINOLOGY_STORE_H_
#define STEPWISE_FHIR_TERMINOLOGY_STORE_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/document.h"
#include "fhir/result.h"
#include "fhir/terminology.h"

namespace stepwise {

struct TerminologyLimits {
  std::size_t max_codes = 10'000'000;     // concepts of code systems and members of value sets, all together
  std::size_t max_steps = 1'000'000'000;  // concepts that filters try, all together
  int max_depth = 64;                     // concepts within concepts, Bundles within Bundles
  int max_imports = 32;                   // value sets that import one another, in a chain
  std::size_t max_pattern = 1000;         // bytes of a regex filter
  std::size_t max_notes = 1000;           // the rest is counted only
};

// A document and what its errors and notes call it; "" for none.
struct TerminologyFile {
  const Document* document = nullptr;
  std::string name;
};

class TerminologyStore final : public Terminology {
 public:
  // The documents may go afterwards. Errors: kInvalidArgument (another resource than CodeSystem, ValueSet or
  // a Bundle of them; an element that must be there or may not; two that are the same and differ), kSemantic
  // (sets that import each other in a circle, concepts that descend from themselves), kLimit.
  static Result<TerminologyStore> Build(std::span<const TerminologyFile> files,
                                        const TerminologyLimits& limits = {});
  static Result<TerminologyStore> Build(const Document& document, const TerminologyLimits& limits = {});

  TerminologyStore(TerminologyStore&&) noexcept;
  TerminologyStore& operator=(TerminologyStore&&) noexcept;
  ~TerminologyStore() override;

  // By canonical URL, else by name, else by id; a name or id of two different sets finds neither. The
  // canonical URL that a code system gives for the set of all its codes (CodeSystem.valueSet) is known too.
  const ValueSet* FindValueSet(std::string_view name) const override;
  // A code subsumes itself even where its system is not at hand. `system` may have a |version.
  Membership Subsumes(std::string_view system, std::string_view ancestor,
                      std::string_view code) const override;

  // What was not understood or is not at hand, in the order of the documents: "file: path: message".
  std::span<const std::string> notes() const;

 private:
  struct Data;
  explicit TerminologyStore(std::unique_ptr<const Data> data);
  std::unique_ptr<const Data> data_;
};

}  // namespace stepwise

#endif  // STEPWISE_FHIR_TERMINOLOGY_STORE_H_
