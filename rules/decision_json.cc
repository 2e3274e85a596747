#include "rules/decision_json.h"

#include <nlohmann/json.hpp>

#include "rules/explain.h"

namespace stepwise::rules {
namespace {

using Json = nlohmann::ordered_json;

void Set(Json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

Json LineJson(const LineOutcome& line) {
  Json out = {{"id", line.id}, {"kind", line.unless ? "unless" : "when"}, {"text", line.text}};
  out["value"] = line.evaluated ? Json(OutcomeName(line.outcome)) : Json(nullptr);
  Set(out, "reason", line.reason);
  for (const Source& source : line.sources)
    out["sources"].push_back({{"reference", source.reference}, {"path", source.path}});
  return out;
}

Json RuleJson(const RuleOutcome& rule) {
  Json out = {{"pack", rule.pack}, {"rule", rule.rule}};
  Set(out, "subject", rule.subject);
  out["status"] = RuleStatusName(rule.status);
  out["verdict"] = Verdict(rule);
  Set(out, "stoppedBy", rule.stopped_by);
  Set(out, "absorbedBy", rule.absorbed_by);
  Set(out, "note", rule.note);
  Set(out, "error", rule.error);
  out["lines"] = Json::array();
  for (const LineOutcome& line : rule.lines) out["lines"].push_back(LineJson(line));
  return out;
}

Json CardJson(const Card& card) {
  Json out = {{"uuid", card.uuid}};
  Set(out, "pack", card.pack);
  Set(out, "rule", card.topic.code);
  Set(out, "subject", card.subject);
  Set(out, "indicator", card.indicator);
  Set(out, "summary", card.summary);
  if (!card.absorbed.empty()) out["absorbed"] = card.absorbed;
  Set(out, "suppressionKey", card.suppression_key);
  return out;
}

}  // namespace

std::string DecisionJson(const Decision& decision, int indent) {
  Json out = {{"id", decision.id},
              {"now", decision.now.ToString()},
              {"hook", decision.hook},
              {"inputDigest", decision.input_digest}};
  out["packs"] = Json::array();
  for (const PackRef& pack : decision.packs)
    out["packs"].push_back({{"id", pack.id}, {"version", pack.version}, {"digest", pack.digest}});
  out["rules"] = Json::array();
  for (const RuleOutcome& rule : decision.rules) out["rules"].push_back(RuleJson(rule));
  out["cards"] = Json::array();
  for (const Card& card : decision.cards) out["cards"].push_back(CardJson(card));
  return out.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace stepwise::rules
