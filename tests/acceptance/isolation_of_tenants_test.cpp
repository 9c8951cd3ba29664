// P17 over the whole table of routes: whoever asks, whatever he asks, nothing of another tenant is
// in an answer, and what another tenant has is answered as what never was.

#include "tests/support/engine.hpp"
#include "tests/support/route_questions.hpp"
#include "tests/support/server.hpp"
#include "tests/support/work.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <set>

using nlohmann::json;
using support::api_client;
using support::must_get;
using support::must_post;
using support::question;
using support::things;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// A tenant with one of everything. Whatever it has called by a name begins with `prefix`.
struct tenant {
  api_client admin;
  std::string prefix;
  bool is_system = false;
  things has{};
  std::vector<std::string> secrets{};  // what nobody else may be told
  std::string token_hash{};
  std::unique_ptr<support::engine_cleanup> cleanup{};
};

struct identity {
  std::string name;
  api_client as;
  const tenant* of;  // null: nobody's
  bool may_see_tokens = false;
};

/// The same kinds of names, in the same lengths, for what is nowhere.
things unknown_like(const tenant& one) {
  things made = one.has;
  int n = 0;
  for (auto& [name, value] : made) {
    const bool is_id = value.size() == 36 && std::count(value.begin(), value.end(), '-') == 4;
    if (is_id) value = "0190a000-0000-7000-8000-0000000000" + std::to_string(10 + n++);
    if (value.starts_with(one.prefix)) value.replace(0, one.prefix.size(), "wk9j-mine");
  }
  made["position"] = "999999999";
  made["cursor"] = "AAAAAAAAAAAAAAAA";
  return made;
}

support::http_response ask(const api_client& as, const std::string& method, const question& q) {
  support::http_request request{method, q.target, {}, {}};
  if (!q.body.empty()) request.body = q.body;
  return as.call(request);
}

/// Not of what is so short that it stands anywhere.
void erase_all(std::string& text, const std::vector<std::string>& words) {
  for (const auto& word : words) {
    if (word.size() < 8) continue;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word)) {
      text.replace(at, word.size(), "{}");
    }
  }
}

std::string headers_of(const support::http_response& answer) {
  std::string text;
  for (const auto& [name, value] : answer.headers) text += name + ": " + value + "\n";
  return text;
}

/// Everything of an answer, but for what the question has said itself.
std::string whole(const support::http_response& answer, const std::vector<std::string>& said) {
  std::string text = std::to_string(answer.status) + "\n" + headers_of(answer) + answer.body;
  erase_all(text, said);
  return text;
}

/// The same without what differs between any two requests.
std::string compared(support::http_response answer, const std::vector<std::string>& said) {
  json body = json::parse(answer.body, nullptr, false);
  if (body.is_object()) {
    for (const char* own : {"instance", "request_id", "head"}) body.erase(own);
    answer.body = body.dump();
  }
  std::erase_if(answer.headers, [&](const auto& one) {
    const std::set<std::string> moving = {"Date", "X-Request-Id"};
    // The head of the log may have grown by a digit.
    const bool is_length =
        one.first == "Content-Length" && (body.is_object() || answer.status == 200);
    return moving.contains(one.first) || is_length;
  });
  return whole(answer, said);
}

const json triage = {{"kind", "log_triage"}, {"name", "reads"}};

