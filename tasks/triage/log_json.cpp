#include "tasks/triage/log_json.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace reeve::tasks {
namespace {

std::optional<std::uint32_t> four_digits(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const char c = text[i];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(digit);
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | (code >> 6));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

/// `at` is behind "\u"; leaves it behind the digits, those of a second half included.
void append_escaped(std::string& out, std::string_view raw, std::size_t& at) {
  constexpr std::uint32_t replacement = 0xFFFD;
  const auto first = four_digits(raw, at);
  if (!first) return append_utf8(out, replacement);
  at += 4;
  if (*first < 0xD800 || *first > 0xDFFF) return append_utf8(out, *first);
  const bool pair = *first < 0xDC00 && raw.substr(at).starts_with("\\u");
  const auto second = pair ? four_digits(raw, at + 2) : std::nullopt;
  if (!second || *second < 0xDC00 || *second > 0xDFFF) return append_utf8(out, replacement);
  at += 6;
  append_utf8(out, 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00));
}

/// Bytes at the start that are neither a quote nor a backslash, eight at a time; up to seven of
/// them may be left (S. E. Anderson, "Bit Twiddling Hacks", "Determine if a word has a zero byte").
std::size_t plain_part(std::string_view text) {
  constexpr std::uint64_t ones = ~std::uint64_t{0} / 255;
  constexpr std::uint64_t tops = ones * 0x80;
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    const auto quote = word ^ (ones * '"');
    const auto escape = word ^ (ones * '\\');
    const auto found = (((quote - ones) & ~quote) | ((escape - ones) & ~escape)) & tops;
    if (found == 0) continue;
    // The lowest of the bits that are set is never a wrong one.
    if constexpr (std::endian::native == std::endian::little)
      at += static_cast<std::size_t>(std::countr_zero(found)) / 8;
    break;
  }
  return at;
}

/// Behind a number, or a word without quotes.
bool ends_word(char c) {
  return c == ',' || c == '}' || c == ' ' || c == '\t';
}

}  // namespace

json_walk::json_walk(std::string_view object) : text_(object) {
  skip_spaces();
  if (at_ >= text_.size() || text_[at_] != '{') return;
  ++at_;
  done_ = false;
  skip_spaces();
  if (at_ < text_.size() && text_[at_] == '}') end();
}

void json_walk::skip_spaces() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r'))
    ++at_;
}

/// Behind the opening quote; leaves `at_` behind the closing one.
bool json_walk::skip_string() {
  for (at_ += plain_part(text_.substr(at_)); at_ < text_.size(); ++at_) {
    if (text_[at_] == '"') {
      ++at_;
      return true;
    }
    if (text_[at_] == '\\') ++at_;
  }
  return false;
}

/// Behind the opening bracket; leaves `at_` behind the one that closes it.
bool json_walk::skip_nested() {
  std::size_t depth = 1;
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '"') {
      if (!skip_string()) return false;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return true;
    }
  }
  return false;
}

void json_walk::end() {
  ++at_;
  skip_spaces();
  done_ = true;
  complete_ = at_ >= text_.size();
}

std::optional<json_member> json_walk::next() {
  if (done_) return std::nullopt;
  done_ = true;
  json_member member;
  skip_spaces();
  if (at_ >= text_.size() || text_[at_] != '"') return std::nullopt;
  auto begin = ++at_;
  if (!skip_string()) return std::nullopt;
  member.key = text_.substr(begin, at_ - 1 - begin);
  skip_spaces();
  if (at_ >= text_.size() || text_[at_] != ':') return std::nullopt;
  ++at_;
  skip_spaces();
  if (at_ >= text_.size()) return std::nullopt;
  begin = at_;
  const char c = text_[at_];
  if (c == '"') {
    ++at_;
    if (!skip_string()) return std::nullopt;
    member.kind = json_kind::string;
    member.raw = text_.substr(begin + 1, at_ - begin - 2);
  } else if (c == '{' || c == '[') {
    ++at_;
    if (!skip_nested()) return std::nullopt;
    member.kind = c == '{' ? json_kind::object : json_kind::array;
    member.raw = text_.substr(begin, at_ - begin);
  } else {
    while (at_ < text_.size() && !ends_word(text_[at_])) ++at_;
    if (at_ == text_.size() || at_ == begin) return std::nullopt;
    member.kind = c == '-' || (c >= '0' && c <= '9') ? json_kind::number : json_kind::word;
    member.raw = text_.substr(begin, at_ - begin);
  }
  skip_spaces();
  if (at_ < text_.size() && text_[at_] == ',') {
    ++at_;
    done_ = false;
  } else if (at_ < text_.size() && text_[at_] == '}') {
    end();
  } else {
    return std::nullopt;
  }
  return member;
}

std::string json_text(std::string_view raw, std::size_t max_bytes) {
  std::string out;
  out.reserve(raw.size() < max_bytes ? raw.size() : max_bytes);
  for (std::size_t at = 0; at < raw.size() && out.size() < max_bytes;) {
    const auto next = std::min(raw.find('\\', at), raw.size());
    out.append(raw.substr(at, std::min(next - at, max_bytes - out.size())));
    at = next + 1;
    if (out.size() == max_bytes || at > raw.size()) break;
    if (at == raw.size()) {
      out.push_back('\\');
      break;
    }
    const char escaped = raw[at++];
    switch (escaped) {
      case 'n':
        out.push_back('\n');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 'b':
      case 'f':
        out.push_back(' ');
        break;
      case 'u':
        append_escaped(out, raw, at);
        break;
      default:
        out.push_back(escaped);
    }
  }
  return out;
}

}  // namespace reeve::tasks
