#include "tasks/triage/log_mask.hpp"

#include "tasks/triage/log_mask_time.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace reeve::tasks {
namespace {

// Bits of a character: a digit of base 10 or 16, a letter or another part of a word.
constexpr std::uint8_t digit_bit = 1;
constexpr std::uint8_t hex_bit = 2;
constexpr std::uint8_t word_bit = 4;

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> made{};
  for (std::size_t c = 0; c < made.size(); ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    made[c] = static_cast<std::uint8_t>((digit ? digit_bit : 0) | (hex ? hex_bit : 0) |
                                        (digit || letter || c >= 0x80 ? word_bit : 0));
  }
  return made;
}
constexpr auto classes = make_classes();

std::uint8_t class_of(char c) {
  return classes[static_cast<unsigned char>(c)];
}
bool is_digit(char c) {
  return (class_of(c) & digit_bit) != 0;
}
bool is_hex(char c) {
  return (class_of(c) & hex_bit) != 0;
}
bool is_word(char c) {
  return (class_of(c) & word_bit) != 0;
}

/// 'x' stands for a hexadecimal digit, other characters for themselves.
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 'x' ? !is_hex(text[i]) : text[i] != shape[i]) return false;
  }
  return true;
}

bool word_at(std::string_view text, std::size_t at) {
  return at < text.size() && is_word(text[at]);
}

std::size_t digits_from(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

std::size_t take_uuid(std::string_view text) {
  static constexpr std::string_view shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return has_shape(text, shape) && !word_at(text, shape.size()) ? shape.size() : 0;
}

std::size_t take_mac(std::string_view text) {
  static constexpr std::string_view shape = "xx:xx:xx:xx:xx:xx";
  if (!has_shape(text, shape) || word_at(text, shape.size())) return 0;
  return text.size() > shape.size() && text[shape.size()] == ':' ? 0 : shape.size();
}

std::size_t take_ipv4(std::string_view text) {
  std::size_t at = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (at >= text.size() || text[at] != '.') return 0;
      ++at;
    }
    const auto end = digits_from(text, at);
    if (end == at || end - at > 3) return 0;
    at = end;
  }
  if (word_at(text, at) || (at + 1 < text.size() && text[at] == '.' && is_digit(text[at + 1]))) {
    return 0;
  }
  return at;
}

/// At least two colons, groups of up to four hexadecimal digits, and either "::" or eight groups;
/// at least one decimal digit, so that "add::fade" stays what it is.
std::size_t take_ipv6(std::string_view text) {
  std::size_t at = 0;
  std::size_t groups = 0;
  bool gap = false;
  bool digit = false;
  while (at < text.size()) {
    std::size_t run = 0;
    while (at < text.size() && is_hex(text[at]) && run < 5) {
      digit = digit || is_digit(text[at]);
      ++at;
      ++run;
    }
    if (run > 4) return 0;
    if (run > 0) ++groups;
    if (at >= text.size() || text[at] != ':') break;
    if (at + 1 < text.size() && text[at + 1] == ':') {
      if (gap) return 0;
      gap = true;
      at += 2;
    } else if (run > 0 && at + 1 < text.size() && is_hex(text[at + 1])) {
      ++at;
    } else {
      break;
    }
  }
  if (!digit || word_at(text, at) || (gap ? groups > 7 : groups != 8)) return 0;
  return at;
}

/// A number with fraction and exponent; a fraction only if what follows is not a version ("1.2.3").
std::size_t number_size(std::string_view text) {
  std::size_t at = digits_from(text, 0);
  while (at + 1 < text.size() && (text[at] == '.' || text[at] == ',') && is_digit(text[at + 1])) {
    at = digits_from(text, at + 1);
  }
  if (at + 1 < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const std::size_t sign = text[at + 1] == '+' || text[at + 1] == '-' ? 1 : 0;
    const auto end = digits_from(text, at + 1 + sign);
    if (end > at + 1 + sign && !word_at(text, end)) at = end;
  }
  return at;
}

struct unit {
  std::string_view name;
  bool is_size;
  bool stands_apart;  // also behind a space; a letter alone may be anything there
};

