// RUN13, P16: secrets never leave the process in clear.
#include "base/redact.hpp"

#include "base/redact_named.hpp"
#include "tests/support/source_dir.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace {

using reeve::named_secret;
using reeve::redacting_stream;
using reeve::redactor;

// Put together at run time, so that scanners of repositories do not take them for real ones.
std::string joined(std::string_view a, std::string_view b) {
  return std::string(a) + std::string(b);
}

redactor with_secrets(std::vector<named_secret> secrets, bool patterns = true) {
  auto made = redactor::make(std::move(secrets), patterns);
  EXPECT_TRUE(made.ok()) << made.error().detail;
  return std::move(made).value();
}

std::string in_pieces(const redactor& rules, const std::string& text, std::size_t cut) {
  redacting_stream stream(rules);
  auto out = stream.write(std::string_view(text).substr(0, cut));
  out += stream.write(std::string_view(text).substr(cut));
  return out + stream.finish();
}

std::string byte_by_byte(const redactor& rules, const std::string& text) {
  redacting_stream stream(rules);
  std::string out;
  for (const char c : text) out += stream.write(std::string_view(&c, 1));
  return out + stream.finish();
}

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

const std::string pem_key = joined("-----BEGIN RSA PRIV", "ATE KEY-----\n") +
                            "MIIEpAIBAAKCAQEAx1Qm7s0f1oQb2kq8mVxk8dY1aH6nqk0cZs3l9vHfT2bPq7Lr\n"
                            "b0uW5cYd3nE4xJ8gS6tR1zQ9aFvK2mNpX7hUoI5yTqLwZsDcVbEgRjYkMxHnPaOi\n"
                            "Zm9vYmFy\n" +
                            joined("-----END RSA PRIV", "ATE KEY-----");

struct pattern_case {
  std::string text;
  std::string secret;
};

}  // namespace

TEST(RUN13_redact, named_secret_inside_longer_text) {
  const auto rules = with_secrets({{"db", "correct-horse-battery"}});
  EXPECT_EQ(rules.redact("xxcorrect-horse-batteryyy"), "xx[redacted:db]yy");
  EXPECT_EQ(rules.redact("correct-horse-batter"), "correct-horse-batter");
}

TEST(RUN13_redact, named_secret_forms) {
  const std::string secret = "p\"ss/w&rd <\xC3\xA9> 7";
  const auto rules = with_secrets({{"s", secret}}, false);
  for (const auto& form : reeve::secret_forms(secret)) {
    EXPECT_EQ(rules.redact("a " + form + " b"), "a [redacted:s] b") << form;
  }
  EXPECT_EQ(rules.redact("x=p%22ss%2Fw%26rd%20%3C%C3%A9%3E%207;"), "x=[redacted:s];");
  EXPECT_EQ(rules.redact("x=p%22ss%2fw%26rd+%3c%c3%a9%3e+7;"), "x=[redacted:s];");
  EXPECT_EQ(rules.redact(R"({"a":"p\"ss\/w&rd <é> 7"})"), R"({"a":"[redacted:s]"})");
  EXPECT_EQ(rules.redact(R"({"a":"p\"ss/w\u0026rd \u003c\u00e9\u003e 7"})"),
            R"({"a":"[redacted:s]"})");
}

/// encodeURIComponent, Python's quote, encodeURI; .NET's JSON.
TEST(RUN13_redact, named_secret_as_other_writers_encode_it) {
  const auto rules = with_secrets({{"s", "Pa/ss w(o)rd!*x"}, {"n", "p\xC3\xA4ss\"<w+1"}}, false);
  for (const char* form : {"Pa%2Fss%20w(o)rd!*x", "Pa/ss%20w%28o%29rd%21%2Ax", "Pa/ss%20w(o)rd!*x",
                           "Pa%2fss+w%28o%29rd%21%2ax"}) {
    EXPECT_EQ(rules.redact(std::string("=") + form + ";"), "=[redacted:s];") << form;
  }
  for (const char* form :
       {R"(p\u00E4ss\"<w+1)", R"(p\u00E4ss\u0022\u003Cw\u002B1)", R"(p\u00e4ss\"\u003cw+1)"}) {
    EXPECT_EQ(rules.redact(std::string("=") + form + ";"), "=[redacted:n];") << form;
  }
}

