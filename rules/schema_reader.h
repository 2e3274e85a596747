// Fields: reads the entries of one YAML map by name and type, and collects every error on the way.
//
//   Errors errors;
//   {
//     Fields fields(node, "a parameter", &errors);
//     std::string doc = fields.Text("doc");
//     bool on = fields.Boolean("on", true);
//   }                                         // leaving the scope reports keys that nobody asked for
//
// The types come from the reader, never from YAML: a version stays text, `no` is not false. Unknown keys are
// errors that name the nearest known key. A missing or wrong value gives an empty one and an error, so that
// one reading finds all errors of a file. Not thread-safe.
#ifndef STEPWISE_RULES_SCHEMA_READER_H_
#define STEPWISE_RULES_SCHEMA_READER_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/result.h"
#include "rules/yaml.h"

namespace stepwise::rules {

using Errors = std::vector<Error>;

void AddError(Errors* errors, const SourceSpan& span, std::string message, Code code = Code::kSemantic);

// "; did you mean `x`?" or "; known: a, b, c" (at most ten) or "".
std::string Suggest(std::string_view word, std::span<const std::string> candidates);

enum class Need : std::uint8_t { kOptional, kRequired };

class Fields {
 public:
  // `what` is for messages: "a rule". A node that is not a map is one error, and every field is absent.
  Fields(const YamlNode& node, std::string what, Errors* errors);
  ~Fields();
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  // The entry as it is, or nullptr. A null value counts as absent.
  const YamlNode* Node(std::string_view key, Need need = Need::kOptional);
  const YamlNode* List(std::string_view key, Need need = Need::kOptional);
  const YamlNode* Map(std::string_view key, Need need = Need::kOptional);
  // Any scalar; of an absent one the text is empty and span.line 0.
  SourceText Source(std::string_view key, Need need = Need::kOptional);
  std::string Text(std::string_view key, Need need = Need::kOptional) { return Source(key, need).text; }
  bool Boolean(std::string_view key, bool fallback);  // true or false, unquoted
  std::int64_t Integer(std::string_view key, std::int64_t fallback);
  std::string Date(std::string_view key);  // YYYY-MM-DD
  std::string OneOf(std::string_view key, std::span<const std::string_view> allowed,
                    std::string_view fallback);
  std::vector<SourceText> Texts(std::string_view key);  // a list of scalars, or one scalar

  const SourceSpan& span() const { return node_.span; }
  void Fail(const SourceSpan& span, std::string message) { AddError(errors_, span, std::move(message)); }

 private:
  const YamlNode& node_;
  std::string what_;
  Errors* errors_;
  std::vector<std::string> asked_;
};

bool IsIsoDate(std::string_view text);  // YYYY-MM-DD and such a day exists

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_SCHEMA_READER_H_
