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

/// Where the values lie that an attempt got; nothing: one of them is gone.
std::optional<std::vector<persistence::secret_place>> places_of(
    const domain::secret_list_state& list, const uuid& tenant,
    const std::vector<domain::secret_use>& uses);
/// `others`, and these secrets; `values` in the order of `uses`. An error: one of them cannot be
/// looked for.
outcome<redactor> hiding(const redactor& others, const std::vector<domain::secret_use>& uses,
                         const persistence::opened_secrets& values);

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
  using opened = std::shared_ptr<const persistence::opened_secrets>;
  void read(std::function<void(const domain::secret_list_state&)> go, const answer& failed);
  void open(std::vector<persistence::secret_place> places, answer then);

  attempt_host& host_;
  std::vector<domain::secret_use> uses_;
  opened values_;  // in the order of the uses; null until they are opened
};

}  // namespace reeve::tasks
