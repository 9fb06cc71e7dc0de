#include "relay/rtpengine.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <stdexcept>
#include <thread>

#include "relay/cores.h"
#include "sdp/crypto.h"

namespace baton::bench {
namespace {

using namespace std::chrono_literals;

const IpAddress loopback = IpAddress::v4(127, 0, 0, 1);

// ---- bencode, as far as it is needed ----

std::string text(std::string_view value) {
  return std::to_string(value.size()) + ":" + std::string(value);
}

std::string list(std::initializer_list<std::string_view> values) {
  std::string out = "l";
  for (const auto value : values) out += text(value);
  return out + "e";
}

// Values are encoded already.
std::string dictionary(const std::map<std::string, std::string>& entries) {
  std::string out = "d";
  for (const auto& [name, value] : entries) out += text(name) + value;
  return out + "e";
}

std::string text_in(const std::string& answer, const std::string& name) {
  const auto at = answer.find(text(name));
  if (at == std::string::npos) return {};
  const char* length = answer.c_str() + at + text(name).size();
  char* end = nullptr;
  const std::size_t size = std::strtoul(length, &end, 10);
  return answer.substr(static_cast<std::size_t>(end + 1 - answer.c_str()), size);
}

// ---- descriptions ----

std::string description(const SocketAddress& party, const Speaks& speaks) {
  const auto number = std::to_string(speaks.format.payload_type);
  std::string out = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio " +
                    std::to_string(party.port) + (speaks.srtp ? " RTP/SAVP " : " RTP/AVP ") + number +
                    "\r\na=rtpmap:" + number + " ";
  switch (speaks.format.codec) {
    case sdp::Codec::pcmu:
      out += "PCMU/8000";
      break;
    case sdp::Codec::pcma:
      out += "PCMA/8000";
      break;
    case sdp::Codec::g722:
      out += "G722/8000";
      break;
    default:
      out += "opus/48000/2";
  }
  out += "\r\na=ptime:20\r\na=sendrecv\r\n";
  if (speaks.srtp) {
    out += "a=crypto:" + sdp::write_crypto({1, speaks.srtp->suite, speaks.srtp->theirs}) + "\r\n";
  }
  return out;
}

std::string name_of(sdp::Codec codec) {
  switch (codec) {
    case sdp::Codec::pcmu:
      return "PCMU";
    case sdp::Codec::pcma:
      return "PCMA";
    case sdp::Codec::g722:
      return "G722";
    default:
      return "opus";
  }
}

SocketAddress audio_of(const std::string& answer) {
  const auto at = answer.find("m=audio ");
  if (at == std::string::npos) throw std::runtime_error("rtpengine names no port: " + answer);
  return {loopback, static_cast<std::uint16_t>(std::strtoul(answer.c_str() + at + 8, nullptr, 10))};
}

std::uint16_t free_port() {
  const media::Descriptor probe(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto any = media::to_kernel({loopback, 0});
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  static_cast<void>(::bind(probe.get(), reinterpret_cast<const sockaddr*>(&any.storage), any.length));
  static_cast<void>(::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&name), &length));
  return media::from_kernel(name).port;
}

std::string all_suites_but(sdp::Suite suite) {
  std::string out = "l";
  for (const char* other : {"AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_256_CM_HMAC_SHA1_80",
                            "AES_256_CM_HMAC_SHA1_32", "AES_192_CM_HMAC_SHA1_80", "AES_192_CM_HMAC_SHA1_32",
                            "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "F8_128_HMAC_SHA1_80",
                            "F8_128_HMAC_SHA1_32", "NULL_HMAC_SHA1_80", "NULL_HMAC_SHA1_32"}) {
    if (to_string(suite) != other) out += text(std::string("no-") + other);
  }
  return out + "e";
}

}  // namespace

bool Rtpengine::available() {
  return std::filesystem::exists("/usr/bin/rtpengine") || std::filesystem::exists("/usr/sbin/rtpengine");
}

Rtpengine::Rtpengine(const std::vector<SocketAddress>& parties, const std::vector<Speaks>& speak) {
  try {
    start();
    set_up(parties, speak);
  } catch (...) {
    finish();
    throw;
  }
}

Rtpengine::~Rtpengine() {
  finish();
}

void Rtpengine::finish() {
  if (daemon_ < 0) return;
  ::kill(daemon_, SIGKILL);
  ::waitpid(daemon_, nullptr, 0);
  daemon_ = -1;
}

void Rtpengine::start() {
  // A port that was free a moment ago may be somebody's by the time it is asked for.
  constexpr int tries = 3;
  for (int i = 0; i < tries; ++i) {
    start_at(free_port());
    if (answers()) return;
  }
  throw std::runtime_error("rtpengine ends as soon as it is started: " + last_words());
}

