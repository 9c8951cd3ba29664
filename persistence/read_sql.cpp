#include "persistence/read_sql.hpp"

#include "base/bound_cursor.hpp"
#include "codec/event_json.hpp"
#include "codec/json_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace reeve::persistence {
namespace {

constexpr int max_page = 500;
constexpr int max_stream_events = 5000;

// The one collection that is no projection.
constexpr std::string_view checkpoints_sql =
    "(SELECT position AS id, position AS created_position, json_build_object('position', position,"
    " 'epoch', epoch, 'origin', origin, 'hash', encode(hash, 'hex'), 'key_id', key_id,"
    " 'signature',"
    " rtrim(translate(encode(signature, 'base64'), E'+/\\n', '-_'), '='), 'created_at', "
    "to_char(to_timestamp(0)"
    " + created_at_us * interval '1 microsecond', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'))::text"
    " AS doc FROM reeve.checkpoints)";

std::string_view type_of(const projection& of, std::string_view name) {
  const auto at = column_index(of, name);
  return at < 0 ? std::string_view() : of.columns[static_cast<std::size_t>(at)].type;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
  return value;
}

bool fits(std::string_view value, std::string_view type) {
  if (type == "uuid") return parse_uuid(value).has_value();
  if (type == "bigint") return parse_integer(value).has_value();
  if (type == "boolean") return value == "true" || value == "false";
  return value.size() <= 512 && value.find('\0') == value.npos;
}

// Collects conditions and their parameters.
class conditions {
 public:
  explicit conditions(read_query& out) : out_(out) {}
  /// The placeholder of a new parameter.
  std::string param(std::string value, std::string_view type) {
    out_.params.push_back(std::move(value));
    return "$" + std::to_string(out_.params.size()) + "::" + std::string(type);
  }
  void add(const std::string& condition) {
    text_ += text_.empty() ? " WHERE " : " AND ";
    text_ += condition;
  }
  const std::string& text() const { return text_; }

 private:
  read_query& out_;
  std::string text_;
};

bool serves(const indexed_filter& index, std::string_view column, std::string_view value) {
  return index.column == column && (index.value.empty() || index.value == value);
}

/// The filter whose index is walked; null: that of the whole list, or of a label.
const indexed_filter* walked_filter(const list_query& query, const projection* of) {
  if (of == nullptr) return nullptr;
  for (const auto& one : of->indexed) {
    // A label's rows lie in the order of the list; before them goes what has very few.
    if (!query.labels.empty() && one.value.empty()) continue;
    for (const auto& [column, value] : query.equals) {
      if (serves(one, column, value)) return &one;
    }
  }
  return nullptr;
}

/// Conditions of the rows that are walked, and of those among them that fit.
struct list_conditions {
  conditions walked;
  std::string fits;

