// The examples that CDS Hooks itself prints: every one that is a request, or the context of one, gets the
// status it should.

#include <map>

#include "tests/cds_hooks/requirements/requirement.h"

namespace stepwise::cds_hooks {
namespace {

struct Expected {
  const char* hook;
  int status;
  const char* why;
};

// By file. What is not here holds neither a request nor a context of a hook.
const std::map<std::string, Expected> kExpected = {
    {"patient-view-00", {"patient-view", 200, ""}},
    {"patient-view-01", {"patient-view", 200, ""}},
    {"order-select-00", {"order-select", 200, ""}},
    {"order-select-01", {"order-select", 200, ""}},
    {"order-select-02", {"order-select", 200, ""}},
    {"order-sign-00", {"order-sign", 200, ""}},
    {"order-sign-01", {"order-sign", 200, ""}},
    {"order-sign-02", {"order-sign", 200, ""}},
    {"order-dispatch-00", {"order-dispatch", 200, "writes fulfillment-tasks for fulfillmentTasks"}},
    {"encounter-start-00", {"encounter-start", 200, ""}},
    {"encounter-discharge-00", {"encounter-discharge", 200, ""}},
    {"appointment-book-00", {"appointment-book", 200, ""}},
    {"appointment-book-01", {"appointment-book", 200, ""}},
    {"medication-refill-00", {"medication-refill", 200, ""}},
    {"medication-refill-01", {"medication-refill", 200, ""}},
    {"medication-verify-00", {"medication-verify", 200, "writes order for medication"}},
    {"medication-verify-01", {"medication-verify", 200, "writes order for medication"}},
    {"medication-verify-02", {"medication-verify", 200, "writes order for medication"}},
    {"allergyintolerance-create-00", {"allergyintolerance-create", 404, "a hook that is not answered"}},
    {"allergyintolerance-create-01", {"allergyintolerance-create", 404, "a hook that is not answered"}},
    {"allergyintolerance-create-02", {"allergyintolerance-create", 404, "a hook that is not answered"}},
    {"problem-list-item-create-00", {"problem-list-item-create", 404, "a hook that is not answered"}},
    {"problem-list-item-create-01", {"problem-list-item-create", 404, "a hook that is not answered"}},
    {"problem-list-item-create-02", {"problem-list-item-create", 404, "a hook that is not answered"}},
    {"medication-prescribe-00", {"medication-prescribe", 404, "deprecated: order-select"}},
    {"medication-prescribe-01", {"medication-prescribe", 404, "deprecated: order-select"}},
    {"order-review-00", {"order-review", 404, "deprecated: order-sign"}},
    {"order-review-01", {"order-review", 404, "deprecated: order-sign"}},
    {"docs-examples-00", {"order-sign", 400, "has medications (of DSTU2) and no draftOrders"}},
    {"docs-examples-02", {"order-select", 200, ""}},
    {"spec201-01", {"patient-view", 200, ""}},
    {"spec201-25", {"patient-view", 400, "the example of extensions leaves out context.patientId"}},
    {"spec201-03", {"patient-view", 400, "a fragment: no userId"}},
    {"spec201-04", {"order-sign", 400, "a fragment: no userId, no patientId"}},
    {"spec201-05", {"order-sign", 400, "a fragment: no userId, no patientId"}},
    {"spec201-27", {"patient-view", 200, ""}},
    {"spec201-29", {"patient-view", 400, "the template of a context"}},
    {"template-00", {"patient-view", 400, "the template of a hook: no userId"}},
    {"template-01", {"patient-view", 400, "the template of a hook: no userId"}},
};

TEST(Examples, RequestsGetTheStatusTheyShould) {
  const auto dir = SharedData("cds-hooks-examples");
  SKIP_WITHOUT(dir);
  std::size_t found = 0;
  for (const auto& file : std::filesystem::directory_iterator(*dir)) {
    if (file.path().extension() != ".json") continue;
    const std::string name = file.path().stem().string();
    const Json example = Json::parse(ReadFile(file.path()), nullptr, false);
    ASSERT_TRUE(example.is_object()) << name;
    const auto expected = kExpected.find(name);
    EXPECT_EQ(example.contains("context"), expected != kExpected.end()) << name;
    if (expected == kExpected.end()) continue;
    ++found;
    const auto& [hook, status, why] = expected->second;
    Json request = {{"hook", hook}, {"hookInstance", "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"}};
    request.update(example);
    // The examples ask nothing of the pack here: its required datum is there, and known to be empty.
    if (!request.contains("prefetch")) request["prefetch"] = Json::object();
    request["prefetch"]["patient"] = nullptr;
    const Reply reply = EveryHook().Call(hook, request);
    EXPECT_EQ(reply.status, status) << name << ": " << why << "\n" << reply.body;
    EXPECT_EQ(reply.status != 200, IsOperationOutcome(reply.json)) << reply.body;
  }
  EXPECT_EQ(found, kExpected.size());
}

TEST(Examples, FeedbackIsTaken) {
  const auto dir = SharedData("cds-hooks-examples");
  SKIP_WITHOUT(dir);
  for (const char* name : {"spec201-18.json", "spec201-19.json", "spec201-20.json"}) {
    const Reply reply = EveryHook().Post("/cds-services/stepwise-order-sign/feedback", ReadFile(*dir / name));
    EXPECT_EQ(reply.status, 200) << name << "\n" << reply.body;
  }
}

}  // namespace
}  // namespace stepwise::cds_hooks
