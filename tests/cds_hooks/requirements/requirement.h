// What the tests of the CDS Hooks requirements share: services to ask, good requests to spoil, the answers to
// all test cases of the shipped packs, and walkers over JSON.
//
//   TEST(Requirement, RSP_03_NoSystemActions) {       // ID of the requirement, then what is shown
//     for (const Answered& one : Corpus()) EXPECT_FALSE(one.json.contains("systemActions")) << one.name;
//   }
//
// conformance/cds-hooks-requirements.csv names every requirement and its test. Shipped() has the packs of
// rules/packs; EveryHook() a pack with a card at every hook, with all that a card can hold.
#ifndef STEPWISE_TESTS_CDS_HOOKS_REQUIREMENTS_REQUIREMENT_H_
#define STEPWISE_TESTS_CDS_HOOKS_REQUIREMENTS_REQUIREMENT_H_

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "cds_hooks/service.h"
#include "rules/local_evaluator.h"
#include "rules/pack_test.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {

using Json = nlohmann::json;

struct Reply {
  explicit Reply(HttpResponse given)
      : status(given.status),
        body(given.body),
        json(Json::parse(body, nullptr, false)),
        response(std::move(given)) {}

  std::string Header(std::string_view name) const {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }

  int status;
  std::string body;
  Json json;  // is_discarded() where the body is no JSON
  HttpResponse response;
};

// The service as stepwise-server makes it of its default configuration, but for the sockets.
class TestService {
 public:
  explicit TestService(const std::string& packs, ServiceOptions options = MakeServiceOptions(Config{})) {
    rules::LoadReport report;
    const std::string dirs[] = {(SourceDir() / packs).string()};
    base_ = rules::KnowledgeBase::LoadFolders(dirs, &report);
    for (const Error& error : report.errors) ADD_FAILURE() << error.ToString();
    if (base_ == nullptr) std::abort();  // nothing here can be tested
    evaluator_ = rules::MakeLocalEvaluator(base_);
    service_ = std::make_unique<Service>(std::move(options), *evaluator_, [this] { return now; });
  }

  const rules::KnowledgeBase& base() const { return *base_; }

  Reply Send(HttpRequest request) { return Reply(service_->Handle(std::move(request))); }
  Reply Get(std::string_view target) { return Send({.method = "GET", .target = target}); }
  Reply Post(std::string_view target, std::string body, std::string_view content_type = "application/json") {
    return Send({.method = "POST", .target = target, .content_type = content_type, .body = std::move(body)});
  }
  // To the service of that hook.
  Reply Call(std::string_view hook, const Json& request) { return Call(hook, request.dump()); }
  Reply Call(std::string_view hook, const std::string& body) {
    return Post("/cds-services/stepwise-" + std::string(hook), body);
  }

  DateTime now = *DateTime::ParseDateTime("2026-12-10T09:00:00Z");

 private:
  std::shared_ptr<const rules::KnowledgeBase> base_;
  std::unique_ptr<rules::Evaluator> evaluator_;
  std::unique_ptr<Service> service_;
};

inline TestService& Shipped() {
  static TestService service("rules/packs");
  return service;
}
inline TestService& EveryHook() {
  static TestService service("tests/cds_hooks/requirements/pack");
  return service;
}

// What discovery offers.
inline Json ServicesOf(TestService& service) {
  return service.Get("/cds-services").json.value("services", Json::array());
}

inline Json DraftOrder() {
  return Json::parse(R"({"resourceType":"MedicationRequest","id":"o1","status":"draft","intent":"order",
      "medicationCodeableConcept":{"text":"a drug"},"subject":{"reference":"Patient/p1"},
      "dosageInstruction":[{"text":"1.50 mg twice a day"}]})");
}

// A request with every context field that the table of hooks has for it, which all packs here can answer.
inline Json GoodRequest(std::string_view hook) {
  const Json bundle = {{"resourceType", "Bundle"}, {"entry", {{{"resource", DraftOrder()}}}}};
  Json context = Json::object();
  for (const ContextField& field : FindHook(hook)->fields) {
    Json& value = context[std::string(field.name)];
    switch (field.type) {
      case FieldType::kId: value = field.name == "patientId" ? "p1" : "e1"; break;
      case FieldType::kReference: value = "Practitioner/1"; break;
      case FieldType::kReferences: value = {"MedicationRequest/o1"}; break;
      case FieldType::kBundle: value = bundle; break;
      case FieldType::kResource: value = DraftOrder(); break;
      case FieldType::kResources: value = Json::array({{{"resourceType", "Task"}}}); break;
    }
  }
  return {{"hook", hook},
          {"hookInstance", "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"},
          {"context", std::move(context)},
          {"prefetch",
           {{"patient", {{"resourceType", "Patient"}, {"id", "p1"}, {"name", {{{"text", "A. Person"}}}}}},
            {"conditions", nullptr},
            {"meds", nullptr},
            {"pain", nullptr}}}};
}

// One request and its answer.
struct Answered {
  std::string name;
  Json request;
  int status;
  std::string body;
  Json json;
};

