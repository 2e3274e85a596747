// RSP-, CRD-, SUG-, ACT-, LNK- and COD-: answers and cards. Most rows hold of every card of every shipped
// pack.

#include <set>

#include "cds_hooks/card.h"
#include "fhir/utf8.h"
#include "tests/cds_hooks/fake_evaluator.h"
#include "tests/cds_hooks/requirements/requirement.h"

namespace stepwise::cds_hooks {
namespace {

// The cards of EveryHook() for a patient of this name.
Json CardsFor(const std::string& name) {
  Json request = GoodRequest("order-sign");
  request["prefetch"]["patient"]["name"][0]["text"] = name;
  return EveryHook().Call("order-sign", request).json["cards"];
}

bool IsOneOf(const Json& value, std::initializer_list<const char*> allowed) {
  return std::any_of(allowed.begin(), allowed.end(), [&](const char* one) { return value == one; });
}

TEST(Requirement, RSP_01_SuccessIs200WithCards) {
  int answered = 0;
  for (const Answered& one : Corpus()) {
    if (one.status != 200) continue;
    ASSERT_TRUE(one.json.is_object() && one.json.contains("cards") && one.json["cards"].is_array())
        << one.body;
    ++answered;
  }
  EXPECT_GT(answered, 200);
}

TEST(Requirement, RSP_02_NothingToSayIs200WithoutCards) {
  Json request = GoodRequest("patient-view");
  request["prefetch"]["patient"] = nullptr;
  const Reply reply = EveryHook().Call("patient-view", request);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"cards":[]})");
}

TEST(Requirement, RSP_03_NoSystemActions) {
  for (const Answered& one : Corpus()) EXPECT_FALSE(one.json.contains("systemActions")) << one.name;
}

TEST(Requirement, RSP_04_RefusalsCarryAnOperationOutcome) {
  int refused = 0;
  for (const Answered& one : Corpus()) {
    if (one.status == 200) continue;
    EXPECT_TRUE(IsOperationOutcome(one.json)) << one.name << "\n" << one.body;
    ++refused;
  }
  EXPECT_GT(refused, 10);
}

TEST(Requirement, RSP_05_OtherStatusesSayWhoCanHelp) {
  const struct {
    Code code;
    int status;
  } rows[] = {
      {Code::kInvalidArgument, 400}, {Code::kUnavailable, 503}, {Code::kLimit, 503}, {Code::kInternal, 500}};
  for (const auto& row : rows) {
    FakeEvaluator evaluator;
    evaluator.error = Error{row.code, "no", {}, ""};
    Service service({}, evaluator, [] { return DateTime::FromUnixMillis(0); });
    const Reply reply(service.Handle(
        {.method = "POST", .target = "/cds-services/stepwise-order-sign", .body = OrderSignRequest()}));
    EXPECT_EQ(reply.status, row.status);
    EXPECT_TRUE(IsOperationOutcome(reply.json)) << reply.body;
  }
}

TEST(Requirement, CRD_01_EachCardHasAUuidOfItsOwn) {
  for (const Answered& one : Corpus()) {
    std::set<std::string> uuids;
    for (const Json& card : one.json.value("cards", Json::array())) {
      EXPECT_TRUE(IsUuid(card["uuid"])) << card.dump();
      EXPECT_TRUE(uuids.insert(card["uuid"].get<std::string>()).second) << one.name;
    }
  }
}

TEST(Requirement, CRD_02_TheSummaryHasFewerThan140Characters) {
  ForEachCard([](const Json& card, const Json&) {
    ASSERT_TRUE(IsText(card, "summary"));
    const std::string summary = card["summary"];
    EXPECT_LT(CountCodePoints(summary), 140u);
    EXPECT_EQ(summary.find('\n'), std::string::npos);
  });
  for (const int length : {100, 128, 129, 400}) {
    std::string name;
    for (int i = 0; i < length; ++i) name += "\xC3\xA4";  // two bytes a character
    const std::string summary = CardsFor(name)[1]["summary"];
    EXPECT_LT(CountCodePoints(summary), 140u) << length;
    EXPECT_TRUE(summary.starts_with("Advice for")) << summary;
    EXPECT_EQ(summary.ends_with("\u2026"), length > 128) << summary;
  }
}

