// DrugKnowledge: what dose arithmetic knows about drugs, from the CSV tables of a pack, indexed once.
//
//   const DrugKnowledge* drugs = terminology.drugs();        // rules/pack_terminology.h: of the pack or one
//   it requires const Product* tablet = drugs->FindProduct("1049621");   // RxNorm, clinical or branded
//   tablet->parts[0].strength                                // 5 mg a piece
//   drugs->FindOmeq("cdc-2022")->Find(*tablet->parts[0].ingredient, Route::kOral)
//
// No factor, ceiling, interval or code stands in C++: every number here is parsed from a table whose header
// names its source and date. Tables, by their name in pack.yaml: products, ingredients, atc, drug_classes,
// routes, timing_codes, when_codes, dosage_units, dosage_limits, as_needed_words, usual_intervals, ceilings,
// and each omeq_<id> (omeq_cdc_2022 is the table `cdc-2022`). Lookups hash, and allocate nothing.
// Thread-safety: immutable after Read; views and pointers live as long as the object.
#ifndef STEPWISE_RULES_MEDICATION_DRUG_KNOWLEDGE_H_
#define STEPWISE_RULES_MEDICATION_DRUG_KNOWLEDGE_H_

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rules/medication/rational.h"
#include "rules/table.h"

namespace stepwise::rules {
struct Pack;
}

namespace stepwise::medication {

inline constexpr std::string_view kRxNormSystem = "http://www.nlm.nih.gov/research/umls/rxnorm";
inline constexpr std::string_view kAtcSystem = "http://www.whocc.no/atc";

// How a drug gets in, as coarse as conversion factors tell apart. Oral includes feeding tubes.
enum class Route : std::uint8_t {
  kUnknown,
  kOral,
  kTransdermal,
  kParenteral,
  kNeuraxial,
  kTransmucosal,
  kRectal,
  kTopical,
  kOther
};
std::string_view RouteName(Route route);  // "oral", "" for kUnknown
Route ParseRoute(std::string_view name);  // kOther for a name that is none of these, kUnknown for ""

struct Ingredient {
  std::size_t index = 0;    // dense, for tables by ingredient
  std::string rxcui, name;  // rxcui may be "" where RxNorm's code is not known
  std::string drug_class;   // "strong-opioid"
  int ladder_step = 0;      // 1..3; the higher one where the step is a local choice; 0: not on the ladder
  bool opioid = false;
  bool analgesic = false;
};

enum class StrengthKind : std::uint8_t { kUnknown, kPerPiece, kPerMl, kPerHour };
struct Strength {
  StrengthKind kind = StrengthKind::kUnknown;
  Rational value;  // mg a piece, mg/mL, or mg/h (the label rate of a patch)
};

struct ProductPart {
  const Ingredient* ingredient = nullptr;
  Strength strength;
  std::string drug_class;  // may differ from the ingredient's: aspirin 75 mg is an antiplatelet
  bool analgesic = false;
};

struct Product {
  std::string rxcui, name;
  std::string release;  // immediate | modified | transdermal | transmucosal | ...
  Route route = Route::kUnknown;
  std::optional<Rational> wear_h;  // how long one piece is made to last, hours
  int ingredient_count = 0;        // those without a part included
  std::vector<ProductPart> parts;
};

struct DoseForm {
  std::string release;
  Route route = Route::kUnknown;
};

struct AtcEntry {
  std::string name;
  bool combination = false;
  std::vector<const Ingredient*> ingredients;
};

enum class UnitKind : std::uint8_t { kPiece, kMass, kVolume, kTime, kWeight, kOther };
struct UnitRow {
  UnitKind kind = UnitKind::kOther;
  Rational factor;   // to mg, mL, days or kg
  bool ucum = true;  // false: not the UCUM spelling
};

struct UsualInterval {
  std::string release;
  const Ingredient* ingredient = nullptr;  // nullptr: any opioid
  std::optional<Rational> wear_h, usual_h, min_h, max_h;
};

struct Ceiling {
  Rational max_mg_per_day;
  std::optional<Rational> age_from;  // completed years
  std::string condition;
};

// One table of oral morphine equivalents.
class OmeqTable {
 public:
  enum class Per : std::uint8_t { kMg, kUgPerHour };
  struct Tier {
    Route route = Route::kOral;
    std::optional<Rational> above, up_to;  // daily dose in mg: above < dose <= up_to
    Rational factor;
    Per per = Per::kMg;
  };
  const std::string& id() const { return id_; }            // "cdc-2022"
  const std::string& version() const { return version_; }  // of the pack that holds it
  const std::string& title() const { return title_; }      // first line of its header
  // The tier for that daily dose; nullptr: no factor, so the equivalent is unknown. A drug by an unknown
  // route has the oral factor.
  const Tier* Find(const Ingredient& ingredient, Route route, const Rational& mg_per_day) const;

