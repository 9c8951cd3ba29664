#pragma once
// A `log_triage` job's attempt: work that Reeve does itself (triage_worker.hpp), after it has found
// what the last successful run reported.

#include "tasks/own/own_attempt.hpp"
#include "tasks/task_kinds.hpp"
#include "tasks/triage/triage_port.hpp"

#include <memory>
#include <string>
#include <vector>

namespace reeve::tasks {

/// Its row.
std::unique_ptr<task_kind> open_triage(const kind_surroundings& around);

class triage_attempt final : public own_attempt {
 public:
  triage_attempt(attempt_host& host, triage_port& triage) : own_attempt(host), triage_(triage) {}

 private:
  /// What is found for one try, before its work begins.
  struct preparation {
    std::vector<allowed_container> may_touch;
    std::shared_ptr<work_stop> its;
    reply_slot<artifacts> slot;
    std::string baseline;
    std::shared_ptr<const domain::run_state> before;  // the last success, once it was read
  };
  using prepared = std::shared_ptr<preparation>;

  bool needs_engine() const override;
  const std::vector<std::string>* names() const override;
  void work(std::vector<allowed_container> may_touch, std::shared_ptr<work_stop> its,
            reply_slot<artifacts> slot) override;
  /// As `attempt_host::then`, as long as the try goes on.
  template <class T, class F>
  reply_slot<T> while_it_goes_on(const prepared& p, F f);
  void find_report(const prepared& p);
  void read_report(const prepared& p, const domain::blob_ref& blob);
  void begin(const prepared& p);

  triage_port& triage_;
};

}  // namespace reeve::tasks
