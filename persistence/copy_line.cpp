#include "persistence/copy_line.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace reeve::persistence {
namespace {

/// What stands behind a backslash; COPY writes these and no octal or hexadecimal forms.
char unescaped(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return c;
  }
}

}  // namespace

std::string_view copy_line::next() {
  require(!at_end_);
  const auto* tab = static_cast<const char*>(std::memchr(rest_.data(), '\t', rest_.size()));
  if (tab == nullptr) {
    at_end_ = true;
    return std::exchange(rest_, {});
  }
  const auto size = static_cast<std::size_t>(tab - rest_.data());
  const auto field = rest_.substr(0, size);
  rest_.remove_prefix(size + 1);
  return field;
}

bool copy_line::null_follows() {
  if (!rest_.starts_with("\\N") || (rest_.size() > 2 && rest_[2] != '\t')) return false;
  next();
  return true;
}

void copy_line::text(std::string& to) {
  const auto field = next();
  require(field != "\\N");
  to.clear();
  for (std::size_t from = 0;;) {
    const auto at = field.find('\\', from);
    if (at == field.npos) {
      to.append(field, from);
      return;
    }
    to.append(field, from, at - from);
    require(at + 1 < field.size());
    if (at + 1 < field.size()) to += unescaped(field[at + 1]);
    from = std::min(at + 2, field.size());
  }
}

void copy_line::id(uuid& to) {
  const auto parsed = parse_uuid(next());
  require(parsed.has_value());
  to = parsed.value_or(uuid{});
}

void copy_line::id(std::optional<uuid>& to) {
  if (null_follows()) return to.reset();
  id(to.emplace());
}

void copy_line::bytes(digest& to) {
  const auto field = next();
  const auto parsed = field.starts_with("\\\\x") ? digest_from_hex(field.substr(3)) : std::nullopt;
  require(parsed.has_value());
  to = parsed.value_or(digest{});
}

void copy_line::bytes(std::optional<digest>& to) {
  if (null_follows()) return to.reset();
  bytes(to.emplace());
}

void append_copy_field(std::string& out, const std::optional<std::string>& field) {
  if (!field) {
    out += "\\N";
    return;
  }
  constexpr std::string_view special = "\\\t\n\r";
  const auto is_special = [](char c) { return c == '\\' || c == '\t' || c == '\n' || c == '\r'; };
  const std::string_view text = *field;
  for (std::size_t from = 0;;) {
    const auto* at = std::find_if(text.data() + from, text.data() + text.size(), is_special);
    const auto stop = static_cast<std::size_t>(at - text.data());
    out.append(text, from, stop - from);
    if (stop == text.size()) return;
    out += '\\';
    out += "\\tnr"[special.find(text[stop])];
    from = stop + 1;
  }
}

}  // namespace reeve::persistence
