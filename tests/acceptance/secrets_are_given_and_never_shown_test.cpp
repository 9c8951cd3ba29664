// Named secrets: a job gets them, and nobody else ever does. A value is then in no table, event,
// answer, log, export or list of processes, in no form; what a job says of it is hidden, also after
// the secret was changed and the server died; and what is deleted is gone.

#include "tests/support/engine.hpp"
#include "tests/support/search.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using nlohmann::json;
using support::job_named;
using support::must_get;
using support::server;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

namespace {

/// Each piece is unlike any word.
const std::string value = "Zqx7/kLm+9.Yfp3-Wrn8_Vqz5~Hjt2=Bdk6!Xvb4,Pwm1;Rcs0:Tgn9";
const std::string second = "Kfw8+Lrd3/Nbx6-Qhz1.Svc9_Jmp4~Dty7=Gkb2!Fws5,Mnx0;Cpl8";
/// What may be shown, so that the search is known to find something.
const std::string shown_text = "Qjk2-may-stand-in-a-label Xvb4";

json put(const support::api_client& api, const std::string& name, const std::string& text) {
  const auto answer = api.put("/api/secrets/" + name, {{"value", text}});
  EXPECT_EQ(answer.status, 200) << answer.body;
  return answer.json();
}

json env_of(const std::string& secret) {
  return json{{"env", json{{"DB_PASSWORD", json{{"secret", secret}}},
                           {"EMPTY_PASSWORD", json{{"plain", "yes"}}}}}};
}

support::server_options on_the_engine() {
  support::server_options options;
  options.docker = support::real_engine();
  return options;
}

json payload_of(const support::api_client& api, const std::string& run, const std::string& type) {
  const json all = must_get(api, "/api/events?limit=100&stream=run-" + run);
  for (const json& event : all.at("results")) {
    if (event.at("type") == type) return event.at("payload");
  }
  throw std::runtime_error("there is no " + type + ": " + all.dump(1));
}

json check_named(const server& reeve, const std::string& name) {
  const auto told = reeve.command({"doctor", "--json"});
  const json report = json::parse(told.output, nullptr, false);
  if (report.is_discarded()) return {{"verdict", told.output}};
  for (const json& one : report.at("checks")) {
    if (one.at("name") == name) return one;
  }
  return {{"verdict", "not looked at"}};
}

}  // namespace

TEST(P15_secrets, are_given_to_a_job_and_are_then_nowhere) {
  REEVE_TEST_TIME_LIMIT(120);
  server reeve(on_the_engine());
  const auto api = reeve.api();
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(api));
  support::allow_image(api);
  const auto traces = support::traces_of(value);
  const std::string before = support::contents_of(support::cluster_log());
  const json made = put(api, "db", value);
  EXPECT_EQ(made.at("version"), 1);
  EXPECT_THAT(support::found_in(made.dump(), traces), IsEmpty());

  json body = support::inline_launch({support::shell_task(
      "say",
      "echo \"it is $DB_PASSWORD\"; printf '%s' \"$DB_PASSWORD\" | base64 | tr -d '\\n'; echo; "
      "printf 'x%s' \"$DB_PASSWORD\" | base64 | tr -d '\\n'; echo; ls -ln /reeve/secrets; cat "
      "/reeve/secrets/db; echo; "
      "echo \"plain $EMPTY_PASSWORD\"; "
      "test \"$(cat /reeve/secrets/db)\" = \"$DB_PASSWORD\" && echo they are the same",
      env_of("db"))});
  body["labels"] = {{"note", shown_text}};
  const json launched = support::launch(api, body);
  const json run = support::await_run(api, launched.at("id"));
  EXPECT_EQ(run.at("status"), "success") << run.dump(1);
  const std::string log = support::log_of(api, job_named(run, "say").at("id"));
  EXPECT_THAT(log, HasSubstr("it is [redacted:db]\n"));
  EXPECT_THAT(log, HasSubstr("plain yes\n"));
  EXPECT_THAT(log, HasSubstr("they are the same\n"));
  EXPECT_THAT(log, HasSubstr("-r--------"));
  EXPECT_THAT(support::found_in(log, traces), IsEmpty()) << log;
  EXPECT_EQ(payload_of(api, run.at("id"), "attempt_intended").at("secrets"),
            json::array({json{{"name", "db"}, {"version", 1}}}));
  EXPECT_EQ(run.at("directive_snapshot").at("tasks").at(0).at("params").at("env"),
            env_of("db").at("env"));

  // Nowhere in the database, but for what may be kept.
  auto database = reeve.database();
  EXPECT_EQ(database.number("SELECT count(*) FROM reeve.secret_values"), 1);
  EXPECT_THAT(support::columns_with(database, traces), IsEmpty());
  EXPECT_THAT(support::columns_with(database, support::traces_of(shown_text)), Not(IsEmpty()));
  for (const std::string target : {"/api/events?limit=500", "/metrics", "/api/secrets",
                                   "/api/secrets/db", "/api/runs", "/api/jobs", "/api/agents"}) {
    EXPECT_THAT(support::found_in(api.get(target).body, traces), IsEmpty()) << target;
  }
  const auto exported = reeve.command({"export"});
  EXPECT_EQ(exported.status, 0);
  EXPECT_THAT(exported.output, HasSubstr("secret_put"));
  EXPECT_THAT(support::found_in(exported.output, traces), IsEmpty());
  EXPECT_EQ(reeve.stop(), 0);
  EXPECT_THAT(support::found_in(reeve.whole_log(), traces), IsEmpty());
  const std::string postgres = support::contents_of(support::cluster_log()).substr(before.size());
  EXPECT_THAT(support::found_in(postgres, traces), IsEmpty());
}

