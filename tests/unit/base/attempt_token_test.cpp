#include "base/attempt_token.hpp"

#include "base/redact.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace reeve;

attempt_name some_attempt() {
  attempt_name whose;
  whose.tenant.bytes.fill(1);
  whose.run.bytes.fill(2);
  whose.job.bytes.fill(0xff);
  whose.number = 3;
  return whose;
}

}  // namespace

TEST(LLM4_attempt_token, names_its_attempt_and_is_always_the_same) {
  const auto key = sealing_key::generate();
  const auto token = attempt_token(key, some_attempt());
  EXPECT_EQ(token.size(), attempt_token_bytes);
  EXPECT_TRUE(token.starts_with("rva_"));
  EXPECT_EQ(attempt_token(key, some_attempt()), token);
  EXPECT_EQ(attempt_of(key, token), some_attempt());
  auto next = some_attempt();
  next.number = UINT32_MAX;
  EXPECT_NE(attempt_token(key, next), token);
  EXPECT_EQ(attempt_of(key, attempt_token(key, next)), next);
}

TEST(LLM4_attempt_token, of_another_key_or_changed_anywhere_names_nobody) {
  const auto key = sealing_key::generate();
  const auto token = attempt_token(key, some_attempt());
  EXPECT_EQ(attempt_of(sealing_key::generate(), token), std::nullopt);
  for (std::size_t i = 0; i < token.size(); ++i) {
    for (const char c : {'A', 'b', '7', '-', '_', '=', '+', '/', ' ', '\0'}) {
      auto changed = token;
      if (changed[i] == c) continue;
      changed[i] = c;
      EXPECT_EQ(attempt_of(key, changed), std::nullopt) << i << c;
    }
  }
}

TEST(LLM4_attempt_token, has_one_spelling) {
  const auto key = sealing_key::generate();
  const auto token = attempt_token(key, some_attempt());
  for (const auto& other :
       {std::string(), std::string("rva_"), token.substr(0, token.size() - 1), token + "A",
        token + "=", token + "\n", " " + token, "RVA_" + token.substr(4), token.substr(4),
        "rv_" + token.substr(4), token + token}) {
    EXPECT_EQ(attempt_of(key, other), std::nullopt) << other;
  }
  // What only the key can make is still no attempt without a number.
  std::string bytes(52, '\1');
  bytes.replace(48, 4, 4, '\0');
  bytes.append(as_view(key.mark_of(bytes)));
  EXPECT_EQ(attempt_of(key, "rva_" + to_base64url(bytes)), std::nullopt);
}

TEST(P16_attempt_token, looks_like_a_secret_wherever_it_stands) {
  const auto token = attempt_token(sealing_key::generate(), some_attempt());
  for (const std::string before : {"", "token ", "x=", "\"", "http://h/?k="}) {
    const auto redacted = redactor().redact(before + token + " end");
    EXPECT_EQ(redacted.find(token.substr(10, 30)), redacted.npos) << redacted;
    EXPECT_TRUE(redacted.ends_with(" end")) << redacted;
  }
  EXPECT_EQ(redactor().redact("rva_short is a word"), "rva_short is a word");
}
