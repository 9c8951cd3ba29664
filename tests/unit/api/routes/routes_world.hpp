#pragma once
// The commands behind the routes, over memory: the real decisions and the real documents, without
// actors, journal and database. And a client that goes through the router and the dispatcher.

#include "api/dispatch.hpp"
#include "api/routes/views.hpp"
#include "api/services.hpp"
#include "domain/runs/launch.hpp"
#include "tests/unit/api/routes/routes_outputs.hpp"
#include "tests/unit/api/routes/routes_reads.hpp"
#include "tests/unit/api/routes/routes_values.hpp"

#include <any>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace routes_fixture {

using namespace reeve::api;

inline uuid named(std::string_view name) {
  return derived_uuid({}, name);
}

class memory_commands final : public actors::every_command<memory_commands> {
 public:
  explicit memory_commands(memory_reads& reads) : reads_(reads) {}
  using actors::command_port::execute;

  std::string engine = "docker";
  std::vector<actors::command_context> contexts;  // of every command that came
  bool is_busy = false;                           // with the first request of any key

  template <class State>
  void carry_out(actors::command_context c, domain::command_of<State> what,
                 actors::state_slot<State> slot) {
    if (replayed<State>(c, slot)) return;
    auto go = [this, c, what, slot](const outcome<done>& ok) {
      if (!ok) return slot.answer(ok.error());
      std::visit(
          [&](const auto& command) {
            const auto id = domain::subject_of(what, c.tenant);
            write<State>(c, id, slot, [&](const State& s) { return decided(c, s, command); });
          },
          what);
    };
    c.before ? c.before(reply_slot<done>(go)) : go(done{});
  }
  template <class State>
  void find(uuid tenant, uuid id, actors::state_slot<State> slot) {
    const auto& state = all<State>()[id];
    slot.answer(actors::executed<State>{
        std::make_shared<State>(state.tenant == tenant ? state : State{}), 0, false});
  }

  void create_tenant(uuid tenant) {
    actors::command_context c;
    c.tenant = tenant;
    const auto id = defaults_[tenant] = real_ids().next();
    execute(c, domain::create_directive{id, domain::default_directive(), true},
            actors::state_slot<domain::directive_state>());
    execute(c, domain::create_tenant{tenant, "tenant", id},
            actors::state_slot<domain::access_state>());
  }

  /// What a run's actor would do: one attempt of each job with this log and artifact, to its end.
  void finish(uuid run, domain::end_reason how, const std::string& log,
              const std::string& artifact = "report \"1\".json") {
    actors::command_context c;
    c.tenant = all<domain::run_state>()[run].tenant;
    for (std::size_t i = 0; i < all<domain::run_state>()[run].jobs.size(); ++i) {
      const auto job = all<domain::run_state>()[run].jobs[i].id;
      const auto end = reads_.ending(how, store(c.tenant, log));
      act(c, run, [&](const auto& s) { return domain::decide_intend(s, job, {}); });
      const domain::artifact_stored made{job, artifact, "application/json", *end.log};
      act(c, run, [&](const auto&) { return outcome(domain::run_events{made}); });
      act(c, run, [&](const auto& s) { return domain::decide_end(s, job, end); });
    }
    act(c, run,
        [&](const auto& s) -> outcome<domain::run_events> { return domain::plan(s).events; });
  }
  /// One attempt of the run's first job runs, in this container; or its next one.
  void begin(uuid run, const std::string& container) {
    actors::command_context c;
    c.tenant = all<domain::run_state>()[run].tenant;
    const auto job = all<domain::run_state>()[run].jobs[0].id;
    act(c, run, [&](const auto& s) { return domain::decide_intend(s, job, {}); });
    const std::int64_t number = std::ssize(all<domain::run_state>()[run].jobs[0].attempts);
    act(c, run, [&](const auto&) -> outcome<domain::run_events> {
      return domain::run_events{domain::container_created{job, number, container},
                                domain::attempt_started{job, number, false, {}}};
    });
  }
  /// What `begin` began ends with this output, and the run if `plan` says so.
  void end(uuid run, domain::end_reason how, const std::string& log, bool truncated = false) {
    actors::command_context c;
    c.tenant = all<domain::run_state>()[run].tenant;
    const auto job = all<domain::run_state>()[run].jobs[0].id;
    const auto end = reads_.ending(how, store(c.tenant, log, truncated));
    act(c, run, [&](const auto& s) { return domain::decide_end(s, job, end); });
    act(c, run,
        [&](const auto& s) -> outcome<domain::run_events> { return domain::plan(s).events; });
  }
  /// What the log has when its work on the run's first job crashed for the third time.
  void quarantine(uuid run) {
    actors::command_context c;
    c.tenant = all<domain::run_state>()[run].tenant;
    const auto job = all<domain::run_state>()[run].jobs[0].id;
    act(c, run, [&](const auto& s) { return domain::decide_intend(s, job, {}); });
    act(c, run, [&](const auto&) -> outcome<domain::run_events> {
      return domain::run_events{domain::work_quarantined{job, 1, 3}};
    });
  }
  domain::blob_ref store(uuid tenant, const std::string& bytes, bool truncated = false) {
    reads_.blobs[{tenant, to_hex(sha256(bytes))}] = bytes;
    return {sha256(bytes), static_cast<std::int64_t>(bytes.size()), truncated};
  }

