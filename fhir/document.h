// Document: one immutable tree from UTF-8 JSON bytes.
//
// The tree is a flat array of 24-byte nodes in document order. Property names are small integers, strings
// and numbers are views into the bytes (numbers keep the text they were written with: FHIR decimals are not
// doubles), arrays are repeated properties, and the `_name` sibling of a primitive hangs on the primitive.
//
//   Result<Document> doc = Document::Parse(R"({"resourceType":"Patient","_birthDate":{"id":"a"}})");
//   for (Node child : doc->root().children()) ...
//
// A property given twice in one object is refused: which of the two counts is nobody's guess. Arrays inside
// arrays (plain JSON, not FHIR) are flattened; json() of what contains them is as written.
// Objects that carry a resourceType know the FHIR type they claim; a list of all resources in document
// order comes for free. Nothing is copied but strings with escapes.
// Thread-safety: immutable after Parse; share freely. Nodes are views: they live as long as the Document
// is alive and not moved-from.
#ifndef STEPWISE_FHIR_DOCUMENT_H_
#define STEPWISE_FHIR_DOCUMENT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/model.h"
#include "fhir/result.h"

namespace stepwise {

struct DocumentLimits {
  std::size_t max_bytes = 16u << 20;  // larger inputs are refused before they are read
  int max_depth = 100;                // nested objects and arrays
};

enum class NodeKind : std::uint8_t { kNull, kBoolean, kNumber, kString, kObject };

class Node;

class Document {
 public:
  // Takes the bytes. They are not copied when the string was moved in with 64 bytes of spare capacity (which
  // simdjson reads and ignores); otherwise once. Errors: kSyntax (not JSON, not UTF-8, a property given
  // twice), kLimit (size, depth); `path` names the place in FHIRPath form, span.line/column the place in the
  // text.
  static Result<Document> Parse(std::string bytes, const DocumentLimits& limits = {});

  Document(Document&&) noexcept = default;
  Document& operator=(Document&&) noexcept = default;

  // Overwrites a string with as many x, in the bytes too: for secrets that were read and must not go further.
  // What `text` is a view of changes with it. Not for strings of another document or other kinds of nodes.
  void Blank(Node text);

  Node root() const;
  Node node(std::uint32_t index) const;
  std::string_view bytes() const { return std::string_view(bytes_).substr(0, size_); }
  std::uint32_t node_count() const { return static_cast<std::uint32_t>(nodes_.size()); }
  // Heap bytes held: text, nodes, unescaped strings, name table.
  std::size_t memory_bytes() const;

  // Every object with a resourceType, in document order (containers before what they contain).
  std::span<const std::uint32_t> resources() const { return resources_; }
  // Id of a property name inside this document; kNoName when it occurs nowhere and no FHIR version knows it.
  NameId FindName(std::string_view text) const;
  std::string_view NameText(NameId name) const;

 private:
  friend class Node;
  friend class DocumentBuilder;
  struct Record {
    // kOrphan: a primitive that has only its `_name` object. kCompanion: an `_name` object. kEscaped: a
    // string that stands in unescaped_. A type of its own, for stores to bytes might alias everything.
    enum Flags : std::uint8_t { kNoFlags = 0, kArray = 1, kOrphan = 2, kCompanion = 4, kEscaped = 8 };
    friend Flags operator|(Flags a, Flags b) { return static_cast<Flags>(unsigned{a} | unsigned{b}); }
    NameId name;  // property under which the node stands; ids past NameCount() are foreign_names_
    NodeKind kind;
    Flags flags;
    TypeId resource_type;  // claimed by resourceType, types::kNone when absent or unknown
    std::uint32_t parent;
    std::uint32_t link;  // object: index past its last descendant; primitive: index of its `_name` node, or 0
    std::uint32_t begin;  // string: first byte in bytes (or in unescaped_); number, boolean, object: raw JSON
    std::uint32_t length;
  };
  struct Escape {
    std::uint32_t decoded, begin, length;
  };
  Document() = default;

  std::string bytes_;     // the text, and zeros that simdjson and we may read past its end
  std::size_t size_ = 0;  // of the text
  std::vector<Record> nodes_;
  std::vector<std::uint32_t> resources_;
  std::string unescaped_;        // strings that were written with escapes, decoded
  std::vector<Escape> escapes_;  // where each of them was written, by position in unescaped_
  std::vector<std::string> foreign_names_;
};

// A place in a document. 16 bytes, cheap to copy; compares by identity.
class Node {
 public:
  class Iterator;
  struct Range;

  Node() = default;
  explicit operator bool() const { return document_ != nullptr; }
  friend bool operator==(const Node&, const Node&) = default;

  NodeKind kind() const { return record().kind; }
  NameId name() const { return record().name; }
  std::string_view name_text() const { return document_->NameText(name()); }
  // FHIR type that an object claims by resourceType; types::kNone for everything else.
  TypeId resource_type() const { return record().resource_type; }
  // A primitive that has only an `_name` object (id, extensions) and no value.
  bool is_valueless_primitive() const { return (record().flags & Record::kOrphan) != 0; }
  bool in_array() const { return (record().flags & Record::kArray) != 0; }

