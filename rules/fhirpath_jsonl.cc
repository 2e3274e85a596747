#include "rules/fhirpath_jsonl.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <utility>

#include "fhir/fhirpath/values.h"

namespace stepwise::rules {

using fhirpath::Item;
using fhirpath::Items;
using fhirpath::Program;

namespace {

// The depth of the resource's own limit, and that of the line around it.
constexpr int kMaxLineDepth = DocumentLimits{}.max_depth + 4;
constexpr std::size_t kLongestKeptExpression = 4096;
constexpr std::size_t kBlock = 256 * 1024;
constexpr std::size_t kParserPadding = 64;  // spares Document::Parse a copy

constexpr std::string_view kSyntax = "syntax", kSemantic = "semantic", kExecution = "execution";

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::size_t SkipSpace(std::string_view text, std::size_t i) {
  while (i < text.size() && IsSpace(text[i])) ++i;
  return i;
}

// Past the string that begins at `i`; text.size() + 1 when it does not end.
std::size_t SkipString(std::string_view text, std::size_t i) {
  for (++i; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      return i + 1;
  }
  return text.size() + 1;
}

// Past the value that begins at `i`; text.size() + 1 when it does not end.
std::size_t SkipValue(std::string_view text, std::size_t i) {
  int depth = 0;
  while (i < text.size()) {
    const char c = text[i];
    if (c == '"') {
      i = SkipString(text, i);
      if (depth == 0 || i > text.size()) return i;
      continue;
    }
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return i;
      if (--depth == 0) return i + 1;
    } else if (depth == 0 && (c == ',' || IsSpace(c))) {
      return i;
    }
    ++i;
  }
  return text.size() + 1;
}

// Members of the JSON object that `text` begins with, as written, for what a Document does not keep: null,
// arrays as a whole, and whatever comes before a mistake. `visit` gets the name without its quotes and the
// value, and returns whether to go on.
template <typename Visit>
void VisitMembers(std::string_view text, Visit visit) {
  std::size_t i = SkipSpace(text, 0);
  if (i == text.size() || text[i] != '{') return;
  do {
    i = SkipSpace(text, i + 1);
    if (i == text.size() || text[i] != '"') return;
    const std::size_t name_end = SkipString(text, i);
    if (name_end > text.size()) return;
    const std::string_view name = text.substr(i + 1, name_end - i - 2);
    i = SkipSpace(text, name_end);
    if (i == text.size() || text[i] != ':') return;
    i = SkipSpace(text, i + 1);
    const std::size_t end = SkipValue(text, i);
    if (end > text.size() || end == i) return;
    if (!visit(name, text.substr(i, end - i))) return;
    i = SkipSpace(text, end);
  } while (i < text.size() && text[i] == ',');
}

std::string_view RawMember(std::string_view object, std::string_view name) {
  std::string_view found;
  VisitMembers(object, [&](std::string_view member, std::string_view value) {
    if (member != name) return true;
    found = value;
    return false;
  });
  return found;
}

// The name as JSON means it: "\u0061" is "a".
std::string DecodedName(std::string_view raw) {
  if (raw.find('\\') == std::string_view::npos) return std::string(raw);
  const auto document = Document::Parse("{\"n\":\"" + std::string(raw) + "\"}");
  return document ? std::string(document->root().Child("n").string()) : std::string(raw);
}

// The id of a line that is no request: what stands under "id" before the mistake, if that is JSON.
std::string SalvagedId(std::string_view line) {
  const std::string_view raw = RawMember(line, "id");
  if (raw.empty() || raw.size() > kLongestKeptExpression) return "null";
  return Document::Parse("{\"id\":" + std::string(raw) + "}") ? std::string(raw) : "null";
}

std::string IdOf(Node request) {
  const Node id = request.Child(names::kId);
  if (id && !id.in_array() && id.kind() != NodeKind::kNull) return std::string(id.json());
  const std::string_view raw = RawMember(request.json(), "id");
  return raw.empty() ? "null" : std::string(raw);
}

void AppendString(std::string_view text, std::string* out) {
  *out += fhirpath::ValueJson(Item::String(text));
}

void AppendItem(const Item& item, std::string* out) {
  *out += "{\"type\":";
  AppendString(fhirpath::TypeText(item), out);
  *out += ",\"value\":";
  if (item.is_node() && item.node().kind() == NodeKind::kObject)
    AppendOneLine(fhirpath::ValueJson(item), out);
  else
    *out += fhirpath::ValueJson(item);
  *out += '}';
}

Status WriteAll(int out, std::string* text) {
  std::string_view left = *text;
  while (!left.empty()) {
    const ssize_t written = ::write(out, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      return Fail(Code::kUnavailable, std::string("the answers cannot be written: ") + std::strerror(errno));
    }
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  text->clear();
  return {};
}

}  // namespace

Result<std::string> ReadInput(const std::string& path, std::size_t max_bytes) {
  const auto cannot = [&](const std::string& why) {
    return Fail(Code::kNotFound, "'" + path + "' cannot be read: " + why);
  };
  if (path.find('\0') != std::string::npos) return cannot("no file has such a name");
  const bool standard = path == "-";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      standard ? stdin : std::fopen(path.c_str(), "rb"),
      standard ? [](std::FILE*) { return 0; } : &std::fclose);
  if (file == nullptr) return cannot(std::strerror(errno));
  std::string text;
  while (true) {
    const std::size_t have = text.size();
    const std::size_t more = std::max(kBlock, have);
    text.resize(have + more);
    const std::size_t got = std::fread(text.data() + have, 1, more, file.get());
    text.resize(have + got);
    if (text.size() > max_bytes) {
      return Fail(Code::kLimit,
                  "'" + path + "' is larger than the limit of " + std::to_string(max_bytes) + " bytes");
    }
    if (got == more) continue;
    if (std::ferror(file.get()) != 0) return cannot(std::strerror(errno));
    return text;
  }
}

