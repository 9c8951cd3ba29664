#pragma once
// The documents that readers get: one struct per resource, rendered from an aggregate's state by a
// pure function. Rows of the read models hold their JSON.

#include "domain/access/access.hpp"
#include "domain/access/allowlist.hpp"
#include "domain/runs/directive.hpp"
#include "domain/runs/llm.hpp"
#include "domain/runs/run.hpp"

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace reeve::domain {

struct directive_document {
  uuid id;
  std::string name;
  std::string description;
  std::int64_t version = 0;
  bool is_default = false;
  bool is_archived = false;
  std::vector<task_spec> tasks;
  directive_limits limits;
  label_map labels;
  timestamp created_at;
  timestamp updated_at;
  static constexpr auto fields() {
    return std::tuple{field("id", &directive_document::id),
                      field("name", &directive_document::name),
                      field("description", &directive_document::description),
                      field("version", &directive_document::version),
                      field("is_default", &directive_document::is_default),
                      field("is_archived", &directive_document::is_archived),
                      field("tasks", &directive_document::tasks),
                      field("limits", &directive_document::limits),
                      field("labels", &directive_document::labels),
                      field("created_at", &directive_document::created_at),
                      field("updated_at", &directive_document::updated_at)};
  }
};

struct image_document {
  uuid id;
  std::string reference;
  std::optional<std::string> digest;
  bool allow_host_network = false;
  bool is_active = true;
  std::string reason;
  std::string created_by;
  timestamp created_at;
  static constexpr auto fields() {
    return std::tuple{field("id", &image_document::id),
                      field("reference", &image_document::reference),
                      field("digest", &image_document::digest),
                      field("allow_host_network", &image_document::allow_host_network),
                      field("is_active", &image_document::is_active),
                      field("reason", &image_document::reason),
                      field("created_by", &image_document::created_by),
                      field("created_at", &image_document::created_at)};
  }
};

struct container_document {
  uuid id;
  std::optional<std::string> container_id;
  std::string name;
  bool is_active = true;
  std::string reason;
  std::string created_by;
  timestamp created_at;
  static constexpr auto fields() {
    return std::tuple{field("id", &container_document::id),
                      field("container_id", &container_document::container_id),
                      field("name", &container_document::name),
                      field("is_active", &container_document::is_active),
                      field("reason", &container_document::reason),
                      field("created_by", &container_document::created_by),
                      field("created_at", &container_document::created_at)};
  }
};

struct token_document {
  uuid id;
  std::string name;
  token_role role = token_role::viewer;
  bool is_active = true;
  std::string created_by;
  timestamp created_at;
  std::optional<timestamp> revoked_at;
  static constexpr auto fields() {
    return std::tuple{field("id", &token_document::id),
                      field("name", &token_document::name),
                      field("role", &token_document::role),
                      field("is_active", &token_document::is_active),
                      field("created_by", &token_document::created_by),
                      field("created_at", &token_document::created_at),
                      field("revoked_at", &token_document::revoked_at)};
  }
};

struct llm_call_document {
  uuid id;
  uuid job_id;
  uuid run_id;
  std::string model_name;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::int64_t total_tokens = 0;
  std::optional<std::int64_t> latency_ms;
  timestamp created_at;
  static constexpr auto fields() {
    return std::tuple{field("id", &llm_call_document::id),
                      field("job_id", &llm_call_document::job_id),
                      field("run_id", &llm_call_document::run_id),
                      field("model_name", &llm_call_document::model_name),
                      field("prompt_tokens", &llm_call_document::prompt_tokens),
                      field("completion_tokens", &llm_call_document::completion_tokens),
                      field("total_tokens", &llm_call_document::total_tokens),
                      field("latency_ms", &llm_call_document::latency_ms),
                      field("created_at", &llm_call_document::created_at)};
  }
};

struct run_document {
  uuid id;
  run_status status = run_status::pending;
  std::optional<uuid> directive_id;
  std::int64_t directive_version = 0;
  std::string directive_name;
  std::int64_t job_count = 0;
  std::map<std::string, std::int64_t> jobs_by_status;
  std::string engine;
  std::optional<uuid> retry_of;
  std::optional<std::string> since;
  bool cancel_requested = false;
  timestamp created_at;
  std::optional<timestamp> started_at;
  std::optional<timestamp> finished_at;
  std::string created_by;
  label_map labels;
  position at = 0;
  static constexpr auto fields() {
    return std::tuple{field("id", &run_document::id),
                      field("status", &run_document::status),
                      field("directive_id", &run_document::directive_id),
                      field("directive_version", &run_document::directive_version),
                      field("directive_name", &run_document::directive_name),
                      field("job_count", &run_document::job_count),
                      field("jobs_by_status", &run_document::jobs_by_status),
                      field("engine", &run_document::engine),
                      field("retry_of", &run_document::retry_of),
                      field("since", &run_document::since),
                      field("cancel_requested", &run_document::cancel_requested),
                      field("created_at", &run_document::created_at),
                      field("started_at", &run_document::started_at),
                      field("finished_at", &run_document::finished_at),
                      field("created_by", &run_document::created_by),
                      field("labels", &run_document::labels),
                      field("position", &run_document::at)};
  }
};

struct attempt_document {
  std::int64_t number = 0;
  std::optional<std::string> container_id;
  std::optional<std::string> container_name;
  std::optional<std::string> image;
  std::optional<std::string> image_digest;
  std::string engine;
  std::optional<std::string> engine_id;
  std::optional<std::string> node;
  std::optional<std::int64_t> exit_code;
  std::optional<end_reason> reason;
  bool oom_killed = false;
  std::optional<blob_ref> log;
  std::optional<timestamp> started_at;
  std::optional<timestamp> finished_at;
  static constexpr auto fields() {
    return std::tuple{field("number", &attempt_document::number),
                      field("container_id", &attempt_document::container_id),
                      field("container_name", &attempt_document::container_name),
                      field("image", &attempt_document::image),
                      field("image_digest", &attempt_document::image_digest),
                      field("engine", &attempt_document::engine),
                      field("engine_id", &attempt_document::engine_id),
                      field("node", &attempt_document::node),
                      field("exit_code", &attempt_document::exit_code),
                      field("reason", &attempt_document::reason),
                      field("oom_killed", &attempt_document::oom_killed),
                      field("log", &attempt_document::log),
                      field("started_at", &attempt_document::started_at),
                      field("finished_at", &attempt_document::finished_at)};
  }
};

struct artifact_document {
  std::string name;
  std::string media_type;
  std::int64_t bytes = 0;
  digest sha256{};
  static constexpr auto fields() {
    return std::tuple{field("name", &artifact_document::name),
                      field("media_type", &artifact_document::media_type),
                      field("bytes", &artifact_document::bytes),
                      field("sha256", &artifact_document::sha256)};
  }
};

/// A job of Reeve with the unified fields that jobs of every source have.
struct job_document {
  uuid id;
  uuid run_id;
  std::string task;  // the kind
  std::string name;
  job_status status = job_status::pending;
  std::optional<end_reason> reason;
  std::int64_t attempt = 0;  // number of the newest one, 0 = none yet
  std::vector<attempt_document> attempts;
  std::vector<artifact_document> artifacts;
  std::vector<std::string> needs;
  uuid job_id;
  std::string source = "reeve";
  std::string cluster_id = "reeve";
  std::string user;
  std::string queue = "default";
  std::string state;
  std::string job_type = "cpu";
  std::int64_t gpus = 0;
  std::int64_t cpu = 0;  // millicores
  double memory_gb = 0;
  std::int64_t priority = 0;
  timestamp submitted_at;
  std::optional<timestamp> started_at;
  std::optional<timestamp> finished_at;
  std::optional<double> wait_seconds;
  std::optional<std::string> pending_reason;
  bool is_quarantined = false;  // three crashes interrupted its work: an operator decides
  static constexpr auto fields() {
    return std::tuple_cat(
        std::tuple{
            field("id", &job_document::id), field("run_id", &job_document::run_id),
            field("task", &job_document::task), field("name", &job_document::name),
            field("status", &job_document::status), field("reason", &job_document::reason),
            field("attempt", &job_document::attempt), field("attempts", &job_document::attempts),
            field("artifacts", &job_document::artifacts), field("needs", &job_document::needs)},
        std::tuple{field("job_id", &job_document::job_id), field("source", &job_document::source),
                   field("cluster_id", &job_document::cluster_id),
                   field("user", &job_document::user), field("queue", &job_document::queue),
                   field("state", &job_document::state), field("job_type", &job_document::job_type),
                   field("gpus", &job_document::gpus), field("cpu", &job_document::cpu),
                   field("memory_gb", &job_document::memory_gb),
                   field("priority", &job_document::priority),
                   field("submitted_at", &job_document::submitted_at),
                   field("started_at", &job_document::started_at),
                   field("finished_at", &job_document::finished_at),
                   field("wait_seconds", &job_document::wait_seconds),
                   field("pending_reason", &job_document::pending_reason),
                   field("is_quarantined", &job_document::is_quarantined)});
  }
};

directive_document document_of(const directive_state& state);
image_document document_of(const allow_entry<image_allowed>& entry);
container_document document_of(const allow_entry<container_allowed>& entry);
token_document document_of(const token_state& token);
llm_call_document document_of(const llm_call_recorded& call, time_us at);
run_document document_of(const run_state& state);
job_document document_of(const run_state& state, const job_state& job);

}  // namespace reeve::domain
