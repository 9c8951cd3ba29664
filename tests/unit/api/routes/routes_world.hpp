#pragma once
// The commands behind the routes, over memory: the real decisions and the real documents, without
// actors, journal and database. And a client that goes through the router and the dispatcher.

#include "api/dispatch.hpp"
#include "api/routes/views.hpp"
#include "api/services.hpp"
#include "tests/unit/api/routes/routes_reads.hpp"

#include <any>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace routes_fixture {

using namespace reeve::api;

inline uuid named(std::string_view name) {
  return derived_uuid({}, name);
}

class memory_commands final : public command_port {
 public:
  explicit memory_commands(memory_reads& reads) : reads_(reads) {}

  std::string engine = "docker";
  std::vector<command_meta> metas;  // of every command that came

  void create_directive(command_meta m, domain::directive_spec spec,
                        slot<domain::directive_state> slot) override {
    const auto id = real_ids().next();
    execute(directives_, m, id, slot,
            [&](const auto& s) { return domain::decide_create(s, id, spec, false); });
  }
  void create_default_directive(uuid tenant, domain::directive_spec spec) {
    command_meta m;
    m.who.tenant = tenant;
    defaults_[tenant] = real_ids().next();
    execute(directives_, m, defaults_[tenant], slot<domain::directive_state>(),
            [&](const auto& s) { return domain::decide_create(s, defaults_[tenant], spec, true); });
  }
  void revise_directive(command_meta m, uuid id, domain::directive_spec spec,
                        slot<domain::directive_state> slot) override {
    execute(directives_, m, id, slot,
            [&](const auto& s) { return domain::decide_revise(s, spec); });
  }
  void archive_directive(command_meta m, uuid id, slot<domain::directive_state> slot) override {
    execute(directives_, m, id, slot, [](const auto& s) { return domain::decide_archive(s); });
  }
  void allow_image(command_meta m, domain::image_allowed entry,
                   slot<domain::image_list_state> slot) override {
    entry.id = real_ids().next();
    execute(images_, m, m.who.tenant, slot,
            [&](const auto& s) { return domain::decide_allow(s, entry); });
  }
  void deny_image(command_meta m, uuid id, slot<domain::image_list_state> slot) override {
    execute(images_, m, m.who.tenant, slot,
            [&](const auto& s) { return domain::decide_deny(s, id); });
  }
  void allow_container(command_meta m, domain::container_allowed entry,
                       slot<domain::container_list_state> slot) override {
    entry.id = real_ids().next();
    execute(containers_, m, m.who.tenant, slot,
            [&](const auto& s) { return domain::decide_allow(s, entry); });
  }
  void deny_container(command_meta m, uuid id, slot<domain::container_list_state> slot) override {
    execute(containers_, m, m.who.tenant, slot,
            [&](const auto& s) { return domain::decide_deny(s, id); });
  }
  void record_llm_call(command_meta m, uuid call, uuid job, uuid run, domain::llm_call_request r,
                       slot<domain::llm_usage_state> slot) override {
    execute(usage_, m, job, slot,
            [&](const auto& s) { return domain::decide_record(s, call, job, run, r); });
  }
  void create_tenant(uuid tenant) {
    command_meta m;
    m.who.tenant = tenant;
    execute(access_, m, tenant, slot<domain::access_state>(), [&](const auto& s) {
      return domain::decide_tenant(s, tenant, "tenant", defaults_[tenant]);
    });
  }
  void create_token(command_meta m, domain::token_created token,
                    slot<domain::access_state> slot) override {
    execute(access_, m, m.who.tenant, slot,
            [&](const auto& s) { return domain::decide_token(s, token); });
  }
  void revoke_token(command_meta m, uuid id, slot<domain::access_state> slot) override {
    execute(access_, m, m.who.tenant, slot,
            [&](const auto& s) { return domain::decide_revoke(s, id); });
  }
  void launch(command_meta m, launch_order order, slot<domain::run_state> slot) override {
    domain::launch_command c;
    c.run = real_ids().next();
    std::string at = "/directive/tasks";
    if (order.snapshot) {
      at = "/directive_snapshot/tasks";
      c.directive = *order.snapshot;
    } else if (order.directive) {
      const auto& d = *order.directive;
      c.directive = {{}, 0, d.name, d.description, d.tasks, d.limits, d.labels};
    } else {
      at = "/tasks";
      const auto& d = directives_[order.directive_id.value_or(defaults_[m.who.tenant])];
      if (d.stream_version == 0 || d.tenant != m.who.tenant) {
        return slot.answer(reject(errc::not_found, "no such directive", "/directive_id"));
      }
      c.directive = {d.id,         d.version,     d.spec.name,  d.spec.description,
                     d.spec.tasks, d.spec.limits, d.spec.labels};
      if (!order.tasks.empty()) c.directive.tasks = order.tasks;
    }
    for (std::size_t i = 0; i < c.directive.tasks.size(); ++i) c.jobs.push_back(real_ids().next());
    c.engine = engine;
    c.since = order.since;
    c.labels = order.labels;
    c.retry_of = order.retry_of;
    execute(runs_, m, c.run, slot, [&](const auto& s) {
      return domain::decide_launch(s, c, images_[m.who.tenant], containers_[m.who.tenant], at);
    });
  }
  void cancel_run(command_meta m, uuid run, slot<domain::run_state> slot) override {
    execute(runs_, m, run, slot, [](const auto& s) { return domain::decide_cancel(s); });
  }

