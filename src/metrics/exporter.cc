#include "metrics/exporter.h"

#include <prometheus/text_serializer.h>
#include <sys/socket.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace baton::metrics {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Page = std::function<std::string()>;

// One request and its answer; lives as long as something of it is under way.
class Reader : public std::enable_shared_from_this<Reader> {
 public:
  Reader(tcp::socket socket, const Page& page, std::function<void()> gone)
      : stream_(std::move(socket)), page_(page), gone_(std::move(gone)) {
    parser_.header_limit(Exporter::request_max);
    parser_.body_limit(Exporter::request_max);
  }
  ~Reader() { gone_(); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void begin() {
    stream_.expires_after(std::chrono::microseconds(Exporter::patience / 1us));
    http::async_read(
        stream_, buffer_, parser_,
        [self = shared_from_this()](beast::error_code error, std::size_t) { self->answer(error); });
  }

 private:
  void answer(beast::error_code error) {
    static const auto& not_http = http::make_error_code(http::error::bad_method).category();
    if (error && error.category() != not_http) return;  // gone, or too slow
    if (error == http::error::end_of_stream) return;
    const auto& request = parser_.get();
    const beast::string_view path = request.target().substr(0, request.target().find('?'));
    answer_.version(request.version());
    answer_.keep_alive(false);
    answer_.set(http::field::content_type, "text/plain; charset=utf-8");
    const bool head = request.method() == http::verb::head;
    if (error) {
      answer_.version(11);
      answer_.result(http::status::bad_request);
      answer_.body() = "this is not a request of HTTP: " + error.message() + "\n";
    } else if (!head && request.method() != http::verb::get) {
      answer_.result(http::status::method_not_allowed);
      answer_.set(http::field::allow, "GET, HEAD");
      answer_.body() = "figures can be read only: GET /metrics\n";
    } else if (path != "/metrics") {
      answer_.result(http::status::not_found);
      answer_.body() = "there is nothing but /metrics\n";
    } else {
      answer_.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
      answer_.body() = page_();
    }
    answer_.prepare_payload();
    if (head) answer_.body().clear();
    http::async_write(stream_, answer_, [self = shared_from_this()](beast::error_code, std::size_t) {
      beast::error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  beast::tcp_stream stream_;
  const Page& page_;
  std::function<void()> gone_;
  beast::flat_buffer buffer_{Exporter::request_max * 2};
  http::request_parser<http::string_body> parser_;
  http::response<http::string_body> answer_;
};

}  // namespace

class Exporter::Http {
 public:
  Http(net::Fd listening, bool v6, Page page)
      : page_(std::move(page)),
        acceptor_(context_, v6 ? tcp::v6() : tcp::v4(), listening.get()),
        pause_(context_) {
    static_cast<void>(listening.release());  // the acceptor closes it
    accept();
    thread_ = std::thread([this] { run(); });
  }
  ~Http() {
    stopping_ = true;
    context_.stop();
    thread_.join();
  }
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

 private:
  void run() {
    for (;;) {
      try {
        context_.run();
        return;
      } catch (const std::exception&) {
        // Out of memory, in one reader's answer: that one is gone, others are served.
      }
    }
  }
  void accept() {
    if (accepting_) return;
    accepting_ = true;
    acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
      accepting_ = false;
      if (error) {
        // No descriptor is free, most likely: trying at once would fail at once.
        pause_.expires_after(std::chrono::milliseconds(200));
        pause_.async_wait([this](beast::error_code) { accept(); });
        return;
      }
      take(std::move(socket));
      if (readers_ < readers_max) accept();
    });
  }
  void take(tcp::socket socket) {
    try {
      const auto reader = std::make_shared<Reader>(std::move(socket), page_, [this] { gone(); });
      ++readers_;
      reader->begin();
    } catch (const std::exception&) {
      // Out of memory, most likely: this one is not served.
    }
  }
  void gone() {
    --readers_;
    if (!stopping_ && !accepting_ && readers_ + 1 == readers_max) accept();
  }

  Page page_;
  std::size_t readers_ = 0;
  bool accepting_ = false;
  std::atomic<bool> stopping_ = false;
  asio::io_context context_{1};  // before what works with it
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::thread thread_;
};

Exporter::Exporter(SocketAddress address, std::unique_ptr<Http> http)
    : address_(address), http_(std::move(http)) {}
Exporter::~Exporter() = default;

Result<std::unique_ptr<Exporter>, net::OpenError> Exporter::open(const SocketAddress& bind,
                                                                 std::function<Snapshot()> snapshot,
                                                                 const Tally& tally) {
  const net::Listener listener{Transport::tcp, bind, bind};
  net::Fd fd = net::open_socket(bind.ip.v6, SOCK_STREAM);
  if (!fd) return fail(net::open_error(listener, errno));
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const net::KernelAddress address(bind);
  if (::bind(fd.get(), address.get(), address.length()) != 0 || ::listen(fd.get(), 64) != 0) {
    return fail(net::open_error(listener, errno));
  }
  const SocketAddress bound = net::local_address(fd.get());
  auto page = [snapshot = std::move(snapshot), &tally] {
    return prometheus::TextSerializer().Serialize(families(snapshot(), tally));
  };
  try {
    auto http = std::make_unique<Http>(std::move(fd), bind.ip.v6, std::move(page));
    return std::unique_ptr<Exporter>(new Exporter(bound, std::move(http)));
  } catch (const std::exception& error) {
    return fail(net::OpenError{net::OpenError::Kind::other, Transport::tcp, bind, error.what()});
  }
}

}  // namespace baton::metrics
