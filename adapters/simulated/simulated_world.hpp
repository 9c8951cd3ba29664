#pragma once
// The state that the simulated engine keeps: plain and synchronous. It is used by one thread.

#include "adapters/engine_port.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace reeve::adapters {

class simulated_world {
 public:
  /// Asks for `job` to be called after that time, on the thread that uses the world.
  using scheduler = std::function<void(std::int64_t after_ms, std::function<void()> job)>;

  simulated_world(clock_port& clock, scheduler later);

  outcome<image_info> inspect_image(const std::string& ref) const;
  outcome<std::string> import_image(const tar_source& tar, const std::string& ref);
  outcome<done> create_volume(const std::string& name, const label_map& labels);
  outcome<done> remove_volume(const std::string& name);
  std::vector<volume_summary> list_volumes(const std::vector<label_filter>& filters) const;
  outcome<created_container> create(const container_spec& spec);
  outcome<done> put_archive(const std::string& name, const std::string& path);
  outcome<start_result> start(const std::string& name);
  void wait(const std::string& name, reply_slot<wait_result> slot);
  outcome<container_info> inspect(const std::string& name) const;
  /// It has no network and no process.
  outcome<container_details> details(const std::string& name) const;
  std::vector<container_summary> list(const std::vector<label_filter>& filters) const;
  void stop(const std::string& name, int grace_s, reply_slot<stop_result> slot);
  outcome<done> kill(const std::string& name, int signal);
  outcome<done> remove(const std::string& name, bool force);

 private:
  struct container {
    container_info info;
    container_spec spec;
    std::uint64_t execution = 0;  // counts starts, so that a late timer finds its own or none
    std::vector<std::function<void(std::int64_t exit_code)>> when_ended;
  };

  struct volume {
    bool marked = false;  // a marker was created on it
    label_map labels;
  };

  container* find(const std::string& id_or_name);
  const container* find(const std::string& id_or_name) const;
  void end(container& one, std::int64_t exit_code);
  void end_later(const container& one, std::int64_t after_ms, std::int64_t exit_code);

  clock_port& clock_;
  scheduler later_;
  std::map<std::string, container> containers_;  // by id
  std::map<std::string, volume> volumes_;        // by name
};

}  // namespace reeve::adapters
