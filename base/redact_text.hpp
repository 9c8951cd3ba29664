#pragma once
// What a piece of text looks like: a sentence, a reference, a placeholder, or a secret. Every
// answer looks at a bounded number of bytes.

#include "base/redact_makeup.hpp"
#include "base/redact_sets.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace reeve {

std::string lower(std::string_view text);
/// The text up to the first of `stops`.
inline std::string_view before_any(std::string_view text, const sign_set& stops) {
  return text.substr(0, stops.find(text, 0));
}
/// The part of `line` before `at`, at most `bytes` long.
inline std::string_view left_of(std::string_view line, std::size_t at, std::size_t bytes) {
  const auto begin = at > bytes ? at - bytes : 0;
  return line.substr(begin, at - begin);
}
/// Without blanks and carriage returns around it.
inline std::string_view trimmed(std::string_view text) {
  static constexpr sign_set blanks(" \t\r");
  text.remove_prefix(blanks.find_other(text, 0));
  while (!text.empty() && blanks.holds(text.back())) text.remove_suffix(1);
  return text;
}

/// Where a word begins whose characters were found to begin at `at`: behind what colours it on a
/// terminal, behind "\\n", "\\u0026" and "%26", whose letters and digits are none of the word's.
std::size_t begin_of_escaped_word(std::string_view line, std::size_t at);
inline std::size_t begin_of_word(std::string_view line, std::size_t at) {
  // Most words stand behind none of these.
  if (at == 0 || at >= line.size() || !"%\\[;"_signs.holds(line[at - 1])) return at;
  return begin_of_escaped_word(line, at);
}
/// Behind colours of a terminal (ESC "[" … "m") that begin at `at`.
std::size_t skip_all_colours(std::string_view line, std::size_t at);
inline std::size_t skip_colours(std::string_view line, std::size_t at) {
  return at < line.size() && line[at] == '\x1b' ? skip_all_colours(line, at) : at;
}

/// References, masks and markers: "${X}", "***", "[redacted:x]". A part of is_no_secret.
bool is_placeholder(std::string_view value);
/// Values that are none: empty, a word for nothing, already hidden, a placeholder, a reference to a
/// variable ("${X}", "$X", "%s", "<token>", "{{ x }}").
bool is_no_secret(std::string_view value);

/// A call, a member or an object's address, as code and debuggers write it: "self.token(x)",
/// "config.password", "Token{a64 ...", "os.Binder@4f1". `name` is the key that it was given to.
bool is_code(std::string_view value);

/// One word of letters, as of a language: "refused", "doesn't", "read-only", "EOF", "Timeout".
bool is_plain_word(std::string_view word);
/// A word that tells the state of a secret and is none: "expired", "missing", "ok".
bool is_status_word(std::string_view word);
/// "is", "to", "with": words that sentences are built with. In either case.
bool is_small_word(std::string_view word);
/// Words that belong together as a message does: "must be given", "is required", "not found".
bool is_sentence(std::string_view text);
/// As is_sentence, but more than a small word has to say so: passwords may be sentences themselves.
bool is_message(std::string_view text);
/// Letters that go up and down as in no word and no name: "xkQwPvBn".
bool is_odd_word(std::string_view word);
/// A path, the address of a host or of a page, or a place in a source.
bool is_place(std::string_view value);
/// Without a slash there are only addresses and versions, of digits.
inline bool may_be_place(std::uint8_t kinds) {
  return (kinds & some_slash) != 0 || (kinds & some_letter) == 0;
}
/// Begins as a path, but one of its parts is of small and large letters and digits, as the base64
/// of a key has it.
bool is_slashed_key(std::string_view value);

/// So much of the base64 of "user:password" is looked at.
inline constexpr std::size_t longest_login_pair = 1024;
/// Base64 of "user:password": printable and with a colon.
bool is_login_pair(std::string_view value);

}  // namespace reeve
