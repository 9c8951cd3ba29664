#pragma once
// An attempt, which is one try of a job: its events, what they add up to, and what readers see of
// it. Intent comes before every effect (`attempt_intended`), its result afterwards.

#include "domain/aggregate.hpp"
#include "domain/runs/line_streams.hpp"
#include "domain/runs/run_types.hpp"

#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace reeve::domain {

struct attempt_intended {
  static constexpr std::string_view type = "attempt_intended";
  uuid job;
  std::int64_t attempt = 0;              // 1..
  std::string executor;                  // who carries it out: "engine", or "reeve" itself
  std::string engine;                    // "docker" or "simulated", for ever
  std::optional<std::string> engine_id;  // the engine's own: another one has another
  std::optional<std::string> node;       // where it was placed
  std::int64_t timeout_ms = 0;           // of its execution, and as much for its start to come
  std::int64_t waited_ms = 0;            // of the time for its start, until this event was decided
  std::int64_t epoch = 0;                // of the leadership that decided it
  std::optional<digest> spec_hash;       // of what the engine is asked for
  std::optional<std::string> container_name;
  std::optional<std::string> image;     // normalised reference
  std::optional<std::string> image_id;  // "sha256:…", checked again between create and start
  std::optional<std::string> volume;  // at /reeve, there before this event; else of the name above
  /// That it gets; not told if there are none.
  std::optional<std::vector<secret_use>> secrets = {};
  /// It may call language models, with a token of its own (base/attempt_token.hpp); not told if
  /// not.
  std::optional<bool> llm = {};
  /// The id of the key that its token is made with (base/sealing.hpp); with another one nobody has
  /// the same token again.
  std::optional<std::string> llm_key = {};
  bool operator==(const attempt_intended&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &attempt_intended::job),
                      field("attempt", &attempt_intended::attempt),
                      field("executor", &attempt_intended::executor),
                      field("engine", &attempt_intended::engine),
                      field("engine_id", &attempt_intended::engine_id),
                      field("node", &attempt_intended::node),
                      field("timeout_ms", &attempt_intended::timeout_ms),
                      field("waited_ms", &attempt_intended::waited_ms),
                      field("epoch", &attempt_intended::epoch),
                      field("spec_hash", &attempt_intended::spec_hash),
                      field("container_name", &attempt_intended::container_name),
                      field("image", &attempt_intended::image),
                      field("image_id", &attempt_intended::image_id),
                      field("volume", &attempt_intended::volume),
                      field("secrets", &attempt_intended::secrets),
                      field("llm", &attempt_intended::llm),
                      field("llm_key", &attempt_intended::llm_key)};
  }
};

struct container_created {
  static constexpr std::string_view type = "container_created";
  uuid job;
  std::int64_t attempt = 0;
  std::string container_id;
  bool operator==(const container_created&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &container_created::job),
                      field("attempt", &container_created::attempt),
                      field("container_id", &container_created::container_id)};
  }
};

struct attempt_started {
  static constexpr std::string_view type = "attempt_started";
  uuid job;
  std::int64_t attempt = 0;
  bool adopted = false;  // found after an unclear answer or a restart of the server
  /// By the engine's clock: another start of the same container has another one.
  std::optional<timestamp> engine_started_at;
  bool operator==(const attempt_started&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &attempt_started::job),
                      field("attempt", &attempt_started::attempt),
                      field("adopted", &attempt_started::adopted),
                      field("engine_started_at", &attempt_started::engine_started_at)};
  }
};

/// Precedes a stop of what runs.
struct stop_intended {
  static constexpr std::string_view type = "stop_intended";
  uuid job;
  std::int64_t attempt = 0;
  end_reason reason = end_reason::timed_out;  // or cancelled
  bool operator==(const stop_intended&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &stop_intended::job), field("attempt", &stop_intended::attempt),
                      field("reason", &stop_intended::reason)};
  }
};

struct attempt_ended {
  static constexpr std::string_view type = "attempt_ended";
  uuid job;
  std::int64_t attempt = 0;
  std::optional<std::int64_t> exit_code;
  end_reason reason = end_reason::exited;
  std::optional<blob_ref> log;  // stored before this event
  bool oom_killed = false;      // the kernel killed something of it, perhaps not the command
  /// Some of its output may be missing, or all of it, and not by its size; not told if false.
  std::optional<bool> log_incomplete = {};
  /// Its marks were stored before this event; nothing if nobody can say whose a line of the log is.
  std::optional<domain::log_streams> log_streams = {};
  bool operator==(const attempt_ended&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &attempt_ended::job),
                      field("attempt", &attempt_ended::attempt),
                      field("exit_code", &attempt_ended::exit_code),
                      field("reason", &attempt_ended::reason),
                      field("log", &attempt_ended::log),
                      field("oom_killed", &attempt_ended::oom_killed),
                      field("log_incomplete", &attempt_ended::log_incomplete),
                      field("log_streams", &attempt_ended::log_streams)};
  }
};