void Rtpengine::start_at(std::uint16_t port) {
  const std::string listen = "--listen-ng=127.0.0.1:" + std::to_string(port);
  words_ = media::Descriptor(::memfd_create("rtpengine", MFD_CLOEXEC));
  const pid_t parent = ::getpid();
  daemon_ = ::fork();
  if (daemon_ == 0) {
    // It must not outlive a measurement that is killed.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    run_on(Core::first);
    ::dup2(words_.get(), 1);
    ::dup2(words_.get(), 2);
    ::execlp("rtpengine", "rtpengine", "-f", "-E", "-L", "3", "--config-file=none", "--table=-1",
             "--interface=127.0.0.1", listen.c_str(), "--port-min=20002", "--port-max=32000",
             "--num-threads=1", nullptr);
    ::_exit(127);
  }
  // Bound before it connects: the kernel might choose for it the very port that is to be the daemon's.
  socket_ = media::Descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto any = media::to_kernel({loopback, 0}), to = media::to_kernel({loopback, port});
  if (daemon_ < 0 ||
      ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&any.storage), any.length) != 0 ||
      ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.length) != 0) {
    throw std::runtime_error("rtpengine can not be started");
  }
}

// False when it has ended. It comes with two hundred libraries: where none is in memory yet, and others want
// the disk and the core, it needs many seconds until it listens.
bool Rtpengine::answers() {
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (std::chrono::steady_clock::now() < until) {
    int status = 0;
    if (::waitpid(daemon_, &status, WNOHANG) == daemon_) {
      daemon_ = -1;
      return false;
    }
    // Refused until it listens.
    pollfd readable{socket_.get(), POLLIN, 0};
    std::array<char, 256> answer;
    if (::send(socket_.get(), "0 d7:command4:pinge", 19, 0) == 19 && ::poll(&readable, 1, 100) > 0 &&
        ::recv(socket_.get(), answer.data(), answer.size(), 0) > 0) {
      return true;
    }
    std::this_thread::sleep_for(20ms);
  }
  throw std::runtime_error("rtpengine does not answer within a minute: " + last_words());
}

std::string Rtpengine::last_words() const {
  std::string words(1'000, '\0');
  const off_t end = ::lseek(words_.get(), 0, SEEK_END), room = static_cast<off_t>(words.size());
  const ssize_t size = ::pread(words_.get(), words.data(), words.size(), end > room ? end - room : 0);
  words.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return words.empty() ? "it said nothing" : words;
}

std::string Rtpengine::ask(const std::string& fields) {
  const std::string cookie = std::to_string(++cookie_) + " ";
  const std::string command = cookie + fields;
  static_cast<void>(::send(socket_.get(), command.data(), command.size(), 0));
  pollfd readable{socket_.get(), POLLIN, 0};
  std::string answer(65'536, '\0');
  while (::poll(&readable, 1, 10'000) > 0) {
    const ssize_t size = ::recv(socket_.get(), answer.data(), answer.size(), 0);
    if (size <= 0 || !answer.starts_with(cookie)) continue;  // to a ping before
    answer.resize(static_cast<std::size_t>(size));
    if (text_in(answer, "result") != "ok") break;
    return text_in(answer, "sdp");
  }
  throw std::runtime_error("rtpengine says no to " + command + ": " + answer.substr(0, 500));
}

void Rtpengine::set_up(const std::vector<SocketAddress>& parties, const std::vector<Speaks>& speak) {
  addresses_.resize(parties.size());
  for (std::size_t one = 0; one + 1 < parties.size(); one += 2) {
    const std::size_t other = partner(one);
    std::map<std::string, std::string> entries{{"call-id", text("bench-" + std::to_string(one))},
                                               {"from-tag", text("one")},
                                               {"to-tag", text("other")},
                                               {"ICE", text("remove")},
                                               {"DTLS", text("off")},
                                               {"flags", list({"trust-address", "asymmetric"})}};
    auto offer = entries;
    offer["command"] = text("offer");
    offer["sdp"] = text(description(parties[one], speak[one]));
    offer["transport-protocol"] = text(speak[other].srtp ? "RTP/SAVP" : "RTP/AVP");
    if (speak[other].srtp) offer["SDES"] = all_suites_but(speak[other].srtp->suite);
    if (speak[one].format.codec != speak[other].format.codec) {
      offer["codec"] = dictionary({{"mask", list({name_of(speak[one].format.codec)})},
                                   {"transcode", list({name_of(speak[other].format.codec)})}});
    }
    addresses_[other] = audio_of(ask(dictionary(offer)));
    entries["command"] = text("answer");
    entries["sdp"] = text(description(parties[other], speak[other]));
    entries["transport-protocol"] = text(speak[one].srtp ? "RTP/SAVP" : "RTP/AVP");
    addresses_[one] = audio_of(ask(dictionary(entries)));
  }
}

// Its threads are its own.
void Rtpengine::run(const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_relaxed)) std::this_thread::sleep_for(10ms);
}

std::optional<std::uint64_t> Rtpengine::cpu_ns() const {
  std::uint64_t sum = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(daemon_) + "/task")) {
    std::uint64_t ran = 0;
    std::ifstream(task.path() / "schedstat") >> ran;
    sum += ran;
  }
  return sum;
}

}  // namespace baton::bench
