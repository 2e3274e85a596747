#include "fhir/document_builder.h"

#include <simdjson.h>

#include <algorithm>

#include "fhir/json_place.h"
#include "fhir/json_text.h"

namespace stepwise {
namespace {

constexpr NameId kCompanionKey = 0x80000000;
constexpr std::size_t kLinearNames = 64;
constexpr std::size_t kKeptCapacity = 4u << 20;  // bytes of scratch that a thread holds between documents
constexpr std::size_t kLongestPath = 400;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

template <typename T>
T* AtLeast(std::vector<T>& scratch, std::size_t count) {
  if (scratch.size() < count) scratch.resize(count);
  return scratch.data();
}

template <typename T>
void GiveBackIfHuge(std::vector<T>& scratch) {
  if (scratch.size() * sizeof(T) > kKeptCapacity) std::vector<T>().swap(scratch);
}

}  // namespace

Status DocumentBuilder::Build() {
  if (!FindTokens()) return tl::unexpected(std::move(error_));
  // Scratch memory stays with the thread: a fresh block a request would be paid for in page faults.
  thread_local std::vector<Record> nodes;
  thread_local std::vector<Frame> frames;
  thread_local std::vector<NameId> names;
  thread_local const auto cache = std::make_unique<NameCache>();
  // Each node but the root has a token of its own and a ':' or ',' or '['; each name has a ':'.
  const std::size_t most = token_count_ / 2 + 2;
  nodes_ = AtLeast(nodes, most);
  names_ = AtLeast(names, most);
  frames_ = top_ = AtLeast(frames, static_cast<std::size_t>(limits_.max_depth) + 1);
  deepest_ = frames_ + limits_.max_depth;
  *top_ = {};  // what stands around the document
  cache_ = cache.get();
  const bool good = Walk();
  if (good) {
    doc_.nodes_.assign(nodes_, nodes_ + node_count_);
    if (!std::is_sorted(doc_.resources_.begin(), doc_.resources_.end()))
      std::sort(doc_.resources_.begin(), doc_.resources_.end());
  }
  GiveBackIfHuge(nodes);
  GiveBackIfHuge(names);
  if (!good) return tl::unexpected(std::move(error_));
  return {};
}

// Stage one: where tokens start. The buffers are kept per thread: requests come one after the other.
bool DocumentBuilder::FindTokens() {
  thread_local std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
  thread_local std::size_t capacity = 0;
  const std::string_view bytes = doc_.bytes();
  if (parser == nullptr || capacity < bytes.size()) {
    capacity = std::max<std::size_t>(bytes.size(), 64 * 1024);
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            capacity, static_cast<std::size_t>(limits_.max_depth), parser) != simdjson::SUCCESS) {
      parser.reset();
      return Stop(Code::kLimit, 0, "not enough memory to read the document");
    }
  }
  const auto error = parser->stage1(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                                    simdjson::stage1_mode::regular);
  switch (error) {
    case simdjson::SUCCESS: break;
    case simdjson::EMPTY: return Syntax(0, "the document is empty; expected a JSON object");
    case simdjson::UTF8_ERROR: return Syntax(FirstInvalidUtf8(bytes), "the text is not valid UTF-8");
    case simdjson::UNCLOSED_STRING:
      return Syntax(bytes.size(), "a string is not closed before the end of the text");
    case simdjson::UNESCAPED_CHARS:
      return Syntax(FirstControlInString(bytes),
                    "a control character in a string; write it as an escape such as \\n");
    default: return Syntax(0, std::string("not JSON: ") + simdjson::error_message(error));
  }
  token_count_ = parser->n_structural_indexes;
  parser->structural_indexes[token_count_] = static_cast<std::uint32_t>(bytes.size());  // there is room
  tokens_ = parser->structural_indexes.get();
  // A parser that has served one huge document should not hold its memory for ever.
  if (capacity > kKeptCapacity) {
    kept_ = std::move(parser);
    capacity = 0;
  }
  return true;
}

// Where the token at `at` ends, without the white space behind it.
[[gnu::always_inline]] inline std::uint32_t DocumentBuilder::TokenEnd(std::size_t at) const {
  const char* const bytes = doc_.bytes_.data();
  std::uint32_t end = tokens_[at + 1];
  while (IsSpace(bytes[end - 1])) --end;  // stops at the token's first byte at the latest
  return end;
}

