#include "actors/command_dispatcher.hpp"

namespace reeve::actors {
namespace {

template <class State, class Decide>
std::shared_ptr<execute<State>> operation(command_context c, uuid id, Decide decide,
                                          reply_slot<executed<State>> slot) {
  auto op = std::make_shared<execute<State>>();
  op->tenant = c.tenant;
  op->id = id;
  op->decide = std::move(decide);
  op->meta = std::move(c.meta);
  op->if_match = c.if_match;
  op->command = std::move(c.command);
  op->slot = std::move(slot);
  return op;
}

/// "A stream of another tenant" and "no stream" are the same answer.
template <class State>
bool is_foreign(const State& state, const uuid& tenant) {
  return state.stream_version == 0 || state.tenant != tenant;
}

}  // namespace

void command_dispatcher::create_directive(command_context c, domain::directive_spec spec,
                                          slot<domain::directive_state> slot) {
  const uuid id = ports_.ids.next();
  domain::name_tasks(spec.tasks);
  fronts_.directives.submit(operation<domain::directive_state>(
      std::move(c), id,
      [id, spec](const auto& state) { return domain::decide_create(state, id, spec, false); },
      std::move(slot)));
}

void command_dispatcher::revise_directive(command_context c, uuid id, domain::directive_spec spec,
                                          slot<domain::directive_state> slot) {
  domain::name_tasks(spec.tasks);
  const uuid tenant = c.tenant;
  fronts_.directives.submit(operation<domain::directive_state>(
      std::move(c), id,
      [tenant, spec](const auto& state) -> outcome<domain::directive_events> {
        if (is_foreign(state, tenant)) return reject(errc::not_found, "there is no such directive");
        return domain::decide_revise(state, spec);
      },
      std::move(slot)));
}

void command_dispatcher::archive_directive(command_context c, uuid id,
                                           slot<domain::directive_state> slot) {
  const uuid tenant = c.tenant;
  fronts_.directives.submit(operation<domain::directive_state>(
      std::move(c), id,
      [tenant](const auto& state) -> outcome<domain::directive_events> {
        if (is_foreign(state, tenant)) return reject(errc::not_found, "there is no such directive");
        return domain::decide_archive(state);
      },
      std::move(slot)));
}

void command_dispatcher::allow_image(command_context c, domain::image_allowed entry,
                                     slot<domain::image_list_state> slot) {
  entry.id = ports_.ids.next();
  auto submit = [this, c = std::move(c), slot](domain::image_allowed resolved) {
    const uuid list = c.tenant;
    fronts_.image_allowlist.submit(operation<domain::image_list_state>(
        c, list, [resolved](const auto& state) { return domain::decide_allow(state, resolved); },
        slot));
  };
  auto reference = domain::parse_image_reference(entry.reference);
  if (!reference) return submit(std::move(entry));  // a pattern, or refused by the decision
  using image = adapters::image_info;
  ports_.engine.inspect_image(to_string(*reference),
                              reply_slot<image>([entry, submit](outcome<image> found) mutable {
                                if (found) entry.digest = found->id;
                                submit(std::move(entry));
                              }));
}

void command_dispatcher::deny_image(command_context c, uuid id,
                                    slot<domain::image_list_state> slot) {
  const uuid list = c.tenant;
  fronts_.image_allowlist.submit(operation<domain::image_list_state>(
      std::move(c), list, [id](const auto& state) { return domain::decide_deny(state, id); },
      std::move(slot)));
}

void command_dispatcher::allow_container(command_context c, domain::container_allowed entry,
                                         slot<domain::container_list_state> slot) {
  entry.id = ports_.ids.next();
  auto submit = [this, c = std::move(c), slot](domain::container_allowed resolved) {
    const uuid list = c.tenant;
    fronts_.container_allowlist.submit(operation<domain::container_list_state>(
        c, list, [resolved](const auto& state) { return domain::decide_allow(state, resolved); },
        slot));
  };
  if (entry.container_id || entry.name.empty()) return submit(std::move(entry));
  using info = adapters::container_info;
  ports_.engine.inspect(entry.name, reply_slot<info>([entry, submit](outcome<info> found) mutable {
                          if (found) entry.container_id = found->id;
                          submit(std::move(entry));
                        }));
}

void command_dispatcher::deny_container(command_context c, uuid id,
                                        slot<domain::container_list_state> slot) {
  const uuid list = c.tenant;
  fronts_.container_allowlist.submit(operation<domain::container_list_state>(
      std::move(c), list, [id](const auto& state) { return domain::decide_deny(state, id); },
      std::move(slot)));
}

void command_dispatcher::record_llm_call(command_context c, uuid call, uuid job, uuid run,
                                         domain::llm_call_request request,
                                         slot<domain::llm_usage_state> slot) {
  fronts_.llm.submit(operation<domain::llm_usage_state>(
      std::move(c), job,
      [call, job, run, request](const auto& state) {
        return domain::decide_record(state, call, job, run, request);
      },
      std::move(slot)));
}

void command_dispatcher::create_token(command_context c, domain::token_created token,
                                      slot<domain::access_state> slot) {
  const uuid tenant = c.tenant;
  fronts_.access.submit(operation<domain::access_state>(
      std::move(c), tenant,
      [token](const auto& state) { return domain::decide_token(state, token); }, std::move(slot)));
}

void command_dispatcher::revoke_token(command_context c, uuid id, slot<domain::access_state> slot) {
  const uuid tenant = c.tenant;
  fronts_.access.submit(operation<domain::access_state>(
      std::move(c), tenant, [id](const auto& state) { return domain::decide_revoke(state, id); },
      std::move(slot)));
}

void command_dispatcher::launch(command_context c, launch_request request,
                                slot<domain::run_state> slot) {
  const auto launcher = launcher_->get();
  if (!launcher) return slot.answer(reject(errc::unavailable, "the launcher is being started"));
  auto call = std::make_shared<launch_call>();
  call->context = std::move(c);
  call->request = std::move(request);
  call->slot = std::move(slot);
  cc::post(launcher, launch_message{std::move(call)});
}

/// A run that is over, or was never there, has no actor: its state decides what is answered.
void command_dispatcher::cancel_run(command_context c, uuid run, slot<domain::run_state> slot) {
  using answer = std::shared_ptr<const domain::run_state>;
  const uuid tenant = c.tenant;
  rebuild<domain::run_state>(
      ports_.reads, tenant, domain::stream_of<domain::run_state>(run), no_end,
      reply_slot<answer>([this, c = std::move(c), run, slot](outcome<answer> state) {
        if (!state) return slot.answer(state.error());
        auto events = domain::decide_cancel(**state);
        if (!events) return slot.answer(events.error());
        auto actor = ports_.registry.find(run);
        if (!actor) return slot.answer(reject(errc::unavailable, "the run is being taken up"));
        auto call = std::make_shared<run_cancel>();
        call->context = c;
        call->slot = slot;
        cc::post(actor, run_cancel_message{std::move(call)});
      }));
}

void command_dispatcher::create_tenant(command_context c, std::string name,
                                       slot<domain::access_state> slot) {
  const uuid tenant = c.tenant;
  const uuid directive = ports_.ids.next();
  domain::directive_spec spec;
  spec.name = "default";
  spec.description = "Triage of the logs of all allowlisted containers.";
  spec.tasks.resize(1);
  domain::name_tasks(spec.tasks);
  auto rest = c;
  using directive_answer = executed<domain::directive_state>;
  fronts_.directives.submit(operation<domain::directive_state>(
      std::move(c), directive,
      [directive, spec](const auto& state) {
        return domain::decide_create(state, directive, spec, true);
      },
      reply_slot<directive_answer>(
          [this, rest, tenant, directive, name, slot](outcome<directive_answer> made) {
            if (!made) return slot.answer(made.error());
            fronts_.access.submit(operation<domain::access_state>(
                rest, tenant,
                [tenant, name, directive](const auto& state) {
                  return domain::decide_tenant(state, tenant, name, directive);
                },
                slot));
          })));
}

}  // namespace reeve::actors
