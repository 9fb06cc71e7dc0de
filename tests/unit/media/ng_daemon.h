// A daemon that answers the ng protocol as rtpengine does and moves no packet: calls with a pair of ports to
// each side, which stay what they are until the call is deleted.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "media/rtpengine/bencode.h"
#include "sdp/session.h"

namespace baton::media::rtpengine {

class NgDaemon {
 public:
  struct Request {
    std::string command;
    Dictionary body;
    [[nodiscard]] std::string_view text(std::string_view key) const { return text_of(body, key); }
  };
  struct Call {
    std::uint16_t outer = 0, inner = 0;
    std::string party, target;  // descriptions of the last whole offer and answer
    std::string offered;
    std::string playing;
    std::int64_t received = 0;  // RTP packets from the party
    std::int64_t ssrc = 0;      // of the party
    Dictionary reports;         // of each SSRC
    bool srtp = false;
    [[nodiscard]] SocketAddress sends_to() const { return sdp::read_description(target)->rtp; }
  };

  bool mute = false;    // nothing arrives
  bool stalls = false;  // what arrives waits
  std::vector<std::string> stalled;
  std::string ignores;           // a command that does not arrive
  std::string refuses, because;  // a command, and the reason
  std::string garbles;           // a command that is obeyed, and answered with what is no bencode
  bool keyless = false;
  bool rekeys = false;  // with each answer
  std::map<std::string, Call> calls;
  std::vector<Request> requests;
  std::map<std::string, std::string> said;  // by cookie: a repetition is answered from memory

  void restart() {
    calls.clear();
    said.clear();
  }

  // Its answer; empty: none.
  std::string hear(std::string_view datagram) {
    if (mute) return {};
    if (stalls) {
      stalled.emplace_back(datagram);
      return {};
    }
    const std::size_t space = datagram.find(' ');
    const std::string cookie(datagram.substr(0, space));
    if (const auto before = said.find(cookie); before != said.end()) return before->second;
    const auto value = decode(datagram.substr(space + 1));
    EXPECT_TRUE(value && value->dictionary() != nullptr) << datagram;
    const Dictionary& body = *value->dictionary();
    if (text_of(body, "command") == ignores) return {};
    requests.push_back({std::string(text_of(body, "command")), body});
    const std::string& command = requests.back().command;
    std::string answer = cookie + ' ';
    if (command == garbles) {
      static_cast<void>(obey(command, body));
      answer += "what?";
    } else if (command == refuses) {
      answer += encode(error(because));
    } else {
      answer += encode(obey(command, body));
    }
    return said[cookie] = answer;
  }

  [[nodiscard]] std::size_t count(std::string_view command) const {
    std::size_t n = 0;
    for (const Request& request : requests) n += request.command == command ? 1 : 0;
    return n;
  }
  [[nodiscard]] const Request& last(std::string_view command) const {
    for (std::size_t i = requests.size(); i > 0; --i) {
      if (requests[i - 1].command == command) return requests[i - 1];
    }
    ADD_FAILURE() << "no " << command;
    static const Request none;
    return none;
  }

 private:
  static Dictionary error(const std::string& reason) {
    return {{"result", "error"}, {"error-reason", reason}};
  }

  static Dictionary with_ports(std::uint16_t port, const std::string& more = {},
                               const char* profile = "RTP/AVP") {
    return {{"result", "ok"},
            {"sdp", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio " +
                        std::to_string(port) + ' ' + profile + " 0 101\r\na=rtpmap:0 PCMU/8000\r\n" + more}};
  }

  Call& call_of(const Dictionary& body) {
    Call& call = calls[std::string(text_of(body, "call-id"))];
    if (call.outer == 0) {
      call.outer = next_port_;
      call.inner = static_cast<std::uint16_t>(next_port_ + 2);
      next_port_ = static_cast<std::uint16_t>(next_port_ + 4);
    }
    return call;
  }

  Dictionary obey(const std::string& command, const Dictionary& body) {
    if (command == "ping") return {{"result", "pong"}};
    const std::string id(text_of(body, "call-id"));
    const bool is_known = calls.contains(id);
    if (command == "offer") {
      Call& call = call_of(body);
      if (text_of(body, "from-tag") == "void") {
        call.srtp = text_of(body, "transport-protocol") == "RTP/SAVP";
        return with_ports(call.outer, call.srtp && !keyless ? keys_of(call) : "",
                          call.srtp && !keyless ? "RTP/SAVP" : "RTP/AVP");
      }
      call.offered = text_of(body, "sdp");
      return with_ports(call.inner);
    }
    if (!is_known) {
      return command == "query"    ? error("Unknown call-id")
             : command == "delete" ? Dictionary{{"result", "ok"}, {"warning", "not found"}}
                                   : error("Unknown call-ID");
    }
    Call& call = calls[id];
    if (command == "answer") {
      call.party = call.offered;
      call.target = text_of(body, "sdp");
      const auto party = sdp::read_description(call.party);
      if (!party || party->crypto.empty()) return with_ports(call.outer);
      return with_ports(call.outer, key_of(call, party->crypto.front()), "RTP/SAVP");
    }
    if (command == "play media") {
      call.playing = body.contains("file") ? std::string(text_of(body, "file")) : "blob";
      return {{"result", "ok"}, {"duration", std::int64_t{6'000}}};
    }
    if (command == "stop media") call.playing.clear();
    if (command == "query" || command == "delete") {
      Dictionary totals = totals_of(call);
      if (command == "delete") calls.erase(id);
      return totals;
    }
    return {{"result", "ok"}};
  }

  // Another for each port.
  static std::string keys_of(const Call& call) {
    std::string lines;
    std::uint32_t tag = 3;  // not the one that a party would choose
    for (const sdp::Suite suite : sdp::all_suites) {
      ++tag;
      lines += line_of({tag, suite, {}}, call.outer + tag);
    }
    return lines;
  }
  // Under the tag that its own has.
  std::string key_of(const Call& call, const sdp::Crypto& theirs) const {
    return line_of({theirs.tag, theirs.suite, {}}, call.outer + theirs.tag + (rekeys ? 100 : 0));
  }
  static std::string line_of(sdp::Crypto crypto, unsigned seed) {
    crypto.key.size = static_cast<std::uint8_t>(sdp::master_bytes(crypto.suite));
    crypto.key.bytes.fill(static_cast<std::uint8_t>(seed));
    std::fill(crypto.key.bytes.begin() + crypto.key.size, crypto.key.bytes.end(), std::uint8_t{0});
    return "a=crypto:" + sdp::write_crypto(crypto) + "\r\n";
  }

  static Dictionary side(std::int64_t packets, std::int64_t errors, std::int64_t ssrc) {
    const Dictionary stats{{"packets", packets}, {"bytes", packets * 172}, {"errors", errors}};
    const Dictionary rtp{{"stats", stats}, {"SSRC", ssrc}};
    return {{"medias", List{Dictionary{{"streams", List{rtp, Dictionary{}}}}}}};
  }
  static Dictionary totals_of(const Call& call) {
    return {{"result", "ok"},
            {"SSRC", call.reports},
            {"tags", Dictionary{{"party", side(call.received, 1, call.ssrc)},
                                {"void", side(call.received + 7, 0, 99)}}}};
  }

  std::uint16_t next_port_ = 30'000;
};

}  // namespace baton::media::rtpengine
