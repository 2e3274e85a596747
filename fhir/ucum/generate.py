#!/usr/bin/env python3
"""Writes units_table.cc, the UCUM units and prefixes, from the data file of the ucum-lhc package.

  python3 fhir/ucum/generate.py PACKAGE_DIR > fhir/ucum/units_table.cc

PACKAGE_DIR holds package.json and data/ucumDefs.min.json (npm package @lhncbc/ucum-lhc). Every unit is
resolved to an exact factor in base units here, numerator / denominator * 10^exp10 * pi^pi, so that nothing is
computed when the program starts. Each factor is checked against the floating-point magnitude that the package
ships.
"""

import json
import math
import re
import sys
from fractions import Fraction

DATE = "2026-11-20"
BASE = ["m", "s", "g", "rad", "K", "C", "cd"]

# Definitions that the package's data drop or turn around (it keeps only the factor or an inverse function),
# as UCUM has them.
DEFINITIONS = {
    "[mu_0]": ("4", "[pi].10*-7.N/A2"),
    "Oe": ("250", "/[pi].A/m"),
    "[S]": ("1", "10*-13.s"),
    "[diop]": ("1", "/m"),
    "[mesh_i]": ("1", "/[in_i]"),
    "Bd": ("1", "/s"),
    # Special units: the reference that the function applies to.
    "Cel": ("1", "K"),
    "[degF]": ("5", "K/9"),
    "[degRe]": ("5", "K/4"),
    "[p'diop]": ("1", "rad"),
    "%[slope]": ("1", "rad"),
    "[hp'_X]": ("1", "1"),
    "[hp'_C]": ("1", "1"),
    "[hp'_M]": ("1", "1"),
    "[hp'_Q]": ("1", "1"),
    "[pH]": ("1", "mol/l"),
    "Np": ("1", "1"),
    "B": ("1", "1"),
    "B[SPL]": ("2", "10*-5.Pa"),
    "B[V]": ("1", "V"),
    "B[mV]": ("1", "mV"),
    "B[uV]": ("1", "uV"),
    "B[10.nV]": ("10", "nV"),
    "B[W]": ("1", "W"),
    "B[kW]": ("1", "kW"),
    "[m/s2/Hz^(1/2)]": ("1", "m2/s4/Hz"),
    "bit_s": ("1", "1"),
}
# The package counts inverses the other way around, slopes in degrees, and a low-power field as 1, not 100.
UNCHECKED = {"[diop]", "[mesh_i]", "Bd", "%[slope]", "[LPF]"}
SPECIAL = {
    "Cel": "kCelsius", "degF": "kFahrenheit", "degRe": "kReaumur", "pH": "kPh", "ln": "kLn", "lg": "kLg",
    "lgTimes2": "kLgTimes2", "ld": "kLd", "tanTimes100": "kTanTimes100", "100tan": "kTanTimes100",
    "sqrt": "kSqrt", "hpX": "kHpX", "hpC": "kHpC", "hpM": "kHpM", "hpQ": "kHpQ",
}  # fmt: skip
SAME_ARBITRARY = {"[IU]": "[iU]"}
ATOM = re.compile(r"10[*^]|(?:\[[^\]]*\]|[^\[\].\/(){}0-9+-])+")


def power(factor, exponent):
    value, pi, dims = factor
    return value**exponent, pi * exponent, [d * exponent for d in dims]


def times(a, b):
    return a[0] * b[0], a[1] + b[1], [x + y for x, y in zip(a[2], b[2])]


class Resolver:
    def __init__(self, units, prefixes):
        self.units, self.prefixes, self.done = units, prefixes, {}

    def unit(self, code):
        if code in self.done:
            return self.done[code]
        zeros = [0] * len(BASE)
        if code in BASE:
            dims = list(zeros)
            dims[BASE.index(code)] = 1
            factor = (Fraction(1), 0, dims)
        elif code in ("10*", "10^"):
            factor = (Fraction(10), 0, zeros)
        elif code == "[pi]":
            factor = (Fraction(1), 1, zeros)
        else:
            value, definition = self.units[code]
            factor = times((Fraction(value), 0, zeros), self.expression(definition))
        self.done[code] = factor
        return factor

    def atom(self, text):
        if text in self.units or text in BASE:
            return self.unit(text)
        for prefix, value in self.prefixes.items():
            if text.startswith(prefix) and text[len(prefix) :] in self.units | dict.fromkeys(BASE):
                return times((value, 0, [0] * len(BASE)), self.unit(text[len(prefix) :]))
        raise KeyError(text)

    def expression(self, text):
        total, sign, at = (Fraction(1), 0, [0] * len(BASE)), 1, 0
        while at < len(text):
            if text[at] in "./":
                sign = -1 if text[at] == "/" else 1
                at += 1
            match = ATOM.match(text, at)
            if match:
                at = match.end()
                factor = self.atom(match.group())
                exponent = re.compile(r"[+-]?\d+").match(text, at)
                if exponent:
                    at = exponent.end()
                    factor = power(factor, int(exponent.group()))
            else:
                number = re.compile(r"\d+").match(text, at)
                at = number.end()
                factor = (Fraction(int(number.group())), 0, [0] * len(BASE))
            total = times(total, power(factor, sign))
        return total


