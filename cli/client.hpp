#pragma once
// What the commands of a client share: where the server is, the token, calls, and how answers and
// errors are shown.

#include "cli/commands.hpp"
#include "codec/json.hpp"

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
  answer call(const std::string& method, const std::string& path, const std::string& body = {});
  /// Server-sent events: the data of each, until `receive` answers false.
  int follow(const std::string& path, const std::function<bool(std::string_view)>& receive);
  bool json() const { return options_.json; }

 private:
  std::string url_;
  std::string token_;
  std::string token_origin_;
  client_options options_;
};

/// Prints JSON as it came, with a newline.
void print_json(const std::string& body);
/// Aligned columns of the rows of a list; `members` are dotted names in each row.
void print_table(const std::string& body, const std::vector<std::string>& members);
int usage_error(const std::string& text);

/// A member of an object as text; empty if it is not there or null.
std::string member_text(const codec::json_node& object, const std::string& name);
/// Answers of the API may be larger than what a client may send.
outcome<codec::json_doc> parse_answer(const std::string& body);
/// The text of a file, at most 1 MiB; "-" is standard input.
std::optional<std::string> read_text(const std::string& path);

}  // namespace reeve::cli
