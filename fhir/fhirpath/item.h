// Item and Items: what FHIRPath expressions work on.
//
// An Item is one value: a node of a document, or a System value that was computed. 32 bytes, trivially
// copyable; strings, units and documents are viewed, never owned, so an Item lives as long as the document it
// points into and the Evaluation that made it. A collection is a contiguous run of Items, ordered,
// duplicates allowed, never holding null.
//
//   Item one = Item::Integer(1);
//   if (item.is_node()) item.node().Path();
#ifndef STEPWISE_FHIR_FHIRPATH_ITEM_H_
#define STEPWISE_FHIR_FHIRPATH_ITEM_H_

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "fhir/date_time.h"
#include "fhir/decimal.h"
#include "fhir/document.h"
#include "fhir/model.h"

namespace stepwise::fhirpath {

enum class ItemKind : std::uint8_t {
  kNode,  // an element or resource of a document; type() is its FHIR type, or kNone in plain JSON
  kBoolean,
  kString,
  kInteger,
  kLong,
  kDecimal,
  kTemporal,  // Date, DateTime or Time
  kQuantity,
  kTypeInfo,  // what type() gives: the type that type() names
};

// Unit of a System Quantity. `calendar`: written as a keyword ("days"), not as a UCUM code ('d').
struct UnitText {
  std::string_view text;
  bool calendar = false;
};

class Item {
 public:
  Item() : Item(ItemKind::kBoolean, types::kSystemBoolean) {}

  static Item Of(Node node, TypeId type) {
    Item item(ItemKind::kNode, type);
    item.payload_.node = {node.document(), node.index()};
    return item;
  }
  static Item Boolean(bool value) {
    Item item(ItemKind::kBoolean, types::kSystemBoolean);
    item.payload_.integer = value ? 1 : 0;
    return item;
  }
  static Item String(std::string_view value, TypeId type = types::kSystemString) {
    Item item(ItemKind::kString, type);
    item.payload_.string = {value.data(), value.size()};
    return item;
  }
  static Item Integer(std::int64_t value) {
    Item item(ItemKind::kInteger, types::kSystemInteger);
    item.payload_.integer = value;
    return item;
  }
  static Item Long(std::int64_t value) {
    Item item(ItemKind::kLong, types::kSystemLong);
    item.payload_.integer = value;
    return item;
  }
  static Item Of(const Decimal& value) {
    Item item(ItemKind::kDecimal, types::kSystemDecimal);
    item.SetDecimal(value);
    return item;
  }
  static Item Of(const DateTime& value) {
    Item item(ItemKind::kTemporal, value.kind == TemporalKind::kDate   ? types::kSystemDate
                                   : value.kind == TemporalKind::kTime ? types::kSystemTime
                                                                       : types::kSystemDateTime);
    item.payload_.temporal = value;
    return item;
  }
  // `unit` must outlive the item.
  static Item Quantity(const Decimal& value, const UnitText* unit) {
    Item item(ItemKind::kQuantity, types::kSystemQuantity);
    item.SetDecimal(value);
    item.unit_ = unit;
    return item;
  }
  static Item TypeInfo(TypeId named) {
    Item item(ItemKind::kTypeInfo, types::kSystemClassInfo);
    item.payload_.integer = named;
    return item;
  }

  ItemKind kind() const { return kind_; }
  bool is_node() const { return kind_ == ItemKind::kNode; }
  // FHIR type of a node (kNone: plain JSON), System type of everything else.
  TypeId type() const { return type_; }

  Node node() const { return payload_.node.document->node(payload_.node.index); }
  bool boolean() const { return payload_.integer != 0; }
  std::int64_t integer() const { return payload_.integer; }  // kInteger, kLong, kTypeInfo
  std::string_view string() const { return {payload_.string.data, payload_.string.size}; }
  Decimal decimal() const {  // kDecimal, kQuantity
    return Decimal::Make(static_cast<Int128>(payload_.coefficient.high) * (static_cast<Int128>(1) << 64) +
                             static_cast<Int128>(payload_.coefficient.low),
                         scale_);
  }
  const DateTime& temporal() const { return payload_.temporal; }
  const UnitText& unit() const { return *unit_; }  // kQuantity

 private:
  Item(ItemKind kind, TypeId type) : kind_(kind), type_(type) {}
  void SetDecimal(const Decimal& value) {
    const Int128 coefficient = value.coefficient();
    payload_.coefficient = {static_cast<std::uint64_t>(coefficient),
                            static_cast<std::int64_t>(coefficient >> 64)};
    scale_ = value.scale();
  }

  ItemKind kind_;
  TypeId type_;
  std::int32_t scale_ = 0;
  union Payload {
    Payload() : coefficient{0, 0} {}
    struct {
      const Document* document;
      std::uint32_t index;
    } node;
    std::int64_t integer;
    struct {
      const char* data;
      std::size_t size;
    } string;
    struct {
      std::uint64_t low;
      std::int64_t high;
    } coefficient;
    DateTime temporal;
  } payload_;
  const UnitText* unit_ = nullptr;
};
static_assert(sizeof(Item) == 32);

using Items = std::span<const Item>;

}  // namespace stepwise::fhirpath

#endif  // STEPWISE_FHIR_FHIRPATH_ITEM_H_
