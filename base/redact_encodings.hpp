#pragma once
// How others write a text: the encodings that named secrets are looked for in. Any bytes will do
// as a text; nothing fails.

#include <cstddef>
#include <string>
#include <string_view>

namespace reeve {

inline constexpr std::string_view hex_upper = "0123456789ABCDEF";
inline constexpr std::string_view hex_lower = "0123456789abcdef";
inline constexpr std::string_view standard_base64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::string_view url_base64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What a writer of URLs leaves as it is besides letters, digits, '-', '_' and '.'; `plus`: a space
/// is a '+'.
struct url_style {
  std::string_view left;
  bool plus = false;
};
std::string url_encoded(std::string_view text, url_style style, std::string_view digits);
/// Every byte as %XX.
std::string all_url_encoded(std::string_view text, std::string_view digits);

struct json_style {
  bool slash = false;  // PHP and others write "\/".
  bool html = false;   // Go writes \u003c for '<', '>' and '&'.
  bool ascii = false;  // Python writes \u00e9 for what is not ASCII.
  std::string_view digits = hex_lower;
  bool marks = false;  // .NET writes \u0022 for a quote, and so for '+', a tick and the like.

  bool escapes(char c) const {
    const bool is_html = c == '<' || c == '>' || c == '&';
    const bool is_mark = c == '"' || c == '\'' || c == '+' || c == '`';
    return static_cast<unsigned char>(c) < 0x20 || (html && is_html) || (marks && is_mark);
  }
};
std::string json_escaped(std::string_view text, json_style style);

/// Base64 of the text as it stands behind `offset` unknown bytes (0..2), without the characters
/// that also depend on its neighbours. `last` keeps the character that holds the text's last bits
/// when nothing follows it.
std::string base64_inside(std::string_view text, std::size_t offset, std::string_view alphabet,
                          bool last);
std::string in_hex(std::string_view text, std::string_view digits);

/// Single quotes within single quotes: `open` and `close` stand around one of them, or around all
/// that stand together. Some shells leave out the last sign where nothing follows: so does this.
std::string quoted_for_shells(std::string_view text, std::string_view open, std::string_view close,
                              bool together);
/// What bash writes between "$'" and "'" where a text has characters that do not print; `ascii`:
/// in a locale where those are all that are not ASCII.
std::string dollar_quoted(std::string_view text, bool ascii);
/// What Python writes between "b'" and "'"; `tick`: as \', where a text has both kinds of quotes.
std::string python_bytes(std::string_view text, bool tick);

/// How '>', '"' and a single quote are written; '&' and '<' never stand as they are.
struct entity_style {
  std::string_view more, quote, tick;
};
std::string with_entities(std::string_view text, entity_style style);

/// The bytes of the character of more than one byte (of UTF-8) that the text begins with; 0 if it
/// begins with none.
std::size_t wide_character_bytes(std::string_view text);

}  // namespace reeve
