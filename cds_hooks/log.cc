#include "cds_hooks/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "cds_hooks/json_writer.h"

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
  return Inner(json);
}

struct Log::Impl {
  std::shared_ptr<spdlog::details::thread_pool> pool =
      std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
  std::shared_ptr<spdlog::async_logger> logger =
      std::make_shared<spdlog::async_logger>("stepwise", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                             pool, spdlog::async_overflow_policy::overrun_oldest);
};

Log::Log(const std::string& level) : impl_(std::make_unique<Impl>()) {
  impl_->logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})", spdlog::pattern_time_type::utc));
  impl_->logger->set_level(spdlog::level::from_str(level));
}

Log::~Log() = default;

void Log::Request(const AccessRecord& record) {
  const auto level = record.status >= 500   ? spdlog::level::err
                     : record.status >= 400 ? spdlog::level::warn
                                            : spdlog::level::info;
  if (impl_->logger->should_log(level)) impl_->logger->log(level, RequestLine(record));
}

void Log::Info(std::string_view event, Fields fields) {
  if (impl_->logger->should_log(spdlog::level::info)) impl_->logger->info(EventLine(event, fields));
}

void Log::Error(std::string_view event, Fields fields) {
  if (impl_->logger->should_log(spdlog::level::err)) impl_->logger->error(EventLine(event, fields));
}

}  // namespace stepwise::cds_hooks
