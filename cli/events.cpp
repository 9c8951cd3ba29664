#include "adapters/rest_client.hpp"
#include "cli/client.hpp"

#include <cstdio>

namespace reeve::cli {
namespace {

constexpr const char* help =
    "reeve events [--after POSITION] [--type TYPE] [--stream STREAM] [--limit N] [--follow]";

std::string query_of(const word_list& words) {
  std::string query;
  for (const char* name : {"after", "type", "stream"}) {
    const auto value = words.option(std::string("--") + name);
    if (!value) continue;
    query += (query.empty() ? "?" : "&") + std::string(name) + "=" + adapters::path_segment(*value);
  }
  return query;
}

}  // namespace

int events(const loaded_config& config, const client_options& client,
           const std::vector<std::string>& words) {
  auto list_of = split_words(words, {"--after", "--type", "--stream", "--limit"}, {"--follow"});
  if (!list_of.problem.empty()) return usage_error(list_of.problem);
  if (!list_of.plain.empty()) return usage_error(help);
  api_client api(config.values, client);
  auto query = query_of(list_of);
  if (list_of.has("--follow")) {
    return api.follow("/api/events/stream" + query, [](std::string_view event) {
      print_json(std::string(event));
      std::fflush(stdout);
      return true;
    });
  }
  query += (query.empty() ? "?" : "&") + ("limit=" + list_of.option("--limit").value_or("50"));
  auto answer = api.call("GET", "/api/events" + query);
  if (answer.code != exit_ok) return answer.code;
  if (api.json()) {
    print_json(answer.body);
  } else {
    print_table(answer.body, {"position", "recorded_at", "type", "stream", "principal"});
  }
  return exit_ok;
}

}  // namespace reeve::cli
