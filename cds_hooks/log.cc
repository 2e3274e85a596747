#include "cds_hooks/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>

#include "cds_hooks/json_writer.h"
#include "cds_hooks/log_limit.h"

namespace stepwise::cds_hooks {
namespace {

constexpr std::size_t kQueuedLines = 8192;

// The writer's object without its braces; spdlog's pattern opens the object with time and level.
std::string Inner(JsonWriter& json) {
  json.EndObject();
  const std::string object = json.Take();
  return object.substr(1, object.size() - 2);
}

std::string EventLine(std::string_view event, Log::Fields fields) {
  JsonWriter json;
  json.BeginObject();
  json.Text("event", event);
  for (const auto& [key, value] : fields) json.Text(key, value);
  return Inner(json);
}

}  // namespace

std::string RequestLine(const AccessRecord& record) {
  JsonWriter json;
  const auto number = [&](std::string_view key, auto value) {
    json.Key(key);
    json.Raw(std::to_string(value));
  };
  const RequestSummary& summary = record.summary;
  json.BeginObject();
  json.Text("event", "request");
  json.Text("method", record.method);
  json.Text("route", summary.route);
  number("status", record.status);
  number("duration_us", record.duration_us);
  number("request_bytes", record.request_bytes);
  number("response_bytes", record.response_bytes);
  json.Text("service", summary.service);
  json.Text("hook", summary.hook);
  json.Text("decision", summary.decision);
  if (!summary.decision.empty()) number("cards", summary.cards);
  json.Text("error", summary.error);
  json.Text("caller", summary.caller);
  json.Text("refused", summary.refused);
  json.Text("trace", summary.trace_id);
  json.Text("request", summary.request_id);
  const std::pair<std::string_view, std::int64_t> phases[] = {
      {"auth_us", summary.auth_us}, {"fetch_us", summary.fetch_us}, {"evaluate_us", summary.evaluate_us}};
  for (const auto& [name, us] : phases) {
    if (us >= 0) number(name, us);
  }
  return Inner(json);
}

std::string SuppressedLine(std::string_view event, int status, std::uint64_t lines) {
  JsonWriter json;
  json.BeginObject();
  json.Text("event", "suppressed");
  json.Text("of", event);
  if (status != 0) {
    json.Key("status");
    json.Raw(std::to_string(status));
  }
  json.Key("lines");
  json.Raw(std::to_string(lines));
  return Inner(json);
}

struct Log::Impl {
  std::shared_ptr<spdlog::details::thread_pool> pool =
      std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
  std::shared_ptr<spdlog::async_logger> logger =
      std::make_shared<spdlog::async_logger>("stepwise", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                             pool, spdlog::async_overflow_policy::overrun_oldest);
  LogLimit limit;

  // One of possibly many failures of a kind. `line` is made only when it is written.
  template <typename Line>
  void Failure(spdlog::level::level_enum level, std::string_view event, int status, const Line& line) {
    if (!logger->should_log(level)) return;
    const LogLimit::Verdict verdict = limit.Ask(event, status, std::chrono::steady_clock::now());
    if (verdict.suppressed > 0) logger->log(level, SuppressedLine(event, status, verdict.suppressed));
    if (verdict.write) logger->log(level, line());
  }
};

Log::Log(const std::string& level) : impl_(std::make_unique<Impl>()) {
  impl_->logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})", spdlog::pattern_time_type::utc));
  impl_->logger->set_level(spdlog::level::from_str(level));
}

Log::~Log() {
  for (const LogLimit::Rest& rest : impl_->limit.TakeRest())
    impl_->logger->warn(SuppressedLine(rest.event, rest.status, rest.suppressed));
}

void Log::Request(const AccessRecord& record) {
  const auto line = [&] { return RequestLine(record); };
  if (record.status >= 400) {
    const auto level = record.status >= 500 ? spdlog::level::err : spdlog::level::warn;
    return impl_->Failure(level, "request", record.status, line);
  }
  if (impl_->logger->should_log(spdlog::level::info)) impl_->logger->info(line());
}

void Log::Info(std::string_view event, Fields fields) {
  if (impl_->logger->should_log(spdlog::level::info)) impl_->logger->info(EventLine(event, fields));
}

void Log::Error(std::string_view event, Fields fields) {
  impl_->Failure(spdlog::level::err, event, 0, [&] { return EventLine(event, fields); });
}

}  // namespace stepwise::cds_hooks
