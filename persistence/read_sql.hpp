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

/// Errors: `invalid` for limit, cursor or a filter's value (the field is named), `internal` for a
/// filter that the collection does not have.
outcome<read_query> compose_list(const list_query& query);

read_query head_query();
outcome<read_query> compose_events(const event_query& query, domain::position head);
read_query one_event_query(const std::optional<uuid>& tenant, domain::position at);
/// Errors: `invalid` for the limit.
outcome<read_query> stream_query(const uuid& tenant, const std::string& stream,
                                 domain::version after, int limit);
/// Columns of an event, in the order in which `render_event` takes them.
std::string_view event_columns();

/// A place in a list: opaque to clients, checked when it comes back, and bound to the list.
struct list_place {
  domain::position created_position = 0;
  std::string id;
};
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
