#pragma once
// Tasks and directives as clients write them: a task is a name ("log_triage", "task1") or an
// object.

#include "base/outcome.hpp"
#include "domain/json_text.hpp"
#include "domain/runs/task.hpp"

#include <string>
#include <vector>

namespace reeve::api {

/// A directive as a client writes it.
struct directive_body {
  std::string name;
  std::string description;
  std::vector<domain::json_text> tasks;
  domain::directive_limits limits;
  domain::label_map labels;
  static constexpr auto fields() {
    using domain::field;
    using domain::maybe;
    return std::tuple{
        field("name", &directive_body::name), maybe("description", &directive_body::description),
        field("tasks", &directive_body::tasks), maybe("limits", &directive_body::limits),
        maybe("labels", &directive_body::labels)};
  }
};

/// The schema of a task's object form, whose kind and parameters are any.
std::string task_object_schema();

/// The form alone; what a task or directive may say is decided in domain/. `at` is the pointer of
/// the array. Errors name the element: /tasks/0, /tasks/1/kind.
outcome<std::vector<domain::task_spec>> decode_tasks(const std::vector<domain::json_text>& tasks,
                                                     const std::string& at);
outcome<domain::directive_spec> decode_directive(const directive_body& body, const std::string& at);

}  // namespace reeve::api
