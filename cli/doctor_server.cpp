// What the server of the data folder says of itself: the doctor may have been told nothing but the
// folder, while whoever started the server gave it an address and an engine.

#include "adapters/rest_client.hpp"
#include "cli/config_file.hpp"
#include "cli/database.hpp"
#include "cli/doctor.hpp"
#include "cli/output.hpp"

#include <algorithm>

namespace reeve::cli {
namespace {

constexpr std::int64_t most_s = 3;

std::optional<codec::json_doc> ask(const std::string& url, const std::string& token = {}) {
  adapters::rest_request request;
  request.url = url;
  request.token = token;
  request.timeout_s = most_s;
  const auto answer = adapters::call_rest(request);
  if (!answer || answer->status != 200) return std::nullopt;
  auto doc = parse_answer(answer->body);
  if (!doc || !doc->root().is_object()) return std::nullopt;
  return std::move(*doc);
}

bool is_default(const loaded_config& config, const std::string& name) {
  return std::any_of(config.rows.begin(), config.rows.end(), [&](const config_row& row) {
    return row.name == name && row.origin == "default";
  });
}

finding away(const std::string& url) {
  return {"engine", "fail", "the server at " + url + " has one that does not answer",
          "is dockerd running, and not frozen?"};
}

finding simulated(const std::string& url) {
  return {"engine", "warn", "the server at " + url + " simulates it: no container really runs",
          "start it with REEVE_DOCKER=auto or unix:///path where containers are to run"};
}

/// Readiness tells everybody which kind it is and whether it answers, and no more.
std::optional<finding> engine_as_everybody_sees(const std::string& url) {
  const auto ready = ask(url + "/readyz?verbose");
  const auto checks = ready ? ready->root().find("checks") : std::nullopt;
  if (!checks || !checks->is_array()) return std::nullopt;
  for (std::size_t i = 0; i < checks->size(); ++i) {
    if (member_text(checks->at(i), "name") != "engine") continue;
    if (member_text(checks->at(i), "ok") != "true") return away(url);
    const auto kind = member_text(checks->at(i), "note");
    if (kind == "simulated") return simulated(url);
    return finding{"engine", "ok", kind + ", as the server at " + url + " says", ""};
  }
  return std::nullopt;
}

}  // namespace

std::string own_server(const loaded_config& config) {
  if (!is_default(config, "listen") && !config.values.listen.ends_with(":0")) return {};
  const auto url = leading_server(config.values);
  if (url.empty()) return {};
  const auto alive = ask(url + "/livez");
  return alive && member_text(alive->root(), "status") == "alive" ? url : std::string();
}

std::optional<finding> engine_of_server(const loaded_config& config, const std::string& url) {
  if (url.empty() || !is_default(config, "docker")) return std::nullopt;
  // The look at it took its time, and the port of one that has left is anybody's.
  if (leading_server(config.values) != url) return std::nullopt;
  const auto token = read_secret_file(token_file(config.values));
  const auto told = token.empty() ? std::nullopt : ask(url + "/api/engine", token);
  if (!told) return engine_as_everybody_sees(url);
  const auto root = told->root();
  if (member_text(root, "available") != "true") return away(url);
  if (member_text(root, "engine") == "simulated") return simulated(url);
  adapters::engine_version version;
  version.version = member_text(root, "version");
  version.api_version = member_text(root, "api_version");
  version.live_restore = member_text(root, "live_restore") == "true";
  return judge_engine(version, "as the server at " + url + " says");
}

}  // namespace reeve::cli
