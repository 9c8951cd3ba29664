#include "tasks/triage/log_mask_quantity.hpp"

#include "tasks/triage/log_mask_chars.hpp"

#include <array>

namespace reeve::tasks {
namespace {

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

// Most words behind a number fail this test.
constexpr auto begins_unit = [] {
  std::array<bool, 256> made{};
  for (const auto& one : units) made[static_cast<unsigned char>(one.name[0])] = true;
  return made;
}();

const unit* unit_of(std::string_view word) {
  if (word.empty() || word.size() > longest_unit) return nullptr;
  if (!may_begin_unit(word[0])) return nullptr;
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

}  // namespace

bool may_begin_unit(char c) {
  return begins_unit[static_cast<unsigned char>(c)];
}

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

}  // namespace reeve::tasks
