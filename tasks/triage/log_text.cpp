#include "tasks/triage/log_text.hpp"

#include "base/utf8.hpp"

namespace reeve::tasks {
namespace {

using byte = unsigned char;

constexpr std::string_view replacement = "\xEF\xBF\xBD";
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

/// Bytes of an escape sequence: ESC [ ... letter, ESC ] ... BEL, or ESC and one more.
std::size_t escape_size(std::string_view text) {
  if (text.size() < 2) return 1;
  if (text[1] == '[') {
    std::size_t i = 2;
    while (i < text.size() && i < 64 && (text[i] < '@' || text[i] > '~')) ++i;
    return i < text.size() ? i + 1 : i;
  }
  if (text[1] == ']') {
    std::size_t i = 2;
    while (i < text.size() && i < 256 && text[i] != '\x07' && text[i] != '\x1B') ++i;
    return i < text.size() ? i + 1 : i;
  }
  return 2;
}

/// Characters that change how a text is shown without being seen: bidirectional overrides and
/// zero-width ones. They would let a log line disguise what it says.
bool is_deceptive(std::string_view character) {
  if (character.size() != 3 || character[0] != '\xE2') return false;
  const auto mid = static_cast<byte>(character[1]);
  const auto last = static_cast<byte>(character[2]);
  return (mid == 0x80 && ((last >= 0x8B && last <= 0x8F) || (last >= 0xA8 && last <= 0xAE))) ||
         (mid == 0x81 && last >= 0xA0 && last <= 0xAF);
}

}  // namespace

std::string clean_line(std::string_view bytes, std::size_t max_bytes) {
  std::string out;
  bool indent = true;
  while (!bytes.empty()) {
    const auto size = character_size(bytes);
    std::string_view piece = size == 0 ? replacement : bytes.substr(0, size);
    std::size_t taken = size == 0 ? 1 : size;
    if (bytes[0] == '\x1B') {
      piece = {};
      taken = escape_size(bytes);
    } else if (bytes[0] == '\t') {
      piece = indent ? "    " : " ";
    } else if (size == 1 && (static_cast<byte>(bytes[0]) < 0x20 || bytes[0] == '\x7F')) {
      piece = {};
    } else if (size == 2 && bytes[0] == '\xC2' && static_cast<byte>(bytes[1]) < 0xA0) {
      piece = {};  // C1 control characters
    } else if (is_deceptive(piece)) {
      piece = {};
    }
    if (out.size() + piece.size() > max_bytes) break;
    if (!piece.empty() && piece[0] != ' ') indent = false;
    out.append(piece);
    bytes.remove_prefix(taken);
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  const auto room = max_bytes > ellipsis.size() ? max_bytes - ellipsis.size() : 0;
  return std::string(utf8_prefix(text, room)).append(ellipsis);
}

}  // namespace reeve::tasks
