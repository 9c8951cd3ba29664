#pragma once
// Commands of clients, turned into executor operations and launches.

#include "actors/executor_front.hpp"
#include "actors/runs/launcher.hpp"
#include "actors/runs/run_actor.hpp"

namespace reeve::actors {

struct executor_fronts {
  executor_fronts(journal_port& journal, persistence::read_port& reads)
      : directives(journal, reads),
        image_allowlist(journal, reads),
        container_allowlist(journal, reads),
        llm(journal, reads),
        access(journal, reads) {}
  executor_front<domain::directive_state> directives;
  executor_front<domain::image_list_state> image_allowlist;
  executor_front<domain::container_list_state> container_allowlist;
  executor_front<domain::llm_usage_state> llm;
  executor_front<domain::access_state> access;
};

class command_dispatcher final : public commands {
 public:
  command_dispatcher(executor_fronts& fronts, run_ports& ports,
                     std::shared_ptr<actor_slot> launcher)
      : fronts_(fronts), ports_(ports), launcher_(std::move(launcher)) {}

  void create_directive(command_context c, domain::directive_spec spec,
                        slot<domain::directive_state> slot) override;
  void revise_directive(command_context c, uuid id, domain::directive_spec spec,
                        slot<domain::directive_state> slot) override;
  void archive_directive(command_context c, uuid id, slot<domain::directive_state> slot) override;
  void allow_image(command_context c, domain::image_allowed entry,
                   slot<domain::image_list_state> slot) override;
  void deny_image(command_context c, uuid id, slot<domain::image_list_state> slot) override;
  void allow_container(command_context c, domain::container_allowed entry,
                       slot<domain::container_list_state> slot) override;
  void deny_container(command_context c, uuid id, slot<domain::container_list_state> slot) override;
  void record_llm_call(command_context c, uuid call, uuid job, uuid run,
                       domain::llm_call_request request,
                       slot<domain::llm_usage_state> slot) override;
  void create_token(command_context c, domain::token_created token,
                    slot<domain::access_state> slot) override;
  void revoke_token(command_context c, uuid id, slot<domain::access_state> slot) override;
  void launch(command_context c, launch_request request, slot<domain::run_state> slot) override;
  void cancel_run(command_context c, uuid run, slot<domain::run_state> slot) override;
  void create_tenant(command_context c, std::string name, slot<domain::access_state> slot) override;

 private:
  executor_fronts& fronts_;
  run_ports& ports_;
  std::shared_ptr<actor_slot> launcher_;
};

}  // namespace reeve::actors
