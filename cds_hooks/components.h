// Components: what stepwise-server is made of besides its packs and its sockets, as the configuration says:
// the trust in clients, the client of FHIR servers, the memory of decisions.
//
//   STEPWISE_ASSIGN_OR_RETURN(auto components, Components::Make(config, clock, log));
//   components->AddTo(options);             // of the Service, which it outlives
//   if (Status status = CheckComponents(config, clock); !status) ...      // --check-config
//
// The Make...Options functions are the one place that knows both the names of settings and the options of a
// component. Errors: those of the components; a file that must be there and is not. Thread-safety: none, but
// for what the components say of themselves.
#ifndef STEPWISE_CDS_HOOKS_COMPONENTS_H_
#define STEPWISE_CDS_HOOKS_COMPONENTS_H_

#include <memory>
#include <string>

#include "cds_hooks/config.h"
#include "cds_hooks/log.h"
#include "cds_hooks/prefetch_fetcher.h"
#include "cds_hooks/service.h"
#include "cds_hooks/store/recorder.h"
#include "cds_hooks/trust/authenticator.h"
#include "fhir/rest/fhir_client.h"
#include "fhir/rest/http_client.h"

namespace stepwise::cds_hooks {

rest::FhirClientOptions MakeFhirClientOptions(const Config& config);
Result<trust::TrustOptions> MakeTrustOptions(const Config& config);
// The store's URL is "" where none is kept. Errors: kInvalidArgument when nobody says where state is.
Result<RecorderOptions> MakeRecorderOptions(const Config& config);

class Components {
 public:
  // `log` outlives it.
  static Result<std::unique_ptr<Components>> Make(const Config& config, const Service::Clock& clock,
                                                  Log& log);

  void AddTo(ServiceOptions& options) const;
  // Ends calls of other servers, and waits for those who await them. Before the service goes.
  void StopCalls();

 private:
  Components() = default;
  Status StartTrust(const Config& config, Log& log);
  Status StartStore(const Config& config, const Service::Clock& clock, Log& log);

  // In the order in which they use each other.
  std::string admin_token_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<trust::Authenticator> authenticator_;
  std::unique_ptr<rest::HttpClient> key_client_;  // of JWK Sets; after what its answers go to
  std::unique_ptr<rest::FhirClient> fhir_client_;
  std::unique_ptr<PrefetchFetcher> fetcher_;
};

// Reads all that the components would read, and starts nothing.
Status CheckComponents(const Config& config);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_COMPONENTS_H_
