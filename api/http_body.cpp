#include "api/http_body.hpp"

#include "api/http_guard.hpp"

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <exception>

namespace reeve::api {
namespace {

namespace http = boost::beast::http;

/// Beast 1.81 asserts that at least five bytes are there when it comes back to a last chunk
/// ("0\r\n\r\n") which was incomplete; "0\r\n" and then "\r" would abort a debug build. At every
/// place before the end of a chunked body at least five more bytes must come, so waiting for
/// five never waits for ever.
constexpr std::size_t least_chunked_bytes = 5;

/// Extensions mean nothing here and are a place to hide in: longer ones are refused.
constexpr std::size_t max_extension_bytes = 256;

/// A Body of Beast's whose bytes are wiped, also those of one that is refused half-way.
struct wiped_body {
  using value_type = wiped_text;

  class reader {
   public:
    template <bool IsRequest, class Fields>
    reader(http::header<IsRequest, Fields>&, value_type& body) : body_(body) {}

    /// The parser has compared the length with its limit.
    void init(const boost::optional<std::uint64_t>& length, boost::beast::error_code& error) {
      if (length) body_.reserve(static_cast<std::size_t>(*length));
      error = {};
    }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, boost::beast::error_code& error) {
      std::size_t taken = 0;
      for (const auto one : boost::beast::buffers_range_ref(buffers)) {
        body_.append({static_cast<const char*>(one.data()), one.size()});
        taken += one.size();
      }
      error = {};
      return taken;
    }
    void finish(boost::beast::error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

}  // namespace

struct body_reader::state {
  http::request_parser<wiped_body> parser;
  bool chunked = false;
  std::optional<rejection> refused;
  std::function<void(std::uint64_t, boost::beast::string_view, boost::beast::error_code&)> on_chunk;

  void check(const boost::beast::error_code& error) {
    if (!error || error == http::error::need_more) return;
    refused = error == http::error::body_limit
                  ? reject(errc::too_large, "the body is larger than this resource takes")
                  : reject(errc::bad_request, "the body's framing is malformed");
  }

  std::size_t put(std::string_view bytes) {
    boost::beast::error_code error;
    std::size_t taken = 0;
    try {
      taken = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    } catch (const std::exception&) {
      // Fields that Beast cannot store (trailers) are thrown about.
      error = http::error::bad_field;
    }
    check(error);
    return taken;
  }
};

body_reader::body_reader(std::string_view head, std::size_t limit, bool chunked)
    : state_(std::make_unique<state>()) {
  state_->chunked = chunked;
  state_->parser.body_limit(limit);
  state_->parser.header_limit(2 * max_head_bytes);
  state_->on_chunk = [](std::uint64_t, boost::beast::string_view extensions,
                        boost::beast::error_code& error) {
    if (extensions.size() > max_extension_bytes) error = http::error::bad_chunk_extension;
  };
  state_->parser.on_chunk_header(state_->on_chunk);
  const std::size_t taken = state_->put(head);
  if (!state_->refused && taken != head.size()) {
    state_->refused = reject(errc::bad_request, "the head is malformed");
  }
}

body_reader::~body_reader() = default;

body_reader::progress body_reader::feed(std::string_view bytes) {
  progress made;
  while (!state_->refused && !state_->parser.is_done()) {
    const std::string_view rest = bytes.substr(made.consumed);
    if (rest.size() < (state_->chunked ? least_chunked_bytes : 1)) break;
    const std::size_t taken = state_->put(rest);
    if (taken == 0) break;
    made.consumed += taken;
  }
  made.finished = state_->parser.is_done() && !state_->refused;
  made.refused = state_->refused;
  return made;
}

wiped_text body_reader::take() {
  return std::move(state_->parser.get().body());
}

}  // namespace reeve::api
