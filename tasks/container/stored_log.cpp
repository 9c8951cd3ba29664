#include "tasks/container/stored_log.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace reeve::tasks {
namespace {

constexpr std::size_t most_mark_bytes = 64;
// More than any form of a secret that has several lines.
constexpr std::size_t longest_secret = 64 << 10;
constexpr std::string_view lost_mark = "[reeve: the engine may have lost what came before]\n";

std::string mark_of(std::uint64_t bytes) {
  return "[reeve: " + std::to_string(bytes) + " bytes left out]\n";
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

/// Without what may belong to something that began before it: a key's lines, a value.
std::string_view behind_newline(std::string_view text, std::size_t from) {
  const auto newline = text.find('\n', from);
  return newline == text.npos ? std::string_view() : text.substr(newline + 1);
}

/// Both ends redacted as they would be within the whole. Of the beginning counts what is certain
/// whatever follows; of the end what comes after enough text for the redactor to know where it is.
struct redacted_ends {
  std::string head;
  std::string tail;
};

/// Goes through `text`, asking for leave every now and then.
class patient_stream {
 public:
  patient_stream(const redactor& redact, const may_go_on_fn& may_go_on)
      : stream_(redact), may_go_on_(may_go_on) {}

  std::string write(std::string_view text) {
    constexpr std::size_t piece = 64 << 10;
    std::string out;
    for (std::size_t at = 0; at < text.size() && goes_on(); at += piece) {
      out += stream_.write(text.substr(at, piece));
    }
    return out;
  }
  std::string finish() { return goes_on() ? stream_.finish() : std::string(); }

 private:
  bool goes_on() const { return !may_go_on_ || may_go_on_(); }

  redacting_stream stream_;
  const may_go_on_fn& may_go_on_;
};

redacted_ends redact_ends(const adapters::kept_output& kept, const redactor& redact,
                          const may_go_on_fn& may_go_on) {
  redacted_ends ends;
  patient_stream before(redact, may_go_on);
  ends.head = before.write(kept.head);
  ends.head.resize(without_half_end(ends.head).size());
  patient_stream after(redact, may_go_on);
  const auto tail = std::string_view(kept.tail);
  const auto margin = tail.substr(0, redaction_margin);
  const auto begun = after.write(margin);
  ends.tail = after.write(tail.substr(margin.size()));
  ends.tail += after.finish();
  if (margin.find('\n') == margin.npos) {
    // What an endless line is about stands at its beginning. Redaction keeps every newline.
    const auto whole = begun + ends.tail;
    ends.tail = behind_newline(whole, 0);
  }
  ends.tail.erase(0, ends.tail.size() - without_half_begin(ends.tail).size());
  return ends;
}

std::string joined(std::string_view head, std::uint64_t left_out, std::string_view tail) {
  std::string text(head);
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text.append(mark_of(left_out)).append(tail);
}

std::uint64_t written_of(const adapters::kept_output& kept) {
  return kept.head.size() + kept.left_out + kept.tail.size();
}

stored_text within(const adapters::kept_output& kept, const redactor& redact, std::size_t limit,
                   const may_go_on_fn& may_go_on) {
  const bool is_whole = kept.left_out == 0;
  redacted_ends ends;
  if (is_whole) {
    patient_stream all(redact, may_go_on);
    ends.head = all.write(kept.head);
    ends.head += all.finish();
  } else {
    ends = redact_ends(kept, redact, may_go_on);
  }
  if (may_go_on && !may_go_on()) return nothing_of(kept);
  if (is_whole) {
    if (ends.head.size() <= limit) return {std::move(ends.head), false};
  }
  const auto room = limit - most_mark_bytes;
  const auto head = front_of(ends.head, room / 2);
  const auto tail = back_of(is_whole ? ends.head : ends.tail, room - head.size());
  const auto written = written_of(kept);
  const auto meant =
      meant_by_front(head, kept.head) + meant_by_back(tail, is_whole ? kept.head : kept.tail);
  return {joined(head, written - std::min<std::uint64_t>(written, meant), tail), true};
}

}  // namespace

stored_text nothing_of(const adapters::kept_output& kept) {
  return {mark_of(written_of(kept)), true};
}

stored_text stored_output(const adapters::kept_output& kept, const redactor& redact,
                          std::size_t limit, const may_go_on_fn& may_go_on) {
  if (!kept.lacks_beginning) return within(kept, redact, limit, may_go_on);
  auto rest = kept;
  rest.head = behind_newline(kept.head, longest_secret);
  auto stored = within(rest, redact, limit - lost_mark.size(), may_go_on);
  stored.text.insert(0, lost_mark);
  stored.truncated = true;
  return stored;
}

}  // namespace reeve::tasks
