// LLM4, P15: calls of language models that go through Reeve, with upstreams that the test plays.

#include "tests/unit/api/routes/routes_world.hpp"

#include <deque>
#include <gtest/gtest.h>

using namespace routes_fixture;

namespace {

using adapters::upstream_answer;

const std::string chat = "POST /llm/v1/chat/completions";
const std::string plain = R"({"model":"m","messages":[{"role":"user","content":"Zqx7"}]})";
const std::string streaming = R"({"model":"m","stream":true,"messages":[]})";
const std::string told = R"({"choices":[{"message":{"content":"Yfp3"}}],)"
                         R"("usage":{"prompt_tokens":5,"completion_tokens":7}})";

class told_chunks final : public adapters::upstream_bytes {
 public:
  explicit told_chunks(std::deque<std::string> chunks) : chunks_(std::move(chunks)) {}
  void next(reply_slot<std::string> slot) override {
    if (chunks_.empty()) return slot.answer(std::string());
    auto first = std::move(chunks_.front());
    chunks_.pop_front();
    slot.answer(std::move(first));
  }
  void cancel() override {}

 private:
  std::deque<std::string> chunks_;
};

/// Upstreams a and b, which serve m and answer as they are told, in the order of the calls.
struct passing {
  passing() {
    for (const char* name : {"a", "b"}) {
      domain::llm_upstream_view one;
      one.what = {name, "http://127.0.0.1:1/v1", {"m"}, {}, 2};
      one.health.answered(name[0] == 'a' ? 10 : 500);
      it.upstreams.push_back(one);
    }
    it.call_upstream = [this](adapters::upstream_call what, std::shared_ptr<call_stopper>,
                              reply_slot<upstream_answer> slot) {
      calls.push_back(what);
      if (answers.empty()) return slot.answer(reject(errc::unavailable, "away"));
      auto first = std::move(answers.front());
      answers.pop_front();
      slot.answer(std::move(first));
    };
  }
  answer call(const std::string& body = plain, const std::string& line = chat) {
    return it.ask("operator", line, body);
  }
  std::string last_payload() const { return it.reads.log.back().payload; }
  bool last_has(const std::string& text) const {
    return last_payload().find(text) != std::string::npos;
  }

  world it;
  std::vector<adapters::upstream_call> calls;
  std::deque<outcome<upstream_answer>> answers;
};

upstream_answer with(int status, std::string body) {
  return {status, std::move(body), nullptr};
}

std::string error_of(const answer& got) {
  return got.at("error/code") + " " + std::to_string(got.status);
}

}  // namespace

TEST(LLM4_pass, forwards_the_body_as_it_is_and_records_the_counts) {
  passing p;
  p.answers = {with(200, told)};
  const auto got = p.call();
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.body, told);
  EXPECT_EQ(got.content_type, "application/json");
  EXPECT_EQ(got.header("Reeve-Position"), std::to_string(p.it.reads.head()));
  ASSERT_EQ(p.calls.size(), 1U);
  EXPECT_EQ(p.calls[0].to.name, "a") << "the quicker one";
  EXPECT_EQ(p.calls[0].path, "/chat/completions");
  EXPECT_EQ(*p.calls[0].body, plain);
  const auto& event = p.it.reads.log.back();
  EXPECT_EQ(event.type, "llm_call_recorded");
  EXPECT_EQ(event.meta.principal, "token:" + to_string(named("operator")));
  EXPECT_FALSE(event.meta.request_digest) << "a guess could be held against it";
  for (const char* part :
       {R"("prompt_tokens":5)", R"("completion_tokens":7)", R"("upstream":"a")",
        R"("reason":"highest_score")", R"("run":"00000000-0000-0000-0000-000000000000")"}) {
    EXPECT_TRUE(p.last_has(part)) << part << p.last_payload();
  }
  EXPECT_FALSE(p.last_has("is_estimate"));
  for (const auto& one : p.it.reads.log) {
    EXPECT_EQ(one.payload.find("Zqx7"), std::string::npos);
    EXPECT_EQ(one.payload.find("Yfp3"), std::string::npos);
  }
}