// Tokens come in order, so one search through the text answers for all of them.
[[gnu::always_inline]] inline bool DocumentBuilder::HasBackslash(const char* begin, const char* end) {
  if (end <= next_backslash_) return false;
  if (begin > next_backslash_) {
    const char* const rest = doc_.bytes_.data() + doc_.size_;
    const void* found = std::memchr(begin, '\\', static_cast<std::size_t>(rest - begin));
    next_backslash_ = found == nullptr ? rest : static_cast<const char*>(found);
  }
  return next_backslash_ < end;
}

// Records and frames are written field by field where they stay: building them aside and copying would stall
// on the store.
[[gnu::always_inline]] inline Document::Record& DocumentBuilder::Append(NodeKind kind, std::uint32_t begin,
                                                                        std::uint32_t length) {
  const Frame& parent = *top_;
  Record& record = nodes_[node_count_++];
  record.name = parent.name;
  record.kind = kind;
  record.flags = parent.flags;
  record.resource_type = types::kNone;
  record.parent = parent.object;
  record.link = 0;
  record.begin = begin;
  record.length = length;
  return record;
}

[[gnu::always_inline]] inline bool DocumentBuilder::OpenObject(std::uint32_t offset) {
  if (top_ == deepest_) return TooDeep(offset);
  const std::uint32_t index = node_count_;
  Append(NodeKind::kObject, offset, 0);
  Frame& frame = *++top_;
  frame.object = index;
  frame.names_begin = name_count_;
  frame.seen = 0;
  frame.name = kNoName;
  frame.flags = Record::kNoFlags;
  frame.has_companion = false;
  return true;
}

[[gnu::always_inline]] inline bool DocumentBuilder::OpenArray(std::uint32_t offset) {
  if (top_ == deepest_) return TooDeep(offset);
  const Frame& parent = *top_;
  Frame& frame = *++top_;
  frame.object = parent.object;
  frame.names_begin = parent.names_begin;
  frame.seen = 0;
  frame.name = parent.name;
  frame.flags = parent.flags | Record::kArray;
  frame.has_companion = false;
  return true;
}

[[gnu::always_inline]] inline void DocumentBuilder::CloseObject(std::uint32_t offset) {
  const Frame& frame = *top_;
  Record& record = nodes_[frame.object];
  record.link = node_count_;
  record.length = offset + 1 - record.begin;
  if (frame.has_companion) LinkCompanions(frame.object);
  name_count_ = frame.names_begin;
  --top_;
}

[[gnu::always_inline]] inline bool DocumentBuilder::Name(std::size_t at) {
  const char* const bytes = doc_.bytes_.data();
  const std::uint32_t begin = tokens_[at] + 1;
  const std::uint32_t end = TokenEnd(at) - 1;
  if (end < begin || bytes[end] != '"') return Syntax(tokens_[at], "a property name is not closed");
  const std::string_view text(bytes + begin, end - begin);
  Frame& frame = *top_;
  frame.flags = Record::kNoFlags;
  NameId name = cache_->Find(text);
  NameId key = name;
  if (name == kNoName) {
    if (!UncommonName(at, text, frame, &name)) return false;
    // `name` and `_name` are two properties.
    key = name | (frame.flags == Record::kCompanion ? kCompanionKey : 0);
  }
  frame.name = name;
  // Seen in this object?
  const std::uint64_t bit = std::uint64_t{1} << (key & 63);
  if ((frame.seen & bit) != 0 && SeenBefore(frame, key))
    return Syntax(tokens_[at], "property \"" + std::string(text) + "\" is given twice in one object");
  frame.seen |= bit;
  names_[name_count_++] = key;
  return true;
}

[[gnu::always_inline]] inline bool DocumentBuilder::Scalar(std::size_t at) {
  const char* const bytes = doc_.bytes_.data();
  const std::uint32_t begin = tokens_[at];
  if (bytes[begin] != '"') return Literal(at);
  const std::uint32_t end = TokenEnd(at);
  if (end < begin + 2 || bytes[end - 1] != '"') return Syntax(begin, "a string is not closed");
  Record& record = Append(NodeKind::kString, begin + 1, end - begin - 2);
  if (HasBackslash(bytes + begin, bytes + end) && !Unescape(begin, end, record)) return false;
  if (record.name == names::kResourceType && top_->flags == Record::kNoFlags) ClaimType(*top_, record);
  return true;
}

