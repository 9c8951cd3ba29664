// LLM4, P17: jobs call language models with the tokens of their attempts, where they come in, and
// nobody else does; what they call counts to whom the token names.

#include "api/llm_attempt.hpp"
#include "tests/unit/api/routes/routes_world.hpp"

#include <gtest/gtest.h>

using namespace routes_fixture;

namespace {

const std::string jobs_chat = "POST /llm/v1/chat/completions";
const std::string jobs_body = R"({"model":"m","messages":[{"role":"user","content":"Zqx7"}]})";
const std::string jobs_told = R"({"usage":{"prompt_tokens":5,"completion_tokens":7}})";

/// One run of each tenant whose job runs and may call, as "own" and "other"; an upstream.
struct calling_jobs {
  calling_jobs() {
    domain::llm_upstream_view one;
    one.what = {"a", "http://127.0.0.1:1/v1", {"m"}, {}, 4};
    one.health.answered(10);
    it.upstreams.push_back(one);
    it.call_upstream = [this](const adapters::upstream_call&, const auto&,
                              const reply_slot<adapters::upstream_answer>& slot) {
      ++calls;
      adapters::upstream_answer told;
      told.status = 200;
      told.body = jobs_told;
      slot.answer(std::move(told));
    };
    it.job_of = [this](std::string_view token) -> std::optional<caller> {
      if (token != "own" && token != "other") return std::nullopt;
      return caller_of(token == "own" ? own : other);
    };
    own = launched("operator", "tenant");
    other = launched("stranger", "other");
    it.from = listener::jobs;
  }
  attempt_name launched(const std::string& who, const std::string& tenant, bool may = true) {
    const auto before = std::exchange(it.from, listener::open);
    const auto made = it.ask(who, "POST /api/runs/launch", "{}");
    it.from = before;
    attempt_name whose{named(tenant), parse_uuid(made.at("id")).value(),
                       parse_uuid(made.at("jobs/0/id")).value(), 1};
    domain::attempt_intended how;
    if (may) how.llm = true;
    it.commands.begin(whose.run, "c", how);
    return whose;
  }
  answer call(const std::string& token = "own", const std::string& fields = "") {
    return it.ask(token, jobs_chat, jobs_body, fields);
  }
  bool last_has(const std::string& text) const {
    return it.reads.log.back().payload.find(text) != std::string::npos;
  }
  std::string refusal(const std::string& token = "own") {
    const auto got = call(token);
    return got.at("error/code") + " " + std::to_string(got.status);
  }

  world it;
  attempt_name own, other;
  int calls = 0;
};

}  // namespace

