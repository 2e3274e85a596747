// The groups of the function table. Internal to fhir/fhirpath; Builtins() in builtin.h is all of them, sorted.
#ifndef STEPWISE_FHIR_FHIRPATH_FUNCTIONS_H_
#define STEPWISE_FHIR_FHIRPATH_FUNCTIONS_H_

#include <span>

#include "fhir/fhirpath/builtin.h"

namespace stepwise::fhirpath {

std::span<const Builtin> Forms();                // forms.cc
std::span<const Builtin> CollectionFunctions();  // functions_collections.cc
std::span<const Builtin> FhirFunctions();        // functions_fhir.cc

}  // namespace stepwise::fhirpath

#endif  // STEPWISE_FHIR_FHIRPATH_FUNCTIONS_H_
