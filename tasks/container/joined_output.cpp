#include "tasks/container/joined_output.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace reeve::tasks {
namespace {

using adapters::kept_output;
using adapters::line_anchor;
using domain::line_marks;
using domain::lines_in;

/// Marks of some lines; none if those that are told are fewer.
line_marks part_of(const line_marks& all, std::size_t from, std::size_t count) {
  line_marks part;
  if (from + count <= all.size()) part.add(all, from, count);
  return part;
}

line_marks first_of(const line_marks& all, std::string_view text) {
  return part_of(all, 0, lines_in(text));
}

line_marks last_of(const line_marks& all, std::string_view text) {
  const auto count = lines_in(text);
  return count > all.size() ? line_marks() : part_of(all, all.size() - count, count);
}

struct seam {
  std::size_t begun = 0;  // behind the same line in both
  std::size_t rest = 0;
};

/// The last line that both have: the less of the rest's beginning counts, the better.
std::optional<seam> seam_of(const output_beginning& begun, const kept_output& rest) {
  for (auto mine = begun.anchors.rbegin(); mine != begun.anchors.rend(); ++mine) {
    const auto is_same = [&](const line_anchor& its) { return its.is_same(*mine); };
    // By their stamps, as `begun` has them.
    const auto its = std::lower_bound(
        rest.anchors.begin(), rest.anchors.end(), mine->at_ns,
        [](const line_anchor& one, std::int64_t at_ns) { return one.at_ns < at_ns; });
    if (its != rest.anchors.end() && is_same(*its)) return seam{mine->end, its->end};
  }
  return std::nullopt;
}

/// All of it in `whole.head`, or that and the rest's tail: of both no more than `each`.
kept_output within(kept_output whole, std::size_t each) {
  if (whole.left_out == 0 && whole.head.size() <= 2 * each) return whole;
  if (whole.left_out == 0) {
    whole.tail = whole.head.substr(whole.head.size() - each);
    whole.tail_lines = last_of(whole.head_lines, whole.tail);
    whole.left_out = whole.head.size() - 2 * each;
  } else {
    whole.left_out += whole.head.size() - each;
  }
  whole.head.resize(each);
  whole.head.shrink_to_fit();
  whole.head_lines = first_of(whole.head_lines, whole.head);
  return whole;
}

kept_output joined_at(const seam& at, output_beginning begun, kept_output rest, std::size_t each) {
  rest.lacks_beginning = false;
  rest.anchors.clear();
  // The engine had let go of nothing.
  if (at.begun == at.rest) return rest;
  const auto before = std::string_view(rest.head).substr(0, at.rest);
  const auto skipped = lines_in(before);
  auto lines = part_of(begun.lines, 0, lines_in(std::string_view(begun.text).substr(0, at.begun)));
  const auto more = rest.head_lines.size() - std::min(skipped, rest.head_lines.size());
  lines.add(rest.head_lines, rest.head_lines.size() - more, more);
  begun.text.resize(at.begun);
  rest.head.replace(0, at.rest, begun.text);
  const bool is_known = lines.size() == lines_in(rest.head);
  rest.head_lines = is_known ? std::move(lines) : line_marks();
  return within(std::move(rest), each);
}

kept_output joined_apart(output_beginning begun, kept_output rest, std::size_t each) {
  kept_output both;
  both.gone = rest.gone;
  both.lacks_middle = true;
  auto& end = rest.left_out == 0 ? rest.head : rest.tail;
  const auto& lines = rest.left_out == 0 ? rest.head_lines : rest.tail_lines;
  const auto all = rest.head.size() + rest.left_out + rest.tail.size();
  if (end.size() > each) end.erase(0, end.size() - each);
  both.tail_lines = last_of(lines, end);
  // Where no line was found in both, they may share bytes all the same.
  const auto seen = begun.text.size() + end.size();
  both.left_out = all - std::min<std::uint64_t>(all, seen);
  both.head = std::move(begun.text);
  both.head_lines = std::move(begun.lines);
  both.tail = std::move(end);
  return both;
}

}  // namespace

std::optional<output_beginning> beginning_of(kept_output read, std::size_t most) {
  if (read.lacks_beginning || read.gone) return std::nullopt;
  auto settled = read.head.size();
  if (read.left_out == 0) {
    settled -= std::min(settled, adapters::most_unsettled_bytes);
    if (!read.anchors.empty()) settled = std::max(settled, read.anchors.back().end);
  }
  const auto size = std::min(settled, most);
  if (size == 0) return std::nullopt;
  output_beginning begun;
  begun.is_full = size == most;
  read.head.resize(size);
  begun.lines = first_of(read.head_lines, read.head);
  begun.text = std::move(read.head);
  begun.text.shrink_to_fit();
  begun.anchors = std::move(read.anchors);
  std::erase_if(begun.anchors, [size](const line_anchor& one) { return one.end > size; });
  return begun;
}

kept_output joined(output_beginning begun, kept_output rest, std::size_t bytes_each) {
  const bool is_nothing = rest.gone || rest.head.empty();
  if (!rest.lacks_beginning && !is_nothing) return rest;
  const auto at = is_nothing ? std::nullopt : seam_of(begun, rest);
  if (!at) return joined_apart(std::move(begun), std::move(rest), bytes_each);
  // What has more before the same line than there was is not the same output.
  if (at->rest > at->begun) return rest;
  return joined_at(*at, std::move(begun), std::move(rest), bytes_each);
}

}  // namespace reeve::tasks
