// RUN13: whatever is put together of the signs and words that the patterns look for is read to its
// end, as a whole and cut in pieces.

#include "base/redact.hpp"

#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace reeve;

const std::vector<std::string>& pieces() {
  static const std::vector<std::string> all = {"\"",
                                               "'",
                                               "\\",
                                               " ",
                                               ":",
                                               "=",
                                               "=>",
                                               ":=",
                                               ",",
                                               "(",
                                               "[",
                                               "{",
                                               "}",
                                               "]",
                                               "<",
                                               ">",
                                               "</",
                                               "/",
                                               "@",
                                               ";",
                                               "&",
                                               "%3D",
                                               "%22",
                                               "&quot;",
                                               "\x1b[1m",
                                               "\n",
                                               "-",
                                               "--",
                                               "-p",
                                               "-u ",
                                               "AUTH",
                                               "password",
                                               "token",
                                               "secret",
                                               "key",
                                               "db_pwd",
                                               "curl ",
                                               "https://",
                                               "Bearer ",
                                               "eyJ",
                                               "AKIA",
                                               "machine ",
                                               "login ",
                                               "Cookie: ",
                                               "-----BEGIN ",
                                               "PRIVATE KEY",
                                               "export ",
                                               "name",
                                               "value",
                                               "is ",
                                               "x",
                                               "hunter2",
                                               "A1b2C3d4E5f6",
                                               "\xc3",
                                               "",
                                               "authorization",
                                               "\"AUTH\"",
                                               "\"password\"",
                                               " \""};
  return all;
}

void expect_read(const redactor& rules, const std::string& text) {
  std::string whole, cut;
  ASSERT_NO_THROW(whole = rules.redact(text)) << testing::PrintToString(text);
  redacting_stream stream(rules);
  for (std::size_t at = 0; at < text.size(); at += 3) cut += stream.write(text.substr(at, 3));
  cut += stream.finish();
  ASSERT_EQ(whole, cut) << testing::PrintToString(text);
}

TEST(RUN13_redact_pieces, are_read_in_all_orders_of_three) {
  const redactor rules;
  for (const auto& a : pieces()) {
    for (const auto& b : pieces()) {
      for (const auto& c : pieces()) expect_read(rules, a + b + c);
    }
    if (HasFatalFailure()) return;
  }
}

TEST(RUN13_redact_pieces, are_read_in_many_orders) {
  const redactor rules;
  std::mt19937 random(20261130);
  for (int i = 0; i < 30'000 && !HasFatalFailure(); ++i) {
    std::string text;
    for (auto n = 4 + random() % 9; n > 0; --n) text += pieces()[random() % pieces().size()];
    expect_read(rules, text);
  }
}

/// A value in quotes that the line ends before.
TEST(RUN13_redact_pieces, of_a_user_and_a_password_may_be_cut) {
  EXPECT_EQ(redactor().redact("\"AUTH\" \""), "\"AUTH\" \"");
  EXPECT_EQ(redactor().redact("\"AUTH\" \"bob\" \"hunter2\""),
            "\"AUTH\" \"bob\" \"[redacted:credential]\"");
}

}  // namespace
