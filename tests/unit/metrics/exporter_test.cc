#include "metrics/exporter.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace baton::metrics {
namespace {

const SocketAddress anywhere{*IpAddress::parse("127.0.0.1"), 0};

net::Fd connect_to(const SocketAddress& address) {
  net::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const net::KernelAddress kernel(address);
  if (::connect(fd.get(), kernel.get(), kernel.length()) != 0) return {};
  return fd;
}

std::string ask(const SocketAddress& address, const std::string& request) {
  const net::Fd fd = connect_to(address);
  if (!fd || ::send(fd.get(), request.data(), request.size(), 0) < 0) return {};
  std::string answer;
  char buffer[4'096];
  pollfd watched{fd.get(), POLLIN, 0};
  while (poll(&watched, 1, 10'000) == 1) {
    const ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (n <= 0) break;
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  return answer;
}

std::string scrape(const SocketAddress& address) {
  return ask(address, "GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
}

// Name and labels to value, as a Prometheus would read them.
std::map<std::string, double> samples(const std::string& answer) {
  std::map<std::string, double> found;
  std::istringstream lines(answer.substr(std::min(answer.find("\r\n\r\n"), answer.size())));
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.rfind(' ');
    if (line.empty() || line[0] == '#' || space == std::string::npos) continue;
    found[line.substr(0, space)] = std::atof(line.c_str() + space);
  }
  return found;
}

struct ExporterTest : testing::Test {
  Tally tally;
  Snapshot now;
  std::unique_ptr<Exporter> exporter;

  void open() {
    auto opened = Exporter::open(
        anywhere, [this] { return now; }, tally);
    ASSERT_TRUE(opened) << opened.error().to_string();
    exporter = std::move(*opened);
    ASSERT_NE(exporter->address().port, 0);
  }
};

TEST_F(ExporterTest, GaugesCountersAndHistogramsAreServed) {
  now.shard.census.calls = 7;
  now.shard.counters.calls_started = 12;
  now.store.queued = 3;
  call::Cdr cdr;
  cdr.hangup_code = 3000;
  cdr.answered_at = cdr.initiated_at + 1s;
  cdr.ended_at = *cdr.answered_at + 45s;
  tally.count(cdr);
  open();
  const std::string answer = scrape(exporter->address());
  EXPECT_EQ(answer.rfind("HTTP/1.1 200", 0), 0U) << answer;
  const auto found = samples(answer);
  EXPECT_EQ(found.at("baton_calls"), 7);
  EXPECT_EQ(found.at("baton_calls_started_total"), 12);
  EXPECT_EQ(found.at("baton_store_waiting"), 3);
  EXPECT_EQ(found.at("baton_store_healthy"), 1);
  EXPECT_EQ(found.at("baton_call_records_total{leg=\"original\",code=\"3000\",cause=\"normal_hangup\"}"), 1);
  EXPECT_EQ(found.at("baton_transfers_total{outcome=\"transferred\"}"), 0) << "there before the first";
  // Buckets are cumulative.
  EXPECT_EQ(found.at("baton_talk_seconds_bucket{leg=\"original\",le=\"30\"}"), 0);
  EXPECT_EQ(found.at("baton_talk_seconds_bucket{leg=\"original\",le=\"60\"}"), 1);
  EXPECT_EQ(found.at("baton_talk_seconds_bucket{leg=\"original\",le=\"14400\"}"), 1);
  EXPECT_EQ(found.at("baton_talk_seconds_bucket{leg=\"original\",le=\"+Inf\"}"), 1);
  EXPECT_EQ(found.at("baton_talk_seconds_count{leg=\"original\"}"), 1);
  EXPECT_EQ(found.at("baton_talk_seconds_sum{leg=\"original\"}"), 45);
}

TEST_F(ExporterTest, EachScrapeIsOfNow) {
  open();
  EXPECT_EQ(samples(scrape(exporter->address())).at("baton_calls"), 0);
  now.shard.census.calls = 5;
  EXPECT_EQ(samples(scrape(exporter->address())).at("baton_calls"), 5);
}

TEST_F(ExporterTest, EachMediaThreadHasItsEndpoints) {
  open();
  EXPECT_EQ(scrape(exporter->address()).find("baton_media_thread"), std::string::npos) << "there is none";
  now.shard.media_loads = {4, 2};
  const auto found = samples(scrape(exporter->address()));
  EXPECT_EQ(found.at("baton_media_thread_endpoints{thread=\"0\"}"), 4);
  EXPECT_EQ(found.at("baton_media_thread_endpoints{thread=\"1\"}"), 2);
}

TEST_F(ExporterTest, EveryFamilyHasHelpAndANameOfItsOwn) {
  std::map<std::string, int> names;
  for (const auto& family : families(now, tally)) {
    EXPECT_FALSE(family.help.empty()) << family.name;
    EXPECT_EQ(family.name.rfind("baton_", 0), 0U) << family.name;
    EXPECT_EQ(++names[family.name], 1) << family.name;
    const bool counts = family.name.size() > 6 && family.name.substr(family.name.size() - 6) == "_total";
    EXPECT_EQ(counts, family.type == prometheus::MetricType::Counter) << family.name;
  }
}

TEST_F(ExporterTest, OtherRequestsAreAnsweredWithWhatIsWrong) {
  open();
  const auto status = [this](const std::string& request) {
    return ask(exporter->address(), request).substr(0, 12);
  };
  EXPECT_EQ(status("GET /other HTTP/1.1\r\nHost: here\r\n\r\n"), "HTTP/1.1 404");
  EXPECT_EQ(status("GET / HTTP/1.0\r\n\r\n"), "HTTP/1.0 404");
  EXPECT_EQ(status("GET /metrics?name=baton_calls HTTP/1.1\r\nHost: here\r\n\r\n"), "HTTP/1.1 200");
  EXPECT_EQ(status("POST /metrics HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n"), "HTTP/1.1 405");
  EXPECT_EQ(status("INVITE sip:a@b SIP/2.0\r\n\r\n"), "HTTP/1.1 400");
  const std::string head = ask(exporter->address(), "HEAD /metrics HTTP/1.1\r\nHost: here\r\n\r\n");
  EXPECT_EQ(head.rfind("HTTP/1.1 200", 0), 0U);
  EXPECT_EQ(head.find("baton_"), std::string::npos);
}

TEST_F(ExporterTest, NothingThatIsSentCanHurtIt) {
  open();
  for (const std::string& request :
       {std::string(100'000, 'x'), std::string(64, '\0'),
        "GET /" + std::string(50'000, 'a') + " HTTP/1.1\r\n\r\n",
        "GET /metrics HTTP/1.1\r\n" + std::string(9'000, 'a') + ": b\r\n\r\n",
        std::string("POST /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\nx")}) {
    EXPECT_EQ(ask(exporter->address(), request).find("baton_"), std::string::npos);
  }
  EXPECT_EQ(samples(scrape(exporter->address())).count("baton_calls"), 1U);
}

TEST_F(ExporterTest, ReadersThatSayNothingHoldUpNeitherTheOthersNorTheEnd) {
  open();
  std::vector<net::Fd> silent(Exporter::readers_max - 1);
  for (net::Fd& one : silent) {
    one = connect_to(exporter->address());
    ASSERT_TRUE(one);
  }
  EXPECT_EQ(samples(scrape(exporter->address())).count("baton_calls"), 1U);
  EXPECT_EQ(samples(scrape(exporter->address())).count("baton_calls"), 1U) << "its place was free again";
  // With every place taken, the next waits until one is given up.
  const net::Fd last = connect_to(exporter->address());
  ASSERT_TRUE(last);
  silent.pop_back();
  EXPECT_EQ(samples(scrape(exporter->address())).count("baton_calls"), 1U);
  exporter.reset();
}

TEST_F(ExporterTest, APortThatIsTakenIsNamed) {
  open();
  auto second = Exporter::open(
      exporter->address(), [this] { return now; }, tally);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, net::OpenError::Kind::in_use);
  EXPECT_EQ(second.error().bind, exporter->address());
  auto elsewhere = Exporter::open(
      {*IpAddress::parse("192.0.2.1"), 0}, [this] { return now; }, tally);
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().kind, net::OpenError::Kind::not_available);
}

}  // namespace
}  // namespace baton::metrics
