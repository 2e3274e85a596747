// The table of the pack format, and the JSON Schemas made from it.
#include "rules/pack_schema.h"

#include <gtest/gtest.h>

#include "rules/json_schema.h"
#include "rules/schema_reader.h"
#include "tests/testing.h"

namespace stepwise::rules {
namespace {

TEST(PackSchema, IsWhatTheTableSays) {
  for (const FileSchema& file : FileSchemas()) {
    ExpectGolden("rules/schema/" + JsonSchemaName(file), JsonSchema(file));
    for (const KeySchema& key : file.object->keys) EXPECT_FALSE(key.doc.empty()) << key.name;
  }
}

#ifndef NDEBUG
TEST(PackSchemaDeathTest, AKeyWithoutARowCannotBeRead) {
  const auto node = ParseYaml("name: x");
  Errors errors;
  const Fields fields(*node, kContributorSchema, &errors);
  EXPECT_DEATH(fields.Text("nickname"), "a key without a row");
  EXPECT_DEATH(fields.Boolean("name"), "read as another type");
}
#endif

}  // namespace
}  // namespace stepwise::rules
