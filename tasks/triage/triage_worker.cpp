#include "tasks/triage/triage_worker.hpp"

#include "adapters/container_owner_port.hpp"
#include "codec/codec.hpp"
#include "tasks/triage/log_triage.hpp"
#include "tasks/triage/log_triage_markdown.hpp"
#include "tasks/triage/log_zone.hpp"

#include <atomic>
#include <memory>
#include <utility>

namespace reeve::tasks {
namespace {

constexpr std::size_t page_bytes = 16 << 20;  // the most that the engine's port gives

/// The report of an earlier run may have 50,000 values.
std::optional<triage_baseline> baseline_from(const triage_request& request) {
  if (request.baseline_json.empty()) return std::nullopt;
  codec::json_limits limits;
  limits.nodes = 200'000;
  limits.bytes = 16 << 20;
  auto doc = codec::parse_strict(request.baseline_json, limits);
  if (!doc) return std::nullopt;
  auto report = codec::decode<triage_report>(doc->root());
  if (!report || report->format != triage_format) return std::nullopt;
  return baseline_of(*report, request.baseline_run);
}

/// One triage, blocking, until `stop` says otherwise.
class triage_task {
 public:
  triage_task(const triage_worker_options& options, adapters::container_engine& engine,
              const triage_request& request, time_us now, const std::atomic<bool>& stop)
      : options_(options),
        engine_(engine),
        request_(request),
        stop_(stop),
        triage_(options_of(request, now), options.rules, baseline_from(request)) {}

  outcome<std::vector<produced_artifact>> run() {
    for (const auto& one : request_.containers) {
      if (auto ok = read_container(one); !ok) return ok.error();
    }
    if (auto ok = read_files(); !ok) return ok.error();
    if (stop_) return server_stops();
    const auto report = triage_.finish();
    std::vector<produced_artifact> made;
    made.push_back({triage_json_name, "application/json", codec::encode_document(report)});
    made.push_back({triage_markdown_name, "text/markdown", to_markdown(report)});
    return made;
  }

 private:
  static triage_options options_of(const triage_request& request, time_us now) {
    triage_options o;
    o.now = now;
    o.local_offset_s = machine_offset_s;
    if (request.since_us > 0) o.since = request.since_us;
    o.max_lines = request.max_lines;
    return o;
  }

  template <class T, class Call>
  outcome<T> ask(Call call) const {
    return answer_of<T>(std::move(call), stop_);
  }

  outcome<adapters::log_answer> page(const std::string& container, std::int64_t since_ns) const {
    adapters::log_query query;
    query.since_ns = since_ns;
    query.max_bytes = page_bytes;
    return ask<adapters::log_answer>(
        [&](auto slot) { engine_.logs(container, query, std::move(slot)); });
  }

  /// The id of the container that has this name now, or which the entry is bound to: whatever the
  /// name comes to mean, the id is the container's whose labels were looked at. One that is not
  /// open to the tenant is not there. What the engine found by an id that looks like the name is
  /// another container.
  outcome<std::string> id_of(const allowed_container& entry) const {
    const auto& asked = entry.id ? *entry.id : entry.name;
    const auto found =
        ask<adapters::container_info>([&](auto slot) { engine_.inspect(asked, std::move(slot)); });
    if (!found && found.error().code != errc::not_found) return found.error();
    const bool is_it = found && (entry.id ? found->id : found->name) == asked &&
                       is_there_for(request_.by, found->name, found->labels);
    if (is_it && found->labels.contains(std::string(adapters::secrets_label))) {
      return reject(errc::invalid, "the job got named secrets: its output is in its own log");
    }
    if (is_it) return found->id;
    return reject(errc::not_found, entry.id ? "the container that was listed is not there any more"
                                            : "there is no such container");
  }

  /// Whether another try might read the log: the engine is away or has no room, or we stop. All
  /// else is this container's own trouble, and the others are read.
  bool is_everybodys(const rejection& why) const {
    if (stop_ || why.code == errc::engine_unavailable || why.code == errc::overloaded) return true;
    if (why.code != errc::timed_out) return false;
    return !ask<done>([&](auto slot) { engine_.ping(slot); });
  }

