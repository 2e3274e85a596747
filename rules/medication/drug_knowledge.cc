#include "rules/medication/drug_knowledge.h"

#include <algorithm>
#include <cctype>

#include "rules/pack.h"

namespace stepwise::medication {
namespace {

constexpr auto kRouteNames = std::to_array<std::string_view>(
    {"", "oral", "transdermal", "parenteral", "neuraxial", "transmucosal", "rectal", "topical", "other"});
// Names of product routes that are finer than Route.
constexpr auto kFinerRoutes = std::to_array<std::pair<std::string_view, Route>>({
    {"sublingual", Route::kTransmucosal},
    {"buccal", Route::kTransmucosal},
    {"nasal", Route::kTransmucosal},
    {"oromucosal", Route::kTransmucosal},
});
constexpr auto kUnitKinds = std::to_array<std::pair<std::string_view, UnitKind>>({
    {"mass", UnitKind::kMass},
    {"volume", UnitKind::kVolume},
    {"time", UnitKind::kTime},
    {"weight", UnitKind::kWeight},
});
// How RxNorm writes strengths, without the number. MG/MG (ointments) is of no use to a daily dose.
constexpr auto kStrengthUnits = std::to_array<std::pair<std::string_view, StrengthKind>>({
    {"MG", StrengthKind::kPerPiece},
    {"MG/ACTUAT", StrengthKind::kPerPiece},
    {"MG/ML", StrengthKind::kPerMl},
    {"MG/HR", StrengthKind::kPerHour},
});
constexpr std::string_view kUcum = "http://unitsofmeasure.org";
constexpr std::string_view kOmeqPrefix = "omeq_";

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

template <typename T>
const T* Find(const std::unordered_map<std::string, T, rules::StringHash, std::equal_to<>>& map,
              std::string_view key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

template <typename Rows>
auto FindIn(const Rows& rows, std::string_view system, std::string_view code)
    -> decltype(&rows.begin()->second[0].second) {
  const auto* entries = Find(rows, code);
  if (entries == nullptr) return nullptr;
  for (const auto& [row_system, value] : *entries) {
    if (system.empty() || row_system == system) return &value;
  }
  return nullptr;
}

}  // namespace

// Reads one pack's tables; every error is added with the row that it is in.
class DrugKnowledgeReader {
 public:
  DrugKnowledgeReader(const rules::Pack& pack, rules::Errors* errors)
      : pack_(pack), errors_(errors), out_(new DrugKnowledge()) {}

  std::unique_ptr<const DrugKnowledge> Read() {
    if (TableNamed("ingredients") == nullptr || TableNamed("products") == nullptr) return nullptr;
    const std::size_t before = errors_->size();
    out_->source_ = pack_.id + " " + pack_.version.ToString();
    ReadClasses();
    ReadIngredients();
    ReadAtc();
    ReadProducts();
    ReadCodes();
    ReadUsual();
    ReadCeilings();
    for (const rules::PackTable& table : pack_.tables) {
      if (table.name.starts_with(kOmeqPrefix)) ReadOmeq(table);
    }
    return errors_->size() == before ? std::move(out_) : nullptr;
  }

 private:
  // One row; a column that the table lacks is one error, and empty everywhere.
  class Row {
   public:
    Row(DrugKnowledgeReader* reader, const rules::Table& table, std::size_t row)
        : reader_(reader), table_(table), row_(row) {}

    const std::string& Text(std::string_view column) const {
      static const std::string kEmpty;
      const auto at = table_.Column(column);
      if (!at) {
        if (row_ == 0)
          reader_->Complain({.file = table_.file(), .line = 1},
                            "has no column `" + std::string(column) + "`");
        return kEmpty;
      }
      return table_.Cell(row_, *at);
    }
    std::optional<Rational> Number(std::string_view column) const {  // nullopt when empty
      const std::string& text = Text(column);
      if (text.empty()) return std::nullopt;
      const auto number = Rational::Parse(text);
      if (!number || number->overflowed())
        Complain("`" + text + "` in column " + std::string(column) + " is no number or quotient");
      return number;
    }
    Rational NeedNumber(std::string_view column) const {
      const auto number = Number(column);
      if (!number && Text(column).empty()) Complain("column " + std::string(column) + " is empty");
      return number.value_or(Rational());
    }
    void Complain(std::string message) const { reader_->Complain(table_.RowSpan(row_), std::move(message)); }