// Every test case of the shipped packs; those with more than one card again with room for one; and a request
// for each hook to EveryHook(). Of the packs in force together, so that a case may have cards of other rules
// too.
inline const std::vector<Answered>& Corpus() {
  static const std::vector<Answered> corpus = [] {
    std::vector<Answered> all;
    ServiceOptions unlimited = MakeServiceOptions(Config{}), one_card = unlimited;
    unlimited.calls.pipeline.max_cards = 0;
    one_card.calls.pipeline.max_cards = 1;
    TestService service("rules/packs", unlimited), narrow("rules/packs", one_card);
    const auto ask = [&](TestService& asked, const std::string& name, const std::string& body) {
      Json request = Json::parse(body);
      const Reply reply = asked.Call(request["hook"].get<std::string>(), body);
      all.push_back({name, std::move(request), reply.status, reply.body, reply.json});
    };
    for (const rules::Pack& pack : service.base().packs()) {
      for (const rules::TestCase& one : rules::ReadTestSuite(service.base(), pack, "").cases) {
        if (!one.request) continue;
        const std::string name = one.rule + ": " + one.name, body(one.request->bytes());
        service.now = narrow.now = one.now;
        ask(service, name, body);
        if (all.back().status == 200 && all.back().json["cards"].size() > 1)
          ask(narrow, name + " (one card)", body);
      }
    }
    for (const HookSpec& hook : Hooks())
      ask(EveryHook(), "every hook: " + std::string(hook.hook), GoodRequest(hook.hook).dump());
    return all;
  }();
  return corpus;
}

// The cards of the corpus. Fails when there are suspiciously few: then nothing was shown.
inline void ForEachCard(const std::function<void(const Json& card, const Json& request)>& check) {
  int cards = 0;
  for (const Answered& one : Corpus()) {
    if (one.status != 200) continue;
    for (const Json& card : one.json["cards"]) {
      SCOPED_TRACE(one.name + ": " + card.dump().substr(0, 300));
      ASSERT_TRUE(card.contains("uuid") && card.contains("indicator") && card.contains("source"));
      check(card, one.request);
      ++cards;
    }
  }
  EXPECT_GT(cards, 200);
}

inline void ForEachSuggestion(const std::function<void(const Json& suggestion, const Json& card)>& check) {
  int suggestions = 0;
  ForEachCard([&](const Json& card, const Json&) {
    for (const Json& suggestion : card.value("suggestions", Json::array())) {
      check(suggestion, card);
      ++suggestions;
    }
  });
  EXPECT_GT(suggestions, 50);
}

inline void ForEachAction(const std::function<void(const Json& action, const Json& request)>& check) {
  std::map<std::string, int> types;
  ForEachCard([&](const Json& card, const Json& request) {
    for (const Json& suggestion : card.value("suggestions", Json::array())) {
      for (const Json& action : suggestion.value("actions", Json::array())) {
        check(action, request);
        ++types[action.value("type", "")];
      }
    }
  });
  EXPECT_EQ(types.size(), 3u) << "of create, update and delete some are never shown";
}

// The cards of an answer without what is made of the bytes of the request, for comparisons.
inline Json CardsWithoutIds(const Json& answer) {
  Json cards = answer.at("cards");
  for (Json& card : cards) {
    for (const char* key : {"uuid", "extension"}) card.erase(key);
    if (!card.contains("suggestions")) continue;
    for (Json& suggestion : card["suggestions"]) suggestion.erase("uuid");
  }
  return cards;
}

// Paths of what CDS Hooks bans in answers: null, "", [] and {}; `"cards": []` and `"services": []` may be.
inline void EmptyValues(const Json& json, const std::string& path, std::vector<std::string>* found) {
  const bool empty = json.is_null() || (json.is_string() && json.get_ref<const std::string&>().empty()) ||
                     (json.is_structured() && json.empty());
  if (empty && path != "/cards" && path != "/services") found->push_back(path);
  if (!json.is_structured()) return;
  for (const auto& [key, value] : json.items()) EmptyValues(value, path + "/" + key, found);
}

inline bool IsText(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_string() && !object[key].get<std::string>().empty();
}

inline bool Matches(const Json& text, const char* pattern) {
  return text.is_string() && std::regex_match(text.get<std::string>(), std::regex(pattern));
}
inline bool IsAbsoluteUrl(const Json& text) { return Matches(text, "https?://[^\\s/]+[^\\s]*"); }
inline bool IsUuid(const Json& text) {
  return Matches(text, "[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
}

// Is the answer an OperationOutcome whose issues say how grave and of which kind?
inline bool IsOperationOutcome(const Json& json) {
  if (!json.is_object() || json.value("resourceType", "") != "OperationOutcome") return false;
  const Json issues = json.value("issue", Json::array());
  return !issues.empty() && std::all_of(issues.begin(), issues.end(), [](const Json& issue) {
    return IsText(issue, "severity") && IsText(issue, "code");
  });
}

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_TESTS_CDS_HOOKS_REQUIREMENTS_REQUIREMENT_H_
