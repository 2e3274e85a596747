// Fields: reads the entries of one YAML map by name, with the types that the format's table gives them.
//
//   Errors errors;
//   Fields fields(node, kPrefetchSchema, &errors);      // reports unknown keys, missing keys, wrong values
//   std::string query = fields.Text("query");
//   bool required = fields.Boolean("required");         // the table says what absence means
//
// The types come from rules/pack_schema.h, never from YAML: a version stays text, `no` is not false. A
// missing or wrong value is one error and then reads as absent, so that one reading finds all errors of a
// file. Asking for a key that the table does not have, or as another type, is our bug and ends the program
// where asserts are on. Not thread-safe.
#ifndef STEPWISE_RULES_SCHEMA_READER_H_
#define STEPWISE_RULES_SCHEMA_READER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/result.h"
#include "rules/pack_schema.h"
#include "rules/yaml.h"

namespace stepwise::rules {

using Errors = std::vector<Error>;

void AddError(Errors* errors, const SourceSpan& span, std::string message, Code code = Code::kSemantic);

// "; did you mean `x`?" or "; known: a, b, c" (at most ten) or "".
std::string Suggest(std::string_view word, std::span<const std::string> candidates);

class Fields {
 public:
  // A node that is not a map is one error, and every field is absent. `node` and `schema` outlive this.
  Fields(const YamlNode& node, const ObjectSchema& schema, Errors* errors);
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  // The entry as it is, or nullptr. A null value counts as absent, and so does one of the wrong type.
  const YamlNode* Node(std::string_view key) const;
  const YamlNode* List(std::string_view key) const { return Find(key, ValueKind::kList); }
  const YamlNode* Map(std::string_view key) const;  // kMap, kObject
  // A text; of an absent one the text is empty and span.line 0.
  SourceText Source(std::string_view key) const;
  // The same, or what the table says of its absence.
  std::string Text(std::string_view key) const;
  // Its place among the values that the table allows; nullopt when absent without a fallback.
  std::optional<std::size_t> Choice(std::string_view key) const;
  bool Boolean(std::string_view key) const;
  std::optional<std::int64_t> Integer(std::string_view key) const;
  std::string Date(std::string_view key) const;               // "" when absent
  std::vector<SourceText> Texts(std::string_view key) const;  // a list of scalars, or one scalar

  // Is the key there and unusable, or misspelt? Then what it would have said is not known, and nothing more
  // should be concluded from its absence.
  bool Lost(std::string_view key) const;
  const SourceSpan& span() const { return node_.span; }
  void Fail(const SourceSpan& span, std::string message) { AddError(errors_, span, std::move(message)); }

 private:
  const YamlNode* Find(std::string_view key, ValueKind kind) const;

  const YamlNode& node_;
  const ObjectSchema& schema_;
  Errors* errors_;
  std::vector<const YamlNode*> wrong_;      // entries already reported, which read as absent
  std::vector<std::string_view> misspelt_;  // keys that an unknown key comes close to
};

// What Fields would report of `node` and, all the way down, of the objects in it.
void CheckShape(const YamlNode& node, const ObjectSchema& schema, Errors* errors);

bool IsIsoDate(std::string_view text);  // YYYY-MM-DD and such a day exists

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_SCHEMA_READER_H_
