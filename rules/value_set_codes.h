// ListCodes: the codes that a value set's file and the tables it names come to: what membership is answered
// from (rules/value_set.h) and what a package freezes.
//
//   for (const ListedCode& code : ListCodes(source, find_table, &errors)) ...   in the order of the file
//
// Thread-safety: pure function.
#ifndef STEPWISE_RULES_VALUE_SET_CODES_H_
#define STEPWISE_RULES_VALUE_SET_CODES_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/value_set.h"

namespace stepwise::rules {

struct ListedCode {
  std::string system, code, display;  // display: "" when the code comes from a table
  bool descendants = false;           // with every code below it
};

// `find_table` answers the tables that includes may name; nullptr for a table that does not exist. All errors
// are added.
std::vector<ListedCode> ListCodes(const ValueSetSource& source,
                                  const std::function<const Table*(std::string_view)>& find_table,
                                  Errors* errors);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_VALUE_SET_CODES_H_
