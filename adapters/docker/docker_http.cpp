#include "adapters/docker/docker_http.hpp"

#include "base/named_thread.hpp"

#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <fstream>
#include <optional>
#include <random>
#include <thread>

namespace reeve::adapters {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using unix_socket = net::local::stream_protocol;
using stream = beast::basic_stream<unix_socket, net::any_io_executor>;
using steady = std::chrono::steady_clock;

constexpr auto token = net::as_tuple(net::use_awaitable);
constexpr std::uint64_t max_file_bytes = std::uint64_t{4} << 30;
constexpr std::size_t chunk_bytes = 256 << 10;
constexpr int attempts = 3;

std::string head_of(const http_call& call, std::uint64_t body_size) {
  std::string out = call.method + " " + call.target + " HTTP/1.1\r\nHost: reeve\r\n";
  out += "Connection: close\r\n";
  if (!call.content_type.empty()) out += "Content-Type: " + call.content_type + "\r\n";
  if (call.method != "GET" && call.method != "HEAD")
    out += "Content-Length: " + std::to_string(body_size) + "\r\n";
  return out + "\r\n";
}

struct exchange {
  exchange(net::any_io_executor executor, const http_call& what, steady::time_point until)
      : call(what), line(std::move(executor)), over_at(until) {}

  /// Some of the body came: is that enough to wait for more?
  void heard(std::size_t bytes) {
    heard_bytes += static_cast<std::int64_t>(bytes);
    if (heard_bytes * 1000 >= least_body_rate * call.silence_ms) renew_silence();
  }
  void renew_silence() {
    if (call.silence_ms == 0) return;
    heard_bytes = 0;
    silent_at = steady::now() + std::chrono::milliseconds(call.silence_ms);
    line.expires_at(std::min(silent_at, over_at));
  }
  bool was_silent() const { return call.silence_ms > 0 && steady::now() >= silent_at; }
  void renew_deadline() {
    if (call.deadline_ms > 0) {
      line.expires_after(std::chrono::milliseconds(call.deadline_ms));
    } else {
      line.expires_never();
    }
  }
  /// What a failure means depends on whether the engine can have seen any of the request.
  rejection failure(const std::string& what) const {
    if (!sent) return reject(errc::engine_unavailable, "no connection to the engine: " + what);
    return reject(errc::timed_out, "no whole answer from the engine: " + what);
  }

  const http_call& call;
  stream line;
  const steady::time_point over_at;
  steady::time_point silent_at{};
  std::int64_t heard_bytes = 0;  // since it was renewed
  bool sent = false;
};

/// Lets an exchange be stopped for as long as it lives.
class stop_mark {
 public:
  explicit stop_mark(exchange& x)
      : stopper_(x.call.stopper), alive_(std::make_shared<exchange*>(&x)) {
    if (!stopper_) return;
    stopper_->arm([alive = alive_, executor = x.line.get_executor()] {
      net::post(executor, [alive] {
        if (*alive != nullptr) (*alive)->line.close();
      });
    });
  }
  ~stop_mark() {
    *alive_ = nullptr;
    if (stopper_) stopper_->arm({});
  }
  stop_mark(const stop_mark&) = delete;
  stop_mark& operator=(const stop_mark&) = delete;

