// Where calls of language models would go now.

#include "api/dispatch.hpp"
#include "api/llm_spending.hpp"
#include "api/routes/common.hpp"
#include "api/services.hpp"
#include "domain/runs/llm.hpp"
#include "domain/runs/llm_router.hpp"

#include <algorithm>

namespace reeve::api {
namespace {

struct candidate_view {
  std::string upstream;
  domain::llm_verdict verdict = domain::llm_verdict::possible;
  std::optional<double> score;  // made of everybody's calls, and so for whom they are all shown
  std::int64_t calls = 0;
  std::int64_t max_calls = 0;
  std::optional<std::int64_t> latency_ms;
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("upstream", &candidate_view::upstream),
                      field("verdict", &candidate_view::verdict),
                      field("score", &candidate_view::score),
                      field("calls", &candidate_view::calls),
                      field("max_calls", &candidate_view::max_calls),
                      field("latency_ms", &candidate_view::latency_ms)};
  }
};

struct routing_view {
  std::string model;
  std::optional<std::string> upstream;  // that a call would go to
  std::string reason;
  std::vector<std::string> spent_budgets;
  std::vector<candidate_view> candidates;
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("model", &routing_view::model),
                      field("upstream", &routing_view::upstream),
                      field("reason", &routing_view::reason),
                      field("spent_budgets", &routing_view::spent_budgets),
                      field("candidates", &routing_view::candidates)};
  }
};

struct routing_list {
  std::vector<routing_view> results;
  static constexpr auto fields() {
    return std::tuple{domain::field("results", &routing_list::results)};
  }
};

using upstreams = std::vector<domain::llm_upstream_view>;

/// What is told of the calls that are under way: of everybody's, or the caller's tenant's own.
struct calls_told {
  const llm_places* places = nullptr;
  std::optional<uuid> of;  // nothing: everybody's
};

candidate_view view_of(const domain::llm_candidate& one, const upstreams& all,
                       const calls_told& calls) {
  candidate_view view{one.upstream, one.verdict, {}, 0, 0, {}};
  if (!calls.of) view.score = one.score;
  for (const auto& upstream : all) {
    if (upstream.what.name != one.upstream) continue;
    view.calls = calls.of ? calls.places->calls_of(upstream.what.name, *calls.of) : upstream.calls;
    view.max_calls = upstream.what.max_calls;
    view.latency_ms = upstream.health.latency_ms;
  }
  return view;
}

routing_view view_of(const std::string& model, const upstreams& all,
                     const std::vector<budget_use>& uses, const calls_told& calls) {
  routing_view view;
  view.model = model;
  for (const auto& use : uses) {
    const bool counts = domain::counts_to(use.what, std::nullopt, model);
    if (counts && domain::is_spent(use.what, use.spent)) view.spent_budgets.push_back(use.name);
  }
  const auto routing = domain::route_of(all, model, !view.spent_budgets.empty());
  if (routing.chosen) view.upstream = routing.candidates[*routing.chosen].upstream;
  view.reason = std::string(routing.reason);
  for (const auto& one : routing.candidates) view.candidates.push_back(view_of(one, all, calls));
  return view;
}

/// Of budgets those that hold for every run: which directive would call is not known here.
void routes(services& s, const request& r, const responder& answer) {
  const auto wanted = r.query_value("model");
  if (wanted && !domain::is_model_name(*wanted)) {
    return answer.answer(reject(
        errc::invalid, "a model's name has 1..128 letters, digits and ._:/@+-", "/query/model"));
  }
  const auto all = s.upstreams();
  auto models = domain::models_of(all);
  if (wanted) models = {std::string(*wanted)};
  const auto is_of_every_run = [](const domain::llm_budget& one) { return !one.directive; };
  calls_told calls{s.places, {}};
  if (!may(r.who, access::server)) calls.of = r.who.tenant;
  using found = outcome<std::vector<budget_use>>;
  find_budget_uses(s, r.who.tenant, is_of_every_run,
                   reply_slot<std::vector<budget_use>>([all, models, calls, answer](found uses) {
                     if (!uses) return answer.answer(uses.error());
                     routing_list list;
                     for (const auto& model : models) {
                       list.results.push_back(view_of(model, all, *uses, calls));
                     }
                     answer.answer(json_response(200, codec::encode_document(list)));
                   }));
}

}  // namespace

std::vector<route> inference_routes(services& s) {
  return {
      row(s, method::get, "/api/inference/routes",
          "Tell which upstream a call of each language model would go to now, and why",
          access::viewer, routes)
          .gives(codec::json_schema<routing_list>())
          .query({"model"})
          .says("model", "Only of the model with this name, whether an upstream serves it or not.")
          .has_no_etag(),
  };
}

}  // namespace reeve::api
