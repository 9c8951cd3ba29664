#pragma once
// JSON on one line of a log, walked without building it: the members of one object, one after
// another. Not a parser for what comes from users (that is codec/): what is no JSON only ends the
// walk. One pass, no recursion, no limit on depth needed; values are views into the line.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::tasks {

/// `word` is true, false, null, or what else stands there without quotes.
enum class json_kind { string, number, word, object, array };

struct json_member {
  std::string_view key;  // between its quotes, escapes as they are
  json_kind kind = json_kind::word;
  std::string_view raw;  // between the quotes of a string, else all of the value
};

class json_walk {
 public:
  /// `object` begins with its "{", spaces before it aside; else there are no members.
  explicit json_walk(std::string_view object);

  /// Nothing at the end, and where the text is no JSON or was cut.
  std::optional<json_member> next();
  /// The object has ended, and only spaces follow it.
  bool complete() const { return complete_; }

 private:
  void skip_spaces();
  bool skip_string();
  bool skip_nested();
  void end();

  std::string_view text_;
  std::size_t at_ = 0;
  bool done_ = true;
  bool complete_ = false;
};

/// The text of a string's `raw`: escapes become what they stand for, in UTF-8 (half a surrogate
/// pair U+FFFD). At most `max_bytes` and three more; a character may be cut there.
std::string json_text(std::string_view raw, std::size_t max_bytes);

}  // namespace reeve::tasks
