// The documents that readers get, byte for byte: every field is always there, null where it has no
// value, times with six digits.

#include "codec/codec.hpp"
#include "domain/aggregates.hpp"
#include "tests/unit/domain/runs/run_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;
using codec::encode_document;
using steps::as;
using steps::container_task;
using steps::driven_run;
using steps::id_of;
using steps::take;

TEST(RUN1_document, of_a_directive_has_its_spec_and_its_version) {
  directive_spec spec;
  spec.name = "nightly";
  spec.tasks.resize(1);
  spec.labels = {{"team", "ops"}};
  name_tasks(spec.tasks);
  directive_state d;
  take(d, decide(d, create_directive{id_of(2), spec, true}));
  spec.description = "why";
  take(d, decide(d, revise_directive{id_of(2), spec}));
  EXPECT_EQ(
      encode_document(document_of(d)),
      R"({"created_at":"1970-01-01T00:00:00.001000Z","description":"why",)"
      R"("id":"01000000-0000-0000-0000-000000000002","is_archived":false,"is_default":true,)"
      R"("labels":{"team":"ops"},"limits":{"max_parallel":4,"retries":0,"retry_base_ms":1000,)"
      R"("stop_grace_s":10,"timeout_s":3600},"name":"nightly","tasks":[{"kind":"log_triage",)"
      R"("name":"log_triage","needs":[],"params":{"containers":null,"files":null,)"
      R"("max_lines":null},"priority":0,"retries":null,"since":null,"timeout_s":null}],)"
      R"("updated_at":"1970-01-01T00:00:00.002000Z","version":2})");
}

TEST(CTR8_document, of_an_image_entry_has_its_normal_reference) {
  image_list_state list;
  take(list, decide(list, allow_image{image_allowed{id_of(2), "box", "sha256:x", true, "why", true,
                                                    true}}));
  EXPECT_EQ(
      encode_document(document_of(*list.find(id_of(2)))),
      R"({"allow_host_network":true,"allow_root":true,"created_at":"1970-01-01T00:00:00.001000Z",)"
      R"("created_by":"token:writer","digest":"sha256:x",)"
      R"("id":"01000000-0000-0000-0000-000000000002","is_active":true,"llm":true,"reason":"why",)"
      R"("reference":"docker.io/library/box:latest"})");
}

TEST(CTR8_document, of_a_container_entry_says_whether_it_is_active) {
  container_list_state list;
  take(list, decide(list, allow_container{container_allowed{id_of(2), "web", {}, ""}}));
  take(list, decide(list, deny_container{id_of(2)}));
  EXPECT_EQ(encode_document(document_of(*list.find(id_of(2)))),
            R"({"container_id":null,"created_at":"1970-01-01T00:00:00.001000Z",)"
            R"("created_by":"token:writer","id":"01000000-0000-0000-0000-000000000002",)"
            R"("is_active":false,"name":"web","reason":""})");
}

TEST(ACC1_document, of_a_token_never_has_its_hash) {
  access_state a;
  take(a, decide(a, create_tenant{id_of(1), "house", id_of(9)}));
  digest hash;
  hash.fill(0xab);
  take(a, decide(a, create_token{{id_of(2), "ci", token_role::operator_, hash}}));
  const auto text = encode_document(document_of(*a.find(id_of(2))));
  EXPECT_EQ(text, R"({"created_at":"1970-01-01T00:00:00.002000Z","created_by":"token:writer",)"
                  R"("id":"01000000-0000-0000-0000-000000000002","is_active":true,"name":"ci",)"
                  R"("revoked_at":null,"role":"operator"})");
  take(a, decide(a, revoke_token{id_of(2)}));
  EXPECT_NE(
      encode_document(document_of(*a.find(id_of(2))))
          .find(R"("is_active":false,"name":"ci","revoked_at":"1970-01-01T00:00:00.003000Z")"),
      std::string::npos);
}

