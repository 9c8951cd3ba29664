#include "domain/runs/llm.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace reeve::domain {
namespace {

constexpr std::int64_t most_tokens = 1'000'000'000;
constexpr time_us us_per_day = 86'400 * us_per_second;

bool is_count(std::int64_t n) {
  return n >= 0 && n <= most_tokens;
}

void add(llm_totals& to, const llm_call_recorded& call) {
  to.calls += 1;
  to.prompt_tokens += call.prompt_tokens;
  to.completion_tokens += call.completion_tokens;
  to.total_tokens += call.total_tokens;
}

}  // namespace

std::int64_t cost_of(const llm_price& price, std::int64_t prompt_tokens,
                     std::int64_t completion_tokens) {
  constexpr std::int64_t million = 1'000'000;
  const auto micros = prompt_tokens * price.prompt_micros_per_million +
                      completion_tokens * price.completion_micros_per_million;
  return micros / million + (micros % million > 0 ? 1 : 0);
}

bool is_model_name(std::string_view name) {
  if (name.empty() || name.size() > 128) return false;
  if (std::isalnum(static_cast<unsigned char>(name.front())) == 0) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("._:/@+-").find(c) != std::string_view::npos;
  });
}

llm_sums sums_of(const record_llm_call& call) {
  const auto& c = call.counts;
  if (!is_count(c.prompt_tokens) || !is_count(c.completion_tokens)) return {};
  llm_sums sums{1, c.prompt_tokens, c.completion_tokens, c.prompt_tokens + c.completion_tokens};
  if (call.price) sums.cost_micros = cost_of(*call.price, c.prompt_tokens, c.completion_tokens);
  return sums;
}

std::int64_t day_of(time_us at) {
  return at / us_per_day - (at % us_per_day < 0 ? 1 : 0);
}

uuid no_job_of(const uuid& tenant, std::int64_t day) {
  return derived_uuid(tenant, "llm-calls-" + std::to_string(day));
}

time_us begin_of_day(std::int64_t day) {
  return day * us_per_day;
}

llm_line_key llm_usage_state::line_of(const llm_call_recorded& call, time_us at) const {
  llm_line_key key{day_of(at), call.model_name};
  if (lines.find(key) == nullptr && lines.size() >= most_llm_lines) key.model = other_models;
  return key;
}

void evolve(llm_usage_state& s, const llm_event& event, const evolve_context& context) {
  s.stream_version = context.stamp.version_in_stream;
  s.last_position = context.stamp.at;
  if (s.created_position == 0) s.created_position = context.stamp.at;
  s.tenant = context.tenant;
  std::visit(overloaded{[&](const llm_call_recorded& e) {
               s.job = e.job;
               s.run = e.run;
               s.last_call = e;
               s.last_at = context.stamp.recorded_at_us;
               add(s.totals, e);
               auto key = s.line_of(e, s.last_at);
               const auto* known = s.lines.find(key);
               llm_line line = known != nullptr ? *known : llm_line{};
               add(line.totals, e);
               line.cost_micros += e.cost_micros.value_or(0);
               line.over_budget_calls += e.over_budget.value_or(false) ? 1 : 0;
               if (e.directive) line.directive = e.directive;
               if (known == nullptr) line.created_position = context.stamp.at;
               line.last_position = context.stamp.at;
               s.lines.set(std::move(key), line);
             }},
             event);
}

outcome<std::vector<llm_event>> decide(const llm_usage_state&, const record_llm_call& c) {
  const auto& r = c.counts;
  if (!is_model_name(r.model_name)) {
    return reject(errc::invalid, "a model's name has 1..128 letters, digits and ._:/@+-",
                  "/model_name");
  }
  if (!is_count(r.prompt_tokens)) {
    return reject(errc::invalid, "prompt_tokens must be 0..1000000000", "/prompt_tokens");
  }
  if (!is_count(r.completion_tokens)) {
    return reject(errc::invalid, "completion_tokens must be 0..1000000000", "/completion_tokens");
  }
  const std::int64_t sum = r.prompt_tokens + r.completion_tokens;
  if (r.total_tokens && *r.total_tokens != sum) {
    return reject(errc::invalid, "total_tokens must be the sum of the other two", "/total_tokens");
  }
  if (r.latency_ms && (*r.latency_ms < 0 || *r.latency_ms > 86'400'000)) {
    return reject(errc::invalid, "latency_ms must be 0..86400000", "/latency_ms");
  }
  llm_call_recorded e;
  e.id = c.call;
  e.job = c.job;
  e.run = c.run;
  e.model_name = r.model_name;
  e.prompt_tokens = r.prompt_tokens;
  e.completion_tokens = r.completion_tokens;
  e.total_tokens = sum;
  e.latency_ms = r.latency_ms;
  e.directive = c.directive;
  if (c.price) e.cost_micros = cost_of(*c.price, r.prompt_tokens, r.completion_tokens);
  if (c.over_budget) e.over_budget = true;
  e.upstream = c.upstream;
  e.reason = c.reason;
  if (c.is_estimate) e.is_estimate = true;
  return std::vector<llm_event>{std::move(e)};
}

llm_call_document document_of(const llm_call_recorded& c, time_us when) {
  return {c.id,
          c.job,
          c.run,
          c.model_name,
          c.prompt_tokens,
          c.completion_tokens,
          c.total_tokens,
          c.latency_ms,
          c.cost_micros,
          c.over_budget.value_or(false),
          {when}};
}

}  // namespace reeve::domain
