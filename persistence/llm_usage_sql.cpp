#include "persistence/llm_usage_sql.hpp"

#include "base/bound_cursor.hpp"
#include "codec/codec.hpp"
#include "domain/runs/llm.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace reeve::persistence {
namespace {

using domain::llm_grouping;

constexpr int max_usage_page = 500;

struct order_column {
  std::string_view name;
  std::string_view type;
};

/// The order in which a grouping walks its lines, the key first; each has an index like that.
struct walk_order {
  std::vector<order_column> columns;
  bool is_falling;
};

const walk_order& order_of(llm_grouping by) {
  constexpr order_column day{"day", "bigint"}, job{"job_id", "uuid"}, model{"model_name", "text"},
      run{"run_id", "uuid"}, directive{"directive_id", "uuid"};
  static const std::array<walk_order, 4> all{
      walk_order{{day, job, model}, true}, walk_order{{model, day, job}, false},
      walk_order{{run, day, job, model}, true}, walk_order{{directive, day, job, model}, false}};
  return all[static_cast<std::size_t>(by)];
}

/// As `llm_sums` has them.
constexpr std::array sum_columns{"calls",        "prompt_tokens", "completion_tokens",
                                 "total_tokens", "cost_micros",   "over_budget_calls"};

bool is_value_of(std::string_view value, std::string_view type) {
  if (type == "uuid") return parse_uuid(value).has_value();
  if (type == "text") return domain::is_model_name(value) || value == domain::other_models;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  return error == std::errc{} && end == value.data() + value.size() && !value.empty();
}

/// The values of a place: those of all columns of the order, or the key alone. Neither ids, days
/// nor names of models have a space.
std::vector<std::string> values_of(std::string_view place) {
  std::vector<std::string> values;
  for (;;) {
    const auto end = place.find(' ');
    values.emplace_back(place.substr(0, end));
    if (end == place.npos) return values;
    place.remove_prefix(end + 1);
  }
}

bool is_place(const walk_order& order, const std::vector<std::string>& values) {
  if (values.size() != 1 && values.size() != order.columns.size()) return false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!is_value_of(values[i], order.columns[i].type)) return false;
  }
  return true;
}

class usage_text {
 public:
  usage_text(const llm_usage_query& query, const walk_order& order)
      : query_(query), order_(order) {}

  read_query made(const std::vector<std::string>& behind, std::int64_t rows) {
    add_walked("tenant", "=", to_string(query_.tenant), "uuid");
    add_filters();
    if (!behind.empty()) add_place(behind);
    const auto number = param(std::to_string(rows), "bigint");
    const std::string key(order_.columns[0].name);
    const std::string falls = order_.is_falling ? " DESC" : "";
    std::string walk, place;
    for (const auto& column : order_.columns) {
      walk += (walk.empty() ? "t." : ", t.") + std::string(column.name) + falls;
      place += (place.empty() ? "w." : " || ' ' || w.") + std::string(column.name) + "::text";
    }
    std::string sums, of_lines;
    for (const char* name : sum_columns) {
      sums += ", COALESCE(sum(w." + std::string(name) + ") FILTER (WHERE w.fits), 0)::bigint";
      of_lines += ", t." + std::string(name);
    }
    out_.sql = "SELECT w." + key + "::text, count(*) FILTER (WHERE w.fits)" + sums + ", max(" +
               place + ") FILTER (WHERE w.n = " + number +
               ") FROM (SELECT t.day, t.job_id, t.model_name, t.run_id, t.directive_id" + of_lines +
               ", " + (fits_.empty() ? std::string("true") : "(" + fits_ + ")") +
               " AS fits, row_number() OVER (ORDER BY " + walk +
               ") AS n FROM reeve_read.llm_days t WHERE " + walked_ + " ORDER BY " + walk +
               " LIMIT " + number + ") w GROUP BY w." + key + " ORDER BY w." + key + falls;
    return std::move(out_);
  }

 private:
  std::string param(std::string value, std::string_view type) {
    out_.params.push_back(std::move(value));
    return "$" + std::to_string(out_.params.size()) + "::" + std::string(type);
  }
  void add_walked(std::string_view column, std::string_view how, std::string value,
                  std::string_view type) {
    walked_ += (walked_.empty() ? "t." : " AND t.") + std::string(column) + " " + std::string(how) +
               " " + param(std::move(value), type);
  }
  /// What has the key in it is walked along the index. So is a run: its lines are few.
  void filter(std::string_view column, std::string_view how, std::string value,
              std::string_view type) {
    if (column == order_.columns[0].name || column == "run_id") {
      return add_walked(column, how, std::move(value), type);
    }
    fits_ += (fits_.empty() ? "t." : " AND t.") + std::string(column) + " " + std::string(how) +
             " " + param(std::move(value), type);
  }
  void add_filters() {
    if (query_.run) filter("run_id", "=", to_string(*query_.run), "uuid");
    if (query_.directive) filter("directive_id", "=", to_string(*query_.directive), "uuid");
    if (query_.model) filter("model_name", "=", *query_.model, "text");
    if (query_.from_day) filter("day", ">=", std::to_string(*query_.from_day), "bigint");
    if (query_.to_day) filter("day", "<", std::to_string(*query_.to_day), "bigint");
  }
  void add_place(const std::vector<std::string>& values) {
    std::string columns, params;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto& column = order_.columns[i];
      columns += (i == 0 ? "t." : ", t.") + std::string(column.name);
      params += (i == 0 ? "" : ", ") + param(values[i], column.type);
    }
    walked_ += " AND (" + columns + ") " + (order_.is_falling ? "<" : ">") + " (" + params + ")";
  }

  const llm_usage_query& query_;
  const walk_order& order_;
  read_query out_;
  std::string walked_, fits_;
};

