#include "tests/bench/soak/load.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cctype>
#include <memory>
#include <optional>
#include <random>
#include <string_view>

namespace stepwise::soak {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Clock = std::chrono::steady_clock;  // measures

std::string RequestOf(const LoadOptions& options, std::string_view body) {
  return "POST " + options.target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
         "Accept: application/json\r\nUser-Agent: stepwise-soak\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// Where a text has UUIDs: pairs of begin and end.
std::vector<std::pair<std::size_t, std::size_t>> UuidsOf(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  std::vector<std::pair<std::size_t, std::size_t>> uuids;
  for (std::size_t at = 0; at + kForm.size() <= text.size(); ++at) {
    const bool fits = std::equal(
        kForm.begin(), kForm.end(), text.begin() + static_cast<std::ptrdiff_t>(at), [](char form, char c) {
          return form == '-' ? c == '-' : std::isxdigit(static_cast<unsigned char>(c)) != 0;
        });
    if (!fits) continue;
    uuids.emplace_back(at, at + kForm.size());
    at += kForm.size() - 1;
  }
  return uuids;
}

// What all share; on one thread.
struct Shared {
  explicit Shared(const LoadOptions& options_in)
      : options(options_in), good_request(RequestOf(options, options.body)) {}

  bool over() const { return Clock::now() >= end; }
  void Wrong(std::string what) {
    if (figures.wrong++ == 0) figures.first_wrong = std::move(what);
  }
  bool IsExpected(std::string_view body) {
    if (!expected) {
      expected.emplace(body);
      uuids = UuidsOf(body);
    }
    if (body.size() != expected->size()) return false;
    std::size_t at = 0;
    for (const auto& [begin, stop] : uuids) {
      if (body.substr(at, begin - at) != std::string_view(*expected).substr(at, begin - at)) return false;
      at = stop;
    }
    return body.substr(at) == std::string_view(*expected).substr(at);
  }

  const LoadOptions& options;
  const std::string good_request;
  asio::io_context io{1};
  Clock::time_point end = Clock::now() + options.time;
  std::optional<std::string> expected;  // the first good answer's body
  std::vector<std::pair<std::size_t, std::size_t>> uuids;
  std::mt19937 random{1};
  LoadFigures figures;
};

class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(Shared& shared, std::size_t number) : shared_(shared), number_(number) {}
  virtual ~Client() = default;

  // Clients do not all begin at once.
  void Start() {
    const auto most = std::max<std::int64_t>(shared_.options.think.count(), 1);
    Wait(std::chrono::milliseconds(static_cast<std::int64_t>(shared_.random()) % most));
  }

 protected:
  virtual void Begin() = 0;
  virtual void Lost(ErrorCode error) = 0;
  virtual void Received() = 0;

  void Wait(std::chrono::milliseconds time) {
    if (shared_.over()) return Close();
    if (time.count() == 0) return Begin();
    timer_.expires_after(time);
    timer_.async_wait([this, self = shared_from_this()](ErrorCode) { shared_.over() ? Close() : Begin(); });
  }
  bool connected() const { return socket_.is_open(); }
  bool Connect() {
    ErrorCode error;
    socket_.connect({asio::ip::address_v4::loopback(), shared_.options.port}, error);
    if (!error) socket_.set_option(tcp::no_delay(true), error);
    if (error) Lost(error);
    return !error;
  }
  void Send(std::string_view bytes) {
    asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()),
                      [this, self = shared_from_this()](ErrorCode error, std::size_t) {
                        if (error) return Lost(error);
                        Receive();
                      });
  }
  void Receive() {
    socket_.async_read_some(asio::buffer(chunk_),
                            [this, self = shared_from_this()](ErrorCode error, std::size_t bytes) {
                              if (error) return Lost(error);
                              input_.append(chunk_.data(), bytes);
                              Received();
                            });
  }
  // The status of the answer when all of it is there, else 0.
  int Complete() {
    const std::size_t head = input_.find("\r\n\r\n");
    if (head == std::string::npos) return 0;
    const std::size_t at = input_.find("Content-Length: ");
    body_at_ = head + 4;
    if (at < head && input_.size() - body_at_ < std::stoul(input_.substr(at + 16, 20))) return 0;
    return std::atoi(input_.substr(9, 3).c_str());
  }
  void Close(bool reset = false) {
    ErrorCode ignored;
    if (reset) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
    input_.clear();
  }

  Shared& shared_;
  const std::size_t number_;
  tcp::socket socket_{shared_.io};
  asio::steady_timer timer_{shared_.io};
  std::vector<char> chunk_ = std::vector<char>(64 << 10);
  std::string input_;
  std::size_t body_at_ = 0;
};

