#include "rules/fhirpath_command.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <memory>
#include <optional>
#include <vector>

#include "fhir/document.h"
#include "fhir/fhirpath/fhirpath.h"
#include "fhir/terminology_store.h"
#include "fhir/utf8.h"
#include "rules/fhirpath_jsonl.h"

namespace stepwise::rules {

using fhirpath::Item;
using fhirpath::ItemKind;
using fhirpath::Items;
using fhirpath::Program;

namespace {

constexpr std::size_t kMaxFile = 256u << 20;
constexpr std::size_t kLongestShownLine = 200;  // of a file, with a caret below; JSON may be all in one line
constexpr std::size_t kLongestTracedValue = 100;
constexpr std::size_t kMostTerminologyNotes = 20;  // of what was not understood; the rest is counted

constexpr std::string_view kRed = "\x1b[31m", kYellow = "\x1b[33m", kCyan = "\x1b[36m", kDim = "\x1b[2m",
                           kPlain = "\x1b[0m";

// At most `most` bytes of the text, cut between characters.
std::string Shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && IsContinuation(text[most])) --most;
  return text.substr(0, most) + "...";
}

// The text that a span covers; spans count code points.
std::string_view SpanText(std::string_view text, const SourceSpan& span) {
  std::size_t i = 0;
  for (std::uint32_t line = 1; line < span.line; ++line) i = std::min(text.size(), text.find('\n', i)) + 1;
  const auto advance = [&](std::uint32_t code_points) {
    for (; code_points > 0 && i < text.size(); --code_points) i += CodePointSize(text, i);
  };
  advance(span.column > 0 ? span.column - 1 : 0);
  const std::size_t begin = std::min(i, text.size());
  advance(span.length);
  return text.substr(begin, std::min(i, text.size()) - begin);
}

std::string Place(const SourceSpan& span) {
  return std::to_string(span.line) + ":" + std::to_string(span.column);
}

class Printer {
 public:
  Printer(const FhirpathArguments& arguments, std::ostream& out, std::ostream& err)
      : colour_(arguments.colour), out_(out), err_(err) {}

  std::string Paint(std::string_view colour, std::string_view text) const {
    return colour_ ? std::string(colour) + std::string(text) + std::string(kPlain) : std::string(text);
  }

  // `text`: where the error's span points into. `option` names the expression if it is not the main one.
  void Print(std::ostream& to, const Error& error, bool warning, std::string_view text,
             std::string_view option) {
    std::string where = error.span.file.empty() ? "" : error.span.file + ":";
    if (error.span.line != 0) where += Place(error.span) + ":";
    if (!where.empty()) where += " ";
    to << option << (option.empty() ? "" : ": ") << where
       << (warning ? Paint(kYellow, "warning: ") : Paint(kRed, "error: "))
       << (error.path.empty() ? "" : error.path + ": ") << error.message << "\n";
    const std::string caret = CaretLines(text, error.span);
    if (!caret.empty() && caret.find('\n') <= kLongestShownLine) to << caret << "\n";
  }
  void Fail(const Error& error, std::string_view text = {}, std::string_view option = {}) {
    Print(err_, error, false, text, option);
  }

  // What is not wrong, but should not go unsaid.
  void Remark(std::string_view kind, std::string_view text) { err_ << Paint(kYellow, kind) << text << "\n"; }

  void Results(const std::vector<Item>& items) {
    if (items.empty() && colour_) out_ << kDim << "(empty)" << kPlain << "\n";
    Lines(items, "", std::string::npos);
  }

  void Step(std::string_view text, const fhirpath::TraceEvent& event, bool is_trace_call) {
    out_ << Place(event.span) << "  ";
    if (is_trace_call)
      out_ << Paint(kYellow, "trace(" + std::string(event.name) + ")");
    else
      out_ << Paint(kCyan, SpanText(text, event.span));
    out_ << (event.items.empty() ? "  (empty)" : "") << "\n";
    Lines(event.items, "    ", kLongestTracedValue);
  }

  std::ostream& out() { return out_; }
  std::ostream& err() { return err_; }

 private:
  static std::string Value(const Item& item) {
    std::string json;
    switch (item.kind()) {
      case ItemKind::kTemporal:
      case ItemKind::kQuantity:
      case ItemKind::kTypeInfo: return fhirpath::ValueText(item);
      default: AppendOneLine(fhirpath::ValueJson(item), &json); return json;
    }
  }

  // Type, path and value in columns.
  void Lines(Items items, std::string_view indent, std::size_t longest) {
    struct Row {
      std::string type, path, value;
    };
    std::vector<Row> rows;
    std::size_t type_width = 0, path_width = 0;
    for (const Item& item : items) {
      Row row{fhirpath::TypeText(item), item.is_node() ? item.node().Path() : "",
              Shortened(Value(item), longest)};
      type_width = std::max(type_width, CountCodePoints(row.type));
      path_width = std::max(path_width, CountCodePoints(row.path));
      rows.push_back(std::move(row));
    }
    for (const Row& row : rows) {
      out_ << indent << Paint(kCyan, row.type) << std::string(type_width - CountCodePoints(row.type), ' ')
           << "  ";
      if (path_width > 0) {
        out_ << Paint(kDim, row.path) << std::string(path_width - CountCodePoints(row.path), ' ') << "  ";
      }
      out_ << row.value << "\n";
    }
  }

