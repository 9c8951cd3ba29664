#include "cli/client.hpp"
#include "cli/output.hpp"

namespace reeve::cli {
namespace {

constexpr const char* help_of_logs = "logs needs search TEXT: reeve help logs";

int search(api_client& api, const word_list& words) {
  auto query = "&q=" + adapters::path_segment(words.plain[1]);
  for (const std::string name : {"run", "job", "directive", "since", "until", "stream"}) {
    const auto value = words.option("--" + name);
    if (value) query += "&" + name + "=" + adapters::path_segment(*value);
  }
  if (words.has("--ignore-case")) query += "&ignore_case=true";
  const auto answer = api.list("/api/logs", query, words.option("--limit").value_or("50"));
  return show_rows(api, answer, {"job_id", "job_name", "attempt", "line", "text"});
}

}  // namespace

int logs(const loaded_config& config, const client_options& client,
         const std::vector<std::string>& words) {
  const auto options = split_words(
      words, {"--run", "--job", "--directive", "--since", "--until", "--stream", "--limit"},
      {"--ignore-case"});
  if (!options.problem.empty()) return usage_error(options.problem);
  if (options.plain.size() != 2 || options.plain[0] != "search") return usage_error(help_of_logs);
  api_client api(config.values, client);
  return search(api, options);
}

}  // namespace reeve::cli
