#include "api/http_session.hpp"

#include "api/openai_error.hpp"
#include "api/problem.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace reeve::api {
namespace {

using boost::system::error_code;
using net::use_awaitable;

/// After this many requests in one go a pipelining client lets others on.
constexpr std::size_t requests_in_a_go = 16;

/// Stops a call whose client has gone, also when the server stops and the coroutine is destroyed
/// where it waits.
class wanted_answer {
 public:
  explicit wanted_answer(std::shared_ptr<call_stopper> stopper) : stopper_(std::move(stopper)) {}
  ~wanted_answer() {
    if (stopper_) stopper_->stop();
  }
  wanted_answer(const wanted_answer&) = delete;
  wanted_answer& operator=(const wanted_answer&) = delete;
  void came() { stopper_.reset(); }

 private:
  std::shared_ptr<call_stopper> stopper_;
};

std::int64_t micros(mono_clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
}

}  // namespace

rejection server_stops() {
  return reject(errc::unavailable, "the server is stopping: what was asked may not have been done");
}

session::session(gateway_state& shared, socket_type socket, arrival coming)
    : shared_(shared),
      from_(coming.from),
      socket_(std::move(socket)),
      wake_(socket_.get_executor(), mono_clock::time_point::max()),
      peer_(std::move(coming.peer)),
      address_(std::move(coming.address)),
      place_(shared.sessions.insert(shared.sessions.end(), this)),
      turned_away_(std::move(coming.turned_away)),
      connection_(std::move(coming.place)),
      seat_(shared.line, address_, [this] { give_way(); }),
      pace_(shared.options.write_timeout, shared.options.min_answer_rate) {
  if (!turned_away_) ++shared_.connections;
}

session::~session() {
  shared_.sessions.erase(place_);
  if (!turned_away_) --shared_.connections;
}

void session::tick(mono_clock::time_point now) {
  if (now < deadline_) return;
  no_deadline();
  expired_ = true;
  error_code ignored;
  socket_.cancel(ignored);
  wake_.cancel();
}

void session::cut_short() {
  error_code ignored;
  // Answers that are being sent go on.
  if (reading_) socket_.cancel(ignored);
  // One that has begun since the drain.
  if (streaming_) gone_ = true;
  wake_.cancel();
}

void session::drain() {
  if (idle_ && in_.empty()) {
    expired_ = true;
    error_code ignored;
    socket_.cancel(ignored);
  }
  if (streaming_) {
    gone_ = true;
    wake_.cancel();
  }
}

net::awaitable<void> session::serve(std::shared_ptr<session> self) {
  if (self->turned_away_) {
    self->shared_.metrics.refused();
    const response busy = self->shared_.dispatch.refuse(*self->turned_away_, &self->call_);
    co_await self->send(busy, false);
  } else {
    co_await self->requests();
  }
  co_await self->linger();
  error_code ignored;
  self->socket_.close(ignored);
}

net::awaitable<void> session::requests() {
  const std::size_t most = shared_.options.max_requests_per_connection;
  for (std::size_t count = 1; count <= most; ++count) {
    const bool complete = co_await read_head(count == 1);
    if (!complete) co_return;
    const bool go_on = co_await handle(head_.keep_alive && count < most && !shared_.draining);
    if (!go_on || (shared_.draining && in_.empty())) co_return;
    if (count % requests_in_a_go == 0 && !in_.empty()) {
      co_await net::post(socket_.get_executor(), use_awaitable);
    }
  }
}

void session::rest() {
  if (!in_.empty()) return;
  constexpr std::size_t kept_bytes = input_buffer::least_bytes;
  in_.shrink();
  if (head_text_.capacity() > kept_bytes) std::string().swap(head_text_);
  if (out_.capacity() > kept_bytes) std::string().swap(out_);
  call_ = call{};
}

/// Who was turned away at the door has none to give.
void session::stand_aside() {
  if (connection_) seat_.wait(false);
}

/// Its places are free from here on, while the coroutine is still to find out.
void session::give_way() {
  evicted_ = expired_ = true;
  connection_.release();
  token_connection_.release();
  shared_.metrics.evicted(token_.has_value());
  error_code ignored;
  socket_.cancel(ignored);
}

/// What the bytes so far amount to. A complete head is taken out of the buffer.
session::head_state session::judge_head(std::size_t& searched, std::optional<rejection>& why) {
  head_end end = find_head_end(in_.view(), searched);
  if (end.is == head_end::state::complete && end.bytes == 2) {
    // RFC 9112 section 2.2: an empty line before a request line is ignored.
    in_.consume(2);
    end = find_head_end(in_.view(), 0);
  }
  searched = end.resume;
  if (end.is == head_end::state::malformed) {
    why = reject(errc::bad_request, "a line of the head does not end with CRLF");
  } else if (end.is == head_end::state::complete) {
    head_text_.assign(in_.view().substr(0, end.bytes));
    in_.consume(end.bytes);
    why = check_head(head_text_, head_);
    if (!why) return head_state::ready;
  } else if (in_.size() > max_head_bytes) {
    why = overlong_head(in_.view());
  } else {
    return head_state::incomplete;
  }
  return head_state::refused;
}

