#pragma once
// A short cut through plain JSON, which is nearly all that there is to read: no spaces, strings of
// ASCII without escapes, integers of at most 18 digits. It is four times as fast as the parser,
// which was a quarter of a replay. It judges nothing: what is not plain, or not JSON, or refused by
// the receiver, is for the parser to read again from its start and to tell.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reeve::codec::detail {

/// `Sax` takes nlohmann's events, with texts as views, and refuses nesting beyond its limit.
template <class Sax>
class plain_json {
 public:
  plain_json(std::string_view text, Sax& sax)
      : at_(text.data()), end_(text.data() + text.size()), sax_(sax) {}

  /// Whether the whole text was plain, and every event was taken.
  bool read() { return value() && at_ == end_; }

 private:
  bool skip(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool word(std::string_view text) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(text)) {
      return false;
    }
    at_ += text.size();
    return true;
  }

  bool value() {
    if (at_ == end_) return false;
    switch (*at_) {
      case '{':
        return object();
      case '[':
        return array();
      case '"': {
        std::string_view text;
        return quoted(text) && sax_.string(text);
      }
      case 't':
        return word("true") && sax_.boolean(true);
      case 'f':
        return word("false") && sax_.boolean(false);
      case 'n':
        return word("null") && sax_.null();
      default:
        return integer();
    }
  }

  bool object() {
    ++at_;
    if (!sax_.start_object(0)) return false;
    if (skip('}')) return sax_.end_object();
    do {
      std::string_view name;
      if (!quoted(name) || !sax_.key(name) || !skip(':') || !value()) return false;
    } while (skip(','));
    return skip('}') && sax_.end_object();
  }

  bool array() {
    ++at_;
    if (!sax_.start_array(0)) return false;
    if (skip(']')) return sax_.end_array();
    do {
      if (!value()) return false;
    } while (skip(','));
    return skip(']') && sax_.end_array();
  }

  bool quoted(std::string_view& text) {
    if (!skip('"')) return false;
    const auto* from = at_;
    while (at_ != end_ && is_plain(*at_)) ++at_;
    text = {from, static_cast<std::size_t>(at_ - from)};
    return skip('"');
  }

  static bool is_plain(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
  }

  bool integer() {
    constexpr std::ptrdiff_t most_digits = 18;
    const bool is_negative = skip('-');
    const auto* from = at_;
    std::int64_t number = 0;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9' && at_ - from < most_digits) {
      number = number * 10 + (*at_++ - '0');
    }
    const auto digits = at_ - from;
    // A zero in front is no JSON, and -0 a question for the parser.
    if (digits == 0 || (*from == '0' && (digits > 1 || is_negative))) return false;
    // A fraction, an exponent or more digits fail where a comma or an end is expected.
    return sax_.number_integer(is_negative ? -number : number);
  }

  const char* at_;
  const char* end_;
  Sax& sax_;
};

}  // namespace reeve::codec::detail
