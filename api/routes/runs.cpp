#include "api/routes/common.hpp"
#include "api/routes/views.hpp"
#include "api/services.hpp"
#include "api/task_json.hpp"
#include "base/time.hpp"

namespace reeve::api {
namespace {

using persistence::collection;
using run_slot = actors::state_slot<domain::run_state>;
using run_answer = outcome<actors::executed<domain::run_state>>;

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
    d.jobs.push_back({job.id, std::string(kind_of(task.params)), task.name, job.status,
                      static_cast<std::int64_t>(job.attempts.size())});
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
  return run_slot([answer, large = std::move(large)](run_answer r) {
    if (!r) return answer.answer(of_field(r.error(), large));
    auto made = written(201, codec::encode_document(document_of_launch(*r->state)), r->at);
    made.headers.emplace_back("Location", "/api/runs/" + to_string(r->state->id));
    answer.answer(std::move(made));
  });
}

/// Where the directive comes from: exactly one of the three, or neither, which is the default one.
outcome<domain::launch_run> launch_of(const launch_body& body, const uuid& run) {
  domain::launch_run launch;
  launch.run = run;
  launch.since = body.since;
  launch.labels = body.labels;
  if (body.uploads && !body.uploads->empty()) {
    return reject(errc::invalid, "there is no such upload", "/uploads/0");
  }
  if (body.directive && body.directive_id) {
    return reject(errc::invalid, "directive and directive_id exclude each other", "/directive");
  }
  if (body.tasks && (body.directive || body.directive_id)) {
    return reject(errc::invalid, "tasks stand alone, or inside the directive", "/tasks");
  }
  if (body.directive_id) {
    const auto id = parse_uuid(*body.directive_id);
    if (!id) return reject(errc::invalid, "an id is a UUID", "/directive_id");
    launch.from = domain::of_directive{*id};
  }
  if (body.directive) {
    auto spec = decode_directive(*body.directive, "/directive");
    if (!spec) return spec.error();
    launch.from = domain::of_spec{std::move(*spec)};
  }
  if (body.tasks) {
    auto tasks = decode_tasks(*body.tasks, "/tasks");
    if (!tasks) return tasks.error();
    launch.from = domain::of_default{std::move(*tasks)};
  }
  return launch;
}

void launch(services& s, const request& r, const responder& answer) {
  auto body = body_of<launch_body>(r);
  if (!body) return answer.answer(body.error());
  auto command = launch_of(*body, s.ids->next());
  if (!command) return answer.answer(command.error());
  std::string large = body->directive ? "/directive/tasks"
                      : body->tasks   ? "/tasks"
                                      : "/directive_id";
  s.commands->execute(context_of(s, r), std::move(*command),
                      answer_launch(answer, std::move(large)));
}

document_read reading_run(services& s, const request& r, const uuid& id) {
  return [&s, tenant = r.who.tenant, id](auto slot) { s.reads->run_detail(tenant, id, slot); };
}

void retry(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  if (auto ok = body_of<nothing>(r); !ok) return refuse(reading_run(s, r, *id), answer, ok.error());
  domain::launch_run again;
  again.run = s.ids->next();
  again.from = domain::of_run{*id};
  s.commands->execute(context_of(s, r), std::move(again), answer_launch(answer, ""));
}

void cancel(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  const auto read = reading_run(s, r, *id);
  if (auto ok = body_of<nothing>(r); !ok) return refuse(read, answer, ok.error());
  auto context = context_of(s, r);
  context.before = matching(r, read);
  s.commands->execute(
      std::move(context), domain::cancel_run{*id}, run_slot([answer](run_answer c) {
        if (!c) return answer.answer(c.error());
        answer.answer(written(202, codec::encode_document(domain::document_of(*c->state)), c->at));
      }));
}

outcome<persistence::list_query> run_query_of(const request& r) {
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

void list_runs(services& s, const request& r, const responder& answer) {
  auto query = run_query_of(r);
  if (!query) return answer.answer(query.error());
  const auto since = r.query_value("since");
  if (!since) return s.reads->list(std::move(*query), list_slot(answer));
  if (*since == "last_success") {
    query->since = *since;
    return list_since_success(s, r, std::move(*query), answer);
  }
  const auto time = parse_time(*since);
  if (!time) {
    return answer.answer(no_time(r, "since", "since is last_success or an RFC 3339 time"));
  }
  query->since = std::to_string(*time);
  list_since_time(s, *time, std::move(*query), answer);
}

void show_run(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  s.reads->run_detail(r.who.tenant, *id, document_slot(answer));
}

}  // namespace

std::vector<route> runs_routes(services& s) {
  const auto launched = codec::json_schema<launched_run>();
  const std::string each = "/api/runs/{id}";
  return {
      row(s, method::post, "/api/runs/launch", "Launch a run", access::operator_, launch)
          .takes(codec::json_schema<launch_body>())
          .gives(launched, {201, 403, 404, 409}),
      row(s, method::get, "/api/runs", "List runs, newest first", access::viewer, list_runs)
          .gives(list_schema<domain::run_document>())
          .query({"status", "directive", "retry_of", "label", "since", "limit", "cursor"}),
      row(s, method::get, each, "Show a run with its jobs", access::viewer, show_run)
          .gives(codec::json_schema<run_view>()),
      row(s, method::post, each + "/cancel", "Cancel a run: its jobs are stopped",
          access::operator_, cancel)
          .gives(codec::json_schema<domain::run_document>(), {202, 409})
          .minds_if_match(),
      row(s, method::post, each + "/retry", "Launch a run's directive snapshot again, as a new run",
          access::operator_, retry)
          .gives(launched, {201, 403, 409}),
  };
}

}  // namespace reeve::api
