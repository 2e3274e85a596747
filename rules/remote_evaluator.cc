#include "rules/remote_evaluator.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>

#include "rules/decision_proto.h"
#include "rules/grpc_status.h"
#include "stepwise/rules/v1/rule_evaluation.grpc.pb.h"

namespace stepwise::rules {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDefaultTimeout{30'000};
constexpr int kMaxResponseBytes = 64 << 20;
constexpr milliseconds kListEvery{2'000};  // what is on, in the time of the requests

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

// The connections, and what the evaluators said they have on; shared by the snapshots made of it.
class Peers : public std::enable_shared_from_this<Peers> {
 public:
  Peers(std::vector<std::string> addresses, milliseconds timeout, std::string site)
      : timeout_(timeout), site_(std::move(site)) {
    const grpc::ChannelArguments arguments = MakeChannelArguments(addresses.size(), timeout);
    for (std::string& address : addresses) {
      const auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
      peers_.push_back({std::move(address), v1::RuleEvaluation::NewStub(channel)});
    }
  }

  // `snapshot`: "" takes whatever is on. `disagreed`: somebody answered that another one is.
  Result<Decision> Evaluate(const Document& request, const DateTime& now, const EvaluateOptions& options,
                            const std::string& snapshot, bool* disagreed) {
    v1::EvaluateRequest message;
    const std::string_view bytes = request.bytes();
    message.set_document(bytes.data(), bytes.size());
    message.set_now(now.ToString());
    ToProto(options, &message);
    message.set_site(site_);
    message.set_snapshot(snapshot);
    v1::EvaluateResponse response;
    STEPWISE_RETURN_IF_ERROR(Call(Shorter(options.timeout, timeout_), [&](v1::RuleEvaluation::Stub& stub,
                                                                          grpc::ClientContext* context) {
      if (!options.traceparent.empty()) context->AddMetadata("traceparent", options.traceparent);
      grpc::Status status = stub.Evaluate(context, message, &response);
      if (!status.ok() || snapshot.empty() || response.has_decision()) return status;
      *disagreed = true;
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "has other packs on: " + response.snapshot());
    }));
    Result<Decision> decision = FromProto(response.decision());
    if (!decision)
      decision.error().code = Code::kInternal;  // a fault of the installation, not of the request
    return decision;
  }

  struct Listed {
    std::vector<PackInfo> infos;
    std::string snapshot;
  };
  // `now`: "" leaves it to the evaluator.
  Result<Listed> List(const std::string& now) {
    v1::ListPacksRequest request;
    request.set_now(now);
    request.set_site(site_);
    v1::ListPacksResponse response;
    STEPWISE_RETURN_IF_ERROR(
        Call(Shorter(timeout_, {}), [&](v1::RuleEvaluation::Stub& stub, grpc::ClientContext* context) {
          return stub.ListPacks(context, request, &response);
        }));
    Listed out{{}, response.snapshot()};
    for (const v1::PackInfo& info : response.packs()) out.infos.push_back(FromProto(info));
    return out;
  }

  std::shared_ptr<Evaluator> Snapshot(const DateTime& now);
  // Lists again. The same snapshot as before while the evaluators have the same on.
  std::shared_ptr<Evaluator> ListAgain(const DateTime& now);

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
  const std::string site_;
  std::vector<Peer> peers_;           // not changed after construction; stubs are thread-safe
  std::atomic<std::size_t> next_{0};  // whose turn it is, modulo the number of peers
  // When the packs are listed again, in the time of the requests.
  std::atomic<std::int64_t> list_at_ms_{std::numeric_limits<std::int64_t>::min()};
  std::mutex mutex_;
  std::shared_ptr<Evaluator>
      listed_;  // guarded by mutex_; nullptr: never, or of evaluators that never change
};

// What the evaluators had on when they were asked.
class RemoteSnapshot final : public Evaluator {
 public:
  RemoteSnapshot(std::weak_ptr<Peers> peers, Peers::Listed listed)
      : peers_(std::move(peers)), listed_(std::move(listed)) {}

  Result<Decision> Evaluate(const Document& request, const DateTime& now,
                            const EvaluateOptions& options) override {
    const std::shared_ptr<Peers> peers = peers_.lock();
    if (peers == nullptr) return Fail(Code::kUnavailable, "the connections to the evaluators are closed");
    bool disagreed = false;
    Result<Decision> decision = peers->Evaluate(request, now, options, listed_.snapshot, &disagreed);
    if (decision || !disagreed) return decision;
    const std::shared_ptr<Evaluator> later = peers->ListAgain(now);
    if (later == nullptr) return decision;
    return peers->Evaluate(request, now, options, later->digest(), &disagreed);
  }
  Result<std::vector<PackInfo>> ListPacks() override { return listed_.infos; }
  std::string digest() override { return listed_.snapshot; }

 private:
  const std::weak_ptr<Peers> peers_;  // which hold this
  const Peers::Listed listed_;
};

std::shared_ptr<Evaluator> Peers::Snapshot(const DateTime& now) {
  const std::int64_t millis = now.ToUnixMillis();
  std::int64_t due = list_at_ms_.load();
  if (millis >= due && list_at_ms_.compare_exchange_strong(due, millis + kListEvery.count())) {
    return ListAgain(now);
  }
  const std::scoped_lock lock(mutex_);
  return listed_;
}

std::shared_ptr<Evaluator> Peers::ListAgain(const DateTime& now) {
  Result<Listed> listed = List(now.ToString());
  const std::scoped_lock lock(mutex_);
  if (!listed || listed->snapshot.empty()) return listed_;
  if (listed_ == nullptr || listed_->digest() != listed->snapshot)
    listed_ = std::make_shared<RemoteSnapshot>(weak_from_this(), *std::move(listed));
  return listed_;
}

class RemoteEvaluator final : public Evaluator {
 public:
  explicit RemoteEvaluator(std::shared_ptr<Peers> peers) : peers_(std::move(peers)) {}

  Result<Decision> Evaluate(const Document& request, const DateTime& now,
                            const EvaluateOptions& options) override {
    bool ignored = false;
    return peers_->Evaluate(request, now, options, "", &ignored);
  }
  Result<std::vector<PackInfo>> ListPacks() override {
    STEPWISE_ASSIGN_OR_RETURN(Peers::Listed listed, peers_->List(""));
    return std::move(listed.infos);
  }
  std::shared_ptr<Evaluator> Snapshot(const DateTime& now) override { return peers_->Snapshot(now); }

 private:
  const std::shared_ptr<Peers> peers_;
};

}  // namespace

std::unique_ptr<Evaluator> ConnectRemoteEvaluator(std::vector<std::string> addresses, milliseconds timeout,
                                                  const std::string& site) {
  return std::make_unique<RemoteEvaluator>(std::make_shared<Peers>(std::move(addresses), timeout, site));
}

}  // namespace stepwise::rules
