#include "cds_hooks/store/report_command.h"

#include <google/protobuf/util/json_util.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "cds_hooks/store/feedback_report.h"
#include "cds_hooks/store/pseudonym.h"

namespace stepwise::cds_hooks {
namespace {

struct Arguments {
  std::string store = "sqlite:stepwise.db";
  std::string since, until, before;
  std::string format = "table";
  std::string pack, rule;
  std::string patient, pseudonym_key_file, id;
  std::int64_t limit = 100;
  bool inputs_only = false;
};

Result<std::unique_ptr<Store>> OpenExisting(const Arguments& arguments) {
  StoreOptions options;
  options.create = false;
  return OpenStore(arguments.store, options);
}

Result<Period> PeriodOf(const Arguments& arguments) {
  Period period;
  if (!arguments.since.empty()) {
    STEPWISE_ASSIGN_OR_RETURN(period.since_ms, ParseMoment(arguments.since));
  }
  if (!arguments.until.empty()) {
    STEPWISE_ASSIGN_OR_RETURN(period.until_ms, ParseMoment(arguments.until));
  }
  return period;
}

Status ReportFeedback(const Arguments& arguments) {
  STEPWISE_ASSIGN_OR_RETURN(const Period period, PeriodOf(arguments));
  STEPWISE_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenExisting(arguments));
  STEPWISE_ASSIGN_OR_RETURN(const FeedbackReport report,
                            MakeFeedbackReport(*store, {period, arguments.pack, arguments.rule}));
  std::cout << ReportText(report, *ReportFormatOf(arguments.format));
  return {};
}

std::string JsonOf(DecisionRecord record) {
  for (store::v1::Card& card : *record.mutable_cards()) card.clear_suppression();
  record.clear_sealed();
  record.clear_sealed_input();
  std::string out;
  if (!google::protobuf::util::MessageToJsonString(record, &out).ok()) return "{}";
  return out;
}

Result<std::string> PseudonymOf(const Arguments& arguments) {
  if (arguments.patient.empty()) return std::string();
  if (arguments.pseudonym_key_file.empty())
    return Fail(Code::kInvalidArgument, "--patient also needs --pseudonym-key-file");
  STEPWISE_ASSIGN_OR_RETURN(const Key key, ReadKeyFile(arguments.pseudonym_key_file));
  return Pseudonyms(key).Of(arguments.patient);
}

Status ReportDecisions(const Arguments& arguments) {
  STEPWISE_ASSIGN_OR_RETURN(const Period period, PeriodOf(arguments));
  STEPWISE_ASSIGN_OR_RETURN(const std::string patient, PseudonymOf(arguments));
  STEPWISE_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenExisting(arguments));
  std::vector<DecisionRecord> found;
  if (arguments.id.empty()) {
    STEPWISE_ASSIGN_OR_RETURN(found, store->Decisions({period, patient, arguments.limit}));
  } else {
    STEPWISE_ASSIGN_OR_RETURN(const std::optional<DecisionRecord> one, store->FindDecision(arguments.id));
    if (!one) return Fail(Code::kNotFound, "there is no decision of this id");
    found.push_back(*one);
  }
  for (const DecisionRecord& record : found) {
    if (arguments.format == "json" || !arguments.id.empty()) {
      std::cout << JsonOf(record) << "\n";
    } else {
      std::cout << record.id() << "  " << record.now() << "  " << record.hook() << "  " << record.cards_size()
                << (record.cards_size() == 1 ? " card" : " cards") << "  " << record.total_us() << " us\n";
    }
  }
  return {};
}

Status PurgeStore(const Arguments& arguments) {
  STEPWISE_ASSIGN_OR_RETURN(const std::int64_t before, ParseMoment(arguments.before));
  STEPWISE_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenExisting(arguments));
  STEPWISE_ASSIGN_OR_RETURN(const Purged purged, store->Purge({arguments.inputs_only ? 0 : before, before}));
  std::cout << "purged " << purged.decisions << " decisions, " << purged.cards << " cards, "
            << purged.feedback << " pieces of feedback, " << purged.inputs << " inputs\n";
  return {};
}

int Run(Status (*work)(const Arguments&), const Arguments& arguments) {
  const Status done = work(arguments);
  if (done) return 0;
  std::cerr << "stepwise-server: " << done.error().ToString() << "\n";
  return 1;
}

void AddPeriod(CLI::App& command, Arguments& arguments) {
  command.add_option("--store", arguments.store, "sqlite:PATH or postgres://...")->capture_default_str();
  command.add_option("--since", arguments.since, "First day or moment, such as 2026-11-01");
  command.add_option("--until", arguments.until, "The first day or moment after");
}

}  // namespace

void AddReportCommand(CLI::App& app, int& exit_code) {
  CLI::App* report = app.add_subcommand("report", "Say what the memory of decisions and feedback holds");
  report->require_subcommand(1);

  auto feedback = std::make_shared<Arguments>();
  CLI::App* command = report->add_subcommand(
      "feedback", "Acceptance, override reasons and time to answer, by rule and version");
  AddPeriod(*command, *feedback);
  command->add_option("--format", feedback->format, "table, csv or json")
      ->check(CLI::IsMember({"table", "csv", "json"}))
      ->capture_default_str();
  command->add_option("--pack", feedback->pack, "Only of this pack");
  command->add_option("--rule", feedback->rule, "Only of this rule");
  command->callback([feedback, &exit_code] { exit_code = Run(&ReportFeedback, *feedback); });

  auto decisions = std::make_shared<Arguments>();
  command = report->add_subcommand("decisions", "Decisions, the latest first");
  AddPeriod(*command, *decisions);
  command->add_option("--format", decisions->format, "table or json (one a line)")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->add_option("--patient", decisions->patient, "Only about the patient of this id");
  command->add_option("--pseudonym-key-file", decisions->pseudonym_key_file,
                      "Key that hides ids of patients");
  command->add_option("--id", decisions->id, "Only this one, as JSON");
  command->add_option("--limit", decisions->limit, "Most decisions")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->callback([decisions, &exit_code] { exit_code = Run(&ReportDecisions, *decisions); });
}

void AddPurgeCommand(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("purge", "Delete old decisions and feedback for good");
  command->add_option("--store", arguments->store, "sqlite:PATH or postgres://...")->capture_default_str();
  command->add_option("--before", arguments->before, "Day or moment, such as 2026-01-01: what is older goes")
      ->required();
  command->add_flag("--inputs-only", arguments->inputs_only, "Only the inputs that decisions hold");
  command->callback([arguments, &exit_code] { exit_code = Run(&PurgeStore, *arguments); });
}

}  // namespace stepwise::cds_hooks
