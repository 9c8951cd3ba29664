#include "adapters/curl_handle.hpp"

namespace reeve::adapters {

bool is_curl_ready() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

easy_handle make_easy_handle() {
  easy_handle made(is_curl_ready() ? curl_easy_init() : nullptr);
  if (!made) return made;
  CURL* easy = made.get();
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  return made;
}

void add_line(text_list& list, const std::string& line) {
  list.reset(curl_slist_append(list.release(), line.c_str()));
}

}  // namespace reeve::adapters
