#include "rules/pack_check.h"

#include <algorithm>
#include <set>

#include "rules/card_checks.h"
#include "rules/line_checks.h"
#include "rules/overlap.h"
#include "rules/override_codes.h"

namespace stepwise::rules {
namespace {

// Findings of a second FHIR version that the first did not have, marked with the version.
void AddOtherVersion(const LoadReport& first, LoadReport other, std::string_view version,
                     CheckReport* report) {
  const auto add = [&](const Errors& known, Errors found, std::string_view check, bool warning) {
    std::erase_if(found, [&](const Error& error) {
      return std::ranges::any_of(known, [&](const Error& old) {
        return old.message == error.message && old.span.file == error.span.file &&
               old.span.line == error.span.line && old.span.column == error.span.column;
      });
    });
    for (Error& error : found) error.message += " (in FHIR " + std::string(version) + ")";
    report->Add(check, warning, std::move(found));
  };
  add(first.errors, std::move(other.errors), "", false);
  add(first.warnings, std::move(other.warnings), "warning", true);
}

void CheckVersions(const std::vector<Pack>& packs, const LoadReport& first, CheckReport* report) {
  std::set<std::string> versions;
  for (const Pack& pack : packs) {
    for (std::size_t i = 1; i < pack.fhir_versions.size(); ++i) versions.insert(pack.fhir_versions[i]);
  }
  for (const std::string& version : versions) {
    if (!ParseFhirVersion(version)) continue;  // was reported
    std::vector<Pack> turned = packs;
    for (Pack& pack : turned) {
      const auto at = std::ranges::find(pack.fhir_versions, version);
      if (at != pack.fhir_versions.end()) std::iter_swap(pack.fhir_versions.begin(), at);
    }
    LoadReport other;
    KnowledgeBase::LoadDraft(std::move(turned), &other);
    AddOtherVersion(first, std::move(other), version, report);
  }
}

// A claim without a source must not reach a patient; before the pack is active it is work to be done.
void CheckEvidence(const Pack& pack, CheckReport* report) {
  const bool warning = pack.status != "active";
  Errors missing;
  for (const Rule& rule : pack.rules) {
    if (rule.mode == RuleMode::kOff || rule.cites) continue;
    AddError(
        &missing, rule.span,
        "rule `" + rule.id + "` names no `evidence`; list ids of the evidence in pack.yaml that it rests on");
  }
  report->Add("evidence", warning, std::move(missing));
}

std::vector<const Pack*> Required(const KnowledgeBase& base, const Pack& pack) {
  std::vector<const Pack*> out;
  const auto add = [&](const Pack& from, const auto& again) -> void {
    for (const PackRequirement& requirement : from.requires_packs) {
      const Pack* other = base.FindPack(requirement.id);
      if (other == nullptr || std::ranges::find(out, other) != out.end()) continue;
      out.push_back(other);
      again(*other, again);
    }
  };
  add(pack, add);
  return out;
}

void CheckPack(const KnowledgeBase& base, const Pack& pack, bool sound, CheckReport* report) {
  Errors never, constant, html, tests, summaries;
  CheckLines(pack, Required(base, pack), &never, &constant);
  report->Add("never-fires", false, std::move(never));
  report->Add("constant", true, std::move(constant));
  CheckEvidence(pack, report);
  for (const Rule& rule : pack.rules) {
    if (rule.card && rule.mode != RuleMode::kOff) CheckHtml(*rule.card, &html);
  }
  report->Add("raw-html", false, std::move(html));
  CheckExamples(sound ? &base : nullptr, pack, &tests, &summaries);
  report->Add("tests", false, std::move(tests));
  report->Add("summary-length", false, std::move(summaries));
}

void CheckAgainst(const std::string& path, std::span<const Pack> packs, CheckReport* report) {
  Errors unreadable, changed;
  for (const Pack& before : ReadEarlier(path, &unreadable)) {
    const auto now = std::ranges::find(packs, before.id, &Pack::id);
    if (now != packs.end()) CheckOverrideCodes(before, *now, &changed);
  }
  report->Add("", false, std::move(unreadable));
  report->Add("override-code", false, std::move(changed));
}

}  // namespace

CheckReport CheckFolders(std::span<const std::string> dirs, const CheckOptions& options) {
  CheckReport report;
  LoadReport load;
  const auto packs = ReadFolders(dirs, &load.errors);
  std::shared_ptr<const KnowledgeBase> base;
  if (packs) {
    base = KnowledgeBase::LoadDraft(*packs, &load);
    CheckVersions(*packs, load, &report);
  }
  const bool sound = load.errors.empty();
  report.Add("", false, std::move(load.errors));
  report.Add("warning", true, std::move(load.warnings));
  if (base != nullptr) {
    for (const Pack& pack : base->packs()) CheckPack(*base, pack, sound, &report);
    Errors overlaps, lengths;
    CheckOverlaps(*base, &overlaps);
    for (const auto& rule : base->rules()) CheckFixedSummary(*rule, &lengths);
    report.Add("overlap", true, std::move(overlaps));
    report.Add("summary-length", false, std::move(lengths));
    if (!options.against.empty()) CheckAgainst(options.against, base->packs(), &report);
  }
  report.base = std::move(base);
  report.Finish();
  return report;
}

}  // namespace stepwise::rules
