#pragma once
// The log, read from one end to the other: for verification, export and replay.
//
// Rows come through COPY in runs of 50,000, so no snapshot is held for longer than such a run
// takes. A page is filled in place: its strings keep their memory from page to page. One reader,
// one thread.

#include "base/outcome.hpp"
#include "domain/event.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::persistence {

struct log_range {
  domain::position after = 0;             // the first one that is read lies behind it
  std::optional<domain::position> until;  // the last one; empty = whatever there is
  std::size_t page = 2048;                // events a page, at most
  /// Prefixes of the streams that are read; none = all of them.
  std::vector<std::string_view> sources = {};
  /// Without what only a proof or an export needs: key_id, command_id, request_digest,
  /// correlation_id, causation_id, traceparent, leaf and hash stay empty.
  bool is_for_fold = false;
};

/// "stream >= 'run-' AND stream < 'run.'" for each prefix: a range of the index, since '.' follows
/// '-'. "true" for none.
std::string of_sources(const std::vector<std::string_view>& sources);

class log_reader {
 public:
  /// Any login that may see the whole log: the owner's, the writer's, or the reader's, which is
  /// then an auditor's. `unavailable`: no database, or one without our schema.
  static outcome<log_reader> open(const std::string& url, const log_range& range = {});
  log_reader(log_reader&&) noexcept;
  log_reader& operator=(log_reader&&) noexcept;
  ~log_reader();

  /// Fills `page` with the events that follow, in the order of their positions. False and an empty
  /// page: there are no more. With an open end, a later call looks again.
  /// `invalid`: a row that no program of ours has written; `field` is its position in digits.
  /// `unavailable`: the database went away. After an error the reader is of no more use.
  outcome<bool> next(std::vector<domain::event_record>& page);

  /// The log's identity; the nil UUID before its first event.
  const uuid& origin() const;
  /// The last position when the reader was opened, 0 for an empty log.
  domain::position head() const;

 private:
  struct impl;
  explicit log_reader(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::persistence
