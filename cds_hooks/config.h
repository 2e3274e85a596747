// Config: every setting and every limit of stepwise-server, with its default.
//
// They come from one YAML file and from the command line, which wins. A setting has the same name in both:
// the key `max-body-bytes: 1048576` is --max-body-bytes 1048576, and a key in a section joins its name to the
// section's: `tls: { certificate: server.pem }` is --tls-certificate server.pem. Lists of objects, such as
// trust.issuers, are in the file only. JSON is YAML too. `stepwise-server --example-config` prints the file
// with every key, its default and one sentence about it; all of that is made from cds_hooks/settings.h.
//
//   stepwise-server --config /etc/stepwise/stepwise.yaml --listen 0.0.0.0:8080 --packs /srv/packs
//
// Paths in the file are relative to the file's folder, paths on the command line to the working folder.
// The file is read once, at the start: SIGHUP reloads packs and certificates, never the configuration.
//
// Errors: all at once; each names file:line:column (or the option), the key, the nearest key there is, the
// range. Thread-safety: plain values.
#ifndef STEPWISE_CDS_HOOKS_CONFIG_H_
#define STEPWISE_CDS_HOOKS_CONFIG_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fhir/result.h"

namespace CLI {
class App;
}

namespace stepwise::cds_hooks {

struct TlsConfig {
  std::string certificate, private_key;      // PEM files; both or none
  std::string client_ca;                     // PEM file of the authorities of client certificates
  std::string client_certificates = "none";  // none | optional | required
  std::string plain_http = "loopback";       // where HTTP without TLS may listen: loopback | anywhere
  std::int64_t reload_poll_ms = 2'000;       // between two looks at the files; 0: on SIGHUP only
};

// A client organisation whose JWTs are believed.
struct IssuerConfig {
  std::string iss;
  std::string jwks_file;               // its keys, agreed out of band
  std::vector<std::string> jku;        // URLs its keys may be fetched from
  std::vector<std::string> tenants;    // empty: any
  std::vector<std::string> audiences;  // besides the public URL
};

struct TrustConfig {
  std::string required = "auto";  // auto: as soon as there is an issuer | yes | no
  std::string accept = "jwt";     // jwt | client-certificate | either | both
  std::vector<IssuerConfig> issuers;
  std::vector<std::string> certificate_subjects;  // of clients, "CN=ehr,O=Example"; empty: all verified ones
  std::int64_t clock_skew_s = 60;
  std::int64_t max_token_age_s = 3'600;
  std::int64_t jwks_cache_s = 3'600;
  std::int64_t jwks_refetch_s = 60;  // at least between two fetches because of an unknown key
  bool refuse_replayed_jti = true;
  std::int64_t max_token_bytes = 8'192;
  std::int64_t max_replay_entries = 100'000;
};

// Data that the EHR did not send along are fetched from its FHIR server.
struct FhirConfig {
  std::vector<std::string> servers;           // base URLs that may be called; empty: none is
  std::vector<std::string> allowed_networks;  // CIDR; private networks are refused unless named here
  std::string ca_file;                        // PEM file; "": the system's authorities
  std::int64_t deadline_ms = 350;             // for all calls of one request together
  std::int64_t connect_timeout_ms = 150;
  std::int64_t max_response_bytes = 4 << 20;
  std::int64_t max_total_bytes = 16 << 20;  // of one request
  std::int64_t max_pages = 10;
  std::int64_t max_retries = 1;
  std::int64_t max_parallel = 8;
  bool without_token = false;  // false: called only for requests that bring an access token
};

struct StoreConfig {
  std::string url;                     // "": SQLite in the state folder; none; sqlite:PATH; postgres://...
  std::string state_dir;               // see StateDir()
  std::string pseudonym_key_file;      // hides patients' ids; "": made in the state folder. Nodes share it
  std::vector<std::string> key_files;  // the first seals new records, all open old ones
  bool keep_input = false;             // keep the sealed input of a decision, so that it can be replayed
  std::int64_t spool_max_bytes = 256 << 20;
  std::int64_t retention_days = 3'650;     // 0: for ever
  std::int64_t input_retention_days = 30;  // 0: as long as the record
  bool sync = false;                       // answer only once the record is on disk
};

struct AdminConfig {
  std::string token_file;  // "": there is no /admin
};

struct Config {
  // What to serve.
  std::string listen = "127.0.0.1:8080";  // HOST:PORT, [::1]:PORT for IPv6; port 0 takes any free port
  std::string path_prefix;                // "/cds" puts discovery at /cds/cds-services
  std::string public_url;                 // base URL that clients call; "": made from `listen`
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
  std::int64_t request_timeout_ms = 10'000;  // to receive one request, and to send one answer
  std::int64_t min_bytes_per_second = 16
                                      << 10;  // slower bodies and answers are cut, after request_timeout_ms
  std::int64_t idle_timeout_ms = 75'000;      // between two requests on a connection
  std::int64_t request_deadline_ms = 500;  // from the last byte of a request to its answer, fetching included
  std::int64_t evaluation_timeout_ms = 2'000;  // rules that take longer: 503
  std::int64_t drain_time_ms = 10'000;         // after SIGTERM, for requests in flight
  std::int64_t drain_notice_ms = 0;     // before that: still serving, while /health/ready already says 503
  std::int64_t reload_poll_ms = 2'000;  // between two looks at the packs; 0: they are reloaded on SIGHUP only

  // Size of the server.
  std::int64_t max_connections = 1024;           // more wait in the accept queue of the system
  std::int64_t max_connections_per_address = 0;  // 0: no limit; behind a proxy all come from one address
  std::int64_t max_requests_per_connection = 0;  // then it closes, so that balancers can move it; 0: no limit
  std::int64_t max_buffered_bytes = 256 << 20;   // of all bodies being received; more get 503
  std::int64_t max_queued_evaluations = 256;     // requests that wait for a worker; more get 503
  std::int64_t max_queue_wait_ms = 1'000;        // then they get 503, too; 0: however long
  std::int64_t worker_threads = 0;               // 0: one a core
  std::int64_t max_shadows = 4;  // versions in shadow are tried for so many requests at once, then skipped

  std::string log_level = "info";  // trace, debug, info, warn, error, off

  TlsConfig tls;
  TrustConfig trust;
  FhirConfig fhir;
  StoreConfig store;
  AdminConfig admin;
};

// The settings given on a command line, to be applied after the file.
struct Overrides {
  std::string file;                                                     // --config
  std::vector<std::pair<std::string, std::vector<std::string>>> given;  // path of a setting, values
};

// Adds --config and one option per setting. `overrides` outlives the parsing.
void AddOptions(CLI::App& app, Overrides& overrides);

// Defaults, then the file, then the command line; then what must fit together. nullopt: there are errors.
std::optional<Config> MakeConfig(const Overrides& overrides, std::vector<Error>* errors);
// The same of the text of a file; `file` is for messages and relative paths.
std::optional<Config> ReadConfig(std::string_view yaml, const std::string& file, std::vector<Error>* errors);

// Where state is kept: store.state-dir, else the first entry of $STATE_DIRECTORY (systemd), else
// $XDG_STATE_HOME/stepwise, else $HOME/.local/state/stepwise; "" where none of them is set.
std::string StateDir(const StoreConfig& store, const std::function<const char*(const char*)>& getenv);

// Where packs are when nobody says: rules/packs of the source tree the program was built in
// (<program>/../../../rules/packs), or <program>/../share/stepwise/packs when installed. "" if neither is
// there.
std::string DefaultPacksDir();

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_CONFIG_H_
