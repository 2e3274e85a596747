#include "rules/test_request.h"

#include <algorithm>
#include <map>
#include <set>

#include "fhir/json_text.h"

namespace stepwise::rules {
namespace {

constexpr std::string_view kNotData[] = {"name",   "expect",     "site",    "now", "hook",       "absent",
                                         "orders", "selections", "context", "why", "overridden", "at"};

bool IsData(const std::string& key) { return std::ranges::find(kNotData, key) == std::end(kNotData); }

// A searchset as a server answers: the listed resources, each as an entry.
std::string Bundle(const YamlNode& list, std::string_view type) {
  std::string out = R"({"resourceType":"Bundle","type":")" + std::string(type) + R"(","entry":[)";
  bool first = true;
  for (const YamlNode& resource : list.children) {
    out += std::string(first ? "" : ",") + R"({"resource":)" + YamlToJson(resource) + "}";
    first = false;
  }
  return out + "]}";
}

std::string Value(const YamlNode& node) {
  return node.is_list() ? Bundle(node, "searchset") : YamlToJson(node);
}

std::string PatientId(const YamlNode* patient) {
  const YamlNode* id = patient == nullptr ? nullptr : patient->Find("id");
  return id == nullptr ? "p1" : id->value.text;
}

}  // namespace

TestRequest MakeTestRequest(std::span<const YamlNode* const> layers, std::span<const Slot> slots,
                            Errors* errors) {
  const auto find = [&](std::string_view key) -> const YamlNode* {
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
      if (const YamlNode* node = (*layer)->Find(key)) return node;
    }
    return nullptr;
  };
  TestRequest out;
  if (const YamlNode* hook = find("hook")) out.hook = hook->value.text;
  if (out.hook.empty())
    AddError(errors, layers.back()->span, "a test names its `hook`, in the case or in `base`");

  std::set<std::string> absent;
  if (const YamlNode* keys = find("absent")) {
    for (const YamlNode& key : keys->children) absent.insert(key.value.text);
    if (keys->is_scalar()) absent.insert(keys->value.text);
  }
  std::map<std::string, std::string> prefetch;
  std::vector<std::string> known;
  for (const Slot& slot : slots) {
    if (slot.kind != SlotKind::kPrefetch) continue;
    known.push_back(slot.name);
    const bool search = slot.type.type == types::kBundle;
    prefetch[slot.name] = search ? R"({"resourceType":"Bundle","type":"searchset","total":0})" : "null";
  }
  const auto add = [&](const YamlNode& from) {
    for (const YamlNode& entry : from.children) {
      if (!IsData(entry.key.text)) continue;
      if (std::ranges::find(known, entry.key.text) == known.end()) {
        AddError(errors, entry.key.span,
                 "no pack has a prefetch key `" + entry.key.text + "`" + Suggest(entry.key.text, known));
      }
      prefetch[entry.key.text] = Value(entry);
    }
  };
  for (const YamlNode* layer : layers) add(*layer);

  std::string context =
      R"({"userId":"Practitioner/test","patientId":)" + JsonQuote(PatientId(find("patient")));
  if (const YamlNode* orders = find("orders"))
    context += R"(,"draftOrders":)" + Bundle(*orders, "collection");
  if (const YamlNode* selections = find("selections"))
    context += R"(,"selections":)" + YamlToJson(*selections);
  if (const YamlNode* more = find("context")) {
    for (const YamlNode& entry : more->children)
      context += "," + JsonQuote(entry.key.text) + ":" + YamlToJson(entry);
  }
  out.json = R"({"hook":)" + JsonQuote(out.hook) +
             R"(,"hookInstance":"00000000-0000-4000-8000-000000000000","context":)" + context +
             R"(},"prefetch":{)";
  bool first = true;
  for (const auto& [key, json] : prefetch) {
    if (absent.contains(key)) continue;
    out.json += std::string(first ? "" : ",") + JsonQuote(key) + ":" + json;
    first = false;
  }
  out.json += "}}";
  return out;
}

}  // namespace stepwise::rules
