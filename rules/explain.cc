#include "rules/explain.h"

#include <algorithm>
#include <cctype>

#include "fhir/utf8.h"

namespace stepwise::rules {
namespace {

constexpr std::size_t kDigestShown = 7 + 12;  // "sha256:" and enough digits to tell packs apart
constexpr std::size_t kSourcesShown = 3;

std::string Padded(std::string_view text, std::size_t width) {
  std::string out(text);
  const std::size_t own = CountCodePoints(text);
  if (own < width) out.append(width - own, ' ');
  return out;
}

char Mark(Outcome outcome) {
  return outcome == Outcome::kTrue ? '+' : outcome == Outcome::kFalse ? '-' : '?';
}

std::string BecauseOf(const LineOutcome& line) {
  std::string out;
  if (line.outcome == Outcome::kUnknown) out = "not known: " + line.reason;
  for (std::size_t i = 0; i < line.sources.size() && i < kSourcesShown; ++i) {
    out += (out.empty() ? "" : ", ") + line.sources[i].reference + " " + line.sources[i].path;
  }
  if (line.sources.size() > kSourcesShown)
    out += " and " + std::to_string(line.sources.size() - kSourcesShown) + " more";
  return out;
}

std::string PackText(const std::string& id, const Decision& decision) {
  const auto pack = std::ranges::find(decision.packs, id, &PackRef::id);
  if (pack == decision.packs.end()) return "pack " + id;
  return "pack " + id + " " + pack->version + " " + pack->digest.substr(0, kDigestShown);
}

}  // namespace

std::string Verdict(const RuleOutcome& rule) {
  const std::string note = rule.note.empty() ? "" : ": " + rule.note;
  switch (rule.status) {
    case RuleStatus::kFired: return "fired";
    case RuleStatus::kStopped: return "stopped by " + rule.stopped_by + note;
    case RuleStatus::kAbsorbed: return "fired, " + rule.absorbed_by + " speaks for it";
    case RuleStatus::kShadow: return "fired, but not shown";
    case RuleStatus::kFailed: return "failed";
    case RuleStatus::kSuppressed: return "suppressed" + note;
    case RuleStatus::kFolded: return "fired, named in the last card";
  }
  return "";
}

std::string Explain(const RuleOutcome& rule, const Decision& decision) {
  std::string status(RuleStatusName(rule.status));
  std::ranges::transform(status, status.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string out = Padded(status, 9) + rule.rule;
  if (!rule.subject.empty()) out += "  " + rule.subject;
  if (!rule.stopped_by.empty()) out += "  by " + rule.stopped_by;
  if (!rule.absorbed_by.empty()) out += "  into " + rule.absorbed_by;
  out += "  " + PackText(rule.pack, decision) + "\n";
  if (!rule.error.empty()) out += "  ! " + rule.error + "\n";
  std::size_t ids = 0, texts = 0;
  for (const LineOutcome& line : rule.lines) {
    if (!line.evaluated) continue;
    ids = std::max(ids, CountCodePoints(line.id));
    texts = std::max(texts, CountCodePoints(line.text));
  }
  for (const LineOutcome& line : rule.lines) {
    if (!line.evaluated) continue;
    const std::string why = BecauseOf(line);
    out += std::string("  ") + Mark(line.outcome) + " " + Padded(line.id, ids) + "  ";
    out += (why.empty() ? line.text : Padded(line.text, texts) + "  " + why) + "\n";
  }
  return out + "  = " + Verdict(rule) + "\n";
}

std::string Explain(const Decision& decision) {
  std::string out;
  for (const RuleOutcome& rule : decision.rules) out += Explain(rule, decision);
  if (decision.rules.empty()) out = "no rule of hook " + decision.hook + " applies to this request\n";
  return out;
}

}  // namespace stepwise::rules
