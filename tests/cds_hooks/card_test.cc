#include "cds_hooks/card.h"

#include <nlohmann/json.hpp>

#include "cds_hooks/card_text.h"
#include "cds_hooks/json_writer.h"
#include "tests/cds_hooks/fake_evaluator.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

using nlohmann::json;

// CDS Hooks 2.0: no null, "", [] or {} anywhere but `"cards": []`.
void ExpectNothingEmpty(const json& value, const std::string& path) {
  EXPECT_FALSE(value.is_null()) << path;
  EXPECT_FALSE(value == json("")) << path;
  EXPECT_FALSE(value.is_structured() && value.empty() && path != "/cards") << path;
  if (value.is_object()) {
    for (const auto& [key, child] : value.items()) ExpectNothingEmpty(child, path + "/" + key);
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      ExpectNothingEmpty(value[i], path + "/" + std::to_string(i));
  }
}

rules::Decision DecisionWith(std::vector<rules::Card> cards) {
  rules::Decision decision;
  decision.id = "6a0f4d6e-0000-5000-8000-000000000001";
  decision.cards = std::move(cards);
  return decision;
}

TEST(Card, NoCards) { EXPECT_EQ(CardsJson({}), R"({"cards":[]})"); }

TEST(Card, EveryMemberInItsPlace) {
  EXPECT_EQ(
      CardsJson(DecisionWith({FullCard()})),
      R"({"cards":[{"uuid":"6a0f4d6e-0000-5000-8000-000000000002",)"
      R"("summary":"Persistent pain: \"morphine\" is PRN only","detail":"**Why**\n\n- 5 mg ≠ 5.0 mg",)"
      R"("indicator":"warning","source":{"label":"Cancer pain 1.2.0","url":"https://example.org/pain",)"
      R"("topic":{"system":"https://example.org/pain","code":"LAD-06","display":"Scheduled dosing"}},)"
      R"("suggestions":[{"label":"Add a scheduled order","uuid":"6a0f4d6e-0000-5000-8000-000000000003",)"
      R"("isRecommended":true,"actions":[{"type":"create","description":"Scheduled morphine",)"
      R"("resource":{"resourceType":"MedicationRequest","dose":{"value":1.50}}},)"
      R"({"type":"delete","description":"Remove the PRN order","resourceId":"MedicationRequest/o1"}]}],)"
      R"("selectionBehavior":"at-most-one",)"
      R"("overrideReasons":[{"system":"https://example.org/override","code":"titrating",)"
      R"("display":"Still titrating"}],)"
      R"("links":[{"label":"Evidence","url":"https://example.org/evidence","type":"absolute"}],)"
      R"("extension":{"org.stepwise-cds":{"pack":"org.example.pain","version":"1.2.0","digest":"sha256:00",)"
      R"("decision":"6a0f4d6e-0000-5000-8000-000000000001","absorbed":["LAD-07"]}}}]})");
}

TEST(Card, NothingEmptyIsWritten) {
  rules::Card bare;
  rules::Card half = FullCard();
  half.suggestions[0].actions.clear();
  half.selection_behavior.clear();
  half.topic = {};
  for (const rules::Card& card : {bare, half, FullCard()}) {
    const json response = json::parse(CardsJson(DecisionWith({card})));
    ExpectNothingEmpty(response, "");
    const json& written = response["cards"][0];
    EXPECT_TRUE(written.contains("summary"));
    EXPECT_TRUE(written.contains("indicator"));
    EXPECT_TRUE(written["source"].contains("label"));
    EXPECT_EQ(written.contains("suggestions"), written.contains("selectionBehavior"));
  }
  ExpectNothingEmpty(json::parse(CardsJson({})), "");
}

TEST(Card, SummaryLimit) {
  const std::string at_limit(139, 'x');
  EXPECT_EQ(LimitSummary(at_limit), at_limit);
  std::string accents;
  for (int i = 0; i < 139; ++i) accents += "\xC3\xA9";
  EXPECT_EQ(LimitSummary(accents), accents);
  EXPECT_EQ(LimitSummary(accents + "e").substr(138 * 2), "\xE2\x80\xA6");  // one word only: cut inside

  std::string words;
  while (words.size() < 300) words += "morphine, ";
  const std::string cut = LimitSummary(words);  // 13 whole words, and the last comma goes
  EXPECT_EQ(cut, words.substr(0, 128) + "\xE2\x80\xA6");
}

TEST(JsonWriter, EscapesAndRepairs) {
  struct {
    std::string_view text, json;
  } const rows[] = {
      {"a\"b\\c", R"("a\"b\\c")"},
      {std::string_view("\0\x1F\n\r\t\x7F", 6), "\"\\u0000\\u001f\\n\\r\\t\x7F\""},
      {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
      {"a\xFFz", "\"a\xEF\xBF\xBDz\""},
      {"\xC3", "\"\xEF\xBF\xBD\""},
      {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},  // a surrogate
      {"\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},                  // overlong
  };
  for (const auto& row : rows) {
    JsonWriter writer;
    writer.String(row.text);
    const std::string written = writer.Take();
    EXPECT_EQ(written, row.json);
    EXPECT_TRUE(json::accept(written));
  }
}

TEST(CardText, ReadsWhatWeWrite) {
  const auto cards = ReadCards(CardsJson(DecisionWith({FullCard()})));
  ASSERT_TRUE(cards.has_value()) << cards.error().ToString();
  EXPECT_EQ(CardText(*cards, {.width = 60}),
            "WARNING   Persistent pain: \"morphine\" is PRN only\n"
            "          **Why**\n"
            "\n"
            "          - 5 mg \xE2\x89\xA0 5.0 mg\n"
            "          Recommended: Add a scheduled order\n"
            "            - create: Scheduled morphine\n"
            "            - delete: Remove the PRN order\n"
            "          Override: Still titrating\n"
            "          Link: Evidence https://example.org/evidence\n"
            "          Why: LAD-06 Scheduled dosing; org.example.pain\n"
            "          1.2.0 https://example.org/pain\n"
            "          Also: LAD-07\n");
  EXPECT_NE(CardText(*cards, {.colour = true}).find("\x1b[1;33m"), std::string::npos);
  EXPECT_EQ(CardText({}, {}), "No cards.\n");
}

TEST(CardText, TerminalsAreNotSteered) {
  rules::Card card = FullCard();
  card.summary = "red \x1b[31m alert";
  card.indicator = "\x1b[31m";
  EXPECT_EQ(CardText({card}, {}).find('\x1b'), std::string::npos);
}

TEST(CardText, Compare) {
  rules::Card a = FullCard(), b = FullCard();
  b.topic.code = "BRT-01";
  EXPECT_EQ(CompareCards({a, b}, {"BRT-01", "LAD-06"}), "");
  EXPECT_EQ(CompareCards({a, a}, {"LAD-06"}), "");
  EXPECT_EQ(CompareCards({a, b}, {"LAD-06", "NOP-01"}), "missing NOP-01\nunexpected BRT-01\n");
  EXPECT_EQ(CompareCards({}, {}), "");
}

TEST(CardText, RefusesWhatIsNoResponse) {
  for (const char* text : {"", "{", "[]", "{}", R"({"cards":{}})", R"({"cards":[1]})"}) {
    EXPECT_FALSE(ReadCards(text).has_value()) << text;
  }
  // Any service's answer may be shown: wrong types count as absent.
  EXPECT_TRUE(
      ReadCards(R"({"cards":[{"summary":7,"source":[],"suggestions":[3],"links":[null]}]})").has_value());
}

}  // namespace
}  // namespace stepwise::cds_hooks