  std::string_view string() const;  // decoded text; kString only, "" otherwise
  std::string_view text() const;    // string(), or the raw JSON text of numbers and booleans
  bool boolean() const;             // kBoolean only
  std::string_view json() const;    // raw JSON text as written

  // Children in document order; of a primitive, those of its `_name` object (id, extension).
  Range children() const;
  Node Child(NameId name) const;                  // first child of that name, or a null Node
  Node NextChild(NameId name, Node after) const;  // the next one, where `after` is a child of this node
  Node Child(std::string_view name) const;        // the same by text; for edges, not for the hot path
  // The property that stands there with the value null, which is no child but is not "absent" either.
  Node NullChild(NameId name) const;
  Node NullChild(std::string_view name) const;
  Node parent() const;  // null Node at the root
  const Document* document() const { return document_; }
  std::uint32_t index() const { return index_; }
  // Index of the object that holds this node as written (of what an `_name` object holds: that object).
  std::uint32_t holder_index() const { return record().parent; }
  // Index past the last descendant: the nodes of the subtree are index() .. end_index() - 1.
  std::uint32_t end_index() const { return kind() == NodeKind::kObject ? record().link : index_ + 1; }
  // Nearest enclosing object (or itself) with a resourceType; null Node if none.
  Node resource() const;
  // "Bundle.entry[3].resource.name[0].given[1]"; starts with the root's resource type, or "$" for plain JSON.
  std::string Path() const;
  // The same from the nearest enclosing resource: "Patient.name[0]".
  std::string PathInResource() const;

 private:
  friend class Document;
  using Record = Document::Record;
  Node(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
  // The `_name` object of a primitive is reached through the primitive; a null has nothing to say.
  static bool IsHidden(const Record& record) {
    return (record.flags & Record::kCompanion) != 0 || (record.kind == NodeKind::kNull && record.link == 0);
  }
  // The first visible child called `name` among the records from `index` to `end`.
  Node Search(NameId name, std::uint32_t index, std::uint32_t end) const {
    const Record* const records = document_->nodes_.data();
    while (index != end) {
      const Record& record = records[index];
      if (record.name == name && !IsHidden(record)) return {document_, index};
      index = record.kind == NodeKind::kObject ? record.link : index + 1;
    }
    return {};
  }
  // Records of the children: those of the object, or of the primitive's `_name` object.
  std::uint32_t first_child() const {
    const Record& r = record();
    return r.kind == NodeKind::kObject ? index_ + 1 : r.link == 0 ? 0 : r.link + 1;
  }
  std::uint32_t last_child() const {
    const Record& r = record();
    return r.kind == NodeKind::kObject ? r.link : r.link == 0 ? 0 : document_->nodes_[r.link].link;
  }
  const Record& record() const { return document_->nodes_[index_]; }

  const Document* document_ = nullptr;
  std::uint32_t index_ = 0;
};

class Node::Iterator {
 public:
  Iterator(const Document* document, std::uint32_t index, std::uint32_t end)
      : document_(document), index_(index), end_(end) {
    SkipHidden();
  }
  Node operator*() const { return {document_, index_}; }
  Iterator& operator++() {
    index_ = Next(index_);
    SkipHidden();
    return *this;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }

 private:
  std::uint32_t Next(std::uint32_t index) const {
    const Record& record = document_->nodes_[index];
    return record.kind == NodeKind::kObject ? record.link : index + 1;
  }
  void SkipHidden() {
    while (index_ != end_ && IsHidden(document_->nodes_[index_])) index_ = Next(index_);
  }
  const Document* document_;
  std::uint32_t index_, end_;
};

struct Node::Range {
  Iterator first, last;
  Iterator begin() const { return first; }
  Iterator end() const { return last; }
  bool empty() const { return first == last; }
};

inline Node Document::root() const { return {this, 0}; }
inline Node Document::node(std::uint32_t index) const { return {this, index}; }

inline std::string_view Node::string() const {
  const Record& r = record();
  if (r.kind != NodeKind::kString) return {};
  const std::string& text = (r.flags & Record::kEscaped) != 0 ? document_->unescaped_ : document_->bytes_;
  return {text.data() + r.begin, r.length};
}

inline std::string_view Node::text() const {
  const Record& r = record();
  return r.kind == NodeKind::kString ? string()
                                     : std::string_view(document_->bytes_.data() + r.begin, r.length);
}

inline Node::Range Node::children() const {
  const std::uint32_t end = last_child();
  return {{document_, first_child(), end}, {document_, end, end}};
}

inline Node Node::Child(NameId name) const { return Search(name, first_child(), last_child()); }
inline Node Node::NextChild(NameId name, Node after) const {
  return Search(name, after.kind() == NodeKind::kObject ? after.record().link : after.index_ + 1,
                last_child());
}

}  // namespace stepwise

#endif  // STEPWISE_FHIR_DOCUMENT_H_
