#include "rules/reloader.h"

#include <pthread.h>

#include <csignal>
#include <ctime>

namespace stepwise::rules {
namespace {

sigset_t ReloadSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

void BlockReloadSignal() {
  const sigset_t signals = ReloadSignal();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Reloader::Reloader(Registry& registry, std::chrono::milliseconds poll, Report report,
                   std::function<void()> begin)
    : registry_(registry), poll_(poll), report_(std::move(report)), begin_(std::move(begin)), thread_([this] {
        Run();
      }) {}

Reloader::~Reloader() {
  stopping_ = true;
  pthread_kill(thread_.native_handle(), SIGHUP);
  thread_.join();
}

void Reloader::Run() {
  BlockReloadSignal();
  const sigset_t signals = ReloadSignal();
  const std::timespec wait = {static_cast<std::time_t>(poll_.count() / 1000),
                              static_cast<long>(poll_.count() % 1000 * 1'000'000)};
  while (!stopping_) {
    const bool polls = poll_ > std::chrono::milliseconds::zero();
    const int signal = polls ? sigtimedwait(&signals, nullptr, &wait) : sigwaitinfo(&signals, nullptr);
    if (stopping_) return;
    if (signal != SIGHUP && !(polls && registry_.Changed())) continue;
    if (begin_) begin_();
    const bool loaded = registry_.Reload();
    report_(loaded, registry_.status());
  }
}

}  // namespace stepwise::rules
