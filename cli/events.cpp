#include "cli/client.hpp"
#include "cli/output.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace reeve::cli {
namespace {

const std::vector<std::string> columns{"position", "recorded_at", "type", "stream", "principal"};

std::string query_of(const word_list& words) {
  std::string query;
  for (const std::string name : {"type", "stream"}) {
    if (const auto value = words.option("--" + name)) {
      query += "&" + name + "=" + adapters::path_segment(*value);
    }
  }
  return query;
}

struct event_list {
  int code = exit_ok;
  std::vector<std::string> rows;  // ascending
  std::string last;               // what the rows were read up to
};

/// One page. Newest first it is read from its end.
int add_page(api_client& api, const std::string& query, bool newest, int& left, event_list& list,
             std::string& next) {
  auto page = api.call("GET", "/api/events?limit=" + std::to_string(std::min(left, 500)) + query);
  if (page.code != exit_ok) return page.code;
  const auto doc = parse_answer(page.body);
  const auto results = doc && doc->root().is_object() ? doc->root().find("results") : std::nullopt;
  if (!results || !results->is_array()) return usage_error("the server's answer is no list");
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < results->size(); ++i) rows.push_back(results->at(i).text());
  left -= static_cast<int>(rows.size());
  if (newest) {
    list.rows.insert(list.rows.begin(), rows.rbegin(), rows.rend());
  } else {
    list.rows.insert(list.rows.end(), rows.begin(), rows.end());
  }
  // A page may be empty and not the last one.
  next = member_text(doc->root(), "next");
  if (list.last.empty() || !newest) list.last = member_text(doc->root(), "head");
  if (!newest && !next.empty() && !rows.empty()) {
    list.last = member_text(results->at(rows.size() - 1), "position");
  }
  return exit_ok;
}

event_list read_events(api_client& api, const word_list& words) {
  event_list list;
  const auto limit = words.option("--limit").value_or("50");
  int left = 0;
  const char* end = limit.data() + limit.size();
  const auto [stop, error] = std::from_chars(limit.data(), end, left);
  if (error != std::errc{} || stop != end || left < 1 || left > 100'000) {
    list.code = usage_error("--limit is a number from 1 to 100000");
    return list;
  }
  const auto after = words.option("--after");
  auto query = query_of(words);
  if (!after) query += "&order=desc";
  if (after && !after->empty()) query += "&after=" + adapters::path_segment(*after);
  std::string next;
  do {
    const auto cursor = next.empty() ? "" : "&cursor=" + adapters::path_segment(next);
    list.code = add_page(api, query + cursor, !after, left, list, next);
  } while (list.code == exit_ok && left > 0 && !next.empty());
  return list;
}

void show(const api_client& api, const std::string& event) {
  if (api.json()) return print_json(event);
  if (const auto doc = parse_answer(event)) print_line(doc->root(), columns);
}

}  // namespace

int events(const loaded_config& config, const client_options& client,
           const std::vector<std::string>& words) {
  auto list_of = split_words(words, {"--after", "--type", "--stream", "--limit"}, {"--follow"});
  if (!list_of.problem.empty()) return usage_error(list_of.problem);
  if (!list_of.plain.empty()) return usage_error("events takes options only: reeve help events");
  api_client api(config.values, client);
  const bool follows = list_of.has("--follow");
  if (follows && list_of.has("--after")) {
    return api.follow("/api/events/stream", query_of(list_of), *list_of.option("--after"),
                      [&](std::string_view event) {
                        show(api, std::string(event));
                        return std::fflush(stdout) == 0;
                      });
  }
  const auto list = read_events(api, list_of);
  if (list.code != exit_ok) return list.code;
  std::string rows;
  for (const auto& row : list.rows) rows += (rows.empty() ? "" : ",") + row;
  // For --after of the next call.
  const auto read_to = list.last.empty() ? "0" : list.last;
  const auto body = "{\"read_to\":" + read_to + ",\"results\":[" + rows + "]}";
  if (follows || api.ndjson()) {
    api.json() ? print_rows(body) : print_table(body, columns);
  } else {
    api.json() ? print_json(body) : print_table(body, columns);
  }
  std::fflush(stdout);
  if (!follows) return exit_ok;
  return api.follow("/api/events/stream", query_of(list_of), read_to, [&](std::string_view event) {
    show(api, std::string(event));
    return std::fflush(stdout) == 0;
  });
}

}  // namespace reeve::cli
