#pragma once
// The projections: pure functions from the state after some events to rows, in
// persistence/projections/. The journal writes them in the statement that appends the events; a
// follower and a rebuild run the same functions.

#include "domain/aggregates.hpp"
#include "persistence/append_port.hpp"

#include <span>

namespace reeve::persistence {

/// Rows of one aggregate. `after` is its state after the last of `events`; only rows that these
/// events touch are given, each as it is after the last one.
void project(const domain::directive_state& after, std::span<const domain::directive_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);
void project(const domain::image_list_state& after,
             std::span<const domain::image_list_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);
void project(const domain::container_list_state& after,
             std::span<const domain::container_list_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);
void project(const domain::llm_usage_state& after, std::span<const domain::llm_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);
void project(const domain::access_state& after, std::span<const domain::access_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);
void project(const domain::run_state& after, std::span<const domain::run_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);
void project(const domain::system_state& after, std::span<const domain::system_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);
void project(const domain::log_state& after, std::span<const domain::log_event> events,
             std::span<const domain::event_stamp> stamps, row_sink& rows);

}  // namespace reeve::persistence
