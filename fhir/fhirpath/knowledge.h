// Knowledge: what can be known of an expression's items before there is data. Internal to fhir/fhirpath.
#ifndef STEPWISE_FHIR_FHIRPATH_KNOWLEDGE_H_
#define STEPWISE_FHIR_FHIRPATH_KNOWLEDGE_H_

#include <algorithm>
#include <string>
#include <vector>

#include "fhir/fhirpath/item.h"
#include "fhir/model.h"

namespace stepwise::fhirpath {

struct Knowledge {
  bool any = true;  // types are not known; otherwise one of `types`; neither: there are never items
  std::vector<TypeId> types = {};
  bool many = true;
  bool ordered = true;
  bool resource = false;           // of `any`: resources of some type, or what stands inside them
  const UnitText* unit = nullptr;  // of a Quantity literal
};

Knowledge Known(TypeId type, bool many = false);
Knowledge Nothing();
void AddType(Knowledge& knowledge, TypeId type);
// Of a branch that may give either.
Knowledge Either(const Knowledge& a, const Knowledge& b);
// "System.Integer or Quantity", for messages.
std::string Describe(const Knowledge& knowledge);

bool IsBooleanType(TypeId type);
bool IsNumberType(TypeId type);
bool IsTemporalType(TypeId type);

// The types are known, and `test` holds for each.
bool AllOf(const Knowledge& knowledge, auto&& test) {
  return !knowledge.any && !knowledge.types.empty() &&
         std::all_of(knowledge.types.begin(), knowledge.types.end(), test);
}

}  // namespace stepwise::fhirpath

#endif  // STEPWISE_FHIR_FHIRPATH_KNOWLEDGE_H_
