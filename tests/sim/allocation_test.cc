// What a message inside a dialog allocates in the engine, after warm-up. The design's aim is none; the bounds
// are a ratchet: they hold what has been reached, and are to be lowered, never raised.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <optional>

#include "../counted_new.h"
#include "cast.h"
#include "peer.h"

namespace baton::sim {
namespace {

constexpr unsigned warm = 200, counted = 100;

// What has been reached, for each message with what it is answered by and its timers.
namespace ratchet {
constexpr double options = 0, options_traced = 4, retransmission = 0, info = 0, update = 0,
                 refresh_and_ack = 0, refresh_by_update = 0, hold_and_ack = 3, notify_answer = 0;
}

// A call that is up, and then messages of its endpoint's that go straight into the engine: what the world
// about it does is not counted.
class InDialog : public ::testing::Test {
 protected:
  void bring_up(bool trace) {
    Play play = usual_play();
    play.transferor.acts.clear();
    play.options.trace = trace;
    cast_.emplace(play);
    ASSERT_TRUE(
        cast_->world().run_until([&] { return cast_->transferor != nullptr && cast_->transferor->up(); }));
    cast_->world().run_for(40s);  // the transactions of its beginning are over
    now_ = cast_->world().now();
    cseq_ = cast_->transferor->local_cseq + 100;
    actions_.reserve(64);
  }

  // Of the endpoint, within its dialog.
  [[nodiscard]] std::string request(const std::string& method,
                                    const std::string& extra = "Content-Length: 0\r\n\r\n") {
    const Party& party = *cast_->transferor;
    ++cseq_;
    return method + " " + party.remote_target + " SIP/2.0\r\nVia: SIP/2.0/UDP " +
           party.peer->address().to_string() + ";branch=z9hG4bK-count-" + std::to_string(cseq_) +
           ";rport\r\nMax-Forwards: 70\r\nFrom: <" + party.local_uri + ">;tag=" + party.local_tag +
           "\r\nTo: <" + party.remote_uri + ">;tag=" + party.remote_tag + "\r\nCall-ID: " + party.call_id +
           "\r\nCSeq: " + std::to_string(cseq_) + " " + method + "\r\nContact: <sip:agent@" +
           party.peer->address().to_string() + ">\r\n" + extra;
  }

  std::string with_sdp(const std::string& method, const std::string& sdp) {
    return request(method,
                   "Supported: timer\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n"
                   "Content-Type: application/sdp\r\nContent-Length: " +
                       std::to_string(sdp.size()) + "\r\n\r\n" + sdp);
  }

  // The first line of what the engine answers; "" when it says nothing.
  std::string feed(const std::string& bytes) {
    engine::Input input =
        engine::MessageIn{Source{Transport::udp, server_address(), cast_->transferor->peer->address(), 0},
                          cast_->world().buffers().copy(bytes),
                          {}};
    step(std::move(input));
    for (const engine::Action& action : actions_) {
      if (const auto* send = std::get_if<engine::Send>(&action))
        return send->bytes.substr(0, send->bytes.find('\r'));
    }
    return {};
  }

  void step(engine::Input input) {
    for (engine::Action& action : actions_) {
      // As a driver does when they are sent.
      if (auto* send = std::get_if<engine::Send>(&action))
        cast_->world().buffers().give(std::move(send->bytes));
    }
    actions_.clear();
    heap::counting = true;
    cast_->world().engine().step(now_, std::move(input), actions_);
    heap::counting = false;
  }

  // A second goes by, with the timers that are due in it.
  void pass_second() {
    const Time until = now_ + 1s;
    for (;;) {
      const auto deadline = cast_->world().engine().next_deadline();
      if (!deadline || *deadline > until) break;
      now_ = std::max(now_, *deadline);
      step(engine::Tick{});
    }
    now_ = until;
  }

  // Allocations for each `once`, its timers with it.
  double each(const std::function<void()>& once, bool time_passes = true) {
    const auto repeat = [&](unsigned times) {
      for (unsigned i = 0; i < times; ++i) {
        once();
        if (time_passes) pass_second();
      }
    };
    repeat(warm);
    const std::size_t before = heap::allocations, bytes = heap::bytes;
    repeat(counted);
    const double count = static_cast<double>(heap::allocations - before) / counted;
    std::printf("           %.2f allocations, %.0f bytes\n", count,
                static_cast<double>(heap::bytes - bytes) / counted);
    return count;
  }

