#pragma once
// The routes over commands and reads in memory, and a client that goes through the router and the
// dispatcher.

#include "api/dispatch.hpp"
#include "api/services.hpp"
#include "tests/unit/api/routes/routes_commands.hpp"
#include "tests/unit/api/routes/routes_outputs.hpp"
#include "tests/unit/api/routes/routes_reads.hpp"
#include "tests/unit/api/routes/routes_values.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace routes_fixture {

using namespace reeve::api;

inline uuid named(std::string_view name) {
  return derived_uuid({}, name);
}

/// Two tenants behind the real table: tokens "admin", "operator", "viewer", "auditor" of the first
/// one and "stranger", an admin of the other.
class world : public told_upstreams {
 public:
  world() {
    services_.commands = &commands.port();
    services_.reads = &reads;
    services_.feed = &feed;
    services_.ids = &real_ids();
    services_.clock = &clock;
    services_.logs = &logs;
    services_.follow_output = [this](auto what, auto changed, auto slot) {
      outputs.follow(std::move(what), std::move(changed), slot);
    };
    services_.llm = &llm;
    serve_upstreams(services_);
    services_.engine = [] { return engine_view{"docker", true, "closed", "24", "1.41", true}; };
    services_.sign_head = [this](reply_slot<checkpoint_view> slot) { sign_head(slot); };
    values.serve(services_);
    services_.agents = [](const std::optional<uuid>&) {
      return std::vector<agent_view>{{"root", "rest_for_one", "up", "", 1, 0, {0}}};
    };
    table_ = std::make_unique<router>(router::make(all_routes(services_)).value());
    gateway_hooks hooks;
    hooks.authenticate = [](std::string_view token) { return who(token); };
    hooks.authenticate_job = [this](std::string_view token) { return job_of(token); };
    dispatch_ = std::make_unique<dispatcher>(*table_, dispatch_limits{}, hooks, real_ids());
    for (const char* name : {"tenant", "other"}) {
      commands.create_tenant(named(name));
    }
  }

  static std::optional<caller> who(std::string_view token) {
    const std::pair<std::string_view, role> roles[] = {{"viewer", role::viewer},
                                                       {"operator", role::operator_},
                                                       {"admin", role::admin},
                                                       {"auditor", role::auditor},
                                                       {"stranger", role::admin}};
    for (const auto& [name, has] : roles) {
      if (name != token) continue;
      return caller{named(name == "stranger" ? "other" : "tenant"), named(name),
                    "token:" + to_string(named(name)), has, name != "stranger"};
    }
    return std::nullopt;
  }

  std::string version = "1.1";  // of HTTP, of what is asked
  /// `fields` are header lines with their ends.
  answer ask(const std::string& token, const std::string& line, const std::string& body = "",
             const std::string& fields = "") {
    std::string head = line + " HTTP/" + version + "\r\nHost: a\r\nAuthorization: Bearer " + token +
                       "\r\n" + fields;
    if (!body.empty()) {
      head += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n";
    }
    head += "\r\n";
    request_head checked;
    answer got;
    if (check_head(head, checked)) return got;
    call it;
    if (auto refused = dispatch_->admit(checked, "127.0.0.1", 0, it, from)) return taken(*refused);
    dispatch_->run(it, wiped_text(std::string(body)), responder([&](outcome<response> given) {
                     got = taken(dispatch_->finish(it, std::move(given)));
                   }));
    return got;
  }
  const std::vector<route>& routes() const { return table_->routes(); }

  memory_reads reads;
  domain::llm_settings llm;
  memory_values values;
  memory_commands commands{reads};
  event_feed feed{reads};
  std::function<void(reply_slot<checkpoint_view>)> sign_head;
  told_outputs outputs;
  settable_clock clock;

 private:
  services services_;

 public:
  log_streams logs{services_};

 private:
  static answer taken(const response& given) {
    answer got;
    got.status = given.status;
    got.content_type = given.content_type;
    got.headers = given.headers;
    got.stream = given.stream;
    if (given.body) got.body = *given.body;
    return got;
  }

  std::unique_ptr<router> table_;
  std::unique_ptr<dispatcher> dispatch_;
};

}  // namespace routes_fixture