TypeId ContextType(Node node, FhirVersion version) {
  const TypeId type = node.resource_type();
  return type != types::kNone && Model::Get(version).Has(type) ? type : types::kNone;
}

void AppendOneLine(std::string_view json, std::string* out) {
  for (std::size_t i = 0; i < json.size();) {
    if (json[i] == '"') {
      const std::size_t end = std::min(SkipString(json, i), json.size());
      out->append(json, i, end - i);
      i = end;
    } else {
      if (!IsSpace(json[i])) *out += json[i];
      ++i;
    }
  }
}

std::int64_t SteadyNanoseconds() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct FhirpathJsonl::Problem {
  std::string_view code;
  Error error;
};

struct FhirpathJsonl::File {
  std::string path;
  std::shared_ptr<const Document> document;
};

// The `variables` of the present line; slots are their positions.
class FhirpathJsonl::Variables : public fhirpath::VariableScope, public fhirpath::VariableSource {
 public:
  // `object`: null Node for none.
  void Set(Node object, FhirVersion version) {
    entries_.clear();
    slots_.clear();
    version_ = version;
    if (!object) return;
    // By their text, because null and [] have no node and yet are known to be nothing.
    VisitMembers(object.json(), [&](std::string_view raw, std::string_view) {
      EntryOf(DecodedName(raw));
      return true;
    });
    for (const Node child : object.children()) EntryOf(std::string(child.name_text())).nodes.push_back(child);
  }

  // What a program that was compiled with these variables depends on.
  void AppendKey(std::string* key) const {
    for (const Entry& entry : entries_) {
      const fhirpath::StaticType type = TypeOf(entry);
      *key += '\0';
      *key += entry.name;
      *key += '\0';
      *key += std::to_string(type.type) + (type.many ? "*" : "");
    }
  }
  bool empty() const { return entries_.empty(); }

  std::optional<Variable> Find(std::string_view name) const override {
    const auto slot = slots_.find(std::string(name));
    if (slot == slots_.end()) return std::nullopt;
    return Variable{slot->second, TypeOf(entries_[static_cast<std::size_t>(slot->second)])};
  }

