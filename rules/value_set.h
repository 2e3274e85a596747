// Value sets: code lists of a pack, with the three answers in, out and unknown.
//
//   name: strong_opioid
//   url: https://cds.example.org/fhir/ValueSet/strong-opioid
//   version: 1.0.0
//   title: Strong opioids
//   include:
//     - { system: http://hl7.org/fhir/sid/icd-10-cm, codes: { C25: pancreas }, descendants: true }
//     - { system: http://www.whocc.no/atc, table: codes, column: code, where: { class: [strong, weak] } }
//
// `descendants` is the prefix rule of ICD-10-CM and ATC: C25 holds C25.9 and C259. `covers` lists the systems
// for which "not listed" means "not a member"; by default every system that an include mentions. A code of
// any other system is unknown, never out. A code without a system is in when any system lists it, else
// unknown. Thread-safety: immutable once built; Contains() does not allocate.
#ifndef STEPWISE_RULES_VALUE_SET_H_
#define STEPWISE_RULES_VALUE_SET_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fhir/terminology.h"
#include "rules/schema_reader.h"
#include "rules/table.h"

namespace stepwise::rules {

// A value set as its file says it.
struct ValueSetSource {
  struct Code {
    std::string code, display;
  };
  struct Include {
    std::string system;
    std::vector<Code> codes;
    bool descendants = false;
    SourceText table, column;                                           // table empty: codes only
    std::vector<std::pair<SourceText, std::vector<SourceText>>> where;  // column -> allowed cells
    SourceSpan span;
  };
  std::string name, url, version, title, status, copyright;
  std::vector<std::string> unverified;  // codes, or remarks, that nobody has checked yet
  std::vector<Include> includes;
  std::vector<std::string> covers;  // empty: every included system
  SourceSpan span;
};

// Reads one file's tree; all errors are added.
ValueSetSource ReadValueSet(const YamlNode& node, Errors* errors);

class CodeSet final : public ValueSet {
 public:
  // `find_table` answers the tables that includes may name; nullptr for a table that does not exist.
  static std::unique_ptr<CodeSet> Build(const ValueSetSource& source,
                                        const std::function<const Table*(std::string_view)>& find_table,
                                        Errors* errors);

  Membership Contains(std::string_view system, std::string_view code) const override;
  bool IsAbout(std::string_view system) const override;

  const std::string& name() const { return name_; }
  const std::string& url() const { return url_; }
  const std::string& version() const { return version_; }
  // Every code that is listed; what `descendants` adds is not.
  void ForEach(const std::function<void(std::string_view system, std::string_view code)>& visit) const;
  std::size_t size() const;  // codes, descendants not counted

 private:
  using Codes = std::unordered_set<std::string, StringHash, std::equal_to<>>;
  struct System {
    Codes codes;
    Codes categories;  // without points; hold every longer code
    bool covered = false;
    bool Has(std::string_view code) const;
  };
  std::string name_, url_, version_;
  std::unordered_map<std::string, System, StringHash, std::equal_to<>> systems_;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_VALUE_SET_H_
