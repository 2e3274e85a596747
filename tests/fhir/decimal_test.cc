#include "fhir/decimal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <compare>
#include <limits>
#include <optional>
#include <string>

namespace stepwise {
namespace {

constexpr const char* kMax = "99999999999999999999999999999999999999";  // 38 digits

Decimal D(const std::string& text) {
  const std::optional<Decimal> value = Decimal::Parse(text);
  EXPECT_TRUE(value) << text;
  return value.value_or(Decimal());
}
std::string Text(const std::optional<Decimal>& value) { return value ? value->ToString() : "none"; }

TEST(DecimalTest, ParsesAndPrints) {
  const struct {
    std::string text;
    std::string printed;  // "none": rejected
  } kRows[] = {
      {"0", "0"},
      {"-0", "0"},
      {"0.00", "0.00"},
      {"-0.0", "0.0"},
      {"1", "1"},
      {"-1", "-1"},
      {"1.50", "1.50"},
      {"-12.340", "-12.340"},
      {"0.001", "0.001"},
      {"-0.001", "-0.001"},
      {"007", "7"},
      {"1e3", "1000"},
      {"1E+3", "1000"},
      {"15e-1", "1.5"},
      {"1.50e1", "15.0"},
      {"1.5e3", "1500"},
      {"1e-38", "0." + std::string(37, '0') + "1"},
      {"0e99", "0"},
      {"0e-99", "0." + std::string(38, '0')},
      {kMax, kMax},
      {std::string("-") + kMax, std::string("-") + kMax},
      {"1e37", "1" + std::string(37, '0')},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551616", "18446744073709551616"},
      // Not numbers, or too long.
      {"", "none"},
      {"-", "none"},
      {"+1", "none"},
      {".5", "none"},
      {"5.", "none"},
      {"1..2", "none"},
      {"1e", "none"},
      {"1e+", "none"},
      {"1e1.5", "none"},
      {" 1", "none"},
      {"1 ", "none"},
      {"0x1", "none"},
      {"NaN", "none"},
      {"--1", "none"},
      {std::string(kMax) + "0", "none"},
      {"1e38", "none"},
      {"1e-39", "none"},
      {"1e99999999999999999999", "none"},
      {"1e-99999999999999999999", "none"},
      {"12e37", "none"},
      {"0.123456789012345678901234567890123456789", "none"},
  };
  for (const auto& row : kRows) EXPECT_EQ(Text(Decimal::Parse(row.text)), row.printed) << row.text;
}

TEST(DecimalTest, Arithmetic) {
  const struct {
    std::string a;
    char op;
    std::string b;
    std::string result;
  } kRows[] = {
      {"1", '+', "2", "3"},
      {"1.50", '+', "1.5", "3.00"},
      {"0.1", '+', "0.2", "0.3"},
      {"1", '-', "2", "-1"},
      {"-1.5", '-', "-1.50", "0.00"},
      {"1", '+', "0.001", "1.001"},
      {"-1", '+', "0.001", "-0.999"},
      {kMax, '+', "1", "none"},
      {kMax, '+', kMax, "none"},
      {kMax, '-', kMax, "0"},
      {kMax, '+', "0.0", kMax},
      {kMax, '+', "0.5", "none"},
      {kMax, '+', "0.4", kMax},
      {"100000000000000000000", '+', "0.00000000000000000000000001",
       "100000000000000000000.00000000000000000"},
      {"1.5", '*', "1.5", "2.25"},
      {"1.50", '*', "2", "3.00"},
      {"-3", '*', "0.1", "-0.3"},
      {kMax, '*', "10", "none"},
      {kMax, '*', "0.1", "9999999999999999999999999999999999999.9"},
      {"1e-20", '*', "1e-20", "0." + std::string(38, '0')},
      {"1e-38", '*', "1e-38", "0." + std::string(38, '0')},
      {"1e-19", '*', "5e-20", "0." + std::string(37, '0') + "1"},  // 5e-39 rounds away from zero
      {"12345678901234567890", '*', "12345678901234567890", "none"},
      {"12345678901234567890", '*', "123456789012345678.9", "1524157875323883675019051998750190521.0"},
      {"12345678901234567890", '*', "123456789.0123456789", "1524157875323883675019051998.7501905210"},
      {"4", '/', "2", "2"},
      {"1", '/', "3", "0.3333333333333333"},
      {"2", '/', "3", "0.6666666666666667"},
      {"-2", '/', "3", "-0.6666666666666667"},
      {"1", '/', "8", "0.125"},
      {"1.0", '/', "0.50", "2"},
      {"1", '/', "0", "none"},
      {"0", '/', "5", "0"},
      {"0", '/', "0.0", "none"},
      {kMax, '/', "1", kMax},
      {kMax, '/', "0.1", "none"},
      {"1e36", '/', "0.1", "1" + std::string(37, '0')},
      {"1e37", '/', "0.1", "none"},
      {"4", '/', "1.2345678901234567890123456789012345678", "3.2400000291600003"},
      {"1e-38", '/', "1e-38", "1"},
      {"1e-38", '/', "3", "0"},
      {kMax, '/', "7", "14285714285714285714285714285714285714"},
      {"7", 'd', "2", "3"},
      {"-7", 'd', "2", "-3"},
      {"5.5", 'd', "0.7", "7"},
      {"1", 'd', "0", "none"},
      {kMax, 'd', "0.01", "none"},
      {"7", '%', "2", "1"},
      {"-7", '%', "2", "-1"},
      {"7", '%', "-2", "1"},
      {"5.5", '%', "0.7", "0.6"},
      {"1", '%', "0.0", "none"},
      {kMax, '%', "1e-38", "0." + std::string(38, '0')},
      {kMax, '%', "7", "1"},
  };
  for (const auto& row : kRows) {
    const Decimal a = D(row.a);
    const Decimal b = D(row.b);
    std::optional<Decimal> result;
    switch (row.op) {
      case '+': result = Add(a, b); break;
      case '-': result = Subtract(a, b); break;
      case '*': result = Multiply(a, b); break;
      case '/': result = Divide(a, b); break;
      case 'd': result = DivTruncate(a, b); break;
      default: result = Modulo(a, b); break;
    }
    EXPECT_EQ(Text(result), row.result) << row.a << ' ' << row.op << ' ' << row.b;
  }
}

TEST(DecimalTest, Compares) {
  const struct {
    std::string a;
    std::string b;
    std::strong_ordering order;
  } kRows[] = {
      {"1.50", "1.5", std::strong_ordering::equal},
      {"0", "0.000", std::strong_ordering::equal},
      {"-0.0", "0", std::strong_ordering::equal},
      {"1", "2", std::strong_ordering::less},
      {"-1", "-2", std::strong_ordering::greater},
      {"-1", "1.0", std::strong_ordering::less},
      {"1.01", "1.1", std::strong_ordering::less},
      {"-1.01", "-1.1", std::strong_ordering::greater},
      {"0", "1e-38", std::strong_ordering::less},
      {"0.0", "-1e-38", std::strong_ordering::greater},
      {kMax, "1e-38", std::strong_ordering::greater},
      {std::string("-") + kMax, "-1e-38", std::strong_ordering::less},
      {kMax, "9999999999999999999999999999999999999.9", std::strong_ordering::greater},
      {"18446744073709551616", "18446744073709551615", std::strong_ordering::greater},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(D(row.a) <=> D(row.b), row.order) << row.a << " <=> " << row.b;
    EXPECT_EQ(D(row.b) <=> D(row.a), 0 <=> row.order) << row.b << " <=> " << row.a;
    EXPECT_EQ(D(row.a) == D(row.b), row.order == 0) << row.a << " == " << row.b;
  }
}

TEST(DecimalTest, Rounds) {
  const struct {
    std::string value;
    int places;
    std::string rounded;
    std::string truncated;
    std::string floor;
    std::string ceiling;
  } kRows[] = {
      {"1.45", 1, "1.5", "1.4", "1", "2"},   {"-1.45", 1, "-1.5", "-1.4", "-2", "-1"},
      {"1.44", 1, "1.4", "1.4", "1", "2"},   {"2.5", 0, "3", "2", "2", "3"},
      {"-2.5", 0, "-3", "-2", "-3", "-2"},   {"2", 2, "2.00", "2", "2", "2"},
      {"-2.00", 0, "-2", "-2", "-2", "-2"},  {"0.05", 1, "0.1", "0.0", "0", "1"},
      {"-0.04", 1, "0.0", "0.0", "-1", "0"}, {"9.99", 1, "10.0", "9.9", "9", "10"},
      {"9.99", -1, "10", "9", "9", "10"},    {kMax, 3, kMax, kMax, kMax, kMax},
  };
  for (const auto& row : kRows) {
    const Decimal value = D(row.value);
    EXPECT_EQ(value.Rounded(row.places).ToString(), row.rounded) << row.value;
    EXPECT_EQ(value.Truncated(row.places).ToString(), row.truncated) << row.value;
    EXPECT_EQ(value.Floor().ToString(), row.floor) << row.value;
    EXPECT_EQ(value.Ceiling().ToString(), row.ceiling) << row.value;
  }
}

TEST(DecimalTest, ConvertsToInt64) {
  const struct {
    std::string value;
    std::optional<std::int64_t> whole;
  } kRows[] = {
      {"2.00", 2},
      {"-2", -2},
      {"2.5", std::nullopt},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"9223372036854775808", std::nullopt},
      {"-9223372036854775809", std::nullopt},
      {kMax, std::nullopt},
      {"0.00", 0},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(D(row.value).ToInt64(), row.whole) << row.value;
    if (row.whole) {
      EXPECT_EQ(Decimal(*row.whole), D(row.value));
    }
  }
  EXPECT_TRUE(D("2.00").IsInteger());
  EXPECT_FALSE(D("2.01").IsInteger());
  EXPECT_EQ(D("2.500").Normalized().ToString(), "2.5");
  EXPECT_EQ(D("0.000").Normalized().ToString(), "0");
  EXPECT_EQ(D("-2.5").Abs().ToString(), "2.5");
  EXPECT_EQ(D("2.5").Negated().ToString(), "-2.5");
}

TEST(DecimalTest, ConvertsDoubles) {
  const struct {
    double value;
    std::string text;
  } kRows[] = {
      {0.1, "0.1"},
      {-2.5, "-2.5"},
      {0.0, "0"},
      {-0.0, "0"},
      {1e20, "1" + std::string(20, '0')},
      {1.0 / 3, "0.333333333333333"},
      {1e37, "1" + std::string(37, '0')},
      {1e39, "none"},
      {1e-30, "0." + std::string(29, '0') + "1"},
      {1e-50, "0"},
      {1.25e-38, "0." + std::string(37, '0') + "1"},
      {std::numeric_limits<double>::infinity(), "none"},
      {std::nan(""), "none"},
      {123456.789, "123456.789"},
  };
  for (const auto& row : kRows) {
    const std::optional<Decimal> value = Decimal::FromDouble(row.value);
    EXPECT_EQ(Text(value), row.text) << row.value;
  }
  for (const char* text :
       {"0.1", "1.5", "-123456.789", "0.000000000000000000000000000001", kMax, "1e22", "9007199254740993"}) {
    EXPECT_EQ(D(text).ToDouble(), std::stod(text)) << text;
  }
}

}  // namespace
}  // namespace stepwise
