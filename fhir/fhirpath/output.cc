// How values look outside: type names, text and JSON.
#include "fhir/fhirpath/values.h"
#include "fhir/json_text.h"

namespace stepwise::fhirpath {
namespace {

std::string NamedType(TypeId type) {
  return (IsSystemType(type) ? "System." : "FHIR.") + std::string(TypeName(type));
}

}  // namespace

std::string TypeText(const Item& item) {
  const TypeId type = item.is_node() && item.type() == types::kNone ? SystemTypeOf(item) : item.type();
  return type == types::kNone ? "System.Any" : NamedType(type);
}

std::string ValueText(const Item& item) {
  switch (item.kind()) {
    case ItemKind::kNode:
      if (!HasValue(item)) return "";
      return std::string(item.node().kind() == NodeKind::kObject ? item.node().json() : item.node().text());
    case ItemKind::kBoolean: return item.boolean() ? "true" : "false";
    case ItemKind::kString: return std::string(item.string());
    case ItemKind::kInteger:
    case ItemKind::kLong: return std::to_string(item.integer());
    case ItemKind::kDecimal: return item.decimal().ToString();
    case ItemKind::kTemporal: return item.temporal().ToString();
    case ItemKind::kQuantity: {
      const UnitText& unit = item.unit();
      return item.decimal().ToString() + " " +
             (unit.calendar ? std::string(unit.text) : "'" + std::string(unit.text) + "'");
    }
    case ItemKind::kTypeInfo: return NamedType(static_cast<TypeId>(item.integer()));
  }
  return "";
}

std::string ValueJson(const Item& item) {
  std::string out;
  switch (item.kind()) {
    case ItemKind::kNode:
      // A primitive without a value has only extensions, which the value does not show.
      if (!HasValue(item)) return "null";
      return std::string(item.node().json());
    case ItemKind::kString: AppendJsonString(item.string(), out); return out;
    case ItemKind::kTemporal: AppendJsonString(item.temporal().ToString(), out); return out;
    case ItemKind::kQuantity:
      out = "{\"value\":" + item.decimal().ToString() + ",\"unit\":";
      AppendJsonString(item.unit().text, out);
      return out + "}";
    case ItemKind::kTypeInfo: {
      const TypeId type = static_cast<TypeId>(item.integer());
      out = std::string("{\"namespace\":\"") + (IsSystemType(type) ? "System" : "FHIR") + "\",\"name\":";
      AppendJsonString(TypeName(type), out);
      return out + "}";
    }
    case ItemKind::kBoolean:
    case ItemKind::kInteger:
    case ItemKind::kLong:
    case ItemKind::kDecimal: break;
  }
  return ValueText(item);
}

}  // namespace stepwise::fhirpath
