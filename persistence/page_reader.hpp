#pragma once
// Pages of lists and of the log, read step by step until they are full, the list has ended, or the
// walk has taken what it may (page_walk.hpp). Inside persistence/ only.

#include "base/outcome.hpp"
#include "base/time.hpp"
#include "persistence/read_pool.hpp"
#include "persistence/read_port.hpp"

namespace reeve::persistence {

/// The heavy ones are those that may walk far.
read_turn turn_of(const list_query& query);
read_turn turn_of(const event_query& query);
read_turn turn_of(const llm_usage_query& query);

outcome<document> read_list(read_session& session, const list_query& query,
                            clock_port& clock = real_clock());
outcome<document> read_usage(read_session& session, const llm_usage_query& query,
                             clock_port& clock = real_clock());
outcome<domain::llm_sums> read_spent(read_session& session, const llm_spent_query& query);
outcome<event_page> read_events(read_session& session, const event_query& query,
                                clock_port& clock = real_clock());

}  // namespace reeve::persistence
