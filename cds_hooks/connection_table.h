// ConnectionTable: the connections of a server, what they wait for, and which must go.
//
//   table.Add(session, address);          // the session calls Remove() before it is gone
//   table.CutLate(now);                   // from a timer: those past their deadline
//   table.EndOldestWaiting();             // to make room: the one whose client has owed a request for
//   longest
//
// It knows nothing of HTTP. One timer and one mutex serve all connections; on its way a request only stores a
// few numbers in its own Connection.
// Thread-safety: all methods from many threads at once.
#ifndef STEPWISE_CDS_HOOKS_CONNECTION_TABLE_H_
#define STEPWISE_CDS_HOOKS_CONNECTION_TABLE_H_

#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace stepwise::cds_hooks {

// What the table must know of a connection. Times are of std::chrono::steady_clock, which measures and
// decides no advice, in nanoseconds.
class Connection {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  enum class Phase : std::uint8_t {
    kOpening,  // TLS handshake
    kIdle,     // no byte of a request has come
    kHead,     // some of its head has
    kBusy,     // the head is complete; until the answer is written
  };

  // Both may be called from any thread while the connection is in the table, and only make what is pending
  // end soon. EndInput() lets what has arrived be answered.
  virtual void EndInput() = 0;
  virtual void Cut() = 0;

  std::atomic<Phase> phase{Phase::kOpening};
  std::atomic<std::int64_t> deadline{kNever};       // of the phase
  std::atomic<std::int64_t> waiting_since{kNever};  // since the client owes a request; kNever while kBusy

 protected:
  ~Connection() = default;
};

class ConnectionTable {
 public:
  // 0: no limit of one address.
  explicit ConnectionTable(std::size_t max_per_address) : max_per_address_(max_per_address) {}

  // false: the address has as many as it may; the connection was not added.
  bool Add(Connection& connection, const boost::asio::ip::address& address);
  void Remove(Connection& connection);

  // false: no client owes a request.
  bool EndOldestWaiting();
  void EndIdle();
  // How many; idle ones only see their input end.
  std::size_t CutLate(std::int64_t now);
  void CutAll();

  std::size_t size() const;
  std::size_t busy() const;  // those in Phase::kBusy

 private:
  struct Candidate {
    std::int64_t since;
    Connection* connection;
  };

  const std::size_t max_per_address_;
  mutable std::mutex mutex_;
  std::unordered_map<Connection*, boost::asio::ip::address> open_;
  std::map<boost::asio::ip::address, std::size_t> per_address_;  // only with a limit
  // The waiting ones at the last look, longest last: so a flood of new connections costs one look at all for
  // many of them. Who has waited since a later time than all of these cannot be the oldest.
  std::vector<Candidate> candidates_;
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_CONNECTION_TABLE_H_
