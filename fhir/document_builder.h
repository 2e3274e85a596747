// DocumentBuilder: JSON text -> the records of a Document. The inside of Document::Parse.
//
// Stage one is simdjson's: it validates UTF-8 and finds where each token starts. Stage two is ours, because
// simdjson's turns numbers into doubles and copies every string: one walk over the tokens that checks the
// grammar and lays out records. It is iterative, so that depth costs no stack.
// Thread-safety: one builder, one document, one thread; scratch memory stays with the thread.
#ifndef STEPWISE_FHIR_DOCUMENT_BUILDER_H_
#define STEPWISE_FHIR_DOCUMENT_BUILDER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fhir/document.h"
#include "fhir/name_cache.h"

namespace stepwise {

class DocumentBuilder {
 public:
  // `document` has its bytes, padded by what simdjson may read past their end.
  DocumentBuilder(Document& document, const DocumentLimits& limits) : doc_(document), limits_(limits) {}

  Status Build();

 private:
  using Record = Document::Record;

  // An open object or array. An array's `object` is the object that has it as a property.
  struct Frame {
    std::uint32_t object = 0;
    std::uint32_t names_begin = 0;  // where the object's property names start in names_
    std::uint64_t seen = 0;         // one bit a name, so that most names need no search
    NameId name = kNoName;          // property being read
    // Of the nodes that are read under it: kArray; kCompanion where the property is written `_name`.
    Record::Flags flags = Record::kNoFlags;
    bool has_companion = false;  // some property of this object is written so

    bool array() const { return (flags & Record::kArray) != 0; }
  };

  bool FindTokens();
  bool Walk();
  Record& Append(NodeKind kind, std::uint32_t begin, std::uint32_t length);
  bool OpenObject(std::uint32_t offset);
  bool OpenArray(std::uint32_t offset);
  void CloseObject(std::uint32_t offset);
  std::uint32_t TokenEnd(std::size_t at) const;
  bool HasBackslash(const char* begin, const char* end);
  bool Name(std::size_t at);
  bool UncommonName(std::size_t at, std::string_view text, Frame& frame, NameId* name);
  bool SeenBefore(const Frame& frame, NameId key);
  NameId ForeignName(std::string_view text);
  bool Scalar(std::size_t at);
  bool Literal(std::size_t at);
  bool Unescape(std::uint32_t begin, std::uint32_t end, Record& record);
  void ClaimType(const Frame& frame, const Record& text);
  void LinkCompanions(std::uint32_t object);

  // Each gives false and leaves the error.
  bool Ends();
  bool Unexpected(std::size_t at, std::string message);
  bool TooDeep(std::uint32_t offset);
  bool Syntax(std::size_t offset, std::string message);
  bool Stop(Code code, std::size_t offset, std::string message);

  Document& doc_;
  const DocumentLimits& limits_;
  Error error_;
  std::shared_ptr<void> kept_;  // the tokenizer, where it is too large to keep for the next document
  const std::uint32_t* tokens_ = nullptr;
  std::size_t token_count_ = 0;
  Record* nodes_ = nullptr;  // scratch
  Frame* frames_ = nullptr;  // scratch; the first stands for what is around the document
  Frame* top_ = nullptr;     // the innermost open one
  const Frame* deepest_ = nullptr;
  NameId* names_ = nullptr;  // scratch; property names of the open objects, a stack
  NameCache* cache_ = nullptr;
  std::uint32_t node_count_ = 0;
  std::uint32_t name_count_ = 0;
  const char* next_backslash_ = nullptr;  // the first at or behind the last text that was asked about
  std::unordered_set<std::uint64_t> many_names_;
  std::unordered_map<std::uint32_t, std::uint32_t> known_names_;
  std::unordered_map<std::string, NameId> foreign_;
};

}  // namespace stepwise

#endif  // STEPWISE_FHIR_DOCUMENT_BUILDER_H_
