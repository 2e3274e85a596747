// Exact fractions: rows of text, and what never becomes a wrong number.
#include "rules/medication/rational.h"

#include <gtest/gtest.h>

#include <limits>

namespace stepwise::medication {
namespace {

Rational R(std::string_view text) { return *Rational::Parse(text); }

TEST(Rational, Prints) {
  const struct {
    std::string_view value, text;
  } kRows[] = {
      {"0", "0"},
      {"1.50", "1.5"},
      {"1/3", "0.333333333333"},
      {"2/3", "0.666666666667"},
      {"3/7", "0.428571428571"},
      {"1000000/3", "333333.333333"},
      {"1/1024", "0.0009765625"},
      {"1/7e20", "0.00000000000000000000142857142857"},
      {"999999999999.5/1", "999999999999.5"},
      {"4.7", "4.7"},
  };
  for (const auto& row : kRows) EXPECT_EQ(R(row.value).ToDecimalText(), row.text) << row.value;
  EXPECT_EQ((Rational() - R("1/3")).ToDecimalText(), "-0.333333333333");
  EXPECT_FALSE(Rational::Parse("x"));
  EXPECT_FALSE(Rational::Parse("1/0"));
  EXPECT_FALSE(Rational::Parse(""));
}

TEST(Rational, ComputesExactly) {
  EXPECT_EQ(R("1/3") + R("1/6"), R("1/2"));
  EXPECT_EQ(R("0.1") * R("60") * R("6"), R("36"));
  EXPECT_EQ(R("24") / R("3/7"), R("56"));
  EXPECT_EQ(R("1/7") * R("10") * R("4.7"), R("47/7"));
  EXPECT_LT(R("1/3"), R("0.3334"));
  EXPECT_FALSE(R("1/3") < R("2/6"));
}

TEST(Rational, OverflowIsNoNumber) {
  const Rational large = R("9e37"), small = R("1/9e37");
  EXPECT_TRUE((large * large).overflowed());
  EXPECT_TRUE((small * small).overflowed());
  EXPECT_TRUE((large / Rational()).overflowed());
  EXPECT_TRUE((large * large * Rational()).overflowed());
  EXPECT_FALSE((large * large).ToDecimal());
  EXPECT_FALSE(large * large == large * large);
  EXPECT_FALSE(large < large * large);
  EXPECT_TRUE(small < large) << "comparing never overflows";
  EXPECT_TRUE(R("1/9e37") < R("1/8e37"));
  EXPECT_TRUE(Rational() - R("1/8e37") < Rational() - R("1/9e37"));
  EXPECT_EQ(large * small, Rational(1));
}

}  // namespace
}  // namespace stepwise::medication
