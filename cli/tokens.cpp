#include "cli/client.hpp"
#include "cli/output.hpp"
#include "codec/json_writer.hpp"

#include <cstdio>

namespace reeve::cli {
namespace {

using adapters::path_segment;

constexpr const char* help_of_tokens =
    "tokens needs one of create NAME, list, revoke ID: reeve help tokens";

/// The token alone goes to standard output, so that a script can keep it; what it is goes beside.
int show_new(const api_client& api, const api_client::answer& answer) {
  if (answer.code != exit_ok) return answer.code;
  if (api.json()) {
    print_json(answer.body);
    return exit_ok;
  }
  const auto doc = parse_answer(answer.body);
  const auto text = doc ? member_text(doc->root(), "token") : std::string();
  if (text.empty()) return usage_error("the server's answer is no token");
  std::puts(printable(text).c_str());
  complain("token " + member_text(doc->root(), "id") + " of " + member_text(doc->root(), "name") +
           ", " + member_text(doc->root(), "role") + "; it is shown only here");
  return exit_ok;
}

int create(api_client& api, const word_list& words) {
  codec::json_writer body;
  body.begin_object().key("name").value(words.plain[1]);
  body.key("role").value(words.option("--role").value_or("viewer")).end_object();
  return show_new(api, api.call("POST", "/api/tokens", body.take()));
}

int list_tokens(api_client& api, const word_list& words) {
  const auto answer = api.list("/api/tokens", words.has("--active") ? "&is_active=true" : "",
                               words.option("--limit").value_or("50"));
  return show_rows(api, answer,
                   {"id", "name", "role", "is_active", "created_by", "created_at", "revoked_at"});
}

int revoke(api_client& api, const std::string& id) {
  const auto answer = api.call("POST", "/api/tokens/" + path_segment(id) + "/revoke");
  if (answer.code != exit_ok) return answer.code;
  const auto doc = parse_answer(answer.body);
  if (api.json() || !doc) {
    print_json(answer.body);
  } else {
    print_line(doc->root(), {"id", "name", "revoked_at"});
  }
  return exit_ok;
}

}  // namespace

int tokens(const loaded_config& config, const client_options& client,
           const std::vector<std::string>& words) {
  const auto options = split_words(words, {"--role", "--limit"}, {"--active"});
  if (!options.problem.empty()) return usage_error(options.problem);
  const auto& plain = options.plain;
  api_client api(config.values, client);
  if (plain.size() == 2 && plain[0] == "create") return create(api, options);
  if (plain.size() == 1 && plain[0] == "list") return list_tokens(api, options);
  if (plain.size() == 2 && plain[0] == "revoke") return revoke(api, plain[1]);
  return usage_error(help_of_tokens);
}

}  // namespace reeve::cli
