#pragma once
// Documents that routes answer with beside those of the aggregates. What PostgreSQL or the
// log renders is described here for the API's description, and read with it in tests.

#include "domain/aggregates.hpp"
#include "domain/json_text.hpp"

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace reeve::api {

/// GET /api/jobs/{id}, and a job inside its run.
struct job_view : domain::job_document {
  domain::llm_totals llm_usage;
  static constexpr auto fields() {
    return std::tuple_cat(domain::job_document::fields(),
                          std::tuple{domain::field("llm_usage", &job_view::llm_usage)});
  }
};

/// GET /api/runs/{id}.
struct run_view : domain::run_document {
  domain::directive_snapshot directive_snapshot;
  std::vector<job_view> jobs;
  domain::llm_totals llm_usage;
  static constexpr auto fields() {
    using domain::field;
    return std::tuple_cat(
        domain::run_document::fields(),
        std::tuple{field("directive_snapshot", &run_view::directive_snapshot),
                   field("jobs", &run_view::jobs), field("llm_usage", &run_view::llm_usage)});
  }
};

/// As codec::event_json writes it. The payload of a sealed event is text. Where `is_partial` is
/// true, the payload has only what the caller's role is shown of it.
struct event_view {
  domain::position position = 0;
  std::int64_t epoch = 0;
  std::string stream;
  domain::version version = 0;
  std::string type;
  std::int64_t schema_version = 1;
  uuid tenant;
  domain::json_text payload;
  bool is_partial = false;
  std::int64_t payload_format = 0;
  std::optional<uuid> key_id;
  std::string principal;
  uuid command_id;
  std::optional<digest> request_digest;
  uuid correlation_id;
  std::optional<domain::position> causation_id;
  std::optional<std::string> traceparent;
  domain::timestamp recorded_at;
  digest leaf{};
  digest hash{};
  static constexpr auto fields() {
    using domain::field;
    return std::tuple_cat(
        std::tuple{field("position", &event_view::position), field("epoch", &event_view::epoch),
                   field("stream", &event_view::stream), field("version", &event_view::version),
                   field("type", &event_view::type),
                   field("schema_version", &event_view::schema_version),
                   field("tenant", &event_view::tenant), field("payload", &event_view::payload),
                   domain::maybe("is_partial", &event_view::is_partial),
                   field("payload_format", &event_view::payload_format)},
        std::tuple{field("key_id", &event_view::key_id), field("principal", &event_view::principal),
                   field("command_id", &event_view::command_id),
                   field("request_digest", &event_view::request_digest),
                   field("correlation_id", &event_view::correlation_id),
                   field("causation_id", &event_view::causation_id),
                   field("traceparent", &event_view::traceparent),
                   field("recorded_at", &event_view::recorded_at), field("leaf", &event_view::leaf),
                   field("hash", &event_view::hash)});
  }
};

/// A page of the log. `next` goes into `cursor`; nothing at or below `head` is missing.
struct event_list {
  std::vector<event_view> results;
  std::optional<std::string> next;
  domain::position head = 0;
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("results", &event_list::results), field("next", &event_list::next),
                      field("head", &event_list::head)};
  }
};

/// A job right after its launch.
struct launched_job {
  uuid id;
  std::string task;  // the kind
  std::string name;
  domain::job_status status = domain::job_status::pending;
  std::int64_t attempt = 0;
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("id", &launched_job::id), field("task", &launched_job::task),
                      field("name", &launched_job::name), field("status", &launched_job::status),
                      field("attempt", &launched_job::attempt)};
  }
};

/// The answer to a launch.
struct launched_run {
  uuid id;
  domain::run_status status = domain::run_status::pending;
  domain::directive_snapshot directive_snapshot;
  std::optional<uuid> directive_id;
  std::int64_t directive_version = 0;
  std::vector<launched_job> jobs;
  std::int64_t job_count = 0;
  std::string engine;
  std::optional<uuid> retry_of;
  domain::label_map labels;
  domain::timestamp created_at;
  domain::position at = 0;
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("id", &launched_run::id),
                      field("status", &launched_run::status),
                      field("directive_snapshot", &launched_run::directive_snapshot),
                      field("directive_id", &launched_run::directive_id),
                      field("directive_version", &launched_run::directive_version),
                      field("jobs", &launched_run::jobs),
                      field("job_count", &launched_run::job_count),
                      field("engine", &launched_run::engine),
                      field("retry_of", &launched_run::retry_of),
                      field("labels", &launched_run::labels),
                      field("created_at", &launched_run::created_at),
                      field("position", &launched_run::at)};
  }
};

/// A token and its text, which is seen this once; null in the answer to a repeated request.
struct created_token : domain::token_document {
  std::optional<std::string> token;
  static constexpr auto fields() {
    return std::tuple_cat(domain::token_document::fields(),
                          std::tuple{domain::field("token", &created_token::token)});
  }
};

}  // namespace reeve::api
