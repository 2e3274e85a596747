#include "cds_hooks/card.h"

#include <algorithm>
#include <cstddef>

#include "cds_hooks/json_writer.h"
#include "fhir/utf8.h"

namespace stepwise::cds_hooks {
namespace {

constexpr std::string_view kExtension = "org.stepwise-cds";
constexpr std::size_t kMaxSummary = 139;  // code points

using rules::Action, rules::Card, rules::Coding, rules::Link, rules::Suggestion;

// Advice is never dropped over a fault in its form: what the specification requires is filled in.
std::string_view SummaryOf(const Card& card) {
  if (!card.summary.empty()) return card.summary;
  return card.topic.display.empty() ? std::string_view("Advice from a clinical rule") : card.topic.display;
}

std::string_view IndicatorOf(const Card& card) {
  const bool known = card.indicator == "info" || card.indicator == "warning" || card.indicator == "critical";
  return known ? std::string_view(card.indicator) : "info";
}

std::string_view SourceLabelOf(const Card& card) {
  if (!card.source_label.empty()) return card.source_label;
  return card.pack.empty() ? std::string_view("Stepwise") : card.pack;
}

// A Coding needs a system; packs need no canonical URL, and the card that names the rest has no pack.
std::string SystemOf(const Coding& coding, const Card& card) {
  if (!coding.system.empty()) return coding.system;
  return "urn:x-stepwise:" + (card.pack.empty() ? std::string("engine") : card.pack);
}

void WriteCoding(JsonWriter& json, const Coding& coding, const Card& card) {
  json.BeginObject();
  json.Text("system", SystemOf(coding, card));
  json.Text("code", coding.code);
  json.Text("display", coding.display);
  json.EndObject();
}

void WriteSource(JsonWriter& json, const Card& card) {
  json.Key("source");
  json.BeginObject();
  json.Text("label", SourceLabelOf(card));
  json.Text("url", card.source_url);
  json.Text("icon", card.source_icon);
  if (!card.topic.code.empty()) {
    json.Key("topic");
    WriteCoding(json, card.topic, card);
  }
  json.EndObject();
}

void WriteAction(JsonWriter& json, const Action& action) {
  json.BeginObject();
  json.Text("type", action.type);
  json.Text("description", action.description);
  if (!action.resource.empty()) {
    json.Key("resource");
    json.Raw(action.resource);
  }
  json.Text("resourceId", action.resource_id);
  json.EndObject();
}

void WriteSuggestion(JsonWriter& json, const Suggestion& suggestion) {
  json.BeginObject();
  json.Text("label", suggestion.label);
  json.Text("uuid", suggestion.uuid);
  if (suggestion.recommended) {
    json.Key("isRecommended");
    json.Boolean(true);
  }
  if (!suggestion.actions.empty()) {
    json.Key("actions");
    json.BeginArray();
    for (const Action& action : suggestion.actions) WriteAction(json, action);
    json.EndArray();
  }
  json.EndObject();
}

void WriteLink(JsonWriter& json, const Link& link) {
  json.BeginObject();
  json.Text("label", link.label);
  json.Text("url", link.url);
  json.Text("type", link.type);
  if (link.type == "smart") json.Text("appContext", link.app_context);
  json.EndObject();
}

void WriteExtension(JsonWriter& json, const Card& card, const std::string& decision_id) {
  json.Key("extension");
  json.BeginObject();
  json.Key(kExtension);
  json.BeginObject();
  json.Text("pack", card.pack);
  json.Text("version", card.version);
  json.Text("digest", card.digest);
  json.Text("decision", decision_id);
  if (!card.absorbed.empty()) {
    json.Key("absorbed");
    json.BeginArray();
    for (const std::string& rule : card.absorbed) json.String(rule);
    json.EndArray();
  }
  json.EndObject();
  json.EndObject();
}

void WriteCard(JsonWriter& json, const Card& card, const std::string& decision_id) {
  json.BeginObject();
  json.Text("uuid", card.uuid);
  json.Text("summary", LimitSummary(SummaryOf(card)));
  json.Text("detail", card.detail);
  json.Text("indicator", IndicatorOf(card));
  WriteSource(json, card);
  if (!card.suggestions.empty()) {
    json.Key("suggestions");
    json.BeginArray();
    for (const Suggestion& suggestion : card.suggestions) WriteSuggestion(json, suggestion);
    json.EndArray();
    // Required with suggestions (CDS Hooks 2.0).
    json.Text("selectionBehavior", card.selection_behavior.empty() ? "any" : card.selection_behavior);
  }
  if (!card.override_reasons.empty()) {
    json.Key("overrideReasons");
    json.BeginArray();
    for (const Coding& reason : card.override_reasons) WriteCoding(json, reason, card);
    json.EndArray();
  }
  if (!card.links.empty()) {
    json.Key("links");
    json.BeginArray();
    for (const Link& link : card.links) WriteLink(json, link);
    json.EndArray();
  }
  if (!card.pack.empty()) WriteExtension(json, card, decision_id);
  json.EndObject();
}

}  // namespace

std::string LimitSummary(std::string_view summary) {
  // Bytes and code points agree on short text, which is nearly all text.
  if (summary.size() <= kMaxSummary) return std::string(summary);
  if (CountCodePoints(summary) <= kMaxSummary) return std::string(summary);

  // The first kMaxSummary - 1 code points; the ellipsis takes the last place.
  const std::size_t end = CodePointOffset(summary, kMaxSummary - 1);
  std::string_view head = summary.substr(0, end);
  if (summary[end] != ' ') {
    if (const std::size_t space = head.rfind(' '); space != std::string_view::npos)
      head = head.substr(0, space);
  }
  while (!head.empty() && (head.back() == ' ' || head.back() == ',' || head.back() == ';'))
    head.remove_suffix(1);
  return std::string(head) + "\u2026";
}

std::string CardsJson(const rules::Decision& decision) {
  JsonWriter json;
  json.BeginObject();
  json.Key("cards");
  json.BeginArray();
  for (const Card& card : decision.cards) WriteCard(json, card, decision.id);
  json.EndArray();
  json.EndObject();
  return json.Take();
}

}  // namespace stepwise::cds_hooks
