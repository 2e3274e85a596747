#include "fhir/terminology/extent.h"

#include <array>

namespace stepwise::terminology {
namespace {

constexpr std::array<Membership, 3> kAll = {Membership::kOut, Membership::kIn, Membership::kUnknown};

Membership Not(Membership m) {
  if (m == Membership::kUnknown) return m;
  return m == Membership::kIn ? Membership::kOut : Membership::kIn;
}

Membership And(Membership a, Membership b) {
  if (a == Membership::kOut || b == Membership::kOut) return Membership::kOut;
  return a == Membership::kUnknown ? a : b;
}

Membership Applied(Op op, Membership a, Membership b) {
  switch (op) {
    case Op::kOr: return Not(And(Not(a), Not(b)));
    case Op::kAnd: return And(a, b);
    case Op::kMinus: return And(a, Not(b));
    case Op::kElseKnown: return a == Membership::kUnknown ? b : a;
  }
  return Membership::kUnknown;
}

bool Empty(const Part& part) { return part.codes == nullptr || part.codes->empty(); }

Result<Part> CombineParts(Op op, const Part& a, const Part& b, Node at, Reading* reading) {
  // Most often one side has nothing to say, and the other's table can be shared.
  const auto keeps = [&](auto&& applied) {
    for (const Membership m : kAll) {
      if (applied(m) != m) return false;
    }
    return true;
  };
  if (Empty(b) && keeps([&](Membership m) { return Applied(op, m, b.rest); })) return a;
  if (Empty(a) && keeps([&](Membership m) { return Applied(op, a.rest, m); })) return b;

  CaseRule rule = CaseRule::kUnspecified;
  if (a.case_rule == b.case_rule || Empty(b))
    rule = a.case_rule;
  else if (Empty(a))
    rule = b.case_rule;
  PartBuilder builder(Applied(op, a.rest, b.rest), rule);
  bool unknown = Applied(op, a.rest, b.rest) == Membership::kUnknown;
  for (const Part* part : {&a, &b}) {
    if (part->codes == nullptr) continue;
    STEPWISE_RETURN_IF_ERROR(reading->CountCodes(at, part->codes->size()));
    for (const auto& [code, answer] : *part->codes) {
      const Membership both = Applied(op, a.Find(code), b.Find(code));
      unknown = unknown || both == Membership::kUnknown;
      builder.Set(code, both);
    }
  }
  std::string why;
  if (unknown) {
    AddReason(&why, a.why);
    AddReason(&why, b.why);
  }
  return std::move(builder).Build(std::move(why));
}

}  // namespace

Membership Part::Find(std::string_view code) const {
  if (codes == nullptr) return rest;
  if (case_rule == CaseRule::kInsensitive) {
    const auto found = codes->find(AnyCase{code});
    return found == codes->end() ? rest : found->second;
  }
  if (const auto found = codes->find(code); found != codes->end()) return found->second;
  if (case_rule == CaseRule::kSensitive) return rest;
  const auto found = codes->find(AnyCase{code});
  return found == codes->end() || found->second == rest ? rest : Membership::kUnknown;
}

bool PartBuilder::Set(std::string_view code, Membership answer) {
  if (case_rule_ == CaseRule::kInsensitive) {
    if (codes_.find(AnyCase{code}) != codes_.end()) return false;
    std::string key(code);
    for (char& c : key) c = FoldCase(c);
    return codes_.emplace(std::move(key), answer).second;
  }
  // Two codes that differ in case only show that case counts.
  if (case_rule_ == CaseRule::kUnspecified && codes_.find(code) == codes_.end() &&
      codes_.find(AnyCase{code}) != codes_.end()) {
    case_rule_ = CaseRule::kSensitive;
  }
  return codes_.emplace(code, answer).second;
}

Part PartBuilder::Build(std::string why) && {
  return {std::make_shared<const Answers>(std::move(codes_)), rest_, case_rule_, std::move(why)};
}

Result<Extent> Combine(Op op, Extent a, Extent b, Node at, Reading* reading) {
  const Part a_elsewhere{nullptr, a.elsewhere, CaseRule::kUnspecified, a.why};
  const Part b_elsewhere{nullptr, b.elsewhere, CaseRule::kUnspecified, b.why};
  for (auto& [system, part] : a.parts) {
    const auto other = b.parts.find(system);
    STEPWISE_ASSIGN_OR_RETURN(
        part, CombineParts(op, part, other == b.parts.end() ? b_elsewhere : other->second, at, reading));
  }
  if (op == Op::kMinus) return a;
  for (auto& [system, part] : b.parts) {
    if (a.parts.find(system) != a.parts.end()) continue;
    STEPWISE_ASSIGN_OR_RETURN(Part combined, CombineParts(op, a_elsewhere, part, at, reading));
    a.parts.emplace(system, std::move(combined));
  }
  a.elsewhere = Applied(op, a.elsewhere, b.elsewhere);
  AddReason(&a.why, b.why);
  if (a.elsewhere != Membership::kUnknown) a.why.clear();
  return a;
}

Extent UnknownExtent(std::string why) {
  Extent extent;
  extent.elsewhere = Membership::kUnknown;
  extent.why = std::move(why);
  return extent;
}

void AddReason(std::string* reasons, std::string_view reason) {
  constexpr std::size_t kEnough = 500;  // bytes
  if (reason.empty() || reasons->size() > kEnough || reasons->find(reason) != std::string::npos) return;
  if (!reasons->empty()) *reasons += "; ";
  *reasons += reason;
}

}  // namespace stepwise::terminology
