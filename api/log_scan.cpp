#include "api/log_scan.hpp"

#include "api/routes/common.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace reeve::api {
namespace {

constexpr std::size_t most_shown = 1024;
/// Of a long line, before the place that was found.
constexpr std::size_t before_hit = 256;

char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string in_small(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), small);
  return text;
}

log_pattern prepared(log_pattern pattern) {
  if (pattern.ignore_case) pattern.text = in_small(std::move(pattern.text));
  return pattern;
}

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// Moved forward to where a character begins; at most three bytes, since it may be none.
std::size_t at_character(std::string_view text, std::size_t at) {
  for (int i = 0; i < 3 && at < text.size() && continues(text[at]); ++i) ++at;
  return at;
}

}  // namespace

std::string to_string(const scan_place& place) {
  const int flags = (place.is_inside ? 1 : 0) + (place.is_told ? 2 : 0);
  return std::to_string(place.offset) + "." + std::to_string(place.line) + "." +
         std::to_string(flags);
}

std::optional<scan_place> parse_scan_place(std::string_view text) {
  const auto first = text.find('.');
  const auto second = first == text.npos ? first : text.find('.', first + 1);
  if (second == text.npos) return std::nullopt;
  const auto offset = parse_number(text.substr(0, first));
  const auto line = parse_number(text.substr(first + 1, second - first - 1));
  const auto flags = parse_number(text.substr(second + 1));
  // No log is larger; sums of it and of what follows stay numbers.
  constexpr std::int64_t most = std::int64_t{1} << 40;
  if (!offset || !line || *line < 1 || !flags || *flags > 3) return std::nullopt;
  if (*offset > most || *line > most) return std::nullopt;
  return scan_place{*offset, *line, (*flags & 1) != 0, (*flags & 2) != 0};
}

log_scanner::log_scanner(log_pattern pattern, const scan_place& from, wanted_fn wanted)
    : pattern_(prepared(std::move(pattern))), wanted_(std::move(wanted)), place_(from) {}

std::size_t log_scanner::find(std::size_t from) const {
  const auto& text = pattern_.ignore_case ? small_ : held_;
  // Of the C library, because its time is linear; that of std::string_view::find is not.
  const void* found =
      ::memmem(text.data() + from, text.size() - from, pattern_.text.data(), pattern_.text.size());
  if (found == nullptr) return std::string::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

void log_scanner::go_to(std::size_t at) {
  const auto passed = std::string_view(held_).substr(at_, at - at_);
  const auto newline = passed.rfind('\n');
  place_.offset += static_cast<std::int64_t>(passed.size());
  place_.line += std::count(passed.begin(), passed.end(), '\n');
  if (newline != passed.npos) place_.is_inside = place_.is_told = false;
  if (passed.size() > newline + 1) place_.is_inside = true;  // npos + 1 is 0
  at_ = at;
}

/// The place is in the line of the hit. False: more of the line is needed.
bool log_scanner::tell(std::size_t hit, bool is_last, std::vector<found_line>& out) {
  const auto newline = held_.find('\n', hit);
  const auto end = std::min(newline, held_.size());
  const bool has_end = newline != held_.npos || is_last;
  auto begin = at_;
  if (end - begin > most_shown && hit - begin > before_hit) {
    begin = at_character(held_, hit - before_hit);
  }
  if (!has_end && end - begin < most_shown) return false;
  auto stop = std::min(end, begin + most_shown);
  for (int i = 0; i < 3 && stop < end && continues(held_[stop]); ++i) --stop;
  const bool is_cut = place_.is_inside || begin > at_ || stop < end || !has_end;
  out.push_back({place_.line, held_.substr(begin, stop - begin), is_cut});
  place_.is_told = true;
  return true;
}

/// Goes on until there is no more to look at; the place is then where more is needed.
void log_scanner::look(bool is_last, std::size_t most, std::vector<found_line>& out) {
  for (;;) {
    if (place_.is_told) {
      const auto newline = held_.find('\n', at_);
      go_to(newline == held_.npos ? held_.size() : newline + 1);
      if (newline == held_.npos) return;
    }
    const auto hit = find(at_);
    if (hit == held_.npos) break;
    // A line's beginning that is far away is not shown.
    const auto line = std::max(at_, held_.rfind('\n', hit) + 1);  // npos + 1 is 0
    go_to(std::max(line, hit > most_shown ? hit - most_shown : 0));
    if (wanted_ && !wanted_(place_.line)) {
      place_.is_told = true;  // as good as
      continue;
    }
    if (out.size() >= most) {
      is_full_ = true;
      return;
    }
    if (!tell(hit, is_last, out)) return;
  }
  if (is_last) return go_to(held_.size());
  // Of the line that has not ended what may be needed: what is told before a hit, and a beginning
  // of the text itself.
  const auto line = std::max(at_, held_.rfind('\n') + 1);
  const auto keep = most_shown + pattern_.text.size();
  go_to(std::max(line, held_.size() > keep ? held_.size() - keep : 0));
}

std::vector<found_line> log_scanner::take(std::string_view piece, bool is_last, std::size_t most) {
  std::vector<found_line> out;
  held_ += piece;
  if (pattern_.ignore_case) small_ += in_small(std::string(piece));
  look(is_last, most, out);
  held_.erase(0, at_);
  if (pattern_.ignore_case) small_.erase(0, at_);
  at_ = 0;
  return out;
}

}  // namespace reeve::api