def split(value):
    """value = numerator / denominator * 10^exp10, denominator without 2 and 5, numerator without 10."""
    numerator, denominator, exp10 = value.numerator, value.denominator, 0
    for prime, other in ((2, 5), (5, 2)):
        while denominator % prime == 0:
            denominator //= prime
            numerator *= other
            exp10 -= 1
    while numerator % 10 == 0:
        numerator //= 10
        exp10 += 1
    if max(numerator, denominator) >= 2**64:
        raise ValueError(f"{value} needs more than 64 bits")
    return numerator, denominator, exp10


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def read(package):
    with open(f"{package}/package.json", encoding="utf-8") as file:
        version = json.load(file)["version"]
    with open(f"{package}/data/ucumDefs.min.json", encoding="utf-8") as file:
        data = json.load(file)
    keys = [k if isinstance(k, str) else k[0] for k in data["units"]["config"]]
    units = [dict(zip(keys, row)) for row in data["units"]["data"]]
    prefix_keys = data["prefixes"]["config"]
    prefixes = [dict(zip(prefix_keys, row)) for row in data["prefixes"]["data"]]
    return version, [u for u in units if u["source_"] == "UCUM"], prefixes


def main():
    version, rows, prefix_rows = read(sys.argv[1])
    prefixes = {
        p["code_"]: Fraction(10) ** int(p["exp_"]) if p["exp_"] is not None else Fraction(int(p["value_"]))
        for p in prefix_rows
    }
    texts = {
        u["csCode_"]: DEFINITIONS.get(u["csCode_"], (u["baseFactorStr_"] or "1", u["csUnitString_"] or "1"))
        for u in rows
    }
    resolver = Resolver(texts, dict(sorted(prefixes.items(), key=lambda p: -len(p[0]))))
    arbitrary = sorted(u["csCode_"] for u in rows if u["isArbitrary_"] and u["csCode_"] not in SAME_ARBITRARY)
    metric_bases = set(BASE)  # the package leaves the flag of base units unset

    print(f"""\
// Generated by fhir/ucum/generate.py from ucum-lhc {version} (data/ucumDefs.min.json), {DATE}. Do not edit.
//
// This material contains content from UCUM (http://unitsofmeasure.org). UCUM is copyright © 1999,
// Regenstrief Institute, Inc. and the Unified Codes for Units of Measures (UCUM) Organization. All rights
// reserved.
// See fhir/ucum/NOTICE.
#include "fhir/ucum/units_table.h"

namespace stepwise::ucum {{
namespace {{

// clang-format off
constexpr UnitRow kUnits[] = {{
    // code, value, definition, numerator, denominator, exp10, pi, {{{", ".join(BASE)}}}, metric, special,
    // arbitrary""")
    for unit in sorted(rows, key=lambda u: u["csCode_"].encode()):
        code = unit["csCode_"]
        if re.search(r"[0-9]", re.sub(r"\[[^\]]*\]", "", code)) and code not in ("10*", "10^"):
            raise ValueError(f"{code}: a digit outside brackets would read as an exponent")
        value, pi, dims = resolver.unit(code)
        if code not in UNCHECKED:
            expected = unit["magnitude_"]
            actual = float(value) * math.pi**pi
            if abs(actual - expected) > 1e-9 * abs(expected) or dims != unit["dim_"]:
                raise ValueError(f"{code}: {actual} {dims}, the package says {expected} {unit['dim_']}")
        special = SPECIAL[unit["cnv_"]] if unit["isSpecial_"] else "kNone"
        number = arbitrary.index(SAME_ARBITRARY.get(code, code)) + 1 if unit["isArbitrary_"] else 0
        numerator, denominator, exp10 = split(value)
        metric = "true" if unit["isMetric_"] or code in metric_bases else "false"
        text, definition = ("", "") if code in BASE else texts[code]
        print(
            f"    {{{quoted(code)}, {quoted(text)}, {quoted(definition)}, {numerator}U, {denominator}U, "
            f"{exp10}, {pi}, {{{', '.join(map(str, dims))}}}, {metric}, Special::{special}, {number}}},"
        )
    print("};\n\nconstexpr PrefixRow kPrefixes[] = {\n    // code, numerator, exp10")
    for code in sorted(prefixes, key=lambda p: p.encode()):
        numerator, denominator, exp10 = split(prefixes[code])
        assert denominator == 1
        print(f"    {{{quoted(code)}, {numerator}U, {exp10}}},")
    print("};\n\n// Index 0 is no arbitrary unit.\nconstexpr std::string_view kArbitrary[] = {\n    \"\",")
    for code in arbitrary:
        print(f"    {quoted(code)},")
    print("""\
};
// clang-format on

}  // namespace

std::span<const UnitRow> Units() { return kUnits; }

std::span<const PrefixRow> Prefixes() { return kPrefixes; }

std::string_view ArbitraryCode(std::uint8_t number) { return kArbitrary[number]; }

}  // namespace stepwise::ucum""")


if __name__ == "__main__":
    main()
