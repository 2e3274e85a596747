// ImportedKnowledge: value sets, and the facts, parameters and prefetch of a Library that we have written.
//
//   ImportedKnowledge knowledge(&head);
//   knowledge.ValueSet(set);
//   knowledge.Library(library);
//   knowledge.Sections()     // of pack.yaml: parameters, valuesets, prefetch, facts
//   knowledge.files()        // valuesets/*.yaml
//
// A value set comes in whole or not at all: enumerated codes, and `is-a` for codes with all below them.
// Libraries of others are CQL and stay out. Not thread-safe.
#ifndef STEPWISE_RULES_IMPORTED_KNOWLEDGE_H_
#define STEPWISE_RULES_IMPORTED_KNOWLEDGE_H_

#include <set>
#include <string>

#include "rules/archive.h"
#include "rules/imported_head.h"

namespace stepwise::rules {

class ImportedKnowledge {
 public:
  explicit ImportedKnowledge(ImportedHead* head) : head_(head) {}

  void ValueSet(const JsonElement& set);
  void Library(const JsonElement& library);
  std::string Sections() const;
  const FileMap& files() const { return files_; }

 private:
  bool Facts(const JsonElement& library);
  bool Parameters(const JsonElement& library);
  bool Prefetch(const JsonElement& library);

  ImportedHead* head_;
  FileMap files_;
  std::string parameters_, value_sets_, prefetch_, facts_;  // entries of the sections
  std::set<std::string> sets_, fact_names_, queries_;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_IMPORTED_KNOWLEDGE_H_
