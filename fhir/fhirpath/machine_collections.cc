// What needs a whole collection at hand: repeat, sort, aggregate, and the instance selector.
#include <algorithm>

#include "fhir/fhirpath/machine.h"

namespace stepwise::fhirpath {

bool Machine::Repeat(const Expr& e, const Frame& frame, Sink out) {
  const bool all = e.kind == ExprKind::kRepeatAll;
  const std::int32_t projection = program_.arg(e, 0);
  Scratch queue(state_), found(state_);
  if (!Collect(e.focus, frame, *queue)) return false;
  ItemSet seen(evaluation_);
  std::size_t total = 0;
  std::int64_t position = 0;
  for (std::size_t at = 0; at < queue->size(); ++at) {
    const Item item = (*queue)[at];
    const Frame inner{&item, position++, {}};
    found->clear();
    if (!Collect(projection, inner, *found)) return false;
    for (const Item& next : *found) {
      if (!all && !seen.Insert(next)) continue;
      if (++total > state_.options.limits.max_items) {
        return Stop(Code::kLimit,
                    "repeat gives more than the limit of " + std::to_string(state_.options.limits.max_items) +
                        " items",
                    e);
      }
      queue->push_back(next);
      if (!out(next)) return false;
    }
  }
  return true;
}

bool Machine::Sort(const Expr& e, const Frame& frame, Sink out) {
  Scratch items(state_), keys(state_);
  if (!Collect(e.focus, frame, *items)) return false;
  const std::size_t width = std::max<std::size_t>(1, e.arg_count);
  // keys[i * width + k], kTypeInfo 0 standing for "no key".
  for (const Item& item : *items) {
    for (std::size_t k = 0; k < width; ++k) {
      Item key = item;
      if (e.arg_count > 0) {
        const Frame inner{&item, 0, {}};
        const int count = One(program_.arg(e, static_cast<std::uint32_t>(k)), inner, &key);
        if (count < 0) return false;
        if (count > 1) return Stop(Code::kSemantic, "a sort key must be one item", e);
        if (count == 0) key = Item::TypeInfo(types::kNone);
      }
      keys->push_back(ToSystem(key, evaluation_));
    }
  }
  Scratch order(state_);
  for (std::size_t i = 0; i < items->size(); ++i)
    order->push_back(Item::Integer(static_cast<std::int64_t>(i)));
  bool comparable = true;
  const auto before = [&](const Item& x, const Item& y) {
    for (std::size_t k = 0; k < width; ++k) {
      const Item& a = (*keys)[static_cast<std::size_t>(x.integer()) * width + k];
      const Item& b = (*keys)[static_cast<std::size_t>(y.integer()) * width + k];
      const bool none_a = a.kind() == ItemKind::kTypeInfo, none_b = b.kind() == ItemKind::kTypeInfo;
      const char direction = e.text != nullptr && k < e.text->size() ? (*e.text)[k] : 'a';
      const bool down = direction != 'a';
      if (none_a || none_b) {
        if (none_a == none_b) continue;
        // Empty is lowest: last where the key is desc. (-key negates values, and of nothing there is none.)
        return direction == 'd' ? none_b : none_a;
      }
      std::strong_ordering result = std::strong_ordering::equal;
      const Answer known = Order(a, b, evaluation_, &result);
      if (known == Answer::kError) comparable = false;
      if (known == Answer::kError || known == Answer::kEmpty || result == 0) continue;
      return down ? result > 0 : result < 0;
    }
    return false;
  };
  // A merge sort of our own: stable, in borrowed memory, and indifferent to keys whose order is not known
  // (which is no strict weak ordering, as std::sort demands).
  Scratch merged(state_);
  const std::size_t count = order->size();
  for (std::size_t run = 1; run < count; run *= 2) {
    merged->clear();
    for (std::size_t begin = 0; begin < count; begin += 2 * run) {
      const std::size_t middle = std::min(begin + run, count), end = std::min(begin + 2 * run, count);
      for (std::size_t i = begin, j = middle; i < middle || j < end;) {
        const bool right = j < end && (i == middle || before((*order)[j], (*order)[i]));
        merged->push_back((*order)[right ? j++ : i++]);
      }
    }
    std::swap(*order, *merged);
  }
  if (!comparable) return Stop(Code::kSemantic, "the sort keys do not compare with each other", e);
  for (const Item& position : *order) {
    if (!out((*items)[static_cast<std::size_t>(position.integer())])) return false;
  }
  return true;
}

bool Machine::Aggregate(const Expr& e, const Frame& frame, Sink out) {
  Scratch items(state_), total(state_), next(state_);
  if (!Collect(e.focus, frame, *items)) return false;
  if (e.arg_count > 1 && !Collect(program_.arg(e, 1), frame, *total)) return false;
  std::int64_t position = 0;
  for (const Item& item : *items) {
    const Frame inner{&item, position++, total.view()};
    next->clear();
    if (!Collect(program_.arg(e, 0), inner, *next)) return false;
    std::swap(*total, *next);
  }
  for (const Item& item : *total) {
    if (!out(item)) return false;
  }
  return true;
}

// Writes the object as JSON and reads it back, so that the rest of the engine sees an ordinary node.
bool Machine::Instance(const Expr& e, const Frame& frame, Sink out) {
  std::string json = "{";
  const bool resource = e.type != types::kNone && model_.Kind(e.type) == TypeKind::kResource;
  if (resource) json += "\"resourceType\":\"" + std::string(TypeName(e.type)) + "\"";
  const std::string_view names = e.text == nullptr ? std::string_view() : std::string_view(*e.text);
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < e.arg_count; ++i) {
    const std::size_t comma = names.find('\n', at);
    const std::string name(names.substr(at, comma - at));
    at = comma + 1;
    Scratch values(state_);
    if (!Collect(program_.arg(e, i), frame, *values)) return false;
    if (values->empty()) continue;
    const NameId id = FindName(name);
    const auto elements = id == kNoName ? std::span<const Element>() : model_.FindBase(e.type, id);
    const bool many = !elements.empty() && elements[0].many;
    std::string property = name;
    if (!elements.empty() && elements[0].is_choice) {
      // value: 5 'mg' is written as valueQuantity: the value's type picks the property.
      for (const Element& element : elements) {
        if (TypeName(element.type) == TypeName(values->front().type()) ||
            element.type == values->front().type()) {
          property = NameText(element.name);
        }
      }
    }
    if (json.size() > 1) json += ",";
    json += "\"" + property + "\":";
    if (many || values->size() > 1) json += "[";
    for (std::size_t v = 0; v < values->size(); ++v) json += (v > 0 ? "," : "") + ValueJson((*values)[v]);
    if (many || values->size() > 1) json += "]";
  }
  json += "}";
  if (json.size() > state_.options.limits.max_string)
    return Stop(Code::kLimit, "the instance is larger than the limit", e);
  Result<Document> document = Document::Parse(std::move(json));
  if (!document) return Stop(Code::kSemantic, "the instance cannot be built: " + document.error().message, e);
  state_.made.push_back(std::make_unique<Document>(std::move(*document)));
  return out(Item::Of(state_.made.back()->root(), e.type));
}

}  // namespace stepwise::fhirpath