  void fit(const std::string& condition) {
    if (!fits.empty()) fits += " AND ";
    fits += condition;
  }
};

outcome<done> add_filters(const list_query& query, const projection* of,
                          const indexed_filter* walked, list_conditions& where) {
  for (const auto& [column, value] : query.equals) {
    if (of == nullptr ||
        std::find(of->filters.begin(), of->filters.end(), column) == of->filters.end()) {
      return reject(errc::internal, "the collection has no filter by " + column);
    }
    const auto type = std::string(type_of(*of, column));
    if (!fits(value, type)) {
      return reject(errc::invalid, column + " is not a " + type, "/" + column);
    }
    const auto is = "t." + column + " = ";
    if (walked == nullptr || !serves(*walked, column, value)) {
      where.fit(is + where.walked.param(value, type));
    } else if (walked->value.empty()) {
      where.walked.add(is + where.walked.param(value, type));
    } else {
      // An index of this value alone is known to serve the value itself, but not a parameter.
      where.walked.add(is + "'" + std::string(walked->value) + "'::" + type);
    }
  }
  return done{};
}

// The rows of one label lie in the order of the list, so its pages are walked from the first label
// to the rows; further labels are looked up for each.
std::string add_labels(const list_query& query, const collection_source& source,
                       const std::string& tenant, const indexed_filter* walked,
                       list_conditions& where) {
  std::string joined;
  for (const auto& [key, value] : query.labels) {
    const auto its_key = where.walked.param(key, "text");
    const auto its_value = where.walked.param(value, "text");
    const auto matches =
        "l.tenant = " + tenant + " AND l.key = " + its_key + " AND l.value = " + its_value;
    if (joined.empty() && walked == nullptr) {
      joined = " JOIN " + source.labels + " l ON l.object = t.id AND l.tenant = t.tenant";
      where.walked.add(matches);
    } else {
      where.fit("EXISTS (SELECT 1 FROM " + source.labels + " l WHERE " + matches +
                " AND l.created_position = t.created_position AND l.object = t.id)");
    }
  }
  return joined;
}

/// What differs between lists and the log in the text of a step.
struct step_text {
  std::string columns;  // of w
  std::string walk;     // a SELECT in the order of the list, without a limit
  std::string order;    // of w
  std::string weight;   // of a row of w, in bytes
};

/// The rows of a step, numbered, with the bytes up to each; of them what fits, and the last one.
/// PostgreSQL goes through it row by row and stops when it has enough.
std::string step_sql(const step_text& text, conditions& where, const list_step& step) {
  const auto rows = where.param(std::to_string(step.rows), "bigint");
  const auto bytes = where.param(std::to_string(step.bytes), "bigint");
  const auto most = where.param(std::to_string(step.most), "int");
  return "SELECT " + text.columns + ", w.fits, w.n = " + rows +
         " FROM (SELECT w.*, row_number() OVER o AS n, sum(CASE WHEN w.fits THEN " + text.weight +
         " ELSE 0 END) OVER o AS bytes FROM (" + text.walk + " LIMIT " + rows +
         ") w WINDOW o AS (ORDER BY " + text.order +
         " ROWS UNBOUNDED PRECEDING)) w WHERE (w.fits AND w.bytes - (" + text.weight + ") < " +
         bytes + ") OR w.n = " + rows + " ORDER BY " + text.order + " LIMIT " + most;
}

// The filters that walk an index: by stream its own, by time through reeve.position_at.
void add_event_range(const event_query& query, domain::position head, conditions& where) {
  const auto position = [&where](std::int64_t value) {
    return where.param(std::to_string(value), "bigint");
  };
  where.add("position > " + position(query.after));
  where.add("position <= " + position(head));
  if (query.before) where.add("position < " + position(*query.before));
  if (query.from_us) {
    where.add("position > (SELECT reeve.position_at(" + position(*query.from_us - 1) + "))");
  }
  if (query.to_us) {
    where.add("position <= (SELECT reeve.position_at(" + position(*query.to_us - 1) + "))");
  }
}

/// Of the checkpoints all tenants see the same list.
list_parts parts_of(const list_query& query) {
  list_parts parts{std::string(query.what.name()), query.newest_first ? "desc" : "asc"};
  if (query.what != collection::checkpoints) parts.push_back(to_string(query.tenant));
  parts.push_back(query.since);
  for (const auto& [column, value] : query.equals) parts.push_back(column + "=" + value);
  for (const auto& [key, value] : query.labels) {
    parts.insert(parts.end(), {"label", key, value});
  }
  return parts;
}

}  // namespace

collection_source source_of(collection what) {
  if (what == collection::checkpoints) {
    return {nullptr, "", std::string(checkpoints_sql), "bigint", ""};
  }
  const auto& of = projection_named(what.name());
  collection_source source{&of, "", table_of(of), type_of(of, "id"), ""};
  for (const auto& rule : of.subjects) {
    if (rule.column == "id") source.kind = rule.kind;
  }
  if (!of.labels.empty()) source.labels = table_of(projection_named(of.labels));
  return source;
}

