#include "fhir/rest/fhir_client.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "fhir/document.h"
#include "fhir/rest/bundle_pages.h"
#include "fhir/rest/interaction.h"
#include "fhir/rest/url.h"

namespace stepwise::rest {
namespace {

using Time = HttpCall::Time;

constexpr std::string_view kProblemNames[kFhirProblemCount] = {"refused", "unavailable", "status", "limit",
                                                               "content"};

// What a status means to us; what is not listed is no answer.
struct StatusRow {
  int status;
  bool retry;    // the same may go well in a moment
  bool no_post;  // of a POST: the server may know searches by GET only
  bool redirect;
  bool not_there;  // of a read
};
constexpr StatusRow kStatuses[] = {
    // status retry no_post redirect not_there
    {301, false, false, true, false}, {302, false, false, true, false}, {303, false, false, true, false},
    {307, false, false, true, false}, {308, false, false, true, false}, {404, false, true, false, true},
    {405, false, true, false, false}, {410, false, false, false, true}, {415, false, true, false, false},
    {429, true, false, false, false}, {501, false, true, false, false}, {502, true, false, false, false},
    {503, true, false, false, false}, {504, true, false, false, false},
};

StatusRow MeaningOf(int status) {
  for (const StatusRow& row : kStatuses) {
    if (row.status == status) return row;
  }
  return {status, false, false, false, false};
}

FhirProblem ProblemOf(Code code) {
  switch (code) {
    case Code::kInvalidArgument: return FhirProblem::kRefused;
    case Code::kLimit: return FhirProblem::kLimit;
    case Code::kSyntax:
    case Code::kSemantic: return FhirProblem::kContent;
    case Code::kNotFound:
    case Code::kFailedPrecondition:
    case Code::kUnavailable:
    case Code::kInternal: break;
  }
  return FhirProblem::kUnavailable;
}

std::string StatusText(int status) { return "the server answered with status " + std::to_string(status); }

// The resource that was read, as written.
Result<std::string> ReadResource(std::string bytes, const Interaction& wanted, const DocumentLimits& limits) {
  bytes.reserve(bytes.size() + 64);  // which the parser would copy it for
  const Result<Document> document = Document::Parse(std::move(bytes), limits);
  if (!document) return Fail(Code::kSyntax, "the answer is not a JSON object, or too deep");
  const Node root = document->root();
  const auto is = [&](std::string_view name, std::string_view text) {
    const Node node = root.Child(name);
    return node && node.string() == text;
  };
  if (is("resourceType", "OperationOutcome")) return Fail(Code::kSyntax, "the answer is an OperationOutcome");
  if (!is("resourceType", wanted.type) || !is("id", wanted.id))
    return Fail(Code::kSyntax, "the answer is not the resource that was asked for");
  return std::string(root.json());
}

}  // namespace

std::string_view FhirProblemName(FhirProblem problem) {
  return kProblemNames[static_cast<std::size_t>(problem)];
}

class FhirClient::Fetcher {
 public:
  Fetcher(const FhirClientOptions& options, std::unique_ptr<HttpClient> http)
      : options_(options), http_(std::move(http)) {}
  ~Fetcher() { http_->Stop(); }  // whose callbacks use the rest
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  void Fetch(const FhirServer& server, std::vector<FhirQuery> queries, Time deadline, Done done) {
    ++fetches_;
    queries_ += queries.size();
    if (queries.empty()) return done({});
    auto job = std::make_shared<Job>();
    job->deadline = deadline;
    job->done = std::move(done);
    job->left = queries.size();
    job->results.resize(queries.size());
    if (!server.access_token.empty()) job->authorization = "Bearer " + server.access_token;
    job->traceparent = server.traceparent;
    *job->budget = static_cast<std::int64_t>(options_.max_total_bytes);
    Result<Url> base = ParseUrl(server.base_url);
    if (base && !base->query.empty()) base = Fail(Code::kInvalidArgument, "the URL has a query");
    if (base) {
      job->base = std::move(*base);
      if (!job->base.path.ends_with('/')) job->base.path += '/';
    }
    for (std::size_t i = 0; i < queries.size(); ++i) {
      auto task = std::make_shared<Task>();
      task->job = job;
      task->index = i;
      job->results[i].key = std::move(queries[i].key);
      if (base) {
        Begin(task, std::move(queries[i]));
      } else {
        Give(task, FhirProblem::kRefused, "the base URL of the server may not be called");
      }
    }
  }

  FhirClientStats stats() const {
    const HttpClientStats http = http_->stats();
    FhirClientStats out = {.fetches = fetches_,
                           .queries = queries_,
                           .calls = http.calls,
                           .retries = retries_ + http.retries,
                           .bytes = http.bytes,
                           .connections = http.connections,
                           .in_flight = http.in_flight};
    std::copy(problems_.begin(), problems_.end(), out.problems.begin());
    return out;
  }

