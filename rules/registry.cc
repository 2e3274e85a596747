#include "rules/registry.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "rules/file_stamp.h"

namespace stepwise::rules {
namespace {

bool IsBelow(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder.ends_with('/') ? folder : folder + "/");
}

std::optional<Activation> ReadActivationFile(const std::string& file, Errors* errors) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    AddError(errors, {.file = file}, "the activation file cannot be read", Code::kNotFound);
    return std::nullopt;
  }
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  return ReadActivation(text, file, errors);
}

// Two stretches may complain of the same two packs.
void KeepFirst(Errors* errors) {
  std::set<std::string> seen;
  std::erase_if(*errors, [&](const Error& error) { return !seen.insert(error.ToString()).second; });
}

}  // namespace

Registry::Registry(RegistryOptions options, Clock clock)
    : options_(std::move(options)),
      clock_(std::move(clock)),
      engines_(MakeEnginePool()),
      shadow_(std::make_shared<ShadowCounts>()) {}

Result<std::unique_ptr<Registry>> Registry::Open(RegistryOptions options, Clock clock) {
  std::unique_ptr<Registry> registry(new Registry(std::move(options), std::move(clock)));
  if (!registry->Reload()) return tl::unexpected(Join(registry->errors_));
  return registry;
}

bool Registry::Reload() {
  const std::scoped_lock reloading(reload_mutex_);
  const DateTime now = clock_();
  tried_ = seen_ = StampAll();
  Errors errors;
  std::shared_ptr<const Loaded> loaded = Load(now, &errors);
  if (loaded != nullptr) previous_ = current();
  const std::scoped_lock lock(mutex_);
  if (loaded != nullptr) {
    current_ = std::move(loaded);
    ++reloads_ok_;
    failed_at_.reset();
  } else {
    ++reloads_failed_;
    failed_at_ = now;
  }
  errors_ = std::move(errors);
  return errors_.empty();
}

bool Registry::Changed() {
  const std::scoped_lock reloading(reload_mutex_);
  const std::string stamp = StampAll();
  const bool settled = stamp == seen_;
  seen_ = stamp;
  return settled && stamp != tried_;
}

std::shared_ptr<const Registry::Loaded> Registry::Load(const DateTime& now, Errors* errors) const {
  auto loaded = std::make_shared<Loaded>();
  const std::shared_ptr<const Loaded> before = current();
  loaded->generation = before == nullptr ? 1 : before->generation + 1;
  loaded->at = now;
  const std::shared_ptr<const KnowledgeBase> base = LoadBase(loaded.get(), errors);
  std::optional<Activation> activation;
  if (!options_.activation.empty()) activation = ReadActivationFile(options_.activation, errors);
  if (!errors->empty()) return nullptr;
  Schedule schedule(activation ? &*activation : nullptr, options_.site, base->packs(), errors);
  CheckMoments(*base, schedule, errors);
  if (!errors->empty()) return nullptr;
  loaded->parts =
      std::make_shared<const LocalParts>(LocalParts{base, std::move(schedule), engines_, shadow_});
  loaded->evaluator = std::make_shared<LocalEvaluator>(loaded->parts, now);
  loaded->evaluator->At(now);  // so that no request waits for its selections
  return loaded;
}

