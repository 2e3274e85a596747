#include "cds_hooks/prefetch_fetcher.h"

#include <algorithm>
#include <utility>

#include "cds_hooks/prefetch_template.h"
#include "rules/facts.h"

namespace stepwise::cds_hooks {
namespace {

FetchedPrefetch Failed(std::string key, std::string why) { return {std::move(key), "", std::move(why)}; }

// The query that answers a gap, or why there is none.
Result<rest::FhirQuery> QueryOf(const PrefetchGap& gap, const Request& request) {
  STEPWISE_ASSIGN_OR_RETURN(const ParsedTemplate parsed, ParseTemplate(gap.needed->query));
  rest::FhirQuery query{gap.needed->key, "", ""};
  STEPWISE_ASSIGN_OR_RETURN(query.query, Resolve(parsed, request));
  if (gap.state == rules::FactState::kPartial)
    query.first_page = std::string(request.prefetch.Child(gap.needed->key).json());
  return query;
}

FetchedPrefetch Fetched(rest::FhirResult result) {
  switch (result.state) {
    // The request itself names what is read, so the EHR has it: this server, or its base URL, is a wrong one.
    case rest::FhirState::kNotThere: return Failed(std::move(result.key), "the server does not have it");
    case rest::FhirState::kFailed: return Failed(std::move(result.key), std::move(result.why));
    case rest::FhirState::kFound:
    case rest::FhirState::kPartial: break;
  }
  return {std::move(result.key), std::move(result.bytes), std::move(result.why)};
}

}  // namespace

bool PrefetchFetcher::CanFetch(const Prepared& prepared) const {
  return !prepared.gaps.empty() && !prepared.request.fhir_server.empty() &&
         (options_.without_token || !prepared.access_token.empty());
}

void PrefetchFetcher::Fetch(const Prepared& prepared, Time now, Time latest, const std::string& traceparent,
                            Done done) const {
  std::vector<rest::FhirQuery> queries;
  std::vector<FetchedPrefetch> unasked;
  for (const PrefetchGap& gap : prepared.gaps) {
    Result<rest::FhirQuery> query = QueryOf(gap, prepared.request);
    if (query)
      queries.push_back(*std::move(query));
    else
      unasked.push_back(Failed(gap.needed->key, std::move(query.error().message)));
  }
  if (queries.empty()) return done(std::move(unasked));
  const rest::FhirServer server{std::string(prepared.request.fhir_server), prepared.access_token,
                                traceparent};
  const Time deadline = std::min(latest, now + std::chrono::milliseconds(options_.deadline_ms));
  client_.Fetch(
      server, std::move(queries), deadline,
      [done = std::move(done), unasked = std::move(unasked)](std::vector<rest::FhirResult> results) mutable {
        std::vector<FetchedPrefetch> fetched = std::move(unasked);
        for (rest::FhirResult& result : results) fetched.push_back(Fetched(std::move(result)));
        done(std::move(fetched));
      });
}

}  // namespace stepwise::cds_hooks
