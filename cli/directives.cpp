#include "cli/client.hpp"
#include "cli/output.hpp"

#include <cstdio>

namespace reeve::cli {
namespace {

constexpr const char* help_of_directives =
    "directives needs one of list, show ID, create FILE, revise ID FILE, archive ID: "
    "reeve help directives";

int send(api_client& api, const std::string& method, const std::string& path,
         const std::string& body) {
  auto answer = api.call(method, path, body);
  if (answer.code != exit_ok) return answer.code;
  auto doc = parse_answer(answer.body);
  if (api.json() || !doc || method == "GET") {
    print_json(answer.body);
  } else {
    const auto version = member_text(doc->root(), "version");
    std::puts(printable(member_text(doc->root(), "id") + "  version " + version).c_str());
  }
  return exit_ok;
}

int send_file(api_client& api, const std::string& method, const std::string& path,
              const std::string& file) {
  const auto body = read_body(file);
  if (!body) return usage_error(body.error().detail);
  return send(api, method, path, *body);
}

int list_directives(api_client& api, const word_list& words) {
  const auto answer = api.list("/api/directives", "", words.option("--limit").value_or("50"));
  if (answer.code != exit_ok) return answer.code;
  if (api.ndjson()) {
    print_rows(answer.body);
  } else if (api.json()) {
    print_json(answer.body);
  } else {
    print_table(answer.body, {"id", "name", "version", "is_default", "is_archived", "updated_at"});
  }
  return exit_ok;
}

}  // namespace

int directives(const loaded_config& config, const client_options& client,
               const std::vector<std::string>& words) {
  auto list_of = split_words(words, {"--limit"}, {});
  if (!list_of.problem.empty()) return usage_error(list_of.problem);
  const auto& plain = list_of.plain;
  api_client api(config.values, client);
  const std::string base = "/api/directives";
  if (plain.size() == 1 && plain[0] == "list") return list_directives(api, list_of);
  if (plain.size() == 2 && plain[0] == "show") {
    return send(api, "GET", base + "/" + adapters::path_segment(plain[1]), "");
  }
  if (plain.size() == 2 && plain[0] == "create") return send_file(api, "POST", base, plain[1]);
  if (plain.size() == 2 && plain[0] == "archive") {
    return send(api, "POST", base + "/" + adapters::path_segment(plain[1]) + "/archive", "");
  }
  if (plain.size() == 3 && plain[0] == "revise") {
    return send_file(api, "PUT", base + "/" + adapters::path_segment(plain[1]), plain[2]);
  }
  return usage_error(help_of_directives);
}

}  // namespace reeve::cli