outcome<read_query> get_query(collection what, const uuid& tenant, const std::string& id) {
  const auto source = source_of(what);
  if (!fits(id, source.id_type)) return reject(errc::not_found, "there is no such resource");
  read_query out;
  conditions where(out);
  if (source.of != nullptr) where.add("t.tenant = " + where.param(to_string(tenant), "uuid"));
  where.add("t.id = " + where.param(id, source.id_type));
  out.sql = "SELECT doc FROM " + source.table + " t" + where.text();
  return out;
}

bool walks_far(const list_query& query) {
  const auto source = source_of(query.what);
  const bool has_walked = walked_filter(query, source.of) != nullptr;
  const std::size_t served = has_walked || !query.labels.empty() ? 1 : 0;
  return query.equals.size() + query.labels.size() > served;
}

outcome<read_query> compose_list(const list_query& query, const list_step& step) {
  const auto source = source_of(query.what);
  if (query.limit < 1 || query.limit > max_page) {
    return reject(errc::invalid, "limit is 1 to 500", "/limit");
  }
  if (!query.labels.empty() && source.labels.empty()) {
    return reject(errc::internal, "the collection has no labels");
  }
  read_query out;
  list_conditions where{conditions(out), {}};
  std::string tenant;
  if (source.of != nullptr) {
    tenant = where.walked.param(to_string(query.tenant), "uuid");
    where.walked.add("t.tenant = " + tenant);
  }
  const auto* walked = walked_filter(query, source.of);
  if (auto added = add_filters(query, source.of, walked, where); !added) return added.error();
  const auto labelled = add_labels(query, source, tenant, walked, where);
  const std::string at = labelled.empty() ? "t.created_position" : "l.created_position";
  const std::string id = labelled.empty() ? "t.id" : "l.object";
  if (query.created_after) {
    where.walked.add(at + " > " +
                     where.walked.param(std::to_string(*query.created_after), "bigint"));
  }
  auto behind = step.behind;
  if (!behind && !query.cursor.empty()) {
    behind = parse_cursor(query);
    if (!behind) return reject(errc::invalid, "the cursor is not one of this list", "/cursor");
  }
  if (behind) {
    where.walked.add("(" + at + ", " + id + ") " + (query.newest_first ? "<" : ">") + " (" +
                     where.walked.param(std::to_string(behind->created_position), "bigint") + ", " +
                     where.walked.param(behind->id, source.id_type) + ")");
  }
  const std::string order = query.newest_first ? " DESC" : "";
  step_text text;
  text.columns = "w.created_position, w.id::text, CASE WHEN w.fits THEN w.doc END";
  text.walk = "SELECT " + at + " AS created_position, " + id + " AS id, t.doc AS doc, " +
              (where.fits.empty() ? std::string("true") : "(" + where.fits + ")") +
              " AS fits FROM " + source.table + " t" + labelled + where.walked.text() +
              " ORDER BY " + at + order + ", " + id + order;
  text.order = "w.created_position" + order + ", w.id" + order;
  text.weight = "octet_length(w.doc)";
  out.sql = step_sql(text, where.walked, step);
  return out;
}

std::string_view event_columns() {
  return "position, epoch, stream, version, type, schema_version, tenant, payload,"
         " payload_format, key_id, principal, command_id, request_digest, correlation_id,"
         " causation_id, traceparent, recorded_at_us, leaf, hash";
}

read_query head_query() {
  read_query out;
  out.sql = "SELECT reeve.head()";
  return out;
}

bool walks_far(const event_query& query) {
  return query.type || query.principal || query.correlation_id;
}

