#include "fhir/document.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <unordered_set>

namespace stepwise {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// RFC 8259 number grammar.
bool IsNumber(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t begin = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i - begin;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const std::size_t first = i;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void AppendUtf8(std::uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// Four hex digits at `at`, or -1.
int Hex4(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const int digit = HexDigit(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// Appends the decoded text of a JSON string's inside; false on an unknown escape or half a surrogate pair.
bool Unescape(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return false;
    switch (text[i]) {
      case '"':
      case '\\':
      case '/': out += text[i]; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u': {
        const int high = Hex4(text, i + 1);
        if (high < 0 || (high >= 0xDC00 && high < 0xE000)) return false;
        i += 4;
        std::uint32_t code = static_cast<std::uint32_t>(high);
        if (high >= 0xD800 && high < 0xDC00) {
          if (i + 2 >= text.size() || text[i + 1] != '\\' || text[i + 2] != 'u') return false;
          const int low = Hex4(text, i + 3);
          if (low < 0xDC00 || low >= 0xE000) return false;
          i += 6;
          code = 0x10000 + ((code - 0xD800) << 10) + (static_cast<std::uint32_t>(low) - 0xDC00);
        }
        AppendUtf8(code, out);
        break;
      }
      default: return false;
    }
  }
  return true;
}

// Offset of the first byte that is not UTF-8; text.size() when all is well. Error path only.
std::size_t FirstInvalidUtf8(std::string_view text) {
  // Whole prefixes are valid or not, so the border is found by halving.
  std::size_t good = 0;
  std::size_t bad = text.size();
  while (good < bad) {
    const std::size_t middle = good + (bad - good) / 2;
    // A cut inside a character would look invalid: move it to the character's end.
    std::size_t cut = middle + 1;
    while (cut < bad && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80 && cut - middle < 4) ++cut;
    if (simdjson::validate_utf8(text.data(), cut)) {
      good = cut;
    } else if (cut >= bad) {
      bad = middle;
    } else {
      bad = cut;
    }
  }
  return good;
}

// Where in the document an offset lies, for errors that are found before there is a tree: "$.context.a[2]".
// What is not JSON on the way there may mislead it, which only a message notices. Error path only.
std::string PathAt(std::string_view text, std::size_t offset) {
  constexpr std::size_t kDeepest = 100, kLongestName = 60;
  struct Level {
    bool array;
    bool named;  // the property's name has been read
    std::size_t index;
    std::string name;
  };
  std::vector<Level> levels;
  for (std::size_t i = 0; i < std::min(offset, text.size()); ++i) {
    switch (text[i]) {
      case '{':
      case '[':
        if (levels.size() == kDeepest)
          i = text.size();
        else
          levels.push_back({text[i] == '[', false, 0, ""});
        break;
      case '}':
      case ']':
        if (!levels.empty()) levels.pop_back();
        break;
      case ',':
        if (!levels.empty()) {
          ++levels.back().index;
          levels.back().named = false;
        }
        break;
      case '"': {
        const std::size_t begin = ++i;
        while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
        if (i >= offset || levels.empty() || levels.back().array || levels.back().named) break;
        levels.back().name = text.substr(begin, std::min(i - begin, kLongestName));
        levels.back().named = true;
        break;
      }
      default: break;
    }
  }
  std::string path = "$";
  for (const Level& level : levels) {
    if (level.array)
      path += "[" + std::to_string(level.index) + "]";
    else if (level.named)
      path += "." + level.name;
  }
  return path == "$" ? "" : path;
}

}  // namespace

// Second stage of parsing: walks simdjson's structural indexes (where each token starts) once and lays out
// records. Iterative, so that depth costs no stack. We do not use simdjson's own second stage because it
// turns numbers into doubles and copies every string.
class DocumentBuilder {
 public:
  DocumentBuilder(Document& document, const DocumentLimits& limits) : doc_(document), limits_(limits) {}

  Status Build() {
    if (!FindTokens()) return tl::unexpected(std::move(error_));
    // Scratch memory stays with the thread: a fresh block a request would be paid for in page faults.
    thread_local std::vector<Document::Record> scratch;
    thread_local std::vector<Frame> stack;
    thread_local std::vector<Guess> guesses(2 * NameCount());
    guesses_ = guesses.data();
    // Each node but the root has a token of its own and a ':' or ',' or '['.
    const std::size_t most = token_count_ / 2 + 2;
    if (scratch.size() < most) scratch.resize(most);
    if (stack.size() < static_cast<std::size_t>(limits_.max_depth))
      stack.resize(static_cast<std::size_t>(limits_.max_depth));
    nodes_ = scratch.data();
    frames_ = stack.data();
    const bool good = Walk();
    if (good) {
      doc_.nodes_.assign(nodes_, nodes_ + node_count_);
      if (!std::is_sorted(doc_.resources_.begin(), doc_.resources_.end())) {
        std::sort(doc_.resources_.begin(), doc_.resources_.end());
      }
    }
    if (scratch.size() * sizeof(Document::Record) > kKeptCapacity)
      std::vector<Document::Record>().swap(scratch);
    if (!good) return tl::unexpected(std::move(error_));
    return {};
  }

 private:
  // An open object or array. An array's `object` is the object that has it as a property.
  struct Frame {
    std::uint32_t object;
    std::uint32_t names_begin;  // where the object's property names start in names_
    std::uint64_t seen;         // one bit a name, so that most names need no search
    NameId name;                // property being read
    bool array;
    bool companion;      // the property is written `_name`
    bool has_companion;  // some property of this object is
  };

  // A property name that is expected, compared without a loop or a branch on its length (the text is padded).
  struct Guess {
    std::uint64_t text[2] = {0, 0};
    std::uint64_t mask[2] = {0, 0};  // ones where the text has bytes
    std::uint32_t name = kNoName;
    std::uint32_t size = 0;  // 1..16, 0: no guess

    bool Fits(std::string_view other) const {
      std::uint64_t words[2];
      std::memcpy(words, other.data(), 16);
      const std::uint64_t difference = ((words[0] ^ text[0]) & mask[0]) | ((words[1] ^ text[1]) & mask[1]);
      return difference == 0 && other.size() == size && size != 0;
    }
    void Set(std::string_view other, NameId id) {
      if (other.empty() || other.size() > sizeof(text)) return;
      *this = {};
      std::memcpy(text, other.data(), other.size());
      std::memset(mask, 0xFF, other.size());
      size = static_cast<std::uint32_t>(other.size());
      name = id;
    }
  };

  // Stage one: where tokens start. The buffers are kept per thread: requests come one after the other.
  bool FindTokens() {
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
        return Syntax(FirstControlInString(),
                      "a control character in a string; write it as an escape such as \\n");
      default: return Syntax(0, std::string("not JSON: ") + simdjson::error_message(error));
    }
    tokens_ = parser->structural_indexes.get();
    token_count_ = parser->n_structural_indexes;
    // A parser that has served one huge document should not hold its memory for ever.
    if (capacity > kKeptCapacity) {
      kept_ = std::move(parser);
      capacity = 0;
    }
    return true;
  }

  // The grammar, one label a state; `at` is the token to be read next.
  bool Walk() {
    const char* const bytes = doc_.bytes_.data();
    const std::size_t count = token_count_;
    std::size_t at = 1;
    if (bytes[tokens_[0]] != '{') return Syntax(tokens_[0], "expected a JSON object");
    if (!OpenObject(tokens_[0])) return false;

  object_begin:
    if (at == count) return Ends();
    if (bytes[tokens_[at]] == '}') goto close_object;

  property:
    if (at == count) return Ends();
    if (bytes[tokens_[at]] != '"')
      return Syntax(tokens_[at], "expected a property name in double quotes or '}'");
    if (!Name(at)) return false;
    ++at;
    if (at == count) return Ends();
    if (bytes[tokens_[at]] != ':') return Syntax(tokens_[at], "expected ':' after the property name");
    ++at;

  value:
    if (at == count) return Ends();
    switch (bytes[tokens_[at]]) {
      case '{':
        if (!OpenObject(tokens_[at])) return false;
        ++at;
        goto object_begin;
      case '[':
        if (!OpenArray(tokens_[at])) return false;
        ++at;
        if (at == count) return Ends();
        if (bytes[tokens_[at]] == ']') goto close_array;
        goto value;
      default:
        if (!Scalar(at)) return false;
        ++at;
    }

  after_value:
    if (depth_ == 0) {
      if (at != count) return Syntax(tokens_[at], "text after the end of the document");
      return true;
    }
    if (at == count) return Ends();
    switch (bytes[tokens_[at]]) {
      case ',':
        ++at;
        if (frames_[depth_ - 1].array) goto value;
        goto property;
      case '}':
        if (frames_[depth_ - 1].array) return Syntax(tokens_[at], "expected ',' or ']'");
        goto close_object;
      case ']':
        if (!frames_[depth_ - 1].array) return Syntax(tokens_[at], "expected ',' or '}'");
        goto close_array;
      default:
        return Syntax(tokens_[at], frames_[depth_ - 1].array ? "expected ',' or ']'" : "expected ',' or '}'");
    }

  close_object:
    CloseObject(tokens_[at]);
    ++at;
    goto after_value;

  close_array:
    --depth_;
    ++at;
    goto after_value;
  }

  // Records and frames are written field by field where they stay: building them aside and copying would
  // stall on the store.
  [[gnu::always_inline]] inline Document::Record& Append(NodeKind kind, std::uint32_t begin,
                                                         std::uint32_t length) {
    Document::Record& record = nodes_[node_count_++];
    record.kind = kind;
    record.resource_type = types::kNone;
    record.link = 0;
    record.begin = begin;
    record.length = length;
    if (depth_ == 0) {
      record.name = kNoName;
      record.flags = 0;
      record.parent = 0;
    } else {
      const Frame& parent = frames_[depth_ - 1];
      record.name = parent.name;
      record.flags = static_cast<std::uint8_t>((parent.array ? Node::kArray : 0) |
                                               (parent.companion ? Node::kCompanion : 0));
      record.parent = parent.object;
    }
    return record;
  }

  bool OpenObject(std::uint32_t offset) {
    if (depth_ >= limits_.max_depth) return TooDeep(offset);
    const std::uint32_t index = node_count_;
    Append(NodeKind::kObject, offset, 0);
    Frame& frame = frames_[depth_++];
    frame.object = index;
    frame.names_begin = static_cast<std::uint32_t>(names_.size());
    frame.seen = 0;
    frame.name = kNoName;
    frame.array = frame.companion = frame.has_companion = false;
    return true;
  }

  bool OpenArray(std::uint32_t offset) {
    if (depth_ >= limits_.max_depth) return TooDeep(offset);
    const Frame& parent = frames_[depth_ - 1];
    Frame& frame = frames_[depth_++];
    frame.object = parent.object;
    frame.names_begin = parent.names_begin;
    frame.seen = 0;
    frame.name = parent.name;
    frame.array = true;
    frame.companion = parent.companion;
    frame.has_companion = false;
    return true;
  }

  void CloseObject(std::uint32_t offset) {
    const Frame& frame = frames_[depth_ - 1];
    Document::Record& record = nodes_[frame.object];
    record.link = node_count_;
    record.length = offset + 1 - record.begin;
    if (frame.has_companion) LinkCompanions(frame.object);
    names_.resize(frame.names_begin);
    --depth_;
  }

  // The token's text without the white space behind it.
  std::string_view TokenText(std::size_t at) const {
    const char* const bytes = doc_.bytes_.data();
    const std::uint32_t begin = tokens_[at];
    std::size_t end = at + 1 < token_count_ ? tokens_[at + 1] : doc_.size_;
    while (end > begin && IsSpace(bytes[end - 1])) --end;
    return {bytes + begin, end - begin};
  }

  // Tokens come in order, so one search through the text answers for all of them.
  bool HasBackslash(std::string_view text) {
    const char* const end = text.data() + text.size();
    if (end <= next_backslash_) return false;
    if (text.data() > next_backslash_) {
      const char* const rest = doc_.bytes_.data() + doc_.size_;
      const void* found = std::memchr(text.data(), '\\', static_cast<std::size_t>(rest - text.data()));
      next_backslash_ = found == nullptr ? rest : static_cast<const char*>(found);
    }
    return next_backslash_ < end;
  }

  [[gnu::always_inline]] inline bool Name(std::size_t at) {
    std::string_view text = TokenText(at);
    if (text.size() < 2 || text.back() != '"') return Syntax(tokens_[at], "a property name is not closed");
    text = text.substr(1, text.size() - 2);
    Frame& frame = frames_[depth_ - 1];
    frame.companion = false;
    // What followed the property before it last time usually follows it again.
    const NameId before = frame.name < NameCount() ? frame.name : kNoName;
    Guess& guess = guesses_[before != kNoName ? before : NameCount() + OwnerName()];
    NameId name;
    if (guess.Fits(text)) {
      name = guess.name;
    } else {
      name = stepwise::FindName(text);
      if (name == kNoName) {
        if (!UncommonName(at, text, frame, &name)) return false;
      } else {
        guess.Set(text, name);
      }
    }
    frame.name = name;
    // Seen in this object? `name` and `_name` are two properties.
    const NameId key = name | (frame.companion ? kCompanionKey : 0);
    const std::uint64_t bit = std::uint64_t{1} << (key & 63);
    if ((frame.seen & bit) != 0 && SeenBefore(frame, key)) {
      return Syntax(tokens_[at], "property \"" + std::string(text) + "\" is given twice in one object");
    }
    frame.seen |= bit;
    names_.push_back(key);
    return true;
  }

  // The property under which the innermost object stands; kNoName for names that FHIR does not know.
  NameId OwnerName() const {
    const NameId name = nodes_[frames_[depth_ - 1].object].name;
    return name < NameCount() ? name : kNoName;
  }

  // `_birthDate`, a name with escapes, a name that FHIR does not know.
  bool UncommonName(std::size_t at, std::string_view text, Frame& frame, NameId* name) {
    std::string decoded;
    if (HasBackslash(text)) {
      if (!Unescape(text, decoded)) return Syntax(tokens_[at], "an escape in a property name is not JSON");
      text = decoded;
      *name = stepwise::FindName(text);
    }
    if (*name == kNoName && text.size() > 1 && text[0] == '_') {
      // `_birthDate` belongs to birthDate; `_links` of plain JSON stays a property of its own.
      *name = stepwise::FindName(text.substr(1));
      if (*name != kNoName) frame.companion = frame.has_companion = true;
    }
    if (*name == kNoName) *name = ForeignName(text);
    return true;
  }

  // Few names: look through them; many: a set, so that a hostile object costs no quadratic time.
  bool SeenBefore(const Frame& frame, NameId key) {
    const std::size_t count = names_.size() - frame.names_begin;
    if (count < kLinearNames)
      return std::find(names_.begin() + frame.names_begin, names_.end(), key) != names_.end();
    const std::uint64_t object = static_cast<std::uint64_t>(frame.object) << 32;
    // Names since the last time are added now; those of one object are always added in order.
    std::uint32_t& known = known_names_[frame.object];
    for (; known < count; ++known) many_names_.insert(object | names_[frame.names_begin + known]);
    return many_names_.contains(object | key);
  }

  NameId ForeignName(std::string_view text) {
    const auto [it, added] = foreign_.try_emplace(std::string(text), kNoName);
    if (added) {
      it->second = NameCount() + static_cast<NameId>(doc_.foreign_names_.size());
      doc_.foreign_names_.emplace_back(text);
    }
    return it->second;
  }

  [[gnu::always_inline]] inline bool Scalar(std::size_t at) {
    const Frame& frame = frames_[depth_ - 1];
    const std::uint32_t offset = tokens_[at];
    const std::string_view text = TokenText(at);
    Document::Record& record = Append(NodeKind::kNull, offset, static_cast<std::uint32_t>(text.size()));
    switch (text.empty() ? '\0' : text[0]) {
      case '"': {
        if (text.size() < 2 || text.back() != '"') return Syntax(offset, "a string is not closed");
        record.kind = NodeKind::kString;
        const std::string_view inside = text.substr(1, text.size() - 2);
        record.begin = offset + 1;
        record.length = static_cast<std::uint32_t>(inside.size());
        if (HasBackslash(inside)) {
          const std::size_t decoded = doc_.unescaped_.size();
          if (!Unescape(inside, doc_.unescaped_))
            return Syntax(offset, "an escape in the string is not JSON");
          doc_.escapes_.push_back(
              {static_cast<std::uint32_t>(decoded), offset, static_cast<std::uint32_t>(text.size())});
          record.flags |= Node::kEscaped;
          record.begin = static_cast<std::uint32_t>(decoded);
          record.length = static_cast<std::uint32_t>(doc_.unescaped_.size() - decoded);
        }
        if (frame.name == names::kResourceType && !frame.companion && !frame.array) ClaimType(frame, record);
        break;
      }
      case 't':
      case 'f':
        if (text != "true" && text != "false") return Syntax(offset, "expected a value");
        record.kind = NodeKind::kBoolean;
        break;
      case 'n':
        if (text != "null") return Syntax(offset, "expected a value");
        break;
      default:
        if (!IsNumber(text)) return Syntax(offset, "expected a value");
        record.kind = NodeKind::kNumber;
        break;
    }
    return true;
  }

  void ClaimType(const Frame& frame, const Document::Record& text) {
    const std::string_view name = (text.flags & Node::kEscaped) != 0
                                      ? std::string_view(doc_.unescaped_).substr(text.begin, text.length)
                                      : doc_.bytes().substr(text.begin, text.length);
    nodes_[frame.object].resource_type = FindFhirType(name);
    doc_.resources_.push_back(frame.object);
  }

  // Hangs each `_name` object on its primitive; arrays pair by position. A null with a companion stands for a
  // primitive without a value; a companion without any partner does so itself.
  void LinkCompanions(std::uint32_t object) {
    Document::Record* const nodes = nodes_;
    const std::uint32_t end = nodes[object].link;
    const auto next = [&](std::uint32_t i) {
      return nodes[i].kind == NodeKind::kObject ? nodes[i].link : i + 1;
    };
    std::vector<std::uint32_t> companions;
    std::vector<std::uint32_t> primitives;
    for (std::uint32_t i = object + 1; i < end; i = next(i)) {
      if ((nodes[i].flags & Node::kCompanion) != 0)
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
        Document::Record& companion = nodes[companions[c]];
        Document::Record* partner = nullptr;
        if (p < primitives.size() && nodes[primitives[p]].name == name) partner = &nodes[primitives[p++]];
        if (companion.kind != NodeKind::kObject) continue;  // null: nothing to hang on
        if (partner != nullptr) {
          partner->link = companions[c];
          if (partner->kind == NodeKind::kNull) partner->flags |= Node::kOrphan;
        } else {
          companion.flags = static_cast<std::uint8_t>((companion.flags & ~Node::kCompanion) | Node::kOrphan);
        }
      }
    }
  }

