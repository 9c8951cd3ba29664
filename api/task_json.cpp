#include "api/task_json.hpp"

#include "codec/codec.hpp"
#include "codec/schema.hpp"

namespace reeve::api {
namespace {

rejection no_such_kind(const std::string& at) {
  return reject(errc::invalid, "the kind is one of " + domain::kinds_in_words(), at);
}

/// The object form with the kind as text, so that aliases are understood; it says what the
/// parameters are.
struct task_body {
  std::string kind;
  std::string name;
  std::vector<std::string> needs;
  std::optional<domain::json_text> params;
  std::optional<std::string> since;
  std::optional<std::int64_t> timeout_s;
  std::optional<std::int64_t> retries;
  std::int64_t priority = 0;
  static constexpr auto fields() {
    using domain::field;
    using domain::maybe;
    return std::tuple{
        field("kind", &task_body::kind),       maybe("name", &task_body::name),
        maybe("needs", &task_body::needs),     field("params", &task_body::params),
        field("since", &task_body::since),     field("timeout_s", &task_body::timeout_s),
        field("retries", &task_body::retries), maybe("priority", &task_body::priority)};
  }
};

outcome<done> decode_params(const std::optional<domain::json_text>& given,
                            domain::task_params& params, const std::string& at) {
  if (!given) return done{};
  auto doc = codec::parse_strict(given->text);
  if (!doc) return doc.error();
  return std::visit(
      [&]<class Params>(Params& held) -> outcome<done> {
        auto read = codec::decode<Params>(doc->root(), at);
        if (!read) return read.error();
        held = std::move(*read);
        return done{};
      },
      params);
}

outcome<domain::task_spec> decode_task(const domain::json_text& text, const std::string& at) {
  auto doc = codec::parse_strict(text.text);
  if (!doc) return doc.error();
  domain::task_spec task;
  if (doc->root().is_string()) {
    auto kind = domain::kind_named(doc->root().as_string());
    if (!kind) return no_such_kind(at);
    task.params = std::move(*kind);
    return task;
  }
  if (!doc->root().is_object()) {
    return reject(errc::invalid, "a task is the name of a kind or an object", at);
  }
  auto body = codec::decode<task_body>(doc->root(), at);
  if (!body) return body.error();
  auto kind = domain::kind_named(body->kind);
  if (!kind) return no_such_kind(at + "/kind");
  task.params = std::move(*kind);
  if (auto ok = decode_params(body->params, task.params, at + "/params"); !ok) return ok.error();
  task.name = std::move(body->name);
  task.needs = std::move(body->needs);
  task.since = std::move(body->since);
  task.timeout_s = body->timeout_s;
  task.retries = body->retries;
  task.priority = body->priority;
  return task;
}

}  // namespace

std::string task_object_schema() {
  return codec::json_schema<task_body>();
}

outcome<std::vector<domain::task_spec>> decode_tasks(const std::vector<domain::json_text>& tasks,
                                                     const std::string& at) {
  if (tasks.empty()) return reject(errc::invalid, "at least one task is needed", at);
  if (tasks.size() > domain::max_tasks) {
    return reject(errc::invalid, "at most 100 tasks are allowed", at);
  }
  std::vector<domain::task_spec> specs;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    auto task = decode_task(tasks[i], at + "/" + std::to_string(i));
    if (!task) return task.error();
    specs.push_back(std::move(*task));
  }
  return specs;
}

outcome<domain::directive_spec> decode_directive(const directive_body& body,
                                                 const std::string& at) {
  auto tasks = decode_tasks(body.tasks, at + "/tasks");
  if (!tasks) return tasks.error();
  domain::directive_spec spec;
  spec.name = body.name;
  spec.description = body.description;
  spec.tasks = std::move(*tasks);
  spec.limits = body.limits;
  spec.labels = body.labels;
  return spec;
}

}  // namespace reeve::api
