// The pack format as one table: every key of every file, its type, whether it must be there, what it may say.
//
//   kRuleSchema.Find("hooks")->doc == "Moments at which the rule runs"
//
// The readers ask Fields (rules/schema_reader.h) for keys, and Fields looks here: a key without a row cannot
// be read, and a row says once what checks, messages and editors need. rules/schema/*.json are made from the
// same rows (`stepwise pack schema`), so what an editor underlines and what `pack check` reports do not drift
// apart. To add a key: its row here, one line in the reader, and UPDATE_GOLDEN=1 on the schema test.
// Thread-safety: constant.
#ifndef STEPWISE_RULES_PACK_SCHEMA_H_
#define STEPWISE_RULES_PACK_SCHEMA_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace stepwise::rules {

enum class ValueKind : std::uint8_t {
  kAny,      // whatever YAML gives
  kText,     // one scalar, as written
  kBoolean,  // true or false, without quotes
  kInteger,
  kDate,    // YYYY-MM-DD
  kTexts,   // a list of scalars, or one scalar
  kList,    // of `item`
  kMap,     // names that the author chooses, each with an `item`
  kObject,  // one `object`
};

struct ObjectSchema;

struct KeySchema {
  std::string_view name;
  ValueKind kind = ValueKind::kAny;
  std::string_view doc;  // what it says, for people and editors
  bool required = false;
  std::span<const std::string_view> allowed = {};  // of a text, of each of kTexts, of each text in a map
  std::string_view fallback = {};                  // what absence means, as it would be written
  ValueKind item = ValueKind::kAny;                // kList, kMap; kObject: see `object`
  const ObjectSchema* object = nullptr;            // of kObject and of items that are objects
  bool or_text = false;                            // an item of a map may also be one text
};

struct ObjectSchema {
  std::string_view name;  // in JSON Schema: "override-reason"
  std::string_view what;  // in messages: "an override reason"
  std::span<const KeySchema> keys;
  std::string_view others = {};  // what any further key is; empty: there are none

  const KeySchema* Find(std::string_view key) const;
};

// One kind of file.
struct FileSchema {
  std::string_view name;   // of the JSON Schema: rules/schema/<name>.schema.json
  std::string_view files;  // where such files are: "rules/*.yaml"
  std::string_view doc;
  const ObjectSchema* object;
};
std::span<const FileSchema> FileSchemas();

extern const ObjectSchema kPackSchema, kPeriodSchema, kContributorSchema, kEvidenceSchema, kParameterSchema,
    kPrefetchSchema, kTableSchema, kValueSetEntrySchema;
extern const ObjectSchema kRuleSchema, kWhenSchema, kUnlessSchema, kCardSchema, kCardSourceSchema,
    kSuggestionSchema, kSuppressRepeatSchema, kActionSchema, kLinkSchema, kOverrideReasonSchema;
extern const ObjectSchema kValueSetSchema, kIncludeSchema;
extern const ObjectSchema kSiteSchema, kSiteRuleSchema;
inline constexpr std::string_view kActivationModes[] = {"on", "canary", "shadow"};  // as ActivationMode
extern const ObjectSchema kActivationSchema, kActivationEntrySchema;
extern const ObjectSchema kTestFileSchema, kTestBaseSchema, kTestCaseSchema, kExpectSchema, kMutantsSchema,
    kMutantSchema;

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_SCHEMA_H_
