// RUN13: the output of a job decides about no more of a processor than its size does.
#include "base/redact.hpp"
#include "tests/support/environment.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;
using reeve::redactor;

/// Four windows of the longest line that is looked at in one go.
constexpr std::size_t text_bytes = 256 * 1024;

std::string repeated(const std::string& part) {
  std::string text;
  while (text.size() < text_bytes) text += part;
  text.resize(text_bytes);
  return text;
}

/// A release build takes a tenth of a second at most; a search that began anew behind every
/// harmless key took 21 s for the first 64 KiB. In pieces, so that a failure does not last long.
void expect_soon(const std::string& text, const std::string& name) {
  const auto limit = 15s * support::time_factor();
  reeve::redacting_stream stream{redactor()};
  const auto begun = std::chrono::steady_clock::now();
  constexpr std::size_t piece = 16 * 1024;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    stream.write(std::string_view(text).substr(at, piece));
    ASSERT_LT(std::chrono::steady_clock::now() - begun, limit) << name << " at " << at;
  }
  stream.finish();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, limit) << name;
}

/// Half of it one word after another, half of it one sign: a run of keys before a tail that each of
/// them may look at.
std::string headed(const std::string& head, char tail, std::size_t bytes) {
  std::string text;
  while (text.size() + head.size() <= bytes / 2) text += head;
  text.resize(bytes, tail);
  return text;
}

/// Of this program's own processor time, so that neighbours do not count.
double seconds_for(const std::string& text) {
  static const redactor rules;
  const auto begun = std::clock();
  rules.redact(text);
  return static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
}

/// Twice the text may take three times as long. A quadratic reader takes four times, and so long
/// that the floor, which is for texts that take no time, does not matter.
void expect_linear(const std::function<std::string(std::size_t bytes)>& text,
                   const std::string& name) {
  // Both within one window, beyond which time is linear by itself.
  constexpr std::size_t bytes = 32'000;
  const double floor = 0.01 * support::time_factor();
  const auto single = text(bytes);
  const auto twice = text(2 * bytes);
  auto one = seconds_for(single);
  auto two = seconds_for(twice);
  for (int tries = 0; tries < 4 && two > 2.5 * one + floor; ++tries) {
    one = std::min(one, seconds_for(single));
    two = std::min(two, seconds_for(twice));
  }
  if (two <= 3 * one + floor) return;
  ADD_FAILURE() << name << ": " << one << " s, then " << two << " s";
}

}  // namespace

TEST(RUN13_redact_hostile, many_words_before_a_long_tail_take_time_by_their_size) {
  for (const std::string head : {"|sig:",
                                 "|auth=",
                                 "|tokens=",
                                 "|session_id=",
                                 "|pwd=",
                                 "|pass:",
                                 "|token:",
                                 "|password:",
                                 "cookie=;",
                                 "authorization=granted ",
                                 "authorization: a ",
                                 "authorization=x1 ",
                                 ".eyJ",
                                 "-hvs.",
                                 "-glpat-",
                                 "basic aaaaaaaa.",
                                 "token=[",
                                 "<password ",
                                 "value='' name=\"password\" ",
                                 "name=\"token\",x=1,",
                                 "-passin pass:",
                                 "curl -u ",
                                 "ab://a:",
                                 "htpasswd -b ",
                                 "-----BEGIN X----",
                                 "[redacted:"}) {
    for (const char tail : {',', '.', '1', '=', '\'', '\\', ')'}) {
      expect_linear([&](std::size_t bytes) { return headed(head, tail, bytes); },
                    head + "… " + tail + "…");
    }
  }
}

TEST(RUN13_redact_hostile, text_of_one_kind_takes_time_by_its_size) {
  for (const std::string part :
       {// Harmless keys whose values hold harmless keys: bare, quoted, of a command line.
        "token_count=", "pwd=", "tokenize:", "token_count=>", "token_count=\"", "token_count='",
        "token_count=\\\"", "token_count=\\\"a\\", "\"token_count\":", "--token_count x ",
        "--token_count \"", "token_count: ", "token_count=\n",
        // Keys without a value, values that are none, and keys of one long run.
        "token=&", "token=null;", "token=${", "password ", "token_", "token\\", "token=\\\\",
        // Beginnings without an end.
        "authorization: ", "authorization=\"", "cookie=", "bearer ", "basic aaaaaaaa ", "ab://",
        "ab://b:", "ab://b:c@", "ab://bbbbbbbb", "a.", "key.", "eyJaaaaaa-", "-eyJaaaaaa.", "sk-",
        "sk_", "sk-a-", "-pypi-", "dckr_pat_-", "-AIza", "xoxb-", "AKIA",
        "tokenABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/", "-----BEGIN ", "-----BEGIN CERT-----",
        "-----BEGIN -----END ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n",
        "-----END ", "\n",
        // Values that are read and are none, one within the other.
        "token:", "token%3D/", "token%3Da%", "otp:", "otp=$", "sig=", "pwd=/", "pass=1",
        "auth=", "authorization:[", "authorization: is not ", "cookie:{", "session_id=0x1",
        "token=(", "psk ", "token=a.token;", "token=await", "password: is ", "api_key ",
        "key 1: ", "-Dtoken=/",
        // Lists, objects, elements and pairs, open and closed.
        "token=[", "password={", "{\"password\":[", "passwords=[a,", "tokens={a:", "[redacted",
        "[redacted:", "<password>", "<password", "<password>a", "name=\"password\">",
        "name=password ", "\"name\":\"password\",", "\"name\":\"password\",\"a\":'",
        "(\"password\",'", "<key>password</key>", "&quot;token&quot;:&quot;", "password 'is ",
        "password(\"",
        // Addresses, programs and their options.
        "a:b@tcp(", "@unix(:", "ab://a:b1/c", "ab://a:", "://a:a1/a", "curl -u ", "mysql -p", " -p",
        "sshpass -p/", "sqlplus a/", "add_user a ", "htpasswd -b ", "login machine password ",
        "-passin pass:", "identified by ", "generated for root@localhost: ", "unseal key ",
        // Beginnings of published forms.
        "rv_", "rk-", "hvs.", "SG.", "glpat-.", ".atlasv1.", "-eyJaaaaaa-eyJ", "eyJaaaaaaa.aaaaa-",
        "12345678:AA", "0123456789abcdef0123456789abcdef-us1", "MaaaaaaaaaaaaaaaaaaaaaaaB.aaaaaa.",
        "AGE-SECRET-KEY-1", "-----BEGIN PGP PRIVATE KEY BLOCK-----", "---- BEGIN SSH2 ",
        "Private-Lines: 5\n"}) {
    expect_soon(repeated(part), part);
    if (HasFatalFailure()) return;
  }
}

