#include "cli/client.hpp"
#include "cli/output.hpp"
#include "codec/json_writer.hpp"

#include <chrono>
#include <cstdio>
#include <thread>

namespace reeve::cli {
namespace {

using adapters::path_segment;

/// A server that is restarted is back within this time, or nobody restarts it.
constexpr int patience_s = 60;

constexpr const char* help_of_runs =
    "runs needs one of launch, list, show ID, wait ID, cancel ID, retry ID, logs ID, "
    "artifacts JOB [NAME]: reeve help runs";

/// The body of a launch from options; `problem` says what is wrong with them.
std::string launch_body(const word_list& words, std::string& problem) {
  codec::json_writer out;
  out.begin_object();
  if (const auto id = words.option("--directive")) out.key("directive_id").value(*id);
  if (words.has("--label")) {
    out.key("labels").begin_object();
    for (const auto& label : words.all("--label")) {
      const auto sign = label.find('=');
      if (sign == std::string::npos || sign == 0) problem = "--label is KEY=VALUE";
      out.key(label.substr(0, sign));
      out.value(sign == std::string::npos ? "" : label.substr(sign + 1));
    }
    out.end_object();
  }
  if (const auto since = words.option("--since")) out.key("since").value(*since);
  if (words.has("--task")) {
    out.key("tasks").begin_array();
    for (const auto& task : words.all("--task")) out.value(task);
    out.end_array();
  }
  return out.end_object().take();
}

/// A file is sent as it is, so nothing may be added to it.
std::string request_body(const word_list& words, std::string& problem) {
  if (!words.has("--file")) return launch_body(words, problem);
  for (const char* other : {"--directive", "--label", "--since", "--task"}) {
    if (words.has(other)) problem = std::string("--file holds the whole request, without ") + other;
  }
  if (!problem.empty()) return {};
  auto body = read_body(*words.option("--file"));
  if (body) return std::move(*body);
  problem = "--file: " + body.error().detail;
  return {};
}

bool is_over(const std::string& status) {
  return status == "success" || status == "failed" || status == "partial" || status == "cancelled";
}

std::string progress_of(const codec::json_node& run) {
  std::string text = member_text(run, "status");
  const auto counts = run.find("jobs_by_status");
  if (!counts || !counts->is_object()) return text;
  for (std::size_t i = 0; i < counts->member_count(); ++i) {
    const auto count = counts->member_value(i).text();
    if (count == "0") continue;
    text += ", " + count + " " + std::string(counts->member_key(i));
  }
  return text;
}

/// Polls with growing pauses until the run is over; says on stderr what changed.
int wait_for(api_client& api, const std::string& id) {
  using namespace std::chrono_literals;
  std::string told;
  for (auto pause = 20ms;; pause = std::min(pause * 2, 1000ms)) {
    auto answer = api.get_patiently("/api/runs/" + path_segment(id), patience_s);
    if (answer.code != exit_ok) return answer.code;
    auto doc = parse_answer(answer.body);
    if (!doc) return usage_error("the server's answer is no run");
    const auto status = member_text(doc->root(), "status");
    if (is_over(status)) {
      api.json() ? print_json(answer.body) : print_line(doc->root(), {"id", "status"});
      return status == "success" ? exit_ok : exit_run_failed;
    }
    const auto now = progress_of(doc->root());
    if (!api.json() && now != told) std::fputs((printable(now) + "\n").c_str(), stderr);
    told = now;
    std::this_thread::sleep_for(pause);
  }
}

int launched(api_client& api, const api_client::answer& answer, bool wait) {
  if (answer.code != exit_ok) return answer.code;
  auto doc = parse_answer(answer.body);
  if (!doc) return usage_error("the server's answer is no run");
  if (wait) return wait_for(api, member_text(doc->root(), "id"));
  api.json() ? print_json(answer.body) : print_line(doc->root(), {"id"});
  return exit_ok;
}

int launch(api_client& api, const word_list& words) {
  std::string problem;
  const auto body = request_body(words, problem);
  if (!problem.empty()) return usage_error(problem);
  return launched(api, api.call("POST", "/api/runs/launch", body), words.has("--wait"));
}

int list_runs(api_client& api, const word_list& words) {
  std::string query;
  for (const std::string name : {"status", "directive", "label"}) {
    const auto value = words.option("--" + name);
    if (value) query += "&" + name + "=" + path_segment(*value);
  }
  const auto answer = api.list("/api/runs", query, words.option("--limit").value_or("50"));
  return show_rows(
      api, answer,
      {"id", "status", "directive_name", "job_count", "engine", "created_at", "finished_at"});
}

int show_run(api_client& api, const std::string& id) {
  const auto answer = api.call("GET", "/api/runs/" + path_segment(id));
  if (answer.code != exit_ok) return answer.code;
  const auto doc = parse_answer(answer.body);
  if (api.json() || !doc) {
    print_json(answer.body);
    return exit_ok;
  }
  print_members(doc->root(),
                {"id", "status", "directive_name", "directive_version", "engine", "retry_of",
                 "since", "labels", "created_by", "created_at", "started_at", "finished_at"});
  print_items(doc->root(), "jobs",
              {"id", "name", "task", "status", "reason", "attempt", "started_at", "finished_at"});
  return exit_ok;
}

int cancel(api_client& api, const std::string& id) {
  const auto answer = api.call("POST", "/api/runs/" + path_segment(id) + "/cancel");
  if (answer.code != exit_ok) return answer.code;
  const auto doc = parse_answer(answer.body);
  if (api.json() || !doc) {
    print_json(answer.body);
  } else {
    print_line(doc->root(), {"id", "status"});
  }
  return exit_ok;
}

int artifacts(api_client& api, const std::vector<std::string>& plain) {
  const auto path = "/api/jobs/" + path_segment(plain[1]) + "/artifacts";
  if (plain.size() == 3) return api.download(path + "/" + path_segment(plain[2]));
  return show_rows(api, api.call("GET", path), {"name", "media_type", "bytes", "sha256"});
}

/// `stream`: as it was asked for, if it was.
std::string logs_path(const std::string& job, const std::optional<std::string>& stream) {
  return "/api/jobs/" + path_segment(job) + "/logs" +
         (stream ? "?stream=" + path_segment(*stream) : std::string());
}

/// The output of a run's jobs, one after the other, each under its name. Nothing: there is no such
/// run.
std::optional<int> logs_of_run(api_client& api, const std::string& run,
                               const std::optional<std::string>& stream) {
  const auto found = api.find("/api/runs/" + path_segment(run));
  if (!found) return std::nullopt;
  if (found->code != exit_ok) return found->code;
  const auto doc = parse_answer(found->body);
  const auto jobs = doc && doc->root().is_object() ? doc->root().find("jobs") : std::nullopt;
  if (!jobs || !jobs->is_array()) return usage_error("the server's answer is no run");
  int code = exit_ok;
  for (std::size_t i = 0; i < jobs->size(); ++i) {
    const auto id = member_text(jobs->at(i), "id");
    std::printf("%s==> %s, job %s <==\n", i == 0 ? "" : "\n",
                printable(member_text(jobs->at(i), "name")).c_str(), printable(id).c_str());
    std::fflush(stdout);
    if (const int one = api.download(logs_path(id, stream)); code == exit_ok) code = one;
  }
  return code;
}

int logs(api_client& api, const std::string& id, const std::optional<std::string>& stream) {
  return api.download(logs_path(id, stream), [&] { return logs_of_run(api, id, stream); });
}

}  // namespace

int runs(const loaded_config& config, const client_options& client,
         const std::vector<std::string>& words) {
  const auto options = split_words(
      words,
      {"--directive", "--task", "--file", "--since", "--label", "--status", "--limit", "--stream"},
      {"--wait"});
  if (!options.problem.empty()) return usage_error(options.problem);
  const auto& plain = options.plain;
  if (plain.empty()) return usage_error(help_of_runs);
  api_client api(config.values, client);
  const auto& action = plain[0];
  if (plain.size() == 1 && action == "launch") return launch(api, options);
  if (plain.size() == 1 && action == "list") return list_runs(api, options);
  if ((plain.size() == 2 || plain.size() == 3) && action == "artifacts") {
    return artifacts(api, plain);
  }
  if (plain.size() != 2) return usage_error(help_of_runs);
  if (action == "show") return show_run(api, plain[1]);
  if (action == "wait") return wait_for(api, plain[1]);
  if (action == "cancel") return cancel(api, plain[1]);
  if (action == "logs") return logs(api, plain[1], options.option("--stream"));
  if (action != "retry") return usage_error(help_of_runs);
  return launched(api, api.call("POST", "/api/runs/" + path_segment(plain[1]) + "/retry"), false);
}

}  // namespace reeve::cli
