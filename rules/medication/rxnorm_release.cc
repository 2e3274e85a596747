#include "rules/medication/rxnorm_release.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "rules/table.h"

namespace stepwise::rules {
namespace {

// Columns of the files, counted from 0.
constexpr std::size_t kConsoRxcui = 0, kConsoSab = 11, kConsoTty = 12, kConsoCode = 13, kConsoStr = 14,
                      kConsoSuppress = 16;
constexpr std::size_t kRelTo = 0, kRelFrom = 4, kRelRela = 7, kRelSab = 10, kRelSuppress = 14;
constexpr std::size_t kSatRxcui = 0, kSatAtn = 8, kSatSab = 9, kSatAtv = 10, kSatSuppress = 11;

constexpr std::string_view kRxNorm = "RXNORM";
constexpr std::size_t kNamesInWarning = 5;
constexpr std::uint32_t kAspirin = 1191;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "24" of "24 HR fentanyl 0.1 MG/HR Transdermal System": the number before the first word HR, or "".
std::string HoursOf(std::string_view name) {
  for (std::size_t at = name.find(" HR "); at != std::string_view::npos; at = name.find(" HR ", at + 1)) {
    std::size_t begin = at;
    while (begin > 0 && (IsDigit(name[begin - 1]) || name[begin - 1] == '.')) --begin;
    // A word of its own, or the first one in the bracket of a pack.
    if (begin < at && IsDigit(name[begin]) &&
        (begin == 0 || name[begin - 1] == ' ' || name[begin - 1] == '(')) {
      return std::string(name.substr(begin, at - begin));
    }
  }
  return "";
}

// Treatment of a place only has no bearing on the rules, but for lidocaine patches and topical NSAIDs. A list
// without classes keeps everything, and so does a form that nobody knows: a strong opioid must not get lost.
bool ActsOnTheBody(const std::string& drug_class, const std::string& release, const std::string& form) {
  if (drug_class.empty()) return true;
  if (drug_class == "local-anaesthetic") return form == "Medicated Patch";
  if (release == "topical") return drug_class == "nsaid";
  return release != "other" || form == "Drug Implant";
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// "3 rows have no strength: 198440, 198441 and 1 more" or nothing.
void Warn(std::vector<std::string>* warnings, std::string_view what, const std::vector<std::string>& names) {
  if (names.empty()) return;
  std::string text = std::to_string(names.size()) + " " + std::string(what) + ": ";
  const std::size_t shown = std::min(names.size(), kNamesInWarning);
  for (std::size_t i = 0; i < shown; ++i) text += (i > 0 ? ", " : "") + names[i];
  if (shown < names.size()) text += " and " + std::to_string(names.size() - shown) + " more";
  warnings->push_back(std::move(text));
}

void AddUnique(std::vector<std::uint32_t>* to, std::uint32_t value) {
  if (std::ranges::find(*to, value) == to->end()) to->push_back(value);
}

std::uint32_t At(const std::unordered_map<std::uint32_t, std::uint32_t>& link, std::uint32_t from) {
  const auto found = link.find(from);
  return found == link.end() ? 0 : found->second;
}

}  // namespace

void IngredientList::Read(std::string_view text, const std::string& file, Errors* errors) {
  const std::size_t before = errors->size();
  const Table table = Table::Read(text, file, "", {}, errors);
  if (errors->size() > before) return;
  auto rxcui = table.Column("rxcui");
  if (!rxcui) rxcui = table.Column("ingredient_rxcui");
  if (!rxcui) {
    AddError(errors, {.file = file, .line = 1, .column = 1},
             "a table of ingredients has a column `rxcui` or `ingredient_rxcui`");
    return;
  }
  const auto cell = [&](std::size_t row, std::string_view name) {
    const auto column = table.Column(name);
    return column ? table.Cell(row, *column) : std::string();
  };
  const std::string_view name_column = table.Column("ingredient") ? "ingredient" : "name";
  for (std::size_t i = 0; i < table.rows(); ++i) {
    Row row{.rxcui = 0, .name = cell(i, name_column), .drug_class = cell(i, "class"), .atc = cell(i, "atc")};
    if (const std::string& code = table.Cell(i, *rxcui); !code.empty()) {
      const auto value = ParseRxcui(code);
      if (!value) {
        AddError(errors, table.RowSpan(i),
                 "`" + code + "` is not an RxNorm identifier: 1 to 9 digits are expected");
        continue;
      }
      row.rxcui = *value;
      if (!by_rxcui_.emplace(*value, rows_.size()).second) continue;
    } else if (row.name.empty() && row.atc.empty()) {
      AddError(errors, table.RowSpan(i), "an ingredient needs an identifier, a name or an ATC code");
      continue;
    } else {
      if (!row.name.empty()) by_name_.emplace(Lower(row.name), rows_.size());
      // The code of a combination says nothing of which part is meant.
      if (!row.atc.empty() && cell(i, "combination") != "yes") by_atc_.emplace(row.atc, rows_.size());
    }
    rows_.push_back(std::move(row));
  }
}

std::size_t IngredientList::Find(std::uint32_t rxcui) const {
  const auto found = by_rxcui_.find(rxcui);
  return found == by_rxcui_.end() ? kNone : found->second;
}

std::size_t IngredientList::FindName(std::string_view name) const {
  const auto found = by_name_.find(Lower(std::string(name)));
  return found == by_name_.end() ? kNone : found->second;
}

std::size_t IngredientList::FindAtc(std::string_view code) const {
  const auto found = by_atc_.find(code);
  return found == by_atc_.end() ? kNone : found->second;
}

DoseForms DoseForms::Read(std::string_view text, const std::string& file, Errors* errors) {
  DoseForms forms;
  const Table table = Table::Read(text, file, "part", {.file = file, .line = 1, .column = 1}, errors);
  const auto part = table.Column("part"), release = table.Column("release"), route = table.Column("route");
  if (!part || !release || !route) {
    AddError(errors, {.file = file, .line = 1, .column = 1},
             "a table of dose forms has the columns part, release, route");
    return forms;
  }
  for (std::size_t i = 0; i < table.rows(); ++i) {
    if (table.Cell(i, *part).empty())
      AddError(errors, table.RowSpan(i), "an empty `part` is part of every form");
    forms.rows_.push_back({table.Cell(i, *part), table.Cell(i, *release), table.Cell(i, *route)});
  }
  return forms;
}

const DoseForms::Row* DoseForms::Find(std::string_view form) const {
  for (const Row& row : rows_) {
    if (form.find(row.part) != std::string_view::npos) return &row;
  }
  return nullptr;
}

std::optional<RxNormStrength> ParseRxNormStrength(std::string_view text) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const std::string_view number = text.substr(0, blank), unit = text.substr(blank + 1);
  const auto is_unit = [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f;
  };
  if (unit.empty() || !std::ranges::all_of(unit, is_unit)) return std::nullopt;
  if (!std::ranges::all_of(number, [](char c) { return IsDigit(c) || c == '.'; })) return std::nullopt;
  const auto value = Decimal::Parse(number);
  if (!value || value->IsZero()) return std::nullopt;
  return RxNormStrength{value->Normalized(), std::string(unit)};
}

struct RxNormRelease::Draft {
  ProductRow row;
  std::optional<RxNormStrength> strength;   // of one content; nullopt: not known
  bool kept = false;                        // in the list, and not for local treatment only
  bool parts_differ = false;                // the drugs of a pack have different strengths
  std::optional<std::string> unknown_form;  // no row of the dose forms fits it
};

std::optional<RxNormRelease::Kind> RxNormRelease::KindOf(std::string_view tty) {
  if (tty == "IN") return Kind::kIngredient;
  if (tty == "PIN") return Kind::kPreciseIngredient;
  if (tty == "SCDC") return Kind::kComponent;
  if (tty == "SCD") return Kind::kDrug;
  if (tty == "SBD") return Kind::kBranded;
  if (tty == "GPCK" || tty == "BPCK") return Kind::kPack;
  if (tty == "DF") return Kind::kDoseForm;
  return std::nullopt;
}

// N or nothing: not suppressed. O obsolete, E by an editor, Y by the source.
bool RxNormRelease::IsDropped(std::string_view suppress) const {
  return !include_suppressed_ && !suppress.empty() && suppress != "N";
}

Status RxNormRelease::ReadConcepts(RrfReader& conso) {
  while (true) {
    STEPWISE_ASSIGN_OR_RETURN(const bool more, conso.Next());
    if (!more) break;
    if (conso[kConsoSab] == "ATC") {
      const std::size_t row = list_.FindAtc(conso[kConsoCode]);
      if (row == IngredientList::kNone || IsDropped(conso[kConsoSuppress])) continue;
      STEPWISE_ASSIGN_OR_RETURN(const std::uint32_t rxcui, conso.Rxcui(kConsoRxcui));
      const auto at = listed_by_atc_.emplace(rxcui, row).first;
      at->second = std::min(at->second, row);
      continue;
    }
    if (conso[kConsoSab] != kRxNorm) continue;
    const std::optional<Kind> kind = KindOf(conso[kConsoTty]);
    if (!kind) continue;
    STEPWISE_ASSIGN_OR_RETURN(const std::uint32_t rxcui, conso.Rxcui(kConsoRxcui));
    const bool suppressed = !conso[kConsoSuppress].empty() && conso[kConsoSuppress] != "N";
    const auto known = concepts_.find(rxcui);
    // The first name counts, but for one that is suppressed.
    if (known != concepts_.end() && (suppressed || !known->second.suppressed)) continue;
    Concept read{*kind, suppressed, ""};
    if (*kind != Kind::kComponent) {
      STEPWISE_ASSIGN_OR_RETURN(read.name, conso.Text(kConsoStr));
    }
    concepts_.insert_or_assign(rxcui, std::move(read));
  }
  if (concepts_.empty()) {
    return Fail(Code::kSemantic, "no concept of RxNorm's own (SAB RXNORM): this is no RxNorm release",
                {.file = conso.file()});
  }
  return {};
}

Status RxNormRelease::ReadRelations(RrfReader& rel) {
  std::size_t used = 0;
  while (true) {
    STEPWISE_ASSIGN_OR_RETURN(const bool more, rel.Next());
    if (!more) break;
    if (rel[kRelSab] != kRxNorm || IsDropped(rel[kRelSuppress])) continue;
    const std::string_view rela = rel[kRelRela];
    if (rela != "consists_of" && rela != "has_ingredient" && rela != "has_precise_ingredient" &&
        rela != "form_of" && rela != "has_dose_form" && rela != "tradename_of" && rela != "contains") {
      continue;
    }
    if (rel[kRelFrom].empty() && rel[kRelTo].empty()) continue;  // between atoms
    STEPWISE_ASSIGN_OR_RETURN(const std::uint32_t from, rel.Rxcui(kRelFrom));
    STEPWISE_ASSIGN_OR_RETURN(const std::uint32_t to, rel.Rxcui(kRelTo));
    const Concept* subject = Find(from);
    const Concept* object = Find(to);
    if (subject == nullptr || object == nullptr) continue;  // brand names, groups of forms
    ++used;
    const Kind a = subject->kind, b = object->kind;
    const bool drug = a == Kind::kDrug || a == Kind::kBranded;
    if (rela == "consists_of" && drug && b == Kind::kComponent) {
      AddUnique(&consists_of_[from], to);
    } else if (rela == "contains" && a == Kind::kPack && (b == Kind::kDrug || b == Kind::kBranded)) {
      AddUnique(&contains_[from], to);
    } else if (rela == "has_dose_form" && IsProduct(a) && b == Kind::kDoseForm) {
      dose_form_.emplace(from, to);
    } else if (rela == "tradename_of" && a == Kind::kBranded && b == Kind::kDrug) {
      tradename_of_.emplace(from, to);
    } else if (rela == "has_ingredient" && a == Kind::kComponent && b == Kind::kIngredient) {
      ingredient_.emplace(from, to);
    } else if ((rela == "has_precise_ingredient" || rela == "has_ingredient") && a == Kind::kComponent &&
               b == Kind::kPreciseIngredient) {
      precise_ingredient_.emplace(from, to);
    } else if (rela == "form_of" && a == Kind::kPreciseIngredient && b == Kind::kIngredient) {
      form_of_.emplace(from, to);
    } else {
      --used;
    }
  }
  if (used == 0) {
    return Fail(Code::kSemantic,
                "no relation between the concepts of RXNCONSO.RRF: the files are of different releases",
                {.file = rel.file()});
  }
  return {};
}

const RxNormRelease::Concept* RxNormRelease::Find(std::uint32_t rxcui) const {
  const auto found = concepts_.find(rxcui);
  return found == concepts_.end() ? nullptr : &found->second;
}

std::size_t RxNormRelease::Listed(std::uint32_t ingredient) const {
  if (const std::size_t row = list_.Find(ingredient); row != IngredientList::kNone) return row;
  if (const std::size_t row = list_.FindName(Find(ingredient)->name); row != IngredientList::kNone)
    return row;
  const auto found = listed_by_atc_.find(ingredient);
  return found == listed_by_atc_.end() ? IngredientList::kNone : found->second;
}

// The drugs in a pack; a drug contains itself.
std::vector<std::uint32_t> RxNormRelease::Contents(std::uint32_t product) const {
  if (Find(product)->kind != Kind::kPack) return {product};
  const auto found = contains_.find(product);
  return found == contains_.end() ? std::vector<std::uint32_t>() : found->second;
}

const std::vector<std::uint32_t>& RxNormRelease::Components(std::uint32_t drug) const {
  static const std::vector<std::uint32_t> none;
  auto found = consists_of_.find(drug);
  if (found == consists_of_.end()) found = consists_of_.find(At(tradename_of_, drug));
  return found == consists_of_.end() ? none : found->second;
}

std::uint32_t RxNormRelease::IngredientOf(std::uint32_t component) const {
  if (const std::uint32_t ingredient = At(ingredient_, component)) return ingredient;
  const std::uint32_t precise = At(precise_ingredient_, component);
  const std::uint32_t base = At(form_of_, precise);
  return base != 0 ? base : precise;
}

std::optional<RxNormStrength> RxNormRelease::StrengthOf(std::uint32_t component) const {
  const auto found = strengths_.find(component);
  if (found == strengths_.end()) return std::nullopt;
  const StrengthText& text = found->second;
  if (auto whole = ParseRxNormStrength(text.whole)) return whole;
  auto strength = ParseRxNormStrength(text.value + " " + text.unit);
  if (!strength) return std::nullopt;
  if (!text.per_value.empty()) {
    const auto per = ParseRxNormStrength(text.per_value + " 1");
    if (!per) return std::nullopt;
    const auto quotient = Divide(strength->value, per->value);
    if (!quotient || quotient->IsZero()) return std::nullopt;
    strength->value = quotient->Normalized();
  }
  // "1" and "EACH": of a tablet.
  if (!text.per_unit.empty() && text.per_unit != "1" && text.per_unit != "EACH")
    strength->unit += "/" + text.per_unit;
  return strength;
}

// One draft for each ingredient of the product, without order.
std::vector<RxNormRelease::Draft> RxNormRelease::Describe(std::uint32_t product) const {
  std::vector<Draft> drafts;
  std::size_t without_ingredient = 0;
  const std::uint32_t form_rxcui = At(dose_form_, product);
  const Concept* form = Find(form_rxcui);

  for (const std::uint32_t drug : Contents(product)) {
    const std::string& name = Find(drug)->name;
    const Concept* drug_form = Find(At(dose_form_, drug));
    const std::string form_name = drug_form != nullptr ? drug_form->name : "";
    const DoseForms::Row* how = forms_.Find(form_name);
    const std::string hours = HoursOf(name);
    std::string release = how != nullptr ? how->release : "";
    if (release == "immediate" && !hours.empty()) release = "modified";

    std::vector<Draft> here;
    for (const std::uint32_t component : Components(drug)) {
      const std::uint32_t ingredient = IngredientOf(component);
      if (ingredient == 0) {
        ++without_ingredient;
        continue;
      }
      const std::optional<RxNormStrength> strength = StrengthOf(component);
      const auto same =
          std::ranges::find_if(here, [&](const Draft& d) { return d.row.ingredient_rxcui == ingredient; });
      if (same != here.end()) {  // another salt, or another layer
        std::optional<Decimal> sum;
        if (same->strength && strength && same->strength->unit == strength->unit) {
          sum = Add(same->strength->value, strength->value);
        }
        same->strength =
            sum ? std::optional(RxNormStrength{sum->Normalized(), strength->unit}) : std::nullopt;
        continue;
      }
      Draft& draft = here.emplace_back();
      const std::size_t index = Listed(ingredient);
      const IngredientList::Row* listed = index == IngredientList::kNone ? nullptr : &list_.rows()[index];
      draft.row.ingredient_rxcui = ingredient;
      draft.row.ingredient =
          listed != nullptr && !listed->name.empty() ? listed->name : Find(ingredient)->name;
      draft.row.drug_class = listed != nullptr ? listed->drug_class : "";
      draft.row.release = release;
      draft.row.route = how != nullptr ? how->route : "";
      draft.row.hours = hours;
      draft.strength = strength;
      if (how == nullptr) draft.unknown_form = form_name;
      draft.kept = listed != nullptr && ActsOnTheBody(listed->drug_class, release, form_name);
      if (!draft.kept) draft.row.drug_class.clear();
    }
    // What the drugs of a pack do not share is not said of the pack.
    for (Draft& draft : here) {
      const auto same = std::ranges::find_if(
          drafts, [&](const Draft& d) { return d.row.ingredient_rxcui == draft.row.ingredient_rxcui; });
      if (same == drafts.end()) {
        drafts.push_back(std::move(draft));
        continue;
      }
      if (!same->strength || !draft.strength || same->strength->unit != draft.strength->unit ||
          same->strength->value != draft.strength->value) {
        same->parts_differ = same->parts_differ || (same->strength && draft.strength);
        same->strength.reset();
      }
      if (same->row.release != draft.row.release || same->row.route != draft.row.route) {
        same->row.release.clear();
        same->row.route.clear();
      }
      if (same->row.hours != draft.row.hours) same->row.hours.clear();
      if (draft.kept && !same->kept) same->row.drug_class = draft.row.drug_class;
      same->kept = same->kept || draft.kept;
    }
  }

  for (Draft& draft : drafts) {
    ProductRow& row = draft.row;
    row.rxcui = product;
    row.name = Find(product)->name;
    row.dose_form_rxcui = form_rxcui;
    row.dose_form = form != nullptr ? form->name : "";
    row.ingredients = drafts.size() + without_ingredient;
    if (!draft.strength) continue;
    row.strength_value = draft.strength->value.ToString();
    row.strength_unit = draft.strength->unit;
    if (row.ingredient_rxcui == kAspirin && !row.drug_class.empty() && row.route == "oral" &&
        row.strength_unit == "MG" && draft.strength->value <= Decimal(100)) {
      row.drug_class = "antiplatelet";
    }
  }
  return drafts;
}

void RxNormRelease::Select(bool all) {
  products_.clear();
  strengths_.clear();
  for (const auto& [rxcui, about] : concepts_) {
    if (!IsProduct(about.kind) || (about.suppressed && !include_suppressed_)) continue;
    if (!all && std::ranges::none_of(Describe(rxcui), &Draft::kept)) continue;
    products_.push_back(rxcui);
    for (const std::uint32_t drug : Contents(rxcui)) {
      for (const std::uint32_t component : Components(drug)) strengths_.try_emplace(component);
    }
  }
  std::ranges::sort(products_);
}

Status RxNormRelease::ReadStrengths(RrfReader& sat) {
  while (true) {
    STEPWISE_ASSIGN_OR_RETURN(const bool more, sat.Next());
    if (!more) return {};
    const std::string_view name = sat[kSatAtn];
    if (sat[kSatSab] != kRxNorm || !name.starts_with("RXN_") || IsDropped(sat[kSatSuppress])) continue;
    std::string StrengthText::*part = name == "RXN_STRENGTH"                    ? &StrengthText::whole
                                      : name == "RXN_BOSS_STRENGTH_NUM_VALUE"   ? &StrengthText::value
                                      : name == "RXN_BOSS_STRENGTH_NUM_UNIT"    ? &StrengthText::unit
                                      : name == "RXN_BOSS_STRENGTH_DENOM_VALUE" ? &StrengthText::per_value
                                      : name == "RXN_BOSS_STRENGTH_DENOM_UNIT"  ? &StrengthText::per_unit
                                                                                : nullptr;
    if (part == nullptr) continue;
    STEPWISE_ASSIGN_OR_RETURN(const std::uint32_t rxcui, sat.Rxcui(kSatRxcui));
    const auto wanted = strengths_.find(rxcui);
    if (wanted == strengths_.end() || !(wanted->second.*part).empty()) continue;
    STEPWISE_ASSIGN_OR_RETURN(wanted->second.*part, sat.Text(kSatAtv));
  }
}

std::vector<ProductRow> RxNormRelease::Rows(std::vector<std::string>* warnings) const {
  std::vector<ProductRow> rows;
  std::vector<std::string> without_parts, without_strength, differing;
  std::set<std::string> unknown_forms;
  for (const std::uint32_t product : products_) {
    std::vector<Draft> drafts = Describe(product);
    std::ranges::sort(drafts, [](const Draft& a, const Draft& b) {
      return std::tie(a.row.ingredient, a.row.ingredient_rxcui) <
             std::tie(b.row.ingredient, b.row.ingredient_rxcui);
    });
    if (drafts.empty()) without_parts.push_back(std::to_string(product));
    for (Draft& draft : drafts) {
      const std::string shown = std::to_string(product) + " (" + draft.row.ingredient + ")";
      if (draft.parts_differ) {
        differing.push_back(shown);
      } else if (!draft.strength) {
        without_strength.push_back(shown);
      }
      if (draft.unknown_form)
        unknown_forms.insert(draft.unknown_form->empty() ? "(none)" : *draft.unknown_form);
      rows.push_back(std::move(draft.row));
    }
  }
  if (warnings == nullptr) return rows;

  std::vector<bool> found(list_.rows().size());
  for (const auto& [rxcui, about] : concepts_) {
    if (about.kind != Kind::kIngredient && about.kind != Kind::kPreciseIngredient) continue;
    if (const std::size_t row = Listed(rxcui); row != IngredientList::kNone) found[row] = true;
  }
  std::vector<std::string> missing, renamed;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const IngredientList::Row& row = list_.rows()[i];
    const std::string name = row.name.empty() ? row.atc : row.name;
    if (!found[i] && row.rxcui == 0) {
      if (list_.FindName(name) == i || row.name.empty()) missing.push_back(name);
    } else if (!found[i]) {
      missing.push_back(std::to_string(row.rxcui) + (name.empty() ? "" : " " + name));
    } else if (row.rxcui != 0 && !row.name.empty() && Lower(row.name) != Lower(Find(row.rxcui)->name)) {
      renamed.push_back(row.name + " is " + Find(row.rxcui)->name + " (" + std::to_string(row.rxcui) + ")");
    }
  }
  Warn(warnings, "listed ingredients are not in the release", missing);
  Warn(warnings, "listed ingredients have another name in the release", renamed);
  Warn(warnings, "products have no ingredient in the release and are left out", without_parts);
  Warn(warnings, "rows have no strength", without_strength);
  Warn(warnings, "rows of packs have no strength, for their parts differ", differing);
  Warn(warnings, "dose forms have no release and route", {unknown_forms.begin(), unknown_forms.end()});
  return rows;
}

}  // namespace stepwise::rules
