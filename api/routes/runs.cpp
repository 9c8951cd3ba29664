#include "api/routes/common.hpp"
#include "api/services.hpp"
#include "api/task_json.hpp"
#include "domain/documents.hpp"

namespace reeve::api {
namespace {

using persistence::collection;
using run_slot = command_port::slot<domain::run_state>;

struct launch_body {
  std::optional<std::string> directive_id;
  std::optional<directive_body> directive;
  std::optional<std::vector<domain::json_text>> tasks;
  std::optional<std::string> since;
  std::optional<std::vector<std::string>> uploads;
  domain::label_map labels;
  static constexpr auto fields() {
    using domain::field;
    using domain::maybe;
    return std::tuple{field("directive_id", &launch_body::directive_id),
                      field("directive", &launch_body::directive),
                      field("tasks", &launch_body::tasks),
                      field("since", &launch_body::since),
                      field("uploads", &launch_body::uploads),
                      maybe("labels", &launch_body::labels)};
  }
};

struct launched_job {
  uuid id;
  domain::task_kind task = domain::task_kind::log_triage;
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

launched_run document_of_launch(const domain::run_state& run) {
  launched_run d;
  d.id = run.id;
  d.status = run.status;
  d.directive_snapshot = run.launch.directive;
  d.directive_id = run.launch.directive.id;
  d.directive_version = run.launch.directive.version;
  for (const auto& job : run.jobs) {
    const auto& task = run.task_of(job);
    d.jobs.push_back({job.id, task.kind, task.name, job.status,
                      static_cast<std::int64_t>(job.attempts.size())});
  }
  d.job_count = static_cast<std::int64_t>(run.jobs.size());
  d.engine = run.launch.engine;
  d.retry_of = run.launch.retry_of;
  d.labels = run.launch.labels;
  d.created_at = {run.created_at};
  d.at = run.last_position;
  return d;
}

run_slot answer_launch(const responder& answer) {
  return run_slot([answer](outcome<changed<domain::run_state>> r) {
    if (!r) return answer.answer(r.error());
    auto made = written(201, codec::encode_document(document_of_launch(*r->state)), r->at);
    made.headers.emplace_back("Location", "/api/runs/" + to_string(r->state->id));
    answer.answer(std::move(made));
  });
}

outcome<launch_order> order_of(const launch_body& body) {
  launch_order order;
  if (body.uploads && !body.uploads->empty()) {
    return reject(errc::invalid, "there is no such upload", "/uploads/0");
  }
  if (body.directive_id) {
    order.directive_id = parse_uuid(*body.directive_id);
    if (!order.directive_id) return reject(errc::invalid, "an id is a UUID", "/directive_id");
  }
  if (body.directive && body.directive_id) {
    return reject(errc::invalid, "directive and directive_id exclude each other", "/directive");
  }
  if (body.tasks && (body.directive || body.directive_id)) {
    return reject(errc::invalid, "tasks stand alone, or inside the directive", "/tasks");
  }
  if (body.directive) {
    auto spec = decode_directive(*body.directive, "/directive");
    if (!spec) return spec.error();
    order.directive = std::move(*spec);
  }
  if (body.tasks) {
    auto tasks = decode_tasks(*body.tasks, "/tasks");
    if (!tasks) return tasks.error();
    domain::name_tasks(*tasks);
    if (auto ok = domain::check_tasks(*tasks, "/tasks"); !ok) return ok.error();
    order.tasks = std::move(*tasks);
  }
  if (body.since) {
    if (auto ok = domain::check_since(*body.since, "/since"); !ok) return ok.error();
    order.since = body.since;
  }
  if (auto ok = domain::check_labels(body.labels, "/labels"); !ok) return ok.error();
  order.labels = body.labels;
  return order;
}

void launch(services& s, const request& r, const responder& answer) {
  auto body = body_of<launch_body>(r);
  if (!body) return answer.answer(body.error());
  auto order = order_of(*body);
  if (!order) return answer.answer(order.error());
  s.commands->launch(meta_of(r, "POST /api/runs/launch"), std::move(*order),
                     answer_launch(answer));
}

/// A new run of the same snapshot. The run's own document holds it.
void retry(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  auto slot = reply_slot<persistence::document>([&s, r, id, answer](
                                                    outcome<persistence::document> d) {
    if (!d) return answer.answer(d.error());
    codec::json_limits limits;
    limits.bytes = 64 << 20;
    limits.nodes = 1'000'000;
    auto doc = codec::parse_strict(*d->body, limits);
    if (!doc) return answer.answer(reject(errc::internal, "the run cannot be read"));
    const auto node = doc->root().find("directive_snapshot");
    if (!node) return answer.answer(reject(errc::internal, "the run has no snapshot"));
    auto snapshot = codec::decode<domain::directive_snapshot>(*node);
    if (!snapshot) return answer.answer(reject(errc::internal, "the snapshot cannot be read"));
    launch_order order;
    order.directive = domain::directive_spec{snapshot->name, snapshot->description,
                                             snapshot->tasks, snapshot->limits, snapshot->labels};
    order.retry_of = id;
    s.commands->launch(meta_of(r, "POST /api/runs/{id}/retry"), std::move(order),
                       answer_launch(answer));
  });
  s.reads->run_detail(r.who.tenant, *id, std::move(slot));
}

void cancel(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  s.commands->cancel_run(
      meta_of(r, "POST /api/runs/{id}/cancel"), *id,
      run_slot([answer](outcome<changed<domain::run_state>> c) {
        if (!c) return answer.answer(c.error());
        answer.answer(
            written(202, codec::encode_document(domain::document_of(*c->state)), c->at));
      }));
}

outcome<persistence::list_query> query_of(const request& r) {
  persistence::list_query query;
  query.what = collection::runs;
  query.tenant = r.who.tenant;
  if (const auto status = r.query_value("status")) {
    const auto wanted = *status == "completed" ? std::string_view("success") : *status;
    domain::run_status known{};
    if (!domain::from_name(wanted, known)) {
      return reject(errc::invalid, "there is no such status", "/query/status");
    }
    query.equals.emplace_back("status", wanted);
  }
  if (const auto id = r.query_value("directive")) {
    if (!parse_uuid(*id)) return reject(errc::invalid, "an id is a UUID", "/query/directive");
    query.equals.emplace_back("directive_id", *id);
  }
  if (const auto id = r.query_value("retry_of")) {
    if (!parse_uuid(*id)) return reject(errc::invalid, "an id is a UUID", "/query/retry_of");
    query.equals.emplace_back("retry_of", *id);
  }
  if (const auto label = r.query_value("label")) {
    const auto colon = label->find(':');
    if (colon == std::string_view::npos) {
      return reject(errc::invalid, "label is key:value", "/query/label");
    }
    query.labels.emplace_back(label->substr(0, colon), label->substr(colon + 1));
  }
  if (auto ok = page_of(r, query); !ok) return ok.error();
  return query;
}

/// `since=last_success&directive=…`: what was launched after the last successful run.
void list_since(services& s, const request& r, persistence::list_query query,
                const responder& answer) {
  const auto directive = r.query_value("directive");
  if (!directive) {
    return answer.answer(
        reject(errc::invalid, "since=last_success needs a directive", "/query/directive"));
  }
  using found = std::optional<persistence::read_port::last_success>;
  s.reads->last_successful_run(
      r.who.tenant, *parse_uuid(*directive),
      reply_slot<found>([&s, query, answer](outcome<found> last) mutable {
        if (!last) return answer.answer(last.error());
        if (*last) query.created_after = (*last)->created_position;
        s.reads->list(std::move(query), document_slot(answer));
      }));
}

void list(services& s, const request& r, const responder& answer) {
  auto query = query_of(r);
  if (!query) return answer.answer(query.error());
  const auto since = r.query_value("since");
  if (!since) return s.reads->list(std::move(*query), document_slot(answer));
  if (*since != "last_success") {
    return answer.answer(reject(errc::invalid, "since is last_success", "/query/since"));
  }
  list_since(s, r, std::move(*query), answer);
}

}  // namespace

std::vector<route> run_routes(services& s) {
  const auto row = codec::json_schema<domain::run_document>();
  const auto launched = codec::json_schema<launched_run>();
  std::vector<route> all;
  all.push_back({method::post, "/api/runs/launch", "Launch a run", access::operator_,
                 codec::json_schema<launch_body>(), launched, {}, {201, 403, 409},
                 [&s](request r, responder a) { launch(s, r, a); }});
  all.push_back({method::get, "/api/runs", "List runs, newest first", access::viewer, "",
                 list_schema<domain::run_document>(),
                 {"status", "directive", "retry_of", "label", "since", "limit", "cursor"}, {200},
                 [&s](request r, responder a) { list(s, r, a); }});
  all.push_back({method::get, "/api/runs/{id}", "Show a run with its jobs", access::viewer, "",
                 R"({"type":"object"})", {}, {200}, [&s](request r, responder a) {
                   const auto id = id_param(r);
                   if (!id) return a.answer(no_such());
                   s.reads->run_detail(r.who.tenant, *id, document_slot(a));
                 }});
  all.push_back({method::post, "/api/runs/{id}/cancel", "Cancel a run", access::operator_, "", row,
                 {}, {202, 409}, [&s](request r, responder a) { cancel(s, r, a); }});
  all.push_back({method::post, "/api/runs/{id}/retry", "Launch the same snapshot again",
                 access::operator_, "", launched, {}, {201, 403},
                 [&s](request r, responder a) { retry(s, r, a); }});
  return all;
}

}  // namespace reeve::api
