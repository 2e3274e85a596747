#!/bin/sh
# Fails when an #include runs up a floor or around the house: fhir < rules < cds_hooks < conformance.
# First proves on planted trees that the checker finds what it should; then checks the real tree.
#
#   sh tests/floors_test.sh [root]
set -eu

# Prints one line a violation for the tree in $1; prints nothing when all is well.
check() (
  cd "$1"
  find fhir rules cds_hooks conformance tests \( -name '*.h' -o -name '*.cc' \) -type f 2>/dev/null |
    LC_ALL=C sort | while IFS= read -r file; do
    awk -v file="$file" '
      BEGIN {
        rank["fhir"] = 1; rank["rules"] = 2; rank["cds_hooks"] = 3; rank["conformance"] = 4
        split(file, part, "/")
        in_tests = part[1] == "tests"
        floor = in_tests ? part[2] : part[1]   # tests/<floor>/ obeys the same order; tests/bench may use all
        own = floor in rank ? rank[floor] : 99
        public_header = floor == "fhir" && !in_tests && file ~ /\.h$/ && file !~ /_internal\.h$/
      }
      function bad(why) { printf "%s:%d: %s\n", file, FNR, why }
      /^[ \t]*#[ \t]*include[ \t]*["<]/ {
        quoted = $0 ~ /include[ \t]*"/
        path = $0; sub(/^[^"<]*["<]/, "", path); sub(/[">].*/, "", path)
        split(path, step, "/")
        if (path ~ /\.\.\//)
          bad("includes \"" path "\": write the full path from the root")
        else if (step[1] in rank && rank[step[1]] > own)
          bad(floor "/ includes \"" path "\" from the floor above")
        else if (step[1] == "tests" && !in_tests)
          bad("includes \"" path "\": only tests include tests/")
        else if (path ~ /^(proto|stepwise)\// && own < rank["rules"])
          bad(floor "/ includes \"" path "\": generated messages begin at rules/")
        else if (quoted && !(step[1] in rank) && step[1] != "tests" && step[1] != "stepwise")
          bad("includes \"" path "\": write the full path from the root, or <...> for a library")
      }
      public_header {
        code = $0; sub(/\/\/.*/, "", code)
        if (match(code, /nlohmann|simdjson|protobuf|google::|yaml|YAML/))
          bad("a public header of fhir/ mentions " substr(code, RSTART, RLENGTH))
      }' "$file"
  done
  find rules/packs \( -name '*.cc' -o -name '*.h' -o -name '*.cpp' -o -name '*.hpp' \) 2>/dev/null |
    sed 's/$/: rules\/packs holds YAML and CSV, no C++/'
)

planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
failed=0

# expect <ok|bad> <file> <line>: a tree with only that line in that file is accepted or reported.
expect() {
  rm -rf "$planted/tree"
  mkdir -p "$planted/tree/$(dirname "$2")"
  printf '%s\n' "$3" > "$planted/tree/$2"
  found=$(check "$planted/tree")
  if { [ "$1" = ok ] && [ -n "$found" ]; } || { [ "$1" = bad ] && [ -z "$found" ]; }; then
    echo "self-test: expected $1 for $2 with: $3 ${found:+(got $found)}"
    failed=1
  fi
}
expect ok fhir/a.h '#include "fhir/b.h"'
expect ok fhir/a.h '#include <tl/expected.hpp>  // not simdjson'
expect ok fhir/a.cc '#include <simdjson.h>'
expect ok rules/a.cc '#include "stepwise/rules/v1/evaluator.grpc.pb.h"'
expect ok cds_hooks/evaluate_command.cc '#include "rules/engine.h"'
expect ok conformance/a.cc '#include "fhir/b.h"'
expect ok tests/rules/a_test.cc '#include "tests/testing.h"'
expect ok tests/bench/a_bench.cc '#include "cds_hooks/service.h"'
expect bad fhir/a.cc '#include "rules/engine.h"'
expect bad fhir/types/a.cc '  #  include <conformance/b.h>'
expect bad rules/main.cc '#include "cds_hooks/evaluate_command.h"'
expect bad cds_hooks/a.cc '#include "conformance/b.h"'
expect bad tests/fhir/a_test.cc '#include "rules/engine.h"'
expect bad rules/a.cc '#include "tests/testing.h"'
expect bad rules/a.cc '#include "../fhir/b.h"'
expect bad rules/a.cc '#include "engine.h"'
expect bad fhir/a.cc '#include "stepwise/rules/v1/evaluator.pb.h"'
expect bad fhir/a.h '#include <simdjson.h>'
expect bad fhir/a.h 'nlohmann::json ToJson();'
expect bad rules/packs/opioids/a.cc ''
[ "$failed" = 0 ] || exit 1

root=${1:-$(dirname "$0")/..}
violations=$(check "$root")
if [ -n "$violations" ]; then
  echo "Includes point down only: fhir < rules < cds_hooks < conformance (README: the house)."
  printf '%s\n' "$violations"
  exit 1
fi
echo "floors: all includes point down"
