#include "fhir/quantity.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace stepwise {
namespace {

// "4 mg" is 4 'mg'; "4 ~days" is 4 days.
struct Text {
  std::string text;
  Quantity View() const {
    const std::size_t blank = text.find(' ');
    const bool calendar = text[blank + 1] == '~';
    const std::optional<Decimal> value = Decimal::Parse(text.substr(0, blank));
    EXPECT_TRUE(value) << text;
    return {value.value_or(Decimal()), std::string_view(text).substr(blank + (calendar ? 2 : 1)), calendar};
  }
};
std::string Print(const std::optional<OwnedQuantity>& quantity) {
  return quantity ? ToString(quantity->View()) : "none";
}

TEST(QuantityTest, Compares) {
  const struct {
    std::string a;
    char sign;  // of Compare, '?' unknown
    bool equivalent;
    std::string b;
  } kRows[] = {
      {"4 g", '=', true, "4000 mg"},
      {"4 g", '<', true, "4040 mg"},
      {"4 g", '<', false, "4500 mg"},
      {"1.0 mg", '=', true, "1 mg"},
      {"10 mg", '<', true, "10.4 mg"},
      {"10 mg", '<', false, "10.5 mg"},
      {"185 [lb_av]", '<', true, "84 kg"},
      {"5 mg/dL", '=', true, "0.05 g/L"},
      {"1 10*3/uL", '=', true, "1 10*9/L"},
      {"50 %", '=', true, "0.5 1"},
      {"5 {score}", '=', true, "5 1"},
      {"5 ", '=', true, "5 1"},
      {"37 Cel", '=', true, "98.6 [degF]"},
      {"37 Cel", '>', false, "37 K"},
      {"1 g", '?', false, "1 m"},
      {"1 [iU]", '?', false, "1 g"},
      {"1 mmol/L", '?', false, "1 mg/dL"},
      // Not UCUM: equal texts still compare.
      {"2 tablets", '>', false, "1 tablets"},
      {"1 tablets", '?', false, "1 mg"},
      {"1 mg", '?', false, "1 tablets"},
      // Calendar durations; '~' rounds to whole months as it rounds 4040 mg to 4 g.
      {"1 ~year", '=', true, "1 ~years"},
      {"1 ~year", '?', true, "1 a"},
      {"1 ~month", '?', true, "1 mo"},
      {"1 ~year", '=', true, "12 ~months"},
      {"1 ~year", '<', false, "2 a"},
      {"20 a", '>', false, "18 ~years"},
      {"18 a", '?', true, "18 ~years"},
      {"1 ~month", '?', true, "28 d"},
      {"1 ~month", '>', true, "27 d"},
      {"1 ~month", '<', true, "32 ~days"},
      {"1 ~month", '?', true, "30 ~days"},
      {"-1 ~month", '<', true, "-27 d"},
      {"1 ~week", '=', true, "7 ~days"},
      {"1 ~week", '=', true, "1 wk"},
      {"1 ~day", '=', true, "24 h"},
      {"1 ~hour", '=', true, "3600 s"},
      {"1 ~second", '=', true, "1000 ms"},
      {"2 ~days", '>', false, "1 d"},
      {"1 ~year", '?', false, "1 kg"},
      {"1 ~fortnight", '?', false, "14 d"},
      {"0 ~years", '=', true, "0 a"},
  };
  for (const auto& row : kRows) {
    const Text a_text{row.a};
    const Text b_text{row.b};
    const Quantity a = a_text.View();
    const Quantity b = b_text.View();
    const auto order = Compare(a, b);
    const auto reverse = Compare(b, a);
    EXPECT_EQ(!order ? '?' : *order < 0 ? '<' : *order > 0 ? '>' : '=', row.sign) << row.a << " " << row.b;
    EXPECT_EQ(!reverse       ? '?'
              : *reverse > 0 ? '<'
              : *reverse < 0 ? '>'
                             : '=',
              row.sign)
        << row.b << " " << row.a;
    EXPECT_EQ(Equal(a, b), row.sign == '?' ? std::nullopt : std::optional<bool>(row.sign == '='))
        << row.a << " " << row.b;
    EXPECT_EQ(Equivalent(a, b), row.equivalent) << row.a << " ~ " << row.b;
    EXPECT_EQ(Equivalent(b, a), row.equivalent) << row.b << " ~ " << row.a;
  }
}

TEST(QuantityTest, Arithmetic) {
  const struct {
    std::string a;
    char op;
    std::string b;
    std::string result;
  } kRows[] = {
      {"1 g", '+', "1 mg", "1001 'mg'"},
      {"1 mg", '+', "1 g", "1001 'mg'"},
      {"1 g", '-', "1.5 mg", "998.5 'mg'"},
      {"1 mg", '+', "2.50 mg", "3.50 'mg'"},
      {"1 g", '+', "1 m", "none"},
      {"1 tablets", '+', "2 tablets", "3 'tablets'"},
      {"1 tablets", '+', "1 mg", "none"},
      {"37 Cel", '+', "1 Cel", "38 'Cel'"},
      {"37 Cel", '+', "1 K", "none"},
      {"1 ~day", '+', "2 ~hours", "26 hours"},
      {"1 ~day", '+', "2 h", "26 'h'"},
      {"1 ~year", '+', "1 ~month", "13 months"},
      {"1 ~year", '-', "1 a", "none"},
      {"1 ~year", '+', "2 ~years", "3 year"},
      {"99999999999999999999999999999999999999 mg", '+', "1 mg", "none"},
      {"1 ", '+', "1 ", "2 '1'"},
      {"1 ", '+', "50 %", "150 '%'"},
      {"2.0 cm", '*', "2.0 m", "4.00 'cm.m'"},
      {"3 m", '*', "2 m", "6 'm2'"},
      {"4.0 g", '/', "2.0 m", "2 'g/m'"},
      {"1.0 m", '/', "1.0 m", "1 '1'"},
      {"10 mg", '*', "3 1", "30 'mg'"},
      {"10 mg", '/', "2 ~days", "5 'mg/d'"},
      {"5 mg/kg", '*', "70 kg", "350 'mg'"},
      {"1 g", '/', "0 m", "none"},
      {"1 mgg", '*', "1 m", "none"},
      {"37 Cel", '*', "2 m", "none"},
      {"2 ", '*', "3 ", "6 '1'"},
  };
  for (const auto& row : kRows) {
    const Text a{row.a};
    const Text b{row.b};
    std::optional<OwnedQuantity> result;
    switch (row.op) {
      case '+': result = Add(a.View(), b.View()); break;
      case '-': result = Subtract(a.View(), b.View()); break;
      case '*': result = Multiply(a.View(), b.View()); break;
      default: result = Divide(a.View(), b.View()); break;
    }
    EXPECT_EQ(Print(result), row.result) << row.a << ' ' << row.op << ' ' << row.b;
  }
}

}  // namespace
}  // namespace stepwise
