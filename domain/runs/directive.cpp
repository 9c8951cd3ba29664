#include "domain/runs/directive.hpp"

namespace reeve::domain {

void evolve(directive_state& s, const directive_event& event, const evolve_context& context) {
  s.stream_version = context.stamp.version_in_stream;
  s.last_position = context.stamp.at;
  s.updated_at = context.stamp.recorded_at_us;
  std::visit(overloaded{[&](const directive_created& e) {
                          s.id = e.id;
                          s.tenant = context.tenant;
                          s.version = 1;
                          s.spec = e.spec;
                          s.is_default = e.is_default;
                          s.created_position = context.stamp.at;
                          s.created_at = context.stamp.recorded_at_us;
                        },
                        [&](const directive_revised& e) {
                          s.version = e.version;
                          s.spec = e.spec;
                        },
                        [&](const directive_archived&) { s.is_archived = true; }},
             event);
}

outcome<directive_events> decide(const directive_state& state, const create_directive& c) {
  if (state.stream_version != 0) return reject(errc::conflict, "the directive exists already");
  auto spec = c.spec;
  name_tasks(spec.tasks);
  if (auto ok = check_directive(spec, ""); !ok) return ok.error();
  return directive_events{directive_created{c.id, std::move(spec), c.is_default}};
}

outcome<directive_events> decide(const directive_state& state, const revise_directive& c) {
  if (state.stream_version == 0) return reject(errc::not_found, "there is no such resource");
  if (state.is_archived) return reject(errc::conflict, "the directive is archived");
  auto spec = c.spec;
  name_tasks(spec.tasks);
  if (auto ok = check_directive(spec, ""); !ok) return ok.error();
  if (spec == state.spec) return directive_events{};
  return directive_events{directive_revised{state.id, state.version + 1, std::move(spec)}};
}

outcome<directive_events> decide(const directive_state& state, const archive_directive&) {
  if (state.stream_version == 0) return reject(errc::not_found, "there is no such resource");
  if (state.is_default) return reject(errc::conflict, "the default directive cannot be archived");
  if (state.is_archived) return directive_events{};
  return directive_events{directive_archived{state.id}};
}

directive_spec default_directive() {
  directive_spec spec;
  spec.name = "default";
  spec.description = "Triage of the logs of all allowlisted containers.";
  spec.tasks.resize(1);
  return spec;
}

directive_document document_of(const directive_state& s) {
  directive_document d;
  d.id = s.id;
  d.name = s.spec.name;
  d.description = s.spec.description;
  d.version = s.version;
  d.is_default = s.is_default;
  d.is_archived = s.is_archived;
  d.tasks = s.spec.tasks;
  d.limits = s.spec.limits;
  d.labels = s.spec.labels;
  d.created_at = {s.created_at};
  d.updated_at = {s.updated_at};
  return d;
}

}  // namespace reeve::domain
