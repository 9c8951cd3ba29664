#include "cli/client.hpp"
#include "cli/output.hpp"
#include "codec/json_writer.hpp"

#include <cstdio>

namespace reeve::cli {
namespace {

constexpr const char* help_of_allow =
    "allow needs one of image REFERENCE, container NAME, list images|containers, "
    "remove images|containers ID, resolve ID: reeve help allow";

int show_entry(api_client& api, const api_client::answer& answer, const char* name) {
  if (answer.code != exit_ok) return answer.code;
  auto doc = parse_answer(answer.body);
  if (api.json() || !doc) {
    print_json(answer.body);
  } else {
    print_line(doc->root(), {"id", name});
  }
  return exit_ok;
}

int add(api_client& api, const word_list& words, bool image) {
  codec::json_writer body;
  body.begin_object();
  body.key(image ? "reference" : "name").value(words.plain[1]);
  body.key("reason").value(words.option("--reason").value_or(""));
  if (image && words.has("--host-network")) body.key("allow_host_network").value(true);
  if (image && words.has("--root")) body.key("allow_root").value(true);
  if (image && words.has("--llm")) body.key("llm").value(true);
  if (!image && words.has("--by-name")) body.key("by_name").value(true);
  body.end_object();
  const auto answer = api.call(
      "POST", image ? "/api/allowlists/images" : "/api/allowlists/containers", body.take());
  return show_entry(api, answer, image ? "reference" : "name");
}

int list_entries(api_client& api, const std::string& what, const word_list& words) {
  const auto answer =
      api.list("/api/allowlists/" + what, "", words.option("--limit").value_or("50"));
  if (what == "images") {
    return show_rows(api, answer,
                     {"id", "reference", "is_active", "allow_host_network", "allow_root", "llm",
                      "digest", "reason"});
  }
  return show_rows(api, answer, {"id", "name", "is_active", "container_id", "reason"});
}

bool is_list(const std::string& word) {
  return word == "images" || word == "containers";
}

}  // namespace

int allow(const loaded_config& config, const client_options& client,
          const std::vector<std::string>& words) {
  auto list_of = split_words(words, {"--reason", "--limit"},
                             {"--host-network", "--root", "--llm", "--by-name"});
  if (!list_of.problem.empty()) return usage_error(list_of.problem);
  const auto& plain = list_of.plain;
  api_client api(config.values, client);
  if (plain.size() == 2 && plain[0] == "image") return add(api, list_of, true);
  if (plain.size() == 2 && plain[0] == "container") return add(api, list_of, false);
  if (plain.size() == 2 && plain[0] == "list" && is_list(plain[1]))
    return list_entries(api, plain[1], list_of);
  if (plain.size() == 2 && plain[0] == "resolve") {
    const auto path = "/api/allowlists/images/" + adapters::path_segment(plain[1]) + "/resolve";
    return show_entry(api, api.call("POST", path, "{}"), "digest");
  }
  if (plain.size() == 3 && plain[0] == "remove" && is_list(plain[1])) {
    const auto path = "/api/allowlists/" + plain[1] + "/" + adapters::path_segment(plain[2]);
    return show_entry(api, api.call("DELETE", path), plain[1] == "images" ? "reference" : "name");
  }
  return usage_error(help_of_allow);
}

}  // namespace reeve::cli
