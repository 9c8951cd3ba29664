// A token is shown once and kept nowhere, does what its role may do, and ends with its revocation.

#include "tests/support/search.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

using nlohmann::json;
using support::must_get;
using support::must_post;
using support::nobody;
using support::server;

namespace {

struct write {
  const char* method;
  std::string target;
  json body;
};

/// Everything that changes something, with bodies that would do for an administrator.
std::vector<write> writes(const std::string& directive) {
  return {{"POST", "/api/runs/launch", {{"tasks", {"task2"}}}},
          {"POST", "/api/directives", {{"name", "d"}, {"tasks", {"task1"}}}},
          {"PUT", "/api/directives/" + directive, {{"name", "d"}, {"tasks", {"task1"}}}},
          {"POST", "/api/directives/" + directive + "/archive", json::object()},
          {"POST", "/api/allowlists/images", {{"reference", "a:1"}}},
          {"POST", "/api/allowlists/containers", {{"name", "a"}}},
          {"DELETE", std::string("/api/allowlists/images/") + nobody, nullptr},
          {"POST", "/api/tokens", {{"name", "t"}, {"role", "admin"}}},
          {"POST", std::string("/api/tokens/") + nobody + "/revoke", json::object()},
          {"PUT", "/api/secrets/db", {{"value", "long enough"}}},
          {"DELETE", "/api/secrets/db", nullptr},
          {"PUT", "/api/llm-budgets/b", {{"period", "day"}, {"most_tokens", 1}}},
          {"DELETE", "/api/llm-budgets/b", nullptr},
          {"POST", "/llm/v1/chat/completions", {{"model", "m"}, {"messages", json::array()}}},
          {"POST", "/llm/v1/completions", {{"model", "m"}, {"prompt", "x"}}},
          {"POST", "/llm/v1/embeddings", {{"model", "m"}, {"input", "x"}}},
          {"POST", std::string("/api/runs/") + nobody + "/cancel", json::object()},
          {"POST", std::string("/api/jobs/") + nobody + "/retry", json::object()},
          {"POST", std::string("/api/jobs/") + nobody + "/discard", json::object()},
          {"POST",
           std::string("/api/jobs/") + nobody + "/llm-calls",
           {{"model_name", "m"}, {"prompt_tokens", 1}, {"completion_tokens", 1}}}};
}

int status_of(const support::api_client& as, const write& what) {
  support::http_request request{what.method, what.target, {}, {}};
  if (!what.body.is_null()) request.body = what.body.dump();
  return as.call(request).status;
}

/// The secret part of "rv_<id>_<secret>".
std::string secret_of(const std::string& token) {
  return token.substr(token.find('_', 3) + 1);
}

}  // namespace

