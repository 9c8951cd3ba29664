#include "tests/support/search.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace support {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string formatted(const std::string& text, const char* form) {
  std::string out;
  for (const unsigned char c : text) {
    char code[8];
    std::snprintf(code, sizeof code, form, c);
    out += code;
  }
  return out;
}

/// A piece's base64 as it stands inside the encoding of a longer text, `shift` bytes into a group.
std::string inner_base64(const std::string& piece, std::size_t shift) {
  const std::string whole = base64_of(std::string(shift, 'x') + piece);
  // Whole groups of three bytes depend on nothing else.
  const std::size_t from = shift == 0 ? 0 : 4;
  return whole.substr(from, (shift + piece.size()) / 3 * 4 - from);
}

std::string quoted(const std::string& name) {
  return "\"" + name + "\"";
}

}  // namespace

std::string hex_of(const std::string& text) {
  return formatted(text, "%02x");
}

std::string base64_of(const std::string& text) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    unsigned bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8U | (at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += at + i <= text.size() ? digits[bits >> (18 - 6 * i) & 63U] : '=';
    }
  }
  return out;
}

std::string url_encoded(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    out += plain ? std::string(1, c) : formatted(std::string(1, c), "%%%02X");
  }
  return out;
}

std::string json_escaped(const std::string& text) {
  return formatted(text, "\\u%04x");
}

std::vector<std::string> traces_of(const std::string& text) {
  constexpr std::size_t piece_bytes = 16;
  std::vector<std::string> traces;
  for (std::size_t at = 0; at + piece_bytes <= text.size(); at += 24) {
    const std::string piece = text.substr(at, piece_bytes);
    for (auto form : {piece, hex_of(piece), url_encoded(piece), json_escaped(piece)}) {
      traces.push_back(lower(std::move(form)));
    }
    for (std::size_t shift = 0; shift < 3; ++shift) {
      traces.push_back(lower(inner_base64(piece, shift)));
    }
  }
  return traces;
}

std::vector<std::string> found_in(const std::string& haystack,
                                  const std::vector<std::string>& traces) {
  const std::string text = lower(haystack);
  std::vector<std::string> found;
  for (const auto& trace : traces) {
    if (text.find(trace) != std::string::npos) found.push_back(trace);
  }
  return found;
}

std::vector<std::string> columns_with(pg& database, const std::vector<std::string>& traces) {
  const auto columns = database.query(
      "SELECT n.nspname, c.relname, a.attname, t.typname FROM pg_class c"
      " JOIN pg_namespace n ON n.oid = c.relnamespace"
      " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
      " JOIN pg_type t ON t.oid = a.atttypid"
      " WHERE c.relkind IN ('r', 'm', 't') AND n.nspname NOT IN ('pg_catalog')"
      " OR (n.nspname, c.relname) IN (('pg_catalog', 'pg_statistic'), ('pg_catalog',"
      " 'pg_description'), ('pg_catalog', 'pg_shdescription'), ('pg_catalog', "
      "'pg_stat_activity'))");
  std::vector<std::string> found;
  for (const auto& row : columns.rows) {
    const std::string table = quoted(*row[0]) + "." + quoted(*row[1]);
    const std::string column = quoted(*row[2]);
    // Bytes are looked at as Latin-1, where every byte is a character.
    const std::string text = *row[3] == "bytea" ? "encode(" + column + ", 'escape')" : column;
    std::string condition;
    std::vector<pg_cell> values;
    for (const auto& trace : traces) {
      values.emplace_back(trace);
      condition += (condition.empty() ? "" : " OR ") + std::string("position($") +
                   std::to_string(values.size()) + "::text IN lower(" + text + "::text)) > 0";
    }
    const auto hits =
        database.number("SELECT count(*) FROM " + table + " WHERE " + condition, values);
    if (hits > 0) found.push_back(*row[0] + "." + *row[1] + "." + *row[2]);
  }
  return found;
}

}  // namespace support
