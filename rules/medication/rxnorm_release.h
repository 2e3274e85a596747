// RxNormRelease: what the files of an RxNorm release say of drug products and their ingredients.
//
//   RxNormRelease release(list, forms, /*include_suppressed=*/false);
//   release.ReadConcepts(conso);  release.ReadRelations(rel);  release.Select(/*all=*/false);
//   release.ReadStrengths(sat);
//   std::vector<ProductRow> rows = release.Rows(&warnings);
//
// What is read (SAB = RXNORM; RXNREL reads "RXCUI2 RELA RXCUI1"):
//
//   GPCK, BPCK --contains--> SCD, SBD --consists_of--> SCDC --has_ingredient--> IN
//                            SBD --tradename_of--> SCD      --has_precise_ingredient--> PIN --form_of--> IN
//   SCD, SBD, GPCK, BPCK --has_dose_form--> DF
//   RXNSAT of an SCDC: RXN_STRENGTH, or else RXN_BOSS_STRENGTH_NUM_VALUE, _NUM_UNIT, _DENOM_VALUE,
//   _DENOM_UNIT
//
// Names and relations of RxNorm's own concepts stay in memory (some 200,000), of the attributes only
// strengths that the kept products need. Absent facts (a strength, a form's route) are empty and counted in
// the warnings; nothing is guessed. Source: NLM, RxNorm Technical Documentation, sections on RXNCONSO, RXNREL
// and RXNSAT, and appendices 1 (relationships) and 4 (attributes). Thread-safety: for one thread.
#ifndef STEPWISE_RULES_MEDICATION_RXNORM_RELEASE_H_
#define STEPWISE_RULES_MEDICATION_RXNORM_RELEASE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fhir/decimal.h"
#include "fhir/result.h"
#include "rules/medication/rrf_reader.h"
#include "rules/schema_reader.h"

namespace stepwise::rules {

// Ingredients that matter to the rules, with their class: tables like ingredients.csv (rxcui, name, class,
// atc) or atc.csv (ingredient_rxcui, ingredient, class, atc) of the analgesics pack. All columns but the
// first are optional. A row without an identifier means the ingredient of this name, or else the one that the
// release gives this ATC code. The first row of an ingredient counts.
class IngredientList {
 public:
  struct Row {
    std::uint32_t rxcui = 0;  // 0: by name or ATC code
    std::string name, drug_class, atc;
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  void Read(std::string_view text, const std::string& file, Errors* errors);

  const std::vector<Row>& rows() const { return rows_; }
  // Index of the row, or kNone. The last two find only rows without rxcui.
  std::size_t Find(std::uint32_t rxcui) const;
  std::size_t FindName(std::string_view name) const;  // in any case
  std::size_t FindAtc(std::string_view code) const;

 private:
  std::vector<Row> rows_;
  std::unordered_map<std::uint32_t, std::size_t> by_rxcui_;
  std::map<std::string, std::size_t, std::less<>> by_name_, by_atc_;
};

// How a dose form releases the drug, and where: dose-forms.csv with the columns part, release, route. The
// first row whose part occurs in the name of the form decides.
class DoseForms {
 public:
  struct Row {
    std::string part, release, route;
  };
  static DoseForms Read(std::string_view text, const std::string& file, Errors* errors);

  const Row* Find(std::string_view form) const;  // nullptr: no row fits

 private:
  std::vector<Row> rows_;
};

// A row of products.csv. Identifiers of 0 and empty texts are empty cells.
struct ProductRow {
  std::uint32_t rxcui = 0;
  std::string name;
  std::uint32_t ingredient_rxcui = 0;
  std::string ingredient, drug_class, strength_value, strength_unit;
  std::uint32_t dose_form_rxcui = 0;
  std::string dose_form, release, route, hours;
  std::size_t ingredients = 0;  // of the product, those that have no row included
};

struct RxNormStrength {
  Decimal value;
  std::string unit;  // as RxNorm writes it: MG, MG/ML, MG/HR, MG/ACTUAT
};
// "10 MG", "0.025 MG/HR"; nullopt for everything else, and for nothing at all ("0 MG").
std::optional<RxNormStrength> ParseRxNormStrength(std::string_view text);

// What the three files say of products, read in the order of the functions. `list` and `forms` outlive it.
class RxNormRelease {
 public:
  static constexpr std::size_t kConceptColumns = 18, kRelationColumns = 16, kAttributeColumns = 13,
                               kSourceColumns = 25;

  // Suppressed products are left out unless `include_suppressed`; what a product refers to is followed even
  // when it is suppressed itself. Suppressed relations and attributes count only with `include_suppressed`.
  RxNormRelease(const IngredientList& list, const DoseForms& forms, bool include_suppressed)
      : list_(list), forms_(forms), include_suppressed_(include_suppressed) {}

  Status ReadConcepts(RrfReader& conso);
  Status ReadRelations(RrfReader& rel);
  // Keeps the products with an ingredient of the list that can act on the body as a whole, or all.
  void Select(bool all);
  Status ReadStrengths(RrfReader& sat);
  // By product, then by name of the ingredient; adds what is doubtful to `warnings`.
  std::vector<ProductRow> Rows(std::vector<std::string>* warnings) const;

  std::size_t concepts() const { return concepts_.size(); }
  std::size_t products() const { return products_.size(); }
  std::size_t strengths() const { return strengths_.size(); }

 private:
  enum class Kind : std::uint8_t {
    kIngredient,
    kPreciseIngredient,
    kComponent,
    kDrug,
    kBranded,
    kPack,
    kDoseForm
  };
  struct Concept {
    Kind kind;
    bool suppressed;
    std::string name;  // "" for components
  };
  struct StrengthText {
    std::string whole, value, unit, per_value, per_unit;
  };
  struct Draft;  // a row with what decides whether it counts

  static std::optional<Kind> KindOf(std::string_view tty);
  bool IsDropped(std::string_view suppress) const;
  const Concept* Find(std::uint32_t rxcui) const;
  bool IsProduct(Kind kind) const {
    return kind == Kind::kDrug || kind == Kind::kBranded || kind == Kind::kPack;
  }
  std::size_t Listed(std::uint32_t ingredient) const;  // row of the list, or kNone
  std::vector<std::uint32_t> Contents(std::uint32_t product) const;
  const std::vector<std::uint32_t>& Components(std::uint32_t drug) const;
  std::uint32_t IngredientOf(std::uint32_t component) const;  // 0: none
  std::optional<RxNormStrength> StrengthOf(std::uint32_t component) const;
  std::vector<Draft> Describe(std::uint32_t product) const;

  using Links = std::unordered_map<std::uint32_t, std::vector<std::uint32_t>>;
  using Link = std::unordered_map<std::uint32_t, std::uint32_t>;

  const IngredientList& list_;
  const DoseForms& forms_;
  bool include_suppressed_;
  std::unordered_map<std::uint32_t, Concept> concepts_;
  std::unordered_map<std::uint32_t, std::size_t> listed_by_atc_;  // ingredient -> row of the list
  Links contains_, consists_of_;
  Link ingredient_, precise_ingredient_, form_of_, dose_form_, tradename_of_;
  std::vector<std::uint32_t> products_;                        // kept ones, ascending
  std::unordered_map<std::uint32_t, StrengthText> strengths_;  // of the components that they need
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_MEDICATION_RXNORM_RELEASE_H_
