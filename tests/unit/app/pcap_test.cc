// The capture file, read back by a program that knows nothing of Baton: tshark.
#include "app/pcap.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "unit/app/app_testing.h"

namespace baton::app::testing {
namespace {

class TsharkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::system("command -v tshark >/dev/null 2>&1"), 0)
        << "these tests need tshark (Debian package tshark)";
    std::string pattern = (std::filesystem::temp_directory_path() / "baton-pcap-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override {
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  }

  // The lines that tshark prints of a capture, checksums checked.
  std::vector<std::string> read(const std::vector<call::TraceMessage>& messages,
                                const std::string& arguments) {
    const std::string path = (directory_ / "call.pcap").string();
    std::ofstream(path, std::ios::binary) << to_pcap(messages);
    const std::string command =
        "HOME=" + directory_.string() + " tshark -n -r " + path +
        " -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -o tcp.check_checksum:TRUE " + arguments +
        " 2>" + (directory_ / "errors").string();
    std::vector<std::string> lines;
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), &::pclose);
    std::array<char, 4'096> line{};
    while (std::fgets(line.data(), line.size(), pipe.get()) != nullptr) {
      lines.emplace_back(line.data());
      lines.back().erase(lines.back().find_last_not_of("\r\n") + 1);
    }
    return lines;
  }

  // Everything that Wireshark calls an error or a warning.
  std::vector<std::string> complaints(const std::vector<call::TraceMessage>& messages) {
    return read(messages,
                "-Y '_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || "
                "tcp.checksum.status == 0 || tcp.analysis.flags || _ws.expert.severity >= 6291456'");
  }

  std::filesystem::path directory_;
};

using Lines = std::vector<std::string>;

TEST_F(TsharkTest, EveryMessageOfATransferredCallOverUdp) {
  const auto messages = transferred_call();
  const auto lines = read(messages,
                          "-T fields -E separator=' ' -e ip.src -e udp.srcport -e ip.dst -e udp.dstport "
                          "-e sip.CSeq.method -e sip.Status-Code");
  ASSERT_EQ(lines.size(), messages.size());
  EXPECT_EQ(lines[0], "192.0.2.1 5060 203.0.113.10 5060 INVITE ");
  EXPECT_EQ(lines[1], "203.0.113.10 5060 192.0.2.1 5060 INVITE 100");
  EXPECT_EQ(lines[10], "198.51.100.7 5080 203.0.113.10 5060 REFER ");
  EXPECT_EQ(lines[12], "203.0.113.10 5060 198.51.100.7 5080 NOTIFY ");
  EXPECT_EQ(complaints(messages), Lines{});
  EXPECT_EQ(read(messages, "-Y 'sip.msg_body && sdp' -T fields -e frame.number").size(), 7U);
}

TEST_F(TsharkTest, Times) {
  const auto lines = read(transferred_call(), "-T fields -e frame.time_epoch");
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0], "1795000000.000000000");
  EXPECT_EQ(lines[3], "1795000000.502000000");
}

TEST_F(TsharkTest, TcpIsOneConversationEachWithoutGaps) {
  const auto messages = transferred_call(Transport::tcp);
  EXPECT_EQ(read(messages, "-T fields -e sip.CSeq.method").size(), messages.size());
  EXPECT_EQ(complaints(messages), Lines{});
  EXPECT_EQ(read(messages, "-Y sip").size(), messages.size());
  EXPECT_EQ(read(messages, "-Y 'tcp.stream > 2'").size(), 0U);
}

TEST_F(TsharkTest, TlsIsReadableAsWell) {
  auto messages = transferred_call(Transport::tls);
  for (auto& message : messages) message.local.port = message.remote.port = 5061;
  EXPECT_EQ(read(messages, "-Y sip").size(), messages.size());
  EXPECT_EQ(complaints(messages), Lines{});
}

TEST_F(TsharkTest, Ipv6) {
  for (const Transport transport : {Transport::udp, Transport::tcp}) {
    auto messages = transferred_call(transport);
    for (auto& message : messages) {
      message.local = *SocketAddress::parse("[2001:db8::1]:5060");
      if (message.party == "caller") message.remote = *SocketAddress::parse("[2001:db8::2]:5060");
      // The endpoint stays IPv4: it is shown as a mapped address.
    }
    EXPECT_EQ(read(messages, "-Y 'sip && ipv6'").size(), messages.size());
    EXPECT_EQ(complaints(messages), Lines{});
    EXPECT_EQ(read(messages, "-T fields -e ipv6.src")[0], "2001:db8::2");
    EXPECT_EQ(read(messages, "-T fields -e ipv6.dst")[2], "::ffff:198.51.100.7");
  }
}

TEST_F(TsharkTest, UnusualPorts) {
  for (const Transport transport : {Transport::udp, Transport::tcp}) {
    auto messages = transferred_call(transport);
    for (auto& message : messages) {
      message.local.port = 16'321;
      message.remote.port = 41'999;
    }
    EXPECT_EQ(read(messages, "-Y sip").size(), messages.size());
  }
}

TEST_F(TsharkTest, LongMessages) {
  for (const Transport transport : {Transport::udp, Transport::tcp}) {
    Script s(transport);
    // 65,507 bytes are the most that a datagram holds; the other one has an odd length and a checksum's
    // carry.
    for (const std::size_t size : {65'507U, 20'001U}) {
      std::string bytes = request("INFO", 2).text();
      bytes.insert(bytes.find("CSeq"), "X-Filler: " + std::string(size - bytes.size() - 12, '~') + "\r\n");
      ASSERT_EQ(bytes.size(), size);
      s.in("caller", 0, bytes);
    }
    EXPECT_EQ(read(s.messages, "-Y 'sip.Method == INFO'").size(), 2U);
    EXPECT_EQ(complaints(s.messages), Lines{});
  }
}

// What a scanner sent is kept as it came.
TEST_F(TsharkTest, GarbageIsKept) {
  Script s;
  s.in("caller", 0, std::string("\0\xff\r\n", 4))
      .in("caller", 1, "")
      .in("caller", 2, std::string(70'000, 'x'));
  const auto lines = read(s.messages, "-T fields -e udp.length");
  EXPECT_EQ(lines, (Lines{"12", "8", "65515"}));
  EXPECT_EQ(read(s.messages, "-Y 'ip.checksum.status == 0 || udp.checksum.status == 0'"), Lines{});
}

TEST(Pcap, WithoutMessagesIsStillACapture) {
  EXPECT_EQ(to_pcap({}).size(), 24U);
}

}  // namespace
}  // namespace baton::app::testing
