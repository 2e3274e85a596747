// `stepwise pack new`.
#include "rules/pack_new.h"

#include <gtest/gtest.h>

#include <sstream>

#include "rules/pack_check.h"
#include "rules/pack_test_command.h"
#include "tests/testing.h"

namespace stepwise::rules {
namespace {

TEST(PackNew, WritesAPackThatPasses) {
  TempDir dir;
  const std::string path = (dir.path() / "my-pack").string();
  ASSERT_TRUE(NewPack("org.example.my-pack", path));
  const std::string dirs[] = {path};
  EXPECT_TRUE(CheckFolders(dirs).findings.empty());
  std::ostringstream out;
  TestPacksOptions options;
  options.dirs = {path};
  options.fail_under = 100.0;
  EXPECT_EQ(TestPacks(options, out), 0) << out.str();
  EXPECT_FALSE(NewPack("org.example.my-pack", path)) << "the folder is not empty";
  EXPECT_FALSE(NewPack("my pack", (dir.path() / "other").string()));
}

}  // namespace
}  // namespace stepwise::rules
