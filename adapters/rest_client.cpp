#include "adapters/rest_client.hpp"

#include <curl/curl.h>
#include <memory>

namespace reeve::adapters {
namespace {

struct easy_closer {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct list_closer {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using easy_handle = std::unique_ptr<CURL, easy_closer>;
using header_fields = std::unique_ptr<curl_slist, list_closer>;

struct receiver {
  std::function<bool(std::string_view)> take;
  std::size_t left = 0;
  bool too_large = false;
  bool stopped = false;
};

std::size_t on_bytes(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& to = *static_cast<receiver*>(user);
  const std::size_t all = size * count;
  if (all > to.left) {
    to.too_large = true;
    return 0;
  }
  to.left -= all;
  if (to.take({bytes, all})) return all;
  to.stopped = true;
  return 0;
}

void add_field(header_fields& fields, const std::string& line) {
  fields.reset(curl_slist_append(fields.release(), line.c_str()));
}

header_fields fields_of(const rest_request& request) {
  header_fields fields;
  add_field(fields, "Accept: */*");
  // An empty body is a body for curl; the server wants none announced.
  add_field(fields, "Expect:");
  if (!request.body.empty()) add_field(fields, "Content-Type: application/json");
  if (!request.token.empty()) add_field(fields, "Authorization: Bearer " + request.token);
  return fields;
}

void prepare(CURL* easy, const rest_request& request, const header_fields& fields, receiver& to) {
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, 5L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, request.timeout_s);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields.get());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &to);
  if (request.body.empty()) return;
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
}

outcome<rest_response> perform(const rest_request& request, receiver& to) {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  easy_handle easy(ready ? curl_easy_init() : nullptr);
  if (!easy) return reject(errc::internal, "the HTTP client cannot be made");
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
  if (code == CURLE_OK || to.stopped) return answer;
  if (to.too_large) return reject(errc::too_large, "the answer is too large");
  if (code == CURLE_OPERATION_TIMEDOUT) return reject(errc::timed_out, "no answer in time");
  return reject(errc::unavailable, curl_easy_strerror(code));
}

}  // namespace

outcome<rest_response> call_rest(const rest_request& request) {
  std::string body;
  receiver to;
  to.left = request.max_bytes;
  to.take = [&body](std::string_view bytes) {
    body += bytes;
    return true;
  };
  auto answer = perform(request, to);
  if (answer) answer->body = std::move(body);
  return answer;
}

outcome<int> stream_rest(const rest_request& request,
                         const std::function<bool(std::string_view)>& receive) {
  receiver to;
  to.left = static_cast<std::size_t>(-1);
  to.take = receive;
  auto answer = perform(request, to);
  if (!answer) return answer.error();
  return answer->status;
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
