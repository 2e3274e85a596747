#include "cds_hooks/evaluate_command.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>

#include "cds_hooks/card_text.h"
#include "cds_hooks/config.h"
#include "cds_hooks/evaluator_choice.h"
#include "cds_hooks/operation_outcome.h"
#include "cds_hooks/pipeline.h"
#include "cds_hooks/service.h"
#include "rules/command.h"
#include "rules/decision_json.h"
#include "rules/explain.h"

namespace stepwise::cds_hooks {
namespace {

const rules::CommandRegistrar kEvaluate(&AddEvaluateCommand);
const rules::CommandRegistrar kShowCards(&AddShowCardsCommand);

// "" and "-" are standard input.
Result<std::string> ReadText(const std::string& file) {
  if (file.empty() || file == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) return Fail(Code::kNotFound, "the file cannot be read", SourceSpan{file, 0, 0, 0});
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

struct EvaluateArguments {
  std::string request;
  Config config;
  std::string explain;  // "", "text" or "json"
};

Result<DateTime> Now(const std::string& text) {
  if (text.empty()) {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return DateTime::FromUnixMillis(
        std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
  }
  const std::optional<DateTime> now = DateTime::ParseDateTime(text);
  if (!now || !now->has_offset) {
    return Fail(Code::kInvalidArgument, "--now: expected a time with offset, such as 2026-12-10T09:00:00Z");
  }
  return *now;
}

Result<Answer> Evaluate(const EvaluateArguments& arguments) {
  STEPWISE_ASSIGN_OR_RETURN(std::string body, ReadText(arguments.request));
  STEPWISE_ASSIGN_OR_RETURN(const DateTime now, Now(arguments.config.now));
  STEPWISE_ASSIGN_OR_RETURN(const ChosenEvaluator chosen,
                            ChooseEvaluator(arguments.config, [now] { return now; }));
  STEPWISE_ASSIGN_OR_RETURN(const std::vector<rules::PackInfo> packs, chosen.evaluator->ListPacks());
  STEPWISE_ASSIGN_OR_RETURN(const Catalog catalog, BuildCatalog(packs));
  return AnswerRequest(std::move(body), nullptr, catalog, *chosen.evaluator, now,
                       MakeServiceOptions(arguments.config).calls.pipeline);
}

int RunEvaluate(const EvaluateArguments& arguments) {
  const Result<Answer> answer = Evaluate(arguments);
  if (!answer) {
    std::cout << OperationOutcome(answer.error()) << "\n";
    std::cerr << "stepwise: " << answer.error().ToString() << "\n";
    return 1;
  }
  std::cout << answer->body << "\n";
  if (!answer->errors.empty()) return 1;
  if (arguments.explain == "text") std::cerr << rules::Explain(answer->decision);
  if (arguments.explain == "json") std::cerr << rules::DecisionJson(answer->decision, 2) << "\n";
  return 0;
}

std::size_t TerminalWidth() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

struct ShowCardsArguments {
  std::string file;
  std::string expect;  // ids, divided by commas
  bool compare = false;
};

int RunShowCards(const ShowCardsArguments& arguments) {
  const Result<std::string> text = ReadText(arguments.file);
  const Result<std::vector<rules::Card>> cards = text ? ReadCards(*text) : tl::unexpected(text.error());
  if (!cards) {
    std::cerr << "stepwise: " << cards.error().ToString() << "\n";
    return 1;
  }
  const bool colour = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  std::cout << CardText(*cards, {std::min<std::size_t>(TerminalWidth(), 110), colour});
  if (!arguments.compare) return 0;
  std::vector<std::string> expected = CLI::detail::split(arguments.expect, ',');
  std::erase(expected, "");
  const std::string difference = CompareCards(*cards, expected);
  std::cerr << difference;
  return difference.empty() ? 0 : 1;
}

}  // namespace

void AddEvaluateCommand(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command = app.add_subcommand("evaluate", "Answer a CDS Hooks request, as the service would");
  command->add_option("REQUEST", arguments->request, "File with a CDS Hooks request; - is standard input")
      ->required();
  command->add_option("--packs", arguments->config.packs, "Folder of rule packs; may be given several times")
      ->allow_extra_args(false);
  command->add_option("--activation", arguments->config.activation,
                      "File that says which versions of packs are on; without it all are");
  command->add_option("--site", arguments->config.site, "Site whose activation and overlays count");
  command
      ->add_option("--evaluators", arguments->config.evaluators, "HOST:PORT,... of gRPC evaluators instead")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_option("--now", arguments->config.now, "Time of the decision, such as 2026-12-10T09:00:00Z");
  command->add_option("--max-cards", arguments->config.max_cards, "As of stepwise-server; 0 is no limit")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command
      ->add_flag("--explain{text}", arguments->explain,
                 "Say on stderr how each line of each rule decided; --explain=json as JSON")
      ->check(CLI::IsMember({"text", "json"}));
  command->callback([arguments, &exit_code] { exit_code = RunEvaluate(*arguments); });
}

void AddShowCardsCommand(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<ShowCardsArguments>();
  CLI::App* command = app.add_subcommand("show-cards", "Print the cards of a CDS Hooks response for people");
  command->add_option("FILE", arguments->file, "File with a CDS Hooks response; without it, standard input");
  CLI::Option* expect = command->add_option("--expect", arguments->expect,
                                            "ID,... of the rules that must have a card, and no others");
  command->callback([arguments, expect, &exit_code] {
    arguments->compare = expect->count() > 0;
    exit_code = RunShowCards(*arguments);
  });
}

}  // namespace stepwise::cds_hooks
