#pragma once
// Reads, as the gateway sees them. Every call answers through its slot on some thread;
// hot documents are answered before the call returns, from memory, cold ones from PostgreSQL by a
// small pool of readers. Every query names the tenant and runs under row-level security as well.

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/slot.hpp"
#include "base/time.hpp"
#include "domain/event.hpp"
#include "domain/event_readers.hpp"
#include "domain/runs/line_streams.hpp"
#include "persistence/llm_usage_port.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::persistence {

/// A rendered JSON document. `etag` is a quoted strong validator over the versions it was made of.
struct document {
  std::shared_ptr<const std::string> body;
  std::string etag;
};

/// A collection of documents, by the name of its projection, which has the columns tenant, id,
/// created_position and doc; `checkpoints` is the one that is none. A new one is named where its
/// route is: collection{"sums"}. A name that there is not is a programmer's error.
struct collection {
  /// A name that is too long does not compile.
  consteval collection(std::string_view name) {
    if (name.size() >= sizeof text) throw "the name of a collection has at most 31 characters";
    std::copy(name.begin(), name.end(), text);
  }
  constexpr std::string_view name() const { return text; }
  constexpr bool operator==(const collection&) const = default;

  char text[32] = {};  // public, so that templates can have one as an argument

  static const collection runs, jobs, directives, directive_versions, image_allowlist,
      container_allowlist, tokens, llm_calls, checkpoints;
};
inline constexpr collection collection::runs{"runs"};
inline constexpr collection collection::jobs{"jobs"};
inline constexpr collection collection::directives{"directives"};
inline constexpr collection collection::directive_versions{"directive_versions"};
inline constexpr collection collection::image_allowlist{"image_allowlist"};
inline constexpr collection collection::container_allowlist{"container_allowlist"};
inline constexpr collection collection::tokens{"tokens"};
inline constexpr collection collection::llm_calls{"llm_calls"};
inline constexpr collection collection::checkpoints{"checkpoints"};

/// A page of a list ends before its limit where its documents have this many bytes. It may be
/// empty and not the last one: no page looks at more than 50,000 rows, or for longer than 200 ms,
/// to find those that fit its filters.
inline constexpr std::size_t most_page_bytes = std::size_t{1024} * 1024;

/// Filters are equality on columns that the collection has; an unknown one is a programmer's error.
struct list_query {
  collection what = collection::runs;
  uuid tenant;
  std::vector<std::pair<std::string, std::string>> equals;  // column, value
  std::vector<std::pair<std::string, std::string>> labels;  // runs only
  std::optional<domain::position> created_after;            // exclusive
  /// What `created_after` was asked for as, in one spelling. Between two pages it may come to name
  /// another position; the list is still the same one.
  std::string since;
  bool newest_first = true;
  int limit = 50;      // 1..500
  std::string cursor;  // opaque, as a former answer gave it; empty = first page
  /// Whose turn it takes among those who wait for a reader: a token; nil: the tenant's.
  uuid asked_by{};
};

struct event_query {
  /// Nothing = every tenant (auditor).
  std::optional<uuid> tenant;
  domain::event_reader reader = domain::event_reader::member;  // whom the events are rendered for
  std::optional<std::string> stream, type, principal;
  std::optional<uuid> correlation_id;
  std::optional<time_us> from_us, to_us;
  domain::position after = 0;              // exclusive
  std::optional<domain::position> before;  // exclusive
  bool newest_first = false;
  int limit = 50;
  /// Of payloads, counted with 1 KiB an event; a page has at least one event of those that fit.
  std::size_t most_bytes = most_page_bytes;
  uuid asked_by{};  // as in a list_query
};

/// One page of events, rendered: each element is one event as JSON text, in the order asked for.
struct event_page {
  struct item {
    domain::position at = 0;
    std::string type;
    std::string json;
  };
  std::vector<item> events;
  /// Head of the log that the page was read against: nothing at or below it is missing.
  domain::position head = 0;
  /// Where the next page goes on, behind it (newest first: before it). Nothing: this was the last
  /// one. A page may be empty and have one, as those of lists.
  std::optional<domain::position> next;
};