list_parts parts_of(const llm_usage_query& query) {
  const auto number = [](const std::optional<std::int64_t>& day) {
    return day ? std::to_string(*day) : std::string();
  };
  const auto id = [](const std::optional<uuid>& of) { return of ? to_string(*of) : std::string(); };
  return {"llm_usage",
          std::string(name_of(query.by)),
          to_string(query.tenant),
          id(query.run),
          id(query.directive),
          query.model.value_or(""),
          number(query.from_day),
          number(query.to_day)};
}

}  // namespace

outcome<read_query> compose_usage(const llm_usage_query& query, const std::string& behind,
                                  std::int64_t rows) {
  if (query.limit < 1 || query.limit > max_usage_page) {
    return reject(errc::invalid, "limit is 1 to 500", "/limit");
  }
  const auto& order = order_of(query.by);
  auto place = behind;
  if (place.empty() && !query.cursor.empty()) {
    place = place_in(parts_of(query), query.cursor).value_or(" ");
  }
  std::vector<std::string> values;
  if (!place.empty()) {
    values = values_of(place);
    if (!is_place(order, values)) {
      return reject(errc::invalid, "the cursor is not one of this list", "/cursor");
    }
  }
  return usage_text(query, order).made(values, rows);
}

read_query compose_spent(const llm_spent_query& query) {
  read_query out;
  std::string sums;
  for (const char* name : sum_columns) {
    sums +=
        (sums.empty() ? "COALESCE(sum(" : ", COALESCE(sum(") + std::string(name) + "), 0)::bigint";
  }
  out.params = {to_string(query.tenant), std::to_string(query.from_day)};
  out.sql =
      "SELECT " + sums + " FROM reeve_read.llm_days WHERE tenant = $1::uuid AND day >= $2::bigint";
  if (query.directive) {
    out.params.push_back(to_string(*query.directive));
    out.sql += " AND directive_id = $" + std::to_string(out.params.size()) + "::uuid";
  }
  if (query.model) {
    out.params.push_back(*query.model);
    out.sql += " AND model_name = $" + std::to_string(out.params.size()) + "::text";
  }
  return out;
}

usage_walk::usage_walk(int limit, std::int64_t now_us)
    : limit_(static_cast<std::size_t>(limit)),
      until_us_(now_us + most_us),
      step_(std::clamp<std::int64_t>(4 * (limit + 1), 200, largest_step)) {}

std::optional<std::string> usage_walk::take(const usage_step& step, std::int64_t now_us) {
  for (const auto& part : step.parts) {
    if (part.lines == 0) continue;
    if (!groups_.empty() && groups_.back().key == part.key) {
      groups_.back().sums += part.sums;
      continue;
    }
    if (groups_.size() == limit_) {
      next_ = groups_.back().key;
      return std::nullopt;
    }
    groups_.push_back({part.key, part.sums, false});
  }
  if (step.last.empty()) return std::nullopt;
  walked_ += step_;
  if (walked_ < most_lines && now_us < until_us_) {
    step_ = std::min({4 * step_, largest_step, most_lines - walked_});
    return step.last;
  }
  next_ = step.last;
  if (!groups_.empty() && groups_.back().key == step.parts.back().key) {
    groups_.back().is_partial = true;
  }
  return std::nullopt;
}

std::string render_usage_group(llm_grouping by, const usage_walk::group& group) {
  domain::llm_usage_document d;
  const auto id = parse_uuid(group.key);
  switch (by) {
    case llm_grouping::day:
      d.day = format_time(domain::begin_of_day(std::stoll(group.key))).substr(0, 10);
      break;
    case llm_grouping::model:
      d.model_name = group.key;
      break;
    case llm_grouping::run:
      if (id != uuid{}) d.run_id = id;
      break;
    case llm_grouping::directive:
      if (id != uuid{}) d.directive_id = id;
      break;
  }
  d.calls = group.sums.calls;
  d.prompt_tokens = group.sums.prompt_tokens;
  d.completion_tokens = group.sums.completion_tokens;
  d.total_tokens = group.sums.total_tokens;
  d.cost_micros = group.sums.cost_micros;
  d.over_budget_calls = group.sums.over_budget_calls;
  d.is_partial = group.is_partial;
  return codec::encode_document(d);
}

std::string usage_cursor(const llm_usage_query& query, const std::string& place) {
  return cursor_in(parts_of(query), place);
}

}  // namespace reeve::persistence
