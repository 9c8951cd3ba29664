#include "api/log_download.hpp"
#include "api/log_search.hpp"
#include "api/routes/common.hpp"
#include "api/services.hpp"

namespace reeve::api {
namespace {

constexpr std::size_t most_text = 256;

outcome<log_pattern> pattern_of(const request& r) {
  const auto text = r.query_value("q");
  if (!text || text->empty() || text->size() > most_text ||
      text->find_first_of(std::string_view("\n\0", 2)) != text->npos) {
    return reject(errc::invalid, "what is looked for has 1 to 256 bytes, all of one line",
                  "/query/q");
  }
  log_pattern pattern{std::string(*text)};
  const auto ignores = r.query_value("ignore_case").value_or("false");
  if (ignores != "true" && ignores != "false") {
    return reject(errc::invalid, "true or false is needed", "/query/ignore_case");
  }
  pattern.ignore_case = ignores == "true";
  return pattern;
}

outcome<persistence::stored_log_query> filters_of(const request& r, list_parts& list) {
  persistence::stored_log_query query;
  query.tenant = r.who.tenant;
  query.asked_by = r.who.token_id;
  for (const auto& [name, member] : {std::pair("run", &query.run), std::pair("job", &query.job),
                                     std::pair("directive", &query.directive)}) {
    auto id = uuid_of(r, name);
    if (!id) return id.error();
    *member = *id;
    if (*id) list.push_back(std::string(name).append("=").append(to_string(**id)));
  }
  for (const auto& [name, member] :
       {std::pair("since", &query.since_us), std::pair("until", &query.until_us)}) {
    auto at = time_of(r, name);
    if (!at) return at.error();
    *member = *at;
    if (*at) list.push_back(std::string(name).append("=").append(std::to_string(**at)));
  }
  return query;
}

void search(services& s, const request& r, const responder& answer) {
  auto pattern = pattern_of(r);
  if (!pattern) return answer.answer(pattern.error());
  log_search_query query;
  query.pattern = std::move(*pattern);
  query.list = {"logs", to_string(r.who.tenant), query.pattern.text,
                query.pattern.ignore_case ? "any case" : "this case"};
  auto logs = filters_of(r, query.list);
  if (!logs) return answer.answer(logs.error());
  query.logs = std::move(*logs);
  const auto stream = stream_of(r);
  if (!stream) return answer.answer(stream.error());
  query.stream = *stream;
  if (*stream) query.list.push_back("stream=" + std::string(domain::name_of(**stream)));
  auto limit = number_of(r, "limit");
  if (!limit) return answer.answer(limit.error());
  if (const auto most = limit->value_or(50); most >= 1 && most <= 500) {
    query.limit = static_cast<std::size_t>(most);
  } else {
    return answer.answer(reject(errc::invalid, "limit is 1..500", "/query/limit"));
  }
  if (const auto cursor = r.query_value("cursor").value_or(""); !cursor.empty()) {
    const auto text = place_in(query.list, cursor);
    const auto place = text ? parse_log_search_place(*text) : std::nullopt;
    if (!place) {
      return answer.answer(
          reject(errc::invalid, "the cursor is not one of this list", "/query/cursor"));
    }
    query.logs.from = place->log;
    query.at = place->at;
  }
  search_logs(s, std::move(query), answer);
}

}  // namespace

std::vector<route> logs_routes(services& s) {
  return {
      row(s, method::get, "/api/logs", "Search the stored output of jobs, newest run first",
          access::viewer, search)
          .gives(codec::json_schema<log_search_document>())
          .has_no_etag()
          .query({"q", "ignore_case", "run", "job", "directive", "since", "until", "stream",
                  "limit", "cursor"})
          .says("q", "What a line has to hold: 1 to 256 bytes, taken as they are.")
          .says("ignore_case", "true or false: whether A to Z are as good as a to z.")
          .says("run", "Only output of the run with this id.")
          .says("job", "Only output of the job with this id.")
          .says("directive", "Only output of runs of the directive with this id.")
          .says("since", "Only output that was stored at this time (RFC 3339) or later.")
          .says("until", "Only output that was stored before this time (RFC 3339).")
          .says("stream",
                "stdout or stderr: only lines of that stream, and what Reeve says in between; "
                "`unknown_streams` counts the logs that were left out because it is not known.")
          .says("limit",
                "Most lines of a page, 1 to 500; 50 without it. A page may have fewer, even none, "
                "and a `next` all the same: it looks through 64 MiB at most, or for 2 s."),
  };
}

}  // namespace reeve::api
