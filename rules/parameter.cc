#include "rules/parameter.h"

#include "fhir/json_text.h"

namespace stepwise::rules {

std::unique_ptr<const Constant> MakeConstant(std::string text) {
  auto out = std::make_unique<Constant>();
  out->text = std::move(text);
  out->item = fhirpath::Item::String(out->text);
  return out;
}

Result<std::unique_ptr<const Constant>> MakeConstant(const PackParameter& parameter,
                                                     const std::string& text) {
  const auto fail = [&](std::string why) -> Result<std::unique_ptr<const Constant>> {
    return Fail(Code::kInvalidArgument, "parameter `" + parameter.name + "`: `" + text + "` " + why,
                parameter.span);
  };
  if (parameter.type == ParameterType::kString) return MakeConstant(text);
  auto out = std::make_unique<Constant>();
  out->text = text;
  if (parameter.type == ParameterType::kBoolean) {
    if (text != "true" && text != "false") return fail("is neither true nor false");
    out->item = fhirpath::Item::Boolean(text == "true");
    return out;
  }
  const auto value = IsJsonNumber(text) ? Decimal::Parse(text) : std::nullopt;
  if (!value) return fail("is no number");
  if (const auto min = Decimal::Parse(parameter.min); min && *value < *min)
    return fail("is below the minimum " + parameter.min);
  if (const auto max = Decimal::Parse(parameter.max); max && *value > *max)
    return fail("is above the maximum " + parameter.max);
  const auto integer = value->ToInt64();
  if (parameter.type == ParameterType::kInteger && !integer) return fail("is no whole number");
  if (!parameter.unit.empty()) {
    const auto calendar = CalendarUcum(parameter.unit);
    out->unit_text = calendar ? std::string(CalendarName(*calendar)) : parameter.unit;
    out->unit = {out->unit_text, calendar.has_value()};
    out->text += " " + parameter.unit;
    out->item = fhirpath::Item::Quantity(*value, &out->unit);
  } else if (parameter.type == ParameterType::kInteger) {
    out->item = fhirpath::Item::Integer(*integer);
  } else {
    out->item = fhirpath::Item::Of(*value);
  }
  return out;
}

}  // namespace stepwise::rules
