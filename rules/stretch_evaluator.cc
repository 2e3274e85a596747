#include "rules/stretch_evaluator.h"

#include <algorithm>

#include "rules/digest.h"
#include "rules/facts.h"

namespace stepwise::rules {
namespace {

constexpr std::string_view kPinExtension = "org.stepwise.pin";
constexpr std::size_t kMaxPins = 100;
constexpr std::size_t kMaxSelections = 256;  // kept of one stretch; more are made anew for each request

struct PinText {
  std::string_view pack, version;
  std::string path;
};

std::string PinPath(std::string_view pack = {}) {
  const std::string path = "extension.`" + std::string(kPinExtension) + "`";
  return pack.empty() ? path : path + ".`" + std::string(pack) + "`";
}

Node ChildObject(const Node& parent, std::string_view name) {
  if (!parent || parent.kind() != NodeKind::kObject) return {};
  return parent.Child(name);
}

Result<std::vector<PinText>> ReadPins(const Document& request) {
  std::vector<PinText> pins;
  const Node extension = ChildObject(ChildObject(request.root(), "extension"), kPinExtension);
  if (!extension) return pins;
  if (extension.kind() != NodeKind::kObject || extension.in_array()) {
    return Fail(Code::kInvalidArgument, "expected an object from the ids of packs to versions", {},
                PinPath());
  }
  for (const Node pin : extension.children()) {
    std::string path = PinPath(pin.name_text());
    if (pin.kind() != NodeKind::kString || pin.in_array())
      return Fail(Code::kInvalidArgument, "expected a version as text", {}, std::move(path));
    pins.push_back({pin.name_text(), pin.string(), std::move(path)});
    if (pins.size() > kMaxPins) {
      return Fail(Code::kInvalidArgument, "more than " + std::to_string(kMaxPins) + " pins", {}, PinPath());
    }
  }
  return pins;
}

std::string_view PatientOf(const Document& request) {
  const Node patient = ChildObject(ChildObject(request.root(), "context"), "patientId");
  return patient ? BareId(patient.string()) : std::string_view();
}

std::string Taken(const Moment& moment, std::string_view patient) {
  std::string taken;
  for (const Canary& canary : moment.canaries) taken += TakesPatient(canary, patient) ? '1' : '0';
  return taken;
}

std::string DigestOf(const Moment& moment, std::span<const Pack> packs) {
  Sha256 hash;
  const auto add = [&](std::string_view role, std::size_t pack) {
    hash.AddField(role);
    hash.AddField(packs[pack].digest);
  };
  for (const std::size_t pack : moment.on) add("on", pack);
  for (const std::size_t pack : moment.shadow) add("shadow", pack);
  for (const Canary& canary : moment.canaries) {
    add("canary", canary.pack);
    if (canary.instead_of) add("instead of", *canary.instead_of);
    hash.AddField(std::to_string(canary.per_myriad));
    hash.AddField(canary.salt);
  }
  return "sha256:" + hash.Hex();
}

}  // namespace

std::vector<std::size_t> PacksOf(const Moment& moment) {
  std::vector<std::size_t> out = moment.on;
  out.insert(out.end(), moment.shadow.begin(), moment.shadow.end());
  for (const Canary& canary : moment.canaries) out.push_back(canary.pack);
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

StretchEvaluator::StretchEvaluator(std::shared_ptr<const LocalParts> parts, Moment moment)
    : parts_(std::move(parts)), moment_(std::move(moment)) {
  const KnowledgeBase& base = *parts_->base;
  digest_ = DigestOf(moment_, base.packs());
  infos_ = Selection(base, PacksOf(moment_)).infos();
  for (const std::size_t pack : moment_.shadow) {
    shadows_.emplace_back(base, std::vector<std::size_t>{pack}, /*shown=*/false);
    for (PackInfo& info : infos_) {
      if (info.ref.id != base.packs()[pack].id || info.ref.version != base.infos()[pack].ref.version)
        continue;
      for (PrefetchTemplate& query : info.prefetch) query.required = false;
    }
  }
}

// `taken`: as selections_.
std::shared_ptr<const Selection> StretchEvaluator::Select(const Moment& moment,
                                                          std::string_view taken) const {
  std::vector<std::size_t> packs = moment.on;
  for (std::size_t i = 0; i < moment.canaries.size(); ++i) {
    if (taken[i] != '1') continue;
    const Canary& canary = moment.canaries[i];
    if (canary.instead_of) std::erase(packs, *canary.instead_of);
    packs.push_back(canary.pack);
  }
  return std::make_shared<const Selection>(*parts_->base, std::move(packs));
}

Result<std::shared_ptr<const Selection>> StretchEvaluator::SelectExactly(
    const std::vector<std::string>& digests) const {
  const std::span<const Pack> packs = parts_->base->packs();
  std::vector<std::size_t> chosen;
  for (const std::string& digest : digests) {
    const auto pack = std::ranges::find(packs, digest, &Pack::digest);
    if (pack == packs.end()) return Fail(Code::kNotFound, "no pack of digest " + digest + " is loaded");
    chosen.push_back(static_cast<std::size_t>(pack - packs.begin()));
  }
  return std::make_shared<const Selection>(*parts_->base, std::move(chosen));
}

Result<std::shared_ptr<const Selection>> StretchEvaluator::Select(const Document& request,
                                                                  const EvaluateOptions& options) {
  if (!options.exact_packs.empty()) return SelectExactly(options.exact_packs);
  STEPWISE_ASSIGN_OR_RETURN(const std::vector<PinText> pins, ReadPins(request));
  const std::string_view patient = PatientOf(request);
  if (!pins.empty()) {
    Moment moment = moment_;
    std::vector<std::size_t> together = PacksOf(moment_);
    for (const PinText& pin : pins) {
      if (Status pinned = parts_->schedule.Pin(pin.pack, pin.version, &moment); !pinned) {
        pinned.error().path = pin.path;
        return tl::unexpected(std::move(pinned.error()));
      }
      together.push_back(moment.on.back());
      Errors errors;  // the client was told the queries of what is on
      CheckQueries(*parts_->base, together, &errors);
      if (!errors.empty())
        return Fail(Code::kInvalidArgument, "this version cannot answer now: " + errors[0].message, {},
                    pin.path);
    }
    return Select(moment, Taken(moment, patient));
  }
  const std::string taken = Taken(moment_, patient);
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = selections_.find(taken); found != selections_.end()) return found->second;
  }
  auto selection = Select(moment_, taken);
  const std::scoped_lock lock(mutex_);
  if (selections_.size() >= kMaxSelections) return selection;
  return selections_.emplace(taken, std::move(selection)).first->second;
}

