#pragma once
// Which blobs an event names, and what each is called there: the only place that says so. Of it are
// made the read model of what is never swept (persistence/projections/runs.cpp) and what `verify`
// looks for. Pure. Inside persistence/ only.

#include "base/outcome.hpp"
#include "domain/runs/run.hpp"

#include <string>
#include <vector>

namespace reeve::persistence {

struct named_blob {
  uuid job;
  std::string name;  // "log-1": a later one of the same job and name takes its place
  domain::blob_ref content;
  bool operator==(const named_blob&) const = default;
};

/// None for most events.
std::vector<named_blob> blobs_of(const domain::run_event& event);

/// The same of a record, of whatever aggregate; a payload that names none is not looked at.
/// `internal`: this program does not know that event, or cannot read it, so it may name some. What
/// a newer program added to an event that this one knows is not seen.
outcome<std::vector<named_blob>> blobs_of(const domain::event_record& record);

}  // namespace reeve::persistence
