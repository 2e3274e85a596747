#include "cds_hooks/notify.h"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <string>

namespace stepwise::cds_hooks {
namespace {

void Send(const std::string& state) { sd_notify(/*unset_environment=*/0, state.c_str()); }

}  // namespace

void NotifyReady(std::string_view status) { Send("READY=1\nSTATUS=" + std::string(status)); }

void NotifyReloading() {
  // systemd tells by this time whether the reload began before or after it was asked for.
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  Send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(us) + "\nSTATUS=reloading");
}

void NotifyStopping() { Send("STOPPING=1\nSTATUS=answering what is under way"); }

void NotifyWatchdog() { Send("WATCHDOG=1"); }

std::chrono::milliseconds WatchdogPeriod() {
  std::uint64_t limit_us = 0;
  if (sd_watchdog_enabled(/*unset_environment=*/0, &limit_us) <= 0) return std::chrono::milliseconds::zero();
  return std::chrono::milliseconds(limit_us / 2'000);
}

}  // namespace stepwise::cds_hooks
