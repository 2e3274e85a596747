// Store: where decisions and feedback are kept for good: SQLite in a file, or PostgreSQL for several nodes.
//
//   Result<std::unique_ptr<Store>> store = OpenStore("sqlite:/var/lib/stepwise/stepwise.db");
//   store = OpenStore("postgres://stepwise@db.example.org/cds?sslmode=verify-full");
//   Status written = store->Write(batch);           one transaction; what is there already is passed over
//
// A store connects when it is first used and again after every failure: that a database is down is found out
// by using it. Cards and feedback find each other whatever comes first.
// Errors: kUnavailable when the database does not answer, is locked, full or damaged: trying again may help;
// kFailedPrecondition when it was made by a later version; kInvalidArgument for what it refuses to hold. No
// message holds the password of a URL or a value of a record.
// Thread-safety: all methods from many threads, one at a time.
#ifndef STEPWISE_CDS_HOOKS_STORE_STORE_H_
#define STEPWISE_CDS_HOOKS_STORE_STORE_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fhir/result.h"
#include "stepwise/store/v1/record.pb.h"

namespace stepwise::cds_hooks {

using store::v1::DecisionRecord;
using store::v1::FeedbackRecord;

struct StoreBatch {
  std::vector<DecisionRecord> decisions;
  std::vector<FeedbackRecord> feedback;
};

struct Period {  // Unix time
  std::int64_t since_ms = 0;
  std::int64_t until_ms = std::numeric_limits<std::int64_t>::max();  // the first moment after
};

struct DecisionFilter {
  Period period = {};
  std::string patient = {};  // pseudonym; "" is anybody
  std::int64_t limit = 100;
};

// Of cards by the time they were shown; feedback on cards that are not known has no rule and no pack.
struct CardFilter {
  Period period = {};
  std::string pack = {}, rule = {};  // "" is any
};

struct ShownCards {
  std::string pack, version, rule, title;
  std::int64_t cards = 0;
};

// One piece of feedback, with what is known of its card.
struct AnsweredCard {
  std::string card, pack, version, rule;  // "" but for `card` when the card is not known
  std::int64_t shown_ms = 0;              // 0 when the card is not known
  std::int64_t at_ms = 0;
  bool overridden = false;
  std::string reason_system, reason_code;
};

struct StoredOverride {
  std::string patient;      // pseudonym
  std::string card;         // uuid
  std::string suppression;  // hidden (cds_hooks/store/pseudonym.h)
  std::int64_t at_ms = 0;
};

struct PurgeBefore {
  std::int64_t records_ms = 0;  // decisions, their cards, feedback
  std::int64_t inputs_ms = 0;   // only the inputs that decisions hold
};
struct Purged {
  std::int64_t decisions = 0, cards = 0, feedback = 0, inputs = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual Status Ping() = 0;  // connects when it must
  // `written_ms`: when, for OverridesSince().
  virtual Status Write(const StoreBatch& batch, std::int64_t written_ms) = 0;
  virtual Result<std::optional<DecisionRecord>> FindDecision(const std::string& id) = 0;
  // The latest first, without their sealed parts.
  virtual Result<std::vector<DecisionRecord>> Decisions(const DecisionFilter& filter) = 0;
  virtual Result<std::vector<ShownCards>> Shown(const CardFilter& filter) = 0;
  virtual Result<std::vector<AnsweredCard>> Answered(const CardFilter& filter) = 0;
  // Of which the card or the feedback was written at `written_ms` or later, the latest `most`, oldest first.
  virtual Result<std::vector<StoredOverride>> OverridesSince(std::int64_t written_ms, std::int64_t most) = 0;
  virtual Result<Purged> Purge(const PurgeBefore& before) = 0;
};

struct StoreOptions {
  bool create = true;                          // of SQLite: make the file when it is not there
  std::int64_t busy_timeout_ms = 5'000;        // SQLite: to wait for another process
  std::int64_t connect_timeout_ms = 5'000;     // PostgreSQL, whole seconds
  std::int64_t statement_timeout_ms = 30'000;  // PostgreSQL
};

// "sqlite:PATH", "postgres://..." or "postgresql://...". Errors: kInvalidArgument for any other URL.
Result<std::unique_ptr<Store>> OpenStore(const std::string& url, const StoreOptions& options = {});

// The URL for people: without its password.
std::string RedactUrl(const std::string& url);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_STORE_H_
