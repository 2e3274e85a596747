#include "fhir/ucum/ucum.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <optional>
#include <string>

#include "fhir/ucum/unit_parser.h"

namespace stepwise::ucum {
namespace {

Unit U(const std::string& text) {
  const Result<Unit> unit = Parse(text);
  EXPECT_TRUE(unit) << (unit ? "" : unit.error().ToString());
  return unit.value_or(Unit());
}
std::string Text(const std::optional<Decimal>& value) { return value ? value->ToString() : "none"; }

TEST(UcumTest, Converts) {
  const struct {
    std::string value;
    std::string from;
    std::string to;
    std::string result;  // "none": no conversion
  } kRows[] = {
      // Factors of the UCUM tables.
      {"1", "[in_i]", "cm", "2.54"},
      {"1", "[ft_i]", "m", "0.3048"},
      {"1", "[mi_i]", "m", "1609.344"},
      {"1", "[lb_av]", "g", "453.59237"},
      {"1", "[oz_av]", "g", "28.349523125"},
      {"1", "[gr]", "mg", "64.79891"},
      {"1", "[stone_av]", "kg", "6.35029318"},
      {"1", "[gal_us]", "L", "3.785411784"},
      {"1", "[foz_us]", "mL", "29.5735295625"},
      {"1", "[tsp_us]", "mL", "4.92892159375"},
      {"1", "[drp]", "mL", "0.05"},
      {"1", "a", "d", "365.25"},
      {"1", "mo", "d", "30.4375"},
      {"1", "wk", "h", "168"},
      {"1", "d", "s", "86400"},
      {"1", "a_t", "d", "365.24219"},
      {"1", "mm[Hg]", "Pa", "133.322"},
      {"1", "m[H2O]", "Pa", "9806.65"},
      {"1", "cm[H2O]", "Pa", "98.0665"},
      {"1", "atm", "kPa", "101.325"},
      {"1", "bar", "Pa", "100000"},
      {"1", "cal", "J", "4.184"},
      {"1", "[Cal]", "kcal", "1"},
      {"1", "Ci", "Bq", "37000000000"},
      {"1", "RAD", "Gy", "0.01"},
      {"1", "[psi]", "Pa", "6894.757293168361336722673445"},
      {"1", "gf", "N", "0.00980665"},
      {"1", "Ao", "nm", "0.1"},
      {"1", "By", "bit", "8"},
      {"1", "KiBy", "bit", "8192"},
      {"1", "[c]", "km/s", "299792.458"},
      {"1", "kat", "umol/min", "60000000"},
      {"1", "U", "umol/min", "1"},
      {"1", "u", "g", "0.0000000000000000000000016605402"},
      {"1", "t", "kg", "1000"},
      {"1", "[S]", "s", "0.0000000000001"},
      {"1", "Bd", "/s", "1"},
      {"1", "[diop]", "/m", "1"},
      {"1", "[mesh_i]", "/[in_i]", "1"},
      {"1", "[LPF]", "1", "100"},
      {"1", "[car_Au]", "1", "0.04166666666666666666666666667"},
      {"1", "m[IU]", "u[iU]", "1000"},
      // Clinical concentrations and rates.
      {"90", "mg/dL", "g/L", "0.90"},
      {"0.9", "g/L", "mg/dL", "90"},
      {"1", "ug/h", "mg/d", "0.024"},
      {"50", "%", "1", "0.50"},
      {"1", "10*3/uL", "10*9/L", "1"},
      {"1", "10^3/uL", "10*9/L", "1"},
      {"5", "mg/kg/d", "ug/kg/h", "208.3333333333333333333333333"},
      {"1", "mL/min/{1.73_m2}", "L/h", "0.06"},
      {"1", "g%", "g/dL", "1"},
      {"1", "meq/L", "mmol/L", "1"},
      {"1", "mg", "kg", "0.000001"},
      {"1.50", "m", "cm", "150"},
      {"1.50", "g", "kg", "0.00150"},
      {"1", "/min", "Hz", "0.01666666666666666666666666667"},
      {"3600", "m/h", "m/s", "1"},
      {"1", "{beats}/min", "/min", "1"},
      {"5", "/100{WBCs}", "%", "5"},
      {"1", "[iU]/mL", "[iU]/L", "1000"},
      {"1", "k[iU]/L", "[iU]/mL", "1"},
      {"1", "mmol", "10*20", "6.0221367"},
      {"-5", "g", "mg", "-5000"},
      {"0.00", "g", "mg", "0.00"},
      // Temperatures, exact through Kelvin.
      {"37", "Cel", "K", "310.15"},
      {"0", "K", "Cel", "-273.15"},
      {"98.6", "[degF]", "Cel", "37"},
      {"37", "Cel", "[degF]", "98.6"},
      {"-40", "Cel", "[degF]", "-40"},
      {"32", "[degF]", "K", "273.15"},
      {"80", "[degRe]", "Cel", "100"},
      {"100", "Cel", "[degRe]", "80"},
      {"1", "[degF]", "[degR]", "460.67"},
      {"1000", "mCel", "K", "274.15"},
      {"212", "[degF]", "mCel", "100000"},
      {"99", "[degF]", "Cel", "37.2222222222222222222222222"},
      // Angles: powers of pi.
      {"180", "deg", "rad", "3.141592653589793238462643383"},
      {"1", "circ", "deg", "360"},
      {"1", "rad", "deg", "57.29577951308232087679815481"},
      {"1", "'", "''", "60"},
      {"1", "gon", "deg", "0.9"},
      {"1", "sph", "sr", "12.56637061435917295385057353"},
      {"1", "Oe", "A/m", "79.57747154594766788444188169"},
      // Functions.
      {"7", "[pH]", "mol/L", "0.0000001"},
      {"0.0000001", "mol/L", "[pH]", "7"},
      {"7.4", "[pH]", "nmol/L", "39.81071705535"},
      {"-1", "mol/L", "[pH]", "none"},
      {"3", "B", "1", "1000"},
      {"30", "dB", "1", "1000"},
      {"1000", "1", "dB", "30"},
      {"20", "dB[V]", "V", "10"},
      {"2", "B[SPL]", "Pa", "0.0002"},
      {"1", "B[kW]", "W", "10000"},
      {"2", "Np", "dB", "8.685889638065"},
      {"8", "bit_s", "1", "256"},
      {"100", "[p'diop]", "deg", "45"},
      {"45", "deg", "%[slope]", "100"},
      {"6", "[hp'_X]", "1", "0.000001"},
      {"3", "[hp'_C]", "1", "0.000001"},
      {"2", "[hp'_M]", "1", "0.000001"},
      {"1", "[hp'_Q]", "1", "0.00002"},
      {"3", "[m/s2/Hz^(1/2)]", "m2/s4/Hz", "9"},
      {"2", "10.dB", "1", "100"},
      // Nothing to do with each other.
      {"1", "g", "m", "none"},
      {"1", "[iU]", "g", "none"},
      {"1", "[iU]", "1", "none"},
      {"1", "[iU]", "U", "none"},
      {"1", "[CFU]", "[PFU]", "none"},
      {"1", "mmol/L", "mg/dL", "none"},
      {"1", "[iU]/mL", "[arb'U]/mL", "none"},
      {"1", "rad", "1", "none"},
      {"1", "J", "N", "none"},
      // Range.
      {"99999999999999999999999999999999999999", "kg", "g", "none"},
      {"0.00000000000000000000000000000000000001", "g", "kg", "none"},
      {"99999999999999999999999999999999999999", "g", "kg", "99999999999999999999999999999999999.999"},
      {"12345678901234567890123456789012345678", "d", "wk", "1763668414462081127160493827000000000"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(Text(Convert(*Decimal::Parse(row.value), U(row.from), U(row.to))), row.result)
        << row.value << ' ' << row.from << " -> " << row.to;
  }
}

TEST(UcumTest, CanonicalForms) {
  const struct {
    std::string unit;
    std::string canonical;
    std::string magnitude;
  } kRows[] = {
      {"mg/mL", "g.m-3", "1000"},
      {"kg", "g", "1000"},
      {"1", "1", "1"},
      {"{score}", "1", "1"},
      {"N", "g.m.s-2", "1000"},
      {"[iU]/L", "[iU].m-3", "1000"},
      {"Cel", "K", "none"},
      {"mm[Hg]", "g.m-1.s-2", "133322"},
      {"/min", "s-1", "0.01666666666666666666666666667"},
      {"m.m/m2", "1", "1"},
      {"(m/s)/(m/s)", "1", "1"},
      {"V", "C-1.g.m2.s-2", "1000"},
      {"[iU]/[IU]", "1", "1"},
      {"m/s/s", "m.s-2", "1"},
      {"m/(s.s)", "m.s-2", "1"},
      {"/m.s", "m-1.s", "1"},
      {"10*-2", "1", "0.01"},
      {"10*+2", "1", "100"},
      {"m+2", "m2", "1"},
      {"2.m", "m", "2"},
      {"m/4", "m", "0.25"},
      {"m3.10*-3/L", "1", "1"},
      {"g{dry}/(100{cells}.L)", "g.m-3", "10"},
      {"dar", "m2", "10"},
      {"cd", "cd", "1"},
      {"Pa", "g.m-1.s-2", "1000"},
      {"mol.rad.K", "K.rad", "602213670000000000000000"},
      {"m0", "1", "1"},
      {"[iU]0", "1", "1"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(Canonical(U(row.unit)), row.canonical) << row.unit;
    EXPECT_EQ(Text(CanonicalMagnitude(U(row.unit))), row.magnitude) << row.unit;
  }
}

TEST(UcumTest, RejectsWithAPlaceAndAReason) {
  const struct {
    std::string unit;
    Code code;
    unsigned column;
    std::string says;
  } kRows[] = {
      {"", Code::kSyntax, 0, "write '1'"},
      {"mgg", Code::kSemantic, 1, "did you mean 'mg'"},
      {"mcg", Code::kSemantic, 1, "did you mean 'ug'"},
      {"mg/mcL", Code::kSemantic, 4, "did you mean 'uL'"},
      {"MMOL", Code::kSemantic, 1, "did you mean 'mmol'"},
      {"mmHg", Code::kSemantic, 1, "'mm[Hg]'"},
      {"IU/L", Code::kSemantic, 1, "'[iU]'"},
      {"hr", Code::kSemantic, 1, "'h'"},
      {"years", Code::kSemantic, 1, "'a'"},
      {"tablet", Code::kSemantic, 1, "'{tbl}'"},
      {"in", Code::kSemantic, 1, "'[in_i]'"},
      {"lbs", Code::kSemantic, 1, "'[lb_av]'"},
      {"qqqqq", Code::kSemantic, 1, "unknown unit 'qqqqq'"},
      {"kh", Code::kSemantic, 1, "unknown unit 'kh'"},
      {"mmin", Code::kSemantic, 1, "unknown unit"},
      {"k", Code::kSemantic, 1, "unknown unit 'k'"},
      {"[foo]", Code::kSemantic, 1, "[foo]"},
      {"mg//mL", Code::kSyntax, 4, "unexpected '/'"},
      {"mg.", Code::kSyntax, 4, "ends"},
      {"/", Code::kSyntax, 2, "ends"},
      {"mg/mL)", Code::kSyntax, 6, "no '('"},
      {"(mg/mL", Code::kSyntax, 1, "never closed"},
      {"mg mL", Code::kSyntax, 3, "blanks"},
      {" mg", Code::kSyntax, 1, "blanks"},
      {"mg*mL", Code::kSyntax, 3, "'.' for times"},
      {"m^2", Code::kSyntax, 2, "m2"},
      {"m-", Code::kSyntax, 2, "sign"},
      {"{tbl", Code::kSyntax, 1, "never closed"},
      {"{a b}", Code::kSyntax, 3, "annotation"},
      {"{a{b}}", Code::kSyntax, 3, "annotation"},
      {"mg}", Code::kSyntax, 3, "unexpected '}'"},
      {"[in_i", Code::kSyntax, 1, "never closed"},
      {"\xC2\xB5g", Code::kSyntax, 1, "'u' for micro"},
      {"\xC2\xB0"
       "C",
       Code::kSyntax, 1, "'Cel'"},
      {"m\xE2\x82\xAC", Code::kSyntax, 2, "ASCII"},
      {"(m)2", Code::kSyntax, 4, "before it"},
      {"m2kg", Code::kSyntax, 3, "expected"},
      {"0.m", Code::kSemantic, 1, "0 is no unit factor"},
      {"m/0", Code::kSemantic, 3, "0 is no unit factor"},
      {"m100", Code::kLimit, 2, "99"},
      {"1234567890123456789", Code::kLimit, 1, "18 digits"},
      {"m99.m99", Code::kLimit, 5, "power"},
      {"d16/d16/u14.uu14.u", Code::kLimit, 1, "too large"},
      {"10*99.10*99.10*99.10*99", Code::kLimit, 1, "too large"},
      {"Cel/min", Code::kSemantic, 1, "use 'K'"},
      {"Cel2", Code::kSemantic, 1, "no power"},
      {"/Cel", Code::kSemantic, 2, "no power"},
      {"mg.[pH]", Code::kSemantic, 4, "product"},
      {"[iU].[CFU].[PFU].[FFU].[ELU]", Code::kLimit, 24, "arbitrary"},
      {std::string(257, 'm'), Code::kLimit, 0, "at most 256"},
      {std::string(33, '(') + "m" + std::string(33, ')'), Code::kLimit, 33, "parentheses"},
      {std::string(250, '('), Code::kLimit, 33, "parentheses"},
  };
  for (const auto& row : kRows) {
    const Result<Unit> unit = Parse(row.unit);
    ASSERT_FALSE(unit) << row.unit;
    EXPECT_EQ(CodeName(unit.error().code), CodeName(row.code)) << row.unit << ": " << unit.error().message;
    EXPECT_EQ(unit.error().span.column, row.column) << row.unit << ": " << unit.error().message;
    EXPECT_NE(unit.error().message.find(row.says), std::string::npos)
        << row.unit << ": " << unit.error().message;
  }
  EXPECT_TRUE(Parse(std::string(32, '(') + "m" + std::string(32, ')')));
  EXPECT_FALSE(Parse("mg/mL", {.max_length = 4}));
}

TEST(UcumTest, EveryRowOfTheTableParses) {
  ASSERT_EQ(Units().size(), 311U);
  std::string_view previous;
  for (const UnitRow& row : Units()) {
    const std::string code(row.code);
    EXPECT_LT(previous, row.code);
    previous = row.code;
    const Unit unit = U(code);
    EXPECT_EQ(unit.dimension, row.dimension) << code;
    EXPECT_EQ(unit.special, row.special) << code;
    EXPECT_EQ(unit.arbitrary[0].number != 0, row.arbitrary != 0) << code;
    EXPECT_TRUE(unit.magnitude.exact) << code;
    if (!row.definition.empty()) {
      // The definition, parsed here, is the factor that the generator computed.
      const Unit defined = U(std::string(row.definition));
      const Unit one = U(code);
      const std::optional<Decimal> value = Decimal::Parse(row.value);
      const double expected =
          (value ? value->ToDouble() : std::stod(std::string(row.value))) * defined.magnitude.Approximate();
      EXPECT_NEAR(one.magnitude.Approximate() / expected, 1, 1e-12) << code;
      EXPECT_EQ(defined.dimension, row.dimension) << code;
    }
    EXPECT_EQ(Parse("k" + code).has_value(), row.metric || code == "at" || FindRow("k" + code) != nullptr)
        << code;
    if (row.special == Special::kNone) {
      EXPECT_EQ(Canonical(U(code + "/" + code)), "1") << code;
      EXPECT_TRUE(Commensurable(U(code + "2"), Power(unit, 2))) << code;
    }
  }
}

TEST(UcumTest, CommonUnitsAreThoseThatParse) {
  for (const char* text :
       {"mg", "g", "mg/dL", "mm[Hg]", "1", "{score}", "[iU]", "10*9/L", "mL/min/{1.73_m2}", "Cel"}) {
    const Unit* unit = Find(text);
    ASSERT_NE(unit, nullptr) << text;
    EXPECT_EQ(*unit, U(text)) << text;
  }
  EXPECT_EQ(Find("mgg"), nullptr);
  EXPECT_EQ(Find(""), nullptr);
}

TEST(UcumTest, Algebra) {
  EXPECT_EQ(Multiply(U("mg"), U("m")), U("mg.m"));
  EXPECT_EQ(Divide(U("mg"), U("mL")), U("mg/mL"));
  EXPECT_EQ(Divide(U("[iU]"), U("[iU]")), U("1"));
  EXPECT_EQ(Power(U("cm"), 3), U("mL"));
  EXPECT_EQ(Power(U("cm"), 0), U("1"));
  EXPECT_EQ(Power(U("[iU]/L"), -1), U("L/[iU]"));
  const Unit huge = U("[acr_br]20");  // beyond 128 bits: a double stands in
  EXPECT_FALSE(huge.magnitude.exact);
  EXPECT_EQ(Text(Convert(Decimal(2), U("[acr_br]3"), U("[acr_br]3"))), "2");
}

TEST(UcumTest, ComparesExactly) {
  const struct {
    std::string a;
    std::string a_unit;
    char sign;
    std::string b;
    std::string b_unit;
  } kRows[] = {
      {"1", "g", '=', "1000", "mg"},
      {"1", "g", '<', "1000.0000000000000000000000000000001", "mg"},
      {"1", "[ft_us]", '>', "1", "[ft_i]"},
      {"-1", "g", '<', "-999", "mg"},
      {"0", "g", '=', "0.0", "kg"},
      {"3", "[ft_us]", '=', "1", "[yd_us]"},
      {"37", "Cel", '=', "98.6", "[degF]"},
      {"37", "Cel", '<', "98.60001", "[degF]"},
      {"180", "deg", '>', "3.14", "rad"},
      {"7", "[pH]", '=', "0.0000001", "mol/L"},
      {"7", "[pH]", '<', "8", "[pH]"},
      {"7", "[pH]", '>', "0.00000001", "mol/L"},
      {"0.00000001", "mol/L", '<', "7", "[pH]"},
      {"20", "dB", '=', "100", "1"},
      {"1", "Np", '<', "10", "dB"},
      {"1", "g", '?', "1", "m"},
      {"99999999999999999999999999999999999999", "Ymol", '>', "0.00000000000000000000000000000000000001",
       "ymol"},
      {"-99999999999999999999999999999999999999", "Ymol", '<', "-0.00000000000000000000000000000000000001",
       "ymol"},
      {"1", "a", '>', "12", "mo_g"},
      {"1", "a", '=', "12", "mo"},
  };
  for (const auto& row : kRows) {
    const auto order = Compare(*Decimal::Parse(row.a), U(row.a_unit), *Decimal::Parse(row.b), U(row.b_unit));
    const char sign = !order ? '?' : *order < 0 ? '<' : *order > 0 ? '>' : '=';
    EXPECT_EQ(sign, row.sign) << row.a << row.a_unit << ' ' << row.b << row.b_unit;
  }
}

TEST(UcumTest, ProductAndQuotientTexts) {
  const struct {
    std::string a;
    std::string b;
    std::string product;
    std::string quotient;
  } kRows[] = {
      {"m", "m", "m2", "1"},
      {"g", "m", "g.m", "g/m"},
      {"cm", "cm", "cm2", "1"},
      {"mg", "mL", "mg.mL", "mg/mL"},
      {"mg/mL", "mL", "mg", "mg/mL2"},
      {"1", "s", "s", "/s"},
      {"s", "1", "s", "s"},
      {"{tbl}/d", "d", "{tbl}", "{tbl}/d2"},
      {"{tbl}", "{tbl}", "{tbl}.{tbl}", "1"},
      {"mg{total}", "mg", "mg2", "1"},
      {"m/(s.s)", "s", "m/s", "m/s3"},
      {"10*3/uL", "uL", "10*3", "10*3/uL2"},
      {"/100", "100", "1", "/100/100"},
      {"cm", "m", "cm.m", "cm/m"},
      {"mgg", "m", "", ""},
      {"Cel", "m", "", ""},
      {"Cel", "1", "Cel", "Cel"},
      {"Cel", "Cel", "", "1"},
      {"m99", "m", "", "m98"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(UnitProductText(row.a, row.b), row.product) << row.a << " * " << row.b;
    EXPECT_EQ(UnitQuotientText(row.a, row.b), row.quotient) << row.a << " / " << row.b;
  }
}

}  // namespace
}  // namespace stepwise::ucum
