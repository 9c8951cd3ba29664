#include "tasks/triage/log_mask.hpp"

#include "tasks/triage/log_mask_chars.hpp"
#include "tasks/triage/log_mask_quantity.hpp"
#include "tasks/triage/log_mask_time.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace reeve::tasks {
namespace {

/// 'x' stands for a hexadecimal digit, other characters for themselves.
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 'x' ? !is_hex(text[i]) : text[i] != shape[i]) return false;
  }
  return true;
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
    const bool is_none = next == ' ' && shape.size > 2 && shape.size != 8 && shape.size < 15;
    auto size = is_none ? 0 : time_size(rest);
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

/// Nothing but digits, and no part of a time, an address or a quantity, as most numbers are.
bool is_plain_number(std::string_view line, std::size_t at, const word_shape& shape) {
  if (!shape.digit || shape.changes > 0 || shape.size >= 15) return false;
  const auto rest = line.substr(at + shape.size);
  if (rest.empty()) return true;
  static constexpr std::string_view goes_on = ".,-/:";
  if (rest[0] != ' ') return goes_on.find(rest[0]) == goes_on.npos;
  if (at == 0 || shape.size <= 2 || shape.size == 8) return false;
  return rest.size() == 1 || !may_begin_unit(rest[1]);
}

/// The word at `at`, which no word goes before, masked; bytes of the line that it takes.
std::size_t take(std::string_view line, std::size_t at, std::string& out) {
  const auto rest = line.substr(at);
  const auto shape = shape_of(rest);
  if (is_plain_number(line, at, shape)) {
    out += "<num>";
    return shape.size;
  }
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

/// Begins as a month or a day of the week does.
bool may_be_date(std::string_view word) {
  if (word.size() < 3 || word[0] < 'A' || word[0] > 'W' || word[1] < 'a' || word[1] > 'z')
    return false;
  static constexpr std::string_view names =
      "JanFebMarAprMayJunJulAugSepOctNovDecMonTueWedThuFriSatSun";
  for (std::size_t i = 0; i < names.size(); i += 3) {
    if (names[i] == word[0] && names[i + 1] == word[1] && names[i + 2] == word[2]) return true;
  }
  return false;
}

/// Where the word at `at` ends if it stays as it is, which most words do: no digit in it, no letter
/// of which an address may be made, no date. Else `at`.
std::size_t end_of_plain_word(std::string_view line, std::size_t at) {
  std::uint8_t all = hex_bit;
  auto end = at;
  for (; end < line.size(); ++end) {
    const auto is = class_of(line[end]);
    if ((is & letter_bit) == 0) break;
    all &= is;
  }
  if (end < line.size() && is_digit(line[end])) return at;
  return all != 0 || may_be_date(line.substr(at, end - at)) ? at : end;
}

}  // namespace

void mask_variables(std::string_view line, std::string& out) {
  std::size_t shown = 0;  // what is before it is in `out`; what stays is copied in long runs
  const auto show = [&](std::size_t end) { out.append(line.data() + shown, end - shown); };
  for (std::size_t at = 0; at < line.size();) {
    if (is_word(line[at])) {
      if (const auto end = end_of_plain_word(line, at); end > at) {
        at = end;
        continue;
      }
      show(at);
      at += take(line, at, out);
      shown = at;
      // What a placeholder ended within goes on as it is.
      while (word_at(line, at)) ++at;
      continue;
    }
    // "::1" begins with no word character; a name before it ("std::") rules an address out.
    if (line[at] == ':' && line.substr(at).starts_with("::") &&
        (at == 0 || !is_word(line[at - 1]))) {
      const auto size = take_ipv6(line.substr(at));
      if (size > 0) {
        show(at);
        out += "<ip>";
        shown = at + size;
      }
      at += size > 0 ? size : 2;
      continue;
    }
    if (is_sign(line, at)) {
      show(at);
      shown = at + 1;
    }
    ++at;
  }
  show(line.size());
}

std::string mask_variables(std::string_view line) {
  std::string out;
  out.reserve(line.size() + 32);
  mask_variables(line, out);
  return out;
}

}  // namespace reeve::tasks
