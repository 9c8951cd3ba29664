#pragma once
// What the commands of a client share: where the server is, the token, calls, and what an error
// means for the person who reads it.

#include "adapters/rest_client.hpp"
#include "cli/commands.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace reeve::cli {

/// The words after a sub-command: plain ones, and options with their values.
struct word_list {
  std::vector<std::string> plain;
  std::multimap<std::string, std::string> options;  // "--label" → value, flags → ""
  std::string problem;                              // what does not fit; empty = nothing

  std::optional<std::string> option(const std::string& name) const;
  /// In the order in which they were given.
  std::vector<std::string> all(const std::string& name) const;
  bool has(const std::string& name) const { return options.contains(name); }
};

/// `valued` take a value, `flags` do not; everything else with -- in front is refused.
word_list split_words(const std::vector<std::string>& words, const std::vector<std::string>& valued,
                      const std::vector<std::string>& flags);

class api_client {
 public:
  api_client(const config& c, const client_options& options);

  struct answer {
    int code = exit_ok;  // for the process; the problem was printed if it is not exit_ok
    std::string body;
  };
  /// A POST carries an idempotency key of its own.
  answer call(const std::string& method, const std::string& path, const std::string& body = {});
  /// As GET, but a server that is away (it is being restarted) gets `patience_s` to come back.
  answer get_patiently(const std::string& path, int patience_s);
  /// A list, page by page (empty ones too) up to `limit` rows, as {"results": […], "next": …}.
  /// `query` begins with '&' or is empty. A limit that is no number from 1 to 100,000 is
  /// exit_usage.
  answer list(const std::string& path, const std::string& query, const std::string& limit);
  /// A GET; nothing, and not a word, if there is no such resource.
  std::optional<answer> find(const std::string& path);
  /// The body of an answer to stdout, without holding it in memory: as it is, or without what harms
  /// a terminal (cli/terminal_text.hpp) where stdout is one. Of what is not there `other`
  /// is asked first; nothing from it: the absence is told.
  int download(const std::string& path, const std::function<std::optional<int>()>& other = {});
  /// Server-sent events from behind the position `after`: the data of each, until `receive`
  /// answers false. A stream that breaks off is taken up again where it was, for up to 60 s.
  int follow(const std::string& path, const std::string& query, std::string after,
             const std::function<bool(std::string_view)>& receive);

  bool json() const { return options_.json; }
  bool ndjson() const { return options_.output == "ndjson"; }

 private:
  outcome<adapters::rest_request> request_to(const std::string& method, const std::string& path);
  answer judge(outcome<adapters::rest_response> answer, const std::string& sent) const;
  int fail(const rejection& why) const;
  void print_problem(const adapters::rest_response& answer, const std::string& sent) const;

  std::optional<config> own_;  // set: the server that leads with its folder is asked, nobody else
  std::string url_;
  std::string token_;
  std::string token_origin_;
  std::optional<rejection> refusal_;  // why the token must not be sent there
  client_options options_;
};

/// Prints a list as it was asked for; as a table it has these columns.
int show_rows(const api_client& api, const api_client::answer& answer,
              const std::vector<std::string>& columns);
/// Prints to stderr and answers exit_usage.
int usage_error(const std::string& text);
/// The body of a request in a file, at most 1 MiB; "-" is standard input. `invalid` also if there
/// is nothing in it: a pipe whose beginning failed must not ask for what an empty request means.
outcome<std::string> read_body(const std::string& path);

}  // namespace reeve::cli
