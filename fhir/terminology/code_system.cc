#include "fhir/terminology/code_system.h"

#include <algorithm>
#include <array>

#include "fhir/nearest.h"

namespace stepwise::terminology {
namespace {

constexpr std::string_view kConceptProperties = "http://hl7.org/fhir/concept-properties#";

// What was reached in one walk up a hierarchy; kept by each thread, so that lookups do not allocate.
struct Walk {
  std::vector<std::uint32_t> reached_in, left;
  std::uint32_t number = 0;

  void Start(std::size_t size) {
    if (reached_in.size() < size) reached_in.resize(size);
    if (++number == 0) {
      std::ranges::fill(reached_in, 0u);
      number = 1;
    }
    left.clear();
  }
  void Reach(std::uint32_t index) {
    if (std::exchange(reached_in[index], number) != number) left.push_back(index);
  }
};

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

}  // namespace

class CodeSystem::Reader {
 public:
  Reader(CodeSystem* system, Reading* reading) : system_(*system), reading_(*reading) {}

  Status Read(Node resource) {
    STEPWISE_RETURN_IF_ERROR(ReadHead(resource));
    STEPWISE_RETURN_IF_ERROR(
        reading_.EachObject(resource, names::kProperty, [&](Node at) { return Declare(at); }));
    STEPWISE_RETURN_IF_ERROR(reading_.EachObject(resource, names::kConcept,
                                                 [&](Node at) { return ReadConcept(at, std::nullopt, 1); }));
    STEPWISE_RETURN_IF_ERROR(ConnectEdges());
    return CheckHierarchy(resource);
  }

 private:
  Status ReadHead(Node resource) {
    STEPWISE_ASSIGN_OR_RETURN(
        system_.url_, reading_.RequiredText(resource, names::kUrl, "http://example.org/CodeSystem/pain"));
    STEPWISE_ASSIGN_OR_RETURN(system_.version_, reading_.Text(resource, names::kVersion));
    STEPWISE_ASSIGN_OR_RETURN(system_.value_set_, reading_.Text(resource, names::kValueSet));
    STEPWISE_ASSIGN_OR_RETURN(system_.hierarchy_meaning_, reading_.Text(resource, names::kHierarchyMeaning));
    STEPWISE_ASSIGN_OR_RETURN(const auto case_sensitive, reading_.Boolean(resource, names::kCaseSensitive));
    STEPWISE_ASSIGN_OR_RETURN(const auto compositional, reading_.Boolean(resource, names::kCompositional));
    STEPWISE_ASSIGN_OR_RETURN(const std::string_view content,
                              reading_.RequiredText(resource, names::kContent, "complete"));
    static constexpr std::array<std::string_view, 4> kContents = {"complete", "fragment", "not-present",
                                                                  "example"};
    if (std::ranges::find(kContents, content) == kContents.end()) {
      return reading_.Fail(resource.Child(names::kContent), Code::kInvalidArgument,
                           Quoted(content) +
                               " is none of complete, fragment, not-present, example and supplement" +
                               DidYouMean(Nearest(content, kContents)));
    }
    if (case_sensitive) system_.case_rule_ = *case_sensitive ? CaseRule::kSensitive : CaseRule::kInsensitive;
    system_.complete_ = content == "complete" && !compositional.value_or(false);
    if (!system_.complete_) {
      reading_.Note(
          resource,
          content == "complete"
              ? "its grammar makes further codes, so that a code which is not listed is unknown"
              : "its content is " + std::string(content) + ", so that a code which is not listed is unknown");
    }
    return {};
  }

  Status Declare(Node at) {
    STEPWISE_ASSIGN_OR_RETURN(const std::string_view name, reading_.RequiredText(at, names::kCode, "parent"));
    STEPWISE_ASSIGN_OR_RETURN(std::string_view uri, reading_.Text(at, names::kUri));
    uri = uri.starts_with(kConceptProperties) ? uri.substr(kConceptProperties.size()) : name;
    PropertyOf(name, uri);
    return {};
  }

  // The property of that name, added if it is new; `meaning` tells its role then.
  std::uint32_t PropertyOf(std::string_view name, std::string_view meaning) {
    if (const auto found = property_index_.find(name); found != property_index_.end()) return found->second;
    const auto index = static_cast<std::uint32_t>(system_.properties_.size());
    property_index_.emplace(name, index);
    Role role = Role::kOther;
    if (meaning == "parent" || meaning == "subsumedBy") role = Role::kParent;
    if (meaning == "child") role = Role::kChild;
    if (meaning == "inactive") role = Role::kInactive;
    if (meaning == "notSelectable") role = Role::kNotSelectable;
    if (meaning == "status") role = Role::kStatus;
    system_.properties_.push_back({std::string(name), role});
    return index;
  }

