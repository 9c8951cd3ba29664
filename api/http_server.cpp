#include "api/http_server.hpp"

#include "api/http_address.hpp"
#include "api/http_session.hpp"
#include "base/log.hpp"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <ctime>
#include <fcntl.h>

namespace reeve::api {
namespace {

using boost::system::error_code;
using net::use_awaitable;
using net::ip::tcp;

/// How often deadlines are looked at; the error of every timeout of a connection.
constexpr std::chrono::milliseconds tick_time{50};
/// Connections beyond the limit that are told so at one time; further ones are just closed.
constexpr std::size_t max_shed = 128;
/// Of what is sent to a client so much lies in the system's memory at most, twice as it counts;
/// left alone that grows to 4 MiB a connection, whether the client reads or not.
constexpr int send_buffer_bytes = 128 * 1024;
/// After a failed accept (no descriptors left) the next one waits.
constexpr std::chrono::milliseconds accept_pause{50};

/// Asio does not set it, and children (PostgreSQL, helpers) must not keep our connections open.
void close_on_exec(int descriptor) {
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

std::string address_of(const tcp::socket& socket) {
  error_code error;
  const auto end = socket.remote_endpoint(error);
  return error ? std::string() : end.address().to_string();
}

}  // namespace

struct http_server::impl {
  impl(server_options options, const router& table, gateway_hooks hooks, id_source& ids,
       metrics_registry& registry)
      : state{.options = options,
              .dispatch = dispatcher(table, options.limits, std::move(hooks), ids),
              .metrics = gateway_metrics(table, registry),
              .held = held_shares(options),
              .line = {},
              .gate = nullptr,
              .date = http_date(std::time(nullptr)),
              .sessions = {}},
        io(std::make_unique<net::io_context>(1)),
        acceptor(std::make_unique<tcp::acceptor>(*io)),
        ticker(std::make_unique<net::steady_timer>(*io)) {
    state.gate = std::make_shared<io_gate>(*io);
  }

  ~impl() {
    state.gate->close();
    acceptor.reset();
    ticker.reset();
    // Destroys the coroutines of open connections; they use the state, which is still there.
    io.reset();
  }

  net::awaitable<void> accept_loop();
  net::awaitable<void> tick_loop();
  void welcome(tcp::socket socket);
  session::arrival let_in(std::string peer);
  void tick();
  void drain();

