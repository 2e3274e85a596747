#include "cds_hooks/prefetch.h"

#include <algorithm>

#include "fhir/json_text.h"

namespace stepwise::cds_hooks {
namespace {

std::string WhatToSend(rules::FactState state, const std::string& query) {
  switch (state) {
    case rules::FactState::kAbsent:
    case rules::FactState::kFailed: return "send the answer to " + query + ", or null if there is none";
    case rules::FactState::kPartial: return "send all pages of " + query + " as one Bundle";
    case rules::FactState::kKnownEmpty:
    case rules::FactState::kPresent: break;
  }
  return "";
}

// What stands in the request under this key, as written; "" when nothing does.
std::string_view Written(Node prefetch, std::string_view key) {
  if (!prefetch) return "";
  if (const Node value = prefetch.Child(key)) return value.json();
  const Node null = prefetch.NullChild(key);
  return null ? null.json() : std::string_view();
}

}  // namespace

std::vector<PrefetchGap> PrefetchGaps(const Request& request,
                                      std::span<const rules::PrefetchTemplate> templates) {
  const rules::Facts facts{request.hook->hook, request.patient_id, request.context, request.prefetch};
  std::vector<PrefetchGap> gaps;
  for (const rules::PrefetchTemplate& needed : templates) {
    rules::Fact fact = facts.Read(needed.key, needed.query);
    if (!fact.known()) gaps.push_back({&needed, fact.state, std::move(fact.why)});
  }
  return gaps;
}

std::vector<Error> MissingPrefetch(std::span<const PrefetchGap> gaps) {
  std::vector<Error> errors;
  for (const PrefetchGap& gap : gaps) {
    if (!gap.needed->required) continue;
    errors.push_back(
        {Code::kFailedPrecondition,
         gap.why + ", and rules cannot do without it; " + WhatToSend(gap.state, gap.needed->query),
         {},
         "prefetch." + gap.needed->key});
  }
  return errors;
}

std::string WithPrefetch(const Document& document, std::span<const rules::PrefetchTemplate> templates,
                         std::span<const FetchedPrefetch> fetched) {
  const Node root = document.root();
  const Node prefetch = root.Child("prefetch");
  std::string members;
  for (const rules::PrefetchTemplate& needed : templates) {
    const auto value = std::find_if(fetched.begin(), fetched.end(), [&](const FetchedPrefetch& one) {
      return one.key == needed.key && !one.json.empty();
    });
    const std::string_view json =
        value != fetched.end() ? std::string_view(value->json) : Written(prefetch, needed.key);
    if (json.empty()) continue;
    if (!members.empty()) members += ',';
    AppendJsonString(needed.key, members);
    members += ':';
    members += json;
  }
  // The text around the old prefetch stays as it is; without one, the new one comes first.
  const std::string_view text = document.bytes();
  const Node place = prefetch ? prefetch : root.NullChild("prefetch");
  const std::string_view old = place ? place.json() : root.json().substr(0, 1);
  const std::size_t end = static_cast<std::size_t>(old.data() - text.data()) + old.size();
  const std::size_t begin = place ? end - old.size() : end;
  std::string out;
  out.reserve(text.size() + members.size() + 128);  // and what the reader of documents wants to spare
  out += text.substr(0, begin);
  out += place ? "{" : "\"prefetch\":{";
  out += members;
  out += place ? "}" : "},";
  out += text.substr(end);
  return out;
}

}  // namespace stepwise::cds_hooks