/// The control of the search above: a value that is not sealed is found there.
TEST(P15_secrets, would_be_found_if_they_lay_open) {
  server reeve;
  put(reeve.api(), "db", value);
  auto database = reeve.database();
  const auto traces = support::traces_of(value);
  EXPECT_THAT(support::columns_with(database, traces), IsEmpty());
  database.query("UPDATE reeve.secret_values SET sealed = convert_to($1, 'UTF8')", {value});
  EXPECT_THAT(support::columns_with(database, traces),
              testing::ElementsAre("reeve.secret_values.sealed"));
}

TEST(ACC4_secrets, of_a_job_that_runs_stay_its_own_and_are_hidden_after_a_crash) {
  REEVE_TEST_TIME_LIMIT(120);
  server reeve(on_the_engine());
  auto api = reeve.api();
  const support::engine_cleanup cleanup(support::engine(),
                                        "reeve.tenant=" + support::tenant_of(api));
  support::allow_image(api);
  put(api, "kept", value);
  put(api, "deleted", second);
  const auto say = [](const std::string& secret) {
    return support::shell_task(
        secret, "trap 'echo \"it is $DB_PASSWORD\"; exit 0' USR1; echo ready; sleep 600 & wait",
        env_of(secret));
  };
  const json run =
      support::launch(api, support::inline_launch({say("kept"), say("deleted")})).at("id");
  for (const char* name : {"kept", "deleted"}) {
    const json job = job_named(must_get(api, "/api/runs/" + run.get<std::string>()), name);
    auto output = api.events("/api/jobs/" + job.at("id").get<std::string>() + "/logs/stream");
    const auto line = output.next(20s * support::time_factor());
    ASSERT_TRUE(line);
    EXPECT_THAT(line->data, HasSubstr("ready"));
  }
  put(api, "kept", "another value altogether");
  EXPECT_EQ(api.remove("/api/secrets/deleted").status, 200);
  reeve.crash_and_restart();
  api = reeve.api();
  const json left = must_get(api, "/api/runs/" + run.get<std::string>());
  for (const json& job : left.at("jobs")) {
    const std::string container = job.at("attempts").at(0).at("container_id");
    EXPECT_EQ(
        support::engine().call("POST", "/containers/" + container + "/kill?signal=USR1").status,
        204);
  }
  const json ended = support::await_run(api, run);
  EXPECT_EQ(ended.at("status"), "success") << ended.dump(1);
  const json kept = job_named(ended, "kept");
  EXPECT_THAT(support::log_of(api, kept.at("id")), HasSubstr("it is [redacted:kept]"));
  // What cannot be searched for its secret any more is not kept, and says so.
  const json deleted = job_named(ended, "deleted").at("attempts").at(0);
  EXPECT_TRUE(deleted.at("log").is_null()) << deleted;
  EXPECT_EQ(deleted.at("log_incomplete"), true);
  auto database = reeve.database();
  EXPECT_THAT(support::columns_with(database, support::traces_of(value)), IsEmpty());
  EXPECT_THAT(support::columns_with(database, support::traces_of(second)), IsEmpty());
}

