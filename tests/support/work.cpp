#include "tests/support/work.hpp"

#include "tests/support/environment.hpp"
#include "tests/support/eventually.hpp"

#include <stdexcept>

namespace support {

namespace {

[[noreturn]] void fail(const std::string& what, const http_response& answer) {
  throw std::runtime_error(what + ": " + std::to_string(answer.status) + " " + answer.body);
}

}  // namespace

nlohmann::json box_task(const std::string& name, const std::vector<std::string>& command,
                        const nlohmann::json& params, const nlohmann::json& more) {
  nlohmann::json task = {{"kind", "container"},
                         {"name", name},
                         {"params", {{"image", box_image}, {"command", command}}}};
  if (params.is_object()) task["params"].update(params);
  if (more.is_object()) task.update(more);
  return task;
}

nlohmann::json shell_task(const std::string& name, const std::string& script,
                          const nlohmann::json& params, const nlohmann::json& more) {
  return box_task(name, {"sh", "-c", script}, params, more);
}

nlohmann::json inline_launch(const std::vector<nlohmann::json>& tasks,
                             const nlohmann::json& limits) {
  return {{"directive", {{"name", "test"}, {"tasks", tasks}, {"limits", limits}}}};
}

nlohmann::json must_post(const api_client& api, const std::string& target,
                         const nlohmann::json& body, int status) {
  const auto answer = api.post(target, body);
  if (answer.status != status) fail("POST " + target, answer);
  return answer.json();
}

nlohmann::json must_get(const api_client& api, const std::string& target) {
  const auto answer = api.get(target);
  if (answer.status != 200) fail("GET " + target, answer);
  return answer.json();
}

nlohmann::json allow_image(const api_client& api, const std::string& reference) {
  return must_post(api, "/api/allowlists/images", {{"reference", reference}}, 201);
}

nlohmann::json launch(const api_client& api, const nlohmann::json& body) {
  return must_post(api, "/api/runs/launch", body, 201);
}

bool is_over(const nlohmann::json& run) {
  const auto status = run.at("status").get<std::string>();
  return status != "pending" && status != "running";
}

nlohmann::json await_run(const api_client& api, const std::string& run,
                         std::chrono::milliseconds deadline) {
  nlohmann::json detail;
  const bool over = eventually(deadline * time_factor(), [&] {
    detail = must_get(api, "/api/runs/" + run);
    return is_over(detail);
  });
  if (!over) {
    const auto events = must_get(api, "/api/events?limit=100&stream=run-" + run);
    throw std::runtime_error("the run does not end: " + detail.dump(1) + events.dump(1));
  }
  return detail;
}

nlohmann::json await_job(const api_client& api, const std::string& run, const std::string& job,
                         const std::string& status, std::chrono::milliseconds deadline) {
  nlohmann::json detail;
  bool there = false;
  eventually(deadline * time_factor(), [&] {
    detail = must_get(api, "/api/runs/" + run);
    there = job_named(detail, job).at("status") == status;
    return there || is_over(detail);
  });
  if (!there) throw std::runtime_error(job + " does not become " + status + ": " + detail.dump(1));
  return detail;
}

nlohmann::json await_started(const api_client& api, const std::string& run, const std::string& job,
                             std::chrono::milliseconds deadline) {
  nlohmann::json detail;
  bool started = false;
  eventually(deadline * time_factor(), [&] {
    detail = must_get(api, "/api/runs/" + run);
    const nlohmann::json attempts = job_named(detail, job).at("attempts");
    started = !attempts.empty() && !attempts.back().at("started_at").is_null();
    return started || is_over(detail);
  });
  if (!started) throw std::runtime_error(job + " does not start: " + detail.dump(1));
  return detail;
}

nlohmann::json job_named(const nlohmann::json& run, const std::string& name) {
  for (const auto& job : run.at("jobs")) {
    if (job.at("name") == name) return job;
  }
  throw std::runtime_error("there is no job " + name + ": " + run.dump(1));
}

std::string log_of(const api_client& api, const std::string& job) {
  const auto answer = api.get("/api/jobs/" + job + "/logs");
  if (answer.status != 200) fail("the log of " + job, answer);
  return answer.body;
}

std::string pointer_of(const http_response& problem) {
  const auto body = problem.json();
  if (!body.contains("errors") || body.at("errors").empty()) return {};
  return body.at("errors").at(0).at("pointer");
}

std::string tenant_of(const api_client& api) {
  return must_get(api, "/api/whoami").at("tenant");
}

std::string new_token(const api_client& admin, const std::string& role) {
  return must_post(admin, "/api/tokens", {{"name", role + "-test"}, {"role", role}}, 201)
      .at("token");
}

nlohmann::json without_nulls(const nlohmann::json& value) {
  if (!value.is_structured()) return value;
  nlohmann::json kept = value.is_array() ? nlohmann::json::array() : nlohmann::json::object();
  for (const auto& [key, member] : value.items()) {
    if (value.is_array()) kept.push_back(without_nulls(member));
    if (value.is_object() && !member.is_null()) kept[key] = without_nulls(member);
  }
  return kept;
}

long long events_of(pg& database, const std::string& tenant) {
  return database.number(
      "SELECT count(*) FROM reeve.events WHERE tenant = $1::uuid AND type <> 'access_denied'",
      {tenant});
}

}  // namespace support