  Result<std::uint32_t> AddConcept(std::string_view code, Node at) {
    if (const std::optional<std::uint32_t> known = system_.Find(code)) return *known;
    STEPWISE_RETURN_IF_ERROR(reading_.CountCodes(at));
    if (system_.case_rule_ == CaseRule::kUnspecified &&
        system_.index_.find(AnyCase{code}) != system_.index_.end()) {
      system_.case_rule_ = CaseRule::kSensitive;  // two codes that differ in case only show that case counts
    }
    const auto index = static_cast<std::uint32_t>(system_.concepts_.size());
    const auto entry = system_.index_.emplace(code, index).first;
    system_.concepts_.push_back({.code = &entry->first, .parents = {}, .children = {}, .values = {}});
    return index;
  }

  Status ReadConcept(Node at, std::optional<std::uint32_t> parent, int depth) {
    if (depth > reading_.limits().max_depth) {
      return reading_.Fail(
          at, Code::kLimit,
          "concepts are nested deeper than the limit of " + std::to_string(reading_.limits().max_depth));
    }
    STEPWISE_ASSIGN_OR_RETURN(const std::string_view code, reading_.RequiredText(at, names::kCode, "severe"));
    const std::size_t known = system_.concepts_.size();
    STEPWISE_ASSIGN_OR_RETURN(const std::uint32_t index, AddConcept(code, at));
    if (index < known) reading_.Note(at, "the code " + Quoted(code) + " is there twice; both count as one");
    if (parent) system_.Connect(*parent, index);
    STEPWISE_RETURN_IF_ERROR(reading_.EachObject(
        at, names::kProperty, [&](Node property) { return ReadProperty(property, index); }));
    return reading_.EachObject(at, names::kConcept,
                               [&](Node child) { return ReadConcept(child, index, depth + 1); });
  }

  Status ReadProperty(Node at, std::uint32_t index) {
    STEPWISE_ASSIGN_OR_RETURN(const std::string_view name, reading_.RequiredText(at, names::kCode, "parent"));
    const std::uint32_t property = PropertyOf(name, name);
    Node value;
    for (const Node child : at.children()) {
      if (child.name() != names::kValue && child.name_text().starts_with("value")) value = child;
    }
    if (!value || value.is_valueless_primitive()) {
      reading_.Note(at, "the property " + Quoted(name) + " has no value");
      return {};
    }
    auto& values = system_.concepts_[index].values;
    if (value.kind() == NodeKind::kObject) {  // a Coding is known by its code and by system|code
      STEPWISE_ASSIGN_OR_RETURN(const std::string_view code, reading_.Text(value, names::kCode));
      STEPWISE_ASSIGN_OR_RETURN(const std::string_view system, reading_.Text(value, names::kSystem));
      if (code.empty())
        reading_.Note(value, "the property " + Quoted(name) + " has no code");
      else
        values.push_back({property, std::string(code)});
      const Role role = system_.properties_[property].role;
      if (role == Role::kParent || role == Role::kChild) {
        reading_.Note(value,
                      "a parent or child is named by a code, not by a Coding; it does not count as one");
      }
      if (!code.empty() && !system.empty())
        values.push_back({property, std::string(system) + "|" + std::string(code)});
      return {};
    }
    const std::string_view text = value.text();
    values.push_back({property, std::string(text), value.kind() == NodeKind::kNumber});
    switch (system_.properties_[property].role) {
      case Role::kParent: edges_.push_back({index, true, std::string(text), at}); break;
      case Role::kChild: edges_.push_back({index, false, std::string(text), at}); break;
      case Role::kInactive: system_.concepts_[index].inactive |= text == "true"; break;
      case Role::kStatus: system_.concepts_[index].inactive |= text == "retired" || text == "inactive"; break;
      case Role::kNotSelectable:
      case Role::kOther: break;
    }
    return {};
  }

