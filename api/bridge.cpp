#include "api/bridge.hpp"

#include "actors/command_port.hpp"

#include <utility>

namespace reeve::api {
namespace {

template <class State>
reply_slot<actors::executed<State>> pass(command_port::slot<State> slot) {
  return reply_slot<actors::executed<State>>([slot](outcome<actors::executed<State>> result) {
    if (!result) return slot.answer(result.error());
    slot.answer(changed<State>{result->state, result->at, result->replayed});
  });
}

class bridge final : public command_port {
 public:
  bridge(actors::commands& to, id_source& ids) : to_(to), ids_(ids) {}

  void create_directive(command_meta m, domain::directive_spec spec,
                        slot<domain::directive_state> slot) override {
    to_.create_directive(context(m), std::move(spec), pass(slot));
  }
  void revise_directive(command_meta m, uuid id, domain::directive_spec spec,
                        slot<domain::directive_state> slot) override {
    to_.revise_directive(context(m), id, std::move(spec), pass(slot));
  }
  void archive_directive(command_meta m, uuid id, slot<domain::directive_state> slot) override {
    to_.archive_directive(context(m), id, pass(slot));
  }
  void allow_image(command_meta m, domain::image_allowed entry,
                   slot<domain::image_list_state> slot) override {
    to_.allow_image(context(m), std::move(entry), pass(slot));
  }
  void deny_image(command_meta m, uuid id, slot<domain::image_list_state> slot) override {
    to_.deny_image(context(m), id, pass(slot));
  }
  void allow_container(command_meta m, domain::container_allowed entry,
                       slot<domain::container_list_state> slot) override {
    to_.allow_container(context(m), std::move(entry), pass(slot));
  }
  void deny_container(command_meta m, uuid id, slot<domain::container_list_state> slot) override {
    to_.deny_container(context(m), id, pass(slot));
  }
  void record_llm_call(command_meta m, uuid call, uuid job, uuid run,
                       domain::llm_call_request request,
                       slot<domain::llm_usage_state> slot) override {
    to_.record_llm_call(context(m), call, job, run, std::move(request), pass(slot));
  }
  void create_token(command_meta m, domain::token_created token,
                    slot<domain::access_state> slot) override {
    to_.create_token(context(m), std::move(token), pass(slot));
  }
  void revoke_token(command_meta m, uuid id, slot<domain::access_state> slot) override {
    to_.revoke_token(context(m), id, pass(slot));
  }
  void launch(command_meta m, launch_order order, slot<domain::run_state> slot) override {
    actors::launch_request request;
    request.directive_id = order.directive_id;
    request.directive = std::move(order.directive);
    request.snapshot = std::move(order.snapshot);
    request.tasks = std::move(order.tasks);
    request.since = std::move(order.since);
    request.labels = std::move(order.labels);
    request.retry_of = order.retry_of;
    to_.launch(context(m), std::move(request), pass(slot));
  }
  void cancel_run(command_meta m, uuid run, slot<domain::run_state> slot) override {
    to_.cancel_run(context(m), run, pass(slot));
  }

 private:
  actors::command_context context(const command_meta& m) {
    actors::command_context c;
    c.tenant = m.who.tenant;
    c.meta.principal = m.who.principal;
    c.meta.command_id = ids_.next();
    c.meta.correlation_id = m.correlation_id;
    c.meta.request_digest = m.body_digest;
    c.meta.traceparent = m.traceparent;
    c.if_match = m.if_match;
    if (!m.idempotency_key.empty()) {
      c.command = persistence::command_key{m.who.tenant, m.who.principal, m.route,
                                           m.idempotency_key, m.key_digest};
    }
    return c;
  }

  actors::commands& to_;
  id_source& ids_;
};

}  // namespace

std::unique_ptr<command_port> make_bridge(actors::commands& commands, id_source& ids) {
  return std::make_unique<bridge>(commands, ids);
}

}  // namespace reeve::api