  std::vector<std::string> Names() const override {
    std::vector<std::string> names;
    for (const Entry& entry : entries_) names.push_back(entry.name);
    return names;
  }

  Result<Items> Get(int slot, fhirpath::Evaluation& evaluation) override {
    std::vector<Item> items;
    for (const Node node : entries_[static_cast<std::size_t>(slot)].nodes) {
      items.push_back(fhirpath::ToSystem(Item::Of(node, ContextType(node, version_)), evaluation));
    }
    return evaluation.Keep(items);
  }

 private:
  struct Entry {
    std::string name;
    std::vector<Node> nodes;
  };

  Entry& EntryOf(const std::string& name) {
    const auto [slot, is_new] = slots_.try_emplace(name, static_cast<int>(entries_.size()));
    if (is_new) entries_.push_back({name, {}});
    return entries_[static_cast<std::size_t>(slot->second)];
  }

  fhirpath::StaticType TypeOf(const Entry& entry) const {
    fhirpath::StaticType type;
    type.many = entry.nodes.size() > 1;
    if (!entry.nodes.empty()) type.type = ContextType(entry.nodes[0], version_);
    for (const Node node : entry.nodes) {
      if (ContextType(node, version_) != type.type) type.type = types::kNone;
    }
    return type;
  }

  std::vector<Entry> entries_;
  std::unordered_map<std::string, int> slots_;
  FhirVersion version_ = FhirVersion::kR4;
};

FhirpathJsonl::FhirpathJsonl(const JsonlOptions& options)
    : options_(options),
      evaluation_(fhirpath::EvaluationOptions{.now = options.now, .clock = &SteadyNanoseconds}),
      variables_(std::make_unique<Variables>()) {
  evaluation_.set_variables(variables_.get());
}

FhirpathJsonl::~FhirpathJsonl() = default;

void FhirpathJsonl::Answer(std::string line, std::string* out) {
  if (std::all_of(line.begin(), line.end(), IsSpace)) return;
  const auto fail = [&](const std::string& id, std::string_view code, const Error& error) {
    *out += "{\"id\":" + id + ",\"error\":{\"code\":\"" + std::string(code) + "\",\"message\":";
    AppendString(error.path.empty() ? error.message : error.path + ": " + error.message, out);
    if (error.span.line != 0) {
      *out +=
          ",\"line\":" + std::to_string(error.span.line) + ",\"column\":" + std::to_string(error.span.column);
    }
    *out += "}}\n";
  };
  evaluation_.Reset(options_.now);
  // A document that is refused is gone: look for the id first where it is cheap to find, at the beginning.
  const std::string beginning = line.substr(0, kLongestKeptExpression);
  const Result<Document> document = Document::Parse(std::move(line), {options_.max_line, kMaxLineDepth});
  if (!document) {
    return fail(SalvagedId(beginning), document.error().code == Code::kSyntax ? kSyntax : kExecution,
                document.error());
  }
  const std::string id = IdOf(document->root());
  const Outcome<std::string> result = Run(document->root());
  if (!result) return fail(id, result.error().code, result.error().error);
  *out += "{\"id\":" + id + ",\"result\":[" + *result + "]}\n";
}

void FhirpathJsonl::AnswerTooLong(std::string* out) {
  *out +=
      "{\"id\":null,\"error\":{\"code\":\"execution\",\"message\":\"the line is longer than the limit of " +
      std::to_string(options_.max_line) + " bytes\"}}\n";
}

