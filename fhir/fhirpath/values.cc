#include "fhir/fhirpath/values.h"

#include <utf8proc.h>

#include <algorithm>
#include <charconv>

#include "fhir/fhirpath/state.h"
#include "fhir/quantity.h"

namespace stepwise::fhirpath {
namespace {

std::optional<std::int64_t> ParseInt(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

constexpr std::string_view kUcumSystem = "http://unitsofmeasure.org";

// UCUM codes that FHIR says are calendar durations when a FHIR Quantity becomes a System one.
// Source: FHIR R4 "FHIRPath", "Using FHIR types in expressions".
std::string_view CalendarForUcum(std::string_view code) {
  static constexpr std::pair<std::string_view, std::string_view> kCalendar[] = {
      {"a", "year"}, {"mo", "month"}, {"d", "day"}, {"h", "hour"}, {"min", "minute"}, {"s", "second"}};
  for (const auto& [ucum, keyword] : kCalendar) {
    if (ucum == code) return keyword;
  }
  return {};
}

Item NumberItem(Node node, TypeId type) {
  const std::string_view text = node.text();
  const bool whole = type == types::kInteger || type == types::kPositiveInt || type == types::kUnsignedInt;
  if (whole || type == types::kNone || type == types::kInteger64) {
    if (const auto value = ParseInt(text)) {
      if (type == types::kInteger64) return Item::Long(*value);
      const bool fits = *value >= INT32_MIN && *value <= INT32_MAX;
      return fits ? Item::Integer(*value) : Item::Long(*value);
    }
  }
  const auto decimal = Decimal::Parse(text);
  return decimal ? Item::Of(*decimal) : Item::String(text);
}

Item StringItem(Node node, TypeId type) {
  const std::string_view text = node.string();
  std::optional<DateTime> temporal;
  switch (type) {
    case types::kDate: temporal = DateTime::ParseDate(text); break;
    case types::kDateTime:
    case types::kInstant: temporal = DateTime::ParseDateTime(text); break;
    case types::kTime: temporal = DateTime::ParseTime(text); break;
    // R5 writes integer64 as a JSON string.
    case types::kInteger64:
      if (const auto value = ParseInt(text)) return Item::Long(*value);
      break;
    default: break;
  }
  return temporal ? Item::Of(*temporal) : Item::String(text);
}

bool IsQuantityType(TypeId type) {
  switch (type) {
    case types::kQuantity:
    case types::kAge:
    case types::kCount:
    case types::kDistance:
    case types::kDuration: return true;
    default: return false;
  }
}

bool IsNumber(const Item& item) {
  return item.kind() == ItemKind::kInteger || item.kind() == ItemKind::kLong ||
         item.kind() == ItemKind::kDecimal;
}

Decimal AsDecimal(const Item& item) {
  return item.kind() == ItemKind::kDecimal || item.kind() == ItemKind::kQuantity ? item.decimal()
                                                                                 : Decimal(item.integer());
}

Quantity AsQuantity(const Item& item) {
  if (item.kind() != ItemKind::kQuantity) return {AsDecimal(item), "1", false};
  return {item.decimal(), item.unit().text, item.unit().calendar};
}

// Structural equality of complex nodes: the same properties with equal values; order matters where a property
// repeats.
bool EqualNodes(Node a, Node b, bool equivalent, int depth, Evaluation& evaluation);

bool EqualLeaf(Node a, Node b, bool equivalent) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case NodeKind::kNull: return true;
    case NodeKind::kBoolean: return a.boolean() == b.boolean();
    case NodeKind::kString: return a.string() == b.string();
    case NodeKind::kNumber: {
      const auto x = Decimal::Parse(a.text());
      const auto y = Decimal::Parse(b.text());
      if (!x || !y) return a.text() == b.text();
      return equivalent ? x->Rounded(std::min(x->scale(), y->scale())) ==
                              y->Rounded(std::min(x->scale(), y->scale()))
                        : *x == *y;
    }
    case NodeKind::kObject: return false;
  }
  return false;
}

bool EqualNodes(Node a, Node b, bool equivalent, int depth, Evaluation& evaluation) {
  if (depth > 200) return false;
  if (a == b) return true;
  if ((a.kind() == NodeKind::kObject) != (b.kind() == NodeKind::kObject)) return false;
  if (a.kind() != NodeKind::kObject && !EqualLeaf(a, b, equivalent)) return false;
  // Same document: names are the same numbers. Otherwise FHIR names are, and others compare by text.
  const auto same_name = [&](Node x, Node y) {
    if (x.name() < NameCount() || x.document() == y.document()) return x.name() == y.name();
    return x.name_text() == y.name_text();
  };
  const auto skip = [&](Node child) { return equivalent && child.name() == names::kId; };
  std::size_t count_a = 0, count_b = 0;
  for (const Node child : b.children()) count_b += skip(child) ? 0 : 1;
  for (const Node child : a.children()) {
    if (skip(child)) continue;
    ++count_a;
    // The n-th of that name here against the n-th there.
    std::size_t nth = 0;
    for (const Node sibling : a.children()) {
      if (sibling == child) break;
      if (same_name(sibling, child)) ++nth;
    }
    bool found = false;
    for (const Node other : b.children()) {
      if (!same_name(child, other)) continue;
      if (nth-- > 0) continue;
      found = EqualNodes(child, other, equivalent, depth + 1, evaluation);
      break;
    }
    if (!found) return false;
  }
  return count_a == count_b;
}

// Concepts are equivalent when they share a code: display and text do not change what is meant.
std::optional<bool> EquivalentConcepts(const Item& a, const Item& b) {
  const auto codes = [](Node node, TypeId type, auto&& visit) {
    if (type == types::kCoding) {
      visit(node);
    } else {
      for (const Node child : node.children()) {
        if (child.name() == names::kCoding) visit(child);
      }
    }
  };
  const auto concept_type = [](TypeId t) { return t == types::kCoding || t == types::kCodeableConcept; };
  if (!concept_type(a.type()) || !concept_type(b.type())) return std::nullopt;
  bool shared = false;
  int seen_a = 0, seen_b = 0;
  codes(a.node(), a.type(), [&](Node x) {
    ++seen_a;
    seen_b = 0;
    codes(b.node(), b.type(), [&](Node y) {
      ++seen_b;
      const Node xc = x.Child(names::kCode), yc = y.Child(names::kCode);
      const Node xs = x.Child(names::kSystem), ys = y.Child(names::kSystem);
      if (xc && yc && xc.string() == yc.string() && (xs ? xs.string() : "") == (ys ? ys.string() : ""))
        shared = true;
    });
  });
  if (seen_a == 0 || seen_b == 0) return std::nullopt;
  return shared;
}

std::string Folded(std::string_view text) {
  // Case folds, and any run of white space counts as one blank.
  std::string out;
  utf8proc_uint8_t* mapped = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                 static_cast<utf8proc_option_t>(UTF8PROC_CASEFOLD | UTF8PROC_COMPOSE));
  if (size < 0) return std::string(text);
  for (utf8proc_ssize_t i = 0; i < size; ++i) {
    const char c = static_cast<char>(mapped[i]);
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (blank && !out.empty() && out.back() == ' ') continue;
    out += blank ? ' ' : c;
  }
  std::free(mapped);  // NOLINT: utf8proc allocates with malloc
  return out;
}

