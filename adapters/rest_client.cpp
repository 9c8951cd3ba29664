#include "adapters/rest_client.hpp"

#include "adapters/curl_handle.hpp"

namespace reeve::adapters {
namespace {

struct receiver {
  CURL* easy = nullptr;
  std::function<bool(std::string_view)> take;  // of a 2xx; empty = into `body`
  std::string body;
  std::size_t most = 0;
  bool too_large = false;
  bool stopped = false;
};

std::size_t on_bytes(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& to = *static_cast<receiver*>(user);
  const std::size_t all = size * count;
  long status = 0;
  curl_easy_getinfo(to.easy, CURLINFO_RESPONSE_CODE, &status);
  if (to.take && status >= 200 && status < 300) {
    to.stopped = !to.take({bytes, all});
    return to.stopped ? 0 : all;
  }
  to.too_large = to.body.size() + all > to.most;
  if (to.too_large) return 0;
  to.body.append(bytes, all);
  return all;
}

text_list fields_of(const rest_request& request) {
  text_list fields;
  add_line(fields, "Accept: */*");
  // No `Expect: 100-continue`: it would cost a round trip.
  add_line(fields, "Expect:");
  if (!request.body.empty()) add_line(fields, "Content-Type: application/json");
  if (!request.token.empty()) add_line(fields, "Authorization: Bearer " + request.token);
  if (!request.idempotency_key.empty()) {
    add_line(fields, "Idempotency-Key: " + request.idempotency_key);
  }
  return fields;
}

void prepare(CURL* easy, const rest_request& request, const text_list& fields, receiver& to) {
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, 5L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, to.take ? 0L : request.timeout_s);
  if (to.take) {
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, 60L);
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields.get());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &to);
  if (request.body.empty()) return;
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
}

outcome<done> check(const rest_request& request) {
  if (!request.url.starts_with("http://") && !request.url.starts_with("https://")) {
    return reject(errc::invalid, "an http or https URL is needed");
  }
  for (const auto* text : {&request.token, &request.idempotency_key}) {
    for (const char c : *text) {
      if (c <= ' ' || c > '~') return reject(errc::invalid, "a token is printable ASCII");
    }
  }
  return done{};
}

outcome<rest_response> perform(const rest_request& request, receiver& to) {
  if (auto ok = check(request); !ok) return ok.error();
  const auto easy = make_easy_handle();
  if (!easy) return reject(errc::internal, "the HTTP client cannot be made");
  to.easy = easy.get();
  to.most = request.max_bytes;
  const auto fields = fields_of(request);
  prepare(easy.get(), request, fields, to);
  const auto code = curl_easy_perform(easy.get());
  rest_response answer;
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  char* type = nullptr;
  curl_easy_getinfo(easy.get(), CURLINFO_CONTENT_TYPE, &type);
  if (type != nullptr) answer.content_type = type;
  curl_header* output_state = nullptr;
  if (curl_easy_header(easy.get(), "Reeve-Log", 0, CURLH_HEADER, -1, &output_state) == CURLHE_OK) {
    answer.output_state = output_state->value;
  }
  answer.body = std::move(to.body);
  if (code == CURLE_OK || to.stopped) return answer;
  if (to.too_large) return reject(errc::too_large, "the answer is too large");
  if (code == CURLE_OPERATION_TIMEDOUT) return reject(errc::timed_out, "no answer in time");
  return reject(errc::unavailable, curl_easy_strerror(code));
}

}  // namespace

outcome<rest_response> call_rest(const rest_request& request) {
  receiver to;
  return perform(request, to);
}

outcome<rest_response> stream_rest(const rest_request& request,
                                   const std::function<bool(std::string_view)>& receive) {
  receiver to;
  to.take = receive;
  return perform(request, to);
}

std::string path_segment(std::string_view text) {
  std::string out;
  for (char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      constexpr const char* digits = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

}  // namespace reeve::adapters
