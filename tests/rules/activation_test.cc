// Activation files: who speaks at which site, when and for whom; and what is wrong with a file.
#include "rules/activation.h"

#include <gtest/gtest.h>

namespace stepwise::rules {
namespace {

Pack MakePack(std::string id, std::string_view version, std::string status = "active", std::string from = "",
              std::string to = "") {
  Pack pack;
  pack.id = std::move(id);
  pack.version = *Version::Parse(version);
  pack.status = std::move(status);
  pack.effective_from = std::move(from);
  pack.effective_to = std::move(to);
  pack.digest = "sha256:" + std::string(63, '0') + pack.version.ToString().substr(2, 1);
  return pack;
}

const std::vector<Pack>& Packs() {  // a and b: three plain versions; e: with periods; r: all retired
  static const std::vector<Pack> packs = {
      MakePack("a", "1.0.0"),
      MakePack("a", "1.1.0"),
      MakePack("a", "1.2.0"),
      MakePack("b", "1.0.0"),
      MakePack("e", "1.0.0", "active", "2026-01-01", "2026-12-31"),
      MakePack("e", "1.1.0", "active", "2027-01-01", "2027-12-31"),
      MakePack("r", "1.0.0", "retired"),
  };
  return packs;
}

std::string Name(std::size_t index) {
  return Packs()[index].id + Packs()[index].version.ToString().substr(0, 3);
}

// "a1.0 b1.0 shadow:a1.2 canary:a1.1/a1.0"
std::string Say(const Moment& moment) {
  std::string out;
  for (const std::size_t pack : moment.on) out += " " + Name(pack);
  for (const std::size_t pack : moment.shadow) out += " shadow:" + Name(pack);
  for (const Canary& canary : moment.canaries)
    out += " canary:" + Name(canary.pack) + "/" + (canary.instead_of ? Name(*canary.instead_of) : "-");
  return out.empty() ? "" : out.substr(1);
}

std::string Errors_(const Errors& errors) {
  std::string out;
  for (const Error& error : errors) out += error.ToString() + "\n";
  return out;
}

std::string ScheduleText(const std::string& sites, const std::string& site, const std::string& now,
                         const std::string& pins = "") {
  Errors errors;
  const auto activation = ReadActivation("activation: 1\nsites:\n" + sites, "f", &errors);
  if (!activation) return Errors_(errors);
  const Schedule schedule(&*activation, site, Packs(), &errors);
  if (!errors.empty()) return Errors_(errors);
  Moment moment = schedule.At(*DateTime::ParseDateTime(now));
  if (!pins.empty()) {
    const Status pinned = schedule.Pin(pins.substr(0, 1), pins.substr(2), &moment);
    if (!pinned) return pinned.error().message;
  }
  return Say(moment);
}

constexpr const char* kNow = "2026-12-10T09:00:00Z";

TEST(Activation, SaysWhoSpeaks) {
  struct Row {
    const char *sites, *site, *now, *answer;
  };
  const Row rows[] = {
      // Sites: their own word wins, pack by pack.
      {"  default: { a: [ { version: 1.0.0 } ], b: [ { version: ^1.0 } ] }\n", "x", kNow, "a1.0 b1.0"},
      {"  default: { a: [ { version: 1.0.0 } ] }\n  x: { a: [ { version: 1.1.0 } ] }\n", "x", kNow, "a1.1"},
      {"  default: { a: [ { version: 1.0.0 } ] }\n  x: { a: [ { version: 1.1.0 } ] }\n", "y", kNow, "a1.0"},
      {"  default: { a: [ { version: 1.0.0 } ] }\n  x: { a: [] }\n", "x", kNow, ""},
      {"  default:\n  x: { b: [ { version: 1.0.0 } ] }\n", "x", kNow, "b1.0"},
      // Ranges and digests.
      {"  default: { a: [ { version: ^1.0 } ] }\n", "", kNow, "a1.2"},
      {"  default: { a: [ { version: \"sha256:"
       "0000000000000000000000000000000000000000000000000000000000000001\" } ] }\n",
       "", kNow, "a1.1"},
      // Modes.
      {"  default: { a: [ { version: 1.0.0 }, { version: ^1.0, mode: shadow } ] }\n", "", kNow,
       "a1.0 shadow:a1.2"},
      {"  default: { a: [ { version: 1.2.0 }, { version: ^1.0, mode: shadow } ] }\n", "", kNow, "a1.2"},
      {"  default: { a: [ { version: 1.0.0 }, { version: 1.1.0, mode: canary, percent: 10 } ] }\n", "", kNow,
       "a1.0 canary:a1.1/a1.0"},
      {"  default: { a: [ { version: 1.1.0, mode: canary, percent: 10 } ] }\n", "", kNow, "canary:a1.1/-"},
      // Times: `from` is inside, `to` is not.
      {"  default: { a: [ { version: 1.0.0, to: 2026-12-10T10:00:00+01:00 }, { version: 1.1.0, from: "
       "2026-12-10T09:00:00Z } ] }\n",
       "", "2026-12-10T08:59:59.999Z", "a1.0"},
      {"  default: { a: [ { version: 1.0.0, to: 2026-12-10T10:00:00+01:00 }, { version: 1.1.0, from: "
       "2026-12-10T09:00:00Z } ] }\n",
       "", "2026-12-10T09:00:00Z", "a1.1"},
      // Effective periods, by the day of the request where it was made.
      {"  default: { e: [ { version: ^1.0 } ] }\n", "", "2026-12-31T23:00:00Z", "e1.0"},
      {"  default: { e: [ { version: ^1.0 } ] }\n", "", "2027-01-01T00:30:00+01:00", "e1.1"},
      {"  default: { e: [ { version: ^1.0 } ] }\n", "", "2028-01-01T00:00:00Z", "e1.1"},  // on, not shown
      {"  default: { e: [ { version: 1.0.0 }, { version: 1.1.0, mode: canary, percent: 100 } ] }\n", "", kNow,
       "e1.0"},
      {"  default: { e: [ { version: 1.0.0 }, { version: 1.1.0, mode: shadow } ] }\n", "", kNow,
       "e1.0 shadow:e1.1"},
      {"  default: { r: [ { version: 1.0.0 } ] }\n", "", kNow, "r1.0"},  // evaluated, not shown
  };
  for (const Row& row : rows) EXPECT_EQ(ScheduleText(row.sites, row.site, row.now), row.answer) << row.sites;
}

TEST(Activation, WithoutAFileTheHighestInForceIsOn) {
  Errors errors;
  const Schedule schedule(nullptr, "", Packs(), &errors);
  EXPECT_EQ(Say(schedule.At(*DateTime::ParseDateTime(kNow))), "a1.2 b1.0 e1.0 r1.0");
  EXPECT_EQ(Say(schedule.At(*DateTime::ParseDateTime("2027-01-01T00:00:00Z"))), "a1.2 b1.0 e1.1 r1.0");
}

TEST(Activation, PinsOneRequest) {
  const std::string sites =
      "  default: { a: [ { version: 1.0.0 }, { version: 1.1.0, mode: canary, percent: 50 }, { version: "
      "1.2.0, "
      "mode: shadow } ] }\n";
  const std::pair<const char*, const char*> rows[] = {
      {"a=1.2.0", "a1.2"},
      {"a=1.1.0", "a1.1 shadow:a1.2"},
      {"a=sha256:0000000000000000000000000000000000000000000000000000000000000001", "a1.1 shadow:a1.2"},
      {"a=1.3.0", "this version is not loaded; loaded: 1.0.0, 1.1.0, 1.2.0"},
      {"a=^1.0", "a pin is an exact version (1.2.0) or a digest (sha256: and 64 digits)"},
      {"b=1.0.0", "no such pack is on here"},
  };
  for (const auto& [pin, answer] : rows) EXPECT_EQ(ScheduleText(sites, "", kNow, pin), answer) << pin;
}

TEST(Activation, SaysWhereAndWhatIsWrong) {
  const std::pair<std::string, std::string> rows[] = {
      {"  x: { a: { version: 1.0.0 } }", "f:3:11: a pack has a list of entries"},
      {"  x: { a: [ { versoin: 1.0.0 } ] }",
       "f:3:15: unknown key `versoin` in an entry of a site; did you mean `version`?"},
      {"  x: { a: [ { version: 1.0 } ] }", "f:3:24: `1.0` names no version; write 1.2.0, ^1.2"},
      {"  x: { a: [ { version: sha256:12 } ] }", "f:3:24: `sha256:12` names no version"},
      {"  x: { a: [ { version: 1.0.0, mode: off } ] }",
       "f:3:37: `off` is no value of `mode`; known: on, canary, shadow"},
      {"  x: { a: [ { version: 1.0.0, percent: 5 } ] }", "f:3:40: only `mode: canary` has a percentage"},
      {"  x: { a: [ { version: 1.0.0, mode: canary } ] }", "f:3:13: a canary says its `percent`"},
      {"  x: { a: [ { version: 1.0.0, mode: canary, percent: 101 } ] }",
       "f:3:54: `101` is no percentage; write 0 to 100, such as 10 or 0.25"},
      {"  x: { a: [ { version: 1.0.0, from: 2026-12-01 } ] }",
       "f:3:37: `from` is a time with its offset, such as 2026-12-01T00:00:00+01:00, not `2026-12-01`"},
      {"  x: { a: [ { version: 1.0.0, from: 2026-12-01T00:00:00Z, to: 2026-12-01T01:00:00+01:00 } ] }",
       "f:3:13: the period ends before it begins"},
      {"  x:\n    a:\n      - { version: 1.0.0 }\n      - { version: 1.1.0 }",
       "f:6:9: overlaps the entry in line 5: a pack has one version `on` at a time"},
      {"  x:\n    a:\n      - { version: 1.0.0 }\n      - { version: 1.0.0, mode: shadow }",
       "f:6:9: overlaps the entry in line 5"},
      {"  x: { zzzzzz: [ { version: 1.0.0 } ] }", "f:3:8: no pack `zzzzzz` is loaded; known: a, b, e, r"},
      {"  x: { a: [ { version: ^2.0 } ] }",
       "f:3:13: no version of `a` that is loaded fits `^2.0`; loaded: 1.0.0, 1.1.0, 1.2.0"},
      {"  y: { a: [ { version: 1.0.0 } ] }",
       "f: says nothing about the site `x` and has no site `default`; did you mean `y`?"},
  };
  for (const auto& [sites, message] : rows) {
    const std::string said = ScheduleText(sites + "\n", "x", kNow);
    EXPECT_TRUE(said.starts_with(message)) << sites << "\n" << said;
  }
}

TEST(Activation, ACanaryTakesItsShareAndKeepsIt) {
  Canary canary{1, 0, 0, "winter"};
  int taken = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string patient = "p" + std::to_string(i);
    bool before = false;
    for (const int share : {0, 500, 1000, 5000, 10'000}) {
      canary.per_myriad = share;
      const bool now = TakesPatient(canary, patient);
      EXPECT_TRUE(now || !before) << patient;  // a higher share keeps whom a lower one took
      EXPECT_EQ(now, share == 0 ? false : share == 10'000 ? true : now);
      if (share == 1000) taken += now ? 1 : 0;
      before = now;
    }
  }
  EXPECT_GT(taken, 150);
  EXPECT_LT(taken, 250);
  EXPECT_FALSE(TakesPatient(canary, ""));
}

TEST(Activation, StretchesChangeWhereMomentsDo) {
  Errors errors;
  const auto activation = ReadActivation(
      "activation: 1\nsites: { default: { a: [ { version: 1.0.0, to: 2026-12-10T09:00:00Z }, { version: "
      "1.1.0, "
      "from: 2026-12-10T09:00:00Z } ], e: [ { version: ^1.0 } ] } }\n",
      "f", &errors);
  ASSERT_TRUE(activation) << Errors_(errors);
  const Schedule schedule(&*activation, "", Packs(), &errors);
  std::string seen;
  for (const DateTime& moment : schedule.Samples()) seen += Say(schedule.At(moment)) + ";";
  EXPECT_EQ(seen, "a1.0 e1.1;a1.0 e1.0;a1.1 e1.0;a1.1 e1.1;a1.1 e1.1;");
  const auto stretch = [&](const char* text) { return schedule.StretchOf(*DateTime::ParseDateTime(text)); };
  EXPECT_EQ(stretch("2026-12-10T09:00:00Z"), stretch("2026-12-31T23:59:59Z"));
  EXPECT_NE(stretch("2026-12-10T08:59:59Z"), stretch("2026-12-10T09:00:00Z"));
  EXPECT_NE(stretch("2026-12-31T23:59:59Z"), stretch("2027-01-01T00:00:00Z"));
}

}  // namespace
}  // namespace stepwise::rules