outcome<read_query> compose_events(const event_query& query, domain::position head,
                                   const list_step& step) {
  if (query.limit < 1 || query.limit > max_page) {
    return reject(errc::invalid, "limit is 1 to 500", "/limit");
  }
  read_query out;
  list_conditions where{conditions(out), {}};
  auto& walked = where.walked;
  if (query.tenant) walked.add("tenant = " + walked.param(to_string(*query.tenant), "uuid"));
  if (query.stream) {
    const auto stream = walked.param(*query.stream, "text");
    walked.add("stream = " + stream);
    if (!query.tenant) {
      walked.add("tenant = (SELECT s.tenant FROM reeve.streams s WHERE s.stream = " + stream + ")");
    }
  }
  if (query.type) where.fit("type = " + walked.param(*query.type, "text"));
  if (query.principal) where.fit("principal = " + walked.param(*query.principal, "text"));
  if (query.correlation_id) {
    where.fit("correlation_id = " + walked.param(to_string(*query.correlation_id), "uuid"));
  }
  add_event_range(query, head, walked);
  const std::string columns(event_columns());
  const std::string order = query.newest_first ? " DESC" : "";
  step_text text;
  text.columns = columns;
  text.walk = "SELECT " + columns + ", " +
              (where.fits.empty() ? std::string("true") : "(" + where.fits + ")") +
              " AS fits FROM reeve.events" + walked.text() + " ORDER BY position" + order;
  text.order = "w.position" + order;
  text.weight = "octet_length(w.payload) + " + std::to_string(event_overhead_bytes);
  out.sql = step_sql(text, walked, step);
  return out;
}

read_query one_event_query(const std::optional<uuid>& tenant, domain::position at) {
  read_query out;
  conditions where(out);
  where.add("position = " + where.param(std::to_string(at), "bigint"));
  if (tenant) where.add("tenant = " + where.param(to_string(*tenant), "uuid"));
  out.sql = "SELECT " + std::string(event_columns()) + " FROM reeve.events" + where.text();
  return out;
}

outcome<read_query> stream_query(const uuid& tenant, const std::string& stream,
                                 domain::version after, int limit) {
  if (limit < 1 || limit > max_stream_events) {
    return reject(errc::invalid, "limit is 1 to 5000", "/limit");
  }
  read_query out;
  conditions where(out);
  where.add("tenant = " + where.param(to_string(tenant), "uuid"));
  where.add("stream = " + where.param(stream, "text"));
  where.add("version > " + where.param(std::to_string(after), "bigint"));
  out.sql = "SELECT " + std::string(event_columns()) + " FROM reeve.events" + where.text() +
            " ORDER BY version LIMIT " + where.param(std::to_string(limit), "int");
  return out;
}

std::string cursor_of(const list_query& query, const list_place& place) {
  return cursor_in(parts_of(query), std::to_string(place.created_position) + ":" + place.id);
}

std::optional<list_place> parse_cursor(const list_query& query) {
  const auto text = place_in(parts_of(query), query.cursor);
  const auto colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos) return {};
  const auto position = parse_integer(std::string_view(*text).substr(0, colon));
  auto id = text->substr(colon + 1);
  const auto is_plain = [](char c) { return c > 0x20 && c < 0x7f; };
  if (!position || *position < 0 || id.empty() || !fits(id, source_of(query.what).id_type) ||
      !std::all_of(id.begin(), id.end(), is_plain)) {
    return {};
  }
  return list_place{*position, std::move(id)};
}

document make_document(std::string body) {
  const auto hash = sha256(body);
  // 128 bits are enough for a validator.
  auto etag = "\"" + to_hex(as_view(hash).substr(0, 16)) + "\"";
  return {std::make_shared<const std::string>(std::move(body)), std::move(etag)};
}

std::string render_usage(const usage_totals& totals) {
  codec::json_writer json;
  json.begin_object();
  json.key("calls").value(totals.calls);
  json.key("prompt_tokens").value(totals.prompt_tokens);
  json.key("completion_tokens").value(totals.completion_tokens);
  json.key("total_tokens").value(totals.total_tokens);
  return json.end_object().take();
}

std::string with_members(std::string_view doc, std::string_view members) {
  std::string out(doc.substr(0, doc.rfind('}')));
  if (out.size() > 1) out += ',';
  out += members;
  out += '}';
  return out;
}

std::string render_event(const domain::event_record& e, domain::event_reader reader) {
  return codec::event_json(e, reader);
}

}  // namespace reeve::persistence
