#include "fhir/rest/bundle_pages.h"

#include <vector>

#include "fhir/json_text.h"

namespace stepwise::rest {
namespace {

struct Member {
  std::string name;      // decoded
  std::string_view raw;  // "name": value, as written
};

// The members of an object in JSON that is known to be well-formed. Document has them only one by one: it
// flattens arrays and hangs `_name` on its primitive.
std::vector<Member> MembersOf(std::string_view object) {
  std::vector<Member> members;
  std::size_t at = 1;  // past "{"
  const auto skip_string = [&] {
    for (++at; object[at] != '"'; ++at) {
      if (object[at] == '\\') ++at;
    }
    ++at;
  };
  for (;;) {
    at = object.find_first_of("\"}", at);
    if (object[at] == '}') return members;
    const std::size_t begin = at;
    skip_string();
    Member member;
    AppendJsonUnescaped(object.substr(begin + 1, at - begin - 2), member.name);
    for (int depth = 0; depth > 0 || (object[at] != ',' && object[at] != '}');) {
      const char c = object[at];
      if (c == '"') {
        skip_string();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at;
    }
    member.raw = object.substr(begin, at - begin);
    members.push_back(std::move(member));
  }
}

bool IsText(Node node, std::string_view text) { return node && node.string() == text; }

std::string_view TextOf(Node node) { return node ? node.string() : std::string_view(); }

// "" when the entry has neither a fullUrl nor a resource with an id, and so cannot be known again.
std::string Identity(Node entry) {
  const std::string_view full_url = TextOf(entry.Child(names::kFullUrl));
  const Node resource = entry.Child(names::kResource);
  const bool object = resource && resource.kind() == NodeKind::kObject;
  const std::string_view id = object ? TextOf(resource.Child(names::kId)) : "";
  if (full_url.empty() && id.empty()) return "";
  const std::string_view type = object ? TextOf(resource.Child("resourceType")) : "";
  return std::string(full_url) + "\n" + std::string(type) + "/" + std::string(id);
}

}  // namespace

Status BundlePages::Add(std::string page, const DocumentLimits& limits) {
  page.reserve(page.size() + 64);  // which the parser would copy it for
  const Result<Document> document = Document::Parse(std::move(page), limits);
  if (!document) {
    return document.error().code == Code::kLimit ? Fail(Code::kLimit, "the answer is too large or too deep")
                                                 : Fail(Code::kSyntax, "the answer is not a JSON object");
  }
  const Node root = document->root();
  if (!IsText(root.Child("resourceType"), "Bundle"))
    return Fail(Code::kInvalidArgument, "the answer is no Bundle");
  std::vector<Node> links, entries;
  for (const Node child : root.children()) {
    if (child.name() != names::kLink && child.name() != names::kEntry) continue;
    if (child.kind() != NodeKind::kObject)
      return Fail(Code::kInvalidArgument, "the answer is a Bundle whose links or entries are no objects");
    (child.name() == names::kLink ? links : entries).push_back(child);
  }
  std::string head;
  for (const Member& member : MembersOf(root.json())) {
    if (member.name == "_link" || member.name == "_entry")
      return Fail(Code::kInvalidArgument, "the answer is a Bundle whose links or entries are no objects");
    if (member.name != "link" && member.name != "entry") (head += member.raw) += ',';
  }

  if (++count_ == 1) {
    first_ = root.json();
    head_ = std::move(head);
  }
  next_.clear();
  next_link_.clear();
  for (const Node link : links) {
    const std::string_view relation = TextOf(link.Child(names::kRelation));
    if (relation == "next") {
      next_ = TextOf(link.Child(names::kUrl));
      next_link_ = link.json();
    } else if (count_ == 1 && relation != "previous" && relation != "prev" && relation != "last") {
      (links_ += link.json()) += ',';
    }
  }
  for (const Node entry : entries) {
    std::string identity = Identity(entry);
    if (!identity.empty() && !seen_.insert(std::move(identity)).second) continue;
    (entries_ += entry.json()) += ',';
    ++entry_count_;
  }
  return {};
}

std::string BundlePages::Merged() const {
  if (count_ <= 1) return first_;
  std::string out;
  out.reserve(head_.size() + links_.size() + next_link_.size() + entries_.size() + 32);
  out += '{';
  out += head_;
  const auto array = [&out](std::string_view name, std::string_view elements) {
    if (elements.empty()) return;
    if (elements.ends_with(',')) elements.remove_suffix(1);
    ((((out += '"') += name) += "\":[") += elements) += "],";
  };
  array("link", links_ + next_link_);
  array("entry", entries_);
  out.back() = '}';  // there is a resourceType, so what stands there is a comma
  return out;
}

}  // namespace stepwise::rest
