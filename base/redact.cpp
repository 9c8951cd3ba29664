#include "base/redact.hpp"

#include "base/redact_lines.hpp"
#include "base/redact_named.hpp"
#include "base/redact_patterns.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace reeve {
namespace {

/// A longer line is worked on in windows of this size.
constexpr std::size_t window_bytes = std::size_t{64} * 1024;
/// Windows overlap at least so much that no token with its key is cut; longer values are followed
/// across windows by `eating`.
constexpr std::size_t min_overlap_bytes = 4096;
/// So much is looked at in one go: what lies behind a line is moved when the line is let out.
constexpr std::size_t slice_bytes = 2048;
/// A stream keeps memory for no more of them: few slices have as many.
constexpr std::size_t most_kept_spans = 512;
constexpr std::size_t max_secret_lines = 512;
constexpr std::string_view value_ends = " \t\r\n\"'&<>";

std::string_view without_line_end(std::string_view value) {
  while (value.ends_with('\n') || value.ends_with('\r')) value.remove_suffix(1);
  return value;
}

/// Bytes of the shortest text that a shell makes of it: blanks around it are gone, and those
/// between two words are one. Makes no copy.
std::size_t bytes_with_single_blanks(std::string_view value) {
  static constexpr std::string_view blanks = " \t\r\n";
  std::size_t bytes = 0;
  bool was_blank = true;
  for (const char c : value) {
    const bool is_blank_now = blanks.find(c) != blanks.npos;
    if (!is_blank_now) bytes += was_blank && bytes > 0 ? 2 : 1;
    was_blank = is_blank_now;
  }
  return bytes;
}

/// Sorts, and joins what overlaps; the first one's marker stands for all.
void join(std::vector<secret_span>& spans) {
  const auto before = [](const secret_span& a, const secret_span& b) {
    return a.begin < b.begin || (a.begin == b.begin && a.kind.empty() && !b.kind.empty());
  };
  // They mostly are in their order, and sorting takes memory.
  if (!std::is_sorted(spans.begin(), spans.end(), before)) {
    std::stable_sort(spans.begin(), spans.end(), before);
  }
  std::size_t kept = 0;
  for (const auto& span : spans) {
    if (span.begin >= span.end) continue;
    if (kept > 0 && span.begin < spans[kept - 1].end) {
      spans[kept - 1].end = std::max(spans[kept - 1].end, span.end);
    } else {
      spans[kept++] = span;
    }
  }
  spans.resize(kept);
}

void append_marker(std::string& out, const secret_span& span) {
  if (span.kind.empty()) return;
  if (span.quoted) out.push_back('"');
  out.append("[redacted:").append(span.kind).push_back(']');
  if (span.quoted) out.push_back('"');
}

}  // namespace

bool can_be_redacted(std::string_view value) {
  value = without_line_end(value);
  const auto lines = std::count(value.begin(), value.end(), '\n') + 1;
  return bytes_with_single_blanks(value) >= min_secret_bytes && value.size() <= max_secret_bytes &&
         lines <= static_cast<std::ptrdiff_t>(max_secret_lines);
}

redactor::redactor()
    : redactor(std::make_shared<secret_index>(std::vector<named_secret>{}), true) {}

redactor::redactor(std::shared_ptr<const secret_index> named, bool patterns)
    : named_(std::move(named)), patterns_(patterns) {}

outcome<redactor> redactor::make(std::vector<named_secret> secrets, bool patterns) {
  if (secrets.size() > max_named_secrets) {
    return reject(errc::invalid, "there are more than 256 named secrets", "/secrets");
  }
  for (auto& secret : secrets) {
    secret.value.resize(without_line_end(secret.value).size());
    if (!can_be_redacted(secret.value)) {
      return reject(errc::invalid,
                    "the secret \"" + secret.name.substr(0, 40) +
                        "\" must have 6 to 8192 bytes, blanks around it and all but one of those "
                        "between two words not counted for the 6, and at most 512 lines to be "
                        "redacted",
                    "/secrets");
    }
  }
  return redactor(std::make_shared<secret_index>(std::move(secrets)), patterns);
}

outcome<redactor> redactor::with(std::vector<named_secret> more) const {
  auto all = named_->secrets();
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return make(std::move(all), patterns_);
}

redactor redactor::without_patterns() const {
  return {named_, false};
}
redactor redactor::with_patterns() const {
  return {named_, true};
}

std::string redactor::redact(std::string_view text) const {
  redacting_stream stream(*this);
  auto out = stream.write(text);
  out += stream.finish();
  return out;
}

// The buffer begins where the output ended. Decisions are taken only when a line ends, a window is
// full or the input is over, and look at nothing else than the bytes up to there: so the cuts of
// the input cannot matter.
struct redacting_stream::state {
  explicit state(const redactor& rules) : named(rules.named_), patterns(rules.patterns_) {}

  std::shared_ptr<const secret_index> named;
  bool patterns;
  std::string buffer;
  std::size_t scanned = 0;           // no undecided line end or full window before this
  std::size_t line_start = 0;        // of the line that is being collected
  std::vector<secret_span> pending;  // spans that reach beyond what was let out
  std::vector<secret_span> spans;    // of what is let out just now; kept for its memory
  bool eating = false;               // a value filled a whole window: it goes on from `eat_from`
  std::size_t eat_from = 0;
  pem_tracker pem;
  line_pairs pairs;