/// A directive, a run of it that is over and one that goes on, a log, artifacts, entries, a token.
void fill(tenant& one, const fs::path& logs) {
  const auto& as = one.admin;
  const auto& p = one.prefix;
  auto& has = one.has;
  has["tenant"] = support::tenant_of(as);
  const fs::path folder = one.is_system ? logs / has["tenant"] : logs;
  fs::create_directories(folder);
  std::ofstream(folder / (p + ".log")) << "ERROR " << p << " has failed\n";
  support::allow_image(as);
  json reads = triage;
  reads["params"] = {{"files", {p + ".log"}}};
  const json says = support::shell_task(p + "-task", "echo " + p + " says so",
                                        {{"env", {{"WHO", p + "-value"}}}});
  has["directive_name"] = p + "-directive";
  has["directive"] = must_post(as, "/api/directives",
                               {{"name", has["directive_name"]},
                                {"description", p + " does this"},
                                {"labels", {{"team", p + "-label"}}},
                                {"tasks", {reads, says}}},
                               201)["id"];
  has["label"] = p + "-label";
  const json run = support::launch(
      as, {{"directive_id", has["directive"]}, {"labels", {{"team", has["label"]}}}});
  has["run"] = run.at("id");
  has["position"] = std::to_string(run.at("position").get<long>());
  const json over = support::await_run(as, has["run"]);
  ASSERT_EQ(over.at("status"), "success") << over.dump(1);
  has["triage"] = support::job_named(over, "reads").at("id");
  has["job"] = support::job_named(over, p + "-task").at("id");
  must_post(as, "/api/jobs/" + has["job"] + "/llm-calls",
            {{"model_name", p + "-model"}, {"prompt_tokens", 1}, {"completion_tokens", 1}}, 201);
  const json goes_on = support::launch(
      as, support::inline_launch({support::box_task(p + "-long", {"sleep", "600"})}));
  has["long"] = goes_on.at("id");
  one.cleanup =
      std::make_unique<support::engine_cleanup>(support::engine(), "reeve.run=" + has["long"]);
  support::await_started(as, has["long"], p + "-long");
  has["image_name"] = p + ".example/app:1";
  has["image"] =
      must_post(as, "/api/allowlists/images",
                {{"reference", has["image_name"]}, {"reason", p + " needs it"}}, 201)["id"];
  has["container_name"] = p + "-web";
  has["container"] =
      must_post(as, "/api/allowlists/containers",
                {{"name", has["container_name"]}, {"reason", p + " reads it"}}, 201)["id"];
  const json token =
      must_post(as, "/api/tokens", {{"name", p + "-robot"}, {"role", "viewer"}}, 201);
  has["token"] = token.at("id");
  has["budget"] = p + "-budget";
  as.put("/api/llm-budgets/" + has["budget"], {{"period", "day"}, {"most_tokens", 1000}});
  has["secret"] = p + "-secret";
  as.put("/api/secrets/" + has["secret"], {{"value", p + " is the value"}});
  has["cursor"] = must_get(as, "/api/runs?limit=1").at("next");
  const auto add = [&one](const json& secret) {
    if (!secret.is_null()) one.secrets.push_back(secret.get<std::string>());
  };
  for (const json& secret : {json(p), json(as.token()), json(token.at("token")),
                             json(must_get(as, "/api/whoami").at("token_id"))}) {
    add(secret);
  }
  for (const json& job : over.at("jobs")) {
    for (const json& attempt : job.at("attempts")) add(attempt.at("container_id"));
  }
  for (const char* id :
       {"directive", "run", "long", "job", "triage", "image", "container", "token"}) {
    add(has.at(id));
  }
  // The system tenant's is the same everywhere.
  if (!one.is_system) one.secrets.push_back(has.at("tenant"));
}

class two_tenants {
 public:
  two_tenants()
      : logs_(support::work_dir(), "l"),
        reeve_(options()),
        mine_{reeve_.api(), "zq7x-mine"},
        other_{reeve_.system_api(), "vb3k-mine", true} {
    fs::permissions(logs_.path(), fs::perms::all);
    for (auto* one : {&mine_, &other_}) {
      fill(*one, logs_.path());
      auto database = reeve_.database();
      one->token_hash = *database.cell(
          "SELECT secret_hash FROM reeve_read.tokens WHERE id = $1::uuid", {one->has.at("token")});
    }
  }

  const tenant& mine() const { return mine_; }
  const tenant& other() const { return other_; }
  const support::server& reeve() const { return reeve_; }

  static std::vector<identity> members(const tenant& of) {
    std::vector<identity> all{{"admin", of.admin, &of, true}};
    for (const char* role : {"viewer", "operator", "node"}) {
      all.push_back({role, of.admin.as(support::new_token(of.admin, role)), &of});
    }
    return all;
  }
  /// Nobody's, and those that were somebody's.
  std::vector<identity> outsiders() const {
    std::vector<identity> all{{"anonymous", reeve_.anonymous(), nullptr},
                              {"no token of ours", mine_.admin.as("rv_0_x"), nullptr},
                              {"an attempt", mine_.admin.as("rva_" + std::string(112, 'A')), {}}};
    for (const auto* of : {&mine_, &other_}) {
      const json made =
          must_post(of->admin, "/api/tokens", {{"name", "gone"}, {"role", "admin"}}, 201);
      must_post(of->admin, "/api/tokens/" + made.at("id").get<std::string>() + "/revoke",
                json::object(), 200);
      all.push_back({"revoked", of->admin.as(made.at("token")), nullptr});
    }
    return all;
  }

