// LLM4: what is read of requests and answers of language models, and that nothing else is JSON.

#include "codec/llm_json.hpp"

#include "codec/json.hpp"
#include "codec/json_scanner.hpp"

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

using namespace reeve;
using namespace reeve::codec;

namespace {

bool is_json(std::string_view text) {
  json_scanner scan(text);
  return scan.skip() && scan.peek() == '\0' && scan.offset() == text.size();
}

std::string field_of(std::string_view body) {
  const auto read = read_llm_request(body);
  return read ? "read" : read.error().field;
}

/// The body with the demand for counts, which must be JSON and be read as one that has it.
std::string asking(std::string_view body) {
  const auto read = read_llm_request(body);
  if (!read) return "refused " + read.error().field;
  auto made = asking_for_usage(body, *read);
  const auto again = read_llm_request(made);
  EXPECT_TRUE(again && again->wants_usage && again->model == read->model) << made;
  EXPECT_TRUE(is_json(made)) << made;
  return made;
}

}  // namespace

TEST(LLM4_scanner, takes_json_and_nothing_else) {
  for (const char* good :
       {"{}", "[]", "0", "-0", "1.5e-7", "1E5", "\"\"", "true", "null", " [ 1 , {\"a\" : [] } ] ",
        R"("\"\\\/\b\f\n\r\tä\ud83d\ude00")", "\"\xc3\xa4\xf0\x9f\x98\x80\""}) {
    EXPECT_TRUE(is_json(good)) << good;
  }
  for (const char* bad : {"",
                          " ",
                          "{",
                          "}",
                          "[1,]",
                          "[,1]",
                          "[1 2]",
                          "{\"a\"}",
                          "{\"a\":}",
                          "{\"a\":1,}",
                          "{a:1}",
                          "{'a':1}",
                          "01",
                          "1.",
                          ".5",
                          "+1",
                          "1e",
                          "-",
                          "nul",
                          "truex",
                          "\"",
                          "\"\\x\"",
                          "\"\\u12\"",
                          "\"\\ud800\"",
                          "\"\\ud800\\u0041\"",
                          "\"\\udc00\"",
                          "\"a\nb\"",
                          "\"\x01\"",
                          "\"\xff\"",
                          "\"\xc0\x80\"",
                          "\"\xed\xa0\x80\"",
                          "[1]x",
                          "{}{}",
                          "[1}",
                          "NaN",
                          "Infinity",
                          "// c\n1"}) {
    EXPECT_FALSE(is_json(bad)) << bad;
  }
  EXPECT_FALSE(is_json(std::string_view("{}\0", 3)));
  EXPECT_TRUE(is_json(std::string(64, '[') + std::string(64, ']')));
  EXPECT_FALSE(is_json(std::string(65, '[') + std::string(65, ']')));
  EXPECT_FALSE(is_json(std::string(1 << 20, '['))) << "and no stack is used up";
}

TEST(LLM4_scanner, decodes_strings) {
  const std::pair<std::string, std::string> rows[] = {
      {"\"a\\/b\\u0041\\n\"", "a/bA\n"},
      {"\"\\u00e4\\u20AC\\ud83d\\ude00\"", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
      {"\"\"", ""}};
  for (const auto& [text, wanted] : rows) {
    json_scanner scan(text);
    std::string decoded = "old";
    EXPECT_TRUE(scan.take_string(decoded));
    EXPECT_EQ(decoded, wanted);
    json_scanner skipping(text);
    EXPECT_TRUE(skipping.skip());
    EXPECT_EQ(skipping.string_bytes(), wanted.size());
  }
}

/// Cut or changed anywhere: what the codec takes is taken here too, and half a text is not.
TEST(LLM4_scanner, agrees_with_the_codec) {
  const std::string whole = R"({"model":"m","n":[1,-2.5e3,{"a":null}],"t":"xAä\n","stream":true})";
  const std::string bytes = "{}[]\",:\\u0a1- tfn.e";
  for (std::size_t at = 0; at < whole.size(); ++at) {
    const auto cut = whole.substr(0, at);
    EXPECT_FALSE(is_json(cut)) << cut;
    for (const char byte : bytes) {
      auto changed = whole;
      changed[at] = byte;
      if (codec::parse_strict(changed)) {
        EXPECT_TRUE(is_json(changed)) << changed;
      }
    }
  }
}

TEST(LLM4_request, tells_the_model_and_how_it_is_answered) {
  const auto plain = read_llm_request(R"({"messages":[{"content":"x"}],"model":"org\/m-1:8b"})");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->model, "org/m-1:8b");
  EXPECT_FALSE(plain->streams);
  EXPECT_FALSE(plain->wants_usage);
  const auto streams =
      read_llm_request(R"({"model":"m","stream":true,)"
                       R"("stream_options":{"x":{"include_usage":1},"include_usage":true}})");
  ASSERT_TRUE(streams);
  EXPECT_TRUE(streams->streams);
  EXPECT_TRUE(streams->wants_usage);
  const auto null = read_llm_request(R"({"model":"m","stream":null,"stream_options":null})");
  ASSERT_TRUE(null);
  EXPECT_FALSE(null->streams);
  // What lies deeper is the upstream's.
  EXPECT_TRUE(read_llm_request(R"({"model":"m","metadata":{"model":"n","Stream":1}})"));
}