  /// What a run's actor would do: one attempt of each job with this log and artifact, to its end.
  void finish(uuid run, domain::end_reason how, const std::string& log) {
    command_meta m;
    m.who.tenant = runs_[run].tenant;
    const auto job_count = runs_[run].jobs.size();
    for (std::size_t i = 0; i < job_count; ++i) {
      const auto job = runs_[run].jobs[i].id;
      const auto blob = store(m.who.tenant, log);
      act(m, run, [&](const auto& s) { return domain::decide_intend(s, job, {}); });
      act(m, run, [&](const auto&) -> outcome<domain::run_events> {
        return domain::run_events{
            domain::artifact_stored{job, "report \"1\".json", "application/json", blob}};
      });
      act(m, run, [&](const auto& s) { return domain::decide_end(s, job, {how, {}, blob}); });
    }
    act(m, run,
        [&](const auto& s) -> outcome<domain::run_events> { return domain::plan(s).events; });
  }
  domain::blob_ref store(uuid tenant, const std::string& bytes) {
    reads_.blobs[{tenant, to_hex(sha256(bytes))}] = bytes;
    return {sha256(bytes), static_cast<std::int64_t>(bytes.size()), false};
  }

 private:
  struct first_time {
    digest key_digest;
    std::any state;
    domain::position at;
  };

  template <class Decide>
  void act(const command_meta& m, uuid run, Decide decide) {
    execute(runs_, m, run, slot<domain::run_state>(), decide);
  }

  template <class State, class Decide>
  void execute(std::map<uuid, State>& states, const command_meta& m, uuid id, slot<State> slot,
               Decide decide) {
    metas.push_back(m);
    const auto key = m.who.principal + " " + m.route + " " + m.idempotency_key;
    if (const auto found = known_.find(key); found != known_.end()) {
      const auto& first = found->second;
      if (first.key_digest != m.key_digest) return slot.answer(reject(errc::key_reused, "", ""));
      return slot.answer(
          changed<State>{std::any_cast<std::shared_ptr<const State>>(first.state), first.at, true});
    }
    auto state = std::make_shared<State>(states[id]);
    if (m.if_match && *m.if_match != state->stream_version) {
      return slot.answer(reject(errc::precondition_failed, "it has changed"));
    }
    const auto events = decide(*state);
    if (!events) return slot.answer(events.error());
    for (const auto& event : *events) append(*state, m, id, event);
    states[id] = *state;
    render(*state, m.who.tenant);
    const auto at = events->empty() ? 0 : reads_.head();
    if (!m.idempotency_key.empty()) {
      known_[key] = {m.key_digest, std::shared_ptr<const State>(state), at};
    }
    slot.answer(changed<State>{state, at, false});
  }

