#include "api/http_body.hpp"
#include "api/http_session.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/socket.h>

namespace reeve::api {
namespace {

using boost::system::error_code;
using net::use_awaitable;

/// Bodies of refused requests up to here are read and thrown away, so that the connection can go
/// on; a new connection is cheaper than more.
constexpr std::size_t skip_bytes = std::size_t{64} * 1024;
/// What is read and thrown away before closing: closing with unread input resets the connection,
/// and the client may lose the answer that says why.
constexpr std::size_t linger_bytes = std::size_t{1024} * 1024;
constexpr std::chrono::milliseconds linger_time{1000};

std::size_t total(const std::array<net::const_buffer, 3>& bytes) {
  return bytes[0].size() + bytes[1].size() + bytes[2].size();
}

void advance(std::array<net::const_buffer, 3>& bytes, std::size_t count) {
  for (net::const_buffer& part : bytes) {
    const std::size_t here = std::min(count, part.size());
    part += here;
    count -= here;
  }
}

}  // namespace

net::awaitable<bool> session::read_more() {
  const auto room = in_.room();
  if (room.bytes == 0) co_return false;
  error_code error;
  reading_ = true;
  const std::size_t count = co_await socket_.async_read_some(
      net::buffer(room.at, room.bytes), net::redirect_error(use_awaitable, error));
  reading_ = false;
  if (error) {
    eof_ = error == net::error::eof;
    co_return false;
  }
  in_.commit(count);
  co_return !expired_;
}

net::awaitable<std::optional<rejection>> session::read_body(wiped_text& body) {
  if (head_.expects_continue && in_.empty()) {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await flush({net::buffer(go_on), {}, {}});
  }
  const auto& options = shared_.options;
  const auto begun = mono_clock::now();
  body_reader reader(head_text_, call_.to->max_body_bytes, head_.chunked);
  std::size_t received = 0;
  for (;;) {
    const body_reader::progress made = reader.feed(in_.view());
    in_.consume(made.consumed);
    received += made.consumed;
    if (made.refused) co_return made.refused;
    if (made.finished) break;
    const std::chrono::milliseconds earned{received * 1000 /
                                           std::max<std::size_t>(options.min_body_rate, 1)};
    deadline_ = begun + options.body_grace + earned;
    expired_ = false;
    if (in_.full()) co_return reject(errc::bad_request, "the body's framing is malformed");
    bool more = false;
    if (!shared_.ending) more = co_await read_more();
    if (more) continue;
    if (shared_.ending) co_return server_stops();
    if (expired_) {
      shared_.metrics.slow("body");
      co_return reject(errc::request_timeout, "the body did not arrive in time");
    }
    co_return reject(errc::bad_request, "the body is incomplete");
  }
  no_deadline();
  body = reader.take();
  co_return std::nullopt;
}

net::awaitable<bool> session::skip_body() {
  // Who expects something waits for it before he sends the body.
  const bool waits = head_.expects_continue || head_.unknown_expectation;
  if (head_.chunked || waits) co_return false;
  std::size_t left = static_cast<std::size_t>(head_.content_length.value_or(0));
  if (left > skip_bytes) co_return false;
  deadline_in(shared_.options.body_grace);
  for (;;) {
    const std::size_t here = std::min(left, in_.size());
    in_.consume(here);
    left -= here;
    if (left == 0) break;
    if (shared_.ending) co_return false;
    const bool more = co_await read_more();
    if (!more) co_return false;
  }
  no_deadline();
  co_return true;
}

void session::begin_head(const response& answer, bool keep, bool chunked) {
  out_.clear();
  head_context about;
  about.date = shared_.date;
  about.request_id = call_.request_id;
  about.traceresponse = call_.traceresponse;
  about.keep_alive = keep;
  about.chunked = chunked;
  append_head(out_, answer, about);
  told_ = !keep;
  const std::chrono::duration<double> took = mono_clock::now() - started_;
  const auto route = call_.to ? std::optional(call_.route_index) : std::nullopt;
  shared_.metrics.answered(route, answer.status, took.count());
  log_debug("request", {{"request_id", call_.request_id},
                        {"method", call_.to ? name_of(call_.to->method) : "none"},
                        {"route", call_.to ? std::string_view(call_.to->pattern) : "none"},
                        {"status", answer.status},
                        {"seconds", took.count()}});
}

/// One gathered write without waiting; most answers fit into the socket's buffer.
std::size_t session::write_now(const parts& bytes) {
  error_code error;
  const std::size_t count = socket_.write_some(bytes, error);
  return error ? 0 : count;
}

net::awaitable<bool> session::send(const response& answer, bool keep) {
  begin_head(answer, keep, false);
  parts bytes{net::buffer(out_), {}, {}};
  if (answer.body && !call_.head_only) bytes[1] = net::buffer(*answer.body);
  const std::size_t written = write_now(bytes);
  if (written < total(bytes)) {
    advance(bytes, written);
    const bool sent = co_await flush(bytes);
    if (!sent) co_return false;
  }
  co_return keep;
}

net::awaitable<bool> session::flush(parts bytes) {
  while (total(bytes) > 0) {
    deadline_in(std::chrono::ceil<std::chrono::milliseconds>(pace_.left()));
    const auto begun = mono_clock::now();
    if (!token_) stand_aside();
    error_code error;
    const std::size_t count =
        co_await socket_.async_write_some(bytes, net::redirect_error(use_awaitable, error));
    seat_.leave();
    pace_.waited(mono_clock::now() - begun);
    pace_.moved(count);
    const bool is_slow = expired_ || pace_.is_spent();
    if (is_slow) drop_slow_reader();
    if (error || is_slow) {
      eof_ = true;
      co_return false;
    }
    advance(bytes, count);
  }
  no_deadline();
  co_return true;
}

void session::drop_slow_reader() {
  if (!evicted_) shared_.metrics.slow("answer");
  reset_at_close();
}

/// A reset throws away what the system has still to send, which who does not read would keep there.
/// Past Asio, which takes the option back where it is a destructor that closes.
void session::reset_at_close() {
  const ::linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

net::awaitable<void> session::linger() {
  if (!told_ || eof_) co_return;
  error_code error;
  socket_.shutdown(net::ip::tcp::socket::shutdown_send, error);
  if (error) co_return;
  deadline_in(linger_time);
  stand_aside();
  std::size_t dropped = 0;
  do {
    dropped += in_.size();
    in_.consume(in_.size());
    const bool more = co_await read_more();
    if (!more) co_return;
  } while (dropped < linger_bytes);
}

}  // namespace reeve::api
