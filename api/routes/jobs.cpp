#include "api/llm_spending.hpp"
#include "api/log_download.hpp"
#include "api/routes/common.hpp"
#include "api/routes/views.hpp"
#include "api/services.hpp"

namespace reeve::api {
namespace {

using persistence::collection;

/// The run that a job belongs to: 404 for a job that this tenant does not have.
void with_run_of(services& s, const request& r, const responder& answer,
                 std::function<void(uuid job, uuid run)> go) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  using found = std::optional<uuid>;
  s.reads->run_of_job(
      r.who.tenant, *id,
      reply_slot<found>([answer, job = *id, go = std::move(go)](outcome<found> run) {
        if (!run) return answer.answer(run.error());
        if (!*run) return answer.answer(no_such());
        go(job, **run);
      }));
}

/// A job of the run's state. What is rendered for clients is never read back: a document of an
/// older form would then be no job any more.
void with_job(services& s, const request& r, const responder& answer,
              std::function<void(const domain::job_state&)> f) {
  with_run_of(s, r, answer, [&s, tenant = r.who.tenant, answer, f](uuid job, uuid run) {
    using answered = outcome<actors::executed<domain::run_state>>;
    s.commands->fetch(tenant, run,
                      actors::state_slot<domain::run_state>([answer, job, f](answered found) {
                        if (!found) return answer.answer(found.error());
                        const auto* state = found->state->find(job);
                        if (state == nullptr) return answer.answer(no_such());
                        f(*state);
                      }));
  });
}

struct operator_body {
  std::string reason;
  static constexpr auto fields() {
    return std::tuple{domain::maybe("reason", &operator_body::reason)};
  }
};

/// An operator's word on quarantined work.
template <class Command>
void operate(services& s, const request& r, const responder& answer) {
  with_run_of(s, r, answer, [&s, r, answer](uuid job, uuid run) {
    auto body = body_of<operator_body>(r);
    if (!body) return answer.answer(body.error());
    auto context = context_of(s, r);
    context.before = matching(
        r, [&s, tenant = r.who.tenant, job](auto slot) { s.reads->job_detail(tenant, job, slot); });
    using state = domain::run_state;
    s.commands->execute(
        std::move(context), Command{run, job, body->reason},
        actors::state_slot<state>([answer, job](outcome<actors::executed<state>> c) {
          if (!c) return answer.answer(c.error());
          const auto d = domain::document_of(*c->state, *c->state->find(job));
          answer.answer(written(202, codec::encode_document(d), c->at));
        }));
  });
}

/// The blob's digest is its ETag: the same bytes, whatever they are called.
response download(services& s, const request& r, const digest& sha256, std::int64_t bytes,
                  std::string media_type) {
  response made;
  made.content_type = std::move(media_type);
  made.headers.emplace_back("ETag", "\"" + to_hex(sha256) + "\"");
  if (bytes == 0) {
    made.body = std::make_shared<const std::string>();
  } else {
    made.stream = blob_stream(*s.reads, r.who.tenant, sha256, bytes);
    made.stream_bytes = bytes;
  }
  return made;
}

/// Whether the output that is stored is all there was: `truncated` is cut at the limit,
/// `incomplete` may lack what the engine did not keep, `pending` comes at the attempt's end.
std::string_view output_state(const domain::job_state& job, const domain::attempt_state* attempt) {
  const bool is_over = attempt ? attempt->finished_at.has_value() : is_terminal(job.status);
  if (!is_over) return "pending";
  if (attempt == nullptr) return "whole";  // there was none, so there is no output
  if (domain::may_lack_output(*attempt)) return "incomplete";
  return attempt->log && attempt->log->truncated ? "truncated" : "whole";
}

/// `?attempt=`, from 1: a 0 would be taken for one that nobody named.
outcome<std::optional<std::int64_t>> attempt_of(const request& r) {
  auto number = number_of(r, "attempt");
  if (number && *number && **number < 1) {
    return reject(errc::invalid, "attempts are counted from 1", "/query/attempt");
  }
  return number;
}

/// The newest attempt, or the one that `?attempt=` names. Without a stored log the text is empty.
/// Of one whose streams nobody wrote down there is only the whole.
void logs(services& s, const request& r, const responder& answer) {
  with_job(s, r, answer, [&s, r, answer](const domain::job_state& job) {
    auto wanted = attempt_of(r);
    if (!wanted) return answer.answer(wanted.error());
    const auto stream = stream_of(r);
    if (!stream) return answer.answer(stream.error());
    const domain::attempt_state* found = nullptr;
    for (const auto& attempt : job.attempts) {
      if (!*wanted || **wanted == attempt.number) found = &attempt;
    }
    if (found == nullptr && *wanted) return answer.answer(no_such());
    const bool stored = found != nullptr && found->log;
    const bool is_known = !stored || found->log_streams;
    if (*stream && !is_known) {
      return answer.answer(reject(errc::conflict, "whose lines are of which stream was not stored",
                                  "/query/stream"));
    }
    auto made =
        stored && *stream
            ? download_stream(*s.reads, r.who.tenant, *found->log, *found->log_streams, **stream)
            : download(s, r, stored ? found->log->sha256 : sha256(""),
                       stored ? found->log->bytes : 0, "text/plain; charset=utf-8");
    made.headers.emplace_back("Reeve-Log", output_state(job, found));
    made.headers.emplace_back("Reeve-Log-Streams", is_known ? "known" : "unknown");
    answer.answer(std::move(made));
  });
}

/// Where a client goes on: behind Last-Event-ID or `after`, else at the beginning of the attempt
/// that it names, else of the newest one (attempt 0).
outcome<output_place> place_of(const request& r) {
  auto attempt = attempt_of(r);
  if (!attempt) return attempt.error();
  const bool comes_back = !r.last_event_id.empty();
  const auto id =
      comes_back ? std::string_view(r.last_event_id) : r.query_value("after").value_or("");
  if (id.empty()) return output_place{attempt->value_or(0), 0, 0};
  if (const auto place = parse_output_place(id)) return *place;
  return reject(errc::invalid, "this is no id of a line of this stream",
                comes_back ? "/headers/Last-Event-ID" : "/query/after");
}

void follow(services& s, const request& r, const responder& answer) {
  with_run_of(s, r, answer, [&s, r, answer](uuid job, uuid run) {
    using answered = outcome<actors::executed<domain::run_state>>;
    const auto open = [&s, r, answer, job, run](answered found) {
      if (!found) return answer.answer(found.error());
      const auto* state = found->state->find(job);
      if (state == nullptr) return answer.answer(no_such());
      const auto place = place_of(r);
      if (!place) return answer.answer(place.error());
      const auto only = stream_of(r);
      if (!only) return answer.answer(only.error());
      const auto& attempts = state->attempts;
      if (place->attempt > static_cast<std::int64_t>(attempts.size())) {
        return answer.answer(no_such());
      }
      response made;
      made.content_type = "text/event-stream";
      made.headers.emplace_back("Cache-Control", "no-store");
      made.stream = s.logs->open(r.who.tenant, run, job, *place, r.who.token_id, *only);
      answer.answer(std::move(made));
    };
    s.commands->fetch(r.who.tenant, run, actors::state_slot<domain::run_state>(open));
  });
}

struct artifact_list {
  std::vector<domain::artifact_document> results;
  std::optional<std::string> next;
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("results", &artifact_list::results),
                      field("next", &artifact_list::next)};
  }
};