TEST(ACC1_bootstrap, token_lies_in_a_file_that_only_the_server_reads) {
  server reeve;
  struct stat info {};
  ASSERT_EQ(::stat((reeve.data() / "token").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  struct stat folder {};
  ASSERT_EQ(::stat(reeve.data().c_str(), &folder), 0);
  EXPECT_EQ(folder.st_mode & 0777, 0700U);
  EXPECT_EQ(must_get(reeve.api(), "/api/whoami").at("role"), "admin");
  const std::string token = reeve.token();
  reeve.crash_and_restart();
  EXPECT_EQ(reeve.token(), token);
  EXPECT_EQ(reeve.api().get("/api/whoami").status, 200);
}

TEST(ACC1_tokens, are_shown_once_and_stored_nowhere_in_clear) {
  server reeve;
  const auto api = reeve.api();
  const auto answer = api.post("/api/tokens", {{"name", "robot"}, {"role", "operator"}});
  ASSERT_EQ(answer.status, 201) << answer.body;
  const std::string text = answer.json().at("token");
  EXPECT_EQ(must_get(api.as(text), "/api/whoami").at("role"), "operator");
  const json all = must_get(api, "/api/tokens").at("results");
  ASSERT_EQ(all.size(), 2U);
  for (const json& one : all) EXPECT_FALSE(one.contains("token")) << one;
  const auto traces = support::traces_of(secret_of(text));
  const auto own = support::traces_of(secret_of(reeve.token()));
  ASSERT_GE(traces.size(), 7U);
  for (const char* place : {"/api/tokens", "/api/events?limit=500", "/metrics"}) {
    const auto body = api.get(place).body;
    EXPECT_TRUE(support::found_in(body, traces).empty()) << place;
    EXPECT_TRUE(support::found_in(body, own).empty()) << place;
  }
  auto database = reeve.database();
  EXPECT_THAT(support::columns_with(database, traces), testing::IsEmpty());
  EXPECT_THAT(support::columns_with(database, own), testing::IsEmpty());
  // The same search knows the token's name, which is no secret.
  EXPECT_THAT(support::columns_with(database, {"robot"}),
              testing::Contains("reeve_read.tokens.doc"));
  EXPECT_TRUE(support::found_in(reeve.whole_log(), traces).empty());
  EXPECT_TRUE(support::found_in(reeve.whole_log(), own).empty());
}

TEST(ACC1_roles, let_a_viewer_look_and_an_auditor_too) {
  server reeve;
  const auto api = reeve.api();
  const json all = must_get(api, "/api/directives").at("results");
  const std::string directive = all[0].at("id");
  auto database = reeve.database();
  const auto tenant = support::tenant_of(api);
  const auto looker = api.as(support::new_token(api, "viewer"));
  const auto auditor = api.as(support::new_token(reeve.system_api(), "auditor"));
  const auto node = api.as(support::new_token(api, "node"));
  const auto before = support::events_of(database, tenant);
  for (const auto& what : writes(directive)) {
    for (const auto& who : {looker, auditor, node}) {
      EXPECT_EQ(status_of(who, what), 403) << what.method << " " << what.target;
    }
    EXPECT_EQ(status_of(reeve.anonymous(), what), 401) << what.method << " " << what.target;
    EXPECT_EQ(status_of(api.as("rv_0_x"), what), 401);
  }
  EXPECT_EQ(support::events_of(database, tenant), before);
  for (const char* target : {"/api/runs", "/api/jobs", "/api/directives", "/api/allowlists/images",
                             "/api/events", "/api/engine", "/api/agents", "/api/whoami"}) {
    EXPECT_EQ(looker.get(target).status, 200) << target;
    EXPECT_EQ(node.get(target).status, 403) << target;
    EXPECT_EQ(reeve.anonymous().get(target).status, 401) << target;
  }
  EXPECT_EQ(looker.get("/api/tokens").status, 403);
}

TEST(ACC2_auditors, are_made_by_administrators_of_the_system_tenant_alone) {
  server reeve;
  const auto api = reeve.api();
  const auto system = reeve.system_api();
  struct stat info {};
  ASSERT_EQ(::stat((reeve.data() / "system-token").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  const json who = must_get(system, "/api/whoami");
  EXPECT_EQ(who.at("role"), "admin");
  EXPECT_EQ(who.at("tenant"), "00000000-0000-0000-0000-000000000000");
  // An administrator of another tenant would get sight of all of them.
  const auto refused = api.post("/api/tokens", {{"name", "spy"}, {"role", "auditor"}});
  EXPECT_EQ(refused.status, 403) << refused.body;
  EXPECT_EQ(support::pointer_of(refused), "/role");
  EXPECT_EQ(must_get(api, "/api/tokens").at("results").size(), 1U);
  const auto auditor = system.as(support::new_token(system, "auditor"));
  const std::string tenant = support::tenant_of(api);
  EXPECT_FALSE(must_get(auditor, "/api/events?tenant=" + tenant).at("results").empty());
  // The system's administrator is none of the other tenant, and it is none of his.
  EXPECT_EQ(system.get("/api/events?tenant=" + tenant).status, 404);
  for (const json& one : must_get(system, "/api/tokens").at("results")) {
    EXPECT_NE(one.at("id"), must_get(api, "/api/whoami").at("token_id"));
  }
  const std::string before = system.token();
  reeve.crash_and_restart();
  EXPECT_EQ(reeve.system_api().token(), before);
  EXPECT_EQ(reeve.command({"replay"}).status, 0);
}

TEST(ACC1_roles, let_an_operator_work_and_nothing_more) {
  server reeve;
  const auto api = reeve.api();
  const auto worker = api.as(support::new_token(api, "operator"));
  EXPECT_EQ(worker.post("/api/runs/launch", {{"tasks", {"task2"}}}).status, 201);
  EXPECT_EQ(worker.post("/api/directives", {{"name", "d"}, {"tasks", {"task1"}}}).status, 201);
  for (const char* target :
       {"/api/allowlists/images", "/api/allowlists/containers", "/api/tokens"}) {
    EXPECT_EQ(worker.post(target, json::object()).status, 403) << target;
  }
  EXPECT_EQ(api.post("/api/tokens", {{"name", "x"}, {"role", "king"}}).status, 422);
  EXPECT_EQ(api.post("/api/tokens", {{"name", "x y"}, {"role", "viewer"}}).status, 422);
}

TEST(ACC1_revocation, ends_a_token_at_once_and_for_ever) {
  server reeve;
  const auto api = reeve.api();
  const json made = must_post(api, "/api/tokens", {{"name", "short"}, {"role", "operator"}}, 201);
  const auto it = api.as(made.at("token"));
  support::http_connection kept(api.to());
  const auto call = [&] {
    return kept.call({"GET", "/api/whoami", {{"Authorization", "Bearer " + it.token()}}, {}})
        .status;
  };
  EXPECT_EQ(call(), 200);
  const std::string at = "/api/tokens/" + made.at("id").get<std::string>() + "/revoke";
  EXPECT_EQ(must_post(api, at, json::object(), 200).at("is_active"), false);
  // The very next request, also on a connection that was let in before.
  EXPECT_EQ(call(), 401);
  EXPECT_EQ(it.get("/api/runs").status, 401);
  EXPECT_EQ(api.post(at, json::object()).status, 200);
  reeve.crash_and_restart();
  EXPECT_EQ(reeve.api().as(made.at("token")).get("/api/runs").status, 401);
  // Somebody must be left who can make tokens.
  const json mine = must_get(reeve.api(), "/api/whoami");
  const auto last = reeve.api().post(
      "/api/tokens/" + mine.at("token_id").get<std::string>() + "/revoke", json::object());
  EXPECT_EQ(last.status, 409) << last.body;
  EXPECT_EQ(
      reeve.api().post(std::string("/api/tokens/") + nobody + "/revoke", json::object()).status,
      404);
}

TEST(ACC1_tokens, are_accepted_in_one_form_only) {
  server reeve;
  const std::string token = reeve.token();
  const auto status = [&](support::header_list headers, std::string target = "/api/whoami") {
    return support::http_call(reeve.address(), {"GET", std::move(target), std::move(headers), {}})
        .status;
  };
  EXPECT_EQ(status({{"Authorization", "Bearer " + token}}), 200);
  EXPECT_EQ(status({{"authorization", "bearer " + token}}), 200);
  for (const auto& wrong : {token, "Basic " + token, "Bearer" + token, "Bearer " + token + "x",
                            "Bearer " + token.substr(0, token.size() - 1), std::string("Bearer "),
                            "Bearer " + token + " x", "Token " + token}) {
    EXPECT_EQ(status({{"Authorization", wrong}}), 401) << wrong;
  }
  EXPECT_EQ(status({{"Cookie", "token=" + token}}), 401);
  EXPECT_EQ(status({{"X-Authorization", "Bearer " + token}}), 401);
  EXPECT_EQ(status({}, "/api/whoami?token=" + token), 401);
  const int twice = status({{"Authorization", "Bearer x"}, {"Authorization", "Bearer " + token}});
  EXPECT_TRUE(twice == 400 || twice == 401) << twice;
}

namespace {

std::string reset_token(const server& reeve, std::vector<std::string> options = {}) {
  std::vector<std::string> words{"token", "reset", "--json"};
  words.insert(words.end(), options.begin(), options.end());
  const auto told = reeve.command(std::move(words));
  EXPECT_EQ(told.status, 0) << told.output;
  // Behind it stands what the command says of the token.
  const json made = json::parse(told.output.substr(0, told.output.find('\n')), nullptr, false);
  return made.is_object() ? made.at("token").get<std::string>() : told.output;
}

}  // namespace

TEST(ACC1_token_reset, gives_an_admin_token_while_a_server_leads_and_takes_none_away) {
  server reeve;
  const auto own = reeve.api();
  const auto made = own.as(reset_token(reeve));
  EXPECT_EQ(must_get(made, "/api/whoami").at("role"), "admin");
  EXPECT_EQ(must_get(made, "/api/whoami").at("tenant"), must_get(own, "/api/whoami").at("tenant"));
  EXPECT_EQ(own.get("/api/tokens").status, 200) << "nothing is revoked";
  const json told = must_get(made, "/api/events?type=token_created&principal=system:token-reset");
  ASSERT_EQ(told.at("results").size(), 1U);
  EXPECT_EQ(told.at("results")[0].at("payload").at("role"), "admin");
  EXPECT_FALSE(std::filesystem::exists(reeve.data() / "token-reset"));
  const auto traces = support::traces_of(secret_of(made.token()));
  auto database = reeve.database();
  EXPECT_THAT(support::columns_with(database, traces), testing::IsEmpty());
  EXPECT_TRUE(support::found_in(reeve.whole_log(), traces).empty());
  const auto system = own.as(reset_token(reeve, {"--system"}));
  EXPECT_EQ(must_get(system, "/api/whoami").at("tenant"), "00000000-0000-0000-0000-000000000000");
}

TEST(ACC1_token_reset, waits_for_the_next_start_and_is_taken_once) {
  server reeve;
  ASSERT_EQ(reeve.stop(), 0);
  const auto token = reset_token(reeve);
  const auto file = reeve.data() / "token-reset";
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  const auto asked = support::contents_of(file);
  EXPECT_TRUE(support::found_in(asked, support::traces_of(secret_of(token))).empty());
  EXPECT_EQ(reeve.command({"token", "reset"}).status, 4) << "one waits already";
  const auto is_taken = [&] {
    return support::eventually([&] { return !std::filesystem::exists(file); });
  };
  reeve.start();
  ASSERT_TRUE(is_taken());
  EXPECT_EQ(must_get(reeve.api().as(token), "/api/whoami").at("role"), "admin");
  const auto count = must_get(reeve.api(), "/api/tokens").at("results").size();
  // As if the server had died between the commit and the file's end.
  reeve.kill_hard();
  std::ofstream(file) << asked;
  ASSERT_EQ(::chown(file.c_str(), info.st_uid, info.st_gid), 0);
  reeve.start();
  ASSERT_TRUE(is_taken());
  EXPECT_EQ(must_get(reeve.api(), "/api/tokens").at("results").size(), count);
}

TEST(ACC1_token_reset, of_a_file_that_somebody_else_wrote_makes_nothing) {
  server reeve;
  const auto file = reeve.data() / "token-reset";
  const auto is_told = [&](const char* why) {
    return support::eventually([&] { return reeve.whole_log().find(why) != std::string::npos; });
  };
  std::ofstream(file) << "{}\n";
  ASSERT_EQ(::chmod(file.c_str(), 0666), 0);
  EXPECT_TRUE(is_told("is not this server's own file"));
  struct stat info {};
  ASSERT_EQ(::stat(reeve.data().c_str(), &info), 0);
  ASSERT_EQ(::chown(file.c_str(), info.st_uid, info.st_gid), 0);
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  EXPECT_TRUE(is_told("is not what `reeve token reset` writes"));
  EXPECT_EQ(must_get(reeve.api(), "/api/tokens").at("results").size(), 1U);
  EXPECT_EQ(reeve.command({"token", "make"}).status, 2);
}

/// They tell of every tenant: the server's operator reads them, and who may audit all.
TEST(P17_metrics, are_for_auditors_and_the_first_tenants_admins) {
  server reeve;
  const auto api = reeve.api();
  const auto system = reeve.system_api();
  const auto auditor = system.as(support::new_token(system, "auditor"));
  for (const auto& who : {api, auditor}) {
    const auto read = who.get("/metrics");
    EXPECT_EQ(read.status, 200) << read.body;
    EXPECT_NE(read.body.find("reeve_http_requests_total"), std::string::npos);
  }
  for (const char* role : {"viewer", "operator", "node"}) {
    EXPECT_EQ(api.as(support::new_token(api, role)).get("/metrics").status, 403) << role;
  }
  const auto refused = system.get("/metrics");
  EXPECT_EQ(refused.status, 403) << "an admin, and of another tenant";
  EXPECT_THAT(refused.body,
              testing::HasSubstr("it takes the role auditor, or admin in the tenant"));
  EXPECT_EQ(reeve.anonymous().get("/metrics").status, 401);
}