TEST(LLM4_jobs, calls_count_to_the_job_that_the_token_names) {
  calling_jobs p;
  const auto got = p.call("own", "X-Reeve-Run: " + to_string(p.other.run) +
                                     "\r\nX-Reeve-Job: " + to_string(p.other.job) + "\r\n");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.body, jobs_told);
  const auto& event = p.it.reads.log.back();
  EXPECT_EQ(event.type, "llm_call_recorded");
  EXPECT_EQ(event.tenant, named("tenant"));
  EXPECT_EQ(event.meta.principal, "job:" + to_string(p.own.job));
  EXPECT_TRUE(p.last_has(R"("job":")" + to_string(p.own.job)));
  EXPECT_TRUE(p.last_has(R"("run":")" + to_string(p.own.run)));
  EXPECT_TRUE(p.last_has(R"("directive":")")) << event.payload;
  EXPECT_EQ(p.call("other").status, 200);
  EXPECT_EQ(p.it.reads.log.back().tenant, named("other"));
  for (const auto& one : p.it.reads.log) EXPECT_EQ(one.payload.find("Zqx7"), std::string::npos);
}

TEST(LLM4_jobs, tokens_are_worth_nothing_once_the_attempt_is_over) {
  calling_jobs p;
  EXPECT_EQ(p.call().status, 200);
  EXPECT_EQ(p.it.ask("own", "GET /llm/v1/models").status, 200);
  p.it.commands.end(p.own.run, domain::end_reason::exited, "out");
  const auto head = p.it.reads.head();
  EXPECT_EQ(p.refusal(), "unauthenticated 401");
  EXPECT_EQ(p.it.ask("own", "GET /llm/v1/models").status, 401);
  EXPECT_EQ(p.refusal("made up"), " 401");
  EXPECT_EQ(p.calls, 1);
  EXPECT_EQ(p.it.reads.head(), head);
}

TEST(LLM4_jobs, tokens_are_worth_nothing_once_the_run_is_cancelled) {
  calling_jobs p;
  EXPECT_EQ(p.call().status, 200);
  p.it.from = listener::open;
  const auto cancelled =
      p.it.ask("operator", "POST /api/runs/" + to_string(p.own.run) + "/cancel", "{}");
  ASSERT_EQ(cancelled.status, 202) << cancelled.body;
  p.it.from = listener::jobs;
  EXPECT_EQ(p.refusal(), "unauthenticated 401") << "though its attempt has not ended yet";
  EXPECT_EQ(p.calls, 1);
  EXPECT_EQ(p.call("other").status, 200);
}

/// Three crashes interrupted its work, and nobody says that it runs until an operator does.
TEST(LLM4_jobs, tokens_of_a_quarantined_attempt_are_worth_nothing_until_it_is_tried_again) {
  calling_jobs p;
  EXPECT_EQ(p.call().status, 200);
  p.it.commands.quarantine(p.own.run);
  const auto head = p.it.reads.head();
  EXPECT_EQ(p.refusal(), "unauthenticated 401");
  EXPECT_EQ(p.it.ask("own", "GET /llm/v1/models").status, 401);
  EXPECT_EQ(p.calls, 1);
  EXPECT_EQ(p.it.reads.head(), head);
  EXPECT_EQ(p.call("other").status, 200);
  p.it.from = listener::open;
  const auto path = "POST /api/jobs/" + to_string(p.own.job) + "/retry";
  EXPECT_EQ(p.it.ask("operator", path).status, 202);
  p.it.from = listener::jobs;
  EXPECT_EQ(p.call().status, 200);
}

TEST(LLM4_jobs, tokens_of_other_attempts_and_other_ids_are_worth_nothing) {
  calling_jobs p;
  const auto good = p.own;
  p.own.number = 2;
  EXPECT_EQ(p.refusal(), "unauthenticated 401");
  p.own = good;
  p.own.job = p.other.job;
  EXPECT_EQ(p.refusal(), "unauthenticated 401");
  p.own = good;
  p.own.tenant = p.other.tenant;
  EXPECT_EQ(p.refusal(), "unauthenticated 401");
  p.own = p.launched("operator", "tenant", false);
  EXPECT_EQ(p.refusal(), "unauthenticated 401") << "its image's entry allows none";
  p.own = good;
  EXPECT_EQ(p.call().status, 200);
}

TEST(LLM4_jobs, nothing_is_called_for_an_attempt_that_ends_before_the_call_begins) {
  calling_jobs p;
  bool has_ended = false;
  p.it.may_record = true;
  // Asked for right before the call, when the first look was fine.
  domain::llm_upstream_view second = p.it.upstreams[0];
  second.what.name = "b";
  second.health.answered(500);
  p.it.upstreams.push_back(second);
  p.it.call_upstream = [&](const adapters::upstream_call&, const auto&,
                           const reply_slot<adapters::upstream_answer>& slot) {
    ++p.calls;
    if (!std::exchange(has_ended, true)) {
      p.it.commands.end(p.own.run, domain::end_reason::exited, "out");
    }
    slot.answer(reject(errc::unavailable, "away"));
  };
  EXPECT_EQ(p.refusal(), "unauthenticated 401");
  EXPECT_EQ(p.calls, 1) << "not the second upstream";
  EXPECT_EQ(p.it.places.calls_of("b"), 0) << "its place is free again";
}

TEST(LLM4_jobs, of_a_tenant_share_one_share_of_the_places) {
  calling_jobs p;
  const auto second = p.launched("operator", "tenant");
  const auto one = caller_of(p.own), two = caller_of(second), stranger = caller_of(p.other);
  EXPECT_EQ(one.token_id, two.token_id);
  EXPECT_NE(one.token_id, stranger.token_id);
  std::vector<llm_places::place> held;
  for (int i = 0; i < 2; ++i) held.push_back(p.it.places.take({"a", one.token_id, {}}, 4).value());
  p.own = second;
  EXPECT_EQ(p.refusal(), "rate_limited 429") << "what the other job holds is its own share too";
  EXPECT_EQ(p.call("other").status, 200);
}

TEST(LLM3_jobs, mind_the_budget_of_their_directive) {
  calling_jobs p;
  p.it.from = listener::open;
  const auto run = p.it.ask("operator", "GET /api/runs/" + to_string(p.own.run));
  const auto set = p.it.ask(
      "admin", "PUT /api/llm-budgets/house",
      R"({"period":"day","most_tokens":10,"directive":")" + run.at("directive_id") + "\"}");
  ASSERT_EQ(set.status, 200) << set.body;
  p.it.from = listener::jobs;
  p.it.reads.spent.total_tokens = 10;
  EXPECT_EQ(p.refusal(), "insufficient_quota 429");
  p.it.may_record = false;
  EXPECT_EQ(p.refusal(), "log_unavailable 503");
  EXPECT_EQ(p.calls, 0);
}

/// It could be cut and look whole, and is told so before it costs anything.
TEST(LLM4_jobs, of_http_1_0_are_refused_a_stream_before_anything_is_called) {
  calling_jobs p;
  p.it.call_upstream = [&p](const adapters::upstream_call& what, const auto&,
                            const reply_slot<adapters::upstream_answer>& slot) {
    ++p.calls;
    adapters::upstream_answer told;
    told.status = 200;
    if (!what.streams) told.body = jobs_told;
    slot.answer(std::move(told));
  };
  p.it.version = "1.0";
  const std::string streamed = R"({"model":"m","stream":true,"messages":[]})";
  const auto head = p.it.reads.head();
  const auto refused = p.it.ask("own", jobs_chat, streamed);
  EXPECT_EQ(refused.status, 400) << refused.body;
  EXPECT_EQ(refused.at("error/code"), "invalid_request");
  EXPECT_NE(refused.at("error/message").find("HTTP/1.1 only"), std::string::npos);
  EXPECT_EQ(p.calls, 0);
  EXPECT_EQ(p.it.reads.head(), head) << "nothing is counted";
  EXPECT_EQ(p.call().status, 200) << "what is told at once is whole or not";
  EXPECT_EQ(p.calls, 1);
  p.it.version = "1.1";
  p.it.ask("own", jobs_chat, streamed);
  EXPECT_EQ(p.calls, 2);
  // A connection of TCP is reset where it is cut.
  p.it.version = "1.0";
  p.it.from = listener::open;
  p.it.ask("operator", jobs_chat, streamed);
  EXPECT_EQ(p.calls, 3);
}

/// Routes × identities × where they come in.
TEST(P17_jobs, know_language_models_and_nothing_else) {
  calling_jobs p;
  int models = 0;
  for (const auto& one : p.it.routes()) {
    auto line = std::string(name_of(one.method)) + " " + one.pattern;
    for (auto at = line.find('{'); at != line.npos; at = line.find('{')) {
      line.replace(at, line.find('}') - at + 1, to_string(p.own.run));
    }
    const bool is_model = one.pattern.starts_with("/llm/v1/");
    models += is_model ? 1 : 0;
    const std::string body = one.method == method::get ? "" : "{}";
    p.it.from = listener::open;
    const auto open = p.it.ask("own", line, body);
    const bool is_known = open.status != 401 && one.needs != api::access::anonymous;
    EXPECT_FALSE(is_known) << line;
    p.it.from = listener::jobs;
    for (const char* token : {"admin", "operator", "viewer", "auditor", "stranger", "made-up"}) {
      EXPECT_EQ(p.it.ask(token, line, body).status, 401) << token << " " << line;
    }
    EXPECT_EQ(p.it.ask("own", line, body).status == 404, !is_model) << line;
  }
  EXPECT_EQ(models, 4);
  EXPECT_EQ(p.it.ask("own", "GET /llm/v1").status, 404);
  EXPECT_EQ(p.it.ask("own", "GET /llm/v1/../../api/runs").status, 400);
}