/// Each attempt may have stored one under the same name: the newest counts.
void artifacts(services& s, const request& r, const responder& answer) {
  with_job(s, r, answer, [answer](const domain::job_state& job) {
    artifact_list list;
    for (const auto& a : job.artifacts) {
      std::erase_if(list.results, [&](const auto& older) { return older.name == a.name; });
      list.results.push_back({a.name, a.media_type, a.content.bytes, a.content.sha256});
    }
    answer.answer(json_response(200, codec::encode_document(list)));
  });
}

/// RFC 6266: a name that any client understands, and the true one for those that can take it.
std::string disposition_of(std::string_view name) {
  std::string plain;
  std::string encoded;
  for (const char c : name) {
    const bool safe = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '_' || c == '-';
    plain += safe ? c : '_';
    safe ? encoded.append(1, c) : encoded.append("%").append(to_hex(std::string_view(&c, 1)));
  }
  std::string text = "attachment; filename=\"" + plain + "\"";
  if (plain != name) text += "; filename*=UTF-8''" + encoded;
  return text;
}

void artifact(services& s, const request& r, const responder& answer) {
  with_job(s, r, answer, [&s, r, answer](const domain::job_state& job) {
    const domain::artifact_state* found = nullptr;
    for (const auto& a : job.artifacts) {
      if (a.name == r.param("name")) found = &a;
    }
    if (found == nullptr) return answer.answer(no_such());
    const auto& blob = found->content;
    auto made = download(s, r, blob.sha256, blob.bytes, found->media_type);
    made.headers.emplace_back("Content-Disposition", disposition_of(found->name));
    answer.answer(std::move(made));
  });
}

