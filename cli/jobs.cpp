#include "cli/client.hpp"
#include "cli/output.hpp"
#include "codec/json_writer.hpp"

namespace reeve::cli {
namespace {

using adapters::path_segment;

constexpr const char* help =
    "jobs needs one of list, show ID, retry ID, discard ID: reeve help jobs";

int list(api_client& api, const word_list& words) {
  std::string query;
  for (const std::string name : {"status", "run"}) {
    const auto value = words.option("--" + name);
    if (value) query += "&" + name + "=" + path_segment(*value);
  }
  if (words.has("--quarantined")) query += "&is_quarantined=true";
  const auto answer = api.list("/api/jobs", query, words.option("--limit").value_or("50"));
  return show_rows(api, answer,
                   {"id", "run_id", "name", "task", "status", "pending_reason", "reason", "attempt",
                    "submitted_at"});
}

int show_one(const api_client& api, const api_client::answer& answer) {
  if (answer.code != exit_ok) return answer.code;
  const auto doc = parse_answer(answer.body);
  if (api.json() || !doc) {
    print_json(answer.body);
  } else {
    print_members(doc->root(), {"id", "run_id", "name", "task", "status", "pending_reason",
                                "reason", "attempt", "submitted_at", "started_at", "finished_at"});
    print_items(doc->root(), "attempts",
                {"number", "reason", "exit_code", "oom_killed", "engine", "container_name",
                 "started_at", "finished_at"});
  }
  return exit_ok;
}

/// An operator's word on quarantined work.
int decide(api_client& api, const word_list& words) {
  codec::json_writer body;
  body.begin_object().key("reason").value(words.option("--reason").value_or(""));
  body.end_object();
  const auto& plain = words.plain;
  return show_one(
      api, api.call("POST", "/api/jobs/" + path_segment(plain[1]) + "/" + plain[0], body.take()));
}

}  // namespace

int jobs(const loaded_config& config, const client_options& client,
         const std::vector<std::string>& words) {
  const auto options =
      split_words(words, {"--status", "--run", "--limit", "--reason"}, {"--quarantined"});
  if (!options.problem.empty()) return usage_error(options.problem);
  const auto& plain = options.plain;
  api_client api(config.values, client);
  if (plain.size() == 1 && plain[0] == "list") return list(api, options);
  if (plain.size() != 2) return usage_error(help);
  if (plain[0] == "show")
    return show_one(api, api.call("GET", "/api/jobs/" + path_segment(plain[1])));
  if (plain[0] == "retry" || plain[0] == "discard") return decide(api, options);
  return usage_error(help);
}

}  // namespace reeve::cli