TEST(LLM1_document, of_a_call_has_counts_and_nothing_else) {
  const llm_call_recorded call{id_of(5), id_of(6), id_of(7), "m", 150, 300, 450, {}};
  EXPECT_EQ(encode_document(document_of(call, 1)),
            R"({"completion_tokens":300,"cost_micros":null,)"
            R"("created_at":"1970-01-01T00:00:00.000001Z",)"
            R"("id":"01000000-0000-0000-0000-000000000005",)"
            R"("job_id":"01000000-0000-0000-0000-000000000006","latency_ms":null,)"
            R"("model_name":"m","over_budget":false,"prompt_tokens":150,)"
            R"("run_id":"01000000-0000-0000-0000-000000000007","total_tokens":450})");
}

driven_run two_jobs() {
  auto second = container_task("b", {"a"});
  as<container_params>(second).memory_mb = 512;
  as<container_params>(second).cpu_millis = 250;
  second.priority = 3;
  directive_limits limits;
  limits.retries = 1;
  return driven_run({container_task("a"), second}, limits);
}

TEST(RUN4_document, of_a_run_counts_its_jobs_by_status) {
  auto run = two_jobs();
  run.now += 2'500'000;
  run.start(0);
  EXPECT_EQ(encode_document(document_of(run.state)),
            R"({"cancel_requested":false,"created_at":"1970-01-01T00:16:40.000000Z",)"
            R"("created_by":"token:writer","directive_id":null,"directive_name":"d",)"
            R"("directive_version":0,"engine":"docker","finished_at":null,)"
            R"("id":"01000000-0000-0000-0000-0000000001f4","job_count":2,)"
            R"("jobs_by_status":{"pending":1,"running":1},"labels":{},"position":3,)"
            R"("retry_of":null,"since":null,"started_at":"1970-01-01T00:16:42.500000Z",)"
            R"("status":"running"})");
}

TEST(RUN4_document, of_a_job_has_its_attempts_and_the_unified_fields) {
  auto run = two_jobs();
  run.now += 2'500'000;
  run.start(0);
  blob_ref log{{}, 7, false};
  log.sha256.fill(0x11);
  run.take(run_events{container_created{id_of(0), 1, "cid"},
                      attempt_started{id_of(0), 1, false, {}},
                      artifact_stored{id_of(0), "r.md", "text/markdown", log}});
  run.take(decide_end(run.state, id_of(0), {end_reason::exited, 0, log}));
  const std::string hash(64, '1');
  EXPECT_EQ(encode_document(document_of(run.state, run.job(0))),
            R"({"artifacts":[{"bytes":7,"media_type":"text/markdown","name":"r.md","sha256":")" +
                hash +
                R"("}],"attempt":1,"attempts":[{"container_id":"cid","container_name":"c",)"
                R"("engine":"docker","engine_id":null,"exit_code":0,)"
                R"("finished_at":"1970-01-01T00:16:42.500000Z",)"
                R"("image":"localhost:1/box:1","image_digest":"sha256:x",)"
                R"("log":{"bytes":7,"sha256":")" +
                hash +
                R"(","truncated":false},"log_incomplete":false,"node":null,"number":1,)"
                R"("oom_killed":false,"reason":"exited",)"
                R"("started_at":"1970-01-01T00:16:42.500000Z"}],"cluster_id":"reeve","cpu":1000,)"
                R"("engine":"docker",)"
                R"("finished_at":"1970-01-01T00:16:42.500000Z","gpus":0,)"
                R"("id":"01000000-0000-0000-0000-000000000000",)"
                R"("is_quarantined":false,)"
                R"("job_id":"01000000-0000-0000-0000-000000000000","job_type":"cpu",)"
                R"("memory_gb":0.25,"name":"a","needs":[],"pending_reason":null,"priority":0,)"
                R"("queue":"default","reason":"exited",)"
                R"("run_id":"01000000-0000-0000-0000-0000000001f4","source":"reeve",)"
                R"("started_at":"1970-01-01T00:16:42.500000Z","state":"succeeded",)"
                R"("status":"success","submitted_at":"1970-01-01T00:16:40.000000Z",)"
                R"("task":"container","user":"token:writer","wait_seconds":2.5})");
}