  bool colour_;
  std::ostream& out_;
  std::ostream& err_;
};

// Prints everything that is wrong; nullopt if that is more than warnings. --explain shows the program too.
std::optional<Program> CompileFor(const FhirpathArguments& arguments, std::string_view text, TypeId type,
                                  std::string_view option, Printer* printer) {
  fhirpath::CompileOptions options;
  options.version = arguments.version;
  options.context_type = type;
  options.lenient = arguments.lenient;
  options.terminology = arguments.terminology;
  std::optional<Program> program;
  const std::vector<fhirpath::Diagnostic> diagnostics = fhirpath::Check(text, options, &program);
  std::ostream& to = arguments.explain && program ? printer->out() : printer->err();
  if (arguments.explain && program) {
    if (!option.empty()) to << option << ":\n";
    to << program->Dump();
  }
  for (const fhirpath::Diagnostic& diagnostic : diagnostics) {
    printer->Print(to, diagnostic.error, diagnostic.severity == fhirpath::Severity::kWarning, text, option);
  }
  if (arguments.explain && program) to << "\n";
  return program;
}

// The value sets and code systems of the files.
Result<TerminologyStore> ReadTerminology(std::span<const std::string> paths) {
  std::vector<Document> documents;
  documents.reserve(paths.size());
  std::vector<TerminologyFile> files;
  for (const std::string& path : paths) {
    STEPWISE_ASSIGN_OR_RETURN(std::string text, ReadInput(path, kMaxFile));
    Result<Document> document = Document::Parse(std::move(text), {.max_bytes = kMaxFile});
    if (!document) {
      document.error().span.file = path;
      return tl::unexpected(std::move(document).error());
    }
    files.push_back({&documents.emplace_back(*std::move(document)), path});
  }
  return TerminologyStore::Build(files, {.max_notes = kMostTerminologyNotes});
}

bool WantsColour() { return isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr; }

// The real time on the clock of this place.
DateTime RealNow() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t millis = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
  const std::time_t seconds = static_cast<std::time_t>(millis / 1000);
  std::tm local = {};
  const bool known = localtime_r(&seconds, &local) != nullptr;
  return DateTime::FromUnixMillis(millis, known ? static_cast<int>(local.tm_gmtoff / 60) : 0);
}

}  // namespace

int EvaluateFhirpath(const FhirpathArguments& arguments, std::ostream& out, std::ostream& err) {
  Printer printer(arguments, out, err);
  std::optional<Document> document;
  if (!arguments.file.empty()) {
    const Result<std::string> text = ReadInput(arguments.file, kMaxFile);
    if (!text) {
      printer.Fail(text.error());
      return 1;
    }
    Result<Document> parsed = Document::Parse(*text, {.max_bytes = kMaxFile});
    if (!parsed) {
      Error error = std::move(parsed).error();
      error.span.file = arguments.file == "-" ? "standard input" : arguments.file;
      printer.Fail(error, *text);
      return 1;
    }
    document = *std::move(parsed);
  }
  std::optional<Item> root;
  if (document) root = Item::Of(document->root(), ContextType(document->root(), arguments.version));
  const TypeId root_type = root ? root->type() : types::kNone;

  const std::string_view* traced = nullptr;  // the expression that runs, if its steps are shown
  fhirpath::EvaluationOptions options{.now = arguments.now};
  options.clock = &SteadyNanoseconds;
  if (arguments.trace) {
    options.on_trace = [&](const fhirpath::TraceEvent& event) {
      if (traced != nullptr) printer.Step(*traced, event, true);
    };
    options.on_step = [&](const fhirpath::TraceEvent& event) {
      if (traced != nullptr) printer.Step(*traced, event, false);
    };
  }
  fhirpath::Evaluation evaluation(std::move(options));

  std::vector<std::optional<Item>> inputs{root};
  TypeId input_type = root_type;
  const std::string_view context_option = "--context";
  if (!arguments.context.empty()) {
    const auto program = CompileFor(arguments, arguments.context, root_type, context_option, &printer);
    if (!program) return 1;
    const Result<Items> items = root ? evaluation.Run(*program, *root) : evaluation.Run(*program);
    if (!items) {
      printer.Fail(items.error(), arguments.context, context_option);
      return 1;
    }
    inputs.assign(items->begin(), items->end());
    input_type = program->result_type().type;
    // Items of one type say more than an expression that might have given others.
    if (input_type == types::kNone && !items->empty()) input_type = items->front().type();
    for (const Item& item : *items) {
      if (item.type() != input_type && program->result_type().type == types::kNone) input_type = types::kNone;
    }
  }
  const auto program = CompileFor(arguments, arguments.expression, input_type, "", &printer);
  if (!program) return 1;

  const std::string_view expression = arguments.expression;
  traced = &expression;
  std::vector<Item> results;
  for (const std::optional<Item>& input : inputs) {
    fhirpath::Environment environment;
    if (input && (!input->is_node() || !input->node().resource())) {
      environment = {.resource = root, .root_resource = root, .context = {}};
    }
    const Result<Items> items =
        input ? evaluation.Run(*program, *input, environment) : evaluation.Run(*program);
    if (!items) {
      out.flush();
      printer.Fail(items.error(), expression);
      return 1;
    }
    results.insert(results.end(), items->begin(), items->end());
  }
  if (arguments.trace) out << "\n";
  printer.Results(results);
  out.flush();
  for (const std::string& why : evaluation.unknowns()) printer.Remark("not known: ", why);
  return out ? 0 : 1;
}