TEST(LLM4_pass, has_the_price_of_its_model) {
  passing p;
  p.it.llm.prices["m"] = {1'000'000, 3'000'000};
  p.answers = {with(200, told)};
  p.call();
  EXPECT_TRUE(p.last_has("\"cost_micros\":26")) << p.last_payload();
}

TEST(LLM4_pass, goes_to_the_next_upstream_where_nothing_was_done) {
  passing p;
  p.answers = {reject(errc::unavailable, "away"), with(200, told)};
  EXPECT_EQ(p.call().status, 200);
  ASSERT_EQ(p.calls.size(), 2U);
  EXPECT_EQ(p.calls[1].to.name, "b");
  EXPECT_TRUE(p.last_has(R"("upstream":"b")") && p.last_has(R"("reason":"others_failed")"));
  p.calls.clear();
  p.answers = {with(503, ""), with(503, "")};
  EXPECT_EQ(error_of(p.call()), "upstream_unavailable 503");
  EXPECT_EQ(p.calls.size(), 2U);
  // What may have been done is not done twice.
  for (const int status : {500, 502, 504, 307, 401, 404}) {
    p.calls.clear();
    p.answers = {with(status, "Yfp3")};
    const auto got = p.call();
    EXPECT_EQ(error_of(got), "upstream_failed 502") << status;
    EXPECT_EQ(got.body.find("Yfp3"), std::string::npos);
    EXPECT_EQ(p.calls.size(), 1U) << status;
  }
}

TEST(LLM4_pass, tells_what_upstreams_refuse_without_their_words) {
  passing p;
  const auto head = p.it.reads.head();
  p.answers = {with(400, R"({"error":{"message":"Zqx7","code":"context_length_exceeded"}})")};
  auto got = p.call();
  EXPECT_EQ(error_of(got), "context_length_exceeded 400");
  EXPECT_EQ(got.body.find("Zqx7"), std::string::npos) << "an upstream may quote the prompt";
  p.answers = {with(422, R"({"error":{"code":"Zqx7"}})")};
  EXPECT_EQ(error_of(p.call()), "upstream_refused 400");
  p.answers = {with(429, "")};
  EXPECT_EQ(error_of(p.call()), "upstream_rate_limited 429");
  EXPECT_EQ(p.it.reads.head(), head) << "nothing was called";
}

TEST(LLM4_pass, passes_on_how_long_upstreams_ask_to_wait) {
  passing p;
  const auto asking = [](int status, int wait_s) {
    auto made = with(status, "");
    made.retry_after_s = wait_s;
    return made;
  };
  p.answers = {asking(429, 17)};
  EXPECT_EQ(p.call().header("Retry-After"), "17");
  p.answers = {with(429, "")};
  EXPECT_EQ(p.call().header("Retry-After"), "1") << "it says nothing";
  p.answers = {asking(503, 40), asking(503, 20)};
  auto got = p.call();
  EXPECT_EQ(error_of(got), "upstream_unavailable 503");
  EXPECT_EQ(got.header("Retry-After"), "20") << "of the first that may be back";
  p.answers = {asking(503, 40), reject(errc::unavailable, "away")};
  EXPECT_EQ(p.call().header("Retry-After"), "40");
  p.answers = {asking(400, 17)};
  EXPECT_EQ(p.call().header("Retry-After"), "") << "no wait mends it";
}

