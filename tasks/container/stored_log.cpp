#include "tasks/container/stored_log.hpp"

#include "base/utf8.hpp"
#include "tasks/container/lost_beginning.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

namespace reeve::tasks {
namespace {

constexpr std::size_t most_mark_bytes = 64;
/// Where a value ends for the redactor, whatever it began with.
constexpr std::string_view value_ends = " \t\r\n\"'&<>";
constexpr std::string_view lost_mark = "[reeve: the engine may have lost what came before]\n";

/// `is_least`: the engine has let go of some of it, nobody knows how much.
std::string mark_of(std::uint64_t bytes, bool is_least) {
  if (is_least && bytes == 0) return "[reeve: the engine has lost what came here]\n";
  return (is_least ? "[reeve: at least " : "[reeve: ") + std::to_string(bytes) +
         " bytes left out]\n";
}

/// At least three quarters of the room, so that a long line costs no more than the rest.
std::string_view front_of(std::string_view text, std::size_t room) {
  if (text.size() <= room) return text;
  const auto newline = text.substr(0, room).rfind('\n');
  const bool is_near = newline != text.npos && newline + 1 >= room - room / 4;
  return is_near ? text.substr(0, newline + 1) : utf8_prefix(text, room);
}

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// Without the beginning of a character whose rest is not there.
std::string_view without_half_end(std::string_view text) {
  auto lead = text.size();
  while (lead > 0 && text.size() - lead < 4) {
    if (!continues(text[--lead])) break;
  }
  const bool is_half = first_invalid_utf8(text.substr(lead)) != text.npos;
  return is_half ? text.substr(0, lead) : text;
}

/// Without the rest of a character whose beginning is not there: at most three bytes.
std::string_view without_half_begin(std::string_view text) {
  for (int i = 0; i < 3 && !text.empty() && continues(text.front()); ++i) text.remove_prefix(1);
  return text;
}

std::string_view back_of(std::string_view text, std::size_t room) {
  if (text.size() <= room) return text;
  const auto begin = text.size() - room;
  const auto newline = text.find('\n', begin - 1);
  if (newline != text.npos && newline + 1 <= begin + room / 4) return text.substr(newline + 1);
  return without_half_begin(text.substr(begin));
}

/// How much of the job's own bytes a part of the redacted text stands for. Redaction keeps every
/// newline, so lines are counted; of a line that was cut, its bytes.
std::size_t meant_by_front(std::string_view part, std::string_view written) {
  std::size_t at = 0;
  for (auto left = std::count(part.begin(), part.end(), '\n'); left > 0; --left) {
    at = std::min(written.find('\n', at), written.size() - 1) + 1;
  }
  const auto rest = part.size() - (part.rfind('\n') + 1);  // npos + 1 is 0
  return std::min({at + rest, written.find('\n', at), written.size()});
}

std::size_t meant_by_back(std::string_view part, std::string_view written) {
  auto end = written.size();
  for (auto left = std::count(part.begin(), part.end(), '\n'); left > 0 && end > 0; --left) {
    const auto newline = written.rfind('\n', end - 1);
    end = newline == written.npos ? 0 : newline;
  }
  // The line that the part begins in, up to its newline at `end`.
  const auto rest = std::min(part.find('\n'), part.size());
  const auto before = end == 0 ? written.npos : written.rfind('\n', end - 1);
  const auto line = end - (before + 1);
  return written.size() - end + std::min(rest, line);
}

/// Without what may belong to something that began before it.
std::string_view behind_newline(std::string_view text) {
  const auto newline = text.find('\n');
  return newline == text.npos ? std::string_view() : text.substr(newline + 1);
}

std::size_t newlines_in(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Marks of a beginning of the redacted text, and of an end of it. Redaction keeps every newline,
/// and perhaps nothing of what stands behind the last one. False: the two do not agree.
bool add_first(domain::line_marks& to, const domain::line_marks& all, std::string_view part) {
  const auto count = domain::lines_in(part);
  if (count > all.size()) return false;
  to.add(all, 0, count);
  return true;
}

bool add_last(domain::line_marks& to, const domain::line_marks& all, std::string_view written,
              std::string_view part) {
  const auto count = domain::lines_in(part);
  const auto before = newlines_in(written) - std::min(newlines_in(written), newlines_in(part));
  if (before + count > all.size()) return false;
  to.add(all, before, count);
  return true;
}

std::string joined(std::string_view head, std::string_view mark, std::string_view tail) {
  std::string text(head);
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text.append(mark).append(tail);
}

/// What a cut leaves of a text, without the beginnings of its streams.
shown_rest rest_of(std::string_view written, const domain::line_marks& lines, std::size_t cut,
                   std::string redacted) {
  const auto before = written.substr(0, cut);
  shown_rest rest{std::string(written.substr(cut)), std::move(redacted), {}};
  add_last(rest.lines, lines, written, rest.written);
  return without_beginnings(std::move(rest), before, lines);
}

constexpr std::size_t piece_bytes = 64 << 10;
static_assert(redaction_margin % piece_bytes == 0);

}  // namespace

output_redaction::output_redaction(const adapters::kept_output& kept, const redactor& rules,
                                   std::size_t limit)
    : lacks_beginning_(kept.lacks_beginning),
      lacks_middle_(kept.lacks_middle),
      limit_(lacks_beginning_ ? limit - lost_mark.size() : limit),
      head_(kept.head),
      tail_(kept.tail),
      head_lines_(kept.head_lines),
      tail_lines_(kept.tail_lines),
      left_out_(kept.left_out),
      before_(rules),
      after_(rules) {}

/// Both ends are redacted as they would be within the whole. Of the beginning counts what is
/// certain whatever follows; of the end what comes after enough text for the redactor to know where
/// it is.
bool output_redaction::step() {
  if (head_done_ < head_.size()) {
    const auto piece = head_.substr(head_done_, piece_bytes);
    out_head_ += before_.write(piece);
    head_done_ += piece.size();
    if (head_done_ <= redaction_margin) out_margin_ = out_head_.size();
    if (head_done_ == head_.size()) end_head();
    return true;
  }
  if (is_whole() || tail_done_ >= tail_.size()) return false;
  const auto piece = tail_.substr(tail_done_, piece_bytes);
  (tail_done_ < redaction_margin ? out_begun_ : out_tail_) += after_.write(piece);
  tail_done_ += piece.size();
  if (tail_done_ == tail_.size()) end_tail();
  return true;
}

void output_redaction::end_head() {
  if (is_whole()) {
    out_head_ += before_.finish();
  } else {
    out_head_.resize(without_half_end(out_head_).size());
  }
  if (lacks_beginning_) leave_beginning_out();
}

/// All of it was redacted, so what is shown is seen within what comes before it.
void output_redaction::leave_beginning_out() {
  const auto without = unshown_of(head_, out_head_, out_margin_, redaction_margin);
  out_head_.erase(0, without.redacted);
  out_head_.erase(0, out_head_.size() - without_half_begin(out_head_).size());
  auto rest = rest_of(head_, head_lines_, without.written, std::move(out_head_));
  shown_ = std::move(rest.written);
  head_ = shown_;
  head_done_ = head_.size();
  out_head_ = std::move(rest.redacted);
  head_lines_ = std::move(rest.lines);
}

void output_redaction::end_tail() {
  out_tail_ += after_.finish();
  // All that there is of it: as little is left out as where the engine let go of the beginning.
  if (lacks_middle_ && tail_.size() < ends_of(limit_)) {
    const auto all = out_begun_ + out_tail_;
    const auto without = unshown_of(tail_, all, out_begun_.size(), redaction_margin);
    const auto shown =
        without_half_begin(std::string_view(all).substr(std::min(without.redacted, all.size())));
    auto rest = rest_of(tail_, tail_lines_, without.written, std::string(shown));
    left_out_ += tail_.size() - rest.written.size();
    shown_ = std::move(rest.written);
    tail_ = shown_;
    out_tail_ = std::move(rest.redacted);
    tail_lines_ = std::move(rest.lines);
    return;
  }
  const auto margin = tail_.substr(0, redaction_margin);
  if (margin.find_first_of(value_ends) == margin.npos) {
    // What an endless value is stands at its beginning. Redaction keeps every newline.
    out_tail_ = behind_newline(out_begun_ + out_tail_);
  }
  out_tail_.erase(0, out_tail_.size() - without_half_begin(out_tail_).size());
}

std::uint64_t output_redaction::written() const {
  return head_.size() + left_out_ + tail_.size();
}

stored_text output_redaction::within_limit() {
  if (is_whole() && out_head_.size() <= limit_) {
    stored_text all;
    add_first(all.lines, head_lines_, out_head_);
    all.text = std::move(out_head_);
    return all;
  }
  const auto room = limit_ - most_mark_bytes;
  const auto head = front_of(out_head_, room / 2);
  const auto tail = back_of(is_whole() ? out_head_ : out_tail_, room - head.size());
  const auto meant = meant_by_front(head, head_) + meant_by_back(tail, is_whole() ? head_ : tail_);
  const auto left_out = written() - std::min<std::uint64_t>(written(), meant);
  return {joined(head, mark_of(left_out, lacks_middle_), tail), true, marks_of(head, tail)};
}

/// Of both ends, and the line between them.
domain::line_marks output_redaction::marks_of(std::string_view head, std::string_view tail) const {
  domain::line_marks marks;
  const bool begins = add_first(marks, head_lines_, head);
  marks.add(domain::line_stream::reeve);
  const bool ends = is_whole() ? add_last(marks, head_lines_, head_, tail)
                               : add_last(marks, tail_lines_, tail_, tail);
  return begins && ends ? marks : domain::line_marks();
}

stored_text output_redaction::told(stored_text text) const {
  if (!lacks_beginning_) return text;
  text.text.insert(0, lost_mark);
  text.truncated = true;
  domain::line_marks marks;
  marks.add(domain::line_stream::reeve);
  const bool is_known = text.lines.size() + 1 == domain::lines_in(text.text);
  if (is_known) marks.add(text.lines, 0, text.lines.size());
  text.lines = is_known ? std::move(marks) : domain::line_marks();
  return text;
}

stored_text output_redaction::finish() {
  return told(within_limit());
}

stored_text output_redaction::nothing() const {
  stored_text text{mark_of(written(), lacks_middle_), true};
  text.lines.add(domain::line_stream::reeve);
  return told(std::move(text));
}

stored_text stored_output(const adapters::kept_output& kept, const redactor& redact,
                          std::size_t limit) {
  output_redaction work(kept, redact, limit);
  while (work.step()) {
  }
  return work.finish();
}

std::optional<domain::log_streams> streams_of(const stored_text& text) {
  const bool is_known = text.lines.size() > 0 && text.lines.size() == domain::lines_in(text.text);
  return is_known ? std::optional(domain::measured(text.text, text.lines)) : std::nullopt;
}

}  // namespace reeve::tasks
