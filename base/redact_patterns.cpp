#include "base/redact_patterns.hpp"

#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"
#include "base/redact_words.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace reeve {
namespace {

enum class found : std::uint8_t {
  marker,  // of an earlier redaction
  key,
  url,
  dsn,
  bearer,
  basic,
  pass_argument,
  sql,
  first_password,
  token,
  tool,
  option,
};

struct found_word {
  found what;
  std::size_t number;  // of the tokens or tools
  std::size_t size;
};

/// All words that the automaton looks for, and what each one leads to.
class word_list {
 public:
  word_list() {
    add(found::marker, "[redacted:");
    for (const std::string_view part :
         {"pass", "pwd", "secret", "token", "key", "credential", "auth", "sess", "sig", "pw", "sid",
          "cookie", "otp", "psk"}) {
      add(found::key, part);
    }
    add(found::url, "://");
    add(found::dsn, "@tcp(");
    add(found::dsn, "@unix(");
    add(found::bearer, "bearer");
    add(found::basic, "basic");
    add(found::pass_argument, " pass:");
    add(found::sql, "identified by ");
    add(found::sql, "_password by ");
    add(found::first_password, "generated for root@localhost: ");
    std::size_t number = 0;
    for (const auto word : token_beginnings()) add(found::token, word, number++);
    number = 0;
    for (const auto word : tool_words()) add(found::tool, word, number++);
    for (const auto word : option_words()) add(found::option, word);
  }

  const std::vector<std::string_view>& words() const { return words_; }
  const found_word& operator[](std::size_t number) const { return meanings_[number]; }

 private:
  void add(found what, std::string_view word, std::size_t number = 0) {
    words_.push_back(word);
    meanings_.push_back({what, number, word.size()});
  }
  std::vector<std::string_view> words_;
  std::vector<found_word> meanings_;
};

struct prepared {
  word_list words;
  word_automaton automaton{words.words()};
};

const prepared& all() {
  static const prepared one;
  return one;
}

/// So much of the base64 of "user:password" is looked at.
constexpr std::size_t longest_pair = 1024;

/// Base64 of "user:password": printable and with a colon.
bool is_basic_pair(std::string_view value) {
  unsigned bits = 0;
  int count = 0;
  bool colon = false;
  for (const char c : value.substr(0, longest_pair)) {
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
    if (byte < 0x20) return false;
    colon = colon || byte == ':';
  }
  return colon;
}

/// "bearer certificate" is prose, "bearer 8f2c..." is not.
void take_scheme(line_scan& scan, found scheme, std::size_t begin, std::size_t end) {
  if ((begin > 0 && is_alnum(scan.line[begin - 1])) || !is_blank(scan.at(end))) return;
  const auto at = scan.skip_blanks(end);
  const auto stop = scan.runs.end(at, run_of::value);
  auto value = scan.line.substr(at, stop - at);
  if (value.size() < 6) return;
  if (scheme == found::basic) {
    // A sentence may end behind it.
    value = before_any(value.substr(0, longest_pair), "._-~");
    if (value.size() == longest_pair) value = scan.line.substr(at, stop - at);
    if (value.size() < 8 || !is_basic_pair(value)) return;
  } else {
    const bool digits = value.substr(0, 256).find_first_of("0123456789") != value.npos;
    if (value.size() < 20 && !digits) return;
  }
  scan.hide({at, at + value.size(), "authorization", false});
}

/// "-passin pass:x" of OpenSSL.
void take_pass_argument(line_scan& scan, std::size_t begin, std::size_t end) {
  const auto before = left_of(scan.line, begin, 12);
  const auto option = before.substr(before.find_last_of(' ') + 1);
  if (!option.starts_with("-pass") && !before.ends_with("-passin") &&
      !before.ends_with("-passout")) {
    return;
  }
  const auto value = value_at(scan, end, false, credential_kind);
  if (end < scan.line.size() && !is_no_secret(scan.text(value.span))) scan.hide(value.span);
}

/// IDENTIFIED BY 'x'
void take_sql(line_scan& scan, std::size_t end) {
  const auto at = scan.skip_blanks(end);
  if (at >= scan.line.size() || scan.line.substr(at, 5) == "VALUE") return;
  const auto value = value_at(scan, at, false, credential_kind);
  const auto text = scan.text(value.span);
  if (!value.quoted && (!looks_made_up(text) || text.starts_with('['))) return;
  if (!is_no_secret(text)) scan.hide(value.span);
}

void take_first_password(line_scan& scan, std::size_t end) {
  const auto word = before_any(scan.line.substr(end), " \t\r");
  if (!is_no_secret(word)) scan.hide({end, end + word.size(), credential_kind, false});
}

void take_found(line_scan& scan, const found_word& word, std::size_t end) {
  const auto begin = end - word.size;
  switch (word.what) {
    case found::marker: {
      const auto close = scan.line.substr(end, 64).find(']');
      if (close == std::string_view::npos) return;
      // What only begins as a marker hides nothing.
      const auto kind = scan.line.substr(end, close);
      if (!std::all_of(kind.begin(), kind.end(), is_key_char)) return;
      scan.cursor = std::max(scan.cursor, end + close + 1);
      return;
    }
    case found::key:
      return take_key(scan, begin, end);
    case found::url:
      return take_url(scan, begin, end);
    case found::dsn:
      return take_dsn(scan, begin);
    case found::bearer:
    case found::basic:
      return take_scheme(scan, word.what, begin, end);
    case found::pass_argument:
      return take_pass_argument(scan, begin, end);
    case found::sql:
      return take_sql(scan, end);
    case found::first_password:
      return take_first_password(scan, end);
    case found::token: {
      secret_span span;
      if (read_token(word.number, scan.line, begin, end, scan.runs, span)) scan.hide(span);
      return;
    }
    case found::tool:
      return take_tool(scan, word.number, begin, end);
    case found::option:
      return take_option(scan, begin, end);
  }
}

}  // namespace

void find_secret_patterns(std::string_view line, std::vector<secret_span>& out) {
  const auto& known = all();
  word_automaton::place here;
  if (!known.automaton.next(line, here)) return;
  line_scan scan(line, out);
  do {
    for (const auto number : known.automaton.found(here)) {
      const auto& word = known.words[number];
      // What an earlier reader decided about is not read again.
      if (here.at - word.size >= scan.cursor) take_found(scan, word, here.at);
    }
  } while (known.automaton.next(line, here));
}

}  // namespace reeve
