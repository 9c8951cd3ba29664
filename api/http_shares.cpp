// What a caller may hold: the places and bytes of a connection's requests and answers.

#include "api/http_session.hpp"

namespace reeve::api {
namespace {

/// Smaller bodies and answers are bounded by the number of connections.
constexpr std::size_t small_bytes = std::size_t{16} * 1024;
constexpr std::string_view bytes_in_words =
    "bytes in requests and in answers that are not taken yet";

}  // namespace

std::optional<rejection> session::hold(share_ledger& from, std::size_t amount, const holding& what,
                                       share& held) {
  const share_verdict verdict = from.take({token_, share_address()}, amount, held);
  if (verdict == share_verdict::granted) return std::nullopt;
  shared_.metrics.shed(what.label, verdict, kind_of_caller(call_));
  return refusal_of(verdict, what.words);
}

/// A proxy may bring the requests of many on one connection: it is the last one's.
std::optional<rejection> session::settle_token() {
  const uuid& token = call_.asked.who.token_id;
  if (token == uuid{} || token == token_) return std::nullopt;
  const share_verdict verdict =
      shared_.held.token_connections.take({token, {}}, 1, token_connection_);
  if (verdict != share_verdict::granted) {
    shared_.metrics.shed("connections", verdict, kind_of_caller(call_));
    return refusal_of(verdict, "connections");
  }
  token_ = token;
  if (from_ == listener::jobs) jobs_of_ = address_ + ":" + to_string(call_.asked.who.tenant);
  return std::nullopt;
}

std::optional<rejection> session::hold_body(share& held) {
  const std::size_t most = call_.to->max_body_bytes;
  const auto bytes =
      head_.chunked ? most : static_cast<std::size_t>(head_.content_length.value_or(0));
  if (bytes <= small_bytes) return std::nullopt;
  return hold(shared_.held.bytes, bytes, {"bytes", bytes_in_words}, held);
}

std::optional<rejection> session::hold_answer(const response& answer, share& held) {
  if (call_.head_only) return std::nullopt;
  if (answer.stream) {
    if (!answer.stream_bytes && !takes_streams(head_, from_)) {
      return reject(errc::bad_request, "streams are sent here to clients of HTTP/1.1 only");
    }
    return answer.stream_bytes ? hold(shared_.held.downloads, 1, {"downloads", "downloads"}, held)
                               : hold(shared_.held.streams, 1, {"streams", "streams"}, held);
  }
  if (!answer.body || answer.body->size() <= small_bytes) return std::nullopt;
  return hold(shared_.held.bytes, answer.body->size(), {"bytes", bytes_in_words}, held);
}

}  // namespace reeve::api
