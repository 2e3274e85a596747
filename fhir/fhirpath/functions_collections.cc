// Functions on whole collections: subsetting, combining, Boolean folds.
// Source: FHIRPath N1, "Existence", "Subsetting", "Combining".
#include "fhir/fhirpath/functions.h"
#include "fhir/fhirpath/values.h"

namespace stepwise::fhirpath {
namespace {

Status Last(Call& call) {
  if (!call.input().empty()) call.Emit(call.input().back());
  return {};
}

Status Tail(Call& call) {
  for (std::size_t i = 1; i < call.input().size(); ++i) call.Emit(call.input()[i]);
  return {};
}

Status Single(Call& call) {
  if (call.input().size() > 1) {
    return call.Fail(Code::kSemantic,
                     "single() wants at most one item, and there are " + std::to_string(call.input().size()));
  }
  if (!call.input().empty()) call.Emit(call.input()[0]);
  return {};
}

Status Distinct(Call& call) {
  ItemSet seen(call.evaluation());
  for (const Item& item : call.input()) {
    if (seen.Insert(item)) call.Emit(item);
  }
  return {};
}

Status IsDistinct(Call& call) {
  ItemSet seen(call.evaluation());
  for (const Item& item : call.input()) {
    if (!seen.Insert(item)) {
      call.Emit(false);
      return {};
    }
  }
  call.Emit(true);
  return {};
}

bool Holds(Items all, Items some, Evaluation& evaluation) {
  ItemSet set(evaluation);
  for (const Item& item : all) set.Insert(item);
  for (const Item& item : some) {
    if (!set.Contains(item)) return false;
  }
  return true;
}

Status SubsetOf(Call& call) {
  call.Emit(Holds(call.items(0), call.input(), call.evaluation()));
  return {};
}

Status SupersetOf(Call& call) {
  call.Emit(Holds(call.input(), call.items(0), call.evaluation()));
  return {};
}

Status Union(Call& call) {
  ItemSet seen(call.evaluation());
  for (const Items items : {call.input(), call.items(0)}) {
    for (const Item& item : items) {
      if (seen.Insert(item)) call.Emit(item);
    }
  }
  return {};
}

Status Combine(Call& call) {
  for (const Items items : {call.input(), call.items(0)}) {
    for (const Item& item : items) call.Emit(item);
  }
  return {};
}

Status Intersect(Call& call) {
  ItemSet other(call.evaluation()), seen(call.evaluation());
  for (const Item& item : call.items(0)) other.Insert(item);
  for (const Item& item : call.input()) {
    if (other.Contains(item) && seen.Insert(item)) call.Emit(item);
  }
  return {};
}

Status Exclude(Call& call) {
  ItemSet other(call.evaluation());
  for (const Item& item : call.items(0)) other.Insert(item);
  for (const Item& item : call.input()) {
    if (!other.Contains(item)) call.Emit(item);
  }
  return {};
}

// True when every item is `wanted` (all) or some item is (any).
template <bool kWanted, bool kAll>
Status Fold(Call& call) {
  bool result = kAll;
  for (const Item& item : call.input()) {
    const Item value = ToSystem(item, call.evaluation());
    if (value.kind() != ItemKind::kBoolean) {
      if (!HasValue(item)) continue;
      return call.Fail(Code::kSemantic, "only Booleans are true or false, not " + TypeText(item));
    }
    if (kAll && value.boolean() != kWanted) result = false;
    if (!kAll && value.boolean() == kWanted) result = true;
  }
  call.Rests(call.input());
  call.Emit(result);
  return {};
}

Status Now(Call& call) {
  call.Emit(Item::Of(call.evaluation().now()));
  return {};
}

Status Today(Call& call) {
  DateTime today = call.evaluation().now().AsDate();
  today.precision = Precision::kDay;
  call.Emit(Item::Of(today));
  return {};
}

Status TimeOfDay(Call& call) {
  DateTime time = call.evaluation().now();
  time.kind = TemporalKind::kTime;
  time.has_offset = time.zulu = false;
  time.offset_minutes = 0;
  time.year = 1;
  time.month = time.day = 1;
  call.Emit(Item::Of(time));
  return {};
}

constexpr Parameter kOther{Want::kItems, "other", false};

constexpr Builtin kRows[] = {
    {.name = "allFalse",
     .result = types::kSystemBoolean,
     .fn = Fold<false, true>,
     .doc = "True if every item is false; true for none.",
     .spec = "fhirpath#allfalse"},
    {.name = "allTrue",
     .result = types::kSystemBoolean,
     .fn = Fold<true, true>,
     .doc = "True if every item is true; true for none.",
     .spec = "fhirpath#alltrue"},
    {.name = "anyFalse",
     .result = types::kSystemBoolean,
     .fn = Fold<false, false>,
     .doc = "True if some item is false.",
     .spec = "fhirpath#anyfalse"},
    {.name = "anyTrue",
     .result = types::kSystemBoolean,
     .fn = Fold<true, false>,
     .doc = "True if some item is true.",
     .spec = "fhirpath#anytrue"},
    {.name = "combine",
     .params = {{kOther, {Want::kBoolean, "preserveOrder", true}}},
     .result_many = true,
     .fn = Combine,
     .doc = "Both collections, duplicates kept.",
     .spec = "fhirpath#combine"},
    {.name = "distinct",
     .result_many = true,
     .fn = Distinct,
     .doc = "Each item once.",
     .spec = "fhirpath#distinct",
     .same_type = true},
    {.name = "exclude",
     .params = {{kOther}},
     .result_many = true,
     .fn = Exclude,
     .doc = "The items that are not in the other collection; order and duplicates kept.",
     .spec = "fhirpath#exclude",
     .same_type = true},
    {.name = "intersect",
     .params = {{kOther}},
     .result_many = true,
     .fn = Intersect,
     .doc = "The items that are in both collections, each once.",
     .spec = "fhirpath#intersect",
     .same_type = true},
    {.name = "isDistinct",
     .result = types::kSystemBoolean,
     .fn = IsDistinct,
     .doc = "True if no item occurs twice.",
     .spec = "fhirpath#isdistinct"},
    {.name = "last",
     .fn = Last,
     .doc = "The last item.",
     .spec = "fhirpath#last",
     .same_type = true,
     .ordered_input = true},
    {.name = "now",
     .input = Want::kNone,
     .result = types::kSystemDateTime,
     .fn = Now,
     .doc = "The moment for which the evaluation is made.",
     .spec = "fhirpath#now"},
    {.name = "single",
     .fn = Single,
     .doc = "The one item; an error if there are more.",
     .spec = "fhirpath#single",
     .same_type = true},
    {.name = "subsetOf",
     .params = {{kOther}},
     .result = types::kSystemBoolean,
     .fn = SubsetOf,
     .doc = "True if every item is in the other collection.",
     .spec = "fhirpath#subsetof"},
    {.name = "supersetOf",
     .params = {{kOther}},
     .result = types::kSystemBoolean,
     .fn = SupersetOf,
     .doc = "True if every item of the other collection is here.",
     .spec = "fhirpath#supersetof"},
    {.name = "tail",
     .result_many = true,
     .fn = Tail,
     .doc = "All but the first item.",
     .spec = "fhirpath#tail",
     .same_type = true,
     .ordered_input = true},
    {.name = "timeOfDay",
     .input = Want::kNone,
     .result = types::kSystemTime,
     .fn = TimeOfDay,
     .doc = "The time of day for which the evaluation is made.",
     .spec = "fhirpath#timeofday"},
    {.name = "today",
     .input = Want::kNone,
     .result = types::kSystemDate,
     .fn = Today,
     .doc = "The day for which the evaluation is made.",
     .spec = "fhirpath#today"},
    {.name = "union",
     .params = {{kOther}},
     .result_many = true,
     .fn = Union,
     .doc = "Both collections, each item once.",
     .spec = "fhirpath#union"},
};

}  // namespace

std::span<const Builtin> CollectionFunctions() { return kRows; }

}  // namespace stepwise::fhirpath