TEST(LLM4_pass, counts_what_may_have_been_done) {
  passing p;
  const auto estimate = "\"prompt_tokens\":" + std::to_string((plain.size() + 3) / 4);
  p.answers = {reject(errc::timed_out, "late")};
  EXPECT_EQ(error_of(p.call()), "upstream_timed_out 504");
  EXPECT_TRUE(p.last_has(estimate) && p.last_has("\"is_estimate\":true")) << p.last_payload();
  for (auto& way : std::vector<outcome<upstream_answer>>{
           reject(errc::invalid, "broke off"), with(200, "no json"),
           with(200, R"({"error":{"message":"x"}})")}) {
    const auto head = p.it.reads.head();
    p.answers = {way};
    EXPECT_EQ(error_of(p.call()), "upstream_failed 502");
    EXPECT_EQ(p.it.reads.head(), head + 1);
    EXPECT_TRUE(p.last_has(estimate));
  }
  p.answers = {with(200, "no json, of 24 bytes ...")};
  EXPECT_EQ(error_of(p.call()), "upstream_failed 502");
  EXPECT_TRUE(p.last_has("\"completion_tokens\":6") && p.last_has(estimate)) << p.last_payload();
  auto cut = with(200, std::string(400, 'x'));
  cut.is_cut = true;
  p.answers = {cut};
  EXPECT_EQ(error_of(p.call()), "upstream_failed 502");
  EXPECT_TRUE(p.last_has("\"completion_tokens\":100")) << "of what came of it";
  p.answers = {with(200, R"({"error":{},"usage":{"prompt_tokens":5,"completion_tokens":7}})")};
  EXPECT_EQ(error_of(p.call()), "upstream_failed 502");
  EXPECT_TRUE(p.last_has("\"completion_tokens\":7")) << "it says so itself";
  p.answers = {with(200, R"({"choices":[{}]})")};
  EXPECT_EQ(p.call().status, 200) << "it tells no counts";
  EXPECT_TRUE(p.last_has("\"completion_tokens\":4") && p.last_has(estimate)) << p.last_payload();
}

/// No count is 0 because the upstream did not tell it, but that of embeddings, which have no text.
TEST(LLM4_pass, estimates_each_count_that_was_not_told) {
  passing p;
  const auto sent = std::to_string((plain.size() + 3) / 4);
  const std::string text(400, 'Y');
  const auto answer_with = [&](const std::string& usage) {
    return R"({"choices":[{"message":{"content":")" + text + R"("}}],"usage":)" + usage + "}";
  };
  const std::string embeddings = "POST /llm/v1/embeddings";
  struct one {
    std::string line, usage, prompt, completion;
    bool is_estimate;
  };
  const auto came = [&](const std::string& usage) {
    return std::to_string((answer_with(usage).size() + 3) / 4);
  };
  const std::string half = R"({"prompt_tokens":3})", other = R"({"completion_tokens":7})",
                    absurd = R"({"prompt_tokens":3,"completion_tokens":-5})",
                    none = R"({"prompt_tokens":3,"completion_tokens":0})";
  for (const auto& row :
       {one{chat, half, "3", came(half), true},
        one{"POST /llm/v1/completions", half, "3", came(half), true},
        one{chat, absurd, "3", came(absurd), true}, one{chat, other, sent, "7", true},
        one{chat, none, "3", "0", false}, one{embeddings, half, "3", "0", false},
        one{embeddings, absurd, "3", "0", false}, one{embeddings, "{}", sent, "0", true}}) {
    p.answers = {with(200, answer_with(row.usage))};
    EXPECT_EQ(p.call(plain, row.line).status, 200);
    EXPECT_TRUE(p.last_has("\"prompt_tokens\":" + row.prompt + ",") &&
                p.last_has("\"completion_tokens\":" + row.completion + ","))
        << row.line << row.usage << p.last_payload();
    EXPECT_EQ(p.last_has("\"is_estimate\":true"), row.is_estimate) << row.line << row.usage;
  }
}