 private:
  support::server_options options() const {
    support::server_options made;
    made.docker = support::real_engine();
    made.environment["REEVE_LOGS"] = logs_.path();
    return made;
  }

  support::scratch_dir logs_;
  support::server reeve_;
  tenant mine_, other_;
};

std::string lowered(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// How many events a tenant has. What the server does for itself is not among them, nor are
/// denials.
long long events_in(support::pg& database, const std::string& of) {
  return database.number(
      "SELECT count(*) FROM reeve.events WHERE tenant = $1::uuid AND stream NOT LIKE 'system-%' "
      "AND stream NOT LIKE 'log-%'",
      {of});
}

/// What of another tenant stands in an answer. The system tenant looks after the server, in which
/// every run has an agent.
std::string leak_in(const std::string& text, const tenant& of, const identity& who,
                    const std::string& route) {
  const bool sees_agents = who.of != nullptr && who.of->is_system &&
                           (route == "GET /api/agents" || route.starts_with("GET /api/events"));
  const auto all = lowered(text);
  for (const auto& secret : of.secrets) {
    if (all.find(lowered(secret)) == std::string::npos) continue;
    const bool is_run = secret == of.has.at("run") || secret == of.has.at("long");
    if (!(sees_agents && is_run)) return secret;
  }
  return all.find(of.token_hash) == std::string::npos ? "" : "the hash of a token";
}

/// What a member of a tenant that may not see tokens is told of them.
std::string token_in(const std::string& text, const identity& who) {
  if (who.of == nullptr) return {};
  const bool has_name = text.find(who.of->prefix + "-robot") != std::string::npos;
  if (has_name && !who.may_see_tokens) return "the name of a token";
  return text.find(who.of->token_hash) == std::string::npos ? "" : "the hash of a token";
}

/// Asks everything about what another tenant has, and about the same that is nowhere.
void expect_strangers(const identity& who, const tenant& other) {
  const auto nowhere = unknown_like(other);
  for (const auto& [route, questions] : support::route_questions()) {
    const auto method = route.substr(0, route.find(' '));
    for (const auto& q : questions) {
      const auto said = q.named(other.has);
      for (const std::string& verb : {method, std::string(method == "GET" ? "HEAD" : "")}) {
        if (verb.empty()) continue;
        const auto what = who.name + ": " + verb + " " + q.target + " " + q.body;
        const auto told = ask(who.as, verb, q.about(other.has));
        EXPECT_EQ(leak_in(whole(told, said), other, who, route), "") << what << told.body;
        EXPECT_EQ(token_in(whole(told, said), who), "") << what << told.body;
        if (said.empty()) continue;
        const auto absent = ask(who.as, verb, q.about(nowhere));
        EXPECT_EQ(compared(told, said), compared(absent, q.named(nowhere))) << what;
      }
    }
  }
}

/// Asks everything that reads about what the tenant has itself.
void expect_own(const identity& who, const tenant& other) {
  for (const auto& [route, questions] : support::route_questions()) {
    if (!route.starts_with("GET ") || route == "GET /api/events/stream") continue;
    for (const auto& q : questions) {
      const auto told = ask(who.as, "GET", q.about(who.of->has));
      const auto what = who.name + ": GET " + q.about(who.of->has).target;
      EXPECT_EQ(leak_in(whole(told, {}), other, who, route), "") << what << told.body;
      EXPECT_EQ(token_in(whole(told, {}), who), "") << what << told.body;
      // Otherwise what was asked of the stranger would say nothing.
      if (who.name != "admin" || !q.is_found) continue;
      EXPECT_EQ(told.status, 200) << what << told.body;
    }
  }
}

/// The stream from the first event to the newest one that there is.
void expect_stream(const identity& who, const tenant& other) {
  const json newest = must_get(who.as, "/api/events?order=desc&limit=1").at("results");
  const long last = newest.at(0).at("position");
  auto reader = who.as.events("/api/events/stream?after=0");
  ASSERT_EQ(reader.response().status, 200);
  std::string text = headers_of(reader.response());
  for (long at = 0; at < last;) {
    const auto event = reader.next(10s * support::time_factor());
    ASSERT_TRUE(event) << who.name << " at " << at << " of " << last;
    at = std::stol(event->id);
    text += event->id + event->name + event->data;
  }
  EXPECT_EQ(leak_in(text, other, who, "GET /api/events/stream"), "") << who.name;
  EXPECT_EQ(token_in(text, who), "") << who.name;
  EXPECT_NE(text.find(who.of->has.at("run")), std::string::npos) << who.name;
  const auto& its = other.has;
  for (const auto& filter : {"run-" + its.at("run"), "access-" + its.at("tenant")}) {
    auto nothing = who.as.events("/api/events/stream?after=0&stream=" + filter);
    EXPECT_EQ(nothing.response().status, 200);
    EXPECT_FALSE(nothing.next(200ms)) << who.name << " " << filter;
  }
}

}  // namespace