TEST(Requirement, CRD_03_TheDetailIsMarkdownWithoutHtml) {
  const std::regex html("(^|[^\\\\])<[A-Za-z/!]");
  const auto has_html = [&](const std::string& text) { return std::regex_search(text, html); };
  int details = 0;
  ForEachCard([&](const Json& card, const Json&) {
    if (!card.contains("detail")) return;
    ++details;
    EXPECT_FALSE(has_html(card["detail"])) << card["detail"];
  });
  EXPECT_GT(details, 100);
  const Json hostile = CardsFor("<img src=x onerror=alert(1)> [a](javascript:alert(1)) **b**")[1];
  const std::string detail = hostile["detail"];
  EXPECT_FALSE(has_html(detail)) << detail;
  EXPECT_EQ(detail.find("[a]("), std::string::npos) << detail;
  EXPECT_EQ(detail.find(" **b**"), std::string::npos) << detail;
  EXPECT_TRUE(has_html("a <b>"));
}

TEST(Requirement, CRD_04_TheIndicatorIsOneOfThree) {
  std::set<std::string> seen;
  ForEachCard([&](const Json& card, const Json&) {
    EXPECT_TRUE(IsOneOf(card["indicator"], {"info", "warning", "critical"})) << card["indicator"];
    seen.insert(card["indicator"].get<std::string>());
  });
  EXPECT_EQ(seen.size(), 3u);
}

TEST(Requirement, CRD_05_TheSourceHasALabel) {
  ForEachCard([](const Json& card, const Json&) {
    ASSERT_TRUE(card.contains("source") && card["source"].is_object());
    EXPECT_TRUE(IsText(card["source"], "label"));
  });
}

TEST(Requirement, CRD_06_SourceUrlAndIconAreAbsolute) {
  int urls = 0, icons = 0;
  ForEachCard([&](const Json& card, const Json& request) {
    const Json& source = card["source"];
    for (const char* key : {"url", "icon"}) {
      if (!source.contains(key)) continue;
      ++(std::string_view(key) == "url" ? urls : icons);
      EXPECT_TRUE(IsAbsoluteUrl(source[key])) << source[key];
      // Nothing of the patient: a source is no drill-down.
      const std::string id = request["context"]["patientId"];
      EXPECT_EQ(source[key].get<std::string>().find("/" + id), std::string::npos) << source[key];
    }
  });
  EXPECT_GT(urls, 0);
  EXPECT_GT(icons, 0);
}

TEST(Requirement, CRD_07_TheTopicIsACoding) {
  ForEachCard([](const Json& card, const Json&) {
    const Json topic = card["source"].value("topic", Json::object());
    EXPECT_TRUE(IsText(topic, "code") && IsText(topic, "system") && IsText(topic, "display")) << topic.dump();
  });
}

TEST(Requirement, CRD_08_SuggestionsComeWithASelectionBehavior) {
  int with = 0, without = 0;
  ForEachCard([&](const Json& card, const Json&) {
    ++(card.contains("suggestions") ? with : without);
    EXPECT_EQ(card.contains("selectionBehavior"), card.contains("suggestions"));
    if (card.contains("selectionBehavior")) {
      EXPECT_TRUE(IsOneOf(card["selectionBehavior"], {"at-most-one", "any"}));
    }
  });
  EXPECT_GT(with, 0);
  EXPECT_GT(without, 0);
}

bool IsCoding(const Json& coding) {
  return coding.is_object() && IsText(coding, "code") && IsText(coding, "system") &&
         Matches(coding["system"], "(https?://|urn:)[^\\s]+") &&
         (!coding.contains("display") || IsText(coding, "display"));
}