void record(services& s, const request& r, const responder& answer, domain::record_llm_call what) {
  using slot = actors::state_slot<domain::llm_usage_state>;
  s.commands->execute(context_of(s, r), std::move(what),
                      slot([answer](outcome<actors::executed<domain::llm_usage_state>> c) {
                        if (!c) return answer.answer(c.error());
                        const auto& state = *c->state;
                        if (!state.last_call) return answer.answer(no_such());
                        const auto d = domain::document_of(*state.last_call, state.last_at);
                        answer.answer(written_document(201, codec::encode_document(d), c->at));
                      }));
}

/// Numbers and a model's name; the codec refuses everything else before anything is kept of it.
void record_call(services& s, const request& r, const responder& answer) {
  with_run_of(s, r, answer, [&s, r, answer](uuid job, uuid run) {
    auto body = body_of<domain::llm_call_request>(r);
    if (!body) return answer.answer(body.error());
    domain::record_llm_call what{s.ids->next(), job, run, *body};
    what.price = s.llm->price_of(body->model_name);
    using found = outcome<actors::executed<domain::run_state>>;
    s.commands->fetch(
        r.who.tenant, run,
        actors::state_slot<domain::run_state>([&s, r, answer, what](found of) mutable {
          if (!of) return answer.answer(of.error());
          what.directive = of->state->launch->directive.id;
          using marked = outcome<domain::record_llm_call>;
          mark_over_budget(s, r.who.tenant, std::move(what),
                           reply_slot<domain::record_llm_call>([&s, r, answer](marked call) {
                             if (!call) return answer.answer(call.error());
                             record(s, r, answer, std::move(*call));
                           }));
        }));
  });
}

void calls(services& s, const request& r, const responder& answer) {
  // A job of somebody else is not there, rather than one without calls.
  with_run_of(s, r, answer, [&s, r, answer](uuid job, uuid) {
    persistence::list_query query;
    query.what = collection::llm_calls;
    query.tenant = r.who.tenant;
    query.equals.emplace_back("job_id", to_string(job));
    if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
    s.reads->list(std::move(query), list_slot(answer));
  });
}

void list_of(services& s, const request& r, const responder& answer, std::optional<uuid> run) {
  persistence::list_query query;
  query.what = collection::jobs;
  query.tenant = r.who.tenant;
  if (const auto status = r.query_value("status")) {
    const auto wanted = *status == "completed" ? std::string_view("success") : *status;
    domain::job_status known{};
    if (!domain::from_name(wanted, known)) {
      return answer.answer(reject(errc::invalid, "there is no such status", "/query/status"));
    }
    query.equals.emplace_back("status", wanted);
  }
  if (const auto task = r.query_value("task")) {
    const auto kind = domain::kind_named(*task);
    if (!kind) return answer.answer(reject(errc::invalid, "no such task kind", "/query/task"));
    query.equals.emplace_back("task", domain::kind_of(*kind));
  }
  if (auto ok = add_flag(r, "is_quarantined", query); !ok) return answer.answer(ok.error());
  if (run) query.equals.emplace_back("run_id", to_string(*run));
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  s.reads->list(std::move(query), list_slot(answer));
}

