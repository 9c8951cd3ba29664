#include "cli/client.hpp"

#include "adapters/rest_client.hpp"
#include "cli/config_file.hpp"
#include "cli/database.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

namespace reeve::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void complain(const std::string& text) {
  std::fputs(("reeve: " + text + "\n").c_str(), stderr);
}

int code_of(int status) {
  if (status == 404) return exit_not_found;
  if (status == 400 || status == 422) return exit_usage;
  return exit_refused;
}

/// One line of the problem, one for each field, and what helps.
void print_problem(const adapters::rest_response& answer, const std::string& token_origin) {
  auto doc = parse_answer(answer.body);
  if (!doc || !doc->root().is_object()) {
    return complain("the server answered " + std::to_string(answer.status));
  }
  const auto root = doc->root();
  auto text = member_text(root, "title");
  if (const auto detail = member_text(root, "detail"); !detail.empty()) text += " " + detail;
  complain(text);
  if (const auto errors = root.find("errors"); errors && errors->is_array()) {
    for (std::size_t i = 0; i < errors->size(); ++i) {
      const auto pointer = member_text(errors->at(i), "pointer");
      if (!pointer.empty()) complain("  " + pointer + ": " + member_text(errors->at(i), "detail"));
    }
  }
  const auto code = member_text(root, "code");
  if (code == "not_allowlisted") complain("  reeve allow image REFERENCE puts one on the list");
  if (answer.status == 401) complain("  the token came from " + token_origin);
}

}  // namespace

std::optional<std::string> word_list::option(const std::string& name) const {
  const auto found = options.find(name);
  return found == options.end() ? std::nullopt : std::optional(found->second);
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
  url_ = options.url;
  if (url_.empty()) url_ = environment("REEVE_URL");
  if (url_.empty()) url_ = read_secret_file(endpoint_file(c));
  if (url_.empty()) url_ = "http://127.0.0.1:9595";
  token_ = options.token.empty() ? environment("REEVE_TOKEN") : options.token;
  token_origin_ = "REEVE_TOKEN";
  if (!token_.empty()) return;
  const auto file = environment("REEVE_TOKEN_FILE");
  token_origin_ = file.empty() ? token_file(c) : file;
  token_ = read_secret_file(token_origin_);
  if (token_.empty()) token_origin_ += ", which cannot be read";
}

api_client::answer api_client::call(const std::string& method, const std::string& path,
                                    const std::string& body) {
  adapters::rest_request request;
  request.method = method;
  request.url = url_ + path;
  request.token = token_;
  request.body = body;
  auto answer = adapters::call_rest(request);
  if (!answer) {
    complain(url_ + ": " + answer.error().detail + ". Is the server running? ./run starts one.");
    return {exit_unreachable, {}};
  }
  if (answer->status >= 200 && answer->status < 300) return {exit_ok, std::move(answer->body)};
  if (options_.json) {
    print_json(answer->body);
  } else {
    print_problem(*answer, token_origin_);
  }
  return {code_of(answer->status), std::move(answer->body)};
}

int api_client::follow(const std::string& path,
                       const std::function<bool(std::string_view)>& receive) {
  adapters::rest_request request;
  request.url = url_ + path;
  request.token = token_;
  request.timeout_s = 0;
  std::string rest;
  auto status = adapters::stream_rest(request, [&](std::string_view bytes) {
    rest += bytes;
    for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
      const auto line = rest.substr(0, end);
      rest.erase(0, end + 1);
      constexpr std::string_view data = "data: ";
      if (line.starts_with(data) && !receive(std::string_view(line).substr(data.size()))) {
        return false;
      }
    }
    return true;
  });
  if (!status) {
    complain(url_ + ": " + status.error().detail);
    return exit_unreachable;
  }
  return *status == 200 ? exit_ok : code_of(*status);
}

void print_json(const std::string& body) {
  std::fputs(body.c_str(), stdout);
  if (!body.ends_with('\n')) std::fputs("\n", stdout);
}

std::string member_text(const codec::json_node& object, const std::string& name) {
  if (!object.is_object()) return {};
  const auto dot = name.find('.');
  const auto found = object.find(name.substr(0, dot));
  if (!found || found->is_null()) return {};
  if (dot != std::string::npos) return member_text(*found, name.substr(dot + 1));
  return found->is_string() ? std::string(found->as_string()) : found->text();
}

outcome<codec::json_doc> parse_answer(const std::string& body) {
  codec::json_limits limits;
  limits.depth = 64;
  limits.nodes = 5'000'000;
  limits.bytes = 128 << 20;
  return codec::parse_strict(body, limits);
}

void print_table(const std::string& body, const std::vector<std::string>& members) {
  auto doc = parse_answer(body);
  const auto results = doc ? doc->root().find("results") : std::nullopt;
  if (!results) return print_json(body);
  std::vector<std::vector<std::string>> rows{members};
  for (std::size_t i = 0; i < results->size(); ++i) {
    std::vector<std::string> row;
    for (const auto& member : members) row.push_back(member_text(results->at(i), member));
    rows.push_back(std::move(row));
  }
  std::vector<std::size_t> widths(members.size());
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      line += row[c];
      if (c + 1 < row.size()) line += std::string(widths[c] - row[c].size() + 2, ' ');
    }
    std::puts(line.c_str());
  }
}

int usage_error(const std::string& text) {
  complain(text);
  return exit_usage;
}

std::optional<std::string> read_text(const std::string& path) {
  constexpr std::size_t most = 1 << 20;
  std::string text(most + 1, '\0');
  std::ifstream file;
  std::istream* in = &std::cin;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) return std::nullopt;
    in = &file;
  }
  in->read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in->gcount()));
  if (text.size() > most) return std::nullopt;
  return text;
}

}  // namespace reeve::cli