TEST(Requirement, CRD_09_OverrideReasonsCanBeRead) {
  int reasons = 0;
  ForEachCard([&](const Json& card, const Json&) {
    if (!card.contains("overrideReasons")) return;
    std::set<std::string> codes;
    for (const Json& reason : card["overrideReasons"]) {
      ++reasons;
      EXPECT_TRUE(IsCoding(reason) && IsText(reason, "display")) << reason.dump();
      EXPECT_TRUE(
          codes.insert(reason["system"].get<std::string>() + "|" + reason["code"].get<std::string>()).second)
          << reason.dump();
    }
  });
  EXPECT_GT(reasons, 100);
}

void ForEachLink(const std::function<void(const Json& link)>& check) {
  std::set<std::string> types;
  ForEachCard([&](const Json& card, const Json&) {
    for (const Json& link : card.value("links", Json::array())) {
      check(link);
      types.insert(link.value("type", ""));
    }
  });
  EXPECT_EQ(types.size(), 2u);
}

TEST(Requirement, CRD_10_LinksAreAnArray) {
  int with = 0;
  ForEachCard([&](const Json& card, const Json&) {
    if (!card.contains("links")) return;
    ++with;
    EXPECT_TRUE(card["links"].is_array() && !card["links"].empty());
  });
  EXPECT_GT(with, 0);
}

TEST(Requirement, SUG_01_EachSuggestionHasALabel) {
  ForEachSuggestion([](const Json& suggestion, const Json&) { EXPECT_TRUE(IsText(suggestion, "label")); });
}

TEST(Requirement, SUG_02_EachSuggestionHasAUuidOfItsOwn) {
  ForEachCard([](const Json& card, const Json&) {
    std::set<std::string> uuids = {card["uuid"].get<std::string>()};
    for (const Json& suggestion : card.value("suggestions", Json::array())) {
      EXPECT_TRUE(IsUuid(suggestion["uuid"]));
      EXPECT_TRUE(uuids.insert(suggestion["uuid"].get<std::string>()).second);
    }
  });
}

TEST(Requirement, SUG_03_SeveralRecommendationsOnlyWhereAnyMayBeTaken) {
  bool several = false;
  ForEachCard([&](const Json& card, const Json&) {
    int recommended = 0;
    for (const Json& suggestion : card.value("suggestions", Json::array())) {
      if (!suggestion.contains("isRecommended")) continue;
      EXPECT_EQ(suggestion["isRecommended"], true);  // false says nothing and is left out
      ++recommended;
    }
    several = several || recommended > 1;
    if (recommended > 1) {
      EXPECT_EQ(card["selectionBehavior"], "any");
    }
  });
  EXPECT_TRUE(several);
}

TEST(Requirement, SUG_04_ActionsAreAnArrayOfObjects) {
  ForEachSuggestion([](const Json& suggestion, const Json&) {
    if (!suggestion.contains("actions")) return;
    EXPECT_TRUE(suggestion["actions"].is_array() && !suggestion["actions"].empty());
    for (const Json& action : suggestion["actions"]) EXPECT_TRUE(action.is_object());
  });
}

TEST(Requirement, SUG_05_NoActionSelectionBehavior) {
  ForEachSuggestion([](const Json& suggestion, const Json&) {
    EXPECT_FALSE(suggestion.contains("actionSelectionBehavior"));
  });
}

TEST(Requirement, ACT_01_ActionsCreateUpdateOrDelete) {
  ForEachAction([](const Json& action, const Json&) {
    EXPECT_TRUE(IsOneOf(action["type"], {"create", "update", "delete"})) << action["type"];
  });
}

TEST(Requirement, ACT_02_EachActionHasADescription) {
  ForEachAction([](const Json& action, const Json&) { EXPECT_TRUE(IsText(action, "description")); });
}

// Top-level properties in which the two differ.
std::set<std::string> Differences(const Json& before, const Json& after) {
  std::set<std::string> names;
  for (const auto& [key, value] : before.items()) {
    if (!after.contains(key) || after[key] != value) names.insert(key);
  }
  for (const auto& [key, value] : after.items()) {
    if (!before.contains(key)) names.insert(key);
  }
  return names;
}

