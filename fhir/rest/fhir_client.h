// FhirClient: what prefetch did not bring, fetched from FHIR servers, all at once and within one deadline.
//
//   const std::vector<std::string> servers = {"https://fhir.example.org/r4"};
//   std::unique_ptr<FhirClient> client = *FhirClient::Make({.http = {.servers = servers}});
//   client->Fetch({.base_url = servers[0], .access_token = token},
//                 {{.key = "patient", .query = "Patient/123"},
//                  {.key = "meds", .query = "MedicationRequest?patient=123&status=active"}},
//                 now + 400ms, [](std::vector<FhirResult> results) { ... });
//
// A read gives the bytes of the resource; a search those of one Bundle with the entries of all its pages
// (bundle_pages.h). Searches are POSTed to _search, so that what they ask for is in no log of URLs; a server
// that cannot do that is asked with GET, at once and for some minutes. Pages are followed inside the base URL
// only, and not for a query that sets _count. 502, 503, 504, 429 and connections that failed early are tried
// again while the deadline lasts. Redirects of GETs are followed to the same scheme, host and port, on the
// allow-list.
//
// What did not come is never taken for "there is nothing": each result says found, partly found, not there,
// or failed, and why, without a value of the request or the answer. A body that is not the resource that was
// asked for (another type, another id, an OperationOutcome, no JSON) is a failure, whatever its status.
//
// The token goes into the header Authorization of calls inside the base URL (redirected GETs: its origin), is
// kept until the fetch is done, and appears nowhere else.
//
// Source: FHIR R4, "RESTful API", "Search"; CDS Hooks 2.0.1, "FHIR Resource Access".
// Thread-safety: Fetch() and stats() may be called from any thread, also from a `done`.
#ifndef STEPWISE_FHIR_REST_FHIR_CLIENT_H_
#define STEPWISE_FHIR_REST_FHIR_CLIENT_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/rest/http_client.h"
#include "fhir/result.h"

namespace stepwise::rest {

struct FhirClientOptions {
  HttpClientOptions http = {};  // what may be called, and how many at once

  // Limits on what one server can make of one fetch.
  std::size_t max_response_bytes = 4u << 20;  // of one answer, decompressed
  std::size_t max_total_bytes = 16u << 20;    // of all answers of a fetch
  std::int64_t max_pages = 10;                // of one search
  std::int64_t max_entries = 2000;            // of one search: no further page is asked for from there on
  std::int64_t max_redirects = 3;             // of one call
  int max_depth = 100;                        // nested objects and arrays

  std::int64_t max_retries = 1;      // of one call
  std::int64_t retry_delay_ms = 50;  // before a retry when the server names no time (Retry-After)

  bool post_search = true;                         // false: searches are GETs
  std::int64_t remember_no_post_ms = 10 * 60'000;  // that a server cannot do POST _search
  std::size_t max_remembered_servers = 256;        // of which the oldest is forgotten
};

// Where to ask, and in whose name. Source: CDS Hooks, fhirServer and fhirAuthorization.
struct FhirServer {
  std::string base_url;
  std::string access_token = {};  // "": none is sent
  std::string traceparent = {};   // W3C Trace Context, sent with each call; "": none is
};

struct FhirQuery {
  std::string key;    // comes back with the result
  std::string query;  // relative: "Patient/123", "Observation?patient=123"
  // Bytes of a Bundle that is the first page of the answer: only what its next links lead to is fetched.
  std::string first_page = {};
};

enum class FhirState : std::uint8_t {
  kFound,     // `bytes` is the resource, or a Bundle, which may have no entries
  kPartial,   // `bytes` is a Bundle that lacks pages, and links to the first of those; `why` says why
  kNotThere,  // a read that the server answered with 404 or 410
  kFailed,    // nothing is known; `why` says why
};

struct FhirResult {
  std::string key;
  FhirState state = FhirState::kFailed;
  std::string bytes = {};
  std::string why = {};  // "the server answered with status 503"
};

// Why results were partial or failed, for counting.
enum class FhirProblem : std::uint8_t {
  kRefused,      // the server, its address, a link or the query may not be called
  kUnavailable,  // no connection, no complete answer in time
  kStatus,       // a status that is no answer
  kLimit,        // bytes, pages, entries, redirects
  kContent,      // a body that is not what was asked for
};
inline constexpr std::size_t kFhirProblemCount = 5;
// Stable lower-case name: "refused", "unavailable", ...
std::string_view FhirProblemName(FhirProblem problem);

// Since the client was made.
struct FhirClientStats {
  std::uint64_t fetches = 0;
  std::uint64_t queries = 0;
  std::uint64_t calls = 0;        // HTTP calls begun, pages and retries after a status included
  std::uint64_t retries = 0;      // after a status or a failed connection
  std::uint64_t bytes = 0;        // of bodies, decompressed
  std::uint64_t connections = 0;  // opened
  std::uint64_t in_flight = 0;    // HTTP calls now
  std::array<std::uint64_t, kFhirProblemCount> problems{};  // by FhirProblem: results partial or failed
};

class FhirClient {
 public:
  using Done = std::function<void(std::vector<FhirResult>)>;

  // Errors: HttpClient::Make()'s.
  static Result<std::unique_ptr<FhirClient>> Make(const FhirClientOptions& options);
  ~FhirClient();  // fetches that are under way are done, with what there is
  FhirClient(const FhirClient&) = delete;
  FhirClient& operator=(const FhirClient&) = delete;

  // Calls `done` exactly once, at the deadline at the latest, with one result per query in their order: on
  // the client's thread, or before Fetch returns when nothing can be called. It must be quick and must not
  // throw.
  void Fetch(const FhirServer& server, std::vector<FhirQuery> queries, HttpCall::Time deadline, Done done);

  FhirClientStats stats() const;

 private:
  class Fetcher;
  explicit FhirClient(std::unique_ptr<Fetcher> fetcher);
  std::unique_ptr<Fetcher> fetcher_;
};

}  // namespace stepwise::rest

#endif  // STEPWISE_FHIR_REST_FHIR_CLIENT_H_
