// What the configuration may say of language models.

#include "domain/runs/llm_settings.hpp"

#include "codec/codec.hpp"
#include "tests/unit/domain/aggregate_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;

llm_settings read(const std::string& text) {
  const auto settings = codec::decode_text<llm_settings>(text);
  EXPECT_TRUE(settings) << settings.error().detail;
  return settings ? *settings : llm_settings{};
}

TEST(LLM1_prices, are_those_of_the_model_by_its_whole_name) {
  const auto settings = read(R"({"prices":{"org/m-1:8b":{"prompt_micros_per_million":2,)"
                             R"("completion_micros_per_million":8}}})");
  EXPECT_TRUE(check(settings));
  EXPECT_EQ(settings.price_of("org/m-1:8b"), (llm_price{2, 8}));
  EXPECT_FALSE(settings.price_of("org/m-1"));
  EXPECT_FALSE(settings.price_of(""));
  EXPECT_TRUE(check(read("{}")));
}

TEST(LLM1_prices, that_cannot_be_are_refused) {
  const auto with = [](const std::string& model, std::int64_t prompt, std::int64_t completion) {
    llm_settings settings;
    settings.prices[model] = {prompt, completion};
    return steps::pointer_of(check(settings));
  };
  EXPECT_EQ(with("m", 0, most_micros_per_million), steps::accepted);
  EXPECT_EQ(with("m", -1, 0), "/prices/m");
  EXPECT_EQ(with("m", 0, most_micros_per_million + 1), "/prices/m");
  EXPECT_EQ(with("a model of mine", 1, 1), "/prices");
  llm_settings many;
  for (int i = 0; i <= 1000; ++i) many.prices["m" + std::to_string(i)] = {1, 1};
  EXPECT_EQ(steps::pointer_of(check(many)), "/prices");
  many.prices.erase("m0");
  EXPECT_EQ(steps::pointer_of(check(many)), steps::accepted);
}

llm_settings two_upstreams() {
  auto settings = read(R"({"upstreams":[{"name":"near","url":"http://127.0.0.1:8000/v1",)"
                       R"("models":["m"]},{"name":"far","url":"https://llm.example/v1/",)"
                       R"("models":["m","n"],"key_file":"/etc/key","max_calls":3}]})");
  EXPECT_EQ(settings.upstreams.size(), 2U);
  settings.upstreams.resize(2);
  return settings;
}

TEST(LLM4_upstreams, are_read_and_checked) {
  EXPECT_TRUE(check(two_upstreams()));
  EXPECT_EQ(two_upstreams().upstreams[0].max_calls, 8);
  EXPECT_EQ(two_upstreams().upstreams[1].key_file, "/etc/key");
  const std::vector<steps::spoilt<llm_settings>> rows{
      {"/upstreams/1/name", [](auto& s) { s.upstreams[1].name = "near"; }},
      {"/upstreams/1/name", [](auto& s) { s.upstreams[1].name = "a b"; }},
      {"/upstreams/0/url", [](auto& s) { s.upstreams[0].url = "ftp://host/v1"; }},
      {"/upstreams/0/models", [](auto& s) { s.upstreams[0].models.clear(); }},
      {"/upstreams/0/models",
       [](auto& s) {
         s.upstreams[0].models = {"m", "m"};
       }},
      {"/upstreams/0/models", [](auto& s) { s.upstreams[0].models = {"a model"}; }},
      {"/upstreams/0/models",
       [](auto& s) {
         for (int i = 0; i < 64; ++i) s.upstreams[0].models.push_back("m" + std::to_string(i));
       }},
      {"/upstreams/1/key_file", [](auto& s) { s.upstreams[1].key_file = "key"; }},
      {"/upstreams/0/max_calls", [](auto& s) { s.upstreams[0].max_calls = 0; }},
      {"/upstreams/0/max_calls", [](auto& s) { s.upstreams[0].max_calls = 1025; }},
      {"/upstreams", [](auto& s) {
         for (int i = 0; i < 15; ++i) {
           s.upstreams.push_back(s.upstreams[0]);
           s.upstreams.back().name = "u" + std::to_string(i);
         }
       }}};
  for (const auto& row : rows) {
    auto settings = two_upstreams();
    row.spoil(settings);
    EXPECT_EQ(steps::pointer_of(check(settings)), row.pointer);
  }
}

TEST(P22_urls, are_taken_apart_strictly) {
  const std::pair<const char*, upstream_url> good[] = {
      {"http://127.0.0.1:8000/v1", {false, "127.0.0.1", 8000, "/v1"}},
      {"https://llm.example/v1/", {true, "llm.example", 443, "/v1"}},
      {"http://host", {false, "host", 80, ""}},
      {"http://host/", {false, "host", 80, ""}},
      {"http://[::1]:8000/a/v1", {false, "::1", 8000, "/a/v1"}},
      {"https://[fd00::7]", {true, "fd00::7", 443, ""}}};
  for (const auto& [text, url] : good) EXPECT_EQ(parse_url(text), url) << text;
  for (const std::string text : {"",
                                 "host/v1",
                                 "ftp://host",
                                 "HTTP://host",
                                 "http://",
                                 "http:///v1",
                                 "http://user@host/v1",
                                 "http://user:pass@host/v1",
                                 "http://host:/v1",
                                 "http://host:0/v1",
                                 "http://host:65536/v1",
                                 "http://host:80x/v1",
                                 "http://host/v1?x=1",
                                 "http://host/v1#x",
                                 "http://host/a/../v1",
                                 "http://host//v1",
                                 "http://host/%2e",
                                 "http://ho st/v1",
                                 "http://host\n/v1",
                                 "http://[::1",
                                 "http://[::1]x/v1",
                                 "http://[host]/v1",
                                 "http://-host/v1",
                                 "http://.host/v1",
                                 "http://host,other/v1",
                                 "http://host\\@other/v1"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
  EXPECT_FALSE(parse_url("http://" + std::string(254, 'h')));
  EXPECT_FALSE(parse_url("http://h/" + std::string(256, 'p')));
}

}  // namespace