// The items as JSON, with commas between them.
FhirpathJsonl::Outcome<std::string> FhirpathJsonl::Run(Node request) {
  const auto bad = [](std::string message) {
    return tl::unexpected(Problem{kExecution, Error{Code::kInvalidArgument, std::move(message), {}, ""}});
  };
  const auto failed = [](const Error& error) { return tl::unexpected(Problem{kExecution, error}); };
  const auto text_member = [&](std::string_view name, std::optional<std::string_view>* value) {
    const Node node = request.Child(name);
    if (!node) return true;
    if (node.kind() != NodeKind::kString || node.in_array()) return false;
    *value = node.string();
    return true;
  };

  std::optional<std::string_view> expression, fhir, context;
  if (!text_member("expression", &expression)) return bad("'expression' must be a string");
  if (!expression) return bad("the request has no 'expression'");
  if (!text_member("context", &context)) return bad("'context' must be a string");
  if (!text_member("fhir", &fhir)) return bad("'fhir' must be a string");
  const std::optional<FhirVersion> version = fhir ? ParseFhirVersion(*fhir) : options_.version;
  if (!version) return bad("'fhir' must be 4.0.1 or 5.0.0, not '" + std::string(*fhir) + "'");
  const Node variables = request.Child("variables");
  if (variables && (variables.kind() != NodeKind::kObject || variables.in_array())) {
    return bad("'variables' must be an object");
  }
  variables_->Set(variables, *version);

  std::shared_ptr<const Document> file;  // holds the input's document
  STEPWISE_ASSIGN_OR_RETURN(const Node input_node, Input(request, &file));
  const TypeId input_type = input_node ? ContextType(input_node, *version) : types::kNone;
  const auto input = input_node ? std::optional<Item>(Item::Of(input_node, input_type)) : std::nullopt;

  std::string out;
  const auto append = [&](Items items) {
    for (const Item& item : items) {
      if (!out.empty()) out += ',';
      AppendItem(item, &out);
    }
  };
  if (!context) {
    STEPWISE_ASSIGN_OR_RETURN(const Program program, Compiled(*expression, *version, input_type));
    const Result<Items> items = input ? evaluation_.Run(program, *input) : evaluation_.Run(program);
    if (!items) return failed(items.error());
    append(*items);
    return out;
  }

  const auto in_context = [](Problem problem) {
    problem.error.message = "context: " + problem.error.message;
    return tl::unexpected(std::move(problem));
  };
  Outcome<Program> path = Compiled(*context, *version, input_type);
  if (!path) return in_context(std::move(path).error());
  const TypeId static_type = path->result_type().type;
  // Compiled even if there is no item to run it on: what is wrong with it does not depend on the data.
  STEPWISE_ASSIGN_OR_RETURN(Program program, Compiled(*expression, *version, static_type));
  const Result<Items> focus = input ? evaluation_.Run(*path, *input) : evaluation_.Run(*path);
  if (!focus) return in_context(Problem{kExecution, focus.error()});
  for (const Item& item : *focus) {
    if (static_type == types::kNone && item.type() != types::kNone) {
      STEPWISE_ASSIGN_OR_RETURN(program, Compiled(*expression, *version, item.type()));
    }
    // A node knows the resource that it stands in; everything else has the one that was given.
    fhirpath::Environment environment;
    if (!item.is_node() || !item.node().resource()) {
      environment = {.resource = input, .root_resource = input, .context = {}};
    }
    const Result<Items> items = evaluation_.Run(program, item, environment);
    if (!items) return failed(items.error());
    append(*items);
  }
  return out;
}

FhirpathJsonl::Outcome<Node> FhirpathJsonl::Input(Node request, std::shared_ptr<const Document>* file) {
  const auto bad = [](std::string message) {
    return tl::unexpected(Problem{kExecution, Error{Code::kInvalidArgument, std::move(message), {}, ""}});
  };
  const Node resource = request.Child(names::kResource);
  const Node path = request.Child("file");
  if (resource && path) return bad("give 'resource' or 'file', not both");
  if (resource) {
    if (resource.in_array() || resource.kind() != NodeKind::kObject)
      return bad("'resource' must be an object");
    return resource;
  }
  if (!path) return Node();
  if (path.kind() != NodeKind::kString || path.in_array()) return bad("'file' must be a string");
  STEPWISE_ASSIGN_OR_RETURN(*file, OpenFile(std::string(path.string())));
  return (*file)->root();
}