TEST(LLM4_pass, calls_nothing_that_could_not_be_recorded) {
  passing p;
  p.it.may_record = false;
  const auto got = p.call();
  EXPECT_EQ(error_of(got), "log_unavailable 503");
  EXPECT_FALSE(got.header("Retry-After").empty());
  EXPECT_TRUE(p.calls.empty());
  // Nor a second upstream, when the log went away in the middle.
  p.it.may_record = true;
  p.it.call_upstream = [&](const adapters::upstream_call& what, const auto&,
                           const reply_slot<upstream_answer>& slot) {
    p.calls.push_back(what);
    p.it.may_record = false;
    slot.answer(with(503, ""));
  };
  EXPECT_EQ(error_of(p.call()), "log_unavailable 503");
  EXPECT_EQ(p.calls.size(), 1U);
}

TEST(LLM4_pass, refuses_what_is_no_call) {
  passing p;
  const auto head = p.it.reads.head();
  const std::pair<const char*, const char*> rows[] = {
      {"[]", "invalid_request 400"},
      {"{}", "invalid_request 400"},
      {R"({"model":1})", "invalid_request 400"},
      {R"({"model":"m","Model":"n"})", "invalid_request 400"},
      {R"({"model":"m","stream":"yes"})", "invalid_request 400"},
      {R"({"model":"n"})", "model_not_found 404"},
      {R"({"model":"a model Zqx7"})", "model_not_found 404"}};
  for (const auto& [body, wanted] : rows) {
    const auto got = p.call(body);
    EXPECT_EQ(error_of(got), wanted) << body << got.body;
    EXPECT_EQ(got.body.find("Zqx7"), std::string::npos);
  }
  EXPECT_EQ(error_of(p.call(streaming, "POST /llm/v1/embeddings")), "invalid_request 400");
  EXPECT_EQ(p.it.ask("viewer", chat, plain).status, 403);
  EXPECT_EQ(p.it.ask("auditor", chat, plain).status, 403);
  EXPECT_EQ(p.it.ask("operator", chat, plain, "Idempotency-Key: k\r\n").status, 422);
  EXPECT_TRUE(p.calls.empty());
  EXPECT_EQ(p.it.reads.head(), head);
}

TEST(LLM3_pass, refuses_what_a_spent_budget_would_pay) {
  passing p;
  p.it.ask("admin", "PUT /api/llm-budgets/house", R"({"period":"day","most_tokens":100})");
  p.it.reads.spent.total_tokens = 99;
  p.answers = {with(200, told)};
  EXPECT_EQ(p.call().status, 200) << "something is left";
  EXPECT_TRUE(p.last_has("\"over_budget\":true"));
  p.it.reads.spent.total_tokens = 100;
  const auto got = p.call();
  EXPECT_EQ(error_of(got), "insufficient_quota 429");
  EXPECT_EQ(got.at("error/type"), "insufficient_quota");
  EXPECT_EQ(got.header("X-Should-Retry"), "false");
  EXPECT_EQ(p.calls.size(), 1U);
  // Another tenant has budgets of its own.
  p.answers = {with(200, told)};
  EXPECT_EQ(p.it.ask("stranger", chat, plain).status, 200);
}

TEST(LLM4_pass, waits_for_no_upstream_that_is_full) {
  passing p;
  int others = 0;
  const auto taken = [&](const char* upstream, int most) {
    return p.it.places.take({upstream, named("other " + std::to_string(++others)), nullptr}, most);
  };
  auto in_a = taken("a", 1);
  p.answers = {with(200, told)};
  EXPECT_EQ(p.call().status, 200) << "one more has room";
  in_a = taken("a", 2);
  const auto one = taken("a", 2), two = taken("b", 2), three = taken("b", 2);
  p.calls.clear();
  EXPECT_EQ(error_of(p.call()), "overloaded 503") << "taken since it was looked at";
  for (auto& view : p.it.upstreams) view.calls = p.it.places.calls_of(view.what.name);
  const auto got = p.call();
  EXPECT_EQ(error_of(got), "overloaded 503");
  EXPECT_EQ(got.header("Retry-After"), "1");
  EXPECT_TRUE(p.calls.empty());
}