Result<Decision> StretchEvaluator::Run(const Selection& selection, const Document& request,
                                       const DateTime& now, const EvaluateOptions& asked) const {
  EngineOptions options;
  options.selection = &selection;
  options.timeout = asked.timeout;
  options.overridden = asked.overridden;
  options.max_cards = asked.max_cards;
  const EnginePool::Loan engine = parts_->engines->Take();
  return engine->Evaluate(*parts_->base, request, now, options);
}

Result<Decision> StretchEvaluator::Evaluate(const Document& request, const DateTime& now,
                                            const EvaluateOptions& options) {
  STEPWISE_ASSIGN_OR_RETURN(const std::shared_ptr<const Selection> selection, Select(request, options));
  return Run(*selection, request, now, options);
}

void StretchEvaluator::Shadow(const Document& request, const Decision& shown,
                              const EvaluateOptions& options) {
  for (const Selection& selection : shadows_) {
    const Result<Decision> shadow = Run(selection, request, shown.now, options);
    const PackRef& version = parts_->base->infos()[selection.packs()[0]].ref;
    if (!shadow) {
      parts_->shadow->Add({{version.id, version.version, "", "failed", ""}});
    } else {
      parts_->shadow->Add(CompareShadow(shown, *shadow, version));
    }
  }
}

}  // namespace stepwise::rules
