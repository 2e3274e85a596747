#include "rules/remote_evaluator.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "rules/decision_proto.h"
#include "rules/grpc_status.h"
#include "stepwise/rules/v1/rule_evaluation.grpc.pb.h"

namespace stepwise::rules {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDefaultTimeout{30'000};
constexpr int kMaxResponseBytes = 64 << 20;

struct Peer {
  std::string address;
  std::unique_ptr<v1::RuleEvaluation::Stub> stub;
};

// The shorter of two time limits of which either may not be given.
milliseconds Shorter(milliseconds a, milliseconds b) {
  if (a <= milliseconds::zero()) a = b;
  if (b <= milliseconds::zero()) b = a;
  return a <= milliseconds::zero() ? kDefaultTimeout : std::min(a, b);
}

grpc::ChannelArguments MakeChannelArguments(std::size_t peers, milliseconds timeout) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxResponseBytes);
  // Evaluators are neighbours: a proxy that the environment names for the web is not the way to them.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // An attempt to connect to an address that swallows packets must leave time for the others (gRPC: 20 s).
  const milliseconds share = Shorter(timeout, {}) / static_cast<std::int64_t>(peers + 1);
  const auto connect_ms = static_cast<int>(std::clamp<std::int64_t>(share.count(), 50, 5'000));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, connect_ms);
  // An evaluator that was restarted is found again within seconds (gRPC: two minutes).
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 3'000);
  // A machine that vanished sends no reset: ask while calls wait.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  return arguments;
}

class RemoteEvaluator final : public Evaluator {
 public:
  RemoteEvaluator(std::vector<std::string> addresses, milliseconds timeout) : timeout_(timeout) {
    const grpc::ChannelArguments arguments = MakeChannelArguments(addresses.size(), timeout);
    for (std::string& address : addresses) {
      const auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
      peers_.push_back({std::move(address), v1::RuleEvaluation::NewStub(channel)});
    }
  }

  Result<Decision> Evaluate(const Document& request, const DateTime& now,
                            const EvaluateOptions& options) override {
    v1::EvaluateRequest message;
    const std::string_view bytes = request.bytes();
    message.set_document(bytes.data(), bytes.size());
    message.set_now(now.ToString());
    ToProto(options, &message);
    v1::EvaluateResponse response;
    STEPWISE_RETURN_IF_ERROR(Call(Shorter(options.timeout, timeout_),
                                  [&](v1::RuleEvaluation::Stub& stub, grpc::ClientContext* context) {
                                    return stub.Evaluate(context, message, &response);
                                  }));
    Result<Decision> decision = FromProto(response.decision());
    if (!decision)
      decision.error().code = Code::kInternal;  // a fault of the installation, not of the request
    return decision;
  }

  Result<std::vector<PackInfo>> ListPacks() override {
    v1::ListPacksResponse response;
    STEPWISE_RETURN_IF_ERROR(
        Call(Shorter(timeout_, {}), [&](v1::RuleEvaluation::Stub& stub, grpc::ClientContext* context) {
          return stub.ListPacks(context, {}, &response);
        }));
    std::vector<PackInfo> infos;
    for (const v1::PackInfo& info : response.packs()) infos.push_back(FromProto(info));
    return infos;
  }

 private:
  // Asks one peer after the other until one says more than "unavailable".
  template <typename Ask>
  Status Call(milliseconds limit, Ask ask) {
    const auto deadline = std::chrono::system_clock::now() + limit;
    const std::size_t first = next_.fetch_add(1, std::memory_order_relaxed);
    std::string reasons;
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      const Peer& peer = peers_[(first + i) % peers_.size()];
      grpc::ClientContext context;
      context.set_deadline(deadline);
      const grpc::Status status = ask(*peer.stub, &context);
      if (status.ok()) return {};
      if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
        return Fail(Code::kLimit, "the evaluation took longer than " + std::to_string(limit.count()) + " ms");
      }
      Error error = FromGrpcStatus(status);
      if (error.code != Code::kUnavailable) return tl::unexpected(std::move(error));
      reasons += (reasons.empty() ? ": " : "; ") + peer.address + ": " + error.message;
    }
    return Fail(Code::kUnavailable, "no evaluator answered" + reasons);
  }

  const milliseconds timeout_;
  std::vector<Peer> peers_;           // not changed after construction; stubs are thread-safe
  std::atomic<std::size_t> next_{0};  // whose turn it is, modulo the number of peers
};

}  // namespace

std::unique_ptr<Evaluator> ConnectRemoteEvaluator(std::vector<std::string> addresses, milliseconds timeout) {
  return std::make_unique<RemoteEvaluator>(std::move(addresses), timeout);
}

}  // namespace stepwise::rules
