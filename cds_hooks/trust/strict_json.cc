#include "cds_hooks/trust/strict_json.h"

#include <set>
#include <string>
#include <vector>

namespace stepwise::trust {
namespace {

using Json = nlohmann::json;

}  // namespace

Result<Json> ParseStrictObject(std::string_view text) {
  std::vector<std::set<std::string>> open;  // the names seen in each object that is not closed yet
  bool twice = false, deep = false;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    switch (event) {
      case Json::parse_event_t::object_start: open.emplace_back(); [[fallthrough]];
      case Json::parse_event_t::array_start: deep = deep || depth >= kMaxStrictJsonDepth; break;
      case Json::parse_event_t::key:
        twice = !open.back().insert(parsed.get<std::string>()).second || twice;
        break;
      case Json::parse_event_t::object_end: open.pop_back(); break;
      case Json::parse_event_t::array_end:
      case Json::parse_event_t::value: break;
    }
    return !deep;  // what is nested too deep is not kept
  };
  Json json = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (deep) return Fail(Code::kLimit, "nested too deep");
  if (twice) return Fail(Code::kSyntax, "a name is given twice");
  if (!json.is_object()) return Fail(Code::kSyntax, "expected one JSON object");
  return json;
}

}  // namespace stepwise::trust
