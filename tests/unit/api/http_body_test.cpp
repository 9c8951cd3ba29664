#include "api/http_body.hpp"

#include "api/input_buffer.hpp"

#include <gtest/gtest.h>
#include <iostream>
#include <random>
#include <sstream>

using namespace reeve;
using namespace reeve::api;

namespace {

constexpr std::string_view chunked_head =
    "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string in_chunks(const std::string& body, std::mt19937& random) {
  std::ostringstream out;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t size = std::min<std::size_t>(1 + random() % 40, body.size() - at);
    out << std::hex << size << (random() % 4 == 0 ? ";a=b" : "") << "\r\n"
        << body.substr(at, size) << "\r\n";
    at += size;
  }
  out << "0\r\n" << (random() % 4 == 0 ? "T: 1\r\n" : "") << "\r\n";
  return out.str();
}

struct outcome_of_feeding {
  bool finished = false;
  std::optional<errc> refused;
  std::string body;
  std::size_t left = 0;
};

/// Feeds the text in random pieces, as a connection would.
outcome_of_feeding feed(std::string_view head, std::string_view text, std::size_t limit,
                        bool chunked, std::mt19937& random) {
  body_reader reader(head, limit, chunked);
  outcome_of_feeding out;
  std::string waiting;
  for (;;) {
    const std::size_t count = std::min<std::size_t>(1 + random() % 50, text.size());
    waiting.append(text.substr(0, count));
    text.remove_prefix(count);
    const auto made = reader.feed(waiting);
    waiting.erase(0, made.consumed);
    if (made.refused) out.refused = made.refused->code;
    out.finished = made.finished;
    if (made.refused || made.finished || text.empty()) break;
  }
  if (out.finished) out.body = reader.take();
  out.left = waiting.size() + text.size();
  return out;
}

}  // namespace

TEST(P18_body, chunks_give_the_body_however_they_are_cut) {
  constexpr std::uint32_t seed = 7;
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  for (int round = 0; round < 3000; ++round) {
    const std::string body(random() % 300, static_cast<char>('a' + round % 26));
    const std::string text = in_chunks(body, random) + "GET /";
    const auto got = feed(chunked_head, text, 300, true, random);
    ASSERT_TRUE(got.finished) << round;
    ASSERT_EQ(got.body, body);
    ASSERT_EQ(got.left, 5U) << "the next request begins where the body ended";
  }
}

TEST(P18_body, mutated_chunks_never_crash_nor_pass_the_limit) {
  constexpr std::uint32_t seed = 8;
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  const std::string pieces[] = {"\r\n",
                                "\n",
                                "\r",
                                ";",
                                "\"",
                                "0",
                                "f",
                                " ",
                                ":",
                                "\r\n0\r\n\r\n",
                                "ffffffffffffffff",
                                "Content-Length: 1\r\n",
                                std::string(1, '\0')};
  int finished = 0;
  int refused = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string text = in_chunks(std::string(random() % 100, 'x'), random);
    for (std::size_t edits = 1 + random() % 3; edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text.insert(at, pieces[random() % std::size(pieces)]);
          break;
        case 1:
          if (text.size() > 1) text.erase(at, 1);
          break;
        default:
          text[at] = static_cast<char>(random());
          break;
      }
    }
    const auto got = feed(chunked_head, text, 80, true, random);
    finished += got.finished;
    refused += got.refused.has_value();
    ASSERT_FALSE(got.finished && got.refused);
    ASSERT_LE(got.body.size(), 80U);
  }
  EXPECT_GT(finished, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(GW3_body, is_limited_with_and_without_a_length) {
  std::mt19937 random(1);
  const std::string head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";
  EXPECT_EQ(feed(head, "0123456789", 10, false, random).body, "0123456789");
  EXPECT_EQ(feed(head, "0123456789", 9, false, random).refused, errc::too_large);
  const std::string text = in_chunks(std::string(10, 'x'), random);
  EXPECT_EQ(feed(chunked_head, text, 10, true, random).body.size(), 10U);
  EXPECT_EQ(feed(chunked_head, text, 9, true, random).refused, errc::too_large);
  const std::string extension = "1;" + std::string(300, 'e') + "\r\nx\r\n0\r\n\r\n";
  EXPECT_EQ(feed(chunked_head, extension, 10, true, random).refused, errc::bad_request);
}

TEST(P18_body, the_input_buffer_keeps_order_and_its_limit) {
  std::mt19937 random(2);
  input_buffer buffer;
  std::string expected;
  char next = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto room = buffer.room();
    ASSERT_EQ(room.bytes == 0, buffer.full());
    const std::size_t count = std::min<std::size_t>(random() % 3000, room.bytes);
    for (std::size_t i = 0; i < count; ++i) room.at[i] = next++;
    expected.append(room.at, count);
    buffer.commit(count);
    ASSERT_LE(buffer.size(), input_buffer::max_bytes);
    const std::size_t used = std::min<std::size_t>(random() % 3000, buffer.size());
    ASSERT_EQ(buffer.view().substr(0, used), std::string_view(expected).substr(0, used));
    buffer.consume(used);
    expected.erase(0, used);
  }
}