net::awaitable<bool> session::read_head(bool first) {
  const auto& options = shared_.options;
  deadline_in(first ? options.head_timeout : options.idle_timeout);
  idle_ = true;
  if (!first) rest();
  seat_.wait(token_.has_value());
  head_text_.clear();
  std::size_t searched = 0;
  std::optional<rejection> why;
  for (;;) {
    if (idle_ && !in_.empty()) {
      idle_ = false;
      deadline_in(options.head_timeout);
      // A stranger may have to go until he has said who he is.
      if (token_) seat_.leave();
    }
    const head_state state = judge_head(searched, why);
    if (state == head_state::ready) break;
    if (state == head_state::incomplete) {
      bool more = false;
      if (!shared_.ending) more = co_await read_more();
      if (more) continue;
      const bool is_told = expired_ || shared_.ending;
      if (evicted_ || !is_told || in_.empty()) co_return false;
      why = shared_.ending ? server_stops()
                           : reject(errc::request_timeout, "the head did not arrive in time");
      if (!shared_.ending) shared_.metrics.slow("head");
    }
    seat_.leave();
    started_ = mono_clock::now();
    call_ = call{};
    shared_.metrics.refused();
    response refused = shared_.dispatch.refuse(*why, &call_);
    const auto seen = head_text_.empty() ? in_.view() : std::string_view(head_text_);
    if (asks_openai_path(seen)) refused = openai_words(std::move(refused));
    co_await send(refused, false);
    co_return false;
  }
  seat_.leave();
  no_deadline();
  started_ = mono_clock::now();
  co_return true;
}

bool session::reads_openai() const {
  if (call_.to != nullptr) return call_.to->relays;
  return is_openai_path(call_.asked.path) || is_openai_path(head_.target);
}

net::awaitable<bool> session::handle(bool keep) {
  response answer = co_await answer_it(keep);
  if (reads_openai()) answer = openai_words(std::move(answer));
  // The server may have been told to stop while the body was on its way.
  keep = keep && !shared_.draining;
  share held;
  const std::optional<rejection> why = hold_answer(answer, held);
  if (answer.stream && (why || call_.head_only)) answer.stream->cancel();
  if (why) answer = problem(*why, call_.request_id);
  if (why && reads_openai()) answer = openai_words(std::move(answer));
  if (answer.stream && !call_.head_only) {
    co_return co_await send_stream(std::move(answer), keep);
  }
  co_return co_await send(answer, keep);
}

/// `keep` becomes false if the connection cannot go on behind this answer.
net::awaitable<response> session::answer_it(bool& keep) {
  auto refused = shared_.dispatch.admit(head_, peer_, micros(started_), call_, from_);
  if (call_.shed) shared_.metrics.shed(call_.shed->what, call_.shed->why, kind_of_caller(call_));
  if (const auto crowded = settle_token()) {
    keep = false;
    if (!refused) refused = problem(*crowded, call_.request_id);
  }
  if (refused) {
    if (refused->status == 400) keep = false;
    if (keep && head_.has_body()) keep = co_await skip_body();
    co_return *std::move(refused);
  }
  share held;  // until the handler has answered
  wiped_text body;
  if (head_.has_body()) {
    std::optional<rejection> why = hold_body(held);
    if (!why) why = co_await read_body(body);
    if (why) {
      keep = false;
      co_return problem(*why, call_.request_id);
    }
    refused = shared_.dispatch.refuse_revoked(head_, peer_, call_);
    if (refused) {
      keep = false;
      co_return *std::move(refused);
    }
  }
  share pass;
  const share_verdict verdict = shared_.dispatch.enter(call_, share_address(), pass);
  if (verdict != share_verdict::granted) {
    shared_.metrics.shed("requests", verdict, kind_of_caller(call_));
    co_return problem(refusal_of(verdict, "requests"), call_.request_id);
  }
  if (is_relayed()) call_.asked.stopper = std::make_shared<call_stopper>();
  wanted_answer wanted(call_.asked.stopper);
  const auto box = start_handler(std::move(body), std::move(pass));
  if (!box->value) co_await await_handler(box);
  if (box->value) {
    wanted.came();
  } else {
    box->abandon();
    if (shared_.ending || (gone_ && is_relayed())) keep = false;
    if (shared_.ending) co_return problem(server_stops(), call_.request_id);
    co_return problem(reject(errc::timed_out, "the handler did not answer in time"),
                      call_.request_id);
  }
  co_return finished(*std::move(box->value));
}

/// A token that is revoked later than this ends its streams.
response session::finished(outcome<response> from_handler) {
  auto answer = shared_.dispatch.finish(call_, std::move(from_handler));
  if (!answer.stream) return answer;
  auto revoked = shared_.dispatch.refuse_revoked(head_, peer_, call_);
  if (!revoked) return answer;
  answer.stream->cancel();
  return *std::move(revoked);
}

std::shared_ptr<mailbox<response>> session::start_handler(wiped_text body, share pass) {
  auto box = std::make_shared<mailbox<response>>(
      std::move(pass), [this_state = &shared_] { this_state->metrics.late(); });
  const responder slot = slot_into<response>(shared_.gate, box);
  if (!shared_.dispatch.run(call_, std::move(body), slot)) shared_.metrics.uncaught_in_handler();
  return box;
}

net::awaitable<void> session::await_handler(std::shared_ptr<mailbox<response>> box) {
  relaying_ = is_relayed();
  gone_ = false;
  if (!call_.to->streams && !relaying_) deadline_in(shared_.options.handler_timeout);
  if (relaying_) watch_client();
  const mailbox<response>::waiting here(*box, wake_);
  while (!box->value && !expired_ && !shared_.ending && !(relaying_ && gone_)) {
    error_code ignored;
    co_await wake_.async_wait(net::redirect_error(use_awaitable, ignored));
  }
  relaying_ = false;
  no_deadline();
}

}  // namespace reeve::api