void list_jobs(services& s, const request& r, const responder& answer) {
  auto run = uuid_of(r, "run");
  if (!run) return answer.answer(run.error());
  list_of(s, r, answer, *run);
}

void list_of_run(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  s.reads->get(
      collection::runs, r.who.tenant, to_string(*id),
      reply_slot<persistence::document>([&s, r, id, answer](outcome<persistence::document> run) {
        if (!run) return answer.answer(run.error());
        list_of(s, r, answer, id);
      }));
}

/// Only Reeve's own jobs have UUIDs, and only those are known here.
void show_job(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  s.reads->job_detail(r.who.tenant, *id, document_slot(answer));
}

}  // namespace

std::vector<route> jobs_routes(services& s) {
  const auto call = codec::json_schema<domain::llm_call_document>();
  const auto one = codec::json_schema<domain::job_document>();
  const auto many = list_schema<domain::job_document>();
  const std::string each = "/api/jobs/{id}";
  return {
      row(s, method::get, "/api/jobs", "List the jobs of Reeve's runs", access::viewer, list_jobs)
          .gives(many)
          .query({"status", "task", "run", "is_quarantined", "limit", "cursor"}),
      row(s, method::get, "/api/runs/{id}/jobs", "List the jobs of a run", access::viewer,
          list_of_run)
          .gives(many)
          .query({"status", "task", "is_quarantined", "limit", "cursor"}),
      row(s, method::get, each, "Show a job", access::viewer, show_job)
          .gives(codec::json_schema<job_view>()),
      row(s, method::post, each + "/retry", "Let a job's quarantined work be tried again",
          access::operator_, operate<domain::retry_work>)
          .takes(codec::json_schema<operator_body>())
          .gives(one, {202, 409})
          .minds_if_match(),
      row(s, method::post, each + "/discard", "Give a job's quarantined work up: the job fails",
          access::operator_, operate<domain::discard_work>)
          .takes(codec::json_schema<operator_body>())
          .gives(one, {202, 409})
          .minds_if_match(),
      row(s, method::get, each + "/logs", "Download the stored output of a job", access::viewer,
          logs)
          .gives({}, {200, 409})
          .query({"attempt", "stream"})
          .says("stream",
                "stdout or stderr: only the lines of that stream, and what says that some are "
                "missing; 409 for output whose streams were not stored."),
      row(s, method::get, each + "/logs/stream", "The output of a job as it comes (SSE)",
          access::viewer, follow)
          .streams(R"({"type":"string"})", {200, 404})
          .query({"attempt", "after", "stream"})
          .says("stream",
                "stdout or stderr: only the lines of that stream; `streams_unknown` stands for "
                "stored output of which they are not known.")
          .says("attempt", "Number of the attempt to begin with, from 1; without it the last one.")
          .says("after", "`id` of the last line that the client has; the stream goes on after it."),
      row(s, method::get, each + "/artifacts", "List the artifacts of a job", access::viewer,
          artifacts)
          .gives(codec::json_schema<artifact_list>())
          .has_no_etag(),
      row(s, method::get, each + "/artifacts/{name}", "Download an artifact", access::viewer,
          artifact),
      row(s, method::post, each + "/llm-calls", "Record the token counts of an LLM call",
          access::operator_, record_call)
          .takes(codec::json_schema<domain::llm_call_request>())
          .gives(call, {201}),
      row(s, method::get, each + "/llm-calls", "List the LLM calls of a job", access::viewer, calls)
          .gives(list_schema<domain::llm_call_document>())
          .query({"limit", "cursor"}),
  };
}

}  // namespace reeve::api
