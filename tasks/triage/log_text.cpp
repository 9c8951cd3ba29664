#include "tasks/triage/log_text.hpp"

#include "base/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace reeve::tasks {
namespace {

using byte = unsigned char;

constexpr std::string_view replacement = "\xEF\xBF\xBD";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view ellipsis = "\xE2\x80\xA6";

/// Bytes of the valid UTF-8 character at the start, 0 if there is none (RFC 3629).
std::size_t character_size(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<byte>(text[i]); };
  const byte lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && at(1) < 0xA0) return 0;
  if (lead == 0xED && at(1) > 0x9F) return 0;
  if (lead == 0xF0 && at(1) < 0x90) return 0;
  if (lead == 0xF4 && at(1) > 0x8F) return 0;
  return size;
}

// ECMA-48, section 5.4: parameters of a control sequence; more is none. Strings hold addresses.
constexpr std::size_t max_parameters = 64;
constexpr std::size_t max_string_bytes = 4096;

/// Behind "ESC [": parameters and the letter that ends them.
std::size_t control_size(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size() && i < max_parameters && (text[i] < '@' || text[i] > '~')) ++i;
  return i < text.size() ? i + 1 : i;
}

/// Behind "ESC ]" (a title, a link) and its like: up to BEL or "ESC \". One that does not end is
/// shown: it could hide the rest of the line.
std::size_t string_size(std::string_view text) {
  text = text.substr(0, max_string_bytes);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '\x07') return i + 1;
    if (text[i] == '\xC2' && next == '\x9C') return i + 2;
    if (text[i] == '\x1B') return next == '\\' ? i + 2 : i;
  }
  return 0;
}

bool begins_string(char c) {
  return c == ']' || c == 'P' || c == '_' || c == '^' || c == 'X';
}

/// Bytes of the escape sequence at the start: "ESC [ 31 m", "ESC ] 8 ; ; address ESC \", "ESC ( B".
std::size_t escape_size(std::string_view text) {
  if (text.size() < 2) return 1;
  if (text[1] == '[') return 2 + control_size(text.substr(2));
  if (begins_string(text[1])) return 2 + string_size(text.substr(2));
  std::size_t i = 1;
  while (i < text.size() && i < 4 && text[i] >= ' ' && text[i] <= '/') ++i;
  return i < text.size() && text[i] > ' ' && text[i] != '\x7F' ? i + 1 : i;
}

/// The same for a control character of eight bits, in UTF-8: CSI, and what begins strings.
std::size_t c1_size(std::string_view text) {
  const char which = static_cast<char>(static_cast<byte>(text[1]) - 0x40);  // as behind an ESC
  if (which == '[') return 2 + control_size(text.substr(2));
  return begins_string(which) ? 2 + string_size(text.substr(2)) : 2;
}

/// Bytes at the start that are printable ASCII, eight at a time (S. E. Anderson, "Bit Twiddling
/// Hacks", "Determine if a word has a byte less than n").
std::size_t plain_size(std::string_view text) {
  constexpr std::uint64_t ones = ~std::uint64_t{0} / 255;
  constexpr std::uint64_t tops = ones * 0x80;
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    const auto is_delete = word ^ (ones * 0x7F);
    const auto odd = word | ((word - ones * 0x20) & ~word) | ((is_delete - ones) & ~is_delete);
    if ((odd & tops) != 0) break;
  }
  while (at < text.size() && text[at] >= ' ' && text[at] <= '~') ++at;
  return at;
}

/// Characters that change how a text is shown without being seen: bidirectional overrides and
/// zero-width ones, byte order marks among them. They would let a log line disguise what it says.
bool is_deceptive(std::string_view character) {
  if (character == byte_order_mark) return true;
  if (character.size() != 3 || character[0] != '\xE2') return false;
  const auto mid = static_cast<byte>(character[1]);
  const auto last = static_cast<byte>(character[2]);
  return (mid == 0x80 && ((last >= 0x8B && last <= 0x8F) || (last >= 0xA8 && last <= 0xAE))) ||
         (mid == 0x81 && last >= 0xA0 && last <= 0xAF);
}

}  // namespace

bool is_printable(std::string_view text) {
  return plain_size(text) == text.size();
}

bool has_hidden(std::string_view text) {
  for (;;) {
    text.remove_prefix(plain_size(text));
    if (text.empty()) return false;
    const auto size = character_size(text);
    if (size == 1 && text[0] != '\t') return true;
    if (size == 2 && text[0] == '\xC2' && static_cast<byte>(text[1]) < 0xA0) return true;
    if (size == 3 && is_deceptive(text.substr(0, 3))) return true;
    text.remove_prefix(size == 0 ? 1 : size);
  }
}

std::string_view without_byte_order_mark(std::string_view line) {
  while (line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
  return line;
}

std::string clean_line(std::string_view bytes, std::size_t max_bytes) {
  std::string out;
  clean_line(bytes, max_bytes, out);
  return out;
}

void clean_line(std::string_view bytes, std::size_t max_bytes, std::string& out) {
  out.clear();
  bool indent = true;
  while (!bytes.empty()) {
    if (const auto plain = plain_size(bytes); plain > 0) {
      const auto run = bytes.substr(0, plain);
      const auto room = max_bytes - out.size();
      out.append(run.substr(0, room));
      if (plain > room) break;
      indent = indent && run.find_first_not_of(' ') == run.npos;
      bytes.remove_prefix(plain);
      continue;
    }
    const auto size = character_size(bytes);
    std::string_view piece = size == 0 ? replacement : bytes.substr(0, size);
    std::size_t taken = size == 0 ? 1 : size;
    if (bytes[0] == '\x1B') {
      piece = {};
      taken = escape_size(bytes);
    } else if (bytes[0] == '\t') {
      piece = indent ? "    " : " ";
    } else if (size == 1) {
      piece = {};
    } else if (size == 2 && bytes[0] == '\xC2' && static_cast<byte>(bytes[1]) < 0xA0) {
      piece = {};
      taken = c1_size(bytes);
    } else if (is_deceptive(piece)) {
      piece = {};
    }
    if (out.size() + piece.size() > max_bytes) break;
    if (!piece.empty() && piece[0] != ' ') indent = false;
    out.append(piece);
    bytes.remove_prefix(taken);
  }
}

std::string shortened(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  const auto room = max_bytes > ellipsis.size() ? max_bytes - ellipsis.size() : 0;
  return std::string(utf8_prefix(text, room)).append(ellipsis);
}

}  // namespace reeve::tasks
