#pragma once
// A search through the stored output of jobs, newest first, one request at a time.
//
// What one request may take is bounded: 64 MiB of output that is looked through, two seconds and
// the piece that was under way, 1 MiB of lines. It reads 256 KiB at a time and waits its turn at
// the readers for each, so that nobody waits long because of it. What it has not come to is what
// the cursor of its answer names.

#include "api/log_scan.hpp"
#include "api/route.hpp"
#include "api/stored_streams.hpp"
#include "base/bound_cursor.hpp"
#include "domain/fields.hpp"
#include "persistence/read_port.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace reeve::api {

struct services;

struct log_line_document {
  uuid job_id;
  uuid run_id;
  std::string job_name;
  std::string directive_name;
  std::int64_t attempt = 0;
  std::int64_t line = 0;  // of the attempt's stored output, from 1
  std::string text;
  bool is_cut = false;
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("job_id", &log_line_document::job_id),
                      field("run_id", &log_line_document::run_id),
                      field("job_name", &log_line_document::job_name),
                      field("directive_name", &log_line_document::directive_name),
                      field("attempt", &log_line_document::attempt),
                      field("line", &log_line_document::line),
                      field("text", &log_line_document::text),
                      field("is_cut", &log_line_document::is_cut)};
  }
};

struct log_search_document {
  std::vector<log_line_document> results;
  std::optional<std::string> next;
  std::int64_t searched_bytes = 0;  // of output, in this request
  /// Logs that were left out because it is not known whose their lines are; null unless one stream
  /// was asked for.
  std::optional<std::int64_t> unknown_streams = {};
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("results", &log_search_document::results),
                      field("next", &log_search_document::next),
                      field("searched_bytes", &log_search_document::searched_bytes),
                      field("unknown_streams", &log_search_document::unknown_streams)};
  }
};

/// A log, and where in it.
struct log_search_place {
  persistence::stored_log_place log;
  scan_place at;
  bool operator==(const log_search_place&) const = default;
};

std::string to_string(const log_search_place& place);
std::optional<log_search_place> parse_log_search_place(std::string_view text);

struct log_search_query {
  persistence::stored_log_query logs;
  log_pattern pattern;
  std::size_t limit = 50;
  std::optional<domain::line_stream> stream = {};  // lines of this one only
  scan_place at;    // in the first log, if that is the one which `logs.from` names
  list_parts list;  // what its cursors are bound to
};

/// Answers once, on a reader's thread.
void search_logs(services& s, log_search_query query, const responder& answer);

}  // namespace reeve::api
