// Variables of a container: text, what says that it is no secret, and secrets by name.

#include "codec/codec.hpp"
#include "domain/runs/task.hpp"
#include "tests/unit/domain/aggregate_steps.hpp"

namespace {

using namespace reeve;
using namespace reeve::domain;
using steps::accepted;

container_params box_with(env_map env) {
  container_params p;
  p.image = "localhost:1/box:1";
  p.env = std::move(env);
  return p;
}

outcome<done> checked(env_map env) {
  return check_params(box_with(std::move(env)), "/params");
}

std::string pointer_of(env_map env) {
  return steps::pointer_of(checked(std::move(env)));
}

TEST(ACC4_env, refuses_a_literal_under_a_name_that_says_secret) {
  for (const std::string name :
       {"PASSWORD", "DB_PASSWORD", "POSTGRES_PASSWORD", "GITHUB_TOKEN", "API_KEY", "apiKey",
        "AWS_SECRET_ACCESS_KEY", "CLIENT_SECRET", "MYSQL_ALLOW_EMPTY_PASSWORD", "PGPASSWORD"}) {
    const auto refused = checked({{name, "x"}});
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, errc::invalid);
    EXPECT_EQ(refused.error().field, "/params/env/" + name);
    EXPECT_NE(refused.error().detail.find("/api/secrets/"), std::string::npos);
    EXPECT_NE(refused.error().detail.find("{\"plain\":"), std::string::npos);
    EXPECT_EQ(refused.error().detail.find(name), std::string::npos);
    EXPECT_EQ(pointer_of({{name, plain_value{"yes"}}}), accepted) << name;
    EXPECT_EQ(pointer_of({{name, secret_ref{"db"}}}), accepted) << name;
    EXPECT_EQ(pointer_of({{name, ""}}), "/params/env/" + name) << "empty is a literal, too";
  }
}

TEST(ACC4_env, takes_literals_under_other_names) {
  for (const std::string name : {"STAGE", "PASSWORD_FILE", "TOKEN_TYPE", "MAX_TOKENS", "PWD",
                                 "KEYBOARD", "SECRET_NAME", "MONKEY"}) {
    EXPECT_EQ(pointer_of({{name, "x"}}), accepted) << name;
    EXPECT_EQ(pointer_of({{name, secret_ref{"db"}}}), accepted) << name;
  }
}

const std::string& known_token() {
  static const std::string text = "ghp_" + std::string("0123456789abcdefghijABCDEFGHIJ012345");
  return text;
}

TEST(ACC4_env, refuses_a_literal_that_says_itself_that_it_is_a_secret) {
  const std::string key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----";
  for (const auto& value :
       {std::string("postgres://u:pw12345@h/db"), known_token(), "a " + known_token() + "\nb",
        "https://" + known_token() + "@github.com/a/b", std::string("redis://:pw12345@h:6379/0"),
        std::string("u:pw12345@tcp(db:3306)/shop"), key, "x\n" + key,
        std::string("https://hooks.slack.com/services/T000/B000/abcdef"),
        std::string("AKIA0123456789ABCDEF")}) {
    const auto refused = checked({{"DATABASE_URL", value}});
    ASSERT_FALSE(refused) << value;
    EXPECT_EQ(refused.error().code, errc::invalid);
    EXPECT_EQ(refused.error().field, "/params/env/DATABASE_URL");
    EXPECT_NE(refused.error().detail.find("/api/secrets/"), std::string::npos);
    EXPECT_NE(refused.error().detail.find("{\"plain\":"), std::string::npos);
    EXPECT_EQ(refused.error().detail.find("pw12345"), std::string::npos);
    EXPECT_EQ(pointer_of({{"DATABASE_URL", plain_value{value}}}), accepted) << value;
  }
}

TEST(ACC4_env, takes_literals_that_only_look_random) {
  for (const std::string value :
       {"",
        "0f8fad5b-d9cb-469f-a165-70867728950e",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "localhost:1/box@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "9fceb02d0ae598e95dc970b74767f19372d61af8",
        "https://example.org:8443/a/b?x=1&y=a@b.c",
        "http://proxy:3128",
        "ssh://git@github.com/a/b.git",
        "postgres://reader@db:5432/shop",
        "postgres://u:${PASSWORD}@h/db",
        "https://3f2e9a1b4c5d6e7f8091a2b3c4d5e6f7@o1.example.org/4",
        "SGVsbG8sIHdvcmxkLCB0aGlzIGlzIG5vIHNlY3JldCBhdCBhbGwu",
        "eyJhIjoxLCJiIjoyfQ==",
        "pk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "sk-learn",
        "token=none",
        "password reset by mail",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "s.example.org",
        "a.b:c@d.e",
        "12:30@noon",
        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"}) {
    EXPECT_EQ(pointer_of({{"VALUE", value}}), accepted) << value;
  }
}

TEST(ACC4_env, limits_what_stands_in_either_form) {
  EXPECT_EQ(pointer_of({{"A", plain_value{std::string(8192, 'x')}}}), accepted);
  for (const std::string own : {"REEVE_LLM_URL", "REEVE_LLM_TOKEN"}) {
    EXPECT_EQ(pointer_of({{own, plain_value{"x"}}}), "/params/env/" + own);
    EXPECT_EQ(pointer_of({{own, secret_ref{"db"}}}), "/params/env/" + own);
  }
  EXPECT_EQ(pointer_of({{"A", plain_value{std::string(8193, 'x')}}}), "/params/env/A");
  EXPECT_EQ(pointer_of({{"A", plain_value{std::string(1, '\0')}}}), "/params/env/A");
  for (const std::string bad : {"", "a b", "../db", "-x"}) {
    EXPECT_EQ(pointer_of({{"A", secret_ref{bad}}}), "/params/env/A/secret") << bad;
  }
  const std::string half(8190, 'x');
  EXPECT_EQ(pointer_of({{"A", plain_value{half}}, {"B", half}, {"C", plain_value{half}}}),
            "/params/env");
  env_map many;
  for (std::size_t i = 0; i < max_task_secrets; ++i) {
    many["A" + std::to_string(i)] = secret_ref{"s" + std::to_string(i)};
  }
  many["B"] = secret_ref{"s1"};
  EXPECT_EQ(pointer_of(many), accepted) << "the same one twice is one";
  many["C"] = secret_ref{"more"};
  EXPECT_EQ(pointer_of(many), "/params/env");
}

TEST(ACC4_env, names_each_secret_once) {
  const task_params params = box_with(
      {{"A", secret_ref{"z"}}, {"B", "x"}, {"C", secret_ref{"db"}}, {"D", secret_ref{"z"}}});
  EXPECT_EQ(secrets_of(params), (std::vector<std::string>{"z", "db"}));
  EXPECT_TRUE(secrets_of(container_params{}).empty());
  EXPECT_TRUE(secrets_of(log_triage_params{}).empty());
}

TEST(ACC4_env, keeps_its_form_in_a_snapshot_and_text_its_bytes) {
  const auto p = box_with({{"A", "x"}, {"B", plain_value{"y"}}, {"C", secret_ref{"db"}}});
  const std::string text =
      R"({"env":{"A":"x","B":{"plain":"y"},"C":{"secret":"db"}},"image":"localhost:1/box:1"})";
  EXPECT_EQ(codec::encode(p), text);
  EXPECT_EQ(codec::decode_text<container_params>(text).value(), p);
  const auto wrong = codec::decode_text<container_params>(R"({"env":{"A":{"vault":"db"}}})");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().field, "/env/A");
}

}  // namespace
