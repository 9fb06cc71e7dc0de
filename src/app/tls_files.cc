#include "app/tls_files.h"

#include <array>
#include <chrono>
#include <ctime>

namespace baton::app {
namespace {

constexpr std::int64_t day = 86'400;
constexpr std::int64_t renewal_due = 14 * day;

std::string key_of(net::TlsProblem::File file) {
  switch (file) {
    case net::TlsProblem::File::certificate:
      return "certificate";
    case net::TlsProblem::File::key:
      return "key";
    case net::TlsProblem::File::client_ca:
      return "client_ca";
    case net::TlsProblem::File::server_ca:
      break;
  }
  return "ca";
}

std::string remedy_of(net::TlsProblem::File file) {
  switch (file) {
    case net::TlsProblem::File::certificate:
      return "name a PEM file that begins with this server's certificate and that the server may read";
    case net::TlsProblem::File::key:
      return "name the PEM file of the certificate's own key, without a password, that the server may read";
    case net::TlsProblem::File::client_ca:
    case net::TlsProblem::File::server_ca:
      break;
  }
  return "name a PEM file with the certificates of those who are trusted to sign";
}

std::string fault_of_dates(const net::TlsContext& context, std::int64_t now) {
  if (now < context.valid_from()) return "is not valid before " + write_date(context.valid_from());
  if (now >= context.valid_until()) return "expired on " + write_date(context.valid_until());
  if (now + renewal_due < context.valid_until()) return {};
  return "expires on " + write_date(context.valid_until());
}

class Reader {
 public:
  Reader(std::string file, std::int64_t now) : file_(std::move(file)), now_(now) {}

  void read(const config::Listen& listen, std::size_t index) {
    const std::string section = "server.listen[" + std::to_string(index) + "].";
    auto loaded = net::TlsContext::load(listen.tls);
    if (!loaded) {
      const net::TlsProblem& problem = loaded.error();
      const bool common = problem.file == net::TlsProblem::File::server_ca;
      files_.problems.push_back({file_, common ? 0 : listen.line,
                                 (common ? "tls." : section) + key_of(problem.file), problem.what,
                                 remedy_of(problem.file)});
      files_.contexts.emplace_back();
      return;
    }
    const std::string fault = fault_of_dates(**loaded, now_);
    if (!fault.empty()) {
      files_.warnings.push_back({file_, listen.line, section + "certificate",
                                 "the certificate in " + listen.tls.certificate + " " + fault,
                                 "renew it, then send SIGHUP to the server"});
    }
    if (!warned_) warn_of_unverified(listen);
    files_.contexts.push_back(std::move(*loaded));
  }
  void none() { files_.contexts.emplace_back(); }
  [[nodiscard]] TlsFiles take() && { return std::move(files_); }

 private:
  void warn_of_unverified(const config::Listen& listen) {
    warned_ = true;
    for (const std::string& host : listen.tls.unverified) {
      files_.warnings.push_back({file_, 0, "tls.unverified",
                                 "ANYBODY can pose as " + host + ": its certificate is not looked at",
                                 "give it a certificate for that name and its authority in [tls] ca, and "
                                 "remove it from this list"});
    }
  }

  std::string file_;
  std::int64_t now_;
  TlsFiles files_;
  bool warned_ = false;
};

}  // namespace

std::int64_t seconds_now() {
  return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
}

std::string write_date(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%SZ", &parts);
  return {text.data(), length};
}

bool is_valid(const net::TlsContext& context, std::int64_t now) {
  return context.valid_from() <= now && now < context.valid_until();
}

TlsFiles load_tls(const config::Server& server, const std::string& file, std::int64_t now) {
  Reader reader(file, now);
  for (std::size_t i = 0; i < server.listeners.size(); ++i) {
    if (server.listeners[i].transport == Transport::tls) {
      reader.read(server.listeners[i], i);
    } else {
      reader.none();
    }
  }
  return std::move(reader).take();
}

}  // namespace baton::app
