// GEN-, COR-, EXT-, CAP- and SAF-: what holds for every answer.

#include "cds_hooks/hook.h"
#include "fhir/model.h"
#include "tests/cds_hooks/fake_evaluator.h"
#include "tests/cds_hooks/requirements/requirement.h"

namespace stepwise::cds_hooks {
namespace {

constexpr char kSign[] = "/cds-services/stepwise-order-sign";

constexpr char kFeedback[] = R"({"feedback":[{"card":"9368d37b-283f-44a0-93ea-547cebab93ed",
    "outcome":"overridden","outcomeTimestamp":"2026-12-10T08:00:00Z"}]})";

// One answer of each kind, good and bad.
std::vector<Reply> AnswersOfEachKind() {
  TestService& service = EveryHook();
  return {service.Get("/cds-services"),
          service.Get("/cds-services/nope"),
          service.Get("/health"),
          service.Call("order-sign", GoodRequest("order-sign")),
          service.Call("order-sign", std::string("{")),
          service.Post("/cds-services/nope", "{}"),
          service.Post(kSign, "x", "text/plain"),
          service.Call("order-sign", Json{{"hook", "order-sign"}}),
          service.Post(std::string(kSign) + "/feedback", "{}"),
          service.Post(std::string(kSign) + "/feedback", kFeedback)};
}

TEST(Requirement, GEN_01_EveryAnswerIsJson) {
  for (const Reply& reply : AnswersOfEachKind()) {
    EXPECT_EQ(reply.Header("Content-Type"), "application/json") << reply.body;
    EXPECT_FALSE(reply.json.is_discarded()) << reply.body;
  }
}

TEST(Requirement, GEN_03_NothingEmptyInAnswers) {
  std::vector<std::string> found;
  for (const Reply& reply : AnswersOfEachKind()) EmptyValues(reply.json, "", &found);
  EmptyValues(Shipped().Get("/cds-services").json, "", &found);
  for (const Answered& one : Corpus()) {
    EmptyValues(one.json, "", &found);
    ASSERT_TRUE(found.empty()) << one.name << " " << found.front() << "\n" << one.body;
  }
  // The walker finds what it is for.
  EmptyValues(Json::parse(R"({"cards":[],"a":[{"b":null,"c":""}],"d":{"cards":[]}})"), "", &found);
  EXPECT_EQ(found, (std::vector<std::string>{"/a/0/b", "/a/0/c", "/d/cards"}));
}

TEST(Requirement, GEN_04_OptionalElementsWithoutValueAreLeftOut) {
  const Reply reply = EveryHook().Call("patient-view", GoodRequest("patient-view"));
  const Json& bare = reply.json["cards"].back();
  ASSERT_EQ(bare["summary"], "Bare advice") << reply.body;
  for (const char* key : {"detail", "suggestions", "selectionBehavior", "overrideReasons", "links"})
    EXPECT_FALSE(bare.contains(key)) << key;
  for (const char* key : {"url", "icon"}) EXPECT_FALSE(bare["source"].contains(key)) << key;
}

TEST(Requirement, GEN_05_NeitherCommentsNorTrailingCommas) {
  for (const Answered& one : Corpus())  // accept() takes RFC 8259 and nothing else
    ASSERT_TRUE(Json::accept(one.body, /*ignore_comments=*/false)) << one.name << "\n" << one.body;
  EXPECT_FALSE(Json::accept("{\"cards\":[],}"));
}

// Paths of properties that FHIR R4 does not have in this place.
void ForeignElements(Node object, TypeId type, std::vector<std::string>* found) {
  const Model& model = Model::Get(FhirVersion::kR4);
  for (const Node child : object.children()) {
    if (child.name_text() == "resourceType" || child.is_valueless_primitive()) continue;
    // Names that no FHIR version knows have ids past those of the model.
    const Element* element = child.name() < NameCount() ? model.Find(type, child.name()) : nullptr;
    const bool primitive =
        element != nullptr && (IsPrimitiveType(element->type) || IsSystemType(element->type));
    if (element == nullptr || (child.kind() == NodeKind::kObject) == primitive ||
        child.in_array() != element->many) {
      found->push_back(child.Path());
    } else if (child.kind() == NodeKind::kObject) {
      ForeignElements(child, child.resource_type() != types::kNone ? child.resource_type() : element->type,
                      found);
    }
  }
}

