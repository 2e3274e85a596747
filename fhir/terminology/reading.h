// Reading: what the readers of one TerminologyStore share: limits, notes, and how elements are asked for.
// Thread-safety: one thread.
#ifndef STEPWISE_FHIR_TERMINOLOGY_READING_H_
#define STEPWISE_FHIR_TERMINOLOGY_READING_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/document.h"
#include "fhir/result.h"
#include "fhir/terminology_store.h"

namespace stepwise::terminology {

class Reading {
 public:
  Reading(const TerminologyLimits& limits, std::vector<std::string>* notes)
      : limits_(limits), notes_(*notes) {}

  const TerminologyLimits& limits() const { return limits_; }
  // What errors and notes call the document that is being read.
  void set_file(std::string name) { file_ = std::move(name); }
  const std::string& file() const { return file_; }

  void Note(Node at, std::string_view message);
  // The last note, if there were more than the limit.
  void NoteWhatWasLeftOut();
  tl::unexpected<Error> Fail(Node at, Code code, std::string message) const;
  // "file: path"
  std::string Place(Node at) const;

  // Counts against the limits. Errors: kLimit.
  Status CountCodes(Node at, std::size_t count = 1);
  Status CountSteps(Node at, std::size_t count);

  // A single string, "" when absent. Errors: kInvalidArgument.
  Result<std::string_view> Text(Node parent, NameId name) const;
  // The same, and it must be there; `example` is what would be right.
  Result<std::string_view> RequiredText(Node parent, NameId name, std::string_view example) const;
  Result<std::optional<bool>> Boolean(Node parent, NameId name) const;
  // Names that neither R4 nor R5 has. Those of ValueSet.compose, where a slip changes what the set holds, are
  // errors (kInvalidArgument), the others notes.
  Status CheckNames(Node object, TypeId type, bool strict = false);
  // Every child of that name is an object; `visit` returns Status.
  template <typename Visit>
  Status EachObject(Node parent, NameId name, Visit&& visit) const {
    for (const Node child : parent.children()) {
      if (child.name() != name) continue;
      if (child.kind() != NodeKind::kObject)
        return Fail(child, Code::kInvalidArgument, "this must be an object");
      STEPWISE_RETURN_IF_ERROR(visit(child));
    }
    return {};
  }

 private:
  TerminologyLimits limits_;
  std::vector<std::string>& notes_;
  std::string file_;
  std::size_t notes_left_out_ = 0;
  std::size_t codes_ = 0, steps_ = 0;
};

}  // namespace stepwise::terminology

#endif  // STEPWISE_FHIR_TERMINOLOGY_READING_H_
