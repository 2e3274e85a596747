// Functions that the evaluator runs itself, because they evaluate an argument per item or stop early.
#include "fhir/fhirpath/functions.h"
#include "fhir/fhirpath/program.h"

namespace stepwise::fhirpath {
namespace {

constexpr Parameter kCriteria{Want::kExpression, "criteria", false};
constexpr Parameter kMaybeCriteria{Want::kExpression, "criteria", true};
constexpr Parameter kProjection{Want::kExpression, "projection", false};
constexpr Parameter kTypeParameter{Want::kType, "type", false};

constexpr Builtin kForms[] = {
    {.name = "aggregate", .params = {{{Want::kExpression, "aggregator", false}, {Want::kExpression, "init", true}}},
     .result_many = true, .doc = "Folds the items: the aggregator sees $this, $index and $total.",
     .spec = "fhirpath#aggregate", .form = ExprKind::kAggregate},
    {.name = "all", .params = {{kCriteria}}, .result = types::kSystemBoolean,
     .doc = "True if the criteria hold for every item; true for none.", .spec = "fhirpath#all", .form = ExprKind::kAll},
    {.name = "as", .params = {{kTypeParameter}}, .doc = "The item if it is of the type.", .spec = "fhirpath#astype",
     .form = ExprKind::kAs},
    {.name = "children", .result_many = true, .doc = "All direct child nodes, in no particular order.",
     .spec = "fhirpath#children", .form = ExprKind::kChildren},
    {.name = "coalesce", .params = {{{Want::kExpression, "value", false}}}, .result_many = true,
     .doc = "The first argument that is not empty.", .spec = "fhirpath#coalesce", .form = ExprKind::kCoalesce},
    {.name = "count", .result = types::kSystemInteger, .doc = "Number of items, 0 for none.",
     .spec = "fhirpath#count", .form = ExprKind::kCount},
    {.name = "defineVariable", .params = {{{Want::kString, "name", false}, {Want::kExpression, "value", true}}},
     .result_many = true, .doc = "Binds %name for the rest of the chain and returns the input.",
     .spec = "fhirpath#definevariable", .same_type = true, .form = ExprKind::kDefineVariable},
    {.name = "descendants", .result_many = true, .doc = "All nodes below, in no particular order.",
     .spec = "fhirpath#descendants", .form = ExprKind::kDescendants},
    {.name = "empty", .result = types::kSystemBoolean, .doc = "True if there is no item.",
     .spec = "fhirpath#empty", .form = ExprKind::kEmpty},
    {.name = "exists", .params = {{kMaybeCriteria}}, .result = types::kSystemBoolean,
     .doc = "True if there is an item (for which the criteria hold).", .spec = "fhirpath#exists", .form = ExprKind::kExists},
    {.name = "first", .doc = "The first item.", .spec = "fhirpath#first", .same_type = true, .ordered_input = true,
     .form = ExprKind::kFirst},
    {.name = "iif", .params = {{{Want::kExpression, "criterion", false}, {Want::kExpression, "true-result", false}, {Want::kExpression, "otherwise-result", true}}},
     .result_many = true, .doc = "The second argument if the criterion is true, else the third; only that one is evaluated.",
     .spec = "fhirpath#iif", .form = ExprKind::kIif},
    {.name = "is", .params = {{kTypeParameter}}, .result = types::kSystemBoolean,
     .doc = "True if the item is of the type or a subtype.", .spec = "fhirpath#istype", .form = ExprKind::kIs},
    {.name = "not", .result = types::kSystemBoolean, .doc = "True for false, false for true.",
     .spec = "fhirpath#not", .form = ExprKind::kNot},
    {.name = "ofType", .params = {{kTypeParameter}}, .result_many = true,
     .doc = "The items that are of the type or a subtype.", .spec = "fhirpath#oftype", .form = ExprKind::kOfType},
    {.name = "repeat", .params = {{kProjection}}, .result_many = true,
     .doc = "Applies the projection again and again to what it gives; each item once.", .spec = "fhirpath#repeat",
     .form = ExprKind::kRepeat},
    {.name = "repeatAll", .params = {{kProjection}}, .result_many = true,
     .doc = "As repeat, keeping duplicates.", .spec = "fhirpath#repeatall", .form = ExprKind::kRepeatAll},
    {.name = "select", .params = {{kProjection}}, .result_many = true,
     .doc = "What the projection gives for each item, in one collection.", .spec = "fhirpath#select",
     .form = ExprKind::kSelect},
    {.name = "skip", .params = {{{Want::kInteger, "num", false}}}, .result_many = true, .doc = "All but the first num items.",
     .spec = "fhirpath#skip", .same_type = true, .ordered_input = true, .form = ExprKind::kSkip},
    {.name = "sort", .params = {{{Want::kExpression, "key", true}}}, .result_many = true,
     .doc = "The items in the order of the keys (key asc|desc, ...); stable, empty keys first.", .spec = "fhirpath#sort",
     .same_type = true, .form = ExprKind::kSort},
    {.name = "take", .params = {{{Want::kInteger, "num", false}}}, .result_many = true, .doc = "The first num items.",
     .spec = "fhirpath#take", .same_type = true, .ordered_input = true, .form = ExprKind::kTake},
    {.name = "trace", .params = {{{Want::kString, "name", false}, {Want::kExpression, "projection", true}}}, .result_many = true,
     .doc = "Shows the items to who listens and returns them.", .spec = "fhirpath#trace", .same_type = true,
     .form = ExprKind::kTrace},
    {.name = "where", .params = {{kCriteria}}, .result_many = true, .doc = "The items for which the criteria hold.",
     .spec = "fhirpath#where", .same_type = true, .form = ExprKind::kWhere},
};

}  // namespace

std::span<const Builtin> Forms() { return kForms; }

}  // namespace stepwise::fhirpath