Answer FromOptional(std::optional<bool> value) {
  return !value ? Answer::kEmpty : *value ? Answer::kTrue : Answer::kFalse;
}

std::uint64_t Mix(std::uint64_t h, std::uint64_t v) { return (h ^ v) * 0x9E3779B97F4A7C15ull + (h >> 29); }
std::uint64_t HashText(std::string_view text) { return std::hash<std::string_view>{}(text); }

std::uint64_t HashNode(Node node, int depth) {
  std::uint64_t h = 17;
  if (node.kind() == NodeKind::kString) h = Mix(h, HashText(node.string()));
  if (node.kind() == NodeKind::kBoolean) h = Mix(h, node.boolean() ? 2 : 1);
  if (depth < 3) {
    // A sum: property order does not matter to '='. Numbers are left out: 1.0 equals 1.
    std::uint64_t sum = 0;
    for (const Node child : node.children()) sum += HashNode(child, depth + 1);
    h = Mix(h, sum);
  }
  return h;
}

}  // namespace

Item ToSystem(const Item& item, Evaluation& evaluation) {
  if (!item.is_node()) return item;
  const Node node = item.node();
  switch (node.kind()) {
    case NodeKind::kBoolean: return Item::Boolean(node.boolean());
    case NodeKind::kNumber: return NumberItem(node, item.type());
    case NodeKind::kString: return StringItem(node, item.type());
    case NodeKind::kNull: return item;
    case NodeKind::kObject: break;
  }
  if (!IsQuantityType(item.type())) return item;
  const Node value = node.Child(names::kValue);
  if (!value || value.kind() != NodeKind::kNumber || node.Child(names::kComparator)) return item;
  const auto decimal = Decimal::Parse(value.text());
  if (!decimal) return item;
  const Node code = node.Child(names::kCode);
  const Node unit = node.Child(names::kUnit);
  const Node system = node.Child(names::kSystem);
  const bool ucum = system && system.string() == kUcumSystem;
  std::string_view text = "1";
  bool calendar = false;
  if (ucum && code) {
    text = code.string();
    if (const std::string_view keyword = CalendarForUcum(text); !keyword.empty()) {
      text = keyword;
      calendar = true;
    }
  } else if (!system && code) {
    text = code.string();
  } else if (unit) {
    text = unit.string();
  } else if (code) {
    text = code.string();
  }
  return Item::Quantity(*decimal, evaluation.KeepUnit(text, calendar));
}