 private:
  std::shared_ptr<call_stopper> stopper_;
  std::shared_ptr<exchange*> alive_;  // read on the thread of the exchanges only
};

/// Until its sink takes more.
net::awaitable<void> await_room(const exchange& x) {
  net::steady_timer timer{co_await net::this_coro::executor};
  while (x.call.sink->is_full() && !(x.call.stopper && x.call.stopper->is_stopped())) {
    timer.expires_after(std::chrono::milliseconds(20));
    co_await timer.async_wait(token);
  }
}

/// Its pause, unless nobody waits for it any more.
net::awaitable<void> await_turn(const http_call& call) {
  const auto until = steady::now() + std::chrono::milliseconds(call.pause_ms);
  net::steady_timer timer{co_await net::this_coro::executor};
  while (steady::now() < until && !(call.stopper && call.stopper->is_stopped())) {
    timer.expires_at(std::min(until, steady::now() + std::chrono::milliseconds(100)));
    co_await timer.async_wait(token);
  }
}

net::awaitable<outcome<done>> write_file(exchange& x, std::ifstream& file, std::uint64_t size) {
  std::string chunk(chunk_bytes, '\0');
  while (size > 0) {
    auto want = static_cast<std::streamsize>(std::min<std::uint64_t>(size, chunk.size()));
    if (!file.read(chunk.data(), want)) {
      co_return reject(errc::invalid, "the file became shorter while it was sent");
    }
    x.renew_deadline();
    auto bytes = net::buffer(chunk.data(), static_cast<std::size_t>(want));
    auto [error, n] = co_await net::async_write(x.line, bytes, token);
    // The engine may have answered and closed early; the reading that follows tells.
    if (error == beast::error::timeout) co_return x.failure(error.message());
    if (error) break;
    size -= static_cast<std::uint64_t>(want);
  }
  x.renew_deadline();
  co_return done{};
}

net::awaitable<outcome<done>> write_request(exchange& x) {
  std::ifstream file;
  const auto& body = x.call.shared_body ? *x.call.shared_body : x.call.body;
  std::uint64_t size = body.size();
  if (!x.call.body_path.empty()) {
    file.open(x.call.body_path, std::ios::binary | std::ios::ate);
    auto end = file ? static_cast<std::int64_t>(file.tellg()) : -1;
    size = static_cast<std::uint64_t>(end);
    if (end < 0 || size > max_file_bytes) {
      co_return reject(errc::invalid, "the file cannot be read or exceeds 4 GiB");
    }
    file.seekg(0);
  }
  auto head = head_of(x.call, size);
  std::array<net::const_buffer, 2> parts{net::buffer(head), net::buffer(body)};
  x.sent = true;
  auto [error, written] = co_await net::async_write(x.line, parts, token);
  if (error && written == 0) x.sent = false;
  if (error && (!x.sent || error == beast::error::timeout)) co_return x.failure(error.message());
  if (error || x.call.body_path.empty()) co_return done{};
  co_return co_await write_file(x, file, size);
}

constexpr std::size_t max_refusal = 1 << 20;
using answer_parser = http::response_parser<http::string_body>;

net::awaitable<beast::error_code> read_body(exchange& x, beast::flat_buffer& buffer,
                                            answer_parser& parser) {
  const bool is_taken = x.call.sink && parser.get().result_int() == 200;
  if (x.call.sink && !is_taken) {
    // A refusal has a few words, however much was asked for.
    if (parser.content_length().value_or(0) > max_refusal) co_return http::error::body_limit;
    parser.body_limit(max_refusal);
  }
  if (!is_taken) {
    auto [error, n] = co_await http::async_read(x.line, buffer, parser, token);
    co_return error;
  }
  x.call.sink->restart();
  // An eager parser keeps a piece back until the line after it has come, which may never be.
  parser.eager(!x.call.stopper && x.call.silence_ms == 0);
  while (!parser.is_done()) {
    auto [error, n] = co_await http::async_read_some(x.line, buffer, parser, token);
    auto& piece = parser.get().body();
    const bool is_given = !piece.empty();
    if (!error) x.heard(n);
    if (is_given && !x.call.sink->take(piece)) co_return beast::error_code{};
    piece.clear();
    if (error) co_return error;
    if (!is_given || !x.call.sink->is_full()) continue;
    co_await await_room(x);
    x.renew_silence();
  }
  co_return beast::error_code{};
}

net::awaitable<outcome<http_answer>> read_answer(exchange& x) {
  // 32 KiB is also what keeps Beast from throwing at a huge trailer field.
  beast::flat_buffer buffer{32 << 10};
  answer_parser parser;
  parser.header_limit(16 << 10);
  parser.body_limit(x.call.max_body);
  parser.skip(x.call.method == "HEAD");
  auto [error, n] = co_await http::async_read_header(x.line, buffer, parser, token);
  // Without a length the end of the body is the end of the connection, and a dead engine would
  // look like a whole answer. No engine does that.
  if (!error && parser.need_eof()) {
    co_return reject(errc::internal, "the engine's answer has no length");
  }
  if (!error) error = co_await read_body(x, buffer, parser);
  bool cut = error == http::error::body_limit;
  if (cut && !x.call.cut_at_limit) {
    co_return reject(errc::internal,
                     "the engine's answer exceeds " + std::to_string(x.call.max_body) + " bytes");
  }
  bool closed = error == http::error::end_of_stream || error == http::error::partial_message ||
                error.category() != make_error_code(http::error::bad_version).category();
  if (error && !cut && closed) co_return x.failure(error.message());
  if (error && !cut) {
    co_return reject(errc::internal, "the engine's answer is not HTTP: " + error.message());
  }
  const auto about = parser.get()["X-Docker-Container-Path-Stat"];
  co_return http_answer{static_cast<int>(parser.get().result_int()), std::move(parser.get().body()),
                        cut, std::string(about.data(), about.size())};
}

/// Where calls go, and whether one that changes something may go there now.
struct destination {
  std::string path;
  std::function<bool(fencing_token)> allows;
};

/// `may_repeat`: it did not end because the engine said nothing.
net::awaitable<outcome<http_answer>> exchange_once(const http_call& call, const destination& to,
                                                   std::int64_t left_ms, bool& may_repeat) {
  const auto over_at = call.deadline_ms > 0 ? steady::now() + std::chrono::milliseconds(left_ms)
                                            : steady::time_point::max();
  exchange x{co_await net::this_coro::executor, call, over_at};
  const stop_mark mark{x};
  x.renew_deadline();
  if (call.deadline_ms > 0) x.line.expires_after(std::chrono::milliseconds(left_ms));
  x.renew_silence();
  auto [error] = co_await x.line.async_connect(unix_socket::endpoint{to.path}, token);
  if (error) co_return x.failure(error.message());
  if (call.by && to.allows && !to.allows(*call.by)) {
    co_return reject(errc::fenced, "nothing may be changed now");
  }
  auto written = co_await write_request(x);
  if (!written) co_return written.error();
  auto answer = co_await read_answer(x);
  may_repeat = !x.was_silent();
  co_return answer;
}

net::awaitable<void> back_off(int attempt) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  // 50..150 ms, then 100..300 ms: callers that failed together do not come back together.
  std::uniform_int_distribution<int> jitter(50 * attempt, 150 * attempt);
  net::steady_timer timer{co_await net::this_coro::executor,
                          std::chrono::milliseconds(jitter(random))};
  co_await timer.async_wait(token);
}