void AddFhirpathCommand(CLI::App& app, int& exit_code) {
  struct Options {
    FhirpathArguments arguments;
    std::string version = "4.0.1";
    std::string now;
    std::vector<std::string> terminology;
    bool jsonl = false;
  };
  const auto options = std::make_shared<Options>();
  FhirpathArguments& arguments = options->arguments;
  CLI::App* command = app.add_subcommand("fhirpath", "Evaluate a FHIRPath expression, or many on JSON lines");
  command->add_option("EXPRESSION", arguments.expression,
                      "The expression (with --jsonl: the file of requests, or -)");
  command->add_option("FILE", arguments.file,
                      "A resource or any JSON object; - is the standard input; none: no input");
  command->add_option("--fhir", options->version, "FHIR version, 4.0.1 or 5.0.0")->capture_default_str();
  command->add_option("--context", arguments.context,
                      "An expression whose items become the inputs, one by one");
  command->add_option("--now", options->now,
                      "What now() gives, such as 2026-12-10T09:00:00Z; the real time if not given");
  command
      ->add_option("--terminology", options->terminology,
                   "ValueSets and CodeSystems for memberOf() and subsumes(): a resource or a Bundle; may be "
                   "given several times")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command->add_flag("--trace", arguments.trace, "Show the result of each step and of trace()");
  command->add_flag("--explain", arguments.explain, "Show the bound program with its types, and warnings");
  command->add_flag("--lenient", arguments.lenient,
                    "Warn about names that cannot occur instead of refusing them");
  command->add_flag("--jsonl", options->jsonl, "Answer requests, one JSON object a line");
  command->callback([options, &exit_code] {
    FhirpathArguments& given = options->arguments;
    const auto version = ParseFhirVersion(options->version);
    if (!version) throw CLI::ValidationError("--fhir", "expected 4.0.1 or 5.0.0");
    given.version = *version;
    given.now = RealNow();
    if (!options->now.empty()) {
      const auto now = DateTime::ParseDateTime(options->now);
      if (!now || !now->has_offset) {
        throw CLI::ValidationError("--now", "expected a time with offset, such as 2026-12-10T09:00:00Z");
      }
      given.now = *now;
    }
    std::optional<TerminologyStore> terminology;
    const auto read_terminology = [&] {
      if (options->terminology.empty()) return true;
      Printer printer(given, std::cout, std::cerr);
      Result<TerminologyStore> store = ReadTerminology(options->terminology);
      if (!store) {
        printer.Fail(store.error());
        exit_code = 1;
        return false;
      }
      for (const std::string& note : store->notes()) printer.Remark("warning: ", note);
      given.terminology = &terminology.emplace(*std::move(store));
      return true;
    };
    if (!options->jsonl) {
      if (given.expression.empty()) throw CLI::RequiredError("EXPRESSION");
      given.colour = WantsColour();
      if (!read_terminology()) return;
      exit_code = EvaluateFhirpath(given, std::cout, std::cerr);
      return;
    }
    if (!given.file.empty() || !given.context.empty() || given.trace || given.explain) {
      throw CLI::ValidationError("--jsonl",
                                 "takes one file of requests, and not --context, --trace or --explain");
    }
    if (!read_terminology()) return;
    const std::string& path = given.expression;
    const bool standard = path.empty() || path == "-";
    const int in = standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (in < 0) {
      std::cerr << "error: '" << path << "' cannot be read: " << std::strerror(errno) << "\n";
      exit_code = 1;
      return;
    }
    const Status status = RunJsonl(in, STDOUT_FILENO,
                                   {.version = given.version,
                                    .terminology = given.terminology,
                                    .lenient = given.lenient,
                                    .now = given.now});
    if (!standard) ::close(in);
    if (!status) std::cerr << "error: " << status.error().message << "\n";
    exit_code = status ? 0 : 1;
  });
}

}  // namespace stepwise::rules
