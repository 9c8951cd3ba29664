// An output whose beginning the engine may have lost is stored behind what may be the rest of a
// secret, whatever it is made of.

#include "tasks/container/lost_beginning.hpp"

#include "adapters/kept_output.hpp"
#include "base/utf8.hpp"
#include "tasks/container/stored_log.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace reeve;
using tasks::stored_output;
using tasks::stored_text;

constexpr std::size_t most_shown = 4 << 20;
constexpr std::string_view lost_line = "[reeve: the engine may have lost what came before]\n";

adapters::kept_output rest_of(const std::string& output, std::size_t most = most_shown) {
  adapters::output_ends ends(tasks::ends_of(most));
  ends.add({adapters::log_stream::out, 1, output, false});
  auto kept = ends.finish();
  kept.lacks_beginning = true;
  return kept;
}

/// Text of so many bytes that is no secret, of one way to write.
using writing = std::function<std::string(std::size_t)>;

std::string repeated(const std::string& what, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += what;
  text.resize(bytes);
  return text;
}

const std::vector<std::pair<const char*, writing>> writings{
    {"lines", [](std::size_t n) { return repeated("all of it is well\n", n); }},
    {"long lines", [](std::size_t n) { return repeated(std::string(9'000, '-') + "\n", n); }},
    {"a progress bar", [](std::size_t n) { return repeated("\r 17% [====>      ]", n); }},
    {"words", [](std::size_t n) { return repeated("lorem ipsum dolor ", n); }},
    {"one value", [](std::size_t n) { return std::string(n, '-'); }},
    {"characters", [](std::size_t n) { return repeated("\u20ac", n / 3 * 3); }}};

/// Letters and digits, none of which is told by those before it.
std::string made_up(std::size_t bytes, std::uint32_t seed = 7) {
  static constexpr std::string_view letters =
      "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
  std::string text;
  for (; text.size() < bytes; seed = seed * 1664525 + 1013904223) {
    text += letters[(seed >> 16) % letters.size()];
  }
  return text;
}

std::string lines_of_a_key(int lines, const std::string& end = "\n") {
  std::string key = "-----BEGIN RSA PRIVATE KEY-----" + end;
  for (int i = 0; i < lines; ++i) key += made_up(64, static_cast<std::uint32_t>(i) + 3) + end;
  return key + "-----END RSA PRIVATE KEY-----" + end;
}

std::string escaped(const std::string& text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += std::string("\\u00") + digits[byte >> 4] + digits[byte & 15];
  }
  return out;
}

struct hidden {
  const char* what;
  std::string written;  // as it stands in the output
  redactor rules;
};

redactor naming(const std::string& value) {
  auto rules = redactor::make({{"key", value}});
  EXPECT_TRUE(rules);
  return *rules;
}

std::vector<hidden> secrets() {
  std::string lines;
  for (std::uint32_t i = 0; i < 100; ++i) lines += made_up(80, i + 100) + "\n";
  return {{"a value", made_up(8192), naming(made_up(8192))},
          {"a value of lines", lines, naming(lines)},
          {"a pair", "password=" + made_up(4000), redactor()},
          {"a key", lines_of_a_key(200), redactor()},
          {"a key in one line", lines_of_a_key(50, "\\n"), redactor()}};
}

/// Whether twelve bytes of it that stand together do.
bool shows(const std::string& text, const std::string& secret) {
  for (std::size_t at = 0; at + 12 <= secret.size(); at += 12) {
    const auto part = secret.substr(at, 12);
    const bool is_said = part.find_first_of("-_ \n\\=") != part.npos;  // not what is a secret in it
    if (!is_said && text.find(part) != text.npos) return true;
  }
  return false;
}

}  // namespace

TEST(RUN14_lost_beginning, leaves_out_no_more_than_64_KiB) {
  for (const auto& [how, write] : writings) {
    SCOPED_TRACE(how);
    const auto output = write(2 << 20) + "\nthe end\n";
    const auto text = stored_output(rest_of(output), redactor(), most_shown);
    ASSERT_TRUE(text.truncated);
    ASSERT_TRUE(text.text.starts_with(lost_line)) << text.text.substr(0, 200);
    const auto shown = text.text.substr(lost_line.size());
    EXPECT_TRUE(output.ends_with(shown)) << "as it was written";
    EXPECT_GE(shown.size(), output.size() - tasks::most_unshown_bytes);
    EXPECT_LE(shown.size(), output.size() - tasks::least_unshown_bytes);
    EXPECT_EQ(text.lines.size(), domain::lines_in(text.text));
    EXPECT_EQ(first_invalid_utf8(text.text), std::string::npos);
  }
}

TEST(RUN14_lost_beginning, is_the_beginning_of_what_is_stored_of_much) {
  constexpr std::size_t limit = 64 << 10;
  for (const auto& [how, write] : writings) {
    SCOPED_TRACE(how);
    const auto output = write(3 << 20) + "\rthe end";
    const auto text = stored_output(rest_of(output, limit), redactor(), limit);
    EXPECT_LE(text.text.size(), limit);
    EXPECT_GE(text.text.size(), limit * 3 / 8);
    EXPECT_TRUE(text.text.starts_with(lost_line));
    EXPECT_NE(text.text.find(" bytes left out]\n"), std::string::npos);
    // Of an endless value no end is shown.
    const std::string is(how);
    const bool is_endless = is == "one value" || is == "characters";
    EXPECT_EQ(text.text.ends_with("the end"), !is_endless);
  }
}

TEST(RUN14_lost_beginning, shows_nothing_of_what_is_shorter) {
  const auto text = stored_output(rest_of(std::string(40'000, 'x') + "\n"), redactor(), most_shown);
  EXPECT_EQ(text.text, lost_line);
  EXPECT_TRUE(text.truncated);
}

TEST(P16_lost_beginning, shows_no_rest_of_a_secret) {
  for (const auto& secret : secrets()) {
    for (const auto& [how, write] : writings) {
      SCOPED_TRACE(std::string(secret.what) + " before " + how);
      const auto step = secret.written.size() / 3;
      for (std::size_t lost = 1; lost < secret.written.size(); lost += step) {
        const auto output = secret.written.substr(lost) + write(300'000);
        const auto text = stored_output(rest_of(output), secret.rules, most_shown).text;
        ASSERT_FALSE(shows(text, secret.written)) << lost;
        ASSERT_GT(text.size(), 40'000U);
      }
    }
  }
}

/// Where something is hidden before the cut and no line ends, nothing says where that is.
TEST(P16_lost_beginning, shows_no_rest_where_no_line_ends) {
  const auto secret = made_up(8192);
  for (const std::size_t bytes : {60'000U, 100'000U, 250'000U}) {
    const auto output =
        secret.substr(5) + " password=hunter2hunter2 " + repeated("lorem ipsum ", bytes);
    const auto text = stored_output(rest_of(output), naming(secret), most_shown).text;
    EXPECT_FALSE(shows(text, secret)) << bytes;
  }
}

TEST(P16_lost_beginning, shows_no_rest_of_the_longest_form_of_a_secret) {
  const auto value = made_up(8192);
  const auto form = escaped(value);
  const auto output = form.substr(1) + "\n" + repeated("well\n", 300'000);
  const auto text = stored_output(rest_of(output), naming(value), most_shown).text;
  EXPECT_EQ(text.find("\\u00"), std::string::npos);
  EXPECT_NE(text.find("well\n"), std::string::npos);
}

/// One that is there as a whole, wherever what is shown begins within it.
TEST(P16_lost_beginning, shows_no_part_of_a_secret_that_it_ends_in) {
  for (const auto& secret : secrets()) {
    for (const auto& [how, write] : writings) {
      for (const std::string first : {"", " password=hunter2hunter2 "}) {
        SCOPED_TRACE(std::string(secret.what) + " within " + how + first);
        for (std::size_t at = 40'000; at < 68'000; at += 9'177) {
          const auto output = first + write(at) + " " + secret.written + " " + write(300'000);
          const auto text = stored_output(rest_of(output), secret.rules, most_shown).text;
          ASSERT_FALSE(shows(text, secret.written)) << at;
          ASSERT_GT(text.size(), 40'000U);
        }
      }
    }
  }
}

TEST(RUN14_lost_beginning, P16_goes_on_behind_a_secret_in_an_endless_line) {
  const auto bar = writings[2].second;
  const auto output = bar(10'000) + " password=hunter2hunter2 " + bar(1 << 20) + " the end";
  const auto text = stored_output(rest_of(output), redactor(), most_shown).text;
  EXPECT_TRUE(text.ends_with(" the end"));
  EXPECT_GT(text.size(), output.size() - tasks::redaction_margin);
  EXPECT_TRUE(output.ends_with(text.substr(lost_line.size())));
}

/// A long line of the one stream was begun in what is lost, and ends where the other one has
/// written more than is left out of both.
TEST(P16_lost_beginning, each_stream_has_one_of_its_own) {
  for (const auto limit : {std::size_t{1} << 20, most_shown}) {
    adapters::output_ends ends(tasks::ends_of(limit));
    const auto add = [&](adapters::log_stream of, const std::string& line) {
      ends.add({of, 1, line, true});
    };
    for (int i = 0; i < 100; ++i) add(adapters::log_stream::out, std::string(1000, 'o'));
    add(adapters::log_stream::err, "horse-battery-staple " + std::string(1000, 'b'));
    for (int i = 0; i < 3000; ++i) {
      add(adapters::log_stream::out, "out " + std::to_string(i) + std::string(400, 'p'));
      add(adapters::log_stream::err, "err " + std::to_string(i) + std::string(200, 'q'));
    }
    auto kept = ends.finish();
    kept.lacks_beginning = true;
    const auto text = stored_output(kept, redactor(), limit);
    EXPECT_EQ(text.text.find("battery"), text.text.npos);
    // Of the other stream as many lines are shown as before, from the first behind the cut.
    EXPECT_TRUE(text.text.starts_with(std::string(lost_line) + std::string(1000, 'o')));
    const auto first = text.text.find("\nerr ");
    ASSERT_NE(first, text.text.npos);
    const auto number = std::stoi(text.text.substr(first + 5));
    EXPECT_GT(number, 200) << "48 KiB of it";
    EXPECT_LT(number, 250);
    ASSERT_EQ(text.lines.size(), domain::lines_in(text.text));
    for (std::size_t at = 0, i = 0; at < text.text.size(); ++i, at = text.text.find('\n', at) + 1) {
      const auto c = text.text[at];
      const auto is = c == 'o'   ? domain::line_stream::out
                      : c == 'e' ? domain::line_stream::err
                                 : domain::line_stream::reeve;
      ASSERT_EQ(text.lines.at(i), is) << i;
    }
  }
}
