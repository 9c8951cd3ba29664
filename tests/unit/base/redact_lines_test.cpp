// RUN13: a name on one line and its value on another belong together.
#include "base/redact.hpp"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

namespace {

/// Redacted, every marker as '#'.
std::string shown_lines(std::string_view text) {
  static const reeve::redactor rules;
  auto out = rules.redact(text);
  for (auto at = out.find("[redacted:"); at != out.npos; at = out.find("[redacted:", at)) {
    out.replace(at, out.find(']', at) + 1 - at, "#");
  }
  return out;
}

}  // namespace

TEST(RUN13_redact_lines, a_value_below_its_name_is_hidden) {
  EXPECT_EQ(shown_lines("- name: DB_PASSWORD\n  value: fake1\n- name: A\n  value: b\n"),
            "- name: DB_PASSWORD\n  value: #\n- name: A\n  value: b\n");
  EXPECT_EQ(shown_lines("{\n \"name\": \"API_TOKEN\",\n \"type\": \"x\",\n \"value\": \"fake\"\n}"),
            "{\n \"name\": \"API_TOKEN\",\n \"type\": \"x\",\n \"value\": \"#\"\n}");
  EXPECT_EQ(shown_lines("<name>fs.secret.key</name>\n<value>fake1</value>"),
            "<name>fs.secret.key</name>\n<value>#</value>");
  EXPECT_EQ(shown_lines("<key>Password</key>\n  <string>fake</string>"),
            "<key>Password</key>\n  <string>#</string>");
  for (const auto* text :
       {"- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      name: db\n      key: "
        "password\n",
        "name: password\nvalue: ${X}\n", "- name: DB_PASSWORD\n- name: B\n  value: c\n",
        "name: token\nother text\nvalue: word\n"}) {
    EXPECT_EQ(shown_lines(text), text);
  }
}

TEST(RUN13_redact_lines, lists_and_objects_below_their_name_are_hidden) {
  EXPECT_EQ(shown_lines("passwords:\n  - fake\n  - 'two fakes'\nusers:\n  - bob\n"),
            "passwords:\n  - #\n  - '#'\nusers:\n  - bob\n");
  EXPECT_EQ(shown_lines("passwords:\n- fake\nusers:\n- bob\n"), "passwords:\n- #\nusers:\n- bob\n");
  EXPECT_EQ(
      shown_lines("\"password\": {\n  \"value\": \"fake\",\n  \"type\": \"x\"\n},\n\"a\": \"b\""),
      "\"password\": {\n  \"value\": \"#\",\n  \"type\": \"x\"\n},\n\"a\": \"b\"");
  for (const auto* text : {"secrets:\n  - db_password\n  - name: default-token-8x7kq\n",
                           "secrets:\n  db:\n    file: ./db.txt\n    external: true\n",
                           "\"password\": {\n  \"type\": \"string\",\n  \"minLength\": 8,\n"
                           "  \"description\": \"The password of the user\"\n}",
                           "\"password\": [\n  \"is too short\"\n]", "Password:\nLogin incorrect\n",
                           "password:\nfake fake\n"}) {
    EXPECT_EQ(shown_lines(text), text);
  }
}

TEST(RUN13_redact_lines, netrc_files_and_forms_are_hidden) {
  EXPECT_EQ(shown_lines("machine h\n  login bob\n  password fake\n"),
            "machine h\n  login bob\n  password #\n");
  EXPECT_EQ(
      shown_lines("Content-Disposition: form-data; name=\"password\"\r\n\r\nfake word\r\n--x"),
      "Content-Disposition: form-data; name=\"password\"\r\n\r\n#\r\n--x");
  for (const auto* text :
       {"machine is up\npassword reset\n", "machine learning\nnews\npassword reset\n",
        "Content-Disposition: form-data; name=\"file\"\n\nfake\n"}) {
    EXPECT_EQ(shown_lines(text), text);
  }
}

TEST(RUN13_redact_lines, cuts_of_the_input_do_not_matter) {
  const std::string text =
      "passwords:\n  - fake\n- name: TOKEN\n  value: fake1\nmachine h\npassword f\n";
  const reeve::redactor rules;
  reeve::redacting_stream stream(rules);
  std::string out;
  for (const char c : text) out += stream.write(std::string_view(&c, 1));
  EXPECT_EQ(out + stream.finish(), rules.redact(text));
}

// The limit of a line's window cuts no value in two.
TEST(RUN13_redact_lines, a_secret_across_the_limit_of_a_line_is_hidden) {
  const reeve::redactor rules;
  for (const std::size_t before : {65'400U, 65'500U, 65'530U, 131'000U}) {
    for (const std::size_t size : {40U, 5'000U, 200'000U}) {
      const auto secret = std::string(size, 'F') + "ake1";
      const std::string name = std::string(before, '.') + " password=";
      const auto out = rules.redact(name + secret + " end");
      EXPECT_EQ(out.find("FFFF"), out.npos) << before << " " << size;
      EXPECT_EQ(out.find("ake1"), out.npos) << before << " " << size;
      EXPECT_TRUE(out.ends_with(" end")) << before << " " << size;
    }
  }
}
