// RUN13: redaction hits secrets and leaves messages alone, measured on a kept corpus.
#include "base/redact.hpp"
#include "tests/support/source_dir.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

namespace {

using reeve::redactor;

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::vector<std::string> lines_of(const std::string& name) {
  std::ifstream in(support::source_dir() + "/tests/unit/data/redaction/" + name);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// A line of secrets.txt: "«" and "»" stand around each secret, "¶" for the end of a line, "␛"
/// for the escape of terminals, and "{+}" where a beginning that scanners know was cut in two.
struct sample {
  std::string text;
  std::string masked;  // a sign that stands nowhere else in place of every byte of a secret
  std::size_t secrets = 0;
};

sample sample_of(const std::string& line) {
  static constexpr std::string_view open = "«";
  static constexpr std::string_view close = "»";
  auto whole = replaced(replaced(line, "{+}", ""), "¶", "\n");
  whole = replaced(whole, "␛", "\x1b");
  sample out;
  std::size_t at = 0;
  while (true) {
    const auto begin = whole.find(open, at);
    const auto shown = whole.substr(at, begin - at);
    out.text += shown;
    out.masked += shown;
    if (begin == whole.npos) return out;
    const auto end = whole.find(close, begin);
    if (end == whole.npos) return {};
    const auto secret = whole.substr(begin + open.size(), end - begin - open.size());
    out.text += secret;
    for (const char c : secret) out.masked += c == '\n' ? c : '\x01';
    ++out.secrets;
    at = end + close.size();
  }
}

/// Nothing of a secret is shown, not even its end: all that stands between the markers is found,
/// in its order, beside the secrets.
bool is_hidden(const sample& one, const std::string& out) {
  if (one.secrets == 0 || out == one.text) return false;
  const auto& text = one.masked;
  std::size_t in_text = 0;
  for (std::size_t at = 0; at < out.size();) {
    const auto marker = std::min(out.size(), out.find("[redacted:", at));
    // A marker in place of a number brings quotes.
    auto shown = std::string_view(out).substr(at, marker - at);
    auto place = text.find(shown, in_text);
    if (place == text.npos && shown.ends_with('"')) {
      shown.remove_suffix(1);
      place = text.find(shown, in_text);
    }
    if (place == text.npos && shown.starts_with('"')) {
      shown.remove_prefix(1);
      place = text.find(shown, in_text);
    }
    if (place == text.npos) return false;
    in_text = place + shown.size();
    at = marker == out.size() ? marker : out.find(']', marker) + 1;
  }
  return true;
}

}  // namespace

TEST(RUN13_redact_corpus, at_least_99_of_100_secrets_are_hidden) {
  const auto lines = lines_of("secrets.txt");
  ASSERT_GE(lines.size(), 1200U);
  const redactor rules;
  std::size_t missed = 0;
  std::string misses;
  for (const auto& line : lines) {
    const auto one = sample_of(line);
    const auto out = rules.redact(one.text);
    if (is_hidden(one, out)) continue;
    ++missed;
    misses += "\n" + one.text + "\n  -> " + out;
  }
  EXPECT_LE(missed * 100, lines.size()) << missed << " of " << lines.size() << ":" << misses;
}

TEST(RUN13_redact_corpus, at_most_5_of_1000_harmless_lines_are_changed) {
  const auto lines = lines_of("harmless.txt");
  ASSERT_GE(lines.size(), 900U);
  const redactor rules;
  std::size_t changed = 0;
  std::string changes;
  for (const auto& line : lines) {
    const auto out = rules.redact(line);
    if (out == line) continue;
    ++changed;
    changes += "\n" + line + "\n  -> " + out;
  }
  EXPECT_LE(changed * 1000, lines.size() * 5) << changed << " of " << lines.size() << changes;
}

TEST(RUN13_redact_corpus, redacting_twice_changes_nothing_and_cuts_do_not_matter) {
  const redactor rules;
  for (const auto& line : lines_of("secrets.txt")) {
    const auto text = sample_of(line).text;
    const auto out = rules.redact(text);
    EXPECT_EQ(rules.redact(out), out);
    reeve::redacting_stream stream(rules);
    std::string pieces;
    for (const char c : text) pieces += stream.write(std::string_view(&c, 1));
    EXPECT_EQ(pieces + stream.finish(), out);
  }
}

// What is hidden is the secret, not its neighbours.
TEST(RUN13_redact_corpus, names_and_neighbours_stay) {
  const redactor rules;
  const auto shown = [&](const std::string& text) {
    return replaced(rules.redact(text), "[redacted:credential]", "#");
  };
  EXPECT_EQ(shown("Server=db;User Id=sa;Pwd=FakePw1;Database=x"),
            "Server=db;User Id=sa;Pwd=#;Database=x");
  EXPECT_EQ(shown("<password>FakePw1</password><user>bob</user>"),
            "<password>#</password><user>bob</user>");
  EXPECT_EQ(shown(R"([{"name": "DB_PASSWORD", "value": "FakePw1"}, {"name": "A", "value": "b"}])"),
            R"([{"name": "DB_PASSWORD", "value": "#"}, {"name": "A", "value": "b"}])");
  EXPECT_EQ(shown(R"({"passwords":["FakePw1","FakePw2"],"users":["bob"]})"),
            R"({"passwords":["#","#"],"users":["bob"]})");
  EXPECT_EQ(shown(R"({"password":{"value":"FakePw1","type":"plain"},"n":[1,2]})"),
            R"({"password":{"value":"#","type":"plain"},"n":[1,2]})");
  EXPECT_EQ(shown("machine h login bob password FakePw1"), "machine h login bob password #");
  EXPECT_EQ(shown("curl -u admin:FakePw1 https://x -o a:b"), "curl -u admin:# https://x -o a:b");
  EXPECT_EQ(shown("mysql -u root -pFakePw1 -h db | cat -pn"), "mysql -u root -p# -h db | cat -pn");
  EXPECT_EQ(shown("https://h/c?sv=1&sig=FAKEfake0000FAKEfake%3D&se=2"),
            "https://h/c?sv=1&sig=#&se=2");
  EXPECT_EQ(rules.redact("https://bob:FakePw1@h/a@b"), "https://bob:[redacted:url_password]@h/a@b");
}
