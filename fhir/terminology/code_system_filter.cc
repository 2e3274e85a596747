// Filters: which concepts of a code system have a property that stands in some relation to a value.
// The code itself is the property `concept` (or `code`); `parent` and `child` are those of the hierarchy.
#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "fhir/decimal.h"
#include "fhir/nearest.h"
#include "fhir/terminology/code_system.h"

namespace stepwise::terminology {
namespace {

constexpr std::int64_t kRegexMemory = 1 << 20;  // bytes

constexpr std::array<std::string_view, 11> kOps = {
    "=",  "child-of", "descendent-leaf", "descendent-of", "exists", "generalizes",
    "in", "is-a",     "is-not-a",        "not-in",        "regex"};

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

Membership Not(Membership m) {
  if (m == Membership::kUnknown) return m;
  return m == Membership::kIn ? Membership::kOut : Membership::kIn;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> Parts(std::string_view list) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t comma = list.find(',');
    parts.push_back(Trimmed(list.substr(0, comma)));
    if (comma == std::string_view::npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

bool SameNumber(std::string_view a, std::string_view b) {
  const std::optional<Decimal> x = Decimal::Parse(a), y = Decimal::Parse(b);
  return x && y && *x == *y;
}

bool IsHierarchical(std::string_view op) {
  return op == "is-a" || op == "is-not-a" || op == "descendent-of" || op == "child-of" ||
         op == "descendent-leaf" || op == "generalizes";
}

}  // namespace

std::optional<std::uint32_t> CodeSystem::FindProperty(std::string_view name) const {
  const auto found = std::ranges::find(properties_, name, &Property::name);
  if (found == properties_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - properties_.begin());
}

std::vector<bool> CodeSystem::Related(std::string_view op, std::uint32_t root) const {
  std::vector<bool> related(concepts_.size());
  if (op == "child-of") {
    for (const std::uint32_t child : concepts_[root].children) related[child] = true;
    return related;
  }
  const bool up = op == "generalizes";
  std::vector<std::uint32_t> left{root};
  related[root] = true;
  while (!left.empty()) {
    const Concept& one = concepts_[left.back()];
    left.pop_back();
    for (const std::uint32_t next : up ? one.parents : one.children) {
      if (!related[next]) left.push_back(next);
      related[next] = true;
    }
  }
  if (op == "descendent-of" || op == "descendent-leaf") related[root] = false;
  if (op == "descendent-leaf") {
    for (std::size_t i = 0; i < concepts_.size(); ++i)
      related[i] = related[i] && concepts_[i].children.empty();
  }
  return related;
}

std::optional<std::vector<Membership>> CodeSystem::Apply(const Filter& filter, std::size_t max_pattern,
                                                         std::string* why) const {
  const auto not_understood = [&](std::string text) {
    *why = std::move(text);
    return std::nullopt;
  };
  const std::string_view op = filter.op;
  if (std::ranges::find(kOps, op) == kOps.end()) {
    return not_understood("the operator " + Quoted(op) + " is not known" + DidYouMean(Nearest(op, kOps)));
  }

  // Whose values are compared.
  const std::optional<std::uint32_t> property = FindProperty(filter.property);
  const Role role = property                             ? properties_[*property].role
                    : filter.property == "parent"        ? Role::kParent
                    : filter.property == "child"         ? Role::kChild
                    : filter.property == "inactive"      ? Role::kInactive
                    : filter.property == "notSelectable" ? Role::kNotSelectable
                                                         : Role::kOther;
  const bool itself = !property && (filter.property == "concept" || filter.property == "code");
  if (!property && !itself && role == Role::kOther) {
    return not_understood(Title() + " has no property " + Quoted(filter.property));
  }

  // What they are compared with.
  std::vector<bool> related;
  std::optional<std::uint32_t> root;
  std::vector<std::string_view> list;
  std::optional<RE2> regex;
  if (IsHierarchical(op)) {
    root = Find(filter.value);
    if (!root) return not_understood(Title() + " has no concept " + Quoted(filter.value) + " at hand");
    if (!is_a_) return not_understood("what subsumes what in " + Title() + " is not known");
    if (op == "descendent-leaf" && !complete_)
      return not_understood(Title() + " does not list all its leaves");
    related = Related(op == "is-not-a" ? "is-a" : op, *root);
  } else if (op == "=") {
    list = {filter.value};
  } else if (op == "in" || op == "not-in") {
    list = Parts(filter.value);
  } else if (op == "regex") {
    if (filter.value.size() > max_pattern) {
      return not_understood("the regular expression is longer than the limit of " +
                            std::to_string(max_pattern) + " bytes");
    }
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kRegexMemory);
    regex.emplace(re2::StringPiece(filter.value.data(), filter.value.size()), options);
    if (!regex->ok()) return not_understood("the regular expression cannot be used: " + regex->error());
  } else if (filter.value != "true" && filter.value != "false") {
    return not_understood("the value of 'exists' is true or false, not " + Quoted(filter.value));
  }

  const bool edges = role == Role::kParent || role == Role::kChild;
  const bool codes = itself || edges;
  const auto matches = [&](std::string_view value, bool number) {
    if (root) {
      const std::optional<std::uint32_t> index = Find(value);
      return index && related[*index];
    }
    if (regex) return RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex);
    return std::ranges::any_of(list, [&](std::string_view wanted) {
      return value == wanted || (number && SameNumber(value, wanted)) ||
             (codes && case_rule_ == CaseRule::kInsensitive && CodeEqual()(AnyCase{value}, wanted));
    });
  };

  std::vector<Membership> answers(concepts_.size());
  for (std::uint32_t i = 0; i < concepts_.size(); ++i) {
    const Concept& one = concepts_[i];
    bool any = false, match = false;
    const auto visit = [&](std::string_view value, bool number = false) {
      any = true;
      match = match || (op != "exists" && matches(value, number));
    };
    if (itself) {
      visit(*one.code);
    } else if (edges) {
      for (const std::uint32_t other : role == Role::kParent ? one.parents : one.children) visit(code(other));
    } else {
      for (const Value& value : one.values) {
        if (property && value.property == *property) visit(value.text, value.number);
      }
    }
    // Both are false where a concept does not say; "exists" asks for what it says.
    if (!any && op != "exists" && (role == Role::kInactive || role == Role::kNotSelectable)) visit("false");

    const bool yes = op == "exists" ? any : match;
    // A fragment may lack a parent, the concept between two others, or a property.
    const bool surely_not = complete_ || (any && !edges && (!root || (itself && i == *root)));
    Membership answer = yes ? Membership::kIn : surely_not ? Membership::kOut : Membership::kUnknown;
    if (op == "is-not-a" || op == "not-in" || (op == "exists" && filter.value == "false"))
      answer = Not(answer);
    answers[i] = answer;
  }
  return answers;
}

}  // namespace stepwise::terminology
