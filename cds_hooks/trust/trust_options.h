// TrustOptions: which CDS clients are trusted, by what, and every limit of finding that out.
//
//   TrustOptions options{.issuers = {{.iss = "https://ehr.example.org/",
//                                     .jku = {"https://ehr.example.org/jwks.json"}}}};
//   Status status = CheckTrustOptions(options);
//
// stepwise-server reads them from the section `trust` of its configuration (cds_hooks/components.h).
// Errors: kInvalidArgument with `path` ("issuers[0].jku[1]").
// Thread-safety: plain values.
#ifndef STEPWISE_CDS_HOOKS_TRUST_TRUST_OPTIONS_H_
#define STEPWISE_CDS_HOOKS_TRUST_TRUST_OPTIONS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cds_hooks/trust/key_source.h"
#include "fhir/result.h"

namespace stepwise::trust {

// One CDS client whose tokens are believed.
struct TrustedIssuer {
  std::string iss = {};        // exactly as in tokens
  std::string jwks_file = {};  // its keys, agreed with it in some other way; "": none
  // URLs that it publishes its keys at: https, or http to this machine. A token that names a jku must name
  // one of these; a token without one is checked with the keys of the file or, when there is none, of the
  // first URL. With no URL here, the jku of tokens is not looked at, and never is it fetched.
  std::vector<std::string> jku = {};
  std::vector<std::string> tenants = {};    // organisations it may speak for; empty: any, or none
  std::vector<std::string> audiences = {};  // values of aud to accept beside the URL of the endpoint
};

// What a caller must show. With kEither, a token that is shown must be good whatever the certificate says.
enum class Accept : std::uint8_t { kJwt, kClientCertificate, kEither, kBoth };

struct TrustOptions {
  Accept accept = Accept::kJwt;  // "jwt", "client-certificate", "either", "both"
  // false: a caller that shows nothing is let in as nobody; what is shown must still be good.
  bool required = true;
  std::vector<TrustedIssuer> issuers = {};
  // Subjects of client certificates, as the TLS side writes them; empty: every certificate that it verified.
  std::vector<std::string> certificate_subjects = {};

  std::int64_t clock_skew_s = 60;       // that exp, iat and nbf may be off by
  std::int64_t max_token_age_s = 3600;  // from iat to exp, and clock_skew_s on top
  std::int64_t max_token_bytes = 8192;
  // false: a token may be used until it expires, for clients that send one for many calls.
  bool refuse_replayed_jti = true;
  std::int64_t max_remembered_tokens = 1'000'000;  // about 100 bytes each; more are refused until some expire

  KeyOptions keys = {};
};

// "jwt", "client-certificate", "either" or "both".
Result<Accept> ParseAccept(std::string_view word);

// What belongs together: an iss once, keys for each, URLs that may be fetched.
Status CheckTrustOptions(const TrustOptions& options);

}  // namespace stepwise::trust

#endif  // STEPWISE_CDS_HOOKS_TRUST_TRUST_OPTIONS_H_
