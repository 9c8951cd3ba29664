#include "cli/terminal_text.hpp"

#include "base/utf8.hpp"

#include <array>
#include <unistd.h>
#include <utility>

namespace reeve::cli {
namespace {

struct code_range {
  unsigned first, last;
};

constexpr std::array harmful{code_range{0x00, 0x1f},     code_range{0x7f, 0x9f},
                             code_range{0x061c, 0x061c}, code_range{0x200e, 0x200f},
                             code_range{0x2028, 0x202e}, code_range{0x2066, 0x2069}};

/// Of a valid sequence of at most three bytes, which all harmful characters are.
unsigned code_of(std::string_view sequence) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(sequence[at]); };
  if (sequence.size() == 1) return byte(0);
  if (sequence.size() == 2) return (byte(0) & 0x1fU) << 6U | (byte(1) & 0x3fU);
  return (byte(0) & 0x0fU) << 12U | (byte(1) & 0x3fU) << 6U | (byte(2) & 0x3fU);
}

bool is_harmful(std::string_view sequence) {
  if (sequence.size() > 3) return false;
  const auto code = code_of(sequence);
  for (const auto& range : harmful) {
    if (code >= range.first && code <= range.last) return true;
  }
  return false;
}

void append_escape(std::string& out, unsigned code) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[(code >> shift) & 0xfU];
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto next = first_sequence(text.substr(at));
    const auto sequence = text.substr(at, next.size);
    at += next.size;
    next.valid && !is_harmful(sequence) ? out.append(sequence) : out.append("?");
  }
  return out;
}

bool is_terminal() {
  return ::isatty(STDOUT_FILENO) == 1;
}

std::string terminal_filter::take(std::string_view bytes) {
  if (rest_.empty()) return shown(bytes, false);
  const auto whole = std::exchange(rest_, {}).append(bytes);
  return shown(whole, false);
}

std::string terminal_filter::finish() {
  const auto whole = std::exchange(rest_, {});
  return shown(whole, true);
}

std::string terminal_filter::shown(std::string_view text, bool is_end) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto next = first_sequence(text.substr(at));
    const auto sequence = text.substr(at, next.size);
    const bool is_last = at + next.size == text.size();
    // A sequence that is cut, or the half of an end of a line.
    if (is_last && !is_end && (!next.valid || sequence == "\r")) {
      rest_ = sequence;
      break;
    }
    at += next.size;
    if (sequence == "\r" && !is_last && text[at] == '\n') continue;
    if (sequence == "\n" || sequence == "\t" || (next.valid && !is_harmful(sequence))) {
      out += sequence;
    } else {
      replace(out, sequence, next.valid);
    }
  }
  return out;
}

void terminal_filter::replace(std::string& out, std::string_view sequence, bool is_valid) const {
  if (!json_) {
    out += '?';
  } else {
    append_escape(out, is_valid ? code_of(sequence) : 0xfffd);
  }
}

}  // namespace reeve::cli
