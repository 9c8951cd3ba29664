#pragma once
// The texts of the reader's queries and the documents that are made of their rows. Pure.

#include "base/outcome.hpp"
#include "persistence/projection.hpp"
#include "persistence/read_port.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::persistence {

/// A statement with its parameters in text form. The texts come from a small set, so they can be
/// prepared; values are always parameters.
struct read_query {
  std::string sql;
  std::vector<std::string> params;
};

/// Where a collection lives, as its projection says.
struct collection_source {
  const projection* of = nullptr;  // null: no projection and no tenant
  std::string_view kind;           // subject in the cache; empty = not cached
  std::string table;               // or a subquery
  std::string_view id_type;
  std::string labels;  // the table with the labels of its rows; empty = they have none
};
collection_source source_of(collection what);

/// `not_found` for an id that this collection cannot have.
outcome<read_query> get_query(collection what, const uuid& tenant, const std::string& id);

/// A place in a list: opaque to clients, checked when it comes back, and bound to the list.
struct list_place {
  domain::position created_position = 0;
  std::string id;
};

/// One step of a walk: of the next `rows` rows the first `most` that fit, and no more of them than
/// have `bytes` together, but one. The last of the `rows` comes as well, fitting or not: by it the
/// walk goes on.
struct list_step {
  std::int64_t rows = 1;
  int most = 1;
  std::size_t bytes = most_page_bytes;
  std::optional<list_place> behind{};  // where it begins, instead of the query's cursor
};

/// Whether rows are walked that do not fit: no index has all the filters that the list is asked
/// for.
bool walks_far(const list_query& query);
/// Rows: created_position, id, doc (null if it does not fit), whether it fits, whether it is the
/// last of the step. Errors: `invalid` for limit, cursor or a filter's value (the field is named),
/// `internal` for a filter that the collection does not have.
outcome<read_query> compose_list(const list_query& query, const list_step& step);

read_query head_query();
/// What an event counts of the bytes of a page, beside its payload.
inline constexpr std::size_t event_overhead_bytes = 1024;
bool walks_far(const event_query& query);
/// A step from the query's `after` (newest first: `before`). Rows: the columns of an event, whether
/// it fits, whether it is the last of the step.
outcome<read_query> compose_events(const event_query& query, domain::position head,
                                   const list_step& step);
read_query one_event_query(const std::optional<uuid>& tenant, domain::position at);
/// Errors: `invalid` for the limit.
outcome<read_query> stream_query(const uuid& tenant, const std::string& stream,
                                 domain::version after, int limit);
/// Columns of an event, in the order in which `render_event` takes them.
std::string_view event_columns();

std::string cursor_of(const list_query& query, const list_place& place);
/// The place of the query's cursor; nothing for what is no cursor of this list.
std::optional<list_place> parse_cursor(const list_query& query);

/// A strong validator over the body.
document make_document(std::string body);

struct usage_totals {
  std::int64_t calls = 0, prompt_tokens = 0, completion_tokens = 0, total_tokens = 0;
};
/// {"calls":…,"prompt_tokens":…,"completion_tokens":…,"total_tokens":…}
std::string render_usage(const usage_totals& totals);

/// `doc` with further members at its end; `members` is `"name":value,…`.
std::string with_members(std::string_view doc, std::string_view members);

/// The envelope with its payload inside. A sealed payload stays the text that it is.
std::string render_event(const domain::event_record& event, domain::event_reader reader);

}  // namespace reeve::persistence
