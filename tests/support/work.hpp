#pragma once
// What many acceptance tests do alike: say what is to be run, launch it, and wait for its end.

#include "tests/support/api_client.hpp"
#include "tests/support/pg.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace support {

/// A run of one of Reeve's own tasks.
inline const nlohmann::json launch_body = {{"tasks", {"task1"}}};
/// An id that nothing has.
inline constexpr const char* nobody = "0190a000-0000-7000-8000-000000000000";

/// The image that ./test gives to the common engine.
inline constexpr const char* box_image = "localhost:1/box:1";

/// A container task of the box image. `params` are merged into its parameters, `more` into itself.
nlohmann::json box_task(const std::string& name, const std::vector<std::string>& command,
                        const nlohmann::json& params = nlohmann::json::object(),
                        const nlohmann::json& more = nlohmann::json::object());
/// The same with `sh -c`.
nlohmann::json shell_task(const std::string& name, const std::string& script,
                          const nlohmann::json& params = nlohmann::json::object(),
                          const nlohmann::json& more = nlohmann::json::object());
/// {"directive": {"name": "test", "tasks", "limits"}}, for a launch.
nlohmann::json inline_launch(const std::vector<nlohmann::json>& tasks,
                             const nlohmann::json& limits = nlohmann::json::object());

/// Posts and returns the body; throws with the answer unless its status is `status`.
nlohmann::json must_post(const api_client& api, const std::string& target,
                         const nlohmann::json& body, int status);
/// Gets a document; throws unless it is there.
nlohmann::json must_get(const api_client& api, const std::string& target);
/// Puts an image on the allowlist; the entry.
nlohmann::json allow_image(const api_client& api, const std::string& reference = box_image);
/// The 201 of a launch.
nlohmann::json launch(const api_client& api, const nlohmann::json& body);
/// The run's detail once it is over; throws with the detail when it is not in time.
nlohmann::json await_run(const api_client& api, const std::string& run,
                         std::chrono::milliseconds deadline = std::chrono::seconds(60));
/// The run's detail as soon as its job `job` has that status; throws when it is over before, or
/// not in time.
nlohmann::json await_job(const api_client& api, const std::string& run, const std::string& job,
                         const std::string& status,
                         std::chrono::milliseconds deadline = std::chrono::seconds(60));
/// The same, as soon as the newest attempt of the job has started: `running` begins with the
/// intent.
nlohmann::json await_started(const api_client& api, const std::string& run, const std::string& job,
                             std::chrono::milliseconds deadline = std::chrono::seconds(60));
bool is_over(const nlohmann::json& run);
/// The job of a run's detail (or of a launch's answer) by the name of its task.
nlohmann::json job_named(const nlohmann::json& run, const std::string& name);
/// The stored output of a job.
std::string log_of(const api_client& api, const std::string& job);

/// The pointer of the first error of a problem document; empty when it has none.
std::string pointer_of(const http_response& problem);
/// The tenant of the client's token.
std::string tenant_of(const api_client& api);
/// A new token of that role.
std::string new_token(const api_client& admin, const std::string& role);
/// Without the members that are null: documents spell them out, events leave them out.
nlohmann::json without_nulls(const nlohmann::json& value);
/// How many events the tenant has. What the server does for itself is not among them, nor are
/// denials.
long long events_of(pg& database, const std::string& tenant);

}  // namespace support
