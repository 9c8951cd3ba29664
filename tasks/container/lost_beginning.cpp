#include "tasks/container/lost_beginning.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace reeve::tasks {
namespace {

/// At least so much, and then up to the end of a line; else of what a progress bar writes over;
/// else of a word. Without any of them no character is cut.
std::size_t cut_of(std::string_view written) {
  if (written.size() <= least_unshown_bytes) return written.size();
  const auto most = written.substr(0, most_unshown_bytes);
  for (const std::string_view ends : {"\n", "\r", " \t\"'&<>"}) {
    const auto at = most.find_first_of(ends, least_unshown_bytes - 1);
    if (at != most.npos) return at + 1;
  }
  if (written.size() <= most_unshown_bytes) return written.size();
  const auto whole = utf8_prefix(written, most_unshown_bytes);
  return whole.size() >= least_unshown_bytes ? whole.size() : most.size();
}

std::size_t behind_newlines(std::string_view text, std::ptrdiff_t count) {
  std::size_t at = 0;
  for (; count > 0 && at < text.size(); --count) {
    at = std::min(text.find('\n', at), text.size() - 1) + 1;
  }
  return count > 0 ? text.size() : at;
}

std::ptrdiff_t lines_of(std::string_view text) {
  return std::count(text.begin(), text.end(), '\n');
}

/// The next line, with its newline.
std::string_view take_line(std::string_view& text) {
  const auto line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
  text.remove_prefix(line.size());
  return line;
}

std::size_t index_of(domain::line_stream of) {
  return of == domain::line_stream::err ? 1 : 0;
}

}  // namespace

unshown unshown_of(std::string_view written, std::string_view redacted, std::size_t redacted_later,
                   std::size_t later) {
  const auto cut = cut_of(written);
  const auto before = written.substr(0, cut);
  // Nothing was hidden so far, and nothing that is begins there.
  if (redacted.substr(0, cut) == before && redacted.size() >= cut) return {cut, cut};
  // Redaction keeps every newline.
  if (before.ends_with('\n')) return {cut, behind_newlines(redacted, lines_of(before))};
  const auto line_end = std::min(written.find('\n', cut), written.size() - 1) + 1;
  // Where nothing more ends a line, nothing says where in the redacted text that is.
  if (written[line_end - 1] != '\n' && written.size() <= later) {
    return {written.size(), redacted.size()};
  }
  if (line_end <= later || written.size() <= later) {
    return {line_end, behind_newlines(redacted, lines_of(written.substr(0, line_end)))};
  }
  return {later, std::min(redacted_later, redacted.size())};
}

shown_rest without_beginnings(shown_rest rest, std::string_view before,
                              const domain::line_marks& lines_before) {
  if (rest.lines.size() != domain::lines_in(rest.written)) return rest;
  std::array<std::size_t, 2> left_out{};
  for (std::size_t i = 0; !before.empty() && i < lines_before.size(); ++i) {
    left_out[index_of(lines_before.at(i))] += take_line(before).size();
  }
  shown_rest shown;
  std::string_view written = rest.written, redacted = rest.redacted;
  for (std::size_t i = 0; !written.empty(); ++i) {
    const auto line = take_line(written);
    const auto as_shown = redacted.empty() ? redacted : take_line(redacted);
    auto& without = left_out[index_of(rest.lines.at(i))];
    if (without < least_unshown_bytes) {
      without += line.size();
      continue;
    }
    shown.written += line;
    shown.redacted += as_shown;
    shown.lines.add(rest.lines.at(i));
  }
  return shown;
}

}  // namespace reeve::tasks