// Sends the good request for ever, over one connection.
class GoodClient final : public Client {
 public:
  using Client::Client;

 private:
  void Begin() override {
    if (!connected() && !Connect()) return;
    sent_at_ = Clock::now();
    Send(shared_.good_request);
  }
  void Lost(ErrorCode error) override {
    if (!error || shared_.over()) return Close();
    shared_.Wrong("a good connection was lost: " + error.message());
    Close();
    Wait(std::chrono::milliseconds(100));
  }
  void Received() override {
    const int status = Complete();
    if (status == 0) return Receive();
    const std::string_view body = std::string_view(input_).substr(body_at_);
    std::chrono::milliseconds pause = shared_.options.think;
    if (status == 503 && input_.find("Retry-After: ") < body_at_) {
      ++shared_.figures.busy;
      pause += std::chrono::milliseconds(1000);
    } else if (status != 200 || !shared_.IsExpected(body)) {
      shared_.Wrong("status " + std::to_string(status) + ": " + std::string(body.substr(0, 200)));
    } else {
      ++shared_.figures.good;
      const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - sent_at_);
      shared_.figures.latencies_us.push_back(static_cast<std::uint32_t>(took.count()));
    }
    const bool closes = input_.find("Connection: close") < body_at_;
    input_.clear();
    if (closes) Close();
    Wait(pause);
  }

  Clock::time_point sent_at_;
};

// Does one harmful thing after another, each over its own connection.
class HostileClient final : public Client {
 public:
  using Client::Client;

 private:
  void Begin() override {
    if (!Connect()) return;
    const std::string& good = shared_.good_request;
    const std::string_view line = std::string_view(good).substr(0, good.find('\n') + 1);
    switch ((number_ + turn_++) % 7) {
      case 0: bytes_ = std::string("\x16\x03\x01\x00\xff garbage", 12); break;
      case 1: bytes_ = good.substr(0, good.size() / 2); return SendAndGo(true);
      case 2: bytes_ = good.substr(0, 40); return SendAndGo(false);
      case 3: bytes_ = RequestOf(shared_.options, "{\"hook\":"); break;
      case 4: bytes_ = std::string(line) + "Host: x\r\nContent-Length: 99999999999\r\n\r\n"; break;
      case 5:
        bytes_ = std::string(line) + "Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
        break;
      case 6: bytes_ = good; return SendAndGo(true);  // and does not wait for the answer
    }
    Send(bytes_);
  }
  void SendAndGo(bool reset) {
    ErrorCode ignored;
    asio::write(socket_, asio::buffer(bytes_), ignored);
    Close(reset);
    Next();
  }
  void Next() {
    ++shared_.figures.hostile;
    Wait(shared_.options.think + std::chrono::milliseconds(1));
  }
  void Lost(ErrorCode) override {
    Close();
    Next();
  }
  void Received() override {
    const int status = Complete();
    if (status == 0) return Receive();
    if (status < 400 || status >= 600) shared_.Wrong("status " + std::to_string(status) + " for harm");
    Close();
    Next();
  }

  std::size_t turn_ = 0;
  std::string bytes_;
};

void Sample(asio::steady_timer& timer, Shared& shared) {
  shared.options.sampler();
  if (shared.over()) return;
  timer.expires_after(shared.options.sample);
  timer.async_wait([&](ErrorCode error) {
    if (!error) Sample(timer, shared);
  });
}

}  // namespace

std::uint32_t LoadFigures::Percentile(double share) const {
  if (latencies_us.empty()) return 0;
  return latencies_us[static_cast<std::size_t>(share * static_cast<double>(latencies_us.size() - 1))];
}

LoadFigures RunLoad(const LoadOptions& options) {
  Shared shared(options);
  const auto start = Clock::now();
  for (std::size_t i = 0; i < options.connections; ++i) {
    const bool hostile = options.hostile_every != 0 && i % options.hostile_every == options.hostile_every - 1;
    const std::shared_ptr<Client> client =
        hostile ? std::shared_ptr<Client>(std::make_shared<HostileClient>(shared, i))
                : std::make_shared<GoodClient>(shared, i);
    client->Start();
  }
  asio::steady_timer timer(shared.io);
  Sample(timer, shared);
  // Answers in flight are waited for, but not for ever.
  shared.io.run_until(shared.end + std::chrono::seconds(15));
  LoadFigures figures = std::move(shared.figures);
  figures.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::sort(figures.latencies_us.begin(), figures.latencies_us.end());
  return figures;
}

}  // namespace stepwise::soak
