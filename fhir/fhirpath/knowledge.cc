#include "fhir/fhirpath/knowledge.h"

namespace stepwise::fhirpath {

Knowledge Known(TypeId type, bool many) { return {.any = false, .types = {type}, .many = many}; }
Knowledge Nothing() { return {.any = false, .types = {}, .many = false}; }

void AddType(Knowledge& knowledge, TypeId type) {
  if (std::find(knowledge.types.begin(), knowledge.types.end(), type) == knowledge.types.end())
    knowledge.types.push_back(type);
}

Knowledge Either(const Knowledge& a, const Knowledge& b) {
  Knowledge result = a;
  result.any = a.any || b.any;
  result.resource = a.any && b.any ? a.resource && b.resource : a.any ? a.resource : b.resource;
  if (result.any)
    result.types.clear();
  else
    for (const TypeId type : b.types) AddType(result, type);
  result.many = a.many || b.many;
  result.ordered = a.ordered && b.ordered;
  result.unit = nullptr;
  return result;
}

bool IsBooleanType(TypeId type) { return type == types::kSystemBoolean || type == types::kBoolean; }
bool IsNumberType(TypeId type) {
  switch (type) {
    case types::kSystemInteger:
    case types::kSystemLong:
    case types::kSystemDecimal:
    case types::kInteger:
    case types::kInteger64:
    case types::kDecimal:
    case types::kPositiveInt:
    case types::kUnsignedInt: return true;
    default: return false;
  }
}
bool IsTemporalType(TypeId type) {
  switch (type) {
    case types::kSystemDate:
    case types::kSystemDateTime:
    case types::kSystemTime:
    case types::kDate:
    case types::kDateTime:
    case types::kInstant:
    case types::kTime: return true;
    default: return false;
  }
}

std::string Describe(const Knowledge& knowledge) {
  std::string text;
  for (const TypeId type : knowledge.types) {
    text += text.empty() ? "" : " or ";
    text += (IsSystemType(type) ? "System." : "") + std::string(TypeName(type));
  }
  return text;
}

}  // namespace stepwise::fhirpath
