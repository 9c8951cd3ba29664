#pragma once
// Records of LLM calls: token counts and nothing else. There is no field, here or anywhere, that
// could hold a prompt or a completion. One stream per job.

#include "base/outcome.hpp"
#include "domain/aggregate.hpp"

#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace reeve::domain {

struct llm_call_recorded {
  static constexpr std::string_view type = "llm_call_recorded";
  uuid id;
  uuid job;
  uuid run;
  std::string model_name;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::int64_t total_tokens = 0;
  std::optional<std::int64_t> latency_ms;
  bool operator==(const llm_call_recorded&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("id", &llm_call_recorded::id),
                      field("job", &llm_call_recorded::job),
                      field("run", &llm_call_recorded::run),
                      field("model_name", &llm_call_recorded::model_name),
                      field("prompt_tokens", &llm_call_recorded::prompt_tokens),
                      field("completion_tokens", &llm_call_recorded::completion_tokens),
                      field("total_tokens", &llm_call_recorded::total_tokens),
                      field("latency_ms", &llm_call_recorded::latency_ms)};
  }
};

using llm_event = std::variant<llm_call_recorded>;

/// What a client may say of a call. Nothing else is accepted.
struct llm_call_request {
  std::string model_name;
  std::int64_t prompt_tokens = 0;            // 0..1,000,000,000
  std::int64_t completion_tokens = 0;        // 0..1,000,000,000
  std::optional<std::int64_t> total_tokens;  // must be the sum
  std::optional<std::int64_t> latency_ms;    // 0..86,400,000
  static constexpr auto fields() {
    return std::tuple{field("model_name", &llm_call_request::model_name),
                      field("prompt_tokens", &llm_call_request::prompt_tokens),
                      field("completion_tokens", &llm_call_request::completion_tokens),
                      field("total_tokens", &llm_call_request::total_tokens),
                      field("latency_ms", &llm_call_request::latency_ms)};
  }
};

/// The name of a model is an identifier: letters, digits and ._:/@+- , 1..128, no spaces, so that
/// no sentence can hide in it.
struct record_llm_call {
  uuid call;
  uuid job;
  uuid run;
  llm_call_request counts;
  uuid subject() const { return job; }
};

struct llm_totals {
  std::int64_t calls = 0;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::int64_t total_tokens = 0;
  bool operator==(const llm_totals&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("calls", &llm_totals::calls),
                      field("prompt_tokens", &llm_totals::prompt_tokens),
                      field("completion_tokens", &llm_totals::completion_tokens),
                      field("total_tokens", &llm_totals::total_tokens)};
  }
};

struct llm_usage_state {
  uuid job;
  uuid run;
  uuid tenant;
  domain::version stream_version = 0;
  position created_position = 0;  // of the job's first call
  position last_position = 0;
  llm_totals totals;
  std::optional<llm_call_recorded> last_call;  // the newest one, and when
  time_us last_at = 0;
  bool operator==(const llm_usage_state&) const = default;
};

template <>
struct aggregate_of<llm_usage_state> {
  using event = llm_event;
  using command = std::variant<record_llm_call>;
  static constexpr std::string_view prefix = "llm";
  static constexpr bool is_answered_by_newest_event = true;  // the call, not the totals
};

void evolve(llm_usage_state& state, const llm_event& event, const evolve_context& context);

outcome<std::vector<llm_event>> decide(const llm_usage_state& state,
                                       const record_llm_call& command);

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

llm_call_document document_of(const llm_call_recorded& call, time_us at);

}  // namespace reeve::domain
