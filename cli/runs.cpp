#include "adapters/rest_client.hpp"
#include "cli/client.hpp"
#include "codec/json_writer.hpp"

#include <chrono>
#include <cstdio>
#include <thread>

namespace reeve::cli {
namespace {

using adapters::path_segment;

constexpr const char* help =
    "reeve runs launch [--directive ID] [--task KIND]… [--file FILE] [--since TIME|last_success]\n"
    "                  [--label KEY=VALUE]… [--wait]\n"
    "reeve runs list [--status STATUS] [--directive ID] [--limit N]\n"
    "reeve runs show ID · cancel ID · retry ID · logs JOB · artifacts JOB [NAME]";

/// The body of a launch from options; a file is sent as it is.
std::optional<std::string> launch_body(const word_list& words) {
  if (const auto file = words.option("--file")) return read_text(*file);
  codec::json_writer out;
  out.begin_object();
  if (const auto id = words.option("--directive")) out.key("directive_id").value(*id);
  if (words.has("--label")) {
    out.key("labels").begin_object();
    const auto [begin, end] = words.options.equal_range("--label");
    for (auto it = begin; it != end; ++it) {
      const auto sign = it->second.find('=');
      if (sign == std::string::npos) return std::nullopt;
      out.key(it->second.substr(0, sign)).value(it->second.substr(sign + 1));
    }
    out.end_object();
  }
  if (const auto since = words.option("--since")) out.key("since").value(*since);
  if (words.has("--task")) {
    out.key("tasks").begin_array();
    const auto [begin, end] = words.options.equal_range("--task");
    for (auto it = begin; it != end; ++it) out.value(it->second);
    out.end_array();
  }
  return out.end_object().take();
}

bool is_over(const std::string& status) {
  return status == "success" || status == "failed" || status == "partial" || status == "cancelled";
}

/// Polls with growing pauses until the run is over.
int wait_for(api_client& api, const std::string& id) {
  using namespace std::chrono_literals;
  for (auto pause = 20ms;; pause = std::min(pause * 2, 1000ms)) {
    auto answer = api.call("GET", "/api/runs/" + path_segment(id));
    if (answer.code != exit_ok) return answer.code;
    auto doc = parse_answer(answer.body);
    if (!doc) return exit_unreachable;
    const auto status = member_text(doc->root(), "status");
    if (is_over(status)) {
      api.json() ? print_json(answer.body) : (void)std::puts((id + "  " + status).c_str());
      return status == "success" ? exit_ok : exit_run_failed;
    }
    std::this_thread::sleep_for(pause);
  }
}

int launch(api_client& api, const word_list& words) {
  const auto body = launch_body(words);
  if (!body) return usage_error("the launch's file or labels cannot be read");
  auto answer = api.call("POST", "/api/runs/launch", *body);
  if (answer.code != exit_ok) return answer.code;
  auto doc = parse_answer(answer.body);
  if (!doc) return exit_unreachable;
  const auto id = member_text(doc->root(), "id");
  if (words.has("--wait")) return wait_for(api, id);
  api.json() ? print_json(answer.body) : (void)std::puts(id.c_str());
  return exit_ok;
}

int list(api_client& api, const word_list& words) {
  std::string path = "/api/runs?limit=" + words.option("--limit").value_or("50");
  for (const char* name : {"status", "directive"}) {
    const auto value = words.option(std::string("--") + name);
    if (value) path += std::string("&") + name + "=" + path_segment(*value);
  }
  auto answer = api.call("GET", path);
  if (answer.code != exit_ok) return answer.code;
  if (api.json()) {
    print_json(answer.body);
  } else {
    print_table(answer.body, {"id", "status", "directive_name", "job_count", "engine", "created_at",
                              "finished_at"});
  }
  return exit_ok;
}

int show(api_client& api, const std::string& id) {
  auto answer = api.call("GET", "/api/runs/" + path_segment(id));
  if (answer.code != exit_ok) return answer.code;
  auto doc = parse_answer(answer.body);
  if (api.json() || !doc) {
    print_json(answer.body);
    return exit_ok;
  }
  for (const char* name : {"id", "status", "directive_name", "directive_version", "engine",
                           "created_at", "started_at", "finished_at"}) {
    std::printf("%-18s %s\n", name, member_text(doc->root(), name).c_str());
  }
  std::puts("");
  const auto jobs = doc->root().find("jobs");
  if (jobs) {
    print_table("{\"results\":" + jobs->text() + "}",
                {"id", "name", "task", "status", "reason", "attempt"});
  }
  return exit_ok;
}

int post(api_client& api, const std::string& path) {
  auto answer = api.call("POST", path);
  if (answer.code != exit_ok) return answer.code;
  auto doc = parse_answer(answer.body);
  if (api.json() || !doc) {
    print_json(answer.body);
  } else {
    std::puts((member_text(doc->root(), "id") + "  " + member_text(doc->root(), "status")).c_str());
  }
  return exit_ok;
}

int fetch(api_client& api, const std::string& path) {
  auto answer = api.call("GET", path);
  if (answer.code == exit_ok) std::fwrite(answer.body.data(), 1, answer.body.size(), stdout);
  return answer.code;
}

int artifacts(api_client& api, const word_list& words) {
  const auto path = "/api/jobs/" + path_segment(words.plain[1]) + "/artifacts";
  if (words.plain.size() == 3) return fetch(api, path + "/" + path_segment(words.plain[2]));
  auto answer = api.call("GET", path);
  if (answer.code != exit_ok) return answer.code;
  if (api.json()) {
    print_json(answer.body);
  } else {
    print_table(answer.body, {"name", "media_type", "bytes", "sha256"});
  }
  return exit_ok;
}

}  // namespace

int runs(const loaded_config& config, const client_options& client,
         const std::vector<std::string>& words) {
  auto list_of = split_words(
      words, {"--directive", "--task", "--file", "--since", "--label", "--status", "--limit"},
      {"--wait"});
  if (!list_of.problem.empty()) return usage_error(list_of.problem);
  const auto& plain = list_of.plain;
  if (plain.empty()) return usage_error(help);
  api_client api(config.values, client);
  if (plain[0] == "launch" && plain.size() == 1) return launch(api, list_of);
  if (plain[0] == "list" && plain.size() == 1) return list(api, list_of);
  if (plain[0] == "artifacts" && (plain.size() == 2 || plain.size() == 3)) {
    return artifacts(api, list_of);
  }
  if (plain.size() != 2) return usage_error(help);
  const auto id = path_segment(plain[1]);
  if (plain[0] == "show") return show(api, plain[1]);
  if (plain[0] == "wait") return wait_for(api, plain[1]);
  if (plain[0] == "cancel") return post(api, "/api/runs/" + id + "/cancel");
  if (plain[0] == "retry") return post(api, "/api/runs/" + id + "/retry");
  if (plain[0] == "logs") return fetch(api, "/api/jobs/" + id + "/logs");
  return usage_error(help);
}

}  // namespace reeve::cli