/// A line of nothing but blanks before the words.
TEST(RUN13_redact_hostile, words_behind_long_blanks_take_time_by_their_size) {
  const auto text = [](std::size_t bytes) {
    std::string out(bytes / 2, ' ');
    while (out.size() < bytes) out += "login psk x1 ";
    return out;
  };
  expect_linear(text, "login psk x1");
}

// Texts for which an automaton of all patterns needs a new state at nearly every byte.
TEST(RUN13_redact_hostile, beginnings_in_any_order_take_time_by_their_size) {
  const std::vector<std::vector<std::string>> kinds = {
      {"a", "b1", "+", "-", ".", "c.d", "key"},
      {"sk-", "sk_", "a", "aaaaaaaaaaaaaaaaaaa", "-", "_", "hf_", "npm_", "-pypi-", "-dckr_pat_"},
      {"-ghp_", "-github_pat_", "-glpat-", "-xoxb-", "-AIza", "-ya29.", "a", "aaaaa", ".", "-"},
      {"ab://", "sk-", "sk_", "a", "b", "-", ".", "eyJ", "-pypi-", "-AIza", "token", "bearer "}};
  for (const auto& words : kinds) {
    std::mt19937 random(5);
    std::string text = "key ";
    while (text.size() < text_bytes) text += words[random() % words.size()];
    expect_soon(text, words.front());
    if (HasFatalFailure()) return;
  }
}

TEST(RUN13_redact_hostile, a_secret_within_a_harmless_value_is_found) {
  const redactor rules;
  const std::string marker = "[redacted:credential]";
  for (const std::string before :
       {"token_count=", "token_count=token_count=", "token_count:=", "token_count=>",
        "token_count=\"a ", "token_count='a ", "\"token_count\":\"a ", "token_count=\\\"a ",
        "--token_count ", "--token_count x,--", "token_count = x;"}) {
    EXPECT_EQ(rules.redact(before + "password=hunter2 end"),
              before + "password=" + marker + " end");
  }
  // After more than one window of harmless keys, too.
  auto many = repeated("token_count=");
  many.resize(12 * 12'000);
  EXPECT_EQ(rules.redact(many + "password=hunter2 end"), many + "password=" + marker + " end");
}

TEST(RUN13_redact_hostile, values_end_where_they_did) {
  const redactor rules;
  const auto hidden = [&](const std::string& text) {
    auto out = rules.redact(text);
    const std::string marker = "[redacted:credential]";
    for (auto at = out.find(marker); at != out.npos; at = out.find(marker)) {
      out.replace(at, marker.size(), "#");
    }
    return out;
  };
  EXPECT_EQ(hidden(R"(token="a\"b' c\\" d)"), R"(token="#" d)");
  EXPECT_EQ(hidden(R"(token='a\'b" c' d)"), "token='#' d");
  EXPECT_EQ(hidden(R"(token="unclosed a\)"), R"(token="#\)");
  EXPECT_EQ(hidden(R"({\"token\":\"a\nb\\tc\",\"n\":1})"), R"({\"token\":\"#\",\"n\":1})");
  EXPECT_EQ(hidden(R"(token=\a\b\"c)"), R"(token=#"c)");
  EXPECT_EQ(hidden(R"({"token":12,"n":3,"token":[]})"), R"({"token":"#","n":3,"token":[]})");
  EXPECT_EQ(hidden("token=a}b<c&token=>d token := e7"), "token=#<c&token=># token := #");
  EXPECT_EQ(hidden("token= & token:=& token=> <"), "token= & token:=& token=> <");
}

TEST(RUN13_redact_hostile, a_url_behind_a_long_word_is_one) {
  EXPECT_EQ(redactor().redact("fetchedfromthemirrorathttps://bob:hunter2@host/"),
            "fetchedfromthemirrorathttps://bob:[redacted:url_password]@host/");
}
