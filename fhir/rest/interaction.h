// Interaction: what a prefetch query asks of a FHIR server, as far as this client speaks FHIR.
//
//   ReadInteraction("Patient/123")                    -> a read: type "Patient", id "123"
//   ReadInteraction("Observation?patient=1&_count=1") -> a search: type "Observation", that query, one page
//
// Reads of an instance and searches in a type, nothing else: no operations, histories, compartments or
// absolute URLs. Errors: kInvalidArgument; messages repeat nothing of the query, which may name a patient.
// Source: FHIR R4, "RESTful API"; CDS Hooks 2.0.1, "Prefetch query restrictions". Thread-safety: pure
// function.
#ifndef STEPWISE_FHIR_REST_INTERACTION_H_
#define STEPWISE_FHIR_REST_INTERACTION_H_

#include <string>
#include <string_view>

#include "fhir/result.h"

namespace stepwise::rest {

struct Interaction {
  std::string type;
  std::string id;     // of a read; "" of a search
  std::string query;  // of a search: its parameters, encoded for a URL or a form
  // The search sets _count, so what it wants is that many: the first page.
  bool first_page_only = false;

  bool is_read() const { return !id.empty(); }
};

Result<Interaction> ReadInteraction(std::string_view query);

}  // namespace stepwise::rest

#endif  // STEPWISE_FHIR_REST_INTERACTION_H_
