// Reloader: a thread that reloads a registry on SIGHUP, and when its files change.
//
//   BlockReloadSignal();                       // in main, before any thread starts
//   Reloader reloader(registry, std::chrono::seconds(2), [&](bool loaded, const RegistryStatus& status)
//   {...});
//
// Files are looked at every `poll`; zero: only the signal counts. A change is loaded once two looks agree, so
// that a pack which is being copied is not read halfway. Thread-safety: `begin` and `report` are called on
// that thread.
#ifndef STEPWISE_RULES_RELOADER_H_
#define STEPWISE_RULES_RELOADER_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "rules/registry.h"

namespace stepwise::rules {

// All threads inherit it; without it SIGHUP ends the process.
void BlockReloadSignal();

class Reloader {
 public:
  using Report = std::function<void(bool loaded, const RegistryStatus& status)>;

  // `registry` outlives this. `begin` is called before each reload.
  Reloader(Registry& registry, std::chrono::milliseconds poll, Report report,
           std::function<void()> begin = {});
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

 private:
  void Run();

  Registry& registry_;
  const std::chrono::milliseconds poll_;
  const Report report_;
  const std::function<void()> begin_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;  // last: it uses the others
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_RELOADER_H_
