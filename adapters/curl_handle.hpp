#pragma once
// What all HTTP requests through libcurl have in common. Inside adapters/ only.

#include <curl/curl.h>
#include <memory>
#include <string>

namespace reeve::adapters {

struct easy_closer {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct list_closer {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using easy_handle = std::unique_ptr<CURL, easy_closer>;
using text_list = std::unique_ptr<curl_slist, list_closer>;

/// Whether libcurl works; makes it ready at the first call. Any thread.
bool is_curl_ready();

/// For http and https: no redirects, no proxies, no signals. Null if it cannot be made.
easy_handle make_easy_handle();

/// At the end.
void add_line(text_list& list, const std::string& line);

}  // namespace reeve::adapters