   private:
    DrugKnowledgeReader* reader_;
    const rules::Table& table_;
    std::size_t row_;
  };

  const rules::Table* TableNamed(std::string_view name) const {
    const auto found = std::ranges::find(pack_.tables, name, &rules::PackTable::name);
    return found == pack_.tables.end() ? nullptr : &found->table;
  }

  template <typename Visit>
  void Each(std::string_view name, Visit&& visit) {
    if (const rules::Table* table = TableNamed(name)) EachRow(*table, visit);
  }
  template <typename Visit>
  void EachRow(const rules::Table& table, Visit&& visit) {
    for (std::size_t i = 0; i < table.rows(); ++i) visit(Row(this, table, i));
  }

  void Complain(const SourceSpan& span, std::string message) {
    rules::AddError(errors_, span, std::move(message));
  }

  struct ClassFlags {
    bool opioid = false, analgesic = false;
  };

  void ReadClasses() {
    Each("drug_classes", [&](const Row& row) {
      classes_[row.Text("class")] = {row.Text("opioid") == "yes", row.Text("analgesic") == "yes"};
    });
  }

  ClassFlags FlagsOf(std::string_view name) const {
    const ClassFlags* found = Find(classes_, name);
    return found == nullptr ? ClassFlags{} : *found;
  }

  const Ingredient* AddIngredient(const std::string& rxcui, const std::string& name,
                                  const std::string& drug_class, const std::string& ladder_step) {
    Ingredient& made = out_->ingredients_.emplace_back();
    made.index = out_->ingredients_.size() - 1;
    made.rxcui = rxcui;
    made.name = name;
    made.drug_class = drug_class;
    // "2-3" is a local choice: the higher step is the careful reading.
    if (!ladder_step.empty() && ladder_step.back() >= '1' && ladder_step.back() <= '3')
      made.ladder_step = ladder_step.back() - '0';
    const ClassFlags flags = FlagsOf(drug_class);
    made.opioid = flags.opioid;
    made.analgesic = flags.analgesic;
    if (!rxcui.empty()) out_->ingredient_by_rxcui_.emplace(rxcui, &made);
    out_->ingredient_by_name_.emplace(name, &made);
    return &made;
  }

  // By code, else by name; made where a table names one that ingredients.csv does not have.
  const Ingredient* IngredientOf(const Row& row, std::string_view ladder_column) {
    const std::string& rxcui = row.Text("ingredient_rxcui");
    const std::string& name = row.Text("ingredient");
    if (const Ingredient* found =
            rxcui.empty() ? out_->FindIngredientByName(name) : out_->FindIngredient(rxcui))
      return found;
    return AddIngredient(rxcui, name, row.Text("class"),
                         ladder_column.empty() ? "" : row.Text(ladder_column));
  }

  void ReadIngredients() {
    Each("ingredients", [&](const Row& row) {
      AddIngredient(row.Text("rxcui"), row.Text("name"), row.Text("class"), row.Text("ladder_step"));
    });
  }

  void ReadAtc() {
    Each("atc", [&](const Row& row) {
      AtcEntry& entry = out_->atc_[row.Text("atc")];
      entry.name = row.Text("name");
      entry.combination = row.Text("combination") == "yes";
      entry.ingredients.push_back(IngredientOf(row, "ladder_step"));
    });
  }

  void ReadProducts() {
    Each("products", [&](const Row& row) {
      Product& product = out_->products_[row.Text("rxcui")];
      product.rxcui = row.Text("rxcui");
      product.name = row.Text("name");
      product.release = row.Text("release");
      product.route = ParseRoute(row.Text("route"));
      product.wear_h = row.Number("hours");
      const Rational count = row.NeedNumber("ingredients");
      product.ingredient_count = static_cast<int>(count.numerator());
      ProductPart& part = product.parts.emplace_back();
      part.ingredient = IngredientOf(row, "");
      part.drug_class = row.Text("class");
      part.analgesic = FlagsOf(part.drug_class).analgesic;
      const auto unit = std::ranges::find(kStrengthUnits, row.Text("strength_unit"),
                                          &std::pair<std::string_view, StrengthKind>::first);
      if (unit != kStrengthUnits.end()) part.strength = {unit->second, row.NeedNumber("strength_value")};
      const std::string& form = row.Text("dose_form_rxcui");
      // A form that is plain for some products and "12 HR" for others is the plain one.
      if (!form.empty() && (!product.wear_h || !out_->dose_forms_.contains(form))) {
        out_->dose_forms_[form] = {product.release, product.route};
      }
    });
  }