std::vector<std::string> FaultsOfResource(const Json& resource) {
  const Result<Document> document = Document::Parse(resource.dump());
  if (!document) return {document.error().ToString()};
  const Node root = document->root();
  if (root.resource_type() == types::kNone) return {"no FHIR resource"};
  std::vector<std::string> found;
  ForeignElements(root, root.resource_type(), &found);
  return found;
}

TEST(Requirement, GEN_06_ResourcesInCardsAreFhirJson) {
  ForEachAction([](const Json& action, const Json&) {
    if (!action.contains("resource")) return;
    const std::vector<std::string> faults = FaultsOfResource(action["resource"]);
    EXPECT_TRUE(faults.empty()) << faults.front() << "\n" << action.dump();
  });
  for (const char* wrong :
       {R"({"resourceType":"Nothing"})", R"({"resourceType":"Task","foo":1})",
        R"({"resourceType":"Task","status":["draft"]})", R"({"resourceType":"Task","note":{"text":"x"}})",
        R"({"resourceType":"Task","for":"Patient/p1"})",
        R"({"resourceType":"Task","for":{"refernce":"Patient/p1"}})"})
    EXPECT_EQ(FaultsOfResource(Json::parse(wrong)).size(), 1u) << wrong;
}

TEST(Requirement, GEN_07_TheTimeForAnAnswerIsLimited) {
  Config config;
  for (const auto& [deadline_ms, longest_ms] : {std::pair(500, 500), std::pair(0, 2'000)}) {
    if (deadline_ms == 0) config.request_deadline_ms = 0;  // the default is 500
    FakeEvaluator evaluator;
    Service service(MakeServiceOptions(config), evaluator, [] { return DateTime::FromUnixMillis(0); });
    const auto call = [&] {
      return Reply(service.Handle({.method = "POST", .target = kSign, .body = OrderSignRequest()})).status;
    };
    EXPECT_EQ(call(), 200);
    EXPECT_LE(evaluator.last_options.timeout, std::chrono::milliseconds(longest_ms));
    EXPECT_GT(evaluator.last_options.timeout, std::chrono::milliseconds(0));
    evaluator.error = Error{Code::kLimit, "took longer", {}, ""};
    EXPECT_EQ(call(), 503);
  }
}

TEST(Requirement, GEN_08_UnknownKeysAndNullsAreTolerated) {
  Json request = GoodRequest("order-sign");
  request["foo"] = 1;
  request["nothing"] = nullptr;
  request["context"]["foo"] = {{"bar", nullptr}};
  request["prefetch"]["foo"] = nullptr;
  request["fhirServer"] = "https://example.org/fhir";
  request["fhirAuthorization"] = {{"access_token", "t"},    {"token_type", "Bearer"}, {"expires_in", 300},
                                  {"scope", "user/*.read"}, {"subject", "s"},         {"foo", {1, 2}}};
  // More names than FHIR has, before and inside of what the rules read.
  for (int i = 0; i < 3000; ++i) {
    request["context"]["aName" + std::to_string(i)] = i;
    request["context"]["draftOrders"]["entry"][0]["resource"]["aName" + std::to_string(i)] = i;
  }
  const Reply reply = EveryHook().Call("order-sign", request);
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.json["cards"].size(), 3u);
}

HttpRequest FromBrowser(std::string_view method, std::string_view target, std::string_view origin) {
  HttpRequest request;
  request.method = method;
  request.target = target;
  request.origin = origin;
  request.content_type = "application/json";
  request.access_control_request_method = method == "OPTIONS" ? "POST" : "";
  if (method == "POST") request.body = GoodRequest("order-sign").dump();
  return request;
}

TEST(Requirement, COR_01_BrowsersMayReadEveryAnswer) {
  const std::string feedback = std::string(kSign) + "/feedback";
  const struct {
    const char* method;
    std::string target;
    int status;
  } rows[] = {{"OPTIONS", "/cds-services", 204},
              {"OPTIONS", kSign, 204},
              {"OPTIONS", feedback, 204},
              {"GET", "/cds-services", 200},
              {"POST", kSign, 200},
              {"POST", feedback, 400},
              {"GET", "/nope", 404},
              {"GET", kSign, 405},
              {"POST", "/cds-services/nope", 404}};
  for (const auto& row : rows) {
    const Reply reply =
        EveryHook().Send(FromBrowser(row.method, row.target, "https://sandbox.cds-hooks.org"));
    EXPECT_EQ(reply.status, row.status) << row.method << " " << row.target;
    EXPECT_EQ(reply.Header("Access-Control-Allow-Origin"), "*") << row.method << " " << row.target;
    if (reply.status != 204) continue;
    EXPECT_NE(reply.Header("Access-Control-Allow-Headers").find("Authorization, Content-Type"),
              std::string::npos);
    EXPECT_NE(reply.Header("Access-Control-Allow-Methods"), "");
  }
}

TEST(Requirement, COR_02_ForeignOriginsAreNotAllowed) {
  ServiceOptions options;
  options.cors_origins = {"https://ehr.example.org"};
  TestService service("tests/cds_hooks/requirements/pack", options);
  const Reply ours = service.Send(FromBrowser("POST", kSign, "https://ehr.example.org"));
  EXPECT_EQ(ours.Header("Access-Control-Allow-Origin"), "https://ehr.example.org");
  const Reply foreign = service.Send(FromBrowser("POST", kSign, "https://other.example.org"));
  EXPECT_EQ(foreign.Header("Access-Control-Allow-Origin"), "");
  EXPECT_EQ(foreign.Header("Vary"), "Origin");
  for (const Reply& reply : {ours, foreign, EveryHook().Send(FromBrowser("POST", kSign, "https://x.org"))})
    EXPECT_EQ(reply.Header("Access-Control-Allow-Credentials"), "");
}

TEST(Requirement, EXT_01_ExtensionsAreTolerated) {
  const Json extension = {{"com.example.a", {1, {{"b", "c"}}}}, {"com.example.d", "e"}};
  const char* const places[] = {"", "/context", "/fhirAuthorization", "/prefetch/patient",
                                "/context/draftOrders/entry/0/resource"};
  for (const char* place : places) {
    Json request = GoodRequest("order-sign");
    request["fhirServer"] = "https://example.org/fhir";
    request["fhirAuthorization"] = {{"access_token", "t"},
                                    {"token_type", "Bearer"},
                                    {"expires_in", 300},
                                    {"scope", "user/*.read"},
                                    {"subject", "s"}};
    request[Json::json_pointer(place)]["extension"] = extension;
    const Reply reply = EveryHook().Call("order-sign", request);
    EXPECT_EQ(reply.status, 200) << place << "\n" << reply.body;
  }
}

TEST(Requirement, EXT_02_OurExtensionsHaveReverseDomainNames) {
  const std::regex name("[a-z]{2,}\\.[a-z][a-z0-9.-]*");
  int extensions = 0;
  ForEachCard([&](const Json& card, const Json&) {
    const Json extension = card.value("extension", Json::object());
    for (const auto& [key, value] : extension.items()) {
      EXPECT_TRUE(std::regex_match(key, name)) << key;
      ++extensions;
    }
  });
  EXPECT_GT(extensions, 200);
}

TEST(Requirement, CAP_01_TheCapabilitiesAreWrittenDown) {
  const std::string text = ReadFile(SourceDir() / "conformance/capabilities.md");
  const auto says = [&](std::string_view what) { return text.find(what) != std::string::npos; };
  for (const HookSpec& hook : Hooks()) {
    const std::size_t row =
        text.find("| `" + std::string(hook.hook) + "` | " + std::string(hook.version) + " |");
    ASSERT_NE(row, std::string::npos) << hook.hook;
    const std::string line = text.substr(row, text.find('\n', row) - row);
    for (const ContextField& field : hook.fields) {
      const std::string written = "`" + std::string(field.name) + "`" + (field.required ? "" : "?");
      EXPECT_NE(line.find(written), std::string::npos) << hook.hook << " " << written;
    }
  }
  // No row for a hook that is not answered.
  std::size_t rows = 0;
  for (std::size_t at = text.find("\n| `"); at != std::string::npos; at = text.find("\n| `", at + 1)) ++rows;
  EXPECT_EQ(rows, Hooks().size());
  for (const char* what : {"org.stepwise-cds", "org.stepwise.pin", "2.0.1", "412", "R4"})
    EXPECT_TRUE(says(what)) << what;
}

TEST(Requirement, SAF_01_ALaterHookRepeatsTheAdviceThatStillHolds) {
  const auto topics = [](const char* hook) {
    std::vector<std::string> codes;
    const Reply reply = EveryHook().Call(hook, GoodRequest(hook));
    for (const Json& card : reply.json["cards"]) codes.push_back(card["source"]["topic"]["code"]);
    return codes;
  };
  EXPECT_EQ(topics("order-select"), (std::vector<std::string>{"X-03", "X-01", "X-02"}));
  EXPECT_EQ(topics("order-sign"), topics("order-select"));
}

}  // namespace
}  // namespace stepwise::cds_hooks
