// SourceNames: the nodes that decided a line, as what a reader can look up: resource and element.
//
//   names.Begin(&request);
//   line.sources = names.Of(evaluation.sources());
//
// The same few nodes decide line after line of rule after rule, so that each is named once a request and
// found again by its index. Thread-safety: one thread at a time; keep one a thread and reuse it.
#ifndef STEPWISE_RULES_SOURCE_NAMES_H_
#define STEPWISE_RULES_SOURCE_NAMES_H_

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "fhir/document.h"
#include "rules/decision.h"

namespace stepwise::rules {

// Tells which nodes of one document were not met before in a round. Constant time, no set to build.
class NodeMarks {
 public:
  void Begin(const Document* document);
  void NewRound() { ++round_; }
  // Nodes of other documents are always new: there are few, and they are not the patient's data.
  bool IsNew(Node node);

 private:
  const Document* document_ = nullptr;
  std::vector<std::uint32_t> rounds_;  // by node index: the round in which it was met last
  std::uint32_t round_ = 0;
};

class SourceNames {
 public:
  // Of one line; enough to check it by hand.
  static constexpr std::size_t kMost = 20;

  void Begin(const Document* request);
  // In order of first use, each once, at most kMost.
  std::vector<Source> Of(std::span<const Node> nodes);
  // Leaves each node once, in order of first use.
  void KeepFirst(std::vector<Node>& nodes);

 private:
  const Source& Name(Node node);
  const Document* request_ = nullptr;
  NodeMarks marks_;
  std::unordered_map<std::uint32_t, Source> names_;  // by node index in the request
  Source other_;                                     // the last one of another document
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_SOURCE_NAMES_H_