bool HasValue(const Item& item) {
  if (!item.is_node()) return true;
  return item.node().kind() != NodeKind::kNull && !item.node().is_valueless_primitive();
}

bool ToQuantity(const Item& item, Decimal* value, UnitText* unit) {
  if (item.kind() != ItemKind::kQuantity && !IsNumber(item)) return false;
  const Quantity q = AsQuantity(item);
  *value = q.value;
  *unit = {q.unit, q.calendar};
  return true;
}

Answer Equal(const Item& left, const Item& right, Evaluation& evaluation) {
  // Strings against strings is nearly every comparison of codes: no conversion needed.
  if (left.is_node() && right.kind() == ItemKind::kString && left.node().kind() == NodeKind::kString &&
      left.type() != types::kDate && left.type() != types::kDateTime && left.type() != types::kInstant &&
      left.type() != types::kTime && left.type() != types::kInteger64) {
    return left.node().string() == right.string() ? Answer::kTrue : Answer::kFalse;
  }
  const Item a = ToSystem(left, evaluation);
  const Item b = ToSystem(right, evaluation);
  if (IsNumber(a) && IsNumber(b)) {
    if (a.kind() != ItemKind::kDecimal && b.kind() != ItemKind::kDecimal) {
      return a.integer() == b.integer() ? Answer::kTrue : Answer::kFalse;
    }
    return AsDecimal(a) == AsDecimal(b) ? Answer::kTrue : Answer::kFalse;
  }
  if ((a.kind() == ItemKind::kQuantity && (b.kind() == ItemKind::kQuantity || IsNumber(b))) ||
      (b.kind() == ItemKind::kQuantity && IsNumber(a))) {
    return FromOptional(Equal(AsQuantity(a), AsQuantity(b)));
  }
  if (a.kind() != b.kind()) return Answer::kFalse;
  switch (a.kind()) {
    case ItemKind::kBoolean: return a.boolean() == b.boolean() ? Answer::kTrue : Answer::kFalse;
    case ItemKind::kString: return a.string() == b.string() ? Answer::kTrue : Answer::kFalse;
    case ItemKind::kTemporal: return FromOptional(Equal(a.temporal(), b.temporal()));
    case ItemKind::kTypeInfo: return a.integer() == b.integer() ? Answer::kTrue : Answer::kFalse;
    case ItemKind::kNode:
      return EqualNodes(a.node(), b.node(), false, 0, evaluation) ? Answer::kTrue : Answer::kFalse;
    case ItemKind::kInteger:
    case ItemKind::kLong:
    case ItemKind::kDecimal:
    case ItemKind::kQuantity: break;
  }
  return Answer::kFalse;
}

