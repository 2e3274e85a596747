// Authenticator: is this caller a CDS client that we trust?
//
//   auto authenticator = Authenticator::Make(*options, fetch, observer);      // once
//   (*authenticator)->Check({.authorization = header}, "https://cds.example.org/cds-services/pain", now,
//                           [](Result<Caller> caller) { ... });
//
// A token is checked in the order of what the checks cost, so that garbage is cheap: structure and
// algorithm, issuer, jku, the times, aud, tenant; then the key is looked up and the signature verified; last
// its jti is noted, so that nobody but the issuer can use up a jti. What a caller must show (a token, a
// client certificate, one of them, both) is TrustOptions::accept. Certificates are verified by the TLS side;
// here only their subject is compared.
//
// On an error the client gets a bare 401 with `WWW-Authenticate: Bearer`, whatever the reason. The reason is
// for the log: `message` is a word of reason.h and `path` the place; neither holds a part of the token, which
// is forgotten when `done` has been called.
//
// Source: CDS Hooks 2.0.1, "Trusting CDS Clients", and the best practices on security.
// Thread-safety: Check() may be called from many threads at once.
#ifndef STEPWISE_CDS_HOOKS_TRUST_AUTHENTICATOR_H_
#define STEPWISE_CDS_HOOKS_TRUST_AUTHENTICATOR_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cds_hooks/trust/trust_options.h"
#include "fhir/date_time.h"
#include "fhir/result.h"

namespace stepwise::trust {

// What a request shows. The views live as long as the call.
struct Credentials {
  std::string_view authorization = {};        // the header's value; "" when absent
  std::string_view certificate_subject = {};  // of the client certificate that TLS verified; "" when absent
};

// Who calls. All empty: nobody, where TrustOptions::required is false.
struct Caller {
  std::string iss, tenant;          // of the token; "" without one
  std::string certificate_subject;  // "" when it did not count
};

class Authenticator {
 public:
  using Done = std::function<void(Result<Caller>)>;

  // `fetch` may be empty when no issuer has a jku. Errors: those of CheckTrustOptions(), and of a JWK Set
  // file that cannot be read now.
  static Result<std::unique_ptr<Authenticator>> Make(TrustOptions options, const FetchText& fetch,
                                                     const KeyObserver& observer = {});
  ~Authenticator();

  // `endpoint_url`: the public URL of the endpoint that is called, feedback and discovery too; aud must hold
  // it (a slash at the end more or less) or one of the issuer's audiences. `now` decides all times.
  // `done` is called exactly once: inline when no keys have to be fetched, else later on the thread of the
  // fetcher. It must be quick and not throw, and may outlive the authenticator.
  void Check(const Credentials& credentials, std::string_view endpoint_url, const DateTime& now, Done done);

 private:
  struct Impl;
  explicit Authenticator(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // shared with the checks that wait for keys
};

}  // namespace stepwise::trust

#endif  // STEPWISE_CDS_HOOKS_TRUST_AUTHENTICATOR_H_
