#include "cds_hooks/feedback.h"

#include <optional>

namespace stepwise::cds_hooks {
namespace {

std::string_view Text(Node object, std::string_view name) {
  const Node node = object.Child(name);
  return node && node.kind() == NodeKind::kString ? node.string() : std::string_view();
}

Result<Feedback> ReadOne(Node entry, const std::string& path) {
  const auto fail = [&](std::string_view member, std::string message) {
    return Fail(Code::kInvalidArgument, std::move(message), {}, path + "." + std::string(member));
  };
  if (entry.kind() != NodeKind::kObject) return Fail(Code::kInvalidArgument, "expected an object", {}, path);
  Feedback out;
  out.card = Text(entry, "card");
  if (out.card.empty()) return fail("card", "expected the uuid of a card");
  const std::string_view outcome = Text(entry, "outcome");
  if (outcome != "accepted" && outcome != "overridden")
    return fail("outcome", "expected accepted or overridden");
  out.overridden = outcome == "overridden";
  const std::optional<DateTime> at = DateTime::ParseDateTime(Text(entry, "outcomeTimestamp"));
  if (!at || !at->has_offset)
    return fail("outcomeTimestamp", "expected a time with offset, such as 2026-12-10T09:00:00Z");
  out.at = *at;
  return out;
}

}  // namespace

Result<std::vector<Feedback>> ReadFeedback(const Document& document) {
  const Node root = document.root();
  if (!root || root.kind() != NodeKind::kObject)
    return Fail(Code::kInvalidArgument, "expected a JSON object");
  std::vector<Feedback> out;
  for (const Node entry : root.children()) {
    if (entry.name_text() != "feedback" || !entry.in_array()) continue;
    STEPWISE_ASSIGN_OR_RETURN(Feedback one, ReadOne(entry, "feedback[" + std::to_string(out.size()) + "]"));
    out.push_back(std::move(one));
  }
  if (out.empty())
    return Fail(Code::kInvalidArgument, "expected an array with at least one entry", {}, "feedback");
  return out;
}

}  // namespace stepwise::cds_hooks
