#pragma once
// A `log_triage` job's attempt: work that Reeve does itself (triage_worker.hpp).

#include "tasks/task_kinds.hpp"
#include "tasks/triage/triage_port.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reeve::tasks {

/// Its row.
std::unique_ptr<task_kind> open_triage(const kind_surroundings& around);

class triage_attempt final : public attempt_work {
 public:
  triage_attempt(attempt_host& host, triage_port& triage) : attempt_work(host), triage_(triage) {}

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

 private:
  using input = domain::attempts::input;

  void read_list(std::function<void(const domain::container_list_state&)> go);
  bool targets_from(const domain::container_list_state& list);
  void add_target(const domain::container_allowed& entry);
  /// As `attempt_host::then`, for one round: what comes after its end is dropped.
  template <class T, class F>
  reply_slot<T> in_round(F f);
  void find_baseline();
  void find_report(const domain::run_state& before);
  void read_report(const domain::blob_ref& blob);
  void work();
  void worked(outcome<std::vector<produced_artifact>> made);
  void end(input how);

  triage_port& triage_;
  persistence::stream_version guard_;
  std::optional<std::vector<std::string>> containers_;  // the list has said which
  std::map<std::string, std::string> ids_;              // and of some by name which alone
  std::int64_t round_ = 0;
  std::shared_ptr<work_stop> its_end_;              // of the round's work
  std::optional<domain::attempts::execution> its_;  // nothing: it is not being done, nor done
  std::string baseline_;
  std::shared_ptr<const domain::run_state> before_;  // the last success, once it was read
  std::optional<input> ended_;                       // how, until somebody watches
  bool watched_ = false;
  std::vector<produced_artifact> made_;
  std::vector<domain::artifact_stored> stored_;  // of `made_`, from its beginning
};

}  // namespace reeve::tasks
