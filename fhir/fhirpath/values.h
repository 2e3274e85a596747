// What FHIRPath says about values: implicit conversion, equality, equivalence, order.
#ifndef STEPWISE_FHIR_FHIRPATH_VALUES_H_
#define STEPWISE_FHIR_FHIRPATH_VALUES_H_

#include <cstdint>

#include "fhir/fhirpath/fhirpath.h"
#include "fhir/fhirpath/item.h"

namespace stepwise::fhirpath {

// Outcome of a comparison: kEmpty is "not known", kError "these do not compare".
enum class Answer : std::uint8_t { kFalse, kTrue, kEmpty, kError };

// A primitive node with a value becomes its System value, a FHIR Quantity a System.Quantity (code of UCUM
// units, else the unit's text; one with a comparator stays a node: "<5" is no number). All else is unchanged.
Item ToSystem(const Item& item, Evaluation& evaluation);
// The node has a value, or is not a primitive (FHIR hasValue() for primitives).
bool HasValue(const Item& item);
// The Quantity that a number or quantity can be; false if it cannot.
bool ToQuantity(const Item& item, Decimal* value, UnitText* unit);

// FHIRPath '=' and '~' for single items.
Answer Equal(const Item& a, const Item& b, Evaluation& evaluation);
bool Equivalent(const Item& a, const Item& b, Evaluation& evaluation);
// '<': kTrue if a < b, kFalse if not, kEmpty if not known. `order` is set when the answer is known.
Answer Order(const Item& a, const Item& b, Evaluation& evaluation, std::strong_ordering* order);
// The same for collections ('=' keeps order, '~' does not). kEmpty when either is empty ('~': both empty is
// true).
Answer EqualItems(Items a, Items b, Evaluation& evaluation);
bool EquivalentItems(Items a, Items b, Evaluation& evaluation);

// Equal items have equal hashes.
std::uint64_t HashItem(const Item& item, Evaluation& evaluation);

// A set of items under '=', for distinct, union and the like: linear search while small, hashed beyond, so
// that a large collection costs no quadratic time. Its memory is the evaluation's.
class ItemSet {
 public:
  explicit ItemSet(Evaluation& evaluation);
  ~ItemSet();
  ItemSet(const ItemSet&) = delete;
  ItemSet& operator=(const ItemSet&) = delete;
  bool Insert(const Item& item);  // false if it was there
  bool Contains(const Item& item) const;

 private:
  bool Find(const Item& item, std::uint64_t hash) const;
  void Rehash();
  Evaluation& evaluation_;
  std::vector<Item>* items_;
  std::vector<std::uint64_t>* slots_;  // open addressing: index + 1, or 0
  std::vector<std::uint64_t>* hashes_;
};

// JSON text of a node's value for output, and the type that output gives it.
TypeId SystemTypeOf(const Item& item);

}  // namespace stepwise::fhirpath

#endif  // STEPWISE_FHIR_FHIRPATH_VALUES_H_
