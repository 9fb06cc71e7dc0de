// The program from its command line to its exit code.
#include "app/command_line.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/store_choice.h"
#include "app/text.h"
#include "app/version.h"
#include "store/writer.h"
#include "unit/app/app_testing.h"

namespace baton::app::testing {
namespace {

using nlohmann::json;

constexpr char root[] = "1b9d6bcd-0000-4000-8000-000000000001";
constexpr char leg[] = "7c1e0a52-0000-4000-8000-000000000002";

call::Cdr cdr(const std::string& id, const std::string& role) {
  call::Cdr cdr;
  cdr.call_uuid = id;
  cdr.root_call_uuid = root;
  cdr.transfer_id = role == "transfer" ? "9f000000-0000-4000-8000-000000000003" : "";
  cdr.leg_role = role;
  cdr.account_id = "acme";
  cdr.trunk_id = "front-desk";
  cdr.trunk_domain = "front-desk.trunks.example";
  cdr.direction = "inbound";
  cdr.from_number = "+14155550142";
  cdr.to_number = role == "transfer" ? "+14155550177" : "+14155550100";
  cdr.from_country = "US";
  cdr.initiated_at = from_micros(1'795'000'000'000'000);
  cdr.answered_at = from_micros(1'795'000'000'900'000);
  cdr.ended_at = from_micros(1'795'000'061'000'000);
  cdr.sip_status = 200;
  cdr.hangup_code = role == "transfer" ? 3000 : 3050;
  cdr.hangup_cause = role == "transfer" ? "normal_hangup" : "transferred";
  cdr.hangup_source = role == "transfer" ? call::HangupSource::carrier : call::HangupSource::baton;
  cdr.transport = "udp";
  cdr.caller_sip_call_id = "c1@192.0.2.1";
  cdr.price_micros = 1'234'567;
  return cdr;
}

call::LegQuality audio() {
  call::LegQuality quality;
  quality.call_uuid = leg;
  quality.root_call_uuid = root;
  quality.party = "target";
  quality.sip_call_id = "t1@192.0.2.1";
  quality.codec = "PCMA";
  quality.packets_received = 3'000;
  quality.packets_sent = 2'990;
  quality.packets_dropped = 1;
  quality.lost = 12;
  quality.jitter_us = 1'260;
  quality.jitter_us_max = 8'000;
  quality.mos = 431;
  quality.round_trip_us = 41'249;
  quality.round_trip_us_max = 60'000;
  return quality;
}

call::TransferRecord transfer() {
  call::TransferRecord record;
  record.transfer_id = "9f000000-0000-4000-8000-000000000003";
  record.call_uuid = root;
  record.root_call_uuid = root;
  record.transferor = "sip:agent@front-desk.trunks.example";
  record.transferee = "+14155550142";
  record.refer_to = "sip:+14155550177@front-desk.trunks.example";
  record.target_number = "+14155550177";
  record.outcome = "transferred";
  record.refer_status = 202;
  record.final_status = 200;
  record.depth = 1;
  record.started_at = from_micros(1'795'000'005'000'000);
  record.ended_at = from_micros(1'795'000'009'000'000);
  record.steps = {{record.started_at, "accepted", 202, ""}, {record.ended_at, "bridged", 0, ""}};
  return record;
}

call::TransferRecord refused() {
  call::TransferRecord record = transfer();
  record.transfer_id = "a0000000-0000-4000-8000-000000000004";
  record.outcome = "refused";
  record.refer_status = 403;
  record.final_status = 0;
  record.refused_by = "baton";
  record.reason =
      "the host 10.0.0.1 is private \x1b[31m and this reason goes on for quite a while, longer than fits";
  record.refer_to = "sip:+1@10.0.0.1";
  record.target_number = "";
  record.started_at += 1s;
  return record;
}

class CommandLine : public ::testing::Test {
 protected:
  struct Outcome {
    int code = 0;
    std::string out, err;
  };

  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "baton-cli-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    store_ = (directory_ / "baton.db").string();
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  void fill() {
    store::WriterOptions options;
    options.path = store_;
    auto writer = store::Writer::open(options);
    ASSERT_TRUE(writer.has_value()) << writer.error();
    (*writer)->submit(cdr(root, "original"));
    (*writer)->submit(cdr(leg, "transfer"));
    (*writer)->submit(audio());
    (*writer)->submit(transfer());
    (*writer)->submit(refused());
    for (const auto& message : transferred_call()) (*writer)->submit(message);
    ASSERT_TRUE((*writer)->stop());
  }

  static Outcome run(std::vector<std::string> arguments) {
    std::vector<const char*> argv{"baton"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Outcome outcome;
    outcome.code = app::run(static_cast<int>(argv.size()), argv.data());
    outcome.out = ::testing::internal::GetCapturedStdout();
    outcome.err = ::testing::internal::GetCapturedStderr();
    return outcome;
  }

  static void expect_one_line(const Outcome& outcome, int code) {
    EXPECT_EQ(outcome.code, code);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("baton: ")) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }

  std::filesystem::path directory_;
  std::string store_;
};

TEST_F(CommandLine, Version) {
  const Outcome outcome = run({"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, std::string("baton ") + version + "\n");
  // The same number as the build's.
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "../../../CMakeLists.txt");
  const std::string cmake{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(cmake.find(std::string("project(baton VERSION ") + version + " "), std::string::npos);
}

TEST_F(CommandLine, EveryCommandHasHelpWithAnExample) {
  for (const std::string command : {"serve", "check", "calls", "transfers", "recordings", "trace"}) {
    const Outcome outcome = run({command, "--help"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_NE(outcome.out.find("Example"), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("  baton " + command), std::string::npos) << outcome.out;
    EXPECT_EQ(outcome.err, "");
  }
  EXPECT_NE(run({"--help"}).out.find("baton trace"), std::string::npos);
}

TEST_F(CommandLine, WrongUseIsOneLineAndTwo) {
  expect_one_line(run({}), 2);
  expect_one_line(run({"frobnicate"}), 2);
  expect_one_line(run({"--frob"}), 2);
  expect_one_line(run({"trace"}), 2);
  expect_one_line(run({"calls", "--limit", "many"}), 2);
  expect_one_line(run({"calls", "--limit", "0"}), 2);
  expect_one_line(run({"calls", "--limit", "-1"}), 2);
  expect_one_line(run({"calls", "--since", "yesterday"}), 2);
  expect_one_line(run({"calls", "--store", "x", "-c", "y"}), 2);
  expect_one_line(run({"trace", "x", "--text", "--json"}), 2);
  EXPECT_NE(run({"calls", "--frob"}).err.find("baton calls --help"), std::string::npos);
}

TEST_F(CommandLine, WhatDoesNotWorkIsOneLineAndOne) {
  expect_one_line(run({"calls", "--store", store_}), 1);
  expect_one_line(run({"transfers", "--store", (directory_ / "no/such.db").string()}), 1);
  expect_one_line(run({"calls", "-c", (directory_ / "none.toml").string()}), 1);
  fill();
  expect_one_line(run({"trace", "ffff", "--store", store_}), 1);
  expect_one_line(run({"trace", "\x1b[2J", "--store", store_}), 1);
  expect_one_line(run({"trace", root, "--store", store_, "--pcap", (directory_ / "no/such.pcap").string()}),
                  1);
}

TEST_F(CommandLine, Calls) {
  fill();
  const Outcome outcome = run({"calls", "--store", store_});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(
      outcome.out,
      "CALL           START (UTC)          DIR  FROM          TO            TALK  LEG       SIP  ENDED      "
      "    BY\n"
      "7c1e0a52-0000  2026-11-18 11:06:40  in   +14155550142  +14155550177  1:01  transfer  200  "
      "normal_hangup  carrier\n"
      "1b9d6bcd-0000  2026-11-18 11:06:40  in   +14155550142  +14155550100  1:01  original  200  "
      "transferred    baton\n");
  EXPECT_EQ(run({"calls", "--store", store_, "--number", "+4"}).out, "no calls\n");
  EXPECT_EQ(run({"calls", "--store", store_, "--since", "2026-11-18T11:06:41"}).out, "no calls\n");
}

TEST_F(CommandLine, CallsAsJsonHaveTheFieldNamesOfTheTrade) {
  fill();
  const Outcome outcome = run({"calls", "--store", store_, "--json", "--limit", "1"});
  const json found = json::parse(outcome.out);
  ASSERT_EQ(found.size(), 1U);
  const json expected = {{"call_uuid", leg},
                         {"root_call_uuid", root},
                         {"transfer_id", "9f000000-0000-4000-8000-000000000003"},
                         {"leg_role", "transfer"},
                         {"account_id", "acme"},
                         {"trunk_id", "front-desk"},
                         {"trunk_domain", "front-desk.trunks.example"},
                         {"carrier_id", nullptr},
                         {"call_direction", "inbound"},
                         {"from_number", "+14155550142"},
                         {"to_number", "+14155550177"},
                         {"from_country", "US"},
                         {"to_country", nullptr},
                         {"initiation_time", "2026-11-18T11:06:40.000000Z"},
                         {"answer_time", "2026-11-18T11:06:40.900000Z"},
                         {"end_time", "2026-11-18T11:07:41.000000Z"},
                         {"call_duration", 61},
                         {"bill_duration", 61},
                         {"sip_status", 200},
                         {"hangup_cause_name", "normal_hangup"},
                         {"hangup_cause_code", 3000},
                         {"hangup_source", "carrier"},
                         {"transport_protocol", "udp"},
                         {"total_amount", "1.234567"},
                         {"caller_sip_call_id", "c1@192.0.2.1"},
                         {"destination_sip_call_id", ""},
                         {"media", json::array({{{"party", "target"},
                                                 {"sip_call_id", "t1@192.0.2.1"},
                                                 {"codec", "PCMA"},
                                                 {"packets_received", 3000},
                                                 {"packets_sent", 2990},
                                                 {"packets_dropped", 1},
                                                 {"packets_lost", 12},
                                                 {"jitter_ms", 1.3},
                                                 {"jitter_max_ms", 8.0},
                                                 {"mos", 4.31},
                                                 {"reported_packets_lost", nullptr},
                                                 {"reported_jitter_ms", nullptr},
                                                 {"reported_jitter_max_ms", nullptr},
                                                 {"reported_mos", nullptr},
                                                 {"round_trip_ms", 41.2},
                                                 {"round_trip_max_ms", 60.0}}})},
                         {"recordings", json::array()}};
  EXPECT_EQ(found[0], expected);
  EXPECT_TRUE(json::parse(run({"calls", "--store", store_, "--json"}).out)[1]["transfer_id"].is_null());
  EXPECT_EQ(run({"calls", "--store", store_, "--json", "--number", "999"}).out, "[]\n");
}

TEST_F(CommandLine, Transfers) {
  fill();
  const Outcome outcome = run({"transfers", "--store", store_});
  EXPECT_EQ(outcome.code, 0);
  std::istringstream lines(outcome.out);
  std::string line;
  for (int count = 0; std::getline(lines, line); ++count) {
    EXPECT_LE(columns_of(line), 120U) << line;
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    if (count == 1) {
      EXPECT_TRUE(line.starts_with("a0000000-0000  2026-11-18 11:06:46  agent  +14155550142  sip:")) << line;
    }
  }
  EXPECT_NE(outcome.out.find("9f000000-0000  2026-11-18 11:06:45  agent  +14155550142  +14155550177"),
            std::string::npos)
      << outcome.out;
  const json found = json::parse(run({"transfers", "--store", store_, "--json"}).out);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["refer_status"], 403);
  EXPECT_TRUE(found[0]["final_status"].is_null());
  EXPECT_EQ(found[1]["outcome"], "transferred");
  EXPECT_EQ(found[1]["steps"][0], (json{{"at", "2026-11-18T11:06:45.000000Z"},
                                        {"what", "accepted"},
                                        {"status", 202},
                                        {"detail", nullptr}}));
}

TEST_F(CommandLine, Recordings) {
  fill();
  EXPECT_EQ(run({"recordings", "--store", store_}).out, "no recordings\n");
  call::RecordingRecord recording;
  recording.recording_id = "c0000000-0000-4000-8000-000000000009";
  recording.call_uuid = recording.root_call_uuid = root;
  recording.chain_id = recording.recording_id;
  recording.account_id = "acme";
  recording.trunk_id = "front-desk";
  recording.file = "/var/lib/baton/1b9d6bcd.wav";
  recording.status = "incomplete";
  recording.reason = "No space left on device";
  recording.started_at = from_micros(1'795'000'001'000'000);
  recording.ended_at = from_micros(1'795'000'031'000'000);
  recording.duration_ms = 30'000;
  recording.bytes = 960'044;
  recording.packets_dropped = 2;
  store::WriterOptions options;
  options.path = store_;
  auto writer = store::Writer::open(options);
  ASSERT_TRUE(writer.has_value()) << writer.error();
  (*writer)->submit(recording);
  ASSERT_TRUE((*writer)->stop());
  const Outcome outcome = run({"recordings", "--store", store_});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.out.find("c0000000"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("0:30"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("incomplete"), std::string::npos) << outcome.out;
  const json found =
      json::parse(run({"recordings", "--store", store_, "--json", "--number", "+14155550142"}).out);
  const json expected = {{"recording_id", recording.recording_id},
                         {"call_uuid", root},
                         {"root_call_uuid", root},
                         {"transfer_id", nullptr},
                         {"chain_id", recording.recording_id},
                         {"segment", 1},
                         {"account_id", "acme"},
                         {"trunk_id", "front-desk"},
                         {"file", "/var/lib/baton/1b9d6bcd.wav"},
                         {"status", "incomplete"},
                         {"reason", "No space left on device"},
                         {"started_at", "2026-11-18T11:06:41.000000Z"},
                         {"ended_at", "2026-11-18T11:07:11.000000Z"},
                         {"duration_ms", 30'000},
                         {"bytes", 960'044},
                         {"packets_dropped", 2}};
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], expected);
  EXPECT_EQ(run({"recordings", "--store", store_, "--json", "--number", "999"}).out, "[]\n");
  const json calls = json::parse(run({"calls", "--store", store_, "--json"}).out);
  EXPECT_EQ(calls[1]["recordings"][0], expected);
  EXPECT_NE(run({"trace", root, "--store", store_, "--plain"})
                .out.find("    recording: /var/lib/baton/1b9d6bcd.wav, "),
            std::string::npos);
}

TEST_F(CommandLine, TraceByAnyBeginning) {
  fill();
  const Outcome whole = run({"trace", root, "--store", store_, "--plain"});
  EXPECT_EQ(whole.code, 0);
  EXPECT_TRUE(whole.out.starts_with(
      "Call 1b9d6bcd-0000-4000-8000-000000000001, 2026-11-18 11:06:40 UTC\n"
      "  original +14155550142 -> +14155550100, talked 1:01, transferred by baton\n"
      "  transfer +14155550142 -> +14155550177, talked 1:01, normal_hangup by carrier\n"
      "    audio of the target: PCMA, 3000 packets in, 2990 out, lost 12 in, jitter 1.2 ms, "
      "round trip 41.2 ms, MOS 4.3\n"
      "  REFER    to +14155550177: transferred 200\n"
      "  REFER    to sip:+1@10.0.0.1: refused, baton: the host 10.0.0.1 is private ?[31m and"))
      << whole.out;
  EXPECT_NE(whole.out.find("REFER -> +14155551234"), std::string::npos);
  for (const char* id : {"1b9d", "7c1e", "9f", "a00000", "c1@192.0.2.1"}) {
    EXPECT_EQ(run({"trace", id, "--store", store_, "--plain"}).out, whole.out) << id;
  }
  const Outcome text = run({"trace", "1b9d", "--store", store_, "--text"});
  EXPECT_NE(text.out.find("Refer-To: <sip:+14155551234@front-desk.trunks.example>"), std::string::npos);
  const Outcome cut = run({"trace", "1b9d", "--store", store_, "-n", "3"});
  EXPECT_NE(cut.out.find("only the first 3 messages"), std::string::npos);
  const std::string all = std::to_string(transferred_call().size());
  EXPECT_EQ(run({"trace", "1b9d", "--store", store_, "-n", all}).out.find("only the first"),
            std::string::npos);
  const json everything = json::parse(run({"trace", "1b9d", "--store", store_, "--json"}).out);
  EXPECT_EQ(everything["calls"].size(), 2U);
  EXPECT_EQ(everything["transfers"].size(), 2U);
  EXPECT_EQ(everything["messages"].size(), transferred_call().size());
}

TEST_F(CommandLine, TraceToACaptureFile) {
  fill();
  const std::string path = (directory_ / "call.pcap").string();
  const Outcome outcome = run({"trace", "1b9d", "--store", store_, "--pcap", path});
  EXPECT_EQ(outcome.out,
            "wrote " + std::to_string(transferred_call().size()) + " messages to " + path + "\n");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const Outcome piped = run({"trace", "1b9d", "--store", store_, "--pcap", "-"});
  EXPECT_EQ(piped.out.size(), static_cast<std::size_t>(status.st_size));
  EXPECT_TRUE(piped.out.starts_with("\xa1\xb2\xc3\xd4"));
}

TEST_F(CommandLine, BytesThatAreNotTextStillMakeJson) {
  store::WriterOptions options;
  options.path = store_;
  auto writer = store::Writer::open(options);
  ASSERT_TRUE(writer.has_value());
  call::Cdr odd = cdr(root, "original");
  odd.from_number = "\xff\x1b";
  (*writer)->submit(odd);
  ASSERT_TRUE((*writer)->stop());
  EXPECT_TRUE(json::accept(run({"calls", "--store", store_, "--json"}).out));
  EXPECT_NE(run({"calls", "--store", store_}).out.find("??"), std::string::npos);
  EXPECT_NE(run({"trace", root, "--store", store_}).out.find("no SIP messages were kept"), std::string::npos);
  expect_one_line(run({"trace", root, "--store", store_, "--pcap", "-"}), 1);
}

TEST_F(CommandLine, AFullOutputIsAnError) {
  fill();
  const int kept = ::dup(STDOUT_FILENO);
  std::fflush(stdout);
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ::dup2(full, STDOUT_FILENO);
  const char* argv[] = {"baton", "calls", "--store", store_.c_str()};
  ::testing::internal::CaptureStderr();
  const int code = app::run(4, argv);
  const std::string err = ::testing::internal::GetCapturedStderr();
  std::clearerr(stdout);
  ::dup2(kept, STDOUT_FILENO);
  ::close(kept);
  ::close(full);
  EXPECT_EQ(code, 1);
  EXPECT_EQ(err, "baton: standard output: No space left on device\n");
}

TEST_F(CommandLine, CheckAndTheStoreOfAConfiguration) {
  const auto example = std::filesystem::path(__FILE__).parent_path() / "../../../baton.example.toml";
  const std::string config = (directory_ / "baton.toml").string();
  std::filesystem::copy_file(example, config);
  const Outcome right = run({"check", config});
  EXPECT_EQ(right.code, 0) << right.err;
  EXPECT_TRUE(
      right.out.starts_with("OK: " + config + ": 1 account, 2 trunks (1 inbound), 2 numbers, 2 carriers"))
      << right.out;
  EXPECT_EQ(std::count(right.out.begin(), right.out.end(), '\n'), 1);
  fill();
  EXPECT_EQ(json::parse(run({"calls", "-c", config, "--json"}).out).size(), 2U);

  for (const auto& [text, said] :
       {std::pair("\n[recording]\ndirectory = \"nowhere\"\n", "recording.directory: there is no "),
        std::pair("\n[recording]\ndirectory = \"baton.toml\"\n", "is no directory")}) {
    std::ofstream(config, std::ios::app) << text;
    const Outcome lost = run({"check", config});
    expect_one_line(lost, 1);
    EXPECT_NE(lost.err.find(said), std::string::npos) << lost.err;
    std::filesystem::copy_file(example, config, std::filesystem::copy_options::overwrite_existing);
  }
  {
    std::ifstream in(config);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const std::string direction = "direction = \"inbound\"", transfer = "[trunk.transfer]\n";
    for (const auto& [key, at] :
         {std::pair("hold_music", text.find(direction)),
          std::pair("unavailable_announcement", text.find(direction)),
          std::pair("transfer.announcement", text.find(transfer) + transfer.size())}) {
      const std::string_view last = std::string_view(key).substr(std::string_view(key).find('.') + 1);
      std::ofstream(config) << std::string(text).insert(at, std::string(last) + " = \"none.wav\"\n");
      const Outcome lost = run({"check", config});
      expect_one_line(lost, 1);
      EXPECT_NE(lost.err.find("trunk[0]." + std::string(key) + ": "), std::string::npos) << lost.err;
      EXPECT_NE(lost.err.find("none.wav can not be read"), std::string::npos) << lost.err;
    }
    std::filesystem::copy_file(example, config, std::filesystem::copy_options::overwrite_existing);
  }

  std::ofstream(config, std::ios::app)
      << "\n[store2]\nx = 1\n[[number]]\ne164 = \"123\"\ntrunk = \"agent\"\n";
  const Outcome wrong = run({"check", config});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_EQ(wrong.out, "");
  EXPECT_GE(std::count(wrong.err.begin(), wrong.err.end(), '\n'), 2) << wrong.err;
  const Outcome unread = run({"calls", "-c", config});
  expect_one_line(unread, 1);
  EXPECT_NE(unread.err.find("baton check"), std::string::npos) << unread.err;
  const Outcome not_served = run({"serve", "-c", config});
  EXPECT_EQ(not_served.code, 1);
  expect_one_line(run({"check", (directory_ / "none.toml").string()}), 1);
}

TEST(Since, AgoOrAMoment) {
  const Time now = from_micros(1'795'000'000'000'000);
  EXPECT_EQ(parse_since("90s", now), now - 90s);
  EXPECT_EQ(parse_since("15m", now), now - 15min);
  EXPECT_EQ(parse_since("2h", now), now - 2h);
  EXPECT_EQ(parse_since("7d", now), now - 168h);
  EXPECT_EQ(to_iso8601(*parse_since("2026-11-21", now)), "2026-11-21T00:00:00.000000Z");
  EXPECT_EQ(to_iso8601(*parse_since("2026-11-21T10:08", now)), "2026-11-21T10:08:00.000000Z");
  EXPECT_EQ(to_iso8601(*parse_since("2026-11-21 10:08:30Z", now)), "2026-11-21T10:08:30.000000Z");
  for (const char* bad :
       {"", "h", "2x", "-2h", "99999999999999999999d", "2026-13-01", "2026-02-30", "2026-1-1", "2026-11-21T",
        "2026-11-21T25:00", "2026-11-21T10:08:61", "2026-11-21x10:08", "10:08"}) {
    EXPECT_FALSE(parse_since(bad, now).has_value()) << bad;
  }
}

}  // namespace
}  // namespace baton::app::testing
