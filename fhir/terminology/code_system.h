// CodeSystem: the concepts of one CodeSystem resource, their hierarchy and properties, and the filters that
// value sets choose them by.
//
// "Complete" means that a code which is not here does not exist; every other system (fragment, example, not
// present, or with a grammar for further codes) only knows what it lists. Source: FHIR R4 and R5
// "CodeSystem"; http://hl7.org/fhir/filter-operator. Thread-safety: immutable once read.
#ifndef STEPWISE_FHIR_TERMINOLOGY_CODE_SYSTEM_H_
#define STEPWISE_FHIR_TERMINOLOGY_CODE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fhir/terminology.h"
#include "fhir/terminology/codes.h"
#include "fhir/terminology/reading.h"

namespace stepwise::terminology {

class CodeSystem {
 public:
  static Result<std::unique_ptr<const CodeSystem>> Read(Node resource, Reading* reading);

  const std::string& url() const { return url_; }
  const std::string& version() const { return version_; }      // "" if none
  const std::string& value_set() const { return value_set_; }  // URL of the set of all codes, "" if none
  // "code system 'http://example.org|1.0'"
  std::string Title() const;
  CaseRule case_rule() const { return case_rule_; }
  bool complete() const { return complete_; }

  std::size_t size() const { return concepts_.size(); }
  const std::string& code(std::size_t concept_index) const { return *concepts_[concept_index].code; }
  bool inactive(std::size_t concept_index) const { return concepts_[concept_index].inactive; }
  // By the system's case rule; exact where that is not specified.
  std::optional<std::uint32_t> Find(std::string_view code) const;

  // As Terminology::Subsumes.
  Membership Subsumes(std::string_view ancestor, std::string_view code) const;

  struct Filter {
    std::string_view property, op, value;
  };
  // The filter's answer for each concept. Nothing, and `why`, when the filter is not understood.
  std::optional<std::vector<Membership>> Apply(const Filter& filter, std::size_t max_pattern,
                                               std::string* why) const;

 private:
  struct Value {
    std::uint32_t property;  // index into properties_
    std::string text;
    bool number = false;  // equal to other ways of writing it
  };
  struct Concept {
    const std::string* code;  // key in index_
    bool inactive = false;
    std::vector<std::uint32_t> parents, children;
    std::vector<Value> values;
  };
  enum class Role : std::uint8_t { kOther, kParent, kChild, kInactive, kNotSelectable, kStatus };
  struct Property {
    std::string name;
    Role role = Role::kOther;
  };
  struct Edge {  // a parent or child property, until all codes are known
    std::uint32_t concept_index;
    bool to_parent;
    std::string other;
    Node at;
  };
  class Reader;

  void Connect(std::uint32_t parent, std::uint32_t child);
  std::optional<std::uint32_t> FindProperty(std::string_view name) const;
  // Whether each concept has the relation `op` to the one at `root`, as far as the edges say.
  std::vector<bool> Related(std::string_view op, std::uint32_t root) const;

  std::string url_, version_, value_set_, hierarchy_meaning_;
  CaseRule case_rule_ = CaseRule::kUnspecified;
  bool complete_ = false;
  bool is_a_ = true;  // the hierarchy is one of subsumption, and it is here
  std::vector<Concept> concepts_;
  CodeMap<std::uint32_t> index_;
  std::vector<Property> properties_;
};

}  // namespace stepwise::terminology

#endif  // STEPWISE_FHIR_TERMINOLOGY_CODE_SYSTEM_H_