  void ReadCodes() {
    Each("routes", [&](const Row& row) {
      out_->routes_[row.Text("code")].emplace_back(row.Text("system"), ParseRoute(row.Text("kind")));
    });
    Each("timing_codes", [&](const Row& row) {
      out_->timing_codes_[row.Text("code")].emplace_back(row.Text("system"), row.NeedNumber("doses_per_day"));
    });
    Each("when_codes",
         [&](const Row& row) { out_->when_codes_[row.Text("code")] = row.NeedNumber("doses_per_day"); });
    Each("dosage_units", [&](const Row& row) {
      const auto kind =
          std::ranges::find(kUnitKinds, row.Text("kind"), &std::pair<std::string_view, UnitKind>::first);
      if (kind == kUnitKinds.end())
        return row.Complain("`" + row.Text("kind") + "` is no kind of unit: mass, volume, time, weight");
      out_->units_[row.Text("code")].emplace_back(
          row.Text("system"), UnitRow{kind->second, row.NeedNumber("factor"), row.Text("ucum") == "yes"});
    });
    Each("dosage_limits", [&](const Row& row) {
      if (row.Text("name") == "doses_per_day") out_->max_doses_per_day_ = row.NeedNumber("value");
    });
    Each("as_needed_words",
         [&](const Row& row) { out_->as_needed_words_.push_back(Lower(row.Text("words"))); });
  }

  void ReadUsual() {
    Each("usual_intervals", [&](const Row& row) {
      out_->usual_intervals_.push_back(
          {row.Text("release"), out_->FindIngredient(row.Text("ingredient_rxcui")), row.Number("hours"),
           row.Number("usual_h"), row.Number("min_h"), row.Number("max_h")});
    });
  }

  const Ingredient* NeedIngredient(const Row& row) {
    const Ingredient* found = out_->FindIngredient(row.Text("ingredient_rxcui"));
    if (found == nullptr)
      row.Complain("`" + row.Text("ingredient_rxcui") + "` is no ingredient of ingredients.csv");
    return found;
  }

  void ReadCeilings() {
    out_->ceilings_.resize(out_->ingredients_.size());
    Each("ceilings", [&](const Row& row) {
      const Ingredient* ingredient = NeedIngredient(row);
      if (ingredient == nullptr) return;
      out_->ceilings_[ingredient->index].push_back(
          {row.NeedNumber("max_mg_per_day"), row.Number("age_from"), row.Text("condition")});
    });
  }

  void ReadOmeq(const rules::PackTable& source) {
    OmeqTable& table = out_->omeq_.emplace_back();
    table.id_ = source.name.substr(kOmeqPrefix.size());
    std::ranges::replace(table.id_, '_', '-');
    table.version_ = pack_.version.ToString();
    if (!source.table.comments().empty()) table.title_ = source.table.comments().front();
    table.tiers_.resize(out_->ingredients_.size());
    EachRow(source.table, [&](const Row& row) {
      const Ingredient* ingredient = NeedIngredient(row);
      if (ingredient == nullptr) return;
      const std::string& per = row.Text("per");
      if (per != "mg" && per != "ug/h") row.Complain("`" + per + "` in column per: mg or ug/h");
      table.tiers_[ingredient->index].push_back(
          {ParseRoute(row.Text("route")), row.Number("from_mg_exclusive"), row.Number("to_mg_inclusive"),
           row.NeedNumber("factor"), per == "mg" ? OmeqTable::Per::kMg : OmeqTable::Per::kUgPerHour});
    });
    CheckTiers(table, source.table);
  }

  // A dose between two tiers would have no factor: tiers of one route join without gap or overlap.
  void CheckTiers(const OmeqTable& table, const rules::Table& source) {
    for (std::size_t i = 0; i < table.tiers_.size(); ++i) {
      const std::optional<Rational>* end = nullptr;
      Route route = Route::kUnknown;
      for (const OmeqTable::Tier& tier : table.tiers_[i]) {
        const bool joins =
            tier.route != route ? !tier.above : end != nullptr && *end && tier.above && **end == *tier.above;
        const bool closed = tier.route == route || end == nullptr || !*end;
        if (!joins || !closed)
          Complain({.file = source.file()}, "tiers of " + out_->ingredients_[i].name + " do not join");
        route = tier.route;
        end = &tier.up_to;
      }
      if (end != nullptr && *end)
        Complain({.file = source.file()}, "the last tier of " + out_->ingredients_[i].name + " ends");
    }
  }

