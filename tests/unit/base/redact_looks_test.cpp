// RUN13: what is judged of many bytes at once is what a look at one after another says.
#include "base/redact.hpp"
#include "base/redact_keys.hpp"
#include "base/redact_makeup.hpp"
#include "base/redact_scan.hpp"
#include "base/redact_sets.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <string_view>

namespace {

using namespace reeve;

/// Of one sign after another, as the words say it.
makeup made_slowly(std::string_view value) {
  makeup all;
  char before = '\0';
  for (const char c : value.substr(0, looked_at)) {
    all.lower += is_lower(c);
    all.upper += is_upper(c);
    all.digits += is_digit(c);
    all.signs += std::string_view("!#$%^&*+=~?@").find(c) != std::string_view::npos;
    all.turns += (is_alpha(before) && is_digit(c)) || (is_digit(before) && is_alpha(c)) ||
                 (is_lower(before) && is_upper(c));
    before = c;
  }
  return all;
}

/// Half of any bytes, half of those that turn often.
std::string bytes_to_judge(std::mt19937& random, std::size_t size) {
  static constexpr std::string_view often = "azAZ09!~@[`{/:mM5";
  std::string text;
  const bool any = random() % 2 == 0;
  for (std::size_t i = 0; i < size; ++i) {
    text += any ? static_cast<char>(random() % 256) : often[random() % often.size()];
  }
  return text;
}

}  // namespace

TEST(RUN13_redact_looks, a_value_is_made_of_what_one_look_a_byte_finds) {
  std::mt19937 random(11);
  for (int i = 0; i < 4'000; ++i) {
    const auto text = bytes_to_judge(random, random() % 130);
    const auto quick = made_of(text);
    const auto slow = made_slowly(text);
    ASSERT_EQ(quick.lower, slow.lower) << text;
    ASSERT_EQ(quick.upper, slow.upper) << text;
    ASSERT_EQ(quick.digits, slow.digits) << text;
    ASSERT_EQ(quick.signs, slow.signs) << text;
    ASSERT_EQ(quick.turns, slow.turns) << text;
  }
}

TEST(RUN13_redact_looks, texts_are_compared_in_either_case) {
  EXPECT_TRUE(equals_lower("PassWord", "password"));
  EXPECT_FALSE(equals_lower("PassWords", "password"));
  EXPECT_FALSE(equals_lower("passwor@", "passwor`"));
  EXPECT_TRUE(ends_lower("DB_KEY", "key"));
  EXPECT_FALSE(ends_lower("EY", "key"));
  EXPECT_TRUE(holds_lower("my_PASSWd_2", "passw"));
  EXPECT_TRUE(holds_lower("papassw", "passw"));
  EXPECT_FALSE(holds_lower("pass_w", "passw"));
  EXPECT_FALSE(holds_lower("", "passw"));
  EXPECT_TRUE(begins_with("export x", "export "));
  EXPECT_FALSE(begins_with("expor", "export "));
  EXPECT_FALSE(begins_with("", "e"));
}

TEST(RUN13_redact_looks, the_next_word_is_found_from_any_place) {
  std::mt19937 random(12);
  for (int i = 0; i < 300; ++i) {
    std::string text;
    for (int parts = 0; parts < 40; ++parts) text += random() % 3 == 0 ? ":" : "a";
    next_word colons;
    for (int places = 0; places < 40; ++places) {
      const auto from = random() % (text.size() + 1);
      const auto within = random() % 12;
      const auto near = std::string_view(text).substr(from, within + 1).find("::");
      ASSERT_EQ(colons.find(text, "::", from, within), near == text.npos ? near : from + near)
          << text << " from " << from << " within " << within;
    }
  }
}

TEST(RUN13_redact_looks, names_say_the_same_by_all_their_parts) {
  const auto kind = [](std::string_view name) { return kind_of_name(name); };
  for (const std::string_view name :
       {"password", "db_passwd2", "myPassphrase", "clientSecret", "APIkey", "AWS_SECRET_KEY",
        "x-presharedkey", "smtppass", "bindpw3", "db_pass", "MYSQL_PWD", "userCredentials",
        "a_very_long_name_of_a_setting_that_holds_the_password"}) {
    EXPECT_EQ(kind(name), name_kind::password) << name;
  }
  for (const std::string_view name : {"token", "accesstoken", "X-Vault-Token", "a.b.c.d.token"}) {
    EXPECT_EQ(kind(name), name_kind::token) << name;
  }
  for (const std::string_view name :
       {"secretary", "tokenizer", "tokenless", "passwordless", "secretsmanager", "oldpwd", "passer",
        "test_pass", "passWorn", "password_file", "max_tokens", "monkey", "pwdx", "sha", "k"}) {
    EXPECT_EQ(kind(name), name_kind::harmless) << name;
  }
  EXPECT_EQ(kind("tokens"), name_kind::vague);
  EXPECT_EQ(kind("signature"), name_kind::vague);
  EXPECT_EQ(kind("PHPSESSID"), name_kind::session);
  EXPECT_EQ(kind("pass"), name_kind::pass);
  EXPECT_EQ(kind("pwd"), name_kind::pwd);
}

/// Names that differ in one byte are different ones, wherever it is, also for what is remembered.
TEST(RUN13_redact_looks, no_name_is_taken_for_another) {
  for (std::size_t size = 5; size < 40; ++size) {
    for (std::size_t at = 0; at + 5 <= size; ++at) {
      std::string name(size, '_');
      name.replace(at, 5, "token");
      EXPECT_EQ(kind_of_name(name), name_kind::token) << name;
      name[at + 2] = 'q';
      EXPECT_EQ(kind_of_name(name), name_kind::harmless) << name;
    }
  }
}

/// As many columns as are looked at, and one more.
TEST(RUN13_redact_looks, a_statement_of_many_columns_is_read_to_its_end) {
  for (const int columns : {23, 24, 25, 40}) {
    std::string names = "password";
    std::string values = "'hunter2'";
    for (int i = 1; i < columns; ++i) {
      names += ",c";
      values += ",'v'";
    }
    const auto text = "insert into t (" + names + ") values (" + values + ")";
    const auto out = redactor().redact(text);
    EXPECT_EQ(out.find("hunter2") == out.npos, columns <= 24) << columns << " " << out;
    EXPECT_TRUE(out.ends_with(",'v')")) << out;
  }
}