  /// One whose log cannot be read is said in the report; the others are read.
  outcome<done> without(std::size_t source, const rejection& why, const std::string& problem) {
    if (is_everybodys(why)) return why;
    triage_.close(source, false, problem);
    return done{};
  }

  outcome<done> read_container(const allowed_container& entry) {
    const auto source = triage_.open(entry.name, log_source_kind::container);
    if (!source) return done{};
    std::int64_t since_ns = request_.since_us * 1000;
    std::size_t bytes = 0;
    std::optional<std::string> problem;
    const auto id = id_of(entry);
    if (!id) return without(*source, id.error(), id.error().detail);
    for (;;) {
      auto answer = page(*id, since_ns);
      if (!answer) {
        const bool gone = answer.error().code == errc::not_found;
        return without(*source, answer.error(),
                       gone ? "there is no such container" : answer.error().detail);
      }
      const auto asked_from = since_ns;
      bool full = false;
      for (const auto& line : answer->lines) {
        if (stop_) return server_stops();
        bytes += line.text.size();
        const auto at = line.at_ns > 0 ? std::optional<time_us>(line.at_ns / 1000) : std::nullopt;
        const auto channel =
            line.stream == adapters::log_stream::err ? log_channel::err : log_channel::out;
        full = !triage_.add(*source, line.text, at, channel);
        if (full) break;
        if (at) since_ns = std::max(since_ns, line.at_ns + 1);
      }
      if (!problem && !answer->problem.empty()) problem = std::move(answer->problem);
      // A page without a later stamp would be given again, and counted again, for ever.
      const bool is_last = !answer->truncated || since_ns == asked_from;
      if (full || is_last || bytes >= options_.container_bytes) {
        triage_.close(*source, full || answer->truncated, std::move(problem));
        return done{};
      }
    }
  }

  /// What cannot be read is told in the report; but a task all of whose inputs are files that are
  /// not there has asked for something else.
  outcome<done> read_files() {
    if (request_.files.empty()) return done{};
    const auto folder = options_.open_logs(request_.by.tenant);
    std::size_t refused = 0;
    for (const auto& name : request_.files) {
      if (stop_) return server_stops();
      const auto source = triage_.open(name, log_source_kind::file);
      if (!source) break;
      if (!folder) {
        triage_.close(*source, false, "there is no log folder");
        ++refused;
      } else if (!read_file(**folder, name, *source)) {
        ++refused;
      }
    }
    if (refused < request_.files.size() || !request_.containers.empty()) return done{};
    return reject(errc::not_found, "none of the files can be read");
  }

  std::optional<time_us> since() const {
    return request_.since_us > 0 ? std::optional(request_.since_us) : std::nullopt;
  }

  /// False if it could not even be begun.
  bool read_file(const adapters::log_files& folder, const std::string& name, std::size_t source) {
    bool begun = false;
    auto reading = folder.read(name, since(), [&](std::string_view line) {
      begun = true;
      return !stop_ && triage_.add(source, line);
    });
    if (!reading) {
      triage_.close(source, false, reading.error().detail);
      return begun;
    }
    std::optional<std::string> problem;
    if (!reading->no_text.empty()) problem = "not read: it is " + std::string(reading->no_text);
    triage_.close(source, reading->truncated, std::move(problem));
    return true;
  }

  const triage_worker_options& options_;
  adapters::container_engine& engine_;
  const triage_request& request_;
  const std::atomic<bool>& stop_;
  log_triage triage_;
};

}  // namespace

triage_worker::triage_worker(triage_worker_options options, adapters::container_engine& engine,
                             clock_port& clock)
    : options_(std::move(options)), engine_(engine), clock_(clock) {}

void triage_worker::run(triage_request request, reply_slot<std::vector<produced_artifact>> slot) {
  const work_source whose{request.by.tenant, request.job};
  auto its = request.its_end;
  // Shared: a baseline may be large, and functions are copied.
  const auto asked = std::make_shared<const triage_request>(std::move(request));
  worker_.run(
      whose, std::move(its),
      [this, asked](const std::atomic<bool>& stops) {
        return triage_task(options_, engine_, *asked, clock_.now_us(), stops).run();
      },
      std::move(slot));
}

}  // namespace reeve::tasks
