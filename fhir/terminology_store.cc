#include "fhir/terminology_store.h"

#include <unordered_map>

#include "fhir/terminology/canonicals.h"
#include "fhir/terminology/code_system.h"
#include "fhir/terminology/codes.h"
#include "fhir/terminology/reading.h"
#include "fhir/terminology/value_sets.h"

namespace stepwise {

using terminology::Canonicals;
using terminology::CodeSystem;
using terminology::Reading;
using terminology::StoredValueSet;
using terminology::TextMap;
using terminology::ValueSets;

struct TerminologyStore::Data {
  std::vector<std::unique_ptr<const CodeSystem>> code_systems;
  Canonicals<CodeSystem> systems;
  std::vector<std::unique_ptr<const StoredValueSet>> value_sets;
  Canonicals<StoredValueSet> sets;
  TextMap<const StoredValueSet*> by_name, by_id;  // nullptr: of several sets
  std::vector<std::string> notes;
};

namespace {

// Sorts resources out: code systems are read at once, value sets when all code systems are known.
class Sorter {
 public:
  Sorter(std::vector<std::unique_ptr<const CodeSystem>>* code_systems, Canonicals<CodeSystem>* systems,
         Reading* reading)
      : code_systems_(*code_systems), systems_(*systems), reading_(*reading), value_sets_(systems, reading) {}

  Status Add(Node resource, int depth) {
    const TypeId type = resource.resource_type();
    if (type == types::kBundle) return AddBundle(resource, depth);
    if (type != types::kCodeSystem && type != types::kValueSet) {
      const Node claimed = resource.kind() == NodeKind::kObject ? resource.Child("resourceType") : Node();
      const std::string_view name = type != types::kNone                             ? TypeName(type)
                                    : claimed && claimed.kind() == NodeKind::kString ? claimed.string()
                                                                                     : std::string_view();
      return reading_.Fail(resource, Code::kInvalidArgument,
                           "expected a CodeSystem, a ValueSet or a Bundle of them, not " +
                               (name.empty() ? std::string("something without a resourceType")
                                             : "the resource type '" + std::string(name) + "'"));
    }
    for (const Node child : resource.children()) {
      if (child.name() == names::kContained) reading_.Note(child, "contained resources are not read");
    }
    return type == types::kValueSet ? value_sets_.Add(resource) : AddCodeSystem(resource);
  }

  ValueSets& value_sets() { return value_sets_; }

  Status WorkOut() {
    for (const auto& [system, source] : sources_) {
      reading_.set_file(source.file);
      value_sets_.AddAllOf(system, source.resource);
    }
    return value_sets_.WorkOut();
  }

 private:
  struct Source {
    Node resource;
    std::string file;
  };

  Status AddBundle(Node bundle, int depth) {
    if (depth >= reading_.limits().max_depth) {
      return reading_.Fail(
          bundle, Code::kLimit,
          "Bundles are nested deeper than the limit of " + std::to_string(reading_.limits().max_depth));
    }
    return reading_.EachObject(bundle, names::kEntry, [&](Node entry) -> Status {
      const Node resource = entry.Child(names::kResource);
      if (!resource) {
        reading_.Note(entry, "there is no resource in this entry");
        return {};
      }
      return Add(resource, depth + 1);
    });
  }