  const rules::Pack& pack_;
  rules::Errors* errors_;
  std::unique_ptr<DrugKnowledge> out_;
  DrugKnowledge::ByText<ClassFlags> classes_;
};

std::string_view RouteName(Route route) { return kRouteNames[static_cast<std::size_t>(route)]; }

Route ParseRoute(std::string_view name) {
  const auto found = std::ranges::find(kRouteNames, name);
  if (found != kRouteNames.end()) return static_cast<Route>(found - kRouteNames.begin());
  const auto finer = std::ranges::find(kFinerRoutes, name, &std::pair<std::string_view, Route>::first);
  return finer == kFinerRoutes.end() ? Route::kOther : finer->second;
}

const OmeqTable::Tier* OmeqTable::Find(const Ingredient& ingredient, Route route,
                                       const Rational& mg_per_day) const {
  if (ingredient.index >= tiers_.size()) return nullptr;
  for (const Tier& tier : tiers_[ingredient.index]) {
    if (tier.route != (route == Route::kUnknown ? Route::kOral : route)) continue;
    if (tier.above && !(*tier.above < mg_per_day)) continue;
    if (tier.up_to && *tier.up_to < mg_per_day) continue;
    return &tier;
  }
  return nullptr;
}

std::unique_ptr<const DrugKnowledge> DrugKnowledge::Read(const rules::Pack& pack, rules::Errors* errors) {
  return DrugKnowledgeReader(pack, errors).Read();
}

const Product* DrugKnowledge::FindProduct(std::string_view rxcui) const { return Find(products_, rxcui); }

const Ingredient* DrugKnowledge::FindIngredient(std::string_view rxcui) const {
  const auto* found = Find(ingredient_by_rxcui_, rxcui);
  return found == nullptr ? nullptr : *found;
}

const Ingredient* DrugKnowledge::FindIngredientByName(std::string_view name) const {
  const auto* found = Find(ingredient_by_name_, name);
  return found == nullptr ? nullptr : *found;
}

const AtcEntry* DrugKnowledge::FindAtc(std::string_view code) const { return Find(atc_, code); }
const DoseForm* DrugKnowledge::FindDoseForm(std::string_view rxcui) const { return Find(dose_forms_, rxcui); }

Route DrugKnowledge::FindRoute(std::string_view system, std::string_view code) const {
  const Route* found = FindIn(routes_, system, code);
  return found == nullptr ? Route::kUnknown : *found;
}

const Rational* DrugKnowledge::FindTimingCode(std::string_view system, std::string_view code) const {
  return FindIn(timing_codes_, system, code);
}

const Rational* DrugKnowledge::FindWhenCode(std::string_view code) const { return Find(when_codes_, code); }

const UnitRow* DrugKnowledge::FindUnit(std::string_view system, std::string_view code) const {
  const auto* rows = Find(units_, code);
  if (rows == nullptr) return nullptr;
  for (const auto& [row_system, row] : *rows) {
    if (row_system == (system == kUcum ? std::string_view() : system)) return &row;
  }
  return nullptr;
}

const OmeqTable* DrugKnowledge::FindOmeq(std::string_view id) const {
  if (id.empty()) return omeq_.empty() ? nullptr : &omeq_.front();
  const auto found = std::ranges::find(omeq_, id, &OmeqTable::id);
  return found == omeq_.end() ? nullptr : &*found;
}

bool DrugKnowledge::SaysAsNeeded(std::string_view text) const {
  const auto letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::ranges::any_of(as_needed_words_, [&](const std::string& words) {
    for (auto from = text.begin();;) {
      const auto found = std::search(from, text.end(), words.begin(), words.end(), same);
      if (found == text.end()) return false;
      const auto after = found + static_cast<std::ptrdiff_t>(words.size());
      const bool starts = found == text.begin() || !letter(*(found - 1)),
                 ends = after == text.end() || !letter(*after);
      if (starts && ends) return true;
      from = found + 1;
    }
  });
}

}  // namespace stepwise::medication
