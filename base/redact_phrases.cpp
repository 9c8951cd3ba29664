// Words that introduce a secret where no name does: of protocols, shells, languages and prose.
#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"

#include <algorithm>
#include <array>

namespace reeve {
namespace {

using namespace std::string_view_literals;

/// So far from a phrase its value is looked for.
constexpr std::size_t near_phrase = 256;

void hide_if(line_scan& scan, const secret_span& span, bool is_secret) {
  if (is_secret && !is_no_secret(scan.text(span))) scan.hide(span);
}

/// "-passin pass:x" of OpenSSL.
void take_pass_argument(line_scan& scan, std::size_t begin, std::size_t end) {
  const auto before = left_of(scan.line, begin, 12);
  const auto option = before.substr(before.find_last_of(' ') + 1);
  if (!begins_with(option, "-pass") && !before.ends_with("-passin") &&
      !before.ends_with("-passout")) {
    return;
  }
  const auto value = value_at(scan, end, false, credential_kind);
  hide_if(scan, value.span, end < scan.line.size());
}

/// IDENTIFIED BY 'x'
void take_sql(line_scan& scan, std::size_t, std::size_t end) {
  const auto at = scan.skip_blanks(end);
  if (at >= scan.line.size() || scan.line.substr(at, 5) == "VALUE") return;
  auto value = value_at(scan, at, false, credential_kind);
  if (scan.text(value.span) == "PASSWORD") {
    value = value_at(scan, scan.skip_blanks(value.span.end), false, credential_kind);
  }
  const auto text = scan.text(value.span);
  hide_if(scan, value.span, value.quoted || (looks_made_up(text) && !text.starts_with('[')));
}

void take_next_word(line_scan& scan, std::size_t, std::size_t end) {
  const auto word = before_any(scan.line.substr(end), " \t\r"_signs);
  hide_if(scan, {end, end + word.size(), credential_kind, false}, true);
}

/// "machine h login …": what follows may be a netrc file.
void take_machine(line_scan& scan, std::size_t, std::size_t) {
  scan.has_machine = true;
}

/// "kinit bob <<< x"
void take_here_string(line_scan& scan, std::size_t begin, std::size_t end) {
  static const near_words readers({"passw", "login", "kinit", "sudo", "cryptsetup"});
  if (!readers.stand_before(scan.line, begin, 64, scan.reader)) return;
  hide_if(scan, value_at(scan, scan.skip_blanks(end), false, credential_kind).span, true);
}

/// "echo x | docker login --password-stdin": what is fed to a program that reads a password.
void take_fed(line_scan& scan, std::size_t begin, std::size_t) {
  const auto line = scan.line;
  const auto from = begin > near_phrase ? begin - near_phrase : 0;
  const auto pipe = line[begin] == '|' ? begin : scan.pipe.before(line, "|", begin, near_phrase);
  if (pipe == line.npos || pipe == from) return;
  std::size_t at = 0;
  for (auto [word, place] :
       {std::pair("echo "sv, &scan.echo), std::pair("printf "sv, &scan.printf)}) {
    const auto last = place->before(line, word, pipe, pipe - from);
    if (last != line.npos) at = std::max(at, last + word.size());
  }
  if (at == 0) return;
  at = scan.skip_blanks(at);
  while (begins_with(scan.line.substr(at), "-n ") || begins_with(scan.line.substr(at), "-e "))
    at += 3;
  auto value = value_at(scan, at, false, credential_kind);
  if (value.span.end > begin) return;
  auto text = scan.text(value.span);
  if (begins_with(text, "%s")) return;
  // "user:password" of chpasswd.
  const auto colon = text.substr(0, 64).find(':');
  if (colon != text.npos && colon > 0 &&
      equals_lower(left_of(scan.line, begin + 10, 10), "| chpasswd")) {
    value.span.begin += colon + 1;
  }
  if (!is_no_secret(scan.text(value.span))) scan.hide_ahead(value.span);
}

/// "AUTH PLAIN x" of SMTP and IMAP: base64.
void take_sasl(line_scan& scan, std::size_t, std::size_t end) {
  const auto value = value_at(scan, end, false, "authorization");
  const auto text = scan.text(value.span).substr(0, near_phrase);
  const bool is_base64 = text.size() >= 12 && text.size() % 4 == 0 &&
                         std::all_of(text.begin(), text.end(), [](char c) {
                           return is_alnum(c) || c == '+' || c == '/' || c == '=';
                         });
  hide_if(scan, value.span, is_base64 && looks_made_up(text));
}

/// The third of several strings between commas: new PDO('mysql:host=h', 'user', 'x').
void take_third(line_scan& scan, std::size_t, std::size_t end) {
  auto at = end;
  for (int strings = 0; strings < 3; ++strings) {
    at = scan.skip_blanks(at);
    if (!is_quote(scan.at(at)) || at - end > near_phrase) return;
    const auto value = value_at(scan, at, false, credential_kind);
    if (strings == 2) return hide_if(scan, value.span, true);
    at = value.span.end + 1;
    if (scan.at(at) != ',') return;
    ++at;
  }
}

void take_made_up(line_scan& scan, std::size_t, std::size_t end) {
  const auto value = value_at(scan, scan.skip_blanks(end), false, credential_kind);
  hide_if(scan, value.span, looks_made_up(scan.text(value.span)));
}

/// "?key=x" and "?code=x" of a URL: a long run of letters and digits.
void take_query(line_scan& scan, std::size_t, std::size_t end) {
  const auto stop = scan.runs.end(end, run_of::base64);
  const secret_span span{end, stop, credential_kind, false};
  const auto text = scan.text(span).substr(0, looked_at);
  const auto bare = before_any(text, "=%"_signs);
  static constexpr sign_set joints("-_/+");
  const bool is_run = bare.size() >= 40 || !joints.stand_in(bare);
  hide_if(scan, span, is_run && looks_random(bare));
}

/// "Found key 'x.password' … with type [String] and value 'y'"
void take_told_value(line_scan& scan, std::size_t begin, std::size_t end) {
  const auto before = left_of(scan.line, begin, 160);
  const auto close = before.rfind('\'');
  if (close == before.npos || close == 0) return;
  const auto open = before.substr(0, close).rfind('\'');
  if (open == before.npos) return;
  const auto name = before.substr(open + 1, close - open - 1);
  if (!std::all_of(name.begin(), name.end(), is_key_char)) return;
  const auto kind = kind_of_name(name);
  if (kind != name_kind::password && kind != name_kind::token) return;
  const auto value = value_at(scan, end - 1, false, credential_kind);
  hide_if(scan, value.span, !is_place(scan.text(value.span)));
}

/// "net use Z: \\\\nas\\share x /user:bob"
void take_net_use(line_scan& scan, std::size_t, std::size_t end) {
  auto at = end;
  bool has_share = false;
  for (int words = 0; words < 5; ++words) {
    at = scan.skip_blanks(at);
    const auto word = before_any(scan.line.substr(at, 64), " \t\"'"_signs);
    if (word.empty()) return;
    if (begins_with(word, "\\\\")) {
      has_share = true;
    } else if (!word.starts_with('/') && !word.ends_with(':') && word != "*") {
      const auto found = value_at(scan, at, false, credential_kind);
      if (has_share && !is_no_secret(word)) scan.hide_ahead(found.span);
      return;
    }
    at += word.size();
  }
}

/// SET PASSWORD FOR 'u'@'h' = 'x'
void take_password_for(line_scan& scan, std::size_t, std::size_t end) {
  const auto rest = scan.line.substr(end, 160);
  const auto sign = rest.find("= '");
  if (sign == rest.npos) return;
  hide_if(scan, value_at(scan, end + sign + 2, false, credential_kind).span, true);
}

/// The next part of a list between commas, and its end: a string, or what is not.
struct list_part {
  std::string_view text;
  std::size_t end = 0;
};

list_part part_at(line_scan& scan, std::size_t at) {
  at = scan.skip_blanks(at);
  if (is_quote(scan.at(at)) || scan.at(at) == '`') {
    const char quote = scan.line[at];
    const auto inside = scan.line.substr(at + 1, near_phrase);
    const auto text = inside.substr(0, inside.find(quote));
    return {text, std::min(scan.line.size(), at + 2 + text.size())};
  }
  const auto text = before_any(scan.line.substr(at, near_phrase), ",)"_signs);
  return {text, at + text.size()};
}

bool names_column(std::string_view name) {
  const auto kind = kind_of_name(name);
  return kind == name_kind::password || kind == name_kind::token;
}

/// INSERT INTO users (name, password) VALUES ('bob', 'x'). The names are judged last: most of what
/// begins so goes on otherwise.
void take_insert(line_scan& scan, std::size_t, std::size_t end) {
  const auto open = scan.line.substr(end, 80).find('(');
  if (open == std::string_view::npos) return;
  // Without an end it is no list.
  if (scan.list_end.find(scan.line, ")"_signs, end + open) == scan.line.size()) return;
  constexpr std::size_t most_columns = 24;
  std::array<std::string_view, most_columns> columns;
  auto at = end + open + 1;
  std::size_t count = 0;
  for (; count < most_columns && at - end < 2 * near_phrase; ++count) {
    const auto column = part_at(scan, at);
    columns[count] = column.text;
    at = scan.skip_blanks(column.end);
    if (scan.at(at) != ',') break;
    ++at;
  }
  if (scan.at(at) != ')') return;
  const auto behind = scan.line.substr(at + 1, 16);
  const auto begin = behind.find('(');
  if (begin == behind.npos || !holds_lower(behind, "values")) return;
  at += begin + 2;
  for (std::size_t i = 0; i <= count && i < most_columns; ++i) {
    const auto value = part_at(scan, at);
    const auto from = static_cast<std::size_t>(value.text.data() - scan.line.data());
    const bool is_text = from > 0 && is_quote(scan.line[from - 1]);
    if (is_text && names_column(columns[i]) && !is_no_secret(value.text)) {
      scan.hide_ahead({from, from + value.text.size(), credential_kind, false});
    }
    at = scan.skip_blanks(value.end);
    if (scan.at(at) != ',') return;
    ++at;
  }
}

/// "openssl passwd -6 x"
void take_last_made_up(line_scan& scan, std::size_t, std::size_t end) {
  static constexpr sign_set blanks(" \t");
  const auto stop = scan.argument_end.find(scan.line, "|;&>\"'`"_signs, end);
  const auto rest = trimmed(scan.line.substr(end, std::min(near_phrase, stop - end)));
  const auto word = rest.substr(blanks.behind_last(rest));
  if (word.empty() || word.starts_with('-') || !looks_made_up(word) || is_place(word)) return;
  const auto from = static_cast<std::size_t>(word.data() - scan.line.data());
  hide_if(scan, {from, from + word.size(), credential_kind, false}, true);
}

struct phrase {
  std::string_view words;  // in lower case
  void (*take)(line_scan& scan, std::size_t begin, std::size_t end);
};

constexpr phrase phrases[] = {
    {" pass:", take_pass_argument},
    {"identified by ", take_sql},
    {"_password by ", take_sql},
    {"generated for root@localhost: ", take_next_word},
    {"machine ", take_machine},
    {"default login ", take_machine},
    {"<<<", take_here_string},
    {"| chpasswd", take_fed},
    {"sudo -s", take_fed},
    {"--password-stdin", take_fed},
    {"auth plain ", take_sasl},
    {"auth login ", take_sasl},
    {"pdo(", take_third},
    {"pdo->__construct(", take_third},
    {"mysqli(", take_third},
    {"mysqli->__construct(", take_third},
    {"mysqli_connect(", take_third},
    {"snmp-server community ", take_made_up},
    {"?key=", take_query},
    {"&key=", take_query},
    {"?code=", take_query},
    {"&code=", take_query},
    {" and value '", take_told_value},
    {"net use ", take_net_use},
    {"set password for ", take_password_for},
    {"insert into ", take_insert},
    {"openssl passwd ", take_last_made_up},
};

}  // namespace

std::vector<std::string_view> phrase_words() {
  std::vector<std::string_view> all;
  for (const auto& one : phrases) all.push_back(one.words);
  return all;
}

void take_phrase(line_scan& scan, std::size_t number, std::size_t begin, std::size_t end) {
  phrases[number].take(scan, begin, end);
}

}  // namespace reeve
