#include "tasks/triage/log_mask.hpp"

#include <algorithm>
#include <cstddef>

namespace reeve::tasks {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_word(char c) {
  return is_digit(c) || is_letter(c) || static_cast<unsigned char>(c) >= 0x80;
}

/// `shape` with '0' for a digit, 'x' for a hexadecimal digit, other characters as they are.
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool fits = shape[i] == '0'   ? is_digit(text[i])
                      : shape[i] == 'x' ? is_hex(text[i])
                                        : text[i] == shape[i];
    if (!fits) return false;
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

/// "04:20", "04:20:00", with a fraction.
std::size_t clock_size(std::string_view text) {
  std::size_t size = 0;
  if (has_shape(text, "00:00:00")) size = 8;
  if (size == 0 && has_shape(text, "0:00:00")) size = 7;
  if (size == 0) return 0;
  if (size + 1 < text.size() && (text[size] == '.' || text[size] == ',') &&
      is_digit(text[size + 1])) {
    size = digits_from(text, size + 1);
  }
  return size;
}

std::size_t offset_size(std::string_view text) {
  if (!text.empty() && (text[0] == 'Z' || text[0] == 'z') && !word_at(text, 1)) return 1;
  for (const std::string_view shape : {"+00:00", "-00:00", "+0000", "-0000", " +0000", " -0000"}) {
    if (has_shape(text, shape) && !word_at(text, shape.size())) return shape.size();
  }
  if (text.starts_with(" UTC") && !word_at(text, 4)) return 4;
  return 0;
}

std::size_t month_size(std::string_view text) {
  if (text.size() < 3 || text[0] < 'A' || text[0] > 'S') return 0;
  for (const std::string_view name :
       {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}) {
    if (text.starts_with(name)) return 3;
  }
  return 0;
}

/// A date, a time of day, or both with an offset.
std::size_t take_time(std::string_view text) {
  std::size_t size = 0;
  if (has_shape(text, "0000-00-00") || has_shape(text, "0000/00/00")) {
    size = 10;
  } else if (has_shape(text, "00/") && month_size(text.substr(3)) != 0 &&
             has_shape(text.substr(6), "/0000:")) {
    size = 11;
  } else if (month_size(text) != 0 && (has_shape(text.substr(3), " 00 00:00:00") ||
                                       has_shape(text.substr(3), "  0 00:00:00"))) {
    size = 6;
  }
  auto rest = text.substr(size);
  if (size > 0) {
    const bool joined = !rest.empty() && (rest[0] == 'T' || rest[0] == ' ' || rest[0] == ':');
    const auto clock = joined ? clock_size(rest.substr(1)) : 0;
    if (clock == 0) return word_at(text, size) ? 0 : size;
    size += 1 + clock;
  } else {
    size = clock_size(text);
    if (size == 0) return 0;
  }
  size += offset_size(text.substr(size));
  return word_at(text, size) ? 0 : size;
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

/// A run of letters and digits: a placeholder for the whole, or its digits masked one by one.
std::size_t take_word(std::string_view text, std::string& out) {
  std::size_t size = 0;
  std::size_t changes = 0;
  bool hex = true;
  bool digit = false;
  while (size < text.size() && is_word(text[size])) {
    hex = hex && is_hex(text[size]);
    digit = digit || is_digit(text[size]);
    if (size > 0 && is_digit(text[size]) != is_digit(text[size - 1])) ++changes;
    ++size;
  }
  const auto word = text.substr(0, size);
  if (word.size() > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X') &&
      std::all_of(word.begin() + 2, word.end(), is_hex)) {
    out += "<hex>";
  } else if (!digit) {
    out += word;
  } else if (hex && changes > 0 && size >= 6) {
    out += "<hex>";
  } else if (changes >= 3) {
    out += "<id>";
  } else if (is_digit(word[0])) {
    const auto number = number_size(text);
    out += "<num>";
    if (number < size) {
      std::string rest;
      take_word(text.substr(number, size - number), rest);
      out += rest;
    }
    return std::max(number, size);
  } else {
    for (std::size_t i = 0; i < size;) {
      if (is_digit(word[i])) {
        out += "<num>";
        i = digits_from(word, i);
      } else {
        out.push_back(word[i++]);
      }
    }
  }
  return size;
}

struct rule {
  std::size_t (*take)(std::string_view);
  std::string_view placeholder;
};

// Longest shapes first: a UUID may begin like a number, an address like a time.
constexpr rule rules[] = {{take_uuid, "<uuid>"},
                          {take_mac, "<mac>"},
                          {take_time, "<time>"},
                          {take_ipv4, "<ip>"},
                          {take_ipv6, "<ip>"}};

}  // namespace

std::string mask_variables(std::string_view line) {
  std::string out;
  out.reserve(line.size() + 16);
  for (std::size_t at = 0; at < line.size();) {
    const char c = line[at];
    const bool starts_word = at == 0 || !is_word(line[at - 1]);
    const auto rest = line.substr(at);
    // "::1" begins with no word character; a name before it ("std::") rules an address out.
    const bool gap = rest.starts_with("::") && starts_word;
    if ((!is_word(c) && !gap) || !starts_word) {
      // A sign belongs to its number, a dash inside "web-1" does not.
      const bool sign = (c == '-' || c == '+') && rest.size() > 1 && is_digit(rest[1]) &&
                        (at == 0 || line[at - 1] == ' ' || line[at - 1] == '=');
      if (!sign) out.push_back(c);
      ++at;
      continue;
    }
    std::size_t taken = 0;
    for (const auto& one : rules) {
      taken = one.take(rest);
      if (taken == 0) continue;
      out += one.placeholder;
      break;
    }
    if (taken == 0 && gap) {
      out += "::";
      taken = 2;
    }
    at += taken > 0 ? taken : take_word(rest, out);
  }
  return out;
}

}  // namespace reeve::tasks