TEST(RUN13_redact, named_secret_in_base64_at_every_alignment) {
  const auto rules = with_secrets({{"s", "hunter2-hunter2"}}, false);
  // base64 of "hunter2-hunter2", "u:hunter2-hunter2", "me:hunter2-hunter2", "abc:hunter2-hunter2!"
  for (const std::string text : {"aHVudGVyMi1odW50ZXIy", "dTpodW50ZXIyLWh1bnRlcjI=",
                                 "bWU6aHVudGVyMi1odW50ZXIy", "YWJjOmh1bnRlcjItaHVudGVyMiE="}) {
    const auto out = rules.redact(text);
    EXPECT_NE(out.find("[redacted:s]"), out.npos) << text << " -> " << out;
    EXPECT_LT(out.size() - std::string("[redacted:s]").size(), 10U) << out;
  }
}

TEST(RUN13_redact, overlapping_named_secrets_leave_no_rest) {
  const auto rules = with_secrets({{"a", "abcdefg"}, {"b", "efghijk"}}, false);
  EXPECT_EQ(rules.redact("1abcdefghijk2"), "1[redacted:a]2");
}

TEST(RUN13_redact, several_lines_keep_their_number) {
  const auto rules = with_secrets({{"key", "first line 1\nsecond line 2\nx\n"}}, false);
  EXPECT_EQ(rules.redact("a\nfirst line 1\nsecond line 2\nx b\n"), "a\n[redacted:key]\n\n b\n");
  EXPECT_EQ(rules.redact("first line 1\r\nsecond line 2\r\nx!"), "[redacted:key]\n\n!");
  // A log writer's prefix before every line.
  EXPECT_EQ(rules.redact("app | first line 1\napp | second line 2\n"),
            "app | [redacted:key]\napp | [redacted:key]\n");
  EXPECT_EQ(rules.redact("first line 1 alone\nother\n"), "[redacted:key] alone\nother\n");
}

TEST(RUN13_redact, refuses_what_cannot_be_redacted_and_does_not_repeat_it) {
  for (const auto& bad : {std::string("abc"), std::string("abcde\n"), std::string(9000, 'x'),
                          std::string(2000, '\n') + "x"}) {
    const auto made = redactor::make({{"tiny", bad}});
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code, reeve::errc::invalid);
    EXPECT_EQ(made.error().detail.find(bad), std::string::npos);
    EXPECT_NE(made.error().detail.find("tiny"), std::string::npos);
  }
  EXPECT_FALSE(redactor::make(std::vector<named_secret>(257, {"n", "abcdef"})).ok());
  EXPECT_TRUE(redactor::make({{"n", "abcdef"}}).ok());
}

TEST(RUN13_redact, a_job_adds_its_own_and_patterns_can_be_turned_off) {
  const auto base = with_secrets({{"server", "server-secret"}});
  auto job = base.with({{"job", "job-secret"}});
  ASSERT_TRUE(job.ok());
  EXPECT_EQ(job->redact("server-secret job-secret"), "[redacted:server] [redacted:job]");
  const auto quiet = job->without_patterns();
  EXPECT_EQ(quiet.redact("password=abc job-secret"), "password=abc [redacted:job]");
  EXPECT_EQ(base.redact("job-secret"), "job-secret");
}

class RUN13_patterns : public testing::TestWithParam<pattern_case> {};

TEST_P(RUN13_patterns, are_found) {
  const auto& [text, secret] = GetParam();
  ASSERT_NE(text.find(secret), text.npos);
  const redactor rules;
  const auto out = rules.redact(text);
  EXPECT_EQ(out.find(secret), out.npos) << out;
  EXPECT_NE(out.find("[redacted:"), out.npos) << out;
  EXPECT_EQ(rules.redact(out), out);
  EXPECT_EQ(byte_by_byte(rules, text), out);
}