 private:
  struct first_time {
    digest meaning;
    std::any state;
    domain::position at;
  };

  static std::string place_of(const persistence::command_key& k) {
    return k.principal + " " + k.route + " " + k.key;
  }

  template <class State>
  bool replayed(const actors::command_context& c, const actors::state_slot<State>& slot) {
    contexts.push_back(c);
    if (!c.command) return false;
    if (is_busy) {
      slot.answer(reject(errc::in_progress, ""));
      return true;
    }
    const auto found = known_.find(place_of(*c.command));
    if (found == known_.end()) return false;
    const auto& first = found->second;
    if (first.meaning != c.command->request_digest) {
      slot.answer(reject(errc::key_reused, "", ""));
    } else {
      using state = std::shared_ptr<const State>;
      slot.answer(actors::executed<State>{std::any_cast<state>(first.state), first.at, true});
    }
    return true;
  }

  template <class State, class Command>
  auto decided(const actors::command_context&, const State& state, const Command& command) {
    return decide(state, command);
  }
  outcome<domain::run_events> decided(const actors::command_context& c,
                                      const domain::run_state& state,
                                      const domain::launch_run& command) {
    domain::directive_state directive;
    if (const auto* of = std::get_if<domain::of_directive>(&command.from)) {
      directive = own(c.tenant, all<domain::directive_state>()[of->id]);
    } else {
      directive = all<domain::directive_state>()[defaults_[c.tenant]];
    }
    domain::run_state before;
    if (const auto* of = std::get_if<domain::of_run>(&command.from)) {
      before = own(c.tenant, all<domain::run_state>()[of->id]);
    }
    auto shape = domain::shape_of(command, {&directive, &before});
    if (!shape) return shape.error();
    std::vector<uuid> jobs;
    for (std::size_t i = 0; i < shape->directive.tasks.size(); ++i) {
      jobs.push_back(real_ids().next());
    }
    return decide(state, command, *shape,
                  {all<domain::image_list_state>()[c.tenant],
                   all<domain::container_list_state>()[c.tenant],
                   jobs,
                   engine,
                   {},
                   0,
                   &all<domain::secret_list_state>()[c.tenant]});
  }
  template <class State>
  static State own(const uuid& tenant, const State& state) {
    return state.tenant == tenant ? state : State{};
  }

  template <class... States>
  static std::tuple<std::map<uuid, States>...> maps_of(domain::type_list<States...>);
  template <class State>
  std::map<uuid, State>& all() {
    return std::get<std::map<uuid, State>>(states_);
  }

  template <class Decide>
  void act(const actors::command_context& c, uuid run, Decide decide) {
    write<domain::run_state>(c, run, actors::state_slot<domain::run_state>(), decide);
  }

  template <class State, class Decide>
  void write(const actors::command_context& c, uuid id, const actors::state_slot<State>& slot,
             Decide decide) {
    auto state = std::make_shared<State>(own(c.tenant, all<State>()[id]));
    const auto events = decide(*state);
    if (!events) return slot.answer(events.error());
    for (const auto& event : *events) append(*state, c, id, event);
    all<State>()[id] = *state;
    render(*state, c.tenant);
    const auto at = events->empty() ? 0 : reads_.head();
    if (c.command) {
      known_[place_of(*c.command)] = {c.command->request_digest,
                                      std::shared_ptr<const State>(state), at};
    }
    slot.answer(actors::executed<State>{state, at, false});
  }

