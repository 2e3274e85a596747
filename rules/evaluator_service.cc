#include "rules/evaluator_service.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "rules/decision_proto.h"
#include "rules/grpc_status.h"
#include "rules/worker_pool.h"
#include "stepwise/rules/v1/rule_evaluation.grpc.pb.h"

namespace stepwise::rules {
namespace {

using std::chrono::milliseconds;

grpc::Status Busy() {
  const grpc::Status status =
      ToGrpcStatus({Code::kUnavailable, "the evaluator is busy: its queue is full, or it is stopping"});
  return {grpc::StatusCode::RESOURCE_EXHAUSTED, status.error_message(), status.error_details()};
}

class Service final : public v1::RuleEvaluation::CallbackService {
 public:
  Service(Evaluator& evaluator, const EvaluatorServerOptions& options)
      : evaluator_(evaluator),
        options_(options),
        pool_(options.threads > 0 ? options.threads : std::thread::hardware_concurrency(),
              options.queue_size) {}

  grpc::ServerUnaryReactor* Evaluate(grpc::CallbackServerContext* context, const v1::EvaluateRequest* request,
                                     v1::EvaluateResponse* response) override {
    return Answer(context, [this, request, response](milliseconds left, After* after) {
      return Evaluate(*request, left, response, after);
    });
  }

  grpc::ServerUnaryReactor* ListPacks(grpc::CallbackServerContext* context,
                                      const v1::ListPacksRequest* request,
                                      v1::ListPacksResponse* response) override {
    return Answer(context,
                  [this, request, response](milliseconds, After*) { return ListPacks(*request, response); });
  }

  // Waits for what was taken; calls that were cancelled are finished without being evaluated.
  void Stop() { pool_.Stop(); }

 private:
  // What is left to do when the answer is on its way; request and response are gone by then.
  using After = std::function<void()>;
  // Gets the time that is left; leaves the answer in the response.
  using Work = std::function<Status(milliseconds left, After* after)>;

  // gRPC keeps context, request and response until Finish().
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, Work work) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    const bool taken = pool_.Submit([this, context, reactor, work = std::move(work)] {
      After after;
      reactor->Finish(Run(*context, work, &after));
      try {
        if (after) after();
      } catch (...) {  // nobody waits for it
      }
    });
    if (!taken) reactor->Finish(Busy());
    return reactor;
  }

  grpc::Status Run(const grpc::CallbackServerContext& context, const Work& work, After* after) const {
    if (context.IsCancelled()) return grpc::Status::CANCELLED;
    const auto left =
        std::chrono::duration_cast<milliseconds>(context.deadline() - std::chrono::system_clock::now());
    if (left <= milliseconds::zero()) {
      return {grpc::StatusCode::DEADLINE_EXCEEDED, "the deadline passed in the queue"};
    }
    try {
      const Status status = work(std::min(left, options_.max_evaluation), after);
      return status ? grpc::Status::OK : ToGrpcStatus(status.error());
    } catch (const std::exception& exception) {
      return ToGrpcStatus({Code::kInternal, exception.what()});
    } catch (...) {
      return ToGrpcStatus({Code::kInternal, "something was thrown that is no std::exception"});
    }
  }

  static Result<DateTime> Now(const std::string& text) {
    const std::optional<DateTime> now = DateTime::ParseDateTime(text);
    if (!now) return Fail(Code::kInvalidArgument, "expected a time, found `" + text + "`", {}, "now");
    return *now;
  }

  Status CheckSite(const std::string& site) const {
    if (site.empty() || site == options_.site) return {};
    return Fail(Code::kUnavailable,
                "this evaluator serves the site `" + options_.site + "`, not `" + site + "`");
  }