/// Whatever the log has for its attempts, no digest that nobody could look up is shown.
TEST(CTR4_document, of_a_simulated_job_says_so_and_has_no_digest) {
  auto run = two_jobs();
  EXPECT_EQ(document_of(run.state, run.job(0)).engine, "docker") << "what it would get";
  run.take(decide_intend(run.state, id_of(0), steps::intent_on("simulated")));
  const auto simulated = document_of(run.state, run.job(0));
  EXPECT_EQ(simulated.engine, "simulated");
  ASSERT_EQ(simulated.attempts.size(), 1U);
  EXPECT_EQ(simulated.attempts[0].engine, "simulated");
  EXPECT_EQ(simulated.attempts[0].image, "localhost:1/box:1");
  EXPECT_EQ(simulated.attempts[0].image_digest, std::nullopt);
  EXPECT_EQ(document_of(run.state, run.job(1)).engine, "docker") << "each by itself";
  run.take(decide_end(run.state, id_of(0), {end_reason::exited, 1, {}}));
  run.take(decide_intend(run.state, id_of(0), steps::intent_on("docker")));
  const auto both = document_of(run.state, run.job(0));
  EXPECT_EQ(both.engine, "mixed");
  EXPECT_EQ(both.attempts[1].image_digest, "sha256:x");
}

TEST(RUN4_document, of_a_job_that_waits_says_why) {
  auto run = two_jobs();
  const auto waits = document_of(run.state, run.job(1));
  EXPECT_EQ(waits.pending_reason, "needs_or_parallelism");
  EXPECT_EQ(waits.attempt, 0);
  EXPECT_EQ(waits.state, "pending");
  EXPECT_EQ(waits.cpu, 250);
  EXPECT_EQ(waits.memory_gb, 0.5);
  EXPECT_EQ(waits.priority, 3);
  EXPECT_EQ(waits.needs, std::vector<std::string>{"a"});
  EXPECT_FALSE(waits.wait_seconds);
  run.take(run_events{job_waiting{id_of(0), "no_free_place"}});
  EXPECT_EQ(document_of(run.state, run.job(0)).pending_reason, "no_free_place");
  run.take(run_events{job_waiting{id_of(0), "engine_unavailable"}});
  EXPECT_EQ(document_of(run.state, run.job(0)).pending_reason, "engine_unavailable");
  run.start(0);
  EXPECT_EQ(document_of(run.state, run.job(0)).pending_reason, std::nullopt);
  run.fail(0);
  EXPECT_EQ(document_of(run.state, run.job(0)).pending_reason, "retry_backoff");
  EXPECT_EQ(document_of(run.state, run.job(0)).attempt, 1);
  run.take(run_events{job_waiting{id_of(0), "no_free_place"}});
  EXPECT_EQ(document_of(run.state, run.job(0)).pending_reason, "no_free_place") << "it is over";
  run.start(0);
  run.take(run_events{work_quarantined{id_of(0), 2, 3}});
  EXPECT_EQ(document_of(run.state, run.job(0)).pending_reason, "quarantined");
  EXPECT_TRUE(document_of(run.state, run.job(0)).is_quarantined);
}

TEST(RUN4_document, of_a_job_uses_the_unified_word_for_each_state) {
  auto run = two_jobs();
  const std::map<job_status, std::string> words{{job_status::pending, "pending"},
                                                {job_status::running, "running"},
                                                {job_status::success, "succeeded"},
                                                {job_status::failed, "failed"},
                                                {job_status::cancelled, "cancelled"}};
  for (const auto& [status, word] : words) {
    auto job = run.job(0);
    job.status = status;
    EXPECT_EQ(document_of(run.state, job).state, word);
  }
}

}  // namespace
