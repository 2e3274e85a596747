#include "cds_hooks/store/open_text.h"

#include <algorithm>
#include <cctype>

#include "fhir/model.h"

namespace stepwise::cds_hooks {
namespace {

constexpr std::size_t kMostCode = 64, kMostSystem = 256, kMostPath = 128, kMostMeaning = 200;

bool All(std::string_view text, std::string_view more) {
  return std::ranges::all_of(text, [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || more.find(c) != std::string_view::npos;
  });
}

bool IsType(std::string_view text) { return FindFhirType(text) != types::kNone; }

// What rules/facts.cc says of a prefetch key; the key is the pack's.
constexpr std::string_view kPrefetch = "prefetch `";
constexpr std::string_view kPrefetchFaults[] = {
    "` was not supplied", "` is no FHIR resource", "` failed (OperationOutcome)",
    "` failed in part (OperationOutcome in the Bundle)", "` is incomplete (the Bundle has a next page)"};
constexpr std::string_view kNothingSaid = "the data do not say";

std::string OpenPart(std::string_view part) {
  if (part == kNothingSaid) return std::string(part);
  if (part.starts_with(kPrefetch)) {
    const std::string_view rest = part.substr(kPrefetch.size());
    const std::size_t end = std::min(rest.find('`'), rest.size());
    const bool known = std::ranges::find(kPrefetchFaults, rest.substr(end)) != std::end(kPrefetchFaults);
    return std::string(known && IsCode(rest.substr(0, end)) ? part : kSealed);
  }
  // "MedicationRequest/m1: " and one of the meanings in rules/medication, which are fixed texts. An id could
  // hold anything, so it is the last colon that counts.
  const std::size_t colon = part.rfind(": ");
  const std::string_view type = part.substr(0, std::min(part.find_first_of("/:"), part.size()));
  if (colon == std::string_view::npos || type != "MedicationRequest") return std::string(kSealed);
  const std::string_view meaning = part.substr(colon + 2);
  if (meaning.size() > kMostMeaning) return std::string(kSealed);
  return std::string(type) + ": " + std::string(meaning);
}

}  // namespace

bool IsCode(std::string_view text) { return !text.empty() && text.size() <= kMostCode && All(text, "._:-"); }

bool IsSystem(std::string_view text) {
  return text.size() <= kMostSystem && text.find(':') != std::string_view::npos && All(text, "._:-/~%+#");
}

std::string OpenSubject(std::string_view reference) {
  const std::size_t slash = reference.find('/');
  if (slash == std::string_view::npos) return "";
  const std::string_view type = reference.substr(0, slash);
  return IsType(type) ? std::string(type) : "";
}

std::string OpenSource(const rules::Source& source) {
  const std::string_view path = source.path;
  const bool plain = path.size() <= kMostPath && All(path, "._[]");
  if (plain && IsType(path.substr(0, std::min(path.find('.'), path.size())))) return source.path;
  return OpenSubject(source.reference);
}

std::string OpenReason(std::string_view reason) {
  std::string out;
  while (!reason.empty()) {
    const std::size_t end = std::min(reason.find("; "), reason.size());
    const std::string part = OpenPart(reason.substr(0, end));
    if (!out.ends_with(part)) out += (out.empty() ? "" : "; ") + part;
    reason.remove_prefix(std::min(end + 2, reason.size()));
  }
  return out;
}

}  // namespace stepwise::cds_hooks
