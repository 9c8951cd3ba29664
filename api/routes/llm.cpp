// What calls of language models came to. Calls themselves are recorded at their jobs (jobs.cpp).

#include "domain/runs/llm.hpp"

#include "api/routes/common.hpp"
#include "api/services.hpp"
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

}  // namespace

std::vector<route> llm_routes(services& s) {
  return {
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
          .says("to", "Only calls recorded before this day of UTC."),
  };
}

}  // namespace reeve::api
