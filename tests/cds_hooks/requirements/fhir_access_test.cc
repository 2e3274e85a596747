// PRE- and FHA-: what is fetched from the client's FHIR server, from which, and in whose name.

#include "tests/cds_hooks/program.h"
#include "tests/cds_hooks/requirements/fhir_stub.h"

namespace stepwise::cds_hooks {
namespace {

constexpr const char* kNow = "2026-12-10T09:00:00Z";
constexpr const char* kPatient = "Patient/p1";
constexpr const char* kMeds = "MedicationRequest?patient=p1&status=active";

// To EveryHook() without the prefetch that is named.
Json RequestWithout(std::initializer_list<const char*> keys) {
  Json request = GoodRequest("order-sign");
  for (const char* key : keys) request["prefetch"].erase(key);
  return request;
}

Json Patient() { return GoodRequest("order-sign")["prefetch"]["patient"]; }

bool MedicationsAreKnown(const Reply& reply) {
  EXPECT_EQ(reply.status, 200) << reply.body;
  return reply.body.find("medications are not known") == std::string::npos;
}

// Query by prefetch key, of what the service says in discovery, for this request.
std::map<std::string, std::string> QueriesFor(TestService& service, const Json& request) {
  std::map<std::string, std::string> queries;
  for (const Json& one : ServicesOf(service)) {
    if (one["hook"] != request["hook"]) continue;
    for (const auto& [key, query] : one["prefetch"].items()) {
      std::string id = request["context"]["patientId"];
      if (id.starts_with("Patient/")) id.erase(0, 8);
      queries[key] =
          std::regex_replace(query.get<std::string>(), std::regex("\\{\\{ *context\\.patientId *\\}\\}"), id);
      EXPECT_EQ(queries[key].find("{{"), std::string::npos) << queries[key];
    }
  }
  return queries;
}

// The demonstration's request, whose medications and conditions come in two pages: the first in the request,
// or asked for, with a link to the second.
class TwoPages {
 public:
  TwoPages() : whole(DemoRequest(kNow)), paged(whole) {
    const std::map<std::string, std::string> queries = QueriesFor(Shipped(), whole);
    for (const char* key : {"meds", "conditions"}) {
      const Json& entries = whole["prefetch"][key]["entry"];
      Json first = EmptyBundle(), second = EmptyBundle();
      for (std::size_t i = 0; i < entries.size(); ++i)
        (i < entries.size() / 2 ? first : second)["entry"].push_back(entries[i]);
      const std::string next = "page?of=" + std::string(key);
      first["link"] = {{{"relation", "next"}, {"url", fhir.Url("/r4/" + next)}}};
      paged["prefetch"][key] = first;
      fhir.answers[next] = Fhir(second);
      fhir.answers[queries.at(key)] = Fhir(first);
      pages.push_back(next);
      searches.push_back(queries.at(key));
    }
    paged["prefetch"]["labs"] = paged["prefetch"]["past_meds"] = whole["prefetch"]["labs"] =
        whole["prefetch"]["past_meds"] = nullptr;
    std::sort(pages.begin(), pages.end());
  }

