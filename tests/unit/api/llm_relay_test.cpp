// LLM4: the answer of an upstream on its way to the client, chunk by chunk.

#include "api/llm_relay.hpp"

#include <deque>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace reeve;
using namespace reeve::api;

namespace {

/// Pieces that are there at once, or come later.
class told_bytes final : public adapters::upstream_bytes {
 public:
  void next(reply_slot<std::string> slot) override {
    if (pieces.empty()) {
      waiting = std::move(slot);
      return;
    }
    auto piece = std::move(pieces.front());
    pieces.pop_front();
    slot.answer(std::move(piece));
  }
  void cancel() override {
    is_cancelled = true;
    waiting = {};
  }
  void come(outcome<std::string> piece) { std::exchange(waiting, {}).answer(std::move(piece)); }

  std::deque<outcome<std::string>> pieces;
  reply_slot<std::string> waiting;
  bool is_cancelled = false;
};

struct relayed {
  explicit relayed(bool wants_usage = false)
      : relay(std::make_shared<llm_relay>(from, llm_meter(400, wants_usage),
                                          [this](llm_metered what, reply_slot<done> slot) {
                                            records.push_back(what);
                                            recorded = slot;
                                            if (answers) slot.answer(*answers);
                                          })) {}

  /// What the client gets next; nothing: it waits.
  std::optional<outcome<std::string>> next() {
    auto got = std::make_shared<std::optional<outcome<std::string>>>();
    last = got;
    relay->next(reply_slot<std::string>([got](outcome<std::string> piece) { *got = piece; }));
    return *got;
  }
  std::string text() {
    std::string all;
    for (int i = 0; i < 1000; ++i) {
      const auto piece = next();
      if (!piece) return all + "(no piece)";
      is_cut = !*piece;
      if (!*piece || (*piece)->empty()) return all;
      all += **piece;
    }
    return all + "(no end)";
  }

  std::shared_ptr<told_bytes> from = std::make_shared<told_bytes>();
  std::vector<llm_metered> records;
  std::optional<outcome<done>> answers = outcome<done>(done{});
  reply_slot<done> recorded;
  std::shared_ptr<std::optional<outcome<std::string>>> last;
  std::shared_ptr<llm_relay> relay;
  bool is_cut = false;  // where the text ended
};

const std::string first = R"({"choices":[{"delta":{"content":"a"}}]})";
const std::string usage_chunk =
    R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}})";

std::string event(const std::string& data) {
  return "data: " + data + "\n\n";
}
const std::string whole =
    ": ping\n\n" + event(first) + event(first) + event(usage_chunk) + event("[DONE]");

}  // namespace

TEST(LLM4_relay, passes_chunks_and_hides_the_counts_that_nobody_asked_for) {
  relayed it;
  it.from->pieces = {whole};
  EXPECT_EQ(it.text(), event(first) + event(first) + event("[DONE]"));
  EXPECT_FALSE(it.is_cut);
  ASSERT_EQ(it.records.size(), 1U);
  EXPECT_EQ(it.records[0], (llm_metered{5, 7, false}));
  relayed asks(true);
  asks.from->pieces = {whole};
  EXPECT_EQ(asks.text(), event(first) + event(first) + event(usage_chunk) + event("[DONE]"));
}

TEST(LLM4_relay, does_so_wherever_the_bytes_are_cut) {
  for (std::size_t at = 1; at < whole.size(); ++at) {
    relayed it;
    it.from->pieces = {whole.substr(0, at), whole.substr(at)};
    ASSERT_EQ(it.text(), event(first) + event(first) + event("[DONE]")) << at;
    ASSERT_EQ(it.records.size(), 1U) << at;
  }
  relayed bytes;
  for (const char byte : whole) bytes.from->pieces.emplace_back(std::string(1, byte));
  EXPECT_EQ(bytes.text(), event(first) + event(first) + event("[DONE]"));
}

/// Each piece gives the thread back, and shows whether the client is there.
TEST(LLM4_relay, of_an_upstream_that_has_much_and_says_nothing_keeps_no_thread) {
  for (const auto& [piece, most] :
       {std::pair(std::string(":\n"), 1000U), std::pair(std::string(20 << 10, '\n'), 4U)}) {
    relayed it;
    for (int i = 0; i < 3000; ++i) it.from->pieces.emplace_back(piece);
    for (int i = 1; i <= 2; ++i) {
      const auto got = it.next();
      ASSERT_TRUE(got && *got);
      EXPECT_EQ(**got, ":\n\n") << "a comment";
      EXPECT_EQ(it.from->pieces.size(), 3000 - i * most);
    }
    it.relay->cancel();
  }
}