constexpr unit units[] = {
    {"ns", false, true},      {"us", false, true},     {"µs", false, true},
    {"μs", false, true},      {"ms", false, true},     {"s", false, true},
    {"sec", false, true},     {"secs", false, true},   {"second", false, true},
    {"seconds", false, true}, {"m", false, false},     {"min", false, true},
    {"mins", false, true},    {"minute", false, true}, {"minutes", false, true},
    {"h", false, false},      {"hr", false, true},     {"hrs", false, true},
    {"hour", false, true},    {"hours", false, true},  {"d", false, false},
    {"day", false, true},     {"days", false, true},   {"msec", false, true},
    {"msecs", false, true},   {"usec", false, true},   {"millis", false, true},
    {"B", true, true},        {"byte", true, true},    {"bytes", true, true},
    {"K", true, false},       {"M", true, false},      {"G", true, false},
    {"k", true, false},       {"kB", true, true},      {"KB", true, true},
    {"MB", true, true},       {"GB", true, true},      {"TB", true, true},
    {"kb", true, true},       {"mb", true, true},      {"gb", true, true},
    {"KiB", true, true},      {"MiB", true, true},     {"GiB", true, true},
    {"TiB", true, true},      {"Ki", true, false},     {"Mi", true, false},
    {"Gi", true, false}};

constexpr std::size_t longest_unit = 7;

const unit* unit_of(std::string_view word) {
  if (word.empty() || word.size() > longest_unit) return nullptr;
  for (const auto& one : units) {
    if (one.name[0] == word[0] && one.name == word) return &one;
  }
  return nullptr;
}

/// The letters from `at` on, as far as a unit may go.
std::string_view letters_at(std::string_view text, std::size_t at) {
  auto end = at;
  while (end < text.size() && end - at <= longest_unit && is_word(text[end]) &&
         !is_digit(text[end]))
    ++end;
  return text.substr(at, end - at);
}

struct quantity {
  std::size_t size = 0;
  bool is_size = false;
};

/// "17ms", "1.5 s", "1h2m3.5s", "12 KB".
quantity take_quantity(std::string_view text) {
  quantity found;
  for (std::size_t at = 0;;) {
    const auto number = number_size(text.substr(at));
    if (number == 0) return {};
    at += number;
    const bool apart = at < text.size() && text[at] == ' ';
    if (apart && found.size > 0) return {};
    const auto word = letters_at(text, at + (apart ? 1 : 0));
    const auto* is = unit_of(word);
    if (is == nullptr || (apart && !is->stands_apart)) return {};
    at += (apart ? 1 : 0) + word.size();
    found = {at, is->is_size};
    if (!word_at(text, at)) return found;
    if (apart || is->is_size || !is_digit(text[at])) return {};
  }
}

struct word_shape {
  std::size_t size = 0;
  std::size_t changes = 0;  // between digits and others
  bool hex = false;
  bool digit = false;
};

word_shape shape_of(std::string_view text) {
  word_shape made;
  std::uint8_t all = hex_bit;
  std::uint8_t any = 0;
  std::uint8_t last = class_of(text[0]);
  for (; made.size < text.size(); ++made.size) {
    const auto is = class_of(text[made.size]);
    if ((is & word_bit) == 0) break;
    made.changes += static_cast<std::size_t>((is ^ last) & digit_bit);
    last = is;
    all &= is;
    any |= is;
  }
  made.hex = all != 0;
  made.digit = (any & digit_bit) != 0;
  return made;
}

/// A run of letters and digits: a placeholder for the whole, or its digits masked one by one.
std::size_t take_word(std::string_view text, const word_shape& shape, std::string& out) {
  const auto word = text.substr(0, shape.size);
  if (word.size() > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X') &&
      std::all_of(word.begin() + 2, word.end(), is_hex)) {
    out += "<hex>";
  } else if (!shape.digit) {
    out += word;
  } else if (shape.hex && shape.changes > 0 && word.size() >= 6) {
    out += "<hex>";
  } else if (shape.changes >= 3) {
    out += "<id>";
  } else if (is_digit(word[0])) {
    const auto number = number_size(text);
    out += "<num>";
    if (number < word.size()) {
      const auto rest = text.substr(number, word.size() - number);
      take_word(rest, shape_of(rest), out);
    }
    return std::max(number, word.size());
  } else {
    for (std::size_t i = 0; i < word.size();) {
      if (is_digit(word[i])) {
        out += "<num>";
        i = digits_from(word, i);
      } else {
        out.push_back(word[i++]);
      }
    }
  }
  return word.size();
}

