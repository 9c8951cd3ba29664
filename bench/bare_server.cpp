#include "bench/bare_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>
#include <memory>

namespace reeve::bench {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace net = boost::asio;
using tcp = boost::asio::ip::tcp;

using answer_map = std::unordered_map<std::string, bare_answer>;

class bare_session : public std::enable_shared_from_this<bare_session> {
 public:
  bare_session(tcp::socket socket, const answer_map& answers)
      : stream_(std::move(socket)), answers_(answers) {}

  void read() {
    request_ = {};
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       if (!error) self->write();
                     });
  }

 private:
  void write() {
    const auto found = answers_.find(std::string(request_.target()));
    response_ = {found == answers_.end() ? http::status::not_found : http::status::ok,
                 request_.version()};
    response_.keep_alive(request_.keep_alive());
    if (found != answers_.end()) {
      for (const auto& [name, value] : found->second.fields) response_.insert(name, value);
      response_.body() = found->second.body;
    }
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                        if (!error) self->read();
                      });
  }

  beast::tcp_stream stream_;
  const answer_map& answers_;
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  http::response<http::string_body> response_;
};

class bare_listener {
 public:
  bare_listener(net::io_context& context, const answer_map& answers)
      : acceptor_(context, {net::ip::make_address_v4("127.0.0.1"), 0}), answers_(answers) {
    accept();
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void accept() {
    acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (!error) {
        socket.set_option(tcp::no_delay(true));
        std::make_shared<bare_session>(std::move(socket), answers_)->read();
      }
      accept();
    });
  }

  tcp::acceptor acceptor_;
  const answer_map& answers_;
};

}  // namespace

void serve_bare(std::unordered_map<std::string, bare_answer> answers,
                const std::function<void(std::uint16_t)>& listening) {
  net::io_context context(1);
  bare_listener listener(context, answers);
  listening(listener.port());
  context.run();
}

}  // namespace reeve::bench
