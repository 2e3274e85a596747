#include "fhir/rest/http_client.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

#include "fhir/rest/address_guard.h"
#include "fhir/rest/allow_list.h"

namespace stepwise::rest {
namespace {

using Time = HttpCall::Time;

constexpr std::string_view kStopping = "the client is stopping";
constexpr std::string_view kLate = "did not answer in time";

struct Failure {
  CURLcode code;
  bool connection;  // of the connection: may be begun again while nothing has come
  std::string_view text;
};
// What is not listed is "the call failed".
constexpr Failure kFailures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, true, "the name of the server could not be resolved"},
    {CURLE_COULDNT_CONNECT, true, "the server could not be reached"},
    {CURLE_OPERATION_TIMEDOUT, true, "no connection to the server came about in time"},
    {CURLE_SSL_CONNECT_ERROR, true, "the TLS handshake with the server failed"},
    {CURLE_GOT_NOTHING, true, "the server closed the connection without an answer"},
    {CURLE_SEND_ERROR, true, "the connection broke off while the request was sent"},
    {CURLE_RECV_ERROR, true, "the connection broke off before the answer was complete"},
    {CURLE_PARTIAL_FILE, false, "the connection broke off before the answer was complete"},
    {CURLE_HTTP2, false, "the connection broke off before the answer was complete"},
    {CURLE_HTTP2_STREAM, false, "the connection broke off before the answer was complete"},
    {CURLE_PEER_FAILED_VERIFICATION, false, "the certificate of the server is not trusted"},
    {CURLE_SSL_CACERT_BADFILE, false, "the file of trusted authorities could not be read"},
    {CURLE_BAD_CONTENT_ENCODING, false, "the answer could not be decompressed"},
    {CURLE_WEIRD_SERVER_REPLY, false, "the answer is not HTTP"},
    {CURLE_UNSUPPORTED_PROTOCOL, false, "the answer is not HTTP"},
};

const Failure& FailureOf(CURLcode code) {
  static constexpr Failure kOther = {CURLE_OK, false, "the call failed"};
  for (const Failure& failure : kFailures) {
    if (failure.code == code) return failure;
  }
  return kOther;
}

// libcurl asks for one call of this before any thread uses it; it stays for the life of the process.
bool CurlIsReady() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && curl_strnequal(a.data(), b.data(), a.size()) != 0;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// No line break may slip in and become a header of its own.
bool IsHeader(const std::pair<std::string, std::string>& header) {
  constexpr std::string_view kToken = "-_!#$%&'*+.^`|~";
  if (header.first.empty() || header.second.empty()) return false;
  for (const char c : header.first) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!alphanumeric && kToken.find(c) == std::string_view::npos) return false;
  }
  for (const char c : header.second) {
    if (c < 0x20 || c == 0x7f) return false;
  }
  return true;
}

}  // namespace

// What is private, but Admit(), runs on the thread of the loop.
class HttpClient::Loop {
 public:
  static Result<std::unique_ptr<Loop>> Make(const HttpClientOptions& options) {
    STEPWISE_ASSIGN_OR_RETURN(AllowList servers, AllowList::Make(options.servers));
    STEPWISE_ASSIGN_OR_RETURN(AddressGuard guard, AddressGuard::Make(options.allowed_networks));
    if (!options.ca_file.empty() && !std::ifstream(options.ca_file))
      return Fail(Code::kInvalidArgument, "cannot read the CA file " + options.ca_file);
    CURLM* const multi = CurlIsReady() ? curl_multi_init() : nullptr;
    if (multi == nullptr) return Fail(Code::kInternal, "libcurl cannot be initialised");
    return std::unique_ptr<Loop>(new Loop(options, std::move(servers), std::move(guard), multi));
  }

