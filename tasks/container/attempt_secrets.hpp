#pragma once
// The secrets of one attempt: which versions it gets is decided before its intent, which says so;
// their values are opened once and kept as long as the attempt, since its output has to be searched
// for them whatever becomes of the secrets meanwhile. Everything is called in the attempt's own
// context.

#include "tasks/attempt_work.hpp"
#include "tasks/container/container_spec_of.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace reeve::tasks {

/// Where secrets come from. Any thread; what is given here lives until the answers have come.
struct secret_sources {
  list_fn<domain::secret_list_state> lists;
  persistence::secret_port* values = nullptr;
};

using opened_values = std::shared_ptr<const persistence::opened_secrets>;

/// The values that an attempt got, in the order of `uses`. `not_found`: one of them is gone; else
/// as secret_port::open.
void open_used(const secret_sources& from, const uuid& tenant, std::vector<domain::secret_use> uses,
               reply_slot<opened_values> slot);

/// `others`, and these secrets; `values` in the order of `uses`. A value that is too short to be
/// looked for (can_be_redacted; such were stored once) is hidden only where it is encoded or in
/// quotes. `not_found`: one of them cannot be looked for, and so not hidden.
outcome<redactor> hiding(const redactor& others, const std::vector<domain::secret_use>& uses,
                         const persistence::opened_secrets& values);

/// What hides the secrets of an attempt to whoever reads its output: `others`, which outlives the
/// answer, and those that it got. Errors as both above.
void find_rules(const secret_sources& from, const uuid& tenant, const redactor& others,
                const domain::attempt_intended& intent, reply_slot<redactor> slot);

class attempt_secrets {
 public:
  /// What came of it: nothing, or the reason why the attempt cannot have them. A rejection passes:
  /// it is asked again.
  using answer = std::function<void(outcome<std::optional<domain::end_reason>>)>;

  explicit attempt_secrets(attempt_host& host) : host_(host) {}

  /// Those that the task names, as they are now.
  void choose(answer then);
  /// Those that the intent names, if they were not opened before.
  void take_up(const domain::attempt_intended& intent, answer then);

  /// For the intent; nothing if there are none.
  std::optional<std::vector<domain::secret_use>> uses() const;
  /// By their names; they live as long as this.
  secret_values values() const;
  /// This one, and the secrets. An error: one of them cannot be looked for.
  outcome<redactor> hidden_by(const redactor& others) const;

 private:
  void read(std::function<void(const domain::secret_list_state&)> go, const answer& failed);
  void took(outcome<opened_values> values, const answer& then);
  void warn_of_short() const;

  attempt_host& host_;
  std::vector<domain::secret_use> uses_;
  opened_values values_;  // in the order of the uses; null until they are opened
};

}  // namespace reeve::tasks