// nullptr with errors.
std::shared_ptr<const KnowledgeBase> Registry::LoadBase(Loaded* loaded, Errors* errors) const {
  const std::shared_ptr<const Loaded> before = current();
  if (before != nullptr && StampFiles(Folders(before->beside)) == before->stamp) {
    loaded->beside = before->beside;
    loaded->stamp = before->stamp;
    return before->parts->base;
  }
  const std::string stamp = StampFiles(options_.dirs);
  LoadReport report;
  auto base = KnowledgeBase::LoadFolders(options_.dirs, &report, options_.site, Together::kCallerChecks);
  *errors = std::move(report.errors);
  if (errors->empty() && StampFiles(options_.dirs) != stamp) {
    AddError(errors, {.file = options_.dirs.front()}, "files changed while they were read; load again",
             Code::kUnavailable);
  }
  if (!errors->empty()) return nullptr;
  for (const Pack& pack : base->packs()) {
    const auto holds = [&](const std::string& dir) { return IsBelow(pack.dir, dir); };
    if (std::ranges::none_of(options_.dirs, holds)) loaded->beside.push_back(pack.dir);
  }
  loaded->stamp = loaded->beside.empty() ? stamp : StampFiles(Folders(loaded->beside));
  for (std::size_t i = 0; options_.check && i < base->packs().size(); ++i) {
    if (Status good = options_.check(base->infos()[i]); !good) {
      good.error().span.file = base->packs()[i].dir;
      errors->push_back(std::move(good.error()));
    }
  }
  return base;
}

void Registry::CheckMoments(const KnowledgeBase& base, const Schedule& schedule, Errors* errors) const {
  std::vector<std::size_t> all(base.packs().size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  Errors conflicts;  // none among all versions is the usual case, and then there is none at any moment
  CheckQueries(base, all, &conflicts);
  if (conflicts.empty()) return;
  for (const DateTime& moment : schedule.Samples()) {
    CheckQueries(base, PacksOf(schedule.At(moment)), errors);
  }
  KeepFirst(errors);
}

std::vector<std::string> Registry::Folders(const std::vector<std::string>& beside) const {
  std::vector<std::string> out = options_.dirs;
  out.insert(out.end(), beside.begin(), beside.end());
  return out;
}

std::string Registry::StampAll() const {
  const std::shared_ptr<const Loaded> loaded = current();
  std::vector<std::string> paths = Folders(loaded == nullptr ? std::vector<std::string>() : loaded->beside);
  if (!options_.activation.empty()) paths.push_back(options_.activation);
  return StampFiles(paths);
}

std::shared_ptr<const Registry::Loaded> Registry::current() const {
  const std::scoped_lock lock(mutex_);
  return current_;
}

RegistryStatus Registry::status() const {
  RegistryStatus out;
  std::shared_ptr<const Loaded> loaded;
  {
    const std::scoped_lock lock(mutex_);
    loaded = current_;
    out.reloads_ok = reloads_ok_;
    out.reloads_failed = reloads_failed_;
    out.errors = errors_;
    out.failed_at = failed_at_;
  }
  out.generation = loaded->generation;
  out.loaded_at = loaded->at;
  out.shadow = shadow_->Read();
  const std::shared_ptr<StretchEvaluator> now = loaded->evaluator->At(clock_());
  out.digest = now->digest();
  const KnowledgeBase& base = *loaded->parts->base;
  for (const PackInfo& info : base.infos()) out.packs.push_back({info.ref, "off"});
  const Moment& moment = now->moment();
  for (const std::size_t pack : WithRequired(base, PacksOf(moment))) out.packs[pack].mode = "required";
  for (const std::size_t pack : moment.shadow) out.packs[pack].mode = "shadow";
  for (const Canary& canary : moment.canaries) out.packs[canary.pack].mode = "canary";
  for (const std::size_t pack : moment.on) out.packs[pack].mode = "on";
  return out;
}

Result<Decision> Registry::Evaluate(const Document& request, const DateTime& now,
                                    const EvaluateOptions& options) {
  return current()->evaluator->Evaluate(request, now, options);
}

Result<std::vector<PackInfo>> Registry::ListPacks() {
  return current()->evaluator->At(clock_())->ListPacks();
}

std::shared_ptr<Evaluator> Registry::Snapshot(const DateTime& now) {
  return current()->evaluator->Snapshot(now);
}

void Registry::Shadow(const Document& request, const Decision& shown, const EvaluateOptions& options) {
  current()->evaluator->Shadow(request, shown, options);
}

}  // namespace stepwise::rules
