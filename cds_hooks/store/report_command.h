// `stepwise-server report` and `stepwise-server purge`: what the memory of decisions and feedback holds.
//
//   stepwise-server report feedback --store sqlite:stepwise.db --since 2026-11-01 --format csv
//   stepwise-server report decisions --store postgres://... --patient p1 --pseudonym-key-file
//   state/pseudonym.key stepwise-server purge --before 2025-01-01 --store sqlite:stepwise.db
//
// They may run beside the service. A decision is printed as it stands in the open: without patient data.
// Exit codes: 0 done, 1 it could not be done (the reason is on stderr), 2 wrong usage.
#ifndef STEPWISE_CDS_HOOKS_STORE_REPORT_COMMAND_H_
#define STEPWISE_CDS_HOOKS_STORE_REPORT_COMMAND_H_

namespace CLI {
class App;
}

namespace stepwise::cds_hooks {

// `exit_code` outlives the parsing.
void AddReportCommand(CLI::App& app, int& exit_code);
void AddPurgeCommand(CLI::App& app, int& exit_code);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_REPORT_COMMAND_H_
