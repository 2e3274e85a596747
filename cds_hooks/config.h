// Config: every setting and every limit of stepwise-server, with its default.
//
// Each can be set in a JSON file and on the command line; the command line wins. Names differ only in the
// dashes: {"max_body_bytes": 1048576} is --max-body-bytes 1048576.
//
//   stepwise-server --config stepwise.json --listen 0.0.0.0:8080 --packs /srv/packs
//
// Errors: kInvalidArgument names the file, the key (and the nearest key there is), the range.
// Thread-safety: plain values.
#ifndef STEPWISE_CDS_HOOKS_CONFIG_H_
#define STEPWISE_CDS_HOOKS_CONFIG_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fhir/result.h"

namespace CLI {
class App;
}

namespace stepwise::cds_hooks {

struct Config {
  // What to serve.
  std::string listen = "127.0.0.1:8080";  // HOST:PORT, [::1]:PORT for IPv6; port 0 takes any free port
  std::string path_prefix;                // "/cds" puts discovery at /cds/cds-services
  std::vector<std::string> packs;         // folders of rule packs; empty: DefaultPacksDir()
  std::string activation;                 // file that says which versions are on; "": every pack, the highest
  std::string site;                       // whose activation and whose overlays of packs count
  std::vector<std::string> evaluators;    // HOST:PORT of gRPC evaluators; empty: evaluate in this process
  std::string now;                        // fixed time of every decision, for demonstrations; "" is the clock
  // Origins that browsers may call from. "*" is any origin, without credentials; none at all switches CORS
  // off.
  std::vector<std::string> cors_origins = {"*"};

  // Limits on what a client may send.
  std::int64_t max_body_bytes = 16 << 20;    // larger bodies: 413, before they are read
  std::int64_t max_header_bytes = 16 << 10;  // larger headers: 431
  std::int64_t max_depth = 100;              // nested JSON objects and arrays: 413

  // What a response may hold: so many cards, the last of which names the advice that found no place, so that
  // a long list does not train people to close it unread. 0: no limit. 5 is this project's choice.
  std::int64_t max_cards = 5;
  std::int64_t max_issued_cards = 100'000;  // cards and overrides remembered for feedback, in memory

  // Limits on time.
  std::int64_t request_timeout_ms = 10'000;    // to receive one request, and to send one answer
  std::int64_t idle_timeout_ms = 75'000;       // between two requests on a connection
  std::int64_t evaluation_timeout_ms = 2'000;  // rules that take longer: 503
  std::int64_t drain_time_ms = 10'000;         // after SIGTERM, for requests in flight
  std::int64_t reload_poll_ms = 2'000;  // between two looks at the packs; 0: they are reloaded on SIGHUP only

  // Size of the server.
  std::int64_t max_connections = 1024;  // more wait in the accept queue of the system
  std::int64_t worker_threads = 0;      // 0: one a core
  std::int64_t max_shadows = 4;  // versions in shadow are tried for so many requests at once, then skipped

  std::string log_level = "info";  // trace, debug, info, warn, error, off
};

// Sets what the JSON text names. `file` is for messages.
Status ApplyJson(std::string_view text, const std::string& file, Config& config);
Status ApplyJsonFile(const std::string& file, Config& config);

// The settings given on a command line, to be applied after the file.
struct Overrides {
  std::string file;                                                     // --config
  std::vector<std::pair<std::string, std::vector<std::string>>> given;  // key, values
};

// Adds --config and one option per setting. `overrides` outlives the parsing.
void AddOptions(CLI::App& app, Overrides& overrides);

// Defaults, then the file, then the command line; checks what belongs together.
Result<Config> MakeConfig(const Overrides& overrides);

// Where packs are when nobody says: rules/packs of the source tree the program was built in
// (<program>/../../../rules/packs), or <program>/../share/stepwise/packs when installed. "" if neither is
// there.
std::string DefaultPacksDir();

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_CONFIG_H_