  ~Loop() {
    Stop();
    for (CURL* easy : idle_) curl_easy_cleanup(easy);
    curl_multi_cleanup(multi_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void Start(HttpCall call, Done done) {
    ++calls_started_;
    auto started = std::make_unique<Call>();
    started->loop = this;
    started->call = std::move(call);
    started->done = std::move(done);
    const std::string_view refused = Admit(started);
    if (refused.empty()) {
      curl_multi_wakeup(multi_);
    } else {
      started->done(Fail(Code::kUnavailable, std::string(refused)));
    }
  }

  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    const std::lock_guard lock(join_mutex_);
    if (thread_.joinable()) thread_.join();
  }

  HttpClientStats stats() const {
    return {calls_started_, replies_, retries_, connections_, bytes_, in_flight_};
  }

 private:
  struct Call {
    Loop* loop = nullptr;
    HttpCall call;
    Done done;
    Url url;
    HttpReply reply;
    CURL* easy = nullptr;  // nullptr until it is begun
    curl_slist* headers = nullptr;
    std::size_t header_bytes = 0;
    int retries = 0;
    bool too_large = false;                      // a limit on size was hit
    bool refused_address = false;                // the guard let no address through so far
    std::multimap<Time, Call*>::iterator timer;  // valid while it is in calls_

    ~Call() { curl_slist_free_all(headers); }
  };

  Loop(const HttpClientOptions& options, AllowList servers, AddressGuard guard, CURLM* multi)
      : options_(options), servers_(std::move(servers)), guard_(std::move(guard)), multi_(multi) {
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(options.max_connections));
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS,
                      static_cast<long>(options.max_connections_per_host));
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options.max_connections));
    thread_ = std::thread([this] { Run(); });
  }

  // Takes the call, or leaves it and says why.
  std::string_view Admit(std::unique_ptr<Call>& call) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return kStopping;
    if (in_flight_ >= static_cast<std::uint64_t>(options_.max_calls)) return "too many calls are under way";
    ++in_flight_;
    incoming_.push_back(std::move(call));
    return "";
  }

  // Steady time, for deadlines only.
  static Time Now() { return std::chrono::steady_clock::now(); }

  void Run() {
    // Signals are for the other threads; and a peer that goes away must not end the process (SIGPIPE).
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    while (TakeIncoming()) {
      PassTimers();
      int running = 0;
      curl_multi_perform(multi_, &running);
      FinishAnswered();
      PassTimers();
      curl_multi_poll(multi_, nullptr, 0, MillisecondsToTimer(), nullptr);
    }
    while (!calls_.empty()) Finish(*calls_.begin()->first, Fail(Code::kUnavailable, std::string(kStopping)));
  }

  // False when it is time to end; then what came in is in calls_.
  bool TakeIncoming() {
    std::vector<std::unique_ptr<Call>> incoming;
    bool stopping = false;
    {
      const std::lock_guard lock(mutex_);
      incoming.swap(incoming_);
      stopping = stopping_;
    }
    for (std::unique_ptr<Call>& owned : incoming) {
      Call& call = *owned;
      call.timer = timers_.emplace(std::min(call.call.not_before, call.call.deadline), &call);
      calls_.emplace(&call, std::move(owned));
    }
    return !stopping;
  }

  int MillisecondsToTimer() const {
    if (timers_.empty()) return 60'000;  // until somebody wakes us
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - Now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  // Begins the calls whose time has come and ends those whose time is over.
  void PassTimers() {
    const Time now = Now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
      Call& call = *timers_.begin()->second;
      if (call.call.deadline <= now) {
        Finish(call, Fail(Code::kUnavailable, std::string(kLate)));
      } else if (Status begun = Begin(call); !begun) {
        Finish(call, tl::unexpected(std::move(begun).error()));
      } else {
        timers_.erase(call.timer);
        call.timer = timers_.emplace(call.call.deadline, &call);
      }
    }
  }

  Status Begin(Call& call) {
    STEPWISE_ASSIGN_OR_RETURN(call.url, ParseUrl(call.call.url));
    if (!servers_.Allows(call.url))
      return Fail(Code::kInvalidArgument, "the URL is not of a server that may be called");
    for (const auto& header : call.call.headers) {
      if (!IsHeader(header)) return Fail(Code::kInvalidArgument, "a header of the call may not be sent");
      if (!AddHeader(call, header.first + ": " + header.second)) return OutOfMemory();
    }
    // libcurl would wait a second for permission to send larger bodies.
    if (!AddHeader(call, "Expect:")) return OutOfMemory();
    if (idle_.empty()) {
      call.easy = curl_easy_init();
      if (call.easy == nullptr) return OutOfMemory();
    } else {
      call.easy = idle_.back();
      idle_.pop_back();
    }
    if (!SetOptions(call) || curl_multi_add_handle(multi_, call.easy) != CURLM_OK) return OutOfMemory();
    return {};
  }

  static tl::unexpected<Error> OutOfMemory() {
    return Fail(Code::kInternal, "the call could not be prepared");
  }

  static bool AddHeader(Call& call, const std::string& line) {
    curl_slist* const longer = curl_slist_append(call.headers, line.c_str());
    if (longer == nullptr) return false;
    call.headers = longer;
    return true;
  }

  bool SetOptions(Call& call) {
    bool good = true;
    const auto set = [&](CURLoption option, auto value) {
      good = good && curl_easy_setopt(call.easy, option, value) == CURLE_OK;
    };
    set(CURLOPT_URL, call.url.Text().c_str());
    set(CURLOPT_PATH_AS_IS, 1L);  // what was checked is what is sent
    set(CURLOPT_PROTOCOLS_STR, call.url.scheme.c_str());
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options_.ca_file.empty()) {
      set(CURLOPT_CAINFO, options_.ca_file.c_str());
      set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
    set(CURLOPT_OPENSOCKETFUNCTION, &Loop::OpenSocket);
    set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(&call));

    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // do not wait for a name server when the deadline is over
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout_ms));
    set(CURLOPT_MAXAGE_CONN,
        static_cast<long>(std::max<std::int64_t>(1, options_.idle_connection_ms / 1000)));
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    set(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    set(CURLOPT_HTTPHEADER, call.headers);
    if (call.call.method == HttpMethod::kPost) {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.call.body.size()));
      set(CURLOPT_POSTFIELDS, call.call.body.c_str());
    }
    set(CURLOPT_HEADERFUNCTION, &Loop::TakeHeader);
    set(CURLOPT_HEADERDATA, static_cast<void*>(&call));
    set(CURLOPT_WRITEFUNCTION, &Loop::TakeBody);
    set(CURLOPT_WRITEDATA, static_cast<void*>(&call));
    set(CURLOPT_PRIVATE, static_cast<void*>(&call));
    return good;
  }

  // Called for every address of the name until one connects; what is refused here is never connected to.
  static curl_socket_t OpenSocket(void* data, curlsocktype, curl_sockaddr* address) {
    Call& call = *static_cast<Call*>(data);
    const std::optional<IpAddress> ip = AddressOf(address->addr);
    if (!ip || !call.loop->guard_.Allows(*ip)) {
      call.refused_address = true;
      return CURL_SOCKET_BAD;
    }
    const int opened = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (opened >= 0) ++call.loop->connections_;
    return opened;
  }

  static std::size_t TakeHeader(char* bytes, std::size_t size, std::size_t count, void* data) {
    Call& call = *static_cast<Call*>(data);
    const std::string_view line(bytes, size * count);
    call.header_bytes += line.size();
    if (call.header_bytes > call.loop->options_.max_header_bytes) {
      call.too_large = true;
      return 0;
    }
    if (line.starts_with("HTTP/")) {  // an interim answer (1xx) may have come before
      call.reply = {};
      return line.size();
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return line.size();
    const std::string_view name = line.substr(0, colon), value = Trim(line.substr(colon + 1));
    if (EqualsIgnoringCase(name, "content-type")) call.reply.content_type = value;
    if (EqualsIgnoringCase(name, "location")) call.reply.location = value;
    if (EqualsIgnoringCase(name, "retry-after")) call.reply.retry_after = value;
    return line.size();
  }

  // libcurl hands over what it has decompressed, 16 KiB at most at a time.
  static std::size_t TakeBody(char* bytes, std::size_t size, std::size_t count, void* data) {
    Call& call = *static_cast<Call*>(data);
    const std::size_t length = size * count;
    const auto wanted = static_cast<std::int64_t>(length);
    if (call.reply.body.size() + length > call.call.max_response_bytes ||
        (call.call.budget != nullptr && call.call.budget->fetch_sub(wanted) < wanted)) {
      call.too_large = true;
      return 0;
    }
    call.reply.body.append(bytes, length);
    call.loop->bytes_ += length;
    return length;
  }

  void FinishAnswered() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      void* data = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &data);
      FinishAnswered(*static_cast<Call*>(data), message->data.result);
    }
  }

  void FinishAnswered(Call& call, CURLcode result) {
    if (result == CURLE_OK) {
      long status = 0;
      curl_easy_getinfo(call.easy, CURLINFO_RESPONSE_CODE, &status);
      call.reply.status = static_cast<int>(status);
      call.reply.retries = call.retries;
      ++replies_;
      return Finish(call, std::move(call.reply));
    }
    if (call.too_large) return Finish(call, Fail(Code::kLimit, "the answer is larger than its limit"));
    if (call.refused_address && result == CURLE_COULDNT_CONNECT) {
      return Finish(call, Fail(Code::kInvalidArgument,
                               "the name of the server leads to an address that may not be called"));
    }
    const Failure& failure = FailureOf(result);
    if (failure.connection && call.header_bytes == 0 && call.retries < call.call.connect_retries) {
      ++call.retries;
      ++retries_;
      call.refused_address = false;
      curl_multi_remove_handle(multi_, call.easy);
      if (curl_multi_add_handle(multi_, call.easy) == CURLM_OK) return;
    }
    Finish(call, Fail(Code::kUnavailable, std::string(failure.text)));
  }

  void Finish(Call& call, Result<HttpReply> result) {
    timers_.erase(call.timer);
    const auto found = calls_.find(&call);
    const std::unique_ptr<Call> owned = std::move(found->second);
    calls_.erase(found);
    if (call.easy != nullptr) {
      curl_multi_remove_handle(multi_, call.easy);
      curl_easy_reset(call.easy);  // forgets the headers, and what is secret in them
      idle_.push_back(call.easy);
    }
    --in_flight_;
    call.done(std::move(result));
  }

  const HttpClientOptions options_;
  const AllowList servers_;
  const AddressGuard guard_;
  CURLM* const multi_;
  std::vector<CURL*> idle_;                                 // handles for further calls
  std::unordered_map<Call*, std::unique_ptr<Call>> calls_;  // begun or waiting for their time
  std::multimap<Time, Call*> timers_;                       // when each is to be begun, or else ended
  std::atomic<std::uint64_t> calls_started_{0}, replies_{0}, retries_{0}, connections_{0}, bytes_{0},
      in_flight_{0};
  std::mutex mutex_;
  std::vector<std::unique_ptr<Call>> incoming_;  // guarded by mutex_
  bool stopping_ = false;                        // guarded by mutex_
  std::mutex join_mutex_;                        // held while thread_ is joined
  std::thread thread_;                           // last: it uses the others
};

Result<std::unique_ptr<HttpClient>> HttpClient::Make(const HttpClientOptions& options) {
  STEPWISE_ASSIGN_OR_RETURN(std::unique_ptr<Loop> loop, Loop::Make(options));
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(loop)));
}

HttpClient::HttpClient(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
HttpClient::~HttpClient() = default;
void HttpClient::Start(HttpCall call, Done done) { loop_->Start(std::move(call), std::move(done)); }
void HttpClient::Stop() { loop_->Stop(); }
HttpClientStats HttpClient::stats() const { return loop_->stats(); }

}  // namespace stepwise::rest
