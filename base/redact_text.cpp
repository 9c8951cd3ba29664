#include "base/redact_text.hpp"

#include <algorithm>
#include <array>

namespace reeve {
namespace {

constexpr word_set nothing_words(std::to_array<std::string_view>(
    {"<nil>",     "disabled", "empty", "enabled", "false",     "filtered", "hidden",
     "masked",    "n/a",      "nan",   "nil",     "no",        "none",     "null",
     "off",       "omitted",  "on",    "removed", "sanitized", "true",     "undef",
     "undefined", "unset",    "xxx",   "yes"}));

constexpr word_set status_words(std::to_array<std::string_view>(
    {"absent",       "accepted",    "added",      "already",      "bad",        "blank",
     "cannot",       "changed",     "check",      "confirmed",    "correct",    "created",
     "deleted",      "denied",      "deprecated", "econnrefused", "econnreset", "enoent",
     "eof",          "error",       "errors",     "etimedout",    "exception",  "exists",
     "expected",     "expired",     "expires",    "fail",         "failed",     "failure",
     "forbidden",    "found",       "generated",  "given",        "incorrect",  "invalid",
     "invalidated",  "length",      "loaded",     "lost",         "malformed",  "mismatch",
     "missing",      "mount",       "must",       "needed",       "not",        "ok",
     "okay",         "optional",    "parse",      "present",      "provided",   "punc",
     "read",         "refreshed",   "refused",    "rejected",     "renewed",    "required",
     "requires",     "reset",       "revoked",    "rotated",      "set",        "skipped",
     "stale",        "success",     "timed",      "timeout",      "unable",     "unauthenticated",
     "unauthorized", "unavailable", "unchanged",  "unexpected",   "unknown",    "unsupported",
     "updated",      "used",        "valid",      "verified",     "wrong"}));

constexpr word_set small_words(std::to_array<std::string_view>(
    {"after",  "an",   "and",     "are",    "as",    "at",     "be",    "because",  "been",
     "before", "but",  "by",      "can",    "can't", "cannot", "could", "couldn't", "did",
     "do",     "does", "doesn't", "during", "every", "for",    "from",  "had",      "has",
     "have",   "if",   "in",      "into",   "is",    "isn't",  "it",    "its",      "may",
     "must",   "no",   "not",     "of",     "on",    "or",     "out",   "please",   "should",
     "some",   "such", "than",    "that",   "the",   "this",   "to",    "too",      "until",
     "via",    "was",  "were",    "when",   "where", "while",  "will",  "with",     "without",
     "would",  "you",  "your"}));

constexpr sign_set blanks(" \t\r");

std::string_view without_marks(std::string_view word) {
  static constexpr sign_set before("([{\"'`");
  static constexpr sign_set after(".,:;!?)]}\"'`");
  while (!word.empty() && before.holds(word.front())) word.remove_prefix(1);
  while (!word.empty() && after.holds(word.back())) word.remove_suffix(1);
  return word;
}

bool is_variable(std::string_view value) {
  static constexpr sign_set signs("`$%#{");
  if (value.empty() || !signs.holds(value[0])) return false;
  if (value.starts_with('`') || begins_with(value, "${") || begins_with(value, "$(") ||
      begins_with(value, "{{") || begins_with(value, "%(") || begins_with(value, "%{") ||
      begins_with(value, "#{")) {
    return true;
  }
  if (value.size() == 2 && value[0] == '%' && is_alpha(value[1])) return true;
  if (value.size() > 2 && value.front() == '%' && value.back() == '%') return true;
  if (!value.starts_with('$') || value.size() < 2) return false;
  if (value.size() == 2 && is_digit(value[1])) return true;
  // "$ECRET123" is a password that begins so.
  return std::all_of(value.begin() + 1, value.end(),
                     [](char c) { return is_upper(c) || is_digit(c) || c == '_'; }) &&
         is_alpha(value[1]) && !is_digit(value.back());
}

/// The same sign throughout, as masks are.
bool is_mask(std::string_view value) {
  static constexpr sign_set signs("*xX.#-_?");
  if (value.empty()) return true;
  if (value[0] == '\xE2' && begins_with(value, "\xE2\x80\xA2")) return true;  // a bullet
  std::size_t stars = 0;
  while (stars < value.size() && value[stars] == '*') ++stars;
  if (stars == value.size()) return true;
  const auto rest = value.substr(stars);
  static constexpr sign_set closing(".,;:)]}");
  if (stars >= 3 && closing.hold(rest)) return true;
  // The last four of a card or a key are shown by many; "***hunt" is a password.
  if (stars >= 4) return rest.size() <= 4;
  return value.size() >= 3 && signs.holds(value[0]) &&
         std::all_of(value.begin(), value.end(), [&](char c) { return c == value[0]; });
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_lower(c);
  return out;
}

std::size_t skip_all_colours(std::string_view line, std::size_t at) {
  constexpr char escape = '\x1b';
  while (at < line.size() && line[at] == escape && begins_with(line.substr(at), "\x1b[")) {
    const auto end = line.substr(at, 24).find_first_not_of("0123456789;", 2);
    if (end == line.npos || line[at + end] != 'm') break;
    at += end + 1;
  }
  return at;
}

std::size_t begin_of_escaped_word(std::string_view line, std::size_t at) {
  const auto rest = line.substr(at, 24);
  const auto hex = [&](std::size_t from, std::size_t digits) {
    return rest.size() > from + digits &&
           rest.substr(from, digits).find_first_not_of("0123456789abcdefABCDEF") == rest.npos;
  };
  switch (line[at - 1]) {
    case '%':
      return at + (hex(0, 2) ? 2 : 0);
    case '\\':
      if (rest[0] == 'u' && hex(1, 4)) return at + 5;
      if (rest[0] == 'x' && hex(1, 2)) return at + 3;
      return at + (rest[0] == 'n' || rest[0] == 't' || rest[0] == 'r' ? 1 : 0);
    case '[':
    case ';': {
      const auto before = left_of(line, at, 12);
      const auto colour = before.rfind("\x1b[");
      if (colour == before.npos) return at;
      if (before.find_first_not_of("0123456789;", colour + 2) != before.npos) return at;
      const auto end = rest.find_first_not_of("0123456789;");
      return end != rest.npos && rest[end] == 'm' ? at + end + 1 : at;
    }
    default:
      return at;
  }
}

bool is_placeholder(std::string_view value) {
  if (value.empty()) return true;
  // All that is one begins with one of these.
  static constexpr sign_set begins("[*xX.#-_?`$%{<\xE2");
  if (!begins.holds(value[0])) return false;
  if (value[0] == '[' && begins_with(value, "[redacted")) return true;
  if (value.size() > 4 * looked_at) return false;
  if (is_mask(value) || is_variable(value)) return true;
  return value.starts_with('<') && value.find('>') != value.npos;
}

bool is_no_secret(std::string_view value) {
  if (is_placeholder(value)) return true;
  if (value.size() > 4 * looked_at) return false;
  // Most values.
  if (is_alnum(value.front()) && is_alnum(value.back())) {
    return nothing_words.holds_lower(value) || value == "redacted" || value == "REDACTED";
  }
  if (value[0] == '(' && is_plain_word(value)) {
    // "(sensitive value)", "(known after apply)", "(unset)".
    static constexpr word_set told(std::to_array<std::string_view>(
        {"current", "default", "known", "redacted", "same", "secret", "sensitive"}));
    const auto word = without_marks(value);
    return nothing_words.holds_lower(word) || status_words.holds_lower(word) ||
           small_words.holds_lower(word) || told.holds_lower(word);
  }
  auto word = value;
  static constexpr sign_set before("[({");
  static constexpr sign_set after("])},;:");
  while (!word.empty() && before.holds(word.front())) word.remove_prefix(1);
  while (!word.empty() && after.holds(word.back())) word.remove_suffix(1);
  if (word.empty() || word == "..." || word == "redacted" || word == "REDACTED") return true;
  return nothing_words.holds_lower(word);
}

bool is_code(std::string_view value) {
  static constexpr sign_set signs(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
      "0123456789_.$:");
  const auto seen = value.substr(0, looked_at);
  const auto size = signs.find_other(seen, 0);
  const auto name = size == seen.size() ? value : value.substr(0, size);
  if (name.size() < 3 || name.size() == value.size()) return false;
  const auto colon = name.find(':');
  if (colon != name.npos && name.find("::", colon) == name.npos) return false;
  const auto behind = value.substr(name.size(), looked_at);
  const auto letters = made_of(name);
  if (letters.digits > 0 && letters.turns > letters.upper + 1) return false;
  static constexpr sign_set joints("._");
  if (behind == "(" && joints.stand_in(name)) return true;
  if (behind[0] == '(' || behind[0] == '[') {
    const auto close = behind.find(behind[0] == '(' ? ')' : ']');
    if (close == behind.npos || (behind[0] == '[' && letters.digits > 0)) return false;
    // "Summer(2024)" is a word with a number and no call.
    const auto inside = behind.substr(1, close - 1);
    const bool is_word = is_upper(name[0]) && std::all_of(name.begin() + 1, name.end(), is_lower);
    if (inside.empty()) return true;
    if (is_word) return !std::all_of(inside.begin(), inside.end(), is_digit);
    return inside.find_first_of("\"'") != inside.npos ||
           std::any_of(inside.begin(), inside.end(), is_alnum);
  }
  if (behind[0] == '{') {
    const auto address = behind.find_first_not_of("0123456789abcdef", 1);
    return is_alpha(name[0]) &&
           (address == behind.npos || is_blank(behind[address]) || behind[address] == '}');
  }
  // The address of an object, as of Java.
  const auto address = behind.substr(1, behind.substr(1, 16).find_first_not_of("0123456789abcdef"));
  return behind[0] == '@' && name.find('.') != name.npos && !address.empty() &&
         (address.size() + 1 == behind.size() || !is_alnum(behind[address.size() + 1]));
}

bool is_plain_word(std::string_view word) {
  if (word.size() > looked_at) return false;
  word = without_marks(word);
  if (word.empty() || word.size() > 40 || !is_alpha(word[0])) return false;
  static constexpr sign_set signs("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'-_./");
  return signs.hold(word);
}

bool is_status_word(std::string_view word) {
  if (word.size() > looked_at) return false;
  word = without_marks(word);
  return word.size() <= 16 && status_words.holds_lower(word);
}

bool is_small_word(std::string_view word) {
  return small_words.holds_lower(word);
}

bool is_sentence(std::string_view text) {
  constexpr std::size_t most_words = 12;
  text = text.substr(0, looked_at);
  bool is_known = false;
  for (std::size_t words = 0; words < most_words; ++words) {
    text = trimmed(text);
    if (text.empty()) return false;
    const auto word = text.substr(0, blanks.find(text, 0));
    text.remove_prefix(word.size());
    if (words == 0 && !is_plain_word(word)) return false;
    const auto bare = without_marks(word);
    is_known = is_known || small_words.holds_lower(bare) || status_words.holds_lower(bare);
    if (is_known && (words > 0 || !trimmed(text).empty())) return true;
  }
  return false;
}

bool is_message(std::string_view text) {
  static constexpr word_set verbs(
      std::to_array<std::string_view>({"are", "can't", "cannot", "doesn't", "is", "isn't", "may",
                                       "must", "please", "should", "was", "were", "will"}));
  if (!is_sentence(text)) return false;
  text = text.substr(0, looked_at);
  for (int words = 0; words < 12; ++words) {
    text = trimmed(text);
    const auto word = before_any(text, " \t\r"_signs);
    text.remove_prefix(word.size());
    const auto bare = without_marks(word).substr(0, 20);
    if (equals_lower(bare, "correct")) continue;
    if (verbs.holds_lower(bare) || status_words.holds_lower(bare)) return true;
  }
  return false;
}

bool is_odd_word(std::string_view word) {
  if (word.size() < 4) return false;  // two turns take four letters
  return is_odd(without_marks(word.substr(0, looked_at)));
}

bool is_place(std::string_view value) {
  value = value.substr(0, looked_at);
  if (!may_be_place(kinds_of_signs(value))) return false;
  static constexpr sign_set after(",;:)]}");
  static constexpr sign_set numeric("0123456789.:/");
  while (!value.empty() && after.holds(value.back())) value.remove_suffix(1);
  if (value.empty()) return false;
  if (value[0] == '.' || value[0] == '~') {
    if (begins_with(value, "./") || begins_with(value, "../") || begins_with(value, "~/"))
      return true;
  }
  if (value.starts_with('/')) {
    // As of base64; many bytes at once, since names within one path have nearly the same.
    if (value.find('=') != value.npos || value.find('+') != value.npos) return false;
    return value.size() == 1 || value.find('/', 1) != value.npos || !looks_made_up(value);
  }
  if (value.size() > 2 && is_alpha(value[0]) && value[1] == ':' &&
      (value[2] == '\\' || value[2] == '/')) {
    return true;
  }
  constexpr std::size_t longest_scheme = 15;
  static constexpr sign_set of_scheme(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.");
  const auto near = value.substr(0, longest_scheme + 3);
  const auto scheme = of_scheme.find_other(near, 0);
  const auto behind_scheme = near.substr(scheme);
  if (scheme > 1 && begins_with(behind_scheme, "://")) return true;
  if (value.size() > 3 && value[0] == 'v' && is_digit(value[1])) value.remove_prefix(1);
  // Numbers with points and colons: an address with its port, a time, a version.
  static constexpr sign_set joints(".:");
  if (!numeric.hold(value) || !joints.stand_in(value)) return false;
  // Behind other numbers it is no scheme.
  const auto late_scheme = near.find("://");
  return late_scheme == near.npos || late_scheme <= 1;
}

bool is_slashed_key(std::string_view value) {
  value = value.substr(0, looked_at);
  static constexpr sign_set others(".:_");
  if (!value.starts_with('/') || others.stand_in(value)) return false;
  while (!value.empty()) {
    const auto part = before_any(value, "/"_signs);
    value.remove_prefix(std::min(value.size(), part.size() + 1));
    const auto all = made_of(part);
    if (part.size() >= 8 && all.lower > 0 && all.upper > 0 && all.digits > 0) return true;
  }
  return false;
}

bool is_login_pair(std::string_view value) {
  unsigned bits = 0;
  int count = 0;
  bool colon = false;
  for (const char c : value.substr(0, longest_login_pair)) {
    if (c == '=') break;
    const unsigned six = is_lower(c)   ? static_cast<unsigned>(c - 'a') + 26
                         : is_upper(c) ? static_cast<unsigned>(c - 'A')
                         : is_digit(c) ? static_cast<unsigned>(c - '0') + 52
                         : c == '+'    ? 62U
                                       : 63U;
    bits = bits << 6 | six;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    const auto byte = (bits >> count) & 0xFFU;
    if (byte < 0x20 || byte == 0x7F) return false;
    colon = colon || byte == ':';
  }
  return colon;
}

}  // namespace reeve
