#include "fhir/terminology/reading.h"

#include "fhir/nearest.h"

namespace stepwise::terminology {

void Reading::NoteWhatWasLeftOut() {
  if (notes_left_out_ > 0) notes_.push_back("and " + std::to_string(notes_left_out_) + " notes more");
}

std::string Reading::Place(Node at) const { return file_.empty() ? at.Path() : file_ + ": " + at.Path(); }

void Reading::Note(Node at, std::string_view message) {
  if (notes_.size() >= limits_.max_notes) {
    ++notes_left_out_;
    return;
  }
  notes_.push_back(Place(at) + ": " + std::string(message));
}

tl::unexpected<Error> Reading::Fail(Node at, Code code, std::string message) const {
  return stepwise::Fail(code, std::move(message), {.file = file_}, at.Path());
}

Status Reading::CountCodes(Node at, std::size_t count) {
  codes_ += count;
  if (codes_ <= limits_.max_codes) return {};
  return Fail(at, Code::kLimit,
              "there are more codes than the limit of " + std::to_string(limits_.max_codes));
}

Status Reading::CountSteps(Node at, std::size_t count) {
  steps_ += count;
  if (steps_ <= limits_.max_steps) return {};
  return Fail(at, Code::kLimit,
              "filters take more steps than the limit of " + std::to_string(limits_.max_steps));
}

Result<std::string_view> Reading::Text(Node parent, NameId name) const {
  const Node child = parent.Child(name);
  if (!child || child.is_valueless_primitive()) return std::string_view();
  if (child.kind() != NodeKind::kString || child.in_array()) {
    return Fail(child, Code::kInvalidArgument, "this must be one string");
  }
  return child.string();
}

Result<std::string_view> Reading::RequiredText(Node parent, NameId name, std::string_view example) const {
  STEPWISE_ASSIGN_OR_RETURN(const std::string_view text, Text(parent, name));
  if (!text.empty()) return text;
  return Fail(parent, Code::kInvalidArgument,
              "'" + std::string(NameText(name)) + "' is missing, such as \"" + std::string(example) + "\"");
}

Result<std::optional<bool>> Reading::Boolean(Node parent, NameId name) const {
  const Node child = parent.Child(name);
  if (!child || child.is_valueless_primitive()) return std::optional<bool>();
  if (child.kind() != NodeKind::kBoolean || child.in_array()) {
    return Fail(child, Code::kInvalidArgument, "this must be true or false");
  }
  return std::optional<bool>(child.boolean());
}

Status Reading::CheckNames(Node object, TypeId type, bool strict) {
  const Model& r4 = Model::Get(FhirVersion::kR4);
  const Model& r5 = Model::Get(FhirVersion::kR5);
  for (const Node child : object.children()) {
    const std::string_view name = child.name_text();
    if (name == "resourceType") continue;
    const Element* element = child.name() < NameCount() ? r4.Find(type, child.name()) : nullptr;
    if (element == nullptr && child.name() < NameCount()) element = r5.Find(type, child.name());
    if (element == nullptr) {
      std::vector<std::string_view> names;
      for (const Element& one : r5.Elements(type)) names.push_back(NameText(one.name));
      const std::string message = std::string(TypeName(type)) + " has no element '" + std::string(name) +
                                  "'" + DidYouMean(Nearest(name, names));
      if (strict) return Fail(child, Code::kInvalidArgument, message);
      Note(child, message);
    } else if (child.kind() == NodeKind::kObject && r4.Kind(element->type) == TypeKind::kBackbone) {
      STEPWISE_RETURN_IF_ERROR(CheckNames(child, element->type, strict || child.name() == names::kCompose));
    }
  }
  return {};
}

}  // namespace stepwise::terminology
