#include "rules/pack_new.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "rules/json_schema.h"

namespace stepwise::rules {
namespace {

namespace fs = std::filesystem;

struct NewFile {
  std::string_view path, text;  // @ID@ and @NAME@ are replaced
};

constexpr NewFile kFiles[] = {
    {"pack.yaml", R"yaml(# yaml-language-server: $schema=schema/pack.schema.json
pack: 1
id: @ID@
canonical: https://example.org/fhir/ImplementationGuide/@NAME@
version: 0.1.0
title: @NAME@
status: draft
experimental: true
fhir: [4.0.1]
evidence:
  - { id: policy, type: justification, label: "Local policy (name the text that your rules rest on)" }
prefetch:
  patient: "Patient/{{context.patientId}}"
)yaml"},
    {"rules/birth-date.yaml", R"yaml(# yaml-language-server: $schema=../schema/rule.schema.json
rule: birth-date
title: No birth date
why: Rules that depend on age stay unknown without it.
evidence: [policy]
hooks: [patient-view]
when:
  - { id: missing, text: "the patient's birth date is not recorded", if: "%patient.birthDate.empty()" }
unless:
  - { id: deceased, text: "the patient has died", if: "%patient.deceased.exists()" }
unknown: { default: silent }
card:
  summary: "The birth date of this patient is not recorded"
  indicator: info
  source: { label: "@NAME@ {{pack.version}}" }
  detail: "**Why this appeared**: {{explain.when}}. {{evidence.policy}}"
)yaml"},
    {"tests/birth-date.yaml", R"yaml(# yaml-language-server: $schema=../schema/tests.schema.json
tests-for: birth-date
now: "2026-12-10T09:00:00Z"
base:
  hook: patient-view
  patient: { resourceType: Patient, id: p1 }
cases:
  - name: fires without a birth date
    expect: { fires: true, true: [missing], false: [deceased], indicator: info }
  - name: a birth date is enough
    patient: { resourceType: Patient, id: p1, birthDate: "1960-02-03" }
    expect: { fires: false, stopped-by: missing }
  - name: silent for the deceased
    patient: { resourceType: Patient, id: p1, deceasedBoolean: true }
    expect: { fires: false, stopped-by: deceased }
  - name: silent when the patient was not supplied
    absent: [patient]
    expect: { fires: false, stopped-by: missing, unknown: [missing, deceased] }
)yaml"},
};

std::string Filled(std::string_view text, const std::string& id) {
  std::string out(text);
  const std::pair<std::string_view, std::string> words[] = {{"@ID@", id}, {"@NAME@", PackFolderName(id)}};
  for (const auto& [word, value] : words) {
    for (std::size_t at = out.find(word); at != std::string::npos; at = out.find(word, at + value.size()))
      out.replace(at, word.size(), value);
  }
  return out;
}

bool IsPackId(std::string_view id) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  };
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !id.empty() && letter(id.front()) && id.back() != '.' && std::ranges::all_of(id, good) &&
         letter(id[id.rfind('.') + 1]);
}

}  // namespace

std::string PackFolderName(const std::string& id) { return id.substr(id.rfind('.') + 1); }

Status NewPack(const std::string& id, const std::string& dir) {
  if (!IsPackId(id)) {
    return Fail(Code::kInvalidArgument,
                "`" + id + "` is no pack id; use letters, digits, `.` and `-`, such as org.example.my-pack");
  }
  std::error_code code;
  if (fs::exists(dir, code) && !fs::is_empty(dir, code))
    return Fail(Code::kInvalidArgument,
                "`" + dir + "` is there and not empty; choose another folder with --dir");
  for (const NewFile& file : kFiles) {
    const fs::path path = fs::path(dir) / file.path;
    fs::create_directories(path.parent_path(), code);
    std::ofstream out(path, std::ios::binary);
    out << Filled(file.text, id);
    if (!out.flush()) return Fail(Code::kUnavailable, "cannot be written", {.file = path.string()});
  }
  return WriteJsonSchemas((fs::path(dir) / "schema").string());
}

}  // namespace stepwise::rules
