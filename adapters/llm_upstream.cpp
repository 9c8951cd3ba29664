#include "adapters/llm_upstream.hpp"

#include "adapters/pinned_address.hpp"
#include "base/files.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"

#include <algorithm>
#include <cstring>
#include <curl/curl.h>
#include <memory>
#include <string>
#include <string_view>
#include <unistd.h>

namespace reeve::adapters {
namespace {

constexpr long connect_within_s = 2;
constexpr long answer_within_s = 4;
constexpr std::size_t most_bytes = 1 << 20;

struct easy_closer {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct list_closer {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using easy_handle = std::unique_ptr<CURL, easy_closer>;
using text_list = std::unique_ptr<curl_slist, list_closer>;

void add(text_list& list, const std::string& line) {
  list.reset(curl_slist_append(list.release(), line.c_str()));
}

/// Counts what comes, and takes no more than there may be.
std::size_t on_bytes(char*, std::size_t size, std::size_t count, void* user) {
  auto& seen = *static_cast<std::size_t*>(user);
  seen += size * count;
  return seen > most_bytes ? 0 : size * count;
}

/// Whatever libcurl has found out for itself, there is one address.
curl_socket_t on_socket(void* user, curlsocktype, curl_sockaddr* to) {
  const auto& pinned = *static_cast<const pinned_address*>(user);
  const bool is_it =
      to->addrlen == pinned.size && std::memcmp(&to->addr, &pinned.where, pinned.size) == 0;
  if (!is_it) return CURL_SOCKET_BAD;
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/// The first line of the file. What cannot stand in a header is no key.
outcome<secret_text> key_in(const std::string& path) {
  auto text = read_small_file(path, 8192);
  if (!text || !*text) return reject(errc::invalid, "its key_file cannot be read");
  std::string line = (*text)->substr(0, (*text)->find_first_of("\r\n"));
  wipe(**text);
  const bool fits = !line.empty() && std::all_of(line.begin(), line.end(),
                                                 [](char c) { return c > ' ' && c <= '~'; });
  secret_text key(std::move(line));
  if (!fits) return reject(errc::invalid, "its key_file holds no key in its first line");
  return key;
}

outcome<text_list> fields_of(const domain::llm_upstream& upstream, bool may_send_key) {
  text_list fields;
  add(fields, "Accept: application/json");
  if (!upstream.key_file) return fields;
  if (!may_send_key) {
    return reject(errc::invalid, "its key would travel in clear: use https");
  }
  const auto key = key_in(*upstream.key_file);
  if (!key) return key.error();
  std::string line = "Authorization: Bearer " + std::string(key->view());
  add(fields, line);
  wipe(line);
  return fields;
}

/// What the name means to libcurl. An address needs no such entry, and one of IPv6 may have none.
text_list address_of(const domain::upstream_url& url, const pinned_address& pinned) {
  text_list names;
  if (url.host.find(':') != std::string::npos) return names;
  const bool is_v6 = pinned.text.find(':') != std::string::npos;
  add(names, url.host + ":" + std::to_string(url.port) + ":" +
                 (is_v6 ? "[" + pinned.text + "]" : pinned.text));
  return names;
}

void prepare(CURL* easy, const domain::upstream_url& url, const pinned_address& pinned,
             const text_list& fields, const text_list& names, std::size_t& seen) {
  const bool is_v6 = url.host.find(':') != std::string::npos;
  const auto host = is_v6 ? "[" + url.host + "]" : url.host;
  const auto whole = std::string(url.is_tls ? "https://" : "http://") + host + ":" +
                     std::to_string(url.port) + url.path + "/models";
  curl_easy_setopt(easy, CURLOPT_URL, whole.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_RESOLVE, names.get());
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &pinned);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, connect_within_s);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, answer_within_s);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields.get());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &seen);
}

}  // namespace

outcome<std::int64_t> look_at_upstream(const domain::llm_upstream& upstream, bool may_send_plain) {
  const auto url = domain::parse_url(upstream.url);
  if (!url) return reject(errc::invalid, "its URL is none");
  const auto began_us = real_clock().mono_us();
  const auto pinned = pin_address(url->host, url->port);
  if (!pinned) return pinned.error();
  const auto fields = fields_of(upstream, url->is_tls || may_send_plain || pinned->is_loopback());
  if (!fields) return fields.error();
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  const easy_handle easy(ready ? curl_easy_init() : nullptr);
  if (!easy) return reject(errc::unavailable, "the HTTP client cannot be made");
  const auto names = address_of(*url, *pinned);
  std::size_t seen = 0;
  prepare(easy.get(), *url, *pinned, *fields, names, seen);
  const auto code = curl_easy_perform(easy.get());
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OPERATION_TIMEDOUT)
    return reject(errc::timed_out, "it does not answer in time");
  if (code == CURLE_WRITE_ERROR) return reject(errc::invalid, "its answer is too large");
  if (code != CURLE_OK) return reject(errc::unavailable, "it cannot be reached");
  if (status < 200 || status > 299) {
    return reject(errc::invalid, "it answers " + std::to_string(status));
  }
  return (real_clock().mono_us() - began_us) / 1000;
}

}  // namespace reeve::adapters