  Status Evaluate(const v1::EvaluateRequest& request, milliseconds left, v1::EvaluateResponse* response,
                  After* after) const {
    STEPWISE_ASSIGN_OR_RETURN(const DateTime now, Now(request.now()));
    STEPWISE_RETURN_IF_ERROR(CheckSite(request.site()));
    const std::shared_ptr<Evaluator> snapshot = evaluator_.Snapshot(now);
    Evaluator& evaluator = snapshot == nullptr ? evaluator_ : *snapshot;
    if (!request.snapshot().empty() && request.snapshot() != evaluator.digest()) {
      response->set_snapshot(evaluator.digest());
      return {};
    }
    STEPWISE_ASSIGN_OR_RETURN(Document document,
                              Document::Parse(request.document(), options_.document_limits));
    STEPWISE_ASSIGN_OR_RETURN(EvaluateOptions options, FromProto(request));
    options.timeout = left;
    STEPWISE_ASSIGN_OR_RETURN(Decision decision, evaluator.Evaluate(document, now, options));
    ToProto(decision, response->mutable_decision());
    if (snapshot == nullptr) return {};  // nothing is in shadow
    auto shown =
        std::make_shared<const std::pair<Document, Decision>>(std::move(document), std::move(decision));
    *after = [snapshot, shown, options] { snapshot->Shadow(shown->first, shown->second, options); };
    return {};
  }

  Status ListPacks(const v1::ListPacksRequest& request, v1::ListPacksResponse* response) const {
    STEPWISE_RETURN_IF_ERROR(CheckSite(request.site()));
    std::shared_ptr<Evaluator> snapshot;
    if (!request.now().empty()) {
      STEPWISE_ASSIGN_OR_RETURN(const DateTime now, Now(request.now()));
      snapshot = evaluator_.Snapshot(now);
    }
    Evaluator& evaluator = snapshot == nullptr ? evaluator_ : *snapshot;
    STEPWISE_ASSIGN_OR_RETURN(const std::vector<PackInfo> infos, evaluator.ListPacks());
    for (const PackInfo& info : infos) ToProto(info, response->add_packs());
    response->set_snapshot(evaluator.digest());
    return {};
  }

  Evaluator& evaluator_;
  const EvaluatorServerOptions options_;
  WorkerPool pool_;
};

}  // namespace

struct EvaluatorServer::Impl {
  Impl(Evaluator& evaluator, const EvaluatorServerOptions& options) : service(evaluator, options) {}

  Service service;
  std::unique_ptr<grpc::Server> server;  // destroyed before the service that it calls
  std::once_flag shut_down;
};

EvaluatorServer::EvaluatorServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

EvaluatorServer::~EvaluatorServer() { Shutdown(milliseconds::zero()); }

Result<std::unique_ptr<EvaluatorServer>> EvaluatorServer::Start(Evaluator& evaluator,
                                                                const EvaluatorServerOptions& options) {
  // Of the whole process, and read when a server is built; asking for it twice is fine.
  grpc::EnableDefaultHealthCheckService(true);

  auto impl = std::make_unique<Impl>(evaluator, options);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options.listen, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&impl->service);
  builder.SetMaxReceiveMessageSize(static_cast<int>(std::min<std::size_t>(
      options.document_limits.max_bytes + (64u << 10), std::numeric_limits<int>::max())));
  // By default a second server on the same port would silently share it.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  if (options.max_connection_age > milliseconds::zero()) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                               static_cast<int>(options.max_connection_age.count()));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                               static_cast<int>(options.max_evaluation.count()));
  }
  // Clients ask whether we are alive while they wait (rules/remote_evaluator.cc).
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);

  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr) return Fail(Code::kUnavailable, "cannot listen on " + options.listen);
  if (auto* health = impl->server->GetHealthCheckService()) {
    health->SetServingStatus(true);
    health->SetServingStatus(v1::RuleEvaluation::service_full_name(), true);
  }

  std::unique_ptr<EvaluatorServer> server(new EvaluatorServer(std::move(impl)));
  server->address_ = options.listen;
  if (server->address_.ends_with(":0")) {
    server->address_.replace(server->address_.size() - 1, 1, std::to_string(port));
  }
  return server;
}

void EvaluatorServer::Shutdown(milliseconds drain) {
  std::call_once(impl_->shut_down, [&] {
    if (auto* health = impl_->server->GetHealthCheckService()) health->Shutdown();
    impl_->server->Shutdown(std::chrono::system_clock::now() + drain);
    impl_->service.Stop();
  });
}

}  // namespace stepwise::rules