TEST(ACC4_secrets, that_are_deleted_are_gone_and_refuse_what_names_them) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  const auto launch = [&] {
    return api.post("/api/runs/launch",
                    support::inline_launch({support::box_task("a", {"true"}, env_of("db"))}));
  };
  const auto missing = launch();
  EXPECT_EQ(missing.status, 422) << missing.body;
  EXPECT_EQ(support::pointer_of(missing), "/directive/tasks/0/params/env/DB_PASSWORD/secret");
  put(api, "db", value);
  put(api, "db", second);
  EXPECT_EQ(launch().status, 201);
  auto database = reeve.database();
  EXPECT_EQ(database.number("SELECT count(*) FROM reeve.secret_values"), 2);
  const auto gone = api.remove("/api/secrets/db");
  EXPECT_EQ(gone.status, 200) << gone.body;
  EXPECT_EQ(gone.json().at("is_active"), false);
  EXPECT_EQ(database.number("SELECT count(*) FROM reeve.secret_values"), 0);
  EXPECT_EQ(launch().status, 422);
  EXPECT_EQ(put(api, "db", value).at("version"), 3);
  EXPECT_EQ(reeve.command({"rebuild", "secrets"}).status, 0);
  EXPECT_EQ(database.number("SELECT count(*) FROM reeve.secret_values"), 1)
      << "no read model holds it";
  EXPECT_EQ(launch().status, 201);
}

TEST(ACC4_env, with_a_literal_under_a_name_that_says_secret_is_refused) {
  server reeve;
  const auto api = reeve.api();
  support::allow_image(api);
  const auto refused =
      api.post("/api/runs/launch", support::inline_launch({support::box_task(
                                       "a", {"true"}, json{{"env", json{{"API_KEY", value}}}})}));
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(support::pointer_of(refused), "/directive/tasks/0/params/env/API_KEY");
  EXPECT_THAT(refused.body, HasSubstr("/api/secrets/"));
  EXPECT_THAT(support::found_in(refused.body, support::traces_of(value)), IsEmpty());
  auto database = reeve.database();
  EXPECT_THAT(support::columns_with(database, support::traces_of(value)), IsEmpty());
}

TEST(ACC4_secrets, whose_key_is_lost_are_told_and_can_be_put_anew) {
  server reeve;
  put(reeve.api(), "db", value);
  EXPECT_EQ(check_named(reeve, "secrets").at("verdict"), "ok");
  const auto key = reeve.data() / "secrets.key";
  const auto mode = std::filesystem::status(key).permissions() & std::filesystem::perms::mask;
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(reeve.stop(), 0);
  std::filesystem::remove(key);
  reeve.start();
  const auto api = reeve.api();
  const json told = check_named(reeve, "secrets");
  EXPECT_EQ(told.at("verdict"), "fail") << told;
  EXPECT_THAT(told.at("seen"), HasSubstr("secrets.key"));
  const auto refused = api.put("/api/secrets/other", {{"value", second}});
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("reeve doctor"));
  EXPECT_THAT(refused.body, Not(HasSubstr(reeve.data().string())));
  EXPECT_FALSE(std::filesystem::exists(key)) << "another key would hide the loss";
  EXPECT_EQ(api.remove("/api/secrets/db").status, 200);
  EXPECT_EQ(put(api, "db", value).at("version"), 2);
  EXPECT_EQ(check_named(reeve, "secrets").at("verdict"), "ok");
}

TEST(ACC4_cli, keeps_a_secret_from_a_file) {
  server reeve;
  const support::scratch_dir folder(support::work_dir(), "f");
  const auto file = folder.path() / "value";
  std::ofstream(file) << value << "\n";
  std::filesystem::permissions(file, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  const auto kept = reeve.command({"secrets", "put", "db", "--file", file.string()});
  EXPECT_EQ(kept.status, 0) << kept.output;
  EXPECT_THAT(support::found_in(kept.output, support::traces_of(value)), IsEmpty());
  // Without its line end: the same value is no new version.
  EXPECT_EQ(put(reeve.api(), "db", value).at("version"), 1);
  EXPECT_THAT(reeve.command({"secrets", "list"}).output, HasSubstr("db"));
  EXPECT_EQ(reeve.command({"secrets", "delete", "db"}).status, 0);
  EXPECT_THAT(reeve.command({"secrets", "list", "--active"}).output, Not(HasSubstr("db")));
}

TEST(P17_secrets, of_another_tenant_are_absent) {
  server reeve;
  put(reeve.api(), "db", value);
  const auto others = reeve.system_api();
  EXPECT_EQ(others.get("/api/secrets/db").status, 404);
  EXPECT_EQ(others.remove("/api/secrets/db").status, 404);
  EXPECT_THAT(others.get("/api/secrets").body, Not(HasSubstr("\"db\"")));
  const auto viewer = reeve.api().as(support::new_token(reeve.api(), "viewer"));
  EXPECT_EQ(viewer.get("/api/secrets/db").status, 403);
  const auto worker = reeve.api().as(support::new_token(reeve.api(), "operator"));
  EXPECT_EQ(worker.get("/api/secrets/db").status, 200);
  EXPECT_EQ(worker.put("/api/secrets/db", {{"value", second}}).status, 403);
}
