#include "base/redact_patterns.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <re2/re2.h>
#include <re2/set.h>
#include <string>

namespace reeve {
namespace {

using re2::RE2;
using re2::StringPiece;

// Names of which the value is a secret, as a part of a longer name.
#define REEVE_SECRET_WORD                                                                 \
  "(?:passw(?:or)?d|passwd|passphrase|pwd|secret|token|api[_.\\-]?key|access[_.\\-]?key|" \
  "private[_.\\-]?key|account[_.\\-]?key|signing[_.\\-]?key|encryption[_.\\-]?key|"       \
  "auth[_.\\-]?key|credential|session[_.\\-]?id|connect\\.sid|signature)"
#define REEVE_SECRET_KEY "([A-Za-z0-9_.\\-]*" REEVE_SECRET_WORD "[A-Za-z0-9_.\\-]*)"
enum class check : std::uint8_t { none, key_value, long_key, bearer, basic };

struct pattern {
  std::string_view kind;
  check test;
  const char* text;
};

/// Group 1 is the secret, or for long_key the key and group 3 the secret. A key_value ends with the
/// first character of the separator: its value is found by hand. One of the expression would be
/// the rest of the line behind every harmless key, which may be harmless keys throughout.
constexpr pattern patterns[] = {
    {"authorization", check::none,
     "(?i)\\b(?:proxy-)?authorization(?:\\\\*[\"'])?[ \\t]*[:=][ \\t]*(?:\\\\*[\"'])?"
     "(?:(?:bearer|basic|digest|negotiate|token|apikey)[ \\t]+)?([^\"'\\\\]+)"},
    {"authorization", check::bearer, "(?i)\\bbearer[ \\t]+([A-Za-z0-9._~+/=\\-]{6,})"},
    {"authorization", check::basic, "(?i)\\bbasic[ \\t]+([A-Za-z0-9+/]{8,}={0,2})"},
    {"cookie", check::none,
     "(?i)\\b(?:set-)?cookie(?:\\\\*[\"'])?[ \\t]*[:=][ \\t]*(?:\\\\*[\"'])?([^\"'\\\\]+)"},
    {"url_password", check::none,
     "(?i)\\b[a-z][a-z0-9+.\\-]+://[^\\s/:@\"'<>\\[\\]]*:([^\\s\"'<>/]+)@"},
    {"url_password", check::none, "(?i)\\b[a-z][a-z0-9+.\\-]+://([^\\s/:@\"'<>\\[\\]]{6,})@"},
    {"aws_key", check::none, "\\b((?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16})\\b"},
    {"jwt", check::none, "\\b(eyJ[A-Za-z0-9_\\-]{6,}\\.[A-Za-z0-9_\\-]{4,}\\.[A-Za-z0-9_\\-]*)"},
    {"github_token", check::none, "\\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"},
    {"gitlab_token", check::none, "\\b(gl(?:pat|ptt|dt|rt)-[A-Za-z0-9_\\-]{16,})"},
    {"slack_token", check::none, "\\b(xox[abeoprs]-[A-Za-z0-9\\-]{10,}|xapp-[A-Za-z0-9\\-]{10,})"},
    {"slack_webhook", check::none,
     "hooks\\.slack\\.com/(?:services|workflows)/([A-Za-z0-9/_]{8,})"},
    {"google_key", check::none, "\\b(AIza[0-9A-Za-z_\\-]{30,}|ya29\\.[0-9A-Za-z_\\-]{20,})"},
    {"api_key", check::none,
     "\\b((?:sk|rk|pk)[-_](?:[A-Za-z0-9_\\-]*[_\\-])?[A-Za-z0-9_]{20,}|hf_[A-Za-z0-9]{20,}|"
     "npm_[A-Za-z0-9]{30,}|dckr_pat_[A-Za-z0-9_\\-]{20,}|pypi-[A-Za-z0-9_\\-]{50,})"},
    // The command line: --password hunter2, which the next pattern does not see.
    {"credential", check::long_key,
     "(?i)--?" REEVE_SECRET_KEY "()[ \\t]+\\\\*[\"']?([^\\s\"'\\-][^\\s\"']*)"},
    // An environment listing or YAML gives the value the whole rest of the line.
    {"credential", check::long_key,
     "^[ \\t]*(?:export[ \\t]+)?([A-Z0-9_]*(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|"
     "ACCESS_KEY|PRIVATE_KEY)[A-Z0-9_]*)()=[ \\t]*([^\\s\"'].*)$"},
    {"credential", check::long_key,
     "(?i)^[ \\t]*(?:-[ \\t]+)?([a-z0-9_.\\-]*(?:password|passwd|passphrase|secret[_\\-]?key|"
     "private[_\\-]?key|api[_\\-]?key|access[_\\-]?key))()[ \\t]*:[ \\t]+([^\\s\"'{\\[|>&].*)$"},
    // The end of a quoted key may be escaped, since JSON is often logged inside JSON.
    {"credential", check::key_value, "(?i)" REEVE_SECRET_KEY "(?:\\\\*[\"'])?[ \\t]*[:=]"},
};

// One cheap expression that nearly every harmless line fails. It must hit wherever a pattern does.
constexpr const char* trigger_text =
    "(?i)passw|passphrase|pwd|secret|token|key|credential|session.?id|connect\\.sid|signature|"
    "authorization|bearer|basic|cookie|://|AKIA|ASIA|ABIA|ACCA|eyJ|gh[pousr]_|github_pat|"
    "gl[pdr][at]?t?t?-|xox|xapp-|hooks\\.slack|AIza|ya29|[srp]k[-_]|hf_|npm_|dckr_pat|pypi-";

/// The expression without its counts, of which an automaton would keep one for every place where a
/// match may have begun. It finds more, which the rule itself then looks at.
std::string without_counts(std::string text) {
  RE2::GlobalReplace(&text, "\\{0,[0-9]*\\}", "*");
  RE2::GlobalReplace(&text, "\\{[1-9][0-9]*,?\\}", "+");
  return text;
}

/// Finds out in one pass which of the rules are worth a search. Two automata for the halves of the
/// patterns: the states of one for all are so many on hostile text that it did little else than
/// make new ones.
class rule_filter {
 public:
  explicit rule_filter(const RE2::Options& options) {
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      sets_[i] = std::make_unique<RE2::Set>(options, RE2::UNANCHORED);
      for (auto at = first(i); at < first(i + 1); ++at) {
        sets_[i]->Add(without_counts(patterns[at].text), nullptr);
      }
      sets_[i]->Compile();
    }
  }

