#pragma once
// One connection. Internal to the gateway: holds Asio types and is included by api/http_*.cpp only.
//
// Deadlines are a time point per connection, looked at by one timer of the server every tick: a
// timer of Asio's for each read and write is a good part of what a small request costs.

#include "api/dispatch.hpp"
#include "api/gateway_metrics.hpp"
#include "api/http_gate.hpp"
#include "api/http_guard.hpp"
#include "api/http_server.hpp"
#include "api/input_buffer.hpp"
#include "api/pace_meter.hpp"
#include "api/response_head.hpp"
#include "api/shares.hpp"
#include "api/waiting_line.hpp"

#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::api {

using mono_clock = std::chrono::steady_clock;

class session;

/// What callers hold, beside the handlers that work for them (dispatcher::enter).
struct held_shares {
  explicit held_shares(const server_options& options)
      : connections({options.max_connections, share_limits::none,
                     limits_of(options.max_connections, options.limits.shares).of_address}),
        token_connections({share_limits::none,
                           limits_of(options.max_connections, options.limits.shares).of_token,
                           share_limits::none}),
        streams(limits_of(options.max_streams, options.limits.shares)),
        downloads(limits_of(options.max_downloads, options.limits.shares)),
        bytes(limits_of(options.max_buffered_bytes, options.limits.shares)) {}

  share_ledger connections;        // by address, from their begin
  share_ledger token_connections;  // the same ones by token, once it is known
  share_ledger streams;
  share_ledger downloads;
  share_ledger bytes;
};

/// What the server and its sessions share; on the I/O thread.
struct gateway_state {
  server_options options;
  dispatcher dispatch;
  gateway_metrics metrics;
  held_shares held;
  waiting_line line;
  std::shared_ptr<io_gate> gate;
  std::string date;
  std::list<session*> sessions;
  std::atomic<std::size_t> connections{0};  // without those that are only told to go away
  std::size_t streams = 0;
  bool draining = false;
  bool ending = false;  // the grace of the drain is over
};

/// To whoever waits for an answer then.
rejection server_stops();

class session : public std::enable_shared_from_this<session> {
 public:
  struct arrival {
    std::string peer;  // without port
    listener from = listener::open;
    std::string address;  // what the peer's shares are counted under
    share place;          // among the connections
    /// There is no place: the client is told so and nothing is read.
    std::optional<rejection> turned_away;
  };
  /// Of either family.
  using socket_type = net::generic::stream_protocol::socket;
  session(gateway_state& shared, socket_type socket, arrival coming);
  ~session();

  static net::awaitable<void> serve(std::shared_ptr<session> self);
  /// Looks at the deadline.
  void tick(mono_clock::time_point now);
  /// Ends what would last: waiting for a next request, and streams, which are cut.
  void drain();
  /// Once `ending` is set: whoever waits for an answer is told that the server stops.
  void cut_short();

 private:
  using parts = std::array<net::const_buffer, 3>;
  enum class head_state { incomplete, ready, refused };

  // http_session.cpp: requests in, answers out
  net::awaitable<void> requests();
  /// False: the connection is done with (closed, timed out, or refused and answered).
  net::awaitable<bool> read_head(bool first);
  head_state judge_head(std::size_t& searched, std::optional<rejection>& why);
  /// Before it waits: gives back what large requests have needed.
  void rest();
  /// As a stranger does who waits: others may have the place.
  void stand_aside();
  /// Another one needs the place.
  void give_way();
  /// False: close.
  net::awaitable<bool> handle(bool keep);
  net::awaitable<response> answer_it(bool& keep);
  response finished(outcome<response> from_handler);
  std::shared_ptr<mailbox<response>> start_handler(wiped_text body, share pass);
  net::awaitable<void> await_handler(std::shared_ptr<mailbox<response>> box);
  /// Somebody else answers: a client that goes is noticed meanwhile.
  bool is_relayed() const { return call_.to != nullptr && call_.to->relays; }
  /// Whether who asked reads errors in OpenAI's words; of a request whose head is known.
  bool reads_openai() const;

  // http_shares.cpp: what the caller may hold
  /// Counts the connection as one of the token that was just shown.
  std::optional<rejection> settle_token();
  /// Of the body that is about to be read.
  std::optional<rejection> hold_body(share& held);
  /// Of the answer, until it is sent. Refuses a stream that would look whole if it were cut.
  std::optional<rejection> hold_answer(const response& answer, share& held);
  struct holding {
    std::string_view label, words;  // for metrics, and for the client
  };
  std::optional<rejection> hold(share_ledger& from, std::size_t amount, const holding& what,
                                share& held);

  /// What requests and answers are counted under: jobs of each tenant are an address of their own,
  /// once it is known whose they are, so that those of some leave others' room.
  std::string_view share_address() const { return jobs_of_.empty() ? address_ : jobs_of_; }

  // http_transfer.cpp: bytes
  /// False: the end, an error, the deadline, or a full buffer.
  net::awaitable<bool> read_more();
  net::awaitable<std::optional<rejection>> read_body(wiped_text& body);
  /// Throws away the body of a refused request; false if it is not worth it.
  net::awaitable<bool> skip_body();
  net::awaitable<bool> send(const response& answer, bool keep);
  std::size_t write_now(const parts& bytes);
  /// False: the client is gone, or too slow.
  net::awaitable<bool> flush(parts bytes);
  void drop_slow_reader();
  void reset_at_close();
  net::awaitable<void> linger();
  void begin_head(const response& answer, bool keep, bool chunked);

  // http_stream.cpp: answers that come piece by piece
  net::awaitable<bool> send_stream(response answer, bool keep);
  void cut_answer(bool is_framed);
  net::awaitable<bool> pump(body_stream& from, std::optional<std::int64_t> bytes, bool chunked);
  net::awaitable<bool> next_chunk(body_stream& from, std::string& chunk);
  /// The end of a stream that the server's stop cuts short.
  net::awaitable<void> part(const response& answer, bool chunked);
  net::awaitable<bool> write_chunk(std::string_view chunk, bool chunked);
  void watch_client();
  void client_is_readable();
  void watch_hang_up();

  void deadline_in(std::chrono::milliseconds time) {
    deadline_ = mono_clock::now() + time;
    expired_ = false;
  }
  void no_deadline() { deadline_ = mono_clock::time_point::max(); }

  gateway_state& shared_;
  const listener from_;
  socket_type socket_;
  net::steady_timer wake_;  // never expires; cancelled to wake the coroutine
  std::string peer_;
  std::string address_;
  std::string jobs_of_;  // empty: not of jobs, or of nobody known
  std::list<session*>::iterator place_;
  std::optional<rejection> turned_away_;
  share connection_, token_connection_;
  std::optional<uuid> token_;  // of the last request that showed a valid one
  waiting_line::seat seat_;
  pace_meter pace_;

  input_buffer in_;
  std::string head_text_;  // a copy: the fields that authentication saw cannot change
  request_head head_;
  call call_;
  std::string out_;
  mono_clock::time_point started_;  // when the head of the request was complete
  mono_clock::time_point deadline_ = mono_clock::time_point::max();

  bool expired_ = false;  // the deadline has passed
  bool evicted_ = false;
  bool idle_ = false;  // waits for the first byte of a request
  bool reading_ = false;
  bool streaming_ = false;
  bool relaying_ = false;  // waits for somebody else's answer
  bool watching_ = false;  // client_is_readable will be called
  bool gone_ = false;      // the client closed, or the stream has to end
  bool eof_ = false;
  bool told_ = false;  // the last answer said that we close
};

}  // namespace reeve::api
