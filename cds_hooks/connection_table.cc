#include "cds_hooks/connection_table.h"

#include <algorithm>

namespace stepwise::cds_hooks {

bool ConnectionTable::Add(Connection& connection, const boost::asio::ip::address& address) {
  const std::lock_guard lock(mutex_);
  if (max_per_address_ != 0) {
    std::size_t& count = per_address_[address];
    if (count == max_per_address_) return false;
    ++count;
  }
  open_.emplace(&connection, address);
  return true;
}

void ConnectionTable::Remove(Connection& connection) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(&connection);
  if (found == open_.end()) return;
  if (max_per_address_ != 0) {
    const auto count = per_address_.find(found->second);
    if (--count->second == 0) per_address_.erase(count);
  }
  open_.erase(found);
}

bool ConnectionTable::EndOldestWaiting() {
  const std::lock_guard lock(mutex_);
  for (int look = 0; look < 2; ++look) {
    while (!candidates_.empty()) {
      const Candidate oldest = candidates_.back();
      candidates_.pop_back();
      // It may be gone, or have sent its request; then another waits since another time, even at its place.
      std::int64_t since = oldest.since;
      if (!open_.contains(oldest.connection) ||
          !oldest.connection->waiting_since.compare_exchange_strong(since, Connection::kNever)) {
        continue;
      }
      oldest.connection->EndInput();
      return true;
    }
    for (const auto& [connection, address] : open_) {
      const std::int64_t since = connection->waiting_since;
      if (since != Connection::kNever) candidates_.push_back({since, connection});
    }
    std::sort(candidates_.begin(), candidates_.end(),
              [](const Candidate& a, const Candidate& b) { return a.since > b.since; });
  }
  return false;
}

void ConnectionTable::EndIdle() {
  const std::lock_guard lock(mutex_);
  for (const auto& [connection, address] : open_) {
    if (connection->phase <= Connection::Phase::kIdle) connection->EndInput();
  }
}

std::size_t ConnectionTable::CutLate(std::int64_t now) {
  const std::lock_guard lock(mutex_);
  std::size_t cut = 0;
  for (const auto& [connection, address] : open_) {
    std::int64_t deadline = connection->deadline;
    if (deadline > now) continue;
    // Once is enough, and one that has just gone on to its next phase has more time.
    if (!connection->deadline.compare_exchange_strong(deadline, Connection::kNever)) continue;
    connection->phase == Connection::Phase::kIdle ? connection->EndInput() : connection->Cut();
    ++cut;
  }
  return cut;
}

void ConnectionTable::CutAll() {
  const std::lock_guard lock(mutex_);
  for (const auto& [connection, address] : open_) connection->Cut();
}

std::size_t ConnectionTable::size() const {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

std::size_t ConnectionTable::busy() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(open_.begin(), open_.end(), [](const auto& entry) {
    return entry.first->phase == Connection::Phase::kBusy;
  }));
}

}  // namespace stepwise::cds_hooks
