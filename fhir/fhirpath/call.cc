// Calling a row of the function table: arguments are evaluated and fitted here, once for all functions.
#include "fhir/fhirpath/machine.h"

namespace stepwise::fhirpath {
namespace {

struct WantText {
  Want want;
  std::string_view text;
};
constexpr WantText kWants[] = {{Want::kBoolean, "a Boolean"},
                               {Want::kString, "a String"},
                               {Want::kInteger, "an Integer"},
                               {Want::kDecimal, "a number"},
                               {Want::kTemporal, "a Date, DateTime or Time"},
                               {Want::kQuantity, "a Quantity"}};

std::string_view Describe(Want want) {
  for (const WantText& row : kWants) {
    if (row.want == want) return row.text;
  }
  return "one item";
}

// The item as the System value that is wanted, by implicit conversion only.
std::optional<Item> Convert(const Item& item, Want want) {
  switch (want) {
    case Want::kBoolean: return item.kind() == ItemKind::kBoolean ? std::optional(item) : std::nullopt;
    case Want::kString: return item.kind() == ItemKind::kString ? std::optional(item) : std::nullopt;
    case Want::kInteger:
      return item.kind() == ItemKind::kInteger || item.kind() == ItemKind::kLong ? std::optional(item)
                                                                                 : std::nullopt;
    case Want::kDecimal:
      if (item.kind() == ItemKind::kInteger || item.kind() == ItemKind::kLong)
        return Item::Of(Decimal(item.integer()));
      return item.kind() == ItemKind::kDecimal ? std::optional(item) : std::nullopt;
    case Want::kTemporal: return item.kind() == ItemKind::kTemporal ? std::optional(item) : std::nullopt;
    case Want::kQuantity: {
      static constexpr UnitText kUnity{"1", false};
      if (item.kind() == ItemKind::kInteger || item.kind() == ItemKind::kLong)
        return Item::Quantity(Decimal(item.integer()), &kUnity);
      if (item.kind() == ItemKind::kDecimal) return Item::Quantity(item.decimal(), &kUnity);
      return item.kind() == ItemKind::kQuantity ? std::optional(item) : std::nullopt;
    }
    default: return item;
  }
}

}  // namespace

bool Machine::Fit(const Expr& e, Want want, std::string_view what, std::vector<Item>& items, bool* empty) {
  if (want == Want::kItems || want == Want::kNone) return true;
  if (items.empty()) {
    *empty = true;
    return true;
  }
  if (items.size() > 1) {
    return Stop(Code::kSemantic,
                std::string(e.row->name) + "() wants one item as its " + std::string(what) +
                    ", and there are several",
                e);
  }
  Rest(items[0]);
  const Item value = ToSystem(items[0], evaluation_);
  const auto fitted = Convert(value, want);
  if (!fitted) {
    // A primitive without value has nothing to say; another type is a mistake.
    if (!HasValue(items[0])) {
      *empty = true;
      return true;
    }
    return Stop(Code::kSemantic,
                std::string(e.row->name) + "() wants " + std::string(Describe(want)) + " as its " +
                    std::string(what) + ", not " + TypeText(items[0]),
                e);
  }
  items[0] = *fitted;
  return true;
}

bool Machine::CallRow(const Expr& e, const Frame& frame, Sink out) {
  const Builtin& row = *e.row;
  Scratch input(state_), arg0(state_), arg1(state_), arg2(state_), results(state_);
  std::vector<Item>* args[] = {&*arg0, &*arg1, &*arg2};
  Call call;
  bool empty = false;
  if (row.input == Want::kNone) {
    // A function of no input: now(), today().
  } else if (e.focus < 0) {
    if (frame.self != nullptr) input->push_back(*frame.self);
  } else if (row.input == Want::kItems) {
    if (!Collect(e.focus, frame, *input)) return false;
  } else {
    Item item;
    const int count = One(e.focus, frame, &item);
    if (count < 0) return false;
    for (int i = 0; i < count; ++i) input->push_back(item);
  }
  if (!Fit(e, row.input, "input", *input, &empty)) return false;
  if (empty) return true;
  for (std::uint32_t i = 0; i < e.arg_count; ++i) {
    const Want want = row.params[i].want;
    // Arguments see the same $this as the call.
    if (!Collect(program_.arg(e, i), frame, *args[i])) return false;
    if (!Fit(e, want, row.params[i].name, *args[i], &empty)) return false;
    if (empty) {
      if (!row.params[i].optional) return true;
      empty = false;
      continue;
    }
    call.given_ |= 1u << i;
    call.args_[i] = *args[i];
  }
  call.evaluation_ = &evaluation_;
  call.model_ = &model_;
  call.terminology_ = program_.terminology;
  call.machine_ = this;
  call.op_ = &e;
  call.input_ = input.view();
  call.out_ = &*results;
  if (Status status = row.fn(call); !status) {
    if (!state_.error) state_.error = std::move(status).error();
    return false;
  }
  for (const Item& item : *results) {
    if (!out(item)) return false;
  }
  return true;
}

void Call::Emit(const Item& item) { out_->push_back(item); }

void Call::EmitString(std::string_view text) { Emit(Item::String(evaluation_->KeepString(text))); }

tl::unexpected<Error> Call::Fail(Code code, std::string message) const {
  return stepwise::Fail(code, std::move(message), static_cast<const Expr*>(op_)->span);
}

const EvaluationLimits& Call::limits() const { return evaluation_->state().options.limits; }

const ValueSet* Call::bound_value_set() const { return static_cast<const Expr*>(op_)->value_set; }

void Call::Rests(Items items) {
  for (const Item& item : items) static_cast<Machine*>(machine_)->Rest(item);
}

}  // namespace stepwise::fhirpath