TEST(LLM4_pass, ends_with_its_token) {
  passing p;
  bool is_stopped = false;
  p.it.call_upstream = [&](const auto&, const std::shared_ptr<call_stopper>& stopper,
                           const reply_slot<upstream_answer>& slot) {
    p.it.places.end_of(named("viewer"));
    EXPECT_FALSE(stopper->is_stopped());
    p.it.places.end_of(named("operator"));
    is_stopped = stopper->is_stopped();
    slot.answer(reject(errc::invalid, "it was stopped"));
  };
  EXPECT_EQ(error_of(p.call()), "upstream_failed 502");
  EXPECT_TRUE(is_stopped);
  EXPECT_TRUE(p.last_has("\"is_estimate\":true"));
}

TEST(LLM4_pass, holds_its_place_until_it_is_answered) {
  passing p;
  std::int64_t meanwhile = 0;
  p.it.call_upstream = [&](const adapters::upstream_call& what, const auto&,
                           const reply_slot<upstream_answer>& slot) {
    meanwhile = p.it.places.calls_of(what.to.name);
    slot.answer(with(200, told));
  };
  EXPECT_EQ(p.call().status, 200);
  EXPECT_EQ(meanwhile, 1);
  EXPECT_EQ(p.it.places.calls_of("a"), 0);
}

TEST(LLM4_pass, streams_and_asks_for_the_counts) {
  passing p;
  const std::string chunk = R"(data: {"choices":[{"delta":{"content":"Yfp3"}}]})"
                            "\n\n";
  const std::string counts =
      R"(data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}})"
      "\n\n";
  const auto begin = [&] {
    upstream_answer made;
    made.status = 200;
    made.rest =
        std::make_shared<told_chunks>(std::deque<std::string>{chunk + counts, "data: [DONE]\n\n"});
    p.answers = {made};
  };
  begin();
  const auto got = p.call(streaming);
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.content_type, "text/event-stream");
  ASSERT_TRUE(got.stream);
  EXPECT_TRUE(p.calls[0].streams);
  EXPECT_EQ(*p.calls[0].body, R"({"stream_options":{"include_usage":true},)" + streaming.substr(1));
  const auto head = p.it.reads.head();
  std::string text;
  for (bool is_over = false; !is_over;) {
    got.stream->next(reply_slot<std::string>([&](outcome<std::string> piece) {
      is_over = !piece || piece->empty();
      if (piece) text += *piece;
    }));
  }
  EXPECT_EQ(text, chunk + "data: [DONE]\n\n");
  EXPECT_EQ(p.it.reads.head(), head + 1);
  EXPECT_TRUE(p.last_has("\"completion_tokens\":7")) << p.last_payload();
  EXPECT_FALSE(p.last_has("Yfp3"));
  begin();
  const std::string asks = R"({"model":"m","stream":true,"stream_options":{"include_usage":true}})";
  const auto gone = p.call(asks);
  EXPECT_EQ(*p.calls[1].body, asks);
  gone.stream->cancel();
  EXPECT_TRUE(p.last_has("\"is_estimate\":true")) << "the client went before it read";
  // An upstream that answers at once was not asked to, but has worked.
  p.answers = {with(200, told)};
  EXPECT_EQ(error_of(p.call(streaming)), "upstream_failed 502");
  EXPECT_TRUE(p.last_has("\"completion_tokens\":7") && !p.last_has("is_estimate"));
}

TEST(LLM4_pass, lists_the_models_of_all_upstreams) {
  passing p;
  p.it.upstreams[1].what.models.emplace_back("n");
  const auto got = p.it.ask("operator", "GET /llm/v1/models");
  EXPECT_EQ(got.body,
            R"({"data":[{"created":0,"id":"m","object":"model","owned_by":"reeve"},)"
            R"({"created":0,"id":"n","object":"model","owned_by":"reeve"}],"object":"list"})");
  EXPECT_EQ(p.it.ask("viewer", "GET /llm/v1/models").status, 403);
}
