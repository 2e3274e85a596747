#include "cds_hooks/feedback.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

namespace stepwise::cds_hooks {
namespace {

constexpr std::size_t kMostId = 64;

Node ObjectChild(Node object, std::string_view name) {
  return object && object.kind() == NodeKind::kObject ? object.Child(name) : Node();
}

std::string_view Text(Node object, std::string_view name) {
  const Node node = ObjectChild(object, name);
  return node && node.kind() == NodeKind::kString ? node.string() : std::string_view();
}

// Cut between two characters.
std::string Cut(std::string_view text, const FeedbackLimits& limits) {
  std::size_t size = std::min(text.size(), limits.max_text_bytes);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return std::string(text.substr(0, size));
}

// An id as we give them out, in small letters; "" for what is none.
std::string Id(std::string_view text) {
  constexpr std::string_view kUrn = "urn:uuid:";
  if (text.starts_with(kUrn)) text.remove_prefix(kUrn.size());
  const bool plain =
      text.size() <= kMostId && std::ranges::all_of(text, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
      });
  std::string id(plain ? text : "");
  std::ranges::transform(id, id.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return id;
}

// {reason: Coding, userComment}, and what clients make of it.
void ReadReason(Node given, const FeedbackLimits& limits, Feedback* out) {
  if (!given) return;
  const auto comment = [&](std::string_view text) {
    if (out->comment.empty()) out->comment = Cut(text, limits);
  };
  if (given.kind() != NodeKind::kObject) return comment(given.string());
  comment(Text(given, "userComment"));
  if (const Node reason = given.Child("reason")) return ReadReason(reason, limits, out);
  if (const Node coding = given.Child("coding")) {
    comment(Text(given, "text"));
    given = coding;
  }
  out->reason = {Cut(Text(given, "system"), limits), Cut(Text(given, "code"), limits),
                 Cut(Text(given, "display"), limits)};
}

class EntryReader {
 public:
  EntryReader(const FeedbackLimits& limits, std::size_t index, std::vector<Error>* errors)
      : limits_(limits), path_("feedback[" + std::to_string(index) + "]"), errors_(errors) {}

  std::optional<Feedback> Read(Node entry) {
    const std::size_t before = errors_->size();
    if (entry.kind() != NodeKind::kObject) {
      Fail("", "expected an object");
      return std::nullopt;
    }
    Feedback out;
    out.card = Id(Text(entry, "card"));
    if (out.card.empty()) Fail(".card", "expected the uuid of a card");
    const std::string_view outcome = Text(entry, "outcome");
    if (outcome != "accepted" && outcome != "overridden") Fail(".outcome", "expected accepted or overridden");
    out.overridden = outcome == "overridden";
    const std::optional<DateTime> at = DateTime::ParseDateTime(Text(entry, "outcomeTimestamp"));
    if (!at || !at->has_offset) {
      Fail(".outcomeTimestamp", "expected a time with offset, such as 2026-12-10T09:00:00Z");
    } else {
      out.at = *at;
    }
    if (out.overridden) {
      ReadReason(entry.Child("overrideReason"), limits_, &out);
    } else {
      ReadSuggestions(entry, &out);
    }
    if (errors_->size() != before) return std::nullopt;
    return out;
  }

 private:
  void ReadSuggestions(Node entry, Feedback* out) {
    for (const Node child : entry.children()) {
      if (child.name_text() != "acceptedSuggestions") continue;
      std::string id = Id(child.kind() == NodeKind::kObject ? Text(child, "id") : child.string());
      const std::string at = ".acceptedSuggestions[" + std::to_string(out->suggestions.size()) + "]";
      if (id.empty()) return Fail(at + ".id", "expected the uuid of a suggestion");
      if (out->suggestions.size() == limits_.max_suggestions)
        return Fail(at, "more than " + std::to_string(limits_.max_suggestions) + " suggestions");
      out->suggestions.push_back(std::move(id));
    }
    std::ranges::sort(out->suggestions);
  }
  void Fail(const std::string& member, std::string message) {
    errors_->push_back({Code::kInvalidArgument, std::move(message), {}, path_ + member});
  }

  const FeedbackLimits& limits_;
  const std::string path_;
  std::vector<Error>* const errors_;
};

}  // namespace

FeedbackBatch ReadFeedback(const Document& document, const FeedbackLimits& limits) {
  FeedbackBatch out;
  const Node root = document.root();
  if (!root || root.kind() != NodeKind::kObject) {
    out.errors.push_back({Code::kInvalidArgument, "expected a JSON object", {}, ""});
    return out;
  }
  std::size_t index = 0;
  for (const Node entry : root.children()) {
    if (entry.name_text() != "feedback" || !entry.in_array()) continue;
    if (index == limits.max_entries) {
      out.errors.push_back(
          {Code::kInvalidArgument,
           "more than " + std::to_string(limits.max_entries) + " entries; send them in several calls",
           {},
           "feedback[" + std::to_string(index) + "]"});
      break;
    }
    std::optional<Feedback> one = EntryReader(limits, index++, &out.errors).Read(entry);
    if (one) out.entries.push_back(*std::move(one));
  }
  if (index == 0) {
    out.errors.push_back(
        {Code::kInvalidArgument, "expected an array with at least one entry", {}, "feedback"});
  }
  return out;
}

std::vector<Error> FeedbackBatch::Refusal() const {
  std::vector<Error> out = errors;
  if (!entries.empty()) {
    out.push_back({Code::kInvalidArgument,
                   "all other entries were kept: " + std::to_string(entries.size()),
                   {},
                   "feedback"});
  }
  return out;
}

}  // namespace stepwise::cds_hooks
