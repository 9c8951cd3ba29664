#pragma once
// A JSON object that its writer has laid out over many lines, with indentation: "{", its members,
// "}".

#include "tasks/triage/log_envelope.hpp"
#include "tasks/triage/log_line.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::tasks {

/// Gathers the lines of such an object: from a line that is "{" over indented ones, of which the
/// first begins with a quote, to one that is "}" or "},". What is no JSON in the end, has another
/// line in between or goes beyond a limit is given back as the lines that it was.
class object_lines {
 public:
  static constexpr std::size_t max_lines = 500;
  /// Of what is kept, envelopes included; the line that goes beyond it is still taken.
  static constexpr std::size_t max_bytes = max_opened_bytes;

  enum class verdict { no_part, part, whole };

  bool is_open() const { return !lines_.empty(); }
  /// `whole` if the object has ended with this line; it is to be taken then.
  verdict take(const log_line& line);

  /// Of an object that is whole: itself on one line, with what is known of its first one.
  log_line line() const;
  std::int64_t size() const { return static_cast<std::int64_t>(lines_.size()); }
  void clear();
  /// The lines as they came, none of which is kept any more.
  std::vector<kept_line> give_back();

 private:
  void keep(const log_line& line, std::string_view text);

  std::vector<kept_line> lines_;
  std::string text_;
  std::size_t bytes_ = 0;
};

}  // namespace reeve::tasks
