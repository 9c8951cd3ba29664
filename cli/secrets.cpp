#include "base/secret.hpp"
#include "base/utf8.hpp"
#include "cli/client.hpp"
#include "cli/output.hpp"
#include "codec/json_writer.hpp"

#include <fstream>
#include <iostream>
#include <unistd.h>

namespace reeve::cli {
namespace {

using adapters::path_segment;

constexpr const char* help_of_secrets =
    "secrets needs one of put NAME, list, show NAME, delete NAME: reeve help secrets";
constexpr std::size_t most_bytes = 8192;

/// Never from an argument, which every process of the machine may read. One line end behind it is
/// that of the file, or of whoever typed.
outcome<std::string> read_value(const std::string& path) {
  if (path == "-" && ::isatty(STDIN_FILENO) == 1) {
    return reject(errc::invalid,
                  "the value comes from standard input, which is a terminal and would show it: "
                  "pipe it in, or name a file with --file");
  }
  const std::string name = path == "-" ? "standard input" : path;
  std::ifstream file;
  std::istream* in = &std::cin;
  if (path != "-") {
    file.open(path, std::ios::binary);
    in = &file;
  }
  std::string value(most_bytes + 3, '\0');
  if (*in) in->read(value.data(), static_cast<std::streamsize>(value.size()));
  const bool is_read = !in->bad() && (path == "-" || file.is_open());
  value.resize(is_read ? static_cast<std::size_t>(in->gcount()) : 0);
  if (value.ends_with('\n')) value.pop_back();
  if (value.ends_with('\r')) value.pop_back();
  std::string wrong;
  if (!is_read) wrong = " cannot be read";
  if (value.size() > most_bytes) wrong = " has more than 8,192 bytes";
  if (first_invalid_utf8(value) != value.npos) wrong = " is not UTF-8; encode it first, as base64";
  if (value.find('\0') != value.npos) wrong = " holds a NUL; encode it first, as base64";
  if (wrong.empty()) return value;
  wipe(value);
  return reject(errc::invalid, name + wrong);
}

int show_secret(const api_client& api, const api_client::answer& answer) {
  if (answer.code != exit_ok) return answer.code;
  const auto doc = parse_answer(answer.body);
  if (api.json() || !doc) {
    print_json(answer.body);
  } else {
    print_line(doc->root(), {"name", "version", "updated_at", "deleted_at"});
  }
  return exit_ok;
}

int put(api_client& api, const std::string& name, const std::string& file) {
  auto value = read_value(file);
  if (!value) return usage_error(value.error().detail);
  codec::json_writer writer;
  writer.begin_object().key("value").value(*value).end_object();
  auto body = writer.take();
  wipe(*value);
  const auto answer = api.call("PUT", "/api/secrets/" + path_segment(name), body);
  wipe(body);
  return show_secret(api, answer);
}

int list_secrets(api_client& api, const word_list& words) {
  const auto answer = api.list("/api/secrets", words.has("--active") ? "&is_active=true" : "",
                               words.option("--limit").value_or("50"));
  return show_rows(api, answer,
                   {"name", "version", "is_active", "updated_by", "updated_at", "deleted_at"});
}

}  // namespace

int secrets(const loaded_config& config, const client_options& client,
            const std::vector<std::string>& words) {
  const auto options = split_words(words, {"--file", "--limit"}, {"--active"});
  if (!options.problem.empty()) return usage_error(options.problem);
  const auto& plain = options.plain;
  api_client api(config.values, client);
  if (plain.size() == 2 && plain[0] == "put") {
    return put(api, plain[1], options.option("--file").value_or("-"));
  }
  if (plain.size() == 1 && plain[0] == "list") return list_secrets(api, options);
  if (plain.size() == 2 && plain[0] == "show") {
    return show_secret(api, api.call("GET", "/api/secrets/" + path_segment(plain[1])));
  }
  if (plain.size() == 2 && plain[0] == "delete") {
    return show_secret(api, api.call("DELETE", "/api/secrets/" + path_segment(plain[1])));
  }
  return usage_error(help_of_secrets);
}

}  // namespace reeve::cli
