#pragma once
// What may be asked of a run. A launch says where its directive comes from; what it needs to know
// of the rest of the server is read by whoever carries it out and decided in
// domain/runs/launch.hpp.

#include "base/ids.hpp"
#include "domain/aggregate.hpp"
#include "domain/runs/task.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace reeve::domain {

/// The tenant's default directive; tasks, if there are any, stand in for its own.
struct of_default {
  std::vector<task_spec> tasks;
};
struct of_directive {
  uuid id;
};
/// A directive that is given with the launch and kept nowhere else.
struct of_spec {
  directive_spec spec;
};
/// A run that is over, tried again: its snapshot, `since` and labels, whatever has become of the
/// directive.
struct of_run {
  uuid id;
};

struct launch_run {
  uuid run;  // the new one
  std::variant<of_default, of_directive, of_spec, of_run> from;
  std::optional<std::string> since;  // not with of_run
  label_map labels;                  // not with of_run
  uuid subject() const { return run; }
};

/// Twice gives no event; conflict when the run is over.
struct cancel_run {
  uuid run;
  uuid subject() const { return run; }
};

/// An operator's word on a job whose work is quarantined (domain/supervision/work_item.hpp): it is
/// tried again, or given up and its job fails. Conflict when it is not quarantined.
struct retry_work {
  uuid run;
  uuid job;
  std::string reason;
  uuid subject() const { return run; }
};
struct discard_work {
  uuid run;
  uuid job;
  std::string reason;
  uuid subject() const { return run; }
};

/// What is asked of a run that is there. Its own actor carries them out, and a run that is over, or
/// was never there, has none: then its state decides what is answered. So `decide` has to refuse
/// every order to a run that is over; nobody would carry it out.
using run_orders = type_list<cancel_run, retry_work, discard_work>;

}  // namespace reeve::domain
