// What a writer of an unknown unit may have meant: known misspellings first, then letter case, then one
// letter too many, too few or wrong. Only runs on the error path.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>

#include "fhir/ucum/unit_parser.h"

namespace stepwise::ucum {
namespace {

struct Alias {
  std::string_view written;  // lower case
  std::string_view code;
};
// Spellings from charts, order systems and non-UCUM value sets.
constexpr Alias kAliases[] = {
    {"mcg", "ug"},
    {"mcl", "uL"},
    {"mcmol", "umol"},
    {"cc", "mL"},
    {"gm", "g"},
    {"gms", "g"},
    {"gram", "g"},
    {"grams", "g"},
    {"kgs", "kg"},
    {"kilogram", "kg"},
    {"milligram", "mg"},
    {"milligrams", "mg"},
    {"mgs", "mg"},
    {"microgram", "ug"},
    {"ml", "mL"},
    {"mls", "mL"},
    {"milliliter", "mL"},
    {"liter", "L"},
    {"liters", "L"},
    {"litre", "L"},
    {"hr", "h"},
    {"hrs", "h"},
    {"hour", "h"},
    {"hours", "h"},
    {"sec", "s"},
    {"secs", "s"},
    {"second", "s"},
    {"seconds", "s"},
    {"mins", "min"},
    {"minute", "min"},
    {"minutes", "min"},
    {"day", "d"},
    {"days", "d"},
    {"week", "wk"},
    {"weeks", "wk"},
    {"month", "mo"},
    {"months", "mo"},
    {"year", "a"},
    {"years", "a"},
    {"yr", "a"},
    {"yrs", "a"},
    {"millisecond", "ms"},
    {"milliseconds", "ms"},
    {"iu", "[iU]"},
    {"units", "U"},
    {"unit", "U"},
    {"miu", "m[iU]"},
    {"uiu", "u[iU]"},
    {"mmhg", "mm[Hg]"},
    {"mm[hg]", "mm[Hg]"},
    {"cmh2o", "cm[H2O]"},
    {"degc", "Cel"},
    {"celsius", "Cel"},
    {"degf", "[degF]"},
    {"fahrenheit", "[degF]"},
    {"in", "[in_i]"},
    {"inch", "[in_i]"},
    {"inches", "[in_i]"},
    {"ft", "[ft_i]"},
    {"feet", "[ft_i]"},
    {"foot", "[ft_i]"},
    {"lb", "[lb_av]"},
    {"lbs", "[lb_av]"},
    {"pound", "[lb_av]"},
    {"oz", "[oz_av]"},
    {"meq", "meq"},
    {"percent", "%"},
    {"bpm", "/min"},
    {"tablet", "{tbl}"},
    {"tablets", "{tbl}"},
    {"tab", "{tbl}"},
    {"tabs", "{tbl}"},
    {"tbl", "{tbl}"},
    {"capsule", "{cap}"},
    {"capsules", "{cap}"},
    {"caps", "{cap}"},
    {"puff", "{puff}"},
    {"puffs", "{puff}"},
    {"drop", "[drp]"},
    {"drops", "[drp]"},
    {"gtt", "[drp]"},
    {"ph", "[pH]"},
    {"score", "{score}"},
    {"copies", "{copies}"},
    {"cells", "{cells}"},
    {"tsp", "[tsp_us]"},
    {"tbsp", "[tbs_us]"},
    {"cfu", "[CFU]"},
    {"ppm", "[ppm]"},
    {"kcal", "kcal"},
    {"dose", "{dose}"},
    {"ratio", "{ratio}"},
    {"inr", "{INR}"},
    {"lpf", "[LPF]"},
    {"hpf", "[HPF]"},
    {"micron", "um"},
    {"mosm", "mosm"},
    {"osm", "osm"},
};

// Tried for near misses before the whole table, commonest first.
constexpr std::string_view kCommon[] = {
    "mg", "g",  "ug", "ng",  "kg",  "pg",   "mL",   "L",      "dL",   "uL",    "h",       "min",   "s",
    "d",  "wk", "mo", "a",   "ms",  "mmol", "umol", "nmol",   "pmol", "mol",   "meq",     "cm",    "mm",
    "m",  "um", "nm", "Cel", "kPa", "mosm", "kcal", "mm[Hg]", "[iU]", "m[iU]", "[lb_av]", "[in_i]"};

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// One insertion, deletion, replacement or swap of neighbours, no more.
bool OneEditApart(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > 1) return false;
  std::size_t i = 0;
  while (i < a.size() && a[i] == b[i]) ++i;
  if (a.size() < b.size()) return a.substr(i) == b.substr(i + 1);
  if (i == a.size()) return false;
  if (a.substr(i + 1) == b.substr(i + 1)) return true;
  return i + 1 < a.size() && a[i] == b[i + 1] && a[i + 1] == b[i] && a.substr(i + 2) == b.substr(i + 2);
}

}  // namespace

std::string Suggestion(std::string_view text) {
  if (text.size() > 24) return "";
  const std::string lower = Lower(text);
  for (const Alias& alias : kAliases) {
    if (alias.written == lower) return std::string(alias.code);
  }
  for (const std::string_view code : kCommon) {
    if (Lower(code) == lower) return std::string(code);
  }
  for (const UnitRow& row : Units()) {
    if (Lower(row.code) == lower || Lower(row.code) == "[" + lower + "]") return std::string(row.code);
  }
  if (text.size() < 2) return "";
  for (const std::string_view code : kCommon) {
    if (OneEditApart(code, text)) return std::string(code);
  }
  if (text.size() < 3) return "";
  for (const UnitRow& row : Units()) {
    if (row.code.size() >= 3 && OneEditApart(row.code, text)) return std::string(row.code);
  }
  return "";
}

}  // namespace stepwise::ucum