  Status AddCodeSystem(Node resource) {
    STEPWISE_RETURN_IF_ERROR(reading_.CheckNames(resource, types::kCodeSystem));
    STEPWISE_ASSIGN_OR_RETURN(const std::string_view content, reading_.Text(resource, names::kContent));
    if (content == "supplement") {
      reading_.Note(resource, "supplements of code systems are not used");
      return {};
    }
    if (resource.Child(names::kModifierExtension)) {
      reading_.Note(resource, "its modifierExtension is not understood; the code system is left out");
      return {};
    }
    STEPWISE_ASSIGN_OR_RETURN(std::unique_ptr<const CodeSystem> system,
                              CodeSystem::Read(resource, &reading_));
    if (const CodeSystem* twin = systems_.Add(system->url(), system->version(), system.get())) {
      const auto first =
          std::find_if(sources_.begin(), sources_.end(), [&](const auto& s) { return s.first == twin; });
      const std::string same = system->Title() + " is there already" +
                               (first->second.file.empty() ? "" : " in " + first->second.file) + " at " +
                               first->second.resource.Path();
      if (first->second.resource.json() != resource.json()) {
        return reading_.Fail(resource, Code::kInvalidArgument,
                             same + ", and differs; give each its own version");
      }
      reading_.Note(resource, same);
      return {};
    }
    sources_.emplace_back(system.get(), Source{resource, reading_.file()});
    code_systems_.push_back(std::move(system));
    return {};
  }

  std::vector<std::unique_ptr<const CodeSystem>>& code_systems_;
  Canonicals<CodeSystem>& systems_;
  Reading& reading_;
  std::vector<std::pair<const CodeSystem*, Source>> sources_;
  ValueSets value_sets_;
};

// `key` names the set, unless it names a set of another URL too. Of several versions the newest counts.
void Index(const std::string& key, const StoredValueSet* set, const Canonicals<StoredValueSet>& sets,
           std::string_view what, TextMap<const StoredValueSet*>* index, std::vector<std::string>* notes) {
  if (key.empty()) return;
  const StoredValueSet* newest = set->url.empty() ? set : sets.Find(set->url);
  const auto [entry, added] = index->emplace(key, newest);
  if (added || entry->second == newest || entry->second == nullptr) return;
  notes->push_back("several value sets have the " + std::string(what) + " '" + key + "'; name them by url");
  entry->second = nullptr;
}

}  // namespace

Result<TerminologyStore> TerminologyStore::Build(std::span<const TerminologyFile> files,
                                                 const TerminologyLimits& limits) {
  auto data = std::make_unique<Data>();
  Reading reading(limits, &data->notes);
  Sorter sorter(&data->code_systems, &data->systems, &reading);
  for (const TerminologyFile& file : files) {
    reading.set_file(file.name);
    STEPWISE_RETURN_IF_ERROR(sorter.Add(file.document->root(), 0));
  }
  STEPWISE_RETURN_IF_ERROR(sorter.WorkOut());
  reading.NoteWhatWasLeftOut();
  data->sets = sorter.value_sets().canonicals();
  data->value_sets = sorter.value_sets().Take();
  for (const auto& set : data->value_sets) {
    Index(set->name, set.get(), data->sets, "name", &data->by_name, &data->notes);
    Index(set->id, set.get(), data->sets, "id", &data->by_id, &data->notes);
  }
  return TerminologyStore(std::move(data));
}

Result<TerminologyStore> TerminologyStore::Build(const Document& document, const TerminologyLimits& limits) {
  const TerminologyFile file{&document, ""};
  return Build(std::span(&file, 1), limits);
}

TerminologyStore::TerminologyStore(std::unique_ptr<const Data> data) : data_(std::move(data)) {}
TerminologyStore::TerminologyStore(TerminologyStore&&) noexcept = default;
TerminologyStore& TerminologyStore::operator=(TerminologyStore&&) noexcept = default;
TerminologyStore::~TerminologyStore() = default;

const ValueSet* TerminologyStore::FindValueSet(std::string_view name) const {
  if (const StoredValueSet* set = data_->sets.Find(name)) return set;
  for (const auto* index : {&data_->by_name, &data_->by_id}) {
    if (const auto found = index->find(name); found != index->end() && found->second != nullptr)
      return found->second;
  }
  return nullptr;
}

Membership TerminologyStore::Subsumes(std::string_view system, std::string_view ancestor,
                                      std::string_view code) const {
  if (const CodeSystem* known = data_->systems.Find(system)) return known->Subsumes(ancestor, code);
  return ancestor == code ? Membership::kIn : Membership::kUnknown;
}

std::span<const std::string> TerminologyStore::notes() const { return data_->notes; }

}  // namespace stepwise