TEST(LLM4_relay, waits_for_what_comes_later) {
  relayed it;
  EXPECT_FALSE(it.next());
  it.from->come(event(first).substr(0, 9));
  EXPECT_FALSE(*it.last) << "no event is whole";
  it.from->come(event(first).substr(9));
  ASSERT_TRUE(*it.last);
  EXPECT_EQ(***it.last, event(first));
}

TEST(LLM4_relay, says_its_last_word_when_the_call_is_recorded) {
  relayed it;
  it.answers.reset();
  it.from->pieces = {whole};
  EXPECT_FALSE(it.next());
  ASSERT_EQ(it.records.size(), 1U);
  it.recorded.answer(done{});
  ASSERT_TRUE(*it.last);
  EXPECT_TRUE((**it.last)->ends_with("data: [DONE]\n\n"));
  relayed away;
  away.answers = outcome<done>(reject(errc::unavailable, "no log"));
  away.from->pieces = {whole};
  const auto text = away.text();
  EXPECT_EQ(text.find("[DONE]"), std::string::npos);
  EXPECT_NE(text.find("\"error\""), std::string::npos);
  EXPECT_TRUE(away.is_cut);
}

TEST(LLM4_relay, of_an_upstream_that_breaks_off_ends_with_an_error_and_an_estimate) {
  struct way {
    std::deque<outcome<std::string>> pieces;
    std::int64_t completion;
  };
  constexpr std::size_t too_much = (1 << 20) + 10;
  const std::string begun = "data: {\"choi";
  const std::vector<way> ways = {
      {{event(first), reject(errc::invalid, "broke off")}, 1},
      {{event(first), std::string()}, 1},
      {{event(first), event(R"({"error":{"message":"Zqx7"}})")}, 1},
      {{event(first), event("Zqx7")}, 2},
      {{event(first), std::string(too_much, 'x')}, 1},
      {{event(first), "data: " + std::string(too_much, 'x')}, (too_much + 1 + 3) / 4},
      {{event(first), begun, reject(errc::invalid, "broke off")}, 2},
      {{event(first), begun, std::string()}, 2}};
  for (const auto& [pieces, completion] : ways) {
    relayed it;
    it.from->pieces = pieces;
    const auto text = it.text();
    EXPECT_TRUE(text.starts_with(event(first) + "data: {\"error\":")) << text;
    EXPECT_EQ(text.find("[DONE]"), std::string::npos);
    EXPECT_TRUE(it.is_cut) << "it does not look whole";
    EXPECT_EQ(text.find("Zqx7"), std::string::npos) << "nothing of its own words";
    ASSERT_EQ(it.records.size(), 1U);
    EXPECT_EQ(it.records[0], (llm_metered{100, completion, true}));
    EXPECT_TRUE(it.from->is_cancelled);
  }
}

TEST(LLM4_relay, of_a_client_that_goes_is_recorded_once) {
  relayed it;
  it.from->pieces = {event(first)};
  EXPECT_TRUE(it.next());
  EXPECT_FALSE(it.next());
  it.relay->cancel();
  it.relay->cancel();
  EXPECT_TRUE(it.from->is_cancelled);
  ASSERT_EQ(it.records.size(), 1U);
  EXPECT_EQ(it.records[0], (llm_metered{100, 1, true}));
  it.relay.reset();
  EXPECT_EQ(it.records.size(), 1U);
  relayed rich;
  rich.from->pieces = {event(R"({"choices":[{"text":")" + std::string(400'000, 'x') + R"("}]})")};
  EXPECT_TRUE(rich.next());
  rich.relay->cancel();
  ASSERT_EQ(rich.records.size(), 1U);
  EXPECT_EQ(rich.records[0], (llm_metered{100, 100'000, true})) << "it was given all that";
  relayed amid;
  amid.from->pieces = {R"(data: {"choices":[{"text":")" + std::string(400'000, 'x')};
  EXPECT_TRUE(amid.next()) << "a comment";
  amid.relay->cancel();
  ASSERT_EQ(amid.records.size(), 1U);
  EXPECT_GE(amid.records[0].completion, 100'000) << "it was made";
  relayed unread;
  unread.relay.reset();
  ASSERT_EQ(unread.records.size(), 1U) << "also of one that was never begun";
  EXPECT_TRUE(unread.from->is_cancelled);
}
