// What calls of language models came to, and what they may come to. Calls themselves are recorded
// at their jobs (jobs.cpp).

#include "domain/runs/llm.hpp"

#include "api/routes/common.hpp"
#include "api/services.hpp"
#include "domain/runs/llm_budget.hpp"
#include "domain/runs/llm_usage.hpp"

namespace reeve::api {
namespace {

/// "2026-11-30".
outcome<std::optional<std::int64_t>> day_in(const request& r, std::string_view name) {
  const auto value = r.query_value(name);
  if (!value) return std::optional<std::int64_t>();
  const auto at = value->size() == 10 ? parse_time(std::string(*value) + "T00:00:00Z")
                                      : std::optional<time_us>();
  if (at) return std::optional(domain::day_of(*at));
  return reject(errc::invalid, "must be a day such as 2026-11-30", "/query/" + std::string(name));
}

outcome<done> read_filters(const request& r, persistence::llm_usage_query& query) {
  if (const auto by = r.query_value("group_by"); by && !domain::from_name(*by, query.by)) {
    return reject(errc::invalid, "must be day, model, run or directive", "/query/group_by");
  }
  auto run = uuid_of(r, "run");
  if (!run) return run.error();
  query.run = *run;
  auto directive = uuid_of(r, "directive");
  if (!directive) return directive.error();
  query.directive = *directive;
  if (const auto model = r.query_value("model")) {
    if (!domain::is_model_name(*model)) {
      return reject(errc::invalid, "a model's name has 1..128 letters, digits and ._:/@+-",
                    "/query/model");
    }
    query.model = std::string(*model);
  }
  auto from = day_in(r, "from");
  if (!from) return from.error();
  query.from_day = *from;
  auto to = day_in(r, "to");
  if (!to) return to.error();
  query.to_day = *to;
  return done{};
}

void usage(services& s, const request& r, const responder& answer) {
  persistence::llm_usage_query query;
  query.tenant = r.who.tenant;
  if (auto ok = read_filters(r, query); !ok) return answer.answer(ok.error());
  persistence::list_query page;
  if (auto ok = page_of(r, page); !ok) return answer.answer(ok.error());
  query.limit = page.limit;
  query.cursor = page.cursor;
  query.asked_by = page.asked_by;
  s.reads->llm_usage(std::move(query), list_slot(answer));
}

constexpr persistence::collection budgets{"llm_budgets"};
using budgets_slot = actors::state_slot<domain::llm_budget_list_state>;
using budgets_answer = outcome<actors::executed<domain::llm_budget_list_state>>;

document_read reading(services& s, const request& r) {
  return [&s, tenant = r.who.tenant, name = std::string(r.param("name"))](auto slot) {
    s.reads->get(budgets, tenant, name, slot);
  };
}

void answer_with(const budgets_answer& made, const std::string& name, const responder& answer) {
  const auto* budget = made->state->find(name);
  if (budget == nullptr) return answer.answer(no_such());
  answer.answer(
      written_document(200, codec::encode_document(domain::document_of(*budget)), made->at));
}

template <class Command>
void change_budget(services& s, const request& r, const responder& answer, Command what) {
  auto context = context_of(s, r);
  context.before = matching(r, reading(s, r));
  const auto name = what.name;
  s.commands->execute(std::move(context), std::move(what),
                      budgets_slot([answer, name](budgets_answer c) {
                        if (!c) return answer.answer(c.error());
                        answer_with(c, name, answer);
                      }));
}

void set_budget(services& s, const request& r, const responder& answer) {
  auto body = body_of<domain::llm_budget>(r);
  if (!body) return answer.answer(body.error());
  change_budget(s, r, answer,
                domain::set_llm_budget{std::string(r.param("name")), std::move(*body)});
}

void remove_budget(services& s, const request& r, const responder& answer) {
  if (auto ok = body_of<nothing>(r); !ok) return refuse(reading(s, r), answer, ok.error());
  change_budget(s, r, answer, domain::remove_llm_budget{std::string(r.param("name"))});
}

void show_budget(services& s, const request& r, const responder& answer) {
  reading(s, r)(document_slot(answer));
}

void list_budgets(services& s, const request& r, const responder& answer) {
  persistence::list_query query;
  query.what = budgets;
  query.tenant = r.who.tenant;
  if (auto ok = add_flag(r, "is_active", query); !ok) return answer.answer(ok.error());
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  s.reads->list(std::move(query), list_slot(answer));
}

std::vector<route> budget_routes(services& s) {
  const auto one = codec::json_schema<domain::llm_budget_document>();
  const std::string all = "/api/llm-budgets", each = all + "/{name}";
  const char* name_text = "Name of the budget: 1 to 64 letters, digits and ._-";
  return {
      row(s, method::get, all, "List budgets for LLM calls, newest first", access::viewer,
          list_budgets)
          .gives(list_schema<domain::llm_budget_document>())
          .query({"is_active", "limit", "cursor"}),
      row(s, method::get, each, "Show a budget for LLM calls", access::viewer, show_budget)
          .gives(one)
          .says("name", name_text),
      row(s, method::put, each, "Make a budget for LLM calls, or change one", access::admin,
          set_budget)
          .takes(codec::json_schema<domain::llm_budget>())
          .gives(one, {200, 409})
          .says("name", name_text)
          .says("period", "day or month, of UTC.")
          .says("directive", "Id of a directive: only calls of its runs; not with `model`.")
          .says("model", "Only calls of the model with this name.")
          .says("most_tokens", "1 to 10^15; this or `most_cost_micros`, or both.")
          .says("most_cost_micros",
                "1 to 10^15; calls of models without a price cost nothing and never reach it.")
          .minds_if_match(),
      row(s, method::delete_, each, "Remove a budget for LLM calls", access::admin, remove_budget)
          .gives(one, {200})
          .says("name", name_text)
          .minds_if_match(),
  };
}

}  // namespace

std::vector<route> llm_routes(services& s) {
  auto all = budget_routes(s);
  all.push_back(
      row(s, method::get, "/api/llm-usage",
          "Add up tokens and costs of LLM calls by day, model, run or directive", access::viewer,
          usage)
          .gives(list_schema<domain::llm_usage_document>())
          .query({"group_by", "run", "directive", "model", "from", "to", "limit", "cursor"})
          .says("group_by",
                "day (as without it, the newest one first), model, run (the newest one first) or "
                "directive.")
          .says("run", "Only calls of jobs of the run with this id.")
          .says("directive", "Only calls of runs of the directive with this id.")
          .says("model", "Only calls of the model with this name.")
          .says("from", "Only calls recorded on this day of UTC (such as 2026-11-30) or later.")
          .says("to", "Only calls recorded before this day of UTC."));
  return all;
}

}  // namespace reeve::api
