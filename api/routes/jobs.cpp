#include "api/routes/common.hpp"
#include "api/services.hpp"
#include "domain/documents.hpp"

namespace reeve::api {
namespace {

using persistence::collection;
using job_function = std::function<void(const domain::job_document&)>;

/// Artifacts of a job and its runs hold more values than a request may.
codec::json_limits document_limits() {
  codec::json_limits limits;
  limits.bytes = 16 << 20;
  limits.nodes = 200'000;
  return limits;
}

/// Reads the job's row and goes on with it as typed data.
void with_job(services& s, const request& r, const responder& answer, job_function f) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  auto slot = reply_slot<persistence::document>(
      [answer, f = std::move(f)](outcome<persistence::document> d) {
        if (!d) return answer.answer(d.error());
        auto job = codec::decode_text<domain::job_document>(*d->body, document_limits());
        if (!job) return answer.answer(reject(errc::internal, "the job cannot be read"));
        f(*job);
      });
  s.reads->get(collection::jobs, r.who.tenant, to_string(*id), std::move(slot));
}

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

void logs(services& s, const request& r, const responder& answer) {
  auto wanted = number_of(r, "attempt");
  if (!wanted) return answer.answer(wanted.error());
  with_job(s, r, answer, [&s, r, answer, wanted = *wanted](const domain::job_document& job) {
    const domain::attempt_document* found = nullptr;
    for (const auto& attempt : job.attempts) {
      if (!wanted || *wanted == attempt.number) found = &attempt;
    }
    if (found == nullptr && wanted) return answer.answer(no_such());
    if (found == nullptr || !found->log) {
      return answer.answer(download(s, r, {}, 0, "text/plain; charset=utf-8"));
    }
    answer.answer(
        download(s, r, found->log->sha256, found->log->bytes, "text/plain; charset=utf-8"));
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

void artifacts(services& s, const request& r, const responder& answer) {
  with_job(s, r, answer, [answer](const domain::job_document& job) {
    answer.answer(json_response(200, codec::encode_document(artifact_list{job.artifacts, {}})));
  });
}

/// Attempts may each have stored one; the newest counts.
void artifact(services& s, const request& r, const responder& answer) {
  with_job(s, r, answer, [&s, r, answer](const domain::job_document& job) {
    const domain::artifact_document* found = nullptr;
    for (const auto& a : job.artifacts) {
      if (a.name == r.param("name")) found = &a;
    }
    if (found == nullptr) return answer.answer(no_such());
    auto made = download(s, r, found->sha256, found->bytes, found->media_type);
    made.headers.emplace_back("Content-Disposition",
                              "attachment; filename=\"" + found->name + "\"");
    answer.answer(std::move(made));
  });
}

void record_call(services& s, const request& r, const responder& answer) {
  auto body = body_of<domain::llm_call_request>(r);
  if (!body) return answer.answer(body.error());
  with_job(s, r, answer, [&s, r, answer, body = *body](const domain::job_document& job) {
    const uuid call = s.ids->next();
    using slot = command_port::slot<domain::llm_usage_state>;
    s.commands->record_llm_call(
        meta_of(r, "POST /api/jobs/{id}/llm-calls"), call, job.id, job.run_id, body,
        slot([answer](outcome<changed<domain::llm_usage_state>> c) {
          if (!c) return answer.answer(c.error());
          const auto& state = *c->state;
          const auto d = domain::document_of(*state.last_call, state.last_at);
          answer.answer(written(201, codec::encode_document(d), c->at));
        }));
  });
}

void calls(services& s, const request& r, const responder& answer) {
  const auto id = id_param(r);
  if (!id) return answer.answer(no_such());
  persistence::list_query query;
  query.what = collection::llm_calls;
  query.tenant = r.who.tenant;
  query.equals.emplace_back("job_id", to_string(*id));
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  // A job of somebody else is not there, rather than one without calls.
  with_job(s, r, answer, [&s, query, answer](const domain::job_document&) {
    s.reads->list(query, document_slot(answer));
  });
}

void list(services& s, const request& r, const responder& answer, std::optional<uuid> run) {
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
    const auto kind = domain::task_kind_from(*task);
    if (!kind) return answer.answer(reject(errc::invalid, "no such task kind", "/query/task"));
    query.equals.emplace_back("task", domain::name_of(*kind));
  }
  if (const auto id = r.query_value("run")) {
    run = parse_uuid(*id);
    if (!run) return answer.answer(reject(errc::invalid, "an id is a UUID", "/query/run"));
  }
  if (run) query.equals.emplace_back("run_id", to_string(*run));
  if (auto ok = page_of(r, query); !ok) return answer.answer(ok.error());
  s.reads->list(std::move(query), document_slot(answer));
}

}  // namespace

std::vector<route> job_routes(services& s) {
  const auto call = codec::json_schema<domain::llm_call_document>();
  const auto many = list_schema<domain::job_document>();
  std::vector<route> all;
  all.push_back({method::get, "/api/jobs", "List the jobs of Reeve's runs", access::viewer, "", many,
                 {"status", "task", "run", "limit", "cursor"}, {200},
                 [&s](request r, responder a) { list(s, r, a, {}); }});
  all.push_back({method::get, "/api/runs/{id}/jobs", "List the jobs of a run", access::viewer, "",
                 many, {"status", "task", "limit", "cursor"}, {200},
                 [&s](request r, responder a) {
                   const auto id = id_param(r);
                   if (!id) return a.answer(no_such());
                   list(s, r, a, id);
                 }});
  all.push_back({method::get, "/api/jobs/{id}", "Show a job", access::viewer, "",
                 R"({"type":"object"})", {}, {200}, [&s](request r, responder a) {
                   const auto id = id_param(r);
                   if (!id) return a.answer(no_such());
                   s.reads->job_detail(r.who.tenant, *id, document_slot(a));
                 }});
  all.push_back({method::get, "/api/jobs/{id}/logs", "Download the stored output of a job",
                 access::viewer, "", "", {"attempt"}, {200},
                 [&s](request r, responder a) { logs(s, r, a); }});
  all.push_back({method::get, "/api/jobs/{id}/artifacts", "List the artifacts of a job",
                 access::viewer, "", codec::json_schema<artifact_list>(), {}, {200},
                 [&s](request r, responder a) { artifacts(s, r, a); }});
  all.push_back({method::get, "/api/jobs/{id}/artifacts/{name}", "Download an artifact",
                 access::viewer, "", "", {}, {200},
                 [&s](request r, responder a) { artifact(s, r, a); }});
  all.push_back({method::post, "/api/jobs/{id}/llm-calls", "Record the token counts of an LLM call",
                 access::operator_, codec::json_schema<domain::llm_call_request>(), call, {}, {201},
                 [&s](request r, responder a) { record_call(s, r, a); }});
  all.push_back({method::get, "/api/jobs/{id}/llm-calls", "List the LLM calls of a job",
                 access::viewer, "", list_schema<domain::llm_call_document>(),
                 {"limit", "cursor"}, {200}, [&s](request r, responder a) { calls(s, r, a); }});
  return all;
}

}  // namespace reeve::api
