#pragma once
// An attempt of work that Reeve does itself: it is begun at once, done again by whoever takes it up
// after a crash, and leaves artifacts. A kind says what it may touch and does the work.

#include "base/turn_queue.hpp"
#include "base/work_stop.hpp"
#include "tasks/attempt_work.hpp"
#include "tasks/own/container_access.hpp"
#include "tasks/produced_artifact.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reeve::tasks {

class own_attempt : public attempt_work {
 public:
  using attempt_work::attempt_work;

  bool is_own() const override { return true; }
  void resume(const domain::attempt_state&) override {}
  void allow() override;
  intention intend() override;
  void submit() override;
  void withhold(domain::end_reason) override {}  // it begins at once
  void reach() override;
  void find() override;
  void started(const domain::attempts::execution&) override {}
  void watch(const std::string&) override;
  void stop(const std::string&) override;
  void collect(const std::string&) override;
  void forget() override;
  void let_go() override;

 protected:
  using artifacts = std::vector<produced_artifact>;

  /// Without the engine there is nothing to do yet.
  virtual bool needs_engine() const = 0;
  /// The names that the task gives, perhaps none; null: every active entry.
  virtual const std::vector<std::string>* names() const = 0;
  /// Begins; engine_unavailable and timed_out are waited out, overloaded too, not_found is a
  /// missing input, and whatever else fails the attempt. `its` ends it.
  virtual void work(std::vector<allowed_container> may_touch, std::shared_ptr<work_stop> its,
                    reply_slot<artifacts> slot) = 0;
  /// Whose turn it takes.
  work_source source() const { return {host_.run().tenant, host_.job().id}; }
  container_viewer viewer() const;

 private:
  using input = domain::attempts::input;

  void read_list(std::function<void(const domain::container_list_state&)> go);
  bool choose_from(const domain::container_list_state& list);
  void worked(outcome<artifacts> made);
  void end(input how);

  persistence::stream_version guard_;
  std::optional<std::vector<allowed_container>> allowed_;  // the list has said which
  std::int64_t round_ = 0;                                 // what comes after its end is dropped
  std::shared_ptr<work_stop> its_end_;                     // of this round
  std::optional<domain::attempts::execution> its_;  // nothing: it is not being done, nor done
  std::optional<input> ended_;                      // how, until somebody watches
  bool watched_ = false;
  artifacts made_;
  std::vector<domain::artifact_stored> stored_;  // of `made_`, from its beginning
};

}  // namespace reeve::tasks
