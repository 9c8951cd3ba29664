#include "api/http_session.hpp"
#include "api/openai_error.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <functional>

namespace reeve::api {
namespace {

using boost::system::error_code;
using net::use_awaitable;

constexpr std::string_view last_chunk = "0\r\n\r\n";

/// Counts a stream, and cuts it unless it has come to its end. Also when the server stops and the
/// coroutine is destroyed where it waits.
class open_stream {
 public:
  open_stream(std::shared_ptr<body_stream> from, std::size_t& count, std::function<void()> cut)
      : from_(std::move(from)), count_(count), cut_(std::move(cut)) {
    ++count_;
  }
  ~open_stream() {
    --count_;
    if (ended) return;
    from_->cancel();
    cut_();
  }
  open_stream(const open_stream&) = delete;
  open_stream& operator=(const open_stream&) = delete;

  bool ended = false;

 private:
  std::shared_ptr<body_stream> from_;
  std::size_t& count_;
  std::function<void()> cut_;
};

}  // namespace

/// The one end of every answer that is not whole, whoever ends it: source, server or reader. The
/// last chunk is never sent, nor bytes that a length promised. Where there is neither, an orderly
/// end of the connection would say that this was all: it is reset.
void session::cut_answer(bool is_framed) {
  if (is_framed) return;
  eof_ = true;
  reset_at_close();
}

net::awaitable<bool> session::send_stream(response answer, bool keep) {
  const bool sized = answer.stream_bytes.has_value();
  const bool chunked = !sized && head_.minor == 1;
  keep = keep && (sized || chunked);
  open_stream open(answer.stream, shared_.streams,
                   [this, is_framed = sized || chunked] { cut_answer(is_framed); });
  begin_head(answer, keep, chunked);
  const bool begun = co_await flush({net::buffer(out_), {}, {}});
  if (!begun) co_return false;
  streaming_ = true;
  gone_ = false;
  // A client may half-close behind a request and still want all of a download; of an endless
  // stream it is the only way to say goodbye.
  if (!sized) watch_client();
  open.ended = co_await pump(*answer.stream, answer.stream_bytes, chunked);
  streaming_ = false;
  if (!open.ended && gone_ && !eof_) co_await part(answer, chunked);
  const bool goes_on = keep && !shared_.draining;
  co_return open.ended&& goes_on;
}

/// Events are whole by themselves, and one more says what happened; whatever was sent, it is not
/// all, so there is no last chunk.
net::awaitable<void> session::part(const response& answer, bool chunked) {
  if (answer.stream_bytes || !answer.content_type.starts_with("text/event-stream")) co_return;
  const auto why = server_stops();
  std::string last = ": the server is stopping\n\n";
  if (is_relayed()) {
    const auto words = openai_error(status_of(why.code), name_of(why.code), why.detail);
    last = "data: " + *words.body + "\n\n";
  }
  co_await write_chunk(last, chunked);
}

/// True if the stream came to its end and the client has all of it.
net::awaitable<bool> session::pump(body_stream& from, std::optional<std::int64_t> bytes,
                                   bool chunked) {
  std::string chunk;
  std::int64_t left = bytes.value_or(0);
  for (;;) {
    const bool came = co_await next_chunk(from, chunk);
    if (!came) co_return false;
    if (chunk.empty()) break;
    left -= static_cast<std::int64_t>(chunk.size());
    if (bytes && left < 0) co_return false;
    const bool written = co_await write_chunk(chunk, chunked);
    if (!written || gone_) co_return false;
  }
  if (bytes && left != 0) co_return false;
  if (!chunked) co_return true;
  co_return co_await flush({net::buffer(last_chunk), {}, {}});
}

net::awaitable<bool> session::next_chunk(body_stream& from, std::string& chunk) {
  const auto box = std::make_shared<mailbox<std::string>>();
  try {
    from.next(slot_into<std::string>(shared_.gate, box));
  } catch (...) {
    shared_.metrics.uncaught_in_handler();
    co_return false;
  }
  if (box->value) {
    // A source that always has more must not keep the thread to itself.
    co_await net::post(socket_.get_executor(), use_awaitable);
  } else {
    const mailbox<std::string>::waiting here(*box, wake_);
    while (!box->value && !gone_) {
      error_code ignored;
      co_await wake_.async_wait(net::redirect_error(use_awaitable, ignored));
    }
  }
  if (gone_ || !box->value || !box->value->ok()) {
    box->abandon();
    co_return false;
  }
  chunk = std::move(**box->value);
  co_return true;
}

net::awaitable<bool> session::write_chunk(std::string_view chunk, bool chunked) {
  if (!chunked) co_return co_await flush({net::buffer(chunk), {}, {}});
  std::array<char, 24> size{};
  char* end = std::to_chars(size.data(), size.data() + 20, chunk.size(), 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  static constexpr std::string_view line_end = "\r\n";
  const auto head = static_cast<std::size_t>(end - size.data());
  co_return co_await flush(
      {net::buffer(size.data(), head), net::buffer(chunk), net::buffer(line_end)});
}

void session::watch_client() {
  if (watching_) return;
  if (eof_) return watch_hang_up();
  watching_ = true;
  socket_.async_wait(net::ip::tcp::socket::wait_read,
                     [self = shared_from_this()](const error_code& error) {
                       self->watching_ = false;
                       if (!self->streaming_ && !self->relaying_) return;
                       if (error) {
                         self->watch_client();
                       } else {
                         self->client_is_readable();
                       }
                     });
}

/// What comes while a stream runs is a pipelined request, kept for later, or the end. When the
/// buffer is full nothing more is read, and only a failing write tells that the client is gone.
void session::client_is_readable() {
  const auto room = in_.room();
  if (room.bytes == 0) return;
  error_code error;
  const std::size_t count = socket_.read_some(net::buffer(room.at, room.bytes), error);
  if (!error) {
    in_.commit(count);
  } else if (error != net::error::would_block && error != net::error::try_again) {
    eof_ = true;
    // Who has no more to ask may still want his answer; through a socket of jobs that is told.
    if (from_ == listener::jobs && error == net::error::eof) return watch_hang_up();
    gone_ = true;
    wake_.cancel();
    return;
  }
  watch_client();
}

/// Of a socket of jobs whose client asks nothing more: whether he has gone altogether. Elsewhere
/// the two look alike.
void session::watch_hang_up() {
  if (watching_ || from_ != listener::jobs) return;
  watching_ = true;
  socket_.async_wait(net::socket_base::wait_error,
                     [self = shared_from_this()](const error_code& error) {
                       self->watching_ = false;
                       if (!self->streaming_ && !self->relaying_) return;
                       if (error) return self->watch_hang_up();
                       self->gone_ = true;
                       self->wake_.cancel();
                     });
}

}  // namespace reeve::api
