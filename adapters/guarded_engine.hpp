#pragma once
// Any engine behind a circuit breaker and a bulkhead for each class of calls (read, mutate,
// build), in which tenants take turns, and a probe that tells when the engine goes and comes. What
// is refused here answers `engine_unavailable`: it was not sent. A healthy engine that refuses
// (not_found, conflict, invalid) is no failure.
//
// The probe pings every 5 s, every 2 s while the engine is down, and at once when a call failed.
// No connection means down; so do two pings in a row without an answer (1 s each). Going down
// opens all breakers, coming back closes them. A caller that was refused tries again when
// `on_available(true)` comes, or by itself after some seconds.

#include "adapters/breaker.hpp"
#include "adapters/engine_port.hpp"

#include <functional>
#include <memory>
#include <string>

namespace reeve::adapters {

enum class call_class { read, mutate, build };

/// "read", "mutate", "build".
std::string_view name_of(call_class kind);

/// What GET /api/engine says.
struct engine_status {
  std::string engine;  ///< "docker" or "simulated"
  bool available = false;
  std::string breaker;  ///< the worst of the classes: open, half_open, closed
  std::string version;  ///< the last one seen; empty if there was none yet
  std::string api_version;
  bool live_restore = false;
  std::string id;              ///< the engine's own, as it was seen last
  std::string detail;          ///< why it is not available, or empty
  std::string data_root = {};  ///< the last one told, as engine_version has it
};

struct guard_options {
  int reads_at_once = 16;
  int mutations_at_once = 8;
  int builds_at_once = 2;
  std::size_t queued = 256;  ///< of each class and tenant
  std::int64_t probe_up_ms = 5'000;
  std::int64_t probe_down_ms = 2'000;
  std::uint64_t jitter_seed = 0;
};

class guarded_engine final : public container_engine {
 public:
  /// Both are called on the adapters' threads and must only hand over. The first call of
  /// `on_available` comes soon after the construction, with whatever the first probe found.
  struct listeners {
    std::function<void(const engine_status&)> on_available;
    std::function<void(call_class, breaker_state from, breaker_state to)> on_breaker;
  };

  guarded_engine(std::unique_ptr<container_engine> inner, guard_options options, listeners told);
  /// Answers what is queued, then destroys the inner engine. No listener is called afterwards.
  ~guarded_engine() override;

  engine_status status() const;

  std::string_view kind() const override;
  /// Not guarded: the probe and the doctor ask with it.
  void ping(reply_slot<done> slot) override;
  void version_info(reply_slot<engine_version> slot) override;
  void inspect_image(std::string ref, reply_slot<image_info> slot) override;
  void import_image(fencing_token by, tar_source tar, std::string ref,
                    reply_slot<std::string> slot) override;
  void create_volume(fencing_token by, std::string name, label_map labels,
                     reply_slot<done> slot) override;
  void remove_volume(fencing_token by, std::string name, reply_slot<done> slot) override;
  void list_volumes(std::vector<label_filter> filters,
                    reply_slot<std::vector<volume_summary>> slot) override;
  void create_container(fencing_token by, container_spec spec,
                        reply_slot<created_container> slot) override;
  void look_at(std::string container, std::string path, reply_slot<path_kind> slot) override;
  void put_archive(fencing_token by, std::string container, std::string path, shared_bytes tar,
                   reply_slot<done> slot) override;
  void start(fencing_token by, std::string container, reply_slot<start_result> slot) override;
  void wait(std::string container, reply_slot<wait_result> slot) override;
  void inspect(std::string id_or_name, reply_slot<container_info> slot) override;
  void details(std::string id_or_name, reply_slot<container_details> slot) override;
  void list_networks(reply_slot<std::vector<network_summary>> slot) override;
  void list(std::vector<label_filter> filters,
            reply_slot<std::vector<container_summary>> slot) override;
  void logs(std::string container, log_query query, reply_slot<log_answer> slot) override;
  void output(std::string container, std::size_t bytes_each, std::shared_ptr<call_stopper> stopper,
              reply_slot<kept_output> slot) override;
  void follow(std::string container, std::shared_ptr<output_sink> to,
              std::shared_ptr<call_stopper> stopper, reply_slot<done> slot) override;
  void stop(fencing_token by, std::string container, int grace_s,
            reply_slot<stop_result> slot) override;
  void kill(fencing_token by, std::string container, int signal, reply_slot<done> slot) override;
  void remove_container(fencing_token by, std::string container, bool force,
                        reply_slot<done> slot) override;

 private:
  struct impl;
  /// A call that lasts as long as a container does, or as its grace.
  template <class T>
  void guard_long(call_class kind, std::string object, reply_slot<T> slot,
                  std::function<void(container_engine&, reply_slot<T>)> call,
                  std::shared_ptr<call_stopper> stopper = {});
  template <class T>
  void guard(call_class kind, std::string object, reply_slot<T> slot,
             std::function<void(container_engine&, reply_slot<T>)> call);

  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::adapters
