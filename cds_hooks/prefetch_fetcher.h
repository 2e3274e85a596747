// PrefetchFetcher: what a request left open, fetched from its FHIR server.
//
//   if (fetcher.CanFetch(prepared)) {
//     fetcher.Fetch(prepared, now, latest, traceparent, [](std::vector<FetchedPrefetch> fetched) { ... });
//   }
//   Fill(prepared, fetched, options);
//
// Only the gaps are asked for, and of a Bundle that came with a next page only the pages behind it. A search
// without results answers "there is nothing"; a read that finds nothing and whatever fails answer nothing.
// The servers that may be called at all are the FhirClient's. What comes back is a stranger's: Fill() looks
// whose data they are. Source: CDS Hooks 2.0.1, "Providing FHIR Resources to a CDS Service", "FHIR Resource
// Access". Thread-safety: all methods from many threads.
#ifndef STEPWISE_CDS_HOOKS_PREFETCH_FETCHER_H_
#define STEPWISE_CDS_HOOKS_PREFETCH_FETCHER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cds_hooks/pipeline.h"
#include "fhir/rest/fhir_client.h"

namespace stepwise::cds_hooks {

struct PrefetchFetcherOptions {
  std::int64_t deadline_ms = 350;  // of one request's fetches together
  bool without_token = false;      // true: servers are asked for requests that bring no access token, too
};

class PrefetchFetcher {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Done = std::function<void(std::vector<FetchedPrefetch>)>;

  // `client` outlives this.
  PrefetchFetcher(const PrefetchFetcherOptions& options, rest::FhirClient& client)
      : options_(options), client_(client) {}

  // Is something open, and a server named that may be asked in the caller's name?
  bool CanFetch(const Prepared& prepared) const;
  // Calls `done` once, at options.deadline_ms from `now` or at `latest` at the latest; on the client's thread
  // or before it returns.
  void Fetch(const Prepared& prepared, Time now, Time latest, const std::string& traceparent,
             Done done) const;

 private:
  const PrefetchFetcherOptions options_;
  rest::FhirClient& client_;
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_PREFETCH_FETCHER_H_
