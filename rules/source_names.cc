#include "rules/source_names.h"

#include <algorithm>
#include <limits>

#include "rules/facts.h"

namespace stepwise::rules {

void NodeMarks::Begin(const Document* document) {
  document_ = document;
  if (rounds_.size() < document->node_count()) rounds_.resize(document->node_count());
  // Rounds of earlier documents are in the past; only when the counter turns over must they be forgotten.
  if (round_ > std::numeric_limits<std::uint32_t>::max() / 2) {
    std::ranges::fill(rounds_, 0);
    round_ = 0;
  }
  NewRound();
}

bool NodeMarks::IsNew(Node node) {
  if (node.document() != document_) return true;
  std::uint32_t& round = rounds_[node.index()];
  if (round == round_) return false;
  round = round_;
  return true;
}

void SourceNames::Begin(const Document* request) {
  request_ = request;
  marks_.Begin(request);
  names_.clear();
}

const Source& SourceNames::Name(Node node) {
  const auto make = [node] {
    const Node resource = node.resource();
    return Source{ReferenceOf(resource ? resource : node), node.PathInResource()};
  };
  if (node.document() != request_) return other_ = make();
  const auto [it, added] = names_.try_emplace(node.index());
  if (added) it->second = make();
  return it->second;
}

std::vector<Source> SourceNames::Of(std::span<const Node> nodes) {
  std::vector<Source> out;
  marks_.NewRound();
  for (const Node node : nodes) {
    if (!marks_.IsNew(node)) continue;
    const Source& source = Name(node);
    const bool known = std::ranges::any_of(out, [&](const Source& other) {
      return other.reference == source.reference && other.path == source.path;
    });
    if (known) continue;
    out.push_back(source);
    if (out.size() == kMost) break;
  }
  return out;
}

void SourceNames::KeepFirst(std::vector<Node>& nodes) {
  marks_.NewRound();
  std::erase_if(nodes, [this](Node node) { return !marks_.IsNew(node); });
}

}  // namespace stepwise::rules