bool Equivalent(const Item& left, const Item& right, Evaluation& evaluation) {
  const Item a = ToSystem(left, evaluation);
  const Item b = ToSystem(right, evaluation);
  if (IsNumber(a) && IsNumber(b)) {
    const Decimal x = AsDecimal(a).Normalized(), y = AsDecimal(b).Normalized();
    if (a.kind() != ItemKind::kDecimal || b.kind() != ItemKind::kDecimal) return x == y;
    const int places = std::min(x.scale(), y.scale());
    return x.Rounded(places) == y.Rounded(places);
  }
  if ((a.kind() == ItemKind::kQuantity && (b.kind() == ItemKind::kQuantity || IsNumber(b))) ||
      (b.kind() == ItemKind::kQuantity && IsNumber(a))) {
    return Equivalent(AsQuantity(a), AsQuantity(b));
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case ItemKind::kString: return a.string() == b.string() || Folded(a.string()) == Folded(b.string());
    case ItemKind::kTemporal: return Equivalent(a.temporal(), b.temporal());
    case ItemKind::kNode:
      if (const auto concepts = EquivalentConcepts(a, b)) return *concepts;
      return EqualNodes(a.node(), b.node(), true, 0, evaluation);
    default: return Equal(a, b, evaluation) == Answer::kTrue;
  }
}

Answer Order(const Item& left, const Item& right, Evaluation& evaluation, std::strong_ordering* order) {
  const Item a = ToSystem(left, evaluation);
  const Item b = ToSystem(right, evaluation);
  std::optional<std::strong_ordering> result;
  if (IsNumber(a) && IsNumber(b)) {
    result = a.kind() != ItemKind::kDecimal && b.kind() != ItemKind::kDecimal ? a.integer() <=> b.integer()
                                                                              : AsDecimal(a) <=> AsDecimal(b);
  } else if ((a.kind() == ItemKind::kQuantity || IsNumber(a)) &&
             (b.kind() == ItemKind::kQuantity || IsNumber(b))) {
    result = Compare(AsQuantity(a), AsQuantity(b));
  } else if (a.kind() == ItemKind::kString && b.kind() == ItemKind::kString) {
    // UTF-8 bytes order as code points do.
    result = a.string().compare(b.string()) <=> 0;
  } else if (a.kind() == ItemKind::kTemporal && b.kind() == ItemKind::kTemporal) {
    const bool a_time = a.temporal().kind == TemporalKind::kTime,
               b_time = b.temporal().kind == TemporalKind::kTime;
    if (a_time != b_time) return Answer::kError;
    result = Compare(a.temporal(), b.temporal());
  } else {
    // A node without a usable value ("<5", a date that is none) is not known; two types that never compare
    // are the author's mistake.
    const auto unusable = [](const Item& item) {
      return item.is_node() && (IsQuantityType(item.type()) || IsPrimitiveType(item.type()));
    };
    const auto malformed = [](const Item& before, const Item& after) {
      return before.is_node() && after.kind() == ItemKind::kString &&
             (before.type() == types::kDate || before.type() == types::kDateTime ||
              before.type() == types::kInstant || before.type() == types::kTime);
    };
    return unusable(a) || unusable(b) || malformed(left, a) || malformed(right, b) ? Answer::kEmpty
                                                                                   : Answer::kError;
  }
  if (!result) return Answer::kEmpty;
  *order = *result;
  return *result < 0 ? Answer::kTrue : Answer::kFalse;
}

Answer EqualItems(Items a, Items b, Evaluation& evaluation) {
  if (a.empty() || b.empty()) return Answer::kEmpty;
  if (a.size() != b.size()) return Answer::kFalse;
  Answer all = Answer::kTrue;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Answer one = Equal(a[i], b[i], evaluation);
    if (one == Answer::kFalse) return one;
    if (one != Answer::kTrue) all = one;
  }
  return all;
}

bool EquivalentItems(Items a, Items b, Evaluation& evaluation) {
  if (a.size() != b.size()) return false;
  if (a.size() == 1) return Equivalent(a[0], b[0], evaluation);
  Scratch rest(evaluation.state());
  rest->assign(b.begin(), b.end());
  for (const Item& item : a) {
    const auto match = std::find_if(rest->begin(), rest->end(),
                                    [&](const Item& other) { return Equivalent(item, other, evaluation); });
    if (match == rest->end()) return false;
    rest->erase(match);
  }
  return true;
}

