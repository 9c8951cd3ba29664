#include "api/http_server.hpp"

#include "api/http_address.hpp"
#include "api/http_session.hpp"
#include "base/local_socket.hpp"
#include "base/log.hpp"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <ctime>
#include <fcntl.h>
#include <mutex>
#include <unistd.h>

namespace reeve::api {
namespace {

using boost::system::error_code;
using net::use_awaitable;
using net::ip::tcp;
using local = net::local::stream_protocol;

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
    jobs_acceptor.reset();
    ticker.reset();
    // Destroys the coroutines of open connections; they use the state, which is still there.
    io.reset();
  }

  /// `from`: an acceptor of either family.
  template <class Acceptor>
  net::awaitable<void> accept_loop(Acceptor& from);
  net::awaitable<void> tick_loop();
  void welcome(tcp::socket socket);
  void welcome(local::socket socket);
  void begin(session::socket_type socket, session::arrival coming);
  session::arrival let_in(session::arrival coming);
  void open_to_jobs(int descriptor);
  void tick();
  void drain();

  gateway_state state;
  std::unique_ptr<net::io_context> io;
  std::unique_ptr<tcp::acceptor> acceptor;
  std::unique_ptr<local::acceptor> jobs_acceptor;  // null until there is one
  std::unique_ptr<local_socket> jobs_socket;       // its name; of who listens and drains
  std::mutex jobs_mutex;                           // for it
  std::unique_ptr<net::steady_timer> ticker;
  std::atomic<bool> draining{false};
};

template <class Acceptor>
net::awaitable<void> http_server::impl::accept_loop(Acceptor& from) {
  while (from.is_open()) {
    error_code error;
    auto socket = co_await from.async_accept(net::redirect_error(use_awaitable, error));
    if (!error) {
      welcome(std::move(socket));
    } else if (from.is_open()) {
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
  session::arrival coming;
  coming.peer = address_of(socket);
  coming.address = share_key_of(coming.peer);
  begin(std::move(socket), std::move(coming));
}

/// The connections of all jobs are one address, whose share others are left beside.
void http_server::impl::welcome(local::socket socket) {
  error_code error;
  close_on_exec(socket.native_handle());
  socket.set_option(net::socket_base::send_buffer_size(send_buffer_bytes), error);
  socket.non_blocking(true, error);
  if (error) return;
  session::arrival coming;
  coming.from = listener::jobs;
  coming.address = "jobs";
  begin(std::move(socket), std::move(coming));
}

void http_server::impl::begin(session::socket_type socket, session::arrival coming) {
  coming = let_in(std::move(coming));
  const bool is_full = state.sessions.size() >= state.options.max_connections + max_shed;
  if (coming.turned_away && is_full) return state.metrics.refused();
  auto made = std::make_shared<session>(state, std::move(socket), std::move(coming));
  net::co_spawn(*io, session::serve(std::move(made)), [this](const std::exception_ptr& thrown) {
    if (thrown) state.metrics.uncaught_in_loop();
  });
}

/// Who needs a place gets that of whoever waits longest: of his own address if that has its share,
/// so that no address pushes others out, else of any.
session::arrival http_server::impl::let_in(session::arrival coming) {
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
  if (jobs_acceptor) jobs_acceptor->close(ignored);
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
  net::co_spawn(*impl_->io, impl_->accept_loop(*impl_->acceptor), count);
  net::co_spawn(*impl_->io, impl_->tick_loop(), count);
  return port;
}

outcome<done> http_server::listen_for_jobs(const std::string& path) {
  auto made = local_socket::listen(path);
  if (!made) return made.error();
  const int descriptor = made->release();
  {
    const std::lock_guard lock(impl_->jobs_mutex);
    impl_->jobs_socket = std::make_unique<local_socket>(std::move(*made));
  }
  impl_->state.gate->post([this, descriptor] { impl_->open_to_jobs(descriptor); });
  return done{};
}

void http_server::impl::open_to_jobs(int descriptor) {
  error_code error;
  jobs_acceptor = std::make_unique<local::acceptor>(*io);
  jobs_acceptor->assign(net::local::stream_protocol(), descriptor, error);
  if (error) {
    ::close(descriptor);
    return log_error("jobs cannot be listened to", {{"error", error.value()}});
  }
  if (state.draining) jobs_acceptor->close(error);
  net::co_spawn(*io, accept_loop(*jobs_acceptor), [this](const std::exception_ptr& thrown) {
    if (thrown) state.metrics.uncaught_in_loop();
  });
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
  {
    const std::lock_guard lock(impl_->jobs_mutex);
    impl_->jobs_socket.reset();
  }
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
