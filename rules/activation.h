// Activation: which versions of which packs a site has on, in canary and in shadow, from when to when.
//
//   activation: 1
//   sites:
//     default:                                   # for every site, pack by pack, unless the site says
//     otherwise
//       org.example.cancer-pain:
//         - { version: 1.2.0 }                   # mode: on
//         - { version: ^1.3, mode: canary, percent: 10, salt: winter }
//         - { version: "sha256:4f1d...", mode: shadow, from: 2026-12-01T00:00:00+01:00, approved-by: "P&T" }
//     north-campus:
//       org.example.cancer-pain: []              # none here
//
// At a site a pack has at most one version on and one in canary at a time; `to` is the first moment after the
// period. A range means its highest loaded version that is in force on the day of the request, so effective
// periods of packs start and end versions by themselves. What the file does not name is not on. Without a
// file every pack is on.
//
//   std::optional<Activation> activation = ReadActivation(text, "activation.yaml", &errors);
//   Schedule schedule(&*activation, "north-campus", base->packs(), &errors);
//   Moment moment = schedule.At(now);            moment.on == {3, 7}: indices of packs
//
// A canary goes by a hash of its salt and the patient, so a patient does not flip between versions, and stays
// in when the percentage is raised. Roll-back is an edit of this file: versions that stay in the registry
// need no compiling. Errors: all of them, with place. Thread-safety: pure; a Schedule is immutable and
// outlived by the packs.
#ifndef STEPWISE_RULES_ACTIVATION_H_
#define STEPWISE_RULES_ACTIVATION_H_

#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/date_time.h"
#include "rules/pack.h"
#include "rules/schema_reader.h"

namespace stepwise::rules {

enum class ActivationMode : std::uint8_t { kOn, kCanary, kShadow };

// "1.2.0", "^1.2" or "sha256:..." (all 64 digits).
struct VersionChoice {
  std::string text;
  std::optional<VersionRange> range;  // nullopt: `text` is a digest

  static std::optional<VersionChoice> Parse(std::string_view text);
  bool exact() const { return !range || !range->below; }
  bool Takes(const Pack& pack) const { return range ? range->Contains(pack.version) : pack.digest == text; }
};

struct ActivationEntry {
  VersionChoice version;
  ActivationMode mode = ActivationMode::kOn;
  int per_myriad = 0;  // of kCanary: patients in 10,000
  std::string salt;    // of kCanary; the pack's id when the file gives none
  std::int64_t from_ms = std::numeric_limits<std::int64_t>::min();  // Unix time
  std::int64_t to_ms = std::numeric_limits<std::int64_t>::max();    // the first moment after
  SourceSpan span;
};

struct PackActivation {
  std::string pack;  // id
  SourceSpan span;
  std::vector<ActivationEntry> entries;
};

struct Activation {
  std::string file;
  std::map<std::string, std::vector<PackActivation>, std::less<>> sites;
};

std::optional<Activation> ReadActivation(std::string_view text, const std::string& file, Errors* errors);

// Who speaks at one moment; numbers are indices of packs.
struct Canary {
  std::size_t pack = 0;
  std::optional<std::size_t> instead_of;  // what the other patients get
  int per_myriad = 0;
  std::string salt;
};
struct Moment {
  std::vector<std::size_t> on;  // for everybody, or for those whom no canary takes
  std::vector<Canary> canaries;
  std::vector<std::size_t> shadow;
};
// Is this one of the canary's patients? Nobody without an id is.
bool TakesPatient(const Canary& canary, std::string_view patient_id);

class Schedule {
 public:
  // `activation` nullptr: every pack is on. `packs` sorted by version inside an id, as KnowledgeBase has
  // them.
  Schedule(const Activation* activation, const std::string& site, std::span<const Pack> packs,
           Errors* errors);

  Moment At(const DateTime& now) const;
  // Two times of one stretch have the same Moment.
  struct Stretch {
    std::size_t instant = 0, day = 0;
    auto operator<=>(const Stretch&) const = default;
  };
  Stretch StretchOf(const DateTime& now) const;
  // A time in each stretch, days taken as those of UTC.
  std::vector<DateTime> Samples() const;

  // Puts exactly this version in the place of whatever is on. Errors: kInvalidArgument, for a pack that is
  // not scheduled here, and for a version that is not loaded.
  Status Pin(std::string_view pack, std::string_view version, Moment* moment) const;

 private:
  struct Entry {
    ActivationEntry what;
    std::vector<std::size_t> candidates;  // highest first
  };
  struct Row {
    std::string pack;
    std::vector<Entry> entries;
  };
  void AddRow(const PackActivation& activation, Errors* errors);
  void AddBoundaries();
  std::optional<std::size_t> Choose(const Entry& entry, const DateTime& now) const;

  std::span<const Pack> packs_;
  std::vector<Row> rows_;
  std::vector<std::int64_t> instants_;  // sorted: where entries begin and end
  std::vector<std::string> days_;  // sorted: where effective periods begin, and the days after their ends
};

// Is the pack in force on the day of `now`? Rules of a pack that is retired, or outside its effective period,
// are evaluated and never shown.
bool InForce(const Pack& pack, const DateTime& now);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_ACTIVATION_H_