  std::optional<Cast> cast_;
  Time now_;
  std::uint32_t cseq_ = 0;
  engine::Actions actions_;
};

TEST_F(InDialog, Options) {
  bring_up(false);
  EXPECT_LE(each([&] { ASSERT_EQ(feed(request("OPTIONS")), "SIP/2.0 200 OK"); }), ratchet::options);
}

TEST_F(InDialog, OptionsTraced) {
  bring_up(true);
  EXPECT_LE(each([&] { ASSERT_EQ(feed(request("OPTIONS")), "SIP/2.0 200 OK"); }), ratchet::options_traced);
}

TEST_F(InDialog, RetransmissionOfARequest) {
  bring_up(false);
  const std::string once = request("OPTIONS");
  ASSERT_EQ(feed(once), "SIP/2.0 200 OK");
  EXPECT_LE(each([&] { ASSERT_EQ(feed(once), "SIP/2.0 200 OK"); }, false), ratchet::retransmission);
}

TEST_F(InDialog, Info) {
  bring_up(false);
  const std::string body = "Signal=5\r\nDuration=160\r\n";
  EXPECT_LE(each([&] {
              const std::string extra =
                  "Content-Type: application/dtmf-relay\r\nContent-Length: " + std::to_string(body.size()) +
                  "\r\n\r\n" + body;
              ASSERT_EQ(feed(request("INFO", extra)), "SIP/2.0 200 OK");
            }),
            ratchet::info);
}

TEST_F(InDialog, Update) {
  bring_up(false);
  EXPECT_LE(each([&] { ASSERT_EQ(feed(request("UPDATE")), "SIP/2.0 200 OK"); }), ratchet::update);
}

// RFC 4028 10: word for word what was offered before.
TEST_F(InDialog, Refresh) {
  bring_up(false);
  const std::string sdp = cast_->transferor->offer();
  EXPECT_LE(each([&] {
              feed(with_sdp("INVITE", sdp));
              --cseq_;
              ASSERT_EQ(feed(request("ACK")), "");
            }),
            ratchet::refresh_and_ack);
}

TEST_F(InDialog, RefreshByUpdate) {
  bring_up(false);
  const std::string sdp = cast_->transferor->offer();
  EXPECT_LE(each([&] { ASSERT_EQ(feed(with_sdp("UPDATE", sdp)), "SIP/2.0 200 OK"); }),
            ratchet::refresh_by_update);
}

TEST_F(InDialog, HoldOrResume) {
  bring_up(false);
  sdp::LocalAudio& local = cast_->transferor->local;
  EXPECT_LE(each([&] {
              ++local.version;
              const bool holds = local.direction == sdp::Direction::sendonly;
              local.direction = holds ? sdp::Direction::sendrecv : sdp::Direction::sendonly;
              feed(with_sdp("INVITE", cast_->transferor->offer()));
              --cseq_;
              ASSERT_EQ(feed(request("ACK")), "");
            }),
            ratchet::hold_and_ack);
}

// The first report of each of many transfers, answered by hand: one message a call, so calls warm up.
TEST(Notify, Answer) {
  Play play = usual_play();
  play.options.trace = false;
  play.transferor.notify_answers = std::vector<int>(100, 0);
  play.target.final_after = std::nullopt;
  Stage stage(play.options);
  World& world = stage.world;
  stage.east.expect(play.target_number, play.target);
  double count = 0;
  for (int i = 0; i < 6; ++i) {
    stage.inbound(play.transferee, play.transferor);
    const std::size_t from = world.journal().size();
    std::size_t at = std::string::npos;
    ASSERT_TRUE(world.run_until(
        [&] { return (at = world.journal().find("NOTIFY sip:", from)) != std::string::npos; }));
    const std::string notify = world.journal().substr(at, world.journal().find("\r\n\r\n", at) + 4 - at);
    std::string answer = "SIP/2.0 200 OK\r\n";
    for (const char* name : {"Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "}) {
      const std::size_t line = notify.find(std::string("\r\n") + name);
      ASSERT_NE(line, std::string::npos);
      answer += notify.substr(line + 2, notify.find("\r\n", line + 2) - line);
    }
    answer += "Content-Length: 0\r\n\r\n";
    engine::Input input =
        engine::MessageIn{Source{Transport::udp, server_address(), stage.endpoint.address(), 0},
                          world.buffers().copy(answer),
                          {}};
    engine::Actions actions;
    actions.reserve(64);
    const std::size_t before = heap::allocations;
    heap::counting = true;
    world.engine().step(world.now(), std::move(input), actions);
    heap::counting = false;
    count = static_cast<double>(heap::allocations - before);
    world.run_for(1s);
  }
  std::printf("           %.0f allocations\n", count);
  EXPECT_LE(count, ratchet::notify_answer);
}

}  // namespace
}  // namespace baton::sim
