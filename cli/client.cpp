#include "cli/client.hpp"

#include "base/ids.hpp"
#include "cli/config_file.hpp"
#include "cli/config_table.hpp"
#include "cli/database.hpp"
#include "cli/output.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>

namespace reeve::cli {
namespace {

using namespace std::chrono_literals;

/// An event has at most 64 KiB; escaped, six times that.
constexpr std::size_t max_line_bytes = 1 << 20;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int code_of(int status) {
  if (status == 404) return exit_not_found;
  if (status == 400 || status == 422) return exit_usage;
  return status >= 500 ? exit_unreachable : exit_refused;
}

bool is_away(const outcome<adapters::rest_response>& answer) {
  return !answer || answer->status == 502 || answer->status == 503 || answer->status == 504;
}

std::string host_of(const std::string& url) {
  const auto begin = url.find("://");
  if (begin == std::string::npos) return {};
  auto host = url.substr(begin + 3, url.find_first_of("/?#", begin + 3) - begin - 3);
  const auto colon = host.rfind(':');
  if (colon != std::string::npos && host.find(']', colon) == std::string::npos) host.resize(colon);
  return host;
}

/// Whether a detail is the title once more: "There is no such resource." needs no echo.
bool is_echo(std::string_view title, std::string_view detail) {
  if (title.ends_with('.')) title.remove_suffix(1);
  return std::equal(
      title.begin(), title.end(), detail.begin(), detail.end(),
      [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

/// What would allow it, as far as the request itself says what it was about.
std::string allowing_command(const std::string& pointer, const std::string& sent) {
  const auto doc = codec::parse_strict(sent);
  const auto name = doc ? text_at(doc->root(), pointer) : std::string();
  if (pointer.find("/params/containers") != std::string::npos) {
    return "reeve allow container " + (name.empty() ? "NAME" : name);
  }
  if (pointer.ends_with("/params/network")) {
    return "an entry with host network: reeve allow image REFERENCE --host-network";
  }
  if (pointer.ends_with("/params/user")) {
    return "an entry with root: reeve allow image REFERENCE --root; never as the server's own user";
  }
  if (pointer.find("/params/mounts") != std::string::npos) {
    return "REEVE_MOUNT_ROOTS says below which folders jobs may mount";
  }
  return "reeve allow image " + (name.empty() ? "REFERENCE" : name);
}

/// Beside the output, not in it.
void warn_of_missing(const std::string& output_state) {
  if (output_state == "truncated") complain("the output is cut at its limit");
  if (output_state != "incomplete") return;
  complain("some of the output may be missing");
}

}  // namespace

std::optional<std::string> word_list::option(const std::string& name) const {
  const auto found = options.find(name);
  return found == options.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> word_list::all(const std::string& name) const {
  std::vector<std::string> values;
  const auto [begin, end] = options.equal_range(name);
  for (auto it = begin; it != end; ++it) values.push_back(it->second);
  return values;
}

word_list split_words(const std::vector<std::string>& words, const std::vector<std::string>& valued,
                      const std::vector<std::string>& flags) {
  word_list list;
  const auto in = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with("--")) {
      list.plain.push_back(words[i]);
    } else if (in(flags, words[i])) {
      list.options.emplace(words[i], "");
    } else if (in(valued, words[i]) && i + 1 < words.size()) {
      list.options.emplace(words[i], words[i + 1]);
      ++i;
    } else {
      list.problem = words[i] + (in(valued, words[i]) ? " needs a value" : " is no option here");
      return list;
    }
  }
  return list;
}

api_client::api_client(const config& c, const client_options& options) : options_(options) {
  url_ = options.url.empty() ? environment("REEVE_URL") : options.url;
  const bool named = !url_.empty();
  if (!named) url_ = leading_server(c);
  const bool own = !named && !url_.empty();
  if (own) own_ = c;
  if (url_.empty()) url_ = "http://127.0.0.1:9595";
  while (url_.ends_with('/')) url_.pop_back();
  // Whose data folder this is, his server it is: it may listen on any address of the machine.
  const bool near = own || is_loopback(host_of(url_));
  if (named && !url_.starts_with("http://") && !url_.starts_with("https://")) {
    const std::string where = options.url.empty() ? "REEVE_URL" : "--url";
    refusal_ = reject(errc::invalid, where + " must begin with http:// or https://");
  } else if (!near && !url_.starts_with("https://") && !c.allow_plain_http) {
    refusal_ =
        reject(errc::invalid,
               "a token is not sent in clear to another machine: use https, or permit it with "
               "REEVE_ALLOW_PLAIN_HTTP=true");
  }
  if (url_.find('@') != std::string::npos) {
    refusal_ = reject(errc::invalid, "the URL must not hold a login");
  }
  token_origin_ = "REEVE_TOKEN";
  token_ = options.token.empty() ? environment("REEVE_TOKEN") : options.token;
  if (!token_.empty()) return;
  const auto file = environment("REEVE_TOKEN_FILE");
  if (file.empty() && !near) {
    token_origin_ = "nowhere: another machine's server needs REEVE_TOKEN or REEVE_TOKEN_FILE";
    return;
  }
  token_origin_ = file.empty() ? token_file(c) : file;
  token_ = read_secret_file(token_origin_);
  if (token_.empty()) {
    token_origin_ += ", which cannot be read; set REEVE_TOKEN, REEVE_TOKEN_FILE or --data";
  } else if (file.empty() && !named && !own) {
    refusal_ = reject(errc::unavailable,
                      "not asked: no server leads with " + c.data +
                          ", and the token there goes to another one only if --url names it");
  }
}

outcome<adapters::rest_request> api_client::request_to(const std::string& method,
                                                       const std::string& path) {
  if (refusal_) return *refusal_;
  if (own_) {
    // It may have left since the last request, and its port is anybody's then.
    const auto now = leading_server(*own_);
    if (now.empty()) {
      return reject(errc::unavailable, "not asked: no server leads with " + own_->data + " now");
    }
    url_ = now;
  }
  adapters::rest_request request;
  request.method = method;
  request.url = url_ + path;
  request.token = token_;
  if (method == "POST") request.idempotency_key = to_string(real_ids().next());
  return request;
}

int api_client::fail(const rejection& why) const {
  if (why.code == errc::invalid) return usage_error(url_ + ": " + why.detail);
  complain(url_ + ": " + why.detail + ". Is the server running? ./run starts one.");
  return exit_unreachable;
}

/// One line of the problem, one for each field, and what helps.
void api_client::print_problem(const adapters::rest_response& answer,
                               const std::string& sent) const {
  const auto doc = parse_answer(answer.body);
  if (!doc || !doc->root().is_object()) {
    return complain(url_ + " answered " + std::to_string(answer.status) +
                    ", and not as Reeve does");
  }
  const auto root = doc->root();
  auto text = member_text(root, "title");
  const auto detail = member_text(root, "detail");
  if (!detail.empty() && !is_echo(text, detail)) text += " " + detail;
  complain(text);
  std::string pointer;
  if (const auto errors = root.find("errors"); errors && errors->is_array()) {
    for (std::size_t i = 0; i < errors->size(); ++i) {
      pointer = member_text(errors->at(i), "pointer");
      if (!pointer.empty()) complain("  " + pointer + ": " + member_text(errors->at(i), "detail"));
    }
  }
  if (member_text(root, "code") == "not_allowlisted") {
    complain("  what helps: " + allowing_command(pointer, sent));
  }
  if (answer.status == 401) complain("  the token came from " + token_origin_);
  if (answer.status >= 500) complain("  request " + member_text(root, "request_id"));
}

api_client::answer api_client::judge(outcome<adapters::rest_response> answer,
                                     const std::string& sent) const {
  if (!answer) return {fail(answer.error()), {}};
  if (answer->status >= 200 && answer->status < 300) return {exit_ok, std::move(answer->body)};
  if (answer->status < 400) {
    complain(url_ + " redirects elsewhere; a token is not sent there");
    return {exit_refused, {}};
  }
  if (options_.json && !answer->body.empty()) {
    print_json(answer->body);
  } else {
    print_problem(*answer, sent);
  }
  return {code_of(answer->status), {}};
}

api_client::answer api_client::call(const std::string& method, const std::string& path,
                                    const std::string& body) {
  auto request = request_to(method, path);
  if (!request) return {fail(request.error()), {}};
  request->body = body;
  return judge(adapters::call_rest(*request), body);
}

api_client::answer api_client::get_patiently(const std::string& path, int patience_s) {
  if (refusal_) return {fail(*refusal_), {}};
  const auto ask = [&]() -> outcome<adapters::rest_response> {
    const auto request = request_to("GET", path);
    if (!request) return request.error();
    return adapters::call_rest(*request);
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(patience_s);
  auto answer = ask();
  while (is_away(answer) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(250ms);
    answer = ask();
  }
  return judge(std::move(answer), {});
}

api_client::answer api_client::list(const std::string& path, const std::string& query,
                                    const std::string& limit) {
  int left = 0;
  const char* end = limit.data() + limit.size();
  const auto [stop, error] = std::from_chars(limit.data(), end, left);
  if (error != std::errc{} || stop != end || left < 1 || left > 100'000) {
    return {usage_error("--limit is a number from 1 to 100000"), {}};
  }
  std::string rows;
  std::string cursor;
  do {
    auto page = call("GET", path + "?limit=" + std::to_string(std::min(left, 500)) + query +
                                (cursor.empty() ? "" : "&cursor=" + cursor));
    if (page.code != exit_ok) return page;
    const auto doc = parse_answer(page.body);
    const auto results =
        doc && doc->root().is_object() ? doc->root().find("results") : std::nullopt;
    if (!results || !results->is_array()) return {fail({errc::internal, "no list came", {}}), {}};
    for (std::size_t i = 0; i < results->size(); ++i, --left) {
      rows += (rows.empty() ? "" : ",") + results->at(i).text();
    }
    cursor = adapters::path_segment(member_text(doc->root(), "next"));
  } while (left > 0 && !cursor.empty());
  const std::string next = cursor.empty() ? "null" : "\"" + cursor + "\"";
  return {exit_ok, "{\"next\":" + next + ",\"results\":[" + rows + "]}"};
}

std::optional<api_client::answer> api_client::find(const std::string& path) {
  const auto request = request_to("GET", path);
  if (!request) return answer{fail(request.error()), {}};
  auto answer = adapters::call_rest(*request);
  if (answer && answer->status == 404) return std::nullopt;
  return judge(std::move(answer), {});
}

int api_client::download(const std::string& path,
                         const std::function<std::optional<int>()>& other) {
  const auto request = request_to("GET", path);
  if (!request) return fail(request.error());
  const bool is_raw = !is_terminal();
  terminal_filter filter;
  const auto put = [](std::string_view bytes) {
    return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
  };
  auto answer = adapters::stream_rest(*request, [&](std::string_view bytes) {
    return put(is_raw ? bytes : std::string_view(filter.take(bytes)));
  });
  put(filter.finish());
  if (other && answer && answer->status == 404) {
    if (const auto code = other()) return *code;
  }
  if (answer) warn_of_missing(answer->output_state);
  return judge(std::move(answer), {}).code;
}

int api_client::follow(const std::string& path, const std::string& query, std::string after,
                       const std::function<bool(std::string_view)>& receive) {
  bool going = true;
  std::string rest;
  std::string id = after;
  // Never seen is never there; a server that was there may be on its way back.
  auto alive = std::chrono::steady_clock::time_point{};
  const auto take = [&](std::string_view bytes) {
    alive = std::chrono::steady_clock::now();
    rest += bytes;
    std::size_t begin = 0;
    for (auto end = rest.find('\n'); going && end != std::string::npos;
         begin = end + 1, end = rest.find('\n', begin)) {
      const auto line = std::string_view(rest).substr(begin, end - begin);
      if (line.starts_with("id: ")) id = line.substr(4);
      if (!line.starts_with("data: ")) continue;
      going = receive(line.substr(6));
      // Not before: a stream that breaks off between the two has not given the event.
      after = id;
    }
    rest.erase(0, begin);
    going = going && rest.size() <= max_line_bytes;
    return going;
  };
  const auto ask = [&]() -> outcome<adapters::rest_response> {
    const auto request =
        request_to("GET", path + "?after=" + adapters::path_segment(after) + query);
    if (!request) return request.error();
    return adapters::stream_rest(*request, take);
  };
  if (refusal_) return fail(*refusal_);
  for (;;) {
    rest.clear();
    // An id whose event did not come is not the place of what comes without one.
    id = after;
    auto answer = ask();
    if (rest.size() > max_line_bytes) return fail({errc::too_large, "an event is too large", {}});
    if (!going) return exit_ok;
    const bool ended = answer && answer->status == 200;
    const bool gone = std::chrono::steady_clock::now() - alive > 60s;
    if (gone || (!ended && !is_away(answer))) return judge(std::move(answer), {}).code;
    std::this_thread::sleep_for(500ms);
  }
}

int show_rows(const api_client& api, const api_client::answer& answer,
              const std::vector<std::string>& columns) {
  if (answer.code != exit_ok) return answer.code;
  if (api.ndjson()) {
    print_rows(answer.body);
  } else {
    api.json() ? print_json(answer.body) : print_table(answer.body, columns);
  }
  return exit_ok;
}

int usage_error(const std::string& text) {
  complain(text);
  return exit_usage;
}

outcome<std::string> read_body(const std::string& path) {
  const std::string name = path == "-" ? "standard input" : path;
  const auto unread = reject(errc::invalid, name + " cannot be read, or has more than 1 MiB");
  constexpr std::size_t most = 1 << 20;
  std::string text(most + 1, '\0');
  std::ifstream file;
  std::istream* in = &std::cin;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) return unread;
    in = &file;
  }
  in->read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in->gcount()));
  if (in->bad() || text.size() > most) return unread;
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return reject(errc::invalid, name + " is empty; a request of nothing but defaults is {}");
  }
  return text;
}

}  // namespace reeve::cli