std::uint64_t HashItem(const Item& item, Evaluation& evaluation) {
  const Item value = ToSystem(item, evaluation);
  switch (value.kind()) {
    case ItemKind::kBoolean: return value.boolean() ? 3 : 5;
    case ItemKind::kString: return HashText(value.string());
    case ItemKind::kInteger:
    case ItemKind::kLong: return Mix(7, static_cast<std::uint64_t>(value.integer()));
    case ItemKind::kDecimal: {
      const Decimal d = value.decimal().Normalized();
      if (const auto whole = d.ToInt64()) return Mix(7, static_cast<std::uint64_t>(*whole));
      return Mix(11, static_cast<std::uint64_t>(d.coefficient()) + static_cast<std::uint64_t>(d.scale()));
    }
    // Equal across units and offsets; unequal ones just share a bucket.
    case ItemKind::kQuantity: return 13;
    case ItemKind::kTemporal:
      return value.temporal().kind == TemporalKind::kTime
                 ? 19
                 : Mix(23, static_cast<std::uint64_t>(value.temporal().ToUnixMillis()));
    case ItemKind::kTypeInfo: return Mix(29, static_cast<std::uint64_t>(value.integer()));
    case ItemKind::kNode: return HashNode(value.node(), 0);
  }
  return 0;
}

ItemSet::ItemSet(Evaluation& evaluation)
    : evaluation_(evaluation),
      items_(evaluation.state().items.Take()),
      slots_(evaluation.state().words.Take()),
      hashes_(evaluation.state().words.Take()) {}

ItemSet::~ItemSet() {
  evaluation_.state().items.Give(items_);
  evaluation_.state().words.Give(slots_);
  evaluation_.state().words.Give(hashes_);
}

namespace {
constexpr std::size_t kLinearItems = 12;
}

bool ItemSet::Find(const Item& item, std::uint64_t hash) const {
  if (slots_->empty()) {
    for (const Item& other : *items_) {
      if (Equal(item, other, evaluation_) == Answer::kTrue) return true;
    }
    return false;
  }
  const std::size_t mask = slots_->size() - 1;
  for (std::size_t slot = hash & mask; (*slots_)[slot] != 0; slot = (slot + 1) & mask) {
    const std::size_t index = (*slots_)[slot] - 1;
    if ((*hashes_)[index] == hash && Equal(item, (*items_)[index], evaluation_) == Answer::kTrue) return true;
  }
  return false;
}

void ItemSet::Rehash() {
  std::size_t size = 64;
  while (size < items_->size() * 4) size *= 2;
  slots_->assign(size, 0);
  while (hashes_->size() < items_->size())
    hashes_->push_back(HashItem((*items_)[hashes_->size()], evaluation_));
  for (std::size_t i = 0; i < items_->size(); ++i) {
    std::size_t slot = (*hashes_)[i] & (size - 1);
    while ((*slots_)[slot] != 0) slot = (slot + 1) & (size - 1);
    (*slots_)[slot] = i + 1;
  }
}

bool ItemSet::Insert(const Item& item) {
  const std::uint64_t hash = slots_->empty() ? 0 : HashItem(item, evaluation_);
  if (Find(item, hash)) return false;
  items_->push_back(item);
  if (slots_->empty()) {
    if (items_->size() > kLinearItems) Rehash();
    return true;
  }
  hashes_->push_back(hash);
  if (items_->size() * 2 > slots_->size()) {
    Rehash();
    return true;
  }
  std::size_t slot = hash & (slots_->size() - 1);
  while ((*slots_)[slot] != 0) slot = (slot + 1) & (slots_->size() - 1);
  (*slots_)[slot] = items_->size();
  return true;
}

bool ItemSet::Contains(const Item& item) const {
  return Find(item, slots_->empty() ? 0 : HashItem(item, evaluation_));
}

TypeId SystemTypeOf(const Item& item) {
  if (!item.is_node()) return item.type();
  switch (item.node().kind()) {
    case NodeKind::kBoolean: return types::kSystemBoolean;
    case NodeKind::kString: return types::kSystemString;
    case NodeKind::kNumber:
      return item.node().text().find_first_of(".eE") == std::string_view::npos ? types::kSystemInteger
                                                                               : types::kSystemDecimal;
    case NodeKind::kNull:
    case NodeKind::kObject: break;
  }
  return types::kNone;
}

}  // namespace stepwise::fhirpath