  void advance(std::string& out);
  void let_out_lines(std::size_t end, std::string& out);
  void let_out(std::size_t until, std::size_t known, std::string& out);
  void find_in_line(std::size_t begin, std::size_t end, bool complete);
  void drop(std::size_t until);
};

void redacting_stream::state::advance(std::string& out) {
  std::size_t lines_end = 0;  // whole lines up to here wait to be let out together
  while (scanned < buffer.size()) {
    const auto window_end = line_start + window_bytes;
    const auto limit = std::min(buffer.size(), window_end);
    // Whole lines before the window's end wait together, so the last one's end is that of all.
    const auto* const unread = buffer.data() + scanned;
    const auto* const found = limit < window_end ? memrchr(unread, '\n', limit - scanned)
                                                 : std::memchr(unread, '\n', limit - scanned);
    if (found != nullptr) {
      const auto newline =
          static_cast<std::size_t>(static_cast<const char*>(found) - buffer.data());
      scanned = line_start = lines_end = newline + 1;
    } else if (limit < window_end) {
      scanned = limit;
    } else if (lines_end > 0) {
      let_out_lines(std::exchange(lines_end, 0), out);
    } else {
      scanned = window_end;
      const auto overlap = std::max(named->longest(), min_overlap_bytes);
      let_out(window_end - overlap, window_end, out);
    }
  }
  if (lines_end > 0) let_out_lines(lines_end, out);
}

/// The whole lines up to `end`, but for what may be the start of a secret of several lines.
void redacting_stream::state::let_out_lines(std::size_t end, std::string& out) {
  auto until = named->unfinished_from(std::string_view(buffer).substr(0, end));
  if (until < end) {
    const auto before = std::string_view(buffer).substr(0, until).rfind('\n');
    until = before == std::string_view::npos ? 0 : before + 1;
  }
  if (until > 0) let_out(until, end, out);
}

void redacting_stream::state::find_in_line(std::size_t begin, std::size_t end, bool complete) {
  const auto line = std::string_view(buffer).substr(begin, end - begin);
  const auto first = spans.size();
  if (eating && eat_from >= begin && eat_from <= end) {
    const auto stop = line.find_first_of(value_ends, eat_from - begin);
    eating = stop == line.npos && !complete;
    const auto reached = stop == line.npos ? line.size() : stop;
    if (eat_from < begin + reached) spans.push_back({eat_from - begin, reached, {}, false});
    eat_from = end;
  }
  if (patterns) {
    if (!line.empty()) find_secret_patterns(line, spans);
    pem.next(line, spans);
    pairs.next(line, spans);
  }
  for (auto i = first; i < spans.size(); ++i) {
    if (!complete && spans[i].end == line.size()) {
      eating = true;
      eat_from = end;
    }
    spans[i].begin += begin;
    spans[i].end += begin;
  }
}

/// Redacts [0, until) of the buffer, knowing the bytes up to `known`, and lets it out.
void redacting_stream::state::let_out(std::size_t until, std::size_t known, std::string& out) {
  spans.swap(pending);
  pending.clear();
  named->find(std::string_view(buffer).substr(0, known), spans);
  for (std::size_t at = 0; at < until;) {
    const auto newline = std::string_view(buffer).substr(0, known).find('\n', at);
    const bool complete = newline != std::string::npos;
    const auto end = complete ? newline : known;
    find_in_line(at, end, complete);
    at = end + 1;
  }
  join(spans);
  std::size_t at = 0;
  for (auto span : spans) {
    if (span.begin < until) {
      out.append(buffer, at, span.begin - at);
      append_marker(out, span);
      const auto hidden_end = std::min(span.end, until);
      const auto lines = std::count(buffer.begin() + static_cast<std::ptrdiff_t>(span.begin),
                                    buffer.begin() + static_cast<std::ptrdiff_t>(hidden_end), '\n');
      out.append(static_cast<std::size_t>(lines), '\n');
      at = hidden_end;
      span = {until, span.end, {}, false};
    }
    if (span.end > until) pending.push_back(span);
  }
  out.append(buffer, at, until - at);
  spans.clear();
  if (spans.capacity() > most_kept_spans) spans.shrink_to_fit();
  drop(until);
}

void redacting_stream::state::drop(std::size_t until) {
  buffer.erase(0, until);
  scanned -= until;
  line_start -= std::min(line_start, until);
  eat_from -= std::min(eat_from, until);
  for (auto& span : pending) {
    span.begin -= until;
    span.end -= until;
  }
}

redacting_stream::redacting_stream(const redactor& rules)
    : state_(std::make_unique<state>(rules)) {}
redacting_stream::~redacting_stream() = default;
redacting_stream::redacting_stream(redacting_stream&&) noexcept = default;
redacting_stream& redacting_stream::operator=(redacting_stream&&) noexcept = default;

std::string redacting_stream::write(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  // In slices, so that one large write does not make the buffer large.
  while (!bytes.empty()) {
    const auto slice = bytes.substr(0, slice_bytes);
    state_->buffer.append(slice);
    bytes.remove_prefix(slice.size());
    state_->advance(out);
  }
  return out;
}

std::string redacting_stream::finish() {
  std::string out;
  auto& s = *state_;
  if (!s.buffer.empty()) s.let_out(s.buffer.size(), s.buffer.size(), out);
  s.scanned = s.line_start = s.eat_from = 0;
  s.pending.clear();
  s.eating = false;
  s.pem = {};
  s.pairs = {};
  return out;
}

}  // namespace reeve
