#pragma once
// An engine without an engine, for machines that have none: it keeps containers in memory, runs
// nothing and produces no output. Its kind is "simulated", and whatever came from it says so.
//
// What it pretends, so that failures, timeouts and cancelling can be tried without an engine:
// - Every image reference exists, except those that begin with "missing/", and has a command of its
//   own, except those with "/bare/" in their names.
// - A container runs for 0 ms and exits with 0. The command ["exit", "3"] exits with 3, the
//   command ["sleep", "1.5"] runs for 1.5 s. The labels reeve.simulate.exit_code and
//   reeve.simulate.duration_ms set both for any command.
// - It obeys SIGTERM (exit 143) unless the label reeve.simulate.ignore_term is "true"; SIGKILL
//   ends it with 137. Names, volumes and states conflict as in a real engine, and reeve-init as
//   entrypoint refuses a second execution on the same volume with exit code 125.

#include "adapters/engine_port.hpp"

#include <memory>

namespace reeve::adapters {

class simulated_engine : public container_engine {
 public:
  /// Answers come from a thread of its own, in the order of the calls.
  explicit simulated_engine(clock_port& clock = real_clock());
  ~simulated_engine() override;

  std::string_view kind() const override { return "simulated"; }
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
  // The thread is destroyed first: it joins before the world goes.
  std::unique_ptr<class simulated_world> world_;
  std::unique_ptr<class timer_thread> thread_;
};

}  // namespace reeve::adapters
