// RUN13: a named secret as shells, editors and engines hand it on: its blanks, its line ends, and
// what was encoded twice.

#include "base/redact_named.hpp"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

namespace {

reeve::redactor hiding_plain(const std::string& value) {
  return reeve::redactor::make({{"s", value}}, false).value();
}

}  // namespace

TEST(RUN13_redact_named, without_blanks_around_it) {
  const auto rules = hiding_plain("  \t spaced secret value  ");
  EXPECT_EQ(rules.redact("=spaced secret value;"), "=[redacted:s];");
  EXPECT_EQ(rules.redact("=  \t spaced secret value  ;"), "=[redacted:s];");
  EXPECT_EQ(rules.redact("=spaced%20secret+value;"), "=spaced%20secret+value;");
  EXPECT_EQ(rules.redact("=spaced%20secret%20value;"), "=[redacted:s];");
  EXPECT_EQ(rules.redact("c3BhY2VkIHNlY3JldCB2YWx1ZQ=="), "[redacted:s]==");
  EXPECT_EQ(hiding_plain("\r\nleading-end").redact("=leading-end;"), "=[redacted:s];");
}

TEST(RUN13_redact_named, with_single_blanks_in_it) {
  const auto rules = hiding_plain(" two  words\t\tand\n\na line ");
  EXPECT_EQ(rules.redact("+ echo two words and a line"), "+ echo [redacted:s]");
  EXPECT_EQ(rules.redact("?q=two%20words%20and%20a%20line"), "?q=[redacted:s]");
  const auto windows = hiding_plain("one\r\n  two\r\nthree");
  EXPECT_EQ(windows.redact("+ echo one\r two\r three"), "+ echo [redacted:s]");
  EXPECT_EQ(windows.redact("one two three"), "[redacted:s]");
}

TEST(RUN13_redact_named, is_refused_where_too_little_of_it_remains) {
  for (const std::string value : {"    abcde", "ab     cd", " \t \r\n    ", "a\r\n\r\n\r\nb"}) {
    EXPECT_FALSE(reeve::can_be_redacted(value)) << value;
    EXPECT_FALSE(reeve::redactor::make({{"s", value}})) << value;
  }
  for (const std::string value : {"    abcdef", "abc     de", "a b c d"}) {
    EXPECT_TRUE(reeve::can_be_redacted(value)) << value;
  }
}

TEST(RUN13_redact_named, with_the_line_ends_of_another_system) {
  const auto windows = hiding_plain("first\r\nsecond\r\nthird");
  EXPECT_EQ(windows.redact("=first\nsecond\nthird;"), "=[redacted:s]\n\n;");
  EXPECT_EQ(windows.redact("Zmlyc3QKc2Vjb25kCnRoaXJk"), "[redacted:s]");
  EXPECT_EQ(windows.redact(R"("first\nsecond\nthird")"), R"("[redacted:s]")");
  const auto other = hiding_plain("first\nsecond\nthird");
  EXPECT_EQ(other.redact("=first\r\nsecond\r\nthird;"), "=[redacted:s]\n\n;");
  EXPECT_EQ(other.redact("Zmlyc3QNCnNlY29uZA0KdGhpcmQ="), "[redacted:s]=");
  EXPECT_EQ(other.redact("=first%0D%0Asecond%0D%0Athird;"), "=[redacted:s];");
}

TEST(RUN13_redact_named, encoded_twice) {
  const auto rules = hiding_plain("q\"u/o\\t\xC3\xA9 <1>");
  for (const std::string form :
       {R"(q\\\"u/o\\\\t\\u00e9 <1>)", R"(q\\\"u\\\/o\\\\t\\u00e9 <1>)",
        R"(q\\\"u/o\\\\t\u00e9 <1>)", R"(q\\\"u/o\\\\té <1>)", R"(q\\\"u/o\\\\té \\u003c1\\u003e)",
        R"(q\\\"u\\/o\\\\té <1>)", "q%2522u%252Fo%255Ct%25C3%25A9%2520%253C1%253E",
        "q%2522u%252fo%255ct%25c3%25a9%2520%253c1%253e",
        "q%2522u/o%255Ct%25C3%25A9%2520%253C1%253E",
        "q%2522u%252Fo%255Ct%25C3%25A9%2B%253C1%253E"}) {
    EXPECT_EQ(rules.redact("=" + form + ";"), "=[redacted:s];") << form;
  }
}

TEST(RUN13_redact_named, as_further_writers_encode_it) {
  const auto rules = hiding_plain("Pa$s/w&o+r,d;=~\xC3\xA9'");
  for (const std::string form :
       {"Pa$s%2Fw&o+r,d;=~%C3%A9%27", "Pa$s%2Fw&o+r%2Cd%3B=~%C3%A9%27", "Pa$s/w&o+r,d;=~%C3%A9%27",
        "Pa%24s%2Fw%26o%2Br%2Cd%3B%3D%7E%C3%A9%27", "Pa$s%2Fw&o+r,d%3B%3D~%C3%A9'",
        "%50%61%24%73%2F%77%26%6F%2B%72%2C%64%3B%3D%7E%C3%A9%27",
        "%50%61%24%73%2f%77%26%6f%2b%72%2c%64%3b%3d%7e%c3%a9%27", R"(Pa$s/w&o+r,d;=~\xc3\xa9')",
        R"(Pa$s/w&o+r,d;=~\xc3\xa9\')", R"(Pa$s/w&o+r,d;=~\303\251\')"}) {
    EXPECT_EQ(rules.redact("<" + form + ">"), "<[redacted:s]>") << form;
  }
}

TEST(P15_named, have_a_bounded_number_of_bytes_of_forms) {
  for (const std::string_view unit : {"a<b> \r\n\"'\xC3\xA9/", "\xD0\x9F", "<", "\x01  "}) {
    std::string value = " ";
    while (value.size() + unit.size() < reeve::max_secret_bytes) value += unit;
    std::size_t bytes = 0;
    for (const auto& form : reeve::secret_forms(value)) bytes += form.size();
    EXPECT_LE(bytes, reeve::max_bytes_of_forms) << unit;
    EXPECT_GT(bytes, 6 * value.size()) << unit;
  }
}