/// A sign belongs to its number, a dash inside "web-1" and "10-20" does not.
bool is_sign(std::string_view line, std::size_t at) {
  if (line[at] != '-' && line[at] != '+') return false;
  if (at + 1 >= line.size() || !is_digit(line[at + 1])) return false;
  static constexpr std::string_view before = " =([{,:\"'_|";
  return at == 0 || before.find(line[at - 1]) != before.npos;
}

/// "<1 sec", "~5 s": a quantity all the same.
void drop_about(std::string& out) {
  if (!out.empty() && (out.back() == '<' || out.back() == '~') &&
      (out.size() == 1 || out[out.size() - 2] == ' ')) {
    out.pop_back();
  }
}

/// What begins with a digit and is more than a number; 0 if it is none.
std::size_t take_digits(std::string_view line, std::size_t at, const word_shape& shape,
                        std::string& out) {
  const auto rest = line.substr(at);
  const char next = shape.size < rest.size() ? rest[shape.size] : '\0';
  // A time has its punctuation within 8 digits, or is written in one.
  if (next == '-' || next == '/' || next == ':' || next == '.' || next == ' ' || shape.size >= 15) {
    auto size = next == ' ' && shape.size > 2 && shape.size != 8 ? 0 : time_size(rest);
    if (size == 0 && at == 0) size = compact_time_size(rest);
    if (size > 0) {
      out += "<time>";
      return size;
    }
  }
  if (next == '.' && shape.size <= 3) {
    if (const auto size = take_ipv4(rest); size > 0) {
      out += "<ip>";
      return size;
    }
  }
  const auto found = take_quantity(rest);
  if (found.size == 0) return 0;
  drop_about(out);
  // "1024 bytes (1.00 KB)".
  if (found.is_size && out.ends_with("<size> (") && rest.substr(found.size).starts_with(')')) {
    out.resize(out.size() - 2);
    return found.size + 1;
  }
  out += found.is_size ? "<size>" : "<duration>";
  return found.size;
}

/// The word at `at`, which no word goes before, masked; bytes of the line that it takes.
std::size_t take(std::string_view line, std::size_t at, std::string& out) {
  const auto rest = line.substr(at);
  const auto shape = shape_of(rest);
  const char next = shape.size < rest.size() ? rest[shape.size] : '\0';
  if (shape.hex) {
    if (next == '-' && shape.size == 8) {
      if (const auto size = take_uuid(rest); size > 0) {
        out += "<uuid>";
        return size;
      }
    }
    if (next == ':' && shape.size == 2) {
      if (const auto size = take_mac(rest); size > 0) {
        out += "<mac>";
        return size;
      }
    }
  }
  if (is_digit(rest[0])) {
    if (const auto size = take_digits(line, at, shape, out); size > 0) return size;
  } else if (rest[0] >= 'A' && rest[0] <= 'W' && shape.size >= 3 && shape.size <= 9 &&
             (next == ' ' || next == ',') && !shape.digit) {
    if (const auto size = time_size(rest); size > 0) {
      out += "<time>";
      return size;
    }
  }
  if (shape.hex && next == ':' && shape.size <= 4) {
    if (const auto size = take_ipv6(rest); size > 0) {
      out += "<ip>";
      return size;
    }
  }
  if (!shape.digit && names_a_day(rest.substr(0, shape.size))) {
    out += "<day>";
    return shape.size;
  }
  return take_word(rest, shape, out);
}

}  // namespace

void mask_variables(std::string_view line, std::string& out) {
  for (std::size_t at = 0; at < line.size();) {
    if (is_word(line[at])) {
      at += take(line, at, out);
      // What a placeholder ended within goes on as it is.
      while (at < line.size() && is_word(line[at])) out.push_back(line[at++]);
      continue;
    }
    // "::1" begins with no word character; a name before it ("std::") rules an address out.
    if (line[at] == ':' && line.substr(at).starts_with("::") &&
        (at == 0 || !is_word(line[at - 1]))) {
      const auto size = take_ipv6(line.substr(at));
      out += size > 0 ? "<ip>" : "::";
      at += size > 0 ? size : 2;
      continue;
    }
    if (!is_sign(line, at)) out.push_back(line[at]);
    ++at;
  }
}

std::string mask_variables(std::string_view line) {
  std::string out;
  out.reserve(line.size() + 32);
  mask_variables(line, out);
  return out;
}

}  // namespace reeve::tasks
