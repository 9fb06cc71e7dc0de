// A plane over a daemon of the test's own, in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "media/rtpengine/plane.h"
#include "ng_daemon.h"

namespace baton::media::rtpengine {

inline const SocketAddress daemon_address{IpAddress::v4(127, 0, 0, 1), 2223};

class RtpenginePlane : public ::testing::Test {
 protected:
  static Rtpengine::Options options() {
    Rtpengine::Options options;
    options.address = daemon_address;
    options.silence_timeout = 20s;
    options.prompts = "/etc/baton";
    options.token = "token";
    return options;
  }
  void SetUp() override { start(options()); }
  void start(Rtpengine::Options options) {
    options.log = [this](const engine::Log& line) {
      logged_.push_back(line.event);
      for (const auto& [key, value] : line.fields) logged_.back() += ' ' + key + '=' + value;
    };
    plane_.emplace(std::move(options));
    run(0s);
  }

  // The daemon answers at once; what that brings about is answered too.
  void exchange() {
    while (!datagrams_.empty()) {
      std::vector<std::string> sent;
      sent.swap(datagrams_);
      for (const std::string& datagram : sent) {
        const std::string answer = daemon_.hear(datagram);
        if (!answer.empty()) plane_->received(now_, answer, {results_, datagrams_});
      }
    }
  }
  // What it asks for is not answered yet.
  void begin(const Operation& operation) { plane_->perform(now_, operation, {results_, datagrams_}); }
  void perform(const Operation& operation) {
    begin(operation);
    exchange();
  }
  void run(Duration time) {
    const Time end = now_ + time;
    for (;;) {
      const auto due = plane_->next_deadline();
      if (!due || *due > end) break;
      now_ = std::max(now_, *due);
      plane_->advance(now_, {results_, datagrams_});
      exchange();
    }
    now_ = end;
  }

  // A daemon that stalled takes up what has waited for it.
  void go_on() {
    daemon_.stalls = false;
    for (const std::string& datagram : std::exchange(daemon_.stalled, {})) {
      const std::string answer = daemon_.hear(datagram);
      if (!answer.empty()) plane_->received(now_, answer, {results_, datagrams_});
    }
    exchange();
  }

  template <typename T>
  std::vector<T> take() {
    std::vector<T> found;
    for (const Result& result : results_) {
      if (const auto* one = std::get_if<T>(&result)) found.push_back(*one);
    }
    std::erase_if(results_, [](const Result& result) { return std::holds_alternative<T>(result); });
    return found;
  }

  SocketAddress open(EndpointId id, bool srtp = false) {
    perform(Open{id, false, srtp});
    const auto opened = take<Opened>();
    EXPECT_EQ(opened.size(), 1U);
    if (opened.empty()) return {};
    EXPECT_EQ(opened[0].id, id);
    return opened[0].local_rtp;
  }
  static Configure party(EndpointId id, sdp::Codec codec = sdp::Codec::pcmu) {
    Configure configure;
    configure.id = id;
    configure.remote_rtp = {IpAddress::v4(192, 0, 2, 7), static_cast<std::uint16_t>(40'000 + 2 * id)};
    configure.format = {codec, sdp::default_payload_type(codec)};
    configure.dtmf_payload_type = 101;
    return configure;
  }
  void establish(EndpointId id, sdp::Codec codec = sdp::Codec::pcmu) {
    open(id);
    perform(party(id, codec));
  }
  void bridge(EndpointId one, EndpointId other) {
    perform(Hear{one, Hear::Party{other}});
    perform(Hear{other, Hear::Party{one}});
  }

  NgDaemon::Call& call(EndpointId id) { return daemon_.calls.at("token." + std::to_string(id)); }
  [[nodiscard]] bool is_heard_by(EndpointId source, EndpointId listener) {
    return call(source).sends_to().port == call(listener).inner;
  }
  [[nodiscard]] bool is_heard(EndpointId source) { return call(source).sends_to().port != discard_port; }
  [[nodiscard]] sdp::Codec bridge_codec(EndpointId id) {
    return sdp::read_description(call(id).target)->formats.front().codec;
  }

  Time now_{1h};
  NgDaemon daemon_;
  std::optional<Rtpengine> plane_;
  std::vector<Result> results_;
  std::vector<std::string> datagrams_;
  std::vector<std::string> logged_;
};

}  // namespace baton::media::rtpengine
