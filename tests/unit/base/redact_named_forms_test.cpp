// RUN13: a named secret as shells, markup and dumps of bytes write it.

#include "base/redact_named.hpp"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

namespace {

reeve::redactor hiding_named(std::vector<reeve::named_secret> secrets) {
  return reeve::redactor::make(std::move(secrets), false).value();
}

}  // namespace

TEST(RUN13_redact_named, in_hexadecimal_digits) {
  const auto rules = hiding_named({{"s", "hunter2\xFF!"}});
  EXPECT_EQ(rules.redact("0x68756e74657232ff21;"), "0x[redacted:s];");
  EXPECT_EQ(rules.redact("a0a68756E74657232FF2100"), "a0a[redacted:s]00");
}

TEST(RUN13_redact_named, as_shells_quote_it) {
  const auto rules =
      hiding_named({{"s", "it's a''secret"}, {"e", "ends with it'"}, {"l", "two\nlines\\'s \x01"}});
  for (const std::string form : {R"(it'\''s a'\'''\''secret)", R"(it'"'"'s a'"'"''"'"'secret)",
                                 R"(it'"'"'s a'"''"'secret)"}) {
    EXPECT_EQ(rules.redact("+ echo '" + form + "'"), "+ echo '[redacted:s]'") << form;
  }
  EXPECT_EQ(rules.redact(R"(+ echo 'ends with it'"'")"), R"(+ echo '[redacted:e])") << "dash";
  EXPECT_EQ(rules.redact(R"(+ echo 'ends with it'\''')"), R"(+ echo '[redacted:e]'')") << "bash";
  EXPECT_EQ(rules.redact(R"(+ echo $'two\nlines\\\'s \001')"), R"(+ echo $'[redacted:l]')");
}

TEST(RUN13_redact_named, with_entities) {
  const auto rules = hiding_named({{"s", "a<b>&\"c'd"}});
  for (const std::string form :
       {"a&lt;b>&amp;\"c'd", "a&lt;b&gt;&amp;\"c'd", "a&lt;b&gt;&amp;&quot;c'd",
        "a&lt;b&gt;&amp;&quot;c&apos;d", "a&lt;b&gt;&amp;&quot;c&#39;d",
        "a&lt;b&gt;&amp;&quot;c&#039;d", "a&lt;b&gt;&amp;&quot;c&#x27;d",
        "a&lt;b&gt;&amp;&#34;c&#39;d", "a&lt;b>&amp;&quot;c'd"}) {
    EXPECT_EQ(rules.redact("<v>" + form + "</v>"), "<v>[redacted:s]</v>") << form;
  }
}

TEST(RUN13_redact_named, in_base64_of_several_lines) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string secret, whole;
  for (unsigned i = 0; i < 44; ++i) {
    const unsigned letter = 'A' + i % 26;
    secret += {'s', static_cast<char>(letter), '7'};
    const unsigned bits = 's' << 16 | letter << 8 | '7';
    for (const int shift : {18, 12, 6, 0}) whole += alphabet[(bits >> shift) & 63];
  }
  const auto rules = hiding_named({{"s", secret}});
  for (const std::size_t columns : {std::size_t{64}, std::size_t{76}}) {
    std::string wrapped, prefixed, marks, ends;
    for (std::size_t at = 0; at < whole.size(); at += columns) {
      wrapped += whole.substr(at, columns) + "\n";
      prefixed += "app | " + whole.substr(at, columns) + "\n";
      marks += "app | [redacted:s]\n";
      ends += "\n";
    }
    EXPECT_EQ(rules.redact("x\n" + wrapped + "y"), "x\n[redacted:s]" + ends + "y") << columns;
    EXPECT_EQ(rules.redact(prefixed), marks) << columns;
  }
}

TEST(RUN13_redact_named, has_forms_that_fit_into_a_window) {
  for (const char c : {'\'', '"', '&', '<', '\x01', '\x7f', '\xff', 'a'}) {
    for (const auto& form : reeve::secret_forms(std::string(reeve::max_secret_bytes, c))) {
      EXPECT_LE(form.size(), 6 * reeve::max_secret_bytes) << static_cast<int>(c);
    }
  }
}
