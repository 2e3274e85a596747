// Which lines can be unknown, so that coverage asks for a case where they are.
#include "rules/line_unknown.h"

#include <gtest/gtest.h>

#include "tests/rules/pack_fixture.h"

namespace stepwise::rules {
namespace {

TEST(LineUnknown, WhereTheDataMayNotSay) {
  const std::pair<const char*, bool> rows[] = {
      {"true", false},
      {"1 = 1", false},
      {"%order.exists()", false},
      {"%order.note.empty()", false},
      {"%order.note.count() > 2", false},
      {"%order.note.exists() and %order.status.exists().not()", false},
      {"%order.note.where(text = 'x').exists()", false},
      {"%drafts.exists()", false},        // a fact that reads the context only
      {"%p.days > 3 days", true},         // not provably so: a parameter could be anything
      {"%order.status = 'draft'", true},  // the status may be absent
      {"%order.status ~ 'draft'", false},
      {"%order.doNotPerform", true},
      {"{}", true},
      {"iif(%order.exists(), {}, false)", true},
      {"%meds.exists()", true},    // the prefetch may be absent
      {"%scores.exists()", true},  // through a fact
      {"%order.medication.ofType(CodeableConcept).memberOf('vs').exists()", true},
  };
  std::string text =
      "rule: r\ntitle: R\nhooks: [order-sign]\nfor-each: { order: "
      "\"%context.draftOrders.entry.resource.ofType(MedicationRequest)\" }\nwhen:\n";
  for (std::size_t i = 0; i < std::size(rows); ++i)
    text += "  - { id: l" + std::to_string(i) + ", text: t, if: \"" + rows[i].first + "\" }\n";
  text += "unknown: { default: silent }\ncard: { summary: s, indicator: info }\n";
  PackFixture pack({{"rules/r.yaml", text},
                    {"valuesets/vs.yaml",
                     "name: vs\nurl: http://example.org/vs\nversion: 1.0.0\ntitle: t\ninclude:\n"
                     "  - { system: http://example.org/s, codes: { a: b } }\n"}},
                   std::string(kTestPack) +
                       "  drafts: \"%context.draftOrders.entry.resource.ofType(MedicationRequest)\"\n"
                       "valuesets: { vs: valuesets/vs.yaml }\n");
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  const CompiledRule& rule = *base->rules()[0];
  ASSERT_EQ(rule.lines.size(), std::size(rows));
  for (std::size_t i = 0; i < std::size(rows); ++i)
    EXPECT_EQ(CanBeUnknown(*base, rule.lines[i]), rows[i].second) << rows[i].first;
}

}  // namespace
}  // namespace stepwise::rules