INSTANTIATE_TEST_SUITE_P(
    forms, RUN13_patterns,
    testing::Values(
        pattern_case{"Authorization: Bearer abcdef", "abcdef"},
        pattern_case{"{\"authorization\": \"Bearer zyxw\"}", "zyxw"},
        pattern_case{"proxy-authorization: Basic dTpw", "dTpw"},
        pattern_case{"sent bearer 8f2c9a77 upstream", "8f2c9a77"},
        pattern_case{"auth basic dXNlcjpodW50ZXIy ok", "dXNlcjpodW50ZXIy"},
        pattern_case{"Set-Cookie: sid=31d4d96e; Path=/", "31d4d96e"},
        pattern_case{"password=hunter2", "hunter2"},
        pattern_case{"user=bob password=hunter2 host=x", "hunter2"},
        pattern_case{"DB_PASSWORD=two words & more", "two words & more"},
        pattern_case{"export GITHUB_TOKEN=abc", "abc"},
        pattern_case{"POSTGRES_PASSWORD='a b c'", "a b c"},
        pattern_case{"  db_password: my pass phrase", "my pass phrase"},
        pattern_case{"- api_key: 0xabc", "0xabc"},
        pattern_case{"{\"user\":\"bob\",\"apiKey\":\"k-1\\\"2\",\"n\":1}", "k-1\\\"2"},
        pattern_case{"{\\\"client_secret\\\":\\\"s3cr3t\\\"}", "s3cr3t"},
        pattern_case{"{\"access_token\":12345678}", "12345678"},
        pattern_case{"GET /cb?code=1&access_token=abc123&x=1 HTTP/1.1", "abc123"},
        pattern_case{"run --password hunter2 --verbose", "hunter2"},
        pattern_case{"postgres://reeve:p@ss-w0rd@db:5432/x", "p@ss-w0rd"},
        pattern_case{"https://9f8e7d6c5b@example.test/r.git", "9f8e7d6c5b"},
        pattern_case{"redis://:onlypw@cache/0", "onlypw"},
        pattern_case{"id " + joined("AK", "IAIOSFODNN7EXAMPLE") + " used", "IOSFODNN7EXAMPLE"},
        pattern_case{"got " + joined("eyJ", "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl") + ".",
                     "c2lnbmF0dXJl"},
        pattern_case{joined("gh", "p_0123456789abcdefghijABCDEFGHIJ"), "0123456789abcdefghij"},
        pattern_case{joined("glp", "at-0123456789abcdefghij"), "0123456789abcdefghij"},
        pattern_case{joined("xo", "xb-123456789012-abcdefghij"), "abcdefghij"},
        pattern_case{"https://" + joined("hooks.sl", "ack.com/services/T000/B000/XXXXYYYY"),
                     "XXXXYYYY"},
        pattern_case{"key " + joined("AI", "zaSyA0123456789abcdefghijABCDEFGHIJKL"),
                     "SyA0123456789"},
        pattern_case{joined("s", "k_live_0123456789abcdefghij0123"), "0123456789abcdefghij"},
        pattern_case{joined("s", "k-proj-0123456789abcdefghij0123"), "0123456789abcdefghij"},
        pattern_case{"a\n" + pem_key + "\nb", "Zm9vYmFy"}, pattern_case{pem_key, "MIIEpAIB"},
        pattern_case{"k: \"" + joined("-----BEGIN PRIV", "ATE KEY-----") + "\\nMIIB\\n" +
                         joined("-----END PRIV", "ATE KEY-----") + "\\n\" rest",
                     "MIIB"}));

TEST(RUN13_redact, what_surrounds_a_secret_stays) {
  const redactor rules;
  EXPECT_EQ(rules.redact("{\"user\":\"bob\",\"password\":\"x1\",\"n\":1}"),
            "{\"user\":\"bob\",\"password\":\"[redacted:credential]\",\"n\":1}");
  EXPECT_EQ(rules.redact("{\"access_token\":12345678,\"n\":1}"),
            "{\"access_token\":\"[redacted:credential]\",\"n\":1}");
  EXPECT_EQ(rules.redact("a\n" + pem_key + "\nb\n"),
            "a\n[redacted:private_key]\n"
            "[redacted:private_key]\n[redacted:private_key]\n[redacted:private_key]\n"
            "[redacted:private_key]\nb\n");
  EXPECT_EQ(rules.redact("redis://:onlypw@cache/0"), "redis://:[redacted:url_password]@cache/0");
}

TEST(RUN13_redact, harmless_text_stays) {
  const redactor rules;
  for (const std::string text :
       {"prompt_tokens=120 completion_tokens=57 total_tokens=177", "{\"total_tokens\":177}",
        "password_file=/run/secrets/db", "token_type: bearer", "PWD=/root", "token=null",
        "bearer authentication is on", "basic authentication failed", "GET http://host:80/a@b",
        "monkey=banana", "secret=${DB_SECRET}", "mail to bob@example.test", "10:20:30 keys: 12",
        "std::string key_value(a::b)", "https://example.test/path?x=1"}) {
    EXPECT_EQ(rules.redact(text), text);
  }
}

TEST(RUN13_redact, a_mention_of_a_key_block_swallows_no_log) {
  const redactor rules;
  const auto out = rules.redact(joined("no -----BEGIN PRIV", "ATE KEY----- found\n") +
                                "next line is ordinary text\n");
  EXPECT_NE(out.find("next line is ordinary text"), out.npos);
}

