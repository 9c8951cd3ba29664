#pragma once
// Records of LLM calls: token counts and nothing else. There is no field, here or anywhere, that
// could hold a prompt or a completion. One stream per job; and one per tenant and day for the calls
// that go through Reeve for no job.

#include "base/outcome.hpp"
#include "base/persistent_map.hpp"
#include "domain/aggregate.hpp"
#include "domain/runs/llm_price.hpp"
#include "domain/runs/llm_usage.hpp"

#include <compare>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace reeve::domain {

struct llm_call_recorded {
  static constexpr std::string_view type = "llm_call_recorded";
  uuid id;
  uuid job;  // or `no_job_of`, then the run is nil: of whom the event's principal names
  uuid run;
  std::string model_name;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::int64_t total_tokens = 0;
  std::optional<std::int64_t> latency_ms;
  std::optional<uuid> directive{};            // of the run, where it has one
  std::optional<std::int64_t> cost_micros{};  // where the model has a price (llm_price.hpp)
  std::optional<bool> over_budget{};          // true or nothing: one of its budgets was exceeded
  // Of a call that went through Reeve:
  std::optional<std::string> upstream{};  // the one that was chosen
  std::optional<std::string> reason{};    // as of an llm_routing, or "others_failed"
  std::optional<bool> is_estimate{};  // true or nothing: the upstream told no counts, or not yet
  bool operator==(const llm_call_recorded&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("id", &llm_call_recorded::id),
                      field("job", &llm_call_recorded::job),
                      field("run", &llm_call_recorded::run),
                      field("model_name", &llm_call_recorded::model_name),
                      field("prompt_tokens", &llm_call_recorded::prompt_tokens),
                      field("completion_tokens", &llm_call_recorded::completion_tokens),
                      field("total_tokens", &llm_call_recorded::total_tokens),
                      field("latency_ms", &llm_call_recorded::latency_ms),
                      field("directive", &llm_call_recorded::directive),
                      field("cost_micros", &llm_call_recorded::cost_micros),
                      field("over_budget", &llm_call_recorded::over_budget),
                      field("upstream", &llm_call_recorded::upstream),
                      field("reason", &llm_call_recorded::reason),
                      field("is_estimate", &llm_call_recorded::is_estimate)};
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
bool is_model_name(std::string_view name);

struct record_llm_call {
  uuid call;
  uuid job;
  uuid run;
  llm_call_request counts;
  std::optional<uuid> directive{};
  std::optional<llm_price> price{};  // of the model, if it has one
  bool over_budget = false;          // as the budgets were when it came
  std::optional<std::string> upstream{};
  std::optional<std::string> reason{};
  bool is_estimate = false;
  uuid subject() const { return job; }
};

/// What the call would come to, if it is one that can be recorded.
llm_sums sums_of(const record_llm_call& call);

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

/// A day of UTC, counted from 1970-01-01; the calls of that day by their recording.
std::int64_t day_of(time_us at);
/// What stands for the job of a tenant's calls that are of none. Another one each day, so that no
/// stream lasts for ever.
uuid no_job_of(const uuid& tenant, std::int64_t day);
/// When that day begins.
time_us begin_of_day(std::int64_t day);

/// What a job's calls of one model on one day come to.
struct llm_line_key {
  std::int64_t day = 0;
  std::string model;
  auto operator<=>(const llm_line_key&) const = default;
};
struct llm_line {
  llm_totals totals;
  std::int64_t cost_micros = 0;
  std::int64_t over_budget_calls = 0;
  std::optional<uuid> directive;
  position created_position = 0;  // of its first call, and of its last one
  position last_position = 0;
  bool operator==(const llm_line&) const = default;
};
/// Whoever records calls names the models: behind so many lines of one job the calls of a further
/// one count to the line of `other_models`, which is no model's name.
inline constexpr std::size_t most_llm_lines = 1000;
inline constexpr std::string_view other_models = "(other)";

struct llm_usage_state {
  uuid job;
  uuid run;
  uuid tenant;
  domain::version stream_version = 0;
  position created_position = 0;  // of the job's first call
  position last_position = 0;
  llm_totals totals;
  persistent_map<llm_line_key, llm_line> lines;
  std::optional<llm_call_recorded> last_call;  // the newest one, and when
  time_us last_at = 0;
  bool operator==(const llm_usage_state&) const = default;

  /// The line that a call of this state counts to, or would.
  llm_line_key line_of(const llm_call_recorded& call, time_us at) const;
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
  std::optional<std::int64_t> cost_micros;
  bool over_budget = false;
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
                      field("cost_micros", &llm_call_document::cost_micros),
                      field("over_budget", &llm_call_document::over_budget),
                      field("created_at", &llm_call_document::created_at)};
  }
};

llm_call_document document_of(const llm_call_recorded& call, time_us at);

}  // namespace reeve::domain
