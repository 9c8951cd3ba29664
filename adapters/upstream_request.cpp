#include "adapters/upstream_request.hpp"

#include "base/files.hpp"
#include "base/secret.hpp"

#include <algorithm>
#include <cstring>
#include <unistd.h>
#include <utility>

namespace reeve::adapters {
namespace {

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

outcome<done> add_key(upstream_request& to, const domain::llm_upstream& upstream,
                      bool may_send_key) {
  if (!upstream.key_file) return done{};
  if (!may_send_key) {
    return reject(errc::invalid, "its key would travel in clear: use https");
  }
  const auto key = key_in(*upstream.key_file);
  if (!key) return key.error();
  std::string line = "Authorization: Bearer " + std::string(key->view());
  add_line(to.fields, line);
  wipe(line);
  return done{};
}

/// What the name means to libcurl: of this request alone, so that none means what another did. An
/// address needs no such entry.
void set_place(upstream_request& to, const domain::upstream_url& url) {
  if (url.host.find(':') != std::string::npos) return;
  const auto& at = to.pinned.text;
  const bool is_v6 = at.find(':') != std::string::npos;
  const auto port = std::to_string(url.port);
  add_line(to.place, url.host + ":" + port + ":" + (is_v6 ? "[" + at + "]" : at) + ":" + port);
}

void prepare(upstream_request& of, const domain::upstream_url& url, std::string_view path) {
  CURL* easy = of.easy.get();
  const bool is_v6 = url.host.find(':') != std::string::npos;
  const auto host = is_v6 ? "[" + url.host + "]" : url.host;
  const auto whole = std::string(url.is_tls ? "https://" : "http://") + host + ":" +
                     std::to_string(url.port) + url.path + std::string(path);
  curl_easy_setopt(easy, CURLOPT_URL, whole.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECT_TO, of.place.get());
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &of.pinned);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, of.fields.get());
}

}  // namespace

void add_field(upstream_request& to, const std::string& line) {
  add_line(to.fields, line);
  curl_easy_setopt(to.easy.get(), CURLOPT_HTTPHEADER, to.fields.get());
}

outcome<std::unique_ptr<upstream_request>> make_upstream_request(
    const domain::llm_upstream& upstream, const pinned_address& pinned, std::string_view path,
    bool may_send_plain) {
  const auto url = domain::parse_url(upstream.url);
  if (!url) return reject(errc::invalid, "its URL is none");
  auto made = std::make_unique<upstream_request>();
  made->pinned = pinned;
  const bool may_send_key = url->is_tls || may_send_plain || pinned.is_loopback();
  if (auto ok = add_key(*made, upstream, may_send_key); !ok) return ok.error();
  made->easy = make_easy_handle();
  if (!made->easy) return reject(errc::unavailable, "the HTTP client cannot be made");
  set_place(*made, *url);
  prepare(*made, *url, path);
  return made;
}

}  // namespace reeve::adapters
