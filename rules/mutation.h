// Mutation: would the tests of a pack notice a wrong operator?
//
//   std::vector<Mutant> mutants = MutantsOf(pack);          // one changed operator each
//   MutationReport report = RunMutants(base, {"my-pack"});  // which of them make some test case fail
//
// A mutant is the pack with one operator of one expression replaced: = != < <= > >= and or, in facts,
// for-each, lets, when and unless lines of rules that are not off. Operators are found by the FHIRPath
// parser, so that nothing in a string or a name is touched, and everything happens in memory. A mutant is
// caught when a test case of its pack, or of a named pack that requires it, fails.
//
// Some mutants mean the same as the original. They stand in mutants.yaml beside the pack.yaml, with a reason:
//
//   equivalent:
//     - { in: fact newest, was: "issued > %time", becomes: "issued >= %time", why: "a score is as old as
//     itself" }
//
// Thread-safety: pure but for reading the disk.
#ifndef STEPWISE_RULES_MUTATION_H_
#define STEPWISE_RULES_MUTATION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "rules/knowledge_base.h"

namespace stepwise::rules {

enum class MutantFate : std::uint8_t { kCaught, kSurvived, kEquivalent };

struct Mutant {
  std::string pack;            // id
  std::size_t expression = 0;  // number of the expression in its pack
  std::string where;           // "fact newest_scores", "LAD-06 line severe"
  std::string from, to;        // operators
  std::string was, becomes;    // the whole expression
  SourceSpan span;             // of the operator
  MutantFate fate = MutantFate::kSurvived;
};

// In the order of the expressions in the pack.
std::vector<Mutant> MutantsOf(const Pack& pack);

struct MutationReport {
  Errors errors;  // packs or mutants.yaml that cannot be used, tests that fail without any change
  std::vector<Mutant> mutants;

  std::size_t Number(MutantFate fate) const;
  double percent() const;  // caught, of those that are not equivalent; 100 when there are none
};

// `named`: ids of the packs whose mutants are made and whose tests
// are run. `done` is called after each mutant.
MutationReport RunMutants(const KnowledgeBase& base, const std::set<std::string>& named,
                          const std::function<void(const Mutant&)>& done = {});

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_MUTATION_H_
