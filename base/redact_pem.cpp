#include "base/redact_patterns.hpp"
#include "base/redact_text.hpp"

#include <algorithm>
#include <charconv>

namespace reeve {
namespace {

constexpr std::string_view pem_kind = "private_key";

bool base64_only(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '+' || c == '/' || c == '='; });
}

/// Where the mark of a key block's begin or end stands: "-----BEGIN ", of SSH2 "---- BEGIN ".
std::size_t find_mark(std::string_view line, std::string_view word, std::size_t from) {
  for (auto at = line.find(word, from); at != line.npos; at = line.find(word, at + 1)) {
    if (line.substr(0, at).ends_with("-----")) return std::max(from, at - 5);
    if (line.substr(0, at).ends_with("---- ")) return std::max(from, at - 5);
  }
  return line.npos;
}

}  // namespace

/// A line inside a private key block: base64 (behind a log writer's prefix too), a header of the
/// old encrypted form, or nothing.
bool pem_tracker::is_body(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r");
  if (first == line.npos) return strange_ == 0;
  line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
  for (const std::string_view header : {"Proc-Type:", "DEK-Info:", "Version: ", "Comment: "}) {
    if (line.substr(0, 200).find(header) != line.npos) return strange_ == 0;
  }
  const auto word = line.substr(line.find_last_of(" \t|") + 1);
  if (!base64_only(word)) return false;
  // A commit or a digest: the base64 of a key has other letters in every line.
  const bool is_digest =
      word.size() >= 40 && word.find_first_not_of("0123456789abcdef") == word.npos;
  if (is_digest) return false;
  const auto words = std::count(line.begin(), line.end(), ' ');
  if (word.size() < 40) {
    if (words > 0 && words != prefix_words_) return false;
    // Behind lines of others a short word may be theirs.
    if (strange_ > 0 && (!has_body_ || !looks_made_up(word))) return false;
  } else {
    has_body_ = true;
  }
  prefix_words_ = words;
  return true;
}

/// Lines of others may stand between those of a key: they stay, and the key goes on.
void pem_tracker::take_body(std::string_view line, std::size_t at, std::vector<secret_span>& out) {
  if (is_body(line)) {
    strange_ = 0;
    if (--left_ > 0 || counted_) out.push_back({at, line.size(), pem_kind, false});
  } else if (++strange_ > max_strange) {
    left_ = 0;
  }
}

void pem_tracker::begin(int lines, bool counted) {
  left_ = lines;
  counted_ = counted;
  strange_ = 0;
  prefix_words_ = 0;
  has_body_ = false;
}

/// PuTTY writes how many lines follow.
bool pem_tracker::begins_counted(std::string_view line) {
  static constexpr std::string_view name = "Private-Lines: ";
  const auto at = line.find(name);
  if (at == line.npos) return false;
  int lines = 0;
  const auto number = line.substr(at + name.size(), 4);
  std::from_chars(number.data(), number.data() + number.size(), lines);
  if (lines > 0 && lines <= max_lines) begin(lines, true);
  return true;
}

void pem_tracker::read(std::string_view line, std::vector<secret_span>& out) {
  if (left_ == 0 && line.find("BEGIN ") == line.npos) {
    begins_counted(line);
    return;
  }
  // A block that begins anew, or is seen again where two windows of a long line overlap.
  if (find_mark(line, "BEGIN ", 0) < find_mark(line, "END ", 0)) left_ = 0;
  std::size_t at = 0;
  while (at < line.size() || (left_ > 0 && at == 0)) {
    if (left_ == 0) {
      const auto mark = find_mark(line, "BEGIN ", at);
      if (mark == line.npos) return;
      const auto label_end = line.find("----", mark + 11);
      if (label_end == line.npos) return;
      const auto label = line.substr(mark, std::min<std::size_t>(label_end - mark, 80));
      if (label.find("PRIVATE KEY") == label.npos) {
        at = label_end;
        continue;
      }
      begin(max_lines, false);
      const auto end = find_mark(line, "END ", label_end);
      if (end == line.npos) {
        out.push_back({mark, line.size(), pem_kind, false});
        return;
      }
      at = mark;
    }
    const auto end = find_mark(line, "END ", at);
    if (end == line.npos) return take_body(line, at, out);
    const auto close = line.find("----", end + 9);
    const auto stop = close == line.npos ? line.size() : line.find_first_not_of('-', close);
    out.push_back({at, std::min(stop, line.size()), pem_kind, false});
    left_ = 0;
    at = std::min(stop, line.size());
  }
}

}  // namespace reeve
