// What is wrong with the texts of cards, before any patient sees one.
//
//   - HTML in them: CDS Hooks wants plain text and GitHub-flavoured Markdown, and clients drop or show tags
//   - a summary whose fixed text alone is too long
//   - a summary that is too long in a case that the pack itself declares (tests/*.yaml)
//
// That a placeholder has a type with a text form is checked where templates are compiled (rules/template.h).
// Source: CDS Hooks 2.0, "Card Attributes": summary has less than 140 characters, detail is GitHub Flavored
// Markdown. Thread-safety: pure functions, but for reading the disk.
#ifndef STEPWISE_RULES_CARD_CHECKS_H_
#define STEPWISE_RULES_CARD_CHECKS_H_

#include "rules/knowledge_base.h"

namespace stepwise::rules {

void CheckHtml(const CardSource& card, Errors* errors);
void CheckFixedSummary(const CompiledRule& rule, Errors* errors);

// Reads the pack's test files: shape and names are added to `test_errors`; what each case gives is measured,
// and a summary that had to be cut is added to `errors` at its place in the rule, once a rule with its
// longest case. `base` holds the pack and has no errors; without it (nullptr) only the shape of the files is
// checked.
void CheckExamples(const KnowledgeBase* base, const Pack& pack, Errors* test_errors, Errors* errors);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_CARD_CHECKS_H_
