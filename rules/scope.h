// What %name means in the expressions of a pack, and compiling them.
//
//   PackScope   context, now, prefetch keys, facts, p.<parameter>, pack.<field>: of the pack and of the packs
//               that it requires
//   RuleScope   the same, and the rule's for-each name and lets
//
// Facts and lets are compiled when they are first named, so their static type is known to whoever names them;
// one that names itself, directly or not, is an error. Used while loading only. Once the facts of all packs
// are compiled, the rules of different packs may be compiled on different threads; a scope itself belongs to
// one.
#ifndef STEPWISE_RULES_SCOPE_H_
#define STEPWISE_RULES_SCOPE_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/knowledge_base.h"

namespace stepwise::rules {

// Compiles one expression and puts its diagnostics where the author wrote it.
class ExpressionCompiler {
 public:
  ExpressionCompiler(const Pack& pack, const PackTerminology& terminology, LoadReport* report);
  std::optional<fhirpath::Program> Compile(std::string_view expression, const SourceText& whole,
                                           std::size_t offset, const fhirpath::VariableScope& scope,
                                           bool want_boolean) const;

 private:
  FhirVersion version_;
  const PackTerminology& terminology_;
  LoadReport* report_;
};

// Compiles named expressions into slots, on first use.
class NamedSlots {
 public:
  NamedSlots(std::string what, const ExpressionCompiler& compiler, std::vector<Slot>* slots,
             LoadReport* report)
      : what_(std::move(what)), compiler_(compiler), slots_(slots), report_(report) {}

  // Takes `slot`, which is there already. `expression` must outlive this object.
  void Add(const NamedExpression& expression, SlotKind kind, const std::string& pack, int slot);
  std::optional<fhirpath::VariableScope::Variable> Find(std::string_view name,
                                                        const fhirpath::VariableScope& scope);
  void CompileAll(const fhirpath::VariableScope& scope);
  std::vector<std::string> Names() const;
  bool Has(std::string_view name) const { return entries_.find(name) != entries_.end(); }

 private:
  enum class State : std::uint8_t { kNew, kRunning, kDone };
  struct Entry {
    const NamedExpression* expression;
    int slot;
    State state = State::kNew;
  };
  std::string what_;  // "fact", "let"
  const ExpressionCompiler& compiler_;
  std::vector<Slot>* slots_;
  LoadReport* report_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<std::string> running_;  // names being compiled, outermost first
};

using PrefetchSlots = std::map<std::pair<std::string, std::string>, int>;  // key, query -> slot

class PackScope final : public fhirpath::VariableScope {
 public:
  // `prefetch_slots`: shared by all packs. `required`: scopes of required packs, all the way
  // down.
  PackScope(const Pack& pack, std::vector<PackScope*> required, const PackTerminology& terminology,
            PrefetchSlots* prefetch_slots, std::vector<Slot>* slots, LoadReport* report);

  std::optional<Variable> Find(std::string_view name) const override;
  std::vector<std::string> Names() const override;
  void CompileFacts() { facts_.CompileAll(*this); }
  const Pack& pack() const { return pack_; }
  // False when some names of this pack, or of one that it requires, could not be read: then any name is
  // found.
  bool names_known() const;
  const ExpressionCompiler& compiler() const { return compiler_; }

 private:
  void AddConstant(std::string name, std::unique_ptr<const Constant> constant,
                   const PackParameter* parameter);
  void AddPrefetch(const PrefetchQuery& query, PrefetchSlots* prefetch_slots);
  std::optional<Variable> FindOwn(std::string_view name) const;
  std::optional<Variable> FindShared(std::string_view name) const;

  const Pack& pack_;
  std::vector<PackScope*> required_;
  ExpressionCompiler compiler_;
  std::vector<Slot>* slots_;
  LoadReport* report_;
  std::map<std::string, int, std::less<>> own_;     // shared with packs that require this one
  std::map<std::string, int, std::less<>> common_;  // the same in every pack, and pack.<field>
  mutable NamedSlots facts_;                        // compiles on first use
};

class RuleScope final : public fhirpath::VariableScope {
 public:
  // How many slots a rule takes, and the first of those that were set aside for it.
  static std::size_t SlotCount(const Rule& rule) { return rule.lets.size() + (rule.for_each ? 1 : 0); }
  RuleScope(const Rule& rule, const PackScope& outer, std::size_t first_slot, std::vector<Slot>* slots,
            LoadReport* report);
  std::optional<Variable> Find(std::string_view name) const override;
  std::vector<std::string> Names() const override;
  void CompileLets() { lets_.CompileAll(*this); }
  int for_each() const { return for_each_; }
  int first_let() const { return first_let_; }

 private:
  const Rule& rule_;
  const PackScope& outer_;
  std::vector<Slot>* slots_;
  int for_each_ = -1;
  int first_let_ = 0;
  mutable NamedSlots lets_;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_SCOPE_H_