TEST(Requirement, ACT_03_CreateIsANewResourceAndUpdateTheWholeOne) {
  ForEachAction([](const Json& action, const Json& request) {
    if (action["type"] == "delete") return;
    ASSERT_TRUE(action.contains("resource") && action["resource"].is_object()) << action.dump();
    EXPECT_FALSE(action.contains("resourceId"));
    const Json& resource = action["resource"];
    EXPECT_TRUE(IsText(resource, "resourceType"));
    if (action["type"] == "create") {
      EXPECT_FALSE(resource.contains("id")) << "the client gives new resources their ids";
      return;
    }
    const Json orders = request["context"].value("draftOrders", Json::object()).value("entry", Json::array());
    const auto order = std::find_if(orders.begin(), orders.end(), [&](const Json& entry) {
      return entry["resource"].value("id", "") == resource.value("id", "-") &&
             entry["resource"]["resourceType"] == resource["resourceType"];
    });
    ASSERT_NE(order, orders.end()) << "an update of what the request does not hold: " << action.dump();
    EXPECT_EQ(Differences((*order)["resource"], resource), (std::set<std::string>{"status"}));
  });
  // Numbers keep their digits.
  Json request = GoodRequest("order-sign");
  std::string body = request.dump();
  const std::string_view text = "\"text\":\"1.50 mg twice a day\"";
  body.replace(body.find(text), text.size(),
               R"("doseAndRate":[{"doseQuantity":{"value":1.50,"unit":"mg"}}])");
  const Reply reply = EveryHook().Call("order-sign", body);
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_NE(reply.body.find(R"("doseQuantity":{"value":1.50,"unit":"mg"})"), std::string::npos) << reply.body;
}

TEST(Requirement, ACT_04_DeleteNamesTheResourceByReference) {
  ForEachAction([](const Json& action, const Json&) {
    if (action["type"] != "delete") return;
    EXPECT_TRUE(Matches(action["resourceId"], "[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}")) << action.dump();
    EXPECT_FALSE(action.contains("resource"));
  });
}

TEST(Requirement, LNK_01_LinksHaveLabelUrlAndType) {
  ForEachLink([](const Json& link) {
    EXPECT_TRUE(IsText(link, "label"));
    EXPECT_TRUE(IsAbsoluteUrl(link["url"])) << link.dump();
    EXPECT_TRUE(IsOneOf(link["type"], {"absolute", "smart"})) << link.dump();
  });
}

TEST(Requirement, LNK_02_AppContextOnlyForSmartLinks) {
  bool smart = false;
  ForEachLink([&](const Json& link) {
    smart = smart || link["type"] == "smart";
    EXPECT_EQ(link.contains("appContext"), link["type"] == "smart") << link.dump();
  });
  EXPECT_TRUE(smart);
  // Whatever an evaluator says.
  rules::Decision decision;
  decision.cards = {FullCard()};
  decision.cards[0].links = {{"More", "https://example.org/", "absolute", "a context"}};
  EXPECT_EQ(CardsJson(decision).find("appContext"), std::string::npos);
}

TEST(Requirement, LNK_03_NoLinkOpensByItself) {
  ForEachLink([](const Json& link) { EXPECT_FALSE(link.contains("autolaunchable")); });
}

// Whatever is a Coding in a card: topics and override reasons.
TEST(Requirement, COD_01_CodingsHaveCodeAndSystem) {
  int codings = 0;
  ForEachCard([&](const Json& card, const Json&) {
    Json all = card.value("overrideReasons", Json::array());
    if (card["source"].contains("topic")) all.push_back(card["source"]["topic"]);
    for (const Json& coding : all) EXPECT_TRUE(IsCoding(coding)) << coding.dump();
    codings += static_cast<int>(all.size());
  });
  EXPECT_GT(codings, 400);
  // A pack need not have a canonical URL.
  rules::Decision decision;
  decision.cards = {FullCard()};
  decision.cards[0].topic.system = decision.cards[0].override_reasons[0].system = "";
  const Json card = Json::parse(CardsJson(decision))["cards"][0];
  EXPECT_TRUE(IsCoding(card["source"]["topic"])) << card.dump();
  EXPECT_EQ(card["overrideReasons"][0]["system"], "urn:x-stepwise:org.example.pain");
}

}  // namespace
}  // namespace stepwise::cds_hooks