 private:
  // One Fetch(). Its tasks share it; each writes its own result, and the last calls `done`.
  struct Job {
    Url base;                   // the path ends in "/"
    std::string authorization;  // value of the header, or ""
    std::string traceparent;    // likewise
    Time deadline;
    Done done;
    std::shared_ptr<std::atomic<std::int64_t>> budget = std::make_shared<std::atomic<std::int64_t>>(0);
    std::vector<FhirResult> results;
    std::atomic<std::size_t> left{0};
  };

  // One query: a chain of calls, one after the other.
  struct Task {
    std::shared_ptr<Job> job;
    std::size_t index = 0;
    Interaction interaction;
    BundlePages pages;
    HttpMethod method = HttpMethod::kGet;  // of the call under way, as is what follows
    Url url;
    std::int64_t retries = 0, redirects = 0;
    bool instead_of_post = false;
    std::set<std::string> visited;  // pages
  };
  using TaskPtr = std::shared_ptr<Task>;

  // Steady time, for deadlines and for what is forgotten after a while.
  static Time Now() { return std::chrono::steady_clock::now(); }

  DocumentLimits limits() const {
    return {.max_bytes = options_.max_total_bytes, .max_depth = options_.max_depth};
  }

  void Begin(const TaskPtr& task, FhirQuery query) {
    const bool goes_on = !query.first_page.empty();
    if (goes_on) {
      const Status added = task->pages.Add(std::move(query.first_page), limits());
      if (!added) return Give(task, FhirProblem::kContent, "the first page that was supplied is no Bundle");
    }
    Result<Interaction> interaction = ReadInteraction(query.query);
    if (!interaction) return Give(task, FhirProblem::kRefused, interaction.error().message);
    task->interaction = std::move(*interaction);
    if (goes_on) return GoOn(task);
    if (task->interaction.is_read()) {
      Aim(task, HttpMethod::kGet, task->interaction.type + "/" + task->interaction.id);
    } else if (options_.post_search && !KnowsNoPost(task->job->base)) {
      Aim(task, HttpMethod::kPost, task->interaction.type + "/_search");
    } else {
      Aim(task, HttpMethod::kGet, task->interaction.type, task->interaction.query);
    }
    Send(task);
  }

  static void Aim(const TaskPtr& task, HttpMethod method, std::string_view path, std::string query = "") {
    task->method = method;
    task->url = task->job->base;
    task->url.path += path;
    task->url.query = std::move(query);
  }

  void Send(const TaskPtr& task, Time not_before = {}) {
    const Job& job = *task->job;
    HttpCall call = {.method = task->method,
                     .url = task->url.Text(),
                     .headers = {{"Accept", "application/fhir+json"}},
                     .deadline = job.deadline,
                     .not_before = not_before,
                     .max_response_bytes = options_.max_response_bytes,
                     .budget = job.budget,
                     .connect_retries = static_cast<int>(options_.max_retries - task->retries)};
    if (!job.authorization.empty()) call.headers.emplace_back("Authorization", job.authorization);
    if (!job.traceparent.empty()) call.headers.emplace_back("traceparent", job.traceparent);
    if (task->method == HttpMethod::kPost) {
      call.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
      call.body = task->interaction.query;
    }
    http_->Start(std::move(call), [this, task](Result<HttpReply> reply) { Take(task, std::move(reply)); });
  }

  void Take(const TaskPtr& task, Result<HttpReply> reply) {
    if (!reply) return Give(task, ProblemOf(reply.error().code), reply.error().message);
    task->retries += reply->retries;
    const StatusRow meaning = MeaningOf(reply->status);
    if (meaning.redirect && task->method == HttpMethod::kGet) return Redirect(task, reply->location);
    if (meaning.no_post && task->method == HttpMethod::kPost) {
      task->instead_of_post = true;
      Aim(task, HttpMethod::kGet, task->interaction.type, task->interaction.query);
      return Send(task);
    }
    if (meaning.not_there && task->interaction.is_read()) return Give(task, FhirState::kNotThere);
    if (meaning.retry && TryAgain(task, reply->retry_after)) return;
    if (reply->status != 200) return Give(task, FhirProblem::kStatus, StatusText(reply->status));
    if (task->interaction.is_read()) {
      Result<std::string> resource = ReadResource(std::move(reply->body), task->interaction, limits());
      if (!resource) return Give(task, FhirProblem::kContent, resource.error().message);
      return Give(task, FhirState::kFound, std::move(*resource));
    }
    if (const Status added = task->pages.Add(std::move(reply->body), limits()); !added)
      return Give(task, FhirProblem::kContent, added.error().message);
    if (task->instead_of_post) RememberNoPost(task->job->base);
    task->instead_of_post = false;
    GoOn(task);
  }

