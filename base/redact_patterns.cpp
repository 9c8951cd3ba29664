#include "base/redact_patterns.hpp"

#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"
#include "base/redact_words.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace reeve {
namespace {

enum class found : std::uint8_t {
  marker,  // of an earlier redaction
  key,
  url,
  dsn,
  bearer,
  basic,
  phrase,
  token,
  tool,
  option,
  trouble,
};

struct found_word {
  found what;
  std::size_t number;  // of the tokens, tools or phrases
  std::size_t size;
};

/// All words that the automaton looks for, and what each one leads to.
class word_list {
 public:
  word_list() {
    add(found::marker, "[redacted:");
    for (const std::string_view part :
         {"pass", "pwd", "secret", "token", "key", "credential", "auth", "sess", "sig", "pw", "sid",
          "cookie", "otp", "psk", "csrf", "xsrf"}) {
      add(found::key, part);
    }
    add(found::url, "://");
    add(found::dsn, "@tcp(");
    add(found::dsn, "@unix(");
    add(found::bearer, "bearer");
    add(found::basic, "basic");
    std::size_t number = 0;
    for (const auto word : phrase_words()) add(found::phrase, word, number++);
    number = 0;
    for (const auto word : token_beginnings()) add(found::token, word, number++);
    number = 0;
    for (const auto word : tool_words()) add(found::tool, word, number++);
    for (const auto word : option_words()) add(found::option, word);
    for (const auto word : trouble_words()) add(found::trouble, word);
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

/// "bearer certificate" is prose, "bearer 8f2c..." is not.
void take_scheme(line_scan& scan, found scheme, std::size_t begin, std::size_t end) {
  if ((begin > 0 && is_alnum(scan.line[begin - 1])) || !is_blank(scan.at(end))) return;
  const auto at = scan.skip_blanks(end);
  const auto stop = scan.runs.end(at, run_of::value);
  auto value = scan.line.substr(at, stop - at);
  if (value.size() < 6) return;
  if (scheme == found::basic) {
    // A sentence may end behind it.
    value = before_any(value.substr(0, longest_login_pair), "._-~"_signs);
    if (value.size() == longest_login_pair) value = scan.line.substr(at, stop - at);
    if (value.size() < 8 || !is_login_pair(value)) return;
  } else {
    static constexpr sign_set digits("0123456789");
    if (value.size() < 20 && !digits.stand_in(value)) return;
  }
  scan.hide({at, at + value.size(), "authorization", false});
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
    case found::phrase:
      return take_phrase(scan, word.number, begin, end);
    case found::token: {
      secret_span span;
      if (read_token(word.number, scan.line, begin, end, scan.runs, span)) scan.hide(span);
      return;
    }
    case found::tool:
      return take_tool(scan, word.number, begin, end);
    case found::option:
      return take_option(scan, begin, end);
    case found::trouble:
      return;
  }
}

/// Of what was found only what `holds_known_secret` means.
bool leads_to_secret(line_scan& scan, const found_word& word, std::size_t end) {
  const auto begin = end - word.size;
  secret_span span;
  switch (word.what) {
    case found::token:
      return is_always_secret(word.number) &&
             read_token(word.number, scan.line, begin, end, scan.runs, span);
    case found::url:
      take_url(scan, begin, end);
      if (scan.out.empty()) return false;
      // A name alone may be an address that is told to everybody.
      span = std::exchange(scan.out, {}).back();
      return scan.line.substr(end, span.end - end + 1).find(':') != std::string_view::npos;
    case found::dsn:
      take_dsn(scan, begin);
      return !scan.out.empty();
    default:
      return false;
  }
}

bool has_known_secret(std::string_view line) {
  const auto& known = all();
  std::vector<secret_span> spans;
  line_scan scan(line, spans);
  for (word_automaton::place here; known.automaton.next(line, here);) {
    for (const auto number : known.automaton.found(here)) {
      if (leads_to_secret(scan, known.words[number], here.at)) return true;
    }
  }
  return false;
}

}  // namespace

bool holds_known_secret(std::string_view text) {
  pem_tracker keys;
  std::vector<secret_span> spans;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    keys.next(line, spans);
    if (!spans.empty() || has_known_secret(line)) return true;
  }
  return false;
}

void find_secret_patterns(std::string_view line, std::vector<secret_span>& out) {
  const auto& known = all();
  word_automaton::place here;
  if (!known.automaton.next(line, here)) return;
  line_scan scan(line, out);
  do {
    scan.read_to = here.at;
    for (const auto number : known.automaton.found(here)) {
      const auto& word = known.words[number];
      if (word.what == found::trouble) {
        scan.trouble_begin = here.at - word.size + 1;
        scan.trouble_end = here.at;
        continue;
      }
      // What an earlier reader decided about is not read again.
      if (here.at - word.size >= scan.cursor) take_found(scan, word, here.at);
    }
  } while (known.automaton.next(line, here));
}

}  // namespace reeve