  FhirStub fhir;
  Json whole, paged;
  std::vector<std::string> pages, searches;
};

TEST(Requirement, PRE_09_NextPagesAreFetchedOrTheDataAreIncomplete) {
  TwoPages two;
  Equipped equipped(two.fhir.ServerConfig(), "rules/packs");
  const Reply expected = equipped.service.Call("order-sign", two.whole);
  ASSERT_EQ(expected.status, 200) << expected.body;
  ASSERT_FALSE(expected.json["cards"].empty());

  // Nothing to go on with: a part of the medications is not the medications.
  Json no_token = two.paged;
  no_token["fhirServer"] = two.fhir.Url();
  for (const Json& request : {two.paged, no_token}) {
    const Reply reply = equipped.service.Call("order-sign", request);
    EXPECT_EQ(reply.status, 412) << reply.body;
    for (const char* key : {"prefetch.meds", "prefetch.conditions"})
      EXPECT_NE(reply.body.find(key), std::string::npos) << reply.body;
  }
  EXPECT_TRUE(two.fhir.calls().empty());
  Json optional = RequestWithout({});
  optional["prefetch"]["meds"] = two.paged["prefetch"]["meds"];
  EXPECT_FALSE(MedicationsAreKnown(EveryHook().Call("order-sign", optional)));

  two.fhir.AddTo(two.paged);
  const Reply reply = equipped.service.Call("order-sign", two.paged);
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(CardsWithoutIds(reply.json), CardsWithoutIds(expected.json));
  EXPECT_EQ(two.fhir.Asked(), two.pages) << "what came already is not asked for again";

  // A page that cannot be had.
  two.fhir.answers[two.pages[0]] = {.status = 500};
  EXPECT_EQ(equipped.service.Call("order-sign", two.paged).status, 412);
}

TEST(Requirement, PRE_10_OnlyWhatIsMissingIsFetched) {
  const struct {
    const char* what;
    Json request;
    std::vector<std::string> asked;
  } rows[] = {{"all there", RequestWithout({}), {}},
              {"no patient", RequestWithout({"patient"}), {kPatient}},
              {"no medications", RequestWithout({"meds"}), {kMeds}},
              {"neither", RequestWithout({"patient", "meds"}), {kMeds, kPatient}}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    FhirStub fhir;
    fhir.answers = {{kPatient, Fhir(Patient())}, {kMeds, Fhir(EmptyBundle())}};
    Equipped equipped(fhir.ServerConfig());
    Json request = row.request;
    fhir.AddTo(request);
    EXPECT_TRUE(MedicationsAreKnown(equipped.service.Call("order-sign", request)));
    EXPECT_EQ(fhir.Asked(), row.asked);
  }
  // Nothing there is an answer; a failure is none.
  FhirStub fhir;
  fhir.answers[kMeds] = Fhir(EmptyBundle());
  Equipped equipped(fhir.ServerConfig());
  Json request = RequestWithout({});
  fhir.AddTo(request);
  for (const Json& nothing : {Json(nullptr), EmptyBundle()}) {
    request["prefetch"]["meds"] = nothing;
    EXPECT_EQ(equipped.service.Call("order-sign", request).status, 200);
    EXPECT_TRUE(fhir.calls().empty()) << nothing;
  }
  request["prefetch"]["meds"] = {{"resourceType", "OperationOutcome"},
                                 {"issue", {{{"severity", "error"}, {"code", "exception"}}}}};
  EXPECT_TRUE(MedicationsAreKnown(equipped.service.Call("order-sign", request)));
  EXPECT_EQ(fhir.Asked(), std::vector<std::string>{kMeds});
}

TEST(Requirement, PRE_11_RequiredDataThatCannotBeFetchedAre412) {
  const struct {
    const char* what;
    FakeReply reply;
  } rows[] = {{"unauthorised", {.status = 401}},
              {"forbidden", {.status = 403}},
              {"not there", {.status = 404}},
              {"a fault", {.status = 500, .body = "CANARY"}},
              {"no answer", {.never = true}},
              {"hangs up", {.hang_up = true}},
              {"no FHIR", {.body = "<html>CANARY</html>"}},
              {"a failure with 200", Fhir({{"resourceType", "OperationOutcome"},
                                           {"issue", {{{"severity", "error"}, {"code", "exception"}}}}})},
              {"another type", Fhir({{"resourceType", "Person"}, {"id", "p1"}})},
              {"another patient", Fhir({{"resourceType", "Patient"}, {"id", "CANARY"}})}};
  for (const auto& row : rows) {
    FhirStub fhir;
    fhir.answers[kPatient] = row.reply;
    Config config = fhir.ServerConfig();
    if (row.reply.never) config.fhir.deadline_ms = 200;
    Equipped equipped(config);
    Json request = RequestWithout({"patient"});
    fhir.AddTo(request);
    const Reply reply = equipped.service.Call("order-sign", request);
    EXPECT_EQ(reply.status, 412) << row.what;
    EXPECT_FALSE(fhir.calls().empty()) << row.what;
    ASSERT_TRUE(IsOperationOutcome(reply.json)) << reply.body;
    EXPECT_EQ(reply.json["issue"][0]["expression"][0], "prefetch.patient");
    EXPECT_EQ(reply.body.find("CANARY"), std::string::npos) << reply.body;
  }
}

// What the prefetch of a request says, moved to a FHIR server; what a server cannot say stays.
Json MovedToServer(const Json& request, const std::map<std::string, std::string>& queries, FhirStub* fhir) {
  Json moved = request;
  fhir->answers.clear();
  for (const auto& [key, query] : queries) {
    const auto value = request["prefetch"].find(key);
    if (value == request["prefetch"].end()) continue;  // 404: not known either
    const std::string text = value->dump();
    const bool is_read = query.find('?') == std::string::npos;
    const bool is_failure = text.find("OperationOutcome") != std::string::npos ||
                            text.find("\"relation\":\"next\"") != std::string::npos;
    if ((value->is_null() && is_read) || is_failure) continue;
    fhir->answers[query] = Fhir(value->is_null() ? EmptyBundle() : *value);
    moved["prefetch"].erase(key);
  }
  fhir->AddTo(moved);
  return moved;
}

TEST(Requirement, PRE_12_PrefetchAndFhirServerGiveTheSameCards) {
  FhirStub fhir;
  Config config = fhir.ServerConfig();
  config.max_cards = 0;
  Equipped equipped(config, "rules/packs");
  ServiceOptions options = MakeServiceOptions(config);
  TestService plain("rules/packs", options);
  std::map<std::string, std::map<std::string, std::string>> queries;  // by hook and patient
  int compared = 0, with_cards = 0;
  for (const rules::Pack& pack : plain.base().packs()) {
    for (const rules::TestCase& one : rules::ReadTestSuite(plain.base(), pack, "").cases) {
      if (!one.request) continue;
      const Json request = Json::parse(one.request->bytes());
      if (!request.contains("prefetch") || !request["context"].value("patientId", Json()).is_string())
        continue;
      const std::string hook = request["hook"];
      plain.now = equipped.service.now = one.now;
      const Reply expected = plain.Call(hook, request);
      if (expected.status != 200) continue;
      SCOPED_TRACE(one.rule + ": " + one.name);
      auto& known = queries[hook + " " + request["context"]["patientId"].get<std::string>()];
      if (known.empty()) known = QueriesFor(plain, request);
      const Reply reply = equipped.service.Call(hook, MovedToServer(request, known, &fhir));
      ASSERT_EQ(reply.status, 200) << reply.body;
      ASSERT_EQ(CardsWithoutIds(reply.json), CardsWithoutIds(expected.json));
      ++compared;
      with_cards += expected.json["cards"].empty() ? 0 : 1;
    }
  }
  EXPECT_GT(compared, 200);
  EXPECT_GT(with_cards, 100);
  EXPECT_GT(fhir.calls().size(), 1000u) << "what was compared was hardly fetched";
}

TEST(Requirement, FHA_03_TheTokenGoesWithEachFhirCall) {
  TwoPages two;
  Json request = two.whole;
  request["prefetch"] = {{"patient", nullptr},
                         {"pain", nullptr},
                         {"allergies", nullptr},
                         {"labs", nullptr},
                         {"past_meds", nullptr}};
  two.fhir.AddTo(request);
  Equipped equipped(two.fhir.ServerConfig(), "rules/packs");
  EXPECT_EQ(equipped.service.Call("order-sign", request).status, 200);
  std::vector<std::string> expected = two.pages;
  expected.insert(expected.end(), two.searches.begin(), two.searches.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(two.fhir.Asked(), expected);
  for (const FakeRequest& call : two.fhir.calls()) {
    EXPECT_EQ(call.Header("authorization"), "Bearer canary-token-7d1f") << call.target;
    EXPECT_EQ((call.target + call.body).find("canary-token"), std::string::npos) << call.target;
  }
}

TEST(Requirement, FHA_04_TheTokenIsInNoRecordOfWhatWasFetched) {
  const TempDir dir;
  WriteFile(dir.path() / "seal.key", std::string(64, 'a'));
  std::filesystem::permissions(dir.path() / "seal.key", std::filesystem::perms::owner_read);
  FhirStub fhir;
  Json request = RequestWithout({"patient", "meds"});
  fhir.AddTo(request);
  Config config = fhir.ServerConfig();
  config.store.url.clear();
  config.store.state_dir = (dir.path() / "state").string();
  config.store.key_files = {(dir.path() / "seal.key").string()};
  config.store.keep_input = true;
  std::string told;
  {
    Equipped equipped(config);
    const std::pair<FakeReply, int> rows[] = {{Fhir(Patient()), 200}, {{.status = 401}, 412}};
    for (const auto& [reply, status] : rows) {
      fhir.answers[kPatient] = reply;
      const Reply answer = equipped.service.Call("order-sign", request);
      EXPECT_EQ(answer.status, status);
      told += answer.body;
    }
    told += equipped.service.Get("/metrics").body + equipped.service.Get("/health").body;
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir.path() / "state")) {
    if (!entry.is_regular_file()) continue;
    told += ReadFile(entry.path());
    ++files;
  }
  EXPECT_GT(files, 0u);
  EXPECT_NE(told.find("SQLite format 3"), std::string::npos);
  EXPECT_EQ(told.find("canary-token"), std::string::npos);
}

TEST(Requirement, FHA_05_NoTokenNoFhirCall) {
  FhirStub fhir("");
  fhir.answers[kPatient] = Fhir(Patient());
  Json request = RequestWithout({"patient"});
  request["fhirServer"] = fhir.Url();
  Config config = fhir.ServerConfig();
  {
    Equipped equipped(config);
    EXPECT_EQ(equipped.service.Call("order-sign", request).status, 412);
    EXPECT_TRUE(fhir.calls().empty());
  }
  config.fhir.without_token = true;
  Equipped equipped(config);
  EXPECT_EQ(equipped.service.Call("order-sign", request).status, 200);
  ASSERT_EQ(fhir.Asked(), std::vector<std::string>{kPatient});
  EXPECT_EQ(fhir.calls()[0].headers.count("authorization"), 0u);
}

TEST(Requirement, FHA_07_OnlyListedFhirServersAreCalled) {
  FhirStub listed, other;
  const std::string port = listed.Url("").substr(listed.Url("").rfind(':'));
  listed.answers[kPatient] = other.answers[kPatient] = Fhir(Patient());
  Equipped equipped(listed.ServerConfig());
  Json request = RequestWithout({"patient"});
  listed.AddTo(request);
  for (const std::string& url :
       {other.Url(), listed.Url("/r4evil"), listed.Url("/"), listed.Url("/r4/../r5"),
        "http://localhost" + port + "/r4", "http://127.0.0.1.example.org" + port + "/r4",
        "http://127.0.0.1@" + other.Url("/r4").substr(7), std::string("http://169.254.169.254/latest"),
        "https://127.0.0.1" + port + "/r4", std::string("file:///etc/passwd")}) {
    Json wrong = request;
    wrong["fhirServer"] = url;
    const int status = equipped.service.Call("order-sign", wrong).status;
    EXPECT_TRUE(status == 412 || status == 400) << url << " " << status;
  }
  EXPECT_TRUE(listed.calls().empty());
  EXPECT_EQ(equipped.service.Call("order-sign", request).status, 200);

  // What the listed server says leads nowhere else.
  listed.answers[kPatient] = {.status = 302, .headers = {{"Location", other.Url("/r4/Patient/p1")}}};
  EXPECT_EQ(equipped.service.Call("order-sign", request).status, 412);
  listed.answers[kPatient] = Fhir(Patient());
  Json page = EmptyBundle();
  page["link"] = {{{"relation", "next"}, {"url", other.Url("/r4/page2")}}};
  listed.answers[kMeds] = Fhir(page);
  request["prefetch"].erase("meds");
  EXPECT_FALSE(MedicationsAreKnown(equipped.service.Call("order-sign", request)));
  request["prefetch"]["meds"] = page;
  EXPECT_FALSE(MedicationsAreKnown(equipped.service.Call("order-sign", request)));
  EXPECT_TRUE(other.calls().empty());
  // An address inside, though its name is listed.
  Config inside = listed.ServerConfig();
  inside.fhir.allowed_networks = {};
  const std::size_t before = listed.calls().size();
  EXPECT_EQ(Equipped(inside).service.Call("order-sign", request).status, 412);
  EXPECT_EQ(listed.calls().size(), before);
}

}  // namespace
}  // namespace stepwise::cds_hooks
