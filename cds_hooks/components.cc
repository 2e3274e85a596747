#include "cds_hooks/components.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <utility>

namespace stepwise::cds_hooks {
namespace {

constexpr std::size_t kMaxSetBytes = 1 << 20;              // of a JWK Set that is fetched
constexpr std::chrono::milliseconds kKeysDeadline{2'000};  // nobody is let in meanwhile

// The token that administrators show: the file without white space around it.
Result<std::string> ReadAdminToken(const std::string& file) {
  if (file.empty()) return std::string();
  std::ifstream in(file, std::ios::binary);
  std::string token{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto space = [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; };
  while (!token.empty() && space(token.back())) token.pop_back();
  if (!in || token.empty() || space(token.front()))
    return Fail(Code::kInvalidArgument, "admin.token-file: expected a file with one token", {file, 0, 0, 0});
  return token;
}

// Keys are fetched from the URLs that the configuration names, and from no others.
rest::HttpClientOptions MakeKeyClientOptions(const Config& config) {
  rest::HttpClientOptions options;
  for (const IssuerConfig& issuer : config.trust.issuers)
    options.servers.insert(options.servers.end(), issuer.jku.begin(), issuer.jku.end());
  options.allowed_networks = config.fhir.allowed_networks;
  options.ca_file = config.fhir.ca_file;
  options.connect_timeout_ms = kKeysDeadline.count();
  return options;
}

trust::FetchText FetchKeysBy(rest::HttpClient& client) {
  return [&client](const std::string& url, std::function<void(Result<std::string>)> done) {
    rest::HttpCall call{.url = url,
                        .headers = {{"Accept", "application/json"}},
                        .deadline = std::chrono::steady_clock::now() + kKeysDeadline,
                        .max_response_bytes = kMaxSetBytes,
                        .connect_retries = 1};
    client.Start(std::move(call), [done = std::move(done)](Result<rest::HttpReply> reply) {
      if (!reply) return done(tl::unexpected(std::move(reply.error())));
      if (reply->status != 200)
        return done(Fail(Code::kUnavailable, "answered with status " + std::to_string(reply->status)));
      done(std::move(reply->body));
    });
  };
}

// Bits of trace ids: unlike others', and no secret.
std::uint64_t RandomBits() {
  thread_local std::mt19937_64 engine = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return engine();
}

}  // namespace

rest::FhirClientOptions MakeFhirClientOptions(const Config& config) {
  const FhirConfig& fhir = config.fhir;
  rest::FhirClientOptions options;
  options.http.servers = fhir.servers;
  options.http.allowed_networks = fhir.allowed_networks;
  options.http.ca_file = fhir.ca_file;
  options.http.connect_timeout_ms = fhir.connect_timeout_ms;
  options.http.max_connections_per_host = fhir.max_parallel;
  options.max_response_bytes = static_cast<std::size_t>(fhir.max_response_bytes);
  options.max_total_bytes = static_cast<std::size_t>(fhir.max_total_bytes);
  options.max_pages = fhir.max_pages;
  options.max_retries = fhir.max_retries;
  options.max_depth = static_cast<int>(config.max_depth);
  return options;
}

Result<trust::TrustOptions> MakeTrustOptions(const Config& config) {
  const TrustConfig& from = config.trust;
  trust::TrustOptions options;
  if (config.public_url.empty() && config.listen.ends_with(":0"))
    return Fail(Code::kInvalidArgument,
                "public-url: tokens are issued for it, and `listen` names no port that it could be made of");
  STEPWISE_ASSIGN_OR_RETURN(options.accept, trust::ParseAccept(from.accept));
  options.required = from.required != "no";
  for (const IssuerConfig& issuer : from.issuers)
    options.issuers.push_back({issuer.iss, issuer.jwks_file, issuer.jku, issuer.tenants, issuer.audiences});
  options.certificate_subjects = from.certificate_subjects;
  options.clock_skew_s = from.clock_skew_s;
  options.max_token_age_s = from.max_token_age_s;
  options.max_token_bytes = from.max_token_bytes;
  options.refuse_replayed_jti = from.refuse_replayed_jti;
  options.max_remembered_tokens = from.max_replay_entries;
  options.keys.max_age_s = from.jwks_cache_s;
  options.keys.refetch_interval_s = from.jwks_refetch_s;
  return options;
}

Result<RecorderOptions> MakeRecorderOptions(const Config& config) {
  const StoreConfig& from = config.store;
  RecorderOptions options;
  options.store.clear();
  if (from.url == "none") return options;
  options.state_dir = StateDir(from, [](const char* name) -> const char* { return std::getenv(name); });
  if (options.state_dir.empty())
    return Fail(
        Code::kInvalidArgument,
        "store.state-dir: neither it nor STATE_DIRECTORY, XDG_STATE_HOME or HOME says where records are "
        "kept; `store.url: none` keeps none");
  // A database's path is relative to the folder of the state.
  constexpr std::string_view kSqlite = "sqlite:";
  options.store = from.url.empty() ? std::string(kSqlite) + "stepwise.db" : from.url;
  if (options.store.starts_with(kSqlite)) {
    const std::filesystem::path path = options.store.substr(kSqlite.size());
    options.store = std::string(kSqlite) + (std::filesystem::path(options.state_dir) / path).string();
  }
  options.site = config.site;
  options.pseudonym_key_file = from.pseudonym_key_file;
  options.key_files = from.key_files;
  options.keep_input = from.keep_input;
  options.spool_max_bytes = static_cast<std::uint64_t>(from.spool_max_bytes);
  options.retention_days = from.retention_days;
  options.input_retention_days = from.input_retention_days;
  options.sync_feedback = from.sync;
  options.override_limits.max_cards = static_cast<std::size_t>(config.max_issued_cards);
  options.override_limits.max_overrides = static_cast<std::size_t>(config.max_issued_cards);
  return options;
}

Status Components::StartTrust(const Config& config, Log& log) {
  const bool asked =
      config.trust.required == "yes" || !config.trust.issuers.empty() || config.trust.accept != "jwt";
  if (!asked) return {};
  STEPWISE_ASSIGN_OR_RETURN(trust::TrustOptions options, MakeTrustOptions(config));
  STEPWISE_ASSIGN_OR_RETURN(key_client_, rest::HttpClient::Make(MakeKeyClientOptions(config)));
  const auto tell = [&log](const trust::KeyReport& report) {
    if (report.error != nullptr)
      return log.Error("keys-failed", {{"source", report.source}, {"reason", report.error->message}});
    log.Info("keys-loaded", {{"source", report.source}});
  };
  STEPWISE_ASSIGN_OR_RETURN(authenticator_,
                            trust::Authenticator::Make(std::move(options), FetchKeysBy(*key_client_), tell));
  return {};
}

Status Components::StartStore(const Config& config, const Service::Clock& clock, Log& log) {
  STEPWISE_ASSIGN_OR_RETURN(RecorderOptions options, MakeRecorderOptions(config));
  if (options.store.empty()) return {};
  STEPWISE_ASSIGN_OR_RETURN(recorder_,
                            Recorder::Open(std::move(options), clock, [&log](const RecorderEvent& event) {
                              event.bad ? log.Error(event.name, {{"reason", event.reason}})
                                        : log.Info(event.name, {{"reason", event.reason}});
                            }));
  return {};
}

Result<std::unique_ptr<Components>> Components::Make(const Config& config, const Service::Clock& clock,
                                                     Log& log) {
  std::unique_ptr<Components> out(new Components);
  STEPWISE_ASSIGN_OR_RETURN(out->admin_token_, ReadAdminToken(config.admin.token_file));
  STEPWISE_RETURN_IF_ERROR(out->StartStore(config, clock, log));
  STEPWISE_RETURN_IF_ERROR(out->StartTrust(config, log));
  if (!config.fhir.servers.empty()) {
    STEPWISE_ASSIGN_OR_RETURN(out->fhir_client_, rest::FhirClient::Make(MakeFhirClientOptions(config)));
    out->fetcher_ = std::make_unique<PrefetchFetcher>(
        PrefetchFetcherOptions{config.fhir.deadline_ms, config.fhir.without_token}, *out->fhir_client_);
  }
  return out;
}

void Components::AddTo(ServiceOptions& options) const {
  options.admin_token = admin_token_;
  options.authenticator = authenticator_.get();
  options.calls.fetcher = fetcher_.get();
  options.calls.recorder = recorder_.get();
  options.random_bits = RandomBits;
  if (recorder_ == nullptr) return;
  options.overrides = recorder_->overrides();
  options.metrics->Watch(Metrics::kStoreUp, [this] { return recorder_->status().up ? 1.0 : 0.0; });
  options.metrics->Watch(Metrics::kStoreQueued,
                         [this] { return static_cast<double>(recorder_->status().spool.frames); });
  options.metrics->Watch(Metrics::kSpoolBytes,
                         [this] { return static_cast<double>(recorder_->status().spool.bytes); });
}

void Components::StopCalls() {
  fhir_client_.reset();
  key_client_.reset();
}

Status CheckComponents(const Config& config) {
  STEPWISE_RETURN_IF_ERROR(ReadAdminToken(config.admin.token_file));
  STEPWISE_RETURN_IF_ERROR(MakeRecorderOptions(config));
  STEPWISE_RETURN_IF_ERROR(rest::FhirClient::Make(MakeFhirClientOptions(config)));
  if (config.trust.issuers.empty()) return {};
  STEPWISE_ASSIGN_OR_RETURN(trust::TrustOptions options, MakeTrustOptions(config));
  STEPWISE_ASSIGN_OR_RETURN(const auto client, rest::HttpClient::Make(MakeKeyClientOptions(config)));
  STEPWISE_RETURN_IF_ERROR(trust::Authenticator::Make(std::move(options), FetchKeysBy(*client)));
  return {};
}

}  // namespace stepwise::cds_hooks
