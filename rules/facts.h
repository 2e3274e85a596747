// Facts: what a CDS Hooks request says, read datum by datum: known, known to be empty, or not known.
//
//   Result<Facts> facts = ReadFacts(document);
//   Fact meds = facts->Read("meds", "MedicationRequest?patient={{context.patientId}}");
//   if (!meds.known()) ...   // meds.why: "prefetch `meds` was not supplied"
//
// Absent is not empty: only null and a Bundle without entries mean that somebody looked and found nothing.
//
// A datum of another patient is never used silently: ReadFacts fails (kInvalidArgument, path = the place)
// when a resource in the prefetch or the context has a subject or patient that is not context.patientId, or
// is a Patient with another id. Contained resources and references that name no Patient are not looked at.
// Source: CDS Hooks 2.0, "Prefetch Template", "Providing FHIR resources to a CDS Service".
// Thread-safety: plain values; nodes live as long as the Document.
#ifndef STEPWISE_RULES_FACTS_H_
#define STEPWISE_RULES_FACTS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "fhir/document.h"
#include "fhir/result.h"

namespace stepwise::rules {

enum class FactState : std::uint8_t {
  kAbsent,      // no such key: not known
  kKnownEmpty,  // null or a Bundle without entries: looked, nothing there
  kFailed,      // an OperationOutcome, bare or in a Bundle, or no resource at all: not known
  kPartial,     // a Bundle with a next page though the query sets no _count: the rest is not known
  kPresent,
};

struct Fact {
  FactState state = FactState::kAbsent;
  Node node;        // the resource; a null Node when absent or null
  std::string why;  // of what is not known, in plain words; "" otherwise

  bool known() const { return state == FactState::kPresent || state == FactState::kKnownEmpty; }
};

struct Facts {
  std::string_view hook;
  std::string_view patient_id;  // bare: "Patient/" is cut off
  Node context;
  Node prefetch;  // null Node when the request has none

  // `query`: the prefetch template that the key stands for.
  Fact Read(std::string_view key, std::string_view query) const;
};

// Errors: kInvalidArgument with path.
Result<Facts> ReadFacts(const Document& request);

// Is every resource of the document this patient's, or nobody's? Errors: kInvalidArgument with path.
Status CheckPatients(const Document& document, std::string_view patient_id);

// "p1" of "Patient/p1" and of "p1".
std::string_view BareId(std::string_view patient);

// How people and references call a resource: "Observation/s1", or the JSON pointer of one without id.
std::string ReferenceOf(Node resource);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_FACTS_H_
