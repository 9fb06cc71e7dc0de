// Debian's rtpengine in user space on loopback, for the life of the object.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "unit/media/party.h"

namespace baton::media {

class RtpengineProcess {
 public:
  static constexpr const char* path = "/usr/bin/rtpengine";
  static bool is_installed() { return access(path, X_OK) == 0; }

  // `key_log`: where it is to say which keys it has heard.
  explicit RtpengineProcess(const SocketAddress& key_log = {IpAddress::v4(127, 0, 0, 1), 9})
      : address_(test::Plug().address()) {
    // Tests side by side have addresses, and so ports, of their own.
    const auto pid = static_cast<unsigned>(getpid());
    const std::string ip =
        IpAddress::v4(127, 1, static_cast<std::uint8_t>(pid >> 8), static_cast<std::uint8_t>(pid))
            .to_string();
    const std::string listen = "--listen-ng=" + address_.to_string(), face = "--interface=" + ip,
                      keys = "--dtmf-log-dest=" + key_log.to_string();
    child_ = fork();
    if (child_ != 0) {
      wait();
      return;
    }
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
    execl(path, path, "--foreground", "--log-stderr", "--log-level=3", "--config-file=none", "--table=-1",
          "--port-min=46000", "--port-max=46199", "--timeout=3600", face.c_str(), listen.c_str(),
          keys.c_str(), nullptr);
    _exit(1);
  }
  ~RtpengineProcess() {
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
  }
  RtpengineProcess(const RtpengineProcess&) = delete;
  RtpengineProcess& operator=(const RtpengineProcess&) = delete;

  // Of its ng port.
  [[nodiscard]] const SocketAddress& address() const { return address_; }

 private:
  // Until it answers: a plane that finds nobody there calls it dead.
  void wait() const {
    static constexpr std::string_view ping = "here d7:command4:pinge";
    test::Plug plug;
    for (int i = 0; i < 1'000; ++i) {
      plug.send(address_, {reinterpret_cast<const std::uint8_t*>(ping.data()), ping.size()});
      usleep(20'000);
      if (plug.receive()) return;
    }
    ADD_FAILURE() << path << " does not answer";
  }

  SocketAddress address_;
  pid_t child_ = -1;
};

}  // namespace baton::media
