// RUN13: where a name says plainly that a secret follows, all of it is hidden and only that.
#include "base/redact.hpp"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

namespace {

/// Redacted, every marker as '#'.
std::string shown(std::string_view text) {
  static const reeve::redactor rules;
  auto out = rules.redact(text);
  for (auto at = out.find("[redacted:"); at != out.npos; at = out.find("[redacted:", at)) {
    out.replace(at, out.find(']', at) + 1 - at, "#");
  }
  return out;
}

}  // namespace

TEST(RUN13_redact_forms, authorization_of_any_scheme_is_hidden) {
  EXPECT_EQ(shown("Authorization: GoogleLogin auth=FakeFake12"), "Authorization: GoogleLogin #");
  EXPECT_EQ(shown("Authorization: Client-ID 546fa4efa4e"), "Authorization: Client-ID #");
  EXPECT_EQ(shown("-H 'Authorization: Splunkd fa4e0001' x"), "-H 'Authorization: Splunkd #' x");
  EXPECT_EQ(shown("Authorization: fakesecretword"), "Authorization: #");
  EXPECT_EQ(shown("{\"authorization\":\"fakesecretword\"}"), "{\"authorization\":\"#\"}");
  EXPECT_EQ(shown("Authorization: Custom fakesecretword"), "Authorization: Custom #");
  EXPECT_EQ(shown("authorization=fakesecretword user=bob"), "authorization=# user=bob");
  EXPECT_EQ(shown("Authorization: AWS4-HMAC-SHA256 Signature=fakefakefakefake"),
            "Authorization: AWS4-HMAC-SHA256 #");
  for (const auto* text :
       {"authorization: user not allowed", "Authorization: Bearer", "authorization: granted",
        "authorization: request abc12345 failed for bob", "authorization=disabled"}) {
    EXPECT_EQ(shown(text), text);
  }
}

TEST(RUN13_redact_forms, any_of_several_cookies_counts) {
  EXPECT_EQ(shown("Cookie: theme; sid=fake0000"), "Cookie: #");
  EXPECT_EQ(shown("Set-Cookie: flash=; sessionkey=fake0000"), "Set-Cookie: #");
  EXPECT_EQ(shown("Set-Cookie: flash=; Path=/"), "Set-Cookie: flash=; Path=/");
  EXPECT_EQ(shown("cookie: not found; id=5"), "cookie: not found; id=5");
}

TEST(RUN13_redact_forms, a_mark_behind_a_basic_pair_ends_it) {
  EXPECT_EQ(shown("sent Basic RmFrZTpGYWtlUHcx. Then"), "sent Basic #. Then");
  EXPECT_EQ(shown("basic authentication-failed"), "basic authentication-failed");
}

TEST(RUN13_redact_forms, numbered_names_and_odd_humps_are_names) {
  for (const auto* name : {"apiKey2", "api_key1", "access_key1", "accessKey2", "APIkey",
                           "password2", "client_secret3", "myAPIkey"}) {
    EXPECT_EQ(shown(std::string(name) + "=fake0000fake"), std::string(name) + "=#");
  }
  EXPECT_EQ(shown("db_password2: my pass phrase"), "db_password2: #");
  for (const auto* text : {"api_key1_count=5", "monkey1=banana", "turnkey2=abc"}) {
    EXPECT_EQ(shown(text), text);
  }
}

