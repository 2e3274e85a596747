#include "cds_hooks/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

// What systemd would receive.
class NotifySocket {
 public:
  NotifySocket() : path_((dir_.path() / "notify").string()), fd_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  }
  ~NotifySocket() {
    unsetenv("NOTIFY_SOCKET");
    close(fd_);
  }
  std::string Next() {  // "": nothing was sent
    char bytes[512];
    const ssize_t size = recv(fd_, bytes, sizeof(bytes), MSG_DONTWAIT);
    return size < 0 ? "" : std::string(bytes, static_cast<std::size_t>(size));
  }

 private:
  TempDir dir_;
  std::string path_;
  int fd_;
};

TEST(Notify, WhatSystemdIsTold) {
  NotifySocket systemd;
  NotifyReady("listening on http://127.0.0.1:1");
  EXPECT_EQ(systemd.Next(), "READY=1\nSTATUS=listening on http://127.0.0.1:1");
  NotifyReloading();
  const std::string reloading = systemd.Next();
  EXPECT_TRUE(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC=")) << reloading;
  EXPECT_TRUE(reloading.ends_with("\nSTATUS=reloading")) << reloading;
  NotifyWatchdog();
  EXPECT_EQ(systemd.Next(), "WATCHDOG=1");
  NotifyStopping();
  EXPECT_TRUE(systemd.Next().starts_with("STOPPING=1\n"));
  EXPECT_EQ(systemd.Next(), "");
}

TEST(Notify, HalfTheTimeOfTheWatchdog) {
  unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(WatchdogPeriod().count(), 0);
  setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(WatchdogPeriod().count(), 15'000);
  setenv("WATCHDOG_PID", "1", 1);  // meant for another process
  EXPECT_EQ(WatchdogPeriod().count(), 0);
  unsetenv("WATCHDOG_PID");
  unsetenv("WATCHDOG_USEC");
}

}  // namespace
}  // namespace stepwise::cds_hooks