FhirpathJsonl::Outcome<std::shared_ptr<const Document>> FhirpathJsonl::OpenFile(const std::string& path) {
  const auto kept =
      std::find_if(files_.begin(), files_.end(), [&](const File& file) { return file.path == path; });
  if (kept != files_.end()) {
    files_.splice(files_.begin(), files_, kept);
    return kept->document;
  }
  // The standard input is where the requests come from.
  Result<std::string> text =
      path == "-" ? Fail(Code::kNotFound, "'-' is no file") : ReadInput(path, options_.max_file);
  if (!text) return tl::unexpected(Problem{kExecution, std::move(text).error()});
  Result<Document> parsed = Document::Parse(*std::move(text), {.max_bytes = options_.max_file});
  if (!parsed) {
    // The place is one in the file, not in the expression.
    Error error = std::move(parsed).error();
    error.span.file = path;
    return tl::unexpected(Problem{kExecution, Error{error.code, error.ToString(), {}, ""}});
  }
  auto document = std::make_shared<const Document>(*std::move(parsed));
  files_.push_front({path, document});
  file_bytes_ += document->memory_bytes();
  while (files_.size() > 1 &&
         (files_.size() > options_.kept_files || file_bytes_ > options_.kept_file_bytes)) {
    file_bytes_ -= files_.back().document->memory_bytes();
    files_.pop_back();
  }
  return document;
}

FhirpathJsonl::Outcome<Program> FhirpathJsonl::Compiled(std::string_view expression, FhirVersion version,
                                                        TypeId type) {
  const auto outcome = [](const Result<Program>& program) -> Outcome<Program> {
    if (program) return *program;
    const Code code = program.error().code;
    return tl::unexpected(
        Problem{code == Code::kSyntax || code == Code::kLimit ? kSyntax : kSemantic, program.error()});
  };
  program_key_ = FhirVersionText(version);
  program_key_ += ' ' + std::to_string(type) + ' ' + std::to_string(expression.size()) + ' ';
  program_key_ += expression;
  variables_->AppendKey(&program_key_);
  if (const auto kept = programs_.find(program_key_); kept != programs_.end()) return outcome(kept->second);

  fhirpath::CompileOptions options;
  options.version = version;
  options.context_type = type;
  options.lenient = options_.lenient;
  options.terminology = options_.terminology;
  if (!variables_->empty()) options.variables = variables_.get();
  const Result<Program> program = fhirpath::Compile(expression, options);
  if (program_key_.size() <= kLongestKeptExpression) {
    if (programs_.size() >= options_.kept_programs) programs_.clear();
    programs_.emplace(program_key_, program);
  }
  return outcome(program);
}

Status RunJsonl(int in, int out, const JsonlOptions& options) {
  FhirpathJsonl jsonl(options);
  std::string block(kBlock, '\0');
  std::string line, answers;
  bool too_long = false;  // the rest of this line is dropped
  const auto end_line = [&] {
    if (too_long)
      jsonl.AnswerTooLong(&answers);
    else
      jsonl.Answer(std::exchange(line, std::string()), &answers);
    line.clear();
    too_long = false;
  };
  while (true) {
    // Nothing is held back while waiting.
    STEPWISE_RETURN_IF_ERROR(WriteAll(out, &answers));
    const ssize_t got = ::read(in, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return Fail(Code::kUnavailable, std::string("the requests cannot be read: ") + std::strerror(errno));
    if (got == 0) break;
    std::string_view left(block.data(), static_cast<std::size_t>(got));
    while (!left.empty()) {
      const std::size_t newline = left.find('\n');
      const std::string_view part = left.substr(0, newline);
      if (!too_long && line.size() + part.size() > options.max_line) {
        too_long = true;
        line = std::string();
      }
      if (!too_long) {
        if (line.empty()) line.reserve(part.size() + kParserPadding);
        line += part;
      }
      if (newline == std::string_view::npos) break;
      left.remove_prefix(newline + 1);
      end_line();
      if (answers.size() >= kBlock) STEPWISE_RETURN_IF_ERROR(WriteAll(out, &answers));
    }
  }
  end_line();
  return WriteAll(out, &answers);
}

}  // namespace stepwise::rules