  /// In the order of the patterns: the first one's marker stands for all that overlap.
  std::vector<std::size_t> candidates(const StringPiece& line) const {
    std::vector<std::size_t> found;
    std::vector<int> hits;
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      RE2::Set::ErrorInfo failed{};
      if (sets_[i]->Match(line, &hits, &failed)) {
        for (const int hit : hits) found.push_back(first(i) + static_cast<std::size_t>(hit));
      } else if (failed.kind != RE2::Set::kNoError) {
        // Out of memory for the combined automaton: try every rule on its own.
        for (auto at = first(i); at < first(i + 1); ++at) found.push_back(at);
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  static std::size_t first(std::size_t set) { return set * std::size(patterns) / 2; }
  std::array<std::unique_ptr<RE2::Set>, 2> sets_;
};

struct compiled {
  std::unique_ptr<RE2> trigger;
  std::unique_ptr<RE2> name;
  std::unique_ptr<rule_filter> filter;
  std::vector<std::unique_ptr<RE2>> rules;

  compiled() {
    RE2::Options options;
    // Log bytes may be anything; Latin-1 makes every byte a character.
    options.set_encoding(RE2::Options::EncodingLatin1);
    options.set_log_errors(false);
    trigger = std::make_unique<RE2>(trigger_text, options);
    name = std::make_unique<RE2>("(?i)" REEVE_SECRET_WORD, options);
    filter = std::make_unique<rule_filter>(options);
    for (const auto& one : patterns) rules.push_back(std::make_unique<RE2>(one.text, options));
  }
};

const compiled& all() {
  static const compiled rules;
  return rules;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// Values that are none: empty, a word for nothing, already hidden, or a reference to a variable.
bool is_no_secret(std::string_view value) {
  if (value.empty() || value.starts_with("[redacted")) return true;
  if (value.find_first_not_of("*") == value.npos) return true;
  if ((value.starts_with("${") && value.ends_with("}")) || value.starts_with("$(")) return true;
  static constexpr std::array<std::string_view, 8> words = {"true", "false",     "null", "none",
                                                            "nil",  "undefined", "{",    "["};
  return std::find(words.begin(), words.end(), lower(value)) != words.end();
}

/// "bearer certificate" is prose, "bearer 8f2c..." is not.
bool looks_random(std::string_view value) {
  return value.size() >= 20 || value.find_first_of("0123456789") != value.npos;
}

/// Base64 of "user:password": printable and with a colon.
bool is_basic_pair(std::string_view value) {
  unsigned bits = 0;
  int count = 0;
  bool colon = false;
  for (const char c : value) {
    if (c == '=') break;
    const unsigned six = c >= 'a'   ? static_cast<unsigned>(c - 'a') + 26
                         : c >= 'A' ? static_cast<unsigned>(c - 'A')
                         : c >= '0' ? static_cast<unsigned>(c - '0') + 52
                         : c == '+' ? 62U
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

secret_span span_of(std::string_view line, const StringPiece& part, std::string_view kind) {
  const auto begin = static_cast<std::size_t>(part.data() - line.data());
  return {begin, begin + part.size(), kind, false};
}

bool is_quote(char c) {
  return c == '"' || c == '\'';
}

bool begins_value(std::string_view line, std::size_t at) {
  static constexpr std::string_view none = " \t\r\n\f&<>";
  return at < line.size() && none.find(line[at]) == none.npos;
}

/// Where the value behind a key begins, `npos` without one. `separator` is the place of the first
/// character of ":=", "=>", "=" or ":".
std::size_t value_begin(std::string_view line, std::size_t separator) {
  const auto two = line.substr(separator, 2);
  if (two == ":=" || two == "=>") {
    const auto at = line.find_first_not_of(" \t", separator + 2);
    if (begins_value(line, at)) return at;
  }
  const auto at = line.find_first_not_of(" \t", separator + 1);
  return begins_value(line, at) ? at : line.npos;
}

/// The end of a value in double or single quotes, which may be unclosed.
std::size_t quoted_end(std::string_view line, std::size_t at, char quote) {
  const char stops[] = {quote, '\\'};
  while (true) {
    at = std::min(line.size(), line.find_first_of({stops, 2}, at));
    if (at == line.size() || line[at] == quote || at + 1 == line.size()) return at;
    at += 2;
  }
}

/// The end of a value in escaped quotes: the next quote, with the backslashes before it.
std::size_t escaped_end(std::string_view line, std::size_t at) {
  while (true) {
    at = std::min(line.size(), line.find_first_of("\"'\\", at));
    if (at == line.size() || line[at] != '\\') return at;
    const auto behind = line.find_first_not_of('\\', at);
    if (behind == line.npos || is_quote(line[behind])) return at;
    at = behind + 1;
  }
}

/// A value: in escaped quotes, in double or single quotes, or bare. In JSON a bare one ends at the
/// object's punctuation, and its marker needs quotes.
secret_span value_at(std::string_view line, std::size_t at, bool quoted_key,
                     std::string_view kind) {
  if (is_quote(line[at])) return {at + 1, quoted_end(line, at + 1, line[at]), kind, false};
  const auto behind = line.find_first_not_of('\\', at);
  if (behind != at && behind != line.npos && is_quote(line[behind])) {
    return {behind + 1, escaped_end(line, behind + 1), kind, false};
  }
  const auto stops = quoted_key ? " \t\r\n\f\"'&<>,}]" : " \t\r\n\f\"'&<>";
  const auto end = std::min(line.size(), line.find_first_of(stops, at));
  return {at, end, kind, quoted_key && end > at};
}

/// The end of what was looked at: where the search goes on. Behind a harmless key that is its
/// value, which may hold a key of its own.
std::size_t take_key_value(std::string_view line, const StringPiece& whole, const pattern& rule,
                           std::vector<secret_span>& out) {
  const auto found = span_of(line, whole, {});
  auto key = line.substr(found.begin, found.end - 1 - found.begin);
  key = key.substr(0, key.find_last_not_of(" \t") + 1);
  const bool quoted_key = is_quote(key.back());
  if (quoted_key) key = key.substr(0, key.find_last_not_of('\\', key.size() - 2) + 1);
  if (!names_a_secret(key)) return found.end;
  const auto begin = value_begin(line, found.end - 1);
  if (begin == line.npos) return found.end;
  const auto span = value_at(line, begin, quoted_key, rule.kind);
  if (!is_no_secret(line.substr(span.begin, span.end - span.begin))) out.push_back(span);
  return span.end;
}

std::size_t take(std::string_view line, const StringPiece* groups, const pattern& rule,
                 std::vector<secret_span>& out) {
  if (rule.test == check::key_value) return take_key_value(line, groups[0], rule, out);
  const auto whole = span_of(line, groups[0], {});
  const bool has_key = rule.test == check::long_key;
  const auto span = span_of(line, groups[has_key ? 3 : 1], rule.kind);
  const auto value = line.substr(span.begin, span.end - span.begin);
  if (is_no_secret(value)) return std::max(span.end, whole.begin + 1);
  if (has_key && !names_a_secret({groups[1].data(), groups[1].size()})) {
    return std::max(span.begin, whole.begin + 1);
  }
  if (rule.test == check::bearer && !looks_random(value)) return span.end;
  if (rule.test == check::basic && !is_basic_pair(value)) return span.end;
  out.push_back(span);
  return std::max(span.end, whole.begin + 1);
}

bool base64_only(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
  });
}

}  // namespace

bool names_a_secret(std::string_view key) {
  if (!RE2::PartialMatch(StringPiece(key.data(), key.size()), *all().name)) return false;
  static constexpr std::array<std::string_view, 26> harmless_ends = {
      "tokens",     "count",      "length", "len",   "size",   "type", "expiry",
      "expires",    "expires_in", "ttl",    "file",  "path",   "name", "url",
      "uri",        "limit",      "policy", "usage", "budget", "age",  "expired",
      "expires_at", "expiration", "total",  "max",   "min"};
  const auto name = lower(key);
  if (name == "pwd" || name == "oldpwd" || name.find("tokeniz") != name.npos) return false;
  return std::none_of(harmless_ends.begin(), harmless_ends.end(), [&](std::string_view end) {
    if (!name.ends_with(end)) return false;
    if (name.size() == end.size() || end == "tokens") return true;
    const char before = name[name.size() - end.size() - 1];
    return before == '_' || before == '-' || before == '.';
  });
}

void find_secret_patterns(std::string_view line, std::vector<secret_span>& out) {
  const auto& rules = all();
  const StringPiece text(line.data(), line.size());
  if (!RE2::PartialMatch(text, *rules.trigger)) return;
  std::array<StringPiece, 4> groups;
  for (const auto index : rules.filter->candidates(text)) {
    const auto& rule = *rules.rules[index];
    const bool whole_only = patterns[index].test == check::key_value;
    const int wanted = whole_only ? 1 : rule.NumberOfCapturingGroups() + 1;
    for (std::size_t at = 0; at < line.size();) {
      if (!rule.Match(text, at, text.size(), RE2::UNANCHORED, groups.data(), wanted)) break;
      at = std::max(at + 1, take(line, groups.data(), patterns[index], out));
    }
  }
}

/// A line inside a private key block: base64 (behind a log writer's prefix too), a header of the
/// old encrypted form, or nothing.
bool pem_tracker::is_body(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r");
  if (first == line.npos) return true;
  line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
  if (line.find("Proc-Type:") != line.npos || line.find("DEK-Info:") != line.npos) return true;
  const auto word = line.substr(line.find_last_of(" \t|") + 1);
  if (!base64_only(word)) return false;
  const auto words = std::count(line.begin(), line.end(), ' ');
  if (word.size() < 40 && words > 0 && words != prefix_words_) return false;
  prefix_words_ = words;
  return true;
}

void pem_tracker::next(std::string_view line, std::vector<secret_span>& out) {
  static constexpr std::string_view kind = "private_key";
  // A block that begins anew, or is seen again where two windows of a long line overlap.
  if (line.find("-----BEGIN ") < line.find("-----END ")) left_ = 0;
  std::size_t at = 0;
  while (at < line.size() || (left_ > 0 && at == 0)) {
    if (left_ == 0) {
      const auto begin = line.find("-----BEGIN ", at);
      if (begin == line.npos) return;
      const auto label_end = line.find("-----", begin + 11);
      if (label_end == line.npos) return;
      if (!line.substr(begin, label_end - begin).ends_with("PRIVATE KEY")) {
        at = label_end;
        continue;
      }
      left_ = max_lines;
      prefix_words_ = 0;
      const auto end = line.find("-----END ", label_end);
      if (end == line.npos) {
        out.push_back({begin, line.size(), kind, false});
        return;
      }
      at = begin;
    }
    const auto end = line.find("-----END ", at);
    if (end == line.npos) {
      left_ = is_body(line) ? left_ - 1 : 0;
      if (left_ > 0) out.push_back({at, line.size(), kind, false});
      return;
    }
    const auto close = line.find("-----", end + 9);
    const auto stop = close == line.npos ? line.size() : close + 5;
    out.push_back({at, stop, kind, false});
    left_ = 0;
    at = stop;
  }
}

}  // namespace reeve