  template <class State, class Event>
  void append(State& state, const actors::command_context& c, uuid id, const Event& event) {
    domain::event_record e;
    e.position = reads_.head() + 1;
    e.epoch = 1;
    e.stream = domain::stream_of<State>(id);
    e.version = state.stream_version + 1;
    e.tenant = c.tenant;
    std::visit(
        [&e](const auto& held) {
          e.type = held.type;
          e.payload = codec::encode(held);
        },
        event);
    e.meta = c.meta;
    e.recorded_at_us = e.position * us_per_second;
    domain::evolve(state, event,
                   {{e.position, e.version, e.recorded_at_us}, e.tenant, e.meta.principal});
    reads_.log.push_back(std::move(e));
  }

  template <class Document>
  void put(collection what, uuid tenant, domain::position created, const Document& d) {
    reads_.put(what, tenant, to_string(d.id), created, codec::encode_document(d));
  }
  void render(const domain::directive_state& s, uuid tenant) {
    const auto d = domain::document_of(s);
    put(collection::directives, tenant, s.created_position, d);
    reads_.put(collection::directive_versions, tenant,
               to_string(s.id) + "-" + std::to_string(s.version), reads_.head(),
               codec::encode_document(d));
  }
  template <class Allowed>
  void render(const domain::allow_list<Allowed>& s, uuid tenant) {
    constexpr bool is_images = std::is_same_v<Allowed, domain::image_allowed>;
    constexpr auto what = is_images ? collection::image_allowlist : collection::container_allowlist;
    for (const auto& [id, e] : s.entries) {
      put(what, tenant, e.created_position, domain::document_of(e));
    }
  }
  void render(const domain::access_state& s, uuid tenant) {
    for (const auto& [id, t] : s.tokens) {
      put(collection::tokens, tenant, t.created_position, domain::document_of(t));
    }
  }
  void render(const domain::secret_list_state& s, uuid tenant) {
    for (const auto& [name, secret] : s.secrets) {
      reads_.put(collection{"secrets"}, tenant, name, secret.created_position,
                 codec::encode_document(domain::document_of(secret)));
    }
  }
  void render(const domain::llm_budget_list_state& s, uuid tenant) {
    for (const auto& [name, budget] : s.budgets) {
      reads_.put(collection{"llm_budgets"}, tenant, name, budget.created_position,
                 codec::encode_document(domain::document_of(budget)));
    }
  }
  void render(const domain::llm_usage_state& s, uuid tenant) {
    put(collection::llm_calls, tenant, reads_.head(), domain::document_of(*s.last_call, s.last_at));
  }
  void render(const domain::run_state& s, uuid tenant) {
    run_view view;
    static_cast<domain::run_document&>(view) = domain::document_of(s);
    put(collection::runs, tenant, s.created_position, domain::document_of(s));
    view.directive_snapshot = s.launch->directive;
    for (const auto& job : s.jobs) {
      job_view one;
      static_cast<domain::job_document&>(one) = domain::document_of(s, job);
      put(collection::jobs, tenant, s.created_position, domain::document_of(s, job));
      reads_.details[{tenant, "job/" + to_string(job.id)}] = codec::encode_document(one);
      view.jobs.push_back(std::move(one));
    }
    reads_.details[{tenant, "run/" + to_string(s.id)}] = codec::encode_document(view);
  }

  memory_reads& reads_;
  decltype(maps_of(domain::commanded_aggregates{})) states_;
  std::map<uuid, uuid> defaults_;
  std::map<std::string, first_time> known_;
};

/// Two tenants behind the real table: tokens "admin", "operator", "viewer", "auditor" of the first
/// one and "stranger", an admin of the other.
class world : public told_upstreams {
 public:
  world() {
    services_.commands = &commands;
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

  /// `fields` are header lines with their ends.
  answer ask(const std::string& token, const std::string& line, const std::string& body = "",
             const std::string& fields = "") {
    std::string head =
        line + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token + "\r\n" + fields;
    if (!body.empty()) {
      head += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n";
    }
    head += "\r\n";
    request_head checked;
    answer got;
    if (check_head(head, checked)) return got;
    call it;
    if (auto refused = dispatch_->admit(checked, "127.0.0.1", 0, it)) return taken(*refused);
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
