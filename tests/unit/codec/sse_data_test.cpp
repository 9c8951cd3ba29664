// LLM4: events come out of a stream whole, wherever it is cut.

#include "codec/sse_data.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

using reeve::codec::sse_data;

namespace {

using texts = std::vector<std::string>;

texts events_of(const texts& pieces, bool ends = true) {
  sse_data reader;
  texts all;
  for (const auto& piece : pieces) {
    EXPECT_TRUE(reader.feed(piece));
    while (auto one = reader.next()) all.push_back(*one);
  }
  if (ends) {
    EXPECT_TRUE(reader.finish());
  }
  while (auto one = reader.next()) all.push_back(*one);
  return all;
}

}  // namespace

TEST(LLM4_sse, gives_the_data_of_each_event) {
  EXPECT_EQ(events_of({"data: {\"a\":1}\n\ndata:b\n\n"}), (texts{"{\"a\":1}", "b"}));
  EXPECT_EQ(events_of({": ping\n\nevent: x\nid: 1\nretry: 3\ndata:  c\n\n"}), (texts{" c"}));
  EXPECT_EQ(events_of({"data: a\ndata: b\n\n"}), (texts{"a\nb"}));
  EXPECT_EQ(events_of({"data\n\ndata:\n\n"}), (texts{"", ""}));
  EXPECT_EQ(events_of({"\n\n\nevent: x\n\n", "database: x\n\n"}), texts{});
  EXPECT_EQ(events_of({"data: a\r\rdata: b\r\n\r\n"}), (texts{"a", "b"}));
  EXPECT_EQ(events_of({"data: a"}), texts{"a"}) << "the end ends it";
  EXPECT_EQ(events_of({"data: a\n"}), texts{"a"});
  EXPECT_EQ(events_of({"data: a\n"}, false), texts{});
}

TEST(LLM4_sse, does_so_wherever_the_bytes_are_cut) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const std::string text = ": c" + end + "data: one" + end + end + "data: t" + end + "data: wo" +
                             end + end + "x: y" + end + end + "data: [DONE]" + end + end;
    const texts wanted{"one", "t\nwo", "[DONE]"};
    for (std::size_t a = 0; a <= text.size(); ++a) {
      for (std::size_t b = a; b <= text.size(); ++b) {
        ASSERT_EQ(events_of({text.substr(0, a), text.substr(a, b - a), text.substr(b)}), wanted)
            << a << " " << b;
      }
    }
    texts bytes;
    for (const char byte : text) bytes.emplace_back(1, byte);
    EXPECT_EQ(events_of(bytes), wanted);
  }
}

TEST(LLM4_sse, holds_no_more_than_it_may) {
  sse_data line(100);
  EXPECT_TRUE(line.feed("data: " + std::string(94, 'x')));
  EXPECT_FALSE(line.feed("x"));
  sse_data lines(100);
  bool goes_on = true;
  for (int i = 0; i < 50 && goes_on; ++i) goes_on = lines.feed("data: 0123456789\n");
  EXPECT_FALSE(goes_on);
  sse_data comments(100);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(comments.feed(": 0123456789\n"));
}

TEST(LLM4_sse, tells_how_much_came_of_what_did_not_end) {
  sse_data reader(100);
  EXPECT_EQ(reader.begun_bytes(), 0U);
  reader.feed("data: abc\n");
  EXPECT_EQ(reader.begun_bytes(), 3U);
  reader.feed("data: de");
  EXPECT_EQ(reader.begun_bytes(), 5U);
  reader.feed("\n: ping");
  EXPECT_EQ(reader.begun_bytes(), 6U) << "the newline between them; a comment is none of it";
  reader.feed("\n\n");
  EXPECT_EQ(reader.begun_bytes(), 0U);
  EXPECT_EQ(reader.next(), "abc\nde");
  EXPECT_FALSE(reader.feed("data: " + std::string(500, 'x')));
  EXPECT_EQ(reader.begun_bytes(), 500U) << "what was too large";
  sse_data lines(100);
  for (int i = 0; i < 50 && lines.feed("data: 0123456789\n"); ++i) continue;
  EXPECT_EQ(lines.begun_bytes(), 109U);
}
