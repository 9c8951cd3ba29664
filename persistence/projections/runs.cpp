// Runs with their labels, jobs, and the blobs that they name.

#include "codec/codec.hpp"
#include "persistence/named_blobs.hpp"
#include "persistence/projections/rows.hpp"

#include <set>

namespace reeve::persistence {
namespace {

using namespace rows;

constexpr auto source_of_runs = domain::aggregate_of<domain::run_state>::prefix;

/// The snapshot never changes, so it stands behind everything that does.
const projection& runs() {
  static const projection of{
      .name = "runs",
      .source = source_of_runs,
      .version = 2,
      .columns = {{"tenant", "uuid", key},
                  {"id", "uuid", key},
                  {"directive_id", "uuid"},
                  {"directive_name", "text"},
                  {"is_simulated", "boolean"},
                  {"retry_of", "uuid"},
                  {"created_position", "bigint"},
                  {"created_at_us", "bigint"},
                  {"status", "text"},
                  {"started_position", "bigint"},
                  {"finished_position", "bigint"},
                  {"last_position", "bigint"},
                  {"started_at_us", "bigint"},
                  {"finished_at_us", "bigint"},
                  {"doc", "text"},
                  {"snapshot", "text"}},
      .filters = {"status", "directive_id", "directive_name", "is_simulated", "retry_of"},
      .indexed = {{"status", "pending"}, {"status", "running"}, {"directive_id"}},
      .subjects = {{"run", "id"}},
      .labels = "run_labels"};
  return of;
}

/// A label's rows lie in the order of a list of runs, so its pages need no sort.
const projection& run_labels() {
  static const projection of{.name = "run_labels",
                             .source = source_of_runs,
                             .columns = {{"tenant", "uuid", key},
                                         {"key", "text", key},
                                         {"value", "text", key},
                                         {"created_position", "bigint", key},
                                         {"object", "uuid", key}}};
  return of;
}

const projection& jobs() {
  static const projection of{.name = "jobs",
                             .source = source_of_runs,
                             .version = 3,
                             .columns = {{"tenant", "uuid", key},
                                         {"id", "uuid", key},
                                         {"run_id", "uuid"},
                                         {"ordinal", "int"},
                                         {"task", "text"},
                                         {"created_position", "bigint"},
                                         {"status", "text"},
                                         {"is_quarantined", "boolean"},
                                         {"started_position", "bigint"},
                                         {"finished_position", "bigint"},
                                         {"last_position", "bigint"},
                                         {"doc", "text"}},
                             .filters = {"status", "task", "run_id", "is_quarantined"},
                             .indexed = {{"run_id"},
                                         {"is_quarantined", "true"},
                                         {"status", "pending"},
                                         {"status", "running"}},
                             .subjects = {{"job", "id"}, {"run", "run_id"}}};
  return of;
}

const projection& blob_refs() {
  static const projection of{.name = "blob_refs",
                             .source = source_of_runs,
                             .version = 2,
                             .columns = {{"tenant", "uuid", key},
                                         {"job_id", "uuid", key},
                                         {"name", "text", key},
                                         {"sha256", "bytea"},
                                         {"bytes", "bigint"},
                                         {"created_position", "bigint"}}};
  return of;
}

void add_job(const domain::run_state& run, const domain::job_state& job, row_sink& to) {
  add(to, jobs(), text(run.tenant), text(job.id), text(run.id),
      text(static_cast<std::int64_t>(job.ordinal)), std::string(kind_of(run.task_of(job).params)),
      text(run.created_position), std::string(name_of(job.status)), text(job.is_quarantined()),
      text(job.started_position), text(job.finished_position), text(job.last_position),
      codec::encode_document(document_of(run, job)));
}

void add_run(const domain::run_state& run, row_sink& to) {
  const auto& directive = run.launch->directive;
  add(to, runs(), text(run.tenant), text(run.id), text(directive.id), directive.name,
      text(is_simulated(run)), text(run.launch->retry_of), text(run.created_position),
      text(run.created_at), std::string(name_of(run.status)), text(run.started_position),
      text(run.finished_position), text(run.last_position), text(run.started_at),
      text(run.finished_at), codec::encode_document(document_of(run)),
      codec::encode_document(directive));
}

}  // namespace

projection_list projections_of(rows_of<domain::run_state>) {
  return {&runs(), &run_labels(), &jobs(), &blob_refs()};
}

void project(const happened<domain::run_state>& what, row_sink& to) {
  const auto& after = what.after;
  std::set<uuid> touched;
  for (std::size_t i = 0; i < what.events.size(); ++i) {
    for (const auto& blob : blobs_of(what.events[i])) {
      add(to, blob_refs(), text(after.tenant), text(blob.job), blob.name, text(blob.content.sha256),
          text(blob.content.bytes), text(what.stamps[i].at));
    }
    std::visit(
        [&](const auto& e) {
          using type = std::decay_t<decltype(e)>;
          if constexpr (requires { e.job; }) touched.insert(e.job);
          if constexpr (std::is_same_v<type, domain::run_launched>) {
            touched.insert(e.jobs.begin(), e.jobs.end());
            for (const auto& [name, value] : e.labels) {
              add(to, run_labels(), text(after.tenant), name, value, text(after.created_position),
                  text(after.id));
            }
          }
        },
        what.events[i]);
  }
  add_run(after, to);
  for (const auto& id : touched) {
    if (const auto* job = after.find(id)) add_job(after, *job, to);
  }
}

}  // namespace reeve::persistence
