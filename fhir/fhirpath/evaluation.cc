#include <algorithm>

#include "fhir/fhirpath/machine.h"

namespace stepwise::fhirpath {

Evaluation::Evaluation(EvaluationOptions options) : state_(std::make_unique<EvaluationState>()) {
  state_->options = std::move(options);
}
Evaluation::~Evaluation() = default;

const DateTime& Evaluation::now() const { return state_->options.now; }
void Evaluation::set_variables(VariableSource* variables) { state_->options.variables = variables; }

void Evaluation::Reset(const DateTime& now) {
  state_->options.now = now;
  state_->arena.Reset();
  state_->references.Clear();
  state_->made.clear();
  ClearSources();
}

Result<Items> Evaluation::Run(const Program& program, const Item& input, const Environment& environment) {
  EvaluationState& state = *state_;
  const bool nested = state.recursion > 0;
  const auto saved_resource = state.resource;
  const auto saved_root = state.root_resource;
  const auto saved_context = state.context;
  const auto saved_input = state.input;
  if (!nested) {
    state.steps = 0;
    state.next_look = std::min(EvaluationState::kStepsBetweenLooks, state.options.limits.max_steps + 1);
    state.error.reset();
    if (state.options.clock != nullptr) {
      state.deadline_ns =
          state.options.clock() + std::chrono::nanoseconds(state.options.limits.max_time).count();
    }
  }
  state.input = input;
  state.context = environment.context ? environment.context : std::optional<Item>(input);
  state.resource = environment.resource;
  state.root_resource = environment.root_resource;
  if (input.is_node()) {
    if (!state.references.Has(input.node().document())) state.references.Add(input.node().document());
    const Node resource = input.node().resource();
    if (!state.resource) state.resource = resource ? Item::Of(resource, resource.resource_type()) : input;
    if (!state.root_resource) {
      // The container of a contained resource; otherwise the resource itself.
      Node root = resource;
      if (root && root.name() == names::kContained && root.parent()) root = root.parent().resource();
      state.root_resource = root ? Item::Of(root, root.resource_type()) : *state.resource;
    }
  } else {
    if (!state.resource) state.resource = input;
    if (!state.root_resource) state.root_resource = state.resource;
  }
  Scratch out(state);
  {
    Machine machine(*this, program.data());
    const Frame frame{&input, 0, {}};
    machine.Collect(program.data().root, frame, *out);
  }
  state.resource = saved_resource;
  state.root_resource = saved_root;
  state.context = saved_context;
  state.input = saved_input;
  if (state.error) {
    Error error = *state.error;
    if (!nested) state.error.reset();
    return tl::unexpected(std::move(error));
  }
  return Keep(out.view());
}

Result<Items> Evaluation::Run(const Program& program) {
  EvaluationState& state = *state_;
  if (state.recursion == 0) {
    state.steps = 0;
    state.next_look = std::min(EvaluationState::kStepsBetweenLooks, state.options.limits.max_steps + 1);
    state.error.reset();
    state.resource.reset();
    state.root_resource.reset();
    state.context.reset();
    if (state.options.clock != nullptr) {
      state.deadline_ns =
          state.options.clock() + std::chrono::nanoseconds(state.options.limits.max_time).count();
    }
  }
  Scratch out(state);
  Machine(*this, program.data()).Collect(program.data().root, Frame{}, *out);
  if (state.error) {
    Error error = *state.error;
    if (state.recursion == 0) state.error.reset();
    return tl::unexpected(std::move(error));
  }
  return Keep(out.view());
}

namespace {

Result<std::optional<bool>> AsBoolean(const Program& program, Result<Items> items) {
  if (!items) return tl::unexpected(std::move(items).error());
  if (items->empty()) return std::nullopt;
  if (items->size() > 1) {
    return Fail(Code::kSemantic,
                "one true or false is needed, and '" + program.text() + "' gives " +
                    std::to_string(items->size()) + " items",
                program.data().expr(program.data().root).span);
  }
  const Item& item = items->front();
  if (item.kind() == ItemKind::kBoolean) return item.boolean();
  if (item.is_node() && item.node().kind() == NodeKind::kBoolean) return item.node().boolean();
  return true;
}

}  // namespace

Result<std::optional<bool>> Evaluation::RunBoolean(const Program& program, const Item& input,
                                                   const Environment& environment) {
  return AsBoolean(program, Run(program, input, environment));
}
Result<std::optional<bool>> Evaluation::RunBoolean(const Program& program) {
  return AsBoolean(program, Run(program));
}

std::span<const Node> Evaluation::sources() const { return state_->sources; }
void Evaluation::AddSources(std::span<const Node> nodes) {
  if (state_->options.track_sources)
    state_->sources.insert(state_->sources.end(), nodes.begin(), nodes.end());
}
std::span<const std::string> Evaluation::unknowns() const { return state_->unknowns; }
void Evaluation::MarkUnknown(std::string_view reason) {
  auto& unknowns = state_->unknowns;
  if (std::find(unknowns.begin(), unknowns.end(), reason) == unknowns.end()) unknowns.emplace_back(reason);
}
void Evaluation::ClearSources() {
  state_->sources.clear();
  state_->unknowns.clear();
}
void Evaluation::AddDocument(const Document* document) {
  if (!state_->references.Has(document)) state_->references.Add(document);
}

Items Evaluation::Keep(Items items) {
  if (items.empty()) return {};
  void* memory = state_->arena.Allocate(items.size_bytes());
  std::memcpy(memory, static_cast<const void*>(items.data()), items.size_bytes());
  return {static_cast<const Item*>(memory), items.size()};
}

std::string_view Evaluation::KeepString(std::string_view text) {
  if (text.empty()) return {};
  void* memory = state_->arena.Allocate(text.size());
  std::memcpy(memory, text.data(), text.size());
  return {static_cast<const char*>(memory), text.size()};
}

const UnitText* Evaluation::KeepUnit(std::string_view text, bool calendar) {
  const std::string_view kept = KeepString(text);
  return new (state_->arena.Allocate(sizeof(UnitText))) UnitText{kept, calendar};
}

// --- ReferenceIndex ---

namespace {

std::uint64_t HashParts(std::string_view a, std::string_view b) {
  return std::hash<std::string_view>{}(a)*31 + std::hash<std::string_view>{}(b);
}

// "…/Patient/1/_history/2" -> {"Patient", "1"} ; nothing when the tail is no Type/id.
bool SplitReference(std::string_view reference, std::string_view* type, std::string_view* id) {
  if (const std::size_t history = reference.find("/_history/"); history != std::string_view::npos)
    reference = reference.substr(0, history);
  const std::size_t slash = reference.rfind('/');
  if (slash == std::string_view::npos || slash + 1 == reference.size()) return false;
  *id = reference.substr(slash + 1);
  reference = reference.substr(0, slash);
  const std::size_t before = reference.rfind('/');
  *type = before == std::string_view::npos ? reference : reference.substr(before + 1);
  return !type->empty();
}

bool IsAbsolute(std::string_view reference) {
  const std::size_t colon = reference.find(':');
  return colon != std::string_view::npos && colon < reference.find('/');
}

}  // namespace

void ReferenceIndex::Clear() {
  documents_.clear();
  entries_.clear();
  built_ = false;
}

bool ReferenceIndex::Has(const Document* document) const {
  return std::find(documents_.begin(), documents_.end(), document) != documents_.end();
}

void ReferenceIndex::Add(const Document* document) {
  documents_.push_back(document);
  built_ = false;
}

void ReferenceIndex::Build() {
  entries_.clear();
  for (const Document* document : documents_) {
    for (const std::uint32_t index : document->resources()) {
      const Node node = document->node(index);
      if (node.name() == names::kContained) continue;  // reachable through '#id' only
      if (const Node id = node.Child(names::kId); id && node.resource_type() != types::kNone) {
        entries_.push_back({HashParts(TypeName(node.resource_type()), id.string()), node});
      }
      const Node entry = node.parent();
      if (node.name() != names::kResource || !entry) continue;
      if (const Node url = entry.Child(names::kFullUrl))
        entries_.push_back({HashParts(url.string(), ""), node});
    }
  }
  // Stable: of two resources with the same name, the first in the document is found.
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.hash < b.hash; });
  built_ = true;
}

