#include "tests/support/route_questions.hpp"

namespace support {
namespace {

using asked = std::map<std::string, std::vector<question>>;

constexpr const char* directive_body = R"({"name":"mine","tasks":["task2"]})";

std::string launch_of(const std::string& kind, const std::string& params) {
  return R"({"tasks":[{"kind":")" + kind + R"(","params":)" + params + "}]}";
}

asked of_runs() {
  const std::string all = "/api/runs", one = all + "/{run}";
  return {{"GET /api/runs",
           {{all},
            {all + "?limit=500"},
            {all + "?status=running"},
            {all + "?directive={directive}"},
            {all + "?retry_of={run}"},
            {all + "?label=team:{label}"},
            {all + "?since=last_success&directive={directive}"},
            {all + "?limit=1&cursor={cursor}"}}},
          {"GET /api/runs/{id}", {{one}, {all + "/{long}"}}},
          {"GET /api/runs/{id}/jobs", {{one + "/jobs"}}},
          {"POST /api/runs/launch",
           {{all + "/launch", R"({"directive_id":"{directive}"})"},
            {all + "/launch", launch_of("container", R"({"image":"{image_name}"})")},
            {all + "/launch",
             launch_of("container", R"({"image":"mine:1","env":{"A":{"secret":"{secret}"}}})")},
            {all + "/launch", launch_of("log_triage", R"({"containers":["{container_name}"]})")}}},
          {"POST /api/runs/{id}/cancel", {{one + "/cancel", "{}"}}},
          {"POST /api/runs/{id}/retry", {{one + "/retry", "{}"}, {one + "/retry", R"({"no":1})"}}}};
}

asked of_jobs() {
  const std::string all = "/api/jobs", one = all + "/{job}";
  const std::string call = R"({"model_name":"m","prompt_tokens":1,"completion_tokens":1})";
  return {{"GET /api/jobs", {{all}, {all + "?limit=500"}, {all + "?run={run}"}}},
          {"GET /api/jobs/{id}", {{one}}},
          {"GET /api/jobs/{id}/logs",
           {{one + "/logs"}, {one + "/logs?attempt=1"}, {one + "/logs?stream=stderr"}}},
          {"GET /api/jobs/{id}/logs/stream", {{one + "/logs/stream"}}},
          {"GET /api/jobs/{id}/artifacts", {{"/api/jobs/{triage}/artifacts"}}},
          {"GET /api/jobs/{id}/artifacts/{name}",
           {{"/api/jobs/{triage}/artifacts/log_triage.json"},
            {"/api/jobs/{triage}/artifacts/log_triage.md"}}},
          {"GET /api/jobs/{id}/llm-calls", {{one + "/llm-calls"}}},
          {"POST /api/jobs/{id}/llm-calls", {{one + "/llm-calls", call}}},
          {"POST /api/jobs/{id}/retry", {{one + "/retry", "{}"}}},
          {"POST /api/jobs/{id}/discard", {{one + "/discard", R"({"no":1})"}}}};
}

asked of_logs() {
  const std::string all = "/api/logs?q=o";
  return {{"GET /api/logs",
           {{all},
            {all + "&ignore_case=true&limit=500"},
            {all + "&stream=stdout"},
            {all + "&run={run}"},
            {all + "&job={job}"},
            {all + "&directive={directive}"}}}};
}

asked of_llm() {
  const std::string all = "/api/llm-usage", budgets = "/api/llm-budgets";
  const std::string call = R"({"model":"m","input":"x"})";
  return {
      {"GET /api/llm-usage",
       {{all},
        {all + "?group_by=model"},
        {all + "?group_by=run"},
        {all + "?group_by=directive&limit=500"},
        {all + "?run={run}"},
        {all + "?directive={directive}"}}},
      {"GET /api/inference/routes", {{"/api/inference/routes"}, {"/api/inference/routes?model=m"}}},
      {"POST /llm/v1/chat/completions", {{"/llm/v1/chat/completions", call}}},
      {"POST /llm/v1/completions", {{"/llm/v1/completions", call}}},
      {"POST /llm/v1/embeddings", {{"/llm/v1/embeddings", call}}},
      {"GET /llm/v1/models", {{"/llm/v1/models"}}},
      {"GET /api/llm-budgets", {{budgets}, {budgets + "?is_active=true"}}},
      {"GET /api/llm-budgets/{name}", {{budgets + "/{budget}"}}},
      {"PUT /api/llm-budgets/{name}", {{budgets + "/mine", R"({"period":"day","most_tokens":1})"}}},
      {"DELETE /api/llm-budgets/{name}", {{budgets + "/{budget}"}}}};
}

asked of_secrets() {
  const std::string all = "/api/secrets";
  return {{"GET /api/secrets", {{all}, {all + "?is_active=true"}}},
          {"GET /api/secrets/{name}", {{all + "/{secret}"}}},
          {"PUT /api/secrets/{name}", {{all + "/mine", R"({"value":"long enough"})"}}},
          {"DELETE /api/secrets/{name}", {{all + "/{secret}"}}}};
}

asked of_directives() {
  const std::string all = "/api/directives", one = all + "/{directive}";
  return {{"GET /api/directives", {{all}, {all + "?name={directive_name}"}}},
          {"POST /api/directives", {{all, directive_body}}},
          {"GET /api/directives/{id}", {{one}}},
          {"PUT /api/directives/{id}", {{one, directive_body}, {one, R"({"no":1})"}}},
          {"POST /api/directives/{id}/versions", {{one + "/versions", directive_body}}},
          {"GET /api/directives/{id}/versions", {{one + "/versions"}}},
          {"GET /api/directives/{id}/versions/{version}", {{one + "/versions/1"}}},
          {"POST /api/directives/{id}/archive", {{one + "/archive", "{}"}}}};
}

asked of_allowlist(const std::string& kind, const std::string& id, const std::string& entry) {
  const std::string all = "/api/allowlists/" + kind, one = all + "/" + id;
  const std::string each = all + "/{id}";
  return {{"GET " + all, {{all}, {all + "?is_active=true"}}},
          {"POST " + all, {{all, entry}}},
          {"GET " + each, {{one}}},
          {"DELETE " + each, {{one}}},
          {"POST " + each + "/deactivate", {{one + "/deactivate", "{}"}}}};
}

asked of_tokens() {
  const std::string all = "/api/tokens", one = all + "/{token}";
  return {{"GET /api/tokens", {{all}, {all + "?is_active=true"}}},
          {"POST /api/tokens", {{all, R"({"name":"mine","role":"viewer"})"}}},
          {"GET /api/tokens/{id}", {{one}}},
          {"POST /api/tokens/{id}/revoke", {{one + "/revoke", "{}"}}},
          {"GET /api/whoami", {{"/api/whoami"}}}};
}

/// Of the stream only what is refused: what it gives has no end.
asked of_events() {
  const std::string all = "/api/events";
  return {{"GET /api/events",
           {{all},
            {all + "?limit=500"},
            {all + "?limit=500&order=desc"},
            {all + "?type=token_created"},
            {all + "?type=access_denied"},
            {all + "?stream=run-{run}"},
            {all + "?stream=directive-{directive}"},
            {all + "?stream=access-{tenant}"},
            {all + "?principal=token:{token}"},
            {all + "?correlation_id={run}"},
            {all + "?tenant={tenant}"}}},
          {"GET /api/events/{position}",
           {{all + "/{position}"}, {all + "/{position}?tenant={tenant}"}}},
          {"GET /api/events/stream", {{all + "/stream?tenant={tenant}", "", false}}}};
}

asked of_the_server() {
  return {{"GET /api/checkpoints", {{"/api/checkpoints"}}},
          {"POST /api/checkpoints", {{"/api/checkpoints", "{}"}}},
          {"GET /api/engine", {{"/api/engine"}}},
          {"GET /api/agents", {{"/api/agents"}}},
          {"GET /livez", {{"/livez"}}},
          {"GET /readyz", {{"/readyz"}, {"/readyz?verbose"}}},
          {"GET /metrics", {{"/metrics", "", false}}},
          {"GET /api/openapi.json", {{"/api/openapi.json"}}}};
}

}  // namespace

question question::about(const things& those) const {
  question q = *this;
  for (const auto& [name, value] : those) {
    const std::string place = "{" + name + "}";
    for (auto* text : {&q.target, &q.body}) {
      for (auto at = text->find(place); at != std::string::npos; at = text->find(place, at)) {
        text->replace(at, place.size(), value);
        at += value.size();
      }
    }
  }
  return q;
}

std::vector<std::string> question::named(const things& those) const {
  std::vector<std::string> all;
  for (const auto& [name, value] : those) {
    if ((target + body).find("{" + name + "}") != std::string::npos) all.push_back(value);
  }
  return all;
}

const std::map<std::string, std::vector<question>>& route_questions() {
  static const asked all = [] {
    asked made;
    for (auto& part : {of_runs(), of_jobs(), of_logs(), of_llm(), of_secrets(), of_directives(),
                       of_tokens(), of_events(), of_the_server(),
                       of_allowlist("images", "{image}", R"({"reference":"mine:1"})"),
                       of_allowlist("containers", "{container}", R"({"name":"mine"})")}) {
      made.insert(part.begin(), part.end());
    }
    made.insert({"POST /api/allowlists/images/{id}/resolve",
                 {{"/api/allowlists/images/{image}/resolve", "{}"}}});
    return made;
  }();
  return all;
}

}  // namespace support
