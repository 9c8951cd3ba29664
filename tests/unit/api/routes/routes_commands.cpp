#include "tests/unit/api/routes/routes_commands.hpp"

#include "api/routes/views.hpp"
#include "base/ids.hpp"
#include "domain/runs/launch.hpp"

#include <any>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace routes_fixture {

using namespace reeve::api;

class memory_commands::executors final : public actors::every_command<executors> {
 public:
  executors(memory_commands& shown, memory_reads& reads) : shown_(shown), reads_(reads) {}
  using actors::command_port::execute;

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

  void finish(uuid run, domain::end_reason how, const std::string& log,
              const std::string& artifact) {
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
  void begin(uuid run, const std::string& container, const domain::attempt_intended& how) {
    actors::command_context c;
    c.tenant = all<domain::run_state>()[run].tenant;
    const auto job = all<domain::run_state>()[run].jobs[0].id;
    act(c, run, [&](const auto& s) { return domain::decide_intend(s, job, how); });
    const std::int64_t number = std::ssize(all<domain::run_state>()[run].jobs[0].attempts);
    act(c, run, [&](const auto&) -> outcome<domain::run_events> {
      return domain::run_events{domain::container_created{job, number, container},
                                domain::attempt_started{job, number, false, {}}};
    });
  }
  void end(uuid run, domain::end_reason how, const std::string& log, bool truncated) {
    actors::command_context c;
    c.tenant = all<domain::run_state>()[run].tenant;
    const auto job = all<domain::run_state>()[run].jobs[0].id;
    const auto end = reads_.ending(how, store(c.tenant, log, truncated));
    act(c, run, [&](const auto& s) { return domain::decide_end(s, job, end); });
    act(c, run,
        [&](const auto& s) -> outcome<domain::run_events> { return domain::plan(s).events; });
  }
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
    shown_.contexts.push_back(c);
    if (!c.command) return false;
    if (shown_.is_busy) {
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
                   "docker",
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

  memory_commands& shown_;
  memory_reads& reads_;
  decltype(maps_of(domain::commanded_aggregates{})) states_;
  std::map<uuid, uuid> defaults_;
  std::map<std::string, first_time> known_;
};

memory_commands::memory_commands(memory_reads& reads)
    : executors_(std::make_unique<executors>(*this, reads)) {}
memory_commands::~memory_commands() = default;

actors::command_port& memory_commands::port() {
  return *executors_;
}
void memory_commands::create_tenant(uuid tenant) {
  executors_->create_tenant(tenant);
}
void memory_commands::finish(uuid run, domain::end_reason how, const std::string& log,
                             const std::string& artifact) {
  executors_->finish(run, how, log, artifact);
}
void memory_commands::begin(uuid run, const std::string& container,
                            const domain::attempt_intended& how) {
  executors_->begin(run, container, how);
}
void memory_commands::end(uuid run, domain::end_reason how, const std::string& log,
                          bool truncated) {
  executors_->end(run, how, log, truncated);
}
void memory_commands::quarantine(uuid run) {
  executors_->quarantine(run);
}

}  // namespace routes_fixture