 private:
  friend class DrugKnowledgeReader;
  std::string id_, version_, title_;
  std::vector<std::vector<Tier>> tiers_;  // by Ingredient::index
};

class DrugKnowledge {
 public:
  // nullptr when the pack lacks `ingredients` or `products`, or an error was added.
  static std::unique_ptr<const DrugKnowledge> Read(const rules::Pack& pack, rules::Errors* errors);
  DrugKnowledge(const DrugKnowledge&) = delete;
  DrugKnowledge& operator=(const DrugKnowledge&) = delete;

  const std::string& source() const { return source_; }  // "analgesics 0.1.0"
  const Product* FindProduct(std::string_view rxcui) const;
  const Ingredient* FindIngredient(std::string_view rxcui) const;
  const Ingredient* FindIngredientByName(std::string_view name) const;
  const AtcEntry* FindAtc(std::string_view code) const;
  const DoseForm* FindDoseForm(std::string_view rxcui) const;
  Route FindRoute(std::string_view system, std::string_view code) const;  // kUnknown when not listed
  const Rational* FindTimingCode(std::string_view system,
                                 std::string_view code) const;  // administrations a day
  const Rational* FindWhenCode(std::string_view code) const;
  const UnitRow* FindUnit(std::string_view system, std::string_view code) const;
  const OmeqTable* FindOmeq(std::string_view id) const;  // "" for the first of pack.yaml, the default
  std::span<const OmeqTable> omeq_tables() const { return omeq_; }
  const Rational* max_doses_per_day() const { return max_doses_per_day_ ? &*max_doses_per_day_ : nullptr; }
  std::span<const Ceiling> Ceilings(const Ingredient& ingredient) const {
    return ceilings_[ingredient.index];
  }
  std::span<const UsualInterval> usual_intervals() const { return usual_intervals_; }
  // Does a text say "as needed" in other words?
  bool SaysAsNeeded(std::string_view text) const;

 private:
  friend class DrugKnowledgeReader;
  template <typename T>
  using ByText = std::unordered_map<std::string, T, rules::StringHash, std::equal_to<>>;
  template <typename T>
  using BySystem = ByText<std::vector<std::pair<std::string, T>>>;  // by code, then (system, value)
  DrugKnowledge() = default;

  std::string source_;
  std::deque<Ingredient> ingredients_;  // stable addresses
  ByText<const Ingredient*> ingredient_by_rxcui_, ingredient_by_name_;
  ByText<Product> products_;
  ByText<AtcEntry> atc_;
  ByText<DoseForm> dose_forms_;
  BySystem<Route> routes_;
  BySystem<Rational> timing_codes_;
  ByText<Rational> when_codes_;
  BySystem<UnitRow> units_;
  std::vector<OmeqTable> omeq_;
  std::vector<std::vector<Ceiling>> ceilings_;
  std::vector<UsualInterval> usual_intervals_;
  std::optional<Rational> max_doses_per_day_;
  std::vector<std::string> as_needed_words_;  // lower case
};

}  // namespace stepwise::medication

#endif  // STEPWISE_RULES_MEDICATION_DRUG_KNOWLEDGE_H_
