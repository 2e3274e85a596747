// Registry: the packs of a folder, served while they change: every version that lies there, who of them is on
// (rules/activation.h), and reloading without a gap.
//
//   registry/                              several versions of a pack live side by side
//     org.example.cancer-pain/1.2.0/pack.yaml ...
//     org.example.cancer-pain/1.3.0/pack.yaml ...
//
//   Result<std::unique_ptr<Registry>> registry = Registry::Open({.dirs = {"registry"}}, clock);
//   if (!(*registry)->Reload()) ...        // the last good snapshot goes on; status().errors says why
//
// Reloading is all or nothing: one error in any file, and nothing changes. A request finishes on the snapshot
// that it started with. Packs are read and compiled only when one of their files changed: an edit of the
// activation file alone, which is how a version is rolled back, builds nothing. The compiled base holds all
// versions, so a version can be turned on as long as its folder is there.
//
// Source of the idea of last good snapshots: bundles of Open Policy Agent.
// Thread-safety: all methods from many threads; reloads wait for each other, requests for none of them.
#ifndef STEPWISE_RULES_REGISTRY_H_
#define STEPWISE_RULES_REGISTRY_H_

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "rules/evaluator.h"
#include "rules/local_evaluator.h"

namespace stepwise::rules {

struct RegistryOptions {
  std::vector<std::string> dirs = {};  // each is a pack, holds packs, or holds folders of packs
  std::string activation = {};         // file; "": every pack is on, in its highest version
  std::string site = {};               // whose overlays are applied and whose activation counts
  // What must hold of each pack besides, such as tokens of its prefetch templates.
  std::function<Status(const PackInfo&)> check = {};
};

struct PackState {
  PackRef ref;
  std::string mode;  // on | canary | shadow | required (its facts are used) | off (only loaded)
};

struct RegistryStatus {
  std::uint64_t generation = 0;  // counts snapshots, from 1
  DateTime loaded_at;            // the present one
  std::string digest;            // of what answers now, see Evaluator::digest()
  std::uint64_t reloads_ok = 0, reloads_failed = 0;
  Errors errors;                      // of the last reload; empty: it went well
  std::optional<DateTime> failed_at;  // the last reload, when it failed
  std::vector<PackState> packs;       // all that are loaded
  std::map<ShadowDifference, std::uint64_t> shadow;
};

class Registry final : public Evaluator {
 public:
  using Clock = std::function<DateTime()>;

  // Errors: all that is wrong with packs and activation, one a line.
  static Result<std::unique_ptr<Registry>> Open(RegistryOptions options, Clock clock);

  // False: nothing changed but the status.
  bool Reload();
  // Is there something new to load? Looks at names, sizes and times only; says yes once a change has settled,
  // which takes two calls.
  bool Changed();
  RegistryStatus status() const;

  Result<Decision> Evaluate(const Document& request, const DateTime& now,
                            const EvaluateOptions& options) override;
  Result<std::vector<PackInfo>> ListPacks() override;  // of now
  std::shared_ptr<Evaluator> Snapshot(const DateTime& now) override;
  void Shadow(const Document& request, const Decision& shown, const EvaluateOptions& options) override;

 private:
  struct Loaded {
    std::uint64_t generation = 0;
    DateTime at;
    std::shared_ptr<const LocalParts> parts;
    std::shared_ptr<LocalEvaluator> evaluator;
    std::vector<std::string> beside;  // folders of packs that were found beside those named
    std::string stamp;                // of all folders
  };
  Registry(RegistryOptions options, Clock clock);
  std::shared_ptr<const Loaded> Load(const DateTime& now, Errors* errors) const;
  std::shared_ptr<const KnowledgeBase> LoadBase(Loaded* loaded, Errors* errors) const;
  void CheckMoments(const KnowledgeBase& base, const Schedule& schedule, Errors* errors) const;
  std::shared_ptr<const Loaded> current() const;
  std::vector<std::string> Folders(const std::vector<std::string>& beside) const;
  std::string StampAll() const;  // folders and activation file

  const RegistryOptions options_;
  const Clock clock_;
  const std::shared_ptr<EnginePool> engines_;
  const std::shared_ptr<ShadowCounts> shadow_;
  std::mutex reload_mutex_;
  std::string tried_, seen_;  // stamps of the last reload and of the last look; guarded by reload_mutex_
  // Kept until the next reload, whose thread then frees it: no request has to. Guarded by reload_mutex_.
  std::shared_ptr<const Loaded> previous_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Loaded> current_;  // guarded by mutex_, as what follows
  std::uint64_t reloads_ok_ = 0, reloads_failed_ = 0;
  Errors errors_;
  std::optional<DateTime> failed_at_;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_REGISTRY_H_