/// Precedes each new try of an attempt that a crash interrupted; n counts from 1, and anew once its
/// start is in the log.
struct work_attempted {
  static constexpr std::string_view type = "work_attempted";
  uuid job;
  std::int64_t attempt = 0;
  std::int64_t n = 0;
  std::int64_t epoch = 0;  // of the leadership that tries
  bool operator==(const work_attempted&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &work_attempted::job),
                      field("attempt", &work_attempted::attempt), field("n", &work_attempted::n),
                      field("epoch", &work_attempted::epoch)};
  }
};

/// The third crash while working on it: it waits for an operator.
struct work_quarantined {
  static constexpr std::string_view type = "work_quarantined";
  uuid job;
  std::int64_t attempt = 0;
  std::int64_t crashes = 0;
  bool operator==(const work_quarantined&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &work_quarantined::job),
                      field("attempt", &work_quarantined::attempt),
                      field("crashes", &work_quarantined::crashes)};
  }
};

/// An operator lets a quarantined attempt go on, with a fresh count.
struct work_released {
  static constexpr std::string_view type = "work_released";
  uuid job;
  std::int64_t attempt = 0;
  std::string reason;  // the operator's words
  bool operator==(const work_released&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &work_released::job), field("attempt", &work_released::attempt),
                      field("reason", &work_released::reason)};
  }
};

/// An operator gives a quarantined attempt up; its end follows.
struct work_discarded {
  static constexpr std::string_view type = "work_discarded";
  uuid job;
  std::int64_t attempt = 0;
  std::string reason;  // the operator's words
  bool operator==(const work_discarded&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("job", &work_discarded::job),
                      field("attempt", &work_discarded::attempt),
                      field("reason", &work_discarded::reason)};
  }
};

/// In the order in which an attempt may have them.
using attempt_events =
    type_list<attempt_intended, container_created, attempt_started, stop_intended, attempt_ended,
              work_attempted, work_quarantined, work_released, work_discarded>;

struct attempt_state {
  std::int64_t number = 0;
  attempt_intended intent;
  std::optional<std::string> container_id;
  std::optional<std::int64_t> exit_code;
  std::optional<end_reason> reason;
  std::optional<blob_ref> log;
  std::optional<domain::log_streams> log_streams;
  bool oom_killed = false;
  bool log_incomplete = false;
  time_us intended_at = 0;
  std::optional<time_us> started_at;
  std::optional<time_us> engine_started_at;
  std::optional<time_us> finished_at;
  bool adopted = false;
  std::optional<end_reason> stopping;  // why it was to be stopped
  std::int64_t works = 0;        // n of its last `work_attempted`, since its start if it has one
  bool taken_up = false;         // a crash made its start be tried again
  std::int64_t tried_epoch = 0;  // of the leadership that tried it last
  bool quarantined = false;
  bool operator==(const attempt_state&) const = default;
  bool is_open() const { return !reason.has_value(); }
};

attempt_state begun(const attempt_intended& intent, const evolve_context& context);

/// What an event makes of the attempt that it names.
void evolve(attempt_state& a, const container_created& e, const evolve_context& c);
void evolve(attempt_state& a, const attempt_started& e, const evolve_context& c);
void evolve(attempt_state& a, const stop_intended& e, const evolve_context& c);
void evolve(attempt_state& a, const attempt_ended& e, const evolve_context& c);
void evolve(attempt_state& a, const work_attempted& e, const evolve_context& c);
void evolve(attempt_state& a, const work_quarantined& e, const evolve_context& c);
void evolve(attempt_state& a, const work_released& e, const evolve_context& c);
void evolve(attempt_state& a, const work_discarded& e, const evolve_context& c);

struct attempt_document {
  std::int64_t number = 0;
  std::optional<std::string> container_id;
  std::optional<std::string> container_name;
  std::optional<std::string> image;
  std::optional<std::string> image_digest;  // of a real engine only
  std::string engine;
  std::optional<std::string> engine_id;
  std::optional<std::string> node;
  std::optional<std::int64_t> exit_code;
  std::optional<end_reason> reason;
  bool oom_killed = false;
  bool log_incomplete = false;
  std::optional<blob_ref> log;
  std::optional<timestamp> started_at;
  std::optional<timestamp> finished_at;
  static constexpr auto fields() {
    return std::tuple{field("number", &attempt_document::number),
                      field("container_id", &attempt_document::container_id),
                      field("container_name", &attempt_document::container_name),
                      field("image", &attempt_document::image),
                      field("image_digest", &attempt_document::image_digest),
                      field("engine", &attempt_document::engine),
                      field("engine_id", &attempt_document::engine_id),
                      field("node", &attempt_document::node),
                      field("exit_code", &attempt_document::exit_code),
                      field("reason", &attempt_document::reason),
                      field("oom_killed", &attempt_document::oom_killed),
                      field("log_incomplete", &attempt_document::log_incomplete),
                      field("log", &attempt_document::log),
                      field("started_at", &attempt_document::started_at),
                      field("finished_at", &attempt_document::finished_at)};
  }
};

attempt_document document_of(const attempt_state& attempt);

/// Whether some of its output may be missing for another reason than its size.
bool may_lack_output(const attempt_state& attempt);

}  // namespace reeve::domain
