#pragma once
// Attempts as containers of an engine: the work_engine over any container_engine. A container has
// the attempt's name and labels and a volume with the marker of its execution; it is followed by
// its id, because a name can be changed and taken.

#include "adapters/work_engine_port.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace reeve::adapters {

class container_work final : public work_engine {
 public:
  /// The engine answers everything that is open before it goes, and goes after this.
  container_work(container_engine& engine, std::int64_t slots, std::int64_t starts);
  container_work(container_engine& engine, std::int64_t slots)
      : container_work(engine, slots, slots) {}

  std::string_view kind() const override { return engine_.kind(); }
  std::int64_t slots() const override { return slots_; }
  std::int64_t starts() const override { return starts_; }
  void reach(reply_slot<done> slot) override;
  void capabilities(std::string image, reply_slot<engine_capabilities> slot) override;
  void prepare(work_key key, fencing_token by, reply_slot<done> slot) override;
  void find(work_key key, reply_slot<domain::attempts::found> slot) override;
  void submit(work_key key, work_spec spec, fencing_token by,
              reply_slot<submit_answer> slot) override;
  void watch(std::string execution, reply_slot<wait_result> slot) override;
  void stop(std::string execution, int grace_s, fencing_token by,
            reply_slot<stop_result> slot) override;
  void collect(std::string execution, std::size_t bytes_each, std::shared_ptr<call_stopper> stopper,
               reply_slot<kept_output> slot) override;
  void follow(std::string execution, std::shared_ptr<output_sink> to,
              std::shared_ptr<call_stopper> stopper, reply_slot<done> slot) override;
  void forget(work_key key, fencing_token by, reply_slot<done> slot) override;

  /// The engine was away: it may be another one now.
  void ask_again_who_it_is();

 private:
  void identity(reply_slot<std::string> slot);
  void how_long_it_ran(domain::attempts::execution what, reply_slot<domain::attempts::found> slot);
  void not_there(const work_key& key, reply_slot<domain::attempts::found> slot);
  void look_for_volume(const work_key& key, reply_slot<domain::attempts::found> slot);
  void forget_volume(const work_key& key, fencing_token by, reply_slot<done> slot);

  /// One question a container is open at the engine, whoever asked it first.
  struct open_watches {
    std::mutex mutex;
    std::map<std::string, reply_slot<wait_result>>
        by_execution;  // guarded by mutex: who asked last
  };

  container_engine& engine_;
  const std::int64_t slots_;
  const std::int64_t starts_;
  std::mutex mutex_;
  std::string id_;  // guarded by mutex_; empty: to be asked for
  const std::shared_ptr<open_watches> watches_ = std::make_shared<open_watches>();
};

/// Whether a container is the attempt's: its labels and its image agree with the log, and so does
/// its name unless the log knows its id. Labels alone prove nothing: a copy keeps them.
bool is_of(const container_info& found, const work_key& key);

}  // namespace reeve::adapters