  gateway_state state;
  std::unique_ptr<net::io_context> io;
  std::unique_ptr<tcp::acceptor> acceptor;
  std::unique_ptr<net::steady_timer> ticker;
  std::atomic<bool> draining{false};
};

net::awaitable<void> http_server::impl::accept_loop() {
  while (acceptor->is_open()) {
    error_code error;
    tcp::socket socket = co_await acceptor->async_accept(net::redirect_error(use_awaitable, error));
    if (!error) {
      welcome(std::move(socket));
    } else if (acceptor->is_open()) {
      log_warn("a connection could not be accepted", {{"error", error.value()}});
      // There are fewer descriptors than connections that are allowed.
      if (error == net::error::no_descriptors) state.line.evict();
      net::steady_timer pause(*io, accept_pause);
      co_await pause.async_wait(net::redirect_error(use_awaitable, error));
    }
  }
}

void http_server::impl::welcome(tcp::socket socket) {
  error_code error;
  close_on_exec(socket.native_handle());
  socket.set_option(tcp::no_delay(true), error);
  socket.non_blocking(true, error);
  if (error) return;
  session::arrival coming = let_in(address_of(socket));
  const bool is_full = state.sessions.size() >= state.options.max_connections + max_shed;
  if (coming.turned_away && is_full) return state.metrics.refused();
  auto made = std::make_shared<session>(state, std::move(socket), std::move(coming));
  net::co_spawn(*io, session::serve(std::move(made)), [this](const std::exception_ptr& thrown) {
    if (thrown) state.metrics.uncaught_in_loop();
  });
}

/// Who needs a place gets that of whoever waits longest: of his own address if that has its share,
/// so that no address pushes others out, else of any.
session::arrival http_server::impl::let_in(std::string peer) {
  session::arrival coming;
  coming.address = share_key_of(peer);
  coming.peer = std::move(peer);
  const auto take = [&] {
    return state.held.connections.take({std::nullopt, coming.address}, 1, coming.place);
  };
  auto verdict = take();
  bool has_gone = false;
  if (verdict == share_verdict::address_is_full) has_gone = state.line.evict(coming.address);
  if (verdict == share_verdict::all_is_full) has_gone = state.line.evict();
  if (has_gone) verdict = take();
  if (verdict == share_verdict::granted) return coming;
  state.metrics.shed("connections", verdict, "none");
  coming.turned_away = refusal_of(verdict, "connections");
  return coming;
}

net::awaitable<void> http_server::impl::tick_loop() {
  for (;;) {
    tick();
    error_code ignored;
    ticker->expires_after(tick_time);
    co_await ticker->async_wait(net::redirect_error(use_awaitable, ignored));
  }
}

void http_server::impl::tick() {
  const auto now = mono_clock::now();
  for (session* one : state.sessions) one->tick(now);
  state.date = http_date(std::time(nullptr));
  state.metrics.gauges(
      {state.dispatch.in_flight(), state.connections, state.streams, state.held.bytes.held()});
  if (state.draining && state.sessions.empty()) io->stop();
}

void http_server::impl::drain() {
  state.draining = true;
  error_code ignored;
  acceptor->close(ignored);
  for (session* one : state.sessions) one->drain();
}

http_server::http_server(server_options options, const router& table, gateway_hooks hooks,
                         id_source& ids, metrics_registry& registry)
    : impl_(std::make_unique<impl>(std::move(options), table, std::move(hooks), ids, registry)) {}

http_server::~http_server() = default;

outcome<std::uint16_t> http_server::listen() {
  const auto failed = [](std::string what, const error_code& error) {
    return reject(errc::unavailable, std::move(what) + ": " + error.message());
  };
  const std::string& text = impl_->state.options.address;
  error_code error;
  const auto address = net::ip::make_address(text, error);
  if (error) return reject(errc::invalid, "the listening address is not an IP address");
  const tcp::endpoint end(address, impl_->state.options.port);
  tcp::acceptor& acceptor = *impl_->acceptor;
  acceptor.open(end.protocol(), error);
  if (error) return failed("no socket", error);
  close_on_exec(acceptor.native_handle());
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  // Accepted sockets have it from here, before their window is agreed on.
  acceptor.set_option(net::socket_base::send_buffer_size(send_buffer_bytes), error);
  acceptor.bind(end, error);
  if (error) return failed("cannot bind " + text + ":" + std::to_string(end.port()), error);
  acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) return failed("cannot listen", error);
  const std::uint16_t port = acceptor.local_endpoint(error).port();
  const auto count = [this](const std::exception_ptr& thrown) {
    if (thrown) impl_->state.metrics.uncaught_in_loop();
  };
  net::co_spawn(*impl_->io, impl_->accept_loop(), count);
  net::co_spawn(*impl_->io, impl_->tick_loop(), count);
  return port;
}

void http_server::run() {
  impl_->state.gate->enter_thread();
  for (;;) {
    try {
      impl_->io->run();
      return;
    } catch (...) {
      impl_->state.metrics.uncaught_in_loop();
      log_error("an exception got out of the HTTP event loop");
    }
  }
}

void http_server::begin_drain() {
  impl_->draining = true;
  impl_->state.gate->post([this] { impl_->drain(); });
}

void http_server::cut_short() {
  impl_->state.gate->post([this] {
    impl_->state.ending = true;
    for (session* one : impl_->state.sessions) one->cut_short();
  });
}

void http_server::stop() {
  impl_->io->stop();
}

void http_server::post(std::function<void()> work) {
  impl_->state.gate->post(std::move(work));
}

bool http_server::draining() const {
  return impl_->draining;
}

std::size_t http_server::connections() const {
  return impl_->state.connections;
}

}  // namespace reeve::api
