#include "cli/client.hpp"
#include "cli/output.hpp"
#include "cli/terminal_text.hpp"
#include "codec/json_writer.hpp"

#include <cstdio>

namespace reeve::cli {
namespace {

using adapters::path_segment;

constexpr const char* help_of_jobs =
    "jobs needs one of list, show ID, logs ID, retry ID, discard ID: reeve help jobs";

int list_jobs(api_client& api, const word_list& words) {
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

std::string logs_of(const std::string& job) {
  return "/api/jobs/" + path_segment(job) + "/logs";
}

std::string query_of_logs(const word_list& words) {
  std::string query;
  for (const std::string name : {"attempt", "stream"}) {
    const auto value = words.option("--" + name);
    if (value) query += "&" + name + "=" + path_segment(*value);
  }
  return query;
}

/// Prints what an attempt printed as it comes, until the job has ended.
int follow(api_client& api, const word_list& words) {
  const bool is_raw = !is_terminal();
  terminal_filter filter;
  const auto query = query_of_logs(words);
  return api.follow(logs_of(words.plain[1]) + "/stream", query, "", [&](std::string_view event) {
    const auto doc = parse_answer(std::string(event));
    if (!doc || !doc->root().is_object()) return true;
    if (api.json()) print_json(event);
    const bool is_end = !member_text(doc->root(), "status").empty();
    if (!api.json() && doc->root().find("text")) {
      auto text = member_text(doc->root(), "text");
      if (member_text(doc->root(), "is_ended") != "false") text += '\n';
      std::fputs((is_raw ? text : filter.take(text)).c_str(), stdout);
    } else if (!api.json() && doc->root().find("streams")) {
      complain("of a stored output it is not known which line is of which stream");
    } else if (!api.json() && !is_end) {
      complain("some of the output may be missing here");
    }
    return std::fflush(stdout) == 0 && !is_end;
  });
}

int logs(api_client& api, const word_list& words) {
  if (words.has("--follow")) return follow(api, words);
  auto query = query_of_logs(words);
  if (!query.empty()) query.front() = '?';
  return api.download(logs_of(words.plain[1]) + query);
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
      split_words(words, {"--status", "--run", "--limit", "--reason", "--attempt", "--stream"},
                  {"--quarantined", "--follow"});
  if (!options.problem.empty()) return usage_error(options.problem);
  const auto& plain = options.plain;
  api_client api(config.values, client);
  if (plain.size() == 1 && plain[0] == "list") return list_jobs(api, options);
  if (plain.size() != 2) return usage_error(help_of_jobs);
  if (plain[0] == "show")
    return show_one(api, api.call("GET", "/api/jobs/" + path_segment(plain[1])));
  if (plain[0] == "logs") return logs(api, options);
  if (plain[0] == "retry" || plain[0] == "discard") return decide(api, options);
  return usage_error(help_of_jobs);
}

}  // namespace reeve::cli