// true, false, null or a number.
bool DocumentBuilder::Literal(std::size_t at) {
  const std::uint32_t begin = tokens_[at];
  if (at == token_count_) return Ends();
  const std::string_view text = doc_.bytes().substr(begin, TokenEnd(at) - begin);
  NodeKind kind;
  if (IsJsonNumber(text))
    kind = NodeKind::kNumber;
  else if (text == "true" || text == "false")
    kind = NodeKind::kBoolean;
  else if (text == "null")
    kind = NodeKind::kNull;
  else
    return Syntax(begin, "expected a value");
  Append(kind, begin, static_cast<std::uint32_t>(text.size()));
  return true;
}

// The grammar, one label a state; `at` is the token to be read next. Behind the last token stands the end of
// the text, which is a zero and no token: no state needs to ask whether there is a next one.
bool DocumentBuilder::Walk() {
  const char* const bytes = doc_.bytes_.data();
  std::size_t at = 0;
  if (bytes[tokens_[at]] != '{') return Syntax(tokens_[at], "expected a JSON object");
  if (!OpenObject(tokens_[at])) return false;
  ++at;

object_begin:
  if (bytes[tokens_[at]] == '}') goto close_object;

property:
  if (bytes[tokens_[at]] != '"') return Unexpected(at, "expected a property name in double quotes or '}'");
  if (!Name(at)) return false;
  ++at;
  if (bytes[tokens_[at]] != ':') return Unexpected(at, "expected ':' after the property name");
  ++at;

value:
  switch (bytes[tokens_[at]]) {
    case '{':
      if (!OpenObject(tokens_[at])) return false;
      ++at;
      goto object_begin;
    case '[':
      if (!OpenArray(tokens_[at])) return false;
      ++at;
      if (bytes[tokens_[at]] == ']') goto close_array;
      goto value;
    default:
      if (!Scalar(at)) return false;
      ++at;
  }

after_value:
  switch (bytes[tokens_[at]]) {
    case ',':
      ++at;
      if (top_->array()) goto value;
      goto property;
    case '}':
      if (top_->array()) return Syntax(tokens_[at], "expected ',' or ']'");
      goto close_object;
    case ']':
      if (!top_->array()) return Syntax(tokens_[at], "expected ',' or '}'");
      goto close_array;
    default: return Unexpected(at, top_->array() ? "expected ',' or ']'" : "expected ',' or '}'");
  }

close_object:
  CloseObject(tokens_[at]);
  ++at;
  if (top_ != frames_) goto after_value;
  return at == token_count_ || Syntax(tokens_[at], "text after the end of the document");

close_array:
  --top_;
  ++at;
  goto after_value;
}

// `_birthDate`, a name with escapes, a name that FHIR does not know.
bool DocumentBuilder::UncommonName(std::size_t at, std::string_view text, Frame& frame, NameId* name) {
  std::string decoded;
  if (HasBackslash(text.data(), text.data() + text.size())) {
    if (!AppendJsonUnescaped(text, decoded))
      return Syntax(tokens_[at], "an escape in a property name is not JSON");
    text = decoded;
    *name = FindName(text);
  }
  if (*name == kNoName && text.size() > 1 && text[0] == '_') {
    // `_birthDate` belongs to birthDate; `_links` of plain JSON stays a property of its own.
    *name = FindName(text.substr(1));
    if (*name != kNoName) {
      frame.flags = Record::kCompanion;
      frame.has_companion = true;
    }
  }
  if (*name == kNoName) *name = ForeignName(text);
  return true;
}

// Few names: look through them; many: a set, so that a hostile object costs no quadratic time.
bool DocumentBuilder::SeenBefore(const Frame& frame, NameId key) {
  const NameId* const first = names_ + frame.names_begin;
  const std::size_t count = name_count_ - frame.names_begin;
  if (count < kLinearNames) return std::find(first, first + count, key) != first + count;
  const std::uint64_t object = static_cast<std::uint64_t>(frame.object) << 32;
  // Names since the last time are added now; those of one object are always added in order.
  std::uint32_t& known = known_names_[frame.object];
  for (; known < count; ++known) many_names_.insert(object | first[known]);
  return many_names_.contains(object | key);
}

NameId DocumentBuilder::ForeignName(std::string_view text) {
  const auto [it, added] = foreign_.try_emplace(std::string(text), kNoName);
  if (added) {
    it->second = NameCount() + static_cast<NameId>(doc_.foreign_names_.size());
    doc_.foreign_names_.emplace_back(text);
  }
  return it->second;
}

