#include "cds_hooks/settings.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <deque>

#include "fhir/date_time.h"

namespace stepwise::cds_hooks {
namespace {

using rules::KeySchema;
using rules::ObjectSchema;
using rules::ValueKind;

template <auto... kMembers>
auto& At(Config& config) {
  return (config.*....*kMembers);
}

std::optional<std::int64_t> ParseNumber(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::string_view HostPort(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const auto port = colon == std::string_view::npos ? std::nullopt : ParseNumber(text.substr(colon + 1));
  return port && *port >= 0 && *port <= 65'535 && text[colon + 1] != '-' ? "" : "HOST:PORT";
}

std::string_view Moment(std::string_view text) {
  const std::optional<DateTime> time = DateTime::ParseDateTime(std::string(text));
  return time && time->has_offset ? "" : "a time with offset, such as 2026-12-10T09:00:00Z";
}

std::string_view PathPrefix(std::string_view text) {
  const bool right = text.front() == '/' && text.back() != '/';
  return right ? "" : "a path that starts with / and does not end with it, such as /cds";
}

std::string_view Url(std::string_view text) {
  const std::size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
  const bool right = scheme > 0 && text.size() > scheme && text[scheme] != '/' &&
                     text.find_first_of(" \t\r\n?#@") == std::string_view::npos;
  return right ? "" : "a URL such as https://fhir.example.org/r4";
}

std::string_view Network(std::string_view text) {
  constexpr std::string_view kExpected = "a network such as 10.1.0.0/16 or fd00::/8";
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return kExpected;
  const std::string address(text.substr(0, slash));
  unsigned char bytes[sizeof(in6_addr)];
  const std::int64_t most = inet_pton(AF_INET, address.c_str(), bytes) == 1    ? 32
                            : inet_pton(AF_INET6, address.c_str(), bytes) == 1 ? 128
                                                                               : -1;
  const auto bits = ParseNumber(text.substr(slash + 1));
  return bits && *bits >= 0 && *bits <= most ? "" : kExpected;
}

std::string_view StoreUrl(std::string_view text) {
  constexpr std::string_view kPrefixes[] = {"sqlite:", "postgres://", "postgresql://"};
  const bool right = text == "none" || std::ranges::any_of(kPrefixes, [&](std::string_view prefix) {
                       return text.starts_with(prefix) && text.size() > prefix.size();
                     });
  return right ? "" : "none, sqlite:PATH or postgres://...";
}

constexpr std::int64_t kHourMs = 3'600'000, kDayS = 86'400, kMaxBytes = 1 << 30;
constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warn", "error", "off"};
constexpr std::string_view kClientCertificates[] = {"none", "optional", "required"};
constexpr std::string_view kPlainHttp[] = {"loopback", "anywhere"};
constexpr std::string_view kRequired[] = {"auto", "yes", "no"};
constexpr std::string_view kAccept[] = {"jwt", "client-certificate", "either", "both"};

constexpr Section kSections[] = {
    {"", "The service and its limits"},
    {"tls", "TLS"},
    {"trust", "Which clients are believed"},
    {"fhir", "Fetching what a request did not bring from the EHR's FHIR server"},
    {"store", "Records of decisions"},
    {"admin", "Administration over HTTP"},
};

const Setting kSettings[] = {
    {.path = "listen",
     .member = &At<&Config::listen>,
     .help = "HOST:PORT to listen on; port 0 takes any free port",
     .check = HostPort},
    {.path = "path-prefix",
     .member = &At<&Config::path_prefix>,
     .help = "Path before /cds-services, such as /cds",
     .check = PathPrefix},
    {.path = "public-url",
     .member = &At<&Config::public_url>,
     .help = "Base URL that clients call, which tokens are issued for; without it it is made from listen",
     .check = Url},
    {.path = "packs",
     .member = &At<&Config::packs>,
     .help = "Folder of rule packs; may be given several times",
     .is_path = true,
     .commas = false},
    {.path = "activation",
     .member = &At<&Config::activation>,
     .help = "File that says which versions of packs are on; without it all are",
     .is_path = true},
    {.path = "site",
     .member = &At<&Config::site>,
     .help = "Site whose activation and overlays of packs count"},
    {.path = "evaluators",
     .member = &At<&Config::evaluators>,
     .help = "HOST:PORT,... of gRPC evaluators instead of evaluating in this process",
     .check = HostPort},
    {.path = "now",
     .member = &At<&Config::now>,
     .help = "Fixed time of every decision, such as 2026-12-10T09:00:00Z; for demonstrations",
     .check = Moment},
    {.path = "cors-origins",
     .member = &At<&Config::cors_origins>,
     .help = "Origins that browsers may call from; * is any, an empty list none"},
    {.path = "log-level",
     .member = &At<&Config::log_level>,
     .help = "Least important lines of the log",
     .allowed = kLevels},
    {.path = "max-body-bytes",
     .member = &At<&Config::max_body_bytes>,
     .help = "Largest request body; larger ones get 413",
     .min = 1,
     .max = kMaxBytes},
    {.path = "max-header-bytes",
     .member = &At<&Config::max_header_bytes>,
     .help = "Largest HTTP header; larger ones get 431",
     .min = 256,
     .max = 1 << 20},
    {.path = "max-depth",
     .member = &At<&Config::max_depth>,
     .help = "Deepest nesting of JSON; deeper ones get 413",
     .min = 8,
     .max = 1000},
    {.path = "max-cards",
     .member = &At<&Config::max_cards>,
     .help = "Cards of a response, the last one names the rest; 0 is no limit",
     .max = 1000},
    {.path = "max-issued-cards",
     .member = &At<&Config::max_issued_cards>,
     .help = "Cards remembered for feedback",
     .max = 100'000'000},
    {.path = "request-timeout-ms",
     .member = &At<&Config::request_timeout_ms>,
     .help = "To receive a request or send an answer",
     .min = 1,
     .max = kHourMs},
    {.path = "min-bytes-per-second",
     .member = &At<&Config::min_bytes_per_second>,
     .help = "Slower bodies and answers are cut once request-timeout-ms is over",
     .min = 1,
     .max = kMaxBytes},
    {.path = "idle-timeout-ms",
     .member = &At<&Config::idle_timeout_ms>,
     .help = "Between two requests on a connection",
     .min = 1,
     .max = kHourMs},
    {.path = "request-deadline-ms",
     .member = &At<&Config::request_deadline_ms>,
     .help = "From the end of a request to its answer, fetching included",
     .min = 1,
     .max = kHourMs},
    {.path = "evaluation-timeout-ms",
     .member = &At<&Config::evaluation_timeout_ms>,
     .help = "For the rules of one request",
     .min = 1,
     .max = kHourMs},
    {.path = "drain-time-ms",
     .member = &At<&Config::drain_time_ms>,
     .help = "For requests in flight when stopping",
     .max = kHourMs},
    {.path = "drain-notice-ms",
     .member = &At<&Config::drain_notice_ms>,
     .help = "Before that: still serving, while /health/ready says that it will end",
     .max = kHourMs},
    {.path = "reload-poll-ms",
     .member = &At<&Config::reload_poll_ms>,
     .help = "Between two looks at the packs; 0: reload on SIGHUP only",
     .max = kHourMs},
    {.path = "max-connections",
     .member = &At<&Config::max_connections>,
     .help = "Connections open at once; more wait",
     .min = 1,
     .max = 1'000'000},
    {.path = "max-connections-per-address",
     .member = &At<&Config::max_connections_per_address>,
     .help = "Connections open at once from one address; 0: no limit, as behind a proxy",
     .max = 1'000'000},
    {.path = "max-requests-per-connection",
     .member = &At<&Config::max_requests_per_connection>,
     .help = "Then it is closed, so that load balancers can move it; 0: no limit",
     .max = 1'000'000'000},
    {.path = "max-buffered-bytes",
     .member = &At<&Config::max_buffered_bytes>,
     .help = "Of all bodies that are being received; more get 503",
     .min = 1 << 20,
     .max = std::int64_t{1} << 40},
    {.path = "max-queued-evaluations",
     .member = &At<&Config::max_queued_evaluations>,
     .help = "Requests that wait for a worker; more get 503 with Retry-After",
     .min = 1,
     .max = 1'000'000},
    {.path = "max-queue-wait-ms",
     .member = &At<&Config::max_queue_wait_ms>,
     .help = "Requests that waited longer get 503 too; 0: they wait however long",
     .max = kHourMs},
    {.path = "worker-threads",
     .member = &At<&Config::worker_threads>,
     .help = "Threads that answer requests; 0 is one a core",
     .max = 1024},
    {.path = "max-shadows",
     .member = &At<&Config::max_shadows>,
     .help = "Requests that versions in shadow are tried for at once",
     .max = 1024},

    {.path = "tls.certificate",
     .member = &At<&Config::tls, &TlsConfig::certificate>,
     .help = "PEM file of the certificate and its chain; without it the server speaks plain HTTP",
     .is_path = true},
    {.path = "tls.private-key",
     .member = &At<&Config::tls, &TlsConfig::private_key>,
     .help = "PEM file of the certificate's key",
     .is_path = true},
    {.path = "tls.client-ca",
     .member = &At<&Config::tls, &TlsConfig::client_ca>,
     .help = "PEM file of the authorities that issue certificates of clients",
     .is_path = true},
    {.path = "tls.client-certificates",
     .member = &At<&Config::tls, &TlsConfig::client_certificates>,
     .help = "Whether clients show a certificate",
     .allowed = kClientCertificates},
    {.path = "tls.plain-http",
     .member = &At<&Config::tls, &TlsConfig::plain_http>,
     .help = "Addresses that plain HTTP may listen on",
     .allowed = kPlainHttp},
    {.path = "tls.reload-poll-ms",
     .member = &At<&Config::tls, &TlsConfig::reload_poll_ms>,
     .help = "Between two looks at the certificate; 0: reload on SIGHUP only",
     .max = kHourMs},

    {.path = "trust.required",
     .member = &At<&Config::trust, &TrustConfig::required>,
     .help = "Whether a request must prove who sends it; auto: as soon as there is an issuer",
     .allowed = kRequired},
    {.path = "trust.accept",
     .member = &At<&Config::trust, &TrustConfig::accept>,
     .help = "What is proof",
     .allowed = kAccept},
    {.path = "trust.issuers",
     .member = &At<&Config::trust, &TrustConfig::issuers>,
     .help = "Organisations whose tokens are believed",
     .item = &kIssuerSchema},
    {.path = "trust.certificate-subjects",
     .member = &At<&Config::trust, &TrustConfig::certificate_subjects>,
     .help = "Subjects of client certificates that are let in, such as CN=ehr,O=Example; without any, all "
             "that client-ca vouches for",
     .commas = false},
    {.path = "trust.clock-skew-s",
     .member = &At<&Config::trust, &TrustConfig::clock_skew_s>,
     .help = "How far the clock of a client may be from ours",
     .max = 3'600},
    {.path = "trust.max-token-age-s",
     .member = &At<&Config::trust, &TrustConfig::max_token_age_s>,
     .help = "Longest time from a token's issue to its end",
     .min = 1,
     .max = kDayS},
    {.path = "trust.jwks-cache-s",
     .member = &At<&Config::trust, &TrustConfig::jwks_cache_s>,
     .help = "How long fetched keys are used",
     .min = 1,
     .max = 30 * kDayS},
    {.path = "trust.jwks-refetch-s",
     .member = &At<&Config::trust, &TrustConfig::jwks_refetch_s>,
     .help = "At least between two fetches because of an unknown key",
     .min = 1,
     .max = kDayS},
    {.path = "trust.refuse-replayed-jti",
     .member = &At<&Config::trust, &TrustConfig::refuse_replayed_jti>,
     .help = "Refuse a token that was used before"},
    {.path = "trust.max-token-bytes",
     .member = &At<&Config::trust, &TrustConfig::max_token_bytes>,
     .help = "Longest token",
     .min = 256,
     .max = 1 << 16},
    {.path = "trust.max-replay-entries",
     .member = &At<&Config::trust, &TrustConfig::max_replay_entries>,
     .help = "Used tokens that are remembered until they end",
     .min = 1,
     .max = 100'000'000},

    {.path = "fhir.servers",
     .member = &At<&Config::fhir, &FhirConfig::servers>,
     .help = "Base URLs of FHIR servers that may be called; an empty list: none",
     .check = Url},
    {.path = "fhir.allowed-networks",
     .member = &At<&Config::fhir, &FhirConfig::allowed_networks>,
     .help = "Private networks (CIDR) that these servers may be in",
     .check = Network},
    {.path = "fhir.ca-file",
     .member = &At<&Config::fhir, &FhirConfig::ca_file>,
     .help = "PEM file of the authorities of their certificates; without it the system's",
     .is_path = true},
    {.path = "fhir.deadline-ms",
     .member = &At<&Config::fhir, &FhirConfig::deadline_ms>,
     .help = "For all calls of one request together",
     .min = 1,
     .max = kHourMs},
    {.path = "fhir.connect-timeout-ms",
     .member = &At<&Config::fhir, &FhirConfig::connect_timeout_ms>,
     .help = "To connect to a server",
     .min = 1,
     .max = kHourMs},
    {.path = "fhir.max-response-bytes",
     .member = &At<&Config::fhir, &FhirConfig::max_response_bytes>,
     .help = "Largest answer of a server",
     .min = 1024,
     .max = kMaxBytes},
    {.path = "fhir.max-total-bytes",
     .member = &At<&Config::fhir, &FhirConfig::max_total_bytes>,
     .help = "Largest sum of the answers for one request",
     .min = 1024,
     .max = kMaxBytes},
    {.path = "fhir.max-pages",
     .member = &At<&Config::fhir, &FhirConfig::max_pages>,
     .help = "Pages of one search that are read",
     .min = 1,
     .max = 1000},
    {.path = "fhir.max-retries",
     .member = &At<&Config::fhir, &FhirConfig::max_retries>,
     .help = "Further attempts after a call that failed",
     .max = 5},
    {.path = "fhir.max-parallel",
     .member = &At<&Config::fhir, &FhirConfig::max_parallel>,
     .help = "Calls of one request at once",
     .min = 1,
     .max = 100},
    {.path = "fhir.without-token",
     .member = &At<&Config::fhir, &FhirConfig::without_token>,
     .help = "Call a server also for requests that bring no access token"},

    {.path = "store.url",
     .member = &At<&Config::store, &StoreConfig::url>,
     .help = "none, sqlite:PATH (from the state folder) or postgres://...; without it SQLite in the state "
             "folder",
     .check = StoreUrl,
     .flag = "--store"},
    {.path = "store.state-dir",
     .member = &At<&Config::store, &StoreConfig::state_dir>,
     .help = "State folder; without it $STATE_DIRECTORY, $XDG_STATE_HOME/stepwise or "
             "~/.local/state/stepwise",
     .is_path = true},
    {.path = "store.pseudonym-key-file",
     .member = &At<&Config::store, &StoreConfig::pseudonym_key_file>,
     .help = "Key that hides ids of patients; made in the state folder. Nodes of one store share it",
     .is_path = true},
    {.path = "store.key-files",
     .member = &At<&Config::store, &StoreConfig::key_files>,
     .help = "Files of keys: the first seals new records, all open old ones",
     .is_path = true,
     .commas = false},
    {.path = "store.keep-input",
     .member = &At<&Config::store, &StoreConfig::keep_input>,
     .help = "Keep the sealed input of decisions, so that they can be replayed"},
    {.path = "store.spool-max-bytes",
     .member = &At<&Config::store, &StoreConfig::spool_max_bytes>,
     .help = "Disk for records that wait until the store is back",
     .max = std::int64_t{1} << 40},
    {.path = "store.retention-days",
     .member = &At<&Config::store, &StoreConfig::retention_days>,
     .help = "Age at which records are purged; 0: never",
     .max = 36'500},
    {.path = "store.input-retention-days",
     .member = &At<&Config::store, &StoreConfig::input_retention_days>,
     .help = "Age at which inputs are purged; 0: with their record",
     .max = 36'500},
    {.path = "store.sync",
     .member = &At<&Config::store, &StoreConfig::sync>,
     .help = "Answer only once the record is on disk"},

    {.path = "admin.token-file",
     .member = &At<&Config::admin, &AdminConfig::token_file>,
     .help = "File of the bearer token for /admin; without it there is no /admin",
     .is_path = true},
};

constexpr KeySchema kIssuerKeys[] = {
    {.name = "iss", .kind = ValueKind::kText, .doc = "As in the tokens", .required = true},
    {.name = "jwks-file",
     .kind = ValueKind::kText,
     .doc = "JSON Web Key Set of its keys, agreed out of band"},
    {.name = "jku", .kind = ValueKind::kTexts, .doc = "URLs that its keys may be fetched from"},
    {.name = "tenants", .kind = ValueKind::kTexts, .doc = "Tenants it may speak for; without it any"},
    {.name = "audiences", .kind = ValueKind::kTexts, .doc = "Audiences of its tokens besides public-url"},
};

ValueKind KindOf(const Setting& setting) {
  constexpr ValueKind kKinds[] = {ValueKind::kText, ValueKind::kTexts, ValueKind::kInteger,
                                  ValueKind::kBoolean, ValueKind::kList};
  return kKinds[setting.member.index()];
}

}  // namespace

const ObjectSchema kIssuerSchema = {"issuer", "an issuer", kIssuerKeys};

std::span<const Section> Sections() { return kSections; }
std::span<const Setting> Settings() { return kSettings; }

const Setting* FindSetting(std::string_view path) {
  const auto* found = std::ranges::find(kSettings, path, &Setting::path);
  return found == std::end(kSettings) ? nullptr : found;
}

std::string_view SectionOf(const Setting& setting) {
  const std::size_t dot = setting.path.find('.');
  return dot == std::string_view::npos ? "" : setting.path.substr(0, dot);
}

std::string_view KeyOf(const Setting& setting) {
  return setting.path.substr(setting.path.find('.') + 1);  // npos + 1 is 0
}

std::string FlagOf(const Setting& setting) {
  if (!setting.flag.empty()) return std::string(setting.flag);
  std::string flag = "--" + std::string(setting.path);
  std::ranges::replace(flag, '.', '-');
  return flag;
}

const ObjectSchema& ConfigSchema() {
  struct Parts {
    std::deque<std::vector<KeySchema>> keys;
    std::deque<std::string> names;
    std::deque<ObjectSchema> sections;
    ObjectSchema top;
  };
  static const Parts* const parts = [] {
    auto* made = new Parts;  // never freed: others may still read it when the program ends
    std::vector<KeySchema> top;
    for (const Section& section : kSections) {
      std::vector<KeySchema>& keys = made->keys.emplace_back();
      for (const Setting& setting : kSettings) {
        if (SectionOf(setting) != section.name) continue;
        keys.push_back({.name = KeyOf(setting),
                        .kind = KindOf(setting),
                        .doc = setting.help,
                        .allowed = setting.allowed,
                        .object = setting.item});
      }
      if (section.name.empty()) {
        top = keys;
        continue;
      }
      const std::string& what = made->names.emplace_back("`" + std::string(section.name) + "`");
      made->sections.push_back({section.name, what, keys});
      top.push_back({.name = section.name,
                     .kind = ValueKind::kObject,
                     .doc = section.title,
                     .object = &made->sections.back()});
    }
    made->keys.front() = std::move(top);
    made->top = {"config", "the configuration", made->keys.front()};
    return made;
  }();
  return parts->top;
}

}  // namespace stepwise::cds_hooks