TEST(RUN13_redact_forms, what_stands_before_a_distant_value_is_read_too) {
  EXPECT_EQ(shown(R"({"name":"password","token":"fake0001fake","value":"fakefake"})"),
            R"({"name":"password","token":"#","value":"#"})");
  EXPECT_EQ(shown("htpasswd -b file token=fake0001fake bob fakefake"),
            "htpasswd -b file token=# bob #");
}

TEST(RUN13_redact_forms, keys_that_begin_as_paths_and_passwords_that_look_like_code) {
  EXPECT_EQ(shown("secret_access_key=/Jfake0FAKE/K7FAKEfakeFAKEfake"), "secret_access_key=#");
  EXPECT_EQ(shown("SECRET_KEY=/abc/fakFAK12345"), "SECRET_KEY=#");
  EXPECT_EQ(shown("password=Summer(2024)"), "password=#");
  EXPECT_EQ(shown("password=Secret[1]"), "password=#");
  EXPECT_EQ(shown("password=Winter{2024!"), "password=#");
  EXPECT_EQ(shown("DB_PASSWORD=Winter{2024 a"), "DB_PASSWORD=#");
  EXPECT_EQ(shown("password=my.secret"), "password=#");
  EXPECT_EQ(shown(std::string("key sk_") + "live_fakefakefakefakefakefake"), "key #");
  for (const auto* text : {"PASSWORD=/run/secrets/db", "password=getpass()", "password=argv[1]",
                           "f(password=creds.password, x)", "token=Token{a64 Record{1 u0}}"}) {
    EXPECT_EQ(shown(text), text);
  }
}

TEST(RUN13_redact_forms, sentences_may_be_passwords) {
  EXPECT_EQ(shown(R"("password": "the quick brown fake")"), R"("password": "#")");
  EXPECT_EQ(shown(R"({"password":"correct horse battery fake"})"), R"({"password":"#"})");
  EXPECT_EQ(shown(R"(passphrase="correct fake is battery")"), R"(passphrase="#")");
  for (const auto* text : {R"({"password":"must be given"})", R"({"password":"is not valid"})",
                           R"({"token":"not found for the user"})"}) {
    EXPECT_EQ(shown(text), text);
  }
}

TEST(RUN13_redact_forms, words_may_follow_a_password_that_is_told) {
  EXPECT_EQ(shown("Temporary password: fkQeFvAn (valid 24h)"), "Temporary password: # (valid 24h)");
  EXPECT_EQ(shown("Initial admin password: fakefake (change it)"),
            "Initial admin password: # (change it)");
  EXPECT_EQ(shown("Using token: FaKeFaKeFaKeFaKe for user bob"), "Using token: # for user bob");
  for (const auto* text : {"wrong password: JavaScript (see log)", "password: incorrect (bob)",
                           "failed to refresh token: connection refused"}) {
    EXPECT_EQ(shown(text), text);
  }
}

TEST(RUN13_redact_forms, names_that_only_end_harmlessly_hide_what_looks_made_up) {
  for (const auto* name : {"SECRET_CLIENT", "AUTH_TOKEN_CLIENT", "TOKEN_USER", "PASSWORD_SERVICE",
                           "GITHUB_TOKEN_STATE", "USE_SECRET", "SKIP_TOKEN", "x.secret.env"}) {
    EXPECT_EQ(shown(std::string(name) + "=fake0001"), std::string(name) + "=#");
    EXPECT_EQ(shown(std::string(name) + "=true"), std::string(name) + "=true");
    EXPECT_FALSE(reeve::names_a_secret(name));
  }
}

TEST(RUN13_redact_forms, neither_a_digest_nor_a_marker_hides_a_password) {
  EXPECT_EQ(shown("https://bob:FakePw1@sha256.example.com/x"),
            "https://bob:#@sha256.example.com/x");
  const std::string image = "docker://h.example/a:1@sha256:0011";
  EXPECT_EQ(shown(image), image);
  EXPECT_EQ(reeve::redactor().redact("[redacted:password=fake0001x").find("fake0001x"),
            std::string::npos);
}

TEST(RUN13_redact_forms, a_property_takes_its_line) {
  EXPECT_EQ(shown("spring.mail.password=two words"), "spring.mail.password=#");
  EXPECT_EQ(shown("password=fakefake for bob"), "password=# for bob");
  EXPECT_EQ(shown("self.password=getpass()"), "self.password=getpass()");
}

TEST(RUN13_redact_forms, a_password_is_no_version_and_no_drive) {
  EXPECT_EQ(shown("password=10.20.30"), "password=#");
  EXPECT_EQ(shown(R"({"password":"C:/fake2"})"), R"({"password":"#"})");
  for (const auto* text : {"password: 10.20.30", "password=/run/secrets/db", "password=./file"}) {
    EXPECT_EQ(shown(text), text);
  }
}

TEST(RUN13_redact_forms, values_that_are_words_of_a_manual_are_hidden_in_commands) {
  EXPECT_EQ(shown("login --password password"), "login --password #");
  EXPECT_EQ(shown("x --password secret --user bob"), "x --password # --user bob");
  EXPECT_EQ(shown("deploy --token file"), "deploy --token #");
  for (const auto* text :
       {"  -p, --password string   Password", "      --token file    reads the token from a file",
        "usage: x [--password password] [--token token]", "use --password to give one, or --token",
        "See --password.", "the --password options are not for scripts"}) {
    EXPECT_EQ(shown(text), text);
  }
}

TEST(RUN13_redact_forms, bare_runs_are_values_where_the_name_is_vague) {
  EXPECT_EQ(shown("session_id=1234567890123456"), "session_id=#");
  EXPECT_EQ(shown("sessionid=fakefakefake"), "sessionid=#");
  EXPECT_EQ(shown("signature=fakefakefake"), "signature=#");
  EXPECT_EQ(shown("token: 12345"), "token: #");
  for (const auto* text :
       {"session_id: 12345", "sessionid: 0x14ed93111f20027", "signature=verified",
        "print_info: BOS token        = 128000 '<|begin|>'", "etag sig: 1a2b3c4d5e6f7a8b9c0d"}) {
    EXPECT_EQ(shown(text), text);
  }
}

TEST(RUN13_redact_forms, values_that_look_like_something_else_are_hidden) {
  EXPECT_EQ(shown(R"({"secret":"/var/x/y123"})"), R"({"secret":"#"})");
  EXPECT_EQ(shown("password=$ECRET123"), "password=#");
  EXPECT_EQ(shown("https://u:$PASSWORD1@h"), "https://u:#@h");
  EXPECT_EQ(shown("https://u:disabled@h/x"), "https://u:#@h/x");
  EXPECT_EQ(shown("password=***fake"), "password=#");
  EXPECT_EQ(shown("password=(fakefake)"), "password=#");
  EXPECT_EQ(shown("Uid=u;Password=a fake 1;Database=x"), "Uid=u;Password=#;Database=x");
  EXPECT_EQ(shown("UID=u;PWD={fa;ke};x=y"), "UID=u;PWD={#};x=y");
  for (const auto* text :
       {R"({"secret":"/run/secrets/y123"})", "password=$DB_PASSWORD", "https://u:$PASSWORD@h",
        "password=********1234", "password=***", "password = (sensitive value)",
        "image s.ABCDEFGHIJKLMNOPQRSTUVWX", "GET /s.abcdefghijklMNOPqrstuvwX", "PASS=build-7",
        "pass: ubuntu-22.04", "f(user=user, password=password, x)", "def f(token: str = None):"}) {
    EXPECT_EQ(shown(text), text);
  }
}

TEST(RUN13_redact_forms, colours_and_escapes_belong_to_no_name_and_no_value) {
  EXPECT_EQ(shown("\x1b[36mtoken\x1b[0m=\x1b[32mfake1\x1b[0m ok"),
            "\x1b[36mtoken\x1b[0m=\x1b[32m#\x1b[0m ok");
  EXPECT_EQ(shown("\x1b[1;31mapi_key\x1b[0m=fake1 x"), "\x1b[1;31mapi_key\x1b[0m=# x");
  EXPECT_EQ(shown("a\\u0026sig=FAKEfake0000FAKEfake"), "a\\u0026sig=#");
  EXPECT_EQ(shown("x%26sig%3DFAKEfake0000FAKEfake%26y"), "x%26sig%3D#%26y");
}

TEST(RUN13_redact_forms, what_is_fed_to_programs_is_hidden) {
  EXPECT_EQ(shown("echo fake | docker login -u u --password-stdin r"),
            "echo # | docker login -u u --password-stdin r");
  EXPECT_EQ(shown("echo 'root:fake' | chpasswd"), "echo 'root:#' | chpasswd");
  EXPECT_EQ(shown("kinit bob <<< fake"), "kinit bob <<< #");
  EXPECT_EQ(shown("curl -sSLu bob:fake https://h"), "curl -sSLu bob:# https://h");
  EXPECT_EQ(shown("INSERT INTO u (a, password) VALUES ('x', 'fake')"),
            "INSERT INTO u (a, password) VALUES ('x', '#')");
  for (const auto* text : {"echo \"$X\" | docker login --password-stdin", "<<<<<<< HEAD login",
                           "INSERT INTO u (a, password) VALUES ($1, $2)"}) {
    EXPECT_EQ(shown(text), text);
  }
}
