#include "fhir/document.h"

#include <simdjson.h>

#include <algorithm>
#include <limits>

#include "fhir/document_builder.h"

namespace stepwise {

Result<Document> Document::Parse(std::string bytes, const DocumentLimits& limits) {
  const std::size_t most =
      std::min<std::size_t>(limits.max_bytes, std::numeric_limits<std::uint32_t>::max() / 2);
  if (bytes.size() > most) {
    return Fail(Code::kLimit, "the document has " + std::to_string(bytes.size()) +
                                  " bytes, more than the limit of " + std::to_string(most));
  }
  Document document;
  // A byte order mark is no JSON, but Windows tools write it.
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);
  document.size_ = bytes.size();
  const std::size_t padded = bytes.size() + simdjson::SIMDJSON_PADDING;
  if (bytes.capacity() < padded) {
    // Exactly what is needed: growing the string would double it.
    document.bytes_.reserve(padded);
    document.bytes_.assign(bytes);
  } else {
    document.bytes_ = std::move(bytes);
  }
  document.bytes_.resize(padded, '\0');
  STEPWISE_RETURN_IF_ERROR(DocumentBuilder(document, limits).Build());
  return document;
}

std::size_t Document::memory_bytes() const {
  std::size_t total = bytes_.capacity() + nodes_.capacity() * sizeof(Record) +
                      resources_.capacity() * sizeof(std::uint32_t) + unescaped_.capacity() +
                      escapes_.capacity() * sizeof(Escape);
  for (const std::string& name : foreign_names_) total += sizeof(name) + name.capacity();
  return total;
}

NameId Document::FindName(std::string_view text) const {
  const NameId name = stepwise::FindName(text);
  if (name != kNoName) return name;
  for (std::size_t i = 0; i < foreign_names_.size(); ++i) {
    if (foreign_names_[i] == text) return NameCount() + static_cast<NameId>(i);
  }
  return kNoName;
}

std::string_view Document::NameText(NameId name) const {
  return name < NameCount() ? stepwise::NameText(name) : std::string_view(foreign_names_[name - NameCount()]);
}

bool Node::boolean() const {
  const Record& r = record();
  return r.kind == NodeKind::kBoolean && document_->bytes_[r.begin] == 't';
}

void Document::Blank(Node text) {
  if (text.document() != this || text.kind() != NodeKind::kString) return;
  const std::string_view written = text.json();
  const std::string_view decoded = text.string();
  const auto blank = [](std::string& where, std::string_view what, std::size_t quote) {
    std::fill_n(where.begin() + (what.data() - where.data()) + static_cast<std::ptrdiff_t>(quote),
                what.size() - 2 * quote, 'x');
  };
  blank(bytes_, written, 1);
  if (decoded.data() != written.data() + 1) blank(unescaped_, decoded, 0);
}

std::string_view Node::json() const {
  const Record& r = record();
  const std::string_view bytes = document_->bytes_;
  if (r.kind != NodeKind::kString) return bytes.substr(r.begin, r.length);
  if ((r.flags & Record::kEscaped) == 0) return bytes.substr(r.begin - 1, r.length + 2);
  const auto& escapes = document_->escapes_;
  auto it = std::upper_bound(escapes.begin(), escapes.end(), r.begin,
                             [](std::uint32_t at, const Document::Escape& e) { return at < e.decoded; });
  --it;
  return bytes.substr(it->begin, it->length);
}

Node Node::Child(std::string_view name) const {
  const NameId id = document_->FindName(name);
  return id == kNoName ? Node() : Child(id);
}

Node Node::NullChild(NameId name) const {
  const Record& r = record();
  if (r.kind != NodeKind::kObject) return {};
  for (std::uint32_t i = index_ + 1; i < r.link;) {
    const Record& child = document_->nodes_[i];
    if (child.name == name && child.kind == NodeKind::kNull && (child.flags & Record::kCompanion) == 0)
      return {document_, i};
    i = child.kind == NodeKind::kObject ? child.link : i + 1;
  }
  return {};
}

Node Node::NullChild(std::string_view name) const {
  const NameId id = document_->FindName(name);
  return id == kNoName ? Node() : NullChild(id);
}

Node Node::parent() const {
  if (index_ == 0) return {};
  const Node above(document_, record().parent);
  // Children of an `_name` object belong to the primitive that it hangs on.
  if ((above.record().flags & Record::kCompanion) != 0) {
    for (const Node sibling : Node(document_, above.record().parent).children()) {
      if (sibling.kind() != NodeKind::kObject && sibling.record().link == above.index_) return sibling;
    }
  }
  return above;
}

Node Node::resource() const {
  for (Node node = *this; node; node = node.index_ == 0 ? Node() : Node(document_, node.record().parent)) {
    if (node.kind() == NodeKind::kObject && node.resource_type() != types::kNone) return node;
  }
  return {};
}

namespace {

std::string PathFrom(Node node, Node stop) {
  std::vector<std::string> parts;
  while (node != stop) {
    const Node parent = node.parent();
    std::string part(node.name_text());
    if (node.in_array()) {
      std::size_t index = 0;
      for (const Node sibling : parent.children()) {
        if (sibling == node) break;
        if (sibling.name() == node.name()) ++index;
      }
      part += "[" + std::to_string(index) + "]";
    }
    parts.push_back(std::move(part));
    node = parent;
  }
  std::string path(stop.resource_type() == types::kNone ? "$" : TypeName(stop.resource_type()));
  for (auto it = parts.rbegin(); it != parts.rend(); ++it) path += "." + *it;
  return path;
}

}  // namespace

std::string Node::Path() const { return PathFrom(*this, document_->root()); }

std::string Node::PathInResource() const {
  const Node container = resource();
  return PathFrom(*this, container ? container : document_->root());
}

}  // namespace stepwise