/// Stored output of jobs, newest first: by when their run was launched, then by job, of one job its
/// newest attempt first.
struct stored_log {
  domain::position created_position = 0;  // of the run
  uuid job, run;
  std::int64_t attempt = 0;
  std::string job_name, directive_name;
  digest sha256{};
  std::int64_t bytes = 0;  // never 0: what printed nothing is left out
  /// Nothing: not known. Of one that has marks their sizes are not told.
  std::optional<domain::log_streams> streams = {};
};

/// The log of that attempt, and what comes behind it; attempt 0: behind all of that job.
struct stored_log_place {
  domain::position created_position = 0;
  uuid job;
  std::int64_t attempt = 0;
  bool operator==(const stored_log_place&) const = default;
};

struct stored_log_query {
  uuid tenant;
  std::optional<uuid> run, job, directive;
  std::optional<time_us> since_us, until_us;  // when it was stored: then or later, before
  std::optional<stored_log_place> from;       // nothing = the first page
  uuid asked_by{};                            // as in a list_query
};

/// Those of the next 500 jobs. It may be empty and have a next one, as the pages of lists.
struct stored_log_page {
  std::vector<stored_log> logs;
  std::optional<stored_log_place> next;
};

struct blob_info {
  digest sha256{};
  std::int64_t bytes = 0;
};

class read_port {
 public:
  virtual ~read_port() = default;
  /// One document; not_found also for what belongs to another tenant.
  virtual void get(collection what, uuid tenant, const std::string& id,
                   reply_slot<document> slot) = 0;
  /// {"results": […], "next": cursor | null}; the next page, not the rows, tells whether it ends.
  virtual void list(list_query query, reply_slot<document> slot) = 0;
  /// A run with its snapshot, jobs, attempts, artifacts and token totals, of one database snapshot.
  virtual void run_detail(uuid tenant, uuid run, reply_slot<document> slot) = 0;
  /// A job with its token totals.
  virtual void job_detail(uuid tenant, uuid job, reply_slot<document> slot) = 0;
  /// The run that a job belongs to; nothing if this tenant has no such job.
  virtual void run_of_job(uuid tenant, uuid job, reply_slot<std::optional<uuid>> slot) = 0;
  /// {"results": [llm_usage_document…], "next": cursor | null}. `invalid` for limit and cursor.
  virtual void llm_usage(llm_usage_query query, reply_slot<document> slot) = 0;
  /// As of every call that was acknowledged before.
  virtual void llm_spent(llm_spent_query query, reply_slot<domain::llm_sums> slot) = 0;
  virtual void events(event_query query, reply_slot<event_page> slot) = 0;
  /// One event with its payload, as JSON for this reader.
  virtual void event(std::optional<uuid> tenant, domain::position at, domain::event_reader reader,
                     reply_slot<document> slot) = 0;
  /// The last successful run of a directive: of those the one that was launched last, by its
  /// position, whatever its stamps say. They may lie ahead of the clock. Simulated runs never
  /// count, nor do those whose tasks are not the directive's own, as its version had them. Nothing
  /// if there is none among the newest 5,000 that succeeded.
  struct last_success {
    uuid run;
    domain::position created_position = 0;
    time_us started_at_us = 0;
  };
  virtual void last_successful_run(uuid tenant, uuid directive,
                                   reply_slot<std::optional<last_success>> slot) = 0;
  virtual void stored_logs(stored_log_query query, reply_slot<stored_log_page> slot) = 0;
  /// `size` bytes from `offset` of a blob of this tenant, at most 256 KiB a call.
  virtual void blob(uuid tenant, const digest& sha256, std::int64_t offset, std::int64_t size,
                    reply_slot<std::string> slot) = 0;
  /// The first answer to an Idempotency-Key, if there is one.
  struct known_command {
    digest request_digest{};
    domain::position first_position = 0;
    std::int64_t count = 0;
    std::string stream;  // of the first event, and its version there
    domain::version first_version = 0;
  };
  virtual void command(uuid tenant, const std::string& principal, const std::string& route,
                       const std::string& key, reply_slot<std::optional<known_command>> slot) = 0;
  /// Events of one stream above `after`, in order, at most `limit` (1..5,000): from these an
  /// executor or a run actor rebuilds its state.
  virtual void stream(uuid tenant, const std::string& stream, domain::version after, int limit,
                      reply_slot<std::vector<domain::event_record>> slot) = 0;
  /// The head as far as this process knows it.
  virtual domain::position head() const = 0;
};

}  // namespace reeve::persistence
