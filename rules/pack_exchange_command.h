// `stepwise pack export` and `stepwise pack import` (rules/pack_exchange.h).
//
//   stepwise pack export rules/packs/cancer-pain -o out.json     a FHIR Bundle; -o out.tgz makes the package
//   stepwise pack import out.json -o my-pack                     the same folder again
//   stepwise pack import plan-definition.json -o my-pack         others' rules: a draft, and a report of the
//   rest
//
// The report goes to the terminal and to import-report.json in the new folder. Exit codes: 0 done, 1 errors,
// 2 wrong usage.
#ifndef STEPWISE_RULES_PACK_EXCHANGE_COMMAND_H_
#define STEPWISE_RULES_PACK_EXCHANGE_COMMAND_H_

#include <iosfwd>
#include <string>
#include <vector>

#include "rules/pack_exchange.h"

namespace CLI {
class App;
}

namespace stepwise::rules {

void AddPackExchangeCommands(CLI::App& pack, int& exit_code);

// `with`: packs that it requires, where they are not beside it.
int ExportPack(const std::string& path, const std::vector<std::string>& with, const std::string& output,
               bool colour, std::ostream& out);
// `output`: a folder that is new or empty.
int ImportPackFile(const std::string& file, const std::string& output, const ExchangeOptions& options,
                   bool colour, std::ostream& out);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_EXCHANGE_COMMAND_H_
