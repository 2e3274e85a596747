#include "rules/variables.h"

#include <algorithm>

namespace stepwise::rules {

using fhirpath::Evaluation;
using fhirpath::Item;
using fhirpath::Items;

void Variables::Begin(const KnowledgeBase* base, const Facts* facts, const SiteParameters* site) {
  base_ = base;
  facts_ = facts;
  site_ = site;
  context_ = Item::Of(facts->context, types::kNone);
  environment_ = {};
  environment_.context = context_;
  failure_.reset();
  memos_.resize(base->slots().size());
  ++request_;
}

Variables::Memo& Variables::MemoOf(int slot) {
  Memo& memo = memos_[static_cast<std::size_t>(slot)];
  if (memo.request != request_) {
    memo.request = request_;
    Forget(memo);
  }
  return memo;
}

void Variables::Forget(Memo& memo) {
  memo.state = State::kNew;
  memo.sources.clear();
  memo.unknowns.clear();
}

void Variables::BeginItem(const CompiledRule& rule, Items item) {
  for (int i = 0; i < rule.let_count; ++i) Forget(MemoOf(rule.first_let + i));
  if (rule.for_each < 0) return;
  Memo& memo = MemoOf(rule.for_each);
  memo.state = State::kDone;
  memo.items = item;
}

Result<Items> Variables::Get(int slot, Evaluation& evaluation) {
  Memo& memo = MemoOf(slot);
  const Slot& what = base_->slots()[static_cast<std::size_t>(slot)];
  if (memo.state == State::kRunning) return Fail(Code::kInternal, "%" + what.name + " needs itself");
  if (memo.state == State::kNew) {
    memo.state = State::kRunning;
    Result<Items> items = Compute(what, memo, evaluation);
    memo.state = items ? State::kDone : State::kNew;
    if (!items) return items;
    memo.items = *items;
  }
  evaluation.AddSources(memo.sources);
  for (const std::string& reason : memo.unknowns) evaluation.MarkUnknown(reason);
  return memo.items;
}

Items Variables::ReadPrefetch(const Slot& slot, Memo& memo, Evaluation& evaluation) const {
  Fact fact = facts_->Read(slot.name, slot.query);
  if (!fact.known()) memo.unknowns.push_back(std::move(fact.why));
  const bool usable = fact.known() || fact.state == FactState::kPartial;
  if (!usable || !fact.node) return {};
  const Item item = Item::Of(fact.node, fact.node.resource_type());
  return evaluation.Keep(Items(&item, 1));
}

Result<Items> Variables::Compute(const Slot& slot, Memo& memo, Evaluation& evaluation) {
  switch (slot.kind) {
    case SlotKind::kContext: return evaluation.Keep(Items(&context_, 1));
    case SlotKind::kNow: {
      const Item now = Item::Of(evaluation.now());
      return evaluation.Keep(Items(&now, 1));
    }
    case SlotKind::kPrefetch: return ReadPrefetch(slot, memo, evaluation);
    case SlotKind::kConstant: {
      if (site_ != nullptr) {
        const auto own = site_->values.find(static_cast<int>(&slot - base_->slots().data()));
        if (own != site_->values.end()) return Items(&own->second->item, 1);
      }
      return Items(&slot.constant->item, 1);
    }
    case SlotKind::kForEach: return Items();  // named in a rule that is not running: cannot happen
    case SlotKind::kFact:
    case SlotKind::kLet: break;
  }
  // What the running expression knew so far is put aside, so that this slot's own reasons can be told apart.
  const std::vector<Node> sources(evaluation.sources().begin(), evaluation.sources().end());
  const std::vector<std::string> unknowns(evaluation.unknowns().begin(), evaluation.unknowns().end());
  evaluation.ClearSources();
  Result<Items> items = evaluation.Run(*slot.program, context_, environment_);
  // Once each: what is replayed to every later line must not grow by repetition.
  memo.sources.assign(evaluation.sources().begin(), evaluation.sources().end());
  names_.KeepFirst(memo.sources);
  memo.unknowns.assign(evaluation.unknowns().begin(), evaluation.unknowns().end());
  evaluation.ClearSources();
  evaluation.AddSources(sources);
  for (const std::string& reason : unknowns) evaluation.MarkUnknown(reason);
  if (!items && !failure_) {
    failure_ = items.error();
    failure_->span = slot.source->At(failure_->span, 0);
  }
  return items;
}

Error Variables::Placed(Error error, const SourceText& text) {
  if (failure_) {
    error = *std::move(failure_);
    failure_.reset();
  } else {
    error.span = text.At(error.span, 0);
  }
  return error;
}

}  // namespace stepwise::rules
