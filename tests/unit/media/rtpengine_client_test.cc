#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media/relay/sockets.h"
#include "media/rtpengine/client.h"
#include "unit/media/rtpengine_process.h"

namespace baton::media::rtpengine {
namespace {

class NgClient : public ::testing::Test {
 protected:
  std::uint64_t ask() { return client_.ask(now_, {{"command", "ping"}}, sent_); }
  void hear(std::string_view datagram) { client_.received(datagram, answers_); }
  void run(Duration time) {
    now_ += time;
    client_.advance(now_, sent_, answers_);
  }
  std::string take_one() {
    EXPECT_EQ(sent_.size(), 1U);
    const std::string datagram = sent_.empty() ? std::string{} : sent_.front();
    sent_.clear();
    return datagram;
  }
  static std::string answer_to(const std::string& datagram, std::string_view body) {
    return datagram.substr(0, datagram.find(' ') + 1).append(body);
  }

  Time now_{1h};
  Client client_{"token-"};
  std::vector<std::string> sent_;
  std::vector<Client::Answer> answers_;
};

TEST_F(NgClient, EachRequestHasACookieOfItsOwn) {
  ask();
  EXPECT_EQ(take_one(), "token-1 d7:command4:pinge");
  ask();
  EXPECT_EQ(take_one(), "token-2 d7:command4:pinge");
  EXPECT_EQ(client_.waiting(), 2U);
}

TEST_F(NgClient, AnswersAreTakenInAnyOrderAndOnce) {
  const std::uint64_t first = ask();
  const std::string one = take_one();
  const std::uint64_t second = ask();
  const std::string two = take_one();
  hear(answer_to(two, "d6:result4:ponge"));
  hear(answer_to(one, "d6:result2:oke"));
  hear(answer_to(one, "d6:result2:oke"));
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_EQ(answers_[0].request, second);
  EXPECT_EQ(answers_[0].fault, "");
  EXPECT_EQ(text_of(*answers_[0].said, "result"), "pong");
  EXPECT_EQ(answers_[1].request, first);
  EXPECT_EQ(client_.next_deadline(), std::nullopt);
}

TEST_F(NgClient, RepeatsWithTheSameCookieThenGivesUp) {
  const std::uint64_t request = ask();
  const std::string datagram = take_one();
  EXPECT_EQ(client_.next_deadline(), now_ + 250ms);
  run(249ms);
  EXPECT_TRUE(sent_.empty());
  run(1ms);
  EXPECT_EQ(take_one(), datagram);
  run(500ms);
  EXPECT_EQ(take_one(), datagram);
  run(1s);
  EXPECT_EQ(take_one(), datagram);
  run(2s);
  EXPECT_TRUE(sent_.empty());
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(answers_[0].request, request);
  EXPECT_FALSE(answers_[0].said);
  EXPECT_EQ(answers_[0].fault, "rtpengine does not answer");
  hear(answer_to(datagram, "d6:result2:oke"));
  EXPECT_EQ(answers_.size(), 1U) << "too late";
}

TEST_F(NgClient, WhatIsNoAnswerToAnythingIsPassedOver) {
  ask();
  for (const char* datagram :
       {"", " ", "token-", "token-1", "token-2 d6:result2:oke", "other-1 d6:result2:oke",
        "token-x d6:result2:oke", "token-1x d6:result2:oke"}) {
    hear(datagram);
  }
  EXPECT_TRUE(answers_.empty());
  EXPECT_EQ(client_.waiting(), 1U);
}

TEST_F(NgClient, SaysWhatWentWrong) {
  const auto fault_of = [&](std::string_view body) {
    sent_.clear();
    answers_.clear();
    ask();
    hear(answer_to(take_one(), body));
    return answers_.size() == 1 ? answers_[0].fault : "no answer";
  };
  EXPECT_EQ(fault_of("d12:error-reason12:Unknown call6:result5:errore"), "Unknown call");
  EXPECT_EQ(fault_of("d6:result5:errore"), "rtpengine says no reason");
  EXPECT_EQ(fault_of("le"), "what rtpengine says is no dictionary");
  EXPECT_NE(fault_of("d").find("not bencoded"), std::string::npos);
}

// ---- The daemon itself ----

class NgDaemon : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RtpengineProcess::is_installed()) GTEST_SKIP() << RtpengineProcess::path << " is not there";
    process_.emplace();
    socket_ = ::socket(AF_INET, SOCK_DGRAM, 0);
    const KernelAddress address = to_kernel(process_->address());
    ASSERT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&address.storage), address.length), 0);
    for (int i = 0; i < 50; ++i) {
      if (ask({{"command", "ping"}}).said) return;
    }
    FAIL() << "rtpengine did not come up";
  }
  void TearDown() override {
    if (socket_ >= 0) close(socket_);
  }

  Client::Answer ask(const Dictionary& request) {
    std::vector<std::string> sent;
    std::vector<Client::Answer> answers;
    client_.ask(now_, request, sent);
    while (answers.empty()) {
      for (const std::string& datagram : sent)
        static_cast<void>(send(socket_, datagram.data(), datagram.size(), 0));
      sent.clear();
      pollfd ready{socket_, POLLIN, 0};
      const Duration wait = *client_.next_deadline() - now_;
      if (poll(&ready, 1, static_cast<int>(wait / 1ms)) > 0) {
        std::string buffer(65'536, '\0');
        const ssize_t length = recv(socket_, buffer.data(), buffer.size(), 0);
        if (length > 0) {
          client_.received({buffer.data(), static_cast<std::size_t>(length)}, answers);
          continue;
        }
        usleep(100'000);  // refused: nobody listens yet
      }
      now_ += wait;
      client_.advance(now_, sent, answers);
    }
    return answers.front();
  }

  static std::string sdp(const char* port) {
    return std::string("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ") +
           port + " RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
  }

  std::optional<RtpengineProcess> process_;
  int socket_ = -1;
  Time now_{1h};
  Client client_{"a1b2c3-"};
};

TEST_F(NgDaemon, GivesAPortBeforeItKnowsThePartyAndKeepsIt) {
  EXPECT_EQ(text_of(*ask({{"command", "ping"}}).said, "result"), "pong");
  const Dictionary offer{{"command", "offer"}, {"call-id", "one"}, {"from-tag", "void"},
                         {"to-tag", "party"},  {"ICE", "remove"},  {"sdp", sdp("9")}};
  const auto port = [](const Client::Answer& answer) {
    const std::string text(text_of(*answer.said, "sdp"));
    const std::size_t at = text.find("m=audio ");
    return at == std::string::npos ? answer.fault : text.substr(at, text.find(" RTP/AVP", at) - at);
  };
  const auto first = ask(offer);
  ASSERT_EQ(first.fault, "");
  EXPECT_EQ(port(first).substr(0, 8), "m=audio ");
  const auto answered = ask({{"command", "answer"},
                             {"call-id", "one"},
                             {"from-tag", "void"},
                             {"to-tag", "party"},
                             {"ICE", "remove"},
                             {"sdp", sdp("40000")}});
  EXPECT_EQ(answered.fault, "");
  EXPECT_EQ(port(ask(offer)), port(first));
  EXPECT_EQ(ask({{"command", "delete"}, {"call-id", "one"}, {"from-tag", ""}, {"delete-delay", 0}}).fault,
            "");
  EXPECT_NE(ask({{"command", "query"}, {"call-id", "one"}}).fault, "");
}

}  // namespace
}  // namespace baton::media::rtpengine