TEST(P17_isolation, knows_every_route_of_the_server) {
  support::server reeve;
  const json paths = must_get(reeve.api(), "/api/openapi.json").at("paths");
  std::set<std::string> routes;
  for (const auto& [pattern, operations] : paths.items()) {
    for (const auto& [name, operation] : operations.items()) {
      std::string method = name;
      for (char& c : method) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      routes.insert(method + " " + pattern);
    }
  }
  for (const auto& route : routes) {
    EXPECT_TRUE(support::route_questions().contains(route))
        << route << ": say in tests/support/route_questions.cpp how it is asked";
  }
  for (const auto& [route, questions] : support::route_questions()) {
    EXPECT_TRUE(routes.contains(route)) << route << " is no route any more";
    EXPECT_FALSE(questions.empty()) << route;
  }
  // Tokens do not expire yet. Once they do, one that has is an identity to ask as.
  EXPECT_EQ(lowered(paths.at("/api/tokens").dump()).find("expire"), std::string::npos);
}

TEST(P17_isolation, of_members_tells_nothing_of_another_tenant) {
  const two_tenants here;
  auto database = here.reeve().database();
  const std::pair<const tenant*, const tenant*> sides[] = {{&here.mine(), &here.other()},
                                                           {&here.other(), &here.mine()}};
  for (const auto& [own, other] : sides) {
    const auto before = events_in(database, other->has.at("tenant"));
    for (const auto& who : two_tenants::members(*own)) {
      expect_strangers(who, *other);
      expect_own(who, *other);
      if (who.name != "node") expect_stream(who, *other);
    }
    EXPECT_EQ(events_in(database, other->has.at("tenant")), before) << other->prefix;
  }
  // A name that another tenant has is free.
  for (const auto& [own, other] : sides) {
    const auto& its = other->has;
    must_post(own->admin, "/api/directives",
              {{"name", its.at("directive_name")}, {"tasks", {"task2"}}}, 201);
    must_post(own->admin, "/api/allowlists/images", {{"reference", its.at("image_name")}}, 201);
    must_post(own->admin, "/api/allowlists/containers", {{"name", its.at("container_name")}}, 201);
  }
}

TEST(P17_isolation, of_outsiders_tells_nothing_of_anybody) {
  const two_tenants here;
  auto database = here.reeve().database();
  const std::pair<const tenant*, long long> sides[] = {
      {&here.mine(), events_in(database, here.mine().has.at("tenant"))},
      {&here.other(), events_in(database, here.other().has.at("tenant"))}};
  const auto outsiders = here.outsiders();
  for (const auto& who : outsiders) {
    for (const auto* of : {&here.mine(), &here.other()}) {
      expect_strangers(who, *of);
      const auto stream = who.as.events("/api/events/stream?after=0");
      EXPECT_EQ(stream.response().status, 401) << who.name;
    }
  }
  // Two tokens were made for it, and revoked.
  for (const auto& [of, before] : sides) {
    EXPECT_EQ(events_in(database, of->has.at("tenant")), before + 2);
  }
}