  // Sends the same call once more after a while; false when there is no time or no try left.
  bool TryAgain(const TaskPtr& task, std::string_view retry_after) {
    if (task->retries >= options_.max_retries) return false;
    std::int64_t delay_ms = options_.retry_delay_ms;
    std::int64_t seconds = 0;
    const auto [end, error] =
        std::from_chars(retry_after.data(), retry_after.data() + retry_after.size(), seconds);
    // A date, the other form of Retry-After, would need a clock that agrees with the server's.
    if (error == std::errc() && end == retry_after.data() + retry_after.size() && seconds >= 0)
      delay_ms = std::min<std::int64_t>(seconds, 86'400) * 1000;
    const Time when = Now() + std::chrono::milliseconds(delay_ms);
    if (when >= task->job->deadline) return false;
    ++task->retries;
    ++retries_;
    Send(task, when);
    return true;
  }

  void Redirect(const TaskPtr& task, std::string_view location) {
    if (task->redirects >= options_.max_redirects)
      return Give(task, FhirProblem::kLimit, "the server redirects too often");
    Result<Url> target = ResolveUrl(task->url, location);
    if (!target || !target->SameOrigin(task->job->base))
      return Give(task, FhirProblem::kRefused, "the server redirects to where this client does not follow");
    ++task->redirects;
    task->url = std::move(*target);
    Send(task);
  }

  // A page has been added: fetches the next, or is done.
  void GoOn(const TaskPtr& task) {
    const BundlePages& pages = task->pages;
    if (pages.next().empty() || task->interaction.first_page_only)
      return Give(task, FhirState::kFound, pages.Merged());
    if (pages.count() >= static_cast<std::size_t>(options_.max_pages)) {
      return Give(task, FhirProblem::kLimit,
                  "there are more pages than the limit of " + std::to_string(options_.max_pages));
    }
    if (pages.entries() >= static_cast<std::size_t>(options_.max_entries)) {
      return Give(task, FhirProblem::kLimit,
                  "there are more entries than the limit of " + std::to_string(options_.max_entries));
    }
    Result<Url> next = ResolveUrl(task->job->base, pages.next());
    if (!next || !task->job->base.Covers(*next))
      return Give(task, FhirProblem::kRefused, "the next page lies outside the base URL of the server");
    if (!task->visited.insert(next->Text()).second)
      return Give(task, FhirProblem::kContent, "the pages of the answer go round in a circle");
    task->method = HttpMethod::kGet;
    task->url = std::move(*next);
    task->retries = task->redirects = 0;
    Send(task);
  }

  void Give(const TaskPtr& task, FhirProblem problem, std::string why) {
    ++problems_[static_cast<std::size_t>(problem)];
    const bool partial = task->pages.count() > 0;
    Give(task, partial ? FhirState::kPartial : FhirState::kFailed, partial ? task->pages.Merged() : "",
         std::move(why));
  }

  void Give(const TaskPtr& task, FhirState state, std::string bytes = "", std::string why = "") {
    Job& job = *task->job;
    FhirResult& result = job.results[task->index];
    result.state = state;
    result.bytes = std::move(bytes);
    result.why = std::move(why);
    if (--job.left == 0) job.done(std::move(job.results));
  }

  bool KnowsNoPost(const Url& base) {
    const std::lock_guard lock(mutex_);
    const auto found = no_post_.find(base.Text());
    if (found == no_post_.end()) return false;
    if (found->second > Now()) return true;
    no_post_.erase(found);
    return false;
  }

  void RememberNoPost(const Url& base) {
    const std::lock_guard lock(mutex_);
    no_post_[base.Text()] = Now() + std::chrono::milliseconds(options_.remember_no_post_ms);
    if (no_post_.size() <= options_.max_remembered_servers) return;
    no_post_.erase(std::min_element(no_post_.begin(), no_post_.end(),
                                    [](const auto& a, const auto& b) { return a.second < b.second; }));
  }

  const FhirClientOptions options_;
  std::atomic<std::uint64_t> fetches_{0}, queries_{0}, retries_{0};
  std::array<std::atomic<std::uint64_t>, kFhirProblemCount> problems_{};
  std::mutex mutex_;
  std::map<std::string, Time> no_post_;  // base URL, until when; guarded by mutex_
  const std::unique_ptr<HttpClient> http_;
};

Result<std::unique_ptr<FhirClient>> FhirClient::Make(const FhirClientOptions& options) {
  STEPWISE_ASSIGN_OR_RETURN(std::unique_ptr<HttpClient> http, HttpClient::Make(options.http));
  return std::unique_ptr<FhirClient>(new FhirClient(std::make_unique<Fetcher>(options, std::move(http))));
}

FhirClient::FhirClient(std::unique_ptr<Fetcher> fetcher) : fetcher_(std::move(fetcher)) {}
FhirClient::~FhirClient() = default;
void FhirClient::Fetch(const FhirServer& server, std::vector<FhirQuery> queries, HttpCall::Time deadline,
                       Done done) {
  fetcher_->Fetch(server, std::move(queries), deadline, std::move(done));
}
FhirClientStats FhirClient::stats() const { return fetcher_->stats(); }

}  // namespace stepwise::rest