/// Retries only what changes nothing, and only when the connection failed before its deadline.
net::awaitable<outcome<http_answer>> exchange_with_retries(const http_call& call,
                                                           const destination& to) {
  auto began = steady::now();
  for (int attempt = 1;; ++attempt) {
    auto used = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - began);
    auto left_ms = std::max<std::int64_t>(call.deadline_ms - used.count(), 1);
    bool may_repeat = true;
    auto answer = co_await exchange_once(call, to, left_ms, may_repeat);
    used = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - began);
    bool lost = !answer && (answer.error().code == errc::engine_unavailable ||
                            answer.error().code == errc::timed_out);
    bool time_left = call.deadline_ms == 0 || used.count() + 500 < call.deadline_ms;
    const bool is_stopped = call.stopper && call.stopper->is_stopped();
    may_repeat = may_repeat && call.idempotent && !is_stopped;
    if (!lost || !may_repeat || attempt == attempts || !time_left) co_return answer;
    co_await back_off(attempt);
  }
}

/// While its turn came it may have been stopped: the engine was asked nothing, and has not failed.
net::awaitable<outcome<http_answer>> exchange_unless_stopped(const http_call& call,
                                                             const destination& to) {
  const bool is_stopped = call.pause_ms > 0 && call.stopper && call.stopper->is_stopped();
  if (is_stopped) co_return reject(errc::unavailable, "it was stopped");
  co_return co_await exchange_with_retries(call, to);
}

/// Counts an open exchange for as long as its coroutine lives, also when that is destroyed.
struct open_mark {
  explicit open_mark(std::atomic<int>& count) : counter(count) {}
  open_mark(const open_mark&) = delete;
  open_mark& operator=(const open_mark&) = delete;
  ~open_mark() { --counter; }
  std::atomic<int>& counter;
};

}  // namespace

struct docker_http::impl {
  impl(destination where, int limit) : to(std::move(where)), max_open(limit) {
    thread = named_thread("docker", [this] { run(); });
  }
  ~impl() {
    io.stop();
    thread.join();
  }

  void run() {
    // A handler that throws ends run() and nothing else; the exchange's callback was destroyed.
    while (!io.stopped()) {
      try {
        io.run();
      } catch (const std::exception&) {
        continue;
      }
    }
  }

  net::awaitable<void> perform(http_call call, callback answer) {
    std::optional<open_mark> mark(std::in_place, open);
    if (call.pause_ms > 0) co_await await_turn(call);
    auto result = co_await exchange_unless_stopped(call, to);
    // Who asks again from within the answer needs no second place.
    mark.reset();
    answer(std::move(result));
  }

  destination to;
  int max_open;
  std::atomic<int> open{0};
  net::io_context io{1};
  net::executor_work_guard<net::io_context::executor_type> work{io.get_executor()};
  std::thread thread;
};

docker_http::docker_http(std::string socket_path, int max_open,
                         std::function<bool(fencing_token)> allows)
    : impl_(std::make_unique<impl>(destination{std::move(socket_path), std::move(allows)},
                                   max_open)) {}

docker_http::~docker_http() = default;

void docker_http::send(http_call call, callback answer) {
  // A path of 108 bytes or more does not fit into the address and would throw.
  if (impl_->to.path.empty() || impl_->to.path.size() > 107) {
    answer(reject(errc::engine_unavailable, "the engine's socket path has 1..107 bytes"));
    return;
  }
  if (++impl_->open > impl_->max_open) {
    --impl_->open;
    answer(reject(errc::overloaded, "too many calls to the engine are open"));
    return;
  }
  net::co_spawn(impl_->io, impl_->perform(std::move(call), std::move(answer)), net::detached);
}

std::string url_encode(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  static constexpr std::string_view unreserved = "-._~";
  std::string out;
  for (unsigned char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 unreserved.find(static_cast<char>(c)) != std::string_view::npos;
    if (plain) {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += digits[c >> 4];
      out += digits[c & 15];
    }
  }
  return out;
}

}  // namespace reeve::adapters