Node ReferenceIndex::Resolve(std::string_view reference, Node from) {
  if (reference.starts_with('#')) {
    Node container = from.resource();
    while (container && container.name() == names::kContained) container = container.parent().resource();
    if (!container) return {};
    if (reference.size() == 1) return container;
    for (const Node child : container.children()) {
      if (child.name() != names::kContained) continue;
      if (const Node id = child.Child(names::kId); id && id.string() == reference.substr(1)) return child;
    }
    return {};
  }
  if (!built_) Build();
  const auto find = [&](std::uint64_t hash, auto&& matches) -> Node {
    auto it = std::lower_bound(entries_.begin(), entries_.end(), hash,
                               [](const Entry& e, std::uint64_t h) { return e.hash < h; });
    for (; it != entries_.end() && it->hash == hash; ++it) {
      if (matches(it->node)) return it->node;
    }
    return {};
  };
  const auto by_url = [&](std::string_view url) {
    return find(HashParts(url, ""), [&](Node node) {
      const Node entry = node.parent();
      const Node full = entry ? entry.Child(names::kFullUrl) : Node();
      return full && full.string() == url;
    });
  };
  const std::size_t history = reference.find("/_history/");
  const std::string_view plain = reference.substr(0, history);
  if (IsAbsolute(plain)) return by_url(plain);
  std::string_view type, id;
  if (!SplitReference(plain, &type, &id)) return by_url(plain);
  return find(HashParts(type, id), [&](Node node) {
    const Node own = node.Child(names::kId);
    return TypeName(node.resource_type()) == type && own && own.string() == id;
  });
}

}  // namespace stepwise::fhirpath