  std::size_t FirstControlInString() const {
    bool inside = false;
    for (std::size_t i = 0; i < doc_.size_; ++i) {
      const char c = doc_.bytes_[i];
      if (inside && c == '\\')
        ++i;
      else if (c == '"')
        inside = !inside;
      else if (inside && static_cast<unsigned char>(c) < 0x20)
        return i;
    }
    return 0;
  }

  bool Ends() { return Syntax(doc_.size_, "the text ends inside an object or array"); }
  bool TooDeep(std::uint32_t offset) {
    return Stop(
        Code::kLimit, offset,
        "objects and arrays are nested deeper than the limit of " + std::to_string(limits_.max_depth));
  }
  bool Syntax(std::size_t offset, std::string message) {
    return Stop(Code::kSyntax, offset, std::move(message));
  }

  // Names the place in the text and, as far as the tree has grown, in the document.
  bool Stop(Code code, std::size_t offset, std::string message) {
    const std::string_view before = doc_.bytes().substr(0, offset);
    SourceSpan span;
    span.line = 1 + static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n'));
    const std::size_t line_begin = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    span.column = 1 + static_cast<std::uint32_t>(std::count_if(
                          before.begin() + static_cast<std::ptrdiff_t>(line_begin), before.end(),
                          [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    span.length = 1;
    std::string path;
    if (depth_ > 0) {
      // Open objects have no end yet; give them one so that Path() can count siblings.
      doc_.nodes_.assign(nodes_, nodes_ + node_count_);
      for (int i = 0; i < depth_; ++i) {
        doc_.nodes_[frames_[i].object].link = static_cast<std::uint32_t>(doc_.nodes_.size());
      }
      path = doc_.node(frames_[depth_ - 1].object).Path();
      const NameId name = frames_[depth_ - 1].name;
      if (name != kNoName) path += "." + std::string(doc_.NameText(name));
    } else if (node_count_ == 0) {
      path = PathAt(doc_.bytes(), offset);
    }
    if (path.size() > kLongestPath) path = path.substr(0, kLongestPath) + "...";
    error_ = Error{code, std::move(message), std::move(span), std::move(path)};
    return false;
  }

  static constexpr NameId kCompanionKey = 0x80000000;
  static constexpr std::size_t kLinearNames = 64;
  static constexpr std::size_t kKeptCapacity = 4u << 20;
  static constexpr std::size_t kLongestPath = 400;

  Document& doc_;
  const DocumentLimits& limits_;
  Error error_;
  std::unique_ptr<simdjson::internal::dom_parser_implementation> kept_;
  const std::uint32_t* tokens_ = nullptr;
  std::size_t token_count_ = 0;
  Document::Record* nodes_ = nullptr;  // scratch of the thread
  std::uint32_t node_count_ = 0;
  const char* next_backslash_ = nullptr;  // the first at or behind the last text that was asked about
  Guess* guesses_ = nullptr;              // by the property before it, or by NameCount() + the object's own
  Frame* frames_ = nullptr;               // likewise; the first depth_ are open
  int depth_ = 0;
  std::vector<NameId> names_;  // property names of the open objects, a stack
  std::unordered_set<std::uint64_t> many_names_;
  std::unordered_map<std::uint32_t, std::uint32_t> known_names_;
  std::unordered_map<std::string, NameId> foreign_;
};

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

std::string_view Node::string() const {
  const Document::Record& r = record();
  if (r.kind != NodeKind::kString) return {};
  const std::string& text = (r.flags & kEscaped) != 0 ? document_->unescaped_ : document_->bytes_;
  return {text.data() + r.begin, r.length};
}

std::string_view Node::text() const {
  const Document::Record& r = record();
  return r.kind == NodeKind::kString ? string()
                                     : std::string_view(document_->bytes_.data() + r.begin, r.length);
}

bool Node::boolean() const {
  const Document::Record& r = record();
  return r.kind == NodeKind::kBoolean && document_->bytes_[r.begin] == 't';
}

std::string_view Node::json() const {
  const Document::Record& r = record();
  const std::string_view bytes = document_->bytes_;
  if (r.kind != NodeKind::kString) return bytes.substr(r.begin, r.length);
  if ((r.flags & kEscaped) == 0) return bytes.substr(r.begin - 1, r.length + 2);
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

bool Node::ChildIsNull(NameId name) const {
  const Document::Record& r = record();
  if (r.kind != NodeKind::kObject) return false;
  for (std::uint32_t i = index_ + 1; i < r.link;) {
    const Document::Record& child = document_->nodes_[i];
    if (child.name == name && child.kind == NodeKind::kNull && (child.flags & kCompanion) == 0) return true;
    i = child.kind == NodeKind::kObject ? child.link : i + 1;
  }
  return false;
}

bool Node::ChildIsNull(std::string_view name) const {
  const NameId id = document_->FindName(name);
  return id != kNoName && ChildIsNull(id);
}

Node Node::parent() const {
  if (index_ == 0) return {};
  const Node above(document_, record().parent);
  // Children of an `_name` object belong to the primitive that it hangs on.
  if ((above.record().flags & kCompanion) != 0) {
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