TEST(RUN13_redact, a_key_block_behind_a_log_prefix) {
  std::string text;
  std::istringstream lines(pem_key);
  for (std::string line; std::getline(lines, line);) text += "2026-01-01 web | " + line + "\n";
  const auto out = redactor().redact(text + "2026-01-01 web | went on\n");
  for (const auto* part : {"MIIEpAIB", "b0uW5cYd", "Zm9vYmFy"}) {
    EXPECT_EQ(out.find(part), out.npos) << out;
  }
  EXPECT_NE(out.find("went on"), out.npos);
}

TEST(P16_redact, cut_at_every_byte) {
  const auto rules = with_secrets(
      {{"one", "hunter2-hunter2"}, {"many", "line one of it\nline two of it\nline three"}});
  const std::string text = "start hunter2-hunter2 password=abc\n" + pem_key +
                           "\nline one of it\nline one of it\nline two of it\nline three\n"
                           "line one of it\nline two of it\nno\ntoken: x aHVudGVyMi1odW50ZXIy\nend";
  const auto whole = rules.redact(text);
  for (const auto* secret : {"hunter2", "abc", "MIIE", "line one", "line two", "aHVudG"}) {
    EXPECT_EQ(whole.find(secret), whole.npos) << whole;
  }
  EXPECT_EQ(std::count(whole.begin(), whole.end(), '\n'),
            std::count(text.begin(), text.end(), '\n'));
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    ASSERT_EQ(in_pieces(rules, text, cut), whole) << cut;
  }
  EXPECT_EQ(byte_by_byte(rules, text), whole);
}

TEST(P16_redact, very_long_lines_are_worked_on_in_windows) {
  const auto rules = with_secrets({{"one", "hunter2-hunter2"}});
  std::mt19937 random(7);
  for (int round = 0; round < 12; ++round) {
    std::string text;
    int planted = 0;
    while (text.size() < 200'000) {
      text.append(500 + random() % 4000, static_cast<char>('a' + random() % 3));
      text += planted++ % 2 == 0 ? " hunter2-hunter2 " : " token=Zq81Zq81Zq81 ";
    }
    const auto whole = rules.redact(text);
    EXPECT_EQ(whole.find("hunter2"), whole.npos);
    EXPECT_EQ(whole.find("Zq81"), whole.npos);
    redacting_stream stream(rules);
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      const auto size = std::min<std::size_t>(1 + random() % 30'000, text.size() - at);
      out += stream.write(std::string_view(text).substr(at, size));
      at += size;
    }
    out += stream.finish();
    ASSERT_EQ(out, whole);
  }
}

TEST(P16_redact, a_value_longer_than_a_window_is_followed_to_its_end) {
  const std::string value(300'000, 'Q');
  const auto out = redactor().redact("x token=" + value + " after\nnext");
  EXPECT_EQ(out, "x token=[redacted:credential] after\nnext");
}

TEST(P16_redact, holds_back_no_more_than_a_line) {
  redacting_stream stream{redactor()};
  EXPECT_EQ(stream.write("one\ntw"), "one\n");
  EXPECT_EQ(stream.write("o\n"), "two\n");
  std::size_t out = 0;
  for (int i = 0; i < 1000; ++i) out += stream.write(std::string(1000, 'x')).size();
  EXPECT_GE(out, 1'000'000U - 70'000U);
  EXPECT_EQ(out + stream.finish().size(), 1'000'000U);
}

TEST(P16_redact, random_bytes_and_naughty_strings_are_survived) {
  const auto rules = with_secrets({{"one", "hunter2-hunter2"}});
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (std::size_t size = random() % 300; size > 0; --size) {
      text.push_back(static_cast<char>(random() % 256));
    }
    text += "hunter2-hunter2";
    const auto whole = rules.redact(text);
    EXPECT_EQ(whole.find("hunter2-hunter2"), whole.npos);
    EXPECT_EQ(in_pieces(rules, text, random() % text.size()), whole);
  }
  // The naughty strings corpus where it is at hand, else a few of our own.
  auto naughty = slurp(support::source_dir() + "/../shared/corpora/blns/blns.json");
  if (naughty.empty()) naughty = "\"\\u0000\" <script> ${x} ' OR 1=1 -- \xF0\x9F\x98\x80 \xFF\xFE";
  EXPECT_EQ(byte_by_byte(rules, naughty), rules.redact(naughty));
}

TEST(RUN13_redact, names_of_secrets) {
  for (const auto* name : {"DB_PASSWORD", "X-Api-Key", "client_secret", "accessToken"}) {
    EXPECT_TRUE(reeve::names_a_secret(name)) << name;
  }
  for (const auto* name : {"HOME", "prompt_tokens", "PWD", "token_file", "SECRET_NAME", "monkey"}) {
    EXPECT_FALSE(reeve::names_a_secret(name)) << name;
  }
}