TEST(LLM4_request, is_refused_with_the_name_of_the_member) {
  const std::pair<std::string, std::string> rows[] = {
      {"", ""},
      {"[]", ""},
      {R"("model")", ""},
      {R"({"model":"m"})"
       "x",
       ""},
      {R"({"model":"m",})", ""},
      {"{}", "/model"},
      {R"({"model":1})", "/model"},
      {R"({"model":null})", "/model"},
      {R"({"model":["m"]})", "/model"},
      {R"({"model":"m","stream":1})", "/stream"},
      {R"({"model":"m","stream":"true"})", "/stream"},
      {R"({"model":"m","stream_options":[]})", "/stream_options"},
      {R"({"model":"m","stream_options":{"include_usage":"yes"}})",
       "/stream_options/include_usage"}};
  for (const auto& [body, pointer] : rows) EXPECT_EQ(field_of(body), pointer) << body;
}

/// Half a body is no wrong member: what is missing may be anywhere.
TEST(LLM4_request, that_is_no_json_is_told_as_that) {
  for (const char* body :
       {R"({"model":)", R"({"model":"m)", R"({"model": x})", R"({"model":1)", R"({"model":1,)",
        R"({"model":"m","stream":)", R"({"model":"m","stream":yes})",
        R"({"model":"m","stream_options":)", R"({"model":"m","stream_options":{"include_usage":)",
        R"({"model":"m","Model":)", R"({"model":"m","model":"n")"}) {
    const auto read = read_llm_request(body);
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(read.error().field, "") << body;
    EXPECT_EQ(read.error().detail, "the body is no JSON object") << body;
  }
  EXPECT_EQ(read_llm_request(R"({"model":1,"stream":1})").error().field, "/model") << "the first";
}

/// A reader that takes the last of two, or any case, would call another model than the one whose
/// budget was looked at.
TEST(LLM4_request, has_what_counts_once_and_spelled_as_it_is) {
  const std::pair<std::string, std::string> rows[] = {
      {R"({"model":"m","model":"n"})", "/model"},
      {R"({"model":"m","mod\u0065l":"n"})", "/model"},
      {R"({"model":"m","Model":"n"})", "/model"},
      {R"({"MODEL":"n"})", "/model"},
      {"{\"model\":\"m\",\"\xc5\xbftream\":true}", "/stream"},
      {R"({"model":"m","\u017Ftream":true})", "/stream"},
      {R"({"model":"m","stream":true,"STREAM":false})", "/stream"},
      {R"({"model":"m","stream_options":{},"stream_options":{}})", "/stream_options"},
      {R"({"model":"m","stream_options":{"include_usage":true,"Include_Usage":false}})",
       "/stream_options/include_usage"}};
  for (const auto& [body, pointer] : rows) EXPECT_EQ(field_of(body), pointer) << body;
}

TEST(LLM4_request, is_made_to_ask_for_counts) {
  EXPECT_EQ(asking(R"({"model":"m","stream":true})"),
            R"({"stream_options":{"include_usage":true},"model":"m","stream":true})");
  EXPECT_EQ(asking(R"( { "model":"m"})"),
            R"( {"stream_options":{"include_usage":true}, "model":"m"})");
  EXPECT_EQ(asking(R"({"model":"m","stream_options":null})"),
            R"({"model":"m","stream_options":{"include_usage":true}})");
  EXPECT_EQ(asking(R"({"model":"m","stream_options": { } })"),
            R"({"model":"m","stream_options": {"include_usage":true } })");
  EXPECT_EQ(asking(R"({"model":"m","stream_options":{"a":[1]}})"),
            R"({"model":"m","stream_options":{"include_usage":true,"a":[1]}})");
  EXPECT_EQ(asking(R"({"model":"m","stream_options":{"a":1,"include_usage": false}})"),
            R"({"model":"m","stream_options":{"a":1,"include_usage": true}})");
  EXPECT_EQ(asking(R"({"stream_options":{"include_usage":null},"model":"m"})"),
            R"({"stream_options":{"include_usage":true},"model":"m"})");
}

TEST(LLM4_answer, tells_what_it_came_to) {
  const auto whole = read_llm_answer(
      R"({"id":"x","choices":[{"message":{"content":"usage"}}],)"
      R"("usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12,"x":{"a":1}}})");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->told, (llm_told_counts{5, 7}));
  EXPECT_TRUE(whole->has_choices);
  EXPECT_FALSE(whole->has_error);
  const auto embedding = read_llm_answer(R"({"usage":{"prompt_tokens":5,"total_tokens":5}})");
  EXPECT_EQ(embedding->told, (llm_told_counts{5, std::nullopt})) << "no 0 that nobody told";
  const auto last = read_llm_answer(R"({"choices":[],"usage":{"prompt_tokens":0,)"
                                    R"("completion_tokens":1000000000}})");
  EXPECT_FALSE(last->has_choices);
  EXPECT_EQ(last->told, (llm_told_counts{0, 1'000'000'000}));
  const auto chunk = read_llm_answer(R"({"choices":[{"delta":{}}],"usage":null,"error":null})");
  EXPECT_TRUE(chunk->has_choices);
  EXPECT_FALSE(chunk->told.is_there());
  EXPECT_FALSE(chunk->has_error);
  const auto error = read_llm_answer(R"({"error":{"message":"m","code":"too_long"}})");
  EXPECT_TRUE(error->has_error);
  EXPECT_EQ(error->error_code, "too_long");
  EXPECT_TRUE(read_llm_answer(R"({"error":"m"})")->has_error);
  EXPECT_EQ(read_llm_answer(R"({"error":{"code":400}})")->error_code, "");
}

TEST(LLM4_answer, whose_counts_can_not_be_tells_none) {
  for (const char* count : {"-1", "1.0", "1e3", "\"1\"", "1000000001", "99999999999999999999",
                            "null", "[1]", "{}", "true"}) {
    for (const char* name : {"prompt_tokens", "completion_tokens"}) {
      const auto usage = "{\"" + std::string(name) + "\":" + count + "}";
      const auto read = read_llm_answer("{\"usage\":" + usage + "}");
      ASSERT_TRUE(read) << usage;
      EXPECT_FALSE(read->told.is_there()) << usage;
    }
  }
  for (const char* usage : {"1", "[]", "{}", "null", R"({"total_tokens":5})"}) {
    const auto read = read_llm_answer("{\"usage\":" + std::string(usage) + "}");
    ASSERT_TRUE(read) << usage;
    EXPECT_FALSE(read->told.is_there()) << usage;
  }
  // The other one stands.
  EXPECT_EQ(read_llm_answer(R"({"usage":{"prompt_tokens":1,"completion_tokens":-1}})")->told,
            (llm_told_counts{1, std::nullopt}));
  EXPECT_EQ(read_llm_answer(R"({"usage":{"prompt_tokens":null,"completion_tokens":1}})")->told,
            (llm_told_counts{std::nullopt, 1}));
  for (const char* bad : {"", "[DONE]", "<html>", "{\"usage\":{}", "{} {}"}) {
    EXPECT_FALSE(read_llm_answer(bad)) << bad;
  }
}

TEST(LLM4_answer, has_its_text_counted_and_nothing_else) {
  const std::pair<const char*, std::size_t> rows[] = {
      {R"({"choices":[]})", 0},
      {R"({"choices":[{"index":0,"delta":{"role":"assistant","content":"abcd"}}]})", 4},
      {R"({"choices":[{"delta":{"content":""},"finish_reason":"stop","logprobs":{"content":)"
       R"([{"token":"abcd"}]}}]})",
       0},
      {R"({"choices":[{"delta":{"content":null,"reasoning_content":"abc","refusal":"d"}}]})", 4},
      {R"({"choices":[{"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function",)"
       R"("function":{"name":"f","arguments":"{\"a\":1}"}}]}}]})",
       8},
      {R"({"choices":[{"message":{"content":[{"type":"text","text":"abc"}]}},{"text":"de"}]})", 5},
      {R"({"choices":[{"text":"\u00e4\ud83d\ude00\n"}]})", 7},
      {R"({"choices":["abc",["de"]]})", 5},
      // Nobody knows where it is.
      {R"({"token":{"text":"abc"}})", 24},
      {R"({"choices":{"delta":"abc"}})", 27}};
  for (const auto& [text, bytes] : rows) {
    const auto read = read_llm_answer(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->said_bytes, bytes) << text;
  }
  const auto deep =
      R"({"choices":[{"delta":)" + std::string(70, '[') + std::string(70, ']') + "}]}";
  EXPECT_FALSE(read_llm_answer(deep)) << "no stack is used up";
}
