#include "api/routes/common.hpp"
#include "api/routes/views.hpp"
#include "api/services.hpp"
#include "api/task_json.hpp"
#include "base/time.hpp"
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

launched_run document_of_launch(const domain::run_state& run) {
  launched_run d;
  d.id = run.id;
  d.status = run.status;
  d.directive_snapshot = run.launch->directive;
  d.directive_id = run.launch->directive.id;
  d.directive_version = run.launch->directive.version;
  for (const auto& job : run.jobs) {
    const auto& task = run.task_of(job);
    d.jobs.push_back(
        {job.id, task.kind, task.name, job.status, static_cast<std::int64_t>(job.attempts.size())});
  }
  d.job_count = static_cast<std::int64_t>(run.jobs.size());
  d.engine = domain::engine_of(run);
  d.retry_of = run.launch->retry_of;
  d.labels = run.launch->labels;
  d.created_at = {run.created_at};
  d.at = run.last_position;
  return d;
}

/// `large`: what would have to be smaller if the run's first event is too large.
run_slot answer_launch(const responder& answer, std::string large) {
  return run_slot([answer, large = std::move(large)](outcome<changed<domain::run_state>> r) {
    if (!r) return answer.answer(of_field(r.error(), large));
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
  std::string large = body->directive ? "/directive/tasks"
                      : body->tasks   ? "/tasks"
                                      : "/directive_id";
  s.commands->launch(meta_of(r, "POST /api/runs/launch"), std::move(*order),
                     answer_launch(answer, std::move(large)));
}

outcome<launch_order> again(const persistence::document& d, uuid run) {
  const auto old = codec::decode_text<run_view>(*d.body, document_limits());
  if (!old) return reject(errc::internal, "the run's document cannot be read");
  if (!domain::is_terminal(old->status)) {
    return reject(errc::conflict, "the run is not over: only then it can be tried again");
  }
  launch_order order;
  order.snapshot = old->directive_snapshot;
  order.since = old->since;
  order.labels = old->labels;
  order.retry_of = run;
  return order;
}

/// A new run of the same snapshot, which the run's own document holds.
void retry(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  s.reads->run_detail(
      r.who.tenant, *id,
      reply_slot<persistence::document>([&s, r, id, answer](outcome<persistence::document> d) {
        if (!d) return answer.answer(d.error());
        if (auto ok = body_of<nothing>(r); !ok) return answer.answer(ok.error());
        auto order = again(*d, *id);
        if (!order) return answer.answer(order.error());
        s.commands->launch(meta_of(r, "POST /api/runs/{id}/retry"), std::move(*order),
                           answer_launch(answer, ""));
      }));
}

void cancel(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  const auto read = [&s, &r, id](auto slot) { s.reads->run_detail(r.who.tenant, *id, slot); };
  when_matched(r, answer, read, [&s, r, id, answer] {
    if (auto ok = body_of<nothing>(r); !ok) return answer.answer(ok.error());
    s.commands->cancel_run(
        meta_of(r, "POST /api/runs/{id}/cancel"), *id,
        run_slot([answer](outcome<changed<domain::run_state>> c) {
          if (!c) return answer.answer(c.error());
          answer.answer(
              written(202, codec::encode_document(domain::document_of(*c->state)), c->at));
        }));
  });
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
  for (const auto& [name, column] :
       {std::pair("directive", "directive_id"), std::pair("retry_of", "retry_of")}) {
    auto id = uuid_of(r, name);
    if (!id) return id.error();
    if (*id) query.equals.emplace_back(column, to_string(**id));
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
void list_since_success(services& s, const request& r, persistence::list_query query,
                        const responder& answer) {
  const auto directive = r.query_value("directive");
  if (!directive) {
    return answer.answer(
        reject(errc::invalid, "since=last_success needs a directive", "/query/directive"));
  }
  using found = std::optional<persistence::read_port::last_success>;
  s.reads->last_successful_run(r.who.tenant, *parse_uuid(*directive),
                               reply_slot<found>([&s, query, answer](outcome<found> last) mutable {
                                 if (!last) return answer.answer(last.error());
                                 if (*last) query.created_after = (*last)->created_position;
                                 s.reads->list(std::move(query), list_slot(answer));
                               }));
}

/// What was launched at a time or later: after the last event that was recorded before it.
void list_since_time(services& s, time_us since, persistence::list_query query,
                     const responder& answer) {
  persistence::event_query before;
  before.tenant = query.tenant;
  before.to_us = since;
  before.newest_first = true;
  before.limit = 1;
  s.reads->events(std::move(before),
                  reply_slot<persistence::event_page>(
                      [&s, query, answer](outcome<persistence::event_page> page) mutable {
                        if (!page) return answer.answer(page.error());
                        if (!page->events.empty()) query.created_after = page->events[0].at;
                        s.reads->list(std::move(query), list_slot(answer));
                      }));
}

void list(services& s, const request& r, const responder& answer) {
  auto query = query_of(r);
  if (!query) return answer.answer(query.error());
  const auto since = r.query_value("since");
  if (!since) return s.reads->list(std::move(*query), list_slot(answer));
  if (*since == "last_success") return list_since_success(s, r, std::move(*query), answer);
  const auto time = parse_time(*since);
  if (!time) {
    return answer.answer(
        reject(errc::invalid, "since is last_success or an RFC 3339 time", "/query/since"));
  }
  list_since_time(s, *time, std::move(*query), answer);
}

void show(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  s.reads->run_detail(r.who.tenant, *id, document_slot(answer));
}

}  // namespace

std::vector<route> run_routes(services& s) {
  const auto launched = codec::json_schema<launched_run>();
  const std::string each = "/api/runs/{id}";
  return {
      row(s, method::post, "/api/runs/launch", "Launch a run", access::operator_, launch)
          .takes(codec::json_schema<launch_body>())
          .gives(launched, {201, 403, 404, 409}),
      row(s, method::get, "/api/runs", "List runs, newest first", access::viewer, list)
          .gives(list_schema<domain::run_document>())
          .query({"status", "directive", "retry_of", "label", "since", "limit", "cursor"}),
      row(s, method::get, each, "Show a run with its jobs", access::viewer, show)
          .gives(codec::json_schema<run_view>()),
      row(s, method::post, each + "/cancel", "Cancel a run", access::operator_, cancel)
          .gives(codec::json_schema<domain::run_document>(), {202, 409, 412}),
      row(s, method::post, each + "/retry", "Launch the same snapshot again", access::operator_,
          retry)
          .gives(launched, {201, 403, 409}),
  };
}

}  // namespace reeve::api
