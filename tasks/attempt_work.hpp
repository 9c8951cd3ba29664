#pragma once
// What a kind of tasks has to say about an attempt. The machine of domain/runs/attempt.hpp decides
// what is next; writing the log, timers and queues are the same for every kind and are its host's
// (actors/runs/attempt_runner.hpp). Everything here is called in the attempt's own context, one
// call at a time.

#include "adapters/work_engines_port.hpp"
#include "base/attempt_token.hpp"
#include "base/leadership.hpp"
#include "base/redact.hpp"
#include "base/slot.hpp"
#include "base/text_pool.hpp"
#include "base/time.hpp"
#include "domain/access/secrets.hpp"
#include "domain/runs/attempt.hpp"
#include "domain/runs/run.hpp"
#include "persistence/append_port.hpp"
#include "persistence/blob_port.hpp"
#include "persistence/read_port.hpp"
#include "persistence/secret_port.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace reeve::tasks {

class early_rooms;

/// A list of the attempt's tenant as its executor has it now.
template <class List>
using list_fn = std::function<void(uuid tenant, reply_slot<std::shared_ptr<const List>>)>;

/// What attempts of any kind may need of the server.
struct attempt_ports {
  persistence::read_port& reads;
  persistence::blob_port& blobs;
  const adapters::work_engines& engines;
  const redactor& redact;  // of the logs of jobs
  text_pool& texts;        // where they are worked on
  clock_port& clock;
  /// Whether a tenant may mount a folder of the host, now: it is looked at. Any thread.
  std::function<bool(const uuid& tenant, const std::string& source)> may_mount;
  list_fn<domain::image_list_state> images;
  list_fn<domain::container_list_state> containers;
  /// A run as the log has it.
  std::function<void(uuid tenant, uuid run, reply_slot<std::shared_ptr<const domain::run_state>>)>
      read_run;
  /// A volume that is ready, which nobody else ever gets; and a good moment to make another one.
  std::function<std::optional<std::string>()> take_spare;
  std::function<void()> refill_spares;
  uuid instance;                    // the log's origin: whose containers are ours
  std::size_t log_bytes = 1 << 20;  // kept of a container's output
  std::int64_t own_uid = -1;        // of this process, which no job runs as; -1: not known
  list_fn<domain::secret_list_state> secrets = {};
  persistence::secret_port* secret_values = nullptr;
  /// Whether it is the tenant whose the host is, beside Reeve's own jobs. Any thread.
  std::function<bool(const uuid& tenant)> is_first_tenant = {};
  /// The folder of the host with the socket for jobs that may call language models; empty: there is
  /// none, and no job may.
  std::string llm_folder = {};
  /// The token of an attempt; nothing: this server has no key. Any thread.
  std::function<std::optional<std::string>(const attempt_name&)> token_of = {};
  std::string llm_key = {};  // the id of that key; empty: this server has none
  /// For the outputs of what runs; null: nothing is taken of them.
  early_rooms* early = nullptr;
};

/// Who runs the attempt.
class attempt_host {
 public:
  virtual ~attempt_host() = default;

  virtual const attempt_ports& ports() const = 0;
  virtual const domain::run_state& run() const = 0;
  virtual const domain::job_state& job() const = 0;
  const domain::task_spec& task() const { return run().task_of(job()); }
  /// The answer to what was asked for.
  virtual void feed(domain::attempts::input answer) = 0;
  /// Calls `f` once this server may change something, at once or later, unless the attempt is over.
  virtual void when_allowed(std::function<void(fencing_token)> f) = 0;
  /// A way back into the attempt's context from any thread; what comes when it is over is dropped.
  virtual std::function<void(std::function<void()>)> gate() = 0;
  /// Calls `f` after so much time, unless the attempt is over.
  virtual void after(std::chrono::milliseconds time, std::function<void()> f) = 0;

  /// A slot that goes on with `f` in the attempt's context.
  template <class T, class F>
  reply_slot<T> then(F f) {
    return reply_slot<T>([into = gate(), f = std::move(f)](outcome<T> answer) mutable {
      auto held = std::make_shared<outcome<T>>(std::move(answer));
      into([f, held]() mutable { f(std::move(*held)); });
    });
  }
  /// The same, where an error is an answer of the engine's.
  template <class T, class F>
  reply_slot<T> answered(F good) {
    return then<T>([this, good = std::move(good)](outcome<T> answer) mutable {
      if (answer) return good(std::move(*answer));
      feed(domain::attempts::failed{adapters::failure_of(answer.error().code)});
    });
  }
};

/// What is to be written before anything is done, and the stream that it rests on, if any.
struct intention {
  domain::attempt_intended intent;
  std::optional<persistence::stream_version> guard = {};
};

/// The port of a kind: one object an attempt, made by its row. Each question is answered through
/// the host, by the inputs that the machine expects (domain/runs/attempt_types.hpp).
class attempt_work {
 public:
  explicit attempt_work(attempt_host& host) : host_(host) {}
  virtual ~attempt_work() = default;

  /// Whether Reeve does the work itself (domain/runs/attempt.hpp, config::own).
  virtual bool is_own() const = 0;
  /// Taken up from the log: this is what it says.
  virtual void resume(const domain::attempt_state& open) = 0;

  /// May it run? `allowed`, `refused` or `failed`.
  virtual void allow() = 0;
  /// Once it may; the intent's job, number, timeout and epoch are filled in by the host.
  virtual intention intend() = 0;
  /// Does it: `submitted`, `refused` or `failed`.
  virtual void submit() = 0;
  /// What is being submitted need not start any more; then it is `refused` with this reason.
  virtual void withhold(domain::end_reason why) = 0;
  /// Whether the engine that it rests on, if any, is there: `reached` or `failed`.
  virtual void reach() = 0;
  /// `found`, or `failed`.
  virtual void find() = 0;
  /// Its start is being written.
  virtual void started(const domain::attempts::execution& what) = 0;
  /// `watched` when it has ended, or `failed`.
  virtual void watch(const std::string& execution) = 0;
  /// `stopped` or `stop_failed`.
  virtual void stop(const std::string& execution) = 0;
  /// What it has left behind, stored: `collected`, or `failed`.
  virtual void collect(const std::string& execution) = 0;
  /// Removes what lies outside of the log: `forgotten`.
  virtual void forget() = 0;
  /// Nobody waits for anything any more: what waits for its turn somewhere leaves, and no answer of
  /// it is taken. Perhaps more than once.
  virtual void let_go() = 0;

 protected:
  attempt_host& host_;
};

}  // namespace reeve::tasks