  template <class State, class Event>
  void append(State& state, const command_meta& m, uuid id, const Event& event) {
    domain::event_record e;
    e.position = reads_.head() + 1;
    e.epoch = 1;
    e.stream = domain::stream_of<State>(id);
    e.version = state.stream_version + 1;
    e.type = codec::type_of(event);
    e.tenant = m.who.tenant;
    e.payload = codec::encode_event(event);
    e.meta.principal = m.who.principal;
    e.meta.correlation_id = m.correlation_id;
    e.meta.request_digest = m.body_digest;
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
  void render(const domain::image_list_state& s, uuid tenant) {
    for (const auto& e : s.entries) {
      put(collection::image_allowlist, tenant, e.created_position, domain::document_of(e));
    }
  }
  void render(const domain::container_list_state& s, uuid tenant) {
    for (const auto& e : s.entries) {
      put(collection::container_allowlist, tenant, e.created_position, domain::document_of(e));
    }
  }
  void render(const domain::access_state& s, uuid tenant) {
    for (const auto& t : s.tokens) {
      put(collection::tokens, tenant, t.created_position, domain::document_of(t));
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
  std::map<uuid, domain::directive_state> directives_;
  std::map<uuid, domain::image_list_state> images_;
  std::map<uuid, domain::container_list_state> containers_;
  std::map<uuid, domain::access_state> access_;
  std::map<uuid, domain::llm_usage_state> usage_;
  std::map<uuid, domain::run_state> runs_;
  std::map<uuid, uuid> defaults_;
  std::map<std::string, first_time> known_;
};

/// An answer, taken apart.
struct answer {
  int status = 0;
  std::string body, content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<body_stream> stream;

  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
  /// The text at a path of members ("jobs/0/id"): strings bare, the rest as JSON; "" if not there.
  std::string at(std::string_view path) const {
    const auto doc = codec::parse_strict(body);
    if (!doc) return {};
    auto node = doc->root();
    while (!path.empty()) {
      const auto key = path.substr(0, path.find('/'));
      path.remove_prefix(std::min(key.size() + 1, path.size()));
      if (node.is_array()) {
        const auto i = parse_number(key);
        if (!i || static_cast<std::size_t>(*i) >= node.size()) return {};
        node = node.at(static_cast<std::size_t>(*i));
      } else {
        const auto next = node.is_object() ? node.find(key) : std::nullopt;
        if (!next) return {};
        node = *next;
      }
    }
    return node.is_string() ? std::string(node.as_string()) : node.text();
  }
  /// Everything that a stream of known length gives.
  std::string drained() const {
    std::string all = body;
    for (bool more = stream != nullptr; more;) {
      more = false;
      stream->next(reply_slot<std::string>([&](outcome<std::string> chunk) {
        if (!chunk || chunk->empty()) return;
        all += *chunk;
        more = true;
      }));
    }
    return all;
  }
};

/// Two tenants behind the real table: tokens "admin", "operator", "viewer", "auditor" of the first
/// one and "stranger", an admin of the other.
class world {
 public:
  world() {
    services_.commands = &commands;
    services_.reads = &reads;
    services_.feed = &feed;
    services_.ids = &real_ids();
    services_.clock = &real_clock();
    services_.engine = [] { return engine_view{"docker", true, "closed", "24", "1.41", true}; };
    services_.sign_head = [this](reply_slot<checkpoint_view> slot) { sign_head(slot); };
    services_.agents = [] {
      return std::vector<agent_view>{{"root", "rest_for_one", "up", "", 1, 0, {0}}};
    };
    table_ = std::make_unique<router>(router::make(all_routes(services_)).value());
    gateway_hooks hooks;
    hooks.authenticate = [](std::string_view token) { return who(token); };
    dispatch_ = std::make_unique<dispatcher>(*table_, dispatch_limits{}, hooks, real_ids());
    for (const char* name : {"tenant", "other"}) {
      domain::directive_spec spec;
      spec.name = "default";
      spec.tasks.resize(1);
      domain::name_tasks(spec.tasks);
      commands.create_default_directive(named(name), spec);
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
                    "token:" + to_string(named(name)), has};
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
    dispatch_->run(it, body, responder([&](outcome<response> given) {
                     got = taken(dispatch_->finish(it, std::move(given)));
                   }));
    return got;
  }
  const std::vector<route>& routes() const { return table_->routes(); }

  memory_reads reads;
  memory_commands commands{reads};
  event_feed feed{reads};
  std::function<void(reply_slot<checkpoint_view>)> sign_head;

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

  services services_;
  std::unique_ptr<router> table_;
  std::unique_ptr<dispatcher> dispatch_;
};

}  // namespace routes_fixture