  Status ConnectEdges() {
    for (const Edge& edge : edges_) {
      std::optional<std::uint32_t> other = system_.Find(edge.other);
      if (!other && system_.complete_) {
        reading_.Note(edge.at, "there is no concept " + Quoted(edge.other) +
                                   " in this system, which says to be complete");
        continue;
      }
      // What a fragment mentions exists, even if it is not listed.
      if (!other) {
        STEPWISE_ASSIGN_OR_RETURN(other, AddConcept(edge.other, edge.at));
      }
      if (edge.to_parent)
        system_.Connect(*other, edge.concept_index);
      else
        system_.Connect(edge.concept_index, *other);
    }
    for (Concept& one : system_.concepts_) {
      for (auto* list : {&one.parents, &one.children}) {
        std::ranges::sort(*list);
        list->erase(std::unique(list->begin(), list->end()), list->end());
      }
    }
    return {};
  }

  Status CheckHierarchy(Node resource) {
    const std::string& meaning = system_.hierarchy_meaning_;
    bool any = false;
    for (const Concept& one : system_.concepts_) any = any || !one.parents.empty();
    if (!meaning.empty() && meaning != "is-a") {
      system_.is_a_ = false;
      reading_.Note(resource,
                    "its hierarchy is " + Quoted(meaning) + ", not is-a, and says nothing about subsumption");
    } else if (meaning == "is-a" && !any && system_.concepts_.size() > 1) {
      system_.is_a_ = false;
      reading_.Note(resource,
                    "its hierarchy is is-a, but no concept has a parent: what subsumes what is unknown");
    }
    // Take away concepts whose parents are all gone; what stays descends from itself.
    std::vector<std::size_t> parents_left(system_.concepts_.size());
    std::vector<std::uint32_t> ready;
    for (std::uint32_t i = 0; i < system_.concepts_.size(); ++i) {
      parents_left[i] = system_.concepts_[i].parents.size();
      if (parents_left[i] == 0) ready.push_back(i);
    }
    for (std::size_t i = 0; i < ready.size(); ++i) {
      for (const std::uint32_t child : system_.concepts_[ready[i]].children) {
        if (--parents_left[child] == 0) ready.push_back(child);
      }
    }
    if (ready.size() == parents_left.size()) return {};
    const auto stays = std::ranges::find_if(parents_left, [](std::size_t count) { return count > 0; });
    return reading_.Fail(
        resource, Code::kSemantic,
        "the concept " + Quoted(system_.code(static_cast<std::size_t>(stays - parents_left.begin()))) +
            " is its own ancestor, or descends from one that is; a hierarchy has no circles");
  }

  CodeSystem& system_;
  Reading& reading_;
  TextMap<std::uint32_t> property_index_;
  std::vector<Edge> edges_;
};

Result<std::unique_ptr<const CodeSystem>> CodeSystem::Read(Node resource, Reading* reading) {
  auto system = std::make_unique<CodeSystem>();
  STEPWISE_RETURN_IF_ERROR(Reader(system.get(), reading).Read(resource));
  return std::unique_ptr<const CodeSystem>(std::move(system));
}

std::string CodeSystem::Title() const {
  return "code system '" + url_ + (version_.empty() ? "" : "|" + version_) + "'";
}

void CodeSystem::Connect(std::uint32_t parent, std::uint32_t child) {
  concepts_[parent].children.push_back(child);
  concepts_[child].parents.push_back(parent);
}

std::optional<std::uint32_t> CodeSystem::Find(std::string_view code) const {
  const auto found = case_rule_ == CaseRule::kInsensitive ? index_.find(AnyCase{code}) : index_.find(code);
  return found == index_.end() ? std::nullopt : std::optional(found->second);
}

Membership CodeSystem::Subsumes(std::string_view ancestor, std::string_view code) const {
  const std::optional<std::uint32_t> from = Find(code), to = Find(ancestor);
  if (!from || !to) return ancestor == code && !complete_ ? Membership::kIn : Membership::kUnknown;
  if (*from == *to) return Membership::kIn;
  if (!is_a_) return Membership::kUnknown;
  thread_local Walk walk;
  walk.Start(concepts_.size());
  walk.Reach(*from);
  while (!walk.left.empty()) {
    const std::uint32_t index = walk.left.back();
    if (index == *to) return Membership::kIn;
    walk.left.pop_back();
    for (const std::uint32_t parent : concepts_[index].parents) walk.Reach(parent);
  }
  return complete_ ? Membership::kOut : Membership::kUnknown;
}

}  // namespace stepwise::terminology
