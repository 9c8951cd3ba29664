// RUN14: which blobs the end of an attempt names, so that none of them is swept, and by which names
// the search finds whose the lines of a log are. No database.

#include "persistence/projection.hpp"
#include "persistence/projections_port.hpp"
#include "tests/unit/domain/runs/run_steps.hpp"

#include <gtest/gtest.h>
#include <map>

namespace {

using namespace reeve;
using namespace reeve::domain;
using namespace steps;

using names = std::map<std::string, std::string>;

/// Name and size of each blob that is named by an attempt's end with this log.
names named_by(const std::optional<blob_ref>& log, const std::optional<log_streams>& streams) {
  driven_run run({container_task("a")});
  run.start(0);
  const auto before = run.history.size();
  run.take(decide_end(run.state, id_of(0), {end_reason::exited, 0, log, false, false, streams}));
  const auto events = std::span(run.history).subspan(before);
  const std::vector<event_stamp> stamps(events.size());
  persistence::row_sink rows;
  project(persistence::happened<run_state>{run.state, events, stamps}, rows);
  const auto& refs = persistence::projection_named("blob_refs");
  const auto cell = [&](const persistence::projection_row& row, const char* column) {
    const auto at = static_cast<std::size_t>(persistence::column_index(refs, column));
    return row.cells[at].value_or("");
  };
  names found;
  for (const auto& row : rows) {
    if (row.of == &refs) found[cell(row, "name")] = cell(row, "bytes");
  }
  return found;
}

const blob_ref text{sha256("log"), 123, false};

}  // namespace

TEST(RUN14_blob_rows, name_the_log_and_its_marks) {
  const blob_ref marks{sha256("marks"), 2, false};
  EXPECT_EQ(named_by(text, log_streams{100, 23, marks}),
            (names{{"log-1", "123"}, {"streams-1", "2"}}));
}

TEST(RUN14_blob_rows, say_which_stream_a_log_is_of) {
  EXPECT_EQ(named_by(text, log_streams{123, 0, {}}),
            (names{{"log-1", "123"}, {"stdout-1", "123"}}));
  EXPECT_EQ(named_by(text, log_streams{0, 123, {}}),
            (names{{"log-1", "123"}, {"stderr-1", "123"}}));
}

TEST(RUN14_blob_rows, say_nothing_of_streams_that_are_not_known) {
  EXPECT_EQ(named_by(text, {}), (names{{"log-1", "123"}}));
  EXPECT_EQ(named_by({}, {}), names{});
}