// The string between the offsets, quotes included.
bool DocumentBuilder::Unescape(std::uint32_t begin, std::uint32_t end, Record& record) {
  const std::size_t decoded = doc_.unescaped_.size();
  if (!AppendJsonUnescaped(doc_.bytes().substr(begin + 1, end - begin - 2), doc_.unescaped_))
    return Syntax(begin, "an escape in the string is not JSON");
  doc_.escapes_.push_back({static_cast<std::uint32_t>(decoded), begin, end - begin});
  record.flags = record.flags | Record::kEscaped;
  record.begin = static_cast<std::uint32_t>(decoded);
  record.length = static_cast<std::uint32_t>(doc_.unescaped_.size() - decoded);
  return true;
}

void DocumentBuilder::ClaimType(const Frame& frame, const Record& text) {
  const std::string_view name = (text.flags & Record::kEscaped) != 0
                                    ? std::string_view(doc_.unescaped_).substr(text.begin, text.length)
                                    : doc_.bytes().substr(text.begin, text.length);
  nodes_[frame.object].resource_type = FindFhirType(name);
  doc_.resources_.push_back(frame.object);
}

// Hangs each `_name` object on its primitive; arrays pair by position. A null with a companion stands for a
// primitive without a value; a companion without any partner does so itself.
void DocumentBuilder::LinkCompanions(std::uint32_t object) {
  Record* const nodes = nodes_;
  const std::uint32_t end = nodes[object].link;
  const auto next = [&](std::uint32_t i) {
    return nodes[i].kind == NodeKind::kObject ? nodes[i].link : i + 1;
  };
  std::vector<std::uint32_t> companions;
  std::vector<std::uint32_t> primitives;
  for (std::uint32_t i = object + 1; i < end; i = next(i)) {
    if ((nodes[i].flags & Record::kCompanion) != 0)
      companions.push_back(i);
    else if (nodes[i].kind != NodeKind::kObject)
      primitives.push_back(i);
  }
  const auto by_name = [&](std::uint32_t a, std::uint32_t b) { return nodes[a].name < nodes[b].name; };
  std::stable_sort(companions.begin(), companions.end(), by_name);
  std::stable_sort(primitives.begin(), primitives.end(), by_name);
  std::size_t p = 0;
  for (std::size_t c = 0; c < companions.size();) {
    const NameId name = nodes[companions[c]].name;
    while (p < primitives.size() && nodes[primitives[p]].name < name) ++p;
    for (; c < companions.size() && nodes[companions[c]].name == name; ++c) {
      Record& companion = nodes[companions[c]];
      Record* partner = nullptr;
      if (p < primitives.size() && nodes[primitives[p]].name == name) partner = &nodes[primitives[p++]];
      if (companion.kind != NodeKind::kObject) continue;  // null: nothing to hang on
      if (partner != nullptr) {
        partner->link = companions[c];
        if (partner->kind == NodeKind::kNull) partner->flags = partner->flags | Record::kOrphan;
      } else {
        companion.flags = static_cast<Record::Flags>(companion.flags & Record::kArray) | Record::kOrphan;
      }
    }
  }
}

bool DocumentBuilder::Ends() { return Syntax(doc_.size_, "the text ends inside an object or array"); }

bool DocumentBuilder::Unexpected(std::size_t at, std::string message) {
  return at == token_count_ ? Ends() : Syntax(tokens_[at], std::move(message));
}

bool DocumentBuilder::TooDeep(std::uint32_t offset) {
  return Stop(Code::kLimit, offset,
              "objects and arrays are nested deeper than the limit of " + std::to_string(limits_.max_depth));
}

bool DocumentBuilder::Syntax(std::size_t offset, std::string message) {
  return Stop(Code::kSyntax, offset, std::move(message));
}

// Names the place in the text and, as far as the tree has grown, in the document.
bool DocumentBuilder::Stop(Code code, std::size_t offset, std::string message) {
  std::string path;
  if (top_ != frames_) {
    // Open objects have no end yet; give them one so that Path() can count siblings.
    doc_.nodes_.assign(nodes_, nodes_ + node_count_);
    for (const Frame* frame = top_; frame != frames_; --frame) doc_.nodes_[frame->object].link = node_count_;
    path = doc_.node(top_->object).Path();
    if (top_->name != kNoName) path += "." + std::string(doc_.NameText(top_->name));
  } else if (node_count_ == 0) {
    path = JsonPathAt(doc_.bytes(), offset);
  }
  if (path.size() > kLongestPath) path = path.substr(0, kLongestPath) + "...";
  error_ = Error{code, std::move(message), SpanAt(doc_.bytes(), offset), std::move(path)};
  return false;
}

}  // namespace stepwise
