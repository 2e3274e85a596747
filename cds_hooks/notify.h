// What systemd is told about the service (Type=notify): that it is ready, reloads, stops, and still lives.
//
//   NotifyReady("listening on http://127.0.0.1:8080");        // once connections are accepted
//   if (const auto period = WatchdogPeriod(); period > period.zero()) server.Every(period, NotifyWatchdog);
//   NotifyReloading(); ...; NotifyReady("generation 4");      // around a reload
//   NotifyStopping();                                         // when draining begins
//
// Without systemd (no $NOTIFY_SOCKET) nothing happens. Who cannot be told is no error: the service goes on.
// Source: sd_notify(3). Thread-safety: all functions, while nobody changes the environment.
#ifndef STEPWISE_CDS_HOOKS_NOTIFY_H_
#define STEPWISE_CDS_HOOKS_NOTIFY_H_

#include <chrono>
#include <string_view>

namespace stepwise::cds_hooks {

// `status` is the line that `systemctl status` shows.
void NotifyReady(std::string_view status);
void NotifyReloading();
void NotifyStopping();
void NotifyWatchdog();

// How often NotifyWatchdog() must be called: half the time after which systemd restarts the service. Zero: it
// does not watch. To be called where a hang would show.
std::chrono::milliseconds WatchdogPeriod();

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_NOTIFY_H_
